// How the kernels of convolutions and pools move over images, and sequences as images of one row.

import { formatShape, reshape, type Tensor } from '../../../tensor/index.js';
import type { OnnxNode } from './node.js';

export type Two = readonly [number, number];

/** Geometry of a node over two axes of pixels. */
export interface Window {
  readonly kernel: Two;
  readonly stride: Two;
  readonly dilation: Two;
  /** Top and left. */
  readonly before: Two;
  /** Bottom and right. */
  readonly after: Two;
}

type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';

/** Attributes of a node over one or two axes of pixels, as the file has them. */
export interface WindowAttributes {
  readonly autoPad: AutoPad;
  readonly kernel: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
  readonly dilations: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
}

/** Reads the attributes that convolutions and pools share. */
export function windowAttributes(node: OnnxNode): WindowAttributes {
  const attributes = {
    autoPad: node.choice('auto_pad', ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'], 'NOTSET'),
    kernel: node.ints('kernel_shape'),
    strides: node.ints('strides'),
    dilations: node.ints('dilations'),
    pads: node.ints('pads'),
  };
  if (attributes.autoPad !== 'NOTSET' && attributes.pads?.some((width) => width !== 0))
    node.fail('has both auto_pad and pads');
  return attributes;
}

/** A list of one integer for each axis of pixels, at least `lowest`, for two axes. */
export function perAxis(
  node: OnnxNode,
  name: string,
  values: readonly number[] | undefined,
  axes: number,
  { lowest, otherwise }: { readonly lowest: number; readonly otherwise: number },
): Two {
  if (values && (values.length !== axes || values.some((value) => value < lowest || value > MOST)))
    return node.fail(`has ${name} [${values.join(', ')}], expected ${axes} of ${lowest} and more`);
  const [first = otherwise, second = otherwise] = values ?? [];
  return axes === 1 ? [otherwise, first] : [first, second];
}

/** Beyond any image; sums and products of such lengths stay exact. */
const MOST = 2 ** 24;

/** The kernel of a node, from its weight or its attribute. */
export function kernelOf(node: OnnxNode, attributes: WindowAttributes, axes: number, weight?: Tensor): Two {
  const shape = weight?.shape.slice(2);
  if (shape && attributes.kernel && shape.join() !== attributes.kernel.join())
    node.fail(`has kernel_shape [${attributes.kernel.join(', ')}], but a weight ${formatShape(weight?.shape ?? [])}`);
  const kernel = attributes.kernel ?? shape ?? node.fail('lacks kernel_shape');
  return perAxis(node, 'kernel_shape', kernel, axes, { lowest: 1, otherwise: 1 });
}

/** Padding that splits into two sides; of an odd total one side gets more. */
export function sides(total: number, more: 'before' | 'after'): Two {
  const less = Math.floor(total / 2);
  return more === 'after' ? [less, total - less] : [total - less, less];
}

/** Pixels that a dilated kernel reaches over. */
export function reach({ kernel, dilation }: Pick<Window, 'kernel' | 'dilation'>, axis: 0 | 1): number {
  return (kernel[axis] - 1) * dilation[axis] + 1;
}

/** Given or automatic padding of images of a size. */
export function windowOf(node: OnnxNode, attributes: WindowAttributes, size: Two, axes: number, kernel: Two): Window {
  const positive = { lowest: 1, otherwise: 1 };
  const stride = perAxis(node, 'strides', attributes.strides, axes, positive);
  const dilation = perAxis(node, 'dilations', attributes.dilations, axes, positive);
  const { autoPad, pads } = attributes;
  if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const padding = ([0, 1] as const).map((axis) => {
      const steps = Math.ceil(size[axis] / stride[axis]) - 1;
      const total = Math.max(0, steps * stride[axis] + reach({ kernel, dilation }, axis) - size[axis]);
      return sides(total, autoPad === 'SAME_UPPER' ? 'after' : 'before');
    }) as [Two, Two];
    return { kernel, stride, dilation, before: [padding[0][0], padding[1][0]], after: [padding[0][1], padding[1][1]] };
  }
  return { kernel, stride, dilation, ...givenPads(node, pads, axes) };
}

/** The attribute pads: those before all axes, then those after. */
export function givenPads(
  node: OnnxNode,
  pads: readonly number[] | undefined,
  axes: number,
): { readonly before: Two; readonly after: Two } {
  if (pads && pads.length !== 2 * axes) node.fail(`has ${pads.length} pads, expected ${2 * axes}`);
  const widths = (values: readonly number[] | undefined) =>
    perAxis(node, 'pads', values, axes, { lowest: 0, otherwise: 0 });
  return { before: widths(pads?.slice(0, axes)), after: widths(pads?.slice(axes)) };
}

/** Images [n, c, h, w], or sequences [n, c, length] as images of one row. */
export function asImages(node: OnnxNode, x: Tensor): { readonly images: Tensor; readonly axes: 1 | 2 } {
  if (x.rank === 4) return { images: x, axes: 2 };
  if (x.rank === 3) return { images: oneRow(x), axes: 1 };
  return node.fail(`expects [n, c, length] or [n, c, h, w], got ${formatShape(x.shape)}`);
}

/** A row in front of the last axis. */
export function oneRow(x: Tensor): Tensor {
  return reshape(x, [...x.shape.slice(0, -1), 1, x.shape.at(-1) as number]);
}

/** Undoes `asImages`. */
export function likeInput(y: Tensor, axes: 1 | 2): Tensor {
  return axes === 2 ? y : reshape(y, [...y.shape.slice(0, 2), y.shape[3] as number]);
}
