// The part of ONNX's protocol-buffer schema that models use: messages as plain objects, encoded and
// decoded by tables of their fields.

import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

type Scalar = 'int64' | 'int32' | 'float' | 'double' | 'string' | 'bytes';

interface Field {
  readonly number: number;
  readonly type: Scalar | MessageName;
  readonly repeated?: boolean;
}

export interface TensorProto {
  dims?: number[];
  dataType?: number;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: number[];
  name?: string;
  rawData?: Uint8Array;
  doubleData?: number[];
  /** Parts of a message whose contents do not matter, as they are refused. */
  segment?: Uint8Array;
  externalData?: Uint8Array[];
  /** 1 where the data lies in another file. */
  dataLocation?: number;
}

export interface AttributeProto {
  name?: string;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  floats?: number[];
  ints?: number[];
  type?: number;
  /** The attribute of a function that gives the value. */
  refAttrName?: string;
}

export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: AttributeProto[];
  domain?: string;
}

export interface ValueInfoProto {
  name?: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim?: { dimValue?: number; dimParam?: string }[] } } };
}

export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  sparseInitializer?: Uint8Array[];
  quantizationAnnotation?: Uint8Array[];
}

export interface ModelProto {
  irVersion?: number;
  producerName?: string;
  graph?: GraphProto;
  opsetImport?: { domain?: string; version?: number }[];
  trainingInfo?: Uint8Array[];
  functions?: Uint8Array[];
}

const many = (number: number, type: Field['type']): Field => ({ number, type, repeated: true });
const one = (number: number, type: Field['type']): Field => ({ number, type });

const messages = {
  model: {
    irVersion: one(1, 'int64'),
    producerName: one(2, 'string'),
    graph: one(7, 'graph'),
    opsetImport: many(8, 'opset'),
    trainingInfo: many(20, 'bytes'),
    functions: many(25, 'bytes'),
  },
  opset: { domain: one(1, 'string'), version: one(2, 'int64') },
  graph: {
    node: many(1, 'node'),
    name: one(2, 'string'),
    initializer: many(5, 'tensor'),
    input: many(11, 'valueInfo'),
    output: many(12, 'valueInfo'),
    quantizationAnnotation: many(14, 'bytes'),
    sparseInitializer: many(15, 'bytes'),
  },
  node: {
    input: many(1, 'string'),
    output: many(2, 'string'),
    name: one(3, 'string'),
    opType: one(4, 'string'),
    attribute: many(5, 'attribute'),
    domain: one(7, 'string'),
  },
  attribute: {
    name: one(1, 'string'),
    f: one(2, 'float'),
    i: one(3, 'int64'),
    s: one(4, 'bytes'),
    t: one(5, 'tensor'),
    floats: many(7, 'float'),
    ints: many(8, 'int64'),
    type: one(20, 'int32'),
    refAttrName: one(21, 'string'),
  },
  tensor: {
    dims: many(1, 'int64'),
    dataType: one(2, 'int32'),
    floatData: many(4, 'float'),
    int32Data: many(5, 'int32'),
    int64Data: many(7, 'int64'),
    name: one(8, 'string'),
    rawData: one(9, 'bytes'),
    segment: one(3, 'bytes'),
    doubleData: many(10, 'double'),
    externalData: many(13, 'bytes'),
    dataLocation: one(14, 'int32'),
  },
  valueInfo: { name: one(1, 'string'), type: one(2, 'type') },
  type: { tensorType: one(1, 'tensorType') },
  tensorType: { elemType: one(1, 'int32'), shape: one(2, 'shape') },
  shape: { dim: many(1, 'dimension') },
  dimension: { dimValue: one(1, 'int64'), dimParam: one(2, 'string') },
} as const satisfies Record<string, Record<string, { number: number; type: string; repeated?: boolean }>>;

type MessageName =
  | 'model'
  | 'opset'
  | 'graph'
  | 'node'
  | 'attribute'
  | 'tensor'
  | 'valueInfo'
  | 'type'
  | 'tensorType'
  | 'shape'
  | 'dimension';

type Message = Record<string, unknown>;

const wireTypes: Readonly<Record<Scalar, WireType>> = {
  int64: WireType.Varint,
  int32: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
};

function isScalar(type: string): type is Scalar {
  return type in wireTypes;
}

function readScalar(reader: BinaryReader, type: Scalar): unknown {
  switch (type) {
    case 'int64':
      return Number(reader.int64());
    case 'int32':
      return reader.int32();
    case 'float':
      return reader.float();
    case 'double':
      return reader.double();
    case 'string':
      return reader.string();
    default:
      return reader.bytes();
  }
}

/**
 * Deepest nesting of messages that is read; no model comes near, and the stack is safe from
 * malicious files.
 */
const MAXIMUM_DEPTH = 32;

function decode(name: MessageName, bytes: Uint8Array, depth = 0): Message {
  if (depth > MAXIMUM_DEPTH) throw new Error('messages are nested too deeply');
  const fields = new Map<number, [string, Field]>(
    Object.entries(messages[name] as Record<string, Field>).map(([key, field]) => [field.number, [key, field]]),
  );
  const reader = new BinaryReader(bytes);
  const message: Message = {};
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const [key, field] = fields.get(number) ?? [];
    if (!key || !field) {
      reader.skip(wire, number);
      continue;
    }
    const { type, repeated } = field;
    const values: unknown[] = [];
    if (!isScalar(type)) {
      values.push(decode(type, reader.bytes(), depth + 1));
    } else if (wire === WireType.LengthDelimited && wireTypes[type] !== wire) {
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) values.push(readScalar(packed, type));
    } else {
      if (wire !== wireTypes[type]) throw new Error(`field ${key} has the wrong wire type`);
      values.push(readScalar(reader, type));
    }
    if (!repeated) message[key] = values.at(-1);
    else if (message[key]) for (const value of values) (message[key] as unknown[]).push(value);
    else message[key] = values;
  }
  return message;
}

function encode(name: MessageName, message: Message): Uint8Array {
  const writer = new BinaryWriter();
  for (const [key, field] of Object.entries(messages[name] as Record<string, Field>)) {
    const value = message[key];
    if (value === undefined) continue;
    const { type } = field;
    for (const element of field.repeated ? (value as unknown[]) : [value]) {
      if (!isScalar(type)) {
        writer.tag(field.number, WireType.LengthDelimited).bytes(encode(type, element as Message));
        continue;
      }
      writer.tag(field.number, wireTypes[type]);
      if (type === 'int64') writer.int64(element as number);
      else if (type === 'int32') writer.int32(element as number);
      else if (type === 'float') writer.float(element as number);
      else if (type === 'double') writer.double(element as number);
      else if (type === 'string') writer.string(element as string);
      else writer.bytes(element as Uint8Array);
    }
  }
  return writer.finish();
}

/** Decodes a model file. @throws Error when it is no protocol buffer of a model. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return decode('model', bytes) as ModelProto;
}

/** Encodes a model file. */
export function encodeModel(model: ModelProto): Uint8Array {
  return encode('model', model as Message);
}

/** ONNX's numbers for element types, and for kinds of attributes. */
export const DATA_TYPE = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, double: 11 } as const;
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const;
