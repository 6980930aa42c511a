// Dependency groups for structured pruning (Fang et al. 2023): which slices of which weights must go together when one channel goes.
//
// Channels are followed through the graph. Every output channel of a convolution or linear layer begins as a channel of its own; elementwise operations, norms and depthwise convolutions carry it on, additions tie two channels
// together, and a later layer's input slice hangs on the channel it reads. Channels that reach an output, or an operation that is not understood, are fixed.

import type { ConvolutionAttributes, Tensor } from '../tensor/index.js';
import { type Graph, type GraphNode, trace, type Value } from './graph.js';

/** A slice of a weight: index along one of its axes. */
export interface ChannelSlice {
  readonly weight: string;
  readonly axis: number;
  readonly index: number;
}

/** Channels of the same layers: removing one of `channels` means removing all its slices. */
export interface PruningGroup {
  /** The weights that take part, as `name:axis`. */
  readonly members: readonly string[];
  readonly channels: readonly (readonly ChannelSlice[])[];
}

/** Which channel each position of a value belongs to, along some of its axes (row-major in their order). */
interface Label {
  readonly axes: readonly number[];
  readonly channels: readonly number[];
}

/** Sets of channels that must stay together. Channel 0 stands for all that cannot be removed. */
class Channels {
  readonly #parent = [0];
  readonly #slices: ChannelSlice[][] = [[]];

  fresh(count: number): number[] {
    return Array.from({ length: count }, () => {
      this.#parent.push(this.#parent.length);
      this.#slices.push([]);
      return this.#parent.length - 1;
    });
  }

  find(channel: number): number {
    let root = channel;
    while (this.#parent[root] !== root) root = this.#parent[root] as number;
    for (let at = channel; at !== root; ) {
      const next = this.#parent[at] as number;
      this.#parent[at] = root;
      at = next;
    }
    return root;
  }

  tie(a: number, b: number): void {
    const [p, q] = [this.find(a), this.find(b)];
    // The smaller root wins, so that 0 stays a root.
    this.#parent[Math.max(p, q)] = Math.min(p, q);
  }

  fix(label: Label | undefined): void {
    for (const channel of label?.channels ?? []) this.tie(channel, 0);
  }

  hang(channel: number, slice: ChannelSlice): void {
    this.#slices[channel]?.push(slice);
  }

  /** The slices of each set that can be removed. */
  sets(): ChannelSlice[][] {
    const found = new Map<number, ChannelSlice[]>();
    this.#slices.forEach((slices, channel) => {
      const root = this.find(channel);
      if (root !== 0) found.set(root, [...(found.get(root) ?? []), ...slices]);
    });
    return [...found.values()].filter((slices) => slices.length > 0);
  }
}

class Walk {
  readonly channels = new Channels();
  readonly #labels = new Map<Value, Label>();

  labelOf(value: Value): Label | undefined {
    return this.#labels.get(value);
  }

  set(value: Value | undefined, label: Label | undefined): void {
    if (value && label) this.#labels.set(value, label);
  }

  /** Hangs every slice of a weight's axis on the channels, where the value is a single named weight. */
  hangAxis(value: Value | undefined, axis: number, channels: readonly number[]): void {
    for (const weight of value?.origins ?? [])
      channels.forEach((channel, index) => {
        this.channels.hang(channel, { weight, axis, index });
      });
  }

  visit(node: GraphNode): void {
    const rule = rules[node.op.name];
    if (rule) rule(this, node);
    else for (const input of node.inputs) this.channels.fix(this.labelOf(input));
  }
}

/** Channels along one axis alone; others are fixed and forgotten. */
function alongAxis(walk: Walk, value: Value, axis: number): readonly number[] | undefined {
  const label = walk.labelOf(value);
  if (!label) return undefined;
  if (label.axes.length === 1 && label.axes[0] === axis) return label.channels;
  walk.channels.fix(label);
  return undefined;
}

type Rule = (walk: Walk, node: GraphNode) => void;

