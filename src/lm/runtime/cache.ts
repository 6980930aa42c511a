// The key/value cache.

import { cpu } from '../../engine/index.js';
import { emptyTensor, keep, reshape, slice, type Tensor } from '../../tensor/index.js';
import { type LanguageModelConfig, windowAt } from './config.js';

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
  /** Undefined for latent attention, whose values are its keys. */
  values: Tensor | undefined;
}

/** Layers of one window, which hold the same tokens. */
interface Group {
  /** In tokens; 0 for full attention. */
  readonly window: number;
  /** Tokens that the allocated memory of a layer holds. */
  capacity: number;
  /** Number of leading tokens whose keys and values were dropped. */
  dropped: number;
  /** That number after a pass that has overwritten keys, until it is complete. */
  next?: number | undefined;
}

/** How queries see stored keys: numbers of tokens, and of numbers from head to head. */
interface Call {
  readonly window: number;
  readonly length: number;
  readonly stride: number;
}

/**
 * Keys and values of a sequence. Grows with its tokens up to `limit`; layers with a sliding window
 * hold the window and 64 tokens beyond it, so that drafts can be truncated.
 */
export class KeyValueCache {
  /** Most tokens that the cache can hold. */
  readonly limit: number;
  /** Element type of keys and values. */
  readonly format: CacheFormat;
  readonly #stores: Store[];
  readonly #groups: readonly Group[];
  /** The group of each layer. */
  readonly #groupOf: readonly Group[];
  readonly #tokens: number[] = [];

