// Operators on shapes, of tensors and of lists of integers.

import { broadcastShapes, broadcastTo, permute, reshape, sizeOf } from '../../../tensor/index.js';
import type { NodeInputs } from './inputs.js';
import { type OnnxNode, type Operators, operator } from './node.js';
import { type ImportedValue, moved } from './value.js';

/** The elements in another shape; one length may be −1, to be inferred. */
function reshaped(value: ImportedValue, shape: readonly number[]): ImportedValue {
  return moved(value, (x) => reshape(x, shape));
}

const reshaping = operator(2, 2, (node) => {
  const zeroIsLength = node.version >= 14 && node.flag('allowzero');
  return (inputs) => {
    const x = inputs.value(0);
    const target = inputs.listed(1);
    if (zeroIsLength && target.includes(0) && target.includes(-1))
      node.fail('infers a length beside one of 0, which is not defined');
    const shape = target.map((length, axis) => {
      if (length !== 0 || zeroIsLength) return length;
      return x.shape[axis] ?? node.fail(`keeps the length of axis ${axis}, which rank ${x.shape.length} does not have`);
    });
    return reshaped(x, shape);
  };
});

const flattening = operator(1, 1, (node) => {
  const axis = node.int('axis', 1);
  return (inputs) => {
    const x = inputs.value(0);
    const rank = x.shape.length;
    const at = axis === rank ? rank : node.resolveAxis(axis, rank);
    return reshaped(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
  };
});

const squeezing = operator(1, 2, (node) => {
  const axesOf = node.intsSince(13, 'axes', 1);
  return (inputs) => {
    const x = inputs.value(0);
    const given = axesOf(inputs);
    const axes = given && node.resolveAxes(given, x.shape.length);
    for (const axis of axes ?? [])
      if (x.shape[axis] !== 1) node.fail(`drops axis ${axis} of [${x.shape.join(', ')}], which is not 1`);
    return reshaped(
      x,
      x.shape.filter((length, axis) => !(axes ? axes.includes(axis) : length === 1)),
    );
  };
});

const unsqueezing = operator(1, 2, (node) => {
  const axesOf = node.intsSince(13, 'axes', 1);
  return (inputs) => {
    const x = inputs.value(0);
    const given = axesOf(inputs) ?? node.fail('lacks axes');
    const axes = node.resolveAxes(given, x.shape.length + given.length);
    const shape = [...x.shape];
    for (const axis of [...axes].sort((a, b) => a - b)) shape.splice(axis, 0, 1);
    return reshaped(x, shape);
  };
});

/** The lengths of the axes [start, end) of the input. */
function shapeReader(node: OnnxNode): (inputs: NodeInputs) => ImportedValue {
  const [start, end] = node.version >= 15 ? [node.int('start', 0), node.optionalInt('end')] : [0, undefined];
  return (inputs) => {
    const { shape } = inputs.value(0);
    const rank = shape.length;
    const limited = (axis: number) => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank);
    const ints = shape.slice(limited(start), limited(end ?? rank));
    return { ints, shape: [ints.length] };
  };
}

export const shapeReaders: Operators = {
  Reshape: reshaping,
  Flatten: flattening,
  Squeeze: squeezing,
  Unsqueeze: unsqueezing,
  Transpose: operator(1, 1, (node) => {
    const order = node.ints('perm');
    return (inputs) => {
      const x = inputs.value(0);
      const reversed = x.shape.map((_, axis) => x.shape.length - 1 - axis);
      return moved(x, (values) => permute(values, order ?? reversed));
    };
  }),
  Expand: operator(2, 2, (node) => (inputs) => {
    const x = inputs.value(0);
    const shape = broadcastShapes(`importOnnx: ${node.label}`, x.shape, inputs.lengths(1));
    node.requireRoom(shape);
    return moved(x, (values) => broadcastTo(values, shape));
  }),
  Shape: operator(1, 1, shapeReader),
  Size: operator(1, 1, () => (inputs) => ({ ints: [sizeOf(inputs.value(0).shape)], shape: [] })),
};
