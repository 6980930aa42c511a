// Attribute values of products by HyperPAVE, made by `gossamer fit --model hyperpave`.

import { isFolder, loadNewProducts, loadNewValues, loadOnnxTextEncoder, readBytes, tableIn } from '../../data/node.js';
import { ProductModel, type ProductModelDescription } from '../../hypergraph/index.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

/** Evidences of a value. */
const EVIDENCES = 3;

export function open(path: string): Predictor {
  const model = ProductModel.load(readBytes(path), path);
  return {
    takesValues: true,
    takesEncoder: true,
    describe: () => describe(model),
    reads: [],
    predict: async (paths, options) =>
      valuesOfProducts(withEncoder(path, model, options.encoder), onlyPath(paths), options),
  };
}

/** What `gossamer fit` adds to the description of a model trained with a sentence model. */
interface TrainedWith {
  /** SHA-256 of the sentence model and its tokenizer. */
  readonly sentenceModel?: string;
}

function digestOf({ description }: ProductModel): string | undefined {
  return (description as ProductModelDescription & TrainedWith).sentenceModel;
}

/** @throws Error unless the sentence model is given that the model was trained with, or none was */
function withEncoder(path: string, model: ProductModel, encoder: string | undefined): ProductModel {
  const digest = digestOf(model);
  if (encoder === undefined) {
    if (digest === undefined) return model;
    throw new Error(`file "${path}" was trained with a sentence model: give it by --encoder model.onnx`);
  }
  if (digest === undefined) throw new Error(`file "${path}" was trained without a sentence model; leave --encoder out`);
  const given = loadOnnxTextEncoder(encoder);
  if (given.digest !== digest)
    throw new Error(
      `file "${path}" was trained with another sentence model (SHA-256 ${digest.slice(0, 12)}…, given ${given.digest.slice(0, 12)}…)`,
    );
  return ProductModel.load(readBytes(path), path, given.encoder);
}

/**
 * The most probable values of each product of a table, or those above the threshold. A folder
 * stands for its tables of products and of values.
 */
function valuesOfProducts(
  model: ProductModel,
  path: string,
  { top, values: valuesPath, withinCategory, note }: PredictOptions,
): Predictions {
  const table = isFolder(path) ? tableIn(path, 'products') : path;
  if (table === undefined) throw new Error(`folder "${path}" holds no products.csv`);
  const { products, vectors } = loadNewProducts(table);
  if (products.length === 0) throw new Error(`"${table}" has a header and no products`);
  const valuesTable = valuesPath ?? (isFolder(path) ? tableIn(path, 'values') : undefined);
  const candidates = valuesTable === undefined ? undefined : loadNewValues(valuesTable);
  const predicted = model.predict(products, {
    ...(candidates && { values: candidates.values }),
    ...(top !== undefined && { top }),
    ...(withinCategory !== undefined && { withinCategory }),
    productVectors: vectors,
    valueVectors: candidates?.vectors,
    note,
  });
  const heads = Array.from({ length: EVIDENCES }, (_, i) => `evidence ${i + 1}`);
  return {
    columns: ['product', 'attribute', 'value', 'probability', ...heads],
    rows: predicted.map(({ product, attribute, value, probability, evidence }) => [
      product,
      attribute,
      value,
      probability.toFixed(4),
      ...heads.map((_, i) => {
        const own = evidence[i];
        return own ? `${own.source} (${(100 * own.share).toFixed(0)} %)` : '';
      }),
    ]),
  };
}

function describe(model: ProductModel): string[] {
  const { description, known } = model;
  const digest = digestOf(model);
  const { options, threshold, encoder, textFeatures } = description;
  const labels = known.labels.reduce((sum, own) => sum + own.length, 0);
  return [
    'HyperPAVE: attribute values of products',
    `catalogue: ${known.productNames.length} products, ${known.categories.length} categories, ${known.values.length} values, ${labels} labels`,
    `hyperedges: ${options.hyperedges ?? 'user'}; width ${options.features ?? 128}`,
    encoder
      ? `texts: ${textFeatures} numbers from ${Object.keys(encoder.documents).length} counted words`
      : digest !== undefined
        ? `texts: ${textFeatures} numbers by a sentence model, SHA-256 ${digest.slice(0, 12)}…; give it by --encoder`
        : `texts: given as vectors of ${textFeatures} numbers`,
    `values are predicted from probability ${threshold.toFixed(3)} on; --top k lists the k most probable ones`,
    'predicts for a table product,title,description,category,also_view,also_buy; --values adds values without labels',
  ];
}
