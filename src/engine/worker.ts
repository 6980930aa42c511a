// What a worker thread runs. `workerMain` is sent as source text, so it refers to nothing outside
// itself; the words of the control block that it shares with the pool are numbered here and in
// `pool.ts` alike.

/** Positions of 32-bit words in the control block. */
export const CONTROL = {
  /** Number of the newest job. Workers sleep on it. */
  epoch: 0,
  /** Number of the job that may be entered, 0 for none. */
  open: 1,
  /** Workers inside a job. */
  entered: 2,
  /** Next chunk to take. */
  next: 3,
  chunks: 4,
  kernel: 5,
  argumentCount: 6,
  /** Set when a kernel trapped in a worker. */
  failed: 7,
  sleeping: 8,
  /** Set while the calling thread waits for workers to leave. */
  callerWaits: 9,
  /** Workers numbered below this take part. */
  limit: 10,
  /** Chunk boundaries, one more than there are chunks. */
  bounds: 256,
  /** Arguments, as 64-bit floats (position in 32-bit words). */
  arguments: 2048,
} as const;

/** What a worker is started with. */
export interface WorkerStart {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: typeof CONTROL;
  readonly spins: number;
}

/** The worker's loop: waits for jobs and takes chunks of them. */
export function workerMain({ id, module, memory, control, spins }: WorkerStart): void {
  const words = new Int32Array(memory.buffer, 0, control.arguments);
  const values = new Float64Array(memory.buffer, control.arguments * 4, 64);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  (instance.exports.initialize as (thread: number) => void)(id + 1);
  const kernels = WebAssembly.Module.exports(module)
    .filter((entry) => entry.kind === 'function')
    .map((entry) => instance.exports[entry.name] as (...args: number[]) => void);
  const runChunks = () => {
    const kernel = kernels[words[control.kernel] as number] as (...args: number[]) => void;
    const args = Array.from(values.subarray(0, words[control.argumentCount]));
    const chunks = words[control.chunks] as number;
    for (let chunk = Atomics.add(words, control.next, 1); chunk < chunks; chunk = Atomics.add(words, control.next, 1)) {
      kernel(...args, words[control.bounds + chunk] as number, words[control.bounds + chunk + 1] as number);
    }
  };
  let seen = 0;
  for (;;) {
    let spin = 0;
    while (Atomics.load(words, control.epoch) === seen) {
      if (++spin < spins) continue;
      Atomics.add(words, control.sleeping, 1);
      Atomics.wait(words, control.epoch, seen);
      Atomics.sub(words, control.sleeping, 1);
      spin = 0;
    }
    seen = Atomics.load(words, control.epoch);
    if (id >= (words[control.limit] as number)) continue;
    Atomics.add(words, control.entered, 1);
    if (Atomics.load(words, control.open) === seen) {
      try {
        runChunks();
      } catch {
        Atomics.store(words, control.failed, 1);
      }
    }
    Atomics.sub(words, control.entered, 1);
    if (Atomics.load(words, control.callerWaits) === 1) Atomics.notify(words, control.entered);
  }
}
