// The BMP format of Windows: a file header, an information header, maybe a palette, then rows from
// the bottom up, each padded to four bytes. Read without compression: 1, 4, 8, 16, 24 and 32 bits a
// pixel, the last two of the even ones also with bit masks.

/** A picture as stored: RGBA where it has an alpha channel, RGB otherwise. */
export interface Bitmap {
  /** Pixels. */
  readonly height: number;
  /** Pixels. */
  readonly width: number;
  /** Values of a pixel. */
  readonly channels: 3 | 4;
  /** [height, width, channels], row-major from the top. */
  readonly pixels: Uint8Array;
}

/** What the headers say. */
interface Header {
  readonly height: number;
  readonly width: number;
  /** Whether the first row is the lowest one. */
  readonly bottomUp: boolean;
  /** Of a pixel. */
  readonly bits: number;
  /** Position of the first row. */
  readonly start: number;
  /** Of red, green, blue and alpha; without them 16 bits hold 5 each, 32 bits BGR and a spare. */
  readonly masks: readonly number[] | undefined;
  /** RGB of each colour. */
  readonly palette: Uint8Array;
}

const UNCOMPRESSED = 0;
const MASKED = 3;
const MASKED_WITH_ALPHA = 6;

/** Names of what is not read. */
const compressions: Readonly<Record<number, string>> = { 1: 'RLE8', 2: 'RLE4', 4: 'JPEG', 5: 'PNG' };

/**
 * Reads a BMP file.
 *
 * @param name of the file, in error messages
 * @param maxPixels most pixels that the file may declare
 * @throws Error when the file is not BMP, is cut short, compressed, or too large
 */
export function readBmp(bytes: Uint8Array, name = '.bmp', maxPixels = 2 ** 26): Bitmap {
  const fail = (reason: string): never => {
    throw new Error(`readBmp: "${name}" ${reason}`);
  };
  const header = headerOf(bytes, fail);
  const { height, width, bits, start } = header;
  if (height * width > maxPixels) fail(`has more than ${maxPixels} pixels`);
  const stride = 4 * Math.ceil((bits * width) / 32);
  // The last row's padding is left out by some writers.
  const needed = start + stride * (height - 1) + Math.ceil((bits * width) / 8);
  if (bytes.length < needed)
    fail(`is cut short: ${width}×${height} pixels of ${bits} bits end at byte ${needed}, the file at ${bytes.length}`);
  return bits <= 8 ? indexed(bytes, header, stride, fail) : direct(bytes, header, stride);
}

function headerOf(bytes: Uint8Array, fail: (reason: string) => never): Header {
  if (bytes.length < 26 || bytes[0] !== 0x42 || bytes[1] !== 0x4d) fail('is not a BMP file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint32(14, true);
  const old = size === 12;
  if (!old && !(size >= 40 && size <= 124)) fail(`has a header of ${size} bytes, which no version of BMP has`);
  if (bytes.length < 14 + size) fail('is cut short in its header');
  const [width, rows, bits] = old
    ? [view.getUint16(18, true), view.getUint16(20, true), view.getUint16(24, true)]
    : [view.getInt32(18, true), view.getInt32(22, true), view.getUint16(28, true)];
  const height = Math.abs(rows);
  if (width < 1 || height < 1) fail(`declares ${width}×${height} pixels`);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) fail(`has ${bits} bits a pixel; 1, 4, 8, 16, 24 and 32 are read`);
  const compression = old ? UNCOMPRESSED : view.getUint32(30, true);
  const masked = compression === MASKED || compression === MASKED_WITH_ALPHA;
  if (compression !== UNCOMPRESSED && !(masked && (bits === 16 || bits === 32)))
    fail(`is compressed (${compressions[compression] ?? `method ${compression}`}); save it uncompressed, or as PNG`);
  // Masks follow a header of 40 bytes and are part of longer ones, with an alpha mask from 56 on.
  const count = compression === MASKED_WITH_ALPHA || size >= 56 ? 4 : 3;
  const end = 14 + size + (masked && size === 40 ? 4 * count : 0);
  if (bytes.length < end) fail('is cut short in its header');
  return {
    ...{ height, width, bits, bottomUp: rows > 0, start: view.getUint32(10, true) },
    masks: masked ? Array.from({ length: count }, (_, i) => view.getUint32(54 + 4 * i, true)) : undefined,
    palette:
      bits <= 8 ? paletteOf(bytes, end, bits, old ? 3 : 4, old ? 0 : view.getUint32(46, true)) : new Uint8Array(),
  };
}

