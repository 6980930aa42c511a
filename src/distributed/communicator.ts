// What ranks say to each other. One interface, two implementations: processes under MPI, and threads of one process.
//
// Calls block, as MPI's do: every rank makes the same collective calls in the same order. Data are typed arrays, read and written in place.

export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;
export type Reduction = 'sum' | 'max' | 'min';

export interface Communicator {
  readonly rank: number;
  readonly size: number;
  send(data: Numbers, to: number): void;
  /** Fills `data`, whose length must be that of the message. */
  receive(data: Numbers, from: number): void;
  /** `data` of the root, on every rank. */
  broadcast(data: Numbers, root?: number): void;
  /** Element by element over all ranks, into `data` on every rank. In the order of the ranks, the same bits everywhere. */
  allReduce(data: Numbers, reduction?: Reduction): void;
  /** The data of every rank, one after another; lengths may differ. */
  allGather<T extends Numbers>(data: T): T[];
  /**
   * Sends parts of `data` to all ranks: counts[r] elements to rank r, in order.
   *
   * @returns what the ranks sent here, in their order, and how many elements each
   */
  allToAll<T extends Numbers>(data: T, counts: readonly number[]): { data: T; counts: number[] };
  barrier(): void;
  /** To be called by every rank at the end. */
  close(): void;
}

export function makeLike<T extends Numbers>(data: T, length: number): T {
  return new (data.constructor as new (length: number) => T)(length);
}

export function requireCounts(data: Numbers, counts: readonly number[], size: number): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (counts.length !== size || total !== data.length)
    throw new Error(
      `allToAll: counts for ${counts.length} of ${size} ranks add up to ${total} of ${data.length} elements`,
    );
}

/** A communicator of one rank: every collective is the identity. */
export function alone(): Communicator {
  const nobody = () => {
    throw new Error('a single rank has nobody to talk to');
  };
  return {
    rank: 0,
    size: 1,
    send: nobody,
    receive: nobody,
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

/** The rank's share of `count` items: [begin, end). */
export function shareOf(
  count: number,
  { rank, size }: Pick<Communicator, 'rank' | 'size'>,
): [begin: number, end: number] {
  return [Math.floor((rank * count) / size), Math.floor(((rank + 1) * count) / size)];
}