  constructor(
    readonly config: LanguageModelConfig,
    { limit = config.context, format = 'f32' }: CacheOptions = {},
  ) {
    this.limit = limit;
    this.format = format;
    const windows = Array.from({ length: config.layers }, (_, layer) => windowAt(config, layer));
    this.#groups = [...new Set(windows)].map((window) => {
      const most = cachedTokens(limit, window);
      return { window, capacity: Math.min(most, FIRST_CAPACITY), dropped: 0 };
    });
    this.#groupOf = windows.map((window) => this.#groups.find((group) => group.window === window) as Group);
    this.#stores = this.#groupOf.map((group) => ({
      keys: this.#empty(group),
      values: config.latent ? undefined : this.#empty(group),
    }));
  }

  /** Tokens of the sequence, dropped ones included. */
  get length(): number {
    return this.#tokens.length;
  }

  /** Bytes of keys and values that are allocated. */
  get bytes(): number {
    const { keyHeads, headDim } = this.config;
    const tokens = this.#groupOf.reduce((sum, { capacity }) => sum + capacity, 0);
    return tokens * keyHeads * headDim * (this.#half ? 2 : 4) * (this.config.latent ? 1 : 2);
  }

  /** Tokens whose keys and values a group stores. */
  #stored({ dropped }: Group): number {
    return this.length - dropped;
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

  /** Factor of the scores. */
  get #scale(): number {
    const { headDim, latent } = this.config;
    return 1 / Math.sqrt(latent ? latent.nopeDim + latent.ropeDim : headDim);
  }

  #empty({ capacity }: Group): Tensor {
    const { keyHeads, headDim } = this.config;
    const shape = [keyHeads, capacity, headDim];
    return keep(this.#half ? emptyTensor([...shape, 2], 'u8') : emptyTensor(shape, 'f32'));
  }

  /** @throws RangeError when `count` more tokens exceed the limit. */
  require(count: number): void {
    if (this.length + count > this.limit)
      throw new RangeError(
        `the context of ${this.limit} tokens is full: ${this.length} are in it and ${count} more were given`,
      );
  }

  /**
   * Allocates room for `count` more tokens; layers with a window need none beyond it.
   *
   * @throws RangeError when they exceed the limit.
   */
  reserve(count: number): void {
    this.require(count);
    if (this.#groups.some(({ next }) => next !== undefined))
      throw new Error('a pass over this cache has failed: truncate it to 0 tokens first');
    for (const group of this.#groups) this.#reserve(group, count);
  }

  #reserve(group: Group, count: number): void {
    const { window, capacity: before } = group;
    const most = cachedTokens(this.limit, window);
    const stored = this.#stored(group);
    if (stored + count <= before) return;
    const isEnough = stored + count <= most;
    // Beyond the window a pass needs the window alone, and puts in what is left of its own tokens.
    const drop = isEnough ? 0 : Math.max(0, stored - window);
    if (before < most) group.capacity = isEnough ? Math.min(most, Math.max(stored + count, 2 * before)) : most;
    this.#stores.forEach((store, layer) => {
      if (this.#groupOf[layer] !== group) return;
      for (const kind of ['keys', 'values'] as const) {
        const from = store[kind];
        if (!from) continue;
        const to = group.capacity > before ? this.#empty(group) : from;
        this.#copy({ to, capacity: group.capacity }, { from, capacity: before }, drop, stored);
        store[kind] = to;
        if (to !== from) from.dispose();
      }
    });
    group.dropped += drop;
  }

  /**
   * Copies the tokens [first, end) to the start of a store of another capacity, head by head;
   * source and target may be the same.
   */
  #copy(
    { to, capacity: target }: { readonly to: Tensor; readonly capacity: number },
    { from, capacity: source }: { readonly from: Tensor; readonly capacity: number },
    first: number,
    end: number,
  ): void {
    const [written, read] = [to.view(), from.view()];
    const numbers = this.config.headDim * (this.#half ? 2 : 1);
    for (let head = 0; head < this.config.keyHeads; head++) {
      const at = head * source * numbers;
      written.set(read.subarray(at + first * numbers, at + end * numbers), head * target * numbers);
    }
  }

  /**
   * Appends keys and values [1, keyHeads, tokens, headDim] to a layer and computes causal attention
   * of the queries [1, heads, tokens, headDim] of the same tokens. Room must have been reserved.
   *
   * @param values left out for latent attention, whose keys are the values too
   * @returns [1, heads, tokens, headDim]
   */
  attend(layer: number, queries: Tensor, keys: Tensor, values: Tensor = keys): Tensor {
    const [store, group] = [this.#stores[layer] as Store, this.#groupOf[layer] as Group];
    const count = queries.shape[2] as number;
    const stored = this.#stored(group);
    if (stored + count > group.capacity) return this.#attendBeyond(store, group, queries, keys, values);
    this.#append(keys, store.keys, stored, group.capacity);
    const { values: ownValues = store.keys } = store;
    if (ownValues !== store.keys) this.#append(values, ownValues, stored, group.capacity);
    const call = { window: group.window, length: stored + count, stride: group.capacity * this.config.headDim };
    return count <= FEW && this.config.headDim % 8 === 0
      ? this.#attendFew(queries, store.keys, ownValues, call)
      : this.#attendMany(queries, this.#floats(store.keys), this.#floats(ownValues), call);
  }

  /** Writes x [1, keyHeads, count, headDim] behind `start` tokens of a store. */
  #append(x: Tensor, cache: Tensor, start: number, capacity: number, half = this.#half): void {
    const { keyHeads: heads, headDim: depth } = this.config;
    const count = x.shape[2] as number;
    cpu.run('appendCache', { x, cache, half, heads, count, depth, start, stride: capacity * depth });
  }

  /**
   * Attention of more tokens than a window has room for: over the stored ones and the new ones in
   * memory of their own, of which the last stay.
   */
  #attendBeyond({ keys, values }: Store, group: Group, queries: Tensor, newKeys: Tensor, newValues: Tensor): Tensor {
    const { keyHeads, headDim } = this.config;
    const stored = this.#stored(group);
    const length = stored + (queries.shape[2] as number);
    const kept = Math.min(length, group.capacity - SLACK / 2);
    group.next = group.dropped + length - kept;
    const all = [keys, values as Tensor].map((cache, i) => {
      const joined = emptyTensor([keyHeads, length, headDim], 'f32');
      const floats = this.#floats(cache);
      const [to, from] = [joined.view(), floats.view()];
      for (let head = 0; head < keyHeads; head++) {
        const at = head * group.capacity * headDim;
        to.set(from.subarray(at, at + stored * headDim), head * length * headDim);
      }
      this.#append(i === 0 ? newKeys : newValues, joined, stored, length, 0);
      this.#append(lastOf(joined, kept), cache, 0, group.capacity);
      return joined;
    });
    const [joinedKeys, joinedValues] = all as [Tensor, Tensor];
    return this.#attendMany(queries, joinedKeys, joinedValues, {
      ...{ window: group.window, length, stride: length * headDim },
    });
  }

  #attendFew(queries: Tensor, keys: Tensor, values: Tensor, call: Call): Tensor {
    const { heads, keyHeads, headDim } = this.config;
    const y = emptyTensor(queries.shape, 'f32');
    cpu.run('attendCache', {
      q: queries,
      keys,
      values,
      y,
      half: this.#half,
      keyHeads,
      group: heads / keyHeads,
      queries: queries.shape[2] as number,
      depth: headDim,
      ...call,
      scale: this.#scale,
    });
    return y;
  }

  #attendMany(queries: Tensor, keys: Tensor, values: Tensor, { window, length, stride }: Call): Tensor {
    const { heads, keyHeads, headDim } = this.config;
    const count = queries.shape[2] as number;
    const y = emptyTensor(queries.shape, 'f32');
    const logSums = emptyTensor([1, heads, count, 1], 'f32');
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
        keys: length,
        depth: headDim,
        valueDepth: headDim,
        causal: 1,
        window,
        maskBatchStride: 0,
        maskHeadStride: 0,
        scale: this.#scale,
        keyStride: stride,
        valueStride: stride,
      },
    });
    return y;
  }

  /** The numbers of a store as float32, widened for one pass where they are halves. */
  #floats(numbers: Tensor): Tensor {
    if (!this.#half) return numbers;
    const floats = emptyTensor(numbers.shape.slice(0, 3), 'f32');
    cpu.run('widenHalves', { x: numbers, y: floats, bfloat16: 0, n: floats.size });
    return floats;
  }

  /** Records the tokens of a pass after all layers have attended. */
  advance(tokens: readonly number[]): void {
    for (const token of tokens) this.#tokens.push(token);
    for (const group of this.#groups) {
      group.dropped = group.next ?? group.dropped;
      group.next = undefined;
    }
  }

  /**
   * The length that truncation to `length` can reach: `length`, or 0 when keys that those tokens
   * need have left a window, or were lost in a pass that failed.
   */
  cuttable(length: number): number {
    const isReady = ({ window, dropped, next }: Group) =>
      next === undefined && (dropped === 0 || length >= dropped + window);
    return this.#groups.every(isReady) ? length : 0;
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
    if (length > 0) return;
    for (const group of this.#groups) {
      group.dropped = 0;
      group.next = undefined;
    }
  }

  /** An independent copy. */
  fork(): KeyValueCache {
    const copy = new KeyValueCache(this.config, this);
    copy.#tokens.push(...this.#tokens);
    this.#groups.forEach((group, i) => {
      Object.assign(copy.#groups[i] as Group, group);
    });
    this.#stores.forEach((store, layer) => {
      const target = copy.#stores[layer] as Store;
      for (const kind of ['keys', 'values'] as const) {
        const from = store[kind];
        if (!from) continue;
        target[kind]?.dispose();
        const to = copy.#empty(this.#groupOf[layer] as Group);
        to.view().set(from.view());
        target[kind] = to;
      }
    });
    return copy;
  }

  /** Frees keys and values. */
  dispose(): void {
    for (const { keys, values } of this.#stores) {
      keys.dispose();
      values?.dispose();
    }
  }
}

/** Most tokens that a layer with a window holds: the window and a few that can be truncated. */
const cachedTokens = (limit: number, window: number) => (window > 0 ? Math.min(limit, window + SLACK) : limit);

/** The last `count` tokens of [heads, tokens, depth], as [1, heads, count, depth]. */
function lastOf(x: Tensor, count: number): Tensor {
  const [heads, tokens, depth] = x.shape as [number, number, number];
  return reshape(slice(x, null, [tokens - count, tokens]), [1, heads, count, depth]);
}

/**
 * Bytes of the keys and values of `tokens` tokens, of one vector each with latent attention: of a
 * window at most in layers with one.
 */
export function cacheBytesOf(config: LanguageModelConfig, tokens: number, format: CacheFormat): number {
  const stored = Array.from({ length: config.layers }, (_, layer) => {
    const window = windowAt(config, layer);
    return window > 0 ? Math.min(tokens, window) : tokens;
  });
  const bytes = (format === 'f16' ? 2 : 4) * (config.latent ? 1 : 2) * config.keyHeads * config.headDim;
  return bytes * stored.reduce((a, b) => a + b, 0);
}
