// What ranking must know of the items: nothing but these three functions. The click log, the
// similarity of peers, the score and gossip see identifiers and terms alone.

/** What is shown of an item and travels with a click on it. */
export interface ItemDescription {
  /** Identifier, the same at all peers. */
  readonly id: string;
  /** What is shown. */
  readonly title: string;
  /** What queries can match beside the title. */
  readonly tags: readonly string[];
}

/** A kind of items. */
export interface Domain<Item> {
  /** The term of a query: queries with equal terms share their clicks. */
  normalise(query: string): string;
  /** Whether an item answers a term, judged by what travels with clicks. */
  matches(term: string, item: ItemDescription): boolean;
  /** What is shown of an item, and what can be matched. */
  describe(item: Item): ItemDescription;
}

/** An item of a catalogue, such as a release of music. */
export interface CatalogueItem {
  /** Identifier. */
  readonly id: string;
  /** Title. */
  readonly title: string;
  /** Artist or author. */
  readonly creator?: string | undefined;
  /** Genres, subjects, and the like. */
  readonly tags: readonly string[];
}

/** NFKC, lower case, letters and digits alone, single spaces. */
export function plainWords(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s]/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Texts in which words are looked for, made once an item. */
const searched = new WeakMap<ItemDescription, string>();

function searchedText(item: ItemDescription): string {
  let text = searched.get(item);
  if (text === undefined) {
    text = [item.title, ...item.tags].map(plainWords).join('\n');
    searched.set(item, text);
  }
  return text;
}

/**
 * Items with title, creator and tags. An item matches when each word of the term stands in its
 * title, its creator or a tag.
 */
export const catalogueDomain: Domain<CatalogueItem> = {
  normalise: plainWords,
  matches(term, item) {
    const text = searchedText(item);
    return term !== '' && term.split(' ').every((word) => text.includes(word));
  },
  describe: ({ id, title, creator, tags }) => ({
    id,
    title: creator === undefined || creator === '' ? title : `${title} · ${creator}`,
    tags,
  }),
};

/** A text with an identifier. */
export interface TextItem {
  /** Identifier. */
  readonly id: string;
  /** The whole text. */
  readonly text: string;
}

/** Characters of a text that are shown. */
const TITLE = 80;

/** Texts. An item matches when each word of the term is a word of the text. */
export const textDomain: Domain<TextItem> = {
  normalise: plainWords,
  matches: (term, { tags }) => term !== '' && term.split(' ').every((word) => tags.includes(word)),
  describe: ({ id, text }) => ({
    id,
    title: text.slice(0, TITLE),
    tags: [...new Set(plainWords(text).split(' '))],
  }),
};

/** An item with a number, such as a price. */
export interface NumberedItem {
  /** Identifier. */
  readonly id: string;
  /** What is shown. */
  readonly title: string;
  /** What ranges are compared with. */
  readonly value: number;
}

const RANGE = /^(-?[\d.]+)\s*(?:\.\.|–|\bto\b)\s*(-?[\d.]+)$/;

/** The number that a text is; an empty one is none. */
const numberIn = (text: string) => (text.trim() === '' ? Number.NaN : Number(text));

/**
 * Items with a number, searched by a range: the query "10..20" matches 10 ≤ value ≤ 20. Other
 * queries match nothing.
 */
export const rangeDomain: Domain<NumberedItem> = {
  normalise(query) {
    const [, low, high] = RANGE.exec(query.trim().toLowerCase()) ?? [];
    const bounds = [Number(low), Number(high)].sort((a, b) => a - b);
    return bounds.every(Number.isFinite) ? bounds.join('..') : query.trim().toLowerCase();
  },
  matches(term, { tags }) {
    const [low = Number.NaN, high = Number.NaN] = term.split('..').map(numberIn);
    const value = numberIn(tags[0] ?? '');
    return low <= value && value <= high;
  },
  describe: ({ id, title, value }) => ({ id, title, tags: [String(value)] }),
};

const isCount = (id: string) => /^\d{1,15}$/.test(id);

/** The order of identifiers: numbers by value, then texts by code unit. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  const numbers = [isCount(a), isCount(b)];
  if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
  return (numbers[0] && Number(a) - Number(b)) || (a < b ? -1 : 1);
}

/** The items of a device, and which of them match a term. */
export class ItemLibrary<Item = unknown> {
  /** All items, in the order in which they were given. */
  readonly items: readonly ItemDescription[];
  readonly #items = new Map<string, ItemDescription>();
  readonly #matching = new Map<string, readonly ItemDescription[]>();

  /**
   * @throws Error for two items of one identifier, or an empty one
   */
  constructor(
    readonly domain: Domain<Item>,
    items: Iterable<Item>,
  ) {
    for (const item of items) {
      const description = domain.describe(item);
      if (description.id === '') throw new Error(`the item "${description.title}" has no identifier`);
      if (this.#items.has(description.id)) throw new Error(`two items have the identifier "${description.id}"`);
      this.#items.set(description.id, description);
    }
    this.items = [...this.#items.values()];
  }

  /** Number of items. */
  get size(): number {
    return this.#items.size;
  }

  /** An item by its identifier. */
  get(id: string): ItemDescription | undefined {
    return this.#items.get(id);
  }

  /** Items that match a term, by identifier. */
  matching(term: string): readonly ItemDescription[] {
    let found = this.#matching.get(term);
    if (!found) {
      found = this.items.filter((item) => this.domain.matches(term, item)).sort((a, b) => compareIds(a.id, b.id));
      if (this.#matching.size >= 1000) this.#matching.clear();
      this.#matching.set(term, found);
    }
    return found;
  }
}
