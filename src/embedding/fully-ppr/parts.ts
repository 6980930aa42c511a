// A graph partitioned over ranks: each holds the edges of a range of nodes. Only rank 0 reads the
// graph; it sends the other ranks their edges.

import type { Communicator } from '../../distributed/index.js';
import type { Graph } from '../../structure/index.js';
import { keep, type Tensor, tensor } from '../../tensor/index.js';
import { aliasColumns } from './monte-carlo.js';

/** Edges of one place. */
interface Row {
  readonly targets: Int32Array;
  readonly weights: Float32Array | Float64Array | undefined;
}

/** The rows of one rank, as they are sent. */
interface Edges {
  /** First edge of each row, then the number of edges. */
  readonly starts: Int32Array;
  /** Target place of each edge. */
  readonly targets: Int32Array;
  /** Empty when the graph has no weights and no node of this rank was split. */
  readonly weights: Float64Array;
  /** Edges of each node before it was split. */
  readonly degrees: Int32Array;
}

/**
 * The rows of a rank: its nodes, then its units (pieces of the edge lists of large nodes). A place
 * below n is a node; place n + i is unit i, on rank i mod ranks.
 */
export class Part {
  /** First node of this rank. */
  readonly first: number;
  /** End of its nodes, exclusive. */
  readonly last: number;
  /** Row of its first unit. */
  readonly unitRow: number;
  /** Edges of its largest row. */
  readonly largest: number;
  /** Row pointers, i32 [rows + 1]. */
  readonly indptr: Tensor;
  /** Target place of each edge, i32 [edges]. */
  readonly indices: Tensor;
  /** Alias tables of weighted rows, see `aliasColumns`; null without weights. */
  readonly columns: Tensor | null;
  readonly #degrees: Int32Array;

  constructor(
    readonly nodeCount: number,
    readonly ranks: number,
    rank: number,
    readonly bounds: Int32Array,
    { starts, targets, weights, degrees }: Edges,
  ) {
    this.first = bounds[rank] as number;
    this.last = bounds[rank + 1] as number;
    this.unitRow = this.last - this.first;
    this.#degrees = degrees;
    let largest = 0;
    for (let i = 1; i < starts.length; i++)
      largest = Math.max(largest, (starts[i] as number) - (starts[i - 1] as number));
    this.largest = largest;
    this.indptr = keep(tensor(starts));
    this.indices = keep(tensor(targets.length > 0 ? targets : new Int32Array(1)));
    this.columns = weights.length > 0 ? keep(tensor(aliasColumns(starts, targets, weights))) : null;
  }

  /** Rank that holds a place. */
  ownerOf(place: number): number {
    if (place >= this.nodeCount) return (place - this.nodeCount) % this.ranks;
    let owner = 0;
    while (place >= (this.bounds[owner + 1] as number)) owner += 1;
    return owner;
  }

  /** Edges of one of this rank's nodes. */
  degreeOf(node: number): number {
    return this.#degrees[node - this.first] as number;
  }

  /** Frees the tensors. */
  dispose(): void {
    for (const held of [this.indptr, this.indices, this.columns]) held?.dispose();
  }
}

/**
 * Each rank's part of rank 0's graph. Nodes of more than `largestUnit` edges are split into units,
 * spread over the ranks.
 *
 * @param graph needed on rank 0 only
 * @throws Error when rank 0 has no graph
 */
export function shareParts(graph: Graph | undefined, communicator: Communicator, largestUnit: number): Part {
  const { rank, size } = communicator;
  const header = new Int32Array(size + 1);
  if (rank === 0) {
    if (!graph) throw new Error('personalised PageRank over ranks: rank 0 must have the graph');
    header.set(nodeBounds(graph, size));
  }
  communicator.broadcast(header);
  const nodeCount = header[size] as number;
  if (!graph || rank > 0) return new Part(nodeCount, size, rank, header, receiveEdges(communicator));
  const { cut, units } = cutLargeNodes(graph, largestUnit);
  const edgesOf = (r: number) => edgesOfRank(graph, header, r, cut, units, size);
  for (let r = 1; r < size; r++) sendEdges(edgesOf(r), communicator, r);
  return new Part(nodeCount, size, 0, header, edgesOf(0));
}

