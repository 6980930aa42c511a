// ADPA (Sun, Li, Li, Su, Wang, "Breaking the Entanglement of Homophily and Heterophily in
// Semi-supervised Node Classification", ICDE 2024): features propagated along six patterns of arcs,
// with attention over hops for each node and pattern, and learned scalars between patterns.
//
//   X_k = G·(w_k·X_{k−1}),  w_k = 1 − ln k,  G ∈ {A, Aᵀ, AA, AAᵀ, AᵀA, AᵀAᵀ},  D^{r−1}·G·D^{−r}
//   λ_k = softmax_k(σ(a·[X_0 ‖ … ‖ X_K ‖ X_k] + c)),  h_G = dropout(ReLU(W_G·Σ_k λ_k·X_k + b_G))
//   logits = W·[s_X·h_X ‖ s_A·h_A ‖ …] + b,  h_X of the features themselves

import { Dropout, type Features, featureCount, Linear, type Mode, parameter } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { type ArcPattern, arcPatterns, type Graph, patternOperator } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  matmul,
  multiply,
  type Random,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { computedOnce, forwardAll, type RowwiseModule } from './rowwise.js';

/** Layout of ADPA. */
export interface ADPAOptions {
  /** Width of each branch. Default: 32. */
  readonly hidden?: number;
  /** K: hops of each pattern. Default: 2. */
  readonly steps?: number;
  /** r of D^{r−1}·G·D^{−r}. Default: 0.43. */
  readonly exponent?: number;
  /** Dropout probability of each branch. Default: 0.64. */
  readonly dropout?: number;
  /** Nodes of a training step. Default: 1000. */
  readonly batchSize?: number;
  /** Largest number of stored elements of a pattern. Default: that of `sparseProduct`. */
  readonly limit?: number;
}

/** Keeps w_k above 0, as released. */
const FLOOR = 1e-6;

/** Attention over hops, and the branch, of a pattern. */
class PatternBranch {
  /** a [1, (hops + 1)·d], of all hops and then of the hop itself, and c. */
  readonly attention: Linear;
  /** W_G and b_G. */
  readonly linear: Linear;

  /** @param hops K + 1 */
  constructor(features: number, hops: number, hidden: number, random: Random) {
    this.attention = new Linear((hops + 1) * features, 1, random.split('attention'));
    this.linear = new Linear(features, hidden, random.split('linear'));
  }

  /** Hops 0 … K of some nodes side by side [rows, (K + 1)·d] → [rows, hidden]. */
  forward(hops: Tensor, features: number): Tensor {
    const [rows, width] = hops.shape as [number, number];
    const { weight, bias } = this.attention;
    const each = reshape(hops, [rows * (width / features), features]);
    const own = reshape(matmul(each, slice(weight, null, [width, width + features]), { transposeB: true }), [rows, -1]);
    const all = add(matmul(hops, slice(weight, null, [0, width]), { transposeB: true }), bias as Tensor);
    const lambda = reshape(softmax(sigmoid(add(own, all))), [rows, -1, 1]); // (rows, K + 1, 1)
    return relu(this.linear.forward(sum(multiply(reshape(each, [rows, -1, features]), lambda), 1)));
  }
}

/**
 * Six propagated branches and one of the features themselves, each times a learned scalar,
 * concatenated for a linear classifier. Trained in mini-batches of nodes; memory holds
 * (6·K + 1)·n·inFeatures numbers.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @throws RangeError where a pattern would have too many elements
 */
export class ADPA implements RowwiseModule {
  /** Branch of each pattern, in the order of `arcPatterns`. */
  readonly branches: readonly PatternBranch[];
  /** Branch of the features themselves. */
  readonly own: Linear;
  /** s of the features themselves and of each pattern [7]. */
  scales: Tensor;
  /** Classifier. */
  readonly head: Linear;
  /** Nodes of a training step. */
  readonly batchSize: number;
  readonly #options: Pick<ADPAOptions, 'limit'> & { readonly steps: number; readonly exponent: number };
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { hidden = 32, steps = 2, exponent = 0.43, dropout = 0.64, batchSize = 1000, limit }: ADPAOptions = {},
  ) {
    this.branches = arcPatterns.map((name) => new PatternBranch(inFeatures, steps + 1, hidden, random.split(name)));
    this.own = new Linear(inFeatures, hidden, random.split('own'));
    this.scales = parameter(random.split('scales').normal([arcPatterns.length + 1, 1]));
    this.head = new Linear((arcPatterns.length + 1) * hidden, outFeatures, random.split('head'));
    this.batchSize = batchSize;
    this.#options = { steps, exponent, ...(limit !== undefined && { limit }) };
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return forwardAll(this, x, graph, mode);
  }

  forwardRows(x: Features, graph: Graph, rows: Int32Array, mode: Mode): Tensor {
    const at = tensor(rows);
    const d = featureCount(x);
    const first = gatherKnownRows(dense(x, graph), at);
    const branches = [
      relu(this.own.forward(first)),
      ...this.branches.map((branch, p) => {
        const later = gatherKnownRows(this.#hops(x, graph, arcPatterns[p] as ArcPattern), at);
        return branch.forward(concatenate([first, later], 1), d);
      }),
    ];
    const scaled = branches.map((h, b) => multiply(this.#dropout.forward(h, mode), this.scales.slice([b, b + 1])));
    return this.head.forward(concatenate(scaled, 1));
  }

  /** Hops 1 … K of a pattern side by side [n, K·d], computed once. */
  #hops(x: Features, graph: Graph, pattern: ArcPattern): Tensor {
    const { steps, exponent, limit } = this.#options;
    return computedOnce(graph, x, `ADPA ${pattern} ${steps} ${exponent}`, () => {
      const operator = patternOperator(graph, pattern, { exponent, ...(limit !== undefined && { limit }) });
      const hops: Tensor[] = [];
      for (let k = 1; k <= steps; k++) {
        const weight = 1 - Math.log(k) + FLOOR;
        hops.push(multiply(spmm(operator, hops.at(-1) ?? dense(x, graph)), weight));
      }
      return concatenate(hops, 1);
    });
  }
}

/** Features as a dense matrix, made once. */
function dense(x: Features, graph: Graph): Tensor {
  return x instanceof SparseMatrix ? computedOnce(graph, x, 'dense', () => x.toDense()) : x;
}
