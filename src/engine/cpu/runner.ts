// Runs a kernel's loop: on the calling thread when it is short, else cut into chunks for the pool.

import type { Heap } from '../memory.js';
import type { Pool } from '../pool.js';
import type { TileChoice } from './tiles.js';

/** Work below this many (rough) nanoseconds stays on the calling thread: handing it over would cost as much. */
const PARALLEL_THRESHOLD = 20_000;
/** Chunks a thread gets on average, so that a slow thread holds the others up by a fraction of its share only. */
const CHUNKS_PER_THREAD = 4;

/** What routines ask for: loops over kernels, and memory that they need meanwhile. `Runner` does it at once, a recorder for later. */
export interface Execution {
  readonly threads: number;
  readonly tiles: Pick<TileChoice, 'time'>;
  /** Steps [0, size), each of about `cost` nanoseconds. */
  over(kernel: string, args: readonly number[], size: number, cost: number): void;
  /** One share of [0, size) a thread, for kernels where every share reads the whole input; `work` is that reading. */
  inShares(kernel: string, args: readonly number[], size: number, work: number): void;
  /** Rows [0, rows) whose cost is their number of stored elements, read from `indptr`, times `cost`. */
  overSegments(kernel: string, args: readonly number[], indptr: number, rows: number, cost: number): void;
  /** Lends `bytes` of memory for the length of a call. */
  withScratch(bytes: number, use: (address: number) => void): void;
  /** Lends `bytes` of memory to each thread; a kernel finds its own by `ownScratch`. */
  withScratchEach(bytes: number, use: (address: number) => void): void;
  /** Lends memory that holds a table of integers. */
  withInts(values: readonly number[], use: (address: number) => void): void;
}

export class Runner implements Execution {
  constructor(
    readonly heap: Heap,
    readonly pool: Pool,
    readonly tiles: TileChoice,
  ) {}

  get threads(): number {
    return this.pool.threads;
  }

  over(kernel: string, args: readonly number[], size: number, cost: number): void {
    if (size === 0) return;
    const work = size * cost;
    if (this.threads === 1 || size === 1 || work < PARALLEL_THRESHOLD) this.pool.runAlone(kernel, args, size);
    else this.pool.runChunks(kernel, args, size, Math.min(this.threads * CHUNKS_PER_THREAD, Math.ceil(work / 4000)));
  }

  inShares(kernel: string, args: readonly number[], size: number, work: number): void {
    if (size === 0) return;
    if (this.threads === 1 || work < PARALLEL_THRESHOLD) this.pool.runAlone(kernel, args, size);
    else this.pool.runChunks(kernel, args, size, this.threads);
  }

  overSegments(kernel: string, args: readonly number[], indptr: number, rows: number, cost: number): void {
    if (rows === 0) return;
    const starts = new Int32Array(this.heap.memory.buffer, indptr, rows + 1);
    const elements = (starts[rows] as number) + rows;
    if (this.threads === 1 || elements * cost < PARALLEL_THRESHOLD) {
      this.pool.runAlone(kernel, args, rows);
      return;
    }
    const chunks = Math.min(this.threads * CHUNKS_PER_THREAD, rows);
    const bounds = [0];
    for (let chunk = 1; chunk < chunks; chunk++) {
      bounds.push(rowAtShare(starts, rows, (chunk * elements) / chunks));
    }
    this.pool.runBounds(kernel, args, [...bounds, rows]);
  }

  withScratch(bytes: number, use: (address: number) => void): void {
    const address = this.heap.allocate(bytes);
    try {
      use(address);
    } finally {
      this.heap.release(address, bytes);
    }
  }

  withScratchEach(bytes: number, use: (address: number) => void): void {
    this.withScratch(bytes * this.threads, use);
  }

  withInts(values: readonly number[], use: (address: number) => void): void {
    this.withScratch(values.length * 4, (address) => {
      new Int32Array(this.heap.memory.buffer, address, values.length).set(values);
      use(address);
    });
  }
}

/** First row before which at least `share` elements and rows lie. */
function rowAtShare(starts: Int32Array, rows: number, share: number): number {
  let low = 0;
  let high = rows;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) + middle < share) low = middle + 1;
    else high = middle;
  }
  return low;
}
