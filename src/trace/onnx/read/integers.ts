// Arithmetic on integers: 64 bits exactly or not at all, 32 bits with the wrap-around of C.

import { broadcastShapes, broadcastTo, type Tensor, tensor } from '../../../tensor/index.js';
import type { NodeInputs } from './inputs.js';
import { type ImportedValue, type Ints, isInts, moved } from './value.js';

/** What an operation does to a pair of integers, and the kernel that does it on i32 tensors. */
export interface IntegerOperation {
  readonly exactly: (a: number, b: number) => number;
  readonly onTensors?: (a: Tensor, b: Tensor) => Tensor;
  /** Comparisons give booleans, and cannot overflow. */
  readonly comparison?: boolean;
}

function spread(value: ImportedValue, shape: readonly number[]): readonly number[] {
  return (moved(value, (x) => broadcastTo(x, shape)) as Ints).ints;
}

/** Applies an operation to all pairs of two broadcast operands. */
export function combineInts(operator: string, a: Ints, b: Ints, exactly: IntegerOperation['exactly']): Ints {
  const shape = broadcastShapes(`importOnnx: ${operator}`, a.shape, b.shape);
  const [left, right] = [spread(a, shape), spread(b, shape)];
  return { ints: left.map((value, i) => exactly(value, right[i] as number)), shape };
}

/** Two operands of integers. */
export function integers(
  inputs: NodeInputs,
  first: number,
  second: number,
  operation: IntegerOperation,
): ImportedValue {
  const { node } = inputs;
  const { exactly, onTensors, comparison = false } = operation;
  const [a, b] = [inputs.value(first), inputs.value(second)];
  const long = isInts(a) || isInts(b) || inputs.tracesLongs(first) || inputs.tracesLongs(second);
  const traced = inputs.isTraced(first) || inputs.isTraced(second);
  if (onTensors && (!long || (traced && comparison))) return onTensors(inputs.tensor(first), inputs.tensor(second));
  if (long && traced) node.fail('computes with 64-bit integers that change with the inputs: it cannot be traced');
  const result = combineInts(node.label, inputs.ints(first), inputs.ints(second), exactly);
  if (comparison) return tensor(Float32Array.from(result.ints), result.shape);
  if (long) return checked(inputs, result);
  return tensor(Int32Array.from(result.ints, wrapped), result.shape, 'i32');
}

/** A result in 64 bits. @throws Error naming the node where a double does not hold it exactly. */
export function checked({ node }: NodeInputs, result: Ints): Ints {
  const inexact = result.ints.find((value) => !Number.isSafeInteger(value));
  if (inexact !== undefined) node.fail(`computes the integer ${inexact}, which is not supported`);
  return result;
}

/** The low 32 bits of an integer. @throws Error where a double does not hold it exactly. */
function wrapped(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Error(`importOnnx: computes the integer ${value} in 32 bits`);
  return value | 0;
}
