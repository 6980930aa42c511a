import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandInFolder, main } from './command.js';
import { classifiedStripes, rightStripes, writeStripes } from './striped-pictures.js';

describe.skipIf(!existsSync(main))('search of sparse cells on the command line (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('dass');

  beforeAll(async () => {
    await writeStripes(folder, { size: 8 });
  }, 30_000);

  const space = ['--width', '4', '--cells', '3', '--nodes', '1', '--operations', 'none,skip_connect,sep_conv_3x3'];

  test('search, train again with another share, change the share by a recipe, classify', () => {
    const epochs = ['--search-epochs', '1', '--epochs', '5', '--batch', '6', '--learning-rate', '1e-2'];
    const args = [
      'search',
      'stripes',
      '--model',
      'dass',
      '--keep',
      '0.3',
      ...space,
      ...epochs,
      '-o',
      'found.safetensors',
    ];
    const found = gossamer(...args);
    expect(found.status).toBe(0);
    expect(found.stdout).toMatch(/normal: 2: (skip_connect|sep_conv_3x3) of [01], 2: /);
    expect(found.stdout).toMatch(/found\.safetensors, found\.plan: test accuracy [\d.]+ %/);
    expect(classifiedStripes(gossamer, 'found.safetensors')).toEqual(rightStripes);
    expect(classifiedStripes(gossamer, 'found.plan')).toEqual(rightStripes);
    const kept = JSON.parse(readFileSync(join(folder, 'found.json'), 'utf8')) as { genotype: object };
    expect(kept).toMatchObject({ model: 'dass', keep: 0.3, settings: { width: 4, cells: 3 } });
    expect(gossamer('info', 'found.json').stdout).toMatch(
      /found\.json: what gossamer search --model dass found on stripes, seed 0\nnormal: 2: .*\nreduce: .*\n(.*\n)?use: gossamer train stripes --model found\.json --keep 0\.3/,
    );
    // After the search has ended, --resume goes on with the training, of the same options alone.
    expect(gossamer(...args, '--resume', '--nodes', '2').stderr).toContain('was found with another nodes');
    expect(gossamer(...args, '--resume', '--size', '16').stderr).toContain(
      'was found with another size of pictures (1×8×8, now 1×16×16)',
    );
    const { genotype, ...others } = JSON.parse(readFileSync(join(folder, 'found.json'), 'utf8'));
    writeFileSync(join(folder, 'cellless.json'), JSON.stringify(others));
    const cellless = gossamer(...args, '--resume', '-o', 'cellless.safetensors');
    expect(genotype).toBeDefined();
    expect(cellless.stderr).toContain('cellless.json: expected an object with "normal" and "reduce"');
    expect(existsSync(join(folder, 'cellless.safetensors'))).toBe(false);

    writeFileSync(join(folder, 'cells.json'), JSON.stringify(kept.genotype));
    const flags = ['--set', 'width=4', '--set', 'cells=3', '--epochs', '5', '--batch', '6', '--learning-rate', '1e-2'];
    const again = gossamer('train', 'stripes', '--model', 'cells.json', ...flags, '-o', 'dense.safetensors');
    expect(again.status).toBe(0);
    expect(classifiedStripes(gossamer, 'dense.safetensors')).toEqual(rightStripes);
    const recipe = { training: { batchSize: 6 }, steps: [{ do: 'learn-masks', keep: 0.5, pruneEpochs: 1, epochs: 2 }] };
    writeFileSync(join(folder, 'recipe.json'), JSON.stringify(recipe));
    const small = gossamer(
      'compress',
      'dense.safetensors',
      '--data',
      'stripes',
      '--recipe',
      'recipe.json',
      '-o',
      'small',
    );
    expect(small.status).toBe(0);
    expect(small.stdout).toMatch(/kept 50\.0 % of the weights of \d+ layers/);
    expect(classifiedStripes(gossamer, 'small/model.plan')).toEqual(rightStripes);
    expect(existsSync(join(folder, 'small/model.onnx'))).toBe(true);
    const sparse = gossamer(
      'train',
      'stripes',
      '--model',
      'found.json',
      '--keep',
      '0.3',
      '--epochs',
      '1',
      '--batch',
      '6',
    );
    expect(sparse.status).toBe(0);
  }, 240_000);

  test('what cannot be is refused in a line', () => {
    writeFileSync(
      join(folder, 'bad.json'),
      JSON.stringify({
        normal: [
          ['skip_connect', 0],
          ['sep', 1],
        ],
        reduce: [],
      }),
    );
    for (const [args, message] of [
      [['search', 'stripes', '--model', 'dass', '--keep', '0'], 'a share above 0 and at most 1'],
      [['search', 'stripes', '--model', 'dass', '--keep', '1.2'], 'a share above 0 and at most 1'],
      [['search', 'stripes', '--model', 'dass', '--operations', 'conv'], '"conv" is none of none, max_pool_3x3'],
      [['search', 'stripes', '--model', 'dass', '--cells', '2'], 'at least 3'],
      [['search', 'stripes', '--model', 'dass', '-o', 'a.plan'], '"a.plan" is the plan beside the model'],
      [['train', 'stripes', '--model', 'bad.json'], 'edge 2 of "normal": the operation must be one of'],
      [
        ['train', 'stripes', '--model', 'vanillanet-nano', '--size', '32', '--keep', '0.1'],
        'changes along its training',
      ],
    ] as const) {
      const { status, stderr } = gossamer(...args);
      expect(stderr).toContain(message);
      expect(status).toBe(2);
    }
    expect(gossamer('search', '--help').stdout).toContain('--model dass --keep 0.05');
  });
});
