// Digits of 8 × 8 pixels: inputs small enough that a hypernetwork can generate every weight of the
// classifier.

import { type Random, type Tensor, tensor } from '../tensor/index.js';
import type { ImageDataset, LabelledImages } from './images.js';

/** Pixels of an image: 8 × 8. */
export const DIGIT_PIXELS = 64;
/** Classes: the digits 0 … 9. */
export const DIGIT_CLASSES = 10;

/** Labelled 8 × 8 digits. */
export interface DigitImages {
  /** Pixels [n, 64] in [0, 1]. */
  readonly x: Float32Array;
  /** Digit of each image [n]. */
  readonly labels: Int32Array;
}

/** A 5 × 7 dot-matrix font: seven rows of five bits a digit. */
const font = [
  [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
  [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
  [0b01110, 0b10001, 0b00001, 0b00010, 0b00100, 0b01000, 0b11111],
  [0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110],
  [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
  [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
  [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
  [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
  [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
  [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
] as const;

/**
 * Digits of the dot-matrix font at random offsets within 8 × 8 pixels, with Gaussian noise (σ =
 * 0.15).
 */
export function glyphDigits(count: number, random: Random): DigitImages {
  const x = new Float32Array(count * DIGIT_PIXELS);
  const labels = Int32Array.from({ length: count }, () => random.integer(DIGIT_CLASSES));
  for (let i = 0; i < count; i++) {
    const [left, top] = [1 + random.integer(2), random.integer(2)];
    for (let row = 0; row < 8; row++)
      for (let column = 0; column < 8; column++) {
        const bits = font[labels[i] as number]?.[row - top] ?? 0;
        const at = column - left;
        const dot = at >= 0 && at < 5 ? (bits >> (4 - at)) & 1 : 0;
        const value = 0.8 * dot + 0.1 + 0.15 * random.gaussian();
        x[i * DIGIT_PIXELS + 8 * row + column] = Math.max(0, Math.min(1, value));
      }
  }
  return { x, labels };
}

/**
 * Digits of the dot-matrix font, scaled three times, at random offsets within 28 × 28 pixels, with
 * random contrast and Gaussian noise: an embedded image set for when no other is installed.
 */
export function glyphImages(train: number, test: number, random: Random): ImageDataset {
  const draw = (count: number, own: Random): LabelledImages => {
    const labels = Int32Array.from({ length: count }, () => own.integer(DIGIT_CLASSES));
    const pixels = new Uint8Array(count * 784);
    for (let i = 0; i < count; i++) {
      const [left, top] = [own.integer(13), own.integer(7)];
      const contrast = 0.3 + 0.5 * own.float();
      for (let at = 0; at < 784; at++) {
        const [row, column] = [Math.floor((Math.floor(at / 28) - top) / 3), Math.floor(((at % 28) - left) / 3)];
        const bits = row >= 0 ? (font[labels[i] as number]?.[row] ?? 0) : 0;
        const dot = column >= 0 && column < 5 ? (bits >> (4 - column)) & 1 : 0;
        pixels[784 * i + at] = 255 * Math.max(0, Math.min(1, contrast * dot + 0.2 + 0.2 * own.gaussian()));
      }
    }
    return { count, channels: 1, height: 28, width: 28, pixels, labels };
  };
  return {
    name: 'glyphs',
    classes: Array.from('0123456789'),
    train: draw(train, random.split('train')),
    test: draw(test, random.split('test')),
    mean: [0.28],
    deviation: [0.25],
  };
}

/**
 * The central 24 × 24 pixels of the first images of MNIST, average-pooled 3 × 3.
 *
 * @param most number of images at most
 */
export function pooledDigits(source: LabelledImages, most: number): DigitImages {
  const count = Math.min(most, source.count);
  const x = new Float32Array(count * DIGIT_PIXELS);
  for (let i = 0; i < count; i++)
    for (let at = 0; at < DIGIT_PIXELS; at++) {
      const [row, column] = [2 + 3 * (at >> 3), 2 + 3 * (at & 7)];
      let sum = 0;
      for (let dy = 0; dy < 3; dy++)
        for (let dx = 0; dx < 3; dx++) sum += source.pixels[i * 784 + (row + dy) * 28 + column + dx] as number;
      x[i * DIGIT_PIXELS + at] = sum / (9 * 255);
    }
  return { x, labels: Int32Array.from({ length: count }, (_, i) => source.labels[i] as number) };
}

/** A random batch, drawn with replacement: x [count, 64] and labels [count]. */
export function drawDigits(images: DigitImages, count: number, random: Random): { x: Tensor; labels: Tensor } {
  const x = new Float32Array(count * DIGIT_PIXELS);
  const labels = Int32Array.from({ length: count }, (_, i) => {
    const row = random.integer(images.labels.length);
    x.set(images.x.subarray(row * DIGIT_PIXELS, (row + 1) * DIGIT_PIXELS), i * DIGIT_PIXELS);
    return images.labels[row] as number;
  });
  return { x: tensor(x, [count, DIGIT_PIXELS]), labels: tensor(labels) };
}
