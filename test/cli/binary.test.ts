import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCsv, writeNpz, writeSafetensors } from '../../src/data/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { commandInFolder, main } from './command.js';

const { folder, gossamer } = commandInFolder('binary');
const SIZE = 16;

/** Stripes across or down, in noise. */
async function writeStripes(file: string, down: boolean, random: Random): Promise<void> {
  const pixels = Uint8Array.from({ length: SIZE * SIZE }, (_, at) => {
    const place = down ? at % SIZE : Math.floor(at / SIZE);
    return Math.max(0, Math.min(255, (place % 4 < 2 ? 190 : 60) + 30 * random.gaussian()));
  });
  await sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 1 } })
    .png()
    .toFile(file);
}

describe.skipIf(!existsSync(main))('binary networks on the command line (needs a build)', () => {
  beforeAll(async () => {
    const random = new Random(1);
    for (const kind of ['across', 'down']) {
      mkdirSync(join(folder, 'stripes', kind), { recursive: true });
      for (let i = 0; i < 30; i++)
        await writeStripes(join(folder, 'stripes', kind, `${i}.png`), kind === 'down', random);
    }
    mkdirSync(join(folder, 'new'));
    for (const kind of ['across', 'down'])
      await writeStripes(join(folder, 'new', `${kind}.png`), kind === 'down', random);
    const training = ['--model', 'binary-net', '--batch', '8', '--threads', '1', '--epochs', '3'];
    const { status, stderr } = gossamer('train', 'stripes', ...training, '-o', 'b.safetensors');
    expect([status, stderr]).toEqual([0, expect.stringContaining('2 classes')]);
  }, 60_000);

  const classify = (file: string) => {
    const { columns, rows } = readCsv(gossamer('classify', file, 'new').stdout);
    const at = columns.indexOf('probability');
    return rows.map((row) => [row[0], row[2], Number(row[at]).toFixed(4)]);
  };

  test('a recipe orders the channels, and the plan answers as the network', () => {
    writeFileSync(
      join(folder, 'tree.json'),
      JSON.stringify({ steps: [{ do: 'tree', strength: 0.3, depth: 'auto', epochs: 0 }] }),
    );
    const { status, stdout, stderr } = gossamer(
      'compress',
      'b.safetensors',
      '--data',
      'stripes',
      '--recipe',
      'tree.json',
      '-o',
      'small',
    );
    expect([status, stderr]).toEqual([0, expect.stringContaining('step 1 of 1: tree')]);
    expect(stdout).toMatch(
      /layers\.0: \d\.\d\d times fewer operations, \d\.\d\d times fewer bits, a tree of depth \d+/,
    );
    const answers = classify('small/model.plan');
    expect(answers.map(([, kind]) => kind)).toEqual(['across', 'down']);
    expect(answers).toEqual(classify('b.safetensors'));
    expect(answers).toEqual(classify('small/model.safetensors'));
    const report = JSON.parse(readFileSync(join(folder, 'small/report.json'), 'utf8'));
    expect(report.after.multiplyAdds).toBeLessThan(0.55 * report.before.multiplyAdds);
    const again = gossamer('compress', 'b.safetensors', '--data', 'stripes', '--sparsity', '0.5', '-o', 'other');
    expect([again.status, again.stderr]).toEqual([2, expect.stringContaining('prune does not change binary networks')]);
  }, 60_000);

  test('trees of a network of one’s own are looked at first', () => {
    const { stdout, status } = gossamer('compress', 'b.safetensors', '--analyse', '--side', '8');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^layers\.2 +128×576 +\d\.\d\d .*/m);
    expect(stdout).toMatch(/Binary layers alone: \d\.\d\d times fewer operations; the whole network: \d\.\d\d times/);
    const { stdout: info } = gossamer('info', 'b.safetensors', '--tree');
    expect(
      info
        .split('\n')
        .slice(0, 3)
        .map((line) => line.slice(0, 20)),
    ).toEqual(
      stdout
        .split('\n')
        .slice(0, 3)
        .map((line) => line.slice(0, 20)),
    );
    const { layers, network } = JSON.parse(
      gossamer('compress', 'b.safetensors', '--analyse', '--side', '4', '--json').stdout,
    );
    expect(layers.map(({ layer }: { layer: string }) => layer)).toEqual(['layers.0', 'layers.1', 'layers.2']);
    expect(network.tree).toBeLessThan(network.binary);
  }, 60_000);

  test('weights of other programs are read, and wrong ones named', () => {
    const random = new Random(3);
    const weight = (...shape: number[]) => random.normal(shape);
    writeFileSync(
      join(folder, 'other.safetensors'),
      writeSafetensors({ first: weight(4, 3, 3, 3), middle: weight(16, 4, 3, 3), last: weight(2, 16) }),
    );
    const { stdout } = gossamer('compress', 'other.safetensors', '--analyse', '--side', '4');
    expect(stdout).toContain('1 binary layers, signs of real weights, all but the first and the last layer');
    expect(stdout).toMatch(/^middle +16×36 /m);
    const values = Float32Array.from({ length: 64 }, () => (random.float() < 0.5 ? -1 : 1));
    writeFileSync(join(folder, 'bits.npz'), writeNpz({ hidden: { shape: [8, 8], values } }));
    expect(gossamer('compress', 'bits.npz', '--analyse', '--side', '4').stdout).toMatch(/^hidden +8×8 /m);
    writeFileSync(join(folder, 'one.safetensors'), writeSafetensors({ 'a.weight': tensor([1, -1, 1], [1, 3]) }));
    const fails = (...args: string[]) => {
      const { status, stderr } = gossamer('compress', ...args);
      expect(status).toBe(2);
      return stderr;
    };
    expect(fails('one.safetensors', '--analyse')).toContain('layer a has one output channel');
    expect(fails('other.safetensors', '--analyse', '--layers', 'none*')).toContain('no layer fits none*');
    expect(fails('b.safetensors')).toContain('compress needs the images of the training: --data');
  }, 60_000);
});
