// BlockFFN and the routers that it is compared with, on the same blocks, text, steps and windows.

import {
  BlockSparsity,
  type BlockSparsityOptions,
  type BlockUsage,
  decoderConfig,
  decoderOf,
  decoderUsage,
  type LanguageModelConfig,
  ReMoEObjective,
  RivalBlocks,
  type RivalRouter,
  scheduleFor,
  type TrainingObjective,
  trainLanguageModel,
  validationLoss,
} from '../../lm/index.js';
import { Decoder } from '../../models/index.js';
import { disposeWeights, stateOf, type TrainingHooks } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { type Grid, settingsOf, tuned } from '../parts/tuning.js';
import { type TokenizedText, type TrainedDecoder, textOptions, textScores } from './text.js';

export const blockOptions = {
  ...textOptions,
  steps: count(600, 'steps of training', { smoke: 12, minimum: 2 }),
  features: count(64, 'width of the model', { smoke: 16, minimum: 16 }),
  layers: count(2, 'layers', { smoke: 1 }),
  experts: count(32, 'blocks of a layer', { smoke: 8, minimum: 4 }),
  width: count(16, 'width of a block', { smoke: 4 }),
  k: count(6, 'blocks a token of the routers that choose a number', { smoke: 3, minimum: 3 }),
  trials: count(2, 'settings that each method chooses from on validation tokens', { smoke: 1, maximum: 9 }),
  speed: choice(['on', 'off'], 'whether kernels and generation are timed'),
};

export type BlockValues = OptionValues<typeof blockOptions>;

export const BLOCKFFN = 'BlockFFN';
export const DEFAULTS = 'BlockFFN, the paper’s weights';
export const NO_LOSSES = 'BlockFFN, no losses';
export const TOPK = 'TopK';
export const DSMOE = 'DSMoE';
export const REMOE = 'ReMoE';
export const DENSE = 'dense SwiGLU';
export const CUT = 'dense, cut to the active width';
export const BASELINES = [TOPK, DSMOE, REMOE, DENSE] as const;
export const blockTitles = [BLOCKFFN, DEFAULTS, NO_LOSSES, ...BASELINES, CUT];

/** Weights of BlockFFN's losses at its operating point. */
export const OPERATING = { locality: 1.5e-3, chunkSparsity: 0.05 } as const;
const PAPER = { locality: 2e-3, chunkSparsity: 0.05 } as const;

interface Setting {
  readonly [name: string]: number;
  readonly learningRate: number;
  /** Weight of the method's own loss: κ₀, the balance loss, or λ₀ of ReMoE. */
  readonly weight: number;
}

const RATES = [3e-3, 5e-3, 2e-3];
const grid = (...weight: readonly number[]): Grid<Setting> => ({ learningRate: RATES, weight });

interface Arm {
  readonly settings: Grid<Setting>;
  /** The model; its configuration, where the runtime has one. */
  build(random: Random): TrainedDecoder;
  objective?(weight: number, steps: number): TrainingObjective;
  /** Blocks of the losses are trained with a balance loss of that weight. */
  readonly isBalanced?: boolean;
  /** What validation adds to the loss for a model outside its operating region. */
  penalty?(usage: BlockUsage): number;
}

/** Sizes that all arms share. */
export function sizesOf({ tokenizer }: TokenizedText, { features, layers, length }: BlockValues) {
  return { vocabulary: tokenizer.size, features, layers, heads: 4, context: 16 * length };
}

const shortfall = (value: number, least: number) => 10 * Math.max(0, least - value);

/** Outside: not sparse enough, or so alike for all tokens that a narrower layer would do. */
function collapse(usage: BlockUsage): number {
  const { tls, selective } = usage;
  return (
    shortfall(tls, 0.802) +
    shortfall(usage.cls(8), 0.702) +
    shortfall(tls - usage.cls(32), 0.05) +
    shortfall(selective, 0.25)
  );
}

