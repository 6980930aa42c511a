// Ranks as worker threads of one process, communicating through shared memory.

import { type Communicator, makeLike, type Numbers, type Reduction, requireCounts } from './communicator.js';

/** Size of a mailbox in bytes; longer messages are sent in pieces of this size. */
const MAILBOX = 1 << 18;
/**
 * Words before the flags of the mailboxes: the barrier's count and generation, and one to wait on.
 */
const HEADER = 16;
/** Rounds without progress before a rank sleeps. */
const SPINS = 2000;

/** Connection of one rank to the memory that all ranks share; it can be posted to a worker. */
export interface ThreadLink {
  /** Number of the rank. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  /** Barrier, flags and mailboxes. */
  readonly memory: SharedArrayBuffer;
}

/**
 * Shared memory for `size` ranks, with one mailbox per ordered pair: a link for each rank.
 *
 * @throws RangeError unless `size` is a positive integer.
 */
export function threadLinks(size: number): ThreadLink[] {
  if (!(Number.isInteger(size) && size >= 1))
    throw new RangeError(`threads: the number of ranks must be a positive integer, got ${size}`);
  const memory = new SharedArrayBuffer(4 * (HEADER + size * size) + size * size * MAILBOX);
  return Array.from({ length: size }, (_, rank) => ({ rank, size, memory }));
}

/** The bytes of a typed array, as a view. */
function bytesOf(data: Numbers): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Communicator of a rank in a worker thread. Waiting ranks block their thread. */
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

  /**
   * Index of the word with the number of bytes in the mailbox from one rank to another, 0 when
   * empty.
   */
  #flag(from: number, to: number): number {
    return HEADER + from * this.size + to;
  }

  #mailbox(from: number, to: number): Uint8Array {
    return new Uint8Array(this.#memory, 4 * (HEADER + this.size ** 2) + (from * this.size + to) * MAILBOX, MAILBOX);
  }

  /** Puts the next piece into an empty mailbox. @returns the new position in `bytes`. */
  #push(bytes: Uint8Array, at: number, to: number): number {
    const flag = this.#flag(this.rank, to);
    if (Atomics.load(this.#words, flag) !== 0) return at;
    const piece = bytes.subarray(at, at + MAILBOX);
    this.#mailbox(this.rank, to).set(piece);
    Atomics.store(this.#words, flag, piece.length);
    Atomics.notify(this.#words, flag);
    return at + piece.length;
  }

  /** Takes a piece from a mailbox, if there is one. @returns the new position in `bytes`. */
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

  /**
   * Sends and receives pieces in turn until all messages are complete, so no order of calls can
   * deadlock.
   */
  #exchange(outgoing: readonly (Uint8Array | undefined)[], incoming: readonly (Uint8Array | undefined)[]): void {
    const sent = outgoing.map(() => 0);
    const received = incoming.map(() => 0);
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
        if (into && (received[r] as number) < into.length) {
          open = true;
          const next = this.#pull(into, received[r] as number, r);
          moved ||= next !== received[r];
          received[r] = next;
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
    // Reduce-scatter in rank order, then all-gather.
    const bound = (r: number) => Math.floor((r * data.length) / this.size);
    const counts = Array.from({ length: this.size }, (_, r) => bound(r + 1) - bound(r));
    const { data: slices } = this.allToAll(data, counts);
    const count = counts[this.rank] as number;
    const total = slices.slice(0, count) as Numbers;
    for (let r = 1; r < this.size; r++)
      for (let i = 0; i < count; i++) {
        const [a, b] = [total[i] as number, slices[r * count + i] as number];
        total[i] = reduction === 'sum' ? a + b : reduction === 'max' ? Math.max(a, b) : Math.min(a, b);
      }
    let offset = 0;
    for (const part of this.allGather(total)) {
      data.set(part, offset);
      offset += part.length;
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
    const receiveCounts = this.#lengths(counts);
    const starts = (lengths: readonly number[]) =>
      lengths.map((_, r) => lengths.slice(0, r).reduce((a, b) => a + b, 0));
    const [sendStarts, receiveStarts] = [starts(counts), starts(receiveCounts)];
    const result = makeLike(
      data,
      receiveCounts.reduce((a, b) => a + b, 0),
    );
    const part = (values: T, begin: number, count: number) => bytesOf(values.subarray(begin, begin + count) as T);
    this.#exchange(
      this.#others((r) => part(data, sendStarts[r] as number, counts[r] as number)),
      this.#others((r) => part(result, receiveStarts[r] as number, receiveCounts[r] as number)),
    );
    const ownPart = data.subarray(
      sendStarts[this.rank],
      (sendStarts[this.rank] as number) + (counts[this.rank] as number),
    );
    result.set(ownPart, receiveStarts[this.rank]);
    return { data: result, counts: receiveCounts };
  }

  /**
   * Exchanges message lengths: mine[r] goes to rank r.
   *
   * @returns the length that each rank sends.
   */
  #lengths(mine: readonly number[]): number[] {
    const lengths = Array.from({ length: this.size }, (_, r) => Float64Array.of(mine[r] as number));
    this.#exchange(
      this.#others((r) => bytesOf(Float64Array.of(mine[r] as number))),
      this.#others((r) => bytesOf(lengths[r] as Float64Array)),
    );
    return lengths.map((value) => value[0] as number);
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
 * Runs an exported function `name` of a module on `size` ranks, each a Node worker thread with
 * memory of its own: fn(communicator, data).
 *
 * @param module URL of the module
 * @param data argument of the function, by structured clone
 * @returns the values that the ranks returned, in rank order
 * @throws Error naming the first rank that failed; the other workers are terminated.
 */
export async function runOnThreads<T>(size: number, module: string | URL, name: string, data?: unknown): Promise<T[]> {
  const { Worker } = await import('node:worker_threads');
  // By the package's name, since bundling moves this file and renames its exports.
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
