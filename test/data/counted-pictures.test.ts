import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  decodePicture,
  heatColour,
  heatMap,
  heatOverlay,
  type Picture,
  pictureGrid,
  pixelStatistics,
  placesOf,
  writePng,
} from '../../src/data/index.js';
import { readCountedPictures } from '../../src/data/node.js';
import { uniform } from '../oracle.js';

const noise = (height: number, width: number): Picture => ({
  ...{ height, width },
  pixels: Uint8Array.from(uniform(1, 3 * height * width, 0, 256)),
});

describe('PNG', () => {
  test.each([
    [1, 1],
    [7, 5],
    [64, 33],
  ])('of %i×%i pixels are read as they were written, by other programs too', async (height, width) => {
    const picture = noise(height, width);
    const { data, info } = await sharp(writePng(picture)).raw().toBuffer({ resolveWithObject: true });
    expect([info.height, info.width, info.channels]).toEqual([height, width, 3]);
    expect([...data]).toEqual([...picture.pixels]);
    expect([...(await decodePicture(writePng(picture))).pixels]).toEqual([...picture.pixels]);
  });

  test('need as many bytes as pixels', () => {
    expect(() => writePng({ height: 2, width: 2, pixels: new Uint8Array(5) })).toThrow('5 bytes are not 2×2 pixels');
  });
});

describe('maps', () => {
  const at = ({ pixels, width }: Picture, y: number, x: number) => [
    ...pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
  ];

  test('go from violet to yellow, each number a square, relative to the largest', () => {
    expect([heatColour(0), heatColour(1), heatColour(-3), heatColour(0.5)]).toEqual([
      [68, 1, 84],
      [253, 231, 37],
      [68, 1, 84],
      [33, 145, 140],
    ]);
    const map = heatMap({ rows: 2, columns: 3, values: [0, 1, 2, 4, 0, 0] }, 9);
    expect([map.height, map.width]).toEqual([6, 9]);
    expect([at(map, 0, 0), at(map, 2, 8), at(map, 3, 0), at(map, 5, 8)]).toEqual([
      [68, 1, 84],
      [33, 145, 140],
      [253, 231, 37],
      [68, 1, 84],
    ]);
    expect(at(heatMap({ rows: 1, columns: 1, values: [0] }, 1), 0, 0)).toEqual([68, 1, 84]);
  });

  test('lie over a picture in grey, which stays as it is where they are 0', () => {
    const picture = { height: 2, width: 4, pixels: Uint8Array.from({ length: 24 }, (_, i) => 10 * (i % 3) + 50) };
    const over = heatOverlay(picture, { rows: 1, columns: 2, values: [0, 3] });
    const grey = Math.round(0.299 * 50 + 0.587 * 60 + 0.114 * 70);
    expect([at(over, 0, 0), at(over, 1, 1)]).toEqual([
      [grey, grey, grey],
      [grey, grey, grey],
    ]);
    expect(at(over, 0, 2)).toEqual(
      [253, 231, 37].map((colour) => Math.round(0.75 * colour + 0.25 * (0.299 * 50 + 0.587 * 60 + 0.114 * 70))),
    );
  });

  test('stand in a grid on white', () => {
    const grid = pictureGrid([noise(2, 3), noise(1, 1), noise(2, 3)], 2, 1);
    expect([grid.height, grid.width]).toEqual([5, 7]);
    expect(at(grid, 0, 0)).toEqual(at(noise(2, 3), 0, 0));
    expect(at(grid, 4, 2)).toEqual(at(noise(2, 3), 1, 2));
    for (const [y, x] of [
      [2, 0],
      [0, 3],
      [1, 4],
      [3, 6],
    ] as const)
      expect(at(grid, y, x)).toEqual([255, 255, 255]);
  });
});

