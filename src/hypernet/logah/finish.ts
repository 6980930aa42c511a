// From decoded numbers to the parameters of a network: repeated to their size, and scaled.

import {
  add,
  concatenate,
  divide,
  mean,
  multiply,
  permute,
  reshape,
  type Shape,
  sigmoid,
  sizeOf,
  slice,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  tanh,
  zeros,
} from '../../tensor/index.js';
import { isPositionShape, type Shape4d, shape4d } from './sizes.js';

/**
 * How weights are scaled: `fan-in`, W·√(β/fan-in) for networks of pictures; `deviation`,
 * W/(std(W) + 10⁻⁷)·range for language models.
 */
export type WeightScaling =
  | { readonly kind: 'fan-in' }
  | { readonly kind: 'deviation' /** Deviation of the weights. */; readonly range: number };

/** Added to a deviation. */
export const TINY = 1e-7;

/**
 * Factor √(β/fan-in) of a weight: β = 2 for layers that a ReLU may follow, 1 for depthwise filters
 * and those wider than high.
 */
export function fanInFactor(shape: Shape): number {
  const isFilter = shape.length === 4;
  const noReLU = isFilter && (shape[1] === 1 || (shape[2] as number) < (shape[3] as number));
  return Math.sqrt((noReLU ? 1 : 2) / sizeOf(shape.slice(1)));
}

/** Scales weights [g, …shape]. */
export function scaledWeights(w: Tensor, scaling: WeightScaling): Tensor {
  const shape = w.shape.slice(1);
  if (scaling.kind === 'fan-in') return multiply(w, fanInFactor(shape));
  const axes = shape.map((_, axis) => axis + 1);
  const centred = subtract(w, mean(w, axes, { keepAxes: true }));
  const variance = divide(sum(square(centred), axes, { keepAxes: true }), Math.max(1, sizeOf(shape) - 1));
  return multiply(divide(w, add(sqrt(variance), TINY)), scaling.range);
}

/** Gains of norms, within (0, 2). */
export function scaledGains(g: Tensor): Tensor {
  return multiply(sigmoid(multiply(g, 0.5)), 2);
}

/** Biases, within (−1, 1). */
export function scaledBiases(b: Tensor): Tensor {
  return tanh(multiply(b, 0.2));
}

/** Repeats an axis of x and cuts it to a length. */
export function repeated(x: Tensor, axis: number, length: number): Tensor {
  const own = x.shape[axis] as number;
  if (own === length) return x;
  const copies = Math.ceil(length / own);
  const whole =
    copies === 1
      ? x
      : concatenate(
          Array.from({ length: copies }, () => x),
          axis,
        );
  return slice(whole, ...whole.shape.map((_, at): [number, number] | null => (at === axis ? [0, length] : null)));
}

/** Decoded weights [g, o, i, kh, kw] in the shape of the parameter: [g, …shape]. */
export function shaped(w: Tensor, shape: Shape): Tensor {
  const g = w.shape[0] as number;
  const [out, inner, height, width]: Shape4d = shape4d(shape);
  const tiled = repeated(repeated(w, 1, out), 2, inner);
  if (!isPositionShape(shape)) return reshape(tiled, [g, ...shape]);
  const [, positions, channels] = shape as [number, number, number];
  const rows = permute(reshape(tiled, [g, channels, height * width]), [0, 2, 1]); // [g, ⌊√L⌋², C]
  // A class token stands before a square of patches; its position is left at 0.
  const isClassed = positions === height * width + 1;
  const all = isClassed ? concatenate([zeros([g, 1, channels]), rows], 1) : repeated(rows, 1, positions);
  return reshape(all, [g, 1, positions, channels]);
}
