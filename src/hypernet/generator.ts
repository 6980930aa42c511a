// Weight generation strategies: all N weights at once, by heads, or by different strategies for
// different weights; chunks and components are in part-generators.ts.
//
// A strategy is chosen before the width of the trunk is known: it appends an embedding of
// `embeddingSize` dimensions to each token that enters the trunk, and `create` builds the output
// layers behind the trunk.

import { Linear } from '../nn/index.js';
import { concatenate, formatShape, type Random, reshape, slice, type Tensor, zeros } from '../tensor/index.js';
import { Layout, type LayoutEntry } from './layout.js';

/**
 * Rows [from, to) of an output layer and the weights that they generate: several where parts share
 * the layer.
 */
export interface OutputBlock {
  readonly from: number;
  readonly to: number;
  readonly entries: readonly LayoutEntry[];
}

/** An output layer of a generator and the weights that its rows generate. */
export interface OutputLayer {
  readonly layer: Linear;
  readonly blocks: readonly OutputBlock[];
}

/** The output layers of a hypernetwork: features → weights. */
export interface Generator {
  /**
   * Conditions [B, d] → tokens [B, K, d + e], one for each of K parts.
   *
   * @param layout of another target, for generators that support it
   * @throws Error when the generator does not support the given layout
   */
  tokens(condition: Tensor, layout?: Layout): Tensor;
  /** Features [B, K, h] → weights by name, each [B, …shape]. */
  weights(features: Tensor, layout?: Layout): Record<string, Tensor>;
  /** The output layers, for their initialisation. */
  outputs(): readonly OutputLayer[];
}

/** How weights are generated: the factory of a `Generator`. */
export interface Strategy {
  /** e: dimension of the part embedding that is appended to each token. */
  readonly embeddingSize: number;
  /** Builds the output layers for a target's layout and the feature width h of the trunk. */
  create(layout: Layout, features: number, random: Random): Generator;
}

/** The condition as a single token: [B, d] → [B, 1, d]. */
function single(condition: Tensor): Tensor {
  return reshape(condition, [condition.shape[0] as number, 1, -1]);
}

/** @throws Error when a generator for one target is given the layout of another */
export function requireSameLayout(expected: Layout, given: Layout | undefined): void {
  if (given && given !== expected)
    throw new Error('hypernet: this generator makes weights of one target; use described() for targets that vary');
}

/** One output layer for all N weights: h·N + N parameters. */
class OnceGenerator implements Generator {
  readonly out: Linear;
  readonly #layout: Layout;

  constructor(layout: Layout, features: number, random: Random) {
    this.#layout = layout;
    this.out = new Linear(features, layout.size, random);
  }

