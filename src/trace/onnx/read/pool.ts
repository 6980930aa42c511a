// Pooling.

import {
  apply,
  applyAll,
  averagePoolOp,
  max,
  maxPoolOp,
  mean,
  type Tensor,
  type WindowAttributes,
} from '../../../tensor/index.js';
import { type OnnxNode, type Operator, type Operators, operator } from './node.js';
import { asImages, kernelOf, likeInput, reach, type Two, type Window, windowAttributes, windowOf } from './window.js';

type Pixels = readonly [start: number, end: number];

/** How the last window of an axis ends. */
interface Counting {
  /** Whether the last window may reach beyond the padding. */
  readonly ceil: boolean;
  /** Whether padding counts as pixels, so that windows must not end beyond it. */
  readonly counted: boolean;
}

/** Pixels [start, end) of each window along an axis, without those of the padding. */
function windowsAlong(
  node: OnnxNode,
  window: Window,
  axis: 0 | 1,
  length: number,
  { ceil, counted }: Counting,
): Pixels[] {
  const [stride, before, after] = [window.stride[axis], window.before[axis], window.after[axis]];
  const room = length + before + after - reach(window, axis);
  const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  node.requireRoom([count]);
  if (room < 0) node.fail(`has a window of ${window.kernel[axis]} for ${length} pixels`);
  if (counted && (count - 1) * stride > room) node.fail('counts pixels beyond the padding, which is not supported');
  return Array.from({ length: count }, (_, i) => {
    const start = i * stride - before;
    const [first, end] = [Math.max(start, 0), Math.min(start + window.kernel[axis], length)];
    return first < end ? [first, end] : node.fail('has a window in the padding alone, which is not supported');
  });
}

/** Windows over images, with how they slide where that is all that determines them. */
function poolWindows(node: OnnxNode, window: Window, [height, width]: Two, counting: Counting): WindowAttributes {
  const { kernel, stride, before, after } = window;
  const rows = windowsAlong(node, window, 0, height, counting);
  const columns = windowsAlong(node, window, 1, width, counting);
  const even = before.join() === after.join();
  const slid = (pixels: readonly Pixels[], axis: 0 | 1, length: number) =>
    pixels.length === Math.floor((length + 2 * before[axis] - kernel[axis]) / stride[axis]) + 1;
  if (!even || !slid(rows, 0, height) || !slid(columns, 1, width)) return { rows, columns };
  return { rows, columns, sliding: { kernel, stride, padding: before } };
}

function pool(kind: 'max' | 'average'): Operator {
  return operator(1, 1, (node) => {
    const attributes = windowAttributes(node);
    const ceil = node.flag('ceil_mode');
    const counted = kind === 'average' && node.flag('count_include_pad');
    if (kind === 'max') node.unused('storage_order', 'int');
    return (inputs) => {
      const { images, axes } = asImages(node, inputs.floats(0));
      const size = images.shape.slice(2) as unknown as Two;
      const kernel = kernelOf(node, attributes, axes);
      const window = windowOf(node, attributes, size, axes, kernel);
      if (window.dilation.some((step) => step !== 1)) node.fail('has dilations, which are not supported');
      const windows = poolWindows(node, window, size, { ceil, counted });
      if (kind === 'max') return likeInput(applyAll(maxPoolOp, [images], windows)[0] as Tensor, axes);
      const divisor = counted ? kernel[0] * kernel[1] : 0;
      return likeInput(apply(averagePoolOp, [images], { ...windows, divisor, shape: images.shape }), axes);
    };
  });
}

/** A reduction over all pixels. */
function overPixels(fn: typeof mean): Operator {
  return operator(1, 1, () => (inputs) => {
    const x = inputs.floats(0);
    if (x.rank < 3) inputs.node.fail('expects pixels behind batch and channels');
    return fn(
      x,
      x.shape.slice(2).map((_, axis) => axis + 2),
      { keepAxes: true },
    );
  });
}

export const poolReaders: Operators = {
  MaxPool: pool('max'),
  AveragePool: pool('average'),
  GlobalAveragePool: overPixels(mean),
  GlobalMaxPool: overPixels(max),
};
