// Generated weights kept by condition: at inference, a network is made once.

import { stateOf, type Weights } from '../nn/index.js';
import { keep, scope } from '../tensor/index.js';
import type { Hypernet } from './hypernet.js';

/** Weights by the key of their condition, made again when the hypernetwork has changed since. */
export class WeightCache<Target extends object, Input> {
  #print = 0;
  readonly #kept = new Map<string, Weights>();

  constructor(
    readonly hypernet: Hypernet<Target, Input>,
    /** Networks kept; the one used longest ago goes first. */
    readonly capacity = 64,
  ) {}

  /** @param key names the condition: the same key must mean the same input */
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

  clear(): void {
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }
}

/** A hash of all bits of Φ: what training moved, it shows. */
function fingerprint(hypernet: object): number {
  let hash = 0x811c9dc5;
  for (const tensor of Object.values(stateOf(hypernet))) {
    const values = tensor.view();
    const words = new Int32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
  }
  return hash;
}