  tokens(condition: Tensor, layout?: Layout): Tensor {
    requireSameLayout(this.#layout, layout);
    return single(condition);
  }

  weights(features: Tensor): Record<string, Tensor> {
    const flat = this.out.forward(features);
    return this.#layout.unpack(reshape(flat, [features.shape[0] as number, this.#layout.size]));
  }

  outputs(): OutputLayer[] {
    return [{ layer: this.out, blocks: blocksOf(this.#layout.entries) }];
  }
}

/** Consecutive entries as blocks of rows, counted from the first entry. */
function blocksOf(entries: readonly LayoutEntry[]): OutputBlock[] {
  const first = entries[0]?.offset ?? 0;
  return entries.map((entry) => ({
    from: entry.offset - first,
    to: entry.offset - first + entry.size,
    entries: [entry],
  }));
}

/** Generates all N weights with one output layer: h·N + N parameters. */
export const once = (): Strategy => ({
  embeddingSize: 0,
  create: (layout, features, random) => new OnceGenerator(layout, features, random),
});

/**
 * Which tensors form a group: each tensor by itself, or all tensors of a layer (equal names up to
 * the last field).
 */
export type Grouping = 'tensor' | 'layer';

/** The entries of a layout in groups, in order. */
export function groupsOf({ entries }: Layout, by: Grouping): LayoutEntry[][] {
  const groups: LayoutEntry[][] = [];
  let last: string | undefined;
  for (const entry of entries) {
    const key = by === 'tensor' ? entry.name : entry.name.replace(/\.?[^.]*$/, '');
    if (key === last) groups.at(-1)?.push(entry);
    else groups.push([entry]);
    last = key;
  }
  return groups;
}

/** Number of weights of a group. */
export const sizeOfGroup = (group: readonly LayoutEntry[]) => group.reduce((total, { size }) => total + size, 0);

/** An output layer (head) for each group of weights, all on the same features. */
class HeadsGenerator implements Generator {
  readonly heads: readonly Linear[];
  readonly #layout: Layout;
  readonly #groups: LayoutEntry[][];

  constructor(layout: Layout, by: Grouping | number, features: number, random: Random) {
    this.#layout = layout;
    this.#groups = typeof by === 'number' ? evenGroups(layout, by) : groupsOf(layout, by);
    this.heads = this.#groups.map((group, i) => new Linear(features, sizeOfGroup(group), random.split(i)));
  }

  tokens(condition: Tensor, layout?: Layout): Tensor {
    requireSameLayout(this.#layout, layout);
    return single(condition);
  }

  weights(features: Tensor): Record<string, Tensor> {
    const [batch, , size] = features.shape as [number, number, number];
    const flat = reshape(features, [batch, size]);
    return this.#layout.unpack(
      concatenate(
        this.heads.map((head) => head.forward(flat)),
        1,
      ),
    );
  }

  outputs(): OutputLayer[] {
    return this.heads.map((layer, i) => ({ layer, blocks: blocksOf(this.#groups[i] as LayoutEntry[]) }));
  }
}

/** `count` groups of about equal size, divided between tensors. */
function evenGroups(layout: Layout, count: number): LayoutEntry[][] {
  if (!(Number.isInteger(count) && count >= 1)) throw new RangeError(`heads: expected at least one, got ${count}`);
  const groups: LayoutEntry[][] = [];
  for (const entry of layout.entries) {
    const at = Math.min(count - 1, Math.floor((entry.offset * count) / layout.size));
    const group = groups[at];
    if (group) group.push(entry);
    else groups[at] = [entry];
  }
  return groups.filter((group) => group !== undefined);
}

/**
 * Generates each group of weights with a head of its own: h·N + N parameters in all.
 *
 * @param by one head for each tensor or layer, or a number of heads of about equal size
 */
export const heads = (by: Grouping | number = 'tensor'): Strategy => ({
  embeddingSize: 0,
  create: (layout, features, random) => new HeadsGenerator(layout, by, features, random),
});

/** A strategy for some of the weights, see `mixed`. */
export interface Rule {
  /** Names of the weights that the strategy generates; the first matching rule wins. */
  readonly names: RegExp;
  /** How these weights are generated. */
  readonly strategy: Strategy;
}

/** Different strategies for different weights, on one trunk. */
class MixedGenerator implements Generator {
  readonly generators: readonly Generator[];
  readonly #layout: Layout;
  readonly #width: number;
  #counts: number[] = [];

  constructor(layout: Layout, rules: readonly Rule[], width: number, features: number, random: Random) {
    this.#layout = layout;
    this.#width = width;
    const ruleOf = (name: string) => rules.findIndex(({ names }) => names.test(name));
    const orphan = layout.entries.find(({ name }) => ruleOf(name) < 0);
    if (orphan) throw new Error(`mixed: no rule fits the weight "${orphan.name}"`);
    this.generators = rules.flatMap(({ strategy }, i) => {
      const entries = layout.entries.filter(({ name }) => ruleOf(name) === i);
      if (entries.length === 0) return [];
      const shapes = Object.fromEntries(entries.map(({ name, shape }) => [name, shape]));
      return [strategy.create(new Layout(shapes), features, random.split(i))];
    });
  }

  tokens(condition: Tensor, layout?: Layout): Tensor {
    requireSameLayout(this.#layout, layout);
    const size = (condition.shape[1] as number) + this.#width;
    const tokens = this.generators.map((generator) => {
      const made = generator.tokens(condition);
      const [batch, count, width] = made.shape as [number, number, number];
      return width === size ? made : concatenate([made, zeros([batch, count, size - width])], 2);
    });
    this.#counts = tokens.map(({ shape }) => shape[1] as number);
    return concatenate(tokens, 1);
  }

  weights(features: Tensor): Record<string, Tensor> {
    if (this.#counts.reduce((a, b) => a + b, 0) !== features.shape[1])
      throw new Error(`mixed: features of other tokens: ${formatShape(features.shape)}`);
    let at = 0;
    const made = Object.assign(
      {},
      ...this.generators.map((generator, i) => {
        const from = at;
        at += this.#counts[i] as number;
        return generator.weights(slice(features, null, [from, at]));
      }),
    );
    return Object.fromEntries(this.#layout.entries.map(({ name }) => [name, made[name]]));
  }

  outputs(): OutputLayer[] {
    return this.generators.flatMap((generator) => generator.outputs());
  }
}

/**
 * Generates different weights with different strategies on one trunk; shorter tokens are padded
 * with zeros.
 *
 * `create` throws an Error naming a weight that no rule matches.
 */
export function mixed(rules: readonly Rule[]): Strategy {
  const embeddingSize = Math.max(0, ...rules.map(({ strategy }) => strategy.embeddingSize));
  return {
    embeddingSize,
    create: (layout, features, random) => new MixedGenerator(layout, rules, embeddingSize, features, random),
  };
}
