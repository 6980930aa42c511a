// DGMLP (Zhang et al., "Evaluating Deep Graph Neural Networks", 2021, arXiv 2108.00955): decoupled
// propagation of any depth, whose hops are weighted for each node by how little they are smoothed,
// then a residual perceptron of any depth. Propagation has no parameters, so it is computed once.
//
//   NSL_v(k) = cos(x_v^k, x_v^0) · (1 − cos(x_v^k, x_v^∞))        node smoothing level
//   x̂_v = Σ_k softmax_k(NSL_v(k) / T) · x_v^k                     node-adaptive combination
//   h^{l+1} = σ(h^l W^l) + h^l                                    residual transformation

import { BatchNorm1d, Dropout, type Features, Linear, type Mode, parameter } from '../nn/index.js';
import { SparseMatrix, spmm } from '../sparse/index.js';
import { type Graph, graphOperator, memo, withUnitLoops } from '../structure/index.js';
import { add, concatenate, keep, type Random, relu, scope, type Tensor, tensor } from '../tensor/index.js';
import type { GraphModule } from './conv/index.js';

/** Added to the norms of vectors whose cosine is taken. */
const EPSILON = 1e-10;

/** How features are propagated and how the hops are combined. */
export interface SmoothingOptions {
  /** r of Â = D̃^{r−1}ÃD̃^{−r}. Default: 0.5. */
  readonly exponent?: number;
  /** T of the softmax over hops: a small T selects single hops. Default: 1; at least 0.03. */
  readonly temperature?: number;
}

function dense(features: Features): Tensor {
  return features instanceof SparseMatrix ? features.toDense() : features;
}

/**
 * The limit x^∞ = Â^∞·x of propagation: in each connected component, x_v^∞ = d̃_v^r · Σ_u
 * d̃_u^{1−r}·x_u / Σ_u d̃_u with d̃ the degrees with self-loops. One weighted sum for each
 * component, no n×n matrix.
 *
 * @param x [n, d]
 * @param exponent r. Default: 0.5
 * @returns [n, d]
 */
export function stationaryState(x: Tensor, graph: Graph, exponent = 0.5): Tensor {
  const [n, d] = x.shape as [number, number];
  const degrees = withUnitLoops(graph).rowSums();
  const { components } = graph;
  const count = components.reduce((most, c) => Math.max(most, c + 1), 0);
  const totals = new Float64Array(count);
  const sums = new Float64Array(count * d);
  const values = x.view();
  for (let v = 0; v < n; v++) {
    const c = components[v] as number;
    const degree = degrees[v] as number;
    const weight = degree ** (1 - exponent);
    totals[c] = (totals[c] as number) + degree;
    for (let j = 0; j < d; j++) sums[c * d + j] = (sums[c * d + j] as number) + weight * (values[v * d + j] as number);
  }
  const result = new Float32Array(n * d);
  for (let v = 0; v < n; v++) {
    const c = components[v] as number;
    const scale = (degrees[v] as number) ** exponent / (totals[c] as number);
    for (let j = 0; j < d; j++) result[v * d + j] = scale * (sums[c * d + j] as number);
  }
  return tensor(result, [n, d]);
}

/** Cosine of each row of a with the same row of b, [n, d] each: [n]. 0 where a row is 0. */
function rowCosines(a: Float32Array, b: Float32Array, n: number): Float32Array {
  const d = a.length / n;
  return Float32Array.from({ length: n }, (_, v) => {
    let [product, left, right] = [0, 0, 0];
    for (let j = v * d; j < (v + 1) * d; j++) {
      const [p, q] = [a[j] as number, b[j] as number];
      product += p * q;
      left += p * p;
      right += q * q;
    }
    return product / (Math.sqrt(left) + EPSILON) / (Math.sqrt(right) + EPSILON);
  });
}

