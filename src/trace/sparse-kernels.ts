// Kernel selection for pruned layers: pointwise convolutions and linear layers of a fused graph
// with enough zeros run on sparse kernels, by a rule or by measurement; each choice comes with its
// reason.

import type { Activation } from '../engine/index.js';
import { ChannelMatrix } from '../sparse/index.js';
import { addOp, type Op, reshape, type Shape, sizeOf, type Tensor } from '../tensor/index.js';
import { type FusedConvolution, type FusedLinear, fusedConvolutionOp, fusedLinearOp } from './fuse.js';
import type { Graph, GraphNode, Value } from './graph.js';
import { Plan, planOf } from './plan.js';

/** The kernel chosen for one layer. */
export interface KernelChoice {
  /** The module path of the layer's weight. */
  readonly layer: string;
  /** Shape of the layer's weight. */
  readonly shape: readonly number[];
  /** Share of zeros among its weights. */
  readonly zeros: number;
  /** The kernel that the plan runs. */
  readonly kernel: 'dense' | 'sparse';
  /** Rows that share the columns of a stored block, where the kernel is sparse. */
  readonly blockHeight?: 1 | 2 | 4;
  /** Why, in one phrase for reports. */
  readonly reason: string;
  /** Milliseconds of one run, where both were measured. */
  readonly milliseconds?: { readonly dense: number; readonly sparse: number };
}

/** Options of the choice of sparse kernels. */
export interface SparseOptions {
  /** `rule` decides by the share of zeros, `measured` times both kernels on this machine. */
  readonly choose: 'rule' | 'measured';
  /**
   * Share of zeros from which `rule` takes the sparse kernel. Default: 0.66, and 0.3 for blocks of
   * 2
   * or 4 rows; linear layers stay dense.
   */
  readonly threshold?: number;
  /** Called with each layer's choice. */
  readonly onChoice?: (choice: KernelChoice) => void;
}

interface SparseProduct {
  readonly matrix: ChannelMatrix;
  readonly activation: Activation;
}

/**
 * A pointwise convolution or linear layer with mostly zero weights. Inputs: x [n, c, …pixels] and
 * maybe a bias.
 */
const sparseProductOp: Op<SparseProduct> = {
  name: 'sparseProduct',
  multiplyAdds: ([x], _, { matrix }) => matrix.stored * (sizeOf(x as Shape) / matrix.columns),
  infer: ([x], { matrix }) => [
    { shape: [(x as Tensor).shape[0] as number, matrix.rows, ...(x as Tensor).shape.slice(2)], dtype: 'f32' },
  ],
  compute: (device, [x, bias], [y], { matrix, activation }) =>
    matrix.write(device, x as Tensor, y as Tensor, bias, activation),
};

/** Share of zeros from which the sparse kernel is faster than the dense one, by rows in a block. */
const WORTHWHILE = { 1: 0.66, 2: 0.3, 4: 0.3 } as const;
/** Share of zeros below which no sparse kernel is timed. */
const LEAST = 0.2;

/**
 * Replaces layers by sparse kernels where those are faster. A fused residual becomes an addition of
 * its own again. New constants live in the current scope.
 */
export function useSparseKernels(graph: Graph, options: SparseOptions): Graph {
  const nodes = graph.nodes.flatMap((node) => {
    const layer = productOf(node);
    if (!layer) return [node];
    const { choice, matrix } = decide(layer, options);
    options.onChoice?.(choice);
    return matrix ? sparseNodes(node, layer, matrix) : [node];
  });
  return { ...graph, nodes };
}

/** A convolution or linear layer with constant weights. */
interface Product {
  readonly node: GraphNode;
  readonly x: Value;
  readonly weight: Value;
  readonly bias: Value | undefined;
  readonly residual: Value | undefined;
  readonly activation: Activation;
  /** Why only a dense kernel will do. */
  readonly denseOnly: string | undefined;
}

function productOf(node: GraphNode): Product | undefined {
  const [x, weight, ...rest] = node.inputs as [Value, Value, ...Value[]];
  if (node.op === (fusedLinearOp as Op<unknown>)) {
    const { activation } = node.attributes as FusedLinear;
    const denseOnly = weight.kind === 'constant' ? undefined : 'its weights are computed';
    return { node, x, weight, bias: rest[0], residual: undefined, activation, denseOnly };
  }
  if (node.op !== (fusedConvolutionOp as Op<unknown>)) return undefined;
  const attributes = node.attributes as FusedConvolution;
  const bias = attributes.hasBias ? rest[0] : undefined;
  const residual = attributes.hasResidual ? rest.at(-1) : undefined;
  const { activation } = attributes;
  return { node, x, weight, bias, residual, activation, denseOnly: denseReason(weight, attributes) };
}

