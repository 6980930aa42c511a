// Reductions.

import { argmaxOp, logSumExpOp, maxOp, minOp, sizeOf, squaredDistancesOp, sumOp } from '../../../tensor/index.js';
import { DATA_TYPE } from '../schema.js';
import { inputShape, type NodeWriter, type WriterEntry, writes } from './writer.js';

interface ReductionAttributes {
  readonly axes: readonly number[];
  readonly divisor: number;
}

const extreme =
  (opType: 'ReduceMax' | 'ReduceMin'): NodeWriter<ReductionAttributes> =>
  (writer, inputs, node) =>
    writer.add(opType, inputs, { axes: node.attributes.axes, keepdims: 1 });

const sum: NodeWriter<ReductionAttributes> = (writer, [x], node) => {
  const { axes, divisor } = node.attributes;
  const count = sizeOf(axes.map((axis) => inputShape(node, 0)[axis] as number));
  if (divisor === count && count > 1) return writer.add('ReduceMean', [x as string], { axes, keepdims: 1 });
  const total = writer.add('ReduceSum', [x as string, writer.ints(axes)], { keepdims: 1 });
  return divisor === 1 ? total : writer.add('Div', [total, writer.scalar(divisor)]);
};

/** Σ (x[m, 1, d] − y[1, n, d])² over d. */
const squaredDistances: NodeWriter = (writer, [x, y]) => {
  const unsqueezed = (value: string, axis: number) => writer.add('Unsqueeze', [value, writer.ints([axis])]);
  const difference = writer.add('Sub', [unsqueezed(x as string, 1), unsqueezed(y as string, 0)]);
  const squares = writer.add('Mul', [difference, difference]);
  return writer.add('ReduceSum', [squares, writer.ints([2])], { keepdims: 0 });
};

export const reductionWriters: readonly WriterEntry[] = [
  writes(sumOp, sum),
  writes(squaredDistancesOp, squaredDistances),
  writes(maxOp, extreme('ReduceMax')),
  writes(minOp, extreme('ReduceMin')),
  writes(logSumExpOp, (writer, inputs) => writer.add('ReduceLogSumExp', inputs, { axes: [-1], keepdims: 1 })),
  writes(argmaxOp, (writer, inputs, node) => {
    const { axis, sign } = node.attributes;
    const positions = writer.add(sign === 1 ? 'ArgMax' : 'ArgMin', inputs, { axis, keepdims: 0 });
    return writer.add('Cast', [positions], { to: DATA_TYPE.int32 });
  }),
];
