// A decoder for inference: weights in their stored formats, with a key/value cache. Llama, Qwen2,
// Qwen3, Qwen3-MoE and SmallThinker are one assembly of the same parts:
//   h ← h + W_o·attention(rope(norm(W_q x)), rope(norm(W_k x)), W_v x),  x = RMSNorm(h)
//   h ← h + feedForward(RMSNorm(h)), dense, experts or blocks: see feed-forward.ts. MiniCPM's have
// constant factors besides, and latent attention.

import { GgufFile } from '../../data/index.js';
import { type BlockGates, type ExpertContext, expertContext } from '../../nn/index.js';
import {
  add,
  concatenate,
  keep,
  multiply,
  rmsNorm,
  rotaryTables,
  scope,
  slice,
  type Tensor,
} from '../../tensor/index.js';
import { type CacheFormat, type CacheOptions, cacheBytesOf, KeyValueCache } from './cache.js';
import { configOfGguf, type LanguageModelConfig, requireConfig } from './config.js';
import { type EarlyRouting, loadFeedForward, type RuntimeFeedForward } from './feed-forward.js';
import { loadHeadAttention, type Run, type RuntimeAttention } from './head-attention.js';
import { loadLatentAttention } from './latent-attention.js';
import { Loader } from './loader.js';
import type { WeightMatrix } from './matrix.js';
import { storedOf } from './neurons.js';
import { type SparseHead, type SparseHeadOptions, sparseHeadOf } from './sparse-head.js';
import type { WeightStore } from './store.js';
import { inTurns } from './turns.js';
import { UpcomingWeights } from './upcoming.js';
import { ggufWeights, type WeightSource } from './weights.js';

interface LayerWeights {
  readonly attentionNorm: Tensor;
  readonly attention: RuntimeAttention;
  readonly o: WeightMatrix;
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

/** A pass, half a layer at a time. */
type Steps = Generator<undefined, Tensor>;

/** Most tokens of a pass: longer prompts are prefilled in chunks. */
const PASS = 512;

/** Options of a `LanguageModel`. */
export interface LanguageModelOptions {
  /** Passes of one token compute the rows of the head that its predictor expects to be large. */
  readonly sparseHead?: SparseHeadOptions | undefined;
}

/**
 * A decoder for inference. Every method that takes tokens throws a RangeError for ids outside the
 * vocabulary.
 */
export class LanguageModel {
  readonly #embedding: WeightMatrix;
  readonly #layers: readonly LayerWeights[];
  /** By half of a layer. */
  readonly #upcoming: UpcomingWeights;
  readonly #norm: Tensor;
  readonly #head: WeightMatrix;
  readonly #sparseHead: SparseHead | undefined;

  /**
   * @throws Error naming what of the configuration is out of range, or a weight that is missing or
   * of another shape.
   */
  constructor(
    readonly config: LanguageModelConfig,
    source: WeightSource,
    { sparseHead }: LanguageModelOptions = {},
  ) {
    const { layers, vocabulary, features } = requireConfig(config);
    const loader = new Loader(source);
    this.#embedding = loader.matrix('embedding', undefined, [vocabulary, features]);
    this.#norm = loader.vector('norm', undefined, features);
    this.#layers = Array.from({ length: layers }, (_, layer) => loadLayer(loader, config, layer));
    this.#upcoming = new UpcomingWeights(
      this.#layers.flatMap(({ attention, o, feedForward }) => [[...attention.matrices, o], feedForward.matrices]),
    );
    // Without a head, input and output embeddings are tied.
    this.#head = source.matrix('head') ?? this.#embedding;
    loader.checked(this.#head, 'head', undefined, [vocabulary, features]);
    if (sparseHead) this.#sparseHead = sparseHeadOf(source, [vocabulary, features], sparseHead);
  }

  /**
   * Loads a GGUF file, or all parts of a split one.
   *
   * @param store memory budget of the weights
   */
  static fromGguf(
    file: GgufFile | readonly GgufFile[],
    store?: WeightStore,
    options?: LanguageModelOptions,
  ): LanguageModel {
    const files = file instanceof GgufFile ? [file] : file;
    const embedding = files.map(({ tensors }) => tensors.get('token_embd.weight')).find((one) => one !== undefined);
    const [first] = files;
    if (!first || !embedding) throw new Error('the file has no tensor "token_embd.weight": it is no language model');
    const config = configOfGguf(first.metadata, embedding.shape[0] ?? 0);
    const divided = files.find(({ tensors }) => tensors.has('rope_freqs.weight'))?.tensor('rope_freqs.weight');
    const ropeScaling = divided && { divisors: Array.from(divided.dataSync()), magnitude: 1 };
    return new LanguageModel({ ...config, ...(ropeScaling && { ropeScaling }) }, ggufWeights(files, store), options);
  }

