// Message passing with the contraction that it lacks as one more aggregation: sums over triangles.

import { BatchNorm1d, Linear, type Mode, parameter } from '../../nn/index.js';
import type { GraphCollection } from '../../structure/index.js';
import { add, gatherKnownRows, ones, type Random, relu, type Tensor, tensor, zeros } from '../../tensor/index.js';
import { type GraphBatch, neighbourSum, segmentOfEach, sumByIndex, type WholeGraphNetwork } from '../dense/index.js';
import { CellMLP } from '../subgraph-gnn/index.js';

/** Triangles of graphs: each at its three nodes, with the other two. */
export interface Triangles {
  /** The node at which a triangle counts. */
  readonly at: Int32Array;
  /** One of its other nodes. */
  readonly first: Int32Array;
  /** The other one. */
  readonly second: Int32Array;
}

/** The triangles of graphs, three entries each. */
export function trianglesOf({ neighbours, nodeCount }: GraphCollection): Triangles {
  const { indptr, indices } = neighbours;
  const [at, first, second]: [number[], number[], number[]] = [[], [], []];
  const isNear = new Uint8Array(nodeCount);
  const around = (v: number) => indices.subarray(indptr[v], indptr[v + 1]);
  for (let v = 0; v < nodeCount; v++) {
    for (const u of around(v)) isNear[u] = 1;
    for (const u of around(v))
      for (const w of around(u))
        if (w > u && w !== v && u !== v && isNear[w]) {
          at.push(v);
          first.push(u);
          second.push(w);
        }
    for (const u of around(v)) isNear[u] = 0;
  }
  return { at: Int32Array.from(at), first: Int32Array.from(first), second: Int32Array.from(second) };
}

/**
 * m_v = Σ over triangles v, u, w of ReLU(h_u + h_w), each triangle once.
 *
 * @param h [nodes, d]
 * @returns [nodes, d]
 */
export function triangleSum(h: Tensor, { at, first, second }: Triangles): Tensor {
  const sent = relu(add(gatherKnownRows(h, tensor(first)), gatherKnownRows(h, tensor(second))));
  return sumByIndex(sent, tensor(at), h.shape[0] as number);
}

/** h'_v = ReLU(BN(MLP((1 + ε)·h_v + Σ_u ReLU(h_u + B(e)) + sum over triangles))). */
class TriangleLayer {
  /** ε [1]. */
  epsilon: Tensor;
  readonly edges: Linear | undefined;
  readonly mlp: CellMLP;
  readonly norm: BatchNorm1d;

  constructor(hidden: number, edgeFeatures: number, random: Random) {
    this.epsilon = parameter(zeros([1]));
    this.edges = edgeFeatures > 0 ? new Linear(edgeFeatures, hidden, random.split('edges')) : undefined;
    this.mlp = new CellMLP(hidden, hidden, random);
    this.norm = new BatchNorm1d(hidden);
  }

  forward(h: Tensor, { cells, edges }: GraphBatch, triangles: Triangles, mode: Mode): Tensor {
    const near = neighbourSum(h, add(this.epsilon, 1), cells, 'second', edges && this.edges?.forward(edges));
    return this.norm.forward(this.mlp.forward(add(near, triangleSum(h, triangles)), mode), mode, 'relu');
  }
}

/** Layout of a `TriangleNetwork`. */
export interface TriangleOptions {
  /** Layers. Default: 4. */
  readonly layers?: number;
  /** Width. Default: 32. */
  readonly hidden?: number;
}

/**
 * GIN, or with features of edges GINE, that also adds up triangles: it reads batches of the policy
 * `plain`.
 */
export class TriangleNetwork implements WholeGraphNetwork {
  /** From features of nodes; without any, all start from the same vector. */
  readonly nodes: Linear;
  /** The layers. */
  readonly layers: readonly TriangleLayer[];
  /** Perceptron on the sum over the nodes. */
  readonly readout: CellMLP;
  /** From the vector of a graph to the outputs. */
  readonly head: Linear;
  readonly #hidden: number;

  /** @param sizes features of nodes and edges, 0 for none, and outputs */
  constructor(
    sizes: { readonly nodes: number; readonly edges: number; readonly outputs: number },
    random: Random,
    { layers = 4, hidden = 32 }: TriangleOptions = {},
  ) {
    this.#hidden = hidden;
    this.nodes = new Linear(Math.max(1, sizes.nodes), hidden, random.split('nodes'));
    this.layers = Array.from({ length: layers }, (_, l) => new TriangleLayer(hidden, sizes.edges, random.split(l)));
    this.readout = new CellMLP(hidden, hidden, random.split('readout'));
    this.head = new Linear(hidden, sizes.outputs, random.split('head'));
  }

  /** Bytes that a node takes in a step of training. */
  get cellBytes(): number {
    return 4 * this.#hidden * 30 * this.layers.length;
  }

  /** Graphs → [graphs, outputs]. */
  forward(batch: GraphBatch, mode: Mode): Tensor {
    const { graphs } = batch.cells.batch;
    const triangles = trianglesOf(graphs);
    let h = this.nodes.forward(batch.nodes ?? ones([graphs.nodeCount, 1]));
    for (const layer of this.layers) h = layer.forward(h, batch, triangles, mode);
    const pooled = sumByIndex(h, tensor(segmentOfEach(graphs.nodes)), graphs.count);
    return this.head.forward(relu(this.readout.forward(pooled, mode)));
  }
}
