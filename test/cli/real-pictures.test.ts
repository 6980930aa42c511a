// Training on pictures as people have them, from the command line: other forms of files, classes of
// different sizes, a held-out folder, a report, and another model's backbone.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandInFolder, main } from './command.js';

const { folder, gossamer } = commandInFolder('real-pictures');
const path = (...names: string[]) => join(folder, ...names);

type Channels = 1 | 3 | 4;

/** Stripes across, or down, in noise: pixels of a height and width. */
function stripes(down: boolean, [height, width]: readonly [number, number], channels: Channels, random: Random) {
  const period = Math.max(4, Math.round(Math.min(height, width) / 4));
  return Uint8Array.from({ length: height * width * channels }, (_, at) => {
    if (channels === 4 && at % 4 === 3) return 255;
    const pixel = Math.floor(at / channels);
    const place = down ? pixel % width : Math.floor(pixel / width);
    return Math.max(0, Math.min(255, (place % period < period / 2 ? 190 : 60) + 25 * random.gaussian()));
  });
}

const raw = (pixels: Uint8Array, [height, width]: readonly [number, number], channels: Channels) =>
  sharp(pixels, { raw: { width, height, channels } });

/** The forms of files: each makes the bytes of a picture whose stripes lead down or across. */
const forms: Readonly<Record<string, (down: boolean, random: Random) => Promise<Buffer>>> = {
  'grey.png': (down, random) =>
    raw(stripes(down, [20, 24], 1, random), [20, 24], 1)
      .png()
      .toBuffer(),
  'colour.jpg': (down, random) =>
    raw(stripes(down, [33, 17], 3, random), [33, 17], 3)
      .jpeg()
      .toBuffer(),
  'clear.png': (down, random) =>
    raw(stripes(down, [16, 16], 4, random), [16, 16], 4)
      .png()
      .toBuffer(),
  'clear.webp': (down, random) =>
    raw(stripes(down, [40, 20], 4, random), [40, 20], 4)
      .webp({ lossless: true })
      .toBuffer(),
  // On its side as stored: EXIF 6 turns it by 90°, so that stored rows are columns.
  'turned.jpg': (down, random) =>
    raw(stripes(!down, [24, 36], 3, random), [24, 36], 3)
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer(),
  'print.jpg': (down, random) =>
    raw(stripes(down, [24, 24], 3, random), [24, 24], 3)
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer(),
  'moving.gif': (down, random) => frames(down, random, 'gif'),
  'moving.webp': (down, random) => frames(down, random, 'webp'),
  'deep.png': (down, random) =>
    raw(stripes(down, [18, 18], 3, random), [18, 18], 3)
      .toColourspace('rgb16')
      .png()
      .toBuffer(),
};

/** An animation whose first frame has the stripes of its class, the second those of the other. */
async function frames(down: boolean, random: Random, format: 'gif' | 'webp'): Promise<Buffer> {
  const size = [20, 20] as const;
  const pages = await Promise.all(
    [down, !down].map((own) =>
      raw(stripes(own, size, 3, random), size, 3)
        .png()
        .toBuffer(),
    ),
  );
  return sharp(pages, { join: { animated: true } })
    .toFormat(format, { loop: 0 })
    .toBuffer();
}

/** Pictures of two classes, in all forms in turn. */
async function writeClasses(name: string, counts: Readonly<Record<string, number>>, seed: number): Promise<void> {
  const random = new Random(seed);
  for (const [kind, count] of Object.entries(counts)) {
    mkdirSync(path(name, kind), { recursive: true });
    for (let i = 0; i < count; i++) {
      const [file, make] = Object.entries(forms)[i % Object.keys(forms).length] as [string, (typeof forms)[string]];
      writeFileSync(path(name, kind, `${i}-${file}`), await make(kind === 'down', random));
    }
  }
}

/** Pictures of three other classes, grey. */
async function writeOthers(): Promise<void> {
  mkdirSync(path('others'), { recursive: true });
  const random = new Random(5);
  for (const [name, down] of [
    ['rows', false],
    ['columns', true],
    ['dark', undefined],
  ] as const) {
    mkdirSync(path('others', name));
    for (let i = 0; i < 6; i++) {
      const pixels = down === undefined ? new Uint8Array(16 * 16).fill(20 + i) : stripes(down, [16, 16], 1, random);
      writeFileSync(path('others', name, `${i}.png`), await raw(pixels, [16, 16], 1).png().toBuffer());
    }
  }
}