  /** The matrices in the order in which a pass uses them. */
  get #matrices(): WeightMatrix[] {
    return [
      ...this.#layers.flatMap(({ attention, o, feedForward }) => [...attention.matrices, o, ...feedForward.matrices]),
      this.#head,
    ];
  }

  /** Bytes of all weight matrices. */
  get bytes(): number {
    return this.#matrices.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Preloads weights from files within the memory budget, those that every pass uses first; without
   * it, passes read them on first use.
   */
  load(onProgress: (share: number) => void = () => {}): void {
    let done = 0;
    const total = this.bytes;
    const all = this.#matrices;
    const isChosen = (matrix: WeightMatrix) => storedOf(matrix)?.weights.use === 'chosen';
    for (const matrix of [...all.filter((one) => !isChosen(one)), ...all.filter(isChosen)]) {
      matrix.load?.();
      done += matrix.bytes;
      onProgress(done / total);
    }
  }

  /** Bytes of weights that a pass of one token reads. */
  get bytesPerToken(): number {
    const each = this.#layers.map(({ attention, o, feedForward }) =>
      [...attention.matrices, o].reduce((sum, { bytes }) => sum + bytes, feedForward.bytesPerToken),
    );
    return each.reduce((a, b) => a + b, this.#head.bytes);
  }

  /**
   * Share of the neurons of chosen experts whose gate was closed, by layer: in passes of one token
   * so far; NaN where a layer has no such experts.
   */
  get closedNeurons(): readonly number[] {
    return this.#layers.map(({ feedForward: { neurons } }) => (neurons ? neurons.closed / neurons.all : Number.NaN));
  }

  /** Share of the head's rows that a sparse head has computed; 1 without one. */
  get headShare(): number {
    return this.#sparseHead?.share ?? 1;
  }

  /** Bytes of the keys and values of `tokens` tokens: of a window at most in layers with one. */
  cacheBytes(tokens: number, format: CacheFormat = 'f32'): number {
    return cacheBytesOf(this.config, tokens, format);
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
    const { epsilon, scales } = this.config;
    const states = rmsNorm(concatenate(wanted), this.#norm, epsilon);
    const scaled = scales ? multiply(states, scales.logits) : states;
    const isOne = states.shape[0] === 1;
    return this.#sparseHead && isOne ? this.#sparseHead.multiply(scaled) : this.#head.multiply(scaled);
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

  #embedded(tokens: readonly number[]): Tensor {
    const { scales } = this.config;
    const rows = this.#embedding.rowsAt(tokens);
    return scales ? multiply(rows, scales.embedding) : rows;
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
  *#layersOf(sequences: readonly Sequence[], context = expertContext()): Steps {
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
    let h = keep(scope(() => this.#embedded(read.flat())));
    let early: EarlyRouting | undefined;
    let complete = false;
    try {
      // Frees the intermediates of a layer except its output and the router logits for the next
      // layer.
      for (const [index, layer] of this.#layers.entries()) {
        // On the residual stream as it is: what it chooses can be read while attention runs.
        early = scope(() => layer.feedForward.routeEarly(h));
        this.#upcoming.begin(2 * index);
        h = replaced(
          h,
          scope(() => this.#attention(layer, index, h, runs)),
        );
        yield;
        const { logits } = context;
        this.#upcoming.begin(2 * index + 1);
        const next = scope(() => {
          const x = rmsNorm(h, layer.feedForwardNorm, epsilon);
          return [this.#joined(h, layer.feedForward.forward(x, context, early)), context.logits] as const;
        });
        early?.release();
        early = undefined;
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
      early?.release();
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
    return this.#joined(h, layer.o.multiply(layer.attention.forward(x, index, runs)));
  }

  /** h plus a residual branch. */
  #joined(h: Tensor, branch: Tensor): Tensor {
    const { scales } = this.config;
    return add(h, scales ? multiply(branch, scales.residual) : branch);
  }
}

/** Keeps a tensor in the place of another, which is freed. */
function replaced(before: Tensor, after: Tensor): Tensor {
  before.dispose();
  return keep(after);
}

function loadLayer(loader: Loader, config: LanguageModelConfig, layer: number): LayerWeights {
  const { features, heads, headDim, latent } = config;
  return {
    attentionNorm: loader.vector('attentionNorm', layer, features),
    attention: latent ? loadLatentAttention(loader, config, latent, layer) : loadHeadAttention(loader, config, layer),
    o: loader.matrix('o', layer, [features, heads * (latent?.valueDim ?? headDim)]),
    feedForwardNorm: loader.vector('feedForwardNorm', layer, features),
    feedForward: loadFeedForward(loader, config, layer),
  };
}
