// Compression recipes: an ordered list of steps as plain JSON data.

import type { SpatialRule } from '../models/index.js';
import type { Distribution } from './densities.js';
import type { LayerChoice } from './layers.js';
import { type Pattern, patterns } from './masks.js';

/** Hyperparameters shared by all trainings of a recipe. */
export interface RecipeTraining {
  /** Images in a batch. Default: 64. */
  readonly batchSize?: number;
  /** Peak learning rate of the optimiser. Default: 0.001. */
  readonly learningRate?: number;
  /** Decoupled weight decay. Default: 0.0001. */
  readonly weightDecay?: number;
}

/** Structured pruning: removes whole channels, then fine-tunes. */
export interface RemoveChannelsStep {
  /** Discriminator of the step. */
  readonly do: 'remove-channels';
  /** Share of the channels of each group that is removed, in [0, 1). */
  readonly ratio: number;
  /** Whether channels are ranked in each group or over the whole model. Default: `group`. */
  readonly scope?: 'group' | 'global';
  /** The number of remaining channels is a multiple of this. Default: 8. */
  readonly roundTo?: number;
  /** Epochs of fine-tuning. Default: 0. */
  readonly epochs?: number;
}

/** Magnitude pruning, and training with the zeros held. */
export interface PruneStep {
  /** Discriminator of the step. */
  readonly do: 'prune';
  /** Final share of zeros in the chosen layers, in [0, 1). */
  readonly sparsity: number;
  /** Layers to prune. Default: `pointwise`. */
  readonly layers?: LayerChoice;
  /**
   * Which weights are pruned together: one pattern for all layers, or patterns by name of layers
   * with `*`, of which the first that fits counts: `{ "features.1.*": "block8", "*": "block4" }`.
   * Default: `unstructured`.
   */
  readonly pattern?: Pattern | Readonly<Record<string, Pattern>>;
  /**
   * Whether channels are rearranged over the whole network first, so that blocks of output channels
   * lose little; layers too small for blocks then stay dense unless they are named. Default: false.
   */
  readonly rearrange?: boolean;
  /**
   * `gradual` prunes between 5 % and 75 % of the epochs; `one-shot` before them, which suits few
   * zeros. Default: `gradual`.
   */
  readonly schedule?: 'gradual' | 'one-shot';
  /** How the sparsity is distributed over layers. Default: `uniform`. */
  readonly distribution?: Distribution;
  /** Epochs of training; 0 prunes at once. Default: 0. */
  readonly epochs?: number;
}

/** Fine-tunes the model; pruned weights stay zero. */
export interface TrainStep {
  /** Discriminator of the step. */
  readonly do: 'train';
  /** Epochs of training, at least 1. */
  readonly epochs: number;
}

/**
 * Quantises to int8, after calibration or, with epochs, after quantisation-aware training. Must be
 * the last step.
 */
export interface QuantizeStep {
  /** Discriminator of the step. */
  readonly do: 'quantize';
  /** Bits of activations. Default: 8. */
  readonly bits?: 8 | 7;
  /** Bits of weights, at least 2; fewer than 8 are stored as int8 with fewer levels. Default: 8. */
  readonly weightBits?: number;
  /** Number of training images on which activation ranges are measured. Default: 64. */
  readonly calibration?: number;
  /**
   * Percent of the measured activations that the ranges hold, above 50; half of the rest is clipped
   * at either end. Default: 100, the lowest and the highest.
   */
  readonly percentile?: number;
  /** Epochs of quantisation-aware training. Default: 0. */
  readonly epochs?: number;
}

/**
 * Replaces convolutions and linear layers by hypercomplex ones of about 1/n of the parameters,
 * which start as near to them as can be, then fine-tunes.
 */
export interface HypercomplexStep {
  /** Discriminator of the step. */
  readonly do: 'hypercomplex';
  /** Size of the domain, at least 2; layers whose channels it does not divide stay. */
  readonly n: number;
  /** Epochs of fine-tuning. Default: 0. */
  readonly epochs?: number;
}

/**
 * Replaces trainable spatial operations by built-in ones, then fine-tunes: 3×3 convolutions of
 * bottlenecks, depthwise convolutions, attention in every other block; see `replaceSpatialOps`.
 */
export interface ReplaceSpatialStep extends SpatialRule {
  /** Discriminator of the step. */
  readonly do: 'replace-spatial';
  /** Epochs of fine-tuning. Default: 0. */
  readonly epochs?: number;
}

/**
 * Orders the channels of binary layers along spanning trees, after training that makes them short
 * (MST-compression).
 */
export interface TreeStep {
  /** Discriminator of the step. */
  readonly do: 'tree';
  /** λ: weight of the tree distances in the loss. Default: 0.3. */
  readonly strength?: number;
  /** μ: weight of the distances to the root, which makes trees shallow. Default: 0.25. */
  readonly centring?: number;
  /** Most edges between a channel and the root; `auto`: the least of minimum trees. */
  readonly depth?: number | 'auto';
  /** Epochs of training; 0 only orders what is there. Default: 0. */
  readonly epochs?: number;
}