/** Calls `visit` with x^k and NSL_v(k) for k = 0 … steps; x^k is freed afterwards. */
function walkHops(
  features: Features,
  graph: Graph,
  steps: number,
  exponent: number,
  visit: (k: number, x: Tensor, smoothing: Float32Array) => void,
): void {
  scope(() => {
    const operator = graphOperator(graph, { exponent });
    const first = dense(features);
    const last = stationaryState(first, graph, exponent);
    let x = first;
    for (let k = 0; k <= steps; k++) {
      const near = rowCosines(x.view(), first.view(), graph.nodeCount);
      const far = rowCosines(x.view(), last.view(), graph.nodeCount);
      visit(
        k,
        x,
        near.map((alpha, v) => alpha * (1 - (far[v] as number))),
      );
      if (k === steps) return;
      const next = spmm(operator, x);
      if (x !== first) x.dispose();
      x = next;
    }
  });
}

/** Smoothing levels after each number of propagations. */
export interface Smoothness {
  /** NSL_v(k): an array of n levels for each k. */
  readonly nodes: readonly Float32Array[];
  /** GSL(k) = mean of NSL_v(k) over nodes; a small value means over-smoothing. */
  readonly graph: readonly number[];
}

/**
 * Node and graph smoothing levels after k = 0 … steps propagations.
 *
 * @param features [n, d]
 */
export function smoothness(
  features: Features,
  graph: Graph,
  steps: number,
  { exponent = 0.5 }: SmoothingOptions = {},
): Smoothness {
  const nodes: Float32Array[] = [];
  walkHops(features, graph, steps, exponent, (_, __, levels) => nodes.push(levels));
  return { nodes, graph: nodes.map((levels) => levels.reduce((total, level) => total + level, 0) / levels.length) };
}

/**
 * w_v(k) = softmax_k(NSL_v(k) / T).
 *
 * @param temperature T. Default: 1
 * @returns an array of n weights for each k = 0 … steps
 */
export function hopWeights({ nodes }: Smoothness, temperature = 1): Float32Array[] {
  const n = nodes[0]?.length ?? 0;
  const weights = nodes.map((levels) => levels.map((level) => Math.exp(level / temperature)));
  for (let v = 0; v < n; v++) {
    const total = weights.reduce((sum, hop) => sum + (hop[v] as number), 0);
    for (const hop of weights) hop[v] = (hop[v] as number) / total;
  }
  return weights;
}

/**
 * x̂_v = Σ_k w_v(k)·x_v^k over k = 0 … steps, accumulated in one pass that keeps no hop: NSL lies
 * in [−1, 2], so exp(NSL/T) needs no running maximum for T ≥ 0.03.
 *
 * @param features [n, d]
 * @returns [n, d]
 * @throws RangeError when the temperature is below 0.03
 */
export function nodeAdaptiveFeatures(
  features: Features,
  graph: Graph,
  steps: number,
  { exponent = 0.5, temperature = 1 }: SmoothingOptions = {},
): Tensor {
  if (!(temperature >= 0.03))
    throw new RangeError(`nodeAdaptiveFeatures: the temperature must be at least 0.03, got ${temperature}`);
  const n = graph.nodeCount;
  let total: Float64Array | undefined;
  const norms = new Float64Array(n);
  walkHops(features, graph, steps, exponent, (_, x, levels) => {
    const values = x.view();
    const d = values.length / n;
    total ??= new Float64Array(values.length);
    for (let v = 0; v < n; v++) {
      const weight = Math.exp((levels[v] as number) / temperature);
      norms[v] = (norms[v] as number) + weight;
      for (let j = v * d; j < (v + 1) * d; j++) total[j] = (total[j] as number) + weight * (values[j] as number);
    }
  });
  const sums = total as unknown as Float64Array;
  const d = sums.length / n;
  return tensor(
    Float32Array.from(sums, (value, at) => value / (norms[Math.floor(at / d)] as number)),
    [n, d],
  );
}

/** Layout of a `ResidualMLP`. */
export interface ResidualMLPOptions {
  /** D_t: number of linear layers, including the classifier. Default: 1. */
  readonly depth?: number;
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Dropout probability of the input of each layer. Default: 0.5 (0.2 in `DGMLP`). */
  readonly dropout?: number;
  /**
   * How a layer's input joins its output: added, concatenated or not at all. Default: 'residual'.
   */
  readonly skip?: 'residual' | 'dense' | 'none';
}

