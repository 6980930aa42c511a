// The nodes of an edge list: numbered 0 … n − 1, with the names that the file gave them.

/** The names of the nodes 0 … count − 1. */
export interface NodeNames {
  /** Number of nodes. */
  readonly count: number;
  /** The name of a node. */
  of(node: number): string;
  /** The node of a name, undefined for an unknown one. */
  find(name: string): number | undefined;
}

/** Nodes in the order of first appearance. */
export function namesOf(ids: ReadonlyMap<string, number>): NodeNames {
  const names = [...ids.keys()];
  return { count: names.length, of: (node) => names[node] as string, find: (name) => ids.get(name) };
}

/** Nodes whose names are their numbers. */
export function numbered(count: number): NodeNames {
  const find = (name: string) => (/^(0|[1-9]\d*)$/.test(name) && Number(name) < count ? Number(name) : undefined);
  return { count, of: String, find };
}

/** Numbers the nodes 0 … n − 1 by rank, in place. */
export function renumber(sources: Int32Array, targets: Int32Array): NodeNames {
  let largest = 0;
  for (const ends of [sources, targets])
    for (let i = 0; i < ends.length; i++) largest = Math.max(largest, ends[i] as number);
  const dense = largest < 8 * sources.length + 1024;
  const numbers = dense ? presentNumbers(sources, targets, largest) : distinctSorted(sources, targets);
  const rankOf = dense ? denseRanks(numbers, largest) : (value: number) => bisect(numbers, value);
  for (const ends of [sources, targets]) for (let i = 0; i < ends.length; i++) ends[i] = rankOf(ends[i] as number);
  return {
    count: numbers.length,
    of: (node) => String(numbers[node]),
    find: (name) => {
      // "007" is no name of node 7.
      const at = String(Number(name)) === name ? bisect(numbers, Number(name)) : -1;
      return numbers[at] === Number(name) ? at : undefined;
    },
  };
}

function presentNumbers(sources: Int32Array, targets: Int32Array, largest: number): Int32Array {
  const seen = new Uint8Array(largest + 1);
  for (const ends of [sources, targets]) for (let i = 0; i < ends.length; i++) seen[ends[i] as number] = 1;
  let count = 0;
  for (let value = 0; value <= largest; value++) count += seen[value] as number;
  const numbers = new Int32Array(count);
  for (let value = 0, at = 0; value <= largest; value++) if (seen[value]) numbers[at++] = value;
  return numbers;
}

function denseRanks(numbers: Int32Array, largest: number): (value: number) => number {
  const ranks = new Int32Array(largest + 1);
  for (let rank = 0; rank < numbers.length; rank++) ranks[numbers[rank] as number] = rank;
  return (value) => ranks[value] as number;
}

function distinctSorted(sources: Int32Array, targets: Int32Array): Int32Array {
  const all = new Int32Array(sources.length + targets.length);
  all.set(sources);
  all.set(targets, sources.length);
  all.sort();
  let count = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) all[count++] = all[i] as number;
  return all.slice(0, count);
}

function bisect(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
