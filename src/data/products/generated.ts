// A generated catalogue. Products of a style group share one value of each attribute; texts name
// half of the values, and the other half is to be had from what people viewed or bought too.

import type { Random } from '../../tensor/index.js';
import { type AttributeValue, ascending, type ProductCatalogue } from './catalogue.js';

/** Sizes of a generated catalogue. */
export interface GeneratedCatalogueOptions {
  /** Number of products. Default: 500. */
  readonly products?: number;
  /** Number of categories. Default: 5. */
  readonly categories?: number;
  /** Attributes of a category, which are its own. Default: 3. */
  readonly attributes?: number;
  /** Values of an attribute, which are its own. Default: 10. */
  readonly values?: number;
  /** Mean number of products of a style group. Default: 5. */
  readonly group?: number;
  /** Probability that a product has the value of its group. Default: 0.85. */
  readonly loyalty?: number;
  /** Probability that the text names a value. Default: 0.5. */
  readonly explicit?: number;
  /** Words without meaning of a text, and how many of them there are. Default: 8 of 150. */
  readonly noise?: { readonly words: number; readonly of: number };
}

const LISTS = { alsoView: 0.6, alsoBuy: 0.4 } as const;
/** Probability of one random product in a list. */
const STRAY = 0.3;

/** A catalogue that follows from the random stream alone. */
export function generatedCatalogue(random: Random, options: GeneratedCatalogueOptions = {}): ProductCatalogue {
  const { products = 500, categories = 5, attributes = 3, values: each = 10 } = options;
  const { group: mates = 5, loyalty = 0.85, explicit = 0.5, noise = { words: 8, of: 150 } } = options;
  const values = valuesOf(categories, attributes, each);
  const groups = groupsOf(products, categories, attributes, each, mates, random.split('groups'));
  const stream = random.split('products');
  const labels: Int32Array[] = [];
  const texts = groups.of.map((g) => {
    const { category, chosen } = groups.all[g] as Group;
    const words = Array.from({ length: noise.words }, () => `word${stream.integer(noise.of)}`);
    words.push(categoryName(category));
    const own = chosen.map((style, attribute) => {
      const value = stream.float() < loyalty ? style : stream.integer(each);
      const number = (category * attributes + attribute) * each + value;
      if (stream.float() < explicit) words.push((values[number] as AttributeValue).value);
      return number;
    });
    labels.push(ascending(own));
    return shuffled(words, stream).join(' ');
  });
  const members = membersOf(groups.of, groups.all.length);
  const listsOf = (kind: keyof typeof LISTS) => {
    const draw = random.split(kind);
    return groups.of.map((g, p) => listOf(members[g] as number[], p, products, LISTS[kind], draw));
  };
  const names = Array.from({ length: categories }, (_, c) => categoryName(c));
  return {
    name: 'catalogue',
    productNames: Array.from({ length: products }, (_, p) => `p${p}`),
    texts,
    categories: names,
    categoryTexts: names,
    categoriesOf: groups.of.map((g) => Int32Array.of((groups.all[g] as Group).category)),
    alsoView: listsOf('alsoView'),
    alsoBuy: listsOf('alsoBuy'),
    values,
    labels,
    notes: [],
  };
}

const categoryName = (category: number) => `category${category}`;

function valuesOf(categories: number, attributes: number, each: number): AttributeValue[] {
  return Array.from({ length: categories * attributes * each }, (_, number) => {
    const attribute = Math.floor(number / each);
    return { attribute: `attribute${attribute}`, value: `value${attribute}x${number % each}` };
  });
}

/** A style group: its category, and its value of each attribute. */
interface Group {
  readonly category: number;
  readonly chosen: readonly number[];
}

function groupsOf(
  products: number,
  categories: number,
  attributes: number,
  each: number,
  mates: number,
  random: Random,
): { readonly all: readonly Group[]; readonly of: readonly number[] } {
  const count = Math.max(1, Math.round(products / mates));
  const all = Array.from({ length: count }, () => ({
    category: random.integer(categories),
    chosen: Array.from({ length: attributes }, () => random.integer(each)),
  }));
  return { all, of: Array.from({ length: products }, () => random.integer(count)) };
}

function membersOf(groupOf: readonly number[], count: number): number[][] {
  const members = Array.from({ length: count }, () => [] as number[]);
  groupOf.forEach((g, p) => {
    members[g]?.push(p);
  });
  return members;
}

function listOf(mates: readonly number[], p: number, products: number, chance: number, random: Random): Int32Array {
  const list = new Set(mates.filter((mate) => mate !== p && random.float() < chance));
  if (random.float() < STRAY) list.add(random.integer(products));
  list.delete(p);
  return ascending(list);
}

function shuffled(words: readonly string[], random: Random): string[] {
  return Array.from(random.permutation(words.length), (at) => words[at] as string);
}
