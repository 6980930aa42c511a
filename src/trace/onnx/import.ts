// ONNX models as callable modules: initializers become parameters, nodes run through our operations, so an imported model can be run, compiled to a plan, fine-tuned or exported again.

import {
  abs,
  add,
  argmax,
  argmin,
  averagePool2d,
  batchNormInference,
  broadcastTo,
  cast,
  clip,
  concatenate,
  conv2d,
  convTranspose2d,
  cos,
  divide,
  elu,
  equal,
  erf,
  exp,
  floor,
  formatShape,
  gatherRows,
  gelu,
  globalAveragePool,
  greater,
  greaterEqual,
  groupNorm,
  hardSigmoid,
  hardSwish,
  keep,
  layerNorm,
  leakyRelu,
  less,
  lessEqual,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  maxPool2d,
  mean,
  min,
  minimum,
  multiply,
  negate,
  pad,
  permute,
  power,
  type Range,
  reciprocal,
  relu,
  reshape,
  resize,
  sigmoid,
  sign,
  sin,
  sizeOf,
  slice,
  softmax,
  softplus,
  sqrt,
  subtract,
  sum,
  Tensor,
  tanh,
  tensor,
  where,
} from '../../tensor/index.js';
import { DATA_TYPE, decodeModel, type NodeProto, type TensorProto } from './schema.js';

/** 64-bit integers are shapes, axes and indices: plain numbers, with the shape they are stored in. */
interface Ints {
  readonly ints: readonly number[];
  readonly shape: readonly number[];
}

type ImportedValue = Tensor | Ints;

function isInts(value: ImportedValue | undefined): value is Ints {
  return value !== undefined && !(value instanceof Tensor);
}

/** A node's attributes and inputs, with errors that name the node. */
class Node {
  readonly label: string;
  readonly #attributes: ReadonlyMap<string, NonNullable<NodeProto['attribute']>[number]>;

  constructor(
    readonly proto: NodeProto,
    readonly inputs: readonly (ImportedValue | undefined)[],
  ) {
    this.label = `${proto.opType ?? '?'} "${proto.name ?? proto.output?.[0] ?? ''}"`;
    this.#attributes = new Map((proto.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute]));
  }

  fail(reason: string): never {
    throw new Error(`importOnnx: ${this.label} ${reason}`);
  }

  tensor(index: number): Tensor {
    const value = this.inputs[index];
    if (value instanceof Tensor) return value;
    if (value) return tensor(Float32Array.from(value.ints), value.shape);
    return this.fail(`lacks input ${index}`);
  }

  /** A tensor that may be left out. */
  optional(index: number): Tensor | undefined {
    return this.inputs[index] === undefined ? undefined : this.tensor(index);
  }

  /** Integers from an attribute or, in later opsets, an input. */
  intsOf(name: string, input?: number): readonly number[] | undefined {
    const value = input === undefined ? undefined : this.inputs[input];
    if (isInts(value)) return value.ints;
    if (value) return [...value.view()];
    return this.#attributes.get(name)?.ints;
  }

  int(name: string, otherwise: number): number {
    return this.#attributes.get(name)?.i ?? otherwise;
  }

  float(name: string, otherwise: number): number {
    return this.#attributes.get(name)?.f ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    const bytes = this.#attributes.get(name)?.s;
    return bytes ? new TextDecoder().decode(bytes) : otherwise;
  }

  tensorAttribute(name: string): TensorProto | undefined {
    return this.#attributes.get(name)?.t;
  }

  floatAttributes(name: string): readonly number[] | undefined {
    return this.#attributes.get(name)?.floats;
  }
}

type Importer = (node: Node) => ImportedValue | readonly ImportedValue[];

const unary =
  (fn: (x: Tensor) => Tensor): Importer =>
  (node) =>
    fn(node.tensor(0));

/** An elementwise operation of two values; on integers alone it stays with integers. */
const binary =
  (fn: (a: Tensor, b: Tensor) => Tensor, onInts: (a: number, b: number) => number): Importer =>
  (node) => {
    const [a, b] = node.inputs;
    if (!isInts(a) || !isInts(b)) return matched(fn, node.tensor(0), node.tensor(1));
    const long = a.ints.length >= b.ints.length ? a : b;
    const at = (value: Ints, i: number) => value.ints[value.ints.length === 1 ? 0 : i] as number;
    return { ints: long.ints.map((_, i) => onInts(at(a, i), at(b, i))), shape: long.shape };
  };

