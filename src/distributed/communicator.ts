// Communication between ranks. One interface, two implementations: processes under MPI, and threads
// of one process.
//
// Calls block, as MPI's do; every rank makes the same collective calls in the same order. Messages
// are typed arrays, read and written in place.

/** Element types of messages. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;
/** Elementwise reduction over ranks. */
export type Reduction = 'sum' | 'max' | 'min';

/** Point-to-point messages and collective operations among the ranks 0 … size − 1. */
export interface Communicator {
  /** Number of this rank. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  /** Sends a message to another rank, which must call `receive`. */
  send(data: Numbers, to: number): void;
  /**
   * Receives a message from another rank into `data`, which must have the length of the message.
   */
  receive(data: Numbers, from: number): void;
  /** Copies `data` of the root (default rank 0) into `data` of every rank; equal lengths. */
  broadcast(data: Numbers, root?: number): void;
  /**
   * Elementwise reduction of `data` over all ranks, into `data` of every rank. Default: `sum`. The
   * result is bitwise the same on all ranks.
   */
  allReduce(data: Numbers, reduction?: Reduction): void;
  /** `data` of every rank, in rank order; lengths may differ. */
  allGather<T extends Numbers>(data: T): T[];
  /**
   * Sends consecutive parts of `data` to all ranks, counts[r] elements to rank r.
   *
   * @returns the parts received, concatenated in rank order, and the number of elements of each
   * @throws Error when the counts do not add up to the length of `data`.
   */
  allToAll<T extends Numbers>(data: T, counts: readonly number[]): { data: T; counts: number[] };
  /** Returns once every rank has called it. */
  barrier(): void;
  /** Ends communication; every rank calls it last. */
  close(): void;
}

/** A typed array of the same element type. */
export function makeLike<T extends Numbers>(data: T, length: number): T {
  return new (data.constructor as new (length: number) => T)(length);
}

/** @throws Error unless there is a count per rank and they add up to the length of `data`. */
export function requireCounts(data: Numbers, counts: readonly number[], size: number): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (counts.length !== size || total !== data.length)
    throw new Error(
      `allToAll: counts for ${counts.length} of ${size} ranks add up to ${total} of ${data.length} elements`,
    );
}

/**
 * A communicator of one rank: every collective operation is the identity.
 *
 * @throws Error on `send` and `receive`.
 */
export function alone(): Communicator {
  const noPeer = () => {
    throw new Error('a single rank has nobody to talk to');
  };
  return {
    rank: 0,
    size: 1,
    send: noPeer,
    receive: noPeer,
    broadcast: () => {},
    allReduce: () => {},
    allGather: (data) => [data.slice() as typeof data],
    allToAll: (data, counts) => {
      requireCounts(data, counts, 1);
      return { data: data.slice() as typeof data, counts: [data.length] };
    },
    barrier: () => {},
    close: () => {},
  };
}

/** Contiguous share of this rank in `count` items: [begin, end). */
export function shareOf(
  count: number,
  { rank, size }: Pick<Communicator, 'rank' | 'size'>,
): [begin: number, end: number] {
  return [Math.floor((rank * count) / size), Math.floor(((rank + 1) * count) / size)];
}
