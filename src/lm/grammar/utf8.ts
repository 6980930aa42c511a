// Ranges of code points as sequences of byte ranges in UTF-8.

import type { CodeRange } from './expression.js';

/** A byte from `low` to `high`. */
export type ByteRange = readonly [low: number, high: number];

/** Last code points that one, two, three and four bytes hold. */
const LASTS = [0x7f, 0x7ff, 0xffff, 0x10ffff] as const;

const bytesOf = (point: number): number[] => Array.from(new TextEncoder().encode(String.fromCodePoint(point)));

/**
 * The byte sequences of code points: each is a range for each byte, and together they match exactly
 * the encodings of `low` to `high`, which hold no surrogates.
 */
export function utf8Sequences([low, high]: CodeRange): ByteRange[][] {
  const limit = LASTS.find((last) => low <= last) as number;
  if (high > limit) return [...utf8Sequences([low, limit]), ...utf8Sequences([limit + 1, high])];
  const count = LASTS.indexOf(limit as (typeof LASTS)[number]);
  // Where bytes below one differ they must run through all of their values, or the range is split.
  for (let i = 1; i <= count; i++) {
    const span = 64 ** i;
    if (Math.floor(low / span) === Math.floor(high / span)) continue;
    if (low % span !== 0) {
      const end = (Math.floor(low / span) + 1) * span - 1;
      return [...utf8Sequences([low, end]), ...utf8Sequences([end + 1, high])];
    }
    if (high % span !== span - 1) {
      const end = Math.floor(high / span) * span - 1;
      return [...utf8Sequences([low, end]), ...utf8Sequences([end + 1, high])];
    }
  }
  const [first, last] = [bytesOf(low), bytesOf(high)];
  return [first.map((byte, i) => [byte, last[i] as number] as const)];
}
