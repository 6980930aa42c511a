// Training by episodes that mimic what the network is for: products without labels and values
// without products. The epoch of the best mean average precision on unseen values of validation
// products is kept.

import { type ProductCatalogue, type SentenceEncoder, valueText } from '../../data/index.js';
import {
  AdamW,
  binaryCrossEntropy,
  type FitResult,
  fit,
  type Mode,
  randomOf,
  type TrainingHooks,
} from '../../nn/index.js';
import { type SparsePattern, spmm } from '../../sparse/index.js';
import {
  concatenate,
  gatherKnownRows,
  keep,
  multiply,
  type Random,
  scope,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { nodeCounts, ProductGraph, type ProductGraphOptions, patternOf } from './graph.js';
import { meanAveragePrecision, type ProductScores } from './metrics.js';
import type { HyperPAVE } from './network.js';

/** A division of products and values. */
export interface ZeroShotSplit {
  /** Values that no training product has, by which epochs are chosen. */
  readonly unseenValidation: Int32Array;
  /** Values that no training or validation product has. */
  readonly unseenTest: Int32Array;
  /** Products with labels that are trained on. */
  readonly train: Int32Array;
  /** Products with an unseen value of validation, and none of the test. */
  readonly validation: Int32Array;
  /** Products with an unseen value of the test. */
  readonly test: Int32Array;
}

/** Shares of the values with labels that no training product may have; at least one value each. */
export interface ZeroShotShares {
  /** Default: 0.12. */
  readonly test?: number;
  /** Default: 0.08. */
  readonly validation?: number;
}

/**
 * Draws disjoint sets of values. Products with one of them keep no label: those with a value of
 * the test are test products, others with one of validation are validation products.
 *
 * @throws Error when no labelled product is left to train on
 */
export function zeroShotSplit(
  { labels, values }: Pick<ProductCatalogue, 'labels' | 'values'>,
  random: Random,
  { test = 0.12, validation = 0.08 }: ZeroShotShares = {},
): ZeroShotSplit {
  const used = new Set(labels.flatMap((own) => [...own]));
  const known = Int32Array.from(values.keys()).filter((value) => used.has(value));
  const order = random.permutation(known.length).map((at) => known[at] as number);
  const count = (share: number) => (share > 0 ? Math.max(1, Math.round(share * known.length)) : 0);
  const [tests, validations] = [count(test), count(validation)];
  const unseenTest = order.slice(0, tests).sort();
  const unseenValidation = order.slice(tests, tests + validations).sort();
  const [inTest, inValidation] = [new Set(unseenTest), new Set(unseenValidation)];
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  labels.forEach((own, p) => {
    if (own.some((value) => inTest.has(value))) parts.test.push(p);
    else if (own.some((value) => inValidation.has(value))) parts.validation.push(p);
    else if (own.length > 0) parts.train.push(p);
  });
  if (parts.train.length === 0)
    throw new Error(
      `zeroShotSplit: every labelled product has one of the ${tests + validations} unseen values; none is left to train on; label more products, or hold out a smaller share`,
    );
  return {
    unseenValidation,
    unseenTest,
    train: Int32Array.from(parts.train),
    validation: Int32Array.from(parts.validation),
    test: Int32Array.from(parts.test),
  };
}

/** Unseen values of products whose labels choose the epoch. */
export interface ProductValidation {
  /** Products that are scored. */
  readonly products: Int32Array;
  /** Values that are ranked. */
  readonly candidates: Int32Array;
  /** Values of each product of the catalogue. */
  readonly labels: readonly Int32Array[];
}

/** What a network is trained on. */
export interface ProductTask {
  /** Text vectors of all nodes [n, D₀]. */
  readonly texts: Tensor;
  /** Products with the labels of training. */
  readonly graph: ProductGraph;
  /** None when left out: the last epoch is kept. */
  readonly validation?: ProductValidation;
}

/**
 * Text vectors of products, categories and values [n, D₀], or the vectors that the catalogue has.
 */
export function encodeCatalogue(catalogue: ProductCatalogue, encoder: SentenceEncoder): Tensor {
  const { texts, categoryTexts, values, vectors, categoriesOf } = catalogue;
  if (!vectors) return encoder.encode([...texts, ...categoryTexts, ...values.map(valueText)]);
  // Categories have no vectors of their own: the mean of their products'.
  const members = patternOf(categoriesOf, categoryTexts.length).transposed().pattern;
  return keep(
    scope(() => {
      const categories = multiply(spmm({ pattern: members }, vectors.products), members.segments.inverseSizes);
      return concatenate([vectors.products, categories, vectors.values], 0);
    }),
  );
}

/** All texts of a catalogue, on which the weights of words are counted. */
export function textsOfCatalogue({ texts, categoryTexts, values }: ProductCatalogue): string[] {
  return [...texts, ...categoryTexts, ...values.map(valueText)];
}

/** The task of a split: labels of training products alone are visible. */
export function productTask(
  catalogue: ProductCatalogue,
  texts: Tensor,
  { train, validation, unseenValidation }: ZeroShotSplit,
  options: ProductGraphOptions = {},
): ProductTask {
  const visible = restrictedTo(catalogue.labels, train);
  return {
    texts,
    graph: new ProductGraph(nodeCounts(catalogue), catalogue, visible, options),
    ...(unseenValidation.length > 0 && {
      validation: { products: validation, candidates: unseenValidation, labels: catalogue.labels },
    }),
  };
}

const none = new Int32Array(0);

/** Labels of some products; the others have none. */
export function restrictedTo(labels: readonly Int32Array[], products: Int32Array): Int32Array[] {
  const kept = new Set(products);
  return labels.map((own, p) => (kept.has(p) ? own : none));
}

/** Hyperparameters of `trainHyperPAVE`. */
export interface ProductTrainingOptions extends TrainingHooks {
  /** Number of full-batch steps. Default: 100. */
  readonly epochs?: number;
  /** Learning rate of AdamW. Default: 2e-3. */
  readonly learningRate?: number;
  /** Decoupled weight decay. Default: 1e-4. */
  readonly weightDecay?: number;
  /** Epochs without a better validation score after which training stops. Default: 30. */
  readonly patience?: number;
  /**
   * Whether products and values are hidden in each step; else 30 % of the labels. Default: true.
   */
  readonly episodes?: boolean;
  /** Shares that `episodes` draws and negatives for each positive. */
  readonly episode?: EpisodeOptions;
}

/** What an episode hides, and how many negatives it draws. */
export interface EpisodeOptions {
  /** Share of the seen values that are hidden. Default: 0.2. */
  readonly values?: number;
  /** Share of the labelled products whose labels are hidden. Default: 0.3. */
  readonly products?: number;
  /** Negatives for each positive. Default: 2. */
  readonly negatives?: number;
}

/** A step of training: what the network sees, and what it is asked. */
export interface Episode {
  /** Visible labels of each product. */
  readonly visible: readonly Int32Array[];
  /** Pairs that are asked [products, values]. */
  readonly pairs: SparsePattern;
  /** 1 for a pair that is a label, else 0 [nnz]. */
  readonly targets: Float32Array;
}

/**
 * Hides some seen values, and all labels of some products. Asked are all labels of hidden products,
 * against other seen values, and the hidden values of visible products, against other hidden ones.
 *
 * @param labels of the products of training
 */
export function drawEpisode(
  labels: readonly Int32Array[],
  values: number,
  random: Random,
  { values: valueShare = 0.2, products: productShare = 0.3, negatives = 2 }: EpisodeOptions = {},
): Episode {
  const seen = seenValues(labels);
  const labelled = labelledProducts(labels);
  const hiddenValues = drawn(seen, valueShare, random);
  const isHidden = new Set(hiddenValues);
  const hiddenProducts = new Set(drawn(labelled, productShare, random));
  const asked = labels.map((own, p) => (hiddenProducts.has(p) ? own : own.filter((value) => isHidden.has(value))));
  return {
    visible: labels.map((own, p) => (hiddenProducts.has(p) ? none : own.filter((value) => !isHidden.has(value)))),
    ...askedPairs(asked, labels, (p) => (hiddenProducts.has(p) ? seen : hiddenValues), values, random, negatives),
  };
}

/** Hides some labels, which are asked against other seen values. */
export function drawLabels(
  labels: readonly Int32Array[],
  values: number,
  random: Random,
  { products: share = 0.3, negatives = 2 }: EpisodeOptions = {},
): Episode {
  const seen = seenValues(labels);
  const hidden = labels.map((own) => own.map(() => Number(random.float() < share)));
  const pick = (which: number) => labels.map((own, p) => own.filter((_, at) => hidden[p]?.[at] === which));
  return { visible: pick(0), ...askedPairs(pick(1), labels, () => seen, values, random, negatives) };
}

/** Values that some product has, ascending. */
function seenValues(labels: readonly Int32Array[]): Int32Array {
  return Int32Array.from(new Set(labels.flatMap((own) => [...own]))).sort();
}

function labelledProducts(labels: readonly Int32Array[]): Int32Array {
  return Int32Array.from(labels.keys()).filter((p) => (labels[p] as Int32Array).length > 0);
}

/** A share of some numbers, at least one. */
function drawn(numbers: Int32Array, share: number, random: Random): Int32Array {
  const count = Math.min(numbers.length, Math.max(1, Math.round(share * numbers.length)));
  return random.sample(numbers.length, count).map((at) => numbers[at] as number);
}

/** Draws of a negative before a product is taken to have no more. */
const TRIES = 20;

/** The labels that are asked, each with negatives that the product does not have. */
function askedPairs(
  asked: readonly Int32Array[],
  labels: readonly Int32Array[],
  candidatesOf: (product: number) => Int32Array,
  values: number,
  random: Random,
  negatives: number,
): Pick<Episode, 'pairs' | 'targets'> {
  const targets: number[] = [];
  const rows = asked.map((own, p) => {
    const candidates = candidatesOf(p);
    const taken = new Set(labels[p]);
    const row = [...own];
    for (let tries = own.length * negatives * TRIES; row.length < own.length * (1 + negatives) && tries > 0; tries--) {
      const value = candidates[random.integer(candidates.length)] as number;
      if (taken.has(value)) continue;
      taken.add(value);
      row.push(value);
    }
    for (let at = 0; at < row.length; at++) targets.push(Number(at < own.length));
    return Int32Array.from(row);
  });
  return { pairs: patternOf(rows, values), targets: Float32Array.from(targets) };
}

/** Trains a network in place by AdamW on binary cross-entropy, one episode an epoch. */
export function trainHyperPAVE(
  network: HyperPAVE,
  { texts, graph, validation }: ProductTask,
  random: Random,
  options: ProductTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 100, learningRate = 2e-3, weightDecay = 1e-4, patience = 30, episodes = true } = options;
  const draw = episodes ? drawEpisode : drawLabels;
  const loss = (live: HyperPAVE, _: undefined, mode: Mode) => {
    const stream = randomOf(mode, 'trainHyperPAVE').split('episode');
    const { visible, pairs, targets } = draw(graph.labels, graph.counts.values, stream, options.episode);
    if (targets.length === 0) throw new Error('trainHyperPAVE: no label is left to ask; there are too few labels');
    const embedded = live.embed(live.features(texts, graph), graph.withLabels(visible));
    return binaryCrossEntropy(live.pairLogits(embedded, pairs), tensor(targets));
  };
  return fit({
    model: network,
    loss,
    optimizer: new AdamW({ learningRate, weightDecay }),
    epochs,
    random,
    ...(validation && { validate: (live: HyperPAVE) => validationScore(live, texts, graph, validation), patience }),
    checkpointEvery: 20,
    signal: options.signal,
    checkpoint: options.checkpoint,
    onEpoch: options.onEpoch,
  });
}

function validationScore(
  network: HyperPAVE,
  texts: Tensor,
  graph: ProductGraph,
  { products, candidates, labels }: ProductValidation,
): number {
  return meanAveragePrecision(scoreProducts(network, texts, graph, products), labels, candidates);
}

/** Logits of products and all values, by a pass over the whole graph. */
export function scoreProducts(
  network: HyperPAVE,
  texts: Tensor,
  graph: ProductGraph,
  products: Int32Array,
): ProductScores {
  const scores = scope(() => {
    const embedded = network.embed(network.features(texts, graph), graph);
    const rows = gatherKnownRows(embedded.products, tensor(products));
    return network.allLogits({ products: rows, values: embedded.values }).dataSync<Float32Array>();
  });
  return { products, scores, values: graph.counts.values };
}
