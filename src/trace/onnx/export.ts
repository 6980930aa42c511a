// A captured computation as an ONNX model (opset 17): each of our operations becomes one or a few standard ones; batch norms are folded into convolutions before.

import type { ConvolutionAttributes, Tensor, WindowAttributes } from '../../tensor/index.js';
import { fuse } from '../fuse.js';
import { type Graph, type GraphNode, trace, type Value } from '../graph.js';
import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  DATA_TYPE,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './schema.js';

type AttributeValue = number | string | readonly number[];

/** Attributes that are floats though their values may be whole. */
const floatAttributes = new Set(['alpha', 'beta', 'epsilon', 'gamma']);

function attributeProto([name, value]: [string, AttributeValue]): AttributeProto {
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: ATTRIBUTE_TYPE.string };
  if (typeof value !== 'number') return { name, ints: [...value], type: ATTRIBUTE_TYPE.ints };
  return floatAttributes.has(name)
    ? { name, f: value, type: ATTRIBUTE_TYPE.float }
    : { name, i: value, type: ATTRIBUTE_TYPE.int };
}

/** The ONNX graph while it is being written. */
class Writer {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #names = new Map<Value, string>();
  readonly #weights = new Map<Tensor, string>();
  #count = 0;

  fresh(hint: string): string {
    return `${hint}_${this.#count++}`;
  }

  nameValue(value: Value, name: string): void {
    this.#names.set(value, name);
  }

  /** The name of a value; a constant becomes an initializer. */
  name(value: Value): string {
    const known = this.#names.get(value);
    if (known) return known;
    if (value.kind !== 'constant') throw new Error('exportOnnx: a value is used before it is made');
    const shared = this.#weights.get(value.tensor);
    const name = shared ?? this.constant(value.tensor, value.origins.length === 1 ? value.origins[0] : undefined);
    this.#weights.set(value.tensor, name);
    this.#names.set(value, name);
    return name;
  }

  constant(tensor: Tensor, wanted?: string): string {
    const taken = this.initializers.some(({ name }) => name === wanted);
    const name = wanted && !taken ? wanted : this.fresh(wanted ?? 'constant');
    const values = tensor.dataSync();
    if (tensor.dtype !== 'f32' && tensor.dtype !== 'i32')
      throw new Error(`exportOnnx: a constant of type ${tensor.dtype} has no ONNX form here`);
    this.initializers.push({
      name,
      dims: [...tensor.shape],
      dataType: tensor.dtype === 'f32' ? DATA_TYPE.float : DATA_TYPE.int32,
      rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    });
    return name;
  }

  ints(values: readonly number[]): string {
    const name = this.fresh('sizes');
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.initializers.push({ name, dims: [values.length], dataType: DATA_TYPE.int64, rawData: data });
    return name;
  }

  scalar(value: number): string {
    const name = this.fresh('scalar');
    this.initializers.push({
      name,
      dims: [],
      dataType: DATA_TYPE.float,
      rawData: new Uint8Array(new Float32Array([value]).buffer),
    });
    return name;
  }

  floats(values: Float32Array, dims: readonly number[]): string {
    const name = this.fresh('constant');
    this.initializers.push({
      name,
      dims: [...dims],
      dataType: DATA_TYPE.float,
      rawData: new Uint8Array(values.buffer),
    });
    return name;
  }

  /** Adds a node with one output, whose name it returns. */
  add(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    const output = this.fresh(opType.toLowerCase());
    this.nodes.push({
      opType,
      name: output,
      input: [...inputs],
      output: [output],
      attribute: Object.entries(attributes).map(attributeProto),
    });
    return output;
  }
}

type Converter = (writer: Writer, inputs: readonly string[], node: GraphNode) => string;

const same =
  (opType: string): Converter =>
  (writer, inputs) =>
    writer.add(opType, inputs);

/** Halves of the last axis, or every second element of it. */
function sliceLast(writer: Writer, x: string, start: number, end: number, step: number): string {
  return writer.add('Slice', [x, ...[[start], [end], [-1], [step]].map((values) => writer.ints(values))]);
}

