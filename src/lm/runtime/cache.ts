// Keys and values of the tokens so far.

import { cpu } from '../../engine/index.js';
import { emptyTensor, keep, type Tensor } from '../../tensor/index.js';
import type { LanguageModelConfig } from './config.js';

const FIRST_CAPACITY = 256;

/** Up to so many queries attend key by key; more go in blocks. */
const FEW = 8;

/** Tokens that a cache of a model with a window keeps beyond the window, so that a few can be taken back. */
const SLACK = 64;

/** How numbers are kept: halves take half the memory, at a relative error of 2⁻¹¹ each. */
export type CacheFormat = 'f32' | 'f16';

export interface CacheOptions {
  /** Most tokens; the model's context when left out. */
  readonly limit?: number;
  readonly format?: CacheFormat;
}

/** Keys or values of one layer: [keyHeads, capacity, headDim], halves as two bytes each. */
interface Store {
  keys: Tensor;
  values: Tensor;
}

/** Grows as tokens come, up to the model's context; where the model has a window, what no later token sees gives its room to new ones. */
export class KeyValueCache {
  readonly limit: number;
  readonly format: CacheFormat;
  readonly #stores: Store[];
  readonly #tokens: number[] = [];
  /** First tokens that are no longer stored. */
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

  /** Tokens in it. */
  get length(): number {
    return this.#tokens.length;
  }

  /** Tokens that there is room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Tokens whose keys and values are stored. */
  get #stored(): number {
    return this.length - this.#dropped;
  }

  /** How many of the first of some tokens are its first too. */
  common(tokens: ArrayLike<number>): number {
    const different = this.#tokens.findIndex((token, i) => token !== tokens[i]);
    return different < 0 ? this.length : different;
  }

  /** How many of the first of some tokens need not be read again. The last must be in any case: what follows it is wanted. */
  known(tokens: ArrayLike<number>): number {
    return this.cuttable(Math.max(0, Math.min(this.common(tokens), tokens.length - 1)));
  }

  get #half(): number {
    return Number(this.format === 'f16');
  }

  /** Numbers from one head to the next. */
  get #stride(): number {
    return this.#capacity * this.config.headDim;
  }

  #empty(): Tensor {
    const { keyHeads, headDim } = this.config;
    const shape = [keyHeads, this.#capacity, headDim];
    return keep(this.#half ? emptyTensor([...shape, 2], 'u8') : emptyTensor(shape, 'f32'));
  }

  /** @throws RangeError when the context ends before so many more tokens. */
  require(count: number): void {
    if (this.length + count > this.limit)
      throw new RangeError(
        `the context of ${this.limit} tokens is full: ${this.length} are in it and ${count} more were given`,
      );
  }

  /** Makes room for more tokens. @throws RangeError when the context ends before. */
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

  /** Copies the tokens of a store of another capacity but for the first `skipped`, head by head; a store may be its own source. */
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
   * Adds keys and values [1, keyHeads, tokens, headDim] of a layer behind the tokens so far, and lets queries [1, heads, tokens, headDim] of the same tokens attend to all that they see. Room must have been reserved.
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

  /** Halves as floats, for one pass. */
  #widened(halves: Tensor): Tensor {
    const floats = emptyTensor(halves.shape.slice(0, 3), 'f32');
    cpu.run('widenHalves', { x: halves, y: floats, brain: 0, n: floats.size });
    return floats;
  }

  /** To be called once all layers have attended. */
  advance(tokens: readonly number[]): void {
    for (const token of tokens) this.#tokens.push(token);
  }

  /** The longest part of its first `length` tokens that it can be cut down to: all of them, or none where the window has dropped what they saw. */
  cuttable(length: number): number {
    const needed = this.#dropped === 0 ? 0 : this.#dropped + this.config.window;
    return length >= needed ? length : 0;
  }

  /** Forgets all tokens from a position on. @throws RangeError when it has no such position, or has dropped what came before. */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.length) || this.cuttable(length) !== length)
      throw new RangeError(`cannot cut ${this.length} tokens down to ${length}`);
    this.#tokens.length = length;
    if (length === 0) this.#dropped = 0;
  }

  /** A copy that goes its own way. */
  fork(): KeyValueCache {
    const copy = new KeyValueCache(this.config, this);
    copy.#dropped = this.#dropped;
    copy.advance(this.#tokens.slice(0, this.#dropped));
    copy.reserve(this.#stored);
    copy.advance(this.#tokens.slice(this.#dropped));
    this.#stores.forEach(({ keys, values }, layer) => {
      const own = copy.#stores[layer] as Store;
      copy.#copy(own.keys, keys, this.#capacity);
      copy.#copy(own.values, values, this.#capacity);
    });
    return copy;
  }

  dispose(): void {
    for (const { keys, values } of this.#stores) {
      keys.dispose();
      values.dispose();
    }
  }
}
