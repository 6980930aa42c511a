// Terminator: slow networks write kernels for a fast one, whose weights follow the input.

import type { ImageDataset } from '../../data/index.js';
import { Random } from '../../tensor/index.js';
import { ImageClassifier, Terminator } from '../../vision/index.js';
import { defineExperiment, type RunContext, type Scores, type SeedOutcome } from '../parts/contract.js';
import { relabelled } from '../parts/metrics.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { studyOf } from '../parts/studies.js';
import {
  type ImageMethod,
  imageArtifacts,
  imageMetrics,
  imageOptions,
  imageTask,
  loadImageSet,
  runImageMethods,
} from '../protocols/images.js';
import { batchAccuracy, featureStatistics, slowFastClaims, structureScores } from '../protocols/slow-fast-claims.js';
import { ablations, imagePeers, KAR, RESNET, seenAs, sequencePeers } from '../protocols/slow-fast-networks.js';

const options = {
  ...imageOptions,
  trials: count(4, 'settings of learning rate and frequencies tried for each method', { smoke: 1, maximum: 4 }),
  view: choice(['image', 'row', 'permuted'], 'images, or their pixels as a sequence in row order or permuted'),
  arms: choice(['peers', 'ablations'], 'other networks, or Terminators that lack a part'),
};

type Values = OptionValues<typeof options>;

function methodsOf({ view, arms }: Pick<Values, 'view' | 'arms'>, images: ImageDataset['train']) {
  if (arms === 'ablations') return ablations(images);
  return view === 'image' ? imagePeers(images) : sequencePeers(images);
}

const titles = (values: Values) =>
  methodsOf(values, {
    count: 0,
    channels: 1,
    height: 8,
    width: 8,
    pixels: new Uint8Array(),
    labels: new Int32Array(),
  }).map(({ title }) => title);

/** What the epochs of each method showed. */
class Watch {
  readonly classifiers = new Map<string, ImageClassifier>();
  readonly #models = new Map<string, unknown>();
  readonly #before = new Map<string, number>();
  readonly #curves = new Map<string, number[]>();
  readonly #features = new Map<string, Scores>();

  constructor(readonly data: ImageDataset) {}

  /** The method, whose test images are classified after each epoch for the curves alone. */
  watched(method: ImageMethod): ImageMethod {
    return {
      ...method,
      training: (model, setting, own) => {
        this.#models.set(method.title, model);
        if (model instanceof Terminator) this.#before.set(method.title, model.slowLoss().item());
        return { ...method.training?.(model, setting, own), validate: true };
      },
    };
  }

  context(context: RunContext): RunContext {
    return {
      ...context,
      hooks: (title) => {
        const own = context.hooks(title);
        return {
          ...own,
          onEpoch: (report) => {
            this.#curves.set(title, [...(this.#curves.get(title) ?? []), 100 * (report.metric ?? Number.NaN)]);
            const model = this.#models.get(title);
            if (model instanceof Terminator) this.#keepFeatures(title, featureStatistics(model, this.data));
            own.onEpoch?.(report);
          },
        };
      },
    };
  }