/**
 * Prunes every convolution and linear layer by scores that are trained, then trains the kept
 * weights (the last two phases of DASS, see `trainSparsely`).
 */
export interface LearnMasksStep {
  /** Discriminator of the step. */
  readonly do: 'learn-masks';
  /** Share of the weights of each layer that is kept, in (0, 1]. */
  readonly keep: number;
  /** Epochs of the scores; at 0 the weights of the largest magnitude are kept. Default: 0. */
  readonly pruneEpochs?: number;
  /** Epochs of the kept weights. Default: 0. */
  readonly epochs?: number;
}

/**
 * Searches widths and depths (TAS, see `searchShape`), beginning with the weights of the model, and
 * trains a network of what it found from new weights, with the model as its teacher.
 */
export interface ShapeStep {
  /** Discriminator of the step. */
  readonly do: 'tas';
  /** Share of the cost of the model, in (0, 1]. */
  readonly budget: number;
  /** Whether the cost is in multiply-adds or in measured milliseconds. Default: `macs`. */
  readonly cost?: 'macs' | 'latency';
  /** What is searched. Default: `both`. */
  readonly search?: 'both' | 'width' | 'depth';
  /** Epochs of the search. Default: 10. */
  readonly searchEpochs?: number;
  /** Epochs of the training of what was found, at least 1. */
  readonly epochs: number;
}

/**
 * Prunes with a metanetwork, see `metaPrune`: one forward pass of it changes the weights, then
 * training, group-norm pruning to a speed-up, and training.
 */
export interface MetaPruningStep {
  /** Discriminator of the step. */
  readonly do: 'metapruning';
  /** File of the metanetwork, made for the architecture of the model. */
  readonly metanetwork: string;
  /** Wanted quotient of the multiply-adds before and after the step, above 1. */
  readonly speedup: number;
  /** Epochs of training between the metanetwork and the pruning. Default: 0. */
  readonly adaptEpochs?: number;
  /** Epochs of training after the pruning. Default: 0. */
  readonly epochs?: number;
}

/** One step of a recipe, discriminated by `do`. */
export type RecipeStep =
  | RemoveChannelsStep
  | PruneStep
  | TrainStep
  | HypercomplexStep
  | ReplaceSpatialStep
  | TreeStep
  | LearnMasksStep
  | ShapeStep
  | MetaPruningStep
  | QuantizeStep;

/** The rules of a recipe that replace spatial operations, in order; a model's file keeps them. */
export function spatialRules({ steps }: Recipe): SpatialRule[] {
  return steps.flatMap((step) =>
    step.do === 'replace-spatial'
      ? [{ with: step.with, ...(step.kernel !== undefined && { kernel: step.kernel }) }]
      : [],
  );
}

/** An ordered list of compression steps. */
export interface Recipe {
  /** Steps in order; at least one. */
  readonly steps: readonly RecipeStep[];
  /** Hyperparameters of all trainings. */
  readonly training?: RecipeTraining;
  /**
   * Trains with knowledge distillation, where the model before compression is the teacher; `weight`
   * of the soft loss (default 0.5) and `temperature` (default 2). Default: labels only.
   */
  readonly distill?: { readonly weight?: number; readonly temperature?: number };
}

/** Check of each field of each step. */
const fields = {
  'remove-channels': { ratio: share, scope: oneOf('group', 'global'), roundTo: whole(1), epochs: whole(0) },
  prune: {
    sparsity: share,
    layers: layerChoice,
    pattern: patternChoice,
    rearrange: oneOf(true, false),
    schedule: oneOf('gradual', 'one-shot'),
    distribution: oneOf('uniform', 'erk', 'global', 'global-normalized'),
    epochs: whole(0),
  },
  train: { epochs: whole(1) },
  hypercomplex: { n: whole(2), epochs: whole(0) },
  'replace-spatial': { with: oneOf('max', 'average', 'none', 'hybrid'), kernel: odd, epochs: whole(0) },
  tree: { strength: notNegative, centring: notNegative, depth: depthChoice, epochs: whole(0) },
  'learn-masks': { keep: keptShare, pruneEpochs: whole(0), epochs: whole(0) },
  tas: {
    budget: keptShare,
    cost: oneOf('macs', 'latency'),
    search: oneOf('both', 'width', 'depth'),
    searchEpochs: whole(1),
    epochs: whole(1),
  },
  metapruning: { metanetwork: fileName, speedup: factor, adaptEpochs: whole(0), epochs: whole(0) },
  quantize: { bits: oneOf(8, 7), weightBits: whole(2), calibration: whole(1), percentile, epochs: whole(0) },
} as const;

const required = {
  'remove-channels': ['ratio'],
  prune: ['sparsity'],
  train: ['epochs'],
  hypercomplex: ['n'],
  'replace-spatial': ['with'],
  tree: [],
  'learn-masks': ['keep'],
  tas: ['budget', 'epochs'],
  metapruning: ['metanetwork', 'speedup'],
  quantize: [],
} as const;

