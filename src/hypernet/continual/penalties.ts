// Penalties that hold the weights of earlier tasks: elastic weight consolidation and synaptic
// intelligence.

import { buffer, gradientsOf, type Optimizer, parameters, type Weights } from '../../nn/index.js';
import { add, multiply, scope, square, subtract, sum, type Tensor, zeros } from '../../tensor/index.js';

/** Weights and how much each matters, by parameter name. */
interface Anchor {
  /** w*. */
  readonly anchor: Weights;
  /** F or Ω, of the same shapes. */
  readonly importance: Weights;
}

/** What holds the weights of earlier tasks. */
export interface Penalty {
  /** The penalty at some weights; undefined where it is 0. */
  at(weights: Weights): Tensor | undefined;
  /** The optimiser of the next task, which may watch the steps. */
  watch(optimizer: Optimizer, weights: Weights): Optimizer;
  /**
   * Takes what was learned into account.
   *
   * @param loss of row i of the task: its negative log-likelihood
   * @param rows number of rows that importances may be taken from
   */
  consolidate<Model extends object>(model: Model, loss: (live: Model, row: number) => Tensor, rows: number): void;
  /** Makes room for the state of one more task. */
  reserve(weights: Weights): void;
  /** Numbers kept. */
  readonly size: number;
}

/** No penalty: fine-tuning. */
export class NoPenalty implements Penalty {
  readonly size = 0;
  at(): undefined {}
  watch(optimizer: Optimizer): Optimizer {
    return optimizer;
  }
  consolidate(): void {}
  reserve(): void {}
}

/** Σ_i importance_i·(w_i − anchor_i)² over the anchored weights. */
function distance(weights: Weights, { anchor, importance }: Anchor): Tensor {
  return Object.keys(anchor)
    .map((name) =>
      sum(multiply(importance[name] as Tensor, square(subtract(weights[name] as Tensor, anchor[name] as Tensor)))),
    )
    .reduce((a, b) => add(a, b));
}

const numbersOf = (anchors: readonly Anchor[]) =>
  anchors.reduce((total, { anchor }) => total + 2 * Object.values(anchor).reduce((n, { size }) => n + size, 0), 0);

const empty = (weights: Weights): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, buffer(zeros(shape))]));

const copied = (weights: Weights): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, buffer(weight.clone())]));

/**
 * Diagonal of the empirical Fisher information: the mean over n rows of (∂loss_row/∂w)². The
 * squares are of each row's gradient, not of a batch's.
 */
export function fisher<Model extends object>(
  model: Model,
  loss: (live: Model, row: number) => Tensor,
  rows: number,
): Record<string, Tensor> {
  const total = empty(parameters(model));
  for (let row = 0; row < rows; row++)
    scope(() => {
      const { gradients } = gradientsOf(model, (live) => loss(live, row));
      for (const [name, kept] of Object.entries(total))
        kept.assign(add(kept, multiply(square(gradients[name] as Tensor), 1 / rows)));
    });
  return total;
}

/** Options of `ElasticWeights`. */
export interface ElasticOptions {
  /** λ. Default: 100. */
  readonly strength?: number;
  /**
   * Whether one running importance F ← γF + F_t and one anchor stand for all tasks. Default: false.
   */
  readonly online?: boolean;
  /** γ of the running importance. Default: 1. */
  readonly decay?: number;
  /** Rows that importances are taken from, at most. Default: 200. */
  readonly samples?: number;
}

/**
 * Elastic weight consolidation: (λ/2) Σ_{s<t} Σ_i F_{s,i}(w_i − w*_{s,i})² with the diagonal Fisher
 * information F_s at the end of task s (Kirkpatrick et al., PNAS 2017); online: one F and one w*
 * (Schwarz et al., "Progress & Compress", ICML 2018).
 */
export class ElasticWeights implements Penalty {
  /** w* and F of each task, or of all tasks together. */
  readonly anchors: Anchor[] = [];
  readonly #options: Required<ElasticOptions>;

  constructor({ strength = 100, online = false, decay = 1, samples = 200 }: ElasticOptions = {}) {
    this.#options = { strength, online, decay, samples };
  }

  get size(): number {
    return numbersOf(this.anchors);
  }

