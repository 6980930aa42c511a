// Kernel selection for pruned layers: convolutions and linear layers of a fused graph with enough
// zeros run on sparse kernels, by a rule, by measurement or by a cost model; each choice comes with
// its reason.

import type { Op } from '../tensor/index.js';
import { fusedLinearOp } from './fuse.js';
import type { Graph } from './graph.js';
import type { KernelCosts } from './kernel-costs.js';
import { formsOf, type LayerOperator, type Product, productForm, productOf, type SparseForm } from './sparse-forms.js';
import { race, type Times, workOf } from './sparse-race.js';

/** The kernel chosen for one layer. */
export interface KernelChoice {
  /** The module path of the layer's weight. */
  readonly layer: string;
  /** What the layer does. */
  readonly operator: LayerOperator;
  /** Shape of the layer's weight. */
  readonly shape: readonly number[];
  /** Share of zeros among its weights. */
  readonly zeros: number;
  /** The kernel that the plan runs. */
  readonly kernel: 'dense' | 'sparse';
  /** Output channels that share the entries of a stored block, where the kernel is sparse. */
  readonly blockHeight?: number;
  /** Why, in one phrase for reports. */
  readonly reason: string;
  /** Milliseconds of one run, where both were measured. */
  readonly milliseconds?: { readonly dense: number; readonly sparse: number };
  /**
   * Milliseconds of one run by the cost model, where that decides; sparse where there is a form.
   */
  readonly predicted?: { readonly dense: number; readonly sparse?: number };
}

/** Options of the choice of sparse kernels. */
export interface SparseOptions {
  /**
   * `rule` decides by the share of zeros, for pointwise and linear layers; `measured` times the
   * kernels on this machine; `model` asks `costs`.
   */
  readonly choose: 'rule' | 'measured' | 'model';
  /**
   * Share of zeros from which `rule` takes the sparse kernel. Default: 0.66, and 0.3 for blocks of
   * 2
   * or 4 rows; linear layers stay dense.
   */
  readonly threshold?: number;
  /** The cost model of this machine: `calibrateKernels()`. */
  readonly costs?: KernelCosts;
  /**
   * Pixels of a tile of single rows, for comparisons: 16 (the default) or 32, with which `rule`
   * takes single rows for every layer.
   */
  readonly tile?: 16 | 32;
  /** Called with each layer's choice. */
  readonly onChoice?: (choice: KernelChoice) => void;
}

/** Share of zeros from which the sparse kernel is faster than the dense one, by rows in a block. */
const WORTHWHILE = { 1: 0.66, 2: 0.3, 4: 0.3, 8: 0.3 } as const;
/** Share of zeros below which no sparse kernel is timed. */
const LEAST = 0.2;

/**
 * Replaces layers by sparse kernels where those are faster. A fused residual becomes an addition of
 * its own again. New constants live in the current scope.
 *
 * @throws Error when the cost model is to decide and is not given
 */
export function useSparseKernels(graph: Graph, options: SparseOptions): Graph {
  if (options.choose === 'model' && !options.costs)
    throw new Error('compile: sparse kernels are chosen by a cost model, which "costs" lacks; see calibrateKernels');
  const nodes = graph.nodes.flatMap((node) => {
    const layer = productOf(node);
    if (!layer) return [node];
    const { choice, form } = decide(layer, options);
    options.onChoice?.(choice);
    return form ? form.nodes : [node];
  });
  return { ...graph, nodes };
}

interface Decision {
  readonly choice: KernelChoice;
  readonly form?: SparseForm;
}

function decide(product: Product, { choose, threshold, costs, tile = 16 }: SparseOptions): Decision {
  const { weight, denseOnly, notPointwise, operator } = product;
  const values = weight.kind === 'constant' ? weight.tensor.view() : new Float32Array(0);
  const zeros =
    values.length === 0 ? 0 : values.reduce((count, value) => count + Number(value === 0), 0) / values.length;
  const layer = weight.origins[0]?.replace(/\.[^.]*$/, '') ?? product.node.op.name;
  const about = { layer, operator, shape: weight.shape, zeros };
  const predicted = costs && { dense: costs.dense(operator, workOf(product)) };
  const dense = (reason: string): Decision => ({
    choice: { ...about, kernel: 'dense', reason, ...(predicted && { predicted }) },
  });
  const few = zeros < Math.min(LEAST, threshold ?? LEAST);
  const never = choose === 'rule' || few ? notPointwise : denseOnly;
  if (never) return dense(never);
  if (few) return dense(`${percent(zeros)} zeros: too few`);
  if (choose === 'rule') {
    const form = productForm(product, tile === 32 ? 1 : undefined, tile === 32);
    const blockHeight = form.height as keyof typeof WORTHWHILE;
    const least = threshold ?? WORTHWHILE[blockHeight];
    if (threshold === undefined && product.node.op === (fusedLinearOp as Op<unknown>))
      return dense('linear: decided by measurement alone');
    if (zeros < least) return dense(`${percent(zeros)} zeros: below ${percent(least)}`);
    return { choice: { ...about, kernel: 'sparse', blockHeight, reason: `${percent(zeros)} zeros` }, form };
  }
  const forms = formsOf(product);
  if (costs && predicted && choose === 'model') {
    const times = forms.map((form) => costs.sparse(form, workOf(product, form)));
    return byTimes({ dense: predicted.dense, sparse: times }, 'predicted');
  }
  return byTimes(race(product, forms), 'milliseconds');

  function byTimes(times: Times, kind: 'milliseconds' | 'predicted'): Decision {
    const fastest = Math.min(...times.sparse);
    const form = forms[times.sparse.indexOf(fastest)] as SparseForm;
    const found = { [kind]: { dense: times.dense, sparse: fastest } };
    const ratio = times.dense / fastest;
    if (ratio <= 1)
      return { choice: { ...dense(`the dense kernel is ${(1 / ratio).toFixed(1)} times as fast`).choice, ...found } };
    const reason = `${ratio.toFixed(1)} times as fast as the dense kernel`;
    return { choice: { ...about, kernel: 'sparse', blockHeight: form.height, reason, ...found }, form };
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
