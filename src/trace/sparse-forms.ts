// Sparse forms of a layer: what its node becomes in a plan that skips zero weights.

import type { Activation, ConvolutionSizes } from '../engine/index.js';
import { type BlockHeight, ChannelMatrix, fillsBlocks, SparseFilters } from '../sparse/index.js';
import { addOp, convolutionSizes, type Op, reshape, type Shape, sizeOf, type Tensor } from '../tensor/index.js';
import { type FusedConvolution, type FusedLinear, fusedConvolutionOp, fusedLinearOp } from './fuse.js';
import type { GraphNode, Value } from './graph.js';

/** What a layer with weights does. */
export type LayerOperator = 'pointwise' | 'convolution' | 'depthwise' | 'grouped' | 'linear';

/** A convolution or linear layer. */
export interface Product {
  readonly node: GraphNode;
  readonly operator: LayerOperator;
  readonly x: Value;
  readonly weight: Value;
  readonly bias: Value | undefined;
  readonly residual: Value | undefined;
  readonly activation: Activation;
  /** Attributes of a convolution. */
  readonly convolution: FusedConvolution | undefined;
  /** Why it is no product of a constant matrix with pixels, as `rule` wants it. */
  readonly notPointwise: string | undefined;
  /** Why only a dense kernel will do. */
  readonly denseOnly: string | undefined;
}

export function productOf(node: GraphNode): Product | undefined {
  const [x, weight, ...rest] = node.inputs as [Value, Value, ...Value[]];
  const computed = weight && weight.kind !== 'constant' ? 'its weights are computed' : undefined;
  if (node.op === (fusedLinearOp as Op<unknown>)) {
    const { activation } = node.attributes as FusedLinear;
    const linear = { operator: 'linear', residual: undefined, convolution: undefined } as const;
    return {
      ...{ node, x, weight, bias: rest[0], activation, ...linear },
      notPointwise: computed,
      denseOnly: computed,
    };
  }
  if (node.op !== (fusedConvolutionOp as Op<unknown>)) return undefined;
  const convolution = node.attributes as FusedConvolution;
  const bias = convolution.hasBias ? rest[0] : undefined;
  const residual = convolution.hasResidual ? rest.at(-1) : undefined;
  const { activation } = convolution;
  const operator = operatorOf(weight, convolution);
  return {
    ...{ node, x, weight, bias, residual, activation, operator, convolution },
    notPointwise: computed ?? otherThanPointwise(weight, convolution) ?? afterShortcut(convolution),
    denseOnly:
      computed ?? (operator === 'grouped' ? `${convolution.groups} groups` : undefined) ?? afterShortcut(convolution),
  };
}

function operatorOf({ shape }: Value, { groups }: FusedConvolution): LayerOperator {
  const [, inGroup, height, width] = shape as [number, number, number, number];
  if (groups > 1) return inGroup === 1 && groups === shape[0] ? 'depthwise' : 'grouped';
  return height * width === 1 ? 'pointwise' : 'convolution';
}

function otherThanPointwise(weight: Value, { groups, stride, padding }: FusedConvolution): string | undefined {
  const [, , height, width] = weight.shape as [number, number, number, number];
  if (groups > 1) return weight.shape[1] === 1 ? 'depthwise' : `${groups} groups`;
  if (height * width > 1) return `${height}×${width}, not pointwise`;
  if ([...stride, ...padding].join() !== '1,1,0,0') return `stride ${stride.join('×')}`;
  return undefined;
}

function afterShortcut({ hasResidual, activation }: FusedConvolution): string | undefined {
  return hasResidual && activation !== 'none' ? `${activation} after a shortcut` : undefined;
}

/** Attributes of a sparse product. */
export interface SparseProduct {
  readonly matrix: ChannelMatrix;
  readonly activation: Activation;
  /** [rows, columns] or a filter of one tap. */
  readonly weight: Tensor;
}

/**
 * A pointwise convolution or linear layer with zero weights. Inputs: x [n, c, …pixels] and maybe a
 * bias.
 */
export const sparseProductOp: Op<SparseProduct> = {
  name: 'sparseProduct',
  multiplyAdds: ([x], _, { matrix }) => matrix.stored * (sizeOf(x as Shape) / matrix.columns),
  infer: ([x], { matrix }) => [
    { shape: [(x as Tensor).shape[0] as number, matrix.rows, ...(x as Tensor).shape.slice(2)], dtype: 'f32' },
  ],
  compute: (device, [x, bias], [y], { matrix, activation }) =>
    matrix.write(device, x as Tensor, y as Tensor, bias, activation),
};

/** Attributes of a convolution with sparse filters. */
export interface SparseConvolution {
  readonly filters: SparseFilters;
  readonly activation: Activation;
  readonly weight: Tensor;
  readonly convolution: FusedConvolution;
}

