// Pruning of trained residual networks to several speed-ups, by a metanetwork or by norms alone:
// what happens to the weights before, training, removal of channels, training.

import {
  applyMetanetwork,
  GroupNormShrinking,
  groupScores,
  Metanetwork,
  networkGraph,
  type ProgressivePruningOptions,
  prunableNetwork,
  pruneThrough,
  shrinkageGradients,
  trainMetanetwork,
} from '../../compress/index.js';
import { firstImages, type ImageDataset } from '../../data/index.js';
import { accuracyOn, SmallResNet, trainOnImages } from '../../models/index.js';
import { disposeWeights, type Layer, loadState, parameters, replaceWeights, stateOf } from '../../nn/index.js';
import { Random, scope, type Tensor, zeros } from '../../tensor/index.js';
import type { RunContext, Scores } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { type Setting, tuned } from '../parts/tuning.js';
import { deployedScores } from './images.js';

export const UNPRUNED = 'unpruned network';
export const META = 'metanetwork';
export const UNTRAINED = 'metanetwork, untrained';
export const SHAKEN = 'random change of the same norm';
export const SHRUNK = 'weak channels shrunk directly';
export const GROUP = 'group L2 norm';
export const SPARSE = 'group L2 norm, sparse learning';
export const L1 = 'group L1 norm';
export const RANDOM = 'random channels';

/** What has no learnt metanetwork, but changes weights too. */
export const controls = [UNTRAINED, SHAKEN, SHRUNK] as const;
/** Pruning by hand-made criteria. */
export const rivals = [GROUP, SPARSE, L1, RANDOM] as const;
export const speedups = [2, 3, 4] as const;

/** What all networks share. */
export interface MetaRun {
  readonly width: number;
  readonly baseEpochs: number;
  readonly metaEpochs: number;
  readonly every: number;
  readonly adaptEpochs: number;
  readonly epochs: number;
  readonly batch: number;
  readonly metaBatch: number;
  readonly metaRate: number;
  readonly scale: number;
  readonly strength: number;
  readonly trials: number;
  readonly tuning: number;
}

/** ResNet-8 with shortcuts of weights. */
export function resNet8({ train, classes }: ImageDataset, width: number, random: Random): SmallResNet {
  const widths = [width, 2 * width, 4 * width] as const;
  const shape = { channels: train.channels, classes: classes.length, widths, shortcut: 'projection' } as const;
  return new SmallResNet(8, random, shape);
}

const exampleOf = ({ train: { channels, height, width } }: ImageDataset): Tensor => zeros([1, channels, height, width]);

/** Peak rate of the networks before pruning. */
const BASE_RATE = 1e-2;

/** A trained network. */
export async function baseNetwork(
  data: ImageDataset,
  { width, baseEpochs, batch }: MetaRun,
  random: Random,
  { signal }: Pick<RunContext, 'signal'>,
): Promise<SmallResNet> {
  const model = resNet8(data, width, random.split('model'));
  const settings = { epochs: baseEpochs, batchSize: batch, learningRate: BASE_RATE, signal };
  await trainOnImages(model, data, random.split('fit'), settings);
  signal?.throwIfAborted();
  return model;
}

/** A copy of a network of `resNet8`. */
export function copyOf(source: Layer, data: ImageDataset, width: number): SmallResNet {
  const model = resNet8(data, width, new Random(0));
  loadState(model, stateOf(source));
  return model;
}

/** A metanetwork, and what it took. */
export interface MadeMetanetwork {
  readonly metanetwork: Metanetwork;
  /** The network that chose the epoch. */
  readonly heldOut: Layer;
  readonly epoch: number;
  /** Seconds of the three networks, and of meta-training and the choice. */
  readonly seconds: readonly [networks: number, meta: number];
}

const since = (begin: number) => (performance.now() - begin) / 1000;

/** Rate of the training between metanetwork and pruning where the epoch is chosen. */
const CHOICE_RATE = 3e-3;

/** Two networks to learn from and one that chooses the epoch, on validation images. */
export async function madeMetanetwork(
  data: ImageDataset,
  values: MetaRun,
  context: Pick<RunContext, 'signal'>,
): Promise<MadeMetanetwork> {
  const random = new Random(0).split('metanetwork');
  const { metaEpochs, every, metaBatch, metaRate, scale, strength, adaptEpochs, batch } = values;
  const { signal } = context;
  const begin = performance.now();
  const models: Layer[] = [];
  for (const name of ['first', 'second', 'held out'])
    models.push(await baseNetwork(data, values, random.split(name), context));
  const networks = since(begin);
  const { metanetwork, curves } = await trainMetanetwork(models, data, data.test, random, {
    ...{ epochs: metaEpochs, batchSize: metaBatch, batches: 'one', learningRate: metaRate, signal },
    dropAfter: metaEpochs,
    ...{ nodeScale: scale, edgeScale: scale },
    shrinkage: { strength, alpha: 16 },
    choice: { speedups, every, adaptEpochs, training: { batchSize: batch, learningRate: CHOICE_RATE, signal } },
  });
  const seconds = [networks, since(begin) - networks] as const;
  return { metanetwork, heldOut: models.at(-1) as Layer, epoch: curves[0].epoch, seconds };
}

