// Post-training quantisation to int8: convolutions and linear layers of a fused graph. Weights get
// one scale per filter, activations the range that they take on calibration inputs.
//
// Each value may exist as NCHW float32 and as NHWC int8; either is converted to the other where a
// reader needs it. Convolutional networks stay in int8 from end to end; operations without an int8
// kernel run on float32 in between.

import { cpu } from '../engine/index.js';
import {
  type ActivationBits,
  Int8Convolution,
  Int8Matrix,
  Int8SparseFilters,
  pitchOf,
  type Quantization,
  quantizationOf,
  type Windows,
  writeFloats,
  writeWindows,
} from '../quantized/index.js';
import { emptyTensor, formatShape, type Op, reshape, sameShape, scope, sizeOf, type Tensor } from '../tensor/index.js';
import { type FusedConvolution, type FusedLinear, fusedConvolutionOp, fusedLinearOp } from './fuse.js';
import type { Graph, GraphNode, Value } from './graph.js';
import {
  type SparseConvolution,
  type SparseProduct,
  sizesOf,
  sparseConvolutionOp,
  sparseProductOp,
} from './sparse-forms.js';

/** Lowest and highest element that values took. */
export type Ranges = ReadonlyMap<Value, readonly [low: number, high: number]>;

/** Options of int8 plans. */
export interface Int8Options {
  /**
   * Calibration inputs, whose activations set the ranges: some tens of typical examples, each as
   * `compile` takes them.
   */
  readonly calibration: readonly (readonly Tensor[])[];
  /**
   * Bits of activations: 8 (the default) give bit-identical results on every host; 7 are faster
   * with relaxed SIMD.
   */
  readonly bits?: ActivationBits;
}

/** Calibration: runs a graph on inputs and records the range of each value. */
export function rangesOf(graph: Graph, examples: readonly (readonly Tensor[])[]): Ranges {
  const ranges = new Map<Value, readonly [number, number]>();
  if (examples.length === 0) throw new Error('int8: calibration needs at least one example');
  for (const inputs of examples)
    scope(() => {
      const tensors = new Map<Value, Tensor>();
      const note = (value: Value, tensor: Tensor) => {
        tensors.set(value, tensor);
        if (tensor.dtype !== 'f32') return;
        const [low, high] = ranges.get(value) ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
        ranges.set(value, [Math.min(low, tensor.min().item()), Math.max(high, tensor.max().item())]);
      };
      graph.inputs.forEach((value, i) => {
        const input = inputs[i];
        if (!input || !sameShape(input.shape, value.shape) || input.dtype !== value.dtype)
          throw new Error(
            `int8: calibration input ${i} is ${input}, the plan is for ${value.dtype}${formatShape(value.shape)}`,
          );
        note(value, input);
      });
      for (const { op, inputs: from, outputs, attributes } of graph.nodes) {
        const given = from.map((value) => tensors.get(value) ?? value.tensor);
        const made = op.view?.(given, attributes) ?? outputs.map(({ shape, dtype }) => emptyTensor(shape, dtype));
        op.compute?.(cpu, given, made, attributes);
        outputs.forEach((value, i) => {
          note(value, made[i] as Tensor);
        });
      }
    });
  return ranges;
}

interface ToQuanta {
  readonly windows: Windows;
  readonly to: Quantization;
}

/** Quantises windows (im2col): x f32 [n, c, h, w] → i8 [n, …output, pitch of c·taps]. */
const quantizeOp: Op<ToQuanta> = {
  name: 'quantize',
  multiplyAdds: 0,
  infer: ([x], { windows }) => [quantaShape(x as Tensor, windows)],
  compute: (device, [x], [y], { windows, to }) => writeWindows(device, x as Tensor, y as Tensor, windows, to),
};

/** i8 [n, h, w, pitch] → f32 [n, c, h, w]. */
const dequantizeOp: Op<Quantization> = {
  name: 'dequantize',
  multiplyAdds: 0,
  infer: () => {
    throw new Error('dequantize: made by int8 plans alone');
  },
  compute: (device, [x], [y], from) => writeFloats(device, x as Tensor, y as Tensor, from),
};

/** Inputs: x and maybe a residual, both i8 NHWC. */
const int8ConvolutionOp: Op<Int8Convolution> = {
  name: 'int8Convolution',
  multiplyAdds: (_, [images, height, width], { filters, weightsPerFilter }) =>
    sizeOf([images, height, width, filters, weightsPerFilter] as number[]),
  infer: ([x], convolution) => [{ shape: convolution.outputShape((x as Tensor).shape), dtype: 'i8' }],
  compute: (device, [x, residual], [y], convolution) => convolution.write(device, x as Tensor, residual, y as Tensor),
};

