// Operators that take, join, cut or surround elements.

import {
  arange,
  concatenate,
  gatherRows,
  pad,
  permute,
  positiveMask,
  type Range,
  reshape,
  sizeOf,
  slice,
  type Tensor,
  tensor,
  topK,
} from '../../../tensor/index.js';
import type { NodeInputs } from './inputs.js';
import { type OnnxNode, type Operators, operator } from './node.js';
import { type ImportedValue, type Ints, isInts, moved } from './value.js';

/** A range along an axis, with the ends limited as ONNX limits them. */
function rangeOf(length: number, start: number, end: number, step: number): Range {
  const [lowest, highest] = step > 0 ? [0, length] : [-1, length - 1];
  const limited = (value: number) => Math.min(Math.max(value < 0 ? value + length : value, lowest), highest);
  const [from, to] = [Math.max(limited(start), 0), limited(end)];
  return [from, to === -1 ? -length - 1 : to, step];
}

const slicing = operator(3, 5, (node) => (inputs) => {
  const x = inputs.value(0);
  const [starts, ends] = [inputs.listed(1), inputs.listed(2)];
  const axes = node.resolveAxes(inputs.optionalInts(3) ?? starts.map((_, axis) => axis), x.shape.length);
  const steps = inputs.optionalInts(4) ?? starts.map(() => 1);
  if (![ends, axes, steps].every(({ length }) => length === starts.length))
    node.fail('has starts, ends, axes and steps of different lengths');
  if (steps.some((step) => !Number.isSafeInteger(step) || step === 0)) node.fail(`has steps ${steps.join(', ')}`);
  const ranges = x.shape.map((): Range => null);
  axes.forEach((axis, i) => {
    ranges[axis] = rangeOf(x.shape[axis] as number, starts[i] as number, ends[i] as number, steps[i] as number);
  });
  return moved(x, (values) => slice(values, ...ranges));
});

/** Rows of an axis. `indices` have any shape, which takes the axis' place. */
function gatherAlong(x: Tensor, axis: number, indices: Tensor): Tensor {
  if (axis === 0) return gatherRows(x, indices);
  const order = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
  const picked = gatherRows(permute(x, order), reshape(indices, [-1]));
  const back = x.shape.map((_, i) => (i < axis ? i + 1 : i === axis ? 0 : i));
  return reshape(permute(picked, back), [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]);
}

const gathering = operator(2, 2, (node) => {
  const given = node.int('axis', 0);
  return (inputs) => {
    const x = inputs.value(0);
    const axis = node.resolveAxis(given, x.shape.length);
    if (inputs.isTraced(1)) return moved(x, (values) => gatherAlong(values, axis, inputs.tensor(1)));
    const { ints, shape } = inputs.ints(1);
    const rows = tensor(Int32Array.from(indicesFromFirst(node, ints, x.shape[axis] as number)), shape, 'i32');
    return moved(x, (values) => gatherAlong(values, axis, rows));
  };
});

/** Indices counted from the first. @throws Error naming the one that is out of range. */
function indicesFromFirst(node: OnnxNode, indices: readonly number[], length: number): number[] {
  return indices.map((index) => {
    if (index < -length || index >= length) node.fail(`takes index ${index} of ${length}`);
    return index < 0 ? index + length : index;
  });
}

/** Single elements along an axis. Indices have the rank of x and at most its lengths elsewhere. */
const picking = operator(2, 2, (node) => {
  const given = node.int('axis', 0);
  return (inputs) => {
    const x = inputs.value(0);
    const axis = node.resolveAxis(given, x.shape.length);
    const { ints, shape } = inputs.ints(1);
    if (shape.length !== x.shape.length || shape.some((length, at) => at !== axis && length > (x.shape[at] as number)))
      node.fail(`has indices [${shape.join(', ')}] for [${x.shape.join(', ')}]`);
    const rows = indicesFromFirst(node, ints, x.shape[axis] as number);
    const places = rows.map((row, i) => {
      let [rest, place, stride] = [i, 0, 1];
      for (let at = shape.length - 1; at >= 0; at--) {
        const length = shape[at] as number;
        place += stride * (at === axis ? row : rest % length);
        rest = Math.floor(rest / length);
        stride *= x.shape[at] as number;
      }
      return place;
    });
    const index = tensor(Int32Array.from(places), shape, 'i32');
    return moved(x, (values) => gatherRows(reshape(values, [-1]), index));
  };
});

const joining = operator(1, Number.POSITIVE_INFINITY, (node) => {
  const axis = node.optionalInt('axis') ?? node.fail('lacks the attribute "axis"');
  return (inputs) => {
    const values = inputs.edges.map((_, i) => inputs.value(i));
    if (!inputs.allIntegers || values.every((value) => !isInts(value)))
      return concatenate(
        values.map((_, i) => inputs.tensor(i)),
        axis,
      );
    if (values.some((_, i) => inputs.isTraced(i)))
      return concatenate(
        values.map((_, i) => inputs.tensor(i)),
        axis,
      );
    return joinInts(
      values.map((_, i) => inputs.ints(i)),
      axis,
    );
  };
});

