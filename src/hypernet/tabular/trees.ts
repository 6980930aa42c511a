// Decision trees on binned columns, shared by forests and boosting.
//
// Each column is cut into at most 256 bins, exactly where it has no more values than that (so for all tables of up to 256 rows); a split then reads a histogram in place of sorted values.

import type { Rows } from './features.js';

const BINS = 256;

export interface BinnedRows {
  readonly count: number;
  /** Column after column, a byte a row. */
  readonly codes: Uint8Array;
  /** For each column the value below which codes of at most i lie: halfway between neighbours. */
  readonly edges: readonly Float32Array[];
}

export function binRows({ count, width, values }: Rows): BinnedRows {
  const codes = new Uint8Array(count * width);
  const edges = Array.from({ length: width }, (_, column) => {
    const own = Float32Array.from({ length: count }, (_, row) => values[row * width + column] as number);
    const sorted = own.slice().sort();
    const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
    const cuts =
      distinct.length <= BINS
        ? distinct.subarray(0, distinct.length - 1).map((value, i) => (value + (distinct[i + 1] as number)) / 2)
        : quantiles(sorted);
    for (let row = 0; row < count; row++) codes[column * count + row] = place(cuts, own[row] as number);
    return cuts;
  });
  return { count, codes, edges };
}

function quantiles(sorted: Float32Array): Float32Array {
  const cuts = Float32Array.from(
    { length: BINS - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)] as number,
  );
  return cuts.filter((value, i) => i === 0 || value !== cuts[i - 1]);
}

/** Number of cuts below a value. */
function place(cuts: Float32Array, value: number): number {
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cuts[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a tree is grown for: sums of `size` numbers over the rows of a node, how good they are, and what a leaf says. */
export interface Objective {
  readonly size: number;
  /** Adds a row's numbers to sums[at …]. */
  add(sums: Float64Array, at: number, row: number): void;
  /** Larger is better; the gain of a split is score(left) + score(right) − score(node). */
  score(sums: Float64Array, at: number): number;
  /** Whether a side may stand alone. */
  admits(sums: Float64Array, at: number): boolean;
  leaf(sums: Float64Array): readonly number[];
}

/** Nodes in arrays: feature −1 marks a leaf, whose outputs are at `leaf`. */
export interface Tree {
  readonly features: Int32Array;
  readonly thresholds: Float32Array;
  /** Left child; the right one follows it. For a leaf its number. */
  readonly children: Int32Array;
  /** Outputs of leaves, one leaf after another. */
  readonly leaves: Float32Array;
}

export interface GrowthOptions {
  readonly maximumDepth: number;
  /** Columns tried at a node. */
  readonly tried: () => ArrayLike<number>;
  readonly leastGain: number;
}

export function growTree(binned: BinnedRows, rows: Int32Array, objective: Objective, options: GrowthOptions): Tree {
  const [features, thresholds, children, leaves]: [number[], number[], number[], number[]] = [[], [], [], []];
  const histogram = new Float64Array(BINS * objective.size);
  const reserve = () => {
    features.push(-1);
    thresholds.push(0);
    return children.push(0) - 1;
  };
  const pending = [{ node: reserve(), rows, depth: 0 }];
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    const { node, rows: own, depth } = entry;
    const sums = new Float64Array(objective.size);
    for (const row of own) objective.add(sums, 0, row);
    const split =
      depth < options.maximumDepth ? bestSplit(binned, own, sums, objective, options, histogram) : undefined;
    if (!split) {
      const outputs = objective.leaf(sums);
      children[node] = leaves.length / outputs.length;
      leaves.push(...outputs);
      continue;
    }
    const { column, bin } = split;
    features[node] = column;
    thresholds[node] = binned.edges[column]?.[bin] as number;
    const left = reserve();
    const right = reserve();
    children[node] = left;
    const goesLeft = (row: number) => (binned.codes[column * binned.count + row] as number) <= bin;
    pending.push(
      { node: right, rows: own.filter((row) => !goesLeft(row)), depth: depth + 1 },
      { node: left, rows: own.filter(goesLeft), depth: depth + 1 },
    );
  }
  return {
    features: Int32Array.from(features),
    thresholds: Float32Array.from(thresholds),
    children: Int32Array.from(children),
    leaves: Float32Array.from(leaves),
  };
}

function bestSplit(
  { codes, count, edges }: BinnedRows,
  rows: Int32Array,
  sums: Float64Array,
  objective: Objective,
  { tried, leastGain }: GrowthOptions,
  histogram: Float64Array,
): { readonly column: number; readonly bin: number } | undefined {
  const { size } = objective;
  const whole = objective.score(sums, 0);
  const sides = new Float64Array(2 * size);
  let best: { column: number; bin: number } | undefined;
  let most = leastGain;
  const columns = tried();
  for (let c = 0; c < columns.length; c++) {
    const column = columns[c] as number;
    const bins = (edges[column]?.length as number) + 1;
    if (bins === 1) continue;
    histogram.fill(0, 0, bins * size);
    for (const row of rows) objective.add(histogram, (codes[column * count + row] as number) * size, row);
    sides.fill(0);
    sides.set(sums, size);
    for (let bin = 0; bin + 1 < bins; bin++) {
      for (let s = 0; s < size; s++) {
        const moved = histogram[bin * size + s] as number;
        sides[s] = (sides[s] as number) + moved;
        sides[size + s] = (sides[size + s] as number) - moved;
      }
      if (!objective.admits(sides, 0)) continue;
      if (!objective.admits(sides, size)) break;
      const gain = objective.score(sides, 0) + objective.score(sides, size) - whole;
      if (gain > most) {
        most = gain;
        best = { column, bin };
      }
    }
  }
  return best;
}

/** Adds factor·(outputs of the leaf that each row reaches) to totals [rows, outputs]. */
export function addTree(
  tree: Tree,
  { count, width, values }: Rows,
  totals: Float64Array,
  outputs: number,
  factor: number,
  offset = 0,
  stride = outputs,
): void {
  const { features, thresholds, children, leaves } = tree;
  for (let row = 0; row < count; row++) {
    let node = 0;
    for (let feature = features[0] as number; feature >= 0; feature = features[node] as number) {
      const left = children[node] as number;
      node = (values[row * width + feature] as number) <= (thresholds[node] as number) ? left : left + 1;
    }
    const leaf = (children[node] as number) * outputs;
    for (let o = 0; o < outputs; o++) {
      const at = row * stride + offset + o;
      totals[at] = (totals[at] as number) + factor * (leaves[leaf + o] as number);
    }
  }
}
