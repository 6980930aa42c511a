import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCsv, writeIdx } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandIn, main } from './command.js';
import { runDocument } from './document.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-images-'));
const path = (...names: string[]) => join(folder, ...names);

const gossamer = commandIn(folder);

const SIZE = 16;

/** Stripes across or down, in noise. */
function stripes(down: boolean, random: Random): Uint8Array {
  return Uint8Array.from({ length: SIZE * SIZE }, (_, at) => {
    const place = down ? at % SIZE : Math.floor(at / SIZE);
    return Math.max(0, Math.min(255, (place % 4 < 2 ? 190 : 60) + 30 * random.gaussian()));
  });
}

async function writePicture(file: string, pixels: Uint8Array, channels: 1 | 3 = 1): Promise<void> {
  const bytes =
    channels === 1
      ? pixels
      : Uint8Array.from({ length: 3 * pixels.length }, (_, i) => (pixels[Math.floor(i / 3)] as number) / (1 + (i % 3)));
  await sharp(bytes, { raw: { width: SIZE, height: SIZE, channels } })
    .png()
    .toFile(file);
}

async function writeClasses(name: string, each: number): Promise<void> {
  const random = new Random(1);
  for (const kind of ['across', 'down']) {
    mkdirSync(path(name, kind), { recursive: true });
    for (let i = 0; i < each; i++) await writePicture(path(name, kind, `${i}.png`), stripes(kind === 'down', random));
  }
}

const training = ['--model', 'mobilenet-v1-nano', '--batch', '8', '--threads', '1'];

