// R-GCN (Schlichtkrull, Kipf, Bloem, van den Berg, Titov, Welling, "Modeling Relational Data with
// Graph Convolutional Networks", ESWC 2018).

import { dropFeatures, Linear, type Mode } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import type { HeteroGraph, Relation } from '../../structure/index.js';
import { add, type Random, relu, type Tensor } from '../../tensor/index.js';
import {
  type HeteroModule,
  type HeteroStackOptions,
  type HeteroTask,
  type TypedFeatures,
  TypedInput,
  type TypedTensors,
  typesNeeded,
} from './typed.js';

/**
 * h'_v = W₀·h_v + Σ_r W_r·mean_{u ∈ N_r(v)} h_u + b: weights W_r of each relation, reverse ones
 * among them; a node without neighbours in r gets nothing from it.
 */
export class RGCNConv {
  /** W₀ and b. */
  readonly own: Linear;
  /** W_r of each relation, by its key. */
  readonly relations: Readonly<Record<string, Linear>>;

  constructor(inFeatures: number, outFeatures: number, relations: readonly Relation[], random: Random) {
    this.own = new Linear(inFeatures, outFeatures, random.split('own'), { init: 'xavier' });
    this.relations = Object.fromEntries(
      relations.map(({ key }) => [
        key,
        new Linear(inFeatures, outFeatures, random.split(key), { init: 'xavier', bias: false }),
      ]),
    );
  }

  /**
   * @param h [n, in] of each type that is read
   * @param types those to compute
   * @returns [n, out] of each
   * @throws Error for a relation that was not there when the layer was made
   */
  forward(h: TypedTensors, graph: HeteroGraph, types: Iterable<string>): Map<string, Tensor> {
    const valuesOf = (type: string) => h.get(type) as Tensor;
    return new Map(
      Array.from(types, (type): [string, Tensor] => [
        type,
        graph.into(type).reduce(
          (sum, relation) => {
            const linear = this.relations[relation.key];
            if (!linear) throw new Error(`R-GCN: relation "${relation.key}" was not there in training`);
            return add(sum, meanOf(relation, valuesOf(relation.source), linear));
          },
          this.own.forward(valuesOf(type)),
        ),
      ]),
    );
  }
}

/** W·mean_u h_u, transforming the side with fewer rows. */
function meanOf({ mean }: Relation, h: Tensor, linear: Linear): Tensor {
  return mean.rows < mean.columns ? linear.forward(spmm(mean, h)) : spmm(mean, linear.forward(h));
}

/**
 * Features of each type brought to one width, then convolutions with dropout before each and ReLU
 * between them; the last gives the logits.
 */
export class RGCN implements HeteroModule {
  /** Weights of the features of each type. */
  readonly input: TypedInput;
  /** The convolutions. */
  readonly layers: readonly RGCNConv[];
  readonly #target: string;
  readonly #dropout: number;

  constructor(
    { graph, features, target, classes }: HeteroTask,
    random: Random,
    { layers = 2, hidden = 64, dropout = 0.5 }: HeteroStackOptions = {},
  ) {
    this.input = new TypedInput({ graph, features }, hidden, random.split('input'), { dropout });
    this.layers = Array.from({ length: layers }, (_, l) => {
      const types = typesNeeded(graph, target, layers)[l + 1] as Set<string>;
      const relations = graph.relations.filter((own) => types.has(own.target));
      return new RGCNConv(hidden, l + 1 < layers ? hidden : classes, relations, random.split(l));
    });
    this.#target = target;
    this.#dropout = dropout;
  }

  forward(x: TypedFeatures, graph: HeteroGraph, mode: Mode): Tensor {
    const [first, ...after] = typesNeeded(graph, this.#target, this.layers.length) as [Set<string>, ...Set<string>[]];
    let h: TypedTensors = this.input.forward(x, graph, first, mode);
    for (const [l, layer] of this.layers.entries()) {
      const y = layer.forward(dropAll(h, this.#dropout, mode), graph, after[l] as Set<string>);
      h = l + 1 < this.layers.length ? new Map([...y].map(([type, own]) => [type, relu(own)])) : y;
    }
    return h.get(this.#target) as Tensor;
  }
}

/** Dropout of the values of all types. */
export function dropAll(h: TypedTensors, probability: number, mode: Mode): TypedTensors {
  return new Map([...h].map(([type, own]) => [type, dropFeatures(own, probability, mode) as Tensor]));
}
