// Weights of recommenders: dense matrices, or values and columns of the stored elements alone. What
// is not stored is 0, needs no memory and no multiplication.

import { ChangingPattern, spmm } from '../sparse/index.js';
import { keep, matmul, type Random, reshape, type Tensor, zeros } from '../tensor/index.js';
import { largest } from './dsl/select.js';

/** How the entries of a matrix are drawn: uniform within ±bound, or normal around 0. */
export type Distribution = { readonly bound: number } | { readonly deviation: number };

/** A matrix to make. */
export interface WeightSpec {
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** How its entries are drawn. */
  readonly initial: Distribution;
  /** Whether it is one of the matrices that are sparse. Default: false. */
  readonly sparse?: boolean;
}

/**
 * Which entries are stored at first: `exact`: round(density · entries) of each matrix, uniformly;
 * `bernoulli`: each entry with that probability; `lotteryTicket`: the ⌊density · entries⌋ of
 * the largest initial magnitude over all matrices, for which all are drawn once.
 */
export type SparseInit = 'exact' | 'bernoulli' | 'lotteryTicket';

/** How sparse matrices begin. */
export interface WeightOptions {
  /** Stored share of the entries of sparse matrices; 1 stores all, without columns. Default: 1. */
  readonly density?: number;
  /** Default: `exact`. */
  readonly init?: SparseInit;
}

/** A matrix [rows, columns] of which some or all entries are stored. */
export class Weight {
  /** Stored values by rows: [nnz], or [rows · columns] where all are stored. */
  values: Tensor;

  /** @param pattern where entries are stored; all when left out */
  constructor(
    readonly rows: number,
    readonly columns: number,
    values: Tensor,
    readonly pattern?: ChangingPattern,
  ) {
    this.values = keep(values);
  }

  /** Number of entries, stored or not. */
  get size(): number {
    return this.rows * this.columns;
  }

  /** Bytes of the values, and of what tells where they are. */
  get bytes(): number {
    return 4 * this.values.size + (this.pattern?.bytes ?? 0);
  }

  /**
   * This matrix times x, differentiable in both.
   *
   * @param values the values as a tape watches them
   * @param x [columns, d]
   * @returns [rows, d]
   */
  times(values: Tensor, x: Tensor): Tensor {
    const { pattern, rows, columns } = this;
    return pattern ? spmm({ pattern, values }, x) : matmul(reshape(values, [rows, columns]), x);
  }

  /** A row as dense numbers, written into `into`. */
  row(row: number, into: Float32Array): Float32Array {
    const values = this.values.view();
    const { pattern, columns } = this;
    if (!pattern) {
      into.set(values.subarray(row * columns, (row + 1) * columns));
      return into;
    }
    const { offsets, indices } = pattern;
    into.fill(0);
    for (let e = offsets[row] as number; e < (offsets[row + 1] as number); e++)
      into[indices[e] as number] = values[e] as number;
    return into;
  }

  /**
   * Removes weights and adds others, which are 0.
   *
   * @param removed 1 for each element that goes, [nnz]
   * @param grown ascending places, row · columns + column, of new elements
   * @param moments tensors with a number for each element, which go with the weights
   * @returns the moments; see `ChangingPattern`
   */
  exchange(removed: Uint8Array, grown: Int32Array, moments: readonly Tensor[]): Tensor[] {
    if (!this.pattern) throw new Error('Weight: all entries are stored, there is nothing to exchange');
    const [values, ...others] = this.pattern.exchange(removed, grown, [this.values, ...moments]);
    this.values = values as Tensor;
    return others;
  }

  /** The matrix as dense numbers, [rows · columns]. */
  toDense(): Float32Array {
    const dense = new Float32Array(this.size);
    for (let row = 0; row < this.rows; row++)
      this.row(row, dense.subarray(row * this.columns, (row + 1) * this.columns));
    return dense;
  }

  /** Frees the memory. */
  dispose(): void {
    this.values.dispose();
    this.pattern?.dispose();
  }
}

/** Matrices by name. */
export type WeightTable = Readonly<Record<string, Weight>>;

/**
 * Draws matrices; the sparse ones have round(density · entries) entries, and no more memory.
 *
 * @throws RangeError unless 0 < density ≤ 1
 */
export function makeWeights(
  specs: Readonly<Record<string, WeightSpec>>,
  random: Random,
  { density = 1, init = 'exact' }: WeightOptions = {},
): WeightTable {
  if (!(density > 0 && density <= 1)) throw new RangeError(`density must be in (0, 1], got ${density}`);
  const drawn = (name: string, count: number) => {
    const { initial } = specs[name] as WeightSpec;
    const stream = random.split(name).split('values');
    return 'bound' in initial
      ? stream.uniform([count], -initial.bound, initial.bound)
      : stream.normal([count], 0, initial.deviation);
  };
  const entries = Object.entries(specs);
  const sparse = entries.filter(([, spec]) => spec.sparse && density < 1);
  const chosen =
    init === 'lotteryTicket' && sparse.length > 0
      ? lotteryTicket(new Map(sparse.map(([name, { rows, columns }]) => [name, drawn(name, rows * columns)])), density)
      : undefined;
  return Object.fromEntries(
    entries.map(([name, { rows, columns, sparse: isSparse }]) => {
      const size = rows * columns;
      if (!isSparse || density === 1) return [name, new Weight(rows, columns, drawn(name, size))];
      const ticket = chosen?.get(name);
      if (ticket)
        return [name, new Weight(rows, columns, ticket.values, new ChangingPattern(rows, columns, ticket.places))];
      const places = drawnPlaces(size, density, random.split(name).split('places'), init);
      return [name, new Weight(rows, columns, drawn(name, places.length), new ChangingPattern(rows, columns, places))];
    }),
  );
}

function drawnPlaces(size: number, density: number, random: Random, init: SparseInit): Int32Array {
  if (init === 'bernoulli')
    return Int32Array.from(Array.from({ length: size }, (_, at) => at).filter(() => random.float() < density));
  return random.sample(size, Math.max(1, Math.round(density * size))).sort();
}

/** One threshold of magnitude over all matrices. */
function lotteryTicket(drawn: ReadonlyMap<string, Tensor>, density: number) {
  const total = [...drawn.values()].reduce((sum, values) => sum + values.size, 0);
  const magnitudes = new Float32Array(total);
  let start = 0;
  for (const values of drawn.values()) {
    values.view().forEach((value, at) => {
      magnitudes[start + at] = Math.abs(value);
    });
    start += values.size;
  }
  const kept = largest(magnitudes, Math.max(1, Math.floor(density * total)));
  start = 0;
  const tickets = new Map<string, { readonly places: Int32Array; readonly values: Tensor }>();
  for (const [name, all] of drawn) {
    const [from, values] = [start, all.view()];
    const places = Int32Array.from(Array.from({ length: all.size }, (_, at) => at).filter((at) => kept[from + at]));
    const own = keep(zeros([places.length]));
    own.assign(Float32Array.from(places, (place) => values[place] as number));
    tickets.set(name, { places, values: own });
    start += all.size;
  }
  return tickets;
}
