// The methods that are compared on zero-shot attribute values, tuned alike.

import {
  type fusions,
  HyperPAVE,
  type HyperPAVEOptions,
  meanAveragePrecision,
  type ProductScores,
  scoreProducts,
  trainHyperPAVE,
} from '../../hypergraph/index.js';
import { AdamW, binaryCrossEntropy, fit, inference, MLP, parameterCount } from '../../nn/index.js';
import { gatherKnownRows, keep, Random, scope, tensor, transpose } from '../../tensor/index.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { count, type OptionValues, rate } from '../parts/options.js';
import { settingsOf, tuned } from '../parts/tuning.js';
import { ValueGenerator } from './product-generation.js';
import type { ProductModelScores, ProductRun } from './products.js';

/** Options of the methods. */
export const productOptions = {
  products: count(500, 'products of the generated catalogue', { smoke: 120, minimum: 60 }),
  epochs: count(60, 'epochs', { smoke: 2 }),
  generationEpochs: count(30, 'epochs of the transformer, each over all training products', { smoke: 1 }),
  patience: count(30, 'epochs without a better score on unseen validation values after which training stops'),
  features: count(128, 'width of all networks', { smoke: 16, minimum: 4 }),
  learningRate: rate(2e-3, 'learning rate; half of it and twice of it are tried too'),
  trials: count(3, 'settings tried for every method on unseen validation values', { smoke: 1 }),
} as const;

/** Values of the options of the methods. */
export type ProductValues = OptionValues<typeof productOptions>;

export const RANDOM = 'Random scores';
export const CLASSIFICATION = 'Classification';
export const GENERATION = 'Generation';
export const COSINE = 'Text, untrained';
export const TEXT = 'Text';
export const GRAPH = 'Graph';
export const PAIRS = 'Graph with behaviour';
export const USER = 'HyperPAVE, user';
export const INVENTORY = 'HyperPAVE, inventory';
export const ALL = 'HyperPAVE, all';
export const RELEASED = 'user, released';
export const WHOLE = 'user, no episodes';
export const UNWEIGHTED = 'user, equal words';

/** How a variant of HyperPAVE differs. */
interface Variant {
  readonly network: HyperPAVEOptions & { readonly hyperedges: keyof typeof fusions };
  readonly episodes?: boolean;
  /** Another task than the usual one. */
  readonly task?: 'task' | 'unweighted' | 'pairs';
}

const variants: Readonly<Record<string, Variant>> = {
  [TEXT]: { network: { hyperedges: 'none', messagePassing: false } },
  [GRAPH]: { network: { hyperedges: 'none' } },
  [PAIRS]: { network: { hyperedges: 'user' }, task: 'pairs' },
  [USER]: { network: { hyperedges: 'user' } },
  [INVENTORY]: { network: { hyperedges: 'inventory' } },
  [ALL]: { network: { hyperedges: 'all' } },
  [RELEASED]: { network: { hyperedges: 'user', residual: false } },
  [WHOLE]: { network: { hyperedges: 'user' }, episodes: false },
  [UNWEIGHTED]: { network: { hyperedges: 'user' }, task: 'unweighted' },
};

/** Titles of all methods, in order. */
export const productTitles: readonly string[] = [RANDOM, CLASSIFICATION, GENERATION, COSINE, ...Object.keys(variants)];

/** A setting that is tried. */
type Rate = { readonly learningRate: number };

/** All methods on the data of a seed. */
export function productMethods(run: ProductRun, values: ProductValues): Method<ProductModelScores>[] {
  const grid = { learningRate: [1, 0.5, 2].map((factor) => factor * values.learningRate) };
  const settings = settingsOf<Rate>(grid, Math.min(values.trials, 3), new Random(0));
  const method = (
    title: string,
    train: (setting: Rate, method: MethodRun) => Promise<ProductModelScores>,
  ): Method<ProductModelScores> => tuned({ title, settings, train, validation: ({ validation }) => validation });
  return [
    { title: RANDOM, train: ({ random }) => randomScores(run, random) },
    method(CLASSIFICATION, (setting, own) => trainClassifier(run, values, setting, own)),
    method(GENERATION, (setting, own) => trainGenerator(run, values, setting, own)),
    { title: COSINE, train: ({ random }) => untrained(run, values, random) },
    ...Object.entries(variants).map(([title, variant]) =>
      method(title, (setting, own) => trainVariant(run, variant, values, setting, own)),
    ),
  ];
}