function matched(fn: (a: Tensor, b: Tensor) => Tensor, a: Tensor, b: Tensor): Tensor {
  if (a.dtype === b.dtype) return fn(a, b);
  return fn(a.dtype === 'f32' ? a : cast(a, 'f32'), b.dtype === 'f32' ? b : cast(b, 'f32'));
}

/** Folds more than two inputs. */
const variadic =
  (fn: (a: Tensor, b: Tensor) => Tensor): Importer =>
  (node) =>
    node.inputs.map((_, i) => node.tensor(i)).reduce((a, b) => fn(a, b));

interface Window {
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
}

/** Strides, dilations and padding of a node over images, for inputs of a size. */
function windowOf(node: Node, x: Tensor, kernel: readonly number[]): Window {
  if (x.rank !== 4) node.fail(`expects images [n, c, h, w], got ${formatShape(x.shape)}`);
  const two = (name: string) => (node.intsOf(name) ?? [1, 1]) as readonly [number, number];
  const [stride, dilation] = [two('strides'), two('dilations')];
  const mode = node.text('auto_pad', 'NOTSET');
  if (mode === 'NOTSET' || mode === 'VALID') {
    return { stride, dilation, pads: (node.intsOf('pads') ?? [0, 0, 0, 0]) as Window['pads'] };
  }
  const sides = [0, 1].map((axis) => {
    const [length, step] = [x.shape[2 + axis] as number, stride[axis] as number];
    const reach = ((kernel[axis] as number) - 1) * (dilation[axis] as number) + 1;
    const total = Math.max(0, (Math.ceil(length / step) - 1) * step + reach - length);
    return mode === 'SAME_LOWER'
      ? [Math.ceil(total / 2), Math.floor(total / 2)]
      : [Math.floor(total / 2), Math.ceil(total / 2)];
  }) as [[number, number], [number, number]];
  return { stride, dilation, pads: [sides[0][0], sides[1][0], sides[0][1], sides[1][1]] };
}

/** Padding that our operation takes, after padding what is not even by hand. */
function evenly(
  x: Tensor,
  [top, left, bottom, right]: Window['pads'],
  value = 0,
): { x: Tensor; padding: readonly [number, number] } {
  if (top === bottom && left === right) return { x, padding: [top, left] };
  return {
    x: pad(
      x,
      [
        [0, 0],
        [0, 0],
        [top, bottom],
        [left, right],
      ],
      value,
    ),
    padding: [0, 0],
  };
}

const convolution: Importer = (node) => {
  const weight = node.tensor(1);
  const { stride, dilation, pads } = windowOf(node, node.tensor(0), weight.shape.slice(2));
  const { x, padding } = evenly(node.tensor(0), pads);
  return conv2d(x, weight, node.optional(2), { stride, dilation, padding, groups: node.int('group', 1) });
};

const transposedConvolution: Importer = (node) => {
  const weight = node.tensor(1);
  const { stride, dilation, pads } = windowOf(node, node.tensor(0), weight.shape.slice(2));
  const [top, left, bottom, right] = pads;
  if (top !== bottom || left !== right) node.fail('has uneven padding, which is not supported');
  const outputPadding = (node.intsOf('output_padding') ?? [0, 0]) as readonly [number, number];
  return convTranspose2d(node.tensor(0), weight, node.optional(2), {
    ...{ stride, dilation, padding: [top, left], outputPadding },
    groups: node.int('group', 1),
  });
};

