// Generation, token by token.

import { eventTurn } from '../../engine/index.js';
import { scope } from '../../tensor/index.js';
import type { KeyValueCache } from './cache.js';
import type { Draft } from './draft.js';
import type { LanguageModel } from './model.js';
import { Sampler, type SamplingOptions } from './sampler.js';

/** Who reads tokens behind a cache. @param all whether the logits of every token are wanted, else of the last alone */
export type Reader = (tokens: readonly number[], cache: KeyValueCache, all: boolean) => Promise<Float32Array>;

export interface GenerateOptions extends SamplingOptions {
  /** Most tokens to make. */
  readonly maxTokens?: number;
  /** Tokens that end it. */
  readonly stopTokens?: readonly number[];
  /** What was read before: as much of it as the prompt begins with is not read again, the rest is forgotten. */
  readonly cache?: KeyValueCache;
  readonly signal?: AbortSignal | undefined;
  /** Told how many tokens of the prompt were read, and how long it took. */
  readonly onPrefill?: (tokens: number, seconds: number) => void;
  /** Told each token and the logits that it was drawn from. */
  readonly onToken?: (token: number, logits: Float32Array) => void;
  /** Guesses the tokens to come, which are then read in one pass: faster where it guesses well, and the same tokens. */
  readonly draft?: Draft | undefined;
  /** A `Batcher`'s, to share passes with other generations; the model alone when left out. */
  readonly read?: Reader;
}

/** Why generation ended. */
export type FinishReason = 'stop' | 'length' | 'aborted';

/**
 * Tokens that follow a prompt. What of the prompt is not in the cache is read in one go, then each token is fed back, with the guesses of a draft if there is one: those that are what would have been drawn are kept.
 *
 * @throws RangeError when the prompt does not fit the context.
 */
export async function* generate(
  model: LanguageModel,
  prompt: ArrayLike<number>,
  {
    maxTokens = 256,
    stopTokens = [],
    cache = model.cache(),
    read = readerOf(model),
    signal,
    onPrefill,
    onToken,
    draft,
    ...sampling
  }: GenerateOptions = {},
): AsyncGenerator<number, FinishReason> {
  const sampler = new Sampler(sampling);
  const history = Array.from(prompt);
  const { vocabulary } = model.config;
  const started = performance.now();
  const known = cache.known(prompt);
  cache.truncate(known);
  let logits = await read(history.slice(known), cache, false);
  onPrefill?.(prompt.length - known, (performance.now() - started) / 1000);
  let guesses: readonly number[] = [];
  /** Guesses in the cache that have not come true. */
  let open = 0;
  try {
    for (let made = 0; ; ) {
      for (let row = 0; row <= guesses.length; row++) {
        if (signal?.aborted) return 'aborted';
        const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
        const token = sampler.next(own, history);
        if (stopTokens.includes(token)) return 'stop';
        history.push(token);
        onToken?.(token, own);
        yield token;
        made += 1;
        if (made >= maxTokens || cache.length - open >= cache.limit) return 'length';
        if (token !== guesses[row]) break;
        open -= 1;
      }
      cache.truncate(cache.length - open);
      const room = Math.min(maxTokens - made, cache.limit - cache.length) - 1;
      guesses = room > 0 ? (draft?.propose(history, room) ?? []) : [];
      // Signals, timers and other requests get their turn.
      await eventTurn();
      open = guesses.length;
      logits = await read([history.at(-1) as number, ...guesses], cache, true);
    }
  } finally {
    if (open > 0) cache.truncate(cache.length - open);
  }
}

function readerOf(model: LanguageModel): Reader {
  return async (tokens, cache, all) => scope(() => model.forward(tokens, cache, { all }).dataSync<Float32Array>());
}