function randomScores({ catalogue }: ProductRun, random: Random): ProductModelScores {
  const values = catalogue.values.length;
  const score = (products: Int32Array): ProductScores => {
    const draw = random.split('scores');
    const scores = Float32Array.from({ length: products.length * values }, () => draw.float() - 0.5);
    return { products, scores, values };
  };
  return { score, parameters: 0, validation: Number.NaN };
}

function scoresOfNetwork(network: HyperPAVE, task: ProductRun['task'], validation: number): ProductModelScores {
  return {
    score: (products) => scoreProducts(network, task.texts, task.graph, products),
    parameters: parameterCount(network),
    validation,
  };
}

/** The cosine of text vectors: the network of texts before it is trained, at full width. */
function untrained({ task }: ProductRun, _: ProductValues, random: Random): ProductModelScores {
  const width = task.texts.shape[1] as number;
  const options = { hyperedges: 'none', messagePassing: false, features: width } as const;
  return { ...scoresOfNetwork(new HyperPAVE(width, random, options), task, Number.NaN), parameters: 0 };
}

async function trainVariant(
  run: ProductRun,
  { network: layout, episodes = true, task: which = 'task' }: Variant,
  { features, epochs, patience }: ProductValues,
  { learningRate }: Rate,
  { random, hooks }: MethodRun,
): Promise<ProductModelScores> {
  const task = run[which];
  const network = new HyperPAVE(task.texts.shape[1] as number, random.split('weights'), { ...layout, features });
  const options = { epochs, patience, learningRate, episodes, ...hooks };
  const { bestMetric = Number.NaN } = await trainHyperPAVE(network, task, random.split('training'), options);
  return scoresOfNetwork(network, task, bestMetric);
}

/**
 * A perceptron with an output for each value, trained on those of training products. As it learns
 * nothing of the others, all values of validation products choose its epoch.
 */
async function trainClassifier(
  { catalogue, split, task }: ProductRun,
  { features, epochs, patience }: ProductValues,
  { learningRate }: Rate,
  { random, hooks }: MethodRun,
): Promise<ProductModelScores> {
  const { texts, graph } = task;
  const values = catalogue.values.length;
  const network = new MLP([texts.shape[1] as number, features, values], random.split('weights'));
  const seen = [...new Set(graph.labels.flatMap((own) => [...own]))].sort((a, b) => a - b);
  const inputs = keep(gatherKnownRows(texts, tensor(split.train)));
  const columns = keep(tensor(Int32Array.from(seen)));
  const targets = keep(
    tensor(
      Float32Array.from(
        seen.flatMap((value) => Array.from(split.train, (p) => Number(graph.labels[p]?.includes(value)))),
      ),
      [seen.length, split.train.length],
    ),
  );
  const score = (products: Int32Array): ProductScores => ({
    products,
    values,
    scores: scope(() => network.forward(gatherKnownRows(texts, tensor(products)), inference).dataSync<Float32Array>()),
  });
  const all = Int32Array.from(catalogue.values.keys());
  const { bestMetric = Number.NaN } = await fit({
    model: network,
    loss: (live: MLP, _: undefined, mode) =>
      binaryCrossEntropy(gatherKnownRows(transpose(live.forward(inputs, mode)), columns), targets),
    optimizer: new AdamW({ learningRate, weightDecay: 1e-4 }),
    // Its steps cost least, and it needs more of them.
    epochs: 5 * epochs,
    random: random.split('training'),
    validate: () => meanAveragePrecision(score(split.validation), catalogue.labels, all),
    patience,
    signal: hooks.signal,
    onEpoch: hooks.onEpoch,
  });
  return { score, parameters: parameterCount(network), validation: bestMetric };
}

async function trainGenerator(
  run: ProductRun,
  { features, generationEpochs: epochs, patience }: ProductValues,
  { learningRate }: Rate,
  { random, hooks }: MethodRun,
): Promise<ProductModelScores> {
  const generator = new ValueGenerator(run.catalogue, features, random.split('weights'));
  const options = { epochs, learningRate, patience, ...hooks };
  const { bestMetric = Number.NaN } = await generator.train(run, random.split('training'), options);
  return {
    score: (products) => generator.score(products),
    emitted: (products) => generator.emitted(products),
    parameters: parameterCount(generator.network),
    validation: bestMetric,
  };
}
