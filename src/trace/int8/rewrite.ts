// Post-training quantisation to int8: convolutions, linear layers and what stands between
// convolutions. Weights get one scale per filter, activations the range that they take on
// calibration inputs.
//
// Each value may exist as NCHW float32 and as NHWC int8; either is converted to the other where a
// reader needs it. Convolutional networks stay in int8 from end to end, but for vectors with one
// number a channel: means of images and gates, which are floats. Operations without an int8 kernel
// run on float32 in between.

import type { Activation } from '../../engine/index.js';
import {
  type ActivationBits,
  Int8Convolution,
  Int8Matrix,
  Int8SparseFilters,
  pitchOf,
  type Quantization,
  quantizationOf,
  type Windows,
} from '../../quantized/index.js';
import { channelAffineOp, multiply, type Op, reshape, subtract, type Tensor } from '../../tensor/index.js';
import { type FusedConvolution, type FusedLinear, fusedConvolutionOp, fusedLinearOp } from '../fuse.js';
import type { Graph, GraphNode, Value } from '../graph.js';
import { type SparseConvolution, type SparseProduct, sparseConvolutionOp, sparseProductOp } from '../sparse-forms.js';
import { clampOf, type Ranges } from './calibrate.js';
import { mapByTable, mapRules } from './maps.js';
import {
  dequantizeOp,
  int8ConvolutionOp,
  int8LinearOp,
  quantaShape,
  quantizeOp,
  type SparseInt8,
  sparseInt8Op,
  tableInt8Op,
} from './operators.js';
import { activated, tableFor } from './tables.js';

/** A value as NHWC int8, and what its bytes stand for. */
export interface Quanta {
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
  const rewriting = new Int8Rewriting(graph, ranges, bits);
  for (const node of graph.nodes) rewriting.add(node);
  for (const output of graph.outputs) rewriting.floats(output);
  return { ...graph, nodes: rewriting.nodes };
}

/** Groups up to which a convolution runs in int8, one call for each. */
const MOST_GROUPS = 64;

/** What a convolution multiplies by, and adds. */
interface Constants {
  readonly weights: Tensor;
  readonly bias: Tensor | undefined;
  readonly residual?: Value | undefined;
}

/** A graph under rewriting. */
export class Int8Rewriting {
  readonly nodes: GraphNode[] = [];
  readonly #quanta = new Map<Value, Quanta>();
  /** Values of the old graph that exist as int8 alone so far. */
  readonly #withoutFloats = new Set<Value>();

  readonly #read: ReadonlySet<Value>;

  constructor(
    graph: Graph,
    readonly ranges: Ranges,
    readonly bits: ActivationBits,
  ) {
    this.#read = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs]);
  }

  /** Whether a node reads a value, or the graph gives it. */
  isRead(value: Value): boolean {
    return this.#read.has(value);
  }

  add(node: GraphNode): void {
    if (this.#convolution(node) || this.#affine(node) || this.#linear(node) || this.#sparse(node)) return;
    if (mapRules.get(node.op)?.(this, node) ?? mapByTable(this, node)) return;
    for (const input of node.inputs) this.floats(input);
    this.nodes.push(node);
  }

  /** Dequantises a value that exists as int8 alone. */
  floats(value: Value): Value {
    const quanta = this.#quanta.get(value);
    if (quanta && this.#withoutFloats.delete(value))
      this.push(dequantizeOp, [quanta.value], value, quanta.quantization);
    return value;
  }

  /** Whether a value exists as int8 alone so far. */
  isQuantized(value: Value): boolean {
    return this.#withoutFloats.has(value);
  }

  /** Adds an operation whose result exists as int8 alone. */
  pushQuanta<A>(op: Op<A>, inputs: readonly Value[], output: Value, quantization: Quantization, attributes: A): void {
    const [images, channels, ...size] = output.shape as [number, number, ...number[]];
    const value: Value = { ...output, id: -1, shape: [images, ...size, pitchOf(channels)], dtype: 'i8' };
    this.push(op, inputs, value, attributes);
    this.#quanta.set(output, { value, quantization });
    this.#withoutFloats.add(output);
  }

  /** Adds an operation. */
  push<A>(op: Op<A>, inputs: readonly Value[], output: Value, attributes: A): void {
    this.nodes.push({ op: op as Op<unknown>, inputs, outputs: [output], attributes });
  }

  /** The quantisation of a value's range, or of what comes before its activation. */
  quantizationOf(value: Value, at: keyof Ranges = 'values'): Quantization {
    const [low, high] = this.ranges[at].get(value) ?? [0, 0];
    return quantizationOf(low, high, this.bits);
  }

  /** A value as NHWC int8. */
  quantaOf(value: Value): Quanta {
    const known = this.#quanta.get(value);
    if (known) return known;
    const [height, width] = value.shape.slice(2) as [number, number];
    const made = this.#quantize(value, { kernel: [1, 1], stride: [1, 1], padding: [0, 0], output: [height, width] });
    this.#quanta.set(value, made);
    return made;
  }

  #quantize(value: Value, windows: Windows): Quanta {
    const quantization = this.quantizationOf(value);
    const made: Value = { ...value, ...quantaShape(value, windows), id: -1, kind: 'computed' };
    this.push(quantizeOp, [value], made, { windows, to: quantization });
    return { value: made, quantization };
  }

  #convolution(node: GraphNode): boolean {
    if (node.op !== (fusedConvolutionOp as Op<unknown>)) return false;
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
    this.#convolve(x, output, attributes, { weights: w.tensor, bias: bias?.tensor, residual });
    return true;
  }

