// The training grid of skip-gram: nodes are divided into parts, pairs (centre, context) into blocks
// of the grid; blocks that share neither row nor column train in parallel (Zhu et al., "GraphVite:
// A High-Performance CPU-GPU Hybrid System for Node Embedding", WWW 2019).

import { fillAlias, type Graph } from '../structure/index.js';
import { keep, type Tensor, tensor } from '../tensor/index.js';

/** Parts of the grid, which bounds the number of threads that train at the same time. */
const PARTS = 8;
/** Graphs of fewer nodes use a single part. */
const SMALL = 64;
/** Exponent of the degree in the distribution of negatives. */
const NEGATIVE_EXPONENT = 0.75;

/**
 * A graph with renumbered nodes, so that each part of the grid is a range with a near-equal sum of
 * degrees. A place is a node's new index; embeddings are stored in that order.
 */
export class Grid {
  /** Number of parts. */
  readonly parts: number;
  /** Node at each place. */
  readonly nodes: Int32Array;
  /** Place of each node. */
  readonly places: Int32Array;
  /** Part of each place, u8 [n]. */
  readonly partOf: Tensor;
  /** First place of each part, then n. */
  readonly bounds: Int32Array;
  /** Row pointers of the renumbered adjacency, i32 [n + 1]. */
  readonly indptr: Tensor;
  /** Its column indices (places), i32 [nnz]. */
  readonly indices: Tensor;
  /**
   * Acceptance probabilities of the alias table of each node's edges, [nnz]; null without weights.
   */
  readonly edgeProbabilities: Tensor | null;
  /** Aliases of that table. */
  readonly edgeAliases: Tensor | null;
  /**
   * Acceptance probabilities of the alias tables of negatives, ∝ degree^0.75, one table for each
   * part: [n].
   */
  readonly probabilities: Tensor;
  /** Aliases of those tables. */
  readonly aliases: Tensor;

  /** @param parts at most 256, default 8, of small graphs 1 */
  constructor(
    readonly graph: Graph,
    parts = graph.nodeCount < SMALL ? 1 : PARTS,
  ) {
    const n = graph.nodeCount;
    this.parts = parts;
    const degrees = graph.outDegrees;
    const zigzag = zigzagParts(degrees, parts);
    this.nodes = Int32Array.from(zigzag.flat());
    this.bounds = new Int32Array(this.parts + 1);
    zigzag.forEach((part, z) => {
      this.bounds[z + 1] = (this.bounds[z] as number) + part.length;
    });
    this.places = new Int32Array(n);
    const partOf = new Uint8Array(Math.max(1, n));
    this.nodes.forEach((v, place) => {
      this.places[v] = place;
    });
    zigzag.forEach((part, z) => {
      for (const v of part) partOf[this.places[v] as number] = z;
    });
    this.partOf = keep(tensor(partOf));
    const { indptr, indices, weights } = renumber(graph, this.nodes, this.places);
    this.indptr = keep(tensor(indptr));
    this.indices = keep(tensor(indices));
    const edges = weights && rowAliases(indptr, weights);
    this.edgeProbabilities = edges ? keep(tensor(edges.probabilities)) : null;
    this.edgeAliases = edges ? keep(tensor(edges.aliases)) : null;
    const likely = Float64Array.from(this.nodes, (v) => (degrees[v] as number) ** NEGATIVE_EXPONENT);
    const negatives = rowAliases(this.bounds, likely);
    this.probabilities = keep(tensor(negatives.probabilities));
    this.aliases = keep(tensor(negatives.aliases));
  }

  /** Frees the tensors. */
  dispose(): void {
    for (const held of [
      this.partOf,
      this.indptr,
      this.indices,
      this.edgeProbabilities,
      this.edgeAliases,
      this.probabilities,
      this.aliases,
    ])
      held?.dispose();
  }
}

