// Attribute values of products by HyperPAVE, made by `gossamer fit --model hyperpave`.

import { isFolder, loadNewProducts, loadNewValues, readBytes, tableIn } from '../../data/node.js';
import { ProductModel } from '../../hypergraph/index.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

/** Evidences of a value. */
const EVIDENCES = 3;

export function open(path: string): Predictor {
  const model = ProductModel.load(readBytes(path), path);
  return {
    takesValues: true,
    describe: () => describe(model),
    reads: [],
    predict: async (paths, options) => valuesOfProducts(model, onlyPath(paths), options),
  };
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

function describe({ description, known }: ProductModel): string[] {
  const { options, threshold, encoder, textFeatures } = description;
  const labels = known.labels.reduce((sum, own) => sum + own.length, 0);
  return [
    'HyperPAVE: attribute values of products',
    `catalogue: ${known.productNames.length} products, ${known.categories.length} categories, ${known.values.length} values, ${labels} labels`,
    `hyperedges: ${options.hyperedges ?? 'user'}; width ${options.features ?? 128}`,
    encoder
      ? `texts: ${textFeatures} numbers from ${Object.keys(encoder.documents).length} counted words`
      : `texts: given as vectors of ${textFeatures} numbers`,
    `values are predicted from probability ${threshold.toFixed(3)} on; --top k lists the k most probable ones`,
    'predicts for a table product,title,description,category,also_view,also_buy; --values adds values without labels',
  ];
}
