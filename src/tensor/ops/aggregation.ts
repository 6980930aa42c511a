// Convolution by per-pixel filters. It is linear in the images and in the filters, so it and its
// gradients are each other's gradients, to any order.

import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** Sizes of x [images, channels, height, width] and of its filters. */
function sizesOf(x: Tensor, filterChannels: number) {
  const [images, channels, height, width] = x.shape as [number, number, number, number];
  return { images, channels, sharing: filterChannels, height, width };
}

/** The operation behind `aggregate`: a 3×3 sum whose filters vary by pixel. */
export const aggregationOp: Op = {
  name: 'aggregation',
  multiplyAdds: (_, output) => 9 * sizeOf(output),
  infer: ([x]) => [{ shape: (x as Tensor).shape, dtype: 'f32' }],
  compute: (device, [x, f], [y]) =>
    device.run('aggregate', {
      x: x as Tensor,
      filters: f as Tensor,
      y: y as Tensor,
      sizes: sizesOf(x as Tensor, (f as Tensor).shape[1] as number),
    }),
  vjp: (backward) => {
    const [x, f] = backward.inputs as [Tensor, Tensor];
    const g = onlyGradient(backward);
    return [
      backward.needed[0] ? apply(inputGradientOp, [g, f]) : undefined,
      backward.needed[1] ? apply(filterGradientOp, [x, g], { filterChannels: f.shape[1] as number }) : undefined,
    ];
  },
};

const inputGradientOp: Op = {
  name: 'aggregationInputGradient',
  multiplyAdds: (_, output) => 9 * sizeOf(output),
  infer: ([g]) => [{ shape: (g as Tensor).shape, dtype: 'f32' }],
  compute: (device, [g, f], [x]) =>
    device.run('aggregateInputGradient', {
      g: g as Tensor,
      filters: f as Tensor,
      x: x as Tensor,
      sizes: sizesOf(g as Tensor, (f as Tensor).shape[1] as number),
    }),
  vjp: (backward) => {
    const [g, f] = backward.inputs as [Tensor, Tensor];
    const gradient = onlyGradient(backward);
    return [
      backward.needed[0] ? apply(aggregationOp, [gradient, f]) : undefined,
      backward.needed[1] ? apply(filterGradientOp, [gradient, g], { filterChannels: f.shape[1] as number }) : undefined,
    ];
  },
};

const filterGradientOp: Op<{ readonly filterChannels: number }> = {
  name: 'aggregationFilterGradient',
  multiplyAdds: ([x]) => 9 * sizeOf(x as Shape),
  infer: ([x], { filterChannels }) => {
    const [images, , height, width] = (x as Tensor).shape as [number, number, number, number];
    return [{ shape: [images, filterChannels, 9, height, width], dtype: 'f32' }];
  },
  compute: (device, [x, g], [f], { filterChannels }) =>
    device.run('aggregateFilterGradient', {
      x: x as Tensor,
      g: g as Tensor,
      filters: f as Tensor,
      sizes: sizesOf(x as Tensor, filterChannels),
    }),
  vjp: (backward) => {
    const [x, g] = backward.inputs as [Tensor, Tensor];
    const gradient = onlyGradient(backward);
    return [
      backward.needed[0] ? apply(inputGradientOp, [g, gradient]) : undefined,
      backward.needed[1] ? apply(aggregationOp, [x, gradient]) : undefined,
    ];
  },
};

/**
 * A 3×3 filter for every pixel, shared by the channels c ≡ i (mod s):
 *
 * y[n, c, h, w] = Σ_uv f[n, c mod s, 3u + v, h, w]·x[n, c, h + u − 1, w + v − 1], zeros outside.
 *
 * @param x [n, channels, height, width]
 * @param filters [n, s, 9, height, width], s dividing channels
 * @returns [n, channels, height, width]
 * @see Wang, Chen, Lin, Han, Ding: LSNet: See Large, Focus Small, 2025 (small-kernel aggregation)
 */
export function aggregate(x: Tensor, filters: Tensor): Tensor {
  requireDType('aggregate', 'f32', x, filters);
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [, sharing] = filters.shape as [number, number];
  const fits =
    x.rank === 4 && channels % sharing === 0 && filters.shape.join() === [n, sharing, 9, height, width].join();
  if (!fits)
    throw new Error(
      `aggregate: expected x [n, c, h, w] and filters [n, s, 9, h, w] with s dividing c, got ${formatShape(x.shape)} and ${formatShape(filters.shape)}`,
    );
  return apply(aggregationOp, [x, filters]);
}
