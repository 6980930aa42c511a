import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandInFolder, main } from './command.js';
import { classifiedStripes, rightStripes, writeStripes } from './striped-pictures.js';

describe.skipIf(!existsSync(main))('networks of parameter-free layers on the command line (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('pflayer');

  beforeAll(async () => {
    await writeStripes(folder, { size: 12, width: 2 });
  }, 30_000);

  test('train with convolutions, replace them, classify with the plan and with the weights', () => {
    const trained = gossamer(
      ...['train', 'stripes', '--model', 'pf-nano-conv', '--epochs', '6', '--batch', '6', '-o', 'm.safetensors'],
    );
    expect(trained.status).toBe(0);
    const step = { do: 'replace-spatial', with: 'hybrid', epochs: 4 };
    writeFileSync(join(folder, 'recipe.json'), JSON.stringify({ training: { batchSize: 6 }, steps: [step] }));
    const small = gossamer('compress', 'm.safetensors', '--data', 'stripes', '--recipe', 'recipe.json', '-o', 'small');
    expect(small.status).toBe(0);
    expect(small.stdout).toMatch(/replaced 6 spatial operations: [\d,]+ parameters became [\d,]+/);
    expect(small.stdout).toContain('kept conv1 (3×3 convolution: it changes the number of channels)');
    expect(classifiedStripes(gossamer, 'small/model.plan')).toEqual(rightStripes);
    expect(classifiedStripes(gossamer, 'small/model.safetensors')).toEqual(rightStripes);
  }, 240_000);

  test('search: what was found is trained, kept, and made again by gossamer train', () => {
    const epochs = ['--search-epochs', '1', '--epochs', '6', '--batch', '6'];
    const found = gossamer('search', 'stripes', '--model', 'pflayer', ...epochs, '-o', 'found.safetensors');
    expect(found.stderr).toMatch(/epoch 1/);
    expect(found.status).toBe(0);
    expect(found.stdout).toMatch(/block 1: [\w-]+ \(convolution 0\.\d+, depthwise 0\.\d+, max-pool 0\.\d+/);
    expect(found.stdout).toMatch(/found\.safetensors: test accuracy [\d.]+ %/);
    expect(existsSync(join(folder, 'found.safetensors.checkpoint'))).toBe(false);
    expect(classifiedStripes(gossamer, 'found.safetensors')).toEqual(rightStripes);
    const line = found.stdout.split('\n').find((each) => each.startsWith('gossamer train')) as string;
    const again = gossamer(...line.split(' ').slice(1), '--epochs', '1', '-o', 'again.safetensors');
    expect(again.status).toBe(0);
    // The same seed finds the same, as JSON and with the architecture alone too.
    const alone = gossamer('search', 'stripes', ...epochs, '--json', '-o', 'alone.json');
    const { operators } = JSON.parse(readFileSync(join(folder, 'found.json'), 'utf8')) as { operators: string[] };
    expect(JSON.parse(alone.stdout)).toMatchObject({ operators, model: 'pflayer' });
    const told = gossamer('info', 'found.json').stdout;
    expect(told).toContain('found.json: what gossamer search --model pflayer found on stripes, seed 0\nblock 1: ');
    expect(told).toContain(`use: ${line}`);
    // After the search alone has ended, --resume goes on with the training.
    const resumed = gossamer('search', 'stripes', ...epochs, '--resume', '-o', 'found.safetensors');
    expect(resumed.status).toBe(0);
    expect(
      gossamer('search', 'stripes', ...epochs, '--seed', '5', '--resume', '-o', 'found.safetensors').stderr,
    ).toContain('was found with another seed');
  }, 240_000);

  test('what cannot be is refused in a line', () => {
    for (const [args, message] of [
      [['search', 'stripes', '--model', 'darts'], 'Allowed choices are pflayer'],
      [['search', 'stripes', '--keep', '0.1'], '--keep is an option of --model dass, not of pflayer'],
      [
        ['search', 'stripes', '--resume', '-o', 'none.safetensors'],
        'none.safetensors.search.checkpoint" to go on from',
      ],
      [['train', 'stripes', '--model', 'pf-nano', '--set', 'block1=9'], 'block1 is a number from 1 to 6, got 9'],
      [['train', 'stripes', '--model', 'pf-nan'], 'closest: pf-nano'],
    ] as const) {
      const { status, stderr } = gossamer(...args);
      expect(stderr).toContain(message);
      expect(status).toBe(2);
    }
    expect(gossamer('search', '--help').stdout).toContain('gossamer search photos/ --model pflayer');
  });
});
