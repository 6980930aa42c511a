// What routines ask for: loops over kernels, and memory that they need meanwhile. A `Runner` does
// it at once, a `RecordingDevice` for later.

import type { KernelArguments } from '../generated/arguments.js';
import type { Region } from '../region.js';
import type { TileChoice } from './tiles.js';

/** Where routines run their kernels. */
export interface Execution {
  readonly threads: number;
  readonly tiles: Pick<TileChoice, 'time'>;
  /** Steps [0, size), each of about `cost` nanoseconds. */
  over<Name extends keyof KernelArguments>(kernel: Name, args: KernelArguments[Name], size: number, cost: number): void;
  /**
   * One share of [0, size) a thread, for kernels where every share reads the whole input; `work` is
   * that reading.
   */
  inShares<Name extends keyof KernelArguments>(
    kernel: Name,
    args: KernelArguments[Name],
    size: number,
    work: number,
  ): void;
  /**
   * Rows [0, rows) whose cost is their number of stored elements, read from `indptr`, times `cost`.
   */
  overSegments<Name extends SegmentKernel>(kernel: Name, args: KernelArguments[Name], rows: number, cost: number): void;
  /** Lends `bytes` of memory for the length of a call. */
  withScratch(bytes: number, use: (scratch: Region) => void): void;
  /** Lends `bytes` of memory to each thread; a kernel finds its own by `ownScratch`. */
  withScratchEach(bytes: number, use: (scratch: Region) => void): void;
  /** Steps that `body` asks for, one after the other, in a single call of the thread pool. */
  together(body: (steps: Pick<Execution, 'over' | 'withScratch'>) => void): void;
  /** Lends memory that holds a table of integers. */
  withInts(values: readonly number[], use: (table: Region) => void): void;
}

/** Kernels whose arguments have these fields. */
export type KernelsWith<Fields> = {
  [Name in keyof KernelArguments]: KernelArguments[Name] extends Fields ? Name : never;
}[keyof KernelArguments];

/** Kernels over the rows of a compressed sparse pattern, or over segments. */
export type SegmentKernel = KernelsWith<{ readonly indptr: Region; readonly d: number }>;

/** The two words of a random stream. */
export type StreamKey = readonly [number, number];

/** A kernel's arguments with the two words of the random stream as one. */
export type Keyed<Arguments> = Omit<Arguments, 'key0' | 'key1'> & { readonly key: StreamKey };
