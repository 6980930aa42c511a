// Channels through operations that move elements or sum over axes.

import { broadcastOp, concatenateOp, padOp, permuteOp, reshapeOp, rowsOp, sliceOp, sumOp } from '../../tensor/index.js';
import type { Value } from '../graph.js';
import { follows, type Label, type PruningEntry, type PruningRule } from './channels.js';
import { weightAxis } from './elementwise.js';

const reshape: PruningRule = (walk, node) => {
  const [x] = node.inputs as [Value];
  const label = walk.label(x);
  const output = node.outputs[0] as Value;
  if (!label) return;
  const run = matchingRuns(x.shape, output.shape).find(({ from }) => label.axes.every((axis) => from.includes(axis)));
  if (!run) return walk.fix(label);
  const channels = channelsOfRun(label, x.shape, run.from);
  const made = withoutIdleAxes({ axes: run.to, channels }, output.shape);
  const spreadBy = `reshape [${x.shape.join(', ')}] → [${output.shape.join(', ')}]`;
  walk.setLabel(output, made.axes.length > 1 ? { ...made, spreadBy } : made);
};

/** Consecutive axes of two shapes that hold the same elements. */
interface Run {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Matches runs of axes with equal products between two shapes. */
function matchingRuns(from: readonly number[], to: readonly number[]): Run[] {
  const runs: Run[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    const run = { from: [] as number[], to: [] as number[] };
    let [p, q] = [1, 1];
    do {
      if (p <= q && i < from.length) {
        p *= from[i] as number;
        run.from.push(i++);
      } else if (j < to.length) {
        q *= to[j] as number;
        run.to.push(j++);
      } else {
        p *= from[i] as number;
        run.from.push(i++);
      }
    } while (p !== q || run.from.length === 0 || run.to.length === 0 ? i < from.length || j < to.length : false);
    runs.push(run);
  }
  return runs;
}

/** The channel of every position of a run of axes: repeated along axes that the label lacks. */
function channelsOfRun(label: Label, shape: readonly number[], axes: readonly number[]): number[] {
  const sizes = axes.map((axis) => shape[axis] as number);
  const total = sizes.reduce((a, b) => a * b, 1);
  return Array.from({ length: total }, (_, position) => {
    let rest = position;
    const coordinates = new Map<number, number>();
    for (let i = sizes.length - 1; i >= 0; i--) {
      coordinates.set(axes[i] as number, rest % (sizes[i] as number));
      rest = Math.floor(rest / (sizes[i] as number));
    }
    const at = label.axes.reduce(
      (index, axis) => index * (shape[axis] as number) + (coordinates.get(axis) as number),
      0,
    );
    return label.channels[at] as number;
  });
}

/** Drops axes along which the channel never changes. */
function withoutIdleAxes(label: Label, shape: readonly number[]): Label {
  for (const [place, axis] of label.axes.entries()) {
    if (label.axes.length === 1) break;
    const inner = label.axes.slice(place + 1).reduce((product, other) => product * (shape[other] as number), 1);
    const length = shape[axis] as number;
    const idle = label.channels.every(
      (channel, i) => channel === label.channels[i - (Math.floor(i / inner) % length) * inner],
    );
    if (!idle) continue;
    const channels = label.channels.filter((_, i) => Math.floor(i / inner) % length === 0);
    return withoutIdleAxes({ axes: label.axes.filter((other) => other !== axis), channels }, shape);
  }
  return label;
}

const permute: PruningRule<{ readonly order: readonly number[] }> = (walk, node) => {
  const label = walk.label(node.inputs[0] as Value);
  const { order } = node.attributes;
  walk.setLabel(node.outputs[0], label && { ...label, axes: label.axes.map((axis) => order.indexOf(axis)) });
};

const concatenate: PruningRule<{ readonly axis: number }> = (walk, node) => {
  const { axis } = node.attributes;
  const labels = node.inputs.map((input) => walk.label(input));
  if (labels.every((label) => label?.axes.join() === `${axis}`)) {
    return walk.setLabel(node.outputs[0], { axes: [axis], channels: labels.flatMap((label) => label?.channels ?? []) });
  }
  const first = labels.find((label) => label);
  if (!first) return;
  if (first.axes.includes(axis)) {
    for (const label of labels) walk.fix(label);
    return;
  }
  // Along another axis the parts have the same channels; a weight among the parts has a slice for
  // each.
  node.inputs.forEach((input, i) => {
    labels[i]?.channels.forEach((channel, at) => {
      walk.tie(channel, first.channels[at] ?? 0);
    });
    if (!labels[i] && first.axes.length === 1)
      walk.attachAxis(input, weightAxis(input, first.axes[0] as number), first.channels);
  });
  walk.setLabel(node.outputs[0], first);
};

const slice: PruningRule<Record<'starts' | 'sizes' | 'steps', readonly number[]>> = (walk, node) => {
  const label = walk.label(node.inputs[0] as Value);
  const { starts, sizes, steps } = node.attributes;
  const [axis] = label?.axes ?? [];
  if (!label || axis === undefined) return;
  if (label.axes.length > 1) return walk.fix(label);
  const channels = Array.from(
    { length: sizes[axis] as number },
    (_, i) => label.channels[(starts[axis] as number) + i * (steps[axis] as number)] as number,
  );
  walk.setLabel(node.outputs[0], { axes: [axis], channels });
};

/** Keeps channels along other axes than those that the operation reduces or cuts. */
function passingAlong<A>(axesOf: (attributes: A) => readonly number[]): PruningRule<A> {
  return (walk, node) => {
    const label = walk.label(node.inputs[0] as Value);
    const axes = axesOf(node.attributes);
    if (label?.axes.some((axis) => axes.includes(axis))) walk.fix(label);
    else walk.setLabel(node.outputs[0], label);
  };
}

const broadcast: PruningRule = (walk, node) => {
  const [x] = node.inputs as [Value];
  const label = walk.label(x);
  const added = (node.outputs[0] as Value).shape.length - x.shape.length;
  walk.setLabel(node.outputs[0], label && { ...label, axes: label.axes.map((axis) => axis + added) });
};

export const layoutRules: readonly PruningEntry[] = [
  follows(reshapeOp, reshape),
  follows(permuteOp, permute),
  follows(concatenateOp, concatenate),
  follows(sliceOp, slice),
  follows(
    rowsOp,
    passingAlong(() => [0]),
  ),
  follows(
    padOp,
    passingAlong(({ before, after }) => [...before.keys()].filter((axis) => before[axis] || after[axis])),
  ),
  follows(
    sumOp,
    passingAlong(({ axes }) => axes),
  ),
  follows(broadcastOp, broadcast),
];
