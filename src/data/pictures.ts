// PNG, JPEG and other picture formats: decoded by `sharp` in Node, by the platform in browsers.

import { type Tensor, tensor } from '../tensor/index.js';
import { readBmp } from './formats/bmp.js';

/** A decoded picture: 8-bit RGB [height, width, 3]. */
export interface Picture {
  /** Pixels. */
  readonly height: number;
  /** Pixels. */
  readonly width: number;
  /** RGB, row-major. */
  readonly pixels: Uint8Array;
}

/** What transparent pixels are laid on. */
export type Background = 'white' | 'black';

/** Formats that a file's first bytes tell. */
export type PictureFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif' | 'tiff' | 'bmp' | 'heic';

/** Whether a file name has the extension of a picture format. */
export function isPicture(file: string): boolean {
  return /\.(jpe?g|jpe|jfif|png|webp|gif|avif|tiff?|bmp|dib|hei[cf])$/i.test(file);
}

/** Bytes that `pictureFormat` looks at. */
export const SIGNATURE_BYTES = 32;

/** The format that the first bytes of a file tell, whatever its name; undefined for no picture. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, SIGNATURE_BYTES));
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (/^GIF8[79]a/.test(head)) return 'gif';
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'webp';
  if (head.startsWith('II*\0') || head.startsWith('MM\0*') || head.startsWith('II+\0') || head.startsWith('MM\0+'))
    return 'tiff';
  // Behind the file header stands the size of the next one, 12 to 124: few texts of BM… go on so.
  if (head.startsWith('BM') && (bytes[14] as number) <= 124 && head.startsWith('\0\0\0', 15)) return 'bmp';
  if (head.startsWith('ftyp', 4)) {
    // The major brand, then from byte 16 on the compatible ones: files of brand mif1 may be either.
    const brands = head.slice(8, 12) + head.slice(16);
    if (/avi[fs]/.test(brands)) return 'avif';
    if (/hei[cxms]|hev[cx]|mif1|msf1/.test(brands)) return 'heic';
  }
  return undefined;
}

interface SharpResult {
  readonly data: Uint8Array;
  readonly info: { readonly width: number; readonly height: number; readonly channels: number };
}

interface SharpMetadata {
  readonly width?: number;
  readonly height?: number;
  readonly orientation?: number;
  readonly hasAlpha?: boolean;
  readonly depth?: string;
  readonly channels?: number;
}

interface Sharp {
  metadata(): Promise<SharpMetadata>;
  rotate(): Sharp;
  flatten(options: { background: Background }): Sharp;
  resize(width: number, height: number, options: { fit: 'cover' }): Sharp;
  toColourspace(name: string): Sharp;
  raw(): Sharp;
  toBuffer(options: { resolveWithObject: true }): Promise<SharpResult>;
}

interface SharpInput {
  readonly limitInputPixels: number;
  readonly raw?: { readonly width: number; readonly height: number; readonly channels: number };
}

type SharpModule = { default: (input: Uint8Array, options: SharpInput) => Sharp };

/** Most pixels of a picture unless asked otherwise: 64 Mi, which take 192 MiB. */
const MOST_PIXELS = 2 ** 26;

/**
 * Size to decode to, in pixels: both or neither. The picture is scaled to cover it and cropped at
 * the centre.
 */
export interface PictureOptions {
  /** Pixels. Default: the picture's own. */
  readonly height?: number;
  /** Pixels. Default: the picture's own. */
  readonly width?: number;
  /** What transparent pixels are laid on. Default: white. */
  readonly background?: Background;
  /** Most pixels that a stored picture may have. Default: 2²⁶, about 67 million. */
  readonly maxPixels?: number;
}

/**
 * Decodes a picture to 8-bit RGB: JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP, told by the content; of
 * several frames or pages the first. It is rotated as its EXIF orientation says, colours are
 * converted to sRGB, 16 bits to 8, and transparent pixels laid on `background`. Browsers decode the
 * formats that they know, of which TIFF is seldom one.
 *
 * @throws Error when the bytes are no picture, damaged, cut short or one of too many pixels, or in
 * Node when `sharp` is not installed.
 */
export async function decodePicture(bytes: Uint8Array, options: PictureOptions = {}): Promise<Picture> {
  if (bytes.length === 0) throw new Error('decodePicture: the file is empty');
  return globalThis.process?.versions?.node ? decodeInNode(bytes, options) : decodeInBrowser(bytes, options);
}

/** What a stored picture is, from its header. */
export interface PictureHeader {
  /** As its first bytes tell. */
  readonly format: PictureFormat;
  /** Pixels, as EXIF orients the picture. */
  readonly height: number;
  /** Pixels, likewise. */
  readonly width: number;
  /** Whether it has an alpha channel. */
  readonly transparent: boolean;
}

/**
 * Reads what the header of a stored picture says, in Node. Its pixels may be damaged nevertheless.
 *
 * @throws Error as `decodePicture`
 */