function activation(writer: Writer, x: string, name: string): string {
  switch (name) {
    case 'none':
      return x;
    case 'relu':
      return writer.add('Relu', [x]);
    case 'relu6':
      return writer.add('Clip', [x, writer.scalar(0), writer.scalar(6)]);
    case 'silu':
      return writer.add('Mul', [x, writer.add('Sigmoid', [x])]);
    case 'sigmoid':
      return writer.add('Sigmoid', [x]);
    case 'tanh':
      return writer.add('Tanh', [x]);
    case 'gelu': {
      const erf = writer.add('Erf', [writer.add('Mul', [x, writer.scalar(Math.SQRT1_2)])]);
      const half = writer.add('Mul', [x, writer.scalar(0.5)]);
      return writer.add('Mul', [half, writer.add('Add', [erf, writer.scalar(1)])]);
    }
    default:
      throw new Error(`exportOnnx: activation "${name}" has no ONNX form here`);
  }
}

const activated =
  (name: string): Converter =>
  (writer, [x]) =>
    activation(writer, x as string, name);

function shapeOf(node: GraphNode, input: number): readonly number[] {
  return (node.inputs[input] as Value).shape;
}

function outputShape(node: GraphNode): readonly number[] {
  return (node.outputs[0] as Value).shape;
}

function convolutionAttributes(node: GraphNode): Record<string, AttributeValue> {
  const { stride, padding, dilation, groups, input, output } = node.attributes as ConvolutionAttributes;
  const kernel = shapeOf(node, 1).slice(2);
  const after = [0, 1].map((axis) => {
    const reach = ((kernel[axis] as number) - 1) * (dilation[axis] as number) + 1;
    return (
      ((output[axis] as number) - 1) * (stride[axis] as number) +
      reach -
      (input[axis] as number) -
      (padding[axis] as number)
    );
  });
  // A negative surplus is input that no window reaches.
  const pads = [...padding, ...after.map((value) => Math.max(0, value))];
  return { kernel_shape: kernel, strides: stride, dilations: dilation, group: groups, pads };
}

const convolution: Converter = (writer, inputs, node) => {
  const fused = node.attributes as { activation?: string; hasBias?: boolean; hasResidual?: boolean };
  const [x, w, ...rest] = inputs as [string, string, ...string[]];
  const bias = (fused.hasBias ?? rest.length > 0) ? [rest.shift() as string] : [];
  const y = writer.add('Conv', [x, w, ...bias], convolutionAttributes(node));
  const sum = fused.hasResidual ? writer.add('Add', [y, rest.shift() as string]) : y;
  return activation(writer, sum, fused.activation ?? 'none');
};

/** Filters of each pixel's own: nine shifted copies of the image, each times its tap. */
const aggregation: Converter = (writer, [x, f], node) => {
  const [n, channels, height, width] = shapeOf(node, 0) as [number, number, number, number];
  const sharing = shapeOf(node, 1)[1] as number;
  const padded = writer.add('Pad', [x as string, writer.ints([0, 0, 1, 1, 0, 0, 1, 1]), writer.scalar(0)]);
  const groups = writer.ints([n, channels / sharing, sharing, height, width]);
  const once = writer.ints([n, 1, sharing, height, width]);
  const part = (from: string, starts: readonly number[], ends: readonly number[], axes: readonly number[]) =>
    writer.add('Slice', [from, ...[starts, ends, axes].map((values) => writer.ints(values))]);
  const terms = Array.from({ length: 9 }, (_, tap) => {
    const [down, right] = [Math.floor(tap / 3), tap % 3];
    const moved = part(padded, [down, right], [down + height, right + width], [2, 3]);
    const filter = writer.add('Reshape', [part(f as string, [tap], [tap + 1], [2]), once]);
    return writer.add('Mul', [writer.add('Reshape', [moved, groups]), filter]);
  });
  return writer.add('Reshape', [writer.add('Sum', terms), writer.ints([n, channels, height, width])]);
};

const linear: Converter = (writer, inputs, node) => {
  const { relu, activation: name } = node.attributes as { relu?: boolean; activation?: string };
  return activation(writer, writer.add('Gemm', inputs, { transB: 1 }), name ?? (relu ? 'relu' : 'none'));
};

