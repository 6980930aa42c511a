// Decision trees on binned columns, shared by forests and boosting: splits are found on histograms
// instead of sorted values.

import { scope } from '../../tensor/index.js';
import { BINS, type BinnedRows } from './bins.js';
import type { Rows } from './features.js';
import { NodeHistograms, type Split } from './histograms.js';
import { NodeRows } from './node-rows.js';
import type { Objective } from './objectives.js';

/** A binary decision tree as arrays over nodes; the root is node 0. */
export interface Tree {
  /** Split column of each node, −1 for a leaf. */
  readonly features: Int32Array;
  /** Split threshold of each node: values ≤ threshold go left. */
  readonly thresholds: Float32Array;
  /**
   * Left child of each node, which the right child follows; for a leaf, its index into `leaves`.
   */
  readonly children: Int32Array;
  /** Outputs of the leaves, concatenated. */
  readonly leaves: Float32Array;
}

/** Limits of tree growth. */
export interface GrowthOptions {
  /** Depth at which nodes become leaves. */
  readonly maximumDepth: number;
  /** The columns tried at all nodes, or draws those of a node. */
  readonly tried: ArrayLike<number> | (() => ArrayLike<number>);
  /** Gain that a split must exceed. */
  readonly leastGain: number;
  /** Called for each leaf with its rows, which the array holds until the next call, and outputs. */
  readonly onLeaf?: (rows: Int32Array, outputs: readonly number[]) => void;
}

/**
 * Grows a tree depth-first, with the split of largest gain at each node.
 *
 * @param rows training rows; repeated indices count as often as they occur
 */
export function growTree(binned: BinnedRows, rows: Int32Array, objective: Objective, options: GrowthOptions): Tree {
  return scope(() => grow(binned, new NodeRows(rows, binned), objective, options));
}

function grow(binned: BinnedRows, rows: NodeRows, objective: Objective, options: GrowthOptions): Tree {
  const [features, thresholds, children, leaves]: [number[], number[], number[], number[]] = [[], [], [], []];
  const { tried, maximumDepth, leastGain, onLeaf } = options;
  const search = new SplitSearch(binned, objective, options);
  const histograms =
    typeof tried !== 'function' && objective.size === 2 ? new NodeHistograms(binned, objective, tried) : undefined;
  const isLarge = (count: number) => histograms !== undefined && count >= histograms.leastRows;
  const reserve = () => {
    features.push(-1);
    thresholds.push(0);
    return children.push(0) - 1;
  };
  const whole = isLarge(rows.count) && maximumDepth > 0 ? histograms?.of(rows.order, 0, rows.count) : undefined;
  const pending = [{ node: reserve(), from: 0, to: rows.count, depth: 0, histogram: whole }];
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    const { node, from, to, depth, histogram } = entry;
    const own = rows.of(from, to);
    const isSearched = !histogram && depth < maximumDepth;
    const sums = (histogram && histograms?.sumsOf(histogram)) ?? search.sumsOf(own, isSearched);
    let split: Split | undefined;
    if (histogram) split = histograms?.best(histogram, sums, leastGain);
    else if (isSearched) split = search.best(own, sums);
    if (!split) {
      if (histogram) histograms?.release(histogram);
      const outputs = objective.leaf(sums);
      children[node] = leaves.length / outputs.length;
      leaves.push(...outputs);
      onLeaf?.(own, outputs);
      continue;
    }
    const { column, bin } = split;
    features[node] = column;
    thresholds[node] = binned.edges[column]?.[bin] as number;
    const left = reserve();
    children[node] = left;
    const right = reserve();
    const middle = from + rows.split(from, to, column, bin);
    const isCounted = depth + 1 < maximumDepth && isLarge(Math.max(middle - from, to - middle));
    const [ofLeft, ofRight] =
      (histogram && isCounted && histograms?.ofChildren(histogram, rows.order, from, middle, to)) || [];
    if (histogram && !isCounted) histograms?.release(histogram);
    pending.push(
      { node: right, from: middle, to, depth: depth + 1, histogram: ofRight },
      { node: left, from, to: middle, depth: depth + 1, histogram: ofLeft },
    );
  }
  return {
    features: Int32Array.from(features),
    thresholds: Float32Array.from(thresholds),
    children: Int32Array.from(children),
    leaves: Float32Array.from(leaves),
  };
}

/**
 * Sorts the occupied bins: many by a scan over all bins, few by insertion sort; both are faster
 * than the built-in sort.
 */
