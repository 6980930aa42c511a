// Reductions.

import {
  abs,
  argmax,
  argmin,
  concatenate,
  cumulativeSum,
  flip,
  log,
  logSumExp,
  max,
  mean,
  min,
  multiply,
  pad,
  permute,
  type Range,
  reshape,
  sizeOf,
  slice,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
} from '../../../tensor/index.js';
import { checked } from './integers.js';
import { type Operator, type Operators, operator } from './node.js';
import { isInts } from './value.js';

type Reduce = (x: Tensor, axes: readonly number[] | undefined, options: { keepAxes: boolean }) => Tensor;

/**
 * A reduction over axes, which are an input from opset `since` on.
 *
 * @param fold for 64-bit integers, all of which are reduced
 */
function reduction(fn: Reduce, since: 13 | 18, fold?: (a: number, b: number) => number): Operator {
  return operator(1, 2, (node) => {
    const axesOf = node.intsSince(since, 'axes', 1);
    const keepAxes = node.flag('keepdims', true);
    const whole = node.version >= since && node.flag('noop_with_empty_axes');
    return (inputs) => {
      const x = inputs.value(0);
      const axes = axesOf(inputs);
      const listed = axes?.length ? node.resolveAxes(axes, x.shape.length) : undefined;
      if (!listed && whole) return fn === sum || fn === mean ? x : node.fail('reduces no axes, which is not supported');
      if (!isInts(x)) return fn(inputs.floats(0), listed, { keepAxes });
      if (!fold || (listed && listed.length < x.shape.length) || x.ints.length === 0)
        return node.fail('reduces integers over some axes, which is not supported');
      return checked(inputs, { ints: [x.ints.reduce(fold)], shape: keepAxes ? x.shape.map(() => 1) : [] });
    };
  });
}

/** The position of an extreme along an axis: of equals the first, or the last. */
function position(find: (x: Tensor, axis: number) => Tensor): Operator {
  return operator(1, 1, (node) => {
    const [given, keepAxes] = [node.int('axis', 0), node.flag('keepdims', true)];
    const last = node.version >= 12 && node.flag('select_last_index');
    return (inputs) => {
      const x = inputs.floats(0);
      const axis = node.resolveAxis(given, x.rank);
      const length = x.shape[axis] as number;
      const positions = last ? subtract(length - 1, find(flip(x, axis), axis)) : find(x, axis);
      const kept = x.shape.map((size, at) => (at === axis ? 1 : size));
      return inputs.long(keepAxes ? reshape(positions, kept) : positions);
    };
  });
}

const accumulating = operator(2, 2, (node) => {
  const [exclusive, reverse] = [node.flag('exclusive'), node.flag('reverse')];
  return (inputs) => {
    const x = inputs.floats(0);
    const axis = node.resolveAxis(inputs.scalar(1) as number, x.rank);
    const total = cumulativeSum(x, axis, reverse);
    if (!exclusive) return total;
    const length = x.shape[axis] as number;
    const range: Range = reverse ? [1, length] : [0, length - 1];
    const width = reverse ? ([0, 1] as const) : ([1, 0] as const);
    const kept = slice(total, ...x.shape.map((_, i): Range => (i === axis ? range : null)));
    return pad(
      kept,
      x.shape.map((_, i) => (i === axis ? width : ([0, 0] as const))),
    );
  };
});

export const reductionReaders: Operators = {
  ReduceMean: reduction(mean, 18),
  ReduceSum: reduction(sum, 13, (a, b) => a + b),
  ReduceMax: reduction(max, 18, Math.max),
  ReduceMin: reduction(min, 18, Math.min),
  ReduceLogSumExp: reduction(logSumExp, 18),
  ReduceL1: reduction((x, axes, options) => sum(abs(x), axes, options), 18),
  ReduceL2: reduction((x, axes, options) => sqrt(sum(square(x), axes, options)), 18),
  ReduceSumSquare: reduction((x, axes, options) => sum(square(x), axes, options), 18),
  ReduceLogSum: reduction((x, axes, options) => log(sum(x, axes, options)), 18),
  ReduceProd: reduction(product, 18, (a, b) => a * b),
  ArgMax: position(argmax),
  ArgMin: position(argmin),
  CumSum: accumulating,
};

/** The product over axes: halves are multiplied until one row is left. */
function product(x: Tensor, axes: readonly number[] | undefined, { keepAxes }: { keepAxes: boolean }): Tensor {
  const reduced = axes ?? x.shape.map((_, axis) => axis);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !reduced.includes(axis));
  const n = sizeOf(reduced.map((axis) => x.shape[axis] as number));
  if (n === 0) throw new Error('ReduceProd of no elements is not supported');
  let rows = reshape(permute(x, [...reduced, ...kept]), [n, x.size / n]);
  while ((rows.shape[0] as number) > 1) {
    const half = Math.floor((rows.shape[0] as number) / 2);
    const folded = multiply(slice(rows, [0, half]), slice(rows, [half, 2 * half]));
    rows = rows.shape[0] === 2 * half ? folded : concatenate([folded, slice(rows, [2 * half, 2 * half + 1])]);
  }
  const shape = x.shape.flatMap((length, axis) => (reduced.includes(axis) ? (keepAxes ? [1] : []) : [length]));
  return reshape(rows, shape);
}
