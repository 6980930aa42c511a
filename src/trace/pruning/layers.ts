// Channels through operations with weights: layers end the channels that they read and begin new
// ones.

import {
  attentionOp,
  type ConvolutionAttributes,
  channelAffineOp,
  convolutionOp,
  layerNormOp,
  linearOp,
} from '../../tensor/index.js';
import type { GraphNode, Value } from '../graph.js';
import { type ChannelWalk, follows, type Label, type PruningEntry, type PruningRule } from './channels.js';

/** A layer that reads channels by axis 1 of its weight and begins new ones by axis 0. */
function denseLayer(walk: ChannelWalk, node: GraphNode, axis: number): void {
  const [x, weight, bias] = node.inputs as [Value, Value, Value | undefined];
  const read = walk.channelsAlong(x, axis);
  if (read) walk.attachAxis(weight, 1, read);
  const made = walk.create(weight.shape[0] as number);
  walk.attachAxis(weight, 0, made);
  walk.attachAxis(bias, 0, made);
  walk.setLabel(node.outputs[0], { axes: [axis], channels: made });
}

const convolution: PruningRule<ConvolutionAttributes> = (walk, node) => {
  const [x, weight] = node.inputs as [Value, Value];
  const { groups } = node.attributes;
  if (groups === 1) denseLayer(walk, node, 1);
  else if (groups === weight.shape[0] && groups === x.shape[1]) depthwiseLayer(walk, node);
  else groupedLayer(walk, node, groups);
};

/** A filter for each channel carries it on. */
function depthwiseLayer(walk: ChannelWalk, node: GraphNode): void {
  const [x, weight, bias] = node.inputs as [Value, Value, Value | undefined];
  const carried = walk.channelsAlong(x, 1) ?? walk.create(weight.shape[0] as number);
  walk.attachAxis(weight, 0, carried);
  walk.attachAxis(bias, 0, carried);
  walk.setLabel(node.outputs[0], { axes: [1], channels: carried });
}

/** The same channel goes in every group, so that the groups stay of one size. */
function groupedLayer(walk: ChannelWalk, node: GraphNode, groups: number): void {
  const [x, weight, bias] = node.inputs as [Value, Value, Value | undefined];
  const filters = weight.shape[0] as number;
  const read = walk.channelsAlong(x, 1) ?? [];
  const made = walk.create(filters);
  for (const [channels, size] of [
    [read, weight.shape[1] as number],
    [made, filters / groups],
  ] as const)
    channels.forEach((channel, i) => {
      walk.tie(channel, channels[i % size] as number);
    });
  walk.attachAxis(weight, 1, read.slice(0, weight.shape[1]));
  walk.attachAxis(weight, 0, made);
  walk.attachAxis(bias, 0, made);
  walk.setLabel(node.outputs[0], { axes: [1], channels: made });
}

/** Norm weights of one value a channel, along an axis of the first input. */
function norm(axisOf: (x: Value) => number): PruningRule {
  return (walk, node) => {
    const [x, ...weights] = node.inputs as [Value, ...Value[]];
    const channels = walk.channelsAlong(x, axisOf(x));
    if (!channels) return;
    for (const weight of weights) if (weight.kind === 'constant') walk.attachAxis(weight, 0, channels);
    walk.setLabel(node.outputs[0], { axes: [axisOf(x)], channels });
  };
}

const HEADS = 1;
const DEPTH = 3;

/** A head goes as a whole: all its queries, keys and values. */
const attention: PruningRule = (walk, node) => {
  const [q, k, v] = node.inputs as [Value, Value, Value];
  const labels = [q, k, v].map((input) => walk.label(input));
  const heads = q.shape[HEADS] as number;
  const [ofQueries, , ofValues] = labels;
  if (!ofQueries || !labels.every(coversHeads) || heads !== k.shape[HEADS]) {
    for (const label of labels) walk.fix(label);
    return;
  }
  for (const label of labels)
    label?.channels.forEach((channel, i) => {
      walk.tie(channel, ofQueries.channels[firstOfHead(ofQueries, headOf(label, i, heads), heads)] as number);
    });
  walk.setLabel(node.outputs[0], ofValues);
};

/** Whether the channels run over heads and depth, in either order. */
function coversHeads(label: Label | undefined): boolean {
  return label?.axes.length === 2 && label.axes.includes(HEADS) && label.axes.includes(DEPTH);
}

function headOf(label: Label, position: number, heads: number): number {
  return label.axes[0] === HEADS ? Math.floor(position / (label.channels.length / heads)) : position % heads;
}

/** The position in a label of a head's first channel. */
function firstOfHead(label: Label, head: number, heads: number): number {
  return label.axes[0] === HEADS ? head * (label.channels.length / heads) : head;
}

const lastAxis = (x: Value) => x.shape.length - 1;

export const layerRules: readonly PruningEntry[] = [
  follows(convolutionOp, convolution),
  follows(linearOp, (walk, node) => denseLayer(walk, node, lastAxis(node.inputs[0] as Value))),
  follows(
    channelAffineOp,
    norm(() => 1),
  ),
  follows(layerNormOp, norm(lastAxis)),
  follows(attentionOp, attention),
];