/** A layer that reads channels by one axis of its weight and makes new ones by axis 0. */
function layer(walk: Walk, node: GraphNode, axis: number): void {
  const [x, weight, bias] = node.inputs as [Value, Value, Value | undefined];
  const read = alongAxis(walk, x, axis);
  if (read) walk.hangAxis(weight, 1, read);
  const made = walk.channels.fresh(weight.shape[0] as number);
  walk.hangAxis(weight, 0, made);
  walk.hangAxis(bias, 0, made);
  walk.set(node.outputs[0], { axes: [axis], channels: made });
}

const convolution: Rule = (walk, node) => {
  const [x, weight, bias] = node.inputs as [Value, Value, Value | undefined];
  const { groups } = node.attributes as ConvolutionAttributes;
  if (groups === 1) return layer(walk, node, 1);
  const filters = weight.shape[0] as number;
  const read = alongAxis(walk, x, 1);
  if (groups === filters && groups === x.shape[1]) {
    const carried = read ?? walk.channels.fresh(filters);
    walk.hangAxis(weight, 0, carried);
    walk.hangAxis(bias, 0, carried);
    return walk.set(node.outputs[0], { axes: [1], channels: carried });
  }
  // The same channel goes in every group, so that the groups stay of one size.
  const made = walk.channels.fresh(filters);
  for (const [channels, size] of [
    [read ?? [], weight.shape[1] as number],
    [made, filters / groups],
  ] as const)
    channels.forEach((channel, i) => {
      walk.channels.tie(channel, channels[i % size] as number);
    });
  (read ?? []).slice(0, weight.shape[1]).forEach((channel, index) => {
    for (const name of weight.origins) walk.channels.hang(channel, { weight: name, axis: 1, index });
  });
  walk.hangAxis(weight, 0, made);
  walk.hangAxis(bias, 0, made);
  walk.set(node.outputs[0], { axes: [1], channels: made });
};

/** Ties the channels of two operands where both have them; a weight of one value a channel hangs on them. */
const elementwise: Rule = (walk, node) => {
  const output = node.outputs[0] as Value;
  const rank = output.shape.length;
  const labels = node.inputs.map((input) => {
    const label = walk.labelOf(input);
    return label && { axes: label.axes.map((axis) => axis + rank - input.shape.length), channels: label.channels };
  });
  const kept = labels.find((label) => label);
  if (!kept) return;
  node.inputs.forEach((input, i) => {
    const other = labels[i];
    if (other === kept) return;
    if (other && other.axes.join() === kept.axes.join() && other.channels.length === kept.channels.length) {
      other.channels.forEach((channel, at) => {
        walk.channels.tie(channel, kept.channels[at] as number);
      });
    } else if (other) {
      walk.channels.fix(other);
      walk.channels.fix(kept);
    } else if (input.kind === 'constant' && input.origins.length && kept.axes.length === 1) {
      const axis = (kept.axes[0] as number) - rank + input.shape.length;
      const length = input.shape[axis] ?? 1;
      if (length === kept.channels.length) walk.hangAxis(input, weightAxis(input, axis), kept.channels);
    } else if (
      input.kind !== 'constant' &&
      input.shape.length === rank &&
      kept.axes.some((axis) => input.shape[axis] !== 1)
    ) {
      walk.channels.fix(kept);
    }
  });
  walk.set(output, kept);
};

/** Of a weight that was reshaped to broadcast over pixels, [channels, 1, 1], the axis of the weight itself is its first. */
function weightAxis(value: Value, axis: number): number {
  return value.shape.slice(axis + 1).some((length) => length > 1) || value.shape.slice(0, axis).length > 0 ? axis : 0;
}

/** Norm weights of one value a channel, along an axis of the first input. */
function normalisation(axisOf: (x: Value) => number): Rule {
  return (walk, node) => {
    const [x, ...weights] = node.inputs as [Value, ...Value[]];
    const channels = alongAxis(walk, x, axisOf(x));
    if (!channels) return;
    for (const weight of weights) if (weight.kind === 'constant') walk.hangAxis(weight, 0, channels);
    walk.set(node.outputs[0], { axes: [axisOf(x)], channels });
  };
}