export function pictureHeader(bytes: Uint8Array, { maxPixels = MOST_PIXELS } = {}): Promise<PictureHeader> {
  return withSharp(maxPixels, async (sharp) => {
    const image = await opened(sharp, bytes, maxPixels);
    const { width = 0, height = 0, orientation = 1, hasAlpha = false } = await image.metadata();
    // Orientations of 5 and more lie on their side.
    const [upright, across] = orientation >= 5 ? [width, height] : [height, width];
    const format = pictureFormat(bytes) as PictureFormat;
    return { format, height: upright, width: across, transparent: hasAlpha };
  });
}

function decodeInNode(bytes: Uint8Array, options: PictureOptions): Promise<Picture> {
  const { height, width, background = 'white', maxPixels = MOST_PIXELS } = options;
  return withSharp(maxPixels, async (module) => {
    const upright = (await opened(module, bytes, maxPixels)).rotate().flatten({ background });
    const sized = height && width ? upright.resize(width, height, { fit: 'cover' }) : upright;
    const { data, info } = await sized.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels where RGB has 3`);
    return {
      height: info.height,
      width: info.width,
      pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  });
}

/** Calls the package for pictures. @throws Error with what is wrong with one, in our words */
async function withSharp<T>(maxPixels: number, read: (module: SharpModule) => Promise<T>): Promise<T> {
  const name = 'sharp';
  const module = (await import(name).catch(() => {
    throw new Error('decodePicture: reading pictures in Node needs the package sharp: npm install sharp');
  })) as SharpModule;
  try {
    return await read(module);
  } catch (error) {
    const reason = (error as Error).message.replace(/^readBmp: "[^"]*" /, 'it ').replace(/\n[\s\S]*/, '');
    if (/pixel limit|has more than \d+ pixels/.test(reason))
      throw new Error(`decodePicture: the picture has more than ${maxPixels} pixels; maxPixels allows more`);
    throw new Error(`decodePicture: the bytes are no readable picture (${reason})`);
  }
}

/** @throws Error when the content is of no format that is read, or has samples of other types */
async function opened(module: SharpModule, bytes: Uint8Array, limitInputPixels: number): Promise<Sharp> {
  const format = pictureFormat(bytes);
  if (format === undefined) throw new Error('it is none of JPEG, PNG, GIF, WebP, AVIF, TIFF and BMP');
  if (format === 'heic') throw new Error('HEIC is not read; save it as JPEG');
  if (format === 'bmp') {
    const { pixels, ...raw } = readBmp(bytes, '.bmp', limitInputPixels);
    return module.default(pixels, { limitInputPixels, raw });
  }
  const image = module.default(bytes, { limitInputPixels });
  if (format !== 'tiff') return image;
  // Measurements stored as TIFF would be clipped to black or white.
  const { depth = 'unknown', channels = 0 } = await image.metadata();
  if (depth !== 'uchar' && depth !== 'ushort')
    throw new Error(`its samples are of type ${depth}; save it with 8 or 16 bits a channel`);
  if (channels > 5) throw new Error(`it has ${channels} channels, which are no colours`);
  return image;
}

async function decodeInBrowser(bytes: Uint8Array, size: PictureOptions): Promise<Picture> {
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)])).catch((error: Error) => {
    throw new Error(`decodePicture: the bytes are no readable picture (${error.message})`);
  });
  const { width = bitmap.width, height = bitmap.height, background = 'white', maxPixels = MOST_PIXELS } = size;
  if (bitmap.width * bitmap.height > maxPixels)
    throw new Error(`decodePicture: the picture has more than ${maxPixels} pixels; maxPixels allows more`);
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [drawnWidth, drawnHeight] = [bitmap.width * scale, bitmap.height * scale];
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (!context) throw new Error('decodePicture: this browser has no 2-D canvas off screen');
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, (width - drawnWidth) / 2, (height - drawnHeight) / 2, drawnWidth, drawnHeight);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
  return { height, width, pixels };
}

/** Whether red, green and blue are the same everywhere. */
export function isGrey({ pixels }: Picture): boolean {
  for (let i = 0; i < pixels.length; i += 3)
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  return true;
}

/** A picture as planes [channels, height, width]: RGB for three channels, luminance for one. */
export function planesOf({ height, width, pixels }: Picture, channels: number): Uint8Array {
  const plane = height * width;
  const planes = new Uint8Array(channels * plane);
  for (let i = 0; i < plane; i++) {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(3 * i, 3 * i + 3);
    if (channels === 1) planes[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    else {
      planes[i] = red;
      planes[plane + i] = green;
      planes[2 * plane + i] = blue;
    }
  }
  return planes;
}

/** Channel means and standard deviations of ImageNet, with 255 as 1. */
export const imageNetStatistics = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

/**
 * A picture as a normalised f32 image [1, 3, height, width]; with the statistics of ImageNet by
 * default.
 */
export function pictureTensor(
  { height, width, pixels }: Picture,
  { mean, deviation }: { mean: readonly number[]; deviation: readonly number[] } = imageNetStatistics,
): Tensor {
  const plane = height * width;
  const values = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++)
    for (let i = 0; i < plane; i++)
      values[channel * plane + i] =
        ((pixels[3 * i + channel] as number) / 255 - (mean[channel] as number)) / (deviation[channel] as number);
  return tensor(values, [1, 3, height, width]);
}
