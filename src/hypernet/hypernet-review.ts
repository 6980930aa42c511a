// The design space of hypernetworks by the five criteria of Chauhan, Zhou, Lu, Molaei, Clifton, "A
// Brief Review of Hypernetworks in Deep Learning" (2023, arXiv 2306.06955), as a guide:
// `designHypernet` builds the hypernetwork of a design, `whyNot` says why a design does not exist.
//
//   condition    what the weights depend on: a task, data, or noise
//   generation   how weights are generated: all at once, by heads, by components, or in chunks
//   inputs       whether the condition is fixed, or varies with the input
//   weights      whether the target's shapes are fixed, or vary
//   trunk        the hypernetwork's own architecture

import { type Layer, LayerNorm, Linear, type Mode } from '../nn/index.js';
import { mean, type Random, relu, type Tensor } from '../tensor/index.js';
import { type Condition, DataCondition, NoiseCondition, TaskCondition, VectorCondition } from './condition.js';
import { heads, once, type Strategy } from './generator.js';
import { Hypernet, type HypernetOptions } from './hypernet.js';
import { chunks, components, described } from './part-generators.js';
import { attentionTrunk, convolutionTrunk, mlpTrunk, recurrentTrunk, type TrunkFactory } from './trunk.js';

/** The choices of each criterion. */
export const criteria = {
  condition: ['task', 'data', 'noise'],
  generation: ['once', 'heads', 'components', 'chunks'],
  inputs: ['static', 'dynamic'],
  weights: ['static', 'dynamic'],
  trunk: ['mlp', 'cnn', 'rnn', 'attention'],
} as const;

/** One choice for each criterion. */
export type HypernetDesign = { readonly [Name in keyof typeof criteria]: (typeof criteria)[Name][number] };

/** All 192 combinations of the criteria, including those for which `whyNot` gives a reason. */
export function allDesigns(): HypernetDesign[] {
  const combined = Object.entries(criteria).reduce<Record<string, string>[]>(
    (designs, [name, choices]) => designs.flatMap((design) => choices.map((choice) => ({ ...design, [name]: choice }))),
    [{}],
  );
  return combined as unknown as HypernetDesign[];
}

/** Why a design does not exist; undefined for one that `designHypernet` builds. */
export function whyNot({ generation, weights }: Pick<HypernetDesign, 'generation' | 'weights'>): string | undefined {
  return weights === 'dynamic' && (generation === 'once' || generation === 'heads')
    ? 'an output layer for each weight has one target by construction; weights that vary are made part by part'
    : undefined;
}

/** Options of `designHypernet`. */
export interface DesignOptions extends Omit<HypernetOptions, 'trunk' | 'generator'> {
  /** Dimension of the condition. Default: 4. */
  readonly size?: number;
  /** Number of tasks of a `task` condition with static inputs. Default: 2. */
  readonly tasks?: number;
  /** Features of each example of a `data` condition; required for it. */
  readonly features?: number;
  /** Width of the trunk; a convolutional one has a quarter as many channels. Default: 24. */
  readonly hidden?: number;
  /** Weights in a chunk. Default: 8. */
  readonly chunk?: number;
  /**
   * Weights in a component where target shapes vary: at least the size of the largest tensor.
   * Default: 24.
   */
  readonly component?: number;
}

/**
 * The hypernetwork of a design around a target.
 *
 * Its input is, by condition and inputs: task ids (`task`, static), vectors that describe a task
 * [B, size] (`task`, dynamic), a support set [n, features] (`data`), or noise from
 * `condition.sample` (`noise`). With dynamic weights, `generate` takes the `shapes` of the current
 * target.
 *
 * @example const hypernet = designHypernet(target,
 * { condition: 'task', generation: 'chunks', inputs: 'static', weights: 'static', trunk: 'mlp' },
 * random);
 *
 * @throws Error with `whyNot` for a design that does not exist, and where the condition `data`
 * lacks `features`
 */
export function designHypernet<Target extends object>(
  target: Target,
  design: HypernetDesign,
  random: Random,
  { size = 4, tasks = 2, features, hidden = 24, chunk = 8, component = 24, ...options }: DesignOptions = {},
): Hypernet<Target, unknown> {
  const reason = whyNot(design);
  if (reason !== undefined) throw new Error(`hypernet: no such design: ${reason}`);
  const condition = conditionOf(design, random, { size, tasks, features });
  return new Hypernet(target, condition, random.split('hypernet'), {
    ...options,
    trunk: trunkOf(design, hidden),
    generator: strategyOf(design, { chunk, component }),
  });
}

function conditionOf(
  { condition, inputs }: HypernetDesign,
  random: Random,
  { size, tasks, features }: { size: number; tasks: number; features: number | undefined },
): Condition<unknown> {
  if (condition === 'noise') return new NoiseCondition(size);
  if (condition === 'task')
    return inputs === 'static' ? new TaskCondition(tasks, size, random.split('tasks')) : new VectorCondition(size);
  if (features === undefined)
    throw new Error('hypernet: the condition "data" needs `features`, the width of an example');
  return new DataCondition(new SetEncoder(features, size, random.split('encoder')), size);
}

/**
 * A set [n, features] as one vector [1, size]: layer norm of the mean over its members of ReLU(W·x
 * + b). The norm gives conditions the variance 1 that `hyperfan-in` assumes.
 */
class SetEncoder implements Layer {
  readonly encoder: Linear;
  readonly norm: LayerNorm;

  constructor(features: number, size: number, random: Random) {
    this.encoder = new Linear(features, size, random);
    this.norm = new LayerNorm(size);
  }

  forward(set: Tensor, _mode?: Mode): Tensor {
    return this.norm.forward(mean(relu(this.encoder.forward(set)), 0, { keepAxes: true }));
  }
}

function trunkOf({ trunk }: HypernetDesign, hidden: number): TrunkFactory {
  return {
    mlp: () => mlpTrunk([hidden]),
    cnn: () => convolutionTrunk([Math.max(1, Math.floor(hidden / 4))]),
    rnn: () => recurrentTrunk(hidden),
    attention: () => attentionTrunk(hidden),
  }[trunk]();
}

function strategyOf(
  { generation, weights }: HypernetDesign,
  { chunk, component }: { chunk: number; component: number },
): Strategy {
  // With chunks as large as the largest tensor, each tensor is one component.
  if (weights === 'dynamic') return described(generation === 'components' ? component : chunk);
  return {
    once: () => once(),
    heads: () => heads('layer'),
    components: () => components('tensor'),
    chunks: () => chunks(chunk),
  }[generation]();
}
