// Drafts for speculative decoding (Leviathan et al. 2023): guesses of the next tokens that the model checks in one pass. A guess is kept when it is the token that the model's own sampling draws, so that texts are the
// same as without.

import { scope } from '../../tensor/index.js';
import type { KeyValueCache } from './cache.js';
import type { LanguageModel } from './model.js';
import { highest } from './sampler.js';

export interface Draft {
  /** Up to `most` tokens that may follow; none is fine. */
  propose(history: readonly number[], most: number): readonly number[];
}

/** Guesses that a text goes on as it did the last time its latest `n` tokens came (prompt lookup, Saxena 2023): good for code, quotes and summaries, at no cost. */
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

/** Guesses what a smaller model of the same vocabulary finds most probable. */
export function modelDraft(model: LanguageModel, { tokens = 4 } = {}): Draft {
  const cache: KeyValueCache = model.cache();
  return {
    propose(history, most) {
      const count = Math.min(tokens, most, cache.limit - history.length);
      if (count <= 0) return [];
      cache.truncate(cache.known(history));
      let next = history.slice(cache.length);
      const guesses: number[] = [];
      while (guesses.length < count) {
        const logits = scope(() => model.forward(next, cache).dataSync<Float32Array>());
        next = highest(logits, 1);
        guesses.push(...next);
      }
      return guesses;
    },
  };
}
