// Tensors as ONNX files store them.

import { sizeOf, tensor } from '../../../tensor/index.js';
import { DATA_TYPE, type TensorProto } from '../schema.js';
import { type ImportedValue, longIntegers, MOST_ELEMENTS } from './value.js';

/**
 * The value of an initializer.
 *
 * @throws Error naming the tensor when its data does not fill its shape.
 */
export function valueOf(proto: TensorProto, label: string): ImportedValue {
  const shape = proto.dims ?? [];
  const size = sizeOf(shape);
  const type = proto.dataType;
  const fail = (reason: string): never => {
    throw new Error(`importOnnx: ${label}, a tensor [${shape.join(', ')}], ${reason}`);
  };
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0) || size > MOST_ELEMENTS)
    fail('has an impossible shape');
  if (proto.dataLocation || proto.externalData) fail('lies in another file, which is not supported');
  if (proto.segment) fail('is stored in segments, which is not supported');
  const raw = proto.rawData && new Uint8Array(proto.rawData).buffer;
  const numbers = (
    kind: string,
    width: number,
    fromRaw: (data: ArrayBuffer) => ArrayLike<number>,
    listed: readonly number[] | undefined,
  ) => {
    if (raw && listed) fail('holds its data twice');
    if (raw && raw.byteLength !== size * width)
      fail(`holds ${raw.byteLength} bytes of ${kind}, expected ${size * width}`);
    const values = raw ? fromRaw(raw) : (listed ?? []);
    if (values.length !== size) fail(`holds ${values.length} values, expected ${size}`);
    return values;
  };
  switch (type) {
    case DATA_TYPE.float:
      return tensor(Float32Array.from(numbers('floats', 4, (data) => new Float32Array(data), proto.floatData)), shape);
    case DATA_TYPE.double: {
      const doubles = numbers('doubles', 8, (data) => new Float64Array(data), proto.doubleData);
      const floats = Float32Array.from(doubles);
      if (floats.some((value, i) => Number.isFinite(doubles[i]) && !Number.isFinite(value)))
        fail('holds doubles that are too large for floats');
      return tensor(floats, shape);
    }
    case DATA_TYPE.int32:
      return tensor(
        Int32Array.from(numbers('32-bit integers', 4, (data) => new Int32Array(data), proto.int32Data)),
        shape,
        'i32',
      );
    case DATA_TYPE.int64: {
      const long = (data: ArrayBuffer) => Array.from(new BigInt64Array(data), Number);
      const ints = longIntegers(numbers('64-bit integers', 8, long, proto.int64Data), label);
      return { ints, shape };
    }
    case DATA_TYPE.bool: {
      const bytes = numbers('booleans', 1, (data) => new Uint8Array(data), proto.int32Data);
      return tensor(
        Float32Array.from(bytes, (value) => Number(value !== 0)),
        shape,
      );
    }
    default:
      return fail(`has element type ${type ?? 0}, which is not supported`);
  }
}