/** Sizes of a sparse convolution for an input. */
export function sizesOf(
  x: Tensor,
  { weight, convolution }: Pick<SparseConvolution, 'weight' | 'convolution'>,
): ConvolutionSizes {
  return convolutionSizes(x.shape, weight.shape, convolution);
}

/**
 * A convolution with zero kernels, or a depthwise one with zero taps. Inputs: x and maybe a bias.
 */
export const sparseConvolutionOp: Op<SparseConvolution> = {
  name: 'sparseConvolution',
  multiplyAdds: (_, output, { filters }) => (filters.stored * sizeOf(output)) / (output[1] as number),
  infer: ([x], { filters, convolution }) => [
    { shape: [(x as Tensor).shape[0] as number, filters.shape[0] as number, ...convolution.output], dtype: 'f32' },
  ],
  compute: (device, [x, bias], [y], attributes) =>
    attributes.filters.write(
      device,
      x as Tensor,
      y as Tensor,
      bias,
      attributes.activation,
      sizesOf(x as Tensor, attributes),
    ),
};

/** The kernels of sparse layers: rows of pixels, a single pixel, windows, or depthwise taps. */
export type SparseKernel = 'channels' | 'vector' | 'windows' | 'taps';

/** One way to run a layer without its zeros. */
export interface SparseForm {
  /** The kernel that it runs on. */
  readonly kernel: SparseKernel;
  /** Output channels of a block. */
  readonly height: number;
  /** Whether tiles of single rows hold 32 pixels. */
  readonly wide: boolean;
  /** Weights that are stored, including zeros inside blocks. */
  readonly stored: number;
  /** What the layer's node becomes. */
  readonly nodes: readonly GraphNode[];
}

/** A form that multiplies a matrix with pixels. */
export function productForm(product: Product, height?: BlockHeight, wide = false): SparseForm {
  const { x, weight, activation } = product;
  const matrix = new ChannelMatrix(reshape(weight.tensor, [weight.shape[0] as number, -1]), height, { wide });
  const attributes: SparseProduct = { matrix, activation, weight: weight.tensor };
  const single = sizeOf(x.shape.slice(2)) === 1 && matrix.height >= 4;
  return {
    ...{ kernel: single ? 'vector' : 'channels', height: matrix.height, wide, stored: matrix.stored },
    nodes: withShortcut(product, sparseProductOp as Op<unknown>, attributes),
  };
}

function filterForm(product: Product, height: number): SparseForm {
  const { weight, activation, operator, convolution } = product;
  const depthwise = operator === 'depthwise';
  const filters = new SparseFilters(weight.tensor, height, depthwise);
  const attributes = { filters, activation, weight: weight.tensor, convolution };
  return {
    ...{ kernel: depthwise ? 'taps' : 'windows', height, wide: false, stored: filters.stored },
    nodes: withShortcut(product, sparseConvolutionOp as Op<unknown>, attributes),
  };
}

/** The node of a layer in its sparse form, with a residual as an addition of its own again. */
function withShortcut({ node, x, bias, residual }: Product, op: Op<unknown>, attributes: unknown): GraphNode[] {
  const inputs = bias ? [x, bias] : [x];
  const [output] = node.outputs as [Value];
  if (!residual) return [{ op, inputs, attributes, outputs: [output] }];
  const sum: Value = { ...output, id: -1 };
  const addition = { op: addOp as Op<unknown>, inputs: [sum, residual], outputs: [output], attributes: undefined };
  return [{ op, inputs, attributes, outputs: [sum] }, addition];
}

/** Heights whose blocks are nearly full: the largest of 4, 2 and 1, and 8 where that is. */
function fullHeights(weight: Tensor): BlockHeight[] {
  const least = ([4, 2] as const).find((height) => fillsBlocks(weight, height)) ?? 1;
  return least === 4 && fillsBlocks(weight, 8) ? [4, 8] : [least];
}

/** The most channels, up to 32, of which neighbours keep the same taps. */
function sharedTaps(weight: Tensor): number {
  const area = weight.size / (weight.shape[0] as number);
  const values = weight.view();
  const rows = weight.shape[0] as number;
  const alike = (row: number, other: number) =>
    Array.from({ length: area }, (_, tap) => tap).every(
      (tap) => (values[row * area + tap] === 0) === (values[other * area + tap] === 0),
    );
  const shared = (height: number) =>
    Array.from({ length: rows }, (_, row) => row).every((row) => alike(row, row - (row % height)));
  return [32, 16, 8, 4, 2].find(shared) ?? 1;
}

/** Every form that is worth a try. */
export function formsOf(product: Product): SparseForm[] {
  const { weight, operator, notPointwise } = product;
  if (operator === 'depthwise') return [filterForm(product, sharedTaps(weight.tensor))];
  const heights = fullHeights(weight.tensor);
  return heights.map((height) => (notPointwise ? filterForm(product, height) : productForm(product, height)));
}