/** A metanetwork of the same form with initial weights. */
export function untrainedLike({ architecture, options }: Metanetwork, random: Random): Metanetwork {
  return new Metanetwork(architecture, random, options);
}

/** Mean over groups of the mean score of the better half of the channels over that of the worse. */
export function normSpread(model: Layer, data: ImageDataset): number {
  const { groups, counted } = prunableNetwork(model, exampleOf(data));
  const ratios = groups.map((group) => {
    const sorted = groupScores(group, stateOf(model), counted, { normalizer: 'none' }).sort().reverse();
    const half = Math.ceil(sorted.length / 2);
    const mean = (own: Float64Array) => own.reduce((sum, score) => sum + score, 0) / Math.max(1, own.length);
    return mean(sorted.subarray(0, half)) / Math.max(1e-12, mean(sorted.subarray(half)));
  });
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / Math.max(1, ratios.length);
}

/** What the metanetwork changes in each weight. */
function changesOf(metanetwork: Metanetwork, model: Layer, data: ImageDataset): Record<string, Float32Array> {
  return scope(() => {
    const own = parameters(model);
    const changed = metanetwork.weights(networkGraph(model, exampleOf(data)), model);
    return Object.fromEntries(
      Object.entries(changed).map(([name, weight]) => {
        const before = own[name]?.view() as Float32Array;
        return [name, Float32Array.from(weight.view() as Float32Array, (value, i) => value - (before[i] as number))];
      }),
    );
  });
}

const normOf = (values: readonly Float32Array[]) =>
  Math.sqrt(values.reduce((sum, own) => sum + own.reduce((all, value) => all + value * value, 0), 0));

/** Adds normal noise to each weight, of the norm that the metanetwork's change of it has. */
function shake(metanetwork: Metanetwork, model: Layer, data: ImageDataset, random: Random): void {
  const own = parameters(model);
  for (const [name, change] of Object.entries(changesOf(metanetwork, model, data)))
    scope(() => {
      const weight = own[name] as Tensor;
      const noise = random.split(name).normal(weight.shape).view() as Float32Array;
      const factor = normOf([change]) / Math.max(1e-12, normOf([noise]));
      weight.assign(Float32Array.from(weight.view(), (value, i) => value + factor * (noise[i] as number)));
    });
}

/** Steps against the group norm's gradient, together as long as the metanetwork's change. */
function shrinkDirectly(metanetwork: Metanetwork, model: Layer, data: ImageDataset, steps: number): void {
  const length = normOf(Object.values(changesOf(metanetwork, model, data))) / steps;
  const own = parameters(model);
  const network = prunableNetwork(model, exampleOf(data));
  for (let step = 0; step < steps; step++) {
    const gradients = shrinkageGradients(network, own, { strength: 1 });
    const factor = length / Math.max(1e-12, normOf(Object.values(gradients)));
    for (const [name, gradient] of Object.entries(gradients)) {
      const weight = own[name] as Tensor;
      weight.assign(Float32Array.from(weight.view(), (value, i) => value - factor * (gradient[i] as number)));
    }
  }
}

/** Tried for every arm alike. */
interface PruningSetting extends Setting {
  readonly learningRate: number;
}

export const pruningSettings: readonly PruningSetting[] = [
  { learningRate: 1e-2 },
  { learningRate: 3e-3 },
  { learningRate: 1e-3 },
];

/** One way to prune. */
export interface PruningArm {
  readonly title: string;
  /** Changes the weights before the first training. */
  readonly change?: (model: Layer, random: Random) => void;
  /** Whether the first training is sparse learning. */
  readonly isSparse?: boolean;
  /** Criterion of the removal. Default: the group L2 norm. */
  readonly criterion?: (random: Random) => Pick<ProgressivePruningOptions, 'norm' | 'scores'>;
}

