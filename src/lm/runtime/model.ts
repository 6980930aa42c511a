// A decoder for inference: weights in their stored formats, with a key/value cache. Llama, Qwen2,
// Qwen3 and Qwen3-MoE are one assembly of the same parts:
//   h ← h + W_o·attention(rope(norm(W_q x)), rope(norm(W_k x)), W_v x),  x = RMSNorm(h)
//   h ← h + feedForward(RMSNorm(h)), dense or a mixture of experts: see feed-forward.ts.

import { GgufFile } from '../../data/index.js';
import { type BlockGates, type ExpertContext, expertContext, joinHeads, splitHeads } from '../../nn/index.js';
import {
  add,
  concatenate,
  keep,
  type RotaryTables,
  rmsNorm,
  rotary,
  rotaryTables,
  scope,
  slice,
  type Tensor,
} from '../../tensor/index.js';
import { type CacheFormat, type CacheOptions, KeyValueCache } from './cache.js';
import { configOfGguf, type LanguageModelConfig, requireConfig } from './config.js';
import { loadFeedForward, type RuntimeFeedForward } from './feed-forward.js';
import { Loader } from './loader.js';
import type { WeightMatrix } from './matrix.js';
import type { WeightStore } from './store.js';
import { ggufWeights, type WeightSource } from './weights.js';

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
  readonly feedForward: RuntimeFeedForward;
}

/** Tokens to append to a cache. */
export interface Sequence {
  /** Token ids to append. */
  readonly tokens: ArrayLike<number>;
  /** Keys and values of the tokens before; holds the appended ones afterwards. */
  readonly cache: KeyValueCache;
  /** Whether to compute the logits of every token, else of the last alone. Default: false. */
  readonly all?: boolean;
}

/** The rows [from, to) of a pass that belong to one sequence. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly cache: KeyValueCache;
  readonly tables: RotaryTables;
}

/** Most tokens of a pass: longer prompts are prefilled in chunks. */
const PASS = 512;

/** Passes in turns pause when they have run for so long. */
const STEP_MILLISECONDS = 10;

/**
 * A decoder for inference. Every method that takes tokens throws a RangeError for ids outside the
 * vocabulary.
 */
export class LanguageModel {
  readonly #embedding: WeightMatrix;
  readonly #layers: readonly LayerWeights[];
  readonly #norm: Tensor;
  readonly #head: WeightMatrix;

  /**
   * @throws Error naming what of the configuration is out of range, or a weight that is missing or
   * of another shape.
   */
  constructor(
    readonly config: LanguageModelConfig,
    source: WeightSource,
  ) {
    const { layers, vocabulary, features } = requireConfig(config);
    const loader = new Loader(source);
    this.#embedding = loader.matrix('embedding', undefined, [vocabulary, features]);
    this.#norm = loader.vector('norm', undefined, features);
    this.#layers = Array.from({ length: layers }, (_, layer) => loadLayer(loader, config, layer));
    // Without a head, input and output embeddings are tied.
    this.#head = source.matrix('head') ?? this.#embedding;
    loader.checked(this.#head, 'head', undefined, [vocabulary, features]);
  }

  /**
   * Loads a GGUF file, or all parts of a split one.
   *
   * @param store memory budget of the weights
   */
  static fromGguf(file: GgufFile | readonly GgufFile[], store?: WeightStore): LanguageModel {
    const files = file instanceof GgufFile ? [file] : file;
    const embedding = files.map(({ tensors }) => tensors.get('token_embd.weight')).find((one) => one !== undefined);
    const [first] = files;
    if (!first || !embedding) throw new Error('the file has no tensor "token_embd.weight": it is no language model');
    const config = configOfGguf(first.metadata, embedding.shape[0] ?? 0);
    const divided = files.find(({ tensors }) => tensors.has('rope_freqs.weight'))?.tensor('rope_freqs.weight');
    const ropeScaling = divided && { divisors: Array.from(divided.dataSync()), magnitude: 1 };
    return new LanguageModel({ ...config, ...(ropeScaling && { ropeScaling }) }, ggufWeights(files, store));
  }

  /** The matrices in the order in which a pass uses them. */
  get #matrices(): WeightMatrix[] {
    return [
      ...this.#layers.flatMap(({ q, k, v, o, feedForward }) => [q, k, v, o, ...feedForward.matrices]),
      this.#head,
    ];
  }

