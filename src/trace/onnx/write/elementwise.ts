// Elementwise operations that take more than one ONNX operator, or attributes.

import {
  affineOp,
  castOp,
  divideByOp,
  eluOp,
  equalOp,
  leakyReluOp,
  lessEqualOp,
  lessOp,
  notEqualOp,
  positiveMaskOp,
  rsqrtOp,
  signsOp,
  squareOp,
} from '../../../tensor/index.js';
import { DATA_TYPE } from '../schema.js';
import { type NodeWriter, type WriterEntry, writes } from './writer.js';

/** Comparisons are booleans in ONNX, and 0 or 1 here. */
const comparison =
  (opType: string, negated = false): NodeWriter =>
  (writer, inputs) => {
    const truth = writer.add(opType, inputs);
    return writer.add('Cast', [negated ? writer.add('Not', [truth]) : truth], { to: DATA_TYPE.float });
  };

const affine: NodeWriter<{ readonly scale: number; readonly shift: number }> = (writer, [x], node) => {
  const { scale, shift } = node.attributes;
  const scaled = scale === 1 ? (x as string) : writer.add('Mul', [x as string, writer.scalar(scale)]);
  return shift === 0 && scale !== 1 ? scaled : writer.add('Add', [scaled, writer.scalar(shift)]);
};

/** One of two values by x < 0. */
const signs: NodeWriter<{ readonly low: number; readonly high: number }> = (writer, [x], node) => {
  const { low, high } = node.attributes;
  return writer.add('Where', [
    writer.add('Less', [x as string, writer.scalar(0)]),
    ...[low, high].map((value) => writer.scalar(value)),
  ]);
};

export const elementwiseWriters: readonly WriterEntry[] = [
  writes(affineOp, affine),
  writes(signsOp, signs),
  writes(divideByOp, (writer, [x], node) => writer.add('Div', [x as string, writer.scalar(node.attributes.divisor)])),
  writes(squareOp, (writer, [x]) => writer.add('Mul', [x as string, x as string])),
  writes(rsqrtOp, (writer, inputs) => writer.add('Reciprocal', [writer.add('Sqrt', inputs)])),
  writes(leakyReluOp, (writer, inputs, node) => writer.add('LeakyRelu', inputs, { alpha: node.attributes.parameter })),
  writes(eluOp, (writer, inputs, node) => writer.add('Elu', inputs, { alpha: node.attributes.parameter })),
  writes(castOp, (writer, inputs, node) =>
    writer.add('Cast', inputs, { to: node.attributes.dtype === 'f32' ? DATA_TYPE.float : DATA_TYPE.int32 }),
  ),
  writes(equalOp, comparison('Equal')),
  writes(notEqualOp, comparison('Equal', true)),
  writes(lessOp, comparison('Less')),
  writes(lessEqualOp, comparison('LessOrEqual')),
  writes(positiveMaskOp, (writer, [a, b]) => {
    const positive = writer.add('Greater', [b as string, writer.scalar(0)]);
    return writer.add('Where', [positive, a as string, writer.scalar(0)]);
  }),
];
