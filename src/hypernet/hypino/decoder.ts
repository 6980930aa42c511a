// The decoder: learned queries pool the tokens of every stage into one vector for each weight and
// each bias of the target network, and a small network turns it into that weight.

import { GroupNorm, joinHeads, Linear, parameter, splitHeads, type Weights } from '../../nn/index.js';
import {
  attention,
  broadcastTo,
  concatenate,
  gelu,
  multiply,
  type Random,
  reshape,
  slice,
  type Tensor,
} from '../../tensor/index.js';
import type { ModulatedMLP } from './target.js';

/** Hidden widths of the networks that make weights; the defaults are the paper's. */
export interface DecoderSizes {
  /** For the three maps of the Fourier features. Default: 2·features·width. */
  readonly input?: number;
  /** For the gated layers. Default: the width of the pooled tokens, 1920. */
  readonly latent?: number;
  /** For the output map and all biases. Default: 64, and half of it for the output's bias. */
  readonly small?: number;
  /**
   * Size of a code of all tokens of the last stage in their places, which every weight is also made
   * from; 0 for none, as in the paper. Pooling starts as a mean over places and is slow to tell
   * them apart, which short training cannot wait for. Default: 0.
   */
  readonly code?: number;
}

/** Multi-head attention of learned queries to tokens. */
class AttentionPooling {
  queries: Tensor;
  readonly q: Linear;
  readonly kv: Linear;
  readonly proj: Linear;

  constructor(
    readonly channels: number,
    readonly heads: number,
    slots: number,
    random: Random,
  ) {
    this.queries = parameter(random.normal([slots, channels]));
    this.q = new Linear(channels, channels, random);
    this.kv = new Linear(channels, 2 * channels, random);
    this.proj = new Linear(channels, channels, random);
  }

  /** Tokens [b, h, w, c] → [b, slots, c]. */
  forward(x: Tensor): Tensor {
    const { channels, heads, queries } = this;
    const batch = x.shape[0] as number;
    const both = this.kv.forward(reshape(x, [batch, -1, channels]));
    const [slots] = queries.shape as [number];
    const q = broadcastTo(reshape(this.q.forward(queries), [1, slots, channels]), [batch, slots, channels]);
    const part = (i: number) => splitHeads(slice(both, null, null, [i * channels, (i + 1) * channels]), heads);
    return this.proj.forward(joinHeads(attention(splitHeads(q, heads), part(0), part(1))));
  }
}

/** Linear, GELU, group norm, linear: a pooled vector → one weight of the target. */
class WeightHead {
  readonly up: Linear;
  readonly norm: GroupNorm;
  readonly down: Linear;

  constructor(inputs: number, hidden: number, outputs: number, random: Random) {
    this.up = new Linear(inputs, hidden, random);
    this.norm = new GroupNorm(hidden % 4 === 0 ? 4 : 1, hidden);
    this.down = new Linear(hidden, outputs, random);
  }

  forward(x: Tensor): Tensor {
    return this.down.forward(this.norm.forward(gelu(this.up.forward(x))));
  }
}

/** Share of the usual initial values that the last layer of a head starts from. */
const HEAD_SCALE = 0.3;

/** Tokens → the weights of a target network for each problem of a batch. */
export class WeightDecoder {
  /** Pooling of each stage. */
  readonly pools: readonly AttentionPooling[];
  /** The network behind each weight and bias. */
  readonly heads: readonly WeightHead[];
  /** Code of the last stage; undefined without one. */
  readonly code: Linear | undefined;
  readonly #target: ModulatedMLP;

  /** Heads start from Glorot's initial values of the target, which problems then move. */
  constructor(
    target: ModulatedMLP,
    stages: readonly { readonly channels: number; readonly heads: number; readonly side: number }[],
    random: Random,
    { input, latent, small = 64, code = 0 }: DecoderSizes = {},
  ) {
    this.#target = target;
    const slots = Object.entries(target.shapes);
    this.pools = stages.map(({ channels, heads }) => new AttentionPooling(channels, heads, slots.length, random));
    const last = stages.at(-1) as (typeof stages)[number];
    this.code = code > 0 ? new Linear(last.channels * last.side ** 2, code, random) : undefined;
    const width = stages.reduce((sum, { channels }) => sum + channels, code);
    const hiddenOf = (name: string) => {
      if (name === 'out.bias') return Math.max(1, small / 2);
      if (name.endsWith('.bias') || name === 'out.weight') return small;
      return name.startsWith('latent') ? (latent ?? width) : (input ?? 2 * target.features * target.width);
    };
    this.heads = slots.map(([name, [rows, columns]]) => {
      const outputs = (rows as number) * (columns as number);
      const head = new WeightHead(width, hiddenOf(name), outputs, random);
      const { weight, bias } = head.down;
      weight.assign(multiply(weight, HEAD_SCALE));
      if (name.endsWith('.weight'))
        bias?.assign(random.normal([outputs], 0, Math.sqrt(2 / ((rows as number) + (columns as number)))));
      return head;
    });
  }

  /** Tokens [b, h, w, c] of each stage → weights by name, each [b, …shape]. */
  forward(tokens: readonly Tensor[]): Weights {
    const pooled = this.pools.map((pool, i) => pool.forward(tokens[i] as Tensor));
    const [batch, slots] = (pooled[0] as Tensor).shape as [number, number, number];
    if (this.code) {
      const code = gelu(this.code.forward(reshape(tokens.at(-1) as Tensor, [batch, -1])));
      pooled.push(broadcastTo(reshape(code, [batch, 1, -1]), [batch, slots, code.shape[1] as number]));
    }
    const joined = concatenate(pooled, 2);
    const width = joined.shape[2] as number;
    return Object.fromEntries(
      Object.entries(this.#target.shapes).map(([name, shape], i) => {
        const own = reshape(slice(joined, null, [i, i + 1]), [batch, width]);
        return [name, reshape((this.heads[i] as WeightHead).forward(own), [batch, ...shape])];
      }),
    );
  }
}