interface Int8Linear extends FusedLinear {
  readonly matrix: Int8Matrix;
  readonly bits: ActivationBits;
}

/**
 * Inputs: x [m, k] and maybe a bias [n], f32; rows of x are quantised dynamically, each by its own
 * range.
 */
const int8LinearOp: Op<Int8Linear> = {
  name: 'int8Linear',
  multiplyAdds: (_, output, { matrix }) => sizeOf(output) * matrix.columns,
  infer: ([x], { matrix }) => [{ shape: [(x as Tensor).shape[0] as number, matrix.rows], dtype: 'f32' }],
  compute: (device, [x, bias], [y], { matrix, activation, bits }) =>
    matrix.write(device, x as Tensor, y as Tensor, bias, activation, bits),
};

interface SparseInt8 {
  readonly filters: Int8SparseFilters;
  readonly activation: FusedLinear['activation'];
  /** The attributes of a convolution, and its weight for its shape. */
  readonly convolution: Pick<SparseConvolution, 'weight' | 'convolution'> | undefined;
}

/**
 * Sparse filters in int8 between floats. Inputs: x f32 [n, c, h, w] or [m, k], and maybe a bias.
 */
const sparseInt8Op: Op<SparseInt8> = {
  name: 'sparseInt8',
  multiplyAdds: (_, output, { filters }) => (filters.stored * sizeOf(output)) / (output[1] as number),
  infer: () => {
    throw new Error('sparseInt8: made by int8 plans alone');
  },
  compute: (device, [x, bias], [y], { filters, activation, convolution }) =>
    filters.write(device, x as Tensor, y as Tensor, bias, activation, convolution && sizesOf(x as Tensor, convolution)),
};

function quantaShape({ shape }: { readonly shape: readonly number[] }, { kernel, output }: Windows) {
  const channels = (shape[1] as number) * kernel[0] * kernel[1];
  return { shape: [shape[0] as number, ...output, pitchOf(channels)], dtype: 'i8' as const };
}

interface Quanta {
  readonly value: Value;
  readonly quantization: Quantization;
}

/**
 * Rewrites a graph to int8 kernels.
 *
 * @param graph a fused graph
 * @param ranges of its values
 */
export function useInt8Kernels(graph: Graph, ranges: Ranges, bits: ActivationBits = 8): Graph {
  const rewriting = new Int8Rewriting(ranges, bits);
  for (const node of graph.nodes) rewriting.add(node);
  for (const output of graph.outputs) rewriting.floats(output);
  return { ...graph, nodes: rewriting.nodes };
}

class Int8Rewriting {
  readonly nodes: GraphNode[] = [];
  readonly #quanta = new Map<Value, Quanta>();
  /** Values of the old graph that exist as int8 alone so far. */
  readonly #withoutFloats = new Set<Value>();

  constructor(
    readonly ranges: Ranges,
    readonly bits: ActivationBits,
  ) {}

  add(node: GraphNode): void {
    if (this.#convolution(node) || this.#linear(node) || this.#sparse(node)) return;
    for (const input of node.inputs) this.floats(input);
    this.nodes.push(node);
  }

  /** Dequantises a value that exists as int8 alone. */
  floats(value: Value): Value {
    const quanta = this.#quanta.get(value);
    if (quanta && this.#withoutFloats.delete(value))
      this.#push(dequantizeOp, [quanta.value], value, quanta.quantization);
    return value;
  }

  #push<A>(op: Op<A>, inputs: readonly Value[], output: Value, attributes: A): void {
    this.nodes.push({ op: op as Op<unknown>, inputs, outputs: [output], attributes });
  }

  #quantizationOf(value: Value): Quantization {
    const [low, high] = this.ranges.get(value) ?? [0, 0];
    return quantizationOf(low, high, this.bits);
  }