function swapLast(writer: Writer, x: string, rank: number): string {
  return writer.add('Transpose', [x], {
    perm: Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
  });
}

const attention: Converter = (writer, [q, k, v, mask], node) => {
  const { causal, window, scale } = node.attributes as { causal: boolean; window: number; scale: number };
  const [batch, heads, queries] = shapeOf(node, 0) as [number, number, number];
  const [, keyHeads, keys] = shapeOf(node, 1) as [number, number, number];
  const shared = (x: string, input: number) => {
    if (heads === keyHeads) return x;
    const depth = shapeOf(node, input)[3] as number;
    const apart = writer.add('Unsqueeze', [x, writer.ints([2])]);
    const repeated = writer.add('Expand', [apart, writer.ints([batch, keyHeads, heads / keyHeads, keys, depth])]);
    return writer.add('Reshape', [repeated, writer.ints([batch, heads, keys, depth])]);
  };
  const product = writer.add('MatMul', [q as string, swapLast(writer, shared(k as string, 1), 4)]);
  let scores = writer.add('Mul', [product, writer.scalar(scale)]);
  if (causal || window > 0) {
    const hidden = new Float32Array(queries * keys);
    for (let i = 0; i < queries; i++)
      for (let j = 0; j < keys; j++) {
        const ahead = j - (i + keys - queries);
        if ((causal && ahead > 0) || (window > 0 && Math.abs(ahead) >= window)) hidden[i * keys + j] = -3.4e38;
      }
    scores = writer.add('Add', [scores, writer.floats(hidden, [queries, keys])]);
  }
  if (mask) scores = writer.add('Add', [scores, mask]);
  return writer.add('MatMul', [writer.add('Softmax', [scores], { axis: -1 }), shared(v as string, 2)]);
};

const rotate: Converter = (writer, [x, cosines, sines], node) => {
  const { interleaved, sign } = node.attributes as { interleaved: boolean; sign: number };
  const depth = shapeOf(node, 0).at(-1) as number;
  const pairs = shapeOf(node, 1).at(-1) as number;
  const s = sign === 1 ? (sines as string) : writer.add('Neg', [sines as string]);
  const part = (start: number) =>
    interleaved
      ? sliceLast(writer, x as string, start, 2 * pairs, 2)
      : sliceLast(writer, x as string, start * pairs, (start + 1) * pairs, 1);
  const [a, b] = [part(0), part(1)];
  const times = (p: string, q: string) => writer.add('Mul', [p, q]);
  const first = writer.add('Sub', [times(a, cosines as string), times(b, s)]);
  const second = writer.add('Add', [times(a, s), times(b, cosines as string)]);
  const rest = depth > 2 * pairs ? [sliceLast(writer, x as string, 2 * pairs, depth, 1)] : [];
  if (!interleaved) return writer.add('Concat', [first, second, ...rest], { axis: -1 });
  const lead = shapeOf(node, 0).slice(0, -1);
  const apart = [first, second].map((half) => writer.add('Unsqueeze', [half, writer.ints([-1])]));
  const woven = writer.add('Reshape', [writer.add('Concat', apart, { axis: -1 }), writer.ints([...lead, 2 * pairs])]);
  return rest.length ? writer.add('Concat', [woven, ...rest], { axis: -1 }) : woven;
};

/** (x − mean)·s with s = 1/√(mean square + ε); without centring for RMS norm. Gives y and s. */
function standardize(writer: Writer, x: string, epsilon: number, center: boolean): [y: string, inverse: string] {
  const average = (value: string) => writer.add('ReduceMean', [value], { axes: [-1] });
  const centred = center ? writer.add('Sub', [x, average(x)]) : x;
  const variance = average(writer.add('Mul', [centred, centred]));
  const inverse = writer.add('Reciprocal', [
    writer.add('Sqrt', [writer.add('Add', [variance, writer.scalar(epsilon)])]),
  ]);
  return [writer.add('Mul', [centred, inverse]), inverse];
}

