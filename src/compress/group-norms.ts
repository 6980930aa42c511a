// Group norms (Fang et al., DepGraph, 2023): how much the weights of a channel's dependency group
// are worth, a regulariser that makes the weak ones weaker, and pruning step by step to a speed-up.
//
//   I_c = mean over the members of a group of Σ w² over the slices of channel c, over its maximum
//   J = √I,  γ_c = α^((J_max − J_c)/(J_max − J_min)),  gradient + λ·γ_c·w, with γ constant
//
// Members are rows of convolutions and linear layers, columns of what reads them, and the scales of
// norms; biases and shifts are neither counted nor shrunk.

import {
  inference,
  type Layer,
  type Optimizer,
  type OptimizerState,
  parameterOwners,
  parameters,
  replaceWeights,
  stateOf,
  type Weights,
} from '../nn/index.js';
import { scope, type Tensor, tensor } from '../tensor/index.js';
import {
  type ChannelSlice,
  dependenciesOf,
  eachPlace,
  graphCost,
  type PruningGroup,
  trace,
  withoutSlices,
} from '../trace/index.js';

/** How the scores of a group are made comparable with those of others. */
export type ScoreNormalizer = 'max' | 'mean' | 'none';

/** Options of `groupScores`. */
export interface GroupScoreOptions {
  /** Exponent of |w|. Default: 2. */
  readonly norm?: 1 | 2;
  /** What the scores of a group are divided by. Default: `max`. */
  readonly normalizer?: ScoreNormalizer;
}

/** A model as pruning sees it: its dependency groups, its cost, and which weights are counted. */
export interface PrunableNetwork {
  /** Groups of channels that can be removed. */
  readonly groups: readonly PruningGroup[];
  /** Multiply-adds of the example. */
  readonly multiplyAdds: number;
  /** Names of the weights that scores count: kernels, matrices and the scales of norms. */
  readonly counted: ReadonlySet<string>;
  /** By layer whose channels cannot change: why, such as `an output`. */
  readonly fixed: ReadonlyMap<string, string>;
}

/**
 * Reads the groups and the cost of a model from one trace.
 *
 * @param example only its shape matters
 */
export function prunableNetwork(model: Layer, example: Tensor): PrunableNetwork {
  const trained = parameters(model);
  const found = trace(
    (x) => model.forward(x, inference),
    [example],
    stateOf(model),
    (graph) => ({
      ...dependenciesOf(graph),
      multiplyAdds: graphCost(graph, trained).multiplyAdds,
    }),
  );
  const scales = parameterOwners(model).filter(({ name, owner, tensor: { rank } }) => {
    return rank === 1 && /(^|\.)weight$/.test(name) && 'epsilon' in owner;
  });
  const kernels = Object.keys(trained).filter((name) => (trained[name] as Tensor).rank > 1);
  const fixed = new Map(
    [...found.fixed].flatMap(([weight, reason]) =>
      kernels.includes(weight) ? [[weight.replace(/\.weight$/, ''), reason] as const] : [],
    ),
  );
  return { ...found, fixed, counted: new Set([...kernels, ...scales.map(({ name }) => name)]) };
}

/**
 * I of each channel of a group.
 *
 * @param weights by name
 * @param counted names of those that count, see `prunableNetwork`
 * @returns one score a channel
 */
export function groupScores(
  { channels }: PruningGroup,
  weights: Weights,
  counted: ReadonlySet<string>,
  { norm = 2, normalizer = 'max' }: GroupScoreOptions = {},
): Float64Array {
  const members = new Set<string>();
  const sums = Float64Array.from(channels, (slices) => {
    let sum = 0;
    for (const slice of slices) {
      if (!counted.has(slice.weight)) continue;
      members.add(`${slice.weight}:${slice.axis}`);
      const weight = weights[slice.weight] as Tensor;
      const values = weight.view();
      eachPlace(weight, slice, (place) => {
        sum += Math.abs(values[place] as number) ** norm;
      });
    }
    return sum;
  });
  const scores = sums.map((sum) => sum / Math.max(1, members.size));
  if (normalizer === 'none') return scores;
  const whole = normalizer === 'max' ? Math.max(...scores) : scores.reduce((a, b) => a + b, 0) / scores.length;
  // A group of zeros has scores of 0.
  return scores.map((score) => (whole > 0 ? score / whole : 0));
}

