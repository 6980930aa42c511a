// Strided copies of boxes of elements.

import { type Device, regionAt, type Six, type StridedBox } from '../../engine/index.js';
import { type Shape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** Sizes and strides of one strided copy; offsets in elements. */
interface Box {
  readonly sizes: readonly number[];
  readonly sourceStrides: readonly number[];
  readonly targetStrides: readonly number[];
  readonly sourceOffset?: number;
  readonly targetOffset?: number;
}

const BOX_RANK = 6;

interface Axis {
  readonly size: number;
  readonly source: number;
  readonly target: number;
}

/** Axes without those of size 1, those that are contiguous on both sides joined. */
function joinedAxes(box: Box): Axis[] {
  const axes: Axis[] = [];
  box.sizes.forEach((size, axis) => {
    if (size === 1) return;
    const source = box.sourceStrides[axis] as number;
    const target = box.targetStrides[axis] as number;
    const outer = axes.at(-1);
    if (outer && outer.source === source * size && outer.target === target * size) {
      axes[axes.length - 1] = { size: outer.size * size, source, target };
    } else {
      axes.push({ size, source, target });
    }
  });
  return axes;
}

/** At most six axes as the kernel takes them: padded to six. */
function stridedBox(joined: readonly Axis[]): StridedBox {
  const none = { size: 1, source: 0, target: 0 };
  const axes: Axis[] = [...Array<Axis>(BOX_RANK - joined.length).fill(none), ...joined];
  if (joined.length === 0) axes[BOX_RANK - 1] = { size: 1, source: 1, target: 1 };
  const six = (valueOf: (axis: Axis) => number) => axes.map(valueOf) as unknown as Six;
  return {
    sizes: six(({ size }) => size),
    sourceStrides: six(({ source }) => source),
    targetStrides: six(({ target }) => target),
  };
}

/** Copies a box of any number of axes: index by index of its shortest ones, beyond six. */
function copyAxes(device: Device, x: Tensor, y: Tensor, axes: readonly Axis[], from: number, to: number): void {
  if (axes.length <= BOX_RANK) {
    device.run('copyStrided', { x: regionAt(x, 4 * from), y: regionAt(y, 4 * to), box: stridedBox(axes) });
    return;
  }
  const shortest = axes.reduce((least, axis) => (axis.size < least.size ? axis : least));
  const rest = axes.filter((axis) => axis !== shortest);
  for (let i = 0; i < shortest.size; i++)
    copyAxes(device, x, y, rest, from + i * shortest.source, to + i * shortest.target);
}

/** @throws RangeError unless all elements that a box touches are a tensor's. */
function requireInside(operation: string, x: Tensor, sizes: Shape, strides: readonly number[], offset: number): void {
  let [least, greatest] = [offset, offset];
  sizes.forEach((size, axis) => {
    const reach = (size - 1) * (strides[axis] as number);
    if (reach < 0) least += reach;
    else greatest += reach;
  });
  if (!(least >= 0 && greatest < x.size))
    throw new RangeError(`${operation}: elements ${least} to ${greatest} are outside ${x}`);
}

/**
 * Copies a box between two tensors of four-byte elements.
 *
 * @throws RangeError when it does not lie within both.
 */
export function copyBox(device: Device, operation: string, x: Tensor, y: Tensor, box: Box): void {
  if (sizeOf(box.sizes) === 0) return;
  requireInside(operation, x, box.sizes, box.sourceStrides, box.sourceOffset ?? 0);
  requireInside(operation, y, box.sizes, box.targetStrides, box.targetOffset ?? 0);
  copyAxes(device, x, y, joinedAxes(box), box.sourceOffset ?? 0, box.targetOffset ?? 0);
}
