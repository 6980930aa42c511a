// A decoder for inference: weights in their own formats, keys and values cached. Llama, Qwen2, Qwen3 and Qwen3-MoE are one assembly of the same parts:
//   h ← h + W_o·attention(rope(norm(W_q x)), rope(norm(W_k x)), W_v x),  x = RMSNorm(h)
//   h ← h + W_down(SiLU(W_gate x) ⊙ W_up x), or the same by the chosen experts.

import type { GgufFile } from '../../data/index.js';
import { cpu } from '../../engine/index.js';
import { joinHeads, splitHeads } from '../../nn/index.js';
import {
  add,
  emptyTensor,
  multiply,
  type RotaryTables,
  rmsNorm,
  rotary,
  rotaryTables,
  scope,
  silu,
  slice,
  softmax,
  type Tensor,
  tensor,
  topK,
} from '../../tensor/index.js';
import { KeyValueCache } from './cache.js';
import { configOfGguf, type LanguageModelConfig } from './config.js';
import { type GlobalRole, ggufWeights, type LayerRole, type WeightMatrix, type WeightSource } from './weights.js';

interface FeedForwardWeights {
  readonly gate: WeightMatrix;
  readonly up: WeightMatrix;
  readonly down: WeightMatrix;
}

interface LayerWeights {
  readonly attentionNorm: Tensor;
  readonly q: WeightMatrix;
  readonly k: WeightMatrix;
  readonly v: WeightMatrix;
  readonly o: WeightMatrix;
  readonly biases: readonly [q: Tensor | undefined, k: Tensor | undefined, v: Tensor | undefined];
  readonly qNorm: Tensor | undefined;
  readonly kNorm: Tensor | undefined;
  readonly feedForwardNorm: Tensor;
  readonly router: WeightMatrix | undefined;
  /** One, or one for each expert. */
  readonly feedForward: readonly FeedForwardWeights[];
}

/** Tokens that one pass reads at most: longer prompts go through in parts. */
const PASS = 512;

export class LanguageModel {
  readonly #embedding: WeightMatrix;
  readonly #layers: readonly LayerWeights[];
  readonly #norm: Tensor;
  readonly #head: WeightMatrix;

  /** @throws Error naming the weight that is missing or of another shape. */
  constructor(
    readonly config: LanguageModelConfig,
    source: WeightSource,
  ) {
    const { layers, vocabulary, features } = config;
    const loader = new Loader(source);
    this.#embedding = loader.matrix('embedding', undefined, [vocabulary, features]);
    this.#norm = loader.vector('norm', undefined, features);
    this.#layers = Array.from({ length: layers }, (_, layer) => loadLayer(loader, config, layer));
    this.#head = source.matrix('head') ?? this.#embedding;
    loader.require(this.#head, 'head', undefined, [vocabulary, features]);
  }

  /** From a GGUF file. */
  static fromGguf(file: GgufFile): LanguageModel {
    const embedding = file.tensors.get('token_embd.weight');
    if (!embedding) throw new Error('the file has no tensor "token_embd.weight": it is no language model');
    return new LanguageModel(configOfGguf(file.metadata, embedding.shape[0] as number), ggufWeights(file));
  }

  /** Bytes of weights that one token reads. */
  get bytesPerToken(): number {
    const { experts } = this.config;
    const each = this.#layers.map(({ q, k, v, o, router, feedForward }) => {
      const chosen = experts ? feedForward.slice(0, experts.k) : feedForward;
      const parts = [
        q,
        k,
        v,
        o,
        ...(router ? [router] : []),
        ...chosen.flatMap(({ gate, up, down }) => [gate, up, down]),
      ];
      return parts.reduce((sum, { bytes }) => sum + bytes, 0);
    });
    return each.reduce((a, b) => a + b, this.#head.bytes);
  }

  /** An empty cache for it. */
  cache(limit = this.config.context): KeyValueCache {
    return new KeyValueCache(this.config, limit);
  }

