// A model from a catalogue: encode, hold values out to choose the epoch and the threshold, train,
// and keep the catalogue with all its labels.

import {
  HashedTextEncoder,
  type HashedTextOptions,
  type ProductCatalogue,
  type SentenceEncoder,
} from '../../data/index.js';
import type { FitResult } from '../../nn/index.js';
import { keep, type Random, scope } from '../../tensor/index.js';
import type { ProductGraphOptions } from './graph.js';
import { bestThreshold, macroF1Of, valueF1 } from './metrics.js';
import { ProductModel } from './model.js';
import { HyperPAVE, type HyperPAVEOptions } from './network.js';
import {
  encodeCatalogue,
  type ProductTask,
  type ProductTrainingOptions,
  productTask,
  scoreProducts,
  textsOfCatalogue,
  trainHyperPAVE,
  zeroShotSplit,
} from './training.js';

/** Options of `fitProducts`. */
export interface ProductFitOptions extends ProductTrainingOptions {
  /** Layout of the network. */
  readonly network?: HyperPAVEOptions;
  /** How hyperedges are made. */
  readonly graph?: ProductGraphOptions;
  /** Share of the values that are held out to choose the epoch and the threshold. Default: 0.08. */
  readonly validation?: number;
  /** Layout of the built-in encoder. */
  readonly text?: HashedTextOptions;
  /** Another encoder of texts, which `ProductModel.load` must be given too. */
  readonly encoder?: SentenceEncoder;
}

/** A trained model and how well it did on values that it had not seen. */
export interface FittedProducts {
  /** It answers for new products. */
  readonly model: ProductModel;
  /** Epochs, and which was kept. */
  readonly training: FitResult;
  /** Held-out values and the products that have them. */
  readonly heldOut: {
    readonly values: number;
    readonly products: number;
    /** Whether they are ranked by themselves; where they are few, among all values. */
    readonly ranked: 'alone' | 'among all';
  };
  /** Macro-F1 over the values that were ranked, at the tuned threshold. */
  readonly macroF1: number;
}

/** Held-out values that are ranked by themselves at least: a single one is always the first. */
const FEWEST_RANKED = 5;

/** Trains on all labelled products but those with a held-out value. @throws as `zeroShotSplit` */
export async function fitProducts(
  catalogue: ProductCatalogue,
  random: Random,
  options: ProductFitOptions = {},
): Promise<FittedProducts> {
  const { network: layout = {}, graph = {}, validation = 0.08 } = options;
  const encoder = options.encoder ?? new HashedTextEncoder({ idf: 'plain', ...options.text });
  if (encoder instanceof HashedTextEncoder && !catalogue.vectors) encoder.fit(textsOfCatalogue(catalogue));
  const texts = encodeCatalogue(catalogue, encoder);
  const zeroShot = zeroShotSplit(catalogue, random.split('split'), { test: 0, validation });
  const task = withCandidates(productTask(catalogue, texts, zeroShot, graph), catalogue);
  const textFeatures = texts.shape[1] as number;
  const network = new HyperPAVE(textFeatures, random.split('weights'), layout);
  const training = await trainHyperPAVE(network, task, random.split('training'), options);
  const { threshold, macroF1 } = tunedThreshold(network, task);
  const features = scope(() => network.features(texts, task.graph));
  const isBuiltIn = encoder instanceof HashedTextEncoder && !catalogue.vectors;
  const model = new ProductModel(
    { options: layout, graph, threshold, textFeatures, ...(isBuiltIn && { encoder: encoder.state() }) },
    network,
    {
      productNames: catalogue.productNames,
      categories: catalogue.categories,
      values: catalogue.values,
      links: { categoriesOf: catalogue.categoriesOf, alsoView: catalogue.alsoView, alsoBuy: catalogue.alsoBuy },
      labels: catalogue.labels,
      features: {
        products: keep(features.products),
        categories: keep(features.categories),
        values: keep(features.values),
      },
    },
    catalogue.vectors ? undefined : encoder,
  );
  return {
    model,
    training,
    heldOut: {
      values: zeroShot.unseenValidation.length,
      products: zeroShot.validation.length,
      ranked: zeroShot.unseenValidation.length < FEWEST_RANKED ? 'among all' : 'alone',
    },
    macroF1,
  };
}

/** Ranks all values where few are held out. */
function withCandidates(task: ProductTask, { values }: ProductCatalogue): ProductTask {
  const { validation } = task;
  if (!validation || validation.candidates.length >= FEWEST_RANKED) return task;
  return { ...task, validation: { ...validation, candidates: Int32Array.from(values.keys()) } };
}

/** The probability of the best macro-F1 on held-out values; ½ where none are held out. */
export function tunedThreshold(network: HyperPAVE, { texts, graph, validation }: ProductTask) {
  if (!validation) return { threshold: 0.5, macroF1: Number.NaN };
  const { products, candidates, labels } = validation;
  const scored = scoreProducts(network, texts, graph, products);
  const logit = bestThreshold(scored, labels, candidates);
  const predicted = (at: number, value: number) => (scored.scores[at * scored.values + value] as number) >= logit;
  return {
    threshold: 1 / (1 + Math.exp(-logit)),
    macroF1: macroF1Of(valueF1(products, labels, candidates, predicted)),
  };
}
