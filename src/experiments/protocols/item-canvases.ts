// Canvases of twice the side of some images, with a few of these in them at random sizes and places
// over faint noise: to find, and to tell pixel by pixel.

import type { LabelledImages } from '../../data/index.js';
import { type ClassBox, intersectionOverUnion } from '../../models/index.js';
import type { Random } from '../../tensor/index.js';
import { scaledImage } from './digit-canvases.js';
import type { Canvases } from './pasted-images.js';

/** Fewest and most items of a canvas. */
const ITEMS = [2, 4] as const;
/** Least and largest scale of an item. */
const SCALES = [0.6, 1] as const;
/** Most overlap of two boxes. */
const MOST_OVERLAP = 0.2;
/** Largest intensity of the noise, of 255. */
const NOISE = 25;
/** Brighter pixels are of the item's class, the others background. */
const INK = 64;
/** Places that are tried for an item. */
const TRIES = 50;

/** Canvases with the box of each item, the square of its image. */
export interface ItemCanvases extends Canvases {
  /** Boxes of each canvas. */
  readonly boxes: readonly (readonly ClassBox[])[];
}

/**
 * Draws canvases from images; the background is the class after the last.
 *
 * @throws Error unless the images are grey
 */
export function itemCanvases(from: LabelledImages, count: number, classes: number, random: Random): ItemCanvases {
  if (from.channels !== 1)
    throw new Error(
      `itemCanvases: images must be grey, got ${from.channels} channels; set canvases=0 leaves canvases out`,
    );
  const side = 2 * from.height;
  const size = side * side;
  const pixels = new Uint8Array(count * size);
  const pixelLabels = new Int32Array(count * size).fill(classes);
  const boxes = Array.from({ length: count }, (_, canvas) => {
    const own = random.split(canvas);
    const plane = pixels.subarray(canvas * size, (canvas + 1) * size);
    for (let at = 0; at < size; at++) plane[at] = own.integer(NOISE + 1);
    const placed = places(from, side, own);
    for (const { image, box } of placed) {
      const width = box.right - box.left;
      scaledImage(from, image, width).forEach((value, i) => {
        const at = (box.top + Math.floor(i / width)) * side + box.left + (i % width);
        plane[at] = Math.max(plane[at] as number, Math.round(value));
        if (value > INK) pixelLabels[canvas * size + at] = box.label;
      });
    }
    return placed.map(({ box }) => box);
  });
  const images = { count, channels: 1, height: side, width: side, pixels, labels: new Int32Array(count) };
  return { images, pixelLabels, boxes };
}

/** Items with boxes that hardly overlap. */
function places(from: LabelledImages, side: number, random: Random): { image: number; box: ClassBox }[] {
  const placed: { image: number; box: ClassBox }[] = [];
  const wanted = ITEMS[0] + random.integer(ITEMS[1] - ITEMS[0] + 1);
  for (let tries = 0; placed.length < wanted && tries < TRIES * wanted; tries++) {
    const image = random.integer(from.count);
    const width = Math.round(from.height * (SCALES[0] + (SCALES[1] - SCALES[0]) * random.float()));
    const [top, left] = [random.integer(side - width + 1), random.integer(side - width + 1)];
    const box = { left, top, right: left + width, bottom: top + width, label: from.labels[image] as number };
    if (placed.every((other) => intersectionOverUnion(other.box, box) < MOST_OVERLAP)) placed.push({ image, box });
  }
  return placed;
}
