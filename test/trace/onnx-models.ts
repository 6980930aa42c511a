// ONNX models written by hand, one node or a few.

import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  DATA_TYPE,
  encodeModel,
  type NodeProto,
  type TensorProto,
} from '../../src/trace/onnx/schema.js';

/** Values of attributes: integers, texts, or floats where marked. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number } | TensorProto>
>;

function attribute(name: string, value: Attributes[string]): AttributeProto {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) };
  if (Array.isArray(value)) return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPE.tensor, t: value as TensorProto };
}

/** A node. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes = {},
): NodeProto {
  const given = Object.entries(attributes).map(([name, value]) => attribute(name, value));
  return { opType, input: [...input], output: [...output], attribute: given };
}

/** An initializer of 64-bit integers. */
export function longs(name: string, values: readonly number[], dims: readonly number[] = [values.length]): TensorProto {
  return { name, dataType: DATA_TYPE.int64, dims: [...dims], int64Data: [...values] };
}

/** An initializer of floats. */
export function floats(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TensorProto {
  return { name, dataType: DATA_TYPE.float, dims: [...dims], floatData: [...values] };
}

/** An initializer of 32-bit integers. */
export function ints(name: string, values: readonly number[], dims: readonly number[] = [values.length]): TensorProto {
  return { name, dataType: DATA_TYPE.int32, dims: [...dims], int32Data: [...values] };
}

/** An input, of floats unless told otherwise. */
export interface Given {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type?: keyof typeof DATA_TYPE;
}

/** Parts of a model. */
export interface Parts {
  readonly nodes: readonly NodeProto[];
  readonly inputs?: readonly Given[];
  readonly initializers?: readonly TensorProto[];
  /** Names and element types. */
  readonly outputs?: Readonly<Record<string, keyof typeof DATA_TYPE>>;
  /** Opset, by default 17. */
  readonly version?: number;
}

/** A model file. */
export function modelFile({
  nodes,
  inputs = [],
  initializers = [],
  outputs = { y: 'float' },
  version = 17,
}: Parts): Uint8Array {
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: '', version }],
    graph: {
      name: 'test',
      node: [...nodes],
      initializer: [...initializers],
      input: inputs.map(({ name, shape, type = 'float' }) => ({
        name,
        type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
      })),
      output: Object.entries(outputs).map(([name, type]) => ({
        name,
        type: { tensorType: { elemType: DATA_TYPE[type] } },
      })),
    },
  });
}
