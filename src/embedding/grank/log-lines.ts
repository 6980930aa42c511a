// What is kept of a click log, piece by piece: entries as they came, and counts in place of old
// entries of others once it is compacted.

import type { ClickCount, ClickLog } from './click-log.js';
import { readEntry } from './signed-entries.js';

/** Counts in place of the first entries of an author. */
interface KeptCounts {
  readonly counts: { readonly author: string; readonly through: number; readonly clicks: readonly ClickCount[] };
}

/** When and how far a log is compacted. */
export interface CompactionOptions {
  /** Entries from which on the log is compacted when it is opened. Default: 50,000. */
  readonly compactAt?: number;
  /** Entries of each other author that stay whole then. Default: 100. */
  readonly keep?: number;
}

/** Defaults of `CompactionOptions`. */
export const compaction = { compactAt: 50_000, keep: 100 } as const;

/** Takes a kept piece into a log. @throws Error for what is neither an entry nor counts */
export function takeKept(log: ClickLog, value: unknown): void {
  if (isCounts(value)) log.appendCounts(value.counts.author, value.counts.through, value.counts.clicks);
  else log.append(readEntry(value));
}

/**
 * Replaces all but the last entries of each author but `self` by counts.
 *
 * @returns the pieces to keep from then on
 */
export function compactedPieces(log: ClickLog, self: string, keep: number): readonly object[] {
  for (const author of log.authors) if (author !== self) log.compact(author, keep);
  const counts = [...log.authors].flatMap((author): KeptCounts[] => {
    const { compacted: through = 0, counts: clicks } = log.of(author) ?? {};
    return through > 0 && clicks ? [{ counts: { author, through, clicks: [...clicks.values()] } }] : [];
  });
  return [...counts, ...log.entries];
}

const isCounts = (value: unknown): value is KeptCounts =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'counts');
