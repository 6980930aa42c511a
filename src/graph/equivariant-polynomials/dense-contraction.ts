// Contraction of small graphs: factors are dense, and a step is loops over their indices.

import type { Pattern } from './pattern.js';

/** A function of some indices: the value at each tuple of nodes. */
interface DenseFactor {
  /** Nodes of the pattern. */
  readonly over: readonly number[];
  /** n^k values, the last index fastest. */
  readonly values: Float64Array;
}

/** How far a factor's values are apart when each of some indices grows by one. */
function strides({ over }: DenseFactor, indices: readonly number[], n: number): number[] {
  return indices.map((node) => {
    const place = over.indexOf(node);
    return place < 0 ? 0 : n ** (over.length - 1 - place);
  });
}

/** The product of factors over given indices, summed over a further one where there is one. */
function product(factors: readonly DenseFactor[], over: readonly number[], n: number, node?: number): DenseFactor {
  const outer = factors.map((factor) => strides(factor, over, n));
  const inner = factors.map((factor) => (node === undefined ? 0 : (strides(factor, [node], n)[0] as number)));
  const turns = node === undefined ? 1 : n;
  const places = new Array<number>(factors.length).fill(0);
  const index = new Array<number>(over.length).fill(0);
  const values = new Float64Array(n ** over.length);
  for (let at = 0; at < values.length; at++) {
    let sum = 0;
    for (let k = 0; k < turns; k++) {
      let term = 1;
      for (let f = 0; f < factors.length && term !== 0; f++)
        term *= (factors[f] as DenseFactor).values[(places[f] as number) + k * (inner[f] as number)] as number;
      sum += term;
    }
    values[at] = sum;
    // The next tuple, the last index first.
    for (let digit = over.length - 1; digit >= 0; digit--) {
      const isLast = index[digit] === n - 1;
      const step = isLast ? 1 - n : 1;
      index[digit] = (index[digit] as number) + step;
      for (let f = 0; f < factors.length; f++)
        places[f] = (places[f] as number) + step * ((outer[f] as number[])[digit] as number);
      if (!isLast) break;
    }
  }
  return { over, values };
}

/**
 * P_H by dense factors.
 *
 * @param matrices n × n input of each channel, row after row
 * @param order nodes in the order in which they are summed over, with their neighbours then
 * @returns a value for each tuple of the different red nodes, and these nodes
 */
export function contractDense(
  { edges, red }: Pattern,
  matrices: readonly Float64Array[],
  n: number,
  order: readonly { readonly node: number; readonly neighbours: readonly number[] }[],
): DenseFactor {
  let factors = edges.map(({ from, to, channel }): DenseFactor => {
    const values = matrices[channel] as Float64Array;
    return from === to
      ? { over: [from], values: Float64Array.from({ length: n }, (_, i) => values[i * (n + 1)] as number) }
      : { over: [from, to], values };
  });
  for (const { node, neighbours } of order) {
    const touching = factors.filter(({ over }) => over.includes(node));
    factors = [...factors.filter(({ over }) => !over.includes(node)), product(touching, neighbours, n, node)];
  }
  return product(factors, [...new Set(red)], n);
}
