// The key/value cache.

import { cpu } from '../../engine/index.js';
import { emptyTensor, keep, type Tensor } from '../../tensor/index.js';
import type { LanguageModelConfig } from './config.js';

const FIRST_CAPACITY = 256;

/** Up to this many queries use the decoding kernel; more use blocked attention. */
const FEW = 8;

/** Tokens kept beyond a sliding window, so that a few can be truncated. */
const SLACK = 64;

/** Element type of keys and values: 'f16' takes half the memory, at a relative error of 2⁻¹¹. */
export type CacheFormat = 'f32' | 'f16';

/** Options of `KeyValueCache`. */
export interface CacheOptions {
  /** Most tokens. Default: the model's context. */
  readonly limit?: number;
  /** Element type of keys and values. Default: 'f32'. */
  readonly format?: CacheFormat;
}

/** Keys or values of one layer: [keyHeads, capacity, headDim], halves as two bytes each. */
interface Store {
  keys: Tensor;
  values: Tensor;
}

/**
 * Keys and values of a sequence. Grows with its tokens up to `limit`; with a sliding window, tokens
 * that have left the window are dropped.
 */
export class KeyValueCache {
  /** Most tokens that the cache can hold. */
  readonly limit: number;
  /** Element type of keys and values. */
  readonly format: CacheFormat;
  readonly #stores: Store[];
  readonly #tokens: number[] = [];
  /** Number of leading tokens whose keys and values were dropped. */
  #dropped = 0;
  #capacity: number;

  constructor(
    readonly config: LanguageModelConfig,
    { limit = config.context, format = 'f32' }: CacheOptions = {},
  ) {
    this.limit = limit;
    this.format = format;
    this.#capacity = Math.min(limit, FIRST_CAPACITY);
    this.#stores = Array.from({ length: config.layers }, () => ({ keys: this.#empty(), values: this.#empty() }));
  }

  /** Tokens of the sequence, dropped ones included. */
  get length(): number {
    return this.#tokens.length;
  }

