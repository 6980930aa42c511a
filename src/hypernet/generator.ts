// How features become weights: N numbers at once, head by head, component by component, or in equal chunks.
//
// A strategy is chosen before the trunk's width is known: `embeddingSize` numbers are added to each token that the trunk reads, and `create` makes the layers behind it.

import { Embedding, Linear } from '../nn/index.js';
import {
  broadcastTo,
  concatenate,
  formatShape,
  type Random,
  reshape,
  sizeOf,
  slice,
  type Tensor,
  tensor,
  zeros,
} from '../tensor/index.js';
import { Layout, type LayoutEntry } from './layout.js';

/** Rows [from, to) of an output layer, and the weights that they make: several where parts share the layer. */
export interface OutputBlock {
  readonly from: number;
  readonly to: number;
  readonly entries: readonly LayoutEntry[];
}

export interface OutputLayer {
  readonly layer: Linear;
  readonly blocks: readonly OutputBlock[];
}

export interface Generator {
  /** Conditions [B, d] → tokens [B, K, d + e]. @param layout of another target, for generators that can */
  tokens(condition: Tensor, layout?: Layout): Tensor;
  /** Features [B, K, h] → weights, each [B, …shape]. */
  weights(features: Tensor, layout?: Layout): Record<string, Tensor>;
  /** What initialisation works on. */
  outputs(): readonly OutputLayer[];
}

export interface Strategy {
  /** e: numbers added to each token. */
  readonly embeddingSize: number;
  create(layout: Layout, features: number, random: Random): Generator;
}

/** One token for everything: the condition itself. */
function single(condition: Tensor): Tensor {
  return reshape(condition, [condition.shape[0] as number, 1, -1]);
}

function requireOwn(own: Layout, given: Layout | undefined): void {
  if (given && given !== own)
    throw new Error('hypernet: this generator makes weights of one target; use described() for targets that vary');
}

/** A matrix of features → all N weights: h·N + N parameters. */
class OnceGenerator implements Generator {
  readonly out: Linear;
  readonly #layout: Layout;

  constructor(layout: Layout, features: number, random: Random) {
    this.#layout = layout;
    this.out = new Linear(features, layout.size, random);
  }

