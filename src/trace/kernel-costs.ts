// The cost model of a machine: how long a layer takes, dense or sparse, by its multiply-adds and
// the elements that it moves, fitted to a few timed layers. It answers in no time what a pruned
// network would gain here.

import { conv2d, linear, Random, type Tensor } from '../tensor/index.js';
import { fuse, pixelsAsRows } from './fuse.js';
import { trace } from './graph.js';
import type { LayerOperator, Product, SparseForm } from './sparse-forms.js';
import { formsOf, productOf } from './sparse-forms.js';
import { type LayerWork, race, workOf } from './sparse-race.js';

/** Milliseconds of layers on one machine. */
export interface KernelCosts {
  /** A layer on its dense kernel. */
  readonly dense: (operator: LayerOperator, work: LayerWork) => number;
  /** A layer in a sparse form. */
  readonly sparse: (form: Pick<SparseForm, 'kernel' | 'height'>, work: LayerWork) => number;
}

/** Milliseconds = a + b·(multiply-adds) + c·(elements moved). */
export type CostLine = readonly [a: number, b: number, c: number];

/** A timed layer. */
export interface TimedWork extends LayerWork {
  /** Milliseconds of one run. */
  readonly milliseconds: number;
}

/**
 * The line through timed layers with the least squared relative error and no negative coefficient:
 * that of the best subset of its three terms.
 */
export function fitCosts(timed: readonly TimedWork[]): CostLine {
  const rows = timed.map(({ multiplyAdds, moved, milliseconds }) => [
    1 / milliseconds,
    multiplyAdds / milliseconds,
    moved / milliseconds,
  ]);
  let best: { line: CostLine; error: number } | undefined;
  for (let subset = 1; subset < 8; subset++) {
    const used = [0, 1, 2].filter((term) => (subset >> term) & 1);
    const found = solve(
      used.map((i) => used.map((j) => rows.reduce((sum, row) => sum + (row[i] as number) * (row[j] as number), 0))),
      used.map((i) => rows.reduce((sum, row) => sum + (row[i] as number), 0)),
    );
    if (!found || found.some((value) => !(value >= 0))) continue;
    const line = [0, 0, 0];
    used.forEach((term, i) => {
      line[term] = found[i] as number;
    });
    const error = rows.reduce(
      (sum, row) => sum + (row.reduce((total, value, i) => total + value * (line[i] as number), 0) - 1) ** 2,
      0,
    );
    if (!best || error < best.error) best = { line: line as unknown as CostLine, error };
  }
  if (!best) throw new Error(`fitCosts: ${timed.length} timed layers determine no costs`);
  return best.line;
}

/** Solves a small system by elimination with pivots; undefined where it is singular. */
function solve(matrix: number[][], right: number[]): number[] | undefined {
  const n = right.length;
  // Terms differ by many orders of magnitude: rows and columns are scaled to a unit diagonal.
  const scale = matrix.map((row, i) => 1 / Math.sqrt(row[i] as number));
  const a = matrix.map((row, i) => [
    ...row.map((value, j) => value * (scale[i] as number) * (scale[j] as number)),
    (right[i] as number) * (scale[i] as number),
  ]);
  for (let column = 0; column < n; column++) {
    const pivot = a.slice(column).reduce((most, row, i) => {
      return Math.abs(row[column] as number) > Math.abs((a[most] as number[])[column] as number) ? column + i : most;
    }, column);
    [a[column], a[pivot]] = [a[pivot] as number[], a[column] as number[]];
    const own = a[column] as number[];
    if (!(Math.abs(own[column] as number) > 1e-9)) return undefined;
    for (const row of a) {
      if (row === own) continue;
      const factor = (row[column] as number) / (own[column] as number);
      for (let j = column; j <= n; j++) row[j] = (row[j] as number) - factor * (own[j] as number);
    }
  }
  return a.map((row, i) => ((row[n] as number) / (row[i] as number)) * (scale[i] as number));
}

/** Sizes of layers that are timed, by operator: side of the image, inputs, outputs, kernel. */
const samples: Readonly<Record<Exclude<LayerOperator, 'grouped'>, readonly (readonly number[])[]>> = {
  pointwise: [
    [7, 256, 256, 1],
    [14, 96, 128, 1],
    [28, 64, 64, 1],
    [56, 16, 32, 1],
  ],
  convolution: [
    [7, 96, 64, 3],
    [14, 32, 64, 3],
    [28, 16, 16, 3],
    [14, 16, 16, 5],
  ],
  depthwise: [
    [7, 256, 256, 3],
    [14, 96, 96, 3],
    [28, 64, 64, 3],
    [56, 16, 16, 3],
  ],
  linear: [
    [1, 256, 256, 1],
    [1, 1024, 128, 1],
    [1, 512, 1000, 1],
  ],
};

