// Pictures as cameras, phones, scanners, web pages and old programs leave them, each with what must
// be read; and files that look like pictures, each refused.

import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { type Background, decodePicture, pictureFormat } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';

type Colour = readonly [red: number, green: number, blue: number];

/** Height and width of the pictures; they differ, so that exchanged axes are noticed. */
const [H, W] = [32, 48];

/** Of the quadrants: upper left, upper right, lower left, lower right. */
const quadrants = [
  [200, 40, 60],
  [30, 160, 80],
  [50, 70, 210],
  [240, 230, 90],
] as const satisfies readonly Colour[];
const greys = [20, 90, 160, 230] as const;

const quadrantAt = (y: number, x: number, height = H, width = W) => (y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1);

/** Values of a picture, row by row, from those of each pixel. */
function filled(pixel: (y: number, x: number) => readonly number[], height = H, width = W): number[] {
  return Array.from({ length: height * width }, (_, i) => pixel(Math.floor(i / width), i % width)).flat();
}

const colours = filled((y, x) => quadrants[quadrantAt(y, x)] as Colour);
const grey = filled((y, x) => [greys[quadrantAt(y, x)] as number]);
const greyAsRgb = grey.flatMap((value) => [value, value, value]);

/** Colours that a press can print, nearly. */
const dull = colours.map((value) => 80 + Math.round(value / 3));

const rgb = (): Sharp => raw(colours, 3);
function raw(values: readonly number[], channels: 1 | 2 | 3 | 4, height = H, width = W): Sharp {
  return sharp(Uint8Array.from(values), { raw: { height, width, channels } });
}
function raw16(values: readonly number[], channels: 1 | 3 | 4): Sharp {
  const space = channels === 1 ? 'grey16' : 'rgb16';
  return sharp(Uint16Array.from(values), { raw: { height: H, width: W, channels } }).toColourspace(space);
}

interface Reading {
  readonly height?: number;
  readonly width?: number;
  /** RGB, row-major. */
  readonly pixels: readonly number[];
  /** Largest difference at the centres of the quadrants, for lossy forms. Default: exact, everywhere. */
  readonly tolerance?: number;
  readonly background?: Background;
}

async function expectReading(bytes: Uint8Array, { height = H, width = W, pixels, ...reading }: Reading): Promise<void> {
  const { background, tolerance = 0 } = reading;
  const picture = await decodePicture(bytes, background ? { background } : {});
  expect([picture.height, picture.width]).toEqual([height, width]);
  if (tolerance === 0) {
    expect(Array.from(picture.pixels)).toEqual(pixels);
    return;
  }
  for (const y of [height / 4, (3 * height) / 4])
    for (const x of [width / 4, (3 * width) / 4])
      for (let channel = 0; channel < 3; channel++) {
        const at = 3 * (y * width + x) + channel;
        expect(Math.abs((picture.pixels[at] as number) - (pixels[at] as number))).toBeLessThanOrEqual(tolerance);
      }
}

/** A PNG written by hand, for forms that no library offers to write. */
function png(bits: number, colourType: number, rows: readonly Uint8Array[], width: number, extra: Uint8Array[] = []) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(rows.length, 4);
  header.set([bits, colourType], 8);
  const data = deflateSync(Buffer.concat(rows.map((row) => Buffer.concat([Buffer.of(0), row]))));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...extra,
    chunk('IDAT', data),
    chunk('IEND', new Uint8Array()),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Rows of indices of so many bits, packed as PNG and BMP do. */
function packed(indices: readonly number[], bits: number, width: number, align = 1): Uint8Array[] {
  const bytes = align * Math.ceil((width * bits) / 8 / align);
  return Array.from({ length: indices.length / width }, (_, y) => {
    const row = new Uint8Array(bytes);
    for (let x = 0; x < width; x++) {
      const at = Math.floor((x * bits) / 8);
      const shift = 8 - bits - ((x * bits) % 8);
      row[at] = (row[at] as number) | ((indices[y * width + x] as number) << shift);
    }
    return row;
  });
}

interface BmpForm {
  readonly bits: number;
  readonly rows: readonly Uint8Array[];
  readonly width: number;
  readonly palette?: readonly Colour[];
  readonly topDown?: boolean;
  readonly header?: 12 | 40 | 108 | 124;
  readonly masks?: readonly number[];
  readonly compression?: number;
}