/** First node of each rank, then n: ranges with near-equal numbers of edges and nodes. */
function nodeBounds(graph: Graph, ranks: number): Int32Array {
  const { indptr } = graph.successors;
  const bounds = new Int32Array(ranks + 1);
  let node = 0;
  for (let r = 1; r < ranks; r++) {
    const goal = (r * (graph.successors.nnz + graph.nodeCount)) / ranks;
    while (node < graph.nodeCount && (indptr[node] as number) + node < goal) node += 1;
    bounds[r] = node;
  }
  bounds[ranks] = graph.nodeCount;
  return bounds;
}

/** Edges of a node. */
function rowOf(graph: Graph, node: number): Row {
  const { indptr } = graph.successors;
  return { targets: graph.neighbours(node), weights: graph.weights?.subarray(indptr[node], indptr[node + 1]) };
}

/**
 * Splits the edges of large nodes into units of at most `largestUnit` edges; the row of such a node
 * lists units, weighted by their sums. A row of units that is still too large is split again.
 */
function cutLargeNodes(graph: Graph, largestUnit: number): { cut: Map<number, Row>; units: Row[] } {
  const cut = new Map<number, Row>();
  const units: Row[] = [];
  for (let node = 0; node < graph.nodeCount; node++) {
    if (graph.neighbours(node).length <= largestUnit) continue;
    let row: Row = rowOf(graph, node);
    while (row.targets.length > largestUnit) {
      const pieces = Math.ceil(row.targets.length / largestUnit);
      const parent = { targets: new Int32Array(pieces), weights: new Float64Array(pieces) };
      for (let piece = 0; piece < pieces; piece++) {
        const range = [piece * largestUnit, Math.min(row.targets.length, (piece + 1) * largestUnit)] as const;
        const unit = { targets: row.targets.subarray(...range), weights: row.weights?.subarray(...range) };
        parent.targets[piece] = graph.nodeCount + units.length;
        parent.weights[piece] = unit.weights ? sum(unit.weights) : unit.targets.length;
        units.push(unit);
      }
      row = parent;
    }
    cut.set(node, row);
  }
  return { cut, units };
}

function sum(values: Float32Array | Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The rows of one rank. */
function edgesOfRank(
  graph: Graph,
  bounds: Int32Array,
  rank: number,
  cut: ReadonlyMap<number, Row>,
  units: readonly Row[],
  ranks: number,
): Edges {
  const [first, last] = [bounds[rank] as number, bounds[rank + 1] as number];
  const local = units.filter((_, i) => i % ranks === rank);
  const count = last - first + local.length;
  const row = (i: number) =>
    i < last - first ? (cut.get(first + i) ?? rowOf(graph, first + i)) : (local[i - (last - first)] as Row);
  const starts = new Int32Array(count + 1);
  let weighted = false;
  for (let i = 0; i < count; i++) {
    const { targets, weights } = row(i);
    starts[i + 1] = (starts[i] as number) + targets.length;
    weighted ||= weights !== undefined;
  }
  const total = starts[count] as number;
  const targets = new Int32Array(total);
  const weights = new Float64Array(weighted ? total : 0).fill(1);
  for (let i = 0; i < count; i++) {
    const edges = row(i);
    targets.set(edges.targets, starts[i]);
    if (edges.weights) weights.set(edges.weights, starts[i]);
  }
  return {
    starts,
    targets,
    weights,
    degrees: Int32Array.from({ length: last - first }, (_, i) => graph.neighbours(first + i).length),
  };
}

function sendEdges({ starts, targets, weights, degrees }: Edges, communicator: Communicator, to: number): void {
  const parts = [starts, targets, weights, degrees];
  communicator.send(
    Int32Array.from(parts, ({ length }) => length),
    to,
  );
  for (const part of parts) communicator.send(part, to);
}

function receiveEdges(communicator: Communicator): Edges {
  const lengths = new Int32Array(4);
  communicator.receive(lengths, 0);
  const [starts = 0, targets = 0, weights = 0, degrees = 0] = lengths;
  const edges = {
    starts: new Int32Array(starts),
    targets: new Int32Array(targets),
    weights: new Float64Array(weights),
    degrees: new Int32Array(degrees),
  };
  for (const part of [edges.starts, edges.targets, edges.weights, edges.degrees]) communicator.receive(part, 0);
  return edges;
}
