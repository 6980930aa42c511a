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

/** Drops axes of size 1 and joins axes that are contiguous on both sides, then pads to six. */
function canonicalBox(operation: string, box: Box): StridedBox {
  const axes: { size: number; source: number; target: number }[] = [];
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
  if (axes.length > BOX_RANK) throw new Error(`${operation}: more than ${BOX_RANK} axes that cannot be joined`);
  while (axes.length < BOX_RANK) axes.unshift({ size: 1, source: 0, target: 0 });
  if (axes[BOX_RANK - 1]?.size === 1) axes[BOX_RANK - 1] = { size: 1, source: 1, target: 1 };
  const six = (valueOf: (axis: (typeof axes)[number]) => number) => axes.map(valueOf) as unknown as Six;
  return {
    sizes: six(({ size }) => size),
    sourceStrides: six(({ source }) => source),
    targetStrides: six(({ target }) => target),
  };
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
  const source = regionAt(x, 4 * (box.sourceOffset ?? 0));
  const target = regionAt(y, 4 * (box.targetOffset ?? 0));
  device.run('copyStrided', { x: source, y: target, box: canonicalBox(operation, box) });
}
