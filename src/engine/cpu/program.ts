// Programs: kernel calls whose every address is known. Temporary buffers share one arena, each
// place being used again once its last reader is done.

import { library } from '../library.js';
import { PARALLEL_WORK } from '../limits.js';
import type { Heap } from '../memory.js';
import type { Region } from '../region.js';
import { type PlannedBuffer, type RecordingDevice, type Step, VIRTUAL } from './recorder.js';
import type { Runner } from './runner.js';
import { tableBytes, workOf, writeTable } from './step-table.js';

/** Steps over numbered buffers: plain data that can be saved. */
export interface Program {
  readonly buffers: readonly PlannedBuffer[];
  readonly steps: readonly Step[];
  /** Threads that its scratch suffices for. */
  readonly threads: number;
}

const ALIGNMENT = 64;

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Buffers that a step's arguments point into. */
function buffersOf(step: Step): number[] {
  return step.args.flatMap((arg) => (arg >= VIRTUAL ? [Math.floor(arg / VIRTUAL) - 1] : []));
}

function resolve(step: Step, addresses: readonly number[]): number[] {
  return step.args.map((arg) => {
    if (arg < VIRTUAL) return arg;
    const index = Math.floor(arg / VIRTUAL) - 1;
    return (addresses[index] as number) + (arg - (index + 1) * VIRTUAL);
  });
}

/** Does what a recording leaves to be done once, and drops the constants that only that needed. */
export function prepare(recording: RecordingDevice, heap: Heap, runner: Runner): Program {
  const buffers: PlannedBuffer[] = [...recording.buffers];
  for (const step of recording.preparation) {
    const used = buffersOf(step);
    const target = used[1] as number;
    const addresses: number[] = [];
    const bytes = used.map((index) => (buffers[index] as PlannedBuffer).bytes);
    for (const [i, index] of used.entries()) addresses[index] = heap.allocate(bytes[i] as number);
    for (const index of used) {
      const { contents } = buffers[index] as PlannedBuffer;
      if (contents) new Uint8Array(heap.memory.buffer, addresses[index], contents.length).set(contents);
    }
    runner.overNumbers(step.kernel, resolve(step, addresses), step.size, step.cost);
    const place = addresses[target] as number;
    const contents = new Uint8Array(heap.memory.buffer, place, (buffers[target] as PlannedBuffer).bytes).slice();
    buffers[target] = { bytes: contents.length, contents };
    for (const [i, index] of used.entries()) heap.release(addresses[index] as number, bytes[i] as number);
  }
  const needed = new Set(recording.steps.flatMap(buffersOf));
  const kept = buffers.map((buffer, index) =>
    needed.has(index) || !buffer.contents ? buffer : { bytes: 0, contents: undefined },
  );
  return { buffers: kept, steps: recording.steps, threads: recording.threads };
}

/** First and last step that use each buffer; inputs live from the start, outputs to the end. */
function lifetimes(
  program: Program,
  inputs: readonly number[],
  outputs: readonly number[],
): (readonly [number, number] | undefined)[] {
  const found: ([number, number] | undefined)[] = [];
  program.steps.forEach((step, at) => {
    for (const index of buffersOf(step)) found[index] = [found[index]?.[0] ?? at, at];
  });
  for (const index of inputs) found[index] = [-1, found[index]?.[1] ?? -1];
  for (const index of outputs) found[index] = [found[index]?.[0] ?? -1, program.steps.length];
  return found;
}

/**
 * Offsets in one arena: large buffers first, each at the lowest place that no buffer alive at the
 * same time holds.
 */
