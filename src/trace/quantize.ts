// Eight-bit plans: convolutions and linear layers of a fused graph on bytes. Weights get a scale a filter, activations the range that they take on calibration inputs.
//
// Values keep two faces, floats with channels first and quanta with channels last, made from one another where a reader needs the other one: networks of convolutions stay in bytes from end to end,
// and any operation without a kernel for bytes runs on floats between them.

import { cpu } from '../engine/index.js';
import {
  type ActivationBits,
  Int8Convolution,
  Int8Matrix,
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

/** Lowest and highest element that values took. */
export type Ranges = ReadonlyMap<Value, readonly [low: number, high: number]>;

export interface Int8Options {
  /** Inputs whose activations set the ranges: some tens of typical examples, each as `compile` takes them. */
  readonly calibration: readonly (readonly Tensor[])[];
  /** 8 bits (the default) give the same bits on every host; 7 are faster where there is relaxed SIMD. */
  readonly bits?: ActivationBits;
}

/** Runs a graph on inputs and notes what its values reach. */
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

/** Floats with channels first → quanta of windows with channels last. */
const quantizeOp: Op<ToQuanta> = {
  name: 'quantize',
  multiplyAdds: 0,
  infer: ([x], { windows }) => [quantaShape(x as Tensor, windows)],
  compute: (device, [x], [y], { windows, to }) => writeWindows(device, x as Tensor, y as Tensor, windows, to),
};

const dequantizeOp: Op<Quantization> = {
  name: 'dequantize',
  multiplyAdds: 0,
  infer: () => {
    throw new Error('dequantize: made by int8 plans alone');
  },
  compute: (device, [x], [y], from) => writeFloats(device, x as Tensor, y as Tensor, from),
};

/** Inputs x and maybe a residual, as quanta. */
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

/** Inputs x and maybe a bias, as floats: rows are quantised by their own range on the way. */
const int8LinearOp: Op<Int8Linear> = {
  name: 'int8Linear',
  multiplyAdds: (_, output, { matrix }) => sizeOf(output) * matrix.columns,
  infer: ([x], { matrix }) => [{ shape: [(x as Tensor).shape[0] as number, matrix.rows], dtype: 'f32' }],
  compute: (device, [x, bias], [y], { matrix, activation, bits }) =>
    matrix.write(device, x as Tensor, y as Tensor, bias, activation, bits),
};

function quantaShape({ shape }: { readonly shape: readonly number[] }, { kernel, output }: Windows) {
  const channels = (shape[1] as number) * kernel[0] * kernel[1];
  return { shape: [shape[0] as number, ...output, pitchOf(channels)], dtype: 'i8' as const };
}

interface Quanta {
  readonly value: Value;
  readonly quantization: Quantization;
}

/** The graph on bytes. @param graph a fused one; the ranges are of its values. */
export function useInt8Kernels(graph: Graph, ranges: Ranges, bits: ActivationBits = 8): Graph {
  const rewriting = new Int8Rewriting(ranges, bits);
  for (const node of graph.nodes) rewriting.add(node);
  for (const output of graph.outputs) rewriting.floats(output);
  return { ...graph, nodes: rewriting.nodes };
}

class Int8Rewriting {
  readonly nodes: GraphNode[] = [];
  readonly #quanta = new Map<Value, Quanta>();
  /** Values of the old graph that so far have no floats. */
  readonly #withoutFloats = new Set<Value>();

  constructor(
    readonly ranges: Ranges,
    readonly bits: ActivationBits,
  ) {}

  add(node: GraphNode): void {
    if (this.#convolution(node) || this.#linear(node)) return;
    for (const input of node.inputs) this.floats(input);
    this.nodes.push(node);
  }

  /** Makes a value's floats where they are missing. */
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

  /** A value as quanta of single pixels. */
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

  /** What the convolution reads: pixels, or for the few channels of a first layer its windows, on which the convolution is a pointwise one. */
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

/** The activation, if a clamp can do it. */
function foldable({ activation }: FusedConvolution): 'none' | 'relu' | 'relu6' | undefined {
  return activation === 'none' || activation === 'relu' || activation === 'relu6' ? activation : undefined;
}
