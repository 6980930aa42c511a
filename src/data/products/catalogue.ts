// Catalogues of products: texts, categories, lists of products that people viewed or bought too,
// and attribute values as far as they are known.

import type { Tensor } from '../../tensor/index.js';
import { wordsOf } from '../text-encoder.js';

/** A value of an attribute, such as navy of colour. */
export interface AttributeValue {
  /** The attribute, such as colour. */
  readonly attribute: string;
  /** Its value, such as navy. */
  readonly value: string;
  /** Where it stands in a file, for errors. */
  readonly where?: string;
}

/** A product as a table names it. */
export interface ProductRow {
  /** Its name, which no other product has. */
  readonly product: string;
  /** Title and description. */
  readonly text: string;
  /** Names of its categories; none when it has no category. */
  readonly categories: readonly string[];
  /** Names of products that people viewed too. */
  readonly alsoView: readonly string[];
  /** Names of products that people bought too. */
  readonly alsoBuy: readonly string[];
  /** Where it stands in a file, for errors. */
  readonly where?: string;
}

/** A known value of a product. */
export interface LabelRow extends AttributeValue {
  /** Name of the product. */
  readonly product: string;
}

/** The tables of a catalogue. */
export interface ProductTables {
  /** All products. */
  readonly products: readonly ProductRow[];
  /** Known values of products. */
  readonly labels: readonly LabelRow[];
  /** Values that no product may have yet. */
  readonly candidates?: readonly AttributeValue[];
  /** Descriptions of categories by name; their names when left out. */
  readonly descriptions?: ReadonlyMap<string, string>;
}

/** Precomputed vectors in place of those of texts. */
export interface ProductVectors {
  /** A row for each product [products, d]. */
  readonly products: Tensor;
  /** A row for each value [values, d]. */
  readonly values: Tensor;
}

/** Products with numbers in place of names. */
export interface ProductCatalogue {
  /** Name of the data. */
  readonly name: string;
  /** Names of the products. */
  readonly productNames: readonly string[];
  /** Title and description of each product. */
  readonly texts: readonly string[];
  /** Names of the categories. */
  readonly categories: readonly string[];
  /** What is encoded of each category: its description, or its name. */
  readonly categoryTexts: readonly string[];
  /** Categories of each product, ascending. */
  readonly categoriesOf: readonly Int32Array[];
  /** Products viewed too, by product: in the catalogue, another product, each once, ascending. */
  readonly alsoView: readonly Int32Array[];
  /** Products bought too. */
  readonly alsoBuy: readonly Int32Array[];
  /** All attribute values, those of no product among them. */
  readonly values: readonly AttributeValue[];
  /** Known values of each product, ascending. */
  readonly labels: readonly Int32Array[];
  /** Vectors of products and values; of their texts when left out. */
  readonly vectors?: ProductVectors;
  /** What was merged or left out while reading. */
  readonly notes: readonly string[];
}

/** A profile of a catalogue, for a terminal. */
export function catalogueLines(catalogue: ProductCatalogue): string[] {
  const { name, productNames, categories, values, labels, alsoView, alsoBuy, vectors, notes } = catalogue;
  const filled = (lists: readonly Int32Array[]) => lists.filter((list) => list.length > 0).length;
  const pairs = labels.reduce((sum, own) => sum + own.length, 0);
  const used = new Set(labels.flatMap((own) => [...own])).size;
  return [
    `${name}: ${times(productNames.length, 'product')} in ${categories.length} categories`,
    `attributes: ${new Set(values.map(({ attribute }) => attribute)).size} with ${times(values.length, 'value')}, ${values.length - used} of them of no product`,
    `labels: ${pairs} of ${times(filled(labels), 'product')}`,
    `lists: ${filled(alsoView)} products with also_view, ${filled(alsoBuy)} with also_buy`,
    ...(vectors ? [`vectors of ${vectors.products.shape[1]} numbers`] : []),
    ...notes.map((text) => `note: ${text}`),
  ];
}

/** The text of a value: `colour is navy`. */
export function valueText({ attribute, value }: AttributeValue): string {
  return `${attribute} is ${value}`;
}

/** How values are compared: without case or repeated spaces. */
export function valueKey({ attribute, value }: AttributeValue): string {
  return `${folded(attribute)}\t${folded(value)}`;
}

const folded = (text: string) => text.trim().replace(/\s+/g, ' ').toLowerCase();

/**
 * Numbers products, categories and values. Values that differ in case or spaces alone are one, in
 * the first spelling. Products of lists that the catalogue lacks are left out, and counted.
 *
 * @param order which table numbers the values first
 * @throws Error naming a product that is named twice or has no words, a value without words, or a
 * known value of a product that the catalogue lacks
 */
