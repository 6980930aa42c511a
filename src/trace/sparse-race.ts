// Times of one layer on its dense kernel and in its sparse forms, and what they depend on.

import { sizeOf } from '../tensor/index.js';
import type { GraphNode } from './graph.js';
import { Plan, planOf } from './plan.js';
import type { Product, SparseForm } from './sparse-forms.js';

/** What the time of a layer depends on. */
export interface LayerWork {
  /** Multiply-adds, of the stored weights where a form is sparse. */
  readonly multiplyAdds: number;
  /** Elements of its input and output. */
  readonly moved: number;
}

/** The work of a layer, dense or in a sparse form. */
export function workOf({ node, x, weight }: Product, form?: SparseForm): LayerWork {
  const [output] = node.outputs as [Product['x']];
  const pixels = sizeOf(output.shape) / (weight.shape[0] as number);
  return {
    multiplyAdds: pixels * (form ? form.stored : sizeOf(weight.shape)),
    moved: sizeOf(x.shape) + sizeOf(output.shape),
  };
}

/**
 * Rounds in which the kernels alternate; the fastest run of each counts, as noise only adds time.
 */
const ROUNDS = 7;
/** Least milliseconds of one timing, for the resolution of the clock. */
const LEAST_TIMED = 0.2;

/** Milliseconds of a layer. */
export interface Times {
  readonly dense: number;
  /** One for each form. */
  readonly sparse: readonly number[];
}

/**
 * Milliseconds of a layer on each kernel. Each is a plan of the layer alone, so that weights are
 * packed beforehand and the dense kernel is the one that a dense plan runs.
 */
export function race(product: Product, forms: readonly SparseForm[]): Times {
  const { node } = product;
  const plans = [planOfLayer(node, [node]), ...forms.map((form) => planOfLayer(node, form.nodes))];
  const best = plans.map(() => Number.POSITIVE_INFINITY);
  (plans[0] as Plan).execute();
  const once = millisecondsOf(plans[0] as Plan, 1);
  const repeats = Math.max(1, Math.min(50, Math.round(LEAST_TIMED / Math.max(1e-3, once))));
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, plan] of plans.entries()) best[at] = Math.min(best[at] as number, millisecondsOf(plan, repeats));
  for (const plan of plans) plan.dispose();
  const [dense, ...sparse] = best as [number, ...number[]];
  return { dense, sparse };
}

/** A plan of the layer `node` by itself, made of `nodes`, with its traced inputs in place. */
function planOfLayer({ inputs, outputs }: GraphNode, nodes: readonly GraphNode[]): Plan {
  const given = [...new Set(inputs)].filter(({ kind }) => kind !== 'constant');
  const plan = new Plan(planOf({ inputs: given, nodes, outputs, reads: [] }));
  plan.feed(given.map(({ tensor }) => tensor));
  return plan;
}

/** Milliseconds of one run, the mean of `repeats`. */
function millisecondsOf(plan: Plan, repeats: number): number {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) plan.execute();
  return (performance.now() - start) / repeats;
}
