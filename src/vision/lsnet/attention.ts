// Spatial self-attention of LSNet's last stage.

import { type Mode, parameter } from '../../nn/index.js';
import {
  add,
  attention,
  gatherRows,
  permute,
  type Random,
  relu,
  reshape,
  slice,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from '../../tensor/index.js';
import type { ConvNorm } from '../blocks/conv-norm.js';
import { convNorm, depthwise, type FormOptions, type Merging, silence } from './parts.js';

/** Dimension of keys and queries in each head. */
const KEY_DEPTH = 16;

/**
 * Multi-head self-attention over all pixels with a learnt bias for each head and distance (|Δrow|,
 * |Δcolumn|), and a depthwise 3×3 convolution of the queries.
 */
export class SpatialAttention implements Merging<SpatialAttention> {
  /** Queries, keys and values: channels → 2·16·heads + channels. */
  readonly qkv: ConvNorm;
  readonly queryConv: ConvNorm;
  readonly project: ConvNorm;
  /** Position biases [heads, distances]. */
  biases: Tensor;
  readonly #pairs: Int32Array;

  constructor(
    readonly channels: number,
    readonly heads: number,
    readonly size: number,
    random: Random,
    { form = 'training' }: FormOptions = {},
  ) {
    const keys = KEY_DEPTH * heads;
    this.qkv = convNorm(channels, 2 * keys + channels, random, { form });
    this.queryConv = depthwise(keys, 3, random, { form });
    this.project = convNorm(channels, channels, random, { form });
    silence(this.project);
    const { pairs, count } = distances(size);
    this.#pairs = pairs;
    this.biases = parameter(zeros([heads, count]));
  }

  /**
   * x [n, channels, size, size] → x + project(ReLU(attention(x))), of the same shape.
   *
   * @throws Error when height or width differ from `size`
   */
  forward(x: Tensor, mode: Mode): Tensor {
    const [n, , height, width] = x.shape as [number, number, number, number];
    if (height !== this.size || width !== this.size)
      throw new Error(
        `LSNet: position biases are for a last map of ${this.size}×${this.size}, got ${height}×${width}; make the network with attentionSize for this size of image`,
      );
    const keys = KEY_DEPTH * this.heads;
    const all = this.qkv.forward(x, mode);
    const part = (from: number, to: number) => slice(all, null, [from, to]);
    const q = this.queryConv.forward(part(0, keys), mode);
    const pixels = height * width;
    // (n, heads·d, h, w) → (n, heads, pixels, d)
    const split = (y: Tensor) => permute(reshape(y, [n, this.heads, -1, pixels]), [0, 1, 3, 2]);
    const mask = reshape(transpose(gatherRows(transpose(this.biases), tensor(this.#pairs))), [
      1,
      this.heads,
      pixels,
      pixels,
    ]);
    const attended = attention(split(q), split(part(keys, 2 * keys)), split(part(2 * keys, 2 * keys + this.channels)), {
      mask,
    });
    const joined = reshape(permute(attended, [0, 1, 3, 2]), [n, this.channels, height, width]);
    return add(x, this.project.forward(relu(joined), mode));
  }

  mergeInto(target: SpatialAttention): void {
    this.qkv.mergeInto(target.qkv);
    this.queryConv.mergeInto(target.queryConv);
    this.project.mergeInto(target.project);
    target.biases.assign(this.biases);
  }
}

/**
 * For each pair of pixels the index of their distance (|Δrow|, |Δcolumn|), and the number of
 * distances.
 */
function distances(size: number): { pairs: Int32Array; count: number } {
  const indices = new Map<number, number>();
  const pairs = new Int32Array(size ** 4);
  for (let a = 0, at = 0; a < size ** 2; a++)
    for (let b = 0; b < size ** 2; b++, at++) {
      const rows = Math.abs(Math.floor(a / size) - Math.floor(b / size));
      const key = rows * size + Math.abs((a % size) - (b % size));
      if (!indices.has(key)) indices.set(key, indices.size);
      pairs[at] = indices.get(key) as number;
    }
  return { pairs, count: indices.size };
}