const carry: Rule = (walk, node) => walk.set(node.outputs[0], walk.labelOf(node.inputs[0] as Value));

/** Matches runs of axes with equal products between two shapes. */
function matchingRuns(from: readonly number[], to: readonly number[]): { from: number[]; to: number[] }[] {
  const runs: { from: number[]; to: number[] }[] = [];
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

const reshape: Rule = (walk, node) => {
  const [x] = node.inputs as [Value];
  const label = walk.labelOf(x);
  const output = node.outputs[0] as Value;
  if (!label) return;
  const run = matchingRuns(x.shape, output.shape).find(({ from }) => label.axes.every((axis) => from.includes(axis)));
  if (!run) return walk.channels.fix(label);
  // The channel of every position of the run: repeated along axes that are no channels.
  const sizes = run.from.map((axis) => x.shape[axis] as number);
  const total = sizes.reduce((a, b) => a * b, 1);
  const channels = Array.from({ length: total }, (_, position) => {
    let rest = position;
    const coordinates = new Map<number, number>();
    for (let i = sizes.length - 1; i >= 0; i--) {
      coordinates.set(run.from[i] as number, rest % (sizes[i] as number));
      rest = Math.floor(rest / (sizes[i] as number));
    }
    const at = label.axes.reduce(
      (index, axis) => index * (x.shape[axis] as number) + (coordinates.get(axis) as number),
      0,
    );
    return label.channels[at] as number;
  });
  walk.set(output, withoutIdleAxes({ axes: run.to, channels }, output.shape));
};

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

const rules: Readonly<Record<string, Rule>> = {
  convolution,
  linear: (walk, node) => layer(walk, node, (node.inputs[0] as Value).shape.length - 1),
  channelAffine: normalisation(() => 1),
  layerNorm: normalisation((x) => x.shape.length - 1),
  add: elementwise,
  subtract: elementwise,
  multiply: elementwise,
  divide: elementwise,
  maximum: elementwise,
  minimum: elementwise,
  reshape,
  permute: (walk, node) => {
    const label = walk.labelOf(node.inputs[0] as Value);
    const { order } = node.attributes as { order: readonly number[] };
    walk.set(
      node.outputs[0],
      label && { axes: label.axes.map((axis) => order.indexOf(axis)), channels: label.channels },
    );
  },
  sum: (walk, node) => {
    const label = walk.labelOf(node.inputs[0] as Value);
    const { axes } = node.attributes as { axes: readonly number[] };
    if (label?.axes.some((axis) => axes.includes(axis))) walk.channels.fix(label);
    else walk.set(node.outputs[0], label);
  },
  concatenate: (walk, node) => {
    const { axis } = node.attributes as { axis: number };
    const labels = node.inputs.map((input) => walk.labelOf(input));
    if (labels.every((label) => label?.axes.join() === `${axis}`)) {
      return walk.set(node.outputs[0], { axes: [axis], channels: labels.flatMap((label) => label?.channels ?? []) });
    }
    const first = labels.find((label) => label);
    if (!first) return;
    if (first.axes.includes(axis)) {
      for (const label of labels) walk.channels.fix(label);
      return;
    }
    // Joined along another axis, the channels are one and the same; a weight among the parts has a slice for each.
    node.inputs.forEach((input, i) => {
      labels[i]?.channels.forEach((channel, at) => {
        walk.channels.tie(channel, first.channels[at] ?? 0);
      });
      if (!labels[i] && first.axes.length === 1)
        walk.hangAxis(input, weightAxis(input, first.axes[0] as number), first.channels);
    });
    walk.set(node.outputs[0], first);
  },
  slice: (walk, node) => {
    const [x] = node.inputs as [Value];
    const label = walk.labelOf(x);
    const { starts, sizes, steps } = node.attributes as Record<'starts' | 'sizes' | 'steps', readonly number[]>;
    const [axis] = label?.axes ?? [];
    if (!label || axis === undefined) return;
    if (label.axes.length > 1) return walk.channels.fix(label);
    const channels = Array.from(
      { length: sizes[axis] as number },
      (_, i) => label.channels[(starts[axis] as number) + i * (steps[axis] as number)] as number,
    );
    walk.set(node.outputs[0], { axes: [axis], channels });
  },
  rows: (walk, node) => {
    const label = walk.labelOf(node.inputs[0] as Value);
    if (label?.axes.includes(0)) walk.channels.fix(label);
    else walk.set(node.outputs[0], label);
  },
  broadcastTo: (walk, node) => {
    const [x] = node.inputs as [Value];
    const label = walk.labelOf(x);
    const shift = (node.outputs[0] as Value).shape.length - x.shape.length;
    walk.set(node.outputs[0], label && { axes: label.axes.map((axis) => axis + shift), channels: label.channels });
  },
  attention: (walk, node) => {
    const [q, k, v] = node.inputs.map((input) => walk.labelOf(input)) as [
      Label | undefined,
      Label | undefined,
      Label | undefined,
    ];
    const ofHeads = [q, k, v].every(
      (label) => label?.axes.length === 2 && label.axes.includes(1) && label.axes.includes(3),
    );
    const [heads, keyHeads] = [
      (node.inputs[0] as Value).shape[1] as number,
      (node.inputs[1] as Value).shape[1] as number,
    ];
    if (!ofHeads || heads !== keyHeads) {
      for (const label of [q, k, v]) walk.channels.fix(label);
      return;
    }
    // A head goes as a whole: all its queries, keys and values.
    for (const label of [q, k, v] as Label[]) {
      const depth = label.channels.length / heads;
      const headFirst = label.axes[0] === 1;
      label.channels.forEach((channel, i) => {
        const head = headFirst ? Math.floor(i / depth) : i % heads;
        walk.channels.tie(
          channel,
          (q as Label).channels[
            head * ((q as Label).axes[0] === 1 ? (q as Label).channels.length / heads : 1)
          ] as number,
        );
      });
    }
    walk.set(node.outputs[0], v);
  },
  ...Object.fromEntries(
    [
      'relu',
      'relu6',
      'silu',
      'sigmoid',
      'tanh',
      'gelu',
      'exp',
      'abs',
      'sqrt',
      'square',
      'affine',
      'leakyRelu',
      'elu',
      'softplus',
      'maxPool',
      'averagePool',
      'resize',
      'stopGradient',
    ].map((name) => [name, carry]),
  ),
};

/** The groups of a captured graph. Layers whose channels reach an output, such as a classifier, have none. */
export function graphDependencies(graph: Graph): PruningGroup[] {
  const walk = new Walk();
  for (const node of graph.nodes) walk.visit(node);
  for (const output of graph.outputs) walk.channels.fix(walk.labelOf(output));
  const groups = new Map<string, { members: string[]; channels: ChannelSlice[][] }>();
  for (const slices of walk.channels.sets()) {
    const unique = [
      ...new Map(slices.map((slice) => [`${slice.weight}:${slice.axis}:${slice.index}`, slice])).values(),
    ];
    const members = [...new Set(unique.map(({ weight, axis }) => `${weight}:${axis}`))].sort();
    const key = members.join();
    const group = groups.get(key) ?? { members, channels: [] };
    group.channels.push(unique);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/**
 * Traces a function of tensors and finds its dependency groups.
 *
 * @example dependencyGroups((x) => model.forward(x, inference), [zeros([1, 3, 32, 32])], parameters(model))
 */
export function dependencyGroups(
  fn: (...inputs: Tensor[]) => unknown,
  examples: readonly Tensor[],
  weights: Readonly<Record<string, Tensor>>,
): PruningGroup[] {
  return trace(fn, examples, weights, graphDependencies);
}
