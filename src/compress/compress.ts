// Compression of a classifier in one call: follows a recipe (channel removal, pruning, training,
// quantisation), compiles the result into a plan and reports size, speed and accuracy before and
// after.

import { type ImageDataset, imageTensor } from '../data/index.js';
import {
  applyShape,
  type ImageTrainingOptions,
  type NetworkShape,
  replaceSpatialOps,
  trainOnImages,
} from '../models/index.js';
import {
  clipBinaryWeights,
  type EpochReport,
  fakeQuantizeWeight,
  type Layer,
  type Optimizer,
  quantizationAware,
  toPlain,
  type Weights,
} from '../nn/index.js';
import { type Random, scope, type Tensor } from '../tensor/index.js';
import type { CompileOptions, KernelChoice, Plan } from '../trace/index.js';
import { removeChannels } from './channels.js';
import { trainSparsely } from './dass/index.js';
import { fastestPlan } from './fastest-plan.js';
import { exampleOf, type Footprint, footprint } from './footprint.js';
import { toHypercomplex } from './hypercomplex.js';
import { chosenWeights } from './layers.js';
import { type Metanetwork, metaPrune } from './metapruning/index.js';
import { orderChannels, TreePull } from './mst-compression/index.js';
import { Frozen, Pruning, pruneOnce } from './pruning.js';
import type {
  HypercomplexStep,
  LearnMasksStep,
  MetaPruningStep,
  PruneStep,
  QuantizeStep,
  Recipe,
  RecipeStep,
  RemoveChannelsStep,
  ReplaceSpatialStep,
  ShapeStep,
  TreeStep,
} from './recipe.js';
import { metanetworkOf, metaPruningLines, replacementLines, requireFollowable } from './recipe-steps.js';
import { type GroupLayers, prunedLayers, rearrangeFor, type ZeroShares, zeroShares } from './sparsebytenn.js';
import { searchShape, shapeDistillation, shortSearch } from './tas/index.js';
import { TRAINING, teacherOf } from './teacher.js';

/** Options of `compress`. */
export interface CompressOptions {
  /** Source of the shuffles and augmentations of all trainings. */
  readonly random: Random;
  /**
   * Converts the trained model into its inference form (e.g. merged branches). Default: the model
   * itself.
   */
  readonly deployed?: (model: Layer) => Layer;
  /** By the file that a step `metapruning` names: its metanetwork. */
  readonly metanetworks?: Readonly<Record<string, Metanetwork>>;
  /** Aborts the running training. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each step of the recipe; `index` counts from 0. */
  readonly onStep?: (step: RecipeStep, index: number) => void;
  /** Called after each epoch of a step that trains. */
  readonly onEpoch?: (report: EpochReport, step: RecipeStep, index: number) => void;
}

/** Measurements before and after compression. */
export interface CompressionReport {
  /** Footprint of the model as given. */
  readonly before: Footprint;
  /** Footprint of the compressed model. */
  readonly after: Footprint;
  /** The kernel chosen for each layer, and why. */
  readonly layers: readonly KernelChoice[];
  /** Shares of zeros after compression. */
  readonly zeros: ZeroShares;
  /** Widths and depths that a step searched, with which a model file is read again. */
  readonly shape?: NetworkShape;
  /** A sentence for each step that says what it did. */
  readonly done: readonly string[];
}

/** Result of `compress`. */
export interface Compressed {
  /** The fastest plan of the compressed model, for a batch of one image. */
  readonly plan: Plan;
  /** Footprints before and after, kernels and steps. */
  readonly report: CompressionReport;
}

/** Default number of calibration images. */
const CALIBRATION = 64;

/**
 * Compresses a classifier by following a recipe. The model is changed in place: pruned weights
 * become zero, removed channels are cut out of its weights.
 *
 * @param data the training images are used by the steps, the test images by the report
 * @throws Error when the layers of a prune step match nothing, quantize is not last or a step does
 * not suit the network, all before any training, and when channels are to be removed after pruning;
 * AbortError when the signal fires
 */
export async function compress(
  model: Layer,
  data: ImageDataset,
  recipe: Recipe,
  options: CompressOptions,
): Promise<Compressed> {
  const run = new Compression(model, data, recipe, options);
  return run.run();
}

class Compression {
  /** Pruning masks by weight name: 1 keeps a weight, 0 holds it at zero. */
  #masks: Weights = {};
  #int8: CompileOptions['int8'];
  #shape: NetworkShape | undefined;
  readonly #done: string[] = [];
  readonly #teacher: ((images: Tensor) => Tensor) | undefined;

