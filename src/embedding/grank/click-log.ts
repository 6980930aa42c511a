// The click log of a peer: its own clicks and those of others that reached it, with counts that
// each new entry changes at once. What follows from it depends on which entries it holds, not on
// their order: a second copy of an entry changes nothing.

import type { ItemDescription } from './domain.js';

/** A click on a result. Author and sequence identify it. */
export interface ClickEntry {
  /** The peer whose user clicked. */
  readonly author: string;
  /** Number of the click among those of its author, from 1. */
  readonly sequence: number;
  /** The query, normalised. */
  readonly term: string;
  /** Identifier of the item. */
  readonly item: string;
  /** Title of the item. */
  readonly title: string;
  /** Tags of the item. */
  readonly tags: readonly string[];
  /** Time of the click: a tick of a simulation, or milliseconds since 1970. */
  readonly time: number;
  /** Whether the author's log held the term before. */
  readonly seenBefore?: boolean;
  /** Identifiers of the results that were shown, the first on top. */
  readonly results?: readonly string[];
}

/** Clicks of an author on an item for a term, without the entries. */
export interface ClickCount extends ItemDescription {
  /** The query, normalised. */
  readonly term: string;
  /** Number of clicks. */
  readonly count: number;
}

/** Query terms of an author that are compared with those of others. */
const TOP_TERMS = 10;

/** What a log knows of one author. */
export class AuthorClicks {
  /** Entries in the order in which they came. */
  readonly entries: ClickEntry[] = [];
  /** Clicks by term, and the first of them by sequence. */
  readonly terms = new Map<string, { count: number; first: number }>();
  /** The terms for which each item was clicked. */
  readonly items = new Map<string, string[]>();
  /** Clicks up to this number are known without a gap. */
  contiguous = 0;
  /** Clicks up to this number are counts: their entries are gone. */
  compacted = 0;
  /** Counts in place of those entries, in the order of the first clicks. */
  readonly counts = new Map<string, ClickCount>();
  readonly #beyond = new Set<number>();
  #revision = 0;
  #top: readonly string[] | undefined;
  #isTopOld = true;

  /** Whether a click is known. */
  has(sequence: number): boolean {
    return sequence <= this.contiguous || this.#beyond.has(sequence);
  }

