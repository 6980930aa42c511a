// Dependency groups for structured pruning: which slices of which weights must go together when a
// channel is removed.
//
// Channels are followed through the graph. Every output channel of a convolution or linear layer
// begins as a channel of its own; elementwise operations, norms and depthwise convolutions carry it
// on, additions tie two channels together, and the input slice of a later layer is tied to the
// channel that it reads. Channels that reach an output, or an operation without a rule, cannot be
// removed.
//
// Fang, Ma, Song, Bi Mi, Wang: DepGraph: Towards Any Structural Pruning, CVPR 2023.

import type { Op, Tensor } from '../tensor/index.js';
import { type Graph, type GraphNode, trace } from './graph.js';
import { type ChannelSlice, ChannelWalk, type PruningRule } from './pruning/channels.js';
import { channelwiseRules, elementwise } from './pruning/elementwise.js';
import { layerRules } from './pruning/layers.js';
import { layoutRules } from './pruning/layout.js';

export type { ChannelSlice } from './pruning/channels.js';

/** Channels of the same layers: removing one of `channels` means removing all its slices. */
export interface PruningGroup {
  /** The weights that take part, as `name:axis`. */
  readonly members: readonly string[];
  /** The slices that must be removed together, channel by channel. */
  readonly channels: readonly (readonly ChannelSlice[])[];
}

const rules: ReadonlyMap<Op<unknown>, PruningRule> = new Map([...layerRules, ...channelwiseRules, ...layoutRules]);

function visit(walk: ChannelWalk, node: GraphNode): void {
  const shapes = [node.inputs[0], node.outputs[0]].map((value) => `[${value?.shape.join(', ')}]`);
  walk.visit(`${node.op.name} ${shapes.join(' → ')}`);
  const rule = rules.get(node.op) ?? (node.op.elementwise ? elementwise : undefined);
  if (rule) rule(walk, node);
  else for (const input of node.inputs) walk.fix(walk.label(input));
}

/** Channels that are tied together, and those that must keep their places. */
export interface Dependencies {
  /** Groups whose channels can be removed, or change places among themselves. */
  readonly groups: readonly PruningGroup[];
  /**
   * By weight whose output channels must keep their places: what keeps them, such as `an output` or
   * `reshape [1, 8, 4, 4] → [1, 4, 32]`.
   */
  readonly fixed: ReadonlyMap<string, string>;
}

/**
 * The dependency groups of a captured graph.
 *
 * Layers whose channels reach an output, such as a classifier, have none.
 */
export function graphDependencies(graph: Graph): PruningGroup[] {
  return [...dependenciesOf(graph).groups];
}

/** The dependency groups of a captured graph, and what keeps the other channels. */
export function dependenciesOf(graph: Graph): Dependencies {
  const walk = new ChannelWalk();
  for (const node of graph.nodes) visit(walk, node);
  walk.visit('an output');
  for (const output of graph.outputs) walk.fix(walk.label(output));
  const fixed = new Map<string, string>();
  for (const { slices, reason } of walk.fixedSets())
    for (const { weight, axis } of slices) if (axis === 0 && !fixed.has(weight)) fixed.set(weight, reason);
  const groups = new Map<string, { members: string[]; channels: ChannelSlice[][] }>();
  for (const slices of walk.sets()) {
    const unique = [
      ...new Map(slices.map((slice) => [`${slice.weight}:${slice.axis}:${slice.index}`, slice])).values(),
    ];
    const members = [...new Set(unique.map(({ weight, axis }) => `${weight}:${axis}`))].sort();
    const key = members.join();
    const group = groups.get(key) ?? { members, channels: [] };
    group.channels.push(unique);
    groups.set(key, group);
  }
  return { groups: [...groups.values()], fixed };
}

/**
 * Traces a function of tensors and finds its dependency groups.
 *
 * @param weights names of the weights: `stateOf(model)`
 * @example dependencyGroups((x) => model.forward(x, inference), [zeros([1, 3, 32, 32])],
 * parameters(model))
 */
export function dependencyGroups(
  fn: (...inputs: Tensor[]) => unknown,
  examples: readonly Tensor[],
  weights: Readonly<Record<string, Tensor>>,
): PruningGroup[] {
  return trace(fn, examples, weights, graphDependencies);
}