  constructor(
    readonly model: Layer,
    readonly data: ImageDataset,
    readonly recipe: Recipe,
    readonly options: CompressOptions,
  ) {
    requireFollowable(model, recipe, exampleOf(data), options.metanetworks);
    if (recipe.distill)
      this.#teacher = teacherOf(this.#deployed(), data, recipe.training?.batchSize ?? TRAINING.batchSize);
  }

  async run(): Promise<Compressed> {
    const before = footprint(this.#deployed(), this.#compile().plan, this.data);
    for (const [index, step] of this.recipe.steps.entries()) {
      this.options.onStep?.(step, index);
      await this.#follow(step, index);
    }
    const { plan, layers } = this.#compile();
    const after = footprint(this.#deployed(), plan, this.data);
    const report = { before, after, layers, zeros: zeroShares(this.#deployed()), done: this.#done };
    return { plan, report: this.#shape ? { ...report, shape: this.#shape } : report };
  }

  #deployed(): Layer {
    return this.options.deployed?.(this.model) ?? this.model;
  }

  #compile(): ReturnType<typeof fastestPlan> {
    return fastestPlan(this.#deployed(), this.data, this.#int8);
  }

  async #follow(step: RecipeStep, index: number): Promise<void> {
    if (step.do === 'remove-channels') return this.#removeChannels(step, index);
    if (step.do === 'prune') return this.#prune(step, index);
    if (step.do === 'hypercomplex') return this.#hypercomplex(step, index);
    if (step.do === 'replace-spatial') return this.#replaceSpatial(step, index);
    if (step.do === 'quantize') return this.#quantize(step, index);
    if (step.do === 'tree') return this.#tree(step, index);
    if (step.do === 'learn-masks') return this.#learnMasks(step, index);
    if (step.do === 'tas') return this.#searchShape(step, index);
    if (step.do === 'metapruning') return this.#metaPrune(step, index);
    await this.#train(step.epochs, step, index);
    this.#done.push(`trained ${step.epochs} epochs`);
  }

  async #removeChannels(step: RemoveChannelsStep, index: number): Promise<void> {
    if (Object.keys(this.#masks).length > 0)
      throw new Error('recipe: remove channels before weights are pruned, not after');
    this.#writeOut('channels are removed from');
    const removed = removeChannels(this.model, exampleOf(this.data), step);
    const channels = (when: 'before' | 'after') => removed.reduce((sum, group) => sum + group[when], 0);
    this.#done.push(
      `removed ${channels('before') - channels('after')} of ${channels('before')} channels in ${removed.length} groups`,
    );
    await this.#train(step.epochs ?? 0, step, index);
  }

  /** Shared weights can be pruned only where each stands by itself. */
  #writeOut(reason: string): void {
    const layers = toPlain(this.model);
    if (layers.length > 0)
      this.#done.push(`wrote ${layers.length} hypercomplex layers out as plain ones, which ${reason}`);
  }

  async #hypercomplex(step: HypercomplexStep, index: number): Promise<void> {
    if (Object.keys(this.#masks).length > 0)
      throw new Error('recipe: make layers hypercomplex before weights are pruned, not after');
    const { replaced, parameters } = toHypercomplex(this.model, { n: step.n });
    const [before, after] = parameters.map((count) => count.toLocaleString('en-US'));
    this.#done.push(
      `made ${replaced.length} layers hypercomplex with n = ${step.n}: ${before} weights became ${after}`,
    );
    await this.#train(step.epochs ?? 0, step, index);
  }

  async #replaceSpatial(step: ReplaceSpatialStep, index: number): Promise<void> {
    if (Object.keys(this.#masks).length > 0)
      throw new Error('recipe: replace spatial operations before weights are pruned, not after');
    this.#done.push(...replacementLines(replaceSpatialOps(this.model, step, exampleOf(this.data))));
    await this.#train(step.epochs ?? 0, step, index);
  }

  async #prune(step: PruneStep, index: number): Promise<void> {
    this.#writeOut('weights are pruned in');
    const layers = prunedLayers(this.model, step);
    const { weights, patternOf: pattern } = layers;
    const names = Object.keys(weights);
    const { sparsity, distribution = 'uniform', epochs = 0, schedule = 'gradual' } = step;
    const settings = { sparsity, pattern, distribution };
    if (step.rearrange) this.#rearrange(layers, settings, index);
    if (epochs === 0 || schedule === 'one-shot') {
      this.#masks = { ...this.#masks, ...pruneOnce(weights, settings) };
      await this.#train(epochs, step, index);
    } else {
      let pruning: Pruning | undefined;
      await this.#train(epochs, step, index, (inner, steps) => {
        const [start, end] = [Math.round(0.05 * steps), Math.round(0.75 * steps)];
        const every = Math.max(1, Math.round((end - start) / 40));
        pruning = new Pruning(inner, names, { ...settings, start, end, every });
        return pruning;
      });
      this.#masks = { ...this.#masks, ...pruning?.masks };
    }
    const used = [...new Set(names.map(pattern))].join(' and ');
    this.#done.push(
      `pruned ${names.length} layers to ${(100 * sparsity).toFixed(0)} % zeros, ${used}, ${distribution}`,
    );
    for (const [name, reason] of layers.dense)
      this.#done.push(`${name.replace(/\.weight$/, '')} stays dense: it ${reason}`);
  }

  #rearrange(layers: GroupLayers, settings: Pick<PruneStep, 'sparsity' | 'distribution'>, index: number): void {
    if (Object.keys(this.#masks).length > 0)
      throw new Error('recipe: rearrange channels before weights are pruned, not after');
    const random = this.options.random.split(`rearrange ${index}`);
    const { classes, kept } = rearrangeFor(this.model, exampleOf(this.data), layers, settings, random);
    const sum = (order: 'plain' | 'refined') => classes.reduce((total, { retained }) => total + retained[order], 0);
    const more = classes.length === 0 ? 0 : sum('refined') / sum('plain') - 1;
    this.#done.push(
      `rearranged the channels of ${classes.length} classes of layers: masks keep ${(100 * more).toFixed(1)} % more magnitude`,
    );
    for (const [name, reason] of kept) this.#done.push(`${name.replace(/\.weight$/, '')} keeps its order: ${reason}`);
  }

  async #learnMasks({ keep, pruneEpochs = 0, epochs = 0, ...step }: LearnMasksStep, index: number): Promise<void> {
    this.#writeOut('masks are learnt in');
    const { signal, onEpoch, random } = this.options;
    const { learningRate = TRAINING.learningRate, ...training } = { ...TRAINING, ...this.recipe.training };
    const { stopped, masks } = await trainSparsely(this.model, this.data, random.split(`step ${index}`), {
      ...training,
      ...{ keep, epochs: { pretrain: 0, prune: pruneEpochs, finetune: epochs }, signal },
      learningRates: { finetune: learningRate },
      ...(this.#teacher && { teacher: { logits: this.#teacher, ...this.recipe.distill } }),
      onEpoch: (report) => onEpoch?.(report, { ...step, keep }, index),
    });
    if (stopped === 'aborted') throw new DOMException('compression was stopped', 'AbortError');
    this.#masks = { ...this.#masks, ...masks };
    this.#done.push(
      `kept ${(100 * keep).toFixed(1)} % of the weights of ${Object.keys(masks).length} layers, by scores trained for ${pruneEpochs} epochs`,
    );
  }

  async #searchShape(step: ShapeStep, index: number): Promise<void> {
    if (Object.keys(this.#masks).length > 0)
      throw new Error('recipe: search widths and depths before weights are pruned, not after');
    this.#writeOut('widths are searched in');
    const { batchSize = TRAINING.batchSize } = this.recipe.training ?? {};
    const logits = this.#teacher ?? teacherOf(this.#deployed(), this.data, batchSize);
    const random = this.options.random.split(`shape ${index}`);
    const { budget, cost = 'macs', search = 'both', searchEpochs = 10, epochs } = step;
    const { signal, onEpoch } = this.options;
    const found = await searchShape(this.model, this.data, random, {
      ...{ ...shortSearch, budget, cost, search, batchSize, epochs: searchEpochs },
      ...(signal && { signal }),
      onEpoch: (report) => onEpoch?.(report, step, index),
    });
    if (found.stopped === 'aborted') throw new DOMException('compression was stopped', 'AbortError');
    applyShape(this.model, found.shape, exampleOf(this.data), random.split('apply'), { weights: 'kept' });
    this.#shape = found.shape;
    this.#done.push(
      `searched widths and depths for ${searchEpochs} epochs: ${((100 * found.cost) / found.full).toFixed(1)} % of the ${cost === 'macs' ? 'multiply-adds' : 'milliseconds of layers'}`,
    );
    await this.#train(epochs, step, index, undefined, undefined, { ...shapeDistillation, logits });
  }

  async #metaPrune(step: MetaPruningStep, index: number): Promise<void> {
    if (Object.keys(this.#masks).length > 0)
      throw new Error('recipe: prune with a metanetwork before weights are pruned, not after');
    this.#writeOut('channels are removed from');
    const { signal, onEpoch, random, metanetworks } = this.options;
    const { speedup, adaptEpochs = 0, epochs = 0 } = step;
    const done = await metaPrune(
      this.model,
      metanetworkOf(step, metanetworks),
      this.data,
      random.split(`step ${index}`),
      {
        ...{ speedup, adaptEpochs, epochs },
        training: {
          ...{ ...TRAINING, ...this.recipe.training, signal },
          ...(this.#teacher && { teacher: { logits: this.#teacher, ...this.recipe.distill } }),
          onEpoch: (report) => onEpoch?.(report, step, index),
        },
      },
    );
    if (done.stopped === 'aborted') throw new DOMException('compression was stopped', 'AbortError');
    this.#done.push(...metaPruningLines(done, adaptEpochs));
  }

  /**
   * The network was trained before: the pull rises at once, and the last quarter keeps its trees.
   */
  async #tree({ strength, centring, depth = 'auto', epochs = 0, ...step }: TreeStep, index: number): Promise<void> {
    const batch = this.recipe.training?.batchSize ?? TRAINING.batchSize;
    const pull = new TreePull(this.model, Math.ceil(this.data.train.count / batch), {
      ...{ start: 0, end: 0.75 },
      ...(strength !== undefined && { strength }),
      ...(centring !== undefined && { centring }),
    });
    try {
      await this.#train(epochs, step, index, undefined, (at, steps) => pull.followStep(at, steps));
    } finally {
      pull.release();
    }
    for (const { layer, ratio, bitsRatio, tree } of orderChannels(this.model, { depth }))
      this.#done.push(
        `${layer}: ${ratio.toFixed(2)} times fewer operations, ${bitsRatio.toFixed(2)} times fewer bits, a tree of depth ${tree.depth}`,
      );
  }

  async #quantize(step: QuantizeStep, index: number): Promise<void> {
    const { bits = 8, weightBits = 8, calibration = CALIBRATION, percentile = 100, epochs = 0 } = step;
    if (epochs > 0) {
      const aware = quantizationAware(this.model, { weightBits, activationBits: bits });
      const masks = this.#masks;
      this.#masks = Object.fromEntries(
        Object.entries(masks).map(([name, mask]) => [name.replace(/weight$/, 'layer.weight'), mask]),
      );
      try {
        // Quantisation ranges are updated for two thirds of the training, then frozen while the
        // weights adapt.
        await this.#train(epochs, step, index, undefined, (at, steps) => {
          if (at === Math.round((2 * steps) / 3)) aware.freeze();
        });
      } finally {
        aware.restore();
        this.#masks = masks;
      }
    }
    if (weightBits < 8)
      for (const weight of Object.values(chosenWeights(this.model, ['*'])))
        scope(() => weight.assign(fakeQuantizeWeight(weight, weightBits)));
    const count = Math.min(calibration, this.data.train.count);
    const examples = Array.from({ length: count }, (_, i) => [
      imageTensor(this.data.train, [Math.floor((i * this.data.train.count) / count)], this.data),
    ]);
    this.#int8 = { calibration: examples, percentile, bits };
    this.#done.push(
      `${weightBits}-bit weights and ${bits}-bit activations${epochs > 0 ? `, trained for ${epochs} epochs` : ', calibrated'} on ${count} images`,
    );
  }

  async #train(
    epochs: number,
    step: RecipeStep,
    index: number,
    wrapOptimizer?: ImageTrainingOptions['wrapOptimizer'],
    onStep?: ImageTrainingOptions['onStep'],
    ownTeacher?: ImageTrainingOptions['teacher'],
  ): Promise<void> {
    if (epochs === 0) return;
    const { signal, onEpoch, random } = this.options;
    const masks = this.#masks;
    const frozen = (inner: Optimizer) => (Object.keys(masks).length > 0 ? new Frozen(inner, masks) : inner);
    const teacher = ownTeacher ?? (this.#teacher && { logits: this.#teacher, ...this.recipe.distill });
    const { stopped } = await trainOnImages(this.model, this.data, random.split(`step ${index}`), {
      ...TRAINING,
      ...this.recipe.training,
      epochs,
      signal,
      ...(teacher && { teacher }),
      wrapOptimizer: (inner, steps) => wrapOptimizer?.(frozen(inner), steps) ?? frozen(inner),
      onStep: (at, steps) => {
        clipBinaryWeights(this.model);
        onStep?.(at, steps);
      },
      onEpoch: (report) => onEpoch?.(report, step, index),
    });
    if (stopped === 'aborted') throw new DOMException('compression was stopped', 'AbortError');
  }
}
