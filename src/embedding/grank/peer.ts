// A peer: its library, its click log, and which peers it knows.

import { Random } from '../../tensor/index.js';
import { type ClickEntry, ClickLog } from './click-log.js';
import type { ItemDescription, ItemLibrary } from './domain.js';
import { describe, type RankedItem, rankItems } from './rank.js';
import { Similarities, type SimilarityForm } from './similarity.js';

/** Options of `GRankPeer`. */
export interface GRankOptions {
  /**
   * F: what clicks of any peer count, whether similar or not. 0 ignores peers that have nothing in
   * common with this one. Default: 1.
   */
  readonly isolation?: number;
  /** The formula of similarity. Default: 'paper'. */
  readonly similarity?: SimilarityForm;
  /** Probability that two results are swapped in what is shown. Default: 0.5. */
  readonly noise?: number;
  /**
   * Whether authors of entries that arrive become known peers; off where a name is no address.
   * Default: true.
   */
  readonly learnAuthors?: boolean;
  /** The log to go on with. Default: an empty one. */
  readonly log?: ClickLog;
}

/** Defaults of `GRankOptions`. */
export const grankDefaults = { isolation: 1, similarity: 'paper', noise: 0.5, learnAuthors: true } as const;

/** What a search shows. */
export interface SearchResult {
  /** The query, normalised. */
  readonly term: string;
  /** Whether the log held the term. */
  readonly seenBefore: boolean;
  /** What is shown, the first on top. */
  readonly shown: readonly RankedItem[];
}

/** Entries for a peer that asked, and what to call once it has them. */
export interface PullAnswer {
  /** What the peer has not been sent before. */
  readonly entries: readonly ClickEntry[];
  /** Remembers that the entries have arrived; without it they are sent again. */
  delivered(): void;
}

/** Items that an empty log shows where nothing matches. */
const AT_RANDOM = 10;

/** A device that ranks by its own click log, and those that others have sent. */
export class GRankPeer {
  /** Its own clicks and those that reached it. */
  readonly log: ClickLog;
  /** How alike the authors of the log are to it. */
  readonly similarities: Similarities;
  /** F. */
  readonly isolation: number;
  /** Probability that two results are swapped in what is shown. */
  readonly noise: number;
  readonly #random: Random;
  readonly #learnsAuthors: boolean;
  readonly #known = new Set<string>();
  /** Entries of the log that each peer has been sent. */
  readonly #progress = new Map<string, number>();

  /**
   * @param id name among the peers
   * @param library its items
   * @throws RangeError for a negative F or a noise outside of [0, 1]
   */
  constructor(
    readonly id: string,
    readonly library: ItemLibrary,
    random: Random = new Random(0),
    options: GRankOptions = {},
  ) {
    const { isolation, similarity, noise, learnAuthors, log = new ClickLog() } = { ...grankDefaults, ...options };
    if (!(isolation >= 0 && isolation < Number.POSITIVE_INFINITY))
      throw new RangeError(`GRankPeer: isolation must be a number from 0, got ${isolation}`);
    if (!(noise >= 0 && noise <= 1)) throw new RangeError(`GRankPeer: noise must be from 0 to 1, got ${noise}`);
    this.log = log;
    this.isolation = isolation;
    this.noise = noise;
    this.#learnsAuthors = learnAuthors;
    this.#random = random;
    this.similarities = new Similarities(log, id, similarity);
  }

