// How layers run in int8: convolutions, batch norms that none absorbed, linear and sparse layers.

import type { Activation } from '../../engine/index.js';
import { Int8Convolution, Int8Matrix, Int8SparseFilters, pitchOf } from '../../quantized/index.js';
import { channelAffineOp, multiply, type Op, reshape, subtract, type Tensor } from '../../tensor/index.js';
import { type FusedConvolution, type FusedLinear, fusedConvolutionOp, fusedLinearOp } from '../fuse.js';
import type { Value } from '../graph.js';
import { type SparseConvolution, type SparseProduct, sparseConvolutionOp, sparseProductOp } from '../sparse-forms.js';
import { clampOf } from './calibrate.js';
import { int8ConvolutionOp, int8LinearOp, type SparseInt8, sparseInt8Op, tableInt8Op } from './operators.js';
import type { Int8Rewriting, Rule } from './rewriting.js';
import { activated, tableFor } from './tables.js';

/** Groups up to which a convolution runs in int8, one call for each. */
const MOST_GROUPS = 64;

/** What a convolution multiplies by, and adds. */
interface Constants {
  readonly weights: Tensor;
  readonly bias: Tensor | undefined;
  readonly residual?: Value | undefined;
}

const convolution: Rule = (rewriting, node) => {
  const attributes = node.attributes as FusedConvolution;
  const [x, w, ...rest] = node.inputs as [Value, Value, ...Value[]];
  const [output] = node.outputs as [Value];
  const bias = attributes.hasBias ? (rest.shift() as Value) : undefined;
  const residual = attributes.hasResidual ? (rest.shift() as Value) : undefined;
  const { groups } = attributes;
  const depthwise = groups > 1 && w.shape[1] === 1 && groups === w.shape[0];
  const constants = w.kind === 'constant' && (!bias || bias.kind === 'constant');
  if (!constants || !Int8Convolution.supports(w.shape, groups)) return false;
  if (depthwise ? residual : groups > MOST_GROUPS) return false;
  convolve(rewriting, x, output, attributes, { weights: w.tensor, bias: bias?.tensor, residual });
  return true;
};

/** A factor and a shift for each channel of quanta, as a pointwise depthwise convolution. */
const affine: Rule = (rewriting, node) => {
  const [x, scale, shift, center] = node.inputs as [Value, Value, Value, Value | undefined];
  if (!rewriting.isQuantized(x) || [scale, shift, center].some((value) => value && value.kind !== 'constant'))
    return false;
  const { activation } = node.attributes as { readonly activation: Activation };
  const size = x.shape.slice(2) as [number, number];
  const one = [1, 1] as const;
  const attributes: FusedConvolution = {
    ...{ activation, hasBias: true, hasResidual: false, groups: x.shape[1] as number },
    ...{ stride: one, dilation: one, padding: [0, 0], input: size, output: size },
  };
  convolve(rewriting, x, node.outputs[0] as Value, attributes, {
    weights: reshape(scale.tensor, [-1, 1, 1, 1]),
    bias: center ? subtract(shift.tensor, multiply(scale.tensor, center.tensor)) : shift.tensor,
  });
  return true;
};

function convolve(
  rewriting: Int8Rewriting,
  x: Value,
  output: Value,
  attributes: FusedConvolution,
  constants: Constants,
): void {
  const clamp = clampOf(attributes);
  const added = constants.residual && rewriting.quantaOf(constants.residual);
  const { source, weights, stride, padding, dilation } = sourceOf(rewriting, x, constants.weights, attributes);
  const quantization = rewriting.quantizationOf(output, clamp ? 'values' : 'before');
  const convolution = new Int8Convolution(weights, constants.bias, {
    ...{ stride, padding, dilation, activation: clamp ?? 'none', groups: attributes.groups },
    ...{ input: source.quantization, output: quantization },
    ...(added && { residual: added.quantization }),
  });
  const inputs = added ? [source.value, added.value] : [source.value];
  const made: Value = clamp ? output : { ...output, id: -1 };
  rewriting.pushQuanta(int8ConvolutionOp, inputs, made, quantization, convolution);
  if (clamp) return;
  const to = rewriting.quantizationOf(output);
  const table = tableFor((values) => activated(values, attributes.activation), quantization, to) as Tensor;
  rewriting.pushQuanta(tableInt8Op, [rewriting.quantaOf(made).value], output, to, { table });
}

/**
 * The convolution's input: NHWC int8, or, for the few channels of a first layer, its unrolled
 * windows (im2col), on which the convolution is pointwise.
 */
function sourceOf(
  rewriting: Int8Rewriting,
  x: Value,
  weights: Tensor,
  { groups, stride, padding, dilation, output }: FusedConvolution,
) {
  const [filters, channels, height, width] = weights.shape as [number, number, number, number];
  const kernel = [height, width] as const;
  const near = Math.max(...dilation) === 1;
  const few =
    near && groups === 1 && !rewriting.hasQuanta(x) && 2 * channels <= pitchOf(channels) && height * width > 1;
  if (!few) return { source: rewriting.quantaOf(x), weights, stride, padding, dilation };
  const windows = { kernel, stride, padding, output };
  return {
    source: rewriting.quantize(x, windows),
    weights: reshape(weights, [filters, -1, 1, 1]),
    stride: [1, 1] as const,
    padding: [0, 0] as const,
    dilation,
  };
}

/** Sparse layers in blocks of at least two rows; activations stay floats between them. */
const sparse: Rule = (rewriting, node) => {
  const { activation, weight, ...own } = node.attributes as SparseProduct | SparseConvolution;
  const depthwise = 'filters' in own && own.filters.depthwise;
  const rows = 'filters' in own ? own.filters.height : own.matrix.height;
  if (!depthwise && rows < 2) return false;
  const [x] = node.inputs as [Value];
  const height = depthwise ? rows : rows >= 4 ? 4 : 2;
  const filters = new Int8SparseFilters(weight, height, rewriting.quantizationOf(x), depthwise);
  const convolution =
    'convolution' in own
      ? { weight, convolution: own.convolution }
      : x.shape.length === 2
        ? undefined
        : asConvolution(x, weight);
  const inputs = node.inputs.map((input) => rewriting.floats(input));
  rewriting.push(sparseInt8Op, inputs, node.outputs[0] as Value, { filters, activation, convolution });
  return true;
};

const linear: Rule = (rewriting, node) => {
  const [x, w, ...bias] = node.inputs as [Value, Value, ...Value[]];
  if (w.kind !== 'constant') return false;
  const { activation } = node.attributes as FusedLinear;
  const attributes = {
    matrix: new Int8Matrix(reshape(w.tensor, [w.shape[0] as number, -1])),
    activation,
    bits: rewriting.bits,
  };
  rewriting.push(int8LinearOp, [rewriting.floats(x), ...bias], node.outputs[0] as Value, attributes);
  return true;
};

/** A pointwise layer as a convolution of the images that it reads. */
function asConvolution(x: Value, weight: Tensor): SparseInt8['convolution'] {
  const image = x.shape.slice(2) as [number, number];
  const none = { hasBias: false, hasResidual: false, activation: 'none', groups: 1 } as const;
  const one = [1, 1] as const;
  return { weight, convolution: { ...none, stride: one, dilation: one, padding: [0, 0], input: image, output: image } };
}

/** Rules of layers. */
export const layerRules: ReadonlyMap<Op<never>, Rule> = new Map<Op<never>, Rule>([
  [fusedConvolutionOp, convolution],
  [channelAffineOp, affine],
  [fusedLinearOp, linear],
  [sparseProductOp, sparse],
  [sparseConvolutionOp, sparse],
]);