const layerNorm: Converter = (writer, [x, gamma, beta], node) => {
  const { epsilon, center } = node.attributes as { epsilon: number; center: boolean };
  if (center)
    return writer.add(
      'LayerNormalization',
      [x, gamma, beta].flatMap((name) => name ?? []),
      { axis: -1, epsilon },
    );
  return writer.add('Mul', [standardize(writer, x as string, epsilon, false)[0], gamma as string]);
};

const reduction =
  (opType: 'ReduceSum' | 'ReduceMax' | 'ReduceMin'): Converter =>
  (writer, [x], node) => {
    const { axes, scale } = node.attributes as { axes: readonly number[]; scale: number };
    const count = axes.reduce((product, axis) => product * (shapeOf(node, 0)[axis] as number), 1);
    if (opType !== 'ReduceSum') return writer.add(opType, [x as string], { axes, keepdims: 1 });
    if (scale === 1 / count && count > 1) return writer.add('ReduceMean', [x as string], { axes, keepdims: 1 });
    const total = writer.add('ReduceSum', [x as string, writer.ints(axes)], { keepdims: 1 });
    return scale === 1 ? total : writer.add('Mul', [total, writer.scalar(scale)]);
  };

const pool =
  (opType: 'MaxPool' | 'AveragePool'): Converter =>
  (writer, [x], node) => {
    const { sliding, divisor } = node.attributes as WindowAttributes & { divisor?: number };
    if (!sliding) {
      if (outputShape(node).slice(2).join() === '1,1') return writer.add('GlobalAveragePool', [x as string]);
      throw new Error('exportOnnx: adaptive pooling to more than one pixel has no ONNX form');
    }
    const { kernel, stride, padding } = sliding;
    const attributes = { kernel_shape: kernel, strides: stride, pads: [...padding, ...padding] };
    return writer.add(
      opType,
      [x as string],
      opType === 'AveragePool' ? { ...attributes, count_include_pad: divisor === 0 ? 0 : 1 } : attributes,
    );
  };

function sliceNode(
  writer: Writer,
  x: string,
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[],
): string {
  const axes = starts.map((_, axis) => axis);
  return writer.add('Slice', [x, ...[starts, ends, axes, steps].map((values) => writer.ints(values))]);
}

const comparison =
  (opType: string, negated = false): Converter =>
  (writer, inputs) => {
    const truth = writer.add(opType, inputs);
    return writer.add('Cast', [negated ? writer.add('Not', [truth]) : truth], { to: DATA_TYPE.float });
  };

