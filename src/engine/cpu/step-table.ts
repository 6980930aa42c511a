// Kernel calls as a table that one call into WebAssembly walks, see kernels/program.ts.

import { signatures } from '../generated/arguments.js';
import { chunkCount, PARALLEL_STEP_WORK } from '../limits.js';
import type { Step } from './recorder.js';

const kernelNumbers = new Map(signatures.map(([name, kinds], id) => [name as string, { id, kinds }]));

/** Words of a step: kernel, arguments, size, chunk, next place to take, places done. */
const STEP_WORDS = 6;

/** How many places of a step's loop a thread takes at once. */
function chunkOf({ size, cost, work }: Step, threads: number): number {
  const total = work ?? size * cost;
  if (threads === 1 || total < PARALLEL_STEP_WORK) return size;
  return Math.ceil(size / (work === undefined ? chunkCount(total, threads) : threads));
}

const floatView = new Float32Array(1);
const floatBits = new Int32Array(floatView.buffer);

/** An argument as the 32 bits that a kernel reads. */
function argumentBits(value: number, kind: string | undefined): number {
  if (kind !== 'f') return value | 0;
  floatView[0] = value;
  return floatBits[0] as number;
}

/** Bytes of the table of some steps. */
export function tableBytes(steps: readonly Step[]): number {
  return 4 * steps.reduce((total, { args }) => total + STEP_WORDS + args.length, 0);
}

/**
 * Writes the table of steps whose arguments are real addresses, ready to run once.
 *
 * @param table address of `tableBytes` bytes
 * @throws Error for a kernel that is not there
 */
export function writeTable(memory: ArrayBufferLike, table: number, steps: readonly Step[], threads: number): void {
  const words: number[] = [];
  const values: number[] = [];
  for (const step of steps) {
    const kernel = kernelNumbers.get(step.kernel);
    if (!kernel || kernel.kinds.length !== step.args.length)
      throw new Error(`plan: this version has no kernel "${step.kernel}" with ${step.args.length} arguments`);
    const place = table + 4 * (steps.length * STEP_WORDS + values.length);
    words.push(kernel.id, place, step.size, chunkOf(step, threads), 0, 0);
    step.args.forEach((value, at) => {
      values.push(argumentBits(value, kernel.kinds[at]));
    });
  }
  const target = new Int32Array(memory, table, words.length + values.length);
  target.set(words);
  target.set(values, words.length);
}

/** Rough nanoseconds of some steps on one thread. */
export function workOf(steps: readonly Step[]): number {
  return steps.reduce((total, { size, cost, work }) => total + (work ?? size * cost), 0);
}