const pool =
  (kind: 'max' | 'average'): Importer =>
  (node) => {
    const kernel = (node.intsOf('kernel_shape') ?? node.fail('lacks kernel_shape')) as readonly [number, number];
    const { stride, dilation, pads } = windowOf(node, node.tensor(0), kernel);
    if (dilation.some((step) => step !== 1) || node.int('ceil_mode', 0))
      node.fail('has dilation or ceil_mode, which are not supported');
    const countPadding = node.int('count_include_pad', 0) === 1;
    if (kind === 'average' && !countPadding && (pads[0] !== pads[2] || pads[1] !== pads[3]))
      node.fail('has uneven padding, which is not supported');
    const { x, padding } = evenly(node.tensor(0), pads, kind === 'max' ? -Infinity : 0);
    if (kind === 'max') return maxPool2d(x, kernel, { stride, padding });
    return averagePool2d(x, kernel, { stride, padding, countPadding });
  };

const gemm: Importer = (node) => {
  const product = matmul(node.tensor(0), node.tensor(1), {
    transposeA: node.int('transA', 0) === 1,
    transposeB: node.int('transB', 0) === 1,
  });
  const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
  const scaled = alpha === 1 ? product : multiply(product, alpha);
  const bias = node.optional(2);
  return bias ? add(scaled, beta === 1 ? bias : multiply(bias, beta)) : scaled;
};

const reduction =
  (fn: (x: Tensor, axes: readonly number[] | undefined, options: { keepAxes: boolean }) => Tensor): Importer =>
  (node) => {
    const axes = node.intsOf('axes', 1);
    if (axes?.length === 0 && node.int('noop_with_empty_axes', 0)) return node.tensor(0);
    return fn(node.tensor(0), axes?.length ? axes : undefined, { keepAxes: node.int('keepdims', 1) === 1 });
  };

const reshaping: Importer = (node) => {
  const x = node.inputs[0] as ImportedValue;
  const target = node.intsOf('shape', 1) ?? node.fail('lacks a shape');
  const shape = target.map((length, axis) =>
    length === 0 && !node.int('allowzero', 0) ? (x.shape[axis] as number) : length,
  );
  if (!isInts(x)) return reshape(x, shape);
  const known = sizeOf(shape.filter((length) => length !== -1));
  return { ints: x.ints, shape: shape.map((length) => (length === -1 ? x.ints.length / known : length)) };
};

function withShape(value: ImportedValue, shape: readonly number[]): ImportedValue {
  return isInts(value) ? { ints: value.ints, shape } : reshape(value, shape);
}

const squeezing: Importer = (node) => {
  const x = node.inputs[0] as ImportedValue;
  const axes = node.intsOf('axes', 1)?.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  return withShape(
    x,
    x.shape.filter((length, axis) => !(axes ? axes.includes(axis) : length === 1)),
  );
};

const unsqueezing: Importer = (node) => {
  const x = node.inputs[0] as ImportedValue;
  const given = node.intsOf('axes', 1) ?? node.fail('lacks axes');
  const rank = x.shape.length + given.length;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  const shape = [...x.shape];
  for (const axis of [...axes].sort((a, b) => a - b)) shape.splice(axis, 0, 1);
  return withShape(x, shape);
};

const slicing: Importer = (node) => {
  const x = node.inputs[0] as ImportedValue;
  const starts = node.intsOf('starts', 1) ?? node.fail('lacks starts');
  const ends = node.intsOf('ends', 2) ?? node.fail('lacks ends');
  const axes = node.intsOf('axes', 3) ?? starts.map((_, axis) => axis);
  const steps = node.intsOf('steps', 4) ?? starts.map(() => 1);
  const ranges = x.shape.map((): Range => null);
  axes.forEach((axis, i) => {
    const at = axis < 0 ? axis + x.shape.length : axis;
    const length = x.shape[at] as number;
    const limited = (value: number) => Math.max(-length - 1, Math.min(length, value));
    ranges[at] = [limited(starts[i] as number), limited(ends[i] as number), steps[i] as number];
  });
  if (!isInts(x)) return slice(x, ...ranges);
  const chosen = slice(
    tensor(Int32Array.from(x.ints), [x.ints.length], 'i32'),
    ranges[0] as Range,
  ).dataSync<Int32Array>();
  return { ints: [...chosen], shape: [chosen.length] };
};

