// Channels of a graph's values, and which slices of weights belong to each: what the pruning rules
// read and write.

import type { Op } from '../../tensor/index.js';
import type { GraphNode, Value } from '../graph.js';

/** A slice of a weight: index along one of its axes. */
export interface ChannelSlice {
  /** Name of the weight. */
  readonly weight: string;
  /** Axis of the weight that holds channels. */
  readonly axis: number;
  /** Position along the axis. */
  readonly index: number;
}

/**
 * Which channel each position of a value belongs to, along some of its axes (row-major in their
 * order).
 */
export interface Label {
  readonly axes: readonly number[];
  readonly channels: readonly number[];
  /** The reshape that spread the channels over several axes. */
  readonly spreadBy?: string | undefined;
}

/**
 * Disjoint sets of channels that must go together. Channel 0 stands for all that cannot be removed.
 */
class Channels {
  readonly #parent = [0];
  readonly #slices: ChannelSlice[][] = [[]];
  /** What fixed a channel, by channel. */
  readonly #reasons = new Map<number, string>();

  create(count: number): number[] {
    return Array.from({ length: count }, () => {
      this.#parent.push(this.#parent.length);
      this.#slices.push([]);
      return this.#parent.length - 1;
    });
  }

  #find(channel: number): number {
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
    const [p, q] = [this.#find(a), this.#find(b)];
    // The smaller root wins, so that 0 stays a root.
    this.#parent[Math.max(p, q)] = Math.min(p, q);
  }

  fix(channel: number, reason: string): void {
    const root = this.#find(channel);
    // Channels tied later share the reason of the first that was fixed.
    if (root !== 0) this.#reasons.set(root, this.#reasons.get(root) ?? reason);
  }

  attach(channel: number, slice: ChannelSlice): void {
    this.#slices[channel]?.push(slice);
  }

  #setsByRoot(): Map<number, ChannelSlice[]> {
    const found = new Map<number, ChannelSlice[]>();
    this.#slices.forEach((slices, channel) => {
      const root = this.#find(channel);
      const own = found.get(root) ?? [];
      found.set(root, own);
      own.push(...slices);
    });
    return found;
  }

  /** What fixed each root that is not free. */
  #fixedRoots(): Map<number, string> {
    const roots = new Map([[0, 'an operation without channels']]);
    for (const [channel, reason] of this.#reasons) {
      const root = this.#find(channel);
      if (!roots.has(root)) roots.set(root, reason);
    }
    return roots;
  }

  /** The slices of each set that can be removed. */
  sets(): ChannelSlice[][] {
    const fixed = this.#fixedRoots();
    return [...this.#setsByRoot()].filter(([root, { length }]) => length > 0 && !fixed.has(root)).map(([, own]) => own);
  }

  /** The slices of sets that must stay, and why. */
  fixedSets(): { readonly slices: readonly ChannelSlice[]; readonly reason: string }[] {
    const sets = this.#setsByRoot();
    return [...this.#fixedRoots()].map(([root, reason]) => ({ slices: sets.get(root) ?? [], reason }));
  }
}

/**
 * The state of a walk over a graph: the labels of its values so far, and the sets of their
 * channels.
 */
export class ChannelWalk {
  readonly #channels = new Channels();
  readonly #labels = new Map<Value, Label>();
  /** The channel that each slice of a weight belongs to: of a weight used twice, the first. */
  readonly #owners = new Map<string, number>();
  #at = '';

  /** Says where the walk is, for the reasons of what is fixed there. */
  visit(where: string): void {
    this.#at = where;
  }

  label(value: Value): Label | undefined {
    return this.#labels.get(value);
  }

  setLabel(value: Value | undefined, label: Label | undefined): void {
    if (value && label) this.#labels.set(value, label);
  }

  /** Channels that begin here. */
  create(count: number): number[] {
    return this.#channels.create(count);
  }

  /** Makes two channels go together. */
  tie(a: number, b: number): void {
    this.#channels.tie(a, b);
  }

  /** Keeps the channels of a label from being removed. */
  fix(label: Label | undefined): void {
    for (const channel of label?.channels ?? []) this.#channels.fix(channel, label?.spreadBy ?? this.#at);
  }

  /** Ties a slice of a weight to a channel, and channels of the same slice to each other. */
  attach(channel: number, slice: ChannelSlice): void {
    const key = `${slice.weight}:${slice.axis}:${slice.index}`;
    const owner = this.#owners.get(key);
    if (owner === undefined) this.#owners.set(key, channel);
    else if (owner !== channel) this.#channels.tie(owner, channel);
    this.#channels.attach(channel, slice);
  }

  /** Ties the slices along a weight's axis to the channels, where the value is a named weight. */
  attachAxis(value: Value | undefined, axis: number, channels: readonly number[]): void {
    for (const weight of value?.origins ?? [])
      channels.forEach((channel, index) => {
        this.attach(channel, { weight, axis, index });
      });
  }

  /** The channels along one axis; a label with other axes is fixed and not followed further. */
  channelsAlong(value: Value, axis: number): readonly number[] | undefined {
    const label = this.label(value);
    if (!label) return undefined;
    if (label.axes.length === 1 && label.axes[0] === axis) return label.channels;
    this.fix(label);
    return undefined;
  }

  /** The slices of each set of channels that can be removed. */
  sets(): ChannelSlice[][] {
    return this.#channels.sets();
  }

  /** The slices of channels that must stay where they are, and what keeps them. */
  fixedSets(): ReturnType<Channels['fixedSets']> {
    return this.#channels.fixedSets();
  }
}

/** How an operation passes the channels of its inputs on to its outputs. */
export type PruningRule<A = unknown> = (walk: ChannelWalk, node: GraphNode<A>) => void;

/** A rule with the record of its operation, as an entry of a table. */
export type PruningEntry = readonly [Op<unknown>, PruningRule];

/** Pairs a record with its rule, whose attributes it types. */
export function follows<A>(op: Op<A>, rule: PruningRule<NoInfer<A>>): PruningEntry {
  return [op as Op<unknown>, rule as PruningRule];
}
