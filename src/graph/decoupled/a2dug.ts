// A2DUG (Maekawa, Sasaki, Onizuka, "A Simple and Scalable Graph Neural Network for Large Directed
// Graphs", 2023, arXiv 2306.08274): aggregated features and adjacency lists, of the directed and of
// the undirected graph, side by side in one perceptron.
//
//   f = [MLP(X) ‖ MLP(A_u) ‖ MLP(A) ‖ MLP(Aᵀ) ‖ MLP(hops of A_u) ‖ MLP(hops of A) ‖ …]
//   logits = MLP(ReLU(f)),  hops 1 … K, each with and without self-loops, symmetrically normalised

import { type Features, Linear, MLP, type Mode } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { directedOperator, type Graph, reversed } from '../../structure/index.js';
import { concatenate, gatherKnownRows, type Random, relu, type Tensor, tensor } from '../../tensor/index.js';
import { computedOnce, forwardAll, type RowwiseModule } from './rowwise.js';

/** Layout of A2DUG. */
export interface A2DUGOptions {
  /** Width of each branch and of the perceptron. Default: 64. */
  readonly hidden?: number;
  /** K: hops of each graph. Default: 2. */
  readonly steps?: number;
  /** Linear layers of the perceptron on the branches. Default: 2. */
  readonly depth?: number;
  /** Dropout probability in the perceptron. Default: 0.5. */
  readonly dropout?: number;
  /**
   * Number of nodes, for branches on adjacency lists, which know nodes by their place and so answer
   * for this graph alone. Default: no such branches.
   */
  readonly nodes?: number | undefined;
  /** Nodes of a training step. Default: 4096. */
  readonly batchSize?: number;
}

/** A_u, A and Aᵀ. */
const views = ['undirected', 'forward', 'backward'] as const;
type View = (typeof views)[number];

function viewOf(graph: Graph, view: View): Graph {
  return view === 'undirected' ? graph.undirected() : view === 'forward' ? graph : reversed(graph);
}

/**
 * Seven branches, or four without adjacency lists, under a perceptron; trained in mini-batches of
 * nodes. Memory holds (6·K + 1)·n·inFeatures numbers.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @throws Error for a graph of another number of nodes than adjacency lists were learned for
 */
export class A2DUG implements RowwiseModule {
  /** Branch of the features. */
  readonly own: Linear;
  /** Branches of adjacency lists, of A_u, A and Aᵀ; none without `nodes`. */
  readonly lists: readonly Linear[];
  /** Branches of hops, of A_u, A and Aᵀ. */
  readonly hops: readonly Linear[];
  /** The perceptron on the branches. */
  readonly head: MLP;
  /** Nodes of a training step. */
  readonly batchSize: number;
  readonly #steps: number;
  readonly #nodes: number | undefined;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { hidden = 64, steps = 2, depth = 2, dropout = 0.5, nodes, batchSize = 4096 }: A2DUGOptions = {},
  ) {
    this.own = new Linear(inFeatures, hidden, random.split('own'));
    this.lists =
      nodes === undefined ? [] : views.map((view) => new Linear(nodes, hidden, random.split(`list ${view}`)));
    this.hops = views.map((view) => new Linear(2 * steps * inFeatures, hidden, random.split(`hops ${view}`)));
    const width = hidden * (1 + this.lists.length + this.hops.length);
    const layers = new Array<number>(depth - 1).fill(hidden);
    this.head = new MLP([width, ...layers, outFeatures], random.split('head'), { dropout });
    this.batchSize = batchSize;
    this.#steps = steps;
    this.#nodes = nodes;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return forwardAll(this, x, graph, mode);
  }

  forwardRows(x: Features, graph: Graph, rows: Int32Array, mode: Mode): Tensor {
    if (this.#nodes !== undefined && graph.nodeCount !== this.#nodes)
      throw new Error(
        `A2DUG: its adjacency lists are of ${this.#nodes} nodes, the graph has ${graph.nodeCount}; train it without ` +
          'adjacency lists to answer for other graphs',
      );
    const at = tensor(rows);
    const own = x instanceof SparseMatrix ? x.selectRows(rows) : gatherKnownRows(x, at);
    const branches = [
      this.own.forward(own),
      ...this.lists.map((linear, i) => linear.forward(viewOf(graph, views[i] as View).adjacency.selectRows(rows))),
      ...this.hops.map((linear, i) => linear.forward(gatherKnownRows(this.#hopsOf(x, graph, views[i] as View), at))),
    ];
    return this.head.forward(relu(concatenate(branches, 1)), mode);
  }

  /** Hops 1 … K of a view with and without self-loops side by side [n, 2K·d], computed once. */
  #hopsOf(x: Features, graph: Graph, view: View): Tensor {
    const steps = this.#steps;
    return computedOnce(graph, x, `A2DUG ${view} ${steps}`, () => {
      const first = x instanceof SparseMatrix ? x.toDense() : x;
      const chains = [true, false].flatMap((selfLoops) => {
        const operator = directedOperator(viewOf(graph, view), { selfLoops });
        const hops: Tensor[] = [];
        for (let k = 0; k < steps; k++) hops.push(spmm(operator, hops.at(-1) ?? first));
        return hops;
      });
      return concatenate(chains, 1);
    });
  }
}
