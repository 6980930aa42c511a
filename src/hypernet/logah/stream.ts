// Prediction piece by piece: tensors in order, each in parts of a few million numbers, so that a
// network that is larger than memory can be written to a file as it is made.

import { matmul, reshape, type Shape, scope, sizeOf, slice, type Tensor } from '../../tensor/index.js';
import { convolutionOf, LowRankDecoder, type WeightDecoder } from './decoder.js';
import type { EncodedGraph } from './encoded-graph.js';
import { fanInFactor, repeated, scaledBiases, scaledGains, shaped, TINY } from './finish.js';
import type { LoGAH } from './hypernet.js';
import { isPositionShape, shape4d } from './sizes.js';
import { decodedOf, isTiled, isVectorTarget, type Target, targetsOf } from './targets.js';

/** A predicted parameter, whose values are made when they are asked for. */
export interface PredictedTensor {
  /** Name of the parameter. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
  /** Whether it repeats a smaller part, since it is wider than the decoder. */
  readonly tiled: boolean;
  /** Its values in row-major order, in parts; each part is valid until the next is asked for. */
  values(): Iterable<Float32Array>;
}

/** Most numbers of a part. */
const PART = 2 ** 22;

/**
 * The predicted parameters of a network in order of its nodes. Memory beyond the hypernetwork is
 * that of the vectors of the nodes, of two factors, and of one part.
 */
export function* predictedTensors(ghn: LoGAH, graph: EncodedGraph): Generator<PredictedTensor> {
  const vectors = scope(() => ghn.encoder.forward(graph));
  const [, features] = vectors.shape as [number, number];
  for (const target of targetsOf(graph.graph)) {
    const x = scope(() => slice(vectors, [target.node, target.node + 1], [0, features]));
    const { name, shape, pairedBias } = target;
    const tiled = isTiled(ghn.decoder, target);
    if (!isVectorTarget(target)) yield { name, shape, tiled, values: () => weightParts(ghn, x, target) };
    else {
      yield { name, shape, tiled, values: () => vectorPart(ghn, x, target, target.kind === 'gain' ? 'gain' : 'bias') };
      if (pairedBias !== undefined)
        yield { name: pairedBias, shape, tiled, values: () => vectorPart(ghn, x, target, 'bias') };
    }
  }
}

/** A gain or a bias, whole. */
function* vectorPart(
  { decoder }: LoGAH,
  x: Tensor,
  { shape, classifier }: Target,
  what: 'gain' | 'bias',
): Generator<Float32Array> {
  const length = shape[0] as number;
  yield scope(() => {
    const both = decoder.vectors(x, decoder.decodedLength(length), classifier);
    const at = what === 'gain' ? 0 : 1;
    const row = repeated(reshape(slice(both, null, [at, at + 1]), [1, -1]), 1, length);
    return (what === 'gain' ? scaledGains(row) : scaledBiases(row)).dataSync<Float32Array>();
  });
}

/** A weight in parts of whole output channels, scaled. */
function* weightParts(ghn: LoGAH, x: Tensor, target: Target): Generator<Float32Array> {
  const { scaling, decoder } = ghn;
  const parts = () => rawParts(decoder, x, target);
  const { kind, shape } = target;
  if (kind === 'embedding') {
    yield* parts();
    return;
  }
  const factor = scaling.kind === 'fan-in' ? fanInFactor(shape) : scaling.range / (deviationOf(parts()) + TINY);
  for (const part of parts()) {
    for (let i = 0; i < part.length; i++) part[i] = (part[i] as number) * factor;
    yield part;
  }
}

/** Unbiased standard deviation of all parts together. */
function deviationOf(parts: Iterable<Float32Array>): number {
  let [count, sum, squares] = [0, 0, 0];
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) {
      const value = part[i] as number;
      sum += value;
      squares += value * value;
    }
    count += part.length;
  }
  return Math.sqrt(Math.max(0, squares - (sum * sum) / count) / Math.max(1, count - 1));
}

function* rawParts(decoder: WeightDecoder, x: Tensor, target: Target): Generator<Float32Array> {
  const { shape, classifier } = target;
  if (!(decoder instanceof LowRankDecoder) || isPositionShape(shape)) {
    yield scope(() =>
      shaped(decoder.weights(x, decodedOf(decoder, shape), classifier), shape).dataSync<Float32Array>(),
    );
    return;
  }
  const [out, inner] = shape4d(shape);
  const decoded = decodedOf(decoder, shape);
  const [rows, columns, kh, kw] = decoded;
  const { a, b } = scope(() => decoder.factors(x, rows * kh, columns * kw));
  try {
    const channels = Math.max(1, Math.floor(PART / (sizeOf(shape) / out)));
    for (let start = 0; start < out; ) {
      const own = start % rows; // rows beyond those of the factors repeat them
      const count = Math.min(channels, rows - own, out - start);
      yield scope(() => {
        const product = matmul(slice(a, null, [own * kh, (own + count) * kh]), b, { transposeB: true });
        return repeated(convolutionOf(product, [count, columns, kh, kw]), 2, inner).dataSync<Float32Array>();
      });
      start += count;
    }
  } finally {
    a.dispose();
    b.dispose();
  }
}