/**
 * γ of each channel: 1 for the most important, α for the least.
 *
 * @param scores I of each channel
 * @returns undefined where all are alike, or one is not a number: such a group is left alone
 */
export function shrinkFactors(scores: Float64Array, alpha: number): Float64Array | undefined {
  const roots = scores.map(Math.sqrt);
  const [least, most] = [Math.min(...roots), Math.max(...roots)];
  if (!(most > least)) return undefined;
  return roots.map((root) => alpha ** ((most - root) / (most - least)));
}

/** Options of the group-norm regulariser. */
export interface GroupShrinkage extends GroupScoreOptions {
  /** λ: strength. */
  readonly strength: number;
  /** α: how much harder the least important channel is shrunk than the most. Default: 16. */
  readonly alpha?: number;
}

/**
 * The gradient of ½·λ·Σ over groups and channels of γ_c·‖w_c‖², with γ constant.
 *
 * @returns by name of each weight that has some
 */
export function shrinkageGradients(
  { groups, counted }: Pick<PrunableNetwork, 'groups' | 'counted'>,
  weights: Weights,
  { strength, alpha = 16, ...options }: GroupShrinkage,
): Record<string, Float32Array> {
  const gradients: Record<string, Float32Array> = {};
  for (const group of groups) {
    const factors = shrinkFactors(groupScores(group, weights, counted, options), alpha);
    if (!factors) continue;
    group.channels.forEach((slices, channel) => {
      for (const slice of slices) {
        if (!counted.has(slice.weight)) continue;
        const weight = weights[slice.weight] as Tensor;
        const values = weight.view();
        gradients[slice.weight] ??= new Float32Array(weight.size);
        const gradient = gradients[slice.weight] as Float32Array;
        eachPlace(weight, slice, (place) => {
          gradient[place] =
            (gradient[place] as number) + strength * (factors[channel] as number) * (values[place] as number);
        });
      }
    });
  }
  return gradients;
}

/**
 * Sparse learning: adds the regulariser's gradient to that of the loss before the inner optimiser's
 * step. The model must keep its channels meanwhile.
 */
export class GroupNormShrinking implements Optimizer {
  constructor(
    readonly inner: Optimizer,
    readonly network: Pick<PrunableNetwork, 'groups' | 'counted'>,
    readonly options: GroupShrinkage,
  ) {}

  update(weights: Weights, gradients: Weights, rateFactor?: number): void {
    scope(() => {
      for (const [name, values] of Object.entries(shrinkageGradients(this.network, weights, this.options))) {
        const target = gradients[name];
        if (!target) continue;
        target.device.run('accumulate', { target, source: tensor(values, target.shape), scale: 1, n: target.size });
      }
      this.inner.update(weights, gradients, rateFactor);
    });
  }

  state(): OptimizerState {
    return this.inner.state();
  }

  restore(state: OptimizerState): void {
    this.inner.restore(state);
  }
}

/** Options of `pruneToSpeedup`. */
export interface ProgressivePruningOptions extends GroupScoreOptions {
  /** Wanted quotient of the multiply-adds before and after, above 1. */
  readonly speedup: number;
  /** Multiply-adds that the speed-up counts from. Default: those of the model as it comes. */
  readonly from?: number;
  /** Steps from all channels to none, after each of which scores are taken anew. Default: 200. */
  readonly steps?: number;
  /** Scores of the channels of every group, for other criteria. Default: `groupScores`. */
  readonly scores?: (network: PrunableNetwork, weights: Weights) => readonly ArrayLike<number>[];
}

/** What `pruneToSpeedup` did. */
export interface ProgressivePruning {
  /** Multiply-adds before. */
  readonly before: number;
  /** Multiply-adds after. */
  readonly after: number;
  /** Quotient of `from` and `after`. */
  readonly speedup: number;
  /** Number of channels that were removed. */
  readonly removed: number;
  /** By layer whose channels could not be removed: why. */
  readonly fixed: ReadonlyMap<string, string>;
}

