// Passes that many generations share: what asks at the same time is read together, so that weights are read once for all. Long prompts go through in parts, beside the tokens of others.

import { eventTurn } from '../../engine/index.js';
import { scope } from '../../tensor/index.js';
import type { KeyValueCache } from './cache.js';
import type { Reader } from './generate.js';
import type { LanguageModel } from './model.js';

interface Waiting {
  readonly tokens: readonly number[];
  readonly cache: KeyValueCache;
  readonly all: boolean;
  /** Tokens that were read. */
  done: number;
  readonly resolve: (logits: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

export class Batcher {
  #waiting: Waiting[] = [];
  #running = false;

  /** @param tokens that a pass reads at most */
  constructor(
    readonly model: LanguageModel,
    readonly tokens = 256,
  ) {}

  /** Logits after tokens behind a cache, of every token or the last alone. */
  readonly read: Reader = (tokens, cache, all) =>
    new Promise((resolve, reject) => {
      this.model.require(tokens, cache);
      this.#waiting.push({ tokens, cache, all, done: 0, resolve, reject });
      if (!this.#running) void this.#run();
    });

  async #run(): Promise<void> {
    this.#running = true;
    // Those who ask in the same turn are in the first pass.
    for (await eventTurn(); this.#waiting.length > 0; await eventTurn()) this.#pass();
    this.#running = false;
  }

  #pass(): void {
    const { vocabulary } = this.model.config;
    const parts: { of: Waiting; count: number }[] = [];
    let room = this.tokens;
    for (const of of this.#waiting) {
      if (room <= 0) break;
      // Guesses are read together: their logits are wanted all at once.
      const count = of.all ? of.tokens.length : Math.min(room, of.tokens.length - of.done);
      parts.push({ of, count });
      room -= count;
    }
    try {
      const logits = scope(() =>
        this.model
          .forwardBatch(
            parts.map(({ of, count }) => ({
              tokens: of.tokens.slice(of.done, of.done + count),
              cache: of.cache,
              all: of.all,
            })),
          )
          .dataSync<Float32Array>(),
      );
      let row = 0;
      for (const { of, count } of parts) {
        const rows = of.all ? count : 1;
        of.done += count;
        if (of.done === of.tokens.length) of.resolve(logits.subarray(row * vocabulary, (row + rows) * vocabulary));
        row += rows;
      }
    } catch (error) {
      for (const { of } of parts) {
        of.done = of.tokens.length;
        of.reject(error);
      }
    }
    // Those with more to read come after the others.
    const rest = this.#waiting.filter(({ done, tokens }) => done < tokens.length);
    this.#waiting = [...rest.filter(({ done }) => done === 0), ...rest.filter(({ done }) => done > 0)];
  }
}
