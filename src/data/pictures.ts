// PNG, JPEG and other picture formats: decoded by `sharp` in Node, by the platform in browsers.

import { type Tensor, tensor } from '../tensor/index.js';

/** A decoded picture: 8-bit RGB [height, width, 3]. */
export interface Picture {
  /** Pixels. */
  readonly height: number;
  /** Pixels. */
  readonly width: number;
  /** RGB, row-major. */
  readonly pixels: Uint8Array;
}

/** Whether a file name has the extension of a picture format. */
export function isPicture(file: string): boolean {
  return /\.(jpe?g|png|webp|gif|avif|tiff?)$/i.test(file);
}

interface SharpResult {
  readonly data: Uint8Array;
  readonly info: { readonly width: number; readonly height: number };
}

interface Sharp {
  rotate(): Sharp;
  removeAlpha(): Sharp;
  resize(width: number, height: number, options: { fit: 'cover' }): Sharp;
  toColourspace(name: string): Sharp;
  raw(): Sharp;
  toBuffer(options: { resolveWithObject: true }): Promise<SharpResult>;
}

type SharpModule = { default: (input: Uint8Array, options: { limitInputPixels: number }) => Sharp };

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
  /** Most pixels that a stored picture may have. Default: 2²⁶, about 67 million. */
  readonly maxPixels?: number;
}

/**
 * Decodes a picture to 8-bit RGB, rotated as its EXIF orientation says.
 *
 * @throws Error when the bytes are no picture or one of too many pixels, or in Node when `sharp` is
 * not installed.
 */
export async function decodePicture(bytes: Uint8Array, size: PictureOptions = {}): Promise<Picture> {
  return globalThis.process?.versions?.node ? decodeInNode(bytes, size) : decodeInBrowser(bytes, size);
}

async function decodeInNode(
  bytes: Uint8Array,
  { height, width, maxPixels = MOST_PIXELS }: PictureOptions,
): Promise<Picture> {
  const name = 'sharp';
  const module = (await import(name).catch(() => {
    throw new Error('decodePicture: reading pictures in Node needs the package sharp: npm install sharp');
  })) as SharpModule;
  try {
    const upright = module.default(bytes, { limitInputPixels: maxPixels }).rotate();
    const sized = height && width ? upright.resize(width, height, { fit: 'cover' }) : upright;
    const { data, info } = await sized.toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return {
      height: info.height,
      width: info.width,
      pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  } catch (error) {
    if (/pixel limit/.test((error as Error).message))
      throw new Error(`decodePicture: the picture has more than ${maxPixels} pixels; maxPixels allows more`);
    throw new Error(`decodePicture: the bytes are no readable picture (${(error as Error).message})`);
  }
}

async function decodeInBrowser(bytes: Uint8Array, size: PictureOptions): Promise<Picture> {
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)])).catch((error: Error) => {
    throw new Error(`decodePicture: the bytes are no readable picture (${error.message})`);
  });
  const { width = bitmap.width, height = bitmap.height, maxPixels = MOST_PIXELS } = size;
  if (bitmap.width * bitmap.height > maxPixels)
    throw new Error(`decodePicture: the picture has more than ${maxPixels} pixels; maxPixels allows more`);
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [drawnWidth, drawnHeight] = [bitmap.width * scale, bitmap.height * scale];
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (!context) throw new Error('decodePicture: this browser has no 2-D canvas off screen');
  context.drawImage(bitmap, (width - drawnWidth) / 2, (height - drawnHeight) / 2, drawnWidth, drawnHeight);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
  return { height, width, pixels };
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