  /** Marks a click as known. */
  know(sequence: number): void {
    this.#beyond.add(sequence);
    while (this.#beyond.delete(this.contiguous + 1)) this.contiguous++;
  }

  /** Counts clicks. */
  count(term: string, item: string, sequence: number, count: number): void {
    const known = this.terms.get(term);
    if (known) {
      known.count += count;
      known.first = Math.min(known.first, sequence);
    } else this.terms.set(term, { count, first: sequence });
    this.#isTopOld = true;
    const terms = this.items.get(item);
    if (terms?.includes(term)) return;
    if (terms) terms.push(term);
    else this.items.set(item, [term]);
    this.#revision++;
  }

  /** The ten most frequent terms; of equally frequent ones those that were asked for first. */
  get topTerms(): readonly string[] {
    if (!this.#isTopOld) return this.#top as readonly string[];
    this.#isTopOld = false;
    const top = [...this.terms]
      .sort(([a, x], [b, y]) => y.count - x.count || x.first - y.first || (a < b ? -1 : 1))
      .slice(0, TOP_TERMS)
      .map(([term]) => term);
    const before = new Set(this.#top);
    if (top.length !== before.size || top.some((term) => !before.has(term))) this.#revision++;
    this.#top = top;
    return top;
  }

  /**
   * Makes counts of all but the last entries.
   *
   * @returns the entries that are gone
   */
  compact(keep: number): ReadonlySet<ClickEntry> {
    const gone = new Set<ClickEntry>();
    const last = this.contiguous - keep;
    for (const entry of this.entries) if (entry.sequence <= last) gone.add(entry);
    for (const { term, item: id, title, tags } of gone) this.fold({ term, id, title, tags, count: 1 });
    if (gone.size > 0) {
      this.entries.splice(0, this.entries.length, ...this.entries.filter((entry) => !gone.has(entry)));
      this.compacted = last;
    }
    return gone;
  }

  /** Adds to the counts in place of entries. */
  fold(count: ClickCount): void {
    const key = JSON.stringify([count.term, count.id, count.title, count.tags]);
    this.counts.set(key, { ...count, count: (this.counts.get(key)?.count ?? 0) + count.count });
  }

  /** A number that grows when anything changes that similarity depends on. */
  upToDate(): number {
    void this.topTerms;
    return this.#revision;
  }
}

/** Clicks for a term by author, in the order of their names, and item. */
export interface TermClicks {
  /** Names in order. */
  readonly authors: readonly string[];
  /** Clicks by author and item. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

interface OwnTermClicks extends TermClicks {
  readonly authors: string[];
  readonly counts: Map<string, Map<string, number>>;
}

/** A click log with its counts. */
export class ClickLog {
  #entries: ClickEntry[] = [];
  readonly #authors = new Map<string, AuthorClicks>();
  readonly #terms = new Map<string, OwnTermClicks>();
  /** Descriptions by item; peers may give an item several. */
  readonly #items = new Map<string, ItemDescription[]>();
  #compacted = 0;

  /** Entries in the order in which they came. */
  get entries(): readonly ClickEntry[] {
    return this.#entries;
  }

  /** Clicks, those included of which counts alone are left. */
  get size(): number {
    return this.#entries.length + this.#compacted;
  }

  /** Authors of clicks. */
  get authors(): Iterable<string> {
    return this.#authors.keys();
  }

  /** Items that were clicked. */
  get items(): Iterable<string> {
    return this.#items.keys();
  }

  /** What is known of an author. */
  of(author: string): AuthorClicks | undefined {
    return this.#authors.get(author);
  }

  /** The clicks for a term. */
  forTerm(term: string): TermClicks | undefined {
    return this.#terms.get(term);
  }

  /**
   * The descriptions of an item that came with clicks, in an order that does not depend on when.
   */
  descriptions(item: string): readonly ItemDescription[] {
    return this.#items.get(item) ?? [];
  }

  /** Number of the author's last click before the first that is missing. */
  contiguous(author: string): number {
    return this.#authors.get(author)?.contiguous ?? 0;
  }

  /** Whether a click is known, by author and sequence. */
  has({ author, sequence }: Pick<ClickEntry, 'author' | 'sequence'>): boolean {
    return this.#authors.get(author)?.has(sequence) ?? false;
  }

  /**
   * Takes in an entry.
   *
   * @returns whether it is new
   * @throws RangeError for a sequence that is not an integer from 1
   */
  append(entry: ClickEntry): boolean {
    const { author, sequence, term, item } = entry;
    if (!(Number.isSafeInteger(sequence) && sequence >= 1))
      throw new RangeError(`ClickLog: the sequence must be an integer from 1, got ${sequence}`);
    const clicks = this.#author(author);
    if (clicks.has(sequence)) return false;
    clicks.know(sequence);
    clicks.entries.push(entry);
    this.#entries.push(entry);
    this.#count(clicks, author, term, item, entry, sequence, 1);
    return true;
  }

  /**
   * Takes in counts in place of the first entries of an author.
   *
   * @param through number of the last click that they hold
   * @throws Error when entries or counts of the author are there
   */
  appendCounts(author: string, through: number, counts: readonly ClickCount[]): void {
    const clicks = this.#author(author);
    if (clicks.contiguous > 0 || clicks.entries.length > 0)
      throw new Error(`ClickLog: counts of "${author}" come after entries of the same author`);
    clicks.contiguous = through;
    clicks.compacted = through;
    counts.forEach((each, at) => {
      this.#compacted += each.count;
      clicks.fold(each);
      // In the order of their first clicks, which decides among terms of equal counts.
      this.#count(clicks, author, each.term, each.id, each, at + 1, each.count);
    });
  }

  /**
   * Replaces all but the last entries of an author by counts. Rankings stay as they are; who lacks
   * those entries can no longer have them from here.
   */
  compact(author: string, keep: number): void {
    const gone = this.#authors.get(author)?.compact(keep);
    if (!gone || gone.size === 0) return;
    this.#compacted += gone.size;
    this.#entries = this.#entries.filter((entry) => !gone.has(entry));
  }

  #author(author: string): AuthorClicks {
    let clicks = this.#authors.get(author);
    if (!clicks) {
      clicks = new AuthorClicks();
      this.#authors.set(author, clicks);
    }
    return clicks;
  }

  #count(
    clicks: AuthorClicks,
    author: string,
    term: string,
    item: string,
    entry: Pick<ItemDescription, 'title' | 'tags'>,
    sequence: number,
    count: number,
  ): void {
    clicks.count(term, item, sequence, count);
    let own = this.#terms.get(term);
    if (!own) {
      own = { authors: [], counts: new Map() };
      this.#terms.set(term, own);
    }
    let byItem = own.counts.get(author);
    if (!byItem) {
      byItem = new Map();
      own.counts.set(author, byItem);
      own.authors.splice(placeOf(own.authors, author, String), 0, author);
    }
    byItem.set(item, (byItem.get(item) ?? 0) + count);
    this.#describe(item, entry);
  }

  #describe(id: string, { title, tags }: Pick<ItemDescription, 'title' | 'tags'>): void {
    const known = this.#items.get(id);
    const own = { id, title, tags };
    if (!known) this.#items.set(id, [own]);
    else if (!(known.length === 1 && isSame(known[0] as ItemDescription, own))) {
      // Strangers may give an item thousands: each costs a search by halves.
      const at = placeOf(known, keyOf(own), keyOf);
      if (!(known[at] && isSame(known[at], own))) known.splice(at, 0, own);
    }
  }
}

const isSame = (a: ItemDescription, b: ItemDescription) =>
  a.title === b.title &&
  (a.tags === b.tags || (a.tags.length === b.tags.length && a.tags.every((tag, at) => tag === b.tags[at])));

const keyOf = ({ title, tags }: ItemDescription) => JSON.stringify([title, tags]);

/** Where a name belongs among values in the order of their names. */
function placeOf<Value>(values: readonly Value[], name: string, nameOf: (value: Value) => string): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (nameOf(values[middle] as Value) < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
