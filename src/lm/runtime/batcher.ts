// Continuous batching: concurrent generations share forward passes, so that weights are read once
// for all. Long prompts are prefilled in chunks beside the decoding of other sequences.

import { eventTurn } from '../../engine/index.js';
import { scope } from '../../tensor/index.js';
import type { KeyValueCache } from './cache.js';
import type { Reader } from './generate.js';
import type { LanguageModel } from './model.js';

interface Waiting {
  readonly tokens: readonly number[];
  readonly cache: KeyValueCache;
  readonly all: boolean;
  /** Tokens processed so far. */
  done: number;
  readonly resolve: (logits: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Continuous batching: `read` requests of the same turn of the event loop share one forward pass.
 */
export class Batcher {
  #waiting: Waiting[] = [];
  #running = false;

  /** @param tokens most tokens of a pass. Default: 256. */
  constructor(
    readonly model: LanguageModel,
    readonly tokens = 256,
  ) {}

  /** Appends tokens to a cache: logits of every token or of the last alone. */
  readonly read: Reader = (tokens, cache, all) =>
    new Promise((resolve, reject) => {
      this.model.require(tokens, cache);
      this.#waiting.push({ tokens, cache, all, done: 0, resolve, reject });
      if (!this.#running) void this.#run();
    });

  async #run(): Promise<void> {
    this.#running = true;
    // Requests of the same turn of the event loop join the first pass.
    for (await eventTurn(); this.#waiting.length > 0; await eventTurn()) this.#pass();
    this.#running = false;
  }

  #pass(): void {
    const { vocabulary } = this.model.config;
    const parts: { request: Waiting; count: number }[] = [];
    let room = this.tokens;
    for (const request of this.#waiting) {
      if (room <= 0) break;
      // Draft tokens are not split: their logits are needed together.
      const count = request.all ? request.tokens.length : Math.min(room, request.tokens.length - request.done);
      parts.push({ request, count });
      room -= count;
    }
    try {
      const logits = scope(() =>
        this.model
          .forwardBatch(
            parts.map(({ request, count }) => ({
              tokens: request.tokens.slice(request.done, request.done + count),
              cache: request.cache,
              all: request.all,
            })),
          )
          .dataSync<Float32Array>(),
      );
      let row = 0;
      for (const { request, count } of parts) {
        const rows = request.all ? count : 1;
        request.done += count;
        if (request.done === request.tokens.length)
          request.resolve(logits.subarray(row * vocabulary, (row + rows) * vocabulary));
        row += rows;
      }
    } catch (error) {
      for (const { request } of parts) {
        request.done = request.tokens.length;
        request.reject(error);
      }
    }
    // Unfinished prompts queue behind requests that have not started.
    const rest = this.#waiting.filter(({ done, tokens }) => done < tokens.length);
    this.#waiting = [...rest.filter(({ done }) => done === 0), ...rest.filter(({ done }) => done > 0)];
  }
}
