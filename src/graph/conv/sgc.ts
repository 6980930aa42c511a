// SGC (Wu et al., "Simplifying Graph Convolutional Networks", ICML 2019).

import { type Features, Linear, type Mode } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { type Graph, graphOperator, memo } from '../../structure/index.js';
import { keep, type Random, scope, type Tensor } from '../../tensor/index.js';
import type { GraphModule } from './propagate.js';

/** Âᵏ·x for k = 0 … steps, [n, d] each, computed once for the same features and graph. */
export function hops(x: Features, graph: Graph, steps: number): Tensor[] {
  const chain = memo(graph, 'hops', () => new WeakMap<object, Tensor[]>());
  const known = chain.get(x) ?? [keep(x instanceof SparseMatrix ? x.toDense() : x)];
  chain.set(x, known);
  while (known.length <= steps) known.push(keep(spmm(graphOperator(graph), known.at(-1) as Tensor)));
  return known.slice(0, steps + 1);
}

/** x̄ = Σ_{k=0..steps} Âᵏ·x / (steps + 1): every hop with the same weight. @returns [n, d] */
export function meanOfHops(x: Features, graph: Graph, steps: number): Tensor {
  return scope(() => {
    const [first, ...others] = hops(x, graph, steps) as [Tensor, ...Tensor[]];
    return others.reduce((sum, hop) => sum.add(hop), first).multiply(1 / (steps + 1));
  });
}

/** Layout of SGC. */
export interface SGCOptions {
  /** K: propagation steps. Default: 2. */
  readonly steps?: number;
}

/**
 * logits = Â^K·X·W + b: K propagations, computed once, and a linear classifier. K = 0 is logistic
 * regression.
 */
export class SGC implements GraphModule {
  /** W and b. */
  readonly linear: Linear;
  /** K. */
  readonly steps: number;

  constructor(inFeatures: number, outFeatures: number, random: Random, { steps = 2 }: SGCOptions = {}) {
    this.steps = steps;
    this.linear = new Linear(inFeatures, outFeatures, random);
  }

  forward(x: Features, graph: Graph, _mode?: Mode): Tensor {
    return this.linear.forward(this.steps === 0 ? x : (hops(x, graph, this.steps)[this.steps] as Tensor));
  }
}