/** Shares of zeros of the layers that are timed, in turn. */
const shares = [0.3, 0.7] as const;
/** Heights of blocks that are timed; 8 has a kernel of its own. */
const heights = [1, 2, 4, 8] as const;

/** A weight with a share of its units zero, in blocks of `height` output channels. */
function prunedWeight(shape: readonly number[], height: number, share: number, random: Random): Tensor {
  const weight = random.normal(shape);
  const inner = weight.size / (shape[0] as number);
  const width = shape.length === 4 && (shape[1] as number) > 1 ? (shape[2] as number) * (shape[3] as number) : 1;
  const across = inner / width;
  const kept = Array.from({ length: Math.ceil((shape[0] as number) / height) * across }, () => random.float() >= share);
  weight.assign(
    weight
      .dataSync()
      .map((value, i) =>
        kept[Math.floor(Math.floor(i / inner) / height) * across + Math.floor((i % inner) / width)] ? value : 0,
      ),
  );
  return weight;
}

/** Runs `use` on a layer as it stands in plans. */
function withLayer<T>(
  operator: LayerOperator,
  sample: readonly number[],
  weight: Tensor,
  use: (layer: Product) => T,
): T {
  const [side, inputs, , kernel] = sample as [number, number, number, number];
  const random = new Random(5);
  const x = operator === 'linear' ? random.normal([1, inputs]) : random.normal([1, inputs, side, side]);
  const groups = operator === 'depthwise' ? inputs : 1;
  const layer = (input: Tensor) =>
    operator === 'linear' ? linear(input, weight) : conv2d(input, weight, undefined, { padding: kernel >> 1, groups });
  return trace(layer, [x], {}, (graph) => {
    const [found] = pixelsAsRows(fuse(graph)).nodes.flatMap((node) => productOf(node) ?? []);
    return use(found as Product);
  });
}

/**
 * Times a few layers on this machine, for about a second, and fits the costs of its kernels. It
 * uses as many threads as are set.
 */
export function calibrateKernels(): KernelCosts {
  const timed = new Map<string, TimedWork[]>();
  const note = (key: string, work: LayerWork, milliseconds: number) =>
    timed.set(key, [...(timed.get(key) ?? []), { ...work, milliseconds: Math.max(1e-6, milliseconds) }]);
  const random = new Random(7);
  for (const [operator, sizes] of Object.entries(samples) as [keyof typeof samples, (typeof samples)['linear']][])
    for (const [at, sample] of sizes.entries())
      for (const [i, height] of (operator === 'depthwise' ? ([4] as const) : heights).entries()) {
        const [, inputs, outputs, kernel] = sample as [number, number, number, number];
        const inGroup = operator === 'depthwise' ? 1 : inputs;
        const shape = operator === 'linear' ? [outputs, inputs] : [outputs, inGroup, kernel, kernel];
        const weight = prunedWeight(shape, height, shares[(at + i) % shares.length] as number, random);
        withLayer(operator, sample, weight, (layer) => {
          const forms = formsOf(layer);
          const times = race(layer, forms);
          note(operator, workOf(layer), times.dense);
          for (const [form, time] of forms.map((own, f) => [own, times.sparse[f] as number] as const))
            note(keyOf(form), workOf(layer, form), time);
        });
        weight.dispose();
      }
  const lines = new Map([...timed].map(([key, own]) => [key, fitCosts(own)]));
  const at = (key: string, { multiplyAdds, moved }: LayerWork) => {
    const [a, b, c] = lines.get(key) ?? ([0, 0, 0] as const);
    return a + b * multiplyAdds + c * moved;
  };
  return {
    // Grouped convolutions run as ordinary ones, group by group.
    dense: (operator, work) => at(operator === 'grouped' ? 'convolution' : operator, work),
    sparse: (form, work) => at(keyOf(form), work),
  };
}

function keyOf({ kernel, height }: Pick<SparseForm, 'kernel' | 'height'>): string {
  return kernel === 'taps' ? kernel : `${kernel} ${height}`;
}
