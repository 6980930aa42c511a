// Training of image classifiers: the recipe that backbones, compression and experiments share.

// Imported by file, since the format readers of gossamer/data need packages that browsers lack.
import type { Augmentation } from '../data/augment.js';
import { type ImageBatch, type ImageDataset, imageBatches, type LabelledImages } from '../data/images.js';
import { DataLoader } from '../data/loader.js';
import {
  AdaDelta,
  type AdaDeltaOptions,
  type AdamOptions,
  AdamW,
  AdaptivelyClipped,
  Averaged,
  accuracy,
  algebraNames,
  binaryCrossEntropy,
  binaryNames,
  buffers,
  crossEntropy,
  cutmix,
  distillation,
  elasticLoss,
  type FitResult,
  fit,
  freeze,
  freezesStatistics,
  inference,
  isElastic,
  Kar2,
  Kar3,
  type KarOptions,
  LAMB,
  type Layer,
  type Mode,
  mixup,
  type Optimizer,
  parameters,
  predictedClasses,
  randomOf,
  ScaledRates,
  type Schedule,
  softCrossEntropy,
  stateOf,
  type TrainingHooks,
  warmUpCosine,
} from '../nn/index.js';
import { keep, type Random, scope, type Tensor, tensor } from '../tensor/index.js';

/** Hyperparameters of `trainOnImages`. */
export interface ImageTrainingOptions extends TrainingHooks {
  /** Number of epochs. Default: 30. */
  readonly epochs?: number;
  /** Images per step. Default: 128. */
  readonly batchSize?: number;
  /** Peak learning rate. Default: 3e-3. */
  readonly learningRate?: number;
  /**
   * Decoupled weight decay of weights with two or more axes; biases, norms, the algebras of
   * hypercomplex layers and weights of binary layers have none. Default: 0.05.
   */
  readonly weightDecay?: number;
  /** Share of the steps with linear warm-up, before cosine decay to 0. Default: 0.05. */
  readonly warmUp?: number;
  /** Random crops, flips and the like. Default: none. */
  readonly augmentation?: Augmentation;
  /** Mixing of image pairs and their labels. Default: `none`. */
  readonly mixing?: 'none' | 'mixup' | 'cutmix';
  /** Label smoothing ε; unused with mixing or a teacher. Default: 0. */
  readonly labelSmoothing?: number;
  /**
   * Decay of an exponential moving average of the weights, which the model gets at the end.
   * Default: no average.
   */
  readonly average?: number;
  /**
   * Teacher of a distillation loss: its logits, weight of the soft loss (default 0.5) and
   * temperature (default 2). Replaces mixing and label smoothing.
   */
  readonly teacher?: {
    readonly logits: (images: Tensor) => Tensor;
    readonly weight?: number;
    readonly temperature?: number;
  };
  /**
   * `lamb` suits large batches; `adadelta` has ρ 0.9 and ε 1e-3, and couples its weight decay.
   * `kar2` and `kar3` have no weight decay, and want a learning rate of about 1e-3.
   * Default: `adamw`.
   */
  readonly optimizer?: 'adamw' | 'lamb' | 'adadelta' | 'kar2' | 'kar3';
  /** Factor of the learning rate by step, from the number of steps. Default: warm-up and cosine. */
  readonly schedule?: (steps: number) => Schedule;
  /**
   * `softmax`: cross-entropy; `binary`: binary cross-entropy of each class with the soft targets.
   * Default: `softmax`.
   */
  readonly objective?: 'softmax' | 'binary';
  /**
   * Weight of each class in the softmax loss, [classes], such as `balancedWeights`; for no other
   * objective and no teacher. Default: 1.
   */
  readonly classWeights?: ArrayLike<number>;
  /**
   * Names of weights that stay as they are; norms among them use their running statistics. Default:
   * none.
   */
  readonly frozen?: (name: string) => boolean;
  /**
   * Whether the network has been trained before: what follows the steps of its training (λ of
   * VanillaNet) then stays at its end. Default: false.
   */
  readonly continues?: boolean;
  /** Factor of the learning rate by parameter, such as `layerDecay` of VanillaNet. Default: 1. */
  readonly rateOf?: (name: string) => number;
  /** Factor of adaptive gradient clipping by unit. Default: none. */
  readonly adaptiveClip?: number;
  /** The loss of a batch in place of all of the above, such as `hardDistillation`. */
  readonly loss?: (model: Layer, batch: ImageBatch, mode: Mode) => Tensor;
  /** Wraps the optimiser, for instance to keep pruned weights at zero. */
  readonly wrapOptimizer?: (optimizer: Optimizer, steps: number) => Optimizer;
  /** Called before each step with its number, from 0, and the number of all steps. */
  readonly onStep?: (step: number, steps: number) => void;
  /**
   * Whether the test images, if any, are classified after every epoch, for the log alone.
   * Default: false.
   */
  readonly validate?: boolean;
  /**
   * Images that choose the epoch whose weights are kept, by accuracy; `validate` then has no
   * effect. Default: none, the last epoch's weights are kept.
   */
  readonly chooseBy?: LabelledImages;
}

