// Runs a kernel's loop: on the calling thread when it is short, else cut into chunks for the pool.

import { addressOf } from '../buffers.js';
import { type KernelArguments, packers } from '../generated/arguments.js';
import { library } from '../library.js';
import { CHUNKS_PER_THREAD, chunkCount, PARALLEL_WORK } from '../limits.js';
import type { Heap } from '../memory.js';
import type { Pool } from '../pool.js';
import type { Region } from '../region.js';
import type { Execution, SegmentKernel } from './execution.js';
import type { Step } from './recorder.js';
import { tableBytes, workOf, writeTable } from './step-table.js';
import type { TileChoice } from './tiles.js';

/** Runs kernels at once. */
export class Runner implements Execution {
  constructor(
    readonly heap: Heap,
    readonly pool: Pool,
    readonly tiles: TileChoice,
  ) {}

  get threads(): number {
    return this.pool.threads;
  }

  over<Name extends keyof KernelArguments>(kernel: Name, args: KernelArguments[Name], size: number, cost: number) {
    if (size > 0) this.overNumbers(kernel, packers[kernel](args, addressOf), size, cost);
  }

  /** `over` for arguments that are in the kernel's order already. */
  overNumbers(kernel: string, args: readonly number[], size: number, cost: number): void {
    const work = size * cost;
    if (this.threads === 1 || size === 1 || work < PARALLEL_WORK) this.pool.runAlone(kernel, args, size);
    else this.pool.runChunks(kernel, args, size, chunkCount(work, this.threads));
  }

  inShares<Name extends keyof KernelArguments>(kernel: Name, args: KernelArguments[Name], size: number, work: number) {
    if (size === 0) return;
    const numbers = packers[kernel](args, addressOf);
    if (this.threads === 1 || work < PARALLEL_WORK) this.pool.runAlone(kernel, numbers, size);
    else this.pool.runChunks(kernel, numbers, size, this.threads);
  }

  overSegments<Name extends SegmentKernel>(kernel: Name, args: KernelArguments[Name], rows: number, cost: number) {
    if (rows === 0) return;
    const numbers = packers[kernel](args, addressOf);
    const starts = new Int32Array(this.heap.memory.buffer, addressOf(args.indptr), rows + 1);
    const elements = (starts[rows] as number) + rows;
    if (this.threads === 1 || elements * cost < PARALLEL_WORK) {
      this.pool.runAlone(kernel, numbers, rows);
      return;
    }
    const chunks = Math.min(this.threads * CHUNKS_PER_THREAD, rows);
    const bounds = [0];
    for (let chunk = 1; chunk < chunks; chunk++) {
      bounds.push(rowAtShare(starts, rows, (chunk * elements) / chunks));
    }
    this.pool.runBounds(kernel, numbers, [...bounds, rows]);
  }

  withScratch(bytes: number, use: (scratch: Region) => void): void {
    const address = this.heap.allocate(bytes);
    try {
      use({ buffer: { library, address, bytes, references: 1 }, byteOffset: 0 });
    } finally {
      this.heap.release(address, bytes);
    }
  }

  withScratchEach(bytes: number, use: (scratch: Region) => void): void {
    this.withScratch(bytes * this.threads, use);
  }

  together(body: (steps: Pick<Execution, 'over' | 'withScratch'>) => void): void {
    if (this.threads === 1) {
      body(this);
      return;
    }
    const steps: Step[] = [];
    const lent: (readonly [address: number, bytes: number])[] = [];
    const lend = (bytes: number): number => {
      const address = this.heap.allocate(bytes);
      lent.push([address, bytes]);
      return address;
    };
    try {
      body({
        over: (kernel, args, size, cost) => {
          if (size > 0) steps.push({ kernel, args: packers[kernel](args, addressOf), size, cost });
        },
        withScratch: (bytes, use) =>
          use({ buffer: { library, address: lend(bytes), bytes, references: 1 }, byteOffset: 0 }),
      });
      if (steps.length > 0) this.#runTable(steps, lend(tableBytes(steps)));
    } finally {
      for (const [address, bytes] of lent) this.heap.release(address, bytes);
    }
  }

  #runTable(steps: readonly Step[], table: number): void {
    writeTable(this.heap.memory.buffer, table, steps, this.threads);
    const args = [table, steps.length];
    if (workOf(steps) < PARALLEL_WORK) this.pool.runAlone('runProgram', args, 1);
    else this.pool.runChunks('runProgram', args, this.threads, this.threads);
  }

  withInts(values: readonly number[], use: (table: Region) => void): void {
    this.withScratch(values.length * 4, (table) => {
      new Int32Array(this.heap.memory.buffer, table.buffer.address, values.length).set(values);
      use(table);
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
