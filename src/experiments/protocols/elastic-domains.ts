// Elastic networks of two domains, pictures and characters, that one search code searches: trained
// by either method, measured on validation data, and the front on test data.

import {
  accuracyInPasses,
  type EvaluationData,
  GeneSpace,
  imageEvaluation,
  type Measurement,
  SubNetworkEvaluator,
} from '../../compress/index.js';
import { firstImages, type ImageDataset, type LabelledImages, randomWindows, windowsAt } from '../../data/index.js';
import { ElasticCnn, ElasticTransformer, trainOnImages } from '../../models/index.js';
import {
  AdamW,
  type Configuration,
  disposeWeights,
  type Elastic,
  elasticLoss,
  fit,
  type Layer,
  predictedClasses,
  stateOf,
  type TrainingHooks,
  warmUpCosine,
} from '../../nn/index.js';
import { Random, scope, type Tensor } from '../../tensor/index.js';
import { imagesFrom, loadImageSet, shrunkImages } from './images.js';
import { nadirOf, type SearchProblem } from './search-arms.js';
import { loadTokens, type TokenizedText } from './text.js';

/** Sizes of elastic networks and their data. */
export interface DomainOptions {
  /** Training examples: images, or windows of an epoch. */
  readonly examples: number;
  /** Examples that validate, and as many that test. */
  readonly validation: number;
  readonly epochs: number;
  /** Channels of the first stage at its widest, or features of a head. */
  readonly width: number;
}

/** A domain: how its elastic network is trained, and on what sub-networks are measured. */
export interface Domain {
  readonly name: string;
  readonly describe: string;
  train(training: Elastic['training'], random: Random, hooks: TrainingHooks): Promise<Elastic>;
  readonly evaluation: EvaluationData;
  /** Share of correct answers on the test data. */
  readonly test: EvaluationData['accuracy'];
}

/** Blocks of pixels that become one. */
const SHRINK = 2;

/** Pictures at half their size. */
export async function pictureDomain(
  source: string,
  { examples, validation, epochs, width }: DomainOptions,
  onDownload?: (name: string) => void,
): Promise<Domain> {
  const loaded = await loadImageSet(source, { images: examples + validation, tests: validation }, onDownload);
  const shrunk = (images: LabelledImages) => shrunkImages(images, SHRINK);
  const [all, test] = [shrunk(loaded.train), shrunk(loaded.test)];
  const data: ImageDataset = { ...loaded, train: firstImages(all, examples), test };
  const { channels, height, width: side } = all;
  return {
    name: source,
    describe: `${data.train.count} training images of ${channels}×${height}×${side}, ${validation} of validation`,
    train: async (training, random, hooks) => {
      const shape = { channels, classes: data.classes.length, width, training };
      const network = new ElasticCnn(shape, random.split('model'));
      await trainOnImages(network, data, random.split('fit'), { epochs, batchSize: 32, ...hooks });
      return network;
    },
    evaluation: imageEvaluation(data, imagesFrom(all, examples)),
    test: (logits) => accuracyInPasses(logits, test, data),
  };
}

/** Characters of a window, and windows of a step and of a pass. */
const [LENGTH, BATCH, PASS] = [32, 32, 100];
/** Heads and feed-forward widths, in units of the features of a head. */
const [HEADS, HIDDEN] = [
  [1, 2, 4],
  [4, 8, 16],
];

/** Next characters of a text. */
export async function textDomain(
  source: string,
  { examples, validation, epochs, width }: DomainOptions,
  onDownload?: (name: string) => void,
): Promise<Domain> {
  const text = await loadTokens(source, { pairs: 0 }, onDownload);
  const windows = Math.max(PASS, PASS * Math.round(validation / LENGTH / PASS));
  const batchOf = (tokens: Int32Array, from: number, count: number) =>
    windowsAt(
      tokens,
      Array.from({ length: count }, (_, i) => ((from + i) * LENGTH) % (tokens.length - LENGTH - 1)),
      LENGTH,
    );
  const accuracyOn = (tokens: Int32Array) => (logits: (inputs: Tensor) => Tensor) => {
    let correct = 0;
    for (let from = 0; from < windows; from += PASS)
      scope(() => {
        const { inputs, targets } = batchOf(tokens, from, PASS);
        const expected = targets.view<Int32Array>();
        predictedClasses(logits(inputs)).forEach((found, i) => {
          correct += Number(found === expected[i]);
        });
      });
    return correct / (windows * LENGTH);
  };
  return {
    name: source,
    describe: `${text.tokens.train.length} training characters, ${windows} windows of ${LENGTH} for validation`,
    train: (training, random, hooks) => trainText(text, { examples, epochs, width, training }, random, hooks),
    evaluation: {
      statistics: () => [],
      accuracy: accuracyOn(text.tokens.validation),
      example: (batch) => batchOf(text.tokens.train, 0, batch).inputs,
    },
    test: accuracyOn(text.tokens.test),
  };
}