  /** Bytes of all weight matrices. */
  get bytes(): number {
    return this.#matrices.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Preloads weights from files within the memory budget; without it, passes read them on first
   * use.
   */
  load(onProgress: (share: number) => void = () => {}): void {
    let done = 0;
    const total = this.bytes;
    for (const matrix of this.#matrices) {
      matrix.load?.();
      done += matrix.bytes;
      onProgress(done / total);
    }
  }

  /** Bytes of weights that a pass of one token reads. */
  get bytesPerToken(): number {
    const each = this.#layers.map(({ q, k, v, o, feedForward }) =>
      [q, k, v, o].reduce((sum, { bytes }) => sum + bytes, feedForward.bytesPerToken),
    );
    return each.reduce((a, b) => a + b, this.#head.bytes);
  }

  /** Bytes of the keys and values of `tokens` tokens. */
  cacheBytes(tokens: number, format: CacheFormat = 'f32'): number {
    const { layers, keyHeads, headDim } = this.config;
    return (format === 'f16' ? 4 : 8) * layers * keyHeads * headDim * tokens;
  }

  /** An empty cache for this model. */
  cache(options?: CacheOptions): KeyValueCache {
    return new KeyValueCache(this.config, options);
  }

  /**
   * Appends tokens to the cache and computes their logits.
   *
   * @param all logits of every token [tokens, vocabulary], else of the last alone [1, vocabulary]
   * @throws RangeError when a token is not in the vocabulary, or the context is full.
   */
  forward(tokens: ArrayLike<number>, cache: KeyValueCache, { all = false } = {}): Tensor {
    if (all || tokens.length <= PASS) return this.forwardBatch([{ tokens, cache, all }]);
    this.require(tokens, cache);
    const ids = Array.from(tokens);
    let at = 0;
    // Chunked prefill.
    for (; at + PASS < ids.length; at += PASS) {
      const part = ids.slice(at, at + PASS);
      this.#hidden([{ tokens: part, cache }]).dispose();
    }
    return this.forwardBatch([{ tokens: ids.slice(at), cache }]);
  }

  /**
   * One pass for several sequences with a cache each: weights are read once for all.
   *
   * @returns logits [rows, vocabulary], sequence by sequence: one row each, or one row per token
   * where `all` is set
   * @throws RangeError as `forward` does.
   */
  forwardBatch(sequences: readonly Sequence[]): Tensor {
    const hidden = this.#hidden(sequences);
    try {
      return scope(() => this.#logits(hidden, sequences));
    } finally {
      hidden.dispose();
    }
  }

  /**
   * `forwardBatch` with `turn` awaited between steps of half a layer, so that other work gets its
   * turn within a pass. The caches may not be used meanwhile.
   */
  async forwardInTurns(sequences: readonly Sequence[], turn: () => Promise<void>): Promise<Float32Array> {
    const hidden = await inTurns(this.#layersOf(sequences), turn);
    try {
      return scope(() => this.#logits(hidden, sequences).dataSync<Float32Array>());
    } finally {
      hidden.dispose();
    }
  }

  /** `states` of the tokens after those in a cache, which it appends, as `forwardInTurns`. */
  async statesInTurns(sequence: Sequence, turn: () => Promise<void>): Promise<Tensor> {
    const hidden = await inTurns(this.#layersOf([sequence]), turn);
    try {
      return scope(() => rmsNorm(hidden, this.#norm, this.config.epsilon));
    } finally {
      hidden.dispose();
    }
  }

  /** The logits of the wanted rows. */
  #logits(hidden: Tensor, sequences: readonly Sequence[]): Tensor {
    let end = 0;
    const wanted = sequences.map(({ tokens, all = false }) => {
      end += tokens.length;
      return slice(hidden, [all ? end - tokens.length : end - 1, end]);
    });
    return this.#head.multiply(rmsNorm(concatenate(wanted), this.#norm, this.config.epsilon));
  }

  /** The final hidden states after the last norm [tokens, features], for text embeddings. */
  states(tokens: ArrayLike<number>): Tensor {
    const cache = this.cache();
    try {
      const hidden = this.#hidden([{ tokens, cache }]);
      const states = scope(() => rmsNorm(hidden, this.#norm, this.config.epsilon));
      hidden.dispose();
      return states;
    } finally {
      cache.dispose();
    }
  }

  /**
   * Validates tokens.
   *
   * @throws RangeError when there are none, one is not in the vocabulary, or the context is full.
   */
  require(tokens: ArrayLike<number>, cache: KeyValueCache): void {
    const { vocabulary } = this.config;
    for (let i = 0; i < tokens.length; i++)
      if (!((tokens[i] as number) >= 0 && (tokens[i] as number) < vocabulary))
        throw new RangeError(`token ${tokens[i]} is not in the vocabulary of ${vocabulary}`);
    if (tokens.length === 0) throw new RangeError('forward: at least one token is needed');
    cache.require(tokens.length);
  }

  /**
   * The gates of layers of blocks for tokens: by layer, [tokens·E], 0 for unused blocks. Empty for
   * other models.
   */
  blockGates(tokens: ArrayLike<number>): Float32Array[] {
    const gates: Float32Array[] = [];
    const cache = this.cache();
    try {
      const onGates = (layer: BlockGates) => void gates.push(layer.gates.dataSync<Float32Array>().slice());
      this.#hidden([{ tokens, cache }], expertContext({ onGates })).dispose();
    } finally {
      cache.dispose();
    }
    return gates;
  }

  /** Final hidden states of all tokens, sequence by sequence [tokens, features]. */
  #hidden(sequences: readonly Sequence[], context?: ExpertContext): Tensor {
    const layers = this.#layersOf(sequences, context);
    for (;;) {
      const { done, value } = layers.next();
      if (done) return value;
    }
  }

  /** `#hidden`, pausing after each half of a layer. The result belongs to no scope. */
  *#layersOf(sequences: readonly Sequence[], context: ExpertContext = expertContext()): Generator<undefined, Tensor> {
    const { headDim, ropeBase: base, ropeDims = headDim, ropeScaling, epsilon } = this.config;
    for (const { tokens, cache } of sequences) this.require(tokens, cache);
    let end = 0;
    const runs = sequences.map(({ tokens, cache }): Run => {
      const from = end;
      end += tokens.length;
      cache.reserve(tokens.length);
      const tables = rotaryTables(tokens.length, ropeDims, { base, start: cache.length, ...ropeScaling });
      return { from, to: end, cache, tables: keep(tables) };
    });
    const read = sequences.map(({ tokens }) => Array.from(tokens));
    let h = keep(scope(() => this.#embedding.rowsAt(read.flat())));
    let complete = false;
    try {
      // Frees the intermediates of a layer except its output and the router logits for the next
      // layer.
      for (const [index, layer] of this.#layers.entries()) {
        h = replaced(
          h,
          scope(() => this.#attention(layer, index, h, runs)),
        );
        yield;
        const { logits } = context;
        const next = scope(() => {
          const x = rmsNorm(h, layer.feedForwardNorm, epsilon);
          return [add(h, layer.feedForward.forward(x, context)), context.logits] as const;
        });
        h = replaced(h, next[0]);
        if (context.logits !== logits) {
          logits?.dispose();
          keep(context.logits);
        }
        yield;
      }
      complete = true;
    } finally {
      if (!complete) h.dispose();
      context.logits?.dispose();
      for (const { cosines, sines } of runs.map(({ tables }) => tables))
        for (const one of [cosines, sines]) one.dispose();
    }
    sequences.forEach(({ cache }, i) => {
      cache.advance(read[i] as number[]);
    });
    return h;
  }

  #attention(layer: LayerWeights, index: number, h: Tensor, runs: readonly Run[]): Tensor {
    const x = rmsNorm(h, layer.attentionNorm, this.config.epsilon);
    const project = (matrix: WeightMatrix, bias: Tensor | undefined) => {
      const y = matrix.multiply(x);
      return bias ? add(y, bias) : y;
    };
    const [qBias, kBias, vBias] = layer.biases;
    const [q, k, v] = [project(layer.q, qBias), project(layer.k, kBias), project(layer.v, vBias)];
    const seen = runs.map((run) => {
      const rowsOfRun = (y: Tensor) => (runs.length === 1 ? y : slice(y, [run.from, run.to]));
      return this.#attendRun(layer, index, rowsOfRun(q), rowsOfRun(k), rowsOfRun(v), run);
    });
    return add(h, layer.o.multiply(concatenate(seen)));
  }

  /** Attention of one sequence: q, k, v [tokens, heads·headDim] → [tokens, heads·headDim]. */
  #attendRun(layer: LayerWeights, index: number, q: Tensor, k: Tensor, v: Tensor, { cache, tables }: Run): Tensor {
    const { heads, keyHeads, headDim, epsilon, interleaved, nopeLayers } = this.config;
    const tokens = q.shape[0] as number;
    // For one token, [1, heads·headDim] is [heads, 1, headDim] in memory.
    const split = (y: Tensor, count: number) =>
      tokens === 1 ? y.reshape([1, count, 1, headDim]) : splitHeads(y.reshape([1, ...y.shape]), count);
    const rotated = (y: Tensor, norm: Tensor | undefined) => {
      const normed = norm ? rmsNorm(y, norm, epsilon) : y;
      return nopeLayers?.includes(index) ? normed : rotary(normed, tables, interleaved);
    };
    const queries = rotated(split(q, heads), layer.qNorm);
    const keys = rotated(split(k, keyHeads), layer.kNorm);
    const seen = cache.attend(index, queries, keys, split(v, keyHeads));
    return (tokens === 1 ? seen : joinHeads(seen)).reshape(q.shape);
  }
}

/** Keeps a tensor in the place of another, which is freed. */
function replaced(before: Tensor, after: Tensor): Tensor {
  before.dispose();
  return keep(after);
}

/** Runs steps to their end, with `turn` awaited whenever 10 ms have passed. */
async function inTurns<T>(steps: Generator<undefined, T>, turn: () => Promise<void>): Promise<T> {
  for (let since = performance.now(); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - since < STEP_MILLISECONDS) continue;
    await turn();
    since = performance.now();
  }
}

function loadLayer(loader: Loader, config: LanguageModelConfig, layer: number): LayerWeights {
  const { features, heads, keyHeads, headDim } = config;
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
    feedForward: loadFeedForward(loader, config, layer),
  };
}
