// The basis of equivariant polynomials counted, and its elements evaluated, without graphs: by
// partitions of indices and by sums over all of them.

import type { Directedness, Pattern } from '../../graph/index.js';

/** All partitions of so many indices, as the block of each, blocks numbered as they come. */
function* partitions(indices: number, blocks: readonly number[] = []): Generator<readonly number[]> {
  if (blocks.length === indices) {
    yield blocks;
    return;
  }
  const most = blocks.reduce((largest, own) => Math.max(largest, own + 1), 0);
  for (let block = 0; block <= most; block++) yield* partitions(indices, [...blocks, block]);
}

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, at) => [...rest.slice(0, at), count - 1, ...rest.slice(at)]),
  );
}

/**
 * Elements of a degree: a monomial is a product of entries of the inputs, and two are of the same
 * element when their indices coincide alike, whatever the order of the factors, and of the indices
 * of each where the input is symmetric.
 */
export function elementsByPartitions(degree: number, red: number, kind: Directedness, channels: number): number {
  const orders = permutations(degree);
  const turns = kind === 'symmetric' ? 2 ** degree : 1;
  const seen = new Set<string>();
  let elements = 0;
  for (let colours = 0; colours < channels ** degree; colours++) {
    const colour = (edge: number) => Math.floor(colours / channels ** edge) % channels;
    for (const blocks of partitions(2 * degree + red)) {
      const form = (order: readonly number[], turn: number) => {
        const ends = order.flatMap((edge) => {
          const pair = [blocks[2 * edge] as number, blocks[2 * edge + 1] as number];
          return (turn >> edge) & 1 ? pair.reverse() : pair;
        });
        const places = new Map<number, number>();
        const named = [...blocks.slice(2 * degree), ...ends].map((block) => {
          if (!places.has(block)) places.set(block, places.size);
          return places.get(block) as number;
        });
        return `${named.join(' ')} | ${order.map(colour).join(' ')}`;
      };
      if (seen.has(form(orders[0] as number[], 0))) continue;
      elements += 1;
      for (const order of orders) for (let turn = 0; turn < turns; turn++) seen.add(form(order, turn));
    }
  }
  return elements;
}

/** P_H of one matrix by loops over the indices of all nodes. */
export function directSum({ nodes, edges, red }: Pattern, x: Float64Array, n: number): Float64Array {
  const sums = new Float64Array(n ** red.length);
  for (let tuple = 0; tuple < n ** nodes; tuple++) {
    const index = (node: number) => Math.floor(tuple / n ** node) % n;
    const product = edges.reduce((own, { from, to }) => own * (x[index(from) * n + index(to)] as number), 1);
    const at = red.reduce((key, node) => key * n + index(node), 0);
    sums[at] = (sums[at] as number) + product;
  }
  return sums;
}