/** A BMP file; `rows` are those of the picture from the top, padded. */
function bmp({ bits, rows, width, palette = [], header = 40, ...form }: BmpForm): Buffer {
  const { topDown = false, masks, compression = masks ? 3 : 0 } = form;
  const entry = header === 12 ? 3 : 4;
  const colours = Buffer.concat(palette.map(([r, g, b]) => Buffer.from([b, g, r, 0].slice(0, entry))));
  const info = Buffer.alloc(header);
  info.writeUInt32LE(header, 0);
  if (header === 12) {
    info.writeUInt16LE(width, 4);
    info.writeUInt16LE(rows.length, 6);
    info.writeUInt16LE(1, 8);
    info.writeUInt16LE(bits, 10);
  } else {
    info.writeInt32LE(width, 4);
    info.writeInt32LE(topDown ? -rows.length : rows.length, 8);
    info.writeUInt16LE(1, 12);
    info.writeUInt16LE(bits, 14);
    info.writeUInt32LE(compression, 16);
    info.writeUInt32LE(palette.length, 32);
  }
  const apart = Buffer.alloc(masks && header === 40 ? 12 : 0);
  for (const [i, mask] of (masks ?? []).entries())
    if (header === 40) apart.writeUInt32LE(mask, 4 * i);
    else info.writeUInt32LE(mask, 40 + 4 * i);
  const start = 14 + header + apart.length + colours.length;
  const pixels = Buffer.concat(topDown ? rows : rows.toReversed());
  const file = Buffer.alloc(14);
  file.write('BM');
  file.writeUInt32LE(start + pixels.length, 2);
  file.writeUInt32LE(start, 10);
  return Buffer.concat([file, info, apart, colours, pixels]);
}

/** A grey TIFF of 32-bit floating-point numbers, as instruments write them. */
function floatTiff(width: number, values: readonly number[]): Buffer {
  const height = values.length / width;
  const entries = [
    [256, 4, width],
    [257, 4, height],
    [258, 3, 32],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 0],
    [277, 3, 1],
    [278, 4, height],
    [279, 4, 4 * values.length],
    [339, 3, 3],
  ] as const;
  const start = 8 + 2 + 12 * entries.length + 4;
  const file = Buffer.alloc(start + 4 * values.length);
  file.write('II*');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, type, value]] of entries.entries()) {
    file.writeUInt16LE(tag, 10 + 12 * i);
    file.writeUInt16LE(type, 12 + 12 * i);
    file.writeUInt32LE(1, 14 + 12 * i);
    file.writeUInt32LE(tag === 273 ? start : value, 18 + 12 * i);
  }
  for (const [i, value] of values.entries()) file.writeFloatLE(value, start + 4 * i);
  return file;
}

// Five pixels wide, so that rows of every depth need padding; three high.
const small: readonly Colour[] = [
  ...[[255, 0, 0] as const, [0, 255, 0] as const, [0, 0, 255] as const, [255, 255, 0] as const, [9, 8, 7] as const],
  ...[[1, 2, 3] as const, [40, 50, 60] as const, [70, 80, 90] as const, [0, 0, 0] as const, [255, 255, 255] as const],
  ...[[200, 10, 0] as const, [0, 200, 10] as const, [10, 0, 200] as const, [77, 77, 77] as const, [5, 250, 5] as const],
];
const smallPicture = { height: 3, width: 5, pixels: small.flat() };

/** Rows of whole bytes a pixel, padded to four bytes. */
function smallRows(pixel: (colour: Colour) => readonly number[]): Uint8Array[] {
  return [0, 1, 2].map((y) => {
    const row = small.slice(5 * y, 5 * y + 5).flatMap((colour) => pixel(colour));
    return Uint8Array.from([...row, ...new Array<number>(-row.length & 3).fill(0)]);
  });
}

