// Keys and values of the tokens so far.

import { emptyTensor, keep, type Tensor } from '../../tensor/index.js';
import type { LanguageModelConfig } from './config.js';

const FIRST_CAPACITY = 256;

/** Keys or values of one layer: [keyHeads, capacity, headDim]. */
interface Store {
  keys: Tensor;
  values: Tensor;
}

/** Grows as tokens come, up to the model's context. */
export class KeyValueCache {
  readonly #stores: Store[];
  readonly #heads: number;
  readonly #depth: number;
  readonly #most: number;
  #capacity: number;
  #length = 0;

  /** @param context most tokens; the model's own when left out */
  constructor({ layers, keyHeads, headDim, context }: LanguageModelConfig, limit = context) {
    this.#heads = keyHeads;
    this.#depth = headDim;
    this.#most = limit;
    this.#capacity = Math.min(limit, FIRST_CAPACITY);
    this.#stores = Array.from({ length: layers }, () => ({ keys: this.#empty(), values: this.#empty() }));
  }

  /** Tokens in it. */
  get length(): number {
    return this.#length;
  }

  get limit(): number {
    return this.#most;
  }

  get capacity(): number {
    return this.#capacity;
  }

  #empty(): Tensor {
    return keep(emptyTensor([this.#heads, this.#capacity, this.#depth], 'f32'));
  }

  /** Makes room for more tokens. @throws RangeError when the context ends before. */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > this.#most)
      throw new RangeError(
        `the context of ${this.#most} tokens is full: ${this.#length} are in it and ${count} more were given`,
      );
    if (needed <= this.#capacity) return;
    const [before, old] = [this.#capacity, this.#stores.map((store) => ({ ...store }))];
    this.#capacity = Math.min(this.#most, Math.max(needed, 2 * before));
    this.#stores.forEach((store, i) => {
      for (const kind of ['keys', 'values'] as const) {
        const from = (old[i] as Store)[kind];
        store[kind] = this.#empty();
        this.#write(store[kind], from, before, this.#length, 0);
        from.dispose();
      }
    });
  }

  /** Copies the first `count` tokens of [heads, fromLength, depth] behind `at` tokens of a store. */
  #write(to: Tensor, from: Tensor, fromLength: number, count: number, at: number): void {
    const [target, source] = [to.view(), from.view()];
    for (let head = 0; head < this.#heads; head++) {
      const first = head * fromLength * this.#depth;
      target.set(source.subarray(first, first + count * this.#depth), (head * this.#capacity + at) * this.#depth);
    }
  }

  /** Adds keys and values [1, keyHeads, count, headDim] of a layer behind the tokens so far, and gives the layer's stores. Room must have been reserved. */
  append(layer: number, keys: Tensor, values: Tensor): Store {
    const store = this.#stores[layer] as Store;
    const count = keys.shape[2] as number;
    this.#write(store.keys, keys, count, count, this.#length);
    this.#write(store.values, values, count, count, this.#length);
    return store;
  }

  /** To be called once all layers have appended. */
  advance(count: number): void {
    this.#length += count;
  }

  /** Forgets all tokens from a position on. */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.#length))
      throw new RangeError(`cannot cut ${this.#length} tokens down to ${length}`);
    this.#length = length;
  }

  /** A copy that goes its own way. */
  fork(config: LanguageModelConfig): KeyValueCache {
    const copy = new KeyValueCache(config, this.#most);
    copy.reserve(this.#length);
    this.#stores.forEach((store, layer) => {
      const own = copy.#stores[layer] as Store;
      copy.#write(own.keys, store.keys, this.#capacity, this.#length, 0);
      copy.#write(own.values, store.values, this.#capacity, this.#length, 0);
    });
    copy.#length = this.#length;
    return copy;
  }

  dispose(): void {
    for (const { keys, values } of this.#stores) {
      keys.dispose();
      values.dispose();
    }
  }
}
