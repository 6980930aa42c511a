// Constants, and values in other types.

import { cast, full, notEqual, ones, scope, sizeOf, type Tensor, tensor } from '../../../tensor/index.js';
import { DATA_TYPE, type TensorProto } from '../schema.js';
import { valueOf } from './initializer.js';
import type { NodeInputs } from './inputs.js';
import { type NodeReader, type OnnxNode, type Operators, operator, type Run } from './node.js';
import { asInt32, type ImportedValue, isInts, longIntegers } from './value.js';

const casting: NodeReader = (node) => {
  const to = node.int('to', 0);
  const convert = conversions.get(to);
  if (node.version >= 19) node.unused('saturate', 'int');
  return convert ?? node.fail(`casts to element type ${to}, which is not supported`);
};

/** Floats of any value; those of 64-bit integers are rounded once. */
function toFloats(inputs: NodeInputs): Tensor {
  const x = inputs.value(0);
  if (!isInts(x)) return cast(x, 'f32');
  if (!x.ints.every(Number.isFinite)) inputs.node.fail('converts the end of the 64-bit range, which is not supported');
  return tensor(Float32Array.from(x.ints), x.shape);
}

function toBooleans(inputs: NodeInputs): Tensor {
  const x = inputs.value(0);
  if (isInts(x))
    return tensor(
      Float32Array.from(x.ints, (value) => Number(value !== 0)),
      x.shape,
    );
  return notEqual(cast(x, 'f32'), 0);
}

function toInt32(inputs: NodeInputs): Tensor {
  const x = inputs.value(0);
  if (isInts(x)) return asInt32(x, inputs.node.label);
  if (inputs.tracesLongs(0))
    inputs.node.fail('narrows 64-bit integers that change with the inputs: it cannot be traced');
  return cast(x, 'i32');
}

function toInt64(inputs: NodeInputs): ImportedValue {
  const x = inputs.value(0);
  if (isInts(x)) return x;
  if (x.dtype === 'i32') return inputs.long(x);
  const ints = inputs.readFloats(0).map(Math.trunc);
  if (!ints.every(Number.isSafeInteger)) inputs.node.fail('converts a float that is no 64-bit integer');
  return { ints, shape: x.shape };
}

const conversions: ReadonlyMap<number, Run> = new Map<number, Run>([
  [DATA_TYPE.float, toFloats],
  [DATA_TYPE.double, toFloats],
  [DATA_TYPE.bool, toBooleans],
  [DATA_TYPE.int32, toInt32],
  [DATA_TYPE.int64, toInt64],
]);

/** The one attribute that holds the value. */
const constant: NodeReader = (node) => {
  const proto = node.tensorAttribute('value');
  if (proto) {
    scope(() => void valueOf(proto, node.label));
    return () => valueOf(proto, node.label);
  }
  const [float, floats] = [node.optionalFloat('value_float'), node.floats('value_floats')];
  if (float !== undefined) return () => tensor(float);
  if (floats) return () => tensor([...floats]);
  const [int, ints] = [node.optionalInt('value_int'), node.ints('value_ints')];
  if (int !== undefined) return () => ({ ints: longIntegers([int], node.label), shape: [] });
  if (ints) return () => ({ ints: longIntegers(ints, node.label), shape: [ints.length] });
  return node.fail('holds no value that is supported');
};

/** The one element of a tensor, and what it is stored as. */
function elementOf(proto: TensorProto, node: OnnxNode): { readonly element: number; readonly dtype?: 'f32' | 'i32' } {
  return scope(() => {
    const value = valueOf(proto, node.label);
    const size = sizeOf(value.shape);
    if (size !== 1) node.fail(`repeats ${size} values, expected one`);
    if (isInts(value)) return { element: value.ints[0] as number };
    return { element: value.item(), dtype: value.dtype === 'i32' ? 'i32' : 'f32' };
  });
}

const repeated: NodeReader = (node) => {
  const proto = node.tensorAttribute('value');
  const { element, dtype } = proto ? elementOf(proto, node) : { element: 0, dtype: 'f32' as const };
  return (inputs) => {
    const shape = inputs.lengths(0);
    return dtype ? full(shape, element, dtype) : { ints: new Array<number>(sizeOf(shape)).fill(element), shape };
  };
};

/** Inference: the input, and a mask of ones. */
const dropout: NodeReader = (node) => {
  if (node.version < 12) node.unused('ratio', 'float');
  else node.unused('seed', 'int');
  return (inputs) => {
    if (inputs.scalar(2)) node.fail('is in training mode, which is not supported');
    const x = inputs.floats(0);
    return node.outputCount > 1 ? [x, ones(x.shape)] : x;
  };
};

export const constantReaders: Operators = {
  Cast: operator(1, 1, casting),
  Identity: operator(1, 1, () => (inputs) => inputs.value(0)),
  Dropout: operator(1, 3, dropout, 2),
  Constant: operator(0, 0, constant),
  ConstantOfShape: operator(1, 1, repeated),
};