const bgr = ([r, g, b]: Colour) => [b, g, r];
const indices = small.map((_, i) => i);
const checks = small.map((_, i) => (i * i) % 2);
const twoColours = [
  [250, 240, 10],
  [3, 60, 200],
] as const;
const checked = { height: 3, width: 5, pixels: checks.flatMap((bit) => twoColours[bit] as Colour) };
/** Five bits as eight, rounded. */
const wide5 = (value: number) => Math.round((255 * value) / 31);
const wide6 = (value: number) => Math.round((255 * value) / 63);
const word = (value: number) => [value & 255, value >> 8];
const rgb555 = ([r, g, b]: Colour) => ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3);
const rgb565 = ([r, g, b]: Colour) => ((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3);

/** Red in the upper row, blue below; the left half opaque, the right one with alpha 0 and 128. */
const seeThrough = filled((y, x) => [
  ...(y < H / 2 ? [255, 0, 0] : [0, 0, 255]),
  x < W / 2 ? 255 : y < H / 2 ? 0 : 128,
]);
const on = (background: Background) =>
  filled((y, x) => {
    const colour = y < H / 2 ? [255, 0, 0] : [0, 0, 255];
    if (x < W / 2) return colour;
    const ground = background === 'white' ? 255 : 0;
    return colour.map((value) => (y < H / 2 ? ground : (128 * value + 127 * ground) / 255));
  });

const backgrounds = ['white', 'black'] as const;

/** Stored pixels of three rows by two, and what a viewer shows for each EXIF orientation. */
const stored = [0, 40, 80, 120, 160, 200].map((value) => [value, 255 - value, 10] as const);
const at = (y: number, x: number) => stored[2 * y + x] as Colour;
const shown: Readonly<Record<number, (y: number, x: number) => Colour>> = {
  1: (y, x) => at(y, x),
  2: (y, x) => at(y, 1 - x),
  3: (y, x) => at(2 - y, 1 - x),
  4: (y, x) => at(2 - y, x),
  5: (y, x) => at(x, y),
  6: (y, x) => at(2 - x, y),
  7: (y, x) => at(2 - x, 1 - y),
  8: (y, x) => at(x, 1 - y),
};
function oriented(orientation: number): Reading {
  const [height, width] = orientation < 5 ? [3, 2] : [2, 3];
  return { height, width, pixels: filled(shown[orientation] as (y: number, x: number) => Colour, height, width) };
}
const turned = (orientation: number) => raw(stored.flat(), 3, 3, 2).withMetadata({ orientation });

const frames = async () => [await rgb().png().toBuffer(), await raw(colours.toReversed(), 3).png().toBuffer()];
const animation = async () => sharp(await frames(), { join: { animated: true } });
const colour: Reading = { pixels: colours };
const lossy: Reading = { pixels: colours, tolerance: 6 };

/** Each form: how it is made, and what must be read. */
const corpus: readonly (readonly [name: string, make: () => Promise<Uint8Array> | Uint8Array, reading: Reading])[] = [
  ['PNG in RGB', () => rgb().png().toBuffer(), colour],
  ['PNG, interlaced', () => rgb().png({ progressive: true }).toBuffer(), colour],
  ['PNG in grey', () => raw(grey, 1).toColourspace('b-w').png().toBuffer(), { pixels: greyAsRgb }],
  ['PNG with a palette', () => rgb().png({ palette: true }).toBuffer(), colour],
  [
    'PNG of 1 bit',
    () => png(1, 0, packed(checks, 1, 5), 5),
    { ...checked, pixels: checks.flatMap((bit) => [255 * bit, 255 * bit, 255 * bit]) },
  ],
  [
    'PNG in grey of 2 bits',
    () => png(2, 0, packed([0, 1, 2, 3], 2, 4), 4),
    { height: 1, width: 4, pixels: [0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255] },
  ],
  [
    'PNG with a palette of 4 bits',
    () => png(4, 3, packed(indices, 4, 5), 5, [chunk('PLTE', Uint8Array.from(small.flat()))]),
    smallPicture,
  ],
  ...backgrounds.flatMap(
    (background) =>
      [
        [
          `PNG in RGBA on ${background}`,
          () => raw(seeThrough, 4).png().toBuffer(),
          { pixels: on(background), background, tolerance: 1 },
        ],
        [
          `WebP with alpha on ${background}`,
          () => raw(seeThrough, 4).webp({ lossless: true, exact: true }).toBuffer(),
          { pixels: on(background), background, tolerance: 1 },
        ],
        [
          `PNG in RGBA of 16 bits on ${background}`,
          () =>
            raw16(
              seeThrough.map((value) => 257 * value),
              4,
            )
              .png()
              .toBuffer(),
          { pixels: on(background), background, tolerance: 1 },
        ],
        [
          `PNG in grey with alpha on ${background}`,
          () =>
            raw(
              filled((_, x) => [100, x < W / 2 ? 255 : 0]),
              2,
            )
              .toColourspace('b-w')
              .png()
              .toBuffer(),
          {
            pixels: filled((_, x) => new Array<number>(3).fill(x < W / 2 ? 100 : background === 'white' ? 255 : 0)),
            background,
          },
        ],
        [
          `PNG whose palette has a transparent colour, on ${background}`,
          () =>
            png(4, 3, packed(indices, 4, 5), 5, [
              chunk('PLTE', Uint8Array.from(small.flat())),
              chunk('tRNS', Uint8Array.of(255, 0)),
            ]),
          {
            ...smallPicture,
            pixels: small.flatMap((own, i) =>
              i === 1 ? new Array<number>(3).fill(background === 'white' ? 255 : 0) : own,
            ),
            background,
          },
        ],
        [
          `GIF with a transparent colour, on ${background}`,
          () =>
            raw(
              filled((_, x) => (x < W / 2 ? [255, 0, 0, 255] : [255, 0, 0, 0])),
              4,
            )
              .gif()
              .toBuffer(),
          {
            pixels: filled((_, x) =>
              x < W / 2 ? [255, 0, 0] : new Array<number>(3).fill(background === 'white' ? 255 : 0),
            ),
            background,
          },
        ],
        [
          `BMP of 32 bits with an alpha mask, on ${background}`,
          () =>
            bmp({
              ...{ bits: 32, width: 5, header: 124, masks: [0xff0000, 0xff00, 0xff, 0xff000000] },
              rows: smallRows((own) => [...bgr(own), own[0] === 255 ? 0 : 255]),
            }),
          {
            ...smallPicture,
            pixels: small.flatMap((own) =>
              own[0] === 255 ? new Array<number>(3).fill(background === 'white' ? 255 : 0) : own,
            ),
            background,
          },
        ],
      ] as const,
  ),
  [
    'PNG in RGB of 16 bits',
    () =>
      raw16(
        colours.map((value) => 257 * value),
        3,
      )
        .png()
        .toBuffer(),
    colour,
  ],
  [
    'PNG in grey of 16 bits',
    () =>
      raw16(
        grey.map((value) => 257 * value),
        1,
      )
        .png()
        .toBuffer(),
    { pixels: greyAsRgb },
  ],
  ['JPEG', () => rgb().jpeg({ quality: 95 }).toBuffer(), lossy],
  ['JPEG, progressive', () => rgb().jpeg({ quality: 95, progressive: true }).toBuffer(), lossy],
  ['JPEG in grey', () => raw(grey, 1).toColourspace('b-w').jpeg().toBuffer(), { pixels: greyAsRgb, tolerance: 6 }],
  [
    // Inks mix to what the profile of a press makes of them: duller than on a screen.
    'JPEG in CMYK',
    () => raw(dull, 3).toColourspace('cmyk').jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
    { pixels: dull, tolerance: 30 },
  ],
  ['JPEG with a wide-gamut profile', () => rgb().withIccProfile('p3').jpeg({ quality: 98 }).toBuffer(), lossy],
  [
    'JPEG with bytes behind its end',
    async () => Buffer.concat([await rgb().jpeg().toBuffer(), Buffer.alloc(99)]),
    lossy,
  ],
  ['WebP', () => rgb().webp({ quality: 95 }).toBuffer(), lossy],
  ['WebP, lossless', () => rgb().webp({ lossless: true }).toBuffer(), colour],
  ['WebP, animated: the first frame', async () => (await animation()).webp({ lossless: true }).toBuffer(), colour],
  ['AVIF', () => rgb().avif({ quality: 90 }).toBuffer(), lossy],
  ['AVIF, lossless', () => rgb().avif({ lossless: true }).toBuffer(), colour],
  ['GIF', () => rgb().gif().toBuffer(), colour],
  ['GIF, animated: the first frame', async () => (await animation()).gif().toBuffer(), colour],
  ['TIFF', () => rgb().tiff({ compression: 'none' }).toBuffer(), colour],
  ['TIFF, LZW', () => rgb().tiff({ compression: 'lzw' }).toBuffer(), colour],
  [
    'TIFF in tiles',
    () => rgb().tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
    colour,
  ],
  [
    'TIFF of 16 bits',
    () =>
      raw16(
        colours.map((value) => 257 * value),
        3,
      )
        .tiff({ compression: 'none' })
        .toBuffer(),
    colour,
  ],
  [
    'TIFF of 1 bit, as from a scanner',
    () =>
      raw(
        filled((y, x) => [quadrantAt(y, x) % 2 === 0 ? 255 : 0]),
        1,
      )
        .toColourspace('b-w')
        .tiff({ bitdepth: 1, compression: 'ccittfax4', miniswhite: true })
        .toBuffer(),
    { pixels: filled((y, x) => new Array<number>(3).fill(quadrantAt(y, x) % 2 === 0 ? 255 : 0)) },
  ],
  ['BMP of 24 bits', () => bmp({ bits: 24, width: 5, rows: smallRows(bgr) }), smallPicture],
  ['BMP from the top down', () => bmp({ bits: 24, width: 5, rows: smallRows(bgr), topDown: true }), smallPicture],
  ['BMP of OS/2', () => bmp({ bits: 24, width: 5, rows: smallRows(bgr), header: 12 }), smallPicture],
  ['BMP of version 5', () => bmp({ bits: 24, width: 5, rows: smallRows(bgr), header: 124 }), smallPicture],
  ['BMP of 32 bits', () => bmp({ bits: 32, width: 5, rows: smallRows((own) => [...bgr(own), 0]) }), smallPicture],
  [
    'BMP of 32 bits in the order RGB',
    () => bmp({ bits: 32, width: 5, masks: [0xff, 0xff00, 0xff0000], rows: smallRows((own) => [...own, 0]) }),
    smallPicture,
  ],
  [
    'BMP of 32 bits with an alpha mask that is not used',
    () =>
      bmp({
        ...{ bits: 32, width: 5, header: 108, masks: [0xff0000, 0xff00, 0xff, 0xff000000] },
        rows: smallRows((own) => [...bgr(own), 0]),
      }),
    smallPicture,
  ],
  [
    'BMP of 16 bits',
    () => bmp({ bits: 16, width: 5, rows: smallRows((own) => word(rgb555(own))) }),
    { ...smallPicture, pixels: small.flatMap((own) => own.map((value) => wide5(value >> 3))) },
  ],
  [
    'BMP of 16 bits, six of them green',
    () => bmp({ bits: 16, width: 5, masks: [0xf800, 0x7e0, 0x1f], rows: smallRows((own) => word(rgb565(own))) }),
    {
      ...smallPicture,
      pixels: small.flatMap(([r, g, b]) => [wide5(r >> 3), wide6(g >> 2), wide5(b >> 3)]),
    },
  ],
  ['BMP of 8 bits', () => bmp({ bits: 8, width: 5, palette: small, rows: packed(indices, 8, 5, 4) }), smallPicture],
  ['BMP of 4 bits', () => bmp({ bits: 4, width: 5, palette: small, rows: packed(indices, 4, 5, 4) }), smallPicture],
  ['BMP of 1 bit', () => bmp({ bits: 1, width: 5, palette: twoColours, rows: packed(checks, 1, 5, 4) }), checked],
  [
    'BMP of 8 bits of OS/2',
    () => bmp({ bits: 8, width: 5, header: 12, palette: small, rows: packed(indices, 8, 5, 4) }),
    smallPicture,
  ],
  ...[1, 2, 3, 4, 5, 6, 7, 8].map(
    (orientation) =>
      [
        `PNG with EXIF orientation ${orientation}`,
        () => turned(orientation).png().toBuffer(),
        oriented(orientation),
      ] as const,
  ),
  ['TIFF with an orientation', () => turned(6).tiff({ compression: 'none' }).toBuffer(), oriented(6)],
  ['WebP with EXIF orientation', () => turned(8).webp({ lossless: true }).toBuffer(), oriented(8)],
  [
    'JPEG with EXIF orientation, as from a phone',
    () => rgb().rotate(90).withMetadata({ orientation: 8 }).jpeg({ quality: 95 }).toBuffer(),
    lossy,
  ],
  [
    'a picture of one pixel',
    () => raw([1, 2, 3], 3, 1, 1).png().toBuffer(),
    { height: 1, width: 1, pixels: [1, 2, 3] },
  ],
];

describe('a picture is read as it looks', () => {
  test.each(corpus)('%s', async (_, make, reading) => {
    await expectReading(await make(), reading);
  });

  test('the corpus has at least 25 forms of every format that is read', async () => {
    expect(corpus.length).toBeGreaterThanOrEqual(60);
    const formats = new Set<string | undefined>();
    for (const [, make] of corpus) formats.add(pictureFormat(await make()));
    expect([...formats].sort()).toEqual(['avif', 'bmp', 'gif', 'jpeg', 'png', 'tiff', 'webp']);
  });

  test('scaled, it covers the size and is cropped at the centre, on its background', async () => {
    // 48×32 to 20×20: the middle 32 columns, so that each quadrant keeps a quarter.
    const { height, width, pixels } = await decodePicture(await rgb().png().toBuffer(), { height: 20, width: 20 });
    expect([height, width]).toEqual([20, 20]);
    for (const [y, x] of [
      [4, 4],
      [4, 15],
      [15, 4],
      [15, 15],
    ] as const)
      expect([...pixels.subarray(3 * (20 * y + x), 3 * (20 * y + x) + 3)]).toEqual(quadrants[quadrantAt(y, x, 20, 20)]);
    const clear = await raw(new Array<number>(4 * H * W).fill(0), 4)
      .png()
      .toBuffer();
    for (const background of backgrounds)
      expect([...new Set((await decodePicture(clear, { height: 8, width: 8, background })).pixels)]).toEqual([
        background === 'white' ? 255 : 0,
      ]);
  });

  test('transparent pixels are laid on white unless asked otherwise', async () => {
    await expectReading(await raw(seeThrough, 4).png().toBuffer(), { pixels: on('white'), tolerance: 1 });
  });
});

describe('what cannot be read right is refused', () => {
  const noisy = new Random(1)
    .uniform([64, 64, 3])
    .dataSync()
    .map((value) => 255 * value);
  const noise = () => raw(Array.from(noisy), 3, 64, 64);
  const refused: readonly (readonly [name: string, make: () => Promise<Uint8Array> | Uint8Array, message: string])[] = [
    ['an empty file', () => new Uint8Array(), 'the file is empty'],
    ['text', () => Buffer.from('no picture'), 'it is none of JPEG, PNG, GIF, WebP, AVIF, TIFF and BMP'],
    ['a web page in place of a picture', () => Buffer.from('<!DOCTYPE html><title>404</title>'), 'it is none of JPEG'],
    [
      'a drawing',
      () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'it is none of JPEG',
    ],
    ['zeros', () => new Uint8Array(1000), 'it is none of JPEG'],
    ['HEIC', () => Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'HEIC is not read; save it as JPEG'],
    ...(['jpeg', 'png', 'webp', 'gif', 'avif'] as const).flatMap((format) =>
      [0.1, 0.5, 0.95].map(
        (part) =>
          [
            `${format} cut short at ${100 * part} %`,
            async () => {
              const whole = await noise().toFormat(format).toBuffer();
              return whole.subarray(0, Math.floor(part * whole.length));
            },
            'no readable picture',
          ] as const,
      ),
    ),
    [
      'PNG that is damaged',
      async () => {
        const bytes = Buffer.from(await noise().png().toBuffer());
        bytes[500] = (bytes[500] as number) ^ 0x55;
        return bytes;
      },
      'no readable picture',
    ],
    [
      'TIFF of measurements',
      () => floatTiff(2, [0, 0.5, 1, 0.25]),
      'its samples are of type float; save it with 8 or 16 bits a channel',
    ],
    [
      'BMP cut short',
      () => bmp({ bits: 24, width: 5, rows: smallRows(bgr) }).subarray(0, 90),
      'it is cut short: 5×3 pixels of 24 bits',
    ],
    [
      'BMP that is compressed',
      () => bmp({ bits: 8, width: 5, palette: small, rows: packed(indices, 8, 5, 4), compression: 1 }),
      'it is compressed (RLE8); save it uncompressed',
    ],
    [
      'BMP with a colour that its palette lacks',
      () => bmp({ bits: 8, width: 5, palette: small.slice(0, 9), rows: packed(indices, 8, 5, 4) }),
      'it has colour 9 in a palette of 9',
    ],
    ['BMP of 3 bits', () => bmp({ bits: 3, width: 5, rows: smallRows(bgr) }), 'it has 3 bits a pixel'],
    [
      'BMP too large to be true',
      () => {
        const bytes = bmp({ bits: 24, width: 5, rows: smallRows(bgr) });
        bytes.writeInt32LE(60_000, 18);
        bytes.writeInt32LE(60_000, 22);
        return bytes;
      },
      'more than 67108864 pixels',
    ],
  ];
  test.each(refused)('%s', async (_, make, message) => {
    await expect(decodePicture(await make())).rejects.toThrow(message);
  });
});