describe('places', () => {
  test('are read by picture, an empty line saying that there is none', () => {
    const places = placesOf('picture,x,y\na.png,1,2\nb.png,,\na.png,3.5,0\n', 'points.csv');
    expect([...places]).toEqual([
      [
        'a.png',
        {
          line: 2,
          points: [
            [1, 2],
            [3.5, 0],
          ],
        },
      ],
      ['b.png', { line: 3, points: [] }],
    ]);
    expect(placesOf('Y,X,Picture\n2,1,a\n', 'p').get('a')?.points).toEqual([[1, 2]]);
  });

  test.each([
    ['picture,x\na,1\n', '"p" has no column "y"; its header is picture,x,y, not picture,x'],
    ['picture,x,y\na,1,two\n', '"p", line 2: x "1" and y "two" are no place in pixels'],
    ['picture,x,y\na,1,2\na,-1,2\n', '"p", line 3: x "-1"'],
    ['picture,x,y\na,1,\n', '"p", line 2: x "1" and y ""'],
    ['picture,x,y\na,1,1e400\n', 'line 2'],
    ['picture,x,y\n,1,2\n', '"p", line 2: no picture is named'],
  ])('%j: %s', (text, message) => {
    expect(() => placesOf(text, 'p')).toThrow(message);
  });
});

describe('a folder of pictures with points.csv', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gossamer-counted-'));
  const reading = { channels: 1, scale: 1, background: 'white' } as const;
  const points = (text: string) => writeFileSync(join(folder, 'points.csv'), text);
  const good = 'picture,x,y\na.png,1,2\nin/b.png,,\na.png,6,4\n';

  beforeAll(async () => {
    mkdirSync(join(folder, 'in'));
    writeFileSync(join(folder, 'a.png'), writePng(noise(4, 6)));
    writeFileSync(join(folder, 'in', 'b.png'), writePng({ height: 2, width: 2, pixels: new Uint8Array(12).fill(51) }));
    await sharp(new Uint8Array(48).fill(9), { raw: { width: 4, height: 4, channels: 3 } })
      .jpeg()
      .toFile(join(folder, 'c.jpg'));
  });

  test('is read with places and statistics; what is not named is noted', async () => {
    points(good);
    const notes: string[] = [];
    const data = await readCountedPictures(folder, { ...reading, onNote: (text) => notes.push(text) });
    const sizes = data.pictures.map(({ name, height, width, points: own }) => [name, height, width, ...own]);
    expect(sizes).toEqual([
      ['a.png', 4, 6, 1, 2, 6, 4],
      ['in/b.png', 2, 2],
    ]);
    expect(notes).toEqual([
      expect.stringContaining('points name no places in c.jpg: left out; a line with empty x and y'),
    ]);
    const all = data.pictures.flatMap(({ planes }) => [...planes]).map((value) => value / 255);
    const mean = all.reduce((a, b) => a + b) / all.length;
    expect(data.mean[0]).toBeCloseTo(mean, 10);
    expect(data.deviation[0]).toBeCloseTo(Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length), 10);
    expect(pixelStatistics([{ height: 1, width: 2, planes: Uint8Array.of(51, 51) }], 1)).toEqual({
      mean: [0.2],
      deviation: [1],
    });
  });

  test('is scaled with its places, and read in colour', async () => {
    points(good);
    const data = await readCountedPictures(folder, { ...reading, channels: 3, scale: 2 });
    const [first] = data.pictures;
    expect([first?.height, first?.width, first?.planes.length]).toEqual([8, 12, 3 * 96]);
    expect([...(first?.points ?? [])]).toEqual([2, 4, 12, 8]);
    expect(data.mean).toHaveLength(3);
  });

  test.each([
    ['picture,x,y\nnone.png,1,2\n', 'line 2: there is no picture'],
    ['picture,x,y\na.png,7.5,2\n', 'x 7.5 and y 2 lie outside of "a.png", which is 6 pixels wide and 4 high'],
    ['picture,x,y\n', 'has a header and no places'],
  ])('refuses %j', async (text, message) => {
    points(text);
    await expect(readCountedPictures(folder, reading)).rejects.toThrow(message);
  });

  test('names a picture that cannot be read, or is too large, and a folder without the table', async () => {
    writeFileSync(join(folder, 'bad.png'), 'no picture');
    points('picture,x,y\nbad.png,,\n');
    await expect(readCountedPictures(folder, reading)).rejects.toThrow(
      /picture ".*bad\.png" cannot be read: the bytes are no readable picture/,
    );
    points(good);
    await expect(readCountedPictures(folder, { ...reading, maxPixels: 10 })).rejects.toThrow('maxPixels allows more');
    await expect(readCountedPictures(join(folder, 'in'), reading)).rejects.toThrow(
      'holds no points.csv with the columns picture, x and y',
    );
  });
});
