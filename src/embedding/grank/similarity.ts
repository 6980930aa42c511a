// How alike two peers search and click, from what a log holds of both (Section III-D):
//
//   κ_t  query terms that are among the ten most frequent of both
//   κ_m  items clicked by both for terms that both have asked for
//   κ_u  items clicked by either
//
//   paper:    S = (κ_t + κ_m²) / κ_u          notebook: S = (κ_m + κ_t²) / κ_u
//   Ŝ_i(j) = S_i(j) / max_x S_i(x)            S = 0 for peers without a common term
//
// No S_i(x) is above S_i(i): κ_t and κ_m are largest and κ_u is smallest there. So S_i(i) is the
// maximum, and Ŝ_i(i) = 1.

import type { AuthorClicks, ClickLog } from './click-log.js';

/** The formula of the paper's text, or that of the authors' notebook. */
export type SimilarityForm = 'paper' | 'notebook';

/** What two authors have in common. */
export interface CommonClicks {
  /** κ_t: terms among the ten most frequent of both. */
  readonly terms: number;
  /** κ_m: items clicked by both for terms that both have asked for. */
  readonly items: number;
  /** κ_u: items clicked by either. */
  readonly union: number;
}

/** What two authors have in common; undefined when they share no term. */
export function commonClicks(a: AuthorClicks, b: AuthorClicks): CommonClicks | undefined {
  if (!anyOf(a.terms.keys(), (term) => b.terms.has(term))) return undefined;
  const [few, many] = a.items.size <= b.items.size ? [a, b] : [b, a];
  let both = 0;
  let items = 0;
  for (const [item, terms] of few.items) {
    const others = many.items.get(item);
    if (!others) continue;
    both++;
    if (terms.some((term) => many.terms.has(term)) && others.some((term) => few.terms.has(term))) items++;
  }
  const top = b.topTerms;
  return {
    terms: a.topTerms.filter((term) => top.includes(term)).length,
    items,
    union: a.items.size + b.items.size - both,
  };
}

function anyOf<Value>(values: Iterable<Value>, holds: (value: Value) => boolean): boolean {
  for (const value of values) if (holds(value)) return true;
  return false;
}

/** S of two authors of a log; 0 where one of them is not in it. */
export function clickSimilarity(log: ClickLog, a: string, b: string, form: SimilarityForm = 'paper'): number {
  const [own, other] = [log.of(a), log.of(b)];
  const common = own && other && commonClicks(own, other);
  if (!common) return 0;
  const { terms, items, union } = common;
  return (form === 'paper' ? terms + items ** 2 : items + terms ** 2) / union;
}

/**
 * S of one peer with all others, kept until what it depends on changes: after any history it is
 * what the log says.
 */
export class Similarities {
  readonly #kept = new Map<string, { own: number; other: number; value: number }>();

  constructor(
    readonly log: ClickLog,
    readonly self: string,
    readonly form: SimilarityForm = 'paper',
  ) {}

  /** S, not normalised. */
  raw(author: string): number {
    const [own, other] = [revisionOf(this.log.of(this.self)), revisionOf(this.log.of(author))];
    const kept = this.#kept.get(author);
    if (kept && kept.own === own && kept.other === other) return kept.value;
    const value = clickSimilarity(this.log, this.self, author, this.form);
    this.#kept.set(author, { own, other, value });
    return value;
  }

  /** Ŝ, from 0 to 1; 0 for all when the peer itself has clicked nothing. */
  normalised(author: string): number {
    const most = this.raw(this.self);
    return most === 0 ? 0 : this.raw(author) / most;
  }
}

/** The revision after the most frequent terms are brought up to date. */
function revisionOf(clicks: AuthorClicks | undefined): number {
  return clicks ? clicks.upToDate() : -1;
}