const converters: Readonly<Record<string, Converter>> = {
  convolution,
  fusedConvolution: convolution,
  linear,
  fusedLinear: linear,
  aggregation,
  attention,
  rotate,
  layerNorm,
  standardize: (writer, [x], node) => {
    const { epsilon, center } = node.attributes as { epsilon: number; center: boolean };
    const [y, inverse] = standardize(writer, x as string, epsilon, center);
    writer.nameValue(node.outputs[1] as Value, inverse);
    return y;
  },
  matmul: (writer, [a, b], node) => {
    const { transposeA, transposeB } = node.attributes as { transposeA: boolean; transposeB: boolean };
    const side = (x: string, input: number, turned: boolean) =>
      turned ? swapLast(writer, x, shapeOf(node, input).length) : x;
    return writer.add('MatMul', [side(a as string, 0, transposeA), side(b as string, 1, transposeB)]);
  },
  transposedConvolution: (writer, inputs, node) => {
    const { stride, padding, dilation, groups, input, output } = node.attributes as ConvolutionAttributes;
    const kernel = shapeOf(node, 1).slice(2);
    const extra = [0, 1].map(
      (axis) =>
        (input[axis] as number) -
        ((output[axis] as number) - 1) * (stride[axis] as number) +
        2 * (padding[axis] as number) -
        (dilation[axis] as number) * ((kernel[axis] as number) - 1) -
        1,
    );
    const attributes = { kernel_shape: kernel, strides: stride, dilations: dilation, group: groups };
    return writer.add('ConvTranspose', inputs, {
      ...attributes,
      pads: [...padding, ...padding],
      output_padding: extra,
    });
  },
  channelAffine: (writer, [x, scale, shift], node) => {
    const channels = [
      -1,
      ...shapeOf(node, 0)
        .slice(2)
        .map(() => 1),
    ];
    const perChannel = (weight: string) => writer.add('Reshape', [weight, writer.ints(channels)]);
    return writer.add('Add', [
      writer.add('Mul', [x as string, perChannel(scale as string)]),
      perChannel(shift as string),
    ]);
  },
  maxPool: pool('MaxPool'),
  averagePool: pool('AveragePool'),
  resize: (writer, [x], node) => {
    const { mode, alignCorners } = node.attributes as { mode: string; alignCorners: boolean };
    const sizes = writer.ints(outputShape(node));
    return writer.add('Resize', [x as string, '', '', sizes], {
      mode: mode === 'nearest' ? 'nearest' : 'linear',
      coordinate_transformation_mode: mode === 'nearest' ? 'asymmetric' : alignCorners ? 'align_corners' : 'half_pixel',
      ...(mode === 'nearest' && { nearest_mode: 'floor' }),
    });
  },
  reshape: (writer, [x], node) => writer.add('Reshape', [x as string, writer.ints(outputShape(node))]),
  broadcastTo: (writer, [x], node) => writer.add('Expand', [x as string, writer.ints(outputShape(node))]),
  permute: (writer, [x], node) =>
    writer.add('Transpose', [x as string], { perm: (node.attributes as { order: readonly number[] }).order }),
  concatenate: (writer, inputs, node) =>
    writer.add('Concat', inputs, { axis: (node.attributes as { axis: number }).axis }),
  rows: (writer, [x], node) => {
    const { start, end } = node.attributes as { start: number; end: number };
    return writer.add('Slice', [x as string, ...[[start], [end], [0]].map((values) => writer.ints(values))]);
  },
  slice: (writer, [x], node) => {
    const { starts, sizes, steps } = node.attributes as Record<'starts' | 'sizes' | 'steps', readonly number[]>;
    const ends = starts.map((start, axis) => {
      const end = start + (sizes[axis] as number) * (steps[axis] as number);
      return end < 0 ? Number.MIN_SAFE_INTEGER : end;
    });
    return sliceNode(writer, x as string, starts, ends, steps);
  },
  pad: (writer, [x], node) => {
    const { before, after, value } = node.attributes as {
      before: readonly number[];
      after: readonly number[];
      value: number;
    };
    return writer.add('Pad', [x as string, writer.ints([...before, ...after]), writer.scalar(value)]);
  },
  gatherRows: (writer, inputs) => writer.add('Gather', inputs, { axis: 0 }),
  argmax: (writer, [x], node) => {
    const { axis, sign } = node.attributes as { axis: number; sign: number };
    const positions = writer.add(sign === 1 ? 'ArgMax' : 'ArgMin', [x as string], { axis, keepdims: 0 });
    return writer.add('Cast', [positions], { to: DATA_TYPE.int32 });
  },
  cast: (writer, [x], node) => {
    const { dtype } = node.attributes as { dtype: 'f32' | 'i32' };
    return writer.add('Cast', [x as string], { to: dtype === 'f32' ? DATA_TYPE.float : DATA_TYPE.int32 });
  },
  affine: (writer, [x], node) => {
    const { scale, shift } = node.attributes as { scale: number; shift: number };
    const scaled = scale === 1 ? (x as string) : writer.add('Mul', [x as string, writer.scalar(scale)]);
    return shift === 0 && scale !== 1 ? scaled : writer.add('Add', [scaled, writer.scalar(shift)]);
  },
  sum: reduction('ReduceSum'),
  max: reduction('ReduceMax'),
  min: reduction('ReduceMin'),
  softmax: (writer, inputs) => writer.add('Softmax', inputs, { axis: -1 }),
  logSoftmax: (writer, inputs) => writer.add('LogSoftmax', inputs, { axis: -1 }),
  logSumExp: (writer, inputs) => writer.add('ReduceLogSumExp', inputs, { axes: [-1], keepdims: 1 }),
  square: (writer, [x]) => writer.add('Mul', [x as string, x as string]),
  rsqrt: (writer, [x]) => writer.add('Reciprocal', [writer.add('Sqrt', [x as string])]),
  leakyRelu: (writer, inputs, node) =>
    writer.add('LeakyRelu', inputs, { alpha: (node.attributes as { parameter: number }).parameter }),
  elu: (writer, inputs, node) =>
    writer.add('Elu', inputs, { alpha: (node.attributes as { parameter: number }).parameter }),
  relu: activated('relu'),
  relu6: activated('relu6'),
  silu: activated('silu'),
  gelu: activated('gelu'),
  sigmoid: activated('sigmoid'),
  tanh: activated('tanh'),
  softplus: same('Softplus'),
  abs: same('Abs'),
  sqrt: same('Sqrt'),
  exp: same('Exp'),
  log: same('Log'),
  erf: same('Erf'),
  sin: same('Sin'),
  cos: same('Cos'),
  sign: same('Sign'),
  floor: same('Floor'),
  reciprocal: same('Reciprocal'),
  add: same('Add'),
  subtract: same('Sub'),
  multiply: same('Mul'),
  divide: same('Div'),
  power: same('Pow'),
  maximum: same('Max'),
  minimum: same('Min'),
  equal: comparison('Equal'),
  notEqual: comparison('Equal', true),
  less: comparison('Less'),
  lessEqual: comparison('LessOrEqual'),
  positiveMask: (writer, [a, b]) => {
    const positive = writer.add('Greater', [b as string, writer.scalar(0)]);
    return writer.add('Where', [positive, a as string, writer.scalar(0)]);
  },
  stopGradient: same('Identity'),
};

