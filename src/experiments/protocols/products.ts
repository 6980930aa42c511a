// Zero-shot attribute values of products: catalogues, splits and metrics.

import { existsSync } from 'node:fs';
import { generatedCatalogue, HashedTextEncoder, type ProductCatalogue, wordsOf } from '../../data/index.js';
import { loadCatalogue } from '../../data/node.js';
import {
  encodeCatalogue,
  macroF1Of,
  meanAveragePrecision,
  type ProductScores,
  type ProductTask,
  productTask,
  recallAt,
  scoresOf,
  textsOfCatalogue,
  topValues,
  valueF1,
  type ZeroShotSplit,
  zeroShotSplit,
} from '../../hypergraph/index.js';
import type { Random } from '../../tensor/index.js';
import type { Scores, Table } from '../parts/contract.js';

/** The generated catalogue, drawn anew for each seed. */
export const GENERATED = 'catalogue';

/** Catalogues by the random stream of a seed. */
export interface ProductData {
  readonly name: string;
  readonly catalogueOf: (random: Random) => ProductCatalogue;
}

/** @throws Error as `loadCatalogue` does, or for a name that is none */
export function loadProducts(source: string, products: number): ProductData {
  if (source === GENERATED) return { name: source, catalogueOf: (random) => generatedCatalogue(random, { products }) };
  if (!existsSync(source)) throw new Error(`no catalogue "${source}": ${GENERATED}, a folder or a table is expected`);
  const catalogue = loadCatalogue(source);
  return { name: source, catalogueOf: () => catalogue };
}

/** One line on a catalogue. */
export function describeProducts({ name, catalogueOf }: ProductData, random: Random): string {
  const { productNames, categories, values, labels } = catalogueOf(random);
  const pairs = labels.reduce((sum, own) => sum + own.length, 0);
  return `${name}: ${productNames.length} products, ${categories.length} categories, ${values.length} values, ${pairs} labels`;
}

/** What all methods of a seed are given. */
export interface ProductRun {
  readonly catalogue: ProductCatalogue;
  readonly split: ZeroShotSplit;
  readonly task: ProductTask;
  /** The task with words of equal weight, for the study of the encoder. */
  readonly unweighted: ProductTask;
  /** The task with pairs of products in place of the hyperedges of their lists. */
  readonly pairs: ProductTask;
}

/** Catalogue, split and texts of a seed. */
export function productRun(data: ProductData, random: Random): ProductRun {
  const catalogue = data.catalogueOf(random.split('catalogue'));
  return productRunOf(catalogue, zeroShotSplit(catalogue, random.split('split')));
}

/** Texts and task of a split. */
export function productRunOf(catalogue: ProductCatalogue, split: ZeroShotSplit): ProductRun {
  const encoder = new HashedTextEncoder({ idf: 'plain' });
  const unweighted = productTask(catalogue, encodeCatalogue(catalogue, encoder), split);
  const texts = encodeCatalogue(catalogue, encoder.fit(textsOfCatalogue(catalogue)));
  const pairs = productTask(catalogue, texts, split, { behaviour: 'pairs' });
  return { catalogue, split, task: productTask(catalogue, texts, split), unweighted, pairs };
}

/** A trained method, as it is scored. */
export interface ProductModelScores {
  /** Scores of products and all values. */
  score(products: Int32Array): ProductScores;
  /** Whether values are predicted, where a method emits them; else scores above 0. */
  emitted?(products: Int32Array): ReadonlySet<number>[];
  readonly parameters: number;
  /** The score of the epoch that was kept. */
  readonly validation: number;
}

/** Whether all words of a value are in the text of a product. */
export function isExplicit({ texts, values }: ProductCatalogue): (product: number, value: number) => boolean {
  const words = values.map(({ value }) => wordsOf(value));
  const known = texts.map((text) => new Set(wordsOf(text)));
  return (product, value) => (words[value] as string[]).every((word) => known[product]?.has(word));
}

/** All metrics in %, on test products. Zero-shot ones rank unseen values alone. */
export function productScores(model: ProductModelScores, { catalogue, split }: ProductRun): Scores {
  const { labels, values } = catalogue;
  const { test, unseenTest } = split;
  const scored = model.score(test);
  const emitted = model.emitted?.(test);
  const all = Int32Array.from(values.keys());
  const isUnseen = new Set(unseenTest);
  const explicit = isExplicit(catalogue);
  const predicted = (at: number, value: number) =>
    emitted ? (emitted[at] as ReadonlySet<number>).has(value) : (scoresOf(scored, at)[value] as number) > 0;
  const f1 = valueF1(test, labels, unseenTest, predicted);
  const unseen = (wanted: boolean) => (product: number, value: number) =>
    isUnseen.has(value) && explicit(product, value) === wanted;
  return {
    zeroShot: 100 * meanAveragePrecision(scored, labels, unseenTest),
    f1: 100 * macroF1Of(f1),
    support: f1.reduce((sum, { support }) => sum + support, 0) / f1.length,
    map: 100 * meanAveragePrecision(scored, labels, all),
    hit: 100 * recallAt(10, scored, labels),
    explicit: 100 * recallAt(10, scored, labels, unseen(true)),
    implicit: 100 * recallAt(10, scored, labels, unseen(false)),
    parameters: model.parameters,
  };
}

/** The five values of the largest scores of each test product. */
export function productPredictions(model: ProductModelScores, { catalogue, split }: ProductRun): Table {
  const scored = model.score(split.test);
  const rows = Array.from(split.test.keys()).flatMap((at) => {
    const row = scoresOf(scored, at);
    const product = split.test[at] as number;
    return topValues(row, 5).map((value) => {
      const { attribute, value: text } = catalogue.values[value] as (typeof catalogue.values)[number];
      const known = (catalogue.labels[product] as Int32Array).includes(value) ? 1 : 0;
      return [catalogue.productNames[product] as string, attribute, text, (row[value] as number).toFixed(4), known];
    });
  });
  return { columns: ['product', 'attribute', 'value', 'score', 'label'], rows };
}