function ascending(bins: Int32Array, count: number, isMet: Uint8Array): Int32Array {
  if (count > 24) {
    for (let bin = 0, at = 0; at < count; bin++) if (isMet[bin] === 1) bins[at++] = bin;
  } else {
    for (let i = 1; i < count; i++) {
      const bin = bins[i] as number;
      let at = i;
      for (; at > 0 && (bins[at - 1] as number) > bin; at--) bins[at] = bins[at - 1] as number;
      bins[at] = bin;
    }
  }
  return bins.subarray(0, count);
}

/** Finds the best split of a node by histograms. */
class SplitSearch {
  readonly #codes: Uint8Array;
  readonly #histogram: Float64Array;
  /** `column`, `first` and `second` of the objective gathered for the node's rows. */
  readonly #column: Int32Array;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  /** Bins occupied by the node's rows, and a flag for each bin. */
  readonly #met = new Int32Array(BINS);
  readonly #isMet = new Uint8Array(BINS);

  constructor(
    readonly binned: BinnedRows,
    readonly objective: Objective,
    readonly options: GrowthOptions,
  ) {
    this.#codes = binned.codes.view<Uint8Array>();
    this.#histogram = new Float64Array(BINS * objective.size);
    this.#column = new Int32Array(binned.count);
    this.#first = new Float64Array(binned.count);
    this.#second = new Float64Array(binned.count);
  }

  /**
   * The sums of a node's rows; must be called before `best` for the same rows, which are then
   * `isSearched`.
   */
  sumsOf(rows: Int32Array, isSearched: boolean): Float64Array {
    const { size, column, first, second } = this.objective;
    const sums = new Float64Array(size);
    if (!isSearched && size === 2) return bothSums(rows, first, second);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      const at = column[row] as number;
      this.#column[i] = at;
      this.#first[i] = first[row] as number;
      this.#second[i] = second[row] as number;
      sums[at] = (sums[at] as number) + (first[row] as number);
      sums[size - 1] = (sums[size - 1] as number) + (second[row] as number);
    }
    return sums;
  }

  /**
   * Accumulates the histogram of a column.
   *
   * @returns the occupied bins, ascending
   */
  #fill(rows: Int32Array, codes: Uint8Array): Int32Array {
    const { size } = this.objective;
    const histogram = this.#histogram;
    const [column, first, second] = [this.#column, this.#first, this.#second];
    const [met, isMet] = [this.#met, this.#isMet];
    let count = 0;
    for (let i = 0; i < rows.length; i++) {
      const bin = codes[rows[i] as number] as number;
      if (isMet[bin] === 0) {
        isMet[bin] = 1;
        met[count++] = bin;
      }
      const at = bin * size;
      const place = at + (column[i] as number);
      histogram[place] = (histogram[place] as number) + (first[i] as number);
      histogram[at + size - 1] = (histogram[at + size - 1] as number) + (second[i] as number);
    }
    return ascending(met, count, isMet);
  }

  /**
   * The split of largest gain, rows with codes ≤ bin go left; undefined when none exceeds
   * `leastGain`.
   */
  best(rows: Int32Array, sums: Float64Array): Split | undefined {
    const { count, edges } = this.binned;
    const { objective } = this;
    const codes = this.#codes;
    const { size } = objective;
    const whole = objective.score(sums, 0);
    const sides = new Float64Array(2 * size);
    const histogram = this.#histogram;
    let best: { column: number; bin: number } | undefined;
    let most = this.options.leastGain;
    const { tried } = this.options;
    const columns = typeof tried === 'function' ? tried() : tried;
    for (let c = 0; c < columns.length; c++) {
      const column = columns[c] as number;
      if (edges[column]?.length === 0) continue;
      const bins = this.#fill(rows, codes.subarray(column * count, (column + 1) * count));
      sides.fill(0);
      sides.set(sums, size);
      for (let b = 0; b < bins.length; b++) {
        const bin = bins[b] as number;
        for (let s = 0; s < size; s++) {
          const moved = histogram[bin * size + s] as number;
          histogram[bin * size + s] = 0;
          sides[s] = (sides[s] as number) + moved;
          sides[size + s] = (sides[size + s] as number) - moved;
        }
        this.#isMet[bin] = 0;
        if (b === bins.length - 1 || !objective.admits(sides, 0) || !objective.admits(sides, size)) continue;
        const gain = objective.score(sides, 0) + objective.score(sides, size) - whole;
        if (gain > most) {
          most = gain;
          best = { column, bin };
        }
      }
    }
    return best;
  }
}

function bothSums(rows: Int32Array, first: Float64Array, second: Float64Array): Float64Array {
  let [a, b] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    a += first[row] as number;
    b += second[row] as number;
  }
  return Float64Array.of(a, b);
}

/**
 * Adds factor · (outputs of the leaf that each row reaches) to totals[row·stride + offset +
 * output].
 *
 * @param outputs number of outputs of a leaf
 */
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
