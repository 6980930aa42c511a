// Views, copies and gathers.

import {
  broadcastOp,
  concatenateOp,
  gatherRowsOp,
  padOp,
  permuteOp,
  reshapeOp,
  rowsOp,
  sliceOp,
} from '../../../tensor/index.js';
import { type NodeWriter, outputShape, type WriterEntry, writes } from './writer.js';

/** Operators that take the shape of their result. */
const toOutputShape =
  (opType: 'Reshape' | 'Expand'): NodeWriter =>
  (writer, [x], node) =>
    writer.add(opType, [x as string, writer.ints(outputShape(node))]);

export const layoutWriters: readonly WriterEntry[] = [
  writes(reshapeOp, toOutputShape('Reshape')),
  writes(broadcastOp, toOutputShape('Expand')),
  writes(permuteOp, (writer, inputs, node) => writer.add('Transpose', inputs, { perm: node.attributes.order })),
  writes(concatenateOp, (writer, inputs, node) => writer.add('Concat', inputs, { axis: node.attributes.axis })),
  writes(rowsOp, (writer, [x], node) => {
    const { start, end } = node.attributes;
    return writer.slice(x as string, { starts: [start], ends: [end], axes: [0] });
  }),
  writes(sliceOp, (writer, [x], node) => {
    const { starts, sizes, steps } = node.attributes;
    const ends = starts.map((start, axis) => {
      const end = start + (sizes[axis] as number) * (steps[axis] as number);
      return end < 0 ? Number.MIN_SAFE_INTEGER : end;
    });
    return writer.slice(x as string, { starts, ends, axes: starts.map((_, axis) => axis) }, steps);
  }),
  writes(padOp, (writer, [x], node) => {
    const { before, after, value } = node.attributes;
    return writer.add('Pad', [x as string, writer.ints([...before, ...after]), writer.scalar(value)]);
  }),
  writes(gatherRowsOp, (writer, inputs) => writer.add('Gather', inputs, { axis: 0 })),
];
