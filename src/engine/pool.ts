// The thread pool: workers on the shared memory that help the calling thread through the chunks of
// one kernel call.
//
// A job is a kernel, its arguments and chunk boundaries, written to the control block; whoever is
// free takes the next chunk. The caller always works too and waits only for workers that have
// entered, so a sleeping worker costs nothing and none has to have started. Chunks never share an
// output, so the result is the same for any number of threads.

import { sharesMemory } from './kernels.js';
import { availableThreads, startWorker } from './threads.js';
import { CONTROL } from './worker.js';

type Kernel = (...args: number[]) => void;

/** Spins before a worker sleeps: about the time between two kernels of a training step. */
const WORKER_SPINS = 100_000;
/** Spins before the caller sleeps while a worker finishes its chunk. */
const CALLER_SPINS = 20_000;
const MAXIMUM_CHUNKS = 1024;
const MAXIMUM_THREADS = 64;

/** Workers that share the kernels' memory, and the calling thread among them. */
export class Pool {
  #threads: number;
  #workers = 0;
  /** Number of the first worker that could not start: it and those after it take no part. */
  #failed = Number.POSITIVE_INFINITY;
  #epoch = 0;
  readonly #names: readonly string[];
  readonly #kernels: ReadonlyMap<string, { id: number; run: Kernel }>;
  readonly #words: Int32Array;
  readonly #values: Float64Array;

  constructor(
    readonly module: WebAssembly.Module,
    readonly memory: WebAssembly.Memory,
    threads: number | undefined,
  ) {
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    (instance.exports.initialize as (thread: number) => void)(0);
    this.#names = WebAssembly.Module.exports(module).flatMap((entry) =>
      entry.kind === 'function' ? [entry.name] : [],
    );
    this.#kernels = new Map(this.#names.map((name, id) => [name, { id, run: instance.exports[name] as Kernel }]));
    this.#words = new Int32Array(memory.buffer, 0, CONTROL.arguments);
    this.#values = new Float64Array(memory.buffer, CONTROL.arguments * 4, 64);
    this.#threads = availableThreads();
    if (threads !== undefined) this.setThreads(threads);
  }

  /**
   * Threads that take part, the calling one included. Workers that could not start are not counted
   * once that is known, which is when the first kernel has needed them.
   */
  get threads(): number {
    return Math.min(this.#threads, 1 + this.#failed);
  }

  /**
   * @throws RangeError unless 1 ≤ n ≤ 64 and an integer. Without shared memory the count stays 1.
   */
  setThreads(n: number): void {
    if (!Number.isInteger(n) || n < 1 || n > MAXIMUM_THREADS) {
      throw new RangeError(`setThreads: expected an integer from 1 to ${MAXIMUM_THREADS}, got ${n}`);
    }
    this.#threads = sharesMemory ? n : 1;
  }

  /** Runs a kernel over [0, size) in one piece on the calling thread. */
  runAlone(name: string, args: readonly number[], size: number): void {
    this.#kernel(name).run(...args, 0, size);
  }

  /** Runs a kernel over [0, size) in `chunks` equal parts. */
  runChunks(name: string, args: readonly number[], size: number, chunks: number): void {
    const count = Math.min(chunks, size, MAXIMUM_CHUNKS);
    for (let chunk = 0; chunk <= count; chunk++)
      this.#words[CONTROL.bounds + chunk] = Math.floor((chunk * size) / count);
    this.#dispatch(name, args, count);
  }

  /** Runs a kernel over the parts between neighbouring `bounds`. */
  runBounds(name: string, args: readonly number[], bounds: readonly number[]): void {
    this.#words.set(bounds, CONTROL.bounds);
    this.#dispatch(name, args, bounds.length - 1);
  }

  #kernel(name: string) {
    const kernel = this.#kernels.get(name);
    if (!kernel) throw new Error(`no kernel named "${name}"`);
    return kernel;
  }

  #dispatch(name: string, args: readonly number[], chunks: number): void {
    const { id, run } = this.#kernel(name);
    this.#startWorkers();
    const words = this.#words;
    words[CONTROL.kernel] = id;
    words[CONTROL.argumentCount] = args.length;
    words[CONTROL.chunks] = chunks;
    words[CONTROL.limit] = this.threads - 1;
    this.#values.set(args);
    this.#epoch = this.#epoch === 0x7fffffff ? 1 : this.#epoch + 1;
    Atomics.store(words, CONTROL.next, 0);
    Atomics.store(words, CONTROL.open, this.#epoch);
    Atomics.store(words, CONTROL.epoch, this.#epoch);
    if (Atomics.load(words, CONTROL.sleeping) > 0) Atomics.notify(words, CONTROL.epoch);
    try {
      for (
        let chunk = Atomics.add(words, CONTROL.next, 1);
        chunk < chunks;
        chunk = Atomics.add(words, CONTROL.next, 1)
      ) {
        run(...args, words[CONTROL.bounds + chunk] as number, words[CONTROL.bounds + chunk + 1] as number);
      }
    } finally {
      Atomics.store(words, CONTROL.open, 0);
      this.#awaitWorkers();
    }
    if (Atomics.exchange(words, CONTROL.failed, 0) !== 0) throw new Error(`kernel "${name}" failed in a worker thread`);
  }

  #awaitWorkers(): void {
    const words = this.#words;
    for (let spin = 0; ; spin++) {
      const entered = Atomics.load(words, CONTROL.entered);
      if (entered === 0) return;
      if (spin < CALLER_SPINS) continue;
      Atomics.store(words, CONTROL.callerWaits, 1);
      waitBriefly(words, CONTROL.entered, entered);
      Atomics.store(words, CONTROL.callerWaits, 0);
    }
  }

  #startWorkers(): void {
    for (; this.#workers < this.threads - 1; this.#workers++) {
      const id = this.#workers;
      startWorker({ id, module: this.module, memory: this.memory, control: CONTROL, spins: WORKER_SPINS }, () => {
        this.#failed = Math.min(this.#failed, id);
      });
    }
  }
}

/**
 * Sleeps until notified or a millisecond has passed; a browser's main thread may not sleep and
 * returns at once.
 */
function waitBriefly(words: Int32Array, index: number, value: number): void {
  const mainThread = typeof document !== 'undefined';
  if (!mainThread) Atomics.wait(words, index, value, 1);
}
