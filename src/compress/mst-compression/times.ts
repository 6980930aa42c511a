// How long a binary layer takes on this machine: direct, by its tree, and packed row by row.

import { secondsInTurns } from '../../engine/index.js';
import {
  BitMatrix,
  PlaneConvolution,
  PlaneGrid,
  type PlaneMap,
  type PlaneSchedule,
  signPlanes,
} from '../../quantized/index.js';
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

/** Options of `layerTimes` and `orderTimes`. */
export interface LayerTimesOptions {
  /** Side of the square map that is made. Default: 32, 1024 pixels. */
  readonly side?: number;
  /** Images of a batch. Default: 1. */
  readonly images?: number;
  /** Turns that count. Default: 9. */
  readonly repeats?: number;
}

/** An order of channels that is timed. */
export interface TimedOrder {
  /** A parent's code for each channel, as `parentOf` reads it. */
  readonly codes: ArrayLike<number>;
  /** How threads share the work. Default: `pixels`. */
  readonly schedule?: PlaneSchedule;
}

/**
 * Times a layer of weights [N, C, k, k], whose signs count, in several orders of its channels and,
 * as `rows`, as a product of packed rows: milliseconds, the least of some turns. Signs follow the
 * sums, as between two binary layers.
 */
export async function orderTimes<Name extends string>(
  weight: Tensor,
  orders: Readonly<Record<Name, TimedOrder>>,
  { side = 32, images = 1, repeats = 9 }: LayerTimesOptions = {},
): Promise<Record<Name | 'rows', number>> {
  const [filters = 0, channels = 0, kernel = 0] = weight.shape;
  const map: PlaneMap = { size: [side, side], phases: 1 };
  const grid = new PlaneGrid(images, map, kernel);
  const random = new Random(0);
  const taps = channels * kernel ** 2;
  const planes = keep(scope(() => signPlanes(random.normal([images, channels, side, side]), grid, 1)));
  const thresholds = Array.from({ length: filters }, () => ({ least: 0, turned: false }));
  const convolutions = (Object.entries(orders) as [Name, TimedOrder][]).map(
    ([name, { codes, schedule = 'pixels' }]) => {
      return [name, new PlaneConvolution({ weight, parents: codes, map, grid, thresholds, schedule })] as const;
    },
  );
  const pixels = scope(() => BitMatrix.fromSigns(random.normal([images * side * side, taps])).keep());
  const rows = scope(() => BitMatrix.fromSigns(reshape(weight, [filters, taps])).keep());
  const arms: Record<string, () => void> = {
    rows: () => scope(() => void pixels.multiplyTransposed(rows)),
  };
  for (const [name, convolution] of convolutions) arms[name] = () => scope(() => void convolution.forward(planes));
  const seconds = await secondsInTurns(arms, { repeats, warmUp: 3 });
  for (const [, convolution] of convolutions) convolution.dispose();
  for (const one of [planes, pixels.bits, rows.bits]) one.dispose();
  const milliseconds = Object.entries(seconds).map(([name, time]) => [name, 1000 * time]);
  return Object.fromEntries(milliseconds) as Record<Name | 'rows', number>;
}

/** Times a layer in full, along the tree of the given parents' codes, and packed row by row. */
export function layerTimes(
  weight: Tensor,
  codes: ArrayLike<number>,
  options: LayerTimesOptions = {},
): Promise<LayerTimes> {
  const direct = { codes: new Int32Array(codes.length).fill(-1) };
  return orderTimes(weight, { direct, tree: { codes } }, options);
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
