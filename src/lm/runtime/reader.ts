// Reads byte ranges of files on a thread of its own, into memory that it shares with the engine, so
// that a file is read while kernels run.

import { type Background, nodeModule, startBackground } from '../../engine/index.js';
import type { Tensor } from '../../tensor/index.js';

/** A disk that is slower than the host's: for measurements. */
export interface Disk {
  /** Seconds until a read begins. */
  readonly latency: number;
  /** Bytes a second after that. */
  readonly bandwidth: number;
}

/** A range of an open file. */
export interface FileRange {
  /** Descriptor of the open file. */
  readonly descriptor: number;
  readonly position: number;
  /** Name of the file, in errors. */
  readonly name: string;
}

/** What a read has come to. */
const LOADING = 0;
const DONE = 1;
const ENDED = 2;

/** Reads that may be under way at once. */
const SLOTS = 4096;

/** The thread: reads what it is told to in order, and wakes who waits for it. */
const SOURCE = `(() => {
  const { readSync } = require('node:fs');
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  return ({ descriptor, position, buffer, offset, length, states, slot, disk }) => {
    const state = new Int32Array(states);
    const started = performance.now();
    let [done, result] = [0, ${DONE}];
    try {
      const target = new Uint8Array(buffer, offset, length);
      while (done < length) {
        const count = readSync(descriptor, target, done, Math.min(2 ** 30, length - done), position + done);
        if (count === 0) { result = ${ENDED}; break; }
        done += count;
      }
    } catch { result = ${ENDED + 1}; }
    if (disk) {
      const left = 1000 * (disk.latency + length / disk.bandwidth) - (performance.now() - started);
      if (left > 0) Atomics.wait(sleeper, 0, 0, left);
    }
    Atomics.store(state, slot, result);
    Atomics.notify(state, slot);
  };
})()`;

/** A read that was begun. */
export class PendingRead {
  constructor(
    readonly states: Int32Array,
    readonly slot: number,
    readonly range: FileRange,
    readonly length: number,
    readonly release: (slot: number) => void,
  ) {}

  /** Whether it has ended, well or not. */
  get isDone(): boolean {
    return Atomics.load(this.states, this.slot) !== LOADING;
  }

  /** Waits for its end; to be called once. @throws Error when the file could not be read. */
  wait(): void {
    Atomics.wait(this.states, this.slot, LOADING);
    const result = Atomics.load(this.states, this.slot);
    this.release(this.slot);
    const { name, position } = this.range;
    if (result === ENDED) throw new Error(`file "${name}" ends before byte ${position + this.length}`);
    if (result !== DONE) throw new Error(`file "${name}" cannot be read at byte ${position}`);
  }
}

/** A thread that reads files. */
export class FileReader {
  readonly #states = new Int32Array(new SharedArrayBuffer(4 * SLOTS));
  readonly #free = Array.from({ length: SLOTS }, (_, i) => SLOTS - 1 - i);
  readonly #thread: Background;

  private constructor(readonly disk: Disk | undefined) {
    this.#thread = startBackground(SOURCE, () => {});
  }

  /** Starts the thread; undefined where there are no threads that read files, as in a page. */
  static start(disk?: Disk): FileReader | undefined {
    return nodeModule('node:worker_threads') ? new FileReader(disk) : undefined;
  }

  /** Begins to fill `target`; undefined when too many reads are under way. */
  read(range: FileRange, target: Tensor): PendingRead | undefined {
    const slot = this.#free.pop();
    if (slot === undefined) return undefined;
    const { buffer, byteOffset: offset, byteLength: length } = target.view();
    Atomics.store(this.#states, slot, LOADING);
    const { descriptor, position } = range;
    const { disk } = this;
    this.#thread.send({ descriptor, position, buffer, offset, length, states: this.#states.buffer, slot, disk });
    return new PendingRead(this.#states, slot, range, length, (own) => this.#free.push(own));
  }

  /** Ends the thread; all reads must have been waited for. */
  close(): void {
    this.#thread.close();
  }
}
