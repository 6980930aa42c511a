// Distances of all pairs of nodes, and what cutting a node or an edge does, for small graphs.

import type { Graph } from './graph.js';

/** What `hopDistances` gives for a pair that no path joins. */
export const UNREACHABLE = 255;

/**
 * Number of edges of a shortest path between all pairs, by a breadth-first search from each node:
 * [n·n], row after row; at most 254, and 255 where there is no path.
 */
export function hopDistances(graph: Graph): Uint8Array {
  const n = graph.nodeCount;
  const { indptr, indices } = graph.successors;
  const distances = new Uint8Array(n * n).fill(UNREACHABLE);
  const queue = new Int32Array(n);
  for (let root = 0; root < n; root++) {
    const own = distances.subarray(root * n, (root + 1) * n);
    own[root] = 0;
    queue[0] = root;
    for (let head = 0, tail = 1; head < tail; head++) {
      const u = queue[head] as number;
      const next = Math.min(UNREACHABLE - 1, (own[u] as number) + 1);
      for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
        const v = indices[e] as number;
        if (own[v] !== UNREACHABLE || v === root) continue;
        own[v] = next;
        queue[tail] = v;
        tail += 1;
      }
    }
  }
  return distances;
}

/** Primes below 2²⁶, so that products of two residues are exact. */
const PRIMES = [67108859, 67108837] as const;

/**
 * Codes of the resistance distances of all pairs [n·n], row after row: two pairs, of this or any
 * other graph, have equal codes when their resistances are equal. Resistance is a fraction of two
 * numbers of spanning forests; the code is the fraction modulo two primes, exactly, so that
 * different fractions share one with probability 2⁻⁵². Pairs that no path joins have the code −1.
 *
 * @throws Error when one of the primes divides the number of spanning trees, which happens to one
 * graph in thirty million
 */
export function resistanceCodes(graph: Graph): Float64Array {
  const n = graph.nodeCount;
  const { components } = graph;
  const members = new Map<number, number[]>();
  components.forEach((component, node) => {
    members.set(component, [...(members.get(component) ?? []), node]);
  });
  const codes = new Float64Array(n * n).fill(-1);
  for (const nodes of members.values()) {
    const [first, second] = PRIMES.map((prime) => resistancesModulo(graph, nodes, prime)) as [
      Float64Array,
      Float64Array,
    ];
    nodes.forEach((u, i) => {
      nodes.forEach((v, j) => {
        const at = i * nodes.length + j;
        codes[u * n + v] = (first[at] as number) * 2 ** 26 + (second[at] as number);
      });
    });
  }
  return codes;
}

/**
 * r(u, v) = M[u, u] + M[v, v] − 2·M[u, v] modulo a prime, where M inverts the Laplacian without the
 * last node of a component.
 */
function resistancesModulo(graph: Graph, nodes: readonly number[], prime: number): Float64Array {
  const size = nodes.length;
  const place = new Map(nodes.map((node, i) => [node, i]));
  const laplacian = new Float64Array(size * size);
  nodes.forEach((u, i) => {
    for (const v of graph.neighbours(u)) {
      if (v === u) continue;
      const j = place.get(v) as number;
      laplacian[i * size + i] = (laplacian[i * size + i] as number) + 1;
      laplacian[i * size + j] = prime - 1;
    }
  });
  const inverse = invertModulo(laplacian, size, size - 1, prime);
  if (!inverse)
    throw new Error(`resistanceCodes: the spanning trees of a component of ${size} nodes are a multiple of ${prime}`);
  const m = (i: number, j: number) => (i === size - 1 || j === size - 1 ? 0 : (inverse[i * (size - 1) + j] as number));
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return (m(i, i) + m(j, j) + 2 * (prime - m(i, j))) % prime;
  });
}

/** The inverse of the leading `size` rows and columns, by Gauss–Jordan; undefined if singular. */
function invertModulo(matrix: Float64Array, stride: number, size: number, prime: number): Float64Array | undefined {
  const width = 2 * size;
  const rows = Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(width);
    for (let j = 0; j < size; j++) row[j] = matrix[i * stride + j] as number;
    row[size + i] = 1;
    return row;
  });
  for (let column = 0; column < size; column++) {
    const pivot = rows.findIndex((row, i) => i >= column && row[column] !== 0);
    if (pivot < 0) return undefined;
    const own = rows[pivot] as Float64Array<ArrayBuffer>;
    rows[pivot] = rows[column] as Float64Array<ArrayBuffer>;
    rows[column] = own;

    const factor = reciprocalModulo(own[column] as number, prime);
    for (let j = 0; j < width; j++) own[j] = ((own[j] as number) * factor) % prime;
    rows.forEach((row, i) => {
      const lead = row[column] as number;
      if (i === column || lead === 0) return;
      for (let j = 0; j < width; j++) row[j] = ((row[j] as number) + (prime - lead) * (own[j] as number)) % prime;
    });
  }
  const inverse = new Float64Array(size * size);
  rows.forEach((row, i) => {
    inverse.set(row.subarray(size), i * size);
  });
  return inverse;
}

/** The reciprocal of a residue, by Euclid's algorithm. */
function reciprocalModulo(value: number, prime: number): number {
  let [a, b] = [value, prime];
  let [s, t] = [1, 0];
  while (b !== 0) {
    const quotient = Math.floor(a / b);
    [a, b] = [b, a - quotient * b];
    [s, t] = [t, s - quotient * t];
  }
  return ((s % prime) + prime) % prime;
}

/** Nodes and edges whose removal disconnects their component. */
export interface Cuts {
  /** 1 for cut nodes [n]. */
  readonly nodes: Uint8Array;
  /** 1 for cut edges [m], in the order of `Graph.edges`. */
  readonly edges: Uint8Array;
}

/** Cut nodes and cut edges (bridges), by one depth-first search. */
export function cutsOf(graph: Graph): Cuts {
  const n = graph.nodeCount;
  const { sources, targets } = graph.edges();
  const incident = Array.from({ length: n }, () => [] as number[]);
  sources.forEach((u, e) => {
    const v = targets[e] as number;
    if (u === v) return;
    incident[u]?.push(e);
    incident[v]?.push(e);
  });
  const cuts = { nodes: new Uint8Array(n), edges: new Uint8Array(sources.length) };
  const [entered, low, next] = [new Int32Array(n), new Int32Array(n), new Int32Array(n)];
  const through = new Int32Array(n).fill(-1);
  let time = 0;
  for (let root = 0; root < n; root++) {
    if (entered[root]) continue;
    let children = 0;
    const path = [root];
    time += 1;
    entered[root] = time;
    low[root] = time;
    while (path.length > 0) {
      const u = path.at(-1) as number;
      const e = incident[u]?.[next[u] as number];
      if (e !== undefined) {
        next[u] = (next[u] as number) + 1;
        if (e === through[u]) continue;
        const v = (sources[e] as number) + (targets[e] as number) - u;
        if (entered[v]) {
          low[u] = Math.min(low[u] as number, entered[v] as number);
          continue;
        }
        if (u === root) children += 1;
        through[v] = e;
        time += 1;
        entered[v] = time;
        low[v] = time;
        path.push(v);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent === undefined) continue;
      low[parent] = Math.min(low[parent] as number, low[u] as number);
      if ((low[u] as number) > (entered[parent] as number)) cuts.edges[through[u] as number] = 1;
      if (parent !== root && (low[u] as number) >= (entered[parent] as number)) cuts.nodes[parent] = 1;
    }
    if (children > 1) cuts.nodes[root] = 1;
  }
  return cuts;
}
