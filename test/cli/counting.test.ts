import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodePicture, readCsv, writeCsv, writePng } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-counting-'));
const path = (...names: string[]) => join(folder, ...names);

const gossamer = commandIn(folder);

/** Bright dots on dark: the picture, and the middle of each dot. */
function dots(height: number, width: number, count: number, random: Random) {
  const pixels = new Uint8Array(3 * height * width).fill(30);
  const points: [number, number][] = [];
  while (points.length < count) {
    const [x, y] = [3 + random.integer(width - 6), 3 + random.integer(height - 6)];
    if (points.some(([px, py]) => Math.abs(px - x) + Math.abs(py - y) < 8)) continue;
    points.push([x, y]);
    for (let dy = -2; dy < 2; dy++)
      for (let dx = -2; dx < 2; dx++)
        pixels.fill(230, 3 * ((y + dy) * width + x + dx), 3 * ((y + dy) * width + x + dx) + 3);
  }
  return { picture: { height, width, pixels }, points };
}

describe.skipIf(!existsSync(main))('counting on the command line (needs a build)', () => {
  const sizes = [
    [32, 32],
    [40, 56],
    [64, 48],
  ] as const;

  beforeAll(() => {
    const random = new Random(3);
    mkdirSync(path('dots', 'more'), { recursive: true });
    const rows = Array.from({ length: 40 }, (_, i) => {
      const [height, width] = sizes[i % 3] as readonly [number, number];
      const { picture, points } = dots(height, width, random.integer(6), random);
      const name = `${i % 2 ? 'more/' : ''}${i}.png`;
      writeFileSync(path('dots', name), writePng(picture));
      return points.length === 0 ? [[name, '', '']] : points.map((point) => [name, ...point]);
    });
    writeFileSync(path('dots', 'points.csv'), writeCsv(['picture', 'x', 'y'], rows.flat()));
    writeFileSync(path('dots', 'unnamed.png'), writePng(dots(32, 32, 1, random).picture));
    mkdirSync(path('new', 'deep'), { recursive: true });
    for (const [file, count] of [
      ['new/none.png', 0],
      ['new/six.png', 6],
      ['new/deep/six.png', 6],
    ] as const)
      writeFileSync(path(file), writePng(dots(64, 72, count, random).picture));
  });

  const training = ['--model', 'count-softhgnn', '--channels', '1', '--set', 'tile=32', '--set', 'learningRate=0.004'];

  test('fit, info and predict, with a map for each picture', async () => {
    expect(gossamer('info', 'dots').stdout).toMatch(/^dots: 40 pictures with \d+ things, 0 to 5 in one; gossamer fit/);
    const fitted = gossamer(
      'fit',
      'dots',
      ...training,
      '--set',
      'epochs=25',
      '--set',
      'batch=8',
      '-o',
      'c.safetensors',
      '--json',
    );
    expect([fitted.status, fitted.stderr]).toEqual([
      0,
      expect.stringContaining('points name no places in unnamed.png'),
    ]);
    const { mae, rmse, maeOfMean, model } = JSON.parse(fitted.stdout);
    expect(model).toBe('c.safetensors');
    expect(rmse).toBeGreaterThanOrEqual(mae);
    expect(mae).toBeLessThan(0.7 * maeOfMean);
    const { stdout } = gossamer('info', 'c.safetensors');
    expect(stdout).toMatch(/^SoftHGNN: counts things in pictures by their density, [\d,]+ parameters\n/);
    expect(stdout).toContain('Input        pictures of any size, grey, cut into squares of 32 pixels');
    expect(stdout).toMatch(/Trained on {3}32 pictures of "dots" with \d+ things/);

    writeFileSync(path('new', 'broken.jpg'), 'no picture');
    const found = gossamer('predict', 'c.safetensors', 'new', '--maps', 'maps', '-o', 'counts.csv');
    expect([found.status, found.stderr]).toEqual([2, expect.stringContaining('"new/broken.jpg" is left out')]);
    const { columns, rows } = readCsv(readFileSync(path('counts.csv'), 'utf8'));
    expect(columns).toEqual(['picture', 'count']);
    const counts = new Map(rows.map(([file, count]) => [file, Number(count)]));
    expect([...counts.keys()].sort()).toEqual(['new/deep/six.png', 'new/none.png', 'new/six.png']);
    expect(counts.get('new/six.png') as number).toBeGreaterThan((counts.get('new/none.png') as number) + 2);
    expect(readdirSync(path('maps')).sort()).toEqual(['none.png', 'six-2.png', 'six.png']);
    const map = await decodePicture(readFileSync(path('maps', 'six.png')));
    expect([map.height, map.width]).toEqual([64, 72]);
  }, 120_000);

  test('the kind of the folder is known, and --resume goes on', () => {
    const args = ['fit', 'dots', '--channels', '1', '--set', 'tile=32', '--set', 'epochs=1', '-o', 'r.safetensors'];
    expect(gossamer(...args).stdout).toContain('mean absolute error on the test pictures');
    expect(gossamer(...args, '--resume').stderr).toContain('there is no "r.safetensors.checkpoint" to go on from');
    const none = gossamer(...args, '--test-share', '0');
    expect([none.status, none.stdout]).toEqual([
      0,
      expect.stringContaining('no test pictures, so no error was measured'),
    ]);
  }, 60_000);

  test.each([
    [['--set', 'tile=20'], 'the side of a tile must be a multiple of 8, got 20'],
    [['--set', 'heads=7'], '64 features do not divide among 7 heads'],
    [['--set', 'dynamic=4'], 'cannot choose 16 of 4 dynamic hyperedges'],
    [['--size', '32'], '--size is for classes of pictures; counting takes --set scale=0.5'],
    [['--target', 'y'], '--target is not for counting'],
    [['--strict'], '--strict is not for counting'],
    [['--delimiter', ';'], '--delimiter is not for pictures with points'],
    [['--max-pixels', '100'], '--max-pixels allows more'],
    [['--set', 'validation=0.5', '--test-share', '0.5'], 'none is left to train on'],
  ])('%j is refused with code 2: %s', (args, message) => {
    const { status, stderr } = gossamer('fit', 'dots', ...training, '-o', 'refused.safetensors', ...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(path('refused.safetensors'))).toBe(false);
  });

  test('pictures that show nothing teach nothing, and squares too large for the memory are refused for users', () => {
    mkdirSync(path('bare'), { recursive: true });
    const names = ['a.png', 'b.png', 'c.png', 'd.png'];
    for (const name of names) writeFileSync(path('bare', name), writePng(dots(32, 32, 0, new Random(1)).picture));
    writeFileSync(path('bare', 'points.csv'), `picture,x,y\n${names.map((name) => `${name},,\n`).join('')}`);
    const bare = gossamer('fit', 'bare', ...training, '-o', 'refused.safetensors');
    expect([bare.status, bare.stderr]).toEqual([
      2,
      expect.stringContaining('points.csv names no thing in any picture'),
    ]);
    const large = gossamer('fit', 'dots', ...training, '--set', 'tile=8192', '-o', 'refused.safetensors');
    expect([large.status, large.stderr]).toEqual([
      2,
      expect.stringMatching(
        /out of memory: .* smaller batches, widths or pictures take less: --help lists the options\n$/,
      ),
    ]);
    expect(existsSync(path('refused.safetensors'))).toBe(false);
  }, 60_000);

  test('a folder without points.csv, and gossamer train, say what to do', () => {
    expect(gossamer('fit', 'new', '--model', 'count-softhgnn').stderr).toContain(
      'holds no points.csv with the columns picture, x and y',
    );
    const { status, stderr } = gossamer('train', 'dots', '--model', 'count-softhgnn');
    expect([status, stderr]).toEqual([2, expect.stringContaining('gossamer fit trains it')]);
  });
});

