// Several sets of weights at once: B networks of one architecture, each on its own rows. Weights have a leading axis [B, …]; the first axis of x holds B·n rows, those of network 0 first.
// Layers without weights work unchanged; layers with weights see the extra axis and take batched products or grouped convolutions.

import {
  add,
  type ConvolutionOptions,
  conv2d,
  matmul,
  multiply,
  permute,
  relu,
  reshape,
  type Tensor,
} from '../tensor/index.js';

/** Rows of each network. @throws Error when the rows do not divide among them */
function rowsEach(layer: string, x: Tensor, networks: number): number {
  const rows = x.shape[0] as number;
  if (rows % networks !== 0)
    throw new Error(`${layer}: ${rows} rows do not divide among ${networks} sets of weights: ${x}`);
  return rows / networks;
}

/** Adds or multiplies per network: y [B·n, …, f] with a vector [B, f] or, shared, [f]. */
function withVector(operation: typeof add, y: Tensor, vector: Tensor): Tensor {
  if (vector.rank === 1) return operation(y, vector);
  const [networks, features] = vector.shape as [number, number];
  const apart = reshape(y, [networks, -1, features]);
  return reshape(operation(apart, reshape(vector, [networks, 1, features])), y.shape);
}

/** y = x·Wᵀ + b for each network: x [B·n, …, in], W [B, out, in] or shared [out, in], b [B, out] or [out]. */
export function batchedLinear(x: Tensor, weight: Tensor, bias?: Tensor, activation: 'none' | 'relu' = 'none'): Tensor {
  const [outFeatures, inFeatures] = weight.shape.slice(-2) as [number, number];
  const networks = weight.rank === 3 ? (weight.shape[0] as number) : 1;
  rowsEach('Linear', x, networks);
  const apart = reshape(x, [networks, -1, inFeatures]);
  const product = matmul(apart, reshape(weight, [networks, outFeatures, inFeatures]), { transposeB: true });
  const y = reshape(product, [...x.shape.slice(0, -1), outFeatures]);
  const shifted = bias ? withVector(add, y, bias) : y;
  return activation === 'relu' ? relu(shifted) : shifted;
}

/** A convolution for each network, all in one of B times the groups: x [B·n, c, h, w], W [B, o, c / groups, kh, kw], b [B, o] or [o]. */
export function batchedConv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: ConvolutionOptions,
): Tensor {
  const [networks, filters, ...rest] = weight.shape as [number, number, ...number[]];
  const each = rowsEach('Conv2d', x, networks);
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const across = permute(reshape(x, [networks, each, channels, height, width]), [1, 0, 2, 3, 4]);
  const y = conv2d(
    reshape(across, [each, networks * channels, height, width]),
    reshape(weight, [networks * filters, ...rest]),
    undefined,
    { ...options, groups: networks * (options.groups ?? 1) },
  );
  const [outHeight, outWidth] = y.shape.slice(2) as [number, number];
  const apart = permute(reshape(y, [each, networks, filters, outHeight, outWidth]), [1, 0, 2, 3, 4]);
  const shifted = bias ? add(apart, reshape(bias, [bias.rank === 2 ? networks : 1, 1, filters, 1, 1])) : apart;
  return reshape(shifted, [networks * each, filters, outHeight, outWidth]);
}

/** y·γ + β with a gain and a shift for each network over the last axis: [B, f] or, shared, [f]. */
export function batchedAffine(y: Tensor, gain: Tensor, shift?: Tensor): Tensor {
  const scaled = withVector(multiply as typeof add, y, gain);
  return shift ? withVector(add, scaled, shift) : scaled;
}