  /** Peers that it knows, in the order in which it learnt of them. */
  get known(): readonly string[] {
    return [...this.#known];
  }

  /** Learns of a peer. */
  meet(peer: string): void {
    if (peer !== this.id) this.#known.add(peer);
  }

  /** Forgets a peer, which may be met again. */
  forget(peer: string): void {
    this.#known.delete(peer);
  }

  /** One of the known peers, drawn uniformly; undefined when there are none. */
  drawPeer(): string | undefined {
    return this.#known.size === 0 ? undefined : this.known[this.#random.integer(this.#known.size)];
  }

  /** The weight of the clicks of an author: Ŝ + F. */
  weight(author: string): number {
    return this.similarities.normalised(author) + this.isolation;
  }

  /** The ranking for a query, without noise: it depends on the log and the library alone. */
  rank(query: string): readonly RankedItem[] {
    const term = this.library.domain.normalise(query);
    return rankItems(this.library, this.log, term, (author) => this.weight(author));
  }

  /**
   * What to show for a query: the ranking in which, half of the time, two results have changed
   * places, so that others than the first get clicks too. The log stays as it is.
   */
  search(query: string): SearchResult {
    const term = this.library.domain.normalise(query);
    const shown = [...this.rank(term)];
    if (shown.length === 0 && this.log.size === 0) shown.push(...this.#anyItems());
    if (shown.length > 1 && this.#random.float() < this.noise) {
      const a = this.#random.integer(shown.length);
      const b = (a + 1 + this.#random.integer(shown.length - 1)) % shown.length;
      [shown[a], shown[b]] = [shown[b] as RankedItem, shown[a] as RankedItem];
    }
    return { term, seenBefore: this.log.forTerm(term) !== undefined, shown };
  }

  #anyItems(): RankedItem[] {
    const { items } = this.library;
    const order = items.length === 0 ? [] : [...this.#random.permutation(items.length).slice(0, AT_RANDOM)];
    return order.map((at) => ({ ...(items[at] as ItemDescription), score: 0, matches: false }));
  }

  /**
   * The entry of a click, which joins the log.
   *
   * @throws Error for an item that is neither in the library nor in the log
   */
  click(result: Pick<SearchResult, 'term'> & Partial<SearchResult>, item: string, time: number): ClickEntry {
    const entry = this.entryOf(result, item, time);
    this.log.append(entry);
    return entry;
  }

  /**
   * The entry of a click, which the log does not hold yet.
   *
   * @throws Error for an item that is neither in the library nor in the log
   */
  entryOf({ term, seenBefore, shown }: Partial<SearchResult>, item: string, time: number): ClickEntry {
    const found = describe(this.library, this.log, item);
    if (!found) throw new Error(`no item "${item}" is known here`);
    return {
      author: this.id,
      sequence: this.log.contiguous(this.id) + 1,
      term: term ?? '',
      item,
      title: found.title,
      tags: found.tags,
      time,
      ...(seenBefore !== undefined && { seenBefore }),
      ...(shown && { results: shown.map(({ id }) => id) }),
    };
  }

  /** Takes in entries. @returns how many are new */
  receive(entries: Iterable<ClickEntry>): number {
    let fresh = 0;
    for (const entry of entries) {
      if (!this.log.append(entry)) continue;
      fresh++;
      if (this.#learnsAuthors) this.meet(entry.author);
    }
    return fresh;
  }

  /**
   * What a peer has not been sent of the log. It is known from now on.
   *
   * @see `entriesSince`, which works by numbers of clicks and survives a compacted log
   */
  answer(requester: string): PullAnswer {
    this.meet(requester);
    const end = this.log.entries.length;
    return {
      entries: this.log.entries.slice(this.#progress.get(requester) ?? 0, end),
      delivered: () => this.#progress.set(requester, end),
    };
  }

  /**
   * Entries that follow, without a gap, the last ones that a peer knows of each author.
   *
   * @param since number of the last click by author; authors that are left out are unknown
   */
  *entriesSince(since: Readonly<Record<string, number>>): Generator<ClickEntry> {
    for (const author of this.log.authors) {
      const clicks = this.log.of(author);
      let last = Object.hasOwn(since, author) ? (since[author] as number) : 0;
      if (!clicks || last < clicks.compacted) continue;
      for (const entry of clicks.entries)
        if (entry.sequence === last + 1) {
          yield entry;
          last++;
        }
    }
  }

  /** Numbers of the last clicks without a gap, by author: what `entriesSince` takes. */
  vector(): Record<string, number> {
    return Object.fromEntries([...this.log.authors].map((author) => [author, this.log.contiguous(author)]));
  }

  /** A random share of the log, with which a new peer starts. */
  sample(share: number, random: Random): readonly ClickEntry[] {
    const { entries } = this.log;
    const count = Math.ceil(share * entries.length);
    return entries.length === 0
      ? []
      : [...random.permutation(entries.length).slice(0, count)].map((at) => entries[at] as ClickEntry);
  }
}
