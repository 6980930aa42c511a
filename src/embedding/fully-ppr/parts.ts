// A graph shared by ranks: each holds the edges of a range of nodes. Rank 0 alone reads the graph, and sends the others theirs.

import type { Communicator } from '../../distributed/index.js';
import type { Graph } from '../../structure/index.js';
import { keep, type Tensor, tensor } from '../../tensor/index.js';
import { aliasColumns } from './monte-carlo.js';

/** One place's edges. */
interface Row {
  readonly targets: Int32Array;
  readonly weights: Float32Array | Float64Array | undefined;
}

/** What is sent to a rank. */
interface Edges {
  /** Rows below this are nodes, the others units. */
  readonly starts: Int32Array;
  readonly targets: Int32Array;
  /** Empty when the graph has none and no node was cut. */
  readonly weights: Float64Array;
  /** Edges of each node before it was cut. */
  readonly degrees: Int32Array;
}

/** The rows that a rank holds: its nodes, then its units of large nodes. A place below n is a node, n + i is unit i, on rank i mod ranks. */
export class Part {
  readonly first: number;
  readonly last: number;
  readonly unitRow: number;
  readonly largest: number;
  readonly indptr: Tensor;
  readonly indices: Tensor;
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

  dispose(): void {
    for (const held of [this.indptr, this.indices, this.columns]) held?.dispose();
  }
}

/**
 * Each rank's part of rank 0's graph. Nodes of more than `largestUnit` edges are cut into units, spread over the ranks.
 *
 * @param graph needed on rank 0 alone
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

/** The first node of each rank, then n: ranges of near-equal numbers of edges. */
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

function rowOf(graph: Graph, node: number): Row {
  const { indptr } = graph.successors;
  return { targets: graph.neighbours(node), weights: graph.weights?.subarray(indptr[node], indptr[node + 1]) };
}

/** Large nodes' edges in units of at most `largestUnit`; the rows of those nodes then name units. Each level holds at most so many entries; a level that is larger is cut again. */
function cutLargeNodes(graph: Graph, largestUnit: number): { cut: Map<number, Row>; units: Row[] } {
  const cut = new Map<number, Row>();
  const units: Row[] = [];
  for (let node = 0; node < graph.nodeCount; node++) {
    if (graph.neighbours(node).length <= largestUnit) continue;
    let row: Row = rowOf(graph, node);
    while (row.targets.length > largestUnit) {
      const pieces = Math.ceil(row.targets.length / largestUnit);
      const above = { targets: new Int32Array(pieces), weights: new Float64Array(pieces) };
      for (let piece = 0; piece < pieces; piece++) {
        const range = [piece * largestUnit, Math.min(row.targets.length, (piece + 1) * largestUnit)] as const;
        const unit = { targets: row.targets.subarray(...range), weights: row.weights?.subarray(...range) };
        above.targets[piece] = graph.nodeCount + units.length;
        above.weights[piece] = unit.weights ? sum(unit.weights) : unit.targets.length;
        units.push(unit);
      }
      row = above;
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
