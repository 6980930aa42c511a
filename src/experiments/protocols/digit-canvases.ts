// Canvases with digits of MNIST at random sizes and places: how many there are, and where.

import type { CountedPicture, CountedPictures, ImageDataset, LabelledImages } from '../../data/index.js';
import { pixelStatistics } from '../../data/index.js';
import { type ClassBox, intersectionOverUnion } from '../../models/index.js';
import { Random } from '../../tensor/index.js';

/** Height and width of a canvas in pixels. */
export const CANVAS = 96;
/** Sizes to which the middle of a digit is scaled, in pixels. */
const SIZES = [8, 20] as const;
/** Margin of an image of MNIST around its digit. */
const MARGIN = 4;
/** Brighter pixels belong to a digit. */
const INK = 64;
/** Most overlap of two boxes where digits are to be found one by one. */
const MOST_OVERLAP = 0.3;
/** Places that are tried for a digit. */
const TRIES = 50;

/** A canvas with the boxes of its digits. */
export interface Canvas extends CountedPicture {
  readonly boxes: readonly ClassBox[];
}

/** Canvases to train on, to choose on, and to test on. */
export interface CanvasData extends Pick<CountedPictures, 'mean' | 'deviation'> {
  readonly train: readonly Canvas[];
  readonly validation: readonly Canvas[];
  readonly test: readonly Canvas[];
}

/** What a canvas holds. */
export interface CanvasKind {
  /** Most digits; at least one. */
  readonly most: number;
  /** Whether boxes may overlap as they like. */
  readonly overlapping: boolean;
}

/**
 * A grey image without its margin, scaled to a side by bilinear interpolation: [side, side].
 */
export function scaledImage(
  { pixels, height, width }: LabelledImages,
  image: number,
  side: number,
  margin = 0,
): Float32Array {
  const [rows, columns] = [height - 2 * margin, width - 2 * margin];
  const at = (y: number, x: number) => pixels[(image * height + margin + y) * width + margin + x] as number;
  const place = (i: number, length: number) => Math.min(length - 1, Math.max(0, ((i + 0.5) * length) / side - 0.5));
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [place(Math.floor(i / side), rows), place(i % side, columns)];
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [bottom, right] = [Math.min(rows - 1, top + 1), Math.min(columns - 1, left + 1)];
    const row = (own: number) => at(own, left) * (1 - (x - left)) + at(own, right) * (x - left);
    return row(top) * (1 - (y - top)) + row(bottom) * (y - top);
  });
}

/** The box around a digit's ink, relative to its corner; undefined where there is none. */
function inkBox(digit: Float32Array, side: number): Omit<ClassBox, 'label'> | undefined {
  let [left, top, right, bottom] = [side, side, 0, 0];
  digit.forEach((value, i) => {
    if (value <= INK) return;
    const [y, x] = [Math.floor(i / side), i % side];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  });
  return right > left ? { left, top, right, bottom } : undefined;
}

/** Draws a canvas. */
function drawCanvas(digits: LabelledImages, { most, overlapping }: CanvasKind, name: string, random: Random): Canvas {
  const planes = new Uint8Array(CANVAS * CANVAS);
  const wanted = 1 + random.integer(most);
  const boxes: ClassBox[] = [];
  for (let tries = 0; boxes.length < wanted && tries < TRIES * wanted; tries++) {
    const image = random.integer(digits.count);
    const side = SIZES[0] + random.integer(SIZES[1] - SIZES[0] + 1);
    const [top, left] = [random.integer(CANVAS - side + 1), random.integer(CANVAS - side + 1)];
    const digit = scaledImage(digits, image, side, MARGIN);
    const ink = inkBox(digit, side);
    if (!ink) continue;
    const box = {
      ...{ left: ink.left + left, right: ink.right + left, top: ink.top + top, bottom: ink.bottom + top },
      label: digits.labels[image] as number,
    };
    if (!overlapping && boxes.some((other) => intersectionOverUnion(other, box) > MOST_OVERLAP)) continue;
    boxes.push(box);
    digit.forEach((value, i) => {
      const at = (top + Math.floor(i / side)) * CANVAS + left + (i % side);
      planes[at] = Math.max(planes[at] as number, Math.round(value));
    });
  }
  const points = Float32Array.from(
    boxes.flatMap(({ left, right, top, bottom }) => [(left + right) / 2, (top + bottom) / 2]),
  );
  return { name, height: CANVAS, width: CANVAS, planes, points, boxes };
}

/** Draws canvases with the digits of some images. */
export function drawCanvases(digits: LabelledImages, count: number, kind: CanvasKind, random: Random): Canvas[] {
  return Array.from({ length: count }, (_, i) => drawCanvas(digits, kind, `canvas ${i}`, random.split(i)));
}

/** How many canvases there are of each part. */
export interface CanvasCounts {
  readonly images: number;
  readonly validation: number;
  readonly tests: number;
}

/**
 * Canvases with digits of the training images to train on and to choose on, those of the last tenth
 * apart, and with digits of the test images to test on.
 */
export function canvasData(
  { train, test }: ImageDataset,
  { images, validation, tests }: CanvasCounts,
  kind: CanvasKind,
): CanvasData {
  const random = new Random(0).split('canvases');
  const kept = Math.floor(0.9 * train.count);
  const size = train.height * train.width;
  const held = {
    ...train,
    count: train.count - kept,
    pixels: train.pixels.subarray(kept * size),
    labels: train.labels.subarray(kept),
  };
  const canvases = drawCanvases({ ...train, count: kept }, images, kind, random.split('train'));
  return {
    train: canvases,
    validation: drawCanvases(held, validation, kind, random.split('validation')),
    test: drawCanvases(test, tests, kind, random.split('test')),
    ...pixelStatistics(canvases, 1),
  };
}
