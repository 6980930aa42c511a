// Attribute values of products by HyperPAVE.

import { loadCatalogue } from '../../data/node.js';
import { fitProducts } from '../../hypergraph/index.js';
import type { FitRequest, Fitted } from './learner.js';
import type { hyperpaveOptions } from './options.js';

/** Trains on the labelled products; unseen values choose the epoch and the threshold. */
export async function fitCatalogue(
  path: string,
  { values, target, random, seed, hooks, note }: FitRequest<typeof hyperpaveOptions>,
): Promise<Fitted> {
  if (target !== undefined)
    throw new Error(
      `--target ${target}: values of all attributes of attributes.csv are learnt; leave others out of it`,
    );
  const catalogue = loadCatalogue(path);
  for (const text of catalogue.notes) note(text);
  const { hyperedges, features, fusion, residual, score, includeSelf, episodes, textFeatures, trigrams, ...training } =
    values;
  const {
    model,
    training: result,
    heldOut,
    macroF1,
  } = await fitProducts(catalogue, random, {
    network: { hyperedges, features, learnFusion: fusion === 'learnt', residual: residual === 'yes', score },
    graph: { includeSelf: includeSelf === 'yes' },
    text: { dimension: textFeatures, trigrams: trigrams === 'yes', seed },
    episodes: episodes === 'yes',
    ...training,
    ...hooks,
  });
  const { productNames, categories, values: all, labels } = catalogue;
  const labelled = labels.filter((own) => own.length > 0).length;
  const { bestMetric } = result;
  const { threshold } = model.description;
  return {
    file: () => model.save({ data: catalogue.name }),
    lines: [
      `${catalogue.name}: ${productNames.length} products, ${labelled} with values; ${categories.length} categories, ${all.length} values`,
      ...(bestMetric === undefined
        ? []
        : [
            `${heldOut.values} held-out values of ${heldOut.products} products: mean average precision ${(100 * bestMetric).toFixed(1)} %, ` +
              `macro-F1 ${(100 * macroF1).toFixed(1)} % at the tuned threshold ${threshold.toFixed(3)}`,
          ]),
    ],
    scores: {
      threshold,
      ...(bestMetric !== undefined && { meanAveragePrecision: 100 * bestMetric, macroF1: 100 * macroF1 }),
    },
    stopped: result.stopped,
  };
}
