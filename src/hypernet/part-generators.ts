// Weight generation in parts (chunks or components): one output layer shared by all parts, which
// are distinguished by an embedding in their tokens.

import { Embedding, Linear } from '../nn/index.js';
import { broadcastTo, concatenate, type Random, reshape, sizeOf, slice, type Tensor, tensor } from '../tensor/index.js';
import {
  type Generator,
  type Grouping,
  groupsOf,
  type OutputLayer,
  requireSameLayout,
  type Strategy,
  sizeOfGroup,
} from './generator.js';
import type { Layout, LayoutEntry } from './layout.js';

/** A range of the flat weight vector that is generated from one token. */
interface Part {
  readonly size: number;
  readonly entries: readonly LayoutEntry[];
}

/**
 * One output layer shared by all parts, which are distinguished by learnt embeddings initialised
 * from N(0, 1): h·s + s + K·e parameters for K parts of at most s weights. Surplus outputs of
 * smaller parts are dropped.
 */
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
    requireSameLayout(this.#layout, layout);
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

/** Every condition [B, d] concatenated with every embedding [K, e]: [B, K, d + e]. */
export function tokensWith(condition: Tensor, embeddings: Tensor): Tensor {
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

/** The first sizes[k] outputs of each part k, [B, K, s] → concatenated [B, Σ sizes]. */
export function cutParts(made: Tensor, sizes: readonly number[]): Tensor {
  const [batch, count, longest] = made.shape as [number, number, number];
  const total = sizes.reduce((a, b) => a + b, 0);
  // Only the last part is shorter: one slice suffices.
  if (sizes.slice(0, -1).every((size) => size === longest))
    return slice(reshape(made, [batch, count * longest]), null, [0, total]);
  return concatenate(
    sizes.map((size, k) => reshape(slice(made, null, [k, k + 1], [0, size]), [batch, size])),
    1,
  );
}

/**
 * Generates the flat weight vector in chunks of `size` weights, regardless of tensor boundaries,
 * with one shared output layer.
 *
 * @param embeddingSize dimension of the chunk embeddings; default 8
 * @throws RangeError unless the size is a positive integer
 */
export function chunks(size: number, embeddingSize = 8): Strategy {
  requireSize('chunks', size);
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

function requireSize(strategy: string, size: number): void {
  if (!(Number.isInteger(size) && size >= 1))
    throw new RangeError(`${strategy}: the size must be a positive integer, got ${size}`);
}

/**
 * Generates one component at a time with one shared output layer: a layer, a tensor, or a filter (a
 * row of a tensor's first axis).
 *
 * @param embeddingSize dimension of the component embeddings; default 8
 */
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

/**
 * Dimension of the descriptor of a chunk: relative depth of its tensor, relative position in the
 * tensor, log₂ of fan-out and of fan-in (each /8), and a one-hot code of matrix or vector.
 */
const DESCRIPTION = 6;

/**
 * Chunks whose embedding is computed from a descriptor, so that weights for targets of other shapes
 * can be generated.
 */
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

/**
 * Chunks with embeddings computed from their descriptors, for targets that vary: `generate` accepts
 * the shapes of another target.
 *
 * @param size weights in a chunk; default 64
 * @param embeddingSize dimension of the chunk embeddings; default 8
 * @throws RangeError unless the size is a positive integer
 */
export function described(size = 64, embeddingSize = 8): Strategy {
  requireSize('described', size);
  return {
    embeddingSize,
    create: (layout, features, random) => new DescribedGenerator(layout, size, embeddingSize, features, random),
  };
}
