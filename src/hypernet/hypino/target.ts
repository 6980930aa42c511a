// The network that is generated: a modulated MLP of (x, y) (Wang, Teng, Perdikaris, "Understanding
// and Mitigating Gradient Flow Pathologies in Physics-Informed Neural Networks", 2021).
//
//   U = tanh(φW_u + b_u), V = tanh(φW_v + b_v), h = tanh(φW₀ + b₀), φ = Fourier features of (x, y)
//   n times: h ← U⊙h + V⊙(1 − h), h ← tanh(hW + b); u = hW_out + b_out

import {
  type Jet,
  type JetOrder,
  jetAdd,
  jetLength,
  jetLinear,
  jetMultiply,
  jetSubtract,
  jetTanh,
  type Weights,
} from '../../nn/index.js';
import { type Shape, sizeOf, type Tensor, tensor } from '../../tensor/index.js';

/** Sizes of a target network. */
export interface ModulatedSizes {
  /** Width of its layers. Default: 32. */
  readonly width?: number;
  /** n, number of gated layers. Default: 3. */
  readonly latents?: number;
  /** k, frequencies of the Fourier features of each coordinate. Default: 5. */
  readonly frequencies?: number;
}

/** Lowest frequency of the Fourier features: sin(2π·0.1·2ʲ·v). */
export const LOWEST = 0.1;

/** A network u(x, y) whose weights are given: names, shapes and the pass. */
export class ModulatedMLP {
  /** Width of the layers. */
  readonly width: number;
  /** Number of gated layers. */
  readonly latents: number;
  /** Frequencies of each coordinate. */
  readonly frequencies: number;
  /** Shapes [in, out] of weights and [1, out] of biases by name, weights first. */
  readonly shapes: Readonly<Record<string, Shape>>;

  /** @throws RangeError unless all sizes are whole and positive */
  constructor({ width = 32, latents = 3, frequencies = 5 }: ModulatedSizes = {}) {
    if (![width, latents, frequencies].every((n) => Number.isInteger(n) && n > 0))
      throw new RangeError(`ModulatedMLP: sizes must be whole and positive: ${width}, ${latents}, ${frequencies}`);
    [this.width, this.latents, this.frequencies] = [width, latents, frequencies];
    const layers = this.layers;
    this.shapes = Object.fromEntries([
      ...layers.map(({ name, inputs, outputs }) => [`${name}.weight`, [inputs, outputs]]),
      ...layers.map(({ name, outputs }) => [`${name}.bias`, [1, outputs]]),
    ]);
  }

  /** Fourier features of a point: 2(2k + 1). */
  get features(): number {
    return 2 * (2 * this.frequencies + 1);
  }

  /** Linear layers in order: U, V, the first, the gated ones, the output. */
  get layers(): readonly { readonly name: string; readonly inputs: number; readonly outputs: number }[] {
    const { features: inputs, width, latents } = this;
    return [
      ...['u', 'v', 'first'].map((name) => ({ name, inputs, outputs: width })),
      ...Array.from({ length: latents }, (_, i) => ({ name: `latent.${i}`, inputs: width, outputs: width })),
      { name: 'out', inputs: width, outputs: 1 },
    ];
  }

  /** Number of weights and biases: 5,409 by default. */
  get size(): number {
    return Object.values(this.shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);
  }

  /**
   * The jet of the Fourier features at points.
   *
   * @param points x and y of each [count, 2]; networks with points of their own have them in turn
   * @param networks over how many networks the points are shared out; 1: all see the same
   * @returns tensors [networks, count / networks, features]
   */
  featuresAt(points: Float32Array, order: JetOrder, networks = 1): Jet {
    const { frequencies, features } = this;
    const count = points.length / 2;
    const half = features / 2;
    const parts = Array.from({ length: jetLength(order) }, () => new Float32Array(count * features));
    for (let p = 0; p < count; p++)
      for (const axis of [0, 1] as const) {
        const v = points[2 * p + axis] as number;
        const at = p * features + axis * half;
        // Features of a coordinate have derivatives along it alone.
        const [value, slope, bend] = [parts[0], parts[1 + axis], parts[3 + axis]];
        for (let j = 0; j < frequencies; j++) {
          const w = 2 * Math.PI * LOWEST * 2 ** j;
          const [sine, cosine] = [Math.sin(w * v), Math.cos(w * v)];
          (value as Float32Array)[at + j] = sine;
          (value as Float32Array)[at + frequencies + j] = cosine;
          if (slope) {
            slope[at + j] = w * cosine;
            slope[at + frequencies + j] = -w * sine;
          }
          if (bend) {
            bend[at + j] = -w * w * sine;
            bend[at + frequencies + j] = -w * w * cosine;
          }
        }
        (value as Float32Array)[at + half - 1] = v;
        if (slope) slope[at + half - 1] = 1;
      }
    return parts.map((part) => tensor(part).reshape([networks, count / networks, features]));
  }

  /**
   * u with its derivatives.
   *
   * @param weights by the names of `shapes`, each [B, …shape]
   * @param features of `featuresAt`, for one network or for B
   * @returns tensors [B, count]
   */
  forward(weights: Weights, features: Jet): Jet {
    const layer = (name: string, input: Jet) =>
      jetLinear(input, weights[`${name}.weight`] as Tensor, weights[`${name}.bias`]);
    const u = jetTanh(layer('u', features));
    const v = jetTanh(layer('v', features));
    const difference = jetSubtract(u, v);
    let h = jetTanh(layer('first', features));
    // U⊙h + V⊙(1 − h) = V + (U − V)⊙h
    for (let i = 0; i < this.latents; i++) h = jetTanh(layer(`latent.${i}`, jetAdd(v, jetMultiply(difference, h))));
    return layer('out', h).map((part) => part.reshape(part.shape.slice(0, 2)));
  }
}