  tokens(condition: Tensor, layout?: Layout): Tensor {
    requireOwn(this.#layout, layout);
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

function blocksOf(entries: readonly LayoutEntry[]): OutputBlock[] {
  const first = entries[0]?.offset ?? 0;
  return entries.map((entry) => ({
    from: entry.offset - first,
    to: entry.offset - first + entry.size,
    entries: [entry],
  }));
}

export const once = (): Strategy => ({
  embeddingSize: 0,
  create: (layout, features, random) => new OnceGenerator(layout, features, random),
});

/** What belongs together: single tensors, or the tensors of a layer (names alike but for the last field). */
export type Grouping = 'tensor' | 'layer';

function groupsOf({ entries }: Layout, by: Grouping): LayoutEntry[][] {
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

const sizeOfGroup = (group: readonly LayoutEntry[]) => group.reduce((total, { size }) => total + size, 0);

/** A matrix for each group of weights over the same features. */
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
    requireOwn(this.#layout, layout);
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

/** So many groups of about equal size, cut between tensors. */
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

/** @param by a head a tensor, a layer, or so many heads of about equal size */
export const heads = (by: Grouping | number = 'tensor'): Strategy => ({
  embeddingSize: 0,
  create: (layout, features, random) => new HeadsGenerator(layout, by, features, random),
});

/** A stretch of the vector of weights that one token makes. */
interface Part {
  readonly size: number;
  readonly entries: readonly LayoutEntry[];
}

/** One matrix for all parts, told apart by learnt embeddings from N(0, 1): h·s + s + K·e parameters for parts of at most s numbers. Surplus of smaller parts is cut off. */
class PartsGenerator implements Generator {
  readonly embedding: Embedding;
  readonly out: Linear;
  readonly #layout: Layout;
  readonly #parts: readonly Part[];

  constructor(layout: Layout, parts: readonly Part[], embeddingSize: number, features: number, random: Random) {
    this.#layout = layout;
    this.#parts = parts;
    this.embedding = new Embedding(parts.length, embeddingSize, random.split('embedding'));
    this.out = new Linear(features, Math.max(...parts.map(({ size }) => size)), random.split('out'));
  }

  tokens(condition: Tensor, layout?: Layout): Tensor {
    requireOwn(this.#layout, layout);
    return tokensWith(condition, this.embedding.weight);
  }

  weights(features: Tensor): Record<string, Tensor> {
    return this.#layout.unpack(
      cutParts(
        this.out.forward(features),
        this.#parts.map(({ size }) => size),
      ),
    );
  }

  outputs(): OutputLayer[] {
    const entries = this.#parts.flatMap((part) => part.entries);
    return [{ layer: this.out, blocks: [{ from: 0, to: this.out.outFeatures, entries: [...new Set(entries)] }] }];
  }
}

/** Every condition [B, d] with every embedding [K, e]: [B, K, d + e]. */
function tokensWith(condition: Tensor, embeddings: Tensor): Tensor {
  const [batch, size] = condition.shape as [number, number];
  const [count, width] = embeddings.shape as [number, number];
  return concatenate(
    [
      broadcastTo(reshape(condition, [batch, 1, size]), [batch, count, size]),
      broadcastTo(reshape(embeddings, [1, count, width]), [batch, count, width]),
    ],
    2,
  );
}

/** The first numbers of each part [B, K, s], one part after another: [B, Σ sizes]. */
function cutParts(made: Tensor, sizes: readonly number[]): Tensor {
  const [batch, count, longest] = made.shape as [number, number, number];
  const total = sizes.reduce((a, b) => a + b, 0);
  // Only the last may be shorter: one cut does.
  if (sizes.slice(0, -1).every((size) => size === longest))
    return slice(reshape(made, [batch, count * longest]), null, [0, total]);
  return concatenate(
    sizes.map((size, k) => reshape(slice(made, null, [k, k + 1], [0, size]), [batch, size])),
    1,
  );
}

/** Chunks of `size` numbers, whatever weights they hold. @throws RangeError unless the size is positive */
export function chunks(size: number, embeddingSize = 8): Strategy {
  if (!(Number.isInteger(size) && size >= 1))
    throw new RangeError(`chunks: the size must be a positive integer, got ${size}`);
  return {
    embeddingSize,
    create(layout, features, random) {
      const parts = Array.from({ length: Math.ceil(layout.size / size) }, (_, k): Part => {
        const [from, to] = [k * size, Math.min(layout.size, (k + 1) * size)];
        const entries = layout.entries.filter((entry) => entry.offset < to && entry.offset + entry.size > from);
        return { size: to - from, entries };
      });
      return new PartsGenerator(layout, parts, embeddingSize, features, random);
    },
  };
}

/** A component a layer, a tensor, or a filter (a row of a tensor's first axis). */
export const components = (by: Grouping | 'filter' = 'layer', embeddingSize = 8): Strategy => ({
  embeddingSize,
  create(layout, features, random) {
    const parts: Part[] =
      by === 'filter'
        ? layout.entries.flatMap((entry) => {
            const rows = entry.shape.length > 1 ? (entry.shape[0] as number) : 1;
            return Array.from({ length: rows }, () => ({ size: entry.size / rows, entries: [entry] }));
          })
        : groupsOf(layout, by).map((group) => ({ size: sizeOfGroup(group), entries: group }));
    return new PartsGenerator(layout, parts, embeddingSize, features, random);
  },
});

/** Numbers that describe a chunk of a tensor: depth of its layer, place in the tensor, logarithms of fan-out and of fan-in, whether it is a weight or a vector. */
const DESCRIPTION = 6;

/** Chunks whose embedding follows from what they are, so that targets of other shapes can be asked for. */
class DescribedGenerator implements Generator {
  readonly describe: Linear;
  readonly out: Linear;
  readonly #layout: Layout;
  readonly #size: number;

  constructor(layout: Layout, size: number, embeddingSize: number, features: number, random: Random) {
    this.#layout = layout;
    this.#size = size;
    this.describe = new Linear(DESCRIPTION, embeddingSize, random.split('describe'));
    this.out = new Linear(features, size, random.split('out'));
  }

  #descriptions({ entries }: Layout): Tensor {
    const rows = entries.flatMap((entry, depth) => {
      const [out = 1, ...inner] = entry.shape;
      const count = Math.ceil(entry.size / this.#size);
      const matrix = Number(entry.shape.length > 1);
      return Array.from({ length: count }, (_, k) => [
        entries.length > 1 ? depth / (entries.length - 1) : 0,
        count > 1 ? k / (count - 1) : 0,
        Math.log2(out) / 8,
        Math.log2(Math.max(1, sizeOf(inner))) / 8,
        matrix,
        1 - matrix,
      ]);
    });
    return tensor(rows);
  }

  tokens(condition: Tensor, layout = this.#layout): Tensor {
    return tokensWith(condition, this.describe.forward(this.#descriptions(layout)));
  }

  weights(features: Tensor, layout = this.#layout): Record<string, Tensor> {
    const made = this.out.forward(features);
    const sizes = layout.entries.flatMap(({ size }) =>
      Array.from({ length: Math.ceil(size / this.#size) }, (_, k) => Math.min(this.#size, size - k * this.#size)),
    );
    return layout.unpack(cutParts(made, sizes));
  }

  outputs(): OutputLayer[] {
    return [{ layer: this.out, blocks: [{ from: 0, to: this.#size, entries: this.#layout.entries }] }];
  }
}

/** For targets that vary: `generate` takes the shapes of another one. */
export const described = (size = 64, embeddingSize = 8): Strategy => ({
  embeddingSize,
  create: (layout, features, random) => new DescribedGenerator(layout, size, embeddingSize, features, random),
});

export interface Rule {
  /** Names that the strategy serves; the first rule that fits wins. */
  readonly names: RegExp;
  readonly strategy: Strategy;
}

/** Strategies by name of the weight. */
class MixedGenerator implements Generator {
  readonly generators: readonly Generator[];
  readonly #layout: Layout;
  readonly #width: number;
  #counts: number[] = [];

  constructor(layout: Layout, rules: readonly Rule[], width: number, features: number, random: Random) {
    this.#layout = layout;
    this.#width = width;
    const of = (name: string) => rules.findIndex(({ names }) => names.test(name));
    const orphan = layout.entries.find(({ name }) => of(name) < 0);
    if (orphan) throw new Error(`mixed: no rule fits the weight "${orphan.name}"`);
    this.generators = rules.flatMap(({ strategy }, i) => {
      const own = layout.entries.filter(({ name }) => of(name) === i);
      if (own.length === 0) return [];
      const shapes = Object.fromEntries(own.map(({ name, shape }) => [name, shape]));
      return [strategy.create(new Layout(shapes), features, random.split(i))];
    });
  }

  tokens(condition: Tensor, layout?: Layout): Tensor {
    requireOwn(this.#layout, layout);
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

export function mixed(rules: readonly Rule[]): Strategy {
  const embeddingSize = Math.max(0, ...rules.map(({ strategy }) => strategy.embeddingSize));
  return {
    embeddingSize,
    create: (layout, features, random) => new MixedGenerator(layout, rules, embeddingSize, features, random),
  };
}