export function productCatalogue(
  tables: ProductTables,
  name: string,
  order: 'labels' | 'candidates' = 'labels',
): ProductCatalogue {
  const { products, labels, candidates = [], descriptions } = tables;
  if (products.length === 0) throw new Error(`catalogue "${name}" has no products`);
  const ids = productNumbers(products);
  const values = new ValueNumbers();
  const own = products.map(() => new Set<number>());
  let repeated = 0;
  if (order === 'candidates') for (const candidate of candidates) values.numberOf(candidate);
  for (const label of labels) {
    const product = ids.get(label.product);
    if (product === undefined)
      throw new Error(
        `${at(label)}attribute "${label.attribute}" is of product "${label.product}", which the table of products lacks`,
      );
    const set = own[product] as Set<number>;
    const value = values.numberOf(label);
    repeated += Number(set.has(value));
    set.add(value);
  }
  for (const candidate of candidates) values.numberOf(candidate);
  if (values.all.length === 0) throw new Error(`catalogue "${name}" has no attribute values`);
  const categories = [...new Set(products.flatMap((product) => product.categories))];
  const categoryIds = new Map(categories.map((category, c) => [category, c]));
  const categoryTexts = categories.map((category) => descriptions?.get(category) ?? category);
  const wordless = categoryTexts.findIndex((text) => wordsOf(text).length === 0);
  if (wordless >= 0) throw new Error(`category "${categories[wordless]}" has no words`);
  const lists = new ProductListReader(ids);
  return {
    name,
    productNames: products.map(({ product }) => product),
    texts: products.map(({ text }) => text),
    categories,
    categoryTexts,
    categoriesOf: products.map((product) =>
      ascending(new Set(product.categories.map((category) => categoryIds.get(category) as number))),
    ),
    alsoView: products.map(({ alsoView }, p) => lists.read(alsoView, p)),
    alsoBuy: products.map(({ alsoBuy }, p) => lists.read(alsoBuy, p)),
    values: values.all,
    labels: own.map(ascending),
    notes: [...lists.notes(), ...values.notes(), ...(repeated > 0 ? [`${times(repeated, 'label')} given twice`] : [])],
  };
}

/** Where a row stands, before what is wrong with it. */
function at({ where }: { readonly where?: string | undefined }): string {
  return where === undefined ? '' : `${where}: `;
}

/** `1 value`, `2 values`. */
function times(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Distinct numbers in ascending order. */
export function ascending(numbers: Iterable<number>): Int32Array {
  return Int32Array.from(numbers).sort();
}

/** Numbers of the products by name. @throws Error as `productCatalogue` */
export function productNumbers(products: readonly ProductRow[]): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  products.forEach((row, p) => {
    const { product, text } = row;
    const fail = (reason: string): never => {
      throw new Error(`${at(row)}${reason}`);
    };
    if (product === '') fail('the product has no name');
    if (ids.has(product)) fail(`product "${product}" is named twice`);
    if (wordsOf(text).length === 0) fail(`product "${product}" has no words in its title and description`);
    ids.set(product, p);
  });
  return ids;
}

/** @throws Error naming a value without words, or with an attribute without words */
export function requireWords({ attribute, value, where }: AttributeValue): void {
  for (const [part, text] of Object.entries({ attribute, value }))
    if (wordsOf(text).length === 0)
      throw new Error(`${at({ where })}the ${part} of "${attribute}: ${value}" has no words`);
}

/** Gives values their numbers, in order of appearance. */
class ValueNumbers {
  readonly all: AttributeValue[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #merged = new Set<string>();

  /** @throws Error for a value without words */
  numberOf({ attribute, value, where }: AttributeValue): number {
    const key = valueKey({ attribute, value });
    const known = this.#numbers.get(key);
    const spelled = { attribute: attribute.trim(), value: value.trim() };
    if (known !== undefined) {
      const first = this.all[known] as AttributeValue;
      if (first.attribute !== spelled.attribute || first.value !== spelled.value) this.#merged.add(valueText(spelled));
      return known;
    }
    requireWords({ ...spelled, ...(where !== undefined && { where }) });
    this.#numbers.set(key, this.all.length);
    return this.all.push(spelled) - 1;
  }

  notes(): string[] {
    const { size } = this.#merged;
    return size > 0
      ? [`${times(size, 'spelling')} of values that differ in case or spaces alone, read as the first`]
      : [];
  }
}

/** Reads lists of products by number, and counts the entries that it leaves out. */
export class ProductListReader {
  #missing = 0;
  #lists = 0;

  /** @param ids the numbers of the products by name */
  constructor(readonly ids: ReadonlyMap<string, number>) {}

  /** The other products of a list of product p, ascending. */
  read(names: readonly string[], p: number): Int32Array {
    const found = new Set<number>();
    let missing = 0;
    for (const name of names) {
      const product = this.ids.get(name);
      if (product === undefined) missing += 1;
      else if (product !== p) found.add(product);
    }
    this.#missing += missing;
    this.#lists += Number(missing > 0);
    return ascending(found);
  }

  /** What was left out; none when nothing was. */
  notes(): string[] {
    return this.#missing > 0
      ? [
          `${times(this.#missing, 'entry').replace('entrys', 'entries')} of ${times(this.#lists, 'list')} left out: no such product in the catalogue`,
        ]
      : [];
  }
}
