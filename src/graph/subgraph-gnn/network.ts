// Networks from graphs to numbers: cells, layers, pooling, a perceptron.

import { BatchNorm1d, Embedding, Linear, type Mode } from '../../nn/index.js';
import { multiply, ones, type Random, relu, requireChoice, type Tensor, tensor } from '../../tensor/index.js';
import {
  type Aggregation,
  type GraphBatch,
  inverseCounts,
  type Pooling,
  plusRows,
  segmentOfEach,
  sumByIndex,
  type WholeGraphNetwork,
} from '../dense/index.js';
import { CellMLP, SubgraphLayer } from './layer.js';
import { requireScheme, type Scheme, type SchemeName, schemes } from './schemes.js';

/** Layout of a subgraph network. */
export interface SubgraphNetworkOptions {
  /** Aggregations, pooling and policy, by name or by themselves. Default: `sswl-plus`. */
  readonly scheme?: SchemeName | Scheme;
  /** Layers before the readout. Default: 6. */
  readonly layers?: number;
  /** Width d. Default: 96. */
  readonly hidden?: number;
  /** Distances 0 … D from the root that have an embedding each. Default: 5. */
  readonly cap?: number;
}

/** Numbers of features and outputs. */
export interface GraphSizes {
  /** Features of nodes, 0 for none. */
  readonly nodes: number;
  /** Features of edges, 0 for none. */
  readonly edges: number;
  /** Numbers of a graph that are predicted. */
  readonly outputs: number;
}

/** The scheme that a name stands for. */
export function schemeOf(scheme: SchemeName | Scheme = 'sswl-plus'): Scheme {
  if (typeof scheme !== 'string') return scheme;
  requireChoice('SubgraphNetwork', 'the scheme', scheme, Object.keys(schemes) as SchemeName[]);
  return schemes[scheme];
}

/**
 * A network from graphs to numbers.
 *
 * h⁰(u, v) = X(x_v) + D(min(distance of u and v, cap)); layers; then, by the pooling `VS`,
 * g(u) = ReLU(BN(MLP(Σ over v of h(u, v)))), or by `SV` g(v) of Σ over u, its mean over the graph,
 * and Linear(d → 2d) – ReLU – Linear(2d → outputs).
 *
 * Batch norm has the cells of all graphs of a batch as its rows; that of the readout each root (or
 * node) once.
 *
 * @see Zhang, Feng, Du, He, Wang, "A Complete Expressiveness Hierarchy for Subgraph GNNs via
 * Subgraph Weisfeiler-Lehman Tests", ICML 2023
 */
export class SubgraphNetwork implements WholeGraphNetwork {
  /** X, without bias: a vector for each feature of nodes. */
  readonly nodes: Linear | undefined;
  /** D: a vector for each distance. */
  readonly distances: Embedding;
  /** The layers. */
  readonly layers: readonly SubgraphLayer[];
  /** Perceptron on what is pooled of each root or node. */
  readonly readout: CellMLP;
  /** Batch norm after it. */
  readonly norm: BatchNorm1d;
  /** From the vector of a graph to the outputs. */
  readonly head: readonly [Linear, Linear];
  readonly #pooling: Pooling;
  readonly #aggregations: readonly Aggregation[];
  readonly #hidden: number;

  /** @throws Error for a scheme that there is not, or that its policy does not allow */
  constructor(
    sizes: GraphSizes,
    random: Random,
    { scheme, layers = 6, hidden = 96, cap = 5 }: SubgraphNetworkOptions = {},
  ) {
    const own = schemeOf(scheme);
    this.#aggregations = requireScheme(own);
    this.#pooling = own.pooling;
    this.#hidden = hidden;
    this.nodes = sizes.nodes > 0 ? new Linear(sizes.nodes, hidden, random.split('nodes'), { bias: false }) : undefined;
    this.distances = new Embedding(cap + 1, hidden, random.split('distances'));
    this.layers = Array.from(
      { length: layers },
      (_, l) => new SubgraphLayer(this.#aggregations, hidden, sizes.edges, random.split(l)),
    );
    this.readout = new CellMLP(hidden, hidden, random.split('readout'));
    this.norm = new BatchNorm1d(hidden);
    this.head = [
      new Linear(hidden, 2 * hidden, random.split('head 1')),
      new Linear(2 * hidden, sizes.outputs, random.split('head 2')),
    ];
  }

  /**
   * Bytes that a cell takes in a step of training: activations and gradients, which live to the end
   * of the step.
   */
  get cellBytes(): number {
    // An aggregation keeps its sum, three results of its perceptron and the total so far; gradients
    // are as many, and one more where they are added up.
    const perLayer = 11 * this.#aggregations.length + 4;
    return 4 * this.#hidden * (perLayer * this.layers.length + 4);
  }

  /** Features of cells after the last layer: [cells, hidden]. */
  cells({ cells, nodes, edges }: GraphBatch, mode: Mode): Tensor {
    const { second, batch } = cells;
    const distance = tensor(batch.distances);
    let h =
      this.nodes && nodes
        ? plusRows(this.distances.forward(distance), ones([1]), this.nodes.forward(nodes), second)
        : this.distances.forward(distance);
    for (const layer of this.layers) h = layer.forward(h, cells, edges, mode);
    return h;
  }

  /** Vectors of nodes, Σ over roots u of h(u, v): [nodes, hidden]. */
  nodeVectors(batch: GraphBatch, mode: Mode): Tensor {
    return sumByIndex(this.cells(batch, mode), batch.cells.second, batch.cells.batch.graphs.nodeCount);
  }

  /** Vectors of graphs before the head: [graphs, hidden]. */
  graphVectors(batch: GraphBatch, mode: Mode): Tensor {
    const { first, second, batch: own } = batch.cells;
    const isRows = this.#pooling === 'VS';
    const groups = isRows ? own.rows : own.graphs.nodes;
    const pooled = sumByIndex(this.cells(batch, mode), isRows ? first : second, groups.size);
    const g = this.norm.forward(this.readout.forward(pooled, mode), mode, 'relu');
    const graphOf = segmentOfEach(groups);
    return multiply(sumByIndex(g, tensor(graphOf), groups.count), inverseCounts(graphOf, groups.count));
  }

  /** Graphs → [graphs, outputs]. */
  forward(batch: GraphBatch, mode: Mode): Tensor {
    const [inner, outer] = this.head;
    return outer.forward(relu(inner.forward(this.graphVectors(batch, mode))));
  }
}
