// A catalogue as a trained model keeps it, and new products and values that join it.

import {
  type AttributeValue,
  ProductListReader,
  type ProductRow,
  productNumbers,
  requireWords,
  valueKey,
} from '../../data/index.js';
import { concatenate } from '../../tensor/index.js';
import { type NodeCounts, ProductGraph, type ProductGraphOptions, type ProductLinks } from './graph.js';
import type { NodeTensors } from './sage.js';

/** Names, structure, labels and features x⁰ of the nodes. */
export interface KnownCatalogue {
  /** Names of the products. */
  readonly productNames: readonly string[];
  /** Names of the categories. */
  readonly categories: readonly string[];
  /** All values. */
  readonly values: readonly AttributeValue[];
  /** Categories and lists of the products. */
  readonly links: ProductLinks;
  /** Known values of each product, ascending. */
  readonly labels: readonly Int32Array[];
  /** Features x⁰ by node type. */
  readonly features: NodeTensors;
}

/** New rows that join a catalogue. */
export interface Newcomers {
  readonly products: readonly ProductRow[];
  readonly values: readonly AttributeValue[];
  /** Names of new categories. */
  readonly categories: readonly string[];
  /** Number of each row of `products` in the joined catalogue. */
  readonly asked: Int32Array;
  /** Rows of the given tables that are new: of the products, and of the values. */
  readonly rows: { readonly products: Int32Array; readonly values: Int32Array };
  readonly links: ProductLinks;
  readonly notes: readonly string[];
}

const none = new Int32Array(0);

/**
 * Tells new products, categories and values from known ones and numbers them after those.
 *
 * @throws Error naming a product that the table names twice, or a product or value without words
 */
export function newcomersOf(
  known: KnownCatalogue,
  products: readonly ProductRow[],
  values: readonly AttributeValue[],
): Newcomers {
  productNumbers(products);
  values.forEach(requireWords);
  const ids = new Map(known.productNames.map((name, p) => [name, p]));
  const newRows = Int32Array.from(products.keys()).filter((row) => !ids.has((products[row] as ProductRow).product));
  const fresh = Array.from(newRows, (row) => products[row] as ProductRow);
  const first = ids.size;
  fresh.forEach(({ product }, at) => {
    ids.set(product, first + at);
  });
  const categoryIds = new Map(known.categories.map((name, c) => [name, c]));
  for (const category of fresh.flatMap((row) => row.categories))
    if (!categoryIds.has(category)) categoryIds.set(category, categoryIds.size);
  const lists = new ProductListReader(ids);
  const keys = new Set(known.values.map(valueKey));
  const newValues = values.flatMap((value, row) => {
    const key = valueKey(value);
    if (keys.has(key)) return [];
    keys.add(key);
    return [{ value, row }];
  });
  const categories = [...categoryIds.keys()].slice(known.categories.length);
  const links = {
    categoriesOf: fresh.map((row) =>
      Int32Array.from(new Set(row.categories.map((name) => categoryIds.get(name) as number))).sort(),
    ),
    alsoView: fresh.map(({ alsoView }, at) => lists.read(alsoView, first + at)),
    alsoBuy: fresh.map(({ alsoBuy }, at) => lists.read(alsoBuy, first + at)),
  };
  const counted = (count: number, text: string) => (count > 0 ? [`${text}: ${count}`] : []);
  return {
    products: fresh,
    values: newValues.map(({ value }) => value),
    categories,
    asked: Int32Array.from(products, ({ product }) => ids.get(product) as number),
    rows: { products: newRows, values: Int32Array.from(newValues, ({ row }) => row) },
    links,
    notes: [
      ...lists.notes(),
      ...counted(
        products.length - fresh.length,
        'products that the catalogue has already, with stored texts and lists',
      ),
      ...counted(categories.length, 'categories that training did not know'),
      ...counted(values.length - newValues.length, 'values that are known already'),
    ],
  };
}

/** A catalogue with newcomers: its graph, features x⁰, and all values. */
export interface JoinedCatalogue {
  readonly graph: ProductGraph;
  readonly features: NodeTensors;
  readonly values: readonly AttributeValue[];
}

/** @param features x⁰ of the newcomers by node type */
export function join(
  known: KnownCatalogue,
  newcomers: Newcomers,
  features: NodeTensors,
  options: ProductGraphOptions,
): JoinedCatalogue {
  const both = (key: keyof ProductLinks) => [...known.links[key], ...newcomers.links[key]];
  const counts: NodeCounts = {
    products: known.productNames.length + newcomers.products.length,
    categories: known.categories.length + newcomers.categories.length,
    values: known.values.length + newcomers.values.length,
  };
  const links = { categoriesOf: both('categoriesOf'), alsoView: both('alsoView'), alsoBuy: both('alsoBuy') };
  const labels = [...known.labels, ...newcomers.products.map(() => none)];
  const all = (type: keyof NodeTensors) =>
    features[type].size === 0 ? known.features[type] : concatenate([known.features[type], features[type]], 0);
  return {
    graph: new ProductGraph(counts, links, labels, options),
    features: { products: all('products'), categories: all('categories'), values: all('values') },
    values: [...known.values, ...newcomers.values],
  };
}
