// Operators that take, join, cut or surround elements.

import {
  concatenate,
  gatherRows,
  pad,
  permute,
  type Range,
  reshape,
  slice,
  type Tensor,
  tensor,
} from '../../../tensor/index.js';
import { type ImportedValue, type Ints, isInts, type NodeReader, type NodeReaders } from './node.js';

const slicing: NodeReader = (node) => {
  const x = node.inputs[0] as ImportedValue;
  const starts = node.intsOf('starts', 1) ?? node.fail('lacks starts');
  const ends = node.intsOf('ends', 2) ?? node.fail('lacks ends');
  const axes = node.intsOf('axes', 3) ?? starts.map((_, axis) => axis);
  const steps = node.intsOf('steps', 4) ?? starts.map(() => 1);
  const ranges = x.shape.map((): Range => null);
  axes.forEach((axis, i) => {
    const at = axis < 0 ? axis + x.shape.length : axis;
    const length = x.shape[at] as number;
    const limited = (value: number) => Math.max(-length - 1, Math.min(length, value));
    ranges[at] = [limited(starts[i] as number), limited(ends[i] as number), steps[i] as number];
  });
  if (!isInts(x)) return slice(x, ...ranges);
  const chosen = slice(
    tensor(Int32Array.from(x.ints), [x.ints.length], 'i32'),
    ranges[0] as Range,
  ).dataSync<Int32Array>();
  return { ints: [...chosen], shape: [chosen.length] };
};

const gathering: NodeReader = (node) => {
  const [x, indices] = node.inputs as [ImportedValue, ImportedValue];
  const wanted = isInts(indices) ? [...indices.ints] : [...indices.view()];
  if (isInts(x)) {
    const chosen = wanted.map((index) => x.ints[index < 0 ? index + x.ints.length : index] as number);
    return { ints: chosen, shape: indices.shape };
  }
  const at = node.axis(x.rank);
  const length = x.shape[at] as number;
  const known = isInts(indices) || wanted.some((index) => index < 0);
  const rows = known
    ? tensor(
        Int32Array.from(wanted, (index) => (index < 0 ? index + length : index)),
        indices.shape,
        'i32',
      )
    : (indices as Tensor);
  if (at === 0) return gatherRows(x, rows);
  const order = [at, ...x.shape.map((_, i) => i).filter((i) => i !== at)];
  const picked = gatherRows(permute(x, order), reshape(rows, [-1]));
  const back = x.shape.map((_, i) => (i < at ? i + 1 : i === at ? 0 : i));
  return reshape(permute(picked, back), [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)]);
};

const joining: NodeReader = (node) => {
  const values = node.inputs as readonly ImportedValue[];
  if (values.every(isInts)) {
    const ints = (values as readonly Ints[]).flatMap((value) => value.ints);
    return { ints, shape: [ints.length] };
  }
  return concatenate(
    values.map((_, i) => node.tensor(i)),
    node.int('axis', 0),
  );
};

const splitting: NodeReader = (node) => {
  const x = node.tensor(0);
  const axis = node.axis(x.rank);
  const count = node.proto.output?.length ?? 1;
  const parts = node.intsOf('split', 1) ?? new Array<number>(count).fill((x.shape[axis] as number) / count);
  let start = 0;
  return parts.map((size) => {
    const range: Range = [start, start + size];
    start += size;
    return slice(x, ...x.shape.map((_, i): Range => (i === axis ? range : null)));
  });
};

export const selectionReaders: NodeReaders = {
  Slice: slicing,
  Gather: gathering,
  Concat: joining,
  Split: splitting,
  Pad: (node) => {
    const widths = node.intsOf('pads', 1) ?? node.fail('lacks pads');
    if (node.text('mode', 'constant') !== 'constant')
      node.fail('pads with more than a constant, which is not supported');
    const rank = widths.length / 2;
    const pairs = Array.from(
      { length: rank },
      (_, axis) => [widths[axis] as number, widths[axis + rank] as number] as const,
    );
    return pad(node.tensor(0), pairs, node.optional(2)?.item() ?? 0);
  },
};