const gathering: Importer = (node) => {
  const [x, indices] = node.inputs as [ImportedValue, ImportedValue];
  const axis = node.int('axis', 0);
  const wanted = isInts(indices) ? [...indices.ints] : [...indices.view()];
  if (isInts(x)) {
    const chosen = wanted.map((index) => x.ints[index < 0 ? index + x.ints.length : index] as number);
    return { ints: chosen, shape: indices.shape };
  }
  const at = axis < 0 ? axis + x.rank : axis;
  const length = x.shape[at] as number;
  const known = isInts(indices) || wanted.some((index) => index < 0);
  const rows = known
    ? tensor(
        Int32Array.from(wanted, (index) => (index < 0 ? index + length : index)),
        indices.shape,
        'i32',
      )
    : (indices as Tensor);
  if (at === 0) return gatherRows(x, rows);
  const order = [at, ...x.shape.map((_, i) => i).filter((i) => i !== at)];
  const picked = gatherRows(permute(x, order), reshape(rows, [-1]));
  const back = x.shape.map((_, i) => (i < at ? i + 1 : i === at ? 0 : i));
  return reshape(permute(picked, back), [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)]);
};

const joining: Importer = (node) => {
  const values = node.inputs as readonly ImportedValue[];
  if (values.every(isInts)) {
    const ints = (values as readonly Ints[]).flatMap((value) => value.ints);
    return { ints, shape: [ints.length] };
  }
  return concatenate(
    values.map((_, i) => node.tensor(i)),
    node.int('axis', 0),
  );
};

const splitting: Importer = (node) => {
  const x = node.tensor(0);
  const axis = node.int('axis', 0) < 0 ? node.int('axis', 0) + x.rank : node.int('axis', 0);
  const count = node.proto.output?.length ?? 1;
  const parts = node.intsOf('split', 1) ?? new Array<number>(count).fill((x.shape[axis] as number) / count);
  let start = 0;
  return parts.map((size) => {
    const range: Range = [start, start + size];
    start += size;
    return slice(x, ...x.shape.map((_, i): Range => (i === axis ? range : null)));
  });
};

const casting: Importer = (node) => {
  const [x] = node.inputs as [ImportedValue];
  const to = node.int('to', DATA_TYPE.float);
  if (to === DATA_TYPE.int64) return isInts(x) ? x : cast(x, 'i32');
  if (to === DATA_TYPE.float || to === DATA_TYPE.bool) return isInts(x) ? node.tensor(0) : cast(x, 'f32');
  if (to === DATA_TYPE.int32) return isInts(x) ? tensor(Int32Array.from(x.ints), x.shape, 'i32') : cast(x, 'i32');
  return node.fail(`casts to element type ${to}, which is not supported`);
};

const resizing: Importer = (node) => {
  const x = node.tensor(0);
  const sizes = node.intsOf('sizes', 3)?.slice(2);
  const scales = node.inputs[2] instanceof Tensor ? [...node.tensor(2).view()].slice(2) : undefined;
  const size = (sizes?.length ? sizes : scales?.map((scale, i) => Math.floor(scale * (x.shape[2 + i] as number)))) as
    | [number, number]
    | undefined;
  const mode = node.text('mode', 'nearest') === 'linear' ? 'bilinear' : 'nearest';
  const coordinates = node.text('coordinate_transformation_mode', 'half_pixel');
  const known = mode === 'bilinear' ? ['half_pixel', 'pytorch_half_pixel', 'align_corners'] : ['asymmetric'];
  if (!size || !known.includes(coordinates))
    return node.fail(`resizes by "${coordinates}", which is not supported for ${mode}`);
  return resize(x, size, { mode, alignCorners: coordinates === 'align_corners' });
};

/** x ⊗ over the trailing axes from `axis` on, as one row each. */
const overTail =
  (fn: (x: Tensor, axis: number) => Tensor): Importer =>
  (node) =>
    fn(node.tensor(0), node.int('axis', -1));

