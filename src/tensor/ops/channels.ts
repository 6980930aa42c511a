// Normalisation over images: batch, group and instance norm of x [n, c, …pixels].

import { type Activation, activations } from '../../engine/index.js';
import { apply, applyAll, type Op, privately, requireDType } from '../apply.js';
import { throughReference } from '../reference.js';
import { formatShape, requireChoice, requireNumber, type Shape, sizeOf } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor.js';
import { add, divide, multiply, positiveMask, subtract } from './binary.js';
import { reshape } from './layout.js';
import { standardize } from './normalize.js';
import { center, mean, sum } from './reduce.js';
import { normalizeRows, normalizeRowsGradient } from './row-norm.js';
import { relu, rsqrt, square } from './unary.js';

function layoutOf(shape: Shape): { readonly images: number; readonly channels: number; readonly pixels: number } {
  return { images: shape[0] as number, channels: shape[1] as number, pixels: sizeOf(shape.slice(2)) };
}

/** Axes that batch statistics run over. */
function batchAxes(x: Tensor): number[] {
  return x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

/** A weight a channel, shaped to broadcast over x. */
function perChannel(weight: Tensor, x: Tensor): Tensor {
  return reshape(weight, [weight.size, ...x.shape.slice(2).map(() => 1)]);
}

interface Attributes {
  readonly epsilon: number;
  readonly activation: 'none' | 'relu';
}

/** The definition of batch norm: [y, mean, biased variance]. */
function batchNormReference([x, gamma, beta]: readonly Tensor[], { epsilon, activation }: Attributes): Tensor[] {
  const axes = batchAxes(x as Tensor);
  const { centered, mean: average } = center(x as Tensor, axes);
  const variance = mean(square(centered), axes);
  const scale = multiply(rsqrt(add(variance, epsilon)), gamma as Tensor);
  const y = add(multiply(centered, perChannel(scale, centered)), perChannel(beta as Tensor, centered));
  return [activation === 'relu' ? relu(y) : y, reshape(average, [-1]), variance];
}

const batchNormOp: Op<Attributes> = {
  name: 'batchNorm',
  multiplyAdds: 0,
  infer: ([x]) => {
    const { shape } = x as Tensor;
    const channels = [shape[1] as number];
    return [
      { shape, dtype: 'f32' },
      { shape: channels, dtype: 'f32' },
      { shape: channels, dtype: 'f32' },
    ];
  },
  compute(device, inputs, outputs, { epsilon, activation }) {
    const [x, gamma, beta] = inputs as [Tensor, Tensor, Tensor];
    const [y, average, variance] = outputs as [Tensor, Tensor, Tensor];
    if (x.rank === 2)
      return privately(() => normalizeRows(device, [x, gamma, beta], [y, average, variance], { epsilon, activation }));
    const { images, channels, pixels } = layoutOf(x.shape);
    privately(() => {
      const rest = emptyTensor([channels], 'f32', device);
      device.run('channelMoments', { x, mean: average, rest, variance, images, channels, pixels });
      const scale = multiply(rsqrt(add(variance, epsilon)), gamma);
      const shift = subtract(beta, multiply(rest, scale));
      device.run('channelAffine', {
        x,
        center: average,
        scale,
        shift,
        y,
        images,
        channels,
        pixels,
        activation: activations[activation],
      });
    });
  },
  vjp: (backward) => {
    const { inputs, outputs, gradients, attributes } = backward;
    // Gradients of the statistics are rare; the definition gives them.
    if (gradients[1] || gradients[2]) return throughReference(batchNormReference)(backward);
    const [x, gamma] = inputs as [Tensor, Tensor];
    const [y, average, variance] = outputs as [Tensor, Tensor, Tensor];
    const g = gradients[0] as Tensor;
    if (attributes.activation === 'none')
      return applyAll(batchNormGradientOp, [g, x, gamma, average, variance], attributes);
    return x.rank === 2
      ? applyAll(batchNormGradientOp, [g, x, gamma, average, variance, y], attributes)
      : applyAll(batchNormGradientOp, [positiveMask(g, y), x, gamma, average, variance], attributes);
  },
};

/**
 * (g, x, γ, mean, variance and, of rows after a ReLU, y) → gradients of x, γ, β. That the
 * statistics are functions of x matters to the reference alone.
 */
const batchNormGradientOp: Op<Attributes> = {
  name: 'batchNormGradient',
  multiplyAdds: 0,
  infer: ([, x, gamma]) => [
    { shape: (x as Tensor).shape, dtype: 'f32' },
    { shape: (gamma as Tensor).shape, dtype: 'f32' },
    { shape: (gamma as Tensor).shape, dtype: 'f32' },
  ],
  compute(device, inputs, outputs, { epsilon }) {
    const [g, x, gamma, average, variance, y] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor | undefined];
    const [dx, products, sums] = outputs as [Tensor, Tensor, Tensor];
    if (x.rank === 2)
      return privately(() =>
        normalizeRowsGradient(device, [g, x, gamma, average, variance, y], [dx, products, sums], epsilon),
      );
    const { images, channels, pixels } = layoutOf(x.shape);
    privately(() => {
      const inverse = rsqrt(add(variance, epsilon));
      const rest = emptyTensor([channels], 'f32', device);
      device.run('channelProducts', {
        g,
        x,
        mean: average,
        rest,
        inverse,
        sums,
        products,
        images,
        channels,
        pixels,
      });
      device.run('batchNormGradient', {
        g,
        x,
        mean: average,
        rest,
        inverse,
        gamma,
        sums,
        products,
        dx,
        images,
        channels,
        pixels,
      });
    });
  },
  vjp: throughReference(([given, x, gamma, , , y], { epsilon }) => {
    const g = y ? positiveMask(given as Tensor, y) : (given as Tensor);
    const axes = batchAxes(x as Tensor);
    const { centered } = center(x as Tensor, axes);
    const inverse = rsqrt(add(mean(square(centered), axes), epsilon));
    const standard = multiply(centered, perChannel(inverse, centered));
    const products = sum(multiply(g, standard), axes);
    const sums = sum(g, axes);
    const count = (x as Tensor).size / (gamma as Tensor).size;
    const flowing = subtract(
      subtract(g, perChannel(divide(sums, count), standard)),
      multiply(standard, perChannel(divide(products, count), standard)),
    );
    return [multiply(flowing, perChannel(multiply(inverse, gamma as Tensor), standard)), products, sums];
  }),
};