/** Joins lists of 64-bit integers by joining the places of their elements. */
function joinInts(values: readonly Ints[], axis: number): Ints {
  let before = 0;
  const places = values.map(({ ints, shape }) => {
    const own = tensor(
      Int32Array.from(ints, (_, i) => before + i),
      shape,
      'i32',
    );
    before += ints.length;
    return own;
  });
  const all = values.flatMap(({ ints }) => ints);
  const joined = concatenate(places, axis);
  return { ints: Array.from(joined.view<Int32Array>(), (place) => all[place] as number), shape: joined.shape };
}

const splitting = operator(
  1,
  2,
  (node) => {
    const given = node.int('axis', 0);
    const partsOf = node.intsSince(13, 'split', 1);
    const declared = node.version >= 18 ? node.optionalInt('num_outputs') : undefined;
    const count = node.outputCount;
    if (declared !== undefined && declared !== count) node.fail(`splits into ${declared}, but has ${count} outputs`);
    return (inputs) => {
      const x = inputs.value(0);
      const axis = node.resolveAxis(given, x.shape.length);
      const length = x.shape[axis] as number;
      const listed = partsOf(inputs);
      if (listed && declared !== undefined) node.fail('has both split and num_outputs');
      if (!listed && declared === undefined && length % count !== 0)
        node.fail(`cannot split ${length} into ${count} equal parts`);
      const parts = listed ?? evenParts(length, count);
      const valid = parts.length === count && parts.every((part) => part >= 0);
      if (!valid || parts.reduce((sum, part) => sum + part, 0) !== length)
        node.fail(`splits ${length} into ${count} parts of ${parts.join(', ')}`);
      let start = 0;
      return parts.map((part) => {
        const range: Range = [start, start + part];
        start += part;
        return moved(x, (values) => slice(values, ...x.shape.map((_, i): Range => (i === axis ? range : null))));
      });
    };
  },
  Number.POSITIVE_INFINITY,
);

/** Parts of ⌈length / count⌉, of which the last may be shorter. */
function evenParts(length: number, count: number): number[] {
  const part = Math.ceil(length / count);
  return Array.from({ length: count }, (_, i) => Math.min(part, Math.max(0, length - i * part)));
}

const padModes = ['constant', 'reflect', 'edge', 'wrap'] as const;

/** Where an element beyond the ends of an axis comes from. */
const beyond: Readonly<Record<'reflect' | 'edge' | 'wrap', (at: number, length: number) => number>> = {
  edge: (at, length) => Math.min(Math.max(at, 0), length - 1),
  reflect: (at, length) => (at < 0 ? -at : at >= length ? 2 * (length - 1) - at : at),
  wrap: (at, length) => ((at % length) + length) % length,
};

const padding = operator(2, 4, (node) => {
  const mode = node.choice('mode', node.version >= 19 ? padModes : padModes.slice(0, 3), 'constant');
  return (inputs) => {
    if (inputs.count > 3 && node.version < 18) node.fail('has axes as input 3, which came with opset 18');
    const x = inputs.value(0);
    const rank = x.shape.length;
    const axes = node.resolveAxes(inputs.optionalInts(3) ?? x.shape.map((_, axis) => axis), rank);
    const given = inputs.listed(1);
    if (given.length !== 2 * axes.length) node.fail(`has ${given.length} pads for ${axes.length} axes`);
    if (given.some((width) => width < 0)) node.fail('has negative pads, which are not supported');
    const widths = x.shape.map((_, axis): readonly [number, number] => {
      const at = axes.indexOf(axis);
      return at < 0 ? [0, 0] : [given[at] as number, given[at + axes.length] as number];
    });
    node.requireRoom(x.shape.map((length, axis) => length + (widths[axis]?.[0] ?? 0) + (widths[axis]?.[1] ?? 0)));
    if (mode === 'constant') return padConstant(inputs, widths);
    return moved(x, (values) =>
      widths.reduce((padded, [before, after], axis) => {
        const length = x.shape[axis] as number;
        if (before === 0 && after === 0) return padded;
        const places = Array.from({ length: before + length + after }, (_, i) => beyond[mode](i - before, length));
        if (places.some((place) => !(place >= 0 && place < length)))
          node.fail(`pads ${length} elements by ${before} and ${after}, too many for ${mode}`);
        return gatherAlong(padded, axis, tensor(Int32Array.from(places), [places.length], 'i32'));
      }, values),
    );
  };
});

function padConstant(inputs: NodeInputs, widths: readonly (readonly [number, number])[]): ImportedValue {
  const x = inputs.value(0);
  const value = inputs.scalar(2) ?? 0;
  if (!isInts(x)) return pad(x, widths, value);
  const places = pad(tensor(Int32Array.from(x.ints.keys()), x.shape, 'i32'), widths, -1);
  const ints = Array.from(places.view<Int32Array>(), (place) => (place < 0 ? value : (x.ints[place] as number)));
  return { ints, shape: places.shape };
}

