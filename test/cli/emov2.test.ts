import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandInFolder, main } from './command.js';
import { writeStripes } from './striped-pictures.js';

describe.skipIf(!existsSync(main))('EMOv2 on the command line (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('emov2');

  beforeAll(async () => {
    await writeStripes(folder, { size: 16, count: 24, width: 2 });
  }, 30_000);

  test('train, classify and embed; compress to a plan that classifies alike', () => {
    const trained = gossamer(
      ...['train', 'stripes', '--model', 'emov2-nano', '--epochs', '5', '--batch', '8', '--threads', '1'],
      ...['-o', 'm.safetensors'],
    );
    expect(trained.status).toBe(0);
    expect(trained.stderr).toMatch(/emov2-nano, [\d,]+ parameters/);
    expect(trained.stderr).not.toContain('windows of');
    const { status, stdout } = gossamer('classify', 'm.safetensors', 'new');
    expect(status).toBe(0);
    const named = readCsv(stdout).rows.map(([picture, , label]) => [picture, label]);
    expect(named).toEqual([
      ['new/across.png', 'across'],
      ['new/down.png', 'down'],
    ]);
    const embedded = gossamer('embed', 'new', '--model', 'm.safetensors', '-o', 'v.csv');
    expect(embedded.stderr).toContain('v.csv: 2 × 48 by emov2-nano in');
    const { rows } = readCsv(readFileSync(join(folder, 'v.csv'), 'utf8'));
    expect(rows.map(([name]) => name)).toEqual(['new/across.png', 'new/down.png']);
    expect(rows[0]).toHaveLength(1 + 48);
    expect(rows[0]?.slice(1)).not.toEqual(rows[1]?.slice(1));
    writeFileSync(
      join(folder, 'recipe.json'),
      JSON.stringify({ training: { batchSize: 8 }, steps: [{ do: 'prune', sparsity: 0.3, layers: 'pointwise' }] }),
    );
    const small = gossamer('compress', 'm.safetensors', '--data', 'stripes', '--recipe', 'recipe.json', '-o', 'small');
    expect(small.status).toBe(0);
    const again = readCsv(gossamer('classify', 'small/model.plan', 'new').stdout).rows;
    expect(again.map(([picture, , label]) => [picture, label])).toEqual(named);
  }, 240_000);

  test('a window that leaves padding is noted; a mistaken name and small pictures are refused in a line', () => {
    const common = ['--epochs', '1', '--batch', '24', '-o', 'x.safetensors'];
    const noted = gossamer('train', 'stripes', '--model', 'emov2-nano', '--size', '17', ...common);
    expect(noted.stderr).toContain('note: windows of 4×4 do not divide the maps of images of 17×17: padded pixels');
    for (const [args, message] of [
      [['--model', 'emov2-nan'], '; closest: emov2-nano'],
      [['--model', 'emov2-1m', '--size', '31'], 'images that are at least 32 pixels a side; these are 31×31'],
    ] as const) {
      const { status, stderr } = gossamer('train', 'stripes', ...args, ...common);
      expect(stderr).toContain(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(status).toBe(2);
    }
    mkdirSync(join(folder, 'empty'));
    expect(gossamer('embed', 'empty', '--model', 'nothing.safetensors', '-o', 'v.npy').status).toBe(2);
  }, 120_000);
});
