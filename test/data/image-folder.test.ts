import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type LabelledImages, writeIdx } from '../../src/data/index.js';
import {
  filesBelow,
  type ImageFolderOptions,
  pictureProfileLines,
  profilePictures,
  readImages,
} from '../../src/data/node.js';

const root = mkdtempSync(join(tmpdir(), 'gossamer-folders-'));
let made = 0;

type Rgba = readonly [number, number, number] | readonly [number, number, number, number];

/** A picture of one colour. */
function picture(colour: Rgba, size = 4): Promise<Buffer> {
  const channels = colour.length as 3 | 4;
  const pixels = Uint8Array.from({ length: size * size * channels }, (_, i) => colour[i % channels] as number);
  return sharp(pixels, { raw: { width: size, height: size, channels } })
    .png()
    .toBuffer();
}

/** A folder with files of these contents; a path that ends in / is an empty folder. */
async function folder(files: Readonly<Record<string, string | Rgba | Uint8Array>>): Promise<string> {
  const path = join(root, String(made++));
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, name);
    mkdirSync(name.endsWith('/') ? file : dirname(file), { recursive: true });
    if (name.endsWith('/')) continue;
    writeFileSync(file, Array.isArray(content) ? await picture(content as unknown as Rgba) : (content as Uint8Array));
  }
  return path;
}

/** Reads with notes and unusable pictures kept; file names without their folder. */
async function read(path: string, options: ImageFolderOptions = {}) {
  const [notes, unusable]: [string[], string[]] = [[], []];
  const data = await readImages(path, {
    onNote: (text) => notes.push(text.replaceAll(`${path}/`, '').replaceAll(path, '.')),
    onUnusable: (file, reason) => unusable.push(`${file.replace(`${path}/`, '')}: ${reason}`),
    ...options,
  });
  return { data, notes, unusable };
}

const red = [200, 0, 0] as const;
const blue = [0, 0, 200] as const;
const grey = [90, 90, 90] as const;

/** So many pictures of two classes. */
const classes = (each: number, others: Record<string, string | Rgba> = {}) =>
  folder({
    ...Object.fromEntries(
      Array.from({ length: each }, (_, i) => [
        [`a/${i}.png`, [i, 100, 0] as Rgba],
        [`b/${i}.png`, [i, 0, 100] as Rgba],
      ]).flat() as [string, Rgba][],
    ),
    ...others,
  });

describe('the files of a folder', () => {
  test('pictures are told by content as well as by name, and hidden files are not seen', async () => {
    const path = await folder({
      'a.PNG': red,
      'b.JPG': red,
      'c.txt': red,
      noEnding: red,
      'with space é.png': red,
      'notes.txt': 'text',
      'broken.jpeg': 'text',
      '.DS_Store': 'x',
      '._a.png': 'x',
      'Thumbs.db': 'x',
      '__MACOSX/a.png': 'x',
      '.hidden/a.png': red,
      'deep/er/d.gif': red,
      'empty/': '',
    });
    symlinkSync('..', join(path, 'deep/back'));
    symlinkSync('nowhere', join(path, 'dangling.txt'));
    const names = (files: readonly string[]) => files.map((file) => file.slice(path.length + 1));
    const { pictures, others } = filesBelow(path);
    expect(names(pictures).sort()).toEqual(
      ['a.PNG', 'b.JPG', 'broken.jpeg', 'c.txt', 'deep/er/d.gif', 'noEnding', 'with space é.png'].sort(),
    );
    expect(names(others)).toEqual(['dangling.txt', 'notes.txt']);
    expect(names(filesBelow(path, false).pictures)).not.toContain('deep/er/d.gif');
  });
});