/**
 * Nodes of each part, by falling degree. The node of rank i lies in part min(i mod 2P, 2P − 1 − (i
 * mod 2P)), so that parts differ by at most one node and little in their sum of degrees.
 */
export function zigzagParts(degrees: Float64Array, parts: number): number[][] {
  const byDegree = Int32Array.from({ length: degrees.length }, (_, v) => v).sort(
    (a, b) => (degrees[b] as number) - (degrees[a] as number) || a - b,
  );
  const zigzag = Array.from({ length: parts }, () => [] as number[]);
  byDegree.forEach((v, rank) => {
    const phase = rank % (2 * parts);
    zigzag[Math.min(phase, 2 * parts - 1 - phase)]?.push(v);
  });
  return zigzag;
}

/** Adjacency in places instead of nodes, neighbours sorted. */
function renumber(graph: Graph, nodes: Int32Array, places: Int32Array) {
  const { successors } = graph;
  const indptr = new Int32Array(nodes.length + 1);
  const indices = new Int32Array(successors.nnz);
  const weights = graph.weights && new Float32Array(successors.nnz);
  let at = 0;
  nodes.forEach((v, place) => {
    const begin = successors.indptr[v] as number;
    const neighbours = graph.neighbours(v);
    const target = indices.subarray(at, at + neighbours.length);
    if (weights) {
      // Neighbours and weights are sorted together: neighbours are looked up by bisection.
      const order = Array.from(neighbours.keys()).sort(
        (a, b) => (places[neighbours[a] as number] as number) - (places[neighbours[b] as number] as number),
      );
      order.forEach((from, to) => {
        target[to] = places[neighbours[from] as number] as number;
        weights[at + to] = graph.weights?.[begin + from] as number;
      });
    } else {
      for (let i = 0; i < neighbours.length; i++) target[i] = places[neighbours[i] as number] as number;
      target.sort();
    }
    at += neighbours.length;
    indptr[place + 1] = at;
  });
  return { indptr, indices, weights };
}

/** Alias tables of ranges of weights; a range whose weights are all 0 is sampled uniformly. */
function rowAliases(bounds: Int32Array, weights: ArrayLike<number>) {
  const probabilities = new Float32Array(Math.max(1, weights.length));
  const aliases = new Int32Array(Math.max(1, weights.length));
  for (let row = 0; row + 1 < bounds.length; row++) {
    const [begin, end] = [bounds[row] as number, bounds[row + 1] as number];
    let total = 0;
    for (let i = begin; i < end; i++) total += weights[i] as number;
    if (total > 0) fillAlias(weights, begin, end, total, probabilities, aliases);
    else probabilities.fill(1, begin, end);
  }
  return { probabilities, aliases };
}

/**
 * Groups of blocks (row, column) that can train in parallel, covering every block once.
 *
 * @param shared one matrix holds vertices and contexts, so that no part may appear twice in a
 * group. Default: false
 */
export function gridSchedule(parts: number, shared = false): [row: number, column: number][][] {
  const all = Array.from({ length: parts }, (_, i) => i);
  if (!shared) return all.map((offset) => all.map((row) => [row, (row + offset) % parts]));
  const groups: [number, number][][] = [all.map((i) => [i, i])];
  // A round-robin tournament: every pair of parts meets once, then again in the opposite roles.
  const ring = parts % 2 ? [...all, -1] : all;
  for (let round = 0; round < ring.length - 1; round++) {
    const rotated = [
      ring[0] as number,
      ...ring.slice(1).map((_, i) => ring[1 + ((i + round) % (ring.length - 1))] as number),
    ];
    const matches = rotated
      .slice(0, ring.length / 2)
      .map((a, i) => [a, rotated[ring.length - 1 - i] as number] as [number, number])
      .filter(([a, b]) => a >= 0 && b >= 0);
    groups.push(
      matches,
      matches.map(([a, b]) => [b, a]),
    );
  }
  return groups.filter((group) => group.length > 0);
}