describe.skipIf(!existsSync(main))('images on the command line (needs a build)', () => {
  beforeAll(async () => {
    await writeClasses('stripes', 60);
    const { status, stderr } = gossamer('train', 'stripes', ...training, '--epochs', '4', '-o', 'm.safetensors');
    expect(stderr).toContain('108 training and 12 test images of 1×16×16, 2 classes');
    expect(status).toBe(0);
  }, 60_000);

  test('a model of a folder of pictures names the classes of others', async () => {
    mkdirSync(path('new', 'deeper'), { recursive: true });
    const random = new Random(9);
    await writePicture(path('new', 'a.png'), stripes(false, random));
    await writePicture(path('new', 'deeper', 'b.png'), stripes(true, random), 3);
    writeFileSync(path('new', 'broken.jpg'), 'no picture');
    const { status, stdout, stderr } = gossamer('classify', 'm.safetensors', 'new', '--top', '2');
    const { columns, rows } = readCsv(stdout);
    expect(columns).toEqual(['picture', 'rank', 'class', 'probability']);
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ['new/a.png', '1', 'across'],
      ['new/a.png', '2', 'down'],
      ['new/deeper/b.png', '1', 'down'],
      ['new/deeper/b.png', '2', 'across'],
    ]);
    expect(stderr).toContain('"new/broken.jpg" is left out: the bytes are no readable picture');
    writeFileSync(path('new', '.DS_Store'), 'hidden');
    expect(status).toBe(2);
  });

  test('unusable pictures are named, counted and left out of training', async () => {
    // 33 pictures of a class, none held out: with batches of 8 a rest of two, of 65 a rest of one.
    await writeClasses('spoilt', 33);
    rmSync(path('spoilt', 'down', '0.png'));
    for (let i = 0; i < 7; i++) writeFileSync(path('spoilt', 'down', `x${i}.jpg`), i === 0 ? '' : 'no picture');
    const args = ['train', 'spoilt', ...training, '--epochs', '1', '--test-share', '0', '-o', 'spoilt.safetensors'];
    const { status, stdout, stderr } = gossamer(...args);
    expect(stderr).toContain('note: 7 pictures left out, as unusable (--strict stops at the first):');
    expect(stderr).toContain('spoilt/down/x0.jpg: the file is empty\n');
    expect(stderr).toContain('and 2 more');
    expect(stderr).toContain('65 training and 0 test images');
    expect(stdout).toBe('spoilt.safetensors: no test images, so no accuracy was measured\n');
    expect(status).toBe(0);
    expect(gossamer('info', 'spoilt.safetensors').stdout).toMatch(
      /Trained on +65 images of "spoilt": 33 across, 32 down\nTested on +0 images\n/,
    );
  }, 30_000);

  test('fit trains the same model as train, from the same seed', () => {
    const common = ['stripes', '--model', 'mobilenet-v1-nano', '--threads', '1', '--test-share', '0.25', '--seed', '3'];
    const trained = gossamer('train', ...common, '--batch', '8', '--epochs', '2', '--augment', '-o', 't.safetensors');
    const sets = ['batch=8', 'epochs=2', 'augment=yes'].flatMap((set) => ['--set', set]);
    const fitted = gossamer('fit', ...common, ...sets, '-o', 'f.safetensors');
    expect([trained.status, fitted.status]).toEqual([0, 0]);
    expect(readFileSync(path('f.safetensors'))).toEqual(readFileSync(path('t.safetensors')));
    const accuracy = trained.stdout.replace('t.safetensors: ', '');
    expect(fitted.stdout).toBe(
      `stripes: 90 training and 30 test images of 1×16×16, 2 classes\n${accuracy}model: f.safetensors\n`,
    );
    const json = gossamer('fit', ...common, '--set', 'epochs=1', '--json', '-o', 'j.safetensors');
    expect(Object.keys(JSON.parse(json.stdout))).toEqual(['data', 'accuracy', 'balancedAccuracy', 'model']);
  }, 60_000);

  test('fit decides for pictures by the folder, and refuses what is not for them', () => {
    writeFileSync(path('stripes', 'read.py'), 'print(1)');
    const { status, stderr } = gossamer('fit', 'stripes', '--size', '8', '--set', 'epochs=1', '-o', 'd.safetensors');
    expect(stderr).toMatch(/lsnet-nano, [\d,]+ parameters; 108 training and 12 test images of 1×8×8, 2 classes/);
    expect(status).toBe(0);
    rmSync(path('stripes', 'read.py'));
    writeFileSync(path('numbers.csv'), 'x,y\n1,2\n3,4\n');
    for (const [args, message] of [
      [['stripes', '--epochs', '3'], '--epochs is for tables; "stripes" is learnt by a model with --set name=value'],
      [['stripes', '--delimiter', ';'], '--delimiter is not for pictures, which "stripes" is read as'],
      [['stripes', '--target', 'x'], '--target is for tables and graphs; the class of a picture is'],
      [['stripes', '--model', 'forest'], 'unknown model "forest" for pictures ("stripes"); there are'],
      [['stripes', '--model', 'lenet', '--size', '8'], 'model "lenet" takes images that are at least 12'],
      [['numbers.csv', '--target', 'y', '--size', '8'], '--size is for pictures; "numbers.csv" is read as a table'],
      [['numbers.csv', '--model', 'lsnet-nano'], '"numbers.csv" is a file; give the folder of images'],
    ] as const) {
      const refused = gossamer('fit', ...args, '-o', 'no.safetensors');
      expect(refused.stderr).toContain(message);
      expect(refused.status).toBe(2);
    }
    expect(existsSync(path('no.safetensors'))).toBe(false);
  }, 60_000);

  test('info counts classes, sizes, formats and unusable pictures, without training', async () => {
    await writeClasses('mixed', 3);
    writeFileSync(path('mixed', 'down', 'x.jpg'), '');
    writeFileSync(path('mixed', 'down', 'notes.txt'), 'text');
    const clear = sharp(new Uint8Array(4 * 20 * 30).fill(9), { raw: { width: 30, height: 20, channels: 4 } });
    await clear.webp().toFile(path('mixed', 'across', 'clear.webp'));
    const { status, stdout } = gossamer('info', 'mixed');
    expect(stdout).toBe(
      [
        'mixed: 8 pictures, 2 classes; 7 can be used',
        'classes     across: 4',
        '            down: 3, and 1 unusable',
        'sizes       16×16 (6), 20×30 (1) (height×width); fit needs --size',
        'formats     png (6), webp (1)',
        'colours     all grey',
        'transparent 1 have an alpha channel (--background)',
        'unusable    1, which fit leaves out (--strict stops there)',
        '  mixed/down/x.jpg: the file is empty',
        'note        1 file (mixed/down/notes.txt) is no pictures by content or name, left out',
        '',
      ].join('\n'),
    );
    expect(status).toBe(0);
    expect(gossamer('info', 'mixed', '--max-pixels', '300').stdout).toContain(
      'mixed/across/clear.webp: the picture has more than 300 pixels; --max-pixels allows more',
    );
    const refused = gossamer(
      'train',
      'stripes',
      ...training,
      '--max-pixels',
      '255',
      '--strict',
      '-o',
      'no.safetensors',
    );
    expect(refused.stderr).toContain('has more than 255 pixels; --max-pixels allows more');
    expect(refused.status).toBe(2);
    const unread = gossamer('classify', 'm.safetensors', 'stripes/down/1.png', '--max-pixels', '255');
    expect(unread.stderr).toContain('has more than 255 pixels; --max-pixels allows more');
  });

  test('any number of training images trains, with the default model too', () => {
    const args = ['train', 'spoilt', '--batch', '8', '--epochs', '1', '--test-share', '0', '-o', 'default.safetensors'];
    const { status, stderr } = gossamer(...args);
    expect(stderr).toContain('65 training');
    expect(status).toBe(0);
  }, 30_000);

  test('the background of training is that of predictions, and info tells what a model is', async () => {
    // On black the pictures of the two classes are white and black; on white both are white.
    const clear = async (file: string, alpha: number) => {
      const pixels = new Uint8Array(4 * SIZE * SIZE).fill(255).map((value, i) => (i % 4 === 3 ? alpha : value));
      await sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 4 } })
        .png()
        .toFile(file);
    };
    for (const [name, alpha] of [
      ['full', 255],
      ['none', 0],
    ] as const) {
      mkdirSync(path('clear', name), { recursive: true });
      for (let i = 0; i < 12; i++) await clear(path('clear', name, `${i}.png`), alpha);
    }
    const trained = gossamer(
      'train',
      'clear',
      ...training,
      '--epochs',
      '24',
      '--background',
      'black',
      '-o',
      'c.safetensors',
    );
    expect(trained.stdout).toBe('c.safetensors: test accuracy 100.00 %\n');
    const files = ['clear/full/0.png', 'clear/none/0.png'];
    for (const verb of ['classify', 'predict']) {
      const { rows } = readCsv(gossamer(verb, 'c.safetensors', ...files).stdout);
      expect(rows.map((row) => row[2])).toEqual(['full', 'none']);
    }
    const lines = gossamer('info', 'c.safetensors').stdout.split('\n');
    expect(lines[0]).toMatch(/^Image classifier: mobilenet-v1-nano, [\d,]+ parameters$/);
    expect(lines[1]).toBe('Input        pictures, scaled to cover 16×16 and cropped at the centre, grey');
    expect(lines[2]).toMatch(/transparent pixels on black; .* with mean 0\.5000, deviation 0\.5000$/);
    expect(lines[3]).toBe('Classes      2: full, none');
    expect(lines[4]).toBe('Trained on   22 images of "clear": 11 full, 11 none');
    expect(lines[5]).toBe('Tested on    2 images: accuracy 100.00 %');
  }, 30_000);

  test('a picture that is not there or empty leaves the others answered, with code 2', () => {
    writeFileSync(path('nothing.png'), '');
    const { status, stdout, stderr } = gossamer(
      'predict',
      'm.safetensors',
      'nothing.png',
      'gone.png',
      'stripes/down/1.png',
    );
    expect(readCsv(stdout).rows.map((row) => row.slice(0, 3))).toEqual([['stripes/down/1.png', '1', 'down']]);
    expect(stderr).toContain('"nothing.png" is left out: the file is empty');
    expect(stderr).toContain('"gone.png" is left out: it does not exist');
    expect(status).toBe(2);
  });

  test('compress leaves a plan that a fresh process classifies with, and a report', () => {
    const recipe = {
      training: { batchSize: 8, learningRate: 3e-3 },
      distill: {},
      steps: [{ do: 'prune', sparsity: 0.75, pattern: 'block4', epochs: 6 }, { do: 'quantize' }],
    };
    writeFileSync(path('recipe.json'), JSON.stringify(recipe));
    const { status, stdout } = gossamer(
      'compress',
      'm.safetensors',
      '--recipe',
      'recipe.json',
      '--data',
      'stripes',
      '-o',
      'small',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/test accuracy \(%\) +\d+\.\d\d +\d+\.\d\d/);
    expect(stdout).toContain('pruned 5 layers to 75 % zeros, block4, uniform');
    const report = JSON.parse(readFileSync(path('small', 'report.json'), 'utf8'));
    expect(report.after.accuracy).toBeGreaterThan(0.9);
    expect(report.after.nonZeros).toBeLessThan(0.6 * report.before.nonZeros);
    for (const file of ['small/model.plan', 'small/model.safetensors']) {
      const { rows } = readCsv(gossamer('classify', file, 'stripes/across/3.png', 'stripes/down/3.png').stdout);
      expect(rows.map((row) => row[2])).toEqual(['across', 'down']);
    }
    expect(existsSync(path('small', 'model.onnx'))).toBe(true);
    expect(gossamer('info', 'small/model.plan').stdout).toMatch(
      /^Image classifier: mobilenet-v1-nano, a compiled plan/,
    );
    const { accuracy } = report.after;
    expect(gossamer('info', 'small/model.safetensors').stdout).toContain(`accuracy ${(100 * accuracy).toFixed(2)} %`);
    const before = readFileSync(path('small', 'model.plan'));
    const again = gossamer('compress', 'm.safetensors', '--data', 'stripes', '-o', 'small');
    expect(again.status).toBe(2);
    expect(again.stderr).toContain('holds a result already');
    expect(readFileSync(path('small', 'model.plan'))).toEqual(before);
  }, 60_000);

  test('groups of channels: an estimate before any training, then files that answer alike', () => {
    const prune = { do: 'prune', sparsity: 0.5, pattern: 'block4', rearrange: true, layers: 'convolutions' };
    const recipe = { training: { batchSize: 8 }, steps: [{ ...prune, schedule: 'one-shot', epochs: 2 }] };
    writeFileSync(path('groups.json'), JSON.stringify(recipe));
    const shared = ['compress', 'm.safetensors', '--data', 'stripes', '--recipe', 'groups.json', '-o', 'groups'];
    const estimate = gossamer(...shared, '--estimate', '--json');
    expect(estimate.status).toBe(0);
    const { layers: estimated, dense, sparse } = JSON.parse(estimate.stdout);
    expect(sparse).toBeLessThanOrEqual(dense);
    const zeros = (all: readonly { layer: string; zeros: number }[]) =>
      all.filter((layer) => layer.zeros > 0).map(({ layer, zeros: share }) => [layer, share]);
    expect(existsSync(path('groups'))).toBe(false);
    const { status, stdout } = gossamer(...shared);
    expect(status).toBe(0);
    expect(stdout).toMatch(/rearranged the channels of \d classes of layers: masks keep \d/);
    const report = JSON.parse(readFileSync(path('groups', 'report.json'), 'utf8'));
    expect(report.zeros.sparseLayers).toBeCloseTo(0.5, 1);
    expect(report.zeros.network).toBeLessThan(0.5);
    expect(zeros(report.layers)).toEqual(zeros(estimated));
    const answers = ['plan', 'safetensors'].map((kind) =>
      readCsv(
        gossamer('classify', `groups/model.${kind}`, 'stripes/across/3.png', 'stripes/down/3.png').stdout,
      ).rows.map((row) => [row[2], Number(row[3]).toFixed(2)]),
    );
    expect(answers[0]).toEqual(answers[1]);
    writeFileSync(path('groups.json'), JSON.stringify({ steps: [{ do: 'train', epochs: 1 }] }));
    expect(gossamer(...shared, '--estimate')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--estimate needs a recipe with a prune step'),
    });
  }, 60_000);

  test('--method sparse prunes pointwise layers to the share asked for, and says of each layer why', () => {
    const shared = ['compress', 'm.safetensors', '--data', 'stripes', '--method', 'sparse'];
    const { status, stdout } = gossamer(...shared, '--sparsity', '0.9', '--finetune', '40', '-o', 'sparse');
    expect(status).toBe(0);
    expect(stdout).toContain('pruned 5 layers to 90 % zeros, unstructured, uniform');
    expect(stdout).toMatch(/features\.1\.0 +0 % +dense +depthwise/);
    expect(stdout).toMatch(/features\.0\.0 +0 % +dense +3×3, not pointwise/);
    const { layers, after, recipe } = JSON.parse(readFileSync(path('sparse', 'report.json'), 'utf8'));
    expect(recipe.steps).toEqual([{ do: 'prune', sparsity: 0.9, layers: 'pointwise', epochs: 40 }]);
    const pruned = layers.filter(({ layer }: { layer: string }) => /^features\.[1-5]\.3$/.test(layer));
    expect(pruned.length).toBe(5);
    for (const { zeros, kernel, reason, milliseconds } of pruned) {
      expect(zeros).toBeCloseTo(0.9, 2);
      expect(kernel).toBe(milliseconds.sparse < milliseconds.dense ? 'sparse' : 'dense');
      expect(reason).toMatch(/times as fast/);
    }
    expect(after.accuracy).toBeGreaterThan(0.9);
    const { rows } = readCsv(
      gossamer('classify', 'sparse/model.plan', 'stripes/across/3.png', 'stripes/down/3.png').stdout,
    );
    expect(rows.map((row) => row[2])).toEqual(['across', 'down']);
    for (const [flags, message] of [
      [['--sparsity', '1'], '--sparsity must be below 1, got 1'],
      [['--recipe', 'recipe.json'], '--recipe holds all steps; leave out --method'],
    ] as const) {
      const wrong = gossamer(...shared, ...flags, '-o', 'none');
      expect(wrong.stderr).toContain(message);
      expect(wrong.status).toBe(2);
    }
  }, 60_000);

  test('IDX files train as well, and another set of classes is an error for compress', () => {
    const random = new Random(3);
    mkdirSync(path('idx'));
    for (const [part, count] of [
      ['train', 40],
      ['t10k', 10],
    ] as const) {
      const images = Array.from({ length: count }, (_, i) => Array.from(stripes(i % 2 === 1, random))).flat();
      writeFileSync(
        path('idx', `${part}-images-idx3-ubyte`),
        writeIdx({ shape: [count, SIZE, SIZE], values: Uint8Array.from(images) }),
      );
      writeFileSync(
        path('idx', `${part}-labels-idx1-ubyte`),
        writeIdx({ shape: [count], values: Uint8Array.from({ length: count }, (_, i) => i % 2) }),
      );
    }
    const { status, stdout } = gossamer('train', 'idx', ...training, '--epochs', '1', '-o', 'i.safetensors');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^i\.safetensors: test accuracy \d+\.\d\d %$/m);
    const wrong = gossamer('compress', 'm.safetensors', '--data', 'idx', '-o', 'other');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('"idx" has the classes 0, 1, the model knows across, down');
    expect(existsSync(path('other'))).toBe(false);
  }, 30_000);

  test('mistakes end with code 2, one line, and no file', async () => {
    await writeClasses('bad', 4);
    mkdirSync(path('bad', 'empty'));
    const fails = (message: string, ...args: string[]) => {
      const { status, stderr } = gossamer(...args, '-o', 'none.safetensors');
      expect(stderr).toContain(message);
      expect(status).toBe(2);
      expect(existsSync(path('none.safetensors'))).toBe(false);
    };
    fails('class folder "bad/empty" holds no pictures', 'train', 'bad');
    rmSync(path('bad', 'empty'), { recursive: true });
    writeFileSync(path('bad', 'across', 'x.png'), 'no picture');
    fails('picture "bad/across/x.png" cannot be read', 'train', 'bad', '--strict');
    fails('expected a share of at least 0 and below 1', 'train', 'bad', '--test-share', '1');
    fails('expected a number of pixels, or height and width as 48x32', 'train', 'bad', '--size', '48x');
    fails('expected an integer of at least 2', 'train', 'bad', '--batch', '1');
    fails(
      'takes images that are square, their side a multiple of 16 pixels; these are 33×33',
      'train',
      'bad',
      '--model',
      'deit-tiny',
      '--size',
      '33',
    );
    fails(
      'takes images that are at least 32 pixels a side, which are multiples of 4; these are 16×16',
      'train',
      'stripes',
      '--model',
      'vanillanet-5',
    );
    fails('model "lenot" is not known; there are lenet', 'train', 'stripes', '--model', 'lenot');
    fails('"nowhere" is neither a folder nor a known image set', 'train', 'nowhere');
    fails('there is no "none.safetensors.checkpoint" to go on from', 'train', 'stripes', '--resume');
    for (const [step, message] of [
      [{ do: 'prune', sparsity: 0.5, layers: ['head'] }, 'no layer fits ["head"]; the model has features.0.0'],
      [{ do: 'prune', sparsity: 1.2 }, '"sparsity" must be a share in [0, 1), got 1.2'],
    ] as const) {
      writeFileSync(path('bad.json'), JSON.stringify({ steps: [step] }));
      fails(message, 'compress', 'm.safetensors', '--data', 'stripes', '--recipe', 'bad.json');
    }
    writeFileSync(path('x.safetensors'), 'nothing');
    expect(gossamer('classify', 'x.safetensors', 'new').status).toBe(2);
  }, 60_000);

  test('Ctrl-C leaves a checkpoint, and --resume goes on to the same model', async () => {
    const args = ['train', 'stripes', ...training, '--epochs', '40'];
    const child = spawn(process.execPath, [main, ...args, '-o', 'cut.safetensors'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (text: Buffer) => {
        if (/epoch (4|8)\/40/.test(text.toString())) {
          child.kill('SIGINT');
          resolve();
        }
      });
      child.on('exit', () => resolve());
    });
    const code = await new Promise((resolve) =>
      child.exitCode === null ? child.on('exit', resolve) : resolve(child.exitCode),
    );
    expect(code).toBe(130);
    expect(existsSync(path('cut.safetensors'))).toBe(false);
    expect(gossamer(...args, '--resume', '-o', 'cut.safetensors').status).toBe(0);
    expect(existsSync(path('cut.safetensors.checkpoint'))).toBe(false);
    expect(gossamer(...args, '-o', 'whole.safetensors').status).toBe(0);
    expect(readFileSync(path('cut.safetensors'))).toEqual(readFileSync(path('whole.safetensors')));
  }, 90_000);

  test('the code of docs/images.md runs, and what it compresses still works', () => {
    const { status, stdout, stderr } = runDocument('images.md');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+ → \d+ bytes, accuracy 0\.\d+ → 0\.\d+/);
    expect(stdout).toContain('features.1.0 0.00 dense depthwise');
  }, 60_000);
});