  /**
   * Logits after tokens that follow those in the cache; they are in it afterwards.
   *
   * @param all logits of every token [tokens, vocabulary], else of the last alone [1, vocabulary]
   * @throws RangeError when a token is not in the vocabulary, or the context is full.
   */
  forward(tokens: ArrayLike<number>, cache: KeyValueCache, { all = false } = {}): Tensor {
    const { vocabulary } = this.config;
    for (let i = 0; i < tokens.length; i++)
      if (!((tokens[i] as number) >= 0 && (tokens[i] as number) < vocabulary))
        throw new RangeError(`token ${tokens[i]} is not in the vocabulary of ${vocabulary}`);
    if (tokens.length === 0) throw new RangeError('forward: at least one token is needed');
    cache.reserve(tokens.length);
    if (all) return this.#pass(Array.from(tokens), cache, true);
    const parts: number[][] = [];
    for (let at = 0; at < tokens.length; at += PASS)
      parts.push(Array.from({ length: Math.min(PASS, tokens.length - at) }, (_, i) => tokens[at + i] as number));
    const last = parts.pop() as number[];
    for (const part of parts) scope(() => this.#hidden(part, cache));
    return this.#pass(last, cache, false);
  }

  #pass(tokens: readonly number[], cache: KeyValueCache, all: boolean): Tensor {
    return scope(() => {
      const hidden = this.#hidden(tokens, cache);
      const wanted = all ? hidden : slice(hidden, [tokens.length - 1, tokens.length]);
      return this.#head.multiply(rmsNorm(wanted, this.#norm, this.config.epsilon));
    });
  }

  /** [tokens, features] */
  #hidden(tokens: readonly number[], cache: KeyValueCache): Tensor {
    const { headDim, ropeBase } = this.config;
    const tables = rotaryTables(tokens.length, headDim, { base: ropeBase, start: cache.length });
    let h = this.#embedding.rowsAt(tokens);
    this.#layers.forEach((layer, index) => {
      // What a layer made dies with it, but for its result.
      h = scope(() => this.#feedForward(layer, this.#attention(layer, index, h, tables, cache)));
    });
    cache.advance(tokens.length);
    return h;
  }

  #attention(layer: LayerWeights, index: number, h: Tensor, tables: RotaryTables, cache: KeyValueCache): Tensor {
    const { heads, keyHeads, headDim, epsilon, interleaved } = this.config;
    const x = rmsNorm(h, layer.attentionNorm, epsilon);
    const project = (matrix: WeightMatrix, bias: Tensor | undefined, count: number) => {
      const y = matrix.multiply(x);
      return splitHeads((bias ? add(y, bias) : y).reshape([1, x.shape[0] as number, count * headDim]), count);
    };
    const turned = (y: Tensor, norm: Tensor | undefined) =>
      rotary(norm ? rmsNorm(y, norm, epsilon) : y, tables, interleaved);
    const [qBias, kBias, vBias] = layer.biases;
    const q = turned(project(layer.q, qBias, heads), layer.qNorm);
    const k = turned(project(layer.k, kBias, keyHeads), layer.kNorm);
    const v = project(layer.v, vBias, keyHeads);
    const seen = this.#attend(q, cache.append(index, k, v), cache);
    return add(h, layer.o.multiply(joinHeads(seen).reshape([x.shape[0] as number, heads * headDim])));
  }

  /** Attention of q [1, heads, tokens, headDim] over the cache's tokens and its own. */
  #attend(
    q: Tensor,
    { keys, values }: { readonly keys: Tensor; readonly values: Tensor },
    cache: KeyValueCache,
  ): Tensor {
    const { heads, keyHeads, headDim, window } = this.config;
    const count = q.shape[2] as number;
    const y = emptyTensor(q.shape, 'f32');
    const logSums = emptyTensor([1, heads, count, 1], 'f32');
    const stride = cache.capacity * headDim;
    const sizes = [1, heads, keyHeads, count, cache.length + count, headDim, headDim];
    cpu.run('attention', [
      ...[q, keys, values, null, y, logSums],
      ...sizes,
      1,
      window,
      0,
      0,
      1 / Math.sqrt(headDim),
      stride,
      stride,
    ]);
    return y;
  }

  #feedForward(layer: LayerWeights, h: Tensor): Tensor {
    const x = rmsNorm(h, layer.feedForwardNorm, this.config.epsilon);
    const [only] = layer.feedForward;
    return add(h, layer.router ? this.#mixture(layer, layer.router, x) : gated(only as FeedForwardWeights, x));
  }

  /** Σ over each token's k experts of gate·expert(x): each expert once, on the tokens that chose it. */
  #mixture({ feedForward }: LayerWeights, router: WeightMatrix, x: Tensor): Tensor {
    const { k, normalised } = this.config.experts as NonNullable<LanguageModelConfig['experts']>;
    const [chosen, positions] = topK(softmax(router.multiply(x)), k);
    const gates = chosen.dataSync<Float32Array>();
    const experts = positions.dataSync<Int32Array>();
    const [tokens, features] = x.shape as [number, number];
    const y = new Float32Array(tokens * features);
    const rows = new Map<number, number[]>();
    experts.forEach((expert, slot) => {
      const own = rows.get(expert);
      if (own) own.push(slot);
      else rows.set(expert, [slot]);
    });
    for (const [expert, slots] of rows) {
      const own = slots.map((slot) => Math.floor(slot / k));
      const made = gated(feedForward[expert] as FeedForwardWeights, x.gatherRows(tensor(Int32Array.from(own)))).view();
      slots.forEach((slot, i) => {
        const token = own[i] as number;
        const total = normalised ? gates.subarray(token * k, (token + 1) * k).reduce((a, b) => a + b, 0) : 1;
        const gate = (gates[slot] as number) / total;
        for (let c = 0; c < features; c++)
          y[token * features + c] = (y[token * features + c] as number) + gate * (made[i * features + c] as number);
      });
    }
    return tensor(y, [tokens, features]);
  }
}

