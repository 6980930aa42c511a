// Histograms of whole nodes, for trees all of whose nodes try the same columns: of two children the
// smaller one is counted, and the other's histogram is that of the node less it.

import type { BinnedRows } from './bins.js';
import type { Objective } from './objectives.js';

/** Gains closer than this share are one: differences of sums leave rounding errors. */
const EQUAL = 1e-9;

/** A split: values of bins ≤ `bin` of the column go left. */
export interface Split {
  readonly column: number;
  readonly bin: number;
}

/** Makes the histograms of a tree's nodes: both sums of each bin, column after column. */
export class NodeHistograms {
  /** Where the bins of each column start. */
  readonly #starts: Int32Array;
  /** Both contributions of each row of a node. */
  readonly #pairs: Float64Array;
  readonly #free: Float64Array[] = [];
  /** Rows of a node from which on its histogram is cheaper than a search over the bins it meets. */
  readonly leastRows: number;

  /** @param objective with two sums */
  constructor(
    readonly binned: BinnedRows,
    readonly objective: Objective,
    readonly columns: ArrayLike<number>,
  ) {
    this.#starts = new Int32Array(columns.length + 1);
    for (let c = 0; c < columns.length; c++) {
      const bins = (binned.edges[columns[c] as number]?.length ?? 0) + 1;
      this.#starts[c + 1] = (this.#starts[c] as number) + 2 * bins;
    }
    this.#pairs = new Float64Array(2 * binned.count);
    this.leastRows = (this.#starts[columns.length] as number) / Math.max(1, columns.length);
  }

  /** The histogram of some rows. */
  of(rows: Int32Array): Float64Array {
    const { codes, count } = this.binned;
    const { first, second } = this.objective;
    const pairs = this.#pairs;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      pairs[2 * i] = first[row] as number;
      pairs[2 * i + 1] = second[row] as number;
    }
    const histogram = this.#free.pop()?.fill(0) ?? new Float64Array(this.#starts.at(-1) as number);
    for (let c = 0; c < this.columns.length; c++) {
      const column = this.columns[c] as number;
      add(histogram.subarray(this.#starts[c]), codes.subarray(column * count, (column + 1) * count), rows, pairs);
    }
    return histogram;
  }

  /** The histograms of both children; that of the node becomes one of them. */
  ofChildren(node: Float64Array, left: Int32Array, right: Int32Array): [Float64Array, Float64Array] {
    const isLeftSmall = left.length <= right.length;
    const small = this.of(isLeftSmall ? left : right);
    for (let at = 0; at < node.length; at++) node[at] = (node[at] as number) - (small[at] as number);
    return isLeftSmall ? [small, node] : [node, small];
  }

  /** The sums of all rows of a histogram. */
  sumsOf(histogram: Float64Array): Float64Array {
    const sums = new Float64Array(2);
    for (let at = 0; at < (this.#starts[1] as number); at++)
      sums[at % 2] = (sums[at % 2] as number) + (histogram[at] as number);
    return sums;
  }

  /** Gives a histogram back that is no longer needed. */
  release(histogram: Float64Array): void {
    this.#free.push(histogram);
  }

  /** The split of largest gain; undefined when none exceeds `leastGain`. */
  best(histogram: Float64Array, sums: Float64Array, leastGain: number): Split | undefined {
    const { objective } = this;
    const whole = objective.score(sums, 0);
    const sides = new Float64Array(4);
    let best: Split | undefined;
    let most = leastGain;
    for (let c = 0; c < this.columns.length; c++) {
      const [start, end] = [this.#starts[c] as number, (this.#starts[c + 1] as number) - 2];
      sides[0] = sides[1] = 0;
      for (let at = start; at < end; at += 2) {
        if (histogram[at] === 0 && histogram[at + 1] === 0) continue;
        sides[0] += histogram[at] as number;
        sides[1] += histogram[at + 1] as number;
        sides[2] = (sums[0] as number) - sides[0];
        sides[3] = (sums[1] as number) - sides[1];
        if (!objective.admits(sides, 0) || !objective.admits(sides, 2)) continue;
        const gain = objective.score(sides, 0) + objective.score(sides, 2) - whole;
        if (gain > most + EQUAL * most) {
          most = gain;
          best = { column: this.columns[c] as number, bin: (at - start) / 2 };
        }
      }
    }
    return best;
  }
}

function add(histogram: Float64Array, codes: Uint8Array, rows: Int32Array, pairs: Float64Array): void {
  for (let i = 0; i < rows.length; i++) {
    const at = 2 * (codes[rows[i] as number] as number);
    histogram[at] = (histogram[at] as number) + (pairs[2 * i] as number);
    histogram[at + 1] = (histogram[at + 1] as number) + (pairs[2 * i + 1] as number);
  }
}
