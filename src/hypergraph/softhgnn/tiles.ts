// Tiles of pictures of any size, as a counter reads them.

import type { CountedPicture, ImageDataset } from '../../data/index.js';
import { type Tensor, tensor } from '../../tensor/index.js';
import { CELL } from './counter.js';

/**
 * A square of a picture, by its upper left corner in pixels; what lies outside is the mean colour.
 */
export interface Tile {
  /** Pixels and size. */
  readonly picture: Pick<CountedPicture, 'height' | 'width' | 'planes'>;
  /** Pixels from the top. */
  readonly top: number;
  /** Pixels from the left. */
  readonly left: number;
  /** Whether left and right change places. Default: false. */
  readonly flipped?: boolean;
}

/** Pixels of a side in whole cells. */
const cells = (side: number) => Math.ceil(side / CELL);

/** Beginnings of tiles that cover a side; the last one ends with the side. */
function startsOf(side: number, tile: number): number[] {
  const whole = cells(side) * CELL;
  if (whole <= tile) return [0];
  return Array.from({ length: Math.ceil(whole / tile) }, (_, i) => Math.min(i * tile, whole - tile));
}

/** The tiles that cover a picture. */
export function tilesOf(picture: Tile['picture'], side: number): Tile[] {
  const lefts = startsOf(picture.width, side);
  return startsOf(picture.height, side).flatMap((top) => lefts.map((left) => ({ picture, top, left })));
}

/** Tiles as normalised input [tiles, channels, side, side]. */
export function tileTensor(
  tiles: readonly Tile[],
  side: number,
  { mean, deviation }: Pick<ImageDataset, 'mean' | 'deviation'>,
): Tensor {
  const channels = mean.length;
  const values = new Float32Array(tiles.length * channels * side * side);
  tiles.forEach(({ picture, top, left, flipped = false }, i) => {
    const { height, width, planes } = picture;
    const [rows, columns] = [Math.min(side, height - top), Math.min(side, width - left)];
    for (let channel = 0; channel < channels; channel++) {
      const [shift, scale] = [mean[channel] as number, 1 / (deviation[channel] as number)];
      for (let y = 0; y < rows; y++) {
        const from = (channel * height + top + y) * width + left;
        const to = ((i * channels + channel) * side + y) * side;
        for (let x = 0; x < columns; x++)
          values[to + (flipped ? side - 1 - x : x)] = ((planes[from + x] as number) / 255 - shift) * scale;
      }
    }
  });
  return tensor(values, [tiles.length, channels, side, side]);
}

/** How many points of a picture lie in each cell of a tile: [side/8, side/8] of each tile. */
export function cellCounts(
  tiles: readonly (Tile & { readonly picture: CountedPicture })[],
  side: number,
): Float32Array {
  const across = side / CELL;
  const counts = new Float32Array(tiles.length * across * across);
  tiles.forEach(({ picture, top, left, flipped = false }, i) => {
    const { height, width, points } = picture;
    for (let p = 0; p < points.length; p += 2) {
      // A place on the right or lower edge belongs to the last pixel.
      const [x, y] = [
        Math.min(points[p] as number, width - 1) - left,
        Math.min(points[p + 1] as number, height - 1) - top,
      ];
      if (x < 0 || x >= side || y < 0 || y >= side) continue;
      const column = Math.floor((flipped ? side - 1 - Math.floor(x) : x) / CELL);
      const at = (i * across + Math.floor(y / CELL)) * across + column;
      counts[at] = (counts[at] as number) + 1;
    }
  });
  return counts;
}

/** A density over a picture: [rows, columns], row-major, cells of 8×8 pixels. */
export interface DensityMap {
  /** Cells from top to bottom. */
  readonly rows: number;
  /** Cells from left to right. */
  readonly columns: number;
  /** Things in each cell. */
  readonly values: Float32Array;
}

/** The densities of a picture's tiles in one map; where tiles overlap the first one counts. */
export function joinedDensity(
  { height, width }: Tile['picture'],
  tiles: readonly Tile[],
  densities: readonly Float32Array[],
  side: number,
): DensityMap {
  const [rows, columns, across] = [cells(height), cells(width), side / CELL];
  const values = new Float32Array(rows * columns).fill(Number.NaN);
  tiles.forEach(({ top, left }, i) => {
    for (let row = 0; row < across; row++)
      for (let column = 0; column < across; column++) {
        const [y, x] = [top / CELL + row, left / CELL + column];
        if (y < rows && x < columns && Number.isNaN(values[y * columns + x] as number))
          values[y * columns + x] = (densities[i] as Float32Array)[row * across + column] as number;
      }
  });
  return { rows, columns, values };
}
