// The layers that stand in one place of one network: none, those that the paper compares with, a
// perceptron of as many parameters, and soft hypergraphs.

import { AttentionContext, NearestContext, PerceptronContext } from '../../hypergraph/index.js';
import { disposeWeights, type Layer, SoftHGNN, type SoftHGNNOptions, stateOf } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { tuned } from '../parts/tuning.js';

/** Titles of the arms. */
export const [NONE, ATTENTION, HGNN, PERCEPTRON, STATIC, SOFT, SES] = [
  'none',
  '+ self-attention',
  '+ HGNN, nearest tokens',
  '+ MLP of equal size',
  'SoftHGNN, static prototypes',
  'SoftHGNN',
  'SoftHGNN-SeS',
] as const;

/** All arms, in order. */
export const contextTitles = [NONE, ATTENTION, HGNN, PERCEPTRON, STATIC, SOFT, SES] as const;

/** The arms that the paper compares with. */
export const rivals = [NONE, ATTENTION, HGNN] as const;

/** Makes the layer of an arm: [B, N, D] or a map [B, D, H, W] → the same shape. */
export type ContextMaker = (features: number, random: Random) => Layer;

/** Sizes of the layers. */
export interface ContextSizes {
  /** Heads of self-attention. */
  readonly heads: number;
  /** Tokens in a hyperedge of HGNN. */
  readonly nearest: number;
  /** The dense soft hypergraph. */
  readonly soft: SoftHGNNOptions;
  /** The one with sparse selection. */
  readonly sparse: SoftHGNNOptions;
}

/** What stands in the place of an arm; nothing for `NONE`. */
export function contextOf(
  title: (typeof contextTitles)[number],
  { heads, nearest, soft, sparse }: ContextSizes,
): ContextMaker | undefined {
  const makers: Readonly<Record<(typeof contextTitles)[number], ContextMaker | undefined>> = {
    [NONE]: undefined,
    [ATTENTION]: (features, random) => new AttentionContext(features, random, { heads }),
    [HGNN]: (features, random) => new NearestContext(features, random, { k: nearest }),
    [PERCEPTRON]: (features, random) => PerceptronContext.like(features, random, soft),
    [STATIC]: (features, random) => new SoftHGNN(features, random, { ...soft, dynamic: false }),
    [SOFT]: (features, random) => new SoftHGNN(features, random, soft),
    [SES]: (features, random) => new SoftHGNN(features, random, sparse),
  };
  return makers[title];
}

/** What is chosen for an arm on validation data. */
export type ContextSetting = {
  readonly learningRate: number;
  /** Tokens in a hyperedge of HGNN; of no meaning to other arms. */
  readonly nearest: number;
};

/** Learning rates that every arm may choose from. */
export const contextRates = [1e-3, 3e-3, 3e-4] as const;

/**
 * The settings of an arm: learning rates, and of HGNN, after all rates, other sizes of hyperedges.
 */
export function contextSettings(title: string, trials: number): readonly ContextSetting[] {
  const rates = contextRates.slice(0, trials).map((learningRate) => ({ learningRate, nearest: 8 }));
  const sizes = [4, 16].map((nearest) => ({ learningRate: contextRates[0], nearest }));
  return title === HGNN && trials >= contextRates.length ? [...rates, ...sizes] : rates;
}

/** An arm as trained. */
export interface TrainedArm<Model> {
  readonly model: Model;
  /** Score on validation data; larger is better. */
  readonly validation: number;
}

/** How the arms of a comparison are trained and scored. */
export interface ArmTraining<Title extends string, Data, Model> {
  /** What an arm may choose from. */
  settings(title: Title): readonly ContextSetting[];
  /** What the choice is made for: once for all seeds. */
  readonly once: object;
  /** What an arm trains on. */
  readonly whole: Data;
  /** What a trial trains on. */
  readonly fewer: Data;
  train(title: Title, data: Data, setting: ContextSetting, run: MethodRun): Promise<TrainedArm<Model>>;
  score(model: Model): Scores | Promise<Scores>;
}

/** The arms of a comparison, each with the setting that did best in trials on fewer data. */
export function armsOf<Title extends string, Data, Model extends object>(
  titles: readonly Title[],
  { settings, once, whole, fewer, train, score }: ArmTraining<Title, Data, Model>,
): Method<TrainedArm<Model>>[] {
  return titles.map((title) =>
    tuned<ContextSetting, TrainedArm<Model>>({
      title,
      settings: settings(title),
      once,
      train: (setting, run) => train(title, whole, setting, run),
      trial: (setting, run) => train(title, fewer, setting, run),
      validation: ({ validation }) => validation,
      discard: ({ model }) => disposeWeights(stateOf(model)),
      score: ({ model }) => score(model),
    }),
  );
}