  /** A value as NHWC int8. */
  #quantaOf(value: Value): Quanta {
    const known = this.#quanta.get(value);
    if (known) return known;
    const [height, width] = value.shape.slice(2) as [number, number];
    const made = this.#quantize(value, { kernel: [1, 1], stride: [1, 1], padding: [0, 0], output: [height, width] });
    this.#quanta.set(value, made);
    return made;
  }

  #quantize(value: Value, windows: Windows): Quanta {
    const quantization = this.#quantizationOf(value);
    const made: Value = { ...value, ...quantaShape(value, windows), id: -1, kind: 'computed' };
    this.#push(quantizeOp, [value], made, { windows, to: quantization });
    return { value: made, quantization };
  }

  #convolution(node: GraphNode): boolean {
    if (node.op !== (fusedConvolutionOp as Op<unknown>)) return false;
    const attributes = node.attributes as FusedConvolution;
    const [x, w, ...rest] = node.inputs as [Value, Value, ...Value[]];
    const [output] = node.outputs as [Value];
    const bias = attributes.hasBias ? (rest.shift() as Value) : undefined;
    const residual = attributes.hasResidual ? (rest.shift() as Value) : undefined;
    const activation = foldable(attributes);
    const constants = w.kind === 'constant' && (!bias || bias.kind === 'constant');
    const dilated = attributes.dilation.some((step) => step !== 1);
    if (!activation || !constants || dilated || !Int8Convolution.supports(w.shape, attributes.groups)) return false;
    if (residual && attributes.groups > 1) return false;
    const added = residual && this.#quantaOf(residual);
    const { source, weights, stride, padding } = this.#source(x, w.tensor, attributes);
    const quantization = this.#quantizationOf(output);
    const convolution = new Int8Convolution(weights, bias?.tensor, {
      ...{ stride, padding, activation, groups: attributes.groups },
      ...{ input: source.quantization, output: quantization },
      ...(added && { residual: added.quantization }),
    });
    const shape = [output.shape[0] as number, ...attributes.output, pitchOf(convolution.filters)];
    const value: Value = { ...output, id: -1, shape, dtype: 'i8' };
    this.#push(int8ConvolutionOp, added ? [source.value, added.value] : [source.value], value, convolution);
    this.#quanta.set(output, { value, quantization });
    this.#withoutFloats.add(output);
    return true;
  }

  /**
   * The convolution's input: NHWC int8, or, for the few channels of a first layer, its unrolled
   * windows (im2col), on which the convolution is pointwise.
   */
  #source(x: Value, weights: Tensor, { groups, stride, padding, output }: FusedConvolution) {
    const [filters, channels, height, width] = weights.shape as [number, number, number, number];
    const kernel = [height, width] as const;
    const few = groups === 1 && !this.#quanta.has(x) && 2 * channels <= pitchOf(channels) && kernel[0] * kernel[1] > 1;
    if (!few) return { source: this.#quantaOf(x), weights, stride, padding };
    const windows = { kernel, stride, padding, output };
    return {
      source: this.#quantize(x, windows),
      weights: reshape(weights, [filters, -1, 1, 1]),
      stride: [1, 1] as const,
      padding: [0, 0] as const,
    };
  }

  /** Sparse layers in blocks of at least two rows; activations stay floats between them. */
  #sparse(node: GraphNode): boolean {
    const pointwise = node.op === (sparseProductOp as Op<unknown>);
    if (!pointwise && node.op !== (sparseConvolutionOp as Op<unknown>)) return false;
    const { activation, weight, ...own } = node.attributes as SparseProduct | SparseConvolution;
    const depthwise = 'filters' in own && own.filters.depthwise;
    const rows = 'filters' in own ? own.filters.height : own.matrix.height;
    if (!depthwise && rows < 2) return false;
    const [x] = node.inputs as [Value];
    const height = depthwise ? rows : rows >= 4 ? 4 : 2;
    const filters = new Int8SparseFilters(weight, height, this.#quantizationOf(x), depthwise);
    const convolution =
      'convolution' in own
        ? { weight, convolution: own.convolution }
        : x.shape.length === 2
          ? undefined
          : asConvolution(x, weight);
    const inputs = node.inputs.map((input) => this.floats(input));
    this.#push(sparseInt8Op, inputs, node.outputs[0] as Value, { filters, activation, convolution });
    return true;
  }

  #linear(node: GraphNode): boolean {
    if (node.op !== (fusedLinearOp as Op<unknown>)) return false;
    const [x, w, ...bias] = node.inputs as [Value, Value, ...Value[]];
    if (w.kind !== 'constant') return false;
    const { activation } = node.attributes as FusedLinear;
    const attributes = {
      matrix: new Int8Matrix(reshape(w.tensor, [w.shape[0] as number, -1])),
      activation,
      bits: this.bits,
    };
    this.#push(int8LinearOp, [this.floats(x), ...bias], node.outputs[0] as Value, attributes);
    return true;
  }
}

/** A pointwise layer as a convolution of the images that it reads. */
function asConvolution(x: Value, weight: Tensor): SparseInt8['convolution'] {
  const image = x.shape.slice(2) as [number, number];
  const none = { hasBias: false, hasResidual: false, activation: 'none', groups: 1 } as const;
  const one = [1, 1] as const;
  return { weight, convolution: { ...none, stride: one, dilation: one, padding: [0, 0], input: image, output: image } };
}

/** The activation, if it is a clamp. */
function foldable({ activation }: FusedConvolution): 'none' | 'relu' | 'relu6' | undefined {
  return activation === 'none' || activation === 'relu' || activation === 'relu6' ? activation : undefined;
}