const importers: Readonly<Record<string, Importer>> = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: pool('max'),
  AveragePool: pool('average'),
  GlobalAveragePool: (node) => {
    const x = node.tensor(0);
    return reshape(globalAveragePool(x), [...x.shape.slice(0, 2), 1, 1]);
  },
  Gemm: gemm,
  MatMul: (node) => matmul(node.tensor(0), node.tensor(1)),
  BatchNormalization: (node) => {
    const [x, gamma, beta, average, variance] = [0, 1, 2, 3, 4].map((i) => node.tensor(i)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    return batchNormInference(x, gamma, beta, average, variance, node.float('epsilon', 1e-5));
  },
  LayerNormalization: (node) => {
    const axis = node.int('axis', -1);
    if (axis !== -1 && axis !== node.tensor(0).rank - 1)
      node.fail('normalises over more than the last axis, which is not supported');
    return layerNorm(node.tensor(0), node.tensor(1), node.optional(2), node.float('epsilon', 1e-5));
  },
  InstanceNormalization: (node) =>
    groupNorm(
      node.tensor(0),
      node.tensor(0).shape[1] as number,
      node.tensor(1),
      node.tensor(2),
      node.float('epsilon', 1e-5),
    ),
  Relu: unary(relu),
  Sigmoid: unary(sigmoid),
  Tanh: unary(tanh),
  Erf: unary(erf),
  Exp: unary(exp),
  Log: unary(log),
  Sqrt: unary(sqrt),
  Reciprocal: unary(reciprocal),
  Abs: unary(abs),
  Neg: unary(negate),
  Sin: unary(sin),
  Cos: unary(cos),
  Sign: unary(sign),
  Floor: unary(floor),
  Softplus: unary(softplus),
  HardSwish: unary(hardSwish),
  HardSigmoid: (node) => {
    const [alpha, beta] = [node.float('alpha', 0.2), node.float('beta', 0.5)];
    const sixth = Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5;
    return sixth ? hardSigmoid(node.tensor(0)) : clip(add(multiply(node.tensor(0), alpha), beta), 0, 1);
  },
  Gelu: (node) =>
    node.text('approximate', 'none') === 'none'
      ? gelu(node.tensor(0))
      : node.fail('is approximate, which is not supported'),
  LeakyRelu: (node) => leakyRelu(node.tensor(0), node.float('alpha', 0.01)),
  Elu: (node) => elu(node.tensor(0), node.float('alpha', 1)),
  Clip: (node) => {
    const limit = (index: number, name: string, otherwise: number) =>
      node.optional(index)?.item() ?? node.float(name, otherwise);
    const [low, high] = [limit(1, 'min', -Infinity), limit(2, 'max', Infinity)];
    return low === 0 && high === 6 ? node.tensor(0).relu6() : clip(node.tensor(0), low, high);
  },
  Softmax: overTail(softmax),
  LogSoftmax: overTail(logSoftmax),
  Add: binary(add, (a, b) => a + b),
  Sub: binary(subtract, (a, b) => a - b),
  Mul: binary(multiply, (a, b) => a * b),
  Div: binary(divide, (a, b) => Math.trunc(a / b)),
  Pow: binary(power, (a, b) => a ** b),
  Max: variadic(maximum),
  Min: variadic(minimum),
  Equal: binary(equal, (a, b) => Number(a === b)),
  Less: binary(less, (a, b) => Number(a < b)),
  LessOrEqual: binary(lessEqual, (a, b) => Number(a <= b)),
  Greater: binary(greater, (a, b) => Number(a > b)),
  GreaterOrEqual: binary(greaterEqual, (a, b) => Number(a >= b)),
  Not: (node) => subtract(1, node.tensor(0)),
  Where: (node) => where(node.tensor(0), node.tensor(1), node.tensor(2)),
  ReduceMean: reduction(mean),
  ReduceSum: reduction(sum),
  ReduceMax: reduction(max),
  ReduceMin: reduction(min),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: (node) => extreme(node, argmax),
  ArgMin: (node) => extreme(node, argmin),
  Reshape: reshaping,
  Flatten: (node) => {
    const x = node.tensor(0);
    const rows = sizeOf(x.shape.slice(0, node.int('axis', 1)));
    return reshape(x, [rows, x.size / rows]);
  },
  Squeeze: squeezing,
  Unsqueeze: unsqueezing,
  Transpose: (node) =>
    permute(
      node.tensor(0),
      node.intsOf('perm') ?? node.tensor(0).shape.map((_, axis, shape) => shape.length - 1 - axis),
    ),
  Concat: joining,
  Split: splitting,
  Slice: slicing,
  Pad: (node) => {
    const widths = node.intsOf('pads', 1) ?? node.fail('lacks pads');
    if (node.text('mode', 'constant') !== 'constant')
      node.fail('pads with more than a constant, which is not supported');
    const rank = widths.length / 2;
    const pairs = Array.from(
      { length: rank },
      (_, axis) => [widths[axis] as number, widths[axis + rank] as number] as const,
    );
    return pad(node.tensor(0), pairs, node.optional(2)?.item() ?? 0);
  },
  Expand: (node) => {
    const x = node.tensor(0);
    const target = node.intsOf('shape', 1) ?? node.fail('lacks a shape');
    const rank = Math.max(target.length, x.rank);
    const at = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1;
    return broadcastTo(
      x,
      Array.from({ length: rank }, (_, axis) => Math.max(at(x.shape, axis), at(target, axis))),
    );
  },
  Gather: gathering,
  Resize: resizing,
  Cast: casting,
  Shape: (node) => ({
    ints: (node.inputs[0] as ImportedValue).shape,
    shape: [(node.inputs[0] as ImportedValue).shape.length],
  }),
  Identity: (node) => node.inputs[0] ?? node.fail('lacks its input'),
  Dropout: (node) => node.tensor(0),
  Constant: (node) => {
    const proto = node.tensorAttribute('value');
    if (proto) return valueOf(proto, node.label);
    const floats = node.floatAttributes('value_floats');
    if (floats) return tensor([...floats]);
    const ints = node.intsOf('value_ints');
    if (ints) return { ints, shape: [ints.length] };
    return node.fail('holds no value that is supported');
  },
  ConstantOfShape: (node) => {
    const shape = node.intsOf('shape', 0) ?? node.fail('lacks a shape');
    const value = node.tensorAttribute('value');
    const fill = value ? valueOf(value, node.label) : tensor([0]);
    if (isInts(fill)) return { ints: new Array<number>(sizeOf(shape)).fill(fill.ints[0] as number), shape };
    return broadcastTo(
      reshape(
        fill,
        shape.map(() => 1),
      ),
      shape,
    );
  },
};

