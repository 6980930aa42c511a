// HyperPAVE as a file: the network, the weights of words, and the catalogue with the features of
// its nodes, so that new products join by text, category and lists alone, and new values by text.

import {
  type AttributeValue,
  HashedTextEncoder,
  type HashedTextState,
  type ModelKind,
  type ProductRow,
  readModelFile,
  type SentenceEncoder,
  valueText,
  writeModelFile,
} from '../../data/index.js';
import { loadState, stateOf } from '../../nn/index.js';
import { Segments } from '../../sparse/index.js';
import { gatherKnownRows, keep, Random, scope, sigmoid, type Tensor, tensor, zeros } from '../../tensor/index.js';
import { type Evidence, EvidenceReader } from './evidence.js';
import type { ProductGraphOptions } from './graph.js';
import { join, type KnownCatalogue, newcomersOf } from './known.js';
import { topValues } from './metrics.js';
import { type Embedded, HyperPAVE, type HyperPAVEOptions } from './network.js';

/** Name and version of the model file. */
export const HYPERPAVE_MODEL: ModelKind = {
  system: 'hyperpave',
  version: '1',
  madeBy: 'gossamer fit --model hyperpave',
};

/** What the file says beside its tensors. */
export interface ProductModelDescription {
  /** Layout of the network. */
  readonly options: HyperPAVEOptions;
  /** How hyperedges are made. */
  readonly graph: ProductGraphOptions;
  /** The least probability of a value that is predicted; tuned on unseen values. */
  readonly threshold: number;
  /** Numbers of a text vector. */
  readonly textFeatures: number;
  /** The encoder of texts; undefined where vectors are given. */
  readonly encoder?: HashedTextState;
}

/** A predicted value of a product. */
export interface PredictedValue extends AttributeValue {
  /** Name of the product. */
  readonly product: string;
  /** σ of the score. */
  readonly probability: number;
  /** The parts of its score that speak for it. */
  readonly evidence: readonly Evidence[];
}

/** Options of `ProductModel.predict`. */
export interface ProductPredictOptions {
  /** Candidates beside the known values, which no product has yet. Default: none. */
  readonly values?: readonly AttributeValue[];
  /** Values for each product; those above the threshold when left out. */
  readonly top?: number;
  /** Whether a product has only attributes that products of its categories have. Default: false. */
  readonly withinCategory?: boolean;
  /** Vectors of the products [products, d], for a model that was trained on vectors. */
  readonly productVectors?: Tensor | undefined;
  /** Vectors of the values [values, d]. */
  readonly valueVectors?: Tensor | undefined;
  /** Called with what should be known about the data. */
  readonly note?: (text: string) => void;
}

/** Products scored at a time. */
const AT_ONCE = 1024;

/** Predicts attribute values of products, also products and values that training did not know. */
export class ProductModel {
  readonly #encoder: SentenceEncoder | undefined;

  /** @param encoder of texts; that of the description when left out */
  constructor(
    readonly description: ProductModelDescription,
    readonly network: HyperPAVE,
    readonly known: KnownCatalogue,
    encoder?: SentenceEncoder,
  ) {
    this.#encoder = encoder ?? (description.encoder && HashedTextEncoder.restore(description.encoder));
  }

