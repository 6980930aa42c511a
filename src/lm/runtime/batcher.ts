// Continuous batching: concurrent generations share forward passes, so that weights are read once
// for all. Long prompts are prefilled in chunks beside the decoding of other sequences.

import { eventTurn } from '../../engine/index.js';
import type { KeyValueCache } from './cache.js';
import type { LanguageModelConfig } from './config.js';
import type { Reader } from './generate.js';
import type { LanguageModel } from './model.js';

interface Waiting {
  readonly tokens: readonly number[];
  readonly cache: KeyValueCache;
  readonly all: boolean;
  readonly signal: AbortSignal | undefined;
  /** Tokens processed so far. */
  done: number;
  readonly resolve: (logits: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

interface Part {
  readonly request: Waiting;
  readonly count: number;
}

/**
 * Multiply-adds of a layer in one pass: 50 ms at 10 GFLOP/s, a busy thread, so that a pass, which
 * pauses within its layers, holds the event loop no longer.
 */
const LAYER_BUDGET = 2.5e8;
/** Tokens of a prompt in a pass that already has its multiply-adds. */
const FEWEST = 4;

/** Multiply-adds of a layer for one token with `length` tokens before it. */
function layerCost(config: LanguageModelConfig, length: number): number {
  const { features, heads, keyHeads, headDim, hidden, experts, blocks } = config;
  const window = config.fullLayers ? 0 : config.window;
  const projections = 2 * features * headDim * (heads + keyHeads);
  const feedForward = features * hidden * (blocks ? 2 * blocks.count : 3 * (experts?.k ?? 1));
  return projections + feedForward + 2 * heads * headDim * (window > 0 ? Math.min(window, length) : length);
}

/**
 * Tokens of a prompt that one pass takes behind `length` others: at most `most`, fewer in large
 * models.
 */
export function prefillSlice(config: LanguageModelConfig, length: number, most: number, budget = LAYER_BUDGET): number {
  return Math.min(most, Math.max(FEWEST, Math.floor(budget / layerCost(config, length + most))));
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
  readonly read: Reader = (tokens, cache, all) => this.readUntil(undefined, tokens, cache, all);

  /**
   * `read`, cancelled between passes.
   *
   * @throws the reason of `signal` when it has aborted.
   */
  readUntil(signal: AbortSignal | undefined, ...[tokens, cache, all]: Parameters<Reader>): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      this.model.require(tokens, cache);
      this.#waiting.push({ tokens, cache, all, signal, done: 0, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Requests of the same turn of the event loop join the first pass.
    for (await eventTurn(); this.#waiting.length > 0; await eventTurn()) {
      for (const { signal, reject } of this.#waiting) if (signal?.aborted) reject(signal.reason);
      this.#waiting = this.#waiting.filter(({ signal }) => !signal?.aborted);
      if (this.#waiting.length > 0) await this.#pass();
    }
    this.#running = false;
  }

  /** What the next pass takes: of a prompt no more than it has time for. */
  #parts(): Part[] {
    const { config } = this.model;
    const parts: Part[] = [];
    let [room, budget] = [this.tokens, LAYER_BUDGET];
    for (const request of this.#waiting) {
      if (room <= 0) break;
      const { tokens, cache, done, all } = request;
      if (!all && budget <= 0 && parts.some((part) => !part.request.all)) continue;
      // Draft tokens are not split: their logits are needed together.
      const count = all
        ? tokens.length
        : prefillSlice(config, cache.length, Math.min(room, tokens.length - done), budget);
      parts.push({ request, count });
      room -= count;
      budget -= count * layerCost(config, cache.length);
    }
    return parts;
  }

  async #pass(): Promise<void> {
    const parts = this.#parts();
    const failure = await this.#compute(parts);
    // What fails for one, as an expert that cannot be read, need not fail for the others.
    if (failure && parts.length > 1) for (const part of parts) reject([part], await this.#compute([part]));
    else reject(parts, failure);
    // Unfinished prompts queue behind requests that have not started.
    const rest = this.#waiting.filter(({ done, tokens }) => done < tokens.length);
    this.#waiting = [...rest.filter(({ done }) => done === 0), ...rest.filter(({ done }) => done > 0)];
  }

  /** One pass. @returns why it failed, if it did */
  async #compute(parts: readonly Part[]): Promise<Failure | undefined> {
    const { vocabulary } = this.model.config;
    try {
      const logits = await this.model.forwardInTurns(
        parts.map(({ request: { tokens, cache, all, done }, count }) => ({
          ...{ cache, all },
          tokens: tokens.slice(done, done + count),
        })),
        eventTurn,
      );
      let row = 0;
      for (const { request, count } of parts) {
        const rows = request.all ? count : 1;
        request.done += count;
        if (request.done === request.tokens.length) {
          // Sampling from a large vocabulary takes milliseconds: each sequence has a turn for it.
          await eventTurn();
          request.resolve(logits.subarray(row * vocabulary, (row + rows) * vocabulary));
        }
        row += rows;
      }
      return undefined;
    } catch (error) {
      return { error };
    }
  }
}

/** What a pass threw. */
interface Failure {
  readonly error: unknown;
}

/** Ends requests whose pass failed. */
function reject(parts: readonly Part[], failure: Failure | undefined): void {
  if (!failure) return;
  for (const { request } of parts) {
    request.done = request.tokens.length;
    request.reject(failure.error);
  }
}