export function placeInArena(
  program: Program,
  inputs: readonly number[],
  outputs: readonly number[],
): { readonly offsets: readonly (number | undefined)[]; readonly bytes: number } {
  const alive = lifetimes(program, inputs, outputs);
  const temporary = program.buffers.flatMap(({ contents, bytes }, index) =>
    contents || !alive[index] ? [] : [{ index, bytes: align(bytes) }],
  );
  temporary.sort((a, b) => b.bytes - a.bytes || a.index - b.index);
  const offsets: (number | undefined)[] = [];
  const placed: { start: number; end: number; life: readonly [number, number] }[] = [];
  let total = 0;
  for (const { index, bytes } of temporary) {
    const life = alive[index] as readonly [number, number];
    const rivals = placed
      .filter((other) => other.life[0] <= life[1] && life[0] <= other.life[1])
      .sort((a, b) => a.start - b.start);
    let start = 0;
    for (const rival of rivals) {
      if (rival.start >= start + bytes) break;
      start = Math.max(start, rival.end);
    }
    offsets[index] = start;
    placed.push({ start, end: start + bytes, life });
    total = Math.max(total, start + bytes);
  }
  return { offsets, bytes: total };
}

/** A program in memory, ready to run: one call into WebAssembly does all of it. */
export class LoadedProgram {
  readonly #heap: Heap;
  readonly #runner: Runner;
  readonly #addresses: readonly number[];
  readonly #sizes: readonly number[];
  readonly #table: number;
  readonly #count: number;
  readonly #threads: number;
  /** Rough nanoseconds of a run. */
  readonly #work: number;
  readonly #blocks: { address: number; bytes: number }[] = [];
  /** Bytes of the arena that temporaries share. */
  readonly arenaBytes: number;

  constructor(program: Program, inputs: readonly number[], outputs: readonly number[], heap: Heap, runner: Runner) {
    this.#heap = heap;
    this.#runner = runner;
    const { offsets, bytes } = placeInArena(program, inputs, outputs);
    this.arenaBytes = bytes;
    this.#sizes = program.buffers.map(({ bytes: size }) => size);
    this.#count = program.steps.length;
    this.#threads = program.threads;
    this.#work = workOf(program.steps);
    try {
      const arena = this.#allocate(Math.max(bytes, 1));
      this.#addresses = program.buffers.map(({ contents }, index) => {
        if (!contents) return arena + (offsets[index] ?? 0);
        const address = this.#allocate(Math.max(contents.length, 1));
        new Uint8Array(heap.memory.buffer, address, contents.length).set(contents);
        return address;
      });
      this.#table = this.#writeTable(program.steps);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Steps and their arguments as kernels/program.ts reads them. */
  #writeTable(steps: readonly Step[]): number {
    const placed = steps.map((step) => ({ ...step, args: resolve(step, this.#addresses) }));
    const table = this.#allocate(Math.max(4, tableBytes(placed)));
    writeTable(this.#heap.memory.buffer, table, placed, this.#threads);
    return table;
  }

  #allocate(bytes: number): number {
    const address = this.#heap.allocate(bytes);
    this.#blocks.push({ address, bytes });
    return address;
  }

  /** A part of a buffer. @throws Error when the program was disposed. */
  region(buffer: number, byteOffset: number): Region {
    this.#assertLoaded();
    const address = this.#addresses[buffer] as number;
    return { buffer: { library, address, bytes: this.#sizes[buffer] as number, references: 1 }, byteOffset };
  }

  #assertLoaded(): void {
    if (this.#blocks.length === 0) throw new Error('plan: was disposed');
  }

  /** Runs every step, on as many threads as both the program and the pool have. */
  run(): void {
    this.#assertLoaded();
    const { pool } = this.#runner;
    pool.runAlone('resetProgram', [this.#table], this.#count);
    const threads = Math.min(this.#threads, pool.threads);
    const args = [this.#table, this.#count];
    if (threads === 1 || this.#work < PARALLEL_WORK) pool.runAlone('runProgram', args, 1);
    else pool.runChunks('runProgram', args, threads, threads);
  }

  /** Gives the memory back; the program cannot run any more. */
  dispose(): void {
    for (const { address, bytes } of this.#blocks.splice(0)) this.#heap.release(address, bytes);
  }
}
