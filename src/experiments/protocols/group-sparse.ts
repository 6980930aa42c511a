// Networks pruned in groups of output channels beside other ways of pruning: every arm starts from
// the same trained dense network of its width and is fine-tuned for the same number of epochs, the
// dense network itself too.

import {
  channelRatioFor,
  chosenWeights,
  exampleOf,
  Frozen,
  groupLayers,
  keptUnits,
  maskOfBlocks,
  pruneGroups,
  pruneOnce,
  removeChannels,
  unitShape,
  usedMultiplyAdds,
} from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { accuracyOn, SmallResNet } from '../../models/index.js';
import { disposeWeights, type Layer, loadState, stateOf, type Weights } from '../../nn/index.js';
import { keep, Random, tensor } from '../../tensor/index.js';
import { ImageClassifier, type ImageShape, imageModel } from '../../vision/index.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { type Setting, tuned } from '../parts/tuning.js';
import { deployedScores, type ImageMethod, imageMethod, imageSettings, tuningData } from './images.js';

/** Shares of zeros. */
export const groupShares = [0.3, 0.5, 0.7] as const;
/** Width multipliers. */
export const groupWidths = [0.5, 0.75, 1] as const;
/** Width of the other ways of pruning. */
const WIDTH = 1;
/** Networks that can be compared. */
export const groupNetworks = ['mobilenet-v1-small', 'mobilenet-v1-nano'] as const;
type GroupNetwork = (typeof groupNetworks)[number];

/** How a network is pruned. */
export type GroupArm = 'dense' | 'rearranged' | 'plain' | 'random' | 'unstructured' | 'filters' | 'taps';

const armNames: Readonly<Record<Exclude<GroupArm, 'dense'>, string>> = {
  rearranged: 'groups, rearranged',
  plain: 'groups',
  random: 'random groups',
  unstructured: 'single weights',
  filters: 'filters removed',
  taps: 'depthwise taps',
};

/** Title of an arm. */
export function armTitle(arm: GroupArm, share = 0, width: number = WIDTH): string {
  return arm === 'dense' ? `dense, width ${width}` : `${armNames[arm]}, ${100 * share} %, width ${width}`;
}

/** Networks of 3×3 convolutions, in which whole kernels are pruned. */
export const kernelTitles = { dense: 'ResNet-8, dense', pruned: 'ResNet-8, kernels in groups, 50 %' } as const;

interface Arm {
  readonly title: string;
  readonly base: string;
  /** Prunes the trained network; returns the masks to keep. */
  readonly cut: (model: Layer, data: ImageDataset, random: Random, network: GroupNetwork) => Weights | undefined;
}

type Network = (shape: ImageShape, random: Random) => Layer;

const networkOf =
  (network: GroupNetwork, width: number): Network =>
  (shape, random) =>
    imageModel(network, { ...shape, width }, random);

const residual: Network = ({ channels, classes }, random) => new SmallResNet(8, random, { channels, classes });

/** Dense networks that arms start from, by title. */
const basesOf = (network: GroupNetwork): Readonly<Record<string, Network>> => ({
  ...Object.fromEntries(groupWidths.map((width) => [baseTitle(width), networkOf(network, width)])),
  'trained ResNet-8': residual,
});
const baseTitle = (width: number) => `trained, width ${width}`;

/** Masks of units drawn at random, in the layers and groups of `pruneGroups`. */
function randomGroups(model: Layer, share: number, random: Random): Weights {
  const { weights } = groupLayers(model);
  return Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => {
      const { across, height } = unitShape(weight.shape, 'block4');
      const count = Math.ceil((weight.shape[0] as number) / height) * across;
      const draw = random.split(name);
      const scores = Float32Array.from({ length: count }, () => draw.float());
      const mask = tensor(
        maskOfBlocks(weight.shape, 'block4', keptUnits(weight.shape, 'block4', scores, share)),
        weight.shape,
      );
      const values = mask.view();
      weight.assign(weight.dataSync().map((value, i) => value * (values[i] as number)));
      return [name, keep(mask)];
    }),
  );
}

/** Removes filters down to the multiply-adds that a network with so many zeros uses. */
function removeFilters(model: Layer, data: ImageDataset, share: number, network: GroupNetwork): undefined {
  const { channels, height: size } = data.test;
  const example = exampleOf(data);
  const fresh = () => networkOf(network, WIDTH)({ channels, classes: data.classes.length, size }, new Random(0));
  const sparse = fresh();
  pruneOnce(chosenWeights(sparse), { sparsity: share });
  const ratio = channelRatioFor(fresh, example, usedMultiplyAdds(sparse, example), { norm: 1, roundTo: 4 });
  removeChannels(model, example, { norm: 1, roundTo: 4, ratio });
}

/** What the ways of pruning are given. */
interface Cut {
  readonly model: Layer;
  readonly share: number;
  readonly data: ImageDataset;
  readonly random: Random;
  readonly network: GroupNetwork;
}

const cuts: Readonly<Record<Exclude<GroupArm, 'dense'>, (cut: Cut) => Weights | undefined>> = {
  rearranged: ({ model, share, data, random }) =>
    pruneGroups(model, exampleOf(data), random, { sparsity: share }).masks,
  plain: ({ model, share, data, random }) =>
    pruneGroups(model, exampleOf(data), random, { sparsity: share, rearrange: false }).masks,
  random: ({ model, share, random }) => randomGroups(model, share, random),
  unstructured: ({ model, share }) => pruneOnce(groupLayers(model).weights, { sparsity: share }),
  filters: ({ model, share, data, network }) => removeFilters(model, data, share, network),
  taps: ({ model, share, data, random }) =>
    pruneGroups(model, exampleOf(data), random, { sparsity: share, layers: 'depthwise' }).masks,
};

