// Smoothing levels of propagated features, and hops weighted by them for each node (Zhang et al.,
// "Evaluating Deep Graph Neural Networks", 2021, arXiv 2108.00955).
//
//   NSL_v(k) = cos(x_v^k, x_v^0) · (1 − cos(x_v^k, x_v^∞))        node smoothing level
//   x̂_v = Σ_k softmax_k(NSL_v(k) / T) · x_v^k                     node-adaptive combination

import { type Features, featureCount } from '../nn/index.js';
import type { Graph } from '../structure/index.js';
import { type Tensor, zeros } from '../tensor/index.js';
import { type HopOptions, type HopRows, walkHops, weightedHops, weightedRows } from './hops.js';
import { stationaryState } from './stationary-state.js';

/** Added to the norms of vectors whose cosine is taken. */
const EPSILON = 1e-10;

/** How features are propagated and how the hops are combined. */
export interface SmoothingOptions extends HopOptions {
  /** T of the softmax over hops: a small T selects single hops. Default: 1; at least 0.03. */
  readonly temperature?: number;
}

/**
 * Products of the hops of n nodes, summed over blocks of columns, from which their levels follow.
 */
class HopProducts {
  readonly #near: readonly Float64Array[];
  readonly #far: readonly Float64Array[];
  readonly #squares: readonly Float64Array[];
  readonly #limitSquares: Float64Array;

  constructor(n: number, steps: number) {
    const each = () => Array.from({ length: steps + 1 }, () => new Float64Array(n));
    [this.#near, this.#far, this.#squares] = [each(), each(), each()];
    this.#limitSquares = new Float64Array(n);
  }

  /** Adds some columns of x^k, with the same columns of x^0 and x^∞: [n, width] each. */
  add(k: number, values: Float32Array, first: Float32Array, limit: Float32Array): void {
    const [near, far, squares] = [this.#near[k], this.#far[k], this.#squares[k]] as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const n = near.length;
    const width = values.length / n;
    for (let v = 0; v < n; v++) {
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let at = v * width; at < (v + 1) * width; at++) {
        const [x, y] = [values[at] as number, limit[at] as number];
        a += x * (first[at] as number);
        b += x * y;
        c += x * x;
        d += y * y;
      }
      near[v] = (near[v] as number) + a;
      far[v] = (far[v] as number) + b;
      squares[v] = (squares[v] as number) + c;
      if (k === 0) this.#limitSquares[v] = (this.#limitSquares[v] as number) + d;
    }
  }

  /** NSL_v(k) of all nodes; 0 where a vector of a cosine is 0. */
  levels(k: number): Float32Array {
    const [near, far, squares] = [this.#near[k], this.#far[k], this.#squares[k]] as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const own = this.#squares[0] as Float64Array;
    const norm = (square: number) => Math.sqrt(square) + EPSILON;
    return Float32Array.from(near, (product, v) => {
      const length = norm(squares[v] as number);
      const alpha = product / length / norm(own[v] as number);
      const beta = (far[v] as number) / length / norm(this.#limitSquares[v] as number);
      return alpha * (1 - beta);
    });
  }
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
export function smoothness(features: Features, graph: Graph, steps: number, options: HopOptions = {}): Smoothness {
  const products = new HopProducts(graph.nodeCount, steps);
  walkHops(features, graph, steps, options, ({ first }) => {
    const limit = stationaryState(first, graph, options.exponent);
    return ({ k, values }) => products.add(k, values, first.view(), limit.view());
  });
  const nodes = Array.from({ length: steps + 1 }, (_, k) => products.levels(k));
  return { nodes, graph: nodes.map((levels) => levels.reduce((total, level) => total + level, 0) / levels.length) };
}

/**
 * w_v(k) = softmax_k(NSL_v(k) / T). NSL lies in [−1, 2], so that exp(NSL/T) needs no running
 * maximum for T ≥ 0.03.
 *
 * @param nodes NSL_v(k), an array of n levels for each k
 * @param temperature T. Default: 1
 * @returns an array of n weights for each k
 * @throws RangeError when the temperature is below 0.03
 */
export function hopWeights({ nodes }: Pick<Smoothness, 'nodes'>, temperature = 1): Float32Array[] {
  requireTemperature(temperature);
  const n = nodes[0]?.length ?? 0;
  const weights = nodes.map((levels) => levels.map((level) => Math.exp(level / temperature)));
  for (let v = 0; v < n; v++) {
    const total = weights.reduce((sum, hop) => sum + (hop[v] as number), 0);
    for (const hop of weights) hop[v] = (hop[v] as number) / total;
  }
  return weights;
}

function requireTemperature(temperature: number): void {
  if (!(temperature >= 0.03))
    throw new RangeError(`hopWeights: the temperature must be at least 0.03, got ${temperature}`);
}

/**
 * x̂_v = Σ_k w_v(k)·x_v^k over k = 0 … steps. Features of more columns than a block are propagated
 * twice, once for the weights and once for the sum: memory 3·n·block for the hops, 3·n·steps for
 * the weights, and n·d for the result.
 *
 * @param features [n, d]
 * @returns [n, d]
 * @throws RangeError when the temperature is below 0.03
 */
export function nodeAdaptiveFeatures(
  features: Features,
  graph: Graph,
  steps: number,
  { temperature = 1, ...options }: SmoothingOptions = {},
): Tensor {
  requireTemperature(temperature);
  if (featureCount(features) <= (options.block ?? 256)) return inOnePass(features, graph, steps, temperature, options);
  return weightedHops(features, graph, hopWeights(smoothness(features, graph, steps, options), temperature), options);
}

/** The weights of x^k are known as soon as all of its columns are. */
function inOnePass(features: Features, graph: Graph, steps: number, temperature: number, options: HopOptions): Tensor {
  const [n, d] = [graph.nodeCount, featureCount(features)];
  const products = new HopProducts(n, steps);
  const total = zeros([n, d]);
  const norms = new Float64Array(n);
  walkHops(features, graph, steps, { ...options, block: Math.max(1, d) }, ({ first }) => {
    const limit = stationaryState(first, graph, options.exponent);
    return ({ k, values }) => {
      products.add(k, values, first.view(), limit.view());
      const sums = total.view();
      products.levels(k).forEach((level, v) => {
        const weight = Math.exp(level / temperature);
        norms[v] = (norms[v] as number) + weight;
        for (let at = v * d; at < (v + 1) * d; at++) sums[at] = (sums[at] as number) + weight * (values[at] as number);
      });
    };
  });
  const sums = total.view();
  for (let v = 0; v < n; v++)
    for (let at = v * d; at < (v + 1) * d; at++) sums[at] = (sums[at] as number) / (norms[v] as number);
  return total;
}

/** x̂ of the nodes of `hopRows` over k = 0 … steps [rows, d]. */
export function nodeAdaptiveRows(hops: HopRows, steps: number, temperature = 1): Tensor {
  const first = hops.hops[0] as Float32Array;
  const products = new HopProducts(hops.rows.length, steps);
  const nodes = hops.hops.slice(0, steps + 1).map((values, k) => {
    products.add(k, values, first, hops.limit);
    return products.levels(k);
  });
  return weightedRows(hops, hopWeights({ nodes }, temperature));
}
