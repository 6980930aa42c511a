// Convolutions, and other operators on images.

import {
  averagePool2d,
  conv2d,
  convTranspose2d,
  formatShape,
  globalAveragePool,
  maxPool2d,
  pad,
  reshape,
  resize,
  Tensor,
} from '../../../tensor/index.js';
import type { NodeReader, NodeReaders, OnnxNode } from './node.js';

/** How the kernel of a node moves over images. */
interface Window {
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
}

/** Strides, dilations and padding of a node over images, for inputs of a size. */
function windowOf(node: OnnxNode, x: Tensor, kernel: readonly number[]): Window {
  if (x.rank !== 4) node.fail(`expects images [n, c, h, w], got ${formatShape(x.shape)}`);
  const two = (name: string) => (node.intsOf(name) ?? [1, 1]) as readonly [number, number];
  const [stride, dilation] = [two('strides'), two('dilations')];
  const mode = node.text('auto_pad', 'NOTSET');
  if (mode === 'NOTSET' || mode === 'VALID') {
    return { stride, dilation, pads: (node.intsOf('pads') ?? [0, 0, 0, 0]) as Window['pads'] };
  }
  const sides = [0, 1].map((axis) => {
    const [length, step] = [x.shape[2 + axis] as number, stride[axis] as number];
    const reach = ((kernel[axis] as number) - 1) * (dilation[axis] as number) + 1;
    const total = Math.max(0, (Math.ceil(length / step) - 1) * step + reach - length);
    return mode === 'SAME_LOWER'
      ? [Math.ceil(total / 2), Math.floor(total / 2)]
      : [Math.floor(total / 2), Math.ceil(total / 2)];
  }) as [[number, number], [number, number]];
  return { stride, dilation, pads: [sides[0][0], sides[1][0], sides[0][1], sides[1][1]] };
}

/** Padding as our operations take it, the same on both sides: uneven padding is put on x before. */
function evenly(
  x: Tensor,
  [top, left, bottom, right]: Window['pads'],
  value = 0,
): { x: Tensor; padding: readonly [number, number] } {
  if (top === bottom && left === right) return { x, padding: [top, left] };
  return {
    x: pad(
      x,
      [
        [0, 0],
        [0, 0],
        [top, bottom],
        [left, right],
      ],
      value,
    ),
    padding: [0, 0],
  };
}

const convolution: NodeReader = (node) => {
  const weight = node.tensor(1);
  const { stride, dilation, pads } = windowOf(node, node.tensor(0), weight.shape.slice(2));
  const { x, padding } = evenly(node.tensor(0), pads);
  return conv2d(x, weight, node.optional(2), { stride, dilation, padding, groups: node.int('group', 1) });
};

const transposedConvolution: NodeReader = (node) => {
  const weight = node.tensor(1);
  const { stride, dilation, pads } = windowOf(node, node.tensor(0), weight.shape.slice(2));
  const [top, left, bottom, right] = pads;
  if (top !== bottom || left !== right) node.fail('has uneven padding, which is not supported');
  const outputPadding = (node.intsOf('output_padding') ?? [0, 0]) as readonly [number, number];
  return convTranspose2d(node.tensor(0), weight, node.optional(2), {
    ...{ stride, dilation, padding: [top, left], outputPadding },
    groups: node.int('group', 1),
  });
};

const pool =
  (kind: 'max' | 'average'): NodeReader =>
  (node) => {
    const kernel = (node.intsOf('kernel_shape') ?? node.fail('lacks kernel_shape')) as readonly [number, number];
    const { stride, dilation, pads } = windowOf(node, node.tensor(0), kernel);
    if (dilation.some((step) => step !== 1) || node.int('ceil_mode', 0))
      node.fail('has dilation or ceil_mode, which are not supported');
    const countPadding = node.int('count_include_pad', 0) === 1;
    if (kind === 'average' && !countPadding && (pads[0] !== pads[2] || pads[1] !== pads[3]))
      node.fail('has uneven padding, which is not supported');
    const { x, padding } = evenly(node.tensor(0), pads, kind === 'max' ? -Infinity : 0);
    if (kind === 'max') return maxPool2d(x, kernel, { stride, padding });
    return averagePool2d(x, kernel, { stride, padding, countPadding });
  };

const resizing: NodeReader = (node) => {
  const x = node.tensor(0);
  const sizes = node.intsOf('sizes', 3)?.slice(2);
  const scales = node.inputs[2] instanceof Tensor ? [...node.tensor(2).view()].slice(2) : undefined;
  const size = (sizes?.length ? sizes : scales?.map((scale, i) => Math.floor(scale * (x.shape[2 + i] as number)))) as
    | [number, number]
    | undefined;
  const mode = node.text('mode', 'nearest') === 'linear' ? 'bilinear' : 'nearest';
  const coordinates = node.text('coordinate_transformation_mode', 'half_pixel');
  const known = mode === 'bilinear' ? ['half_pixel', 'pytorch_half_pixel', 'align_corners'] : ['asymmetric'];
  if (!size || !known.includes(coordinates))
    return node.fail(`resizes by "${coordinates}", which is not supported for ${mode}`);
  return resize(x, size, { mode, alignCorners: coordinates === 'align_corners' });
};

export const convolutionReaders: NodeReaders = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: pool('max'),
  AveragePool: pool('average'),
  GlobalAveragePool: (node) => {
    const x = node.tensor(0);
    return reshape(globalAveragePool(x), [...x.shape.slice(0, 2), 1, 1]);
  },
  Resize: resizing,
};
