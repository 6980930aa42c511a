// Batched weights: B networks of one architecture in one pass, each on its own rows. Weights have a
// leading axis [B, …]; the first axis of x holds B·n rows, those of network 0 first.
// Layers without weights work unchanged; layers with weights use batched products or grouped
// convolutions.

import {
  add,
  type ConvolutionOptions,
  conv2d,
  matmul,
  multiply,
  permute,
  relu,
  requireChoice,
  reshape,
  type Tensor,
} from '../tensor/index.js';

/** Rows per network. @throws Error when the number of rows is not a multiple of the networks. */
function rowsPerNetwork(layer: string, x: Tensor, networks: number): number {
  const rows = x.shape[0] as number;
  if (rows % networks !== 0)
    throw new Error(`${layer}: ${rows} rows do not divide among ${networks} sets of weights: ${x}`);
  return rows / networks;
}

/** Sum or product of y [B·n, …, f] with a vector per network [B, f] or a shared one [f]. */
function withVector(operation: typeof add, y: Tensor, vector: Tensor): Tensor {
  if (vector.rank === 1) return operation(y, vector);
  const [networks, features] = vector.shape as [number, number];
  const perNetwork = reshape(y, [networks, -1, features]);
  return reshape(operation(perNetwork, reshape(vector, [networks, 1, features])), y.shape);
}

/**
 * y = activation(x·Wᵀ + b) for each network: x [B·n, …, in], W [B, out, in] or shared [out, in], b
 * [B, out] or shared [out] → [B·n, …, out].
 *
 * @throws Error when the rows of x are not a multiple of B.
 */
export function batchedLinear(x: Tensor, weight: Tensor, bias?: Tensor, activation: 'none' | 'relu' = 'none'): Tensor {
  const [outFeatures, inFeatures] = weight.shape.slice(-2) as [number, number];
  const networks = weight.rank === 3 ? (weight.shape[0] as number) : 1;
  rowsPerNetwork('Linear', x, networks);
  requireChoice('batchedLinear', 'the activation', activation, ['none', 'relu']);
  const perNetwork = reshape(x, [networks, -1, inFeatures]);
  const product = matmul(perNetwork, reshape(weight, [networks, outFeatures, inFeatures]), { transposeB: true });
  const y = reshape(product, [...x.shape.slice(0, -1), outFeatures]);
  const shifted = bias ? withVector(add, y, bias) : y;
  return activation === 'relu' ? relu(shifted) : shifted;
}

/**
 * A convolution for each network, as one convolution with B times the groups: x [B·n, c, h, w], W
 * [B, o, c / groups, kh, kw], b [B, o] or shared [o] → [B·n, o, h′, w′].
 *
 * @throws Error when the images of x are not a multiple of B.
 */
export function batchedConv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: ConvolutionOptions,
): Tensor {
  const [networks, filters, ...rest] = weight.shape as [number, number, ...number[]];
  const rows = rowsPerNetwork('Conv2d', x, networks);
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const interleaved = permute(reshape(x, [networks, rows, channels, height, width]), [1, 0, 2, 3, 4]);
  const y = conv2d(
    reshape(interleaved, [rows, networks * channels, height, width]),
    reshape(weight, [networks * filters, ...rest]),
    undefined,
    { ...options, groups: networks * (options.groups ?? 1) },
  );
  const [outHeight, outWidth] = y.shape.slice(2) as [number, number];
  const perNetwork = permute(reshape(y, [rows, networks, filters, outHeight, outWidth]), [1, 0, 2, 3, 4]);
  const shifted = bias
    ? add(perNetwork, reshape(bias, [bias.rank === 2 ? networks : 1, 1, filters, 1, 1]))
    : perNetwork;
  return reshape(shifted, [networks * rows, filters, outHeight, outWidth]);
}

/**
 * y·γ + β over the last axis, with gain γ and shift β per network [B, f] or shared [f]: y
 * [B·n, …, f].
 */
export function batchedAffine(y: Tensor, gain: Tensor, shift?: Tensor): Tensor {
  const scaled = withVector(multiply as typeof add, y, gain);
  return shift ? withVector(add, scaled, shift) : scaled;
}
