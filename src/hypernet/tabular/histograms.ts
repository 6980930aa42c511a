// Histograms of whole nodes, for trees all of whose nodes try the same columns: of two children the
// smaller one is counted, and the other's histogram is that of the node less it.

import { cpu, regionAt } from '../../engine/index.js';
import { emptyTensor, type Tensor, tensor } from '../../tensor/index.js';
import type { BinnedRows } from './bins.js';
import type { Objective } from './objectives.js';

/** Gains closer than this share are one: differences of sums leave rounding errors. */
const EQUAL = 1e-9;

/** A split: values of bins ≤ `bin` of the column go left. */
export interface Split {
  readonly column: number;
  readonly bin: number;
}

/** Both sums of each bin, column after column: f64 in a tensor's memory. */
export interface Histogram {
  readonly memory: Tensor;
  readonly sums: Float64Array;
}

/** Makes the histograms of a tree's nodes, on all threads. Belongs to the scope it is made in. */
export class NodeHistograms {
  /** Where the bins of each column start. */
  readonly #starts: Int32Array;
  readonly #startsTable: Tensor;
  readonly #columnTable: Tensor;
  /** Both contributions of each row of the table. */
  readonly #pairs: Tensor;
  readonly #free: Histogram[] = [];
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
    this.#startsTable = tensor(this.#starts);
    this.#columnTable = tensor(Int32Array.from(columns));
    const pairs = doubles(2 * binned.count);
    const { first, second } = objective;
    for (let row = 0; row < binned.count; row++) {
      pairs.sums[2 * row] = first[row] as number;
      pairs.sums[2 * row + 1] = second[row] as number;
    }
    this.#pairs = pairs.memory;
    this.leastRows = (this.#starts[columns.length] as number) / Math.max(1, columns.length);
  }

  /**
   * The histogram of some rows: order[from … to − 1]. The same for any number of threads, which
   * share the columns.
   */
  of(order: Tensor, from: number, to: number): Histogram {
    const histogram = this.#free.pop() ?? doubles(this.#starts.at(-1) as number);
    cpu.run('nodeHistogram', {
      codes: this.binned.codes,
      rows: this.binned.count,
      order: regionAt(order, 4 * from),
      pairs: this.#pairs,
      columns: this.#columnTable,
      starts: this.#startsTable,
      histogram: histogram.memory,
      count: to - from,
      width: this.columns.length,
    });
    return histogram;
  }

  /** The histograms of both children; that of the node becomes one of them. */
  ofChildren(node: Histogram, order: Tensor, from: number, middle: number, to: number): [Histogram, Histogram] {
    const isLeftSmall = middle - from <= to - middle;
    const small = isLeftSmall ? this.of(order, from, middle) : this.of(order, middle, to);
    const [whole, part] = [node.sums, small.sums];
    for (let at = 0; at < whole.length; at++) whole[at] = (whole[at] as number) - (part[at] as number);
    return isLeftSmall ? [small, node] : [node, small];
  }

  /** The sums of all rows of a histogram. */
  sumsOf({ sums: all }: Histogram): Float64Array {
    const sums = new Float64Array(2);
    for (let at = 0; at < (this.#starts[1] as number); at++)
      sums[at % 2] = (sums[at % 2] as number) + (all[at] as number);
    return sums;
  }

  /** Gives a histogram back that is no longer needed. */
  release(histogram: Histogram): void {
    this.#free.push(histogram);
  }

  /** The split of largest gain; undefined when none exceeds `leastGain`. */
  best({ sums: histogram }: Histogram, sums: Float64Array, leastGain: number): Split | undefined {
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

/** Memory of so many f64 numbers. */
function doubles(count: number): Histogram {
  const memory = emptyTensor([2 * count], 'f32');
  const { buffer, byteOffset } = memory.view();
  return { memory, sums: new Float64Array(buffer, byteOffset, count) };
}