function valueInfo(name: string, { shape, dtype }: Value): ValueInfoProto {
  const elemType = dtype === 'f32' ? DATA_TYPE.float : DATA_TYPE.int32;
  return { name, type: { tensorType: { elemType, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } } };
}

export interface ExportOptions {
  /** Names of the weights in the file: `stateOf(model)`. */
  readonly weights?: Readonly<Record<string, Tensor>>;
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
}

/**
 * A function of tensors as the bytes of an `.onnx` file, for inputs of the examples' shapes.
 *
 * @example writeFileSync('model.onnx', exportOnnx((x) => model.forward(x, inference), [zeros([1, 3, 224, 224])]));
 * @throws Error naming the operation that ONNX has no form for.
 */
export function exportOnnx(
  fn: (...inputs: Tensor[]) => unknown,
  examples: readonly Tensor[],
  { weights = {}, inputNames = [], outputNames = [] }: ExportOptions = {},
): Uint8Array {
  return trace(fn, examples, weights, (graph) => encodeModel(modelOf(fuse(graph), inputNames, outputNames)));
}

function modelOf(graph: Graph, inputNames: readonly string[], outputNames: readonly string[]) {
  const writer = new Writer();
  const inputs = graph.inputs.map((value, index) => {
    const name = inputNames[index] ?? (graph.inputs.length === 1 ? 'input' : `input${index}`);
    writer.nameValue(value, name);
    return valueInfo(name, value);
  });
  for (const node of graph.nodes) {
    const convert = converters[node.op.name];
    if (!convert) throw new Error(`exportOnnx: the operation "${node.op.name}" has no ONNX form here`);
    writer.nameValue(
      node.outputs[0] as Value,
      convert(
        writer,
        node.inputs.map((input) => writer.name(input)),
        node,
      ),
    );
  }
  const outputs = graph.outputs.map((value, index) => {
    const name = outputNames[index] ?? (graph.outputs.length === 1 ? 'output' : `output${index}`);
    writer.nodes.push({ opType: 'Identity', name, input: [writer.name(value)], output: [name] });
    return valueInfo(name, value);
  });
  return {
    irVersion: 8,
    producerName: 'gossamer',
    opsetImport: [{ domain: '', version: 17 }],
    graph: { name: 'gossamer', node: writer.nodes, initializer: writer.initializers, input: inputs, output: outputs },
  };
}