/** All ways, with the metanetwork and without. */
export function pruningArms(
  { metanetwork }: MadeMetanetwork,
  data: ImageDataset,
  { metaEpochs }: MetaRun,
): PruningArm[] {
  const untrained = untrainedLike(metanetwork, new Random(0).split('untrained'));
  return [
    { title: META, change: (model) => void applyMetanetwork(metanetwork, model, data) },
    { title: UNTRAINED, change: (model) => void applyMetanetwork(untrained, model, data) },
    { title: SHAKEN, change: (model, random) => shake(metanetwork, model, data, random) },
    { title: SHRUNK, change: (model) => shrinkDirectly(metanetwork, model, data, metaEpochs) },
    { title: GROUP },
    { title: SPARSE, isSparse: true },
    { title: L1, criterion: () => ({ norm: 1 }) },
    {
      title: RANDOM,
      criterion: (random) => ({
        scores: ({ groups }) => groups.map(({ channels }) => channels.map(() => random.uniform([1]).item())),
      }),
    },
  ];
}

/** λ of sparse learning beside AdamW. */
const SPARSE_STRENGTH = 1e-2;

/** What an arm made of a network. */
export interface PrunedNetworks {
  /** Norm spread right after the change of weights, before any training. */
  readonly spread: number;
  /** Accuracy after each pruning before the training that follows, on test images. */
  readonly before: readonly number[];
  /** The networks of all speed-ups, trained. */
  readonly models: readonly Layer[];
}

/** An arm on a network, whose rate is the best for the held-out network on validation images. */
export function pruningMethod(
  arm: PruningArm,
  base: Layer,
  { heldOut }: MadeMetanetwork,
  once: object,
  { data, final }: { readonly data: ImageDataset; readonly final: ImageDataset },
  values: MetaRun,
): Method<PrunedNetworks> {
  const { width, adaptEpochs, epochs, batch, trials, tuning } = values;
  const run = async (
    source: Layer,
    own: ImageDataset,
    measured: ImageDataset,
    targets: readonly number[],
    { learningRate }: PruningSetting,
    { random, hooks: { signal } }: Parameters<Method<PrunedNetworks>['train']>[0],
  ): Promise<PrunedNetworks> => {
    const model = copyOf(source, data, width);
    arm.change?.(model, random.split('change'));
    const spread = normSpread(model, data);
    const settings = { batchSize: batch, learningRate, warmUp: 0.1, continues: true, signal };
    await trainOnImages(model, own, random.split('adapt'), {
      ...{ ...settings, epochs: adaptEpochs },
      ...(arm.isSparse && {
        wrapOptimizer: (inner) =>
          new GroupNormShrinking(inner, prunableNetwork(model, exampleOf(data)), { strength: SPARSE_STRENGTH }),
      }),
    });
    const [before, models]: [number[], SmallResNet[]] = [[], []];
    pruneThrough(model, exampleOf(data), targets, arm.criterion?.(random.split('criterion')) ?? {}, () => {
      before.push(100 * accuracyOn(model, measured.test, data));
      models.push(prunedCopy(model, data, width));
    });
    for (const [at, pruned] of models.entries())
      await trainOnImages(pruned, own, random.split(`tune ${targets[at]}`), { ...settings, epochs });
    signal?.throwIfAborted();
    return { spread, before, models };
  };
  const { train } = data;
  const part = { ...data, train: firstImages(train, Math.max(2, Math.round(tuning * train.count))) };
  return tuned<PruningSetting, PrunedNetworks>({
    ...{ title: arm.title, once, settings: pruningSettings.slice(0, trials) },
    train: (setting, own) => run(base, data, final, speedups, setting, own),
    trial: (setting, own) => run(heldOut, part, data, [speedups[1]], setting, own),
    validation: ({ models: [model] }) => accuracyOn(model as Layer, data.test, data),
    discard: ({ models }) => {
      for (const model of models) disposeWeights(stateOf(model));
    },
  });
}

function prunedCopy(model: Layer, data: ImageDataset, width: number): SmallResNet {
  const copy = resNet8(data, width, new Random(0));
  replaceWeights(copy, stateOf(model));
  return copy;
}

/** Scores of an arm: accuracies by speed-up, and the cost of the smallest network. */
export function prunedScores({ spread, before, models }: PrunedNetworks, final: ImageDataset): Scores {
  const after = models.map((model) => 100 * accuracyOn(model, final.test, final));
  const { accuracy: _, ...cost } = deployedScores(models.at(-1) as Layer, final);
  const named = (name: string, own: readonly number[]) =>
    Object.fromEntries(speedups.map((speedup, at) => [`${name}${speedup}`, own[at] as number]));
  const mean = (own: readonly number[]) => own.reduce((sum, value) => sum + value, 0) / own.length;
  return { ...cost, accuracy: mean(after), ...named('before', before), ...named('after', after), spread };
}