  at(weights: Weights): Tensor | undefined {
    if (this.anchors.length === 0 || this.#options.strength === 0) return undefined;
    const total = this.anchors.map((anchor) => distance(weights, anchor)).reduce((a, b) => add(a, b));
    return multiply(total, this.#options.strength / 2);
  }

  watch(optimizer: Optimizer): Optimizer {
    return optimizer;
  }

  consolidate<Model extends object>(model: Model, loss: (live: Model, row: number) => Tensor, rows: number): void {
    const importance = fisher(model, loss, Math.min(rows, this.#options.samples));
    const anchor = copied(parameters(model));
    const before = this.#options.online ? this.anchors.pop() : undefined;
    for (const [name, old] of Object.entries(before?.importance ?? {})) {
      const now = importance[name] as Tensor;
      scope(() => now.assign(add(now, multiply(old, this.#options.decay))));
    }
    this.anchors.push({ anchor, importance });
  }

  reserve(weights: Weights): void {
    if (this.#options.online) this.anchors.pop();
    this.anchors.push({ anchor: empty(weights), importance: empty(weights) });
  }
}

/** Options of `PathIntegrals`. */
export interface PathOptions {
  /** c. Default: 1. */
  readonly strength?: number;
  /** ξ, which bounds the importance of weights that hardly moved. Default: 1e-3. */
  readonly damping?: number;
}

/**
 * Synaptic intelligence: c Σ_i Ω_i(w_i − w*_i)². Along the steps of a task ω_i ← ω_i − g_i·Δw_i,
 * with the gradient g of the task's own loss and the change Δw that the optimiser made; then
 * Ω_i ← Ω_i + max(0, ω_i/((w_i − w_i^start)² + ξ)) and w* ← w (Zenke, Poole, Ganguli, ICML 2017).
 */
export class PathIntegrals implements Penalty {
  /** w* and Ω; none before the first task. */
  readonly anchors: Anchor[] = [];
  /** ω of the running task: the fall of its loss that each weight accounts for. */
  path: Record<string, Tensor> = {};
  #start: Weights = {};
  readonly #options: Required<PathOptions>;

  constructor({ strength = 1, damping = 1e-3 }: PathOptions = {}) {
    this.#options = { strength, damping };
  }

  get size(): number {
    return numbersOf(this.anchors);
  }

  at(weights: Weights): Tensor | undefined {
    const [anchor] = this.anchors;
    if (!anchor || this.#options.strength === 0) return undefined;
    return multiply(distance(weights, anchor), this.#options.strength);
  }

  watch(optimizer: Optimizer, weights: Weights): Optimizer {
    this.path = empty(weights);
    this.#start = copied(weights);
    const penaltyGradient = (name: string, weight: Tensor): Tensor | undefined => {
      const [own] = this.anchors;
      const [importance, anchor] = [own?.importance[name], own?.anchor[name]];
      return (
        importance && anchor && multiply(multiply(importance, subtract(weight, anchor)), 2 * this.#options.strength)
      );
    };
    return {
      state: () => optimizer.state(),
      restore: (state) => optimizer.restore(state),
      update: (parameters, gradients, rateFactor) =>
        scope(() => {
          const before = Object.entries(parameters).map(([name, weight]) => {
            const [gradient, held] = [gradients[name] as Tensor, penaltyGradient(name, weight)];
            return { name, weight, from: weight.clone(), gradient: held ? subtract(gradient, held) : gradient.clone() };
          });
          optimizer.update(parameters, gradients, rateFactor);
          for (const { name, weight, from, gradient } of before) {
            const path = this.path[name] as Tensor;
            path.assign(subtract(path, multiply(gradient, subtract(weight, from))));
          }
        }),
    };
  }

  consolidate<Model extends object>(model: Model): void {
    const weights = parameters(model);
    const [old] = this.anchors;
    const importance = empty(weights);
    for (const [name, kept] of Object.entries(importance))
      scope(() => {
        const moved = square(subtract(weights[name] as Tensor, this.#start[name] as Tensor));
        const gained = (this.path[name] as Tensor).divide(add(moved, this.#options.damping)).relu();
        const before = old?.importance[name];
        kept.assign(before ? add(before, gained) : gained);
      });
    this.anchors[0] = { anchor: copied(weights), importance };
    this.path = {};
    this.#start = {};
  }

  reserve(weights: Weights): void {
    this.anchors[0] = { anchor: empty(weights), importance: empty(weights) };
  }
}
