// Operators on shapes, of tensors and of lists of integers.

import { broadcastTo, permute, reshape, sizeOf } from '../../../tensor/index.js';
import { type ImportedValue, isInts, type NodeReader, type NodeReaders } from './node.js';

const reshaping: NodeReader = (node) => {
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

const squeezing: NodeReader = (node) => {
  const x = node.inputs[0] as ImportedValue;
  const axes = node.intsOf('axes', 1)?.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  return withShape(
    x,
    x.shape.filter((length, axis) => !(axes ? axes.includes(axis) : length === 1)),
  );
};

const unsqueezing: NodeReader = (node) => {
  const x = node.inputs[0] as ImportedValue;
  const given = node.intsOf('axes', 1) ?? node.fail('lacks axes');
  const rank = x.shape.length + given.length;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  const shape = [...x.shape];
  for (const axis of [...axes].sort((a, b) => a - b)) shape.splice(axis, 0, 1);
  return withShape(x, shape);
};

export const shapeReaders: NodeReaders = {
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
  Shape: (node) => ({
    ints: (node.inputs[0] as ImportedValue).shape,
    shape: [(node.inputs[0] as ImportedValue).shape.length],
  }),
};