/** The arms of a run. @param weights of BlockFFN's losses. Default: those of its operating point */
export function armsOf(
  data: TokenizedText,
  values: BlockValues,
  weights: BlockSparsityOptions = OPERATING,
): Readonly<Record<string, Arm>> {
  const { experts, width, k, features } = values;
  const sizes = sizesOf(data, values);
  const own = decoderConfig({ ...sizes, hidden: width, blocks: { count: experts } });
  const blockArm = (settings: Grid<Setting>, weights?: BlockSparsityOptions): Arm => ({
    settings,
    build: (random) => ({ config: own, model: decoderOf(own, random) }),
    ...(weights && {
      objective: (weight, steps) =>
        new BlockSparsity({ ...weights, chunkSparsity: weight, schedule: weights.schedule ?? scheduleFor(steps) }),
    }),
  });
  const rival = (router: RivalRouter, arm: Omit<Arm, 'build'>, blocks = { count: experts, width }): Arm => ({
    ...arm,
    build: (random) => ({
      config: decoderConfig({ ...sizes, hidden: blocks.width }),
      model: new Decoder(
        { ...sizes, feedForward: (_, layer) => new RivalBlocks(features, blocks, router, layer) },
        random,
      ),
    }),
  });
  const dense = (config: LanguageModelConfig): Arm => ({
    settings: grid(0),
    build: (random) => ({ config, model: decoderOf(config, random) }),
  });
  // As many parameters as blocks and their router have.
  const gated = Math.round((2 * experts * width + experts) / 3);
  const rate = k / experts;
  return {
    [BLOCKFFN]: { ...blockArm(grid(OPERATING.chunkSparsity, 0.06, 0.04), weights), penalty: collapse },
    [DEFAULTS]: blockArm(grid(PAPER.chunkSparsity), PAPER),
    [NO_LOSSES]: blockArm(grid(0)),
    [TOPK]: rival({ kind: 'top', k }, { settings: grid(1e-2, 1e-3, 1e-4), isBalanced: true }),
    [DSMOE]: rival({ kind: 'top', k, shared: 2 }, { settings: grid(1e-2, 1e-3, 1e-4), isBalanced: true }),
    [REMOE]: rival(
      { kind: 'relu' },
      {
        settings: grid(1e-4, 1e-5, 1e-3),
        objective: (initial) => new ReMoEObjective({ k, initial }),
        penalty: ({ tls }) => shortfall(0.01, Math.abs(tls - (1 - rate))),
      },
    ),
    [DENSE]: dense(decoderConfig({ ...sizes, hidden: gated })),
    // A layer of one kind of unit, as wide as what a token uses of the blocks.
    [CUT]: rival({ kind: 'top', k: 1 }, { settings: grid(0) }, { count: 1, width: k * width }),
  };
}

/** The sparsity of a model on tokens; undefined without blocks. */
export const usageOn = (model: Decoder, tokens: Int32Array, { length }: Pick<BlockValues, 'length'>) =>
  decoderUsage(model, [tokens], { length });

/** Trains an arm. */
export async function trainArm(
  arm: Arm,
  { tokens }: TokenizedText,
  { steps, batch, length }: Pick<BlockValues, 'steps' | 'batch' | 'length'>,
  { learningRate, weight }: Setting,
  random: Random,
  hooks: TrainingHooks,
): Promise<TrainedDecoder> {
  const made = arm.build(random.split('model'));
  await trainLanguageModel(made.model, tokens, random.split('fit'), {
    ...{ ...hooks, steps, batch, length, learningRate },
    ...(arm.isBalanced && { balance: weight }),
    ...(arm.objective && { objective: arm.objective(weight, steps) }),
  });
  return made;
}

/** Methods whose rate and own weight are chosen on validation tokens, once for all seeds. */
export function blockMethods(data: TokenizedText, values: BlockValues): Method<TrainedDecoder>[] {
  const { validation } = data.tokens;
  return Object.entries(armsOf(data, values)).map(([title, arm]) =>
    tuned({
      title,
      once: data,
      settings: settingsOf(arm.settings, values.trials, new Random(1)),
      train: (setting, { random, hooks }) => trainArm(arm, data, values, setting, random, hooks),
      trial: (setting, { random, hooks }) =>
        trainArm(arm, data, { ...values, steps: Math.ceil(values.steps / 2) }, setting, random, hooks),
      validation: ({ model }) => {
        const usage = arm.penalty && usageOn(model, validation, values);
        return -validationLoss(model, data.tokens, values) - (usage ? (arm.penalty?.(usage) ?? 0) : 0);
      },
      discard: ({ model }) => disposeWeights(stateOf(model)),
    }),
  );
}

/** Scores on test tokens: nats a character, sparsity in %, and shares of blocks. */
export function blockScores(model: Decoder, data: TokenizedText, values: BlockValues): Scores {
  const { test } = data.tokens;
  const { loss: perToken = Number.NaN, ...scores } = textScores(model, data, values);
  const characters = data.tokenizer.decode([...test]).length;
  const usage = usageOn(model, test, values);
  return {
    loss: (perToken * test.length) / characters,
    ...scores,
    ...(usage && {
      tls: 100 * usage.tls,
      cls8: 100 * usage.cls(8),
      cls32: 100 * usage.cls(32),
      selective: 100 * usage.selective,
      dead: usage.dead,
    }),
  };
}