async function trainText(
  { tokenizer, tokens }: TokenizedText,
  { examples, epochs, width, training }: Omit<DomainOptions, 'validation'> & Pick<Elastic, 'training'>,
  random: Random,
  hooks: TrainingHooks,
): Promise<Elastic> {
  const network = new ElasticTransformer(
    {
      ...{ vocabulary: tokenizer.size, length: LENGTH, headFeatures: width, features: 4 * width, training },
      heads: HEADS,
      hidden: HIDDEN.map((own) => own * width),
    },
    random.split('model'),
  );
  const perEpoch = Math.max(1, Math.round(examples / BATCH));
  const steps = epochs * perEpoch;
  await fit({
    ...{ model: network, epochs, random: random.split('fit'), ...hooks },
    optimizer: new AdamW({ learningRate: 3e-3 }),
    schedule: warmUpCosine(steps, 0.05),
    *batches(order: Random) {
      for (let step = 0; step < perEpoch; step++) yield randomWindows(tokens.train, BATCH, LENGTH, order);
    },
    loss: (live, { inputs, targets }, mode) => elasticLoss(live, (layer) => layer.forward(inputs, mode), targets, mode),
    onStep: (step) => {
      network.progress = step / steps;
    },
  });
  return network;
}

/** A trained elastic network as a search problem; networks are measured once for all searches. */
export interface ElasticProblem extends SearchProblem {
  readonly network: Elastic;
  readonly evaluator: SubNetworkEvaluator;
  evaluate(configuration: Configuration): Measurement;
  /** Accuracy of a sub-network on the test data, in %. */
  tested(configuration: Configuration): number;
}

/** Random sub-networks whose worst values bound hypervolumes. */
const NADIR = 50;

/** Accuracy in %, multiply-adds in millions and parameters in thousands. */
export async function elasticProblem(
  { evaluation, test }: Domain,
  network: Elastic,
  other: 'macs' | 'params' = 'macs',
): Promise<ElasticProblem> {
  const evaluator = new SubNetworkEvaluator(network, evaluation, { metrics: ['accuracy', 'macs', 'params'] });
  const space = new GeneSpace(evaluator.genes);
  const known = new Map<string, Measurement>();
  const evaluate = (configuration: Configuration): Measurement => {
    const key = space.key(space.encode(configuration));
    const found = known.get(key) ?? inUnits(evaluator.evaluate(configuration));
    known.set(key, found);
    return found;
  };
  const problem = {
    ...{ network, evaluator, space, evaluate, objectives: ['accuracy', other] as const },
    tested: (configuration: Configuration) => {
      const sub = evaluator.extract(configuration);
      try {
        return 100 * evaluator.accuracy(sub, configuration, test);
      } finally {
        disposeWeights(stateOf(sub));
      }
    },
  };
  const random = new Random(0).split('nadir');
  const reference = await nadirOf(
    problem,
    Array.from({ length: NADIR }, () => space.sample(random)),
  );
  return { ...problem, reference };
}

const inUnits = ({ accuracy = 0, macs = 0, params = 0 }: Measurement): Measurement => ({
  accuracy: 100 * accuracy,
  macs: macs / 1e6,
  params: params / 1e3,
});

/** All weights of a network, to compare them with later. */
export const weightBits = (network: Layer): ReadonlyMap<string, Float32Array> =>
  new Map(Object.entries(stateOf(network)).map(([name, weight]) => [name, weight.dataSync<Float32Array>()]));

/** Number of weights that differ from those of before. */
export function changedWeights(network: Layer, before: ReadonlyMap<string, Float32Array>): number {
  let changed = 0;
  for (const [name, weight] of Object.entries(stateOf(network)))
    weight.dataSync<Float32Array>().forEach((value, i) => {
      changed += Number(!Object.is(value, before.get(name)?.[i]));
    });
  return changed;
}