function gated({ gate, up, down }: FeedForwardWeights, x: Tensor): Tensor {
  return down.multiply(multiply(silu(gate.multiply(x)), up.multiply(x)));
}

/** Finds weights and checks their shapes. */
class Loader {
  constructor(readonly source: WeightSource) {}

  require<M extends WeightMatrix>(
    matrix: M | undefined,
    role: LayerRole | GlobalRole,
    layer: number | undefined,
    [rows, columns]: readonly [number, number],
  ): M {
    const place = layer === undefined ? `"${role}"` : `"${role}" of layer ${layer}`;
    if (!matrix) throw new Error(`the model lacks the weights ${place}`);
    if (matrix.rows !== rows || matrix.columns !== columns)
      throw new Error(`the weights ${place} are ${matrix.rows}×${matrix.columns}, expected ${rows}×${columns}`);
    return matrix;
  }

  matrix(role: LayerRole | GlobalRole, layer: number | undefined, shape: readonly [number, number]): WeightMatrix {
    return this.require(this.source.matrix(role, layer), role, layer, shape);
  }

  vector(role: LayerRole | GlobalRole, layer: number | undefined, size: number): Tensor {
    const vector = this.optional(role, layer, size);
    if (!vector)
      throw new Error(`the model lacks the weights "${role}"${layer === undefined ? '' : ` of layer ${layer}`}`);
    return vector;
  }

  optional(role: LayerRole | GlobalRole, layer: number | undefined, size: number): Tensor | undefined {
    const vector = this.source.vector(role, layer);
    if (vector && vector.size !== size)
      throw new Error(`the weights "${role}" of layer ${layer} have ${vector.size} elements, expected ${size}`);
    return vector;
  }
}

function loadLayer(loader: Loader, config: LanguageModelConfig, layer: number): LayerWeights {
  const { features, heads, keyHeads, headDim, hidden, experts } = config;
  const [queries, keys] = [heads * headDim, keyHeads * headDim];
  return {
    attentionNorm: loader.vector('attentionNorm', layer, features),
    q: loader.matrix('q', layer, [queries, features]),
    k: loader.matrix('k', layer, [keys, features]),
    v: loader.matrix('v', layer, [keys, features]),
    o: loader.matrix('o', layer, [features, queries]),
    biases: [
      loader.optional('qBias', layer, queries),
      loader.optional('kBias', layer, keys),
      loader.optional('vBias', layer, keys),
    ],
    qNorm: loader.optional('qNorm', layer, headDim),
    kNorm: loader.optional('kNorm', layer, headDim),
    feedForwardNorm: loader.vector('feedForwardNorm', layer, features),
    router: experts && loader.matrix('router', layer, [experts.count, features]),
    feedForward: experts
      ? expertWeights(loader, layer, experts.count)
      : [
          {
            gate: loader.matrix('gate', layer, [hidden, features]),
            up: loader.matrix('up', layer, [hidden, features]),
            down: loader.matrix('down', layer, [features, hidden]),
          },
        ],
  };
}

function expertWeights({ source }: Loader, layer: number, count: number): FeedForwardWeights[] {
  const [gate, up, down] = (['gate', 'up', 'down'] as const).map((role) => {
    const all = source.experts(role, layer, count);
    if (!all) throw new Error(`the model lacks the experts "${role}" of layer ${layer}`);
    return all;
  }) as [readonly WeightMatrix[], readonly WeightMatrix[], readonly WeightMatrix[]];
  return gate.map((matrix, expert) => ({
    gate: matrix,
    up: up[expert] as WeightMatrix,
    down: down[expert] as WeightMatrix,
  }));
}
