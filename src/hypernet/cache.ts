// Cache of generated weights: at inference, the weights for a condition are generated once.

import { stateOf, type Weights } from '../nn/index.js';
import { keep, scope } from '../tensor/index.js';
import type { Hypernet } from './hypernet.js';

/**
 * LRU cache of generated weights by condition key; emptied when the parameters of the hypernetwork
 * have changed.
 */
export class WeightCache<Target extends object, Input> {
  #print = 0;
  readonly #kept = new Map<string, Weights>();

  constructor(
    readonly hypernet: Hypernet<Target, Input>,
    /** Largest number of cached networks; the least recently used one is evicted. */
    readonly capacity = 64,
  ) {}

  /**
   * The weights for a condition, each [B, …shape], generated if they are not cached. The cache owns
   * them: do not dispose of them.
   *
   * @param key identifies the condition: equal keys must mean equal inputs
   */
  of(key: string, input: Input): Weights {
    const print = fingerprint(this.hypernet);
    if (print !== this.#print) this.clear();
    this.#print = print;
    const weights = this.#kept.get(key) ?? this.#make(input);
    this.#kept.delete(key);
    this.#kept.set(key, weights);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.capacity && oldest !== undefined) this.#drop(oldest);
    return weights;
  }

  #make(input: Input): Weights {
    return scope(() => {
      const weights = this.hypernet.generate(input);
      for (const weight of Object.values(weights)) keep(weight);
      return weights;
    });
  }

  #drop(key: string): void {
    for (const weight of Object.values(this.#kept.get(key) ?? {})) weight.dispose();
    this.#kept.delete(key);
  }

  /** Disposes of all cached weights. */
  clear(): void {
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }
}

/** FNV-1a hash of all parameters Φ, which detects training steps. */
function fingerprint(hypernet: object): number {
  let hash = 0x811c9dc5;
  for (const tensor of Object.values(stateOf(hypernet))) {
    const values = tensor.view();
    const words = new Int32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
  }
  return hash;
}