/** A linear layer with weights from U(−1/√out, 1/√out), as the released code draws them. */
function wideLinear(inFeatures: number, outFeatures: number, random: Random, bias: boolean): Linear {
  const linear = new Linear(inFeatures, outFeatures, random, { bias, init: 'xavier' });
  const bound = 1 / Math.sqrt(outFeatures);
  linear.weight = parameter(random.uniform([outFeatures, inFeatures], -bound, bound));
  return linear;
}

/**
 * Layers of linear → batch norm → ReLU, joined with their inputs from the second on, and a linear
 * classifier; depth 1 is the classifier alone. Dropout before each.
 */
export class ResidualMLP {
  /** Hidden layers. */
  readonly layers: readonly Linear[];
  /** Batch norm of each hidden layer. */
  readonly norms: readonly BatchNorm1d[];
  /** The classifier. */
  readonly head: Linear;
  readonly #dropout: Dropout;
  readonly #skip: Required<ResidualMLPOptions>['skip'];

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { depth = 1, hidden = 64, dropout = 0.5, skip = 'residual' }: ResidualMLPOptions = {},
  ) {
    const widths = Array.from({ length: depth - 1 }, (_, l) =>
      l === 0 ? inFeatures : skip === 'dense' ? hidden * l : hidden,
    );
    this.layers = widths.map((width, l) => wideLinear(width, hidden, random.split(l), false));
    this.norms = widths.map(() => new BatchNorm1d(hidden));
    const last = depth === 1 ? inFeatures : skip === 'dense' ? hidden * (depth - 1) : hidden;
    this.head = wideLinear(last, outFeatures, random.split('head'), true);
    this.#dropout = new Dropout(dropout);
    this.#skip = skip;
  }

  /** x [n, in] → logits [n, out]. */
  forward(x: Tensor, mode: Mode): Tensor {
    let h = x;
    this.layers.forEach((layer, l) => {
      const y = relu((this.norms[l] as BatchNorm1d).forward(layer.forward(this.#dropout.forward(h, mode)), mode));
      if (this.#skip === 'dense' && l > 0) h = concatenate([h, y], 1);
      else h = this.#skip === 'residual' && l > 0 ? add(y, h) : y;
    });
    return this.head.forward(this.#dropout.forward(h, mode));
  }
}

/** Depths of propagation and transformation. */
export interface DGMLPOptions extends ResidualMLPOptions, SmoothingOptions {
  /** D_p: number of propagations K. Default: 20. */
  readonly steps?: number;
}

/**
 * Node-adaptive features of K hops and a residual perceptron on them. K = 0 is that perceptron on
 * the features themselves.
 */
export class DGMLP implements GraphModule {
  /** The perceptron on x̂. */
  readonly transformation: ResidualMLP;
  readonly #steps: number;
  readonly #smoothing: SmoothingOptions;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { steps = 20, exponent = 0.5, temperature = 1, ...options }: DGMLPOptions = {},
  ) {
    this.transformation = new ResidualMLP(inFeatures, outFeatures, random, { dropout: 0.2, ...options });
    this.#steps = steps;
    this.#smoothing = { exponent, temperature };
  }

  /** x̂ [n, d], computed once for the same features and graph. */
  combine(x: Features, graph: Graph): Tensor {
    const { exponent, temperature } = this.#smoothing;
    const known = memo(graph, `dgmlp ${this.#steps} ${exponent} ${temperature}`, () => new WeakMap<object, Tensor>());
    let combined = known.get(x);
    if (!combined) {
      combined = keep(nodeAdaptiveFeatures(x, graph, this.#steps, this.#smoothing));
      known.set(x, combined);
    }
    return combined;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.transformation.forward(this.combine(x, graph), mode);
  }
}

/**
 * The published settings: propagations, input dropout, learning rate, weight decay. They suit raw
 * bag-of-words features; with rows normalised to sum 1 this weight decay would drive the weights to
 * 0.
 */
export const presets = {
  cora: { steps: 20, dropout: 0.2, learningRate: 0.2, weightDecay: 5e-3 },
  citeseer: { steps: 15, dropout: 0.1, learningRate: 0.1, weightDecay: 5e-2 },
  pubmed: { steps: 20, dropout: 0.5, learningRate: 0.2, weightDecay: 5e-5 },
} as const;
