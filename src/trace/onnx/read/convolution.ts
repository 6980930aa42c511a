// Convolutions.

import { add, conv2d, convTranspose2d, formatShape, pad, reshape, slice, type Tensor } from '../../../tensor/index.js';
import { type OnnxNode, type Operators, operator } from './node.js';
import {
  asImages,
  givenPads,
  kernelOf,
  likeInput,
  oneRow,
  perAxis,
  reach,
  sides,
  type Two,
  type WindowAttributes,
  windowAttributes,
  windowOf,
} from './window.js';

function imageSize(x: Tensor): Two {
  return x.shape.slice(2) as unknown as Two;
}

/** The weight of a convolution over as many axes as its images have. */
function weightOf(node: OnnxNode, weight: Tensor, axes: 1 | 2): Tensor {
  if (weight.rank !== axes + 2) node.fail(`has a weight ${formatShape(weight.shape)} for ${axes} axes of pixels`);
  return axes === 1 ? oneRow(weight) : weight;
}

/** Padding that is the same on both sides, which kernels take; other padding is put on x before. */
function padded(x: Tensor, before: Two, after: Two): { readonly x: Tensor; readonly padding: Two } {
  if (before[0] === after[0] && before[1] === after[1]) return { x, padding: before };
  const none = [0, 0] as const;
  return { x: pad(x, [none, none, [before[0], after[0]], [before[1], after[1]]]), padding: none };
}

const convolution = operator(2, 3, (node) => {
  const attributes = windowAttributes(node);
  const groups = node.int('group', 1);
  return (inputs) => {
    const { images, axes } = asImages(node, inputs.floats(0));
    const weight = weightOf(node, inputs.floats(1), axes);
    const kernel = kernelOf(node, attributes, axes, inputs.floats(1));
    const { stride, dilation, before, after } = windowOf(node, attributes, imageSize(images), axes, kernel);
    const [n, c, height, width] = images.shape as [number, number, number, number];
    node.requireRoom([n, c, height + before[0] + after[0], width + before[1] + after[1]]);
    const { x, padding } = padded(images, before, after);
    return likeInput(conv2d(x, weight, inputs.optionalFloats(2), { stride, dilation, padding, groups }), axes);
  };
});

/** Where the output of a transposed convolution begins and how long it is, along an axis. */
interface Extent {
  /** Pixels cut off before the first. */
  readonly before: number;
  readonly length: number;
}

interface TransposedAttributes extends WindowAttributes {
  readonly outputPadding: readonly number[] | undefined;
  readonly outputShape: readonly number[] | undefined;
}

/** Extent of an output without padding of `full` pixels along an axis. */
function extentOf(
  node: OnnxNode,
  { autoPad, outputShape, pads }: TransposedAttributes,
  axes: number,
  axis: 0 | 1,
  { full, same }: { readonly full: number; readonly same: number },
): Extent {
  const wanted = outputShape?.at(axes === 1 ? 0 : axis);
  const length = axes === 1 && axis === 0 ? undefined : (wanted ?? (autoPad.startsWith('SAME') ? same : undefined));
  if (length === undefined) {
    const { before, after } = givenPads(node, pads, axes);
    return { before: before[axis], length: full - before[axis] - after[axis] };
  }
  const total = full - length;
  const before = total < 0 ? 0 : sides(total, autoPad === 'SAME_UPPER' ? 'after' : 'before')[0];
  return { before, length };
}

const transposedConvolution = operator(2, 3, (node) => {
  const groups = node.int('group', 1);
  const attributes: TransposedAttributes = {
    ...windowAttributes(node),
    outputPadding: node.ints('output_padding'),
    outputShape: node.ints('output_shape'),
  };
  const { outputShape } = attributes;
  return (inputs) => {
    const { images, axes } = asImages(node, inputs.floats(0));
    const weight = weightOf(node, inputs.floats(1), axes);
    const kernel = kernelOf(node, attributes, axes, inputs.floats(1));
    if (outputShape) perAxis(node, 'output_shape', outputShape, axes, { lowest: 1, otherwise: 1 });
    const positive = { lowest: 1, otherwise: 1 };
    const stride = perAxis(node, 'strides', attributes.strides, axes, positive);
    const dilation = perAxis(node, 'dilations', attributes.dilations, axes, positive);
    const extra = perAxis(node, 'output_padding', attributes.outputPadding, axes, { lowest: 0, otherwise: 0 });
    const size = imageSize(images);
    const bare = ([0, 1] as const).map(
      (axis) => (size[axis] - 1) * stride[axis] + reach({ kernel, dilation }, axis),
    ) as [number, number];
    const extents = ([0, 1] as const).map((axis) =>
      extentOf(node, attributes, axes, axis, {
        full: bare[axis] + extra[axis],
        same: size[axis] * stride[axis],
      }),
    ) as [Extent, Extent];
    const bias = inputs.optionalFloats(2);
    if (extents.some(({ length }) => length < 1)) node.fail('has more padding than pixels');
    const [n, filters] = [images.shape[0] as number, (weight.shape[1] as number) * groups];
    for (const lengths of [bare, extents.map(({ length }) => length)]) node.requireRoom([n, filters, ...lengths]);
    const before = [extents[0].before, extents[1].before] as const;
    const outputPadding = ([0, 1] as const).map((axis) => extents[axis].length + 2 * before[axis] - bare[axis]);
    const options = { stride, dilation, groups };
    if (outputPadding.every((width, axis) => width >= 0 && width < stride[axis as 0 | 1])) {
      const [down, right] = outputPadding as [number, number];
      const y = convTranspose2d(images, weight, bias, { ...options, padding: before, outputPadding: [down, right] });
      return likeInput(y, axes);
    }
    const y = convTranspose2d(images, weight, undefined, options);
    const cut = within(y, extents);
    return likeInput(bias ? add(cut, reshape(bias, [-1, 1, 1])) : cut, axes);
  };
});

/** The part of y that an output takes; beyond its end there are zeros. */
function within(y: Tensor, [rows, columns]: readonly [Extent, Extent]): Tensor {
  const range = ({ before, length }: Extent, axis: 2 | 3) =>
    [before, Math.min(before + length, y.shape[axis] as number)] as const;
  const part = slice(y, null, null, range(rows, 2), range(columns, 3));
  const none = [0, 0] as const;
  const missing = ({ length }: Extent, axis: 2 | 3) => [0, length - (part.shape[axis] as number)] as const;
  const widths = [none, none, missing(rows, 2), missing(columns, 3)];
  return widths.some(([, after]) => after > 0) ? pad(part, widths) : part;
}

export const convolutionReaders: Operators = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
};
