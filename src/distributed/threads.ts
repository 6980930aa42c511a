// Ranks as worker threads of one process, talking through shared memory.

import { type Communicator, makeLike, type Numbers, type Reduction, requireCounts } from './communicator.js';

/** Bytes of a mailbox: a message passes in pieces of at most so many. */
const MAILBOX = 1 << 18;
/** Words before the mailboxes: the barrier's count and generation, and the failure flag. */
const HEADER = 16;
const SPINS = 2000;

export interface ThreadLink {
  readonly rank: number;
  readonly size: number;
  readonly memory: SharedArrayBuffer;
}

/** Shared memory for ranks: one mailbox for each ordered pair. */
export function threadLinks(size: number): ThreadLink[] {
  if (!(Number.isInteger(size) && size >= 1))
    throw new RangeError(`threads: the number of ranks must be a positive integer, got ${size}`);
  const memory = new SharedArrayBuffer(4 * (HEADER + size * size) + size * size * MAILBOX);
  return Array.from({ length: size }, (_, rank) => ({ rank, size, memory }));
}

/** Bytes of a typed array, where they lie. */
function bytesOf(data: Numbers): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export class ThreadCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly #words: Int32Array;
  readonly #memory: SharedArrayBuffer;

  constructor({ rank, size, memory }: ThreadLink) {
    this.rank = rank;
    this.size = size;
    this.#memory = memory;
    this.#words = new Int32Array(memory, 0, HEADER + size * size);
  }

  /** The word that holds how many bytes lie in the mailbox from one rank to another, 0 for none. */
  #flag(from: number, to: number): number {
    return HEADER + from * this.size + to;
  }

  #mailbox(from: number, to: number): Uint8Array {
    return new Uint8Array(this.#memory, 4 * (HEADER + this.size ** 2) + (from * this.size + to) * MAILBOX, MAILBOX);
  }

  #push(bytes: Uint8Array, at: number, to: number): number {
    const flag = this.#flag(this.rank, to);
    if (Atomics.load(this.#words, flag) !== 0) return at;
    const piece = bytes.subarray(at, at + MAILBOX);
    this.#mailbox(this.rank, to).set(piece);
    Atomics.store(this.#words, flag, piece.length);
    Atomics.notify(this.#words, flag);
    return at + piece.length;
  }

  #pull(bytes: Uint8Array, at: number, from: number): number {
    const flag = this.#flag(from, this.rank);
    const length = Atomics.load(this.#words, flag);
    if (length === 0) return at;
    if (at + length > bytes.length)
      throw new Error(`rank ${this.rank} expected ${bytes.length} bytes from rank ${from}, but more came`);
    bytes.set(this.#mailbox(from, this.rank).subarray(0, length), at);
    Atomics.store(this.#words, flag, 0);
    Atomics.notify(this.#words, flag);
    return at + length;
  }

  /** Moves pieces until all has gone and come: no order of calls can lock. */
  #exchange(outgoing: readonly (Uint8Array | undefined)[], incoming: readonly (Uint8Array | undefined)[]): void {
    const sent = outgoing.map(() => 0);
    const got = incoming.map(() => 0);
    for (let idle = 0; ; ) {
      let open = false;
      let moved = false;
      for (let r = 0; r < this.size; r++) {
        const [out, into] = [outgoing[r], incoming[r]];
        if (out && (sent[r] as number) < out.length) {
          open = true;
          const next = this.#push(out, sent[r] as number, r);
          moved ||= next !== sent[r];
          sent[r] = next;
        }
        if (into && (got[r] as number) < into.length) {
          open = true;
          const next = this.#pull(into, got[r] as number, r);
          moved ||= next !== got[r];
          got[r] = next;
        }
      }
      if (!open) return;
      idle = moved ? 0 : idle + 1;
      if (idle > SPINS) Atomics.wait(this.#words, HEADER - 1, 0, 0.2);
    }
  }

  #others(make: (rank: number) => Uint8Array): (Uint8Array | undefined)[] {
    return Array.from({ length: this.size }, (_, r) => (r === this.rank ? undefined : make(r)));
  }

  #none(): undefined[] {
    return new Array<undefined>(this.size).fill(undefined);
  }

  send(data: Numbers, to: number): void {
    const out: (Uint8Array | undefined)[] = this.#none();
    out[to] = bytesOf(data);
    this.#exchange(out, this.#none());
  }

  receive(data: Numbers, from: number): void {
    const into: (Uint8Array | undefined)[] = this.#none();
    into[from] = bytesOf(data);
    this.#exchange(this.#none(), into);
  }

  broadcast(data: Numbers, root = 0): void {
    if (this.rank === root)
      this.#exchange(
        this.#others(() => bytesOf(data)),
        this.#none(),
      );
    else this.receive(data, root);
  }

  allReduce(data: Numbers, reduction: Reduction = 'sum'): void {
    // Each rank reduces one slice, in the order of the ranks, and hands it to all.
    const bound = (r: number) => Math.floor((r * data.length) / this.size);
    const counts = Array.from({ length: this.size }, (_, r) => bound(r + 1) - bound(r));
    const { data: slices } = this.allToAll(data, counts);
    const own = counts[this.rank] as number;
    const total = slices.slice(0, own) as Numbers;
    for (let r = 1; r < this.size; r++)
      for (let i = 0; i < own; i++) {
        const [a, b] = [total[i] as number, slices[r * own + i] as number];
        total[i] = reduction === 'sum' ? a + b : reduction === 'max' ? Math.max(a, b) : Math.min(a, b);
      }
    let at = 0;
    for (const part of this.allGather(total)) {
      data.set(part, at);
      at += part.length;
    }
  }

  allGather<T extends Numbers>(data: T): T[] {
    const counts = this.#lengths(new Array<number>(this.size).fill(data.length));
    const parts = counts.map((count, r) => (r === this.rank ? (data.slice() as T) : makeLike(data, count)));
    this.#exchange(
      this.#others(() => bytesOf(data)),
      this.#others((r) => bytesOf(parts[r] as T)),
    );
    return parts;
  }

  allToAll<T extends Numbers>(data: T, counts: readonly number[]): { data: T; counts: number[] } {
    requireCounts(data, counts, this.size);
    const taken = this.#lengths(counts);
    const starts = (lengths: readonly number[]) =>
      lengths.map((_, r) => lengths.slice(0, r).reduce((a, b) => a + b, 0));
    const [from, to] = [starts(counts), starts(taken)];
    const result = makeLike(
      data,
      taken.reduce((a, b) => a + b, 0),
    );
    const part = (values: T, begin: number, count: number) => bytesOf(values.subarray(begin, begin + count) as T);
    this.#exchange(
      this.#others((r) => part(data, from[r] as number, counts[r] as number)),
      this.#others((r) => part(result, to[r] as number, taken[r] as number)),
    );
    const own = data.subarray(from[this.rank], (from[this.rank] as number) + (counts[this.rank] as number));
    result.set(own, to[this.rank]);
    return { data: result, counts: taken };
  }

  /** What each rank says of its message to this one. */
  #lengths(mine: readonly number[]): number[] {
    const numbers = Array.from({ length: this.size }, (_, r) => Float64Array.of(mine[r] as number));
    this.#exchange(
      this.#others((r) => bytesOf(Float64Array.of(mine[r] as number))),
      this.#others((r) => bytesOf(numbers[r] as Float64Array)),
    );
    return numbers.map((value) => value[0] as number);
  }

  barrier(): void {
    const [COUNT, GENERATION] = [0, 1];
    const generation = Atomics.load(this.#words, GENERATION);
    if (Atomics.add(this.#words, COUNT, 1) === this.size - 1) {
      Atomics.store(this.#words, COUNT, 0);
      Atomics.add(this.#words, GENERATION, 1);
      Atomics.notify(this.#words, GENERATION);
      return;
    }
    while (Atomics.load(this.#words, GENERATION) === generation) Atomics.wait(this.#words, GENERATION, generation, 100);
  }

  close(): void {}
}

/**
 * Runs an exported function of a module on `size` ranks, each a worker thread with memory of its own: fn(communicator, data). In Node.
 *
 * @param module URL of the module
 * @returns what the ranks returned, in order
 * @throws Error naming the rank that failed; the others are ended.
 */
export async function runOnThreads<T>(size: number, module: string | URL, name: string, data?: unknown): Promise<T[]> {
  const { Worker } = await import('node:worker_threads');
  // By the package's own name: bundling moves this file and renames what it exports.
  const self = import.meta.resolve('gossamer/distributed');
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const [{ ThreadCommunicator }, program] = await Promise.all([import(workerData.self), import(workerData.module)]);
      parentPort.postMessage({ value: await program[workerData.name](new ThreadCommunicator(workerData.link), workerData.data) });
    })();`;
  const workers = threadLinks(size).map(
    (link) => new Worker(code, { eval: true, workerData: { self, module: String(module), name, data, link } }),
  );
  try {
    return await Promise.all(
      workers.map(
        (worker, rank) =>
          new Promise<T>((resolve, reject) => {
            worker.once('message', ({ value }: { value: T }) => resolve(value));
            worker.once('error', (error) => reject(new Error(`rank ${rank} of ${size} failed: ${error.message}`)));
            worker.once('exit', (code) => reject(new Error(`rank ${rank} of ${size} ended early, with code ${code}`)));
          }),
      ),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