/** The arms: dense networks, then pruned ones. */
function armsOf(): Arm[] {
  const pruned = (arm: Exclude<GroupArm, 'dense'>, share: number, width: number = WIDTH): Arm => ({
    title: armTitle(arm, share, width),
    base: baseTitle(width),
    cut: (model, data, random, network) => cuts[arm]({ model, share, data, random, network }),
  });
  const others = ['plain', 'random', 'unstructured', 'filters'] as const;
  return [
    ...groupWidths.map((width) => ({
      title: armTitle('dense', 0, width),
      base: baseTitle(width),
      cut: () => undefined,
    })),
    ...groupWidths.flatMap((width) => groupShares.map((share) => pruned('rearranged', share, width))),
    ...groupShares.flatMap((share) => others.map((arm) => pruned(arm, share))),
    pruned('taps', 0.5),
    { title: kernelTitles.dense, base: 'trained ResNet-8', cut: () => undefined },
    {
      title: kernelTitles.pruned,
      base: 'trained ResNet-8',
      cut: (model, data, random) => pruneGroups(model, exampleOf(data), random, { sparsity: 0.5 }).masks,
    },
  ];
}

/** Titles of all arms, in order. */
export const groupTitles: readonly string[] = armsOf().map(({ title }) => title);

/** Learning rates of fine-tuning, of which each arm takes the best on validation images. */
const rates: readonly TuneSetting[] = [{ learningRate: 1e-3 }, { learningRate: 3e-3 }, { learningRate: 3e-4 }];

interface TuneSetting extends Setting {
  readonly learningRate: number;
}

/** Options of the runs. */
export interface GroupRun {
  readonly network: GroupNetwork;
  readonly epochs: number;
  /** Epochs of fine-tuning. */
  readonly finetune: number;
  readonly batch: number;
  readonly trials: number;
  readonly tuning: number;
}

/** How pruned networks are compiled. */
export const groupPlan = { sparse: { choose: 'measured' } } as const;

/** Trains the dense networks once, and copies them for the arms. */
class Bases {
  readonly #trained = new Map<string, Promise<ImageClassifier>>();

  constructor(
    readonly data: ImageDataset,
    readonly values: GroupRun,
  ) {}

  /** A copy of a trained network, which an arm may change. */
  async copyOf(title: string, run: MethodRun): Promise<ImageClassifier> {
    const known = this.#trained.get(title) ?? this.#train(title, run);
    this.#trained.set(title, known);
    const { description, model } = await known;
    const { channels, classes, height: size } = description;
    const copy = (basesOf(this.values.network)[title] as Network)(
      { channels, classes: classes.length, size },
      new Random(0),
    );
    loadState(copy, stateOf(model));
    return new ImageClassifier(description, copy);
  }

  #train(title: string, { seed, hooks }: MethodRun): Promise<ImageClassifier> {
    const method: ImageMethod = {
      title,
      network: basesOf(this.values.network)[title] as Network,
      settings: imageSettings,
    };
    // The stream depends on the seed and the network alone, not on the arm that asks first.
    const random = new Random(seed).split(title);
    const { signal } = hooks;
    const own = { title, seed, random, hooks: { signal }, progress: () => {}, chose: () => {} };
    return Promise.resolve(imageMethod(method, this.data, this.values).train(own));
  }
}

/**
 * The arms as methods: each prunes a copy of its trained network and is fine-tuned with a learning
 * rate chosen on a tenth of the training images. Score `cut`: accuracy before fine-tuning.
 */
export function groupMethods(data: ImageDataset, values: GroupRun): Method<ImageClassifier>[] {
  const whole = new Bases(data, values);
  const trial = tuningData(data, values.tuning);
  // A share of the images is left for trials, and the base of the trials is not tuned again.
  const trials = new Bases(trial, { ...values, trials: 1 });
  return armsOf().map((arm) => {
    const before = new WeakMap<ImageClassifier, number>();
    const fineTune = async (from: Bases, on: ImageDataset, setting: TuneSetting, run: MethodRun) => {
      const classifier = await from.copyOf(arm.base, run);
      const { model } = classifier;
      const masks = arm.cut(model, on, run.random.split('cut'), values.network);
      if (from === whole) before.set(classifier, 100 * accuracyOn(model, on.test, on));
      await classifier.train(on, run.random.split('fine-tuning'), {
        ...{
          batchSize: values.batch,
          epochs: values.finetune,
          warmUp: 0.1,
          weightDecay: 0.02,
          ...setting,
          ...run.hooks,
        },
        ...(masks && { wrapOptimizer: (inner) => new Frozen(inner, masks) }),
      });
      run.hooks.signal?.throwIfAborted();
      disposeWeights(masks);
      return classifier;
    };
    return tuned<TuneSetting, ImageClassifier>({
      title: arm.title,
      settings: rates.slice(0, values.trials),
      once: data,
      train: (setting, run) => fineTune(whole, data, setting, run),
      trial: (setting, run) => fineTune(trials, trial, setting, run),
      validation: ({ model }) => accuracyOn(model, trial.test, data),
      discard: ({ model }) => disposeWeights(stateOf(model)),
      score: (classifier) => ({
        ...deployedScores(classifier.model, data, groupPlan),
        cut: before.get(classifier) ?? Number.NaN,
      }),
    });
  });
}