  /** A factor and a shift for each channel of quanta, as a pointwise depthwise convolution. */
  #affine(node: GraphNode): boolean {
    if (node.op !== (channelAffineOp as Op<unknown>)) return false;
    const [x, scale, shift, center] = node.inputs as [Value, Value, Value, Value | undefined];
    if (!this.isQuantized(x) || [scale, shift, center].some((value) => value && value.kind !== 'constant'))
      return false;
    const { activation } = node.attributes as { readonly activation: Activation };
    const size = x.shape.slice(2) as [number, number];
    const one = [1, 1] as const;
    const attributes: FusedConvolution = {
      ...{ activation, hasBias: true, hasResidual: false, groups: x.shape[1] as number },
      ...{ stride: one, dilation: one, padding: [0, 0], input: size, output: size },
    };
    this.#convolve(x, node.outputs[0] as Value, attributes, {
      weights: reshape(scale.tensor, [-1, 1, 1, 1]),
      bias: center ? subtract(shift.tensor, multiply(scale.tensor, center.tensor)) : shift.tensor,
    });
    return true;
  }

  #convolve(x: Value, output: Value, attributes: FusedConvolution, constants: Constants): void {
    const clamp = clampOf(attributes);
    const added = constants.residual && this.quantaOf(constants.residual);
    const { source, weights, stride, padding, dilation } = this.#source(x, constants.weights, attributes);
    const quantization = this.quantizationOf(output, clamp ? 'values' : 'before');
    const convolution = new Int8Convolution(weights, constants.bias, {
      ...{ stride, padding, dilation, activation: clamp ?? 'none', groups: attributes.groups },
      ...{ input: source.quantization, output: quantization },
      ...(added && { residual: added.quantization }),
    });
    const inputs = added ? [source.value, added.value] : [source.value];
    const made: Value = clamp ? output : { ...output, id: -1 };
    this.pushQuanta(int8ConvolutionOp, inputs, made, quantization, convolution);
    if (clamp) return;
    const to = this.quantizationOf(output);
    const table = tableFor((values) => activated(values, attributes.activation), quantization, to) as Tensor;
    this.pushQuanta(tableInt8Op, [this.quantaOf(made).value], output, to, { table });
  }

  /**
   * The convolution's input: NHWC int8, or, for the few channels of a first layer, its unrolled
   * windows (im2col), on which the convolution is pointwise.
   */
  #source(x: Value, weights: Tensor, { groups, stride, padding, dilation, output }: FusedConvolution) {
    const [filters, channels, height, width] = weights.shape as [number, number, number, number];
    const kernel = [height, width] as const;
    const near = Math.max(...dilation) === 1;
    const few = near && groups === 1 && !this.#quanta.has(x) && 2 * channels <= pitchOf(channels) && height * width > 1;
    if (!few) return { source: this.quantaOf(x), weights, stride, padding, dilation };
    const windows = { kernel, stride, padding, output };
    return {
      source: this.#quantize(x, windows),
      weights: reshape(weights, [filters, -1, 1, 1]),
      stride: [1, 1] as const,
      padding: [0, 0] as const,
      dilation,
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
    const filters = new Int8SparseFilters(weight, height, this.quantizationOf(x), depthwise);
    const convolution =
      'convolution' in own
        ? { weight, convolution: own.convolution }
        : x.shape.length === 2
          ? undefined
          : asConvolution(x, weight);
    const inputs = node.inputs.map((input) => this.floats(input));
    this.push(sparseInt8Op, inputs, node.outputs[0] as Value, { filters, activation, convolution });
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
    this.push(int8LinearOp, [this.floats(x), ...bias], node.outputs[0] as Value, attributes);
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