function extreme(node: Node, fn: (x: Tensor, axis: number) => Tensor): Tensor {
  const x = node.tensor(0);
  const axis = node.int('axis', 0) < 0 ? node.int('axis', 0) + x.rank : node.int('axis', 0);
  const positions = fn(x, axis);
  return node.int('keepdims', 1)
    ? reshape(
        positions,
        x.shape.map((length, at) => (at === axis ? 1 : length)),
      )
    : positions;
}

/** Largest tensor that a file may declare: more does not fit the memory of a WebAssembly module. */
const MAXIMUM_ELEMENTS = 2 ** 30;

/** The value of an initializer. @throws Error naming the tensor when its data does not fill its shape. */
function valueOf(proto: TensorProto, label: string): ImportedValue {
  const shape = proto.dims ?? [];
  const size = sizeOf(shape);
  const type = proto.dataType;
  const fail = (reason: string): never => {
    throw new Error(`importOnnx: ${label}, a tensor [${shape.join(', ')}], ${reason}`);
  };
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0) || size > MAXIMUM_ELEMENTS)
    fail('has an impossible shape');
  const raw = proto.rawData && new Uint8Array(proto.rawData).buffer;
  const numbers = (
    kind: string,
    width: number,
    fromRaw: (data: ArrayBuffer) => ArrayLike<number>,
    listed: readonly number[] | undefined,
  ) => {
    if (raw && raw.byteLength !== size * width)
      fail(`holds ${raw.byteLength} bytes of ${kind}, expected ${size * width}`);
    const values = raw ? fromRaw(raw) : (listed ?? []);
    if (values.length !== size) fail(`holds ${values.length} values, expected ${size}`);
    return values;
  };
  switch (type) {
    case DATA_TYPE.float:
      return tensor(Float32Array.from(numbers('floats', 4, (data) => new Float32Array(data), proto.floatData)), shape);
    case DATA_TYPE.double:
      return tensor(Float32Array.from(numbers('doubles', 8, (data) => new Float64Array(data), undefined)), shape);
    case DATA_TYPE.int32:
      return tensor(
        Int32Array.from(numbers('32-bit integers', 4, (data) => new Int32Array(data), proto.int32Data)),
        shape,
        'i32',
      );
    case DATA_TYPE.int64: {
      const long = (data: ArrayBuffer) => Array.from(new BigInt64Array(data), Number);
      return { ints: Array.from(numbers('64-bit integers', 8, long, proto.int64Data)), shape };
    }
    case DATA_TYPE.bool:
      return tensor(Float32Array.from(numbers('booleans', 1, (data) => new Uint8Array(data), proto.int32Data)), shape);
    default:
      return fail(`has element type ${type}, which is not supported`);
  }
}

