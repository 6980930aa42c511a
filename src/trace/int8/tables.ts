// Functions of int8 values as tables of 256 bytes.

import { type Activation, activations, cpu } from '../../engine/index.js';
import { limitsOf, type Quantization } from '../../quantized/index.js';
import { emptyTensor, keep, ones, scope, type Tensor, tensor, zeros } from '../../tensor/index.js';

/** Values that a byte can have. */
const BYTES = 256;

/**
 * What each byte becomes: round(f(scale·(q − zero))/scale′) + zero′, for q from −128 on.
 *
 * @param of f, of f32 [1, 1, 16, 16]
 * @returns i8 [256]; undefined where f has a result that is not finite
 */
export function tableFor(of: (values: Tensor) => Tensor, from: Quantization, to: Quantization): Tensor | undefined {
  const results = scope(() => {
    const values = Float32Array.from({ length: BYTES }, (_, i) => from.scale * (i - 128 - from.zero));
    return of(tensor(values, [1, 1, 16, 16]))
      .view<Float32Array>()
      .slice();
  });
  if (!results.every(Number.isFinite)) return undefined;
  const [lowest, highest] = limitsOf(to);
  const quantum = (value: number) => Math.max(lowest, Math.min(highest, Math.round(value / to.scale) + to.zero));
  return keep(tensor(Int8Array.from(results, quantum)));
}

/** An activation of values. */
export function activated(x: Tensor, activation: Activation): Tensor {
  const y = emptyTensor(x.shape, 'f32');
  const [images, channels, pixels] = [1, 1, x.size];
  cpu.run('channelAffine', {
    ...{ x, y, center: null, scale: ones([1]), shift: zeros([1]), images, channels, pixels },
    activation: activations[activation],
  });
  return y;
}