function requireChannels(operation: string, x: Tensor, ...weights: readonly Tensor[]): void {
  requireDType(operation, 'f32', x, ...weights);
  if (x.rank < 2) throw new Error(`${operation}: expected x [n, c, …], got ${formatShape(x.shape)}`);
  for (const weight of weights)
    if (weight.size !== x.shape[1]) throw new Error(`${operation}: expected ${x.shape[1]} weights, got ${weight}`);
}

/**
 * Batch norm by the statistics of the batch: y = (x − mean)/√(var + ε)·γ + β with mean and (biased)
 * variance of each channel over batch and pixels; then a ReLU if asked for.
 *
 * @param x [n, c, …]
 * @param gamma [c]
 * @param beta [c]
 * @returns y [n, c, …], mean [c], variance [c]
 * @see Ioffe, Szegedy: Batch Normalization, ICML 2015
 */
export function batchNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  epsilon = 1e-5,
  activation: 'none' | 'relu' = 'none',
): [y: Tensor, mean: Tensor, variance: Tensor] {
  requireChannels('batchNorm', x, gamma, beta);
  requireNumber('batchNorm', 'epsilon', epsilon);
  requireChoice('batchNorm', 'the activation', activation, ['none', 'relu']);
  return applyAll(batchNormOp, [x, gamma, beta], { epsilon, activation }) as [Tensor, Tensor, Tensor];
}

/**
 * The operation behind `channelAffine` and `batchNormInference`: activation(scale·(x − center) +
 * shift) by channel. Inputs: x, scale, shift and maybe center.
 */
export const channelAffineOp: Op<{ activation: Activation }> = {
  name: 'channelAffine',
  multiplyAdds: 0,
  infer: ([x]) => [{ shape: (x as Tensor).shape, dtype: 'f32' }],
  compute(device, [x, scale, shift, center], [y], { activation }) {
    const { images, channels, pixels } = layoutOf((x as Tensor).shape);
    device.run('channelAffine', {
      x: x as Tensor,
      center: center ?? null,
      scale: scale as Tensor,
      shift: shift as Tensor,
      y: y as Tensor,
      images,
      channels,
      pixels,
      activation: activations[activation],
    });
  },
  vjp: throughReference(([input, scale, shift, center]) => {
    const x = input as Tensor;
    const shifted = center ? subtract(x, perChannel(center, x)) : x;
    return [add(multiply(shifted, perChannel(scale as Tensor, x)), perChannel(shift as Tensor, x))];
  }),
};

/** y = x·scale[c] + shift[c] for each channel of x [n, c, …]: batch norm with fixed statistics. */
export function channelAffine(x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  requireChannels('channelAffine', x, scale, shift);
  return apply(channelAffineOp, [x, scale, shift], { activation: 'none' });
}

/** Batch norm by fixed statistics: (x − mean)/√(variance + ε)·γ + β, all [c]; x [n, c, …]. */
export function batchNormInference(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  average: Tensor,
  variance: Tensor,
  epsilon = 1e-5,
): Tensor {
  requireChannels('batchNormInference', x, gamma, beta, average, variance);
  requireNumber('batchNormInference', 'epsilon', epsilon);
  const scale = multiply(rsqrt(add(variance, epsilon)), gamma);
  return apply(channelAffineOp, [x, scale, beta, average], { activation: 'none' });
}

/**
 * Group norm: channels in `groups` groups, standardised over each group and its pixels, times γ,
 * plus β. One group for each channel is instance norm.
 *
 * @param x [n, c, …]
 * @param gamma [c]
 * @param beta [c]
 * @returns [n, c, …]
 * @throws RangeError unless `groups` divides the channels.
 * @see Wu, He: Group Normalization, ECCV 2018
 */
export function groupNorm(x: Tensor, groups: number, gamma?: Tensor, beta?: Tensor, epsilon = 1e-5): Tensor {
  requireChannels('groupNorm', x, ...[gamma, beta].flatMap((weight) => weight ?? []));
  const { images, channels } = layoutOf(x.shape);
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
    throw new RangeError(`groupNorm: ${channels} channels do not form ${groups} groups`);
  const [standard] = standardize(reshape(x, [images * groups, -1]), epsilon);
  const y = reshape(standard, x.shape);
  if (gamma && beta) return channelAffine(y, gamma, beta);
  const scaled = gamma ? multiply(y, perChannel(gamma, y)) : y;
  return beta ? add(scaled, perChannel(beta, scaled)) : scaled;
}
