// Anchors: boxes of fixed sizes at every pixel of a map, which a detector moves and names.

import { type Box, type ClassBox, intersectionOverUnion } from '../../models/index.js';

/**
 * Square anchors of an image: for each stride, row, column and side, in this order, centred in the
 * cell of the map of ⌈height/stride⌉ × ⌈width/stride⌉.
 *
 * @param size height and width in pixels
 * @param sides in pixels
 */
export function anchorsOf(
  [height, width]: readonly [number, number],
  strides: readonly number[],
  sides: readonly number[],
): Box[] {
  return strides.flatMap((stride) => {
    const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
    return Array.from({ length: rows * columns }, (_, at) => {
      const [x, y] = [stride * ((at % columns) + 0.5), stride * (Math.floor(at / columns) + 0.5)];
      return sides.map((side) => ({
        left: x - side / 2,
        top: y - side / 2,
        right: x + side / 2,
        bottom: y + side / 2,
      }));
    }).flat();
  });
}

/** Overlap from which an anchor has a box, and below which it has none; between, it is ignored. */
const [FOREGROUND, BACKGROUND] = [0.5, 0.4];
/** What an anchor has that has no box, and one that is ignored. */
export const [NO_BOX, IGNORED] = [-1, -2];

/**
 * For each anchor the number of the box that it should find: the one that it overlaps most, by at
 * least 0.5; −1 below 0.4, −2 between. Each box also has the anchor that overlaps it most.
 */
export function matchAnchors(anchors: readonly Box[], boxes: readonly ClassBox[]): Int32Array {
  const matches = new Int32Array(anchors.length).fill(NO_BOX);
  const best = boxes.map(() => ({ overlap: 0, anchor: -1 }));
  anchors.forEach((anchor, at) => {
    let [most, number] = [0, -1];
    boxes.forEach((box, own) => {
      const overlap = intersectionOverUnion(anchor, box);
      if (overlap > most) [most, number] = [overlap, own];
      if (overlap > (best[own] as { overlap: number }).overlap) best[own] = { overlap, anchor: at };
    });
    if (most >= FOREGROUND) matches[at] = number;
    else if (most >= BACKGROUND) matches[at] = IGNORED;
  });
  best.forEach(({ anchor }, own) => {
    if (anchor >= 0) matches[anchor] = own;
  });
  return matches;
}

const centre = ({ left, top, right, bottom }: Box) => [(left + right) / 2, (top + bottom) / 2] as const;

/**
 * What moves an anchor to a box: centres in sizes of the anchor, logarithms of the ratios of sizes.
 */
export function encodeBox(anchor: Box, box: Box): [dx: number, dy: number, dw: number, dh: number] {
  const [width, height] = [anchor.right - anchor.left, anchor.bottom - anchor.top];
  const [[ax, ay], [bx, by]] = [centre(anchor), centre(box)];
  return [
    (bx - ax) / width,
    (by - ay) / height,
    Math.log((box.right - box.left) / width),
    Math.log((box.bottom - box.top) / height),
  ];
}

/** Largest logarithm of a ratio of sizes. */
const LARGEST = Math.log(1000 / 16);

/** The inverse of `encodeBox`; boxes grow at most 62-fold. */
export function decodeBox(anchor: Box, [dx, dy, dw, dh]: readonly [number, number, number, number]): Box {
  const [width, height] = [anchor.right - anchor.left, anchor.bottom - anchor.top];
  const [ax, ay] = centre(anchor);
  const [x, y] = [ax + dx * width, ay + dy * height];
  const [halfWidth, halfHeight] = [
    (width * Math.exp(Math.min(dw, LARGEST))) / 2,
    (height * Math.exp(Math.min(dh, LARGEST))) / 2,
  ];
  return { left: x - halfWidth, top: y - halfHeight, right: x + halfWidth, bottom: y + halfHeight };
}