/** RGB of each colour, as many as the file holds; `declared` 0 means all that fit the bits. */
function paletteOf(bytes: Uint8Array, start: number, bits: number, entry: 3 | 4, declared: number): Uint8Array {
  const most = Math.min(declared || 2 ** bits, 2 ** bits, Math.floor((bytes.length - start) / entry));
  return Uint8Array.from(
    { length: 3 * most },
    (_, i) => bytes[start + entry * Math.floor(i / 3) + 2 - (i % 3)] as number,
  );
}

/** Position of a picture's row in the file. */
function rowStart({ start, height, bottomUp }: Header, stride: number, row: number): number {
  return start + stride * (bottomUp ? height - 1 - row : row);
}

function indexed(bytes: Uint8Array, header: Header, stride: number, fail: (reason: string) => never): Bitmap {
  const { height, width, bits, palette } = header;
  const pixels = new Uint8Array(3 * height * width);
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  for (let row = 0; row < height; row++) {
    const from = rowStart(header, stride, row);
    for (let x = 0; x < width; x++) {
      const byte = bytes[from + Math.floor(x / perByte)] as number;
      const colour = (byte >> (8 - bits * ((x % perByte) + 1))) & mask;
      if (3 * colour >= palette.length) fail(`has colour ${colour} in a palette of ${palette.length / 3}`);
      pixels.set(palette.subarray(3 * colour, 3 * colour + 3), 3 * (row * width + x));
    }
  }
  return { height, width, channels: 3, pixels };
}

function direct(bytes: Uint8Array, header: Header, stride: number): Bitmap {
  const { height, width, bits, masks = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff] } = header;
  const channels = masks[3] ? 4 : 3;
  const pixels = new Uint8Array(channels * height * width);
  const step = bits / 8;
  const parts = masks.slice(0, channels).map(fieldOf);
  for (let row = 0; row < height; row++) {
    const from = rowStart(header, stride, row);
    for (let x = 0; x < width; x++) {
      let value = 0;
      for (let i = step - 1; i >= 0; i--) value = value * 256 + (bytes[from + step * x + i] as number);
      for (let channel = 0; channel < channels; channel++)
        pixels[channels * (row * width + x) + channel] = (parts[channel] as (value: number) => number)(value);
    }
  }
  const picture: Bitmap = { height, width, channels, pixels };
  return channels === 4 && isClear(pixels) ? withoutAlpha(picture) : picture;
}

/** Reads the bits of a mask, scaled to 0…255. */
function fieldOf(mask: number): (value: number) => number {
  if (mask === 0) return () => 0;
  const low = mask & -mask;
  const most = (mask >>> 0) / (low >>> 0);
  return (value) => Math.round((255 * (((value & mask) >>> 0) / (low >>> 0))) / most);
}

/** Whether every pixel has alpha 0, as where a writer left the channel unused. */
function isClear(pixels: Uint8Array): boolean {
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i] !== 0) return false;
  return true;
}

function withoutAlpha({ height, width, pixels }: Bitmap): Bitmap {
  return {
    ...{ height, width, channels: 3 },
    pixels: Uint8Array.from(
      { length: 3 * height * width },
      (_, i) => pixels[4 * Math.floor(i / 3) + (i % 3)] as number,
    ),
  };
}
