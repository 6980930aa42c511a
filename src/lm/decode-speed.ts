// How fast a model reads a prompt and makes tokens on this machine.

import { Random, scope } from '../tensor/index.js';
import type { CacheFormat } from './runtime/cache.js';
import type { LanguageModel } from './runtime/model.js';
import type { WeightStore } from './runtime/store.js';

/** Options of `decodeSpeed`. */
export interface DecodeSpeedOptions {
  /** Tokens of the prompt. Default: 256, or what fits the context. */
  readonly prompt?: number;
  /** Tokens that are made one by one. Default: 48. */
  readonly tokens?: number;
  /** Element type of the cache. Default: f16. */
  readonly cache?: CacheFormat;
  /** Draws the tokens. Default: 0. */
  readonly seed?: number;
  /** Counts of weights that are read on demand. Default: not told. */
  readonly store?: WeightStore | undefined;
  /** Called after each pass with the passes done and to do. */
  readonly onPass?: ((done: number, all: number) => void) | undefined;
}

/** What `decodeSpeed` measured. */
export interface DecodeSpeed {
  /** Tokens of the prompt a second. */
  readonly promptRate: number;
  /** Tokens a second, one by one: of the whole time, so that waits for files count. */
  readonly rate: number;
  /** Median of a token's milliseconds. */
  readonly median: number;
  /** Share of the chosen experts that were in memory; undefined without experts on demand. */
  readonly hitShare: number | undefined;
  /** Bytes of weights that were read from files, a token. */
  readonly bytesRead: number;
  /** Milliseconds a token that products waited for reads. */
  readonly waited: number;
}

/** Tokens before those that count: files, caches and threads are warm then. */
const WARM_UP = 4;

/**
 * Measures a model on random tokens: a prompt, then tokens one by one.
 *
 * @throws RangeError when they do not fit the context
 */
export function decodeSpeed(model: LanguageModel, options: DecodeSpeedOptions = {}): DecodeSpeed {
  const { vocabulary, context } = model.config;
  const { tokens = 48, cache: format = 'f16', seed = 0, store, onPass } = options;
  const most = context - tokens - WARM_UP;
  const { prompt = Math.min(256, most) } = options;
  if (!(prompt >= 1 && prompt <= most))
    throw new RangeError(
      `decodeSpeed: ${prompt} tokens of prompt and ${tokens + WARM_UP} more do not fit a context of ${context}`,
    );
  const drawn = scope(() => new Random(seed).uniform([prompt + tokens + WARM_UP], 0, vocabulary).dataSync());
  const ids = Array.from(drawn, (value) => Math.min(vocabulary - 1, Math.floor(value)));
  const cache = model.cache({ format, limit: ids.length });
  const seconds = (part: readonly number[]) => {
    const started = performance.now();
    scope(() => void model.forward(part, cache));
    return (performance.now() - started) / 1000;
  };
  try {
    const prefill = seconds(ids.slice(0, prompt));
    onPass?.(1, tokens + 1);
    for (const id of ids.slice(prompt, prompt + WARM_UP)) seconds([id]);
    const before = store?.statistics;
    const times = ids.slice(prompt + WARM_UP).map((id, i) => {
      const time = seconds([id]);
      onPass?.(i + 2, tokens + 1);
      return time;
    });
    const after = store?.statistics;
    const counted = (key: 'hits' | 'misses' | 'bytesRead' | 'waitSeconds') =>
      (after?.[key] ?? 0) - (before?.[key] ?? 0);
    const chosen = counted('hits') + counted('misses');
    return {
      promptRate: prompt / prefill,
      rate: tokens / times.reduce((a, b) => a + b, 0),
      median: 1000 * (times.toSorted((a, b) => a - b)[tokens >> 1] as number),
      hitShare: chosen > 0 ? counted('hits') / chosen : undefined,
      bytesRead: counted('bytesRead') / tokens,
      waited: (1000 * counted('waitSeconds')) / tokens,
    };
  } finally {
    cache.dispose();
  }
}