  /**
   * Values of products, by one pass over the catalogue with the new products in it.
   *
   * @throws Error naming a product that is given twice or has no words, or vectors that are missing
   */
  predict(products: readonly ProductRow[], options: ProductPredictOptions = {}): PredictedValue[] {
    const { values = [], note = () => {} } = options;
    const newcomers = newcomersOf(this.known, products, values);
    for (const text of newcomers.notes) note(text);
    return scope(() => {
      const features = {
        products: this.#features(
          newcomers.products.map(({ text }) => text),
          options.productVectors,
          newcomers.rows.products,
          'products',
        ),
        categories: this.#features(newcomers.categories, undefined, new Int32Array(0), 'categories'),
        values: this.#features(newcomers.values.map(valueText), options.valueVectors, newcomers.rows.values, 'values'),
      };
      const joined = join(this.known, newcomers, features, this.description.graph);
      const embedded = this.network.embed(joined.features, joined.graph);
      const names = [...this.known.productNames, ...newcomers.products.map(({ product }) => product)];
      const categories = [...this.known.categories, ...newcomers.categories];
      const evidence = new EvidenceReader(this.network, joined.features, embedded, joined.graph, {
        product: (p) => names[p] as string,
        category: (c) => categories[c] as string,
      });
      const allowed = options.withinCategory ? this.#attributesByCategory(joined.values) : undefined;
      const rowOf = this.#rowsOf(embedded, newcomers.asked);
      return Array.from(newcomers.asked.keys()).flatMap((at) => {
        const p = newcomers.asked[at] as number;
        const row = rowOf(at);
        const candidates = allowed?.(joined.graph.links.categoriesOf[p] as Int32Array);
        const kept = options.top === undefined ? this.#above(row, candidates) : topValues(row, options.top, candidates);
        return kept.map((value) => ({
          ...named(joined.values[value] as AttributeValue),
          product: names[p] as string,
          probability: row[value] as number,
          evidence: evidence.of(p, value),
        }));
      });
    });
  }

  /** Probabilities of all values of the product at a place of those asked, in order; in chunks. */
  #rowsOf(embedded: Embedded, asked: Int32Array): (at: number) => Float32Array {
    const count = embedded.values.shape[0] as number;
    let chunk: { readonly from: number; readonly rows: Float32Array } = { from: -1, rows: new Float32Array(0) };
    return (at) => {
      const from = at - (at % AT_ONCE);
      if (chunk.from !== from) {
        const rows = scope(() => {
          const part = gatherKnownRows(embedded.products, tensor(asked.slice(from, from + AT_ONCE)));
          return sigmoid(this.network.allLogits({ products: part, values: embedded.values })).dataSync<Float32Array>();
        });
        chunk = { from, rows };
      }
      return chunk.rows.subarray((at - from) * count, (at - from + 1) * count);
    };
  }

  #above(row: Float32Array, candidates: Int32Array | undefined): number[] {
    const { threshold } = this.description;
    const kept = (candidates ?? Int32Array.from(row.keys())).filter((value) => (row[value] as number) >= threshold);
    return topValues(row, kept.length, kept);
  }

  /** Of categories, the values of attributes that their labelled products have. */
  #attributesByCategory(values: readonly AttributeValue[]): (categories: Int32Array) => Int32Array {
    const attributes = this.known.categories.map(() => new Set<string>());
    this.known.labels.forEach((own, p) => {
      for (const c of this.known.links.categoriesOf[p] as Int32Array)
        for (const value of own) attributes[c]?.add((values[value] as AttributeValue).attribute);
    });
    return (categories) => {
      const allowed = new Set(Array.from(categories).flatMap((c) => [...(attributes[c] ?? [])]));
      return Int32Array.from(values.keys()).filter((value) => allowed.has((values[value] as AttributeValue).attribute));
    };
  }

  /** Features x⁰ of new texts [texts, D]. */
  #features(texts: readonly string[], vectors: Tensor | undefined, rows: Int32Array, what: string): Tensor {
    const { textFeatures } = this.description;
    const width = this.known.features.products.shape[1] as number;
    if (texts.length === 0) return zeros([0, width]);
    if (this.#encoder) return this.network.project(this.#encoder.encode(texts));
    if (!vectors)
      throw new Error(
        what === 'categories'
          ? `the model was trained on vectors and does not know category "${texts[0]}"`
          : `the model was trained on vectors: the new ${what} need a .npy of ${textFeatures} numbers a row beside their table`,
      );
    if (vectors.shape[1] !== textFeatures)
      throw new Error(`vectors of ${what} have ${vectors.shape[1]} numbers, the model was trained on ${textFeatures}`);
    return this.network.project(gatherKnownRows(vectors, tensor(rows)));
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    const { productNames, categories, values, links, labels, features } = this.known;
    const lists = { ...links, labels };
    return scope(() =>
      writeModelFile(
        HYPERPAVE_MODEL,
        { ...more, ...this.description, productNames, categories, values: values.map(named) },
        {
          ...prefixed('network', stateOf(this.network)),
          ...prefixed('features', { ...features }),
          ...Object.fromEntries(
            Object.entries(lists).flatMap(([key, rows]) => [
              [`${key}.offsets`, tensor(Segments.fromSizes(rows.map((row) => row.length)).offsets)],
              [`${key}.indices`, tensor(flat(rows))],
            ]),
          ),
        },
      ),
    );
  }

  /**
   * @param encoder of texts, where the model was trained with another than the built-in one
   * @throws Error when the file is of another system or version
   */
  static load(bytes: Uint8Array, name = 'model', encoder?: SentenceEncoder): ProductModel {
    const { description: all, tensors } = readModelFile<
      ProductModelDescription & Pick<KnownCatalogue, 'productNames' | 'categories' | 'values'>
    >(HYPERPAVE_MODEL, bytes, name);
    const { productNames, categories, values, ...description } = all;
    const need = (key: string): Tensor => {
      const found = tensors[key];
      if (!found) throw new Error(`file "${name}" has no tensor "${key}"`);
      return found;
    };
    const network = new HyperPAVE(description.textFeatures, new Random(0), description.options);
    const start = 'network.';
    const weights = Object.entries(tensors).filter(([key]) => key.startsWith(start));
    loadState(network, Object.fromEntries(weights.map(([key, weight]) => [key.slice(start.length), weight])));
    const lists = (key: string) => listsOf(need(`${key}.offsets`), need(`${key}.indices`));
    const features = (type: string) => keep(need(`features.${type}`));
    return new ProductModel(
      description,
      network,
      {
        productNames,
        categories,
        values,
        links: { categoriesOf: lists('categoriesOf'), alsoView: lists('alsoView'), alsoBuy: lists('alsoBuy') },
        labels: lists('labels'),
        features: { products: features('products'), categories: features('categories'), values: features('values') },
      },
      encoder,
    );
  }
}

/** A value without where it was read. */
function named({ attribute, value }: AttributeValue): AttributeValue {
  return { attribute, value };
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([key, value]) => [`${prefix}.${key}`, value]));
}

function flat(rows: readonly Int32Array[]): Int32Array {
  const { offsets, size } = Segments.fromSizes(rows.map((row) => row.length));
  const all = new Int32Array(size);
  rows.forEach((row, r) => {
    all.set(row, offsets[r]);
  });
  return all;
}

function listsOf(offsets: Tensor, indices: Tensor): Int32Array[] {
  const [starts, all] = [offsets.dataSync<Int32Array>(), indices.dataSync<Int32Array>()];
  return Array.from({ length: starts.length - 1 }, (_, r) => all.slice(starts[r], starts[r + 1]));
}
