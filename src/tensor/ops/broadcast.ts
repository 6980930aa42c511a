// Broadcasting for the elementwise kernels, which take at most four axes: neighbouring axes with
// one stride are joined.

import type { BroadcastArguments, Four } from '../../engine/index.js';
import { broadcastStrides, type Shape, sameShape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';

const MAXIMUM_AXES = 4;
const CONTIGUOUS: Four = [0, 0, 0, 1];

/** Arguments of a broadcasting kernel that writes `output` of `shape`. */
export function broadcastArguments(
  operation: string,
  a: Tensor,
  b: Tensor,
  output: Tensor,
  shape: Shape,
): BroadcastArguments {
  if (sameShape(a.shape, shape) && sameShape(b.shape, shape)) {
    return { a, b, c: output, sizes: [1, 1, 1, sizeOf(shape)], stridesA: CONTIGUOUS, stridesB: CONTIGUOUS };
  }
  const axes = joinAxes(shape, broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape));
  if (axes.length > MAXIMUM_AXES) {
    throw new Error(
      `${operation}: broadcasting alternates over more than ${MAXIMUM_AXES} axes; reshape or broadcastTo first`,
    );
  }
  while (axes.length < MAXIMUM_AXES) axes.unshift({ size: 1, a: 0, b: 0 });
  const four = (valueOf: (axis: Axis) => number) => axes.map(valueOf) as unknown as Four;
  return {
    a,
    b,
    c: output,
    sizes: four(({ size }) => size),
    stridesA: four((axis) => axis.a),
    stridesB: four((axis) => axis.b),
  };
}

interface Axis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
}

/** Drops axes of size 1 and joins neighbouring axes over which both operands have one stride. */
function joinAxes(shape: Shape, stridesA: readonly number[], stridesB: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((size, at) => {
    if (size === 1) return;
    const a = stridesA[at] as number;
    const b = stridesB[at] as number;
    const outer = axes.at(-1);
    if (outer && outer.a === a * size && outer.b === b * size)
      axes[axes.length - 1] = { size: outer.size * size, a, b };
    else axes.push({ size, a, b });
  });
  return axes;
}
