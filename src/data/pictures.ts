// PNG, JPEG and other pictures: decoded by `sharp` in Node, by the platform in browsers.

import { type Tensor, tensor } from '../tensor/index.js';

/** Red, green and blue bytes, row after row. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

interface SharpResult {
  readonly data: Uint8Array;
  readonly info: { readonly width: number; readonly height: number };
}

interface Sharp {
  rotate(): Sharp;
  removeAlpha(): Sharp;
  toColourspace(name: string): Sharp;
  raw(): Sharp;
  toBuffer(options: { resolveWithObject: true }): Promise<SharpResult>;
}

type SharpModule = { default: (input: Uint8Array) => Sharp };

/**
 * Decodes a picture to 8-bit RGB, upright.
 *
 * @throws Error when the bytes are no picture, or in Node when `sharp` is not installed.
 */
export async function decodePicture(bytes: Uint8Array): Promise<Picture> {
  return globalThis.process?.versions?.node ? decodeInNode(bytes) : decodeInBrowser(bytes);
}

async function decodeInNode(bytes: Uint8Array): Promise<Picture> {
  const name = 'sharp';
  const module = (await import(name).catch(() => {
    throw new Error('decodePicture: reading pictures in Node needs the package sharp: npm install sharp');
  })) as SharpModule;
  try {
    const { data, info } = await module
      .default(bytes)
      .rotate()
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { height: info.height, width: info.width, pixels: new Uint8Array(data) };
  } catch (error) {
    throw new Error(`decodePicture: the bytes are no readable picture (${(error as Error).message})`);
  }
}

async function decodeInBrowser(bytes: Uint8Array): Promise<Picture> {
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)])).catch((error: Error) => {
    throw new Error(`decodePicture: the bytes are no readable picture (${error.message})`);
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (!context) throw new Error('decodePicture: this browser has no 2-D canvas off screen');
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
  return { height, width, pixels };
}

/** Mean and deviation that ImageNet models are trained with. */
export const imageNetStatistics = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

/** A picture as a normalised image [1, 3, height, width]. */
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