  /** Tokens that the allocated memory holds. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Tokens whose keys and values are stored. */
  get #stored(): number {
    return this.length - this.#dropped;
  }

  /** Length of the common prefix with `tokens`. */
  common(tokens: ArrayLike<number>): number {
    const different = this.#tokens.findIndex((token, i) => token !== tokens[i]);
    return different < 0 ? this.length : different;
  }

  /**
   * Length of the reusable prefix of `tokens`. Excludes the last token, whose logits are needed.
   */
  known(tokens: ArrayLike<number>): number {
    return this.cuttable(Math.max(0, Math.min(this.common(tokens), tokens.length - 1)));
  }

  get #half(): number {
    return Number(this.format === 'f16');
  }

  /** Elements from one head to the next. */
  get #stride(): number {
    return this.#capacity * this.config.headDim;
  }

  #empty(): Tensor {
    const { keyHeads, headDim } = this.config;
    const shape = [keyHeads, this.#capacity, headDim];
    return keep(this.#half ? emptyTensor([...shape, 2], 'u8') : emptyTensor(shape, 'f32'));
  }

  /** @throws RangeError when `count` more tokens exceed the limit. */
  require(count: number): void {
    if (this.length + count > this.limit)
      throw new RangeError(
        `the context of ${this.limit} tokens is full: ${this.length} are in it and ${count} more were given`,
      );
  }

  /** Allocates room for `count` more tokens. @throws RangeError when they exceed the limit. */
  reserve(count: number): void {
    this.require(count);
    if (this.#stored + count <= this.#capacity) return;
    const { window } = this.config;
    const drop = window > 0 ? Math.max(0, this.#stored - window - SLACK) : 0;
    const before = this.#capacity;
    const room = this.#stored - drop + count;
    if (room > before) this.#capacity = Math.min(this.limit, Math.max(room, 2 * before));
    for (const store of this.#stores)
      for (const kind of ['keys', 'values'] as const) {
        const from = store[kind];
        if (this.#capacity > before) store[kind] = this.#empty();
        this.#copy(store[kind], from, before, drop);
        if (store[kind] !== from) from.dispose();
      }
    this.#dropped += drop;
  }

  /**
   * Copies tokens from a store of another capacity, head by head, without the first `skipped`;
   * source and target may be the same.
   */
  #copy(to: Tensor, from: Tensor, capacity: number, skipped = 0): void {
    const [target, source] = [to.view(), from.view()];
    const numbers = this.config.headDim * (this.#half ? 2 : 1);
    for (let head = 0; head < this.config.keyHeads; head++) {
      const first = head * capacity * numbers;
      target.set(
        source.subarray(first + skipped * numbers, first + this.#stored * numbers),
        head * this.#capacity * numbers,
      );
    }
  }

  /**
   * Appends keys and values [1, keyHeads, tokens, headDim] to a layer and computes causal attention
   * of the queries [1, heads, tokens, headDim] of the same tokens. Room must have been reserved.
   *
   * @returns [1, heads, tokens, headDim]
   */
  attend(layer: number, queries: Tensor, keys: Tensor, values: Tensor): Tensor {
    const { keyHeads, headDim } = this.config;
    const store = this.#stores[layer] as Store;
    const count = queries.shape[2] as number;
    const append = (x: Tensor, cache: Tensor) =>
      cpu.run('appendCache', {
        x,
        cache,
        half: this.#half,
        heads: keyHeads,
        count,
        depth: headDim,
        start: this.#stored,
        stride: this.#stride,
      });
    append(keys, store.keys);
    append(values, store.values);
    return count <= FEW && headDim % 8 === 0 ? this.#attendFew(queries, store) : this.#attendMany(queries, store);
  }

  #attendFew(queries: Tensor, { keys, values }: Store): Tensor {
    const { heads, keyHeads, headDim, window } = this.config;
    const y = emptyTensor(queries.shape, 'f32');
    const count = queries.shape[2] as number;
    cpu.run('attendCache', {
      q: queries,
      keys,
      values,
      y,
      half: this.#half,
      keyHeads,
      group: heads / keyHeads,
      queries: count,
      length: this.#stored + count,
      depth: headDim,
      window,
      stride: this.#stride,
      scale: 1 / Math.sqrt(headDim),
    });
    return y;
  }

  #attendMany(queries: Tensor, store: Store): Tensor {
    const { heads, keyHeads, headDim, window } = this.config;
    const count = queries.shape[2] as number;
    const y = emptyTensor(queries.shape, 'f32');
    const logSums = emptyTensor([1, heads, count, 1], 'f32');
    const [keys, values] = this.#half
      ? [this.#widened(store.keys), this.#widened(store.values)]
      : [store.keys, store.values];
    cpu.run('attention', {
      q: queries,
      k: keys,
      v: values,
      mask: null,
      y,
      logSums,
      sizes: {
        batch: 1,
        heads,
        keyHeads,
        queries: count,
        keys: this.#stored + count,
        depth: headDim,
        valueDepth: headDim,
        causal: 1,
        window,
        maskBatchStride: 0,
        maskHeadStride: 0,
        scale: 1 / Math.sqrt(headDim),
        keyStride: this.#stride,
        valueStride: this.#stride,
      },
    });
    return y;
  }

  /** float16 values widened to float32 for one pass. */
  #widened(halves: Tensor): Tensor {
    const floats = emptyTensor(halves.shape.slice(0, 3), 'f32');
    cpu.run('widenHalves', { x: halves, y: floats, bfloat16: 0, n: floats.size });
    return floats;
  }

  /** Records the tokens of a pass after all layers have attended. */
  advance(tokens: readonly number[]): void {
    for (const token of tokens) this.#tokens.push(token);
  }

  /**
   * The length that truncation to `length` can reach: `length`, or 0 when the window has dropped
   * keys that those tokens need.
   */
  cuttable(length: number): number {
    const needed = this.#dropped === 0 ? 0 : this.#dropped + this.config.window;
    return length >= needed ? length : 0;
  }

  /**
   * Removes all tokens from position `length` on.
   *
   * @throws RangeError when there is no such position, or the keys before it were dropped.
   */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.length) || this.cuttable(length) !== length)
      throw new RangeError(`cannot cut ${this.length} tokens down to ${length}`);
    this.#tokens.length = length;
    if (length === 0) this.#dropped = 0;
  }

  /** An independent copy. */
  fork(): KeyValueCache {
    const copy = new KeyValueCache(this.config, this);
    copy.#dropped = this.#dropped;
    copy.advance(this.#tokens.slice(0, this.#dropped));
    copy.reserve(this.#stored);
    copy.advance(this.#tokens.slice(this.#dropped));
    this.#stores.forEach(({ keys, values }, layer) => {
      const target = copy.#stores[layer] as Store;
      copy.#copy(target.keys, keys, this.#capacity);
      copy.#copy(target.values, values, this.#capacity);
    });
    return copy;
  }

  /** Frees keys and values. */
  dispose(): void {
    for (const { keys, values } of this.#stores) {
      keys.dispose();
      values.dispose();
    }
  }
}
