// How long a binary layer takes on this machine: direct, by its tree, and packed row by row.

import { secondsInTurns } from '../../engine/index.js';
import { BitMatrix, PlaneConvolution, PlaneGrid, type PlaneMap, signPlanes } from '../../quantized/index.js';
import { keep, Random, reshape, scope, type Tensor, tensor } from '../../tensor/index.js';

/** Milliseconds of a layer, the least of some turns. */
export interface LayerTimes {
  /** Every channel in full, on planes of bits. */
  readonly direct: number;
  /** Along the tree, on planes of bits. */
  readonly tree: number;
  /** By exclusive or and counting of packed rows, which lie ready. */
  readonly rows: number;
}

/** Options of `layerTimes`. */
export interface LayerTimesOptions {
  /** Side of the square map that is made. Default: 32, 1024 pixels. */
  readonly side?: number;
  /** Images of a batch. Default: 1. */
  readonly images?: number;
  /** Turns that count. Default: 9. */
  readonly repeats?: number;
}

/**
 * Times a layer of weights [N, C, k, k], whose signs count, with a parent's code for each channel.
 * Signs follow the sums, as between two binary layers.
 */
export async function layerTimes(
  weight: Tensor,
  codes: ArrayLike<number>,
  { side = 32, images = 1, repeats = 9 }: LayerTimesOptions = {},
): Promise<LayerTimes> {
  const [filters = 0, channels = 0, kernel = 0] = weight.shape;
  const map: PlaneMap = { size: [side, side], phases: 1 };
  const grid = new PlaneGrid(images, map, kernel);
  const random = new Random(0);
  const taps = channels * kernel ** 2;
  const made: Tensor[] = [];
  const held = (make: () => Tensor) => {
    const result = keep(scope(make));
    made.push(result);
    return result;
  };
  const planes = held(() => signPlanes(random.normal([images, channels, side, side]), grid, 1));
  const thresholds = Array.from({ length: filters }, () => ({ least: 0, turned: false }));
  const convolution = (parents: ArrayLike<number>) => new PlaneConvolution({ weight, parents, map, grid, thresholds });
  const [direct, tree] = [new Int32Array(filters).fill(-1), codes].map(convolution) as [
    PlaneConvolution,
    PlaneConvolution,
  ];
  const pixels = scope(() => BitMatrix.fromSigns(random.normal([images * side * side, taps])).keep());
  const rows = scope(() => BitMatrix.fromSigns(reshape(weight, [filters, taps])).keep());
  const seconds = await secondsInTurns(
    {
      direct: () => scope(() => void direct.forward(planes)),
      tree: () => scope(() => void tree.forward(planes)),
      rows: () => scope(() => void pixels.multiplyTransposed(rows)),
    },
    { repeats, warmUp: 3 },
  );
  for (const one of [direct, tree]) one.dispose();
  for (const one of [...made, pixels.bits, rows.bits]) one.dispose();
  return { direct: 1000 * seconds.direct, tree: 1000 * seconds.tree, rows: 1000 * seconds.rows };
}

/**
 * Weights of any binary layer as filters [N, C, k, k]: a linear layer, and filters that are no odd
 * squares, count as 1×1 filters, which takes as long.
 */
export function filtersOf({
  shape,
  values,
}: {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}): Tensor {
  const [filters = 0, channels = 0, kernel = 1, width = 1] = shape;
  const square = kernel === width && kernel % 2 === 1;
  const own = square ? [filters, channels, kernel, width] : [filters, channels * kernel * width, 1, 1];
  return tensor(Float32Array.from(values), own);
}
