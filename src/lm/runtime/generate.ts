// Generation, token by token.

import { eventTurn } from '../../engine/index.js';
import { scope } from '../../tensor/index.js';
import type { KeyValueCache } from './cache.js';
import type { LanguageModel } from './model.js';
import { Sampler, type SamplingOptions } from './sampler.js';

export interface GenerateOptions extends SamplingOptions {
  /** Most tokens to make. */
  readonly maxTokens?: number;
  /** Tokens that end it. */
  readonly stopTokens?: readonly number[];
  /** What has been read so far; the prompt goes on from there. */
  readonly cache?: KeyValueCache;
  readonly signal?: AbortSignal | undefined;
  readonly onPrefill?: (tokens: number, seconds: number) => void;
}

/** Why generation ended. */
export type FinishReason = 'stop' | 'length' | 'aborted';

/**
 * Tokens that follow a prompt. The prompt is read in one go, then each token is fed back.
 *
 * @throws RangeError when the prompt does not fit the context.
 */
export async function* generate(
  model: LanguageModel,
  prompt: ArrayLike<number>,
  { maxTokens = 256, stopTokens = [], cache = model.cache(), signal, onPrefill, ...sampling }: GenerateOptions = {},
): AsyncGenerator<number, FinishReason> {
  const sampler = new Sampler(sampling);
  const history = Array.from(prompt);
  const started = performance.now();
  let logits = lastLogits(model, prompt, cache);
  onPrefill?.(prompt.length, (performance.now() - started) / 1000);
  for (let made = 1; ; made++) {
    if (signal?.aborted) return 'aborted';
    const token = sampler.next(logits, history);
    if (stopTokens.includes(token)) return 'stop';
    history.push(token);
    yield token;
    if (made >= maxTokens || cache.length >= cache.limit) return 'length';
    // Signals, timers and other requests get their turn.
    await eventTurn();
    logits = lastLogits(model, [token], cache);
  }
}

function lastLogits(model: LanguageModel, tokens: ArrayLike<number>, cache: KeyValueCache): Float32Array {
  return scope(() => model.forward(tokens, cache).dataSync<Float32Array>());
}