const choosingLargest = operator(
  2,
  2,
  (node) => {
    const [given, largest] = [node.int('axis', -1), node.flag('largest', true)];
    node.flag('sorted', true);
    return (inputs) => {
      const x = inputs.floats(0);
      const [k, ...more] = inputs.listed(1);
      if (k === undefined || more.length) node.fail('expects one number of elements');
      const [values, positions] = topK(x, k as number, { axis: node.resolveAxis(given, x.rank), largest });
      return [values, inputs.long(positions)];
    };
  },
  2,
);

/** Moves blocks of pixels into channels, or back. */
function rearranging(
  modes: readonly ['DCR', 'CRD'] | readonly ['DCR'],
  box: (
    shape: readonly number[],
    block: number,
    mode: 'DCR' | 'CRD',
  ) => [split: number[], order: number[], joined: number[]],
) {
  return operator(1, 1, (node) => {
    const block = node.int('blocksize', 0);
    if (block < 1) node.fail('lacks a blocksize');
    const mode = modes.length === 2 ? node.choice('mode', modes, 'DCR') : 'DCR';
    return (inputs) => {
      const x = inputs.value(0);
      if (x.shape.length !== 4) node.fail(`expects images [n, c, h, w], got [${x.shape.join(', ')}]`);
      const [split, order, joined] = box(x.shape, block, mode);
      return moved(x, (values) => reshape(permute(reshape(values, split), order), joined));
    };
  });
}

/** Repeats along each axis. */
const tiling = operator(2, 2, (node) => (inputs) => {
  const x = inputs.value(0);
  const repeats = inputs.lengths(1);
  if (repeats.length !== x.shape.length) node.fail(`has ${repeats.length} repeats for rank ${x.shape.length}`);
  if (sizeOf(repeats) === 0) node.fail('repeats 0 times, which is not supported');
  node.requireRoom(x.shape.map((length, axis) => length * (repeats[axis] as number)));
  return moved(x, (values) =>
    repeats.reduce((tiled, count, axis) => {
      const length = x.shape[axis] as number;
      if (count === 1) return tiled;
      const places = Int32Array.from({ length: length * count }, (_, i) => i % length);
      return gatherAlong(tiled, axis, tensor(places, [places.length], 'i32'));
    }, values),
  );
});

/** The part on one side of a diagonal of the last two axes, zeros elsewhere. */
const triangle = operator(1, 2, (node) => {
  const upper = node.flag('upper', true);
  return (inputs) => {
    const x = inputs.value(0);
    const diagonal = inputs.scalar(1) ?? 0;
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    if (x.shape.length < 2) node.fail('expects matrices');
    const kept = Float32Array.from({ length: rows * columns }, (_, i) => {
      const offset = (i % columns) - Math.floor(i / columns) - diagonal;
      return Number(upper ? offset >= 0 : offset <= 0);
    });
    if (isInts(x)) return { ints: x.ints.map((value, i) => (kept[i % kept.length] ? value : 0)), shape: x.shape };
    return inputs.likeFirst(positiveMask(inputs.floats(0), tensor(kept, [rows, columns])));
  };
});

/** start, start + delta, … below limit. */
const counting = operator(3, 3, (node) => (inputs) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => inputs.scalar(i)) as [number, number, number];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (Number.isNaN(count)) node.fail('counts by steps of 0');
  node.requireRoom([count]);
  if (!inputs.allIntegers) return arange(count).multiply(delta).add(start);
  return inputs.likeIntegers(0, { ints: Array.from({ length: count }, (_, i) => start + i * delta), shape: [count] });
});

export const selectionReaders: Operators = {
  Slice: slicing,
  Gather: gathering,
  GatherElements: picking,
  Concat: joining,
  Split: splitting,
  Pad: padding,
  TopK: choosingLargest,
  Tile: tiling,
  Trilu: triangle,
  Range: counting,
  DepthToSpace: rearranging(['DCR', 'CRD'], ([n, c, h, w], b, mode) => {
    const depth = (c as number) / b ** 2;
    const [split, order] =
      mode === 'DCR'
        ? [
            [n, b, b, depth, h, w],
            [0, 3, 4, 1, 5, 2],
          ]
        : [
            [n, depth, b, b, h, w],
            [0, 1, 4, 2, 5, 3],
          ];
    return [split as number[], order as number[], [n as number, depth, (h as number) * b, (w as number) * b]];
  }),
  SpaceToDepth: rearranging(['DCR'], ([n, c, h, w], b) => {
    const [rows, columns] = [(h as number) / b, (w as number) / b];
    const joined = [n as number, (c as number) * b ** 2, rows, columns];
    return [[n, c, rows, b, columns, b] as number[], [0, 3, 5, 1, 2, 4], joined];
  }),
};