function denseReason(
  weight: Value,
  { groups, stride, padding, hasResidual, activation }: FusedConvolution,
): string | undefined {
  const [, , height, width] = weight.shape as [number, number, number, number];
  if (weight.kind !== 'constant') return 'its weights are computed';
  if (groups > 1) return weight.shape[1] === 1 ? 'depthwise' : `${groups} groups`;
  if (height * width > 1) return `${height}×${width}, not pointwise`;
  if ([...stride, ...padding].join() !== '1,1,0,0') return `stride ${stride.join('×')}`;
  if (hasResidual && activation !== 'none') return `${activation} after a shortcut`;
  return undefined;
}

function decide(
  product: Product,
  { choose, threshold }: SparseOptions,
): { choice: KernelChoice; matrix?: ChannelMatrix } {
  const { weight, denseOnly } = product;
  const values = weight.kind === 'constant' ? weight.tensor.view() : new Float32Array(0);
  const zeros =
    values.length === 0 ? 0 : values.reduce((count, value) => count + Number(value === 0), 0) / values.length;
  const layer = weight.origins[0]?.replace(/\.[^.]*$/, '') ?? product.node.op.name;
  const about = { layer, shape: weight.shape, zeros };
  const dense = (reason: string): { choice: KernelChoice } => ({ choice: { ...about, kernel: 'dense', reason } });
  if (denseOnly) return dense(denseOnly);
  if (zeros < Math.min(LEAST, threshold ?? LEAST)) return dense(`${percent(zeros)} zeros: too few`);
  const matrix = new ChannelMatrix(reshape(weight.tensor, [weight.shape[0] as number, -1]));
  const blockHeight = matrix.height;
  if (choose === 'rule') {
    const least = threshold ?? WORTHWHILE[blockHeight];
    if (threshold === undefined && product.node.op === (fusedLinearOp as Op<unknown>))
      return dense('linear: decided by measurement alone');
    if (zeros < least) return dense(`${percent(zeros)} zeros: below ${percent(least)}`);
    return { choice: { ...about, kernel: 'sparse', blockHeight, reason: `${percent(zeros)} zeros` }, matrix };
  }
  const milliseconds = race(product, matrix);
  const ratio = milliseconds.dense / milliseconds.sparse;
  if (ratio <= 1)
    return { choice: { ...dense(`the dense kernel is ${(1 / ratio).toFixed(1)} times as fast`).choice, milliseconds } };
  const reason = `${ratio.toFixed(1)} times as fast as the dense kernel`;
  return { choice: { ...about, kernel: 'sparse', blockHeight, reason, milliseconds }, matrix };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

/**
 * Rounds in which the two kernels alternate; the fastest run of each counts, as noise only adds
 * time.
 */
const ROUNDS = 7;
/** Least milliseconds of one timing, for the resolution of the clock. */
const LEAST_TIMED = 0.2;

/**
 * Milliseconds of a layer on either kernel. Each is a plan of the layer alone, so that weights are
 * packed beforehand and the dense kernel is the one that a dense plan runs.
 */
function race(product: Product, matrix: ChannelMatrix): { dense: number; sparse: number } {
  const { node } = product;
  const plans = {
    dense: planOfLayer(node, [node]),
    sparse: planOfLayer(node, sparseNodes(node, product, matrix)),
  };
  const best = { dense: Number.POSITIVE_INFINITY, sparse: Number.POSITIVE_INFINITY };
  plans.dense.execute();
  const once = millisecondsOf(plans.dense, 1);
  const repeats = Math.max(1, Math.min(50, Math.round(LEAST_TIMED / Math.max(1e-3, once))));
  for (let round = 0; round < ROUNDS; round++)
    for (const name of ['dense', 'sparse'] as const)
      best[name] = Math.min(best[name], millisecondsOf(plans[name], repeats));
  for (const plan of Object.values(plans)) plan.dispose();
  return best;
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

function sparseNodes(node: GraphNode, { x, bias, residual, activation }: Product, matrix: ChannelMatrix): GraphNode[] {
  const inputs = bias ? [x, bias] : [x];
  const product = { op: sparseProductOp as Op<unknown>, inputs, attributes: { matrix, activation } };
  const [output] = node.outputs as [Value];
  if (!residual) return [{ ...product, outputs: [output] }];
  const sum: Value = { ...output, id: -1 };
  const addition = { op: addOp as Op<unknown>, inputs: [sum, residual], outputs: [output], attributes: undefined };
  return [{ ...product, outputs: [sum] }, addition];
}