describe('a folder of classes', () => {
  test('unusable pictures are reported and left out, or the first is an error', async () => {
    const path = await classes(4, {
      'a/cut.png': '\x89PNG\r\n\x1a\n',
      'b/empty.jpg': '',
      'b/text.webp': 'text',
      'b/read.me': 'x',
    });
    const { data, unusable, notes } = await read(path, { testShare: 0.25 });
    expect([data.train.count, data.test.count]).toEqual([6, 2]);
    expect(unusable).toHaveLength(3);
    expect(unusable[0]).toMatch(/^a\/cut.png: the bytes are no readable picture/);
    expect(unusable[1]).toBe('b/empty.jpg: the file is empty');
    expect(unusable[2]).toMatch(/^b\/text.webp: .*none of JPEG/);
    expect(notes).toEqual(['1 file (b/read.me) is no pictures by content or name, left out']);
    await expect(readImages(path)).rejects.toThrow('cut.png" cannot be read');
    await expect(readImages(path, { maxPixels: 15 })).rejects.toThrow('more than 15 pixels');
  });

  test('an unusable picture does not change how the others are split', async () => {
    const [clean, spoilt] = [await classes(10), await classes(10, { 'a/0a.png': 'text' })];
    const [one, other] = [await read(clean), await read(spoilt)];
    const below = ({ files = [], ...images }: LabelledImages, path: string) => ({
      ...images,
      files: files.map((file) => file.replace(path, '')),
    });
    for (const part of ['train', 'test'] as const)
      expect(below(other.data[part], spoilt)).toEqual(below(one.data[part], clean));
  });

  test('grey pictures among coloured ones become RGB; all grey ones stay grey', async () => {
    const mixed = await folder({ 'a/0.png': grey, 'b/0.png': red });
    const { data } = await read(mixed, { testShare: 0 });
    expect([data.train.channels, data.train.count]).toEqual([3, 2]);
    const plane = (value: number) => new Array<number>(16).fill(value);
    expect([...data.train.pixels]).toEqual([
      ...plane(90),
      ...plane(90),
      ...plane(90),
      ...plane(200),
      ...plane(0),
      ...plane(0),
    ]);
    const allGrey = await folder({ 'a/0.png': grey, 'b/0.png': [7, 7, 7] });
    expect((await read(allGrey)).data.train.channels).toBe(1);
    expect((await read(allGrey, { channels: 3 })).data.train.channels).toBe(3);
    // Rec. 601: 0.299 · 200 = 59.8
    expect([...(await read(mixed, { channels: 1, testShare: 0 })).data.train.pixels]).toEqual([
      ...plane(90),
      ...plane(60),
    ]);
  });

  test('the background is that of transparent pixels, and travels', async () => {
    const path = await folder({ 'a/0.png': [0, 0, 0, 0], 'b/0.png': [9, 9, 9, 255] });
    for (const [background, value] of [
      ['white', 255],
      ['black', 0],
    ] as const) {
      const { data } = await read(path, { background, testShare: 0 });
      expect(data.background).toBe(background);
      expect(data.train.pixels[0]).toBe(value);
    }
    expect((await read(path)).data.background).toBe('white');
  });

  test('pictures lie at any depth, and test folders under several names', async () => {
    const { data, notes } = await read(
      await folder({
        'Train/a/2023/may/0.png': red,
        'Train/a/1.png': red,
        'Train/b/0.png': blue,
        'Val/a/0.png': red,
        'extra/a/0.png': red,
        'loose.png': red,
      }),
    );
    expect([data.classes, data.train.count, data.test.count]).toEqual([['a', 'b'], 3, 1]);
    expect(notes).toEqual([
      '".": Train and Val are read, not extra',
      '"Val" has no folder of b, which no picture tests',
    ]);
    await expect(
      read(await folder({ 'train/a/0.png': red, 'train/b/0.png': red, 'test/c/0.png': red })),
    ).rejects.toThrow('holds classes that training lacks: c');
  });

  test('test pictures lie in a folder of their own, and files tell where each came from', async () => {
    const path = await classes(3);
    const held = await folder({ 'a/x.png': red, 'b/y.png': blue });
    const { data } = await read(path, { test: held });
    expect([data.train.count, data.test.count]).toEqual([6, 2]);
    expect([...data.test.labels]).toEqual([0, 1]);
    expect(data.test.files).toEqual([join(held, 'a/x.png'), join(held, 'b/y.png')]);
    expect(data.train.files?.length).toBe(6);
    for (const [i, file] of (data.train.files ?? []).entries())
      expect(file.startsWith(join(path, data.classes[data.train.labels[i] as number] as string))).toBe(true);
    const one = await folder({ 'a/x.png': red });
    expect((await read(path, { test: one })).notes).toEqual([`"${one}" has no folder of b, which no picture tests`]);
    const other = await folder({ 'c/x.png': red });
    await expect(readImages(path, { test: other })).rejects.toThrow('holds classes that training lacks: c');
    await expect(readImages(path, { test: join(path, 'a', '0.png') })).rejects.toThrow('is no folder');
    await expect(readImages(path, { test: await folder({ 'x.png': red }) })).rejects.toThrow('no folder of a class');
    const parts = await folder({ 'train/a/0.png': red, 'train/b/0.png': blue, 'test/a/1.png': red });
    await expect(readImages(parts, { test: held })).rejects.toThrow('has a folder test of its own');
    await expect(readImages('fashion-mnist', { test: held })).rejects.toThrow('has test images of its own');
  });

  test('class names are the same in composed and decomposed Unicode', async () => {
    const path = await folder({
      ['train/café/0.png'.normalize('NFD')]: red,
      'train/b/0.png': blue,
      ['test/café/0.png'.normalize('NFC')]: red,
    });
    expect((await read(path)).data.classes).toEqual(['b', 'café'.normalize('NFC')]);
  });

  test('what a folder lacks is said', async () => {
    await expect(read(await folder({ 'a/0.png': red, 'b/': '' }))).rejects.toThrow(
      '/b" holds no pictures; put some there, or remove the folder',
    );
    await expect(read(await folder({ 'a/0.png': red, 'b/0.png': 'text', 'b/1.png': '' }))).rejects.toThrow(
      '/b" holds no picture that can be used (2 left out)',
    );
    await expect(read(await folder({ 'set/a/0.png': red, 'set/b/0.png': red }))).rejects.toThrow(
      /it holds 1; if the classes are in ".*\/set", give that/,
    );
    const { notes } = await read(await classes(2, { 'x.png': red, '.DS_Store': 'x' }));
    expect(notes).toEqual(['".": 1 file (x.png) is in no folder of a class, left out']);
  });

  test('a size of height and width scales to both; without one, sizes must agree', async () => {
    const path = await folder({ 'a/0.png': await picture(red, 8), 'b/0.png': blue });
    await expect(read(path)).rejects.toThrow('is 4×4, others are 8×8; give a size to scale all to');
    const { train } = (await read(path, { size: [6, 10] })).data;
    expect([train.height, train.width, train.pixels.length]).toEqual([6, 10, train.count * 3 * 60]);
  });
});