/**
 * Trains a classifier in place on the training images of a data set, by AdamW or LAMB with linear
 * warm-up and cosine decay. It keeps the final weights, or those that are best on `chooseBy`, and
 * selects nothing on the test images. Networks with statistics to freeze then store their means
 * over 16 training batches. Elastic networks train their sub-networks, too, see `elasticLoss`, by
 * the labels alone.
 *
 * @throws RangeError for fewer than two training images, a choice of an epoch with an average, or
 * class weights that are not one for each or do not fit the loss; Error when every weight is frozen
 */
export async function trainOnImages(
  model: Layer,
  data: ImageDataset,
  random: Random,
  options: ImageTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 30, batchSize = 128, learningRate = 3e-3, weightDecay = 0.05, augmentation = {} } = options;
  if (data.train.count < 2)
    throw new RangeError(`trainOnImages: training needs at least 2 images, got ${data.train.count}`);
  const { chooseBy } = options;
  if (chooseBy && options.average !== undefined)
    throw new RangeError('trainOnImages: an average of weights has no best epoch; leave out average or chooseBy');
  requireClassWeights(data.classes.length, options);
  if (isElastic(model)) requirePlainLoss(options);
  const loader = new DataLoader(data.train, data, { batchSize, augmentation });
  const steps = Math.max(1, loader.length * epochs);
  const free = new Set([...algebraNames(model), ...binaryNames(model)]);
  const decayed = Object.fromEntries(
    Object.entries(stateOf(model)).map(([name, { rank }]) => [name, rank > 1 && !free.has(name)]),
  );
  const own = { learningRate, weightDecay: (name: string) => (decayed[name] ? weightDecay : 0) };
  const adam = optimizerOf(optimizers[options.optimizer ?? 'adamw'](own), options);
  const averaged = options.average === undefined ? undefined : new Averaged(adam, options.average);
  const inner = averaged ?? adam;
  const release = options.frozen && freeze(model, options.frozen);
  const weight = options.classWeights && keep(tensor(Float32Array.from(options.classWeights)));
  try {
    if (Object.keys(parameters(model)).length === 0)
      throw new Error('trainOnImages: every weight is frozen, so there is nothing to train');
    const result = await fit<Layer, ImageBatch>({
      model,
      epochs,
      random,
      optimizer: options.wrapOptimizer?.(inner, steps) ?? inner,
      schedule: options.schedule?.(steps) ?? warmUpCosine(steps, options.warmUp),
      batches: (order) => loader.epoch(order),
      loss:
        options.loss ??
        ((live, batch, mode) => lossOf(live, batch, mode, { ...options, classes: data.classes.length, weight })),
      ...(chooseBy && { validate: (live) => accuracyOn(live, chooseBy, data) }),
      ...(options.validate &&
        !chooseBy &&
        data.test.count > 0 && { validate: (live) => accuracyOn(live, data.test, data), restoreBest: false }),
      signal: options.signal,
      checkpoint: options.checkpoint,
      onEpoch: options.onEpoch,
      onStep: (step) => {
        if (isElastic(model)) model.progress = step / steps;
        options.onStep?.(step, steps);
      },
    });
    averaged?.loadInto(model, buffers(model));
    if (!options.frozen && freezesStatistics(model) && result.stopped !== 'aborted')
      model.freezeStatistics(someImages(data, batchSize, random.split('statistics')));
    return result;
  } finally {
    release?.();
    weight?.dispose();
    loader.close();
  }
}

/** @throws RangeError for a loss that elastic networks do not have */
function requirePlainLoss({ mixing = 'none', labelSmoothing = 0, ...options }: ImageTrainingOptions): void {
  const { teacher, objective = 'softmax', classWeights } = options;
  if (mixing !== 'none' || labelSmoothing > 0 || teacher || objective !== 'softmax' || classWeights)
    throw new RangeError(
      'trainOnImages: an elastic network teaches its sub-networks by itself; leave out mixing, label smoothing, teachers, class weights and the binary objective',
    );
}

