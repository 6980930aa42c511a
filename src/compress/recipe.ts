// Recipes: what is done to a model, in order, as data that can be saved.

import type { Distribution } from './densities.js';
import type { LayerChoice } from './layers.js';
import { type Pattern, patterns } from './masks.js';

/** Settings of every training that a recipe asks for. */
export interface RecipeTraining {
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
}

/** Removes whole channels, then trains what is left. */
export interface RemoveChannelsStep {
  readonly do: 'remove-channels';
  /** Share of the channels of each group. */
  readonly ratio: number;
  readonly scope?: 'group' | 'global';
  readonly roundTo?: number;
  readonly epochs?: number;
}

/** Zeroes weights: gradually over the first three quarters of its epochs, or at once when there are none. */
export interface PruneStep {
  readonly do: 'prune';
  readonly sparsity: number;
  readonly layers?: LayerChoice;
  readonly pattern?: Pattern;
  readonly distribution?: Distribution;
  readonly epochs?: number;
}

export interface TrainStep {
  readonly do: 'train';
  readonly epochs: number;
}

/** Runs the model on bytes; with epochs it is first trained for that. */
export interface QuantizeStep {
  readonly do: 'quantize';
  /** Bits of activations. */
  readonly bits?: 8 | 7;
  readonly weightBits?: number;
  /** Training images that ranges are measured on. */
  readonly calibration?: number;
  readonly epochs?: number;
}

export type RecipeStep = RemoveChannelsStep | PruneStep | TrainStep | QuantizeStep;

export interface Recipe {
  readonly steps: readonly RecipeStep[];
  readonly training?: RecipeTraining;
  /** Whether trainings learn from the model before compression too. */
  readonly distill?: { readonly weight?: number; readonly temperature?: number };
}

/** Fields of each step: what they may be. */
const fields = {
  'remove-channels': { ratio: share, scope: oneOf('group', 'global'), roundTo: whole(1), epochs: whole(0) },
  prune: {
    sparsity: share,
    layers: layerChoice,
    pattern: oneOf(...patterns),
    distribution: oneOf('uniform', 'erk', 'global'),
    epochs: whole(0),
  },
  train: { epochs: whole(1) },
  quantize: { bits: oneOf(8, 7), weightBits: whole(2), calibration: whole(1), epochs: whole(0) },
} as const;

const required = { 'remove-channels': ['ratio'], prune: ['sparsity'], train: ['epochs'], quantize: [] } as const;

type Check = (value: unknown) => string | undefined;

function share(value: unknown): string | undefined {
  return typeof value === 'number' && value >= 0 && value < 1 ? undefined : 'a share in [0, 1)';
}

function whole(least: number): Check {
  return (value) =>
    Number.isInteger(value) && (value as number) >= least ? undefined : `an integer of at least ${least}`;
}

function positive(value: unknown): string | undefined {
  return typeof value === 'number' && value > 0 ? undefined : 'a positive number';
}

function oneOf(...choices: readonly (string | number)[]): Check {
  return (value) => (choices.includes(value as string) ? undefined : `one of ${choices.join(', ')}`);
}

function layerChoice(value: unknown): string | undefined {
  const names = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
  const known = ['pointwise', 'convolutions', 'linear', 'all'];
  return names || known.includes(value as string) ? undefined : `a list of names, or one of ${known.join(', ')}`;
}

/** Checks a recipe that was read from a file. @throws Error naming the step and the field that is wrong. */
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