/** An imported model. Its `weights` are parameters under the names of the file. */
export class OnnxModel {
  readonly weights: Record<string, Tensor> = {};
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #ints: Record<string, Ints> = {};
  readonly #nodes: readonly NodeProto[];

  constructor(bytes: Uint8Array) {
    const { graph, opsetImport } = parse(bytes);
    const version = opsetImport?.find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 0;
    if (version < 11) throw new Error(`importOnnx: the model needs opset ${version}; 11 and later are supported`);
    for (const proto of graph?.initializer ?? []) {
      const value = valueOf(proto, proto.name ?? 'an initializer');
      if (isInts(value)) {
        this.#ints[proto.name ?? ''] = value;
      } else {
        value.role = value.dtype === 'f32' ? 'parameter' : 'buffer';
        this.weights[proto.name ?? ''] = keep(value);
      }
    }
    const initialized = new Set([...Object.keys(this.weights), ...Object.keys(this.#ints)]);
    this.inputNames = (graph?.input ?? []).flatMap(({ name }) => (name && !initialized.has(name) ? [name] : []));
    this.outputNames = (graph?.output ?? []).flatMap(({ name }) => name ?? []);
    this.#nodes = graph?.node ?? [];
    const unknown = [...new Set(this.#nodes.flatMap(({ opType }) => (importers[opType ?? ''] ? [] : [opType ?? '?'])))];
    if (unknown.length)
      throw new Error(`importOnnx: the model uses operations that are not supported: ${unknown.join(', ')}`);
    if (!this.outputNames.length) throw new Error('importOnnx: the model has no output');
  }

  /** Runs the model; inputs in the order of `inputNames`. */
  forward(...inputs: readonly Tensor[]): Tensor[] {
    if (inputs.length !== this.inputNames.length)
      throw new Error(
        `OnnxModel: expected ${this.inputNames.length} inputs (${this.inputNames.join(', ')}), got ${inputs.length}`,
      );
    const values = new Map<string, ImportedValue>([...Object.entries(this.weights), ...Object.entries(this.#ints)]);
    this.inputNames.forEach((name, i) => {
      values.set(name, inputs[i] as Tensor);
    });
    for (const proto of this.#nodes) {
      const node = new Node(
        proto,
        (proto.input ?? []).map((name) => (name === '' ? undefined : values.get(name))),
      );
      const results = (importers[proto.opType ?? ''] as Importer)(node);
      const list = Array.isArray(results) ? (results as readonly ImportedValue[]) : [results as ImportedValue];
      proto.output?.forEach((name, i) => {
        const result = list[i];
        if (result) values.set(name, result);
      });
    }
    return this.outputNames.map((name) => {
      const value = values.get(name);
      if (!value) throw new Error(`importOnnx: no node makes the output "${name}"`);
      return isInts(value) ? tensor(Int32Array.from(value.ints), value.shape, 'i32') : value;
    });
  }
}

function parse(bytes: Uint8Array) {
  try {
    return decodeModel(bytes);
  } catch (error) {
    throw new Error(`importOnnx: the file is no readable ONNX model (${(error as Error).message})`);
  }
}

/**
 * Reads an `.onnx` file (opset 11 and later).
 *
 * @throws Error naming the operations, tensors or attributes that are not supported.
 */
export function importOnnx(bytes: Uint8Array): OnnxModel {
  return new OnnxModel(bytes);
}
