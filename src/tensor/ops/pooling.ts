// Pooling and resizing of NCHW images.

import type { ArgumentsOf, Device, Samples, Windows } from '../../engine/index.js';
import { apply, applyAll, type Op, onlyGradient, requireDType } from '../apply.js';
import { formatShape, requireChoice, requireCount, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { type Pair, pair } from './convolution.js';
import { reshape } from './layout.js';
import { mean } from './reduce.js';

function slidingWindows(operation: string, length: number, kernel: number, stride: number, padding: number): Windows {
  if (
    ![kernel, stride, padding].every(Number.isInteger) ||
    kernel < 1 ||
    stride < 1 ||
    padding < 0 ||
    2 * padding > kernel
  )
    throw new RangeError(
      `${operation}: expected kernel ≥ 1, stride ≥ 1 and 0 ≤ padding ≤ kernel / 2, got ${kernel}, ${stride} and ${padding}`,
    );
  const count = Math.floor((length + 2 * padding - kernel) / stride) + 1;
  if (count < 1)
    throw new Error(`${operation}: a window of ${kernel} does not fit ${length} pixels with padding ${padding}`);
  return Array.from({ length: count }, (_, i) => {
    const start = i * stride - padding;
    return [Math.max(start, 0), Math.min(start + kernel, length)] as const;
  });
}

/** `count` windows that cover the axis: [⌊i·length/count⌋, ⌈(i + 1)·length/count⌉). */
function adaptiveWindows(operation: string, length: number, count: number): Windows {
  requireCount(operation, 'the size of the grid', count, 1);
  if (length === 0) throw new Error(`${operation}: the images have no pixels`);
  return Array.from({ length: count }, (_, i) => [
    Math.floor((i * length) / count),
    Math.ceil(((i + 1) * length) / count),
  ]);
}

function planesOf(operation: string, x: Tensor): [planes: number, height: number, width: number] {
  requireDType(operation, 'f32', x);
  if (x.rank !== 4) throw new Error(`${operation}: expected images [n, c, h, w], got ${formatShape(x.shape)}`);
  const [n, c, height, width] = x.shape as [number, number, number, number];
  return [n * c, height, width];
}

function imagesLike(shape: Shape, height: number, width: number): Shape {
  return [...shape.slice(0, 2), height, width];
}

/** Options of pooling. */
export interface PoolOptions {
  /** Default the kernel's size. */
  readonly stride?: Pair;
  /** Default 0. */
  readonly padding?: Pair;
}

/** Attributes of pooling: the windows along each axis. */
export interface WindowAttributes {
  /** Windows along the height. */
  readonly rows: Windows;
  /** Windows along the width. */
  readonly columns: Windows;
  /** How the windows slide; left out for adaptive ones. */
  readonly sliding?: {
    readonly kernel: readonly [number, number];
    readonly stride: readonly [number, number];
    readonly padding: readonly [number, number];
  };
}

/**
 * The operation behind `maxPool2d` and `adaptiveMaxPool2d`; a second output holds the positions of
 * the maxima.
 */
export const maxPoolOp: Op<WindowAttributes> = {
  name: 'maxPool',
  multiplyAdds: 0,
  infer: ([x], { rows, columns }) => {
    const shape = imagesLike((x as Tensor).shape, rows.length, columns.length);
    return [
      { shape, dtype: 'f32' },
      { shape, dtype: 'i32' },
    ];
  },
  compute(device, [x], [y, positions], { rows, columns }) {
    const [planes, height, width] = planesOf('maxPool', x as Tensor);
    device.run('maxPool', {
      x: x as Tensor,
      y: y as Tensor,
      positions: positions as Tensor,
      planes,
      height,
      width,
      rows,
      columns,
    });
  },
  vjp: ({ inputs, outputs, gradients }) => [
    apply(unpoolOp, [gradients[0] as Tensor, outputs[1] as Tensor], { shape: (inputs[0] as Tensor).shape }),
  ],
};

function runPositions(
  device: Device,
  kernel: 'unpool' | 'pickPositions',
  values: Tensor,
  positions: Tensor,
  result: Tensor,
  image: Shape,
) {
  const [n, c, height, width] = image as [number, number, number, number];
  device.run(kernel, {
    values,
    positions,
    result,
    planes: n * c,
    count: positions.size / (n * c),
    size: height * width,
  });
}

const unpoolOp: Op<{ shape: Shape }> = {
  name: 'unpool',
  multiplyAdds: 0,
  infer: (_, { shape }) => [{ shape, dtype: 'f32' }],
  compute: (device, [values, positions], [y], { shape }) =>
    runPositions(device, 'unpool', values as Tensor, positions as Tensor, y as Tensor, shape),
  vjp: (backward) => [apply(pickOp, [onlyGradient(backward), backward.inputs[1] as Tensor]), undefined],
};

const pickOp: Op = {
  name: 'pickPositions',
  multiplyAdds: 0,
  infer: ([, positions]) => [{ shape: (positions as Tensor).shape, dtype: 'f32' }],
  compute: (device, [x, positions], [y]) =>
    runPositions(device, 'pickPositions', x as Tensor, positions as Tensor, y as Tensor, (x as Tensor).shape),
  vjp: (backward) => {
    const [x, positions] = backward.inputs as [Tensor, Tensor];
    return [apply(unpoolOp, [onlyGradient(backward), positions], { shape: x.shape }), undefined];
  },
};

/**
 * Largest value of each window; the gradient goes to the first of equals.
 *
 * @param x [n, c, h, w]
 * @returns [n, c, ⌊(h + 2·padding − kernel)/stride⌋ + 1, …]
 */
export function maxPool2d(x: Tensor, kernel: Pair, options: PoolOptions = {}): Tensor {
  return applyAll(maxPoolOp, [x], windowsOf('maxPool2d', x, kernel, options))[0] as Tensor;
}

/** Largest values over an even grid of `size` windows that cover the image. */
export function adaptiveMaxPool2d(x: Tensor, size: Pair): Tensor {
  const [, height, width] = planesOf('adaptiveMaxPool2d', x);
  const [rows, columns] = pair(size);
  const windows = {
    rows: adaptiveWindows('adaptiveMaxPool2d', height, rows),
    columns: adaptiveWindows('adaptiveMaxPool2d', width, columns),
  };
  return applyAll(maxPoolOp, [x], windows)[0] as Tensor;
}

function windowsOf(operation: string, x: Tensor, kernel: Pair, options: PoolOptions): WindowAttributes {
  const [, height, width] = planesOf(operation, x);
  const size = pair(kernel);
  const stride = pair(options.stride ?? kernel);
  const padding = pair(options.padding ?? 0);
  return {
    rows: slidingWindows(operation, height, size[0], stride[0], padding[0]),
    columns: slidingWindows(operation, width, size[1], stride[1], padding[1]),
    sliding: { kernel: size, stride, padding },
  };
}

/** Attributes of average pooling. */
export interface AverageAttributes extends WindowAttributes {
  /** Divisor of the sums; 0 for the number of pixels in the window. */
  readonly divisor: number;
  /** Shape of the input: [images, channels, height, width]. */
  readonly shape: Shape;
}

function averageArguments(
  x: Tensor,
  y: Tensor,
  { rows, columns, divisor, shape }: AverageAttributes,
): ArgumentsOf<'averagePool'> {
  const [n, c, height, width] = shape as [number, number, number, number];
  return { x, y, planes: n * c, height, width, rows, columns, divisor };
}

/** The operation behind `averagePool2d` and `adaptiveAveragePool2d`. */
export const averagePoolOp: Op<AverageAttributes> = {
  name: 'averagePool',
  multiplyAdds: 0,
  infer: ([x], { rows, columns }) => [
    { shape: imagesLike((x as Tensor).shape, rows.length, columns.length), dtype: 'f32' },
  ],
  compute: (device, [x], [y], attributes) =>
    device.run('averagePool', averageArguments(x as Tensor, y as Tensor, attributes)),
  vjp: (backward) => [apply(averageUnpoolOp, [onlyGradient(backward)], backward.attributes)],
};

const averageUnpoolOp: Op<AverageAttributes> = {
  name: 'averageUnpool',
  multiplyAdds: 0,
  infer: (_, { shape }) => [{ shape, dtype: 'f32' }],
  compute: (device, [y], [x], attributes) =>
    device.run('averageUnpool', averageArguments(x as Tensor, y as Tensor, attributes)),
  vjp: (backward) => [apply(averagePoolOp, [onlyGradient(backward)], backward.attributes)],
};

/**
 * Mean of each window.
 *
 * @param x [n, c, h, w]
 * @param options `countPadding` (the default, as in PyTorch) divides by the kernel's size at the
 * border too
 * @returns [n, c, ⌊(h + 2·padding − kernel)/stride⌋ + 1, …]
 */
export function averagePool2d(
  x: Tensor,
  kernel: Pair,
  { countPadding = true, ...options }: PoolOptions & { readonly countPadding?: boolean } = {},
): Tensor {
  const [kernelHeight, kernelWidth] = pair(kernel);
  const windows = windowsOf('averagePool2d', x, kernel, options);
  return apply(averagePoolOp, [x], {
    ...windows,
    divisor: countPadding ? kernelHeight * kernelWidth : 0,
    shape: x.shape,
  });
}

/** Means over an even grid of `size` windows that cover the image. */
export function adaptiveAveragePool2d(x: Tensor, size: Pair): Tensor {
  const [, height, width] = planesOf('adaptiveAveragePool2d', x);
  const [rows, columns] = pair(size);
  const windows = {
    rows: adaptiveWindows('adaptiveAveragePool2d', height, rows),
    columns: adaptiveWindows('adaptiveAveragePool2d', width, columns),
  };
  return apply(averagePoolOp, [x], { ...windows, divisor: 0, shape: x.shape });
}

/** Mean over all pixels: x [n, c, h, w] → [n, c]. */
export function globalAveragePool(x: Tensor): Tensor {
  planesOf('globalAveragePool', x);
  return mean(x, [2, 3]);
}

/** Attributes of interpolation: the samples along each axis. */
export interface ResizeAttributes {
  /** Samples along the height. */
  readonly rows: Samples;
  /** Samples along the width. */
  readonly columns: Samples;
  /** Shape of the input: [images, channels, height, width]. */
  readonly shape: Shape;
  /** Interpolation between pixels. */
  readonly mode: 'bilinear' | 'nearest';
  /** Whether the centres of the corner pixels of input and output coincide. */
  readonly alignCorners: boolean;
}

function resizeArguments(x: Tensor, y: Tensor, { rows, columns, shape }: ResizeAttributes): ArgumentsOf<'resize'> {
  const [n, c, height, width] = shape as [number, number, number, number];
  return { x, y, planes: n * c, height, width, rows, columns };
}

/** The operation behind `resize`. */
export const resizeOp: Op<ResizeAttributes> = {
  name: 'resize',
  multiplyAdds: 0,
  infer: ([x], { rows, columns }) => [
    { shape: imagesLike((x as Tensor).shape, rows.length, columns.length), dtype: 'f32' },
  ],
  compute: (device, [x], [y], attributes) =>
    device.run('resize', resizeArguments(x as Tensor, y as Tensor, attributes)),
  vjp: (backward) => [apply(resizeTransposedOp, [onlyGradient(backward)], backward.attributes)],
};

const resizeTransposedOp: Op<ResizeAttributes> = {
  name: 'resizeTransposed',
  multiplyAdds: 0,
  infer: (_, { shape }) => [{ shape, dtype: 'f32' }],
  compute: (device, [y], [x], attributes) =>
    device.run('resizeTransposed', resizeArguments(x as Tensor, y as Tensor, attributes)),
  vjp: (backward) => [apply(resizeOp, [onlyGradient(backward)], backward.attributes)],
};

function samples(length: number, count: number, mode: 'bilinear' | 'nearest', alignCorners: boolean): Samples {
  return Array.from({ length: count }, (_, i) => {
    if (mode === 'nearest') {
      const at = Math.min(length - 1, Math.floor((i * length) / count));
      return [at, at, 0] as const;
    }
    const position = alignCorners
      ? count === 1
        ? 0
        : (i * (length - 1)) / (count - 1)
      : Math.max(0, ((i + 0.5) * length) / count - 0.5);
    const low = Math.min(length - 1, Math.floor(position));
    return [low, Math.min(low + 1, length - 1), position - low] as const;
  });
}

/** Options of `resize`. */
export interface ResizeOptions {
  /** Default `'bilinear'`. */
  readonly mode?: 'bilinear' | 'nearest';
  /**
   * Bilinear alone: align the centres of corner pixels, else (the default) the image's edges
   * (half-pixel).
   */
  readonly alignCorners?: boolean;
}

/**
 * Interpolates images to another size, as PyTorch's `interpolate`: x [n, c, h, w] → [n, c, size[0],
 * size[1]].
 */
export function resize(x: Tensor, size: Pair, { mode = 'bilinear', alignCorners = false }: ResizeOptions = {}): Tensor {
  const [, height, width] = planesOf('resize', x);
  const [rows, columns] = pair(size);
  requireChoice('resize', 'the mode', mode, ['bilinear', 'nearest']);
  if (!(Number.isInteger(rows) && Number.isInteger(columns) && rows > 0 && columns > 0 && height * width > 0))
    throw new RangeError(`resize: cannot make ${rows}×${columns} of ${formatShape(x.shape)}`);
  return apply(resizeOp, [x], {
    rows: samples(height, rows, mode, alignCorners),
    columns: samples(width, columns, mode, alignCorners),
    shape: x.shape,
    mode,
    alignCorners,
  });
}

/** Max pooling of sequences [n, c, length]. */
export function maxPool1d(x: Tensor, kernel: number, options: { stride?: number; padding?: number } = {}): Tensor {
  requireDType('maxPool1d', 'f32', x);
  if (x.rank !== 3) throw new Error(`maxPool1d: expected sequences [n, c, length], got ${formatShape(x.shape)}`);
  const [n, c, length] = x.shape as [number, number, number];
  const y = maxPool2d(reshape(x, [n, c, 1, length]), [1, kernel], {
    stride: [1, options.stride ?? kernel],
    padding: [0, options.padding ?? 0],
  });
  return reshape(y, [n, c, -1]);
}
