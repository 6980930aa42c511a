// Autoregressive generation.

import { eventTurn } from '../../engine/index.js';
import { scope } from '../../tensor/index.js';
import type { KeyValueCache } from './cache.js';
import type { Draft } from './draft.js';
import type { LanguageModel } from './model.js';
import { Sampler, type SamplingOptions } from './sampler.js';

/**
 * Runs the model on tokens appended to a cache.
 *
 * @param all logits of every token, else of the last alone
 */
export type Reader = (tokens: readonly number[], cache: KeyValueCache, all: boolean) => Promise<Float32Array>;

/** What one text may be, token by token. */
export interface TokenConstraint {
  /** Whether the text is whole, and nothing may follow. */
  readonly isOver: boolean;
  /**
   * The logits, with −∞ for tokens that may not follow.
   *
   * @param remaining most tokens that are still made, the next one counted
   * @throws Error when none may follow.
   */
  masked(logits: Float32Array, remaining: number): Float32Array;
  /** Goes on with a token. */
  accept(token: number): void;
}

/** Options of `generate`. */
export interface GenerateOptions extends SamplingOptions {
  /** Most tokens to generate. Default: 256. */
  readonly maxTokens?: number;
  /** Token ids that end generation; they are not yielded. Default: none. */
  readonly stopTokens?: readonly number[];
  /**
   * Keys and values of earlier tokens: their common prefix with the prompt is reused, the rest
   * dropped. Default: a new cache.
   */
  readonly cache?: KeyValueCache;
  /** Cancels generation: it then returns 'aborted'. */
  readonly signal?: AbortSignal | undefined;
  /** Called after prefill with the number of prefilled tokens and the seconds taken. */
  readonly onPrefill?: (tokens: number, seconds: number) => void;
  /** Called with each token and the logits that it was sampled from. */
  readonly onToken?: (token: number, logits: Float32Array) => void;
  /**
   * Speculative decoding: proposes draft tokens, which are verified in one pass. The output is the
   * same. Default: none.
   */
  readonly draft?: Draft | undefined;
  /** What the text must be, such as a `TokenGrammar`. Default: anything. */
  readonly grammar?: { start(): TokenConstraint } | undefined;
  /** `Batcher.read`, to share passes with other generations. Default: passes of its own. */
  readonly read?: Reader;
}

/** Why generation ended. */
export type FinishReason = 'stop' | 'length' | 'aborted';

/**
 * Generates the tokens that follow a prompt. The uncached part of the prompt is prefilled, then
 * each token is fed back together with draft tokens, of which the prefix that sampling confirms is
 * accepted.
 *
 * @throws RangeError when the prompt does not fit the context; GrammarError when no token of the
 * model goes on within the grammar.
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
    grammar,
    ...sampling
  }: GenerateOptions = {},
): AsyncGenerator<number, FinishReason> {
  const sampler = new Sampler(sampling);
  const constraint = grammar?.start();
  if (constraint?.isOver) return 'stop';
  const history = Array.from(prompt);
  const { vocabulary } = model.config;
  const started = performance.now();
  const known = cache.known(prompt);
  cache.truncate(known);
  let logits = await read(history.slice(known), cache, false);
  onPrefill?.(prompt.length - known, (performance.now() - started) / 1000);
  let drafted: readonly number[] = [];
  /** Draft tokens in the cache that are not accepted yet. */
  let open = 0;
  try {
    for (let made = 0; ; ) {
      for (let row = 0; row <= drafted.length; row++) {
        if (signal?.aborted) return 'aborted';
        const current = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
        const remaining = Math.min(maxTokens - made, cache.limit - (cache.length - open) + 1);
        const token = sampler.next(constraint?.masked(current, remaining) ?? current, history);
        if (stopTokens.includes(token)) return 'stop';
        constraint?.accept(token);
        history.push(token);
        onToken?.(token, current);
        yield token;
        made += 1;
        if (constraint?.isOver) return 'stop';
        if (made >= maxTokens || cache.length - open >= cache.limit) return 'length';
        if (token !== drafted[row]) break;
        open -= 1;
      }
      cache.truncate(cache.length - open);
      const room = Math.min(maxTokens - made, cache.limit - cache.length) - 1;
      drafted = room > 0 ? (draft?.propose(history, room) ?? []) : [];
      // Yields to signals, timers and other requests.
      await eventTurn();
      open = drafted.length;
      logits = await read([history.at(-1) as number, ...drafted], cache, true);
    }
  } finally {
    if (open > 0) cache.truncate(cache.length - open);
  }
}

function readerOf(model: LanguageModel): Reader {
  return async (tokens, cache, all) => scope(() => model.forward(tokens, cache, { all }).dataSync<Float32Array>());
}
