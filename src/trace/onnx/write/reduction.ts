// Reductions.

import { argmaxOp, logSumExpOp, maxOp, minOp, sizeOf, sumOp } from '../../../tensor/index.js';
import { DATA_TYPE } from '../schema.js';
import { inputShape, type NodeWriter, type WriterEntry, writes } from './writer.js';

interface ReductionAttributes {
  readonly axes: readonly number[];
  readonly scale: number;
}

const extreme =
  (opType: 'ReduceMax' | 'ReduceMin'): NodeWriter<ReductionAttributes> =>
  (writer, inputs, node) =>
    writer.add(opType, inputs, { axes: node.attributes.axes, keepdims: 1 });

const sum: NodeWriter<ReductionAttributes> = (writer, [x], node) => {
  const { axes, scale } = node.attributes;
  const count = sizeOf(axes.map((axis) => inputShape(node, 0)[axis] as number));
  if (scale === 1 / count && count > 1) return writer.add('ReduceMean', [x as string], { axes, keepdims: 1 });
  const total = writer.add('ReduceSum', [x as string, writer.ints(axes)], { keepdims: 1 });
  return scale === 1 ? total : writer.add('Mul', [total, writer.scalar(scale)]);
};

export const reductionWriters: readonly WriterEntry[] = [
  writes(sumOp, sum),
  writes(maxOp, extreme('ReduceMax')),
  writes(minOp, extreme('ReduceMin')),
  writes(logSumExpOp, (writer, inputs) => writer.add('ReduceLogSumExp', inputs, { axes: [-1], keepdims: 1 })),
  writes(argmaxOp, (writer, inputs, node) => {
    const { axis, sign } = node.attributes;
    const positions = writer.add(sign === 1 ? 'ArgMax' : 'ArgMin', inputs, { axis, keepdims: 0 });
    return writer.add('Cast', [positions], { to: DATA_TYPE.int32 });
  }),
];
