// What networks on heterogeneous graphs share: their interface, and the layer that brings the nodes
// of all types to one width.

import {
  dropFeatures,
  type Features,
  featureCount,
  Linear,
  type Mode,
  parameter,
  xavierUniform,
} from '../../nn/index.js';
import type { HeteroGraph } from '../../structure/index.js';
import { type Random, relu, type Tensor } from '../../tensor/index.js';

/** Features [n, d] of each type of nodes; a type without features is left out. */
export type TypedFeatures = ReadonlyMap<string, Features>;

/** Values [n, d] of each type of nodes that has any. */
export type TypedTensors = ReadonlyMap<string, Tensor>;

/** A network that classifies the nodes of one type of a heterogeneous graph. */
export interface HeteroModule {
  /**
   * Logits [n, classes] of the nodes of the target type.
   *
   * @param mode training (with the random stream of dropout) or inference
   */
  forward(x: TypedFeatures, graph: HeteroGraph, mode: Mode): Tensor;
}

/** What a network on a heterogeneous graph is built for. */
export interface HeteroTask {
  /** Graph of training, whose types and relations the network knows. */
  readonly graph: HeteroGraph;
  /** Features of its types. */
  readonly features: TypedFeatures;
  /** Type of the nodes that are classified. */
  readonly target: string;
  /** Number of classes. */
  readonly classes: number;
}

/** Layout of a network on a heterogeneous graph. */
export interface HeteroStackOptions {
  /** Number of layers. Default: 2. */
  readonly layers?: number;
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Dropout probability of the features and of the input of each layer. Default: 0.5. */
  readonly dropout?: number;
}

/**
 * ReLU(x_τ·W_τ + b_τ) with weights of each type τ; a type without features has a learned vector for
 * each node.
 */
export class TypedInput {
  /** W_τ and b_τ of the types with features. */
  readonly linear: Readonly<Record<string, Linear>>;
  /** Vectors [n, hidden] of the types without. */
  readonly embedding: Record<string, Tensor>;
  readonly #dropout: number;

  constructor(
    { graph, features }: Pick<HeteroTask, 'graph' | 'features'>,
    hidden: number,
    random: Random,
    { dropout = 0.5 }: { readonly dropout?: number } = {},
  ) {
    const [known, unknown] = [true, false].map((given) =>
      graph.types.filter((type) => features.has(type) === given),
    ) as [string[], string[]];
    this.linear = Object.fromEntries(
      known.map((type) => {
        const width = featureCount(features.get(type) as Features);
        return [type, new Linear(width, hidden, random.split(type), { init: 'xavier' })];
      }),
    );
    this.embedding = Object.fromEntries(
      unknown.map((type) => [type, parameter(xavierUniform(random.split(type), [graph.countOf(type), hidden]))]),
    );
    this.#dropout = dropout;
  }

  /**
   * @param types those to compute
   * @returns [n, hidden] of each
   * @throws Error where the graph has other nodes of a type with learned vectors than in training
   */
  forward(x: TypedFeatures, graph: HeteroGraph, types: Iterable<string>, mode: Mode): Map<string, Tensor> {
    return new Map(
      Array.from(types, (type): [string, Tensor] => {
        const linear = Object.hasOwn(this.linear, type) ? this.linear[type] : undefined;
        if (linear) {
          const features = x.get(type);
          if (!features)
            throw new Error(`nodes of type "${type}" have no features; the network reads ${linear.inFeatures}`);
          return [type, relu(linear.forward(dropFeatures(features, this.#dropout, mode)))];
        }
        const own = Object.hasOwn(this.embedding, type) ? this.embedding[type] : undefined;
        if (own?.shape[0] !== graph.countOf(type))
          throw new Error(`nodes of type "${type}" have learned vectors, which new nodes lack`);
        return [type, own];
      }),
    );
  }
}

/**
 * The types whose values layer by layer lead to those of `target`: of the input first, of the last
 * layer's output last.
 */
export function typesNeeded(graph: HeteroGraph, target: string, layers: number): Set<string>[] {
  const needed = [new Set([target])];
  for (let l = 0; l < layers; l++) {
    const [after] = needed as [Set<string>];
    const sources = [...after].flatMap((type) => graph.into(type).map(({ source }) => source));
    needed.unshift(new Set([...after, ...sources]));
  }
  return needed;
}