const common = ['--model', 'mobilenet-v1-nano', '--batch', '6', '--threads', '1'];

describe.skipIf(!existsSync(main))('pictures as people have them (needs a build)', () => {
  beforeAll(async () => {
    await writeClasses('photos', { across: 40, down: 12 }, 1);
    await writeClasses('held', { across: 9, down: 9 }, 2);
    await writeOthers();
    const half = await (forms['colour.jpg'] as (typeof forms)[string])(true, new Random(3));
    writeFileSync(path('photos', 'down', 'half.jpg'), half.subarray(0, Math.floor(half.length / 2)));
    const args = ['--size', '16', '--test', 'held', '--class-weights', 'balanced', '--epochs', '8'];
    const { status, stdout, stderr } = gossamer(
      'train',
      'photos',
      ...common,
      ...args,
      '--report',
      'r.html',
      '-o',
      'm.safetensors',
    );
    expect(stderr).toContain('note: 1 picture left out, as unusable');
    expect(stderr).toMatch(/photos\/down\/half\.jpg: the bytes are no readable picture/);
    expect(stderr).toContain('52 training and 18 test images of 3×16×16, 2 classes');
    expect(stderr).not.toContain('classes differ in size');
    expect(stdout).toMatch(/^m\.safetensors: test accuracy \d+\.\d\d %\n/);
    expect(status).toBe(0);
  }, 240_000);

  test('every form is read upright, in its first frame and on the background: classes are told', () => {
    const { stdout, status } = gossamer('classify', 'm.safetensors', 'held');
    const rows = stdout.trim().split('\n').slice(1);
    expect(rows.length).toBe(18);
    const right = rows.filter((row) => row.split(',')[2] === (row.startsWith('held/down') ? 'down' : 'across'));
    expect(right.length).toBeGreaterThanOrEqual(16);
    expect(status).toBe(0);
    const cut = gossamer('classify', 'm.safetensors', join('photos', 'down', 'half.jpg'));
    expect(cut.stderr).toContain('half.jpg" is left out: the bytes are no readable picture');
    expect(cut.status).toBe(2);
  });

  test('the report opens by itself, with classes, confusions and mistakes', () => {
    const page = readFileSync(path('r.html'), 'utf8');
    expect(page).toContain('<td>across</td><td>40</td><td>9</td>');
    expect(page).toContain('<td>down</td><td>12</td><td>9</td>');
    expect(page).not.toMatch(/<(script|link)|src="(?!data:)/);
    const { stdout } = gossamer(
      'fit',
      'photos',
      '--model',
      'lenet',
      '--size',
      '16',
      '--test',
      'held',
      '--set',
      'epochs=1',
      '--set',
      'learningRate=1e-9',
      '--report',
      'bad.html',
      '-o',
      'bad.safetensors',
    );
    // Hardly trained: one class is taken for the other, which the table and the page show.
    expect(stdout).toMatch(/taken for +a +b\n[─ ]+\na across +\S+ +\S+\nb down +\S+ +\S+\n/);
    const bad = readFileSync(path('bad.html'), 'utf8');
    expect(bad.match(/<img [^>]*src="data:image\/png;base64,/g)?.length).toBeGreaterThan(0);
    expect(bad).toMatch(/(across, taken for down|down, taken for across) \(\d+ %\)<br><span class="note">held\//);
  }, 240_000);

  test('classes that differ are noted, and weighed where it is asked for', () => {
    const args = ['photos', ...common, '--size', '16', '--epochs', '1'];
    const plain = gossamer('train', ...args, '-o', 'p.safetensors');
    expect(plain.stderr).toContain('classes differ in size: 11 pictures of down, 36 of across');
    expect(plain.stdout).toMatch(/test accuracy \d+\.\d\d %, balanced accuracy \d+\.\d\d %/);
    const weighed = gossamer(
      'fit',
      'photos',
      '--model',
      'mobilenet-v1-nano',
      '--threads',
      '1',
      '--size',
      '16',
      ...['epochs=1', 'batch=6', 'classWeights=balanced'].flatMap((set) => ['--set', set]),
      '-o',
      'w.safetensors',
    );
    expect(weighed.status).toBe(0);
    expect(readFileSync(path('w.safetensors'))).not.toEqual(readFileSync(path('p.safetensors')));
  }, 240_000);

  test('--from takes a backbone to other classes; --freeze leaves it bit for bit', () => {
    const args = ['others', '--from', 'm.safetensors', '--freeze', '--batch', '6', '--epochs', '3', '--threads', '1'];
    const { status, stderr } = gossamer('train', ...args, '-o', 'o.safetensors');
    expect(stderr).toMatch(
      /note: \d+ weights of "m\.safetensors"; the head \(2\) begins anew; the head alone is trained/,
    );
    expect(stderr).toContain('images of 3×16×16, 3 classes');
    expect(status).toBe(0);
    const [before, after] = ['m.safetensors', 'o.safetensors'].map(
      (file) => readSafetensors(readFileSync(path(file))).tensors,
    );
    const names = Object.keys(before ?? {});
    const same = names.filter((name) => before?.[name]?.dataSync().join() === after?.[name]?.dataSync().join());
    expect(names.filter((name) => !same.includes(name))).toEqual(
      names.filter((name) => name.startsWith('classifier.')),
    );
    expect(gossamer('info', 'o.safetensors').stdout).toContain('Classes      3: columns, dark, rows');
    const normalised = (file: string) => /with mean .*/.exec(gossamer('info', file).stdout)?.[0];
    expect(normalised('o.safetensors')).toBe(normalised('m.safetensors'));
    // The same by fit, and with all weights trained.
    const fitted = gossamer(
      'fit',
      'others',
      '--from',
      'm.safetensors',
      '--freeze',
      '--threads',
      '1',
      ...['batch=6', 'epochs=3'].flatMap((set) => ['--set', set]),
      '-o',
      'f.safetensors',
    );
    expect(fitted.status).toBe(0);
    expect(readFileSync(path('f.safetensors'))).toEqual(readFileSync(path('o.safetensors')));
  }, 240_000);

  test('what does not fit is refused in one line, and leaves no file', () => {
    for (const [args, message] of [
      [['photos', '--freeze'], '--freeze needs --from'],
      [
        ['photos', '--from', 'm.safetensors', '--model', 'resnet8'],
        'architecture mobilenet-v1-nano, the new one resnet8',
      ],
      [['photos', '--from', 'm.safetensors', '--channels', '1'], 'channels 3, the new one 1'],
      [['photos', '--from', 'gone.safetensors'], 'gone.safetensors'],
      [['photos', '--size', '16', '--test', 'others'], 'holds classes that training lacks: columns, dark, rows'],
      [['photos', '--size', '16', '--test', 'nowhere'], '"nowhere" is no folder'],
      [['photos', '--size', '16', '--test-share', '0', '--report', 'x.html'], '--report tells of test pictures'],
    ] as const) {
      const refused = gossamer('train', ...args, '-o', 'no.safetensors');
      expect(refused.stderr).toContain(message);
      expect(refused.status).toBe(2);
      expect(existsSync(path('no.safetensors'))).toBe(false);
    }
    expect(existsSync(path('x.html'))).toBe(false);
  }, 240_000);

  test('gossamer models prints the table of image networks', () => {
    const { stdout, status } = gossamer('models', 'mobilenet-v2', 'vanillanet-13-1.5x', 'lsnet-nano');
    expect(stdout).toMatch(/^network +image +classes +parameters +multiply-adds +MiB +top-1 \(%\) +on\n/);
    expect(stdout).toMatch(/mobilenet-v2 +3×224×224 +1000 +3\.5M +300\.8M +13\.\d +72\.00 +ImageNet/);
    expect(stdout).toMatch(/vanillanet-13-1\.5x +3×224×224 +1000 +127\.8M +26\.5B +487\.\d +82\.53 +ImageNet/);
    expect(status).toBe(0);
    const rows = JSON.parse(gossamer('models', '--filter', 'vanillanet-n', '--time', '--json').stdout);
    expect(rows).toMatchObject([
      { name: 'vanillanet-nano', trained: { parameters: 30_796 }, deployed: { parameters: 23_466 } },
    ]);
    expect(rows[0].milliseconds).toBeGreaterThan(0);
    const small = gossamer('models', '--filter', 'deit', '--size', '30');
    expect(small.stderr).toContain(
      'model "deit-tiny" takes images that are square, their side a multiple of 16 pixels',
    );
    expect(small.status).toBe(2);
    expect(gossamer('models', 'lsnet-nana').stderr).toContain('closest: lsnet-nano');
    expect(gossamer('models', '--filter', 'alexnet').stderr).toContain('no network has "alexnet" in its name');
  }, 240_000);
});