type Check = (value: unknown) => string | undefined;

function share(value: unknown): string | undefined {
  return typeof value === 'number' && value >= 0 && value < 1 ? undefined : 'a share in [0, 1)';
}

function percentile(value: unknown): string | undefined {
  return typeof value === 'number' && value > 50 && value <= 100 ? undefined : 'a percentile in (50, 100]';
}

function keptShare(value: unknown): string | undefined {
  return typeof value === 'number' && value > 0 && value <= 1 ? undefined : 'a share in (0, 1]';
}

function factor(value: unknown): string | undefined {
  return typeof value === 'number' && value > 1 && Number.isFinite(value) ? undefined : 'a number above 1';
}

function fileName(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? undefined : 'the name of a file';
}

function whole(least: number): Check {
  return (value) =>
    Number.isInteger(value) && (value as number) >= least ? undefined : `an integer of at least ${least}`;
}

function odd(value: unknown): string | undefined {
  return Number.isInteger(value) && (value as number) % 2 === 1 && (value as number) > 0 ? undefined : 'an odd integer';
}

function positive(value: unknown): string | undefined {
  return typeof value === 'number' && value > 0 ? undefined : 'a positive number';
}

function notNegative(value: unknown): string | undefined {
  return value === 0 ? undefined : positive(value) && 'a number of at least 0';
}

function depthChoice(value: unknown): string | undefined {
  return value === 'auto' ? undefined : whole(1)(value) && '"auto" or an integer of at least 1';
}

function oneOf(...choices: readonly (string | number | boolean)[]): Check {
  return (value) => (choices.includes(value as string) ? undefined : `one of ${choices.join(', ')}`);
}

function patternChoice(value: unknown): string | undefined {
  const known = oneOf(...patterns);
  if (!isRecord(value)) return known(value) && `${known(value)}, or such patterns by name of layers`;
  const choices = Object.values(value);
  if (choices.length === 0) return 'a pattern, or patterns by name of layers';
  return choices.map(known).find((expected) => expected !== undefined);
}

function layerChoice(value: unknown): string | undefined {
  const names = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
  const known = ['pointwise', 'convolutions', 'depthwise', 'linear', 'all'];
  return names || known.includes(value as string) ? undefined : `a list of names, or one of ${known.join(', ')}`;
}

/**
 * Validates a recipe read from a file.
 *
 * @param name used in error messages
 * @throws Error naming the step and the field that is wrong
 */
export function parseRecipe(value: unknown, name = 'recipe'): Recipe {
  const fail = (reason: string): never => {
    throw new Error(`${name}: ${reason}`);
  };
  if (!isRecord(value)) return fail('expected an object with "steps"');
  const { steps } = value;
  if (!Array.isArray(steps) || steps.length === 0) return fail('"steps" must be a list of at least one step');
  checkFields(
    value,
    { steps: () => undefined, training: () => undefined, distill: () => undefined },
    'the recipe',
    fail,
  );
  if (value.training !== undefined)
    checkRecord(
      value.training,
      { batchSize: whole(1), learningRate: positive, weightDecay: (v) => (v === 0 ? undefined : positive(v)) },
      '"training"',
      fail,
    );
  if (value.distill !== undefined)
    checkRecord(
      value.distill,
      { weight: (v) => (v === 1 ? undefined : share(v)), temperature: positive },
      '"distill"',
      fail,
    );
  for (const [i, step] of steps.entries()) checkStep(step, `step ${i + 1}`, fail);
  return value as unknown as Recipe;
}

function checkStep(step: unknown, place: string, fail: (reason: string) => never): void {
  const record = isRecord(step) ? step : fail(`${place} must be an object`);
  const { do: kind, ...rest } = record;
  const checks =
    fields[kind as keyof typeof fields] ?? fail(`${place}: "do" must be one of ${Object.keys(fields).join(', ')}`);
  const missing = required[kind as keyof typeof required].find((field) => rest[field] === undefined);
  if (missing) fail(`${place} (${kind}) lacks "${missing}"`);
  checkFields(rest, checks, `${place} (${kind})`, fail);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkRecord(
  value: unknown,
  checks: Readonly<Record<string, Check>>,
  place: string,
  fail: (reason: string) => never,
): void {
  checkFields(isRecord(value) ? value : fail(`${place} must be an object`), checks, place, fail);
}

function checkFields(
  record: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, Check>>,
  place: string,
  fail: (reason: string) => never,
): void {
  for (const [field, value] of Object.entries(record)) {
    const check = checks[field];
    if (!check) fail(`${place} has no field "${field}"; it takes ${Object.keys(checks).join(', ')}`);
    const expected = check?.(value);
    if (expected) fail(`${place}: "${field}" must be ${expected}, got ${JSON.stringify(value)}`);
  }
}