/**
 * Removes the channels of lowest score over all groups, step by step, in place, until a network has
 * the wanted speed-up. A group keeps one channel at least; a network that has the speed-up already
 * stays as it is.
 *
 * @param example an input of the model; only its shape matters
 * @throws RangeError for a speed-up that is not above 1; Error, with the model as it was, where no
 * number of removed channels gives it
 */
export function pruneToSpeedup(model: Layer, example: Tensor, options: ProgressivePruningOptions): ProgressivePruning {
  const { speedup, ...others } = options;
  const [done] = pruneThrough(model, example, [speedup], others) as [ProgressivePruning];
  return done;
}

/**
 * `pruneToSpeedup` through several speed-ups on the way to the largest, each as if it were the only
 * one.
 *
 * @param reached called at each, in ascending order, with the model pruned that far
 * @returns what was done to reach each, in ascending order
 * @throws as `pruneToSpeedup`
 */
export function pruneThrough(
  model: Layer,
  example: Tensor,
  speedups: readonly number[],
  options: Omit<ProgressivePruningOptions, 'speedup'>,
  reached: (speedup: number) => void = () => undefined,
): ProgressivePruning[] {
  const { steps = 200, scores = scoresBy(options) } = options;
  const wrong = speedups.find((speedup) => !(speedup > 1));
  if (wrong !== undefined) throw new RangeError(`pruneToSpeedup: expected a speed-up above 1, got ${wrong}`);
  const saved = Object.entries(stateOf(model)).map(([name, value]) => [name, value.clone()] as const);
  try {
    let network = prunableNetwork(model, example);
    const { multiplyAdds: before } = network;
    const { from = before } = options;
    const all = channelsOf(network);
    let step = 1;
    return [...speedups]
      .sort((a, b) => a - b)
      .map((speedup) => {
        for (; step <= steps && from / network.multiplyAdds < speedup; step++) {
          const goal = Math.round(all * (1 - step / steps));
          const going = lowest(network, scores(network, stateOf(model)), channelsOf(network) - goal);
          if (going.length === 0) continue;
          replaceWeights(model, withoutSlices(stateOf(model), going));
          network = prunableNetwork(model, example);
        }
        const { multiplyAdds: after } = network;
        if (from / after < speedup) {
          replaceWeights(model, Object.fromEntries(saved));
          throw new Error(
            `pruneToSpeedup: a speed-up of ${speedup} is out of reach: with one channel in each group the network takes ${after} multiply-adds, 1/${(from / after).toFixed(2)} of ${from}${fixedText(network.fixed)}`,
          );
        }
        reached(speedup);
        return { before, after, speedup: from / after, removed: all - channelsOf(network), fixed: network.fixed };
      });
  } finally {
    for (const [, value] of saved) value.dispose();
  }
}

/** The layers whose channels cannot change, in a message. */
function fixedText(fixed: ReadonlyMap<string, string>): string {
  const reasons = [...fixed].map(([layer, reason]) => `those of ${layer} cannot change (${reason})`);
  return reasons.length > 0 ? `; ${reasons.join(', ')}` : '';
}

const channelsOf = ({ groups }: PrunableNetwork) => groups.reduce((sum, { channels }) => sum + channels.length, 0);

const scoresBy =
  (options: GroupScoreOptions) =>
  ({ groups, counted }: PrunableNetwork, weights: Weights): Float64Array[] =>
    groups.map((group) => groupScores(group, weights, counted, options));

/** Slices of the `count` channels of lowest score; each group keeps one channel. */
function lowest({ groups }: PrunableNetwork, scores: readonly ArrayLike<number>[], count: number): ChannelSlice[] {
  const ranked = groups
    .flatMap(({ channels }, group) =>
      channels.map((slices, channel) => ({ group, slices, score: scores[group]?.[channel] as number })),
    )
    .sort((a, b) => a.score - b.score);
  const left = groups.map(({ channels }) => channels.length);
  const going: ChannelSlice[] = [];
  let removed = 0;
  for (const { group, slices } of ranked) {
    if (removed >= count) break;
    if (left[group] === 1) continue;
    left[group] = (left[group] as number) - 1;
    removed += 1;
    going.push(...slices);
  }
  return going;
}
