// Drafts for speculative decoding (Leviathan et al. 2023): draft tokens that the model verifies in
// one pass. A draft token is accepted when the model's own sampling draws it, so that texts are the
// same as without.

import { scope } from '../../tensor/index.js';
import type { KeyValueCache } from './cache.js';
import type { LanguageModel } from './model.js';
import { highest } from './sampler.js';

/** Proposes draft tokens for speculative decoding. */
export interface Draft {
  /** Up to `most` draft tokens for the history; may be empty. */
  propose(history: readonly number[], most: number): readonly number[];
}

/**
 * Prompt-lookup drafting (Saxena 2023): proposes the `tokens` tokens that followed the last
 * occurrence of the latest `n`. Free of cost; good for code, quotes and summaries.
 */
export function lookupDraft({ n = 3, tokens = 8 } = {}): Draft {
  return {
    propose(history, most) {
      const latest = history.slice(-n);
      if (latest.length < n) return [];
      for (let at = history.length - n - 1; at >= 0; at--)
        if (latest.every((token, i) => history[at + i] === token))
          return history.slice(at + n, at + n + Math.min(tokens, most));
      return [];
    },
  };
}

/** Drafts greedily with a smaller model of the same vocabulary. */
export function modelDraft(model: LanguageModel, { tokens = 4 } = {}): Draft {
  const cache: KeyValueCache = model.cache();
  return {
    propose(history, most) {
      const count = Math.min(tokens, most, cache.limit - history.length);
      if (count <= 0) return [];
      cache.truncate(cache.known(history));
      let next = history.slice(cache.length);
      const drafted: number[] = [];
      while (drafted.length < count) {
        const logits = scope(() => model.forward(next, cache).dataSync<Float32Array>());
        next = highest(logits, 1);
        drafted.push(...next);
      }
      return drafted;
    },
  };
}