/** @throws RangeError unless there is a weight for each class, and the loss takes them */
function requireClassWeights(
  classes: number,
  { classWeights, teacher, objective = 'softmax', loss }: ImageTrainingOptions,
): void {
  if (!classWeights) return;
  if (teacher || objective !== 'softmax' || loss)
    throw new RangeError('trainOnImages: class weights are for the softmax loss of labels');
  const values = Array.from(classWeights);
  if (values.length !== classes || !values.every((own) => own >= 0 && Number.isFinite(own)))
    throw new RangeError(`trainOnImages: expected ${classes} class weights of at least 0, got ${values.join(', ')}`);
}

/**
 * Weights by which classes of all sizes count alike in a loss: n / (classes · nᶜ) for the nᶜ images
 * of a class among n, and 0 for a class without an image.
 */
export function balancedWeights(labels: ArrayLike<number>, classes: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of Array.from(labels)) counts[label] = (counts[label] as number) + 1;
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : labels.length / (present * count)));
}

/** Batches over which statistics are averaged after training. */
const STATISTICS_BATCHES = 16;

/** Images of some training batches. */
function* someImages(data: ImageDataset, batchSize: number, random: Random): Generator<Tensor> {
  let left = STATISTICS_BATCHES;
  for (const { images } of imageBatches(data.train, data, batchSize, random)) {
    yield images;
    left -= 1;
    if (left === 0) return;
  }
}

/** The optimisers by name. */
const optimizers = {
  adamw: (options: AdamOptions) => new AdamW(options),
  lamb: (options: AdamOptions) => new LAMB(options),
  adadelta: (options: AdaDeltaOptions) => new AdaDelta({ epsilon: 1e-3, ...options }),
  kar2: ({ learningRate }: KarOptions) => new Kar2({ learningRate }),
  kar3: ({ learningRate }: KarOptions) => new Kar3({ learningRate }),
} as const;

function optimizerOf(optimizer: Optimizer, { rateOf, adaptiveClip }: ImageTrainingOptions): Optimizer {
  const scaled = rateOf ? new ScaledRates(optimizer, rateOf) : optimizer;
  return adaptiveClip === undefined ? scaled : new AdaptivelyClipped(scaled, adaptiveClip);
}

function lossOf(
  model: Layer,
  { images, labels }: ImageBatch,
  mode: Mode,
  {
    mixing = 'none',
    labelSmoothing = 0,
    teacher,
    objective = 'softmax',
    classes,
    weight,
  }: ImageTrainingOptions & { readonly classes: number; readonly weight?: Tensor | undefined },
): Tensor {
  if (isElastic(model)) return elasticLoss(model, (own) => own.forward(images, mode), labels, mode);
  if (teacher) return distillation(model.forward(images, mode), teacher.logits(images), labels, teacher);
  if (mixing !== 'none') {
    const mixed = (mixing === 'mixup' ? mixup : cutmix)(images, labels, classes, randomOf(mode, 'trainOnImages'));
    const logits = model.forward(mixed.images, mode);
    return objective === 'binary'
      ? binaryCrossEntropy(logits, mixed.targets)
      : softCrossEntropy(logits, mixed.targets, weight);
  }
  const logits = model.forward(images, mode);
  if (objective === 'softmax') return crossEntropy(logits, labels, { labelSmoothing, ...(weight && { weight }) });
  return binaryCrossEntropy(logits, smoothed(labels, classes, labelSmoothing));
}

/** Targets [n, classes]: ε/classes, and 1 − ε more at the label. */
function smoothed(labels: Tensor, classes: number, epsilon: number): Tensor {
  const targets = new Float32Array(labels.size * classes).fill(epsilon / classes);
  for (const [i, label] of labels.view<Int32Array>().entries())
    targets[i * classes + label] = 1 - epsilon + epsilon / classes;
  return tensor(targets, [labels.size, classes]);
}

/** Accuracy of a model on labelled images, normalised by `data`. */
export function accuracyOn(
  model: Layer,
  images: LabelledImages,
  data: Pick<ImageDataset, 'mean' | 'deviation'>,
): number {
  return accuracy(
    classesOn((x) => model.forward(x, inference), images, data),
    images.labels,
  );
}

/**
 * Predicted class of each image, given a function from images [n, channels, h, w] to logits
 * [n, classes]. All batches have the same size when `batchSize` (default 250) divides the number of
 * images.
 */
export function classesOn(
  logits: (images: Tensor) => Tensor,
  images: LabelledImages,
  data: Pick<ImageDataset, 'mean' | 'deviation'>,
  batchSize = 250,
): Int32Array {
  const classes: number[] = [];
  for (const batch of imageBatches(images, data, batchSize))
    scope(() => classes.push(...predictedClasses(logits(batch.images))));
  return Int32Array.from(classes);
}