  #keepFeatures(title: string, found: Scores): void {
    const before = this.#features.get(title) ?? found;
    const most = Object.entries(found).map(([name, value]) => [name, Math.max(value, before[name] ?? value)]);
    this.#features.set(title, Object.fromEntries(most));
  }

  /** Scores of a trained classifier beside those that all have. */
  score(classifier: ImageClassifier): Scores {
    const { description, model } = classifier;
    const title = description.architecture;
    this.classifiers.set(title, classifier);
    if (!(model instanceof Terminator)) return {};
    const slowLoss = model.slowLoss().item() / (this.#before.get(title) as number);
    return { batchAccuracy: batchAccuracy(model, this.data), slowLoss, ...this.#features.get(title) };
  }

  /** Accuracy after an epoch, and epochs to 95 % of ResNet-8's last, one more where never. */
  curveScores(title: string): Scores {
    const curve = this.#curves.get(title) ?? [];
    const goal = 0.95 * (this.#curves.get(RESNET)?.at(-1) ?? Number.NaN);
    const at = curve.findIndex((accuracy) => accuracy >= goal);
    return {
      ...(curve[0] !== undefined && { first: curve[0] }),
      ...(!Number.isNaN(goal) && { reached: at < 0 ? curve.length + 1 : at + 1 }),
    };
  }
}

/** The classifier as `gossamer classify` reads it. */
function savable({ description, model }: ImageClassifier): ImageClassifier {
  const { frequency = 10 } = (model as Terminator).options;
  return new ImageClassifier({ ...description, architecture: 'terminator-nano', settings: { frequency } }, model);
}

export const experiment = defineExperiment({
  options,
  ...imageTask,
  load: async (source: string, values: Values, onDownload?: (name: string) => void) =>
    seenAs(values.view, await loadImageSet(source, values, onDownload), new Random(0).split('pixels')),
  reproduction: [
    { data: 'fashion-mnist', set: { images: 3000, trials: 2 } },
    { data: 'fashion-mnist', long: true },
    { data: 'fashion-mnist', set: { arms: 'ablations' }, long: true },
    { data: 'fashion-mnist', set: { epochs: 15 }, long: true },
    { data: 'cifar10', set: { images: 10_000 }, long: true },
    { data: 'mnist', set: { view: 'row', epochs: 5 }, long: true },
    { data: 'mnist', set: { view: 'permuted', epochs: 5 }, long: true },
    { data: 'cifar10', set: { view: 'row', epochs: 5 }, long: true },
  ],
  metrics: {
    ...imageMetrics,
    batchAccuracy: relabelled(imageMetrics.accuracy, { label: 'accuracy with statistics of batches' }),
    first: relabelled(imageMetrics.accuracy, { label: 'accuracy after an epoch' }),
    reached: { label: 'epochs to 95 % of ResNet-8', digits: 1, better: 'smaller' },
    zeroMean: { label: 'mean of features, most', digits: 8, better: 'smaller' },
    deviation: { label: 'their deviation off 1, most', digits: 4, better: 'smaller' },
    slowLoss: { label: 'feedback error after over before', digits: 3, better: 'smaller' },
  },
  methods: titles,
  notes: ({ images, epochs, trials }) => [
    `Images are means of 2×2 pixels. All networks are trained alike: ${images} images, ${epochs} epochs, label smoothing 0.09, no augmentation; Terminators by Kar3, the others and one Terminator by AdamW. The learning rate of each, and ω₀ of those with slow networks, are the best of ${trials} on a tenth of the training images.`,
    'Accuracy is that of stored statistics, as a saved model answers; beside it that with statistics and contexts of shuffled batches of 32 test images, as the paper evaluates.',
    'Test images are classified after each epoch for the curves alone.',
  ],
  async runSeed(data, values, context): Promise<SeedOutcome> {
    const watch = new Watch(data);
    const methods = methodsOf(values, data.train).map((method) => watch.watched(method));
    const { methods: scored } = await runImageMethods(methods, data, values, watch.context(context), {
      keep: KAR,
      score: (classifier) => watch.score(classifier),
    });
    const kept = watch.classifiers.get(KAR);
    return {
      methods: scored.map((own) => ({ ...own, scores: { ...own.scores, ...watch.curveScores(own.method) } })),
      ...(kept && values.view === 'image' && { artifacts: () => imageArtifacts(savable(kept), data) }),
    };
  },
  studies: () => {
    const scores = structureScores();
    return studyOf(
      {
        title: 'What the parts of an untrained network are',
        columns: ['slow networks that the feedback error reaches', 'fast weights', 'shortcuts', 'slow parameters (%)'],
        rows: [
          [scores.reached, scores.fast, scores.shortcuts, scores.slowShare].map((value) =>
            (value as number).toFixed(2),
          ),
        ],
        note: 'Gradients of the feedback error alone; shortcuts are additions of a block’s input in its traced graph. The paper’s network has about 8 % slow parameters.',
      },
      scores,
    );
  },
  claims: slowFastClaims,
});