describe('the share for testing', () => {
  test('must be at least 0 and below 1', async () => {
    const path = await classes(2);
    for (const testShare of [-0.1, 1, 1.5, Number.NaN])
      await expect(read(path, { testShare })).rejects.toThrow('must be at least 0 and below 1, got');
  });

  test.each([
    [10, 0.1, 18, 2],
    [10, 0, 20, 0],
    [3, 0.01, 4, 2],
    [5, 0.9, 2, 8],
    [2, 0.99, 2, 2],
    [1, 0.5, 2, 0],
  ])('of %i pictures a class and a share of %f, %i train and %i test', async (each, testShare, train, held) => {
    const { data, notes } = await read(await classes(each), { testShare });
    expect([data.train.count, data.test.count]).toEqual([train, held]);
    expect(new Set(data.train.labels)).toEqual(new Set([0, 1]));
    expect(notes).toEqual(each > 1 ? [] : ['the one picture of a, b is for training; no picture tests that']);
  });
});

describe('the profile of a folder', () => {
  test('counts what training would use, by class and part', async () => {
    const large = await sharp(
      new Uint8Array(3 * 600 * 500).map((_, i) => (i % 3) * 90),
      {
        raw: { width: 500, height: 600, channels: 3 },
      },
    )
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const path = await folder({
      'train/a/0.png': grey,
      'train/a/1.png': [0, 0, 0, 128],
      'train/b/0.jpg': large,
      'train/b/1.png': 'text',
      'train/b/2.png': large.subarray(0, 400),
      'test/a/0.png': blue,
      'test/b/0.png': '',
    });
    const profile = await profilePictures(path);
    expect(profile.classes).toEqual([
      { name: 'a', train: 2, test: 1, unusable: 0 },
      { name: 'b', train: 1, test: 0, unusable: 3 },
    ]);
    // Of orientation 6 the stored columns are the rows.
    expect([...profile.sizes]).toEqual([
      ['4×4', 3],
      ['500×600', 1],
    ]);
    expect([...profile.formats]).toEqual([
      ['png', 3],
      ['jpeg', 1],
    ]);
    expect([profile.usable, profile.grey, profile.transparent, profile.split]).toEqual([4, 2, 1, true]);
    expect(profile.unusable.map(([file]) => file.slice(path.length + 1))).toEqual([
      'train/b/1.png',
      'train/b/2.png',
      'test/b/0.png',
    ]);
    const { data, unusable } = await read(path, { size: 4 });
    expect([data.train.count, data.test.count, unusable.length]).toEqual([3, 1, 3]);
    const limited = await profilePictures(path, { maxPixels: 1000 });
    expect([limited.usable, limited.unusable.length]).toEqual([3, 4]);
  });

  test('a folder without classes is counted, with the reason why it cannot be trained on', async () => {
    const path = await folder({ '0.png': red, 'one/1.png': grey });
    const lines = pictureProfileLines(await profilePictures(path));
    expect(lines[0]).toBe('2 pictures, 0 classes; all can be used');
    expect(lines.at(-1)).toMatch(/^note {8}no classes: .* at least two classes; it holds 1$/);
    await expect(profilePictures(await folder({ 'notes.txt': 'text' }))).rejects.toThrow('holds no pictures');
  });

  test('images in IDX files are counted by class', async () => {
    const part = (name: string, labels: number[]) => ({
      [`${name}-images-idx3-ubyte`]: writeIdx({
        shape: [labels.length, 4, 4],
        values: new Uint8Array(16 * labels.length),
      }),
      [`${name}-labels-idx1-ubyte`]: writeIdx({ shape: [labels.length], values: Uint8Array.from(labels) }),
    });
    const { classes: counts, sizes } = await profilePictures(
      await folder({ ...part('train', [0, 1, 1]), ...part('t10k', [1]) }),
    );
    expect(counts.map(({ train, test: held }) => [train, held])).toEqual([
      [1, 0],
      [2, 1],
    ]);
    expect([...sizes]).toEqual([['4×4', 4]]);
  });
});

test('IDX files must hold bytes, and images of one size', async () => {
  const part = (name: string, size: number) => ({
    [`${name}-images-idx3-ubyte`]: writeIdx({ shape: [2, size, size], values: new Uint8Array(2 * size * size) }),
    [`${name}-labels-idx1-ubyte`]: writeIdx({ shape: [2], values: Uint8Array.of(0, 1) }),
  });
  const { data } = await read(await folder({ ...part('train', 4), ...part('t10k', 4) }));
  expect([data.classes, data.train.count]).toEqual([['0', '1'], 2]);
  await expect(read(await folder({ ...part('train', 4), ...part('t10k', 5) }))).rejects.toThrow(
    'training images are 4×4, test images 5×5',
  );
  const floats = Uint8Array.from([0, 0, 13, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 63, 0, 0, 0]);
  await expect(
    read(await folder({ ...part('train', 4), ...part('t10k', 4), 'train-images-idx3-ubyte': floats })),
  ).rejects.toThrow('holds numbers of another type than bytes');
});