describe.skipIf(!existsSync(main))('soft hyperedges among the tokens of pictures (needs a build)', () => {
  beforeAll(() => {
    const random = new Random(5);
    for (const [kind, count] of [
      ['few', 1],
      ['many', 7],
    ] as const) {
      mkdirSync(path('classes', kind), { recursive: true });
      for (let i = 0; i < 24; i++)
        writeFileSync(path('classes', kind, `${i}.png`), writePng(dots(32, 32, count, random).picture));
    }
  });

  const soft = ['--model', 'vit-softhgnn', '--size', '32', '--batch', '8', '--epochs', '3'];

  test('train, classify and draw who takes part; fit takes the same by --set', async () => {
    const trained = gossamer('train', 'classes', ...soft, '--hyperedges', '5', '--heads', '4', '-o', 'v.safetensors');
    expect([trained.status, trained.stderr]).toEqual([0, expect.stringContaining('vit-softhgnn, ')]);
    expect(gossamer('info', 'v.safetensors').stdout).toMatch(
      /^Image classifier: vit-softhgnn, hyperedges 5, heads 4, /,
    );
    const found = gossamer('predict', 'v.safetensors', 'classes/few/0.png', '--maps', 'who', '--top', '2');
    expect([found.status, readCsv(found.stdout).rows.length]).toEqual([0, 2]);
    // The picture of 32×32 and five maps of 96×96 in a row of six, with gaps of 4.
    const map = await decodePicture(readFileSync(path('who', '0.png')));
    expect([map.height, map.width]).toEqual([96, 6 * 96 + 5 * 4]);
    const settings = ['--set', 'hyperedges=5', '--set', 'heads=4', '--set', 'batch=8', '--set', 'epochs=3'];
    const fitted = gossamer(
      'fit',
      'classes',
      '--model',
      'vit-softhgnn',
      '--size',
      '32',
      ...settings,
      '-o',
      'f.safetensors',
    );
    expect(fitted.status).toBe(0);
    expect(readFileSync(path('f.safetensors'))).toEqual(readFileSync(path('v.safetensors')));
  }, 120_000);

  test('sparse selection has settings of its own; other networks have none, nor maps', () => {
    const sparse = ['--model', 'vit-softhgnn-ses', '--size', '32', '--set', 'epochs=1'];
    const fitted = gossamer('fit', 'classes', ...sparse, '--set', 'dynamic=6', '--set', 'k=2', '-o', 's.safetensors');
    expect(fitted.status).toBe(0);
    expect(gossamer('info', 's.safetensors').stdout).toContain('vit-softhgnn-ses, dynamic 6, k 2, ');
    const refused = gossamer('train', 'classes', '--model', 'vit-nano', '--hyperedges', '4');
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringContaining('--hyperedges: model "vit-nano" has none; vit-softhgnn has'),
    ]);
    gossamer('train', 'classes', '--model', 'mobilenet-v1-nano', '--epochs', '1', '-o', 'm.safetensors');
    const plain = gossamer('predict', 'm.safetensors', 'classes/few/0.png', '--maps', 'none');
    expect([plain.status, plain.stderr]).toEqual([
      2,
      expect.stringContaining('has no soft hyperedges; vit-softhgnn has'),
    ]);
    expect(existsSync(path('none'))).toBe(false);
  }, 120_000);
});
