// Channels through elementwise operations, and through those that work within each channel.

import { averagePoolOp, maxPoolOp, resizeOp } from '../../tensor/index.js';
import type { Value } from '../graph.js';
import { follows, type PruningEntry, type PruningRule } from './channels.js';

/**
 * The rule of every operation whose record says that it is elementwise: ties the channels of two
 * operands where both have them, and the slices of a weight with one value a channel to those.
 */
export const elementwise: PruningRule = (walk, node) => {
  const output = node.outputs[0] as Value;
  const rank = output.shape.length;
  const labels = node.inputs.map((input) => {
    const label = walk.label(input);
    return label && { ...label, axes: label.axes.map((axis) => axis + rank - input.shape.length) };
  });
  const kept = labels.find((label) => label);
  if (!kept) return;
  node.inputs.forEach((input, i) => {
    const other = labels[i];
    if (other === kept) return;
    if (other && other.axes.join() === kept.axes.join() && other.channels.length === kept.channels.length) {
      other.channels.forEach((channel, at) => {
        walk.tie(channel, kept.channels[at] as number);
      });
    } else if (other) {
      walk.fix(other);
      walk.fix(kept);
    } else {
      const axes = kept.axes.map((axis) => axis - rank + input.shape.length);
      const [axis] = axes as [number];
      const ofChannels = input.kind === 'constant' && input.origins.length > 0 && axes.length === 1;
      if (ofChannels && (input.shape[axis] ?? 1) === kept.channels.length)
        walk.attachAxis(input, weightAxis(input, axis), kept.channels);
      // Numbers without a name, or computed ones, would not follow their channels.
      else if (axes.some((own) => (input.shape[own] ?? 1) !== 1)) walk.fix(kept);
    }
  });
  walk.setLabel(output, kept);
};

/** The axis in a weight itself of an axis of its reshaped value: the first, of [channels, 1, 1]. */
export function weightAxis(value: Value, axis: number): number {
  return value.shape.slice(axis + 1).some((length) => length > 1) || value.shape.slice(0, axis).length > 0 ? axis : 0;
}

const carry: PruningRule = (walk, node) => walk.setLabel(node.outputs[0], walk.label(node.inputs[0] as Value));

/** Operations on the pixels of each channel. */
export const channelwiseRules: readonly PruningEntry[] = [
  follows(maxPoolOp, carry),
  follows(averagePoolOp, carry),
  follows(resizeOp, carry),
];
