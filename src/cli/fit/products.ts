// Attribute values of products by HyperPAVE.

import type { ProductCatalogue } from '../../data/index.js';
import { loadCatalogue, loadOnnxTextEncoder } from '../../data/node.js';
import { tensorMemoryBudget } from '../../engine/index.js';
import { fitProducts } from '../../hypergraph/index.js';
import type { FitRequest, Fitted } from './learner.js';
import { hyperpaveOptions } from './options.js';

/** Trains on the labelled products; unseen values choose the epoch and the threshold. */
export async function fitCatalogue(
  path: string,
  { values, encoder, target, random, seed, hooks, note }: FitRequest<typeof hyperpaveOptions>,
): Promise<Fitted> {
  if (target !== undefined)
    throw new Error(
      `--target ${target}: values of all attributes of attributes.csv are learnt; leave others out of it`,
    );
  const catalogue = loadCatalogue(path);
  for (const text of catalogue.notes) note(text);
  const sentences = encoder === undefined ? undefined : sentenceModel(encoder, catalogue, values);
  requireMemory(catalogue, { ...values, ...(sentences && { textFeatures: sentences.encoder.dimension }) });
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
    ...(sentences && { encoder: sentences.encoder }),
    text: { dimension: textFeatures, trigrams: trigrams === 'yes', seed },
    episodes: episodes === 'yes',
    ...training,
    ...hooks,
  });
  const { productNames, categories, values: all, labels } = catalogue;
  const labelled = labels.filter((own) => own.length > 0).length;
  const { bestMetric } = result;
  const { threshold } = model.description;
  const among = heldOut.ranked === 'alone' ? '' : `, ranked among all ${all.length} values as they are few`;
  return {
    file: () => model.save({ data: catalogue.name, ...(sentences && { sentenceModel: sentences.digest }) }),
    lines: [
      `${catalogue.name}: ${productNames.length} products, ${labelled} with values; ${categories.length} categories, ${all.length} values`,
      ...(bestMetric === undefined
        ? []
        : [
            `${heldOut.values} held-out values of ${heldOut.products} products${among}: mean average precision ${(100 * bestMetric).toFixed(1)} %, ` +
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

/** @throws Error where vectors are given too, or options of the built-in encoder */
function sentenceModel(
  path: string,
  { name, vectors }: ProductCatalogue,
  { trigrams, textFeatures }: FitRequest<typeof hyperpaveOptions>['values'],
) {
  if (vectors)
    throw new Error(`"${name}" has vectors of its texts: leave --encoder out, or products.npy and values.npy`);
  if (trigrams === 'yes' || textFeatures !== hyperpaveOptions.textFeatures.default)
    throw new Error('trigrams and textFeatures are of the built-in encoder; leave them out with --encoder');
  return loadOnnxTextEncoder(path);
}

/**
 * Numbers that a training step of a large catalogue holds at its peak, for each product and
 * feature; measured on generated ones.
 */
const HELD = { none: 55, user: 56, inventory: 64, all: 85 } as const;
/** And for each product: of its lists and labels. */
const LISTED = 115;
const MIB = 2 ** 20;

/** @throws Error where the tensors of training exceed the memory, before it begins */
function requireMemory(
  { productNames, categories, values }: ProductCatalogue,
  { hyperedges, features, textFeatures }: FitRequest<typeof hyperpaveOptions>['values'],
): void {
  const nodes = productNames.length + categories.length + values.length;
  const bytes = 4 * nodes * (HELD[hyperedges] * features + textFeatures + LISTED);
  const budget = tensorMemoryBudget();
  if (bytes <= budget) return;
  const fitting = Math.floor((budget / (4 * nodes) - textFeatures - LISTED) / HELD[hyperedges]);
  throw new Error(
    `training on ${productNames.length} products with hyperedges=${hyperedges} at features=${features} takes about ` +
      `${Math.ceil(bytes / MIB)} MiB, of ${Math.floor(budget / MIB)} MiB that there are` +
      (fitting > 0 ? `; set features=${fitting} or fewer` : '; lower textFeatures, or leave products out'),
  );
}
