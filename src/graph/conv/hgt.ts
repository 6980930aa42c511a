// HGT (Hu, Dong, Wang, Sun, "Heterogeneous Graph Transformer", WWW 2020): attention over the
// neighbours of all relations at once, with projections of each type and of each relation.

import { dropFeatures, Linear, type Mode, parameter, xavierUniform } from '../../nn/index.js';
import { attentionPool, SparsePattern } from '../../sparse/index.js';
import { type HeteroGraph, memo, type Relation } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  gelu,
  matmul,
  multiply,
  ones,
  permute,
  type Random,
  reshape,
  sigmoid,
  subtract,
  sum,
  type Tensor,
} from '../../tensor/index.js';
import {
  type HeteroModule,
  type HeteroStackOptions,
  type HeteroTask,
  type TypedFeatures,
  TypedInput,
  type TypedTensors,
  typesNeeded,
} from './typed.js';

/** Layout of HGT. */
export interface HGTOptions extends HeteroStackOptions {
  /** Attention heads, which divide the hidden width. Default: 4. */
  readonly heads?: number;
}

/** Projections of the nodes of a type. */
class TypeWeights {
  readonly key: Linear;
  readonly query: Linear;
  readonly value: Linear;
  /** A: after attention. */
  readonly output: Linear;
  /** Logit of the share that the new values have. */
  skip: Tensor;

  constructor(width: number, random: Random) {
    const draw = (name: string) => new Linear(width, width, random.split(name), { init: 'xavier' });
    this.key = draw('key');
    this.query = draw('query');
    this.value = draw('value');
    this.output = draw('output');
    this.skip = parameter(ones([1]));
  }
}

/** What a relation does to keys and values, head by head. */
class RelationWeights {
  /** W^ATT [heads, d, d]. */
  attention: Tensor;
  /** W^MSG [heads, d, d]. */
  message: Tensor;
  /** μ of each head [heads, 1, 1]. */
  prior: Tensor;

  constructor(heads: number, d: number, random: Random) {
    const draw = (name: string) =>
      parameter(reshape(xavierUniform(random.split(name), [heads * d, d], Math.sqrt((heads + 1) / 2)), [heads, d, d]));
    this.attention = draw('attention');
    this.message = draw('message');
    this.prior = parameter(ones([heads, 1, 1]));
  }
}

/**
 * For a node v of type τ, heads of width d, and neighbours u over relation r from type σ:
 *
 * α_vu = softmax_{u, r}( μ_r·(K_σ h_u)·W_r^ATT·(Q_τ h_v)ᵀ / √d )
 * h̃_v = Σ_{u, r} α_vu·(V_σ h_u)·W_r^MSG
 * h'_v = β_τ·A_τ·gelu(h̃_v) + (1 − β_τ)·h_v,   β_τ = sigmoid(skip_τ)
 */
export class HGTConv {
  /** Projections of each type. */
  readonly types: Readonly<Record<string, TypeWeights>>;
  /** Projections of each relation, by its key. */
  readonly relations: Readonly<Record<string, RelationWeights>>;

  /** @throws Error unless the heads divide the width */
  constructor(
    readonly width: number,
    readonly heads: number,
    graph: HeteroGraph,
    random: Random,
  ) {
    if (width % heads !== 0) throw new Error(`HGT: ${heads} heads do not divide the width ${width}`);
    this.types = Object.fromEntries(graph.types.map((type) => [type, new TypeWeights(width, random.split(type))]));
    this.relations = Object.fromEntries(
      graph.relations.map(({ key }) => [key, new RelationWeights(heads, width / heads, random.split(key))]),
    );
  }

  /**
   * @param h [n, width] of each type that is read
   * @param types those to compute
   * @returns [n, width] of each
   * @throws Error for a type or relation that was not there when the layer was made
   */
  forward(
    h: TypedTensors,
    graph: HeteroGraph,
    types: Iterable<string>,
    dropout: number,
    mode: Mode,
  ): Map<string, Tensor> {
    return new Map(Array.from(types, (type): [string, Tensor] => [type, this.#attend(h, graph, type, dropout, mode)]));
  }

  #attend(h: TypedTensors, graph: HeteroGraph, type: string, dropout: number, mode: Mode): Tensor {
    const own = h.get(type) as Tensor;
    const weights = required(this.types[type], `type "${type}"`);
    const relations = graph.into(type);
    if (relations.length === 0) return own;
    const pattern = patternInto(graph, type);
    const sides = relations.map((relation) => this.#send(h, relation));
    const keys = concatenate(sides.map(({ key }) => key)); // (Σ n_s, heads, d)
    const messages = concatenate(sides.map(({ message }) => message));
    const query = this.#split(weights.query.forward(own)); // (n, heads, d)
    const products = multiply(gatherKnownRows(query, pattern.segments.ids), gatherKnownRows(keys, pattern.indexTensor));
    const scores = multiply(sum(products, -1), 1 / Math.sqrt(this.width / this.heads)); // (nnz, heads)
    const pooled = reshape(attentionPool(messages, scores, pattern), [-1, this.width]);
    const updated = dropFeatures(weights.output.forward(gelu(pooled)), dropout, mode) as Tensor;
    const share = sigmoid(weights.skip);
    return add(multiply(updated, share), multiply(own, subtract(1, share)));
  }

  /** Keys and messages of the nodes that a relation starts from: [n, heads, d] each. */
  #send(h: TypedTensors, { key, source }: Relation): { readonly key: Tensor; readonly message: Tensor } {
    const own = required(this.relations[key], `relation "${key}"`);
    const type = required(this.types[source], `type "${source}"`);
    const values = h.get(source) as Tensor;
    const through = (linear: Linear, matrix: Tensor) => {
      const heads = permute(this.#split(linear.forward(values)), [1, 0, 2]); // (heads, n, d)
      return permute(matmul(heads, matrix), [1, 0, 2]);
    };
    return {
      key: through(type.key, multiply(own.attention, own.prior)),
      message: through(type.value, own.message),
    };
  }

  #split(x: Tensor): Tensor {
    return reshape(x, [x.shape[0] as number, this.heads, this.width / this.heads]);
  }
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`HGT: ${what} was not there in training`);
  return value;
}

/**
 * The edges into a type over all relations, as one pattern [n, Σ n_s]: the columns of each relation
 * follow those of the one before.
 */
function patternInto(graph: HeteroGraph, type: string): SparsePattern {
  return memo(graph, `edges into ${type}`, () => {
    const parts = graph.into(type).map(({ pattern }) => pattern);
    const rows = graph.countOf(type);
    const indptr = new Int32Array(rows + 1);
    const indices = new Int32Array(parts.reduce((total, { nnz }) => total + nnz, 0));
    let at = 0;
    for (let v = 0; v < rows; v++) {
      let offset = 0;
      for (const part of parts) {
        for (let e = part.indptr[v] as number; e < (part.indptr[v + 1] as number); e++)
          indices[at++] = (part.indices[e] as number) + offset;
        offset += part.columns;
      }
      indptr[v + 1] = at;
    }
    const columns = parts.reduce((total, part) => total + part.columns, 0);
    return new SparsePattern(rows, columns, indptr, indices);
  });
}

/** Features of each type brought to one width, attention layers, and a linear classifier. */
export class HGT implements HeteroModule {
  /** Weights of the features of each type. */
  readonly input: TypedInput;
  /** The attention layers. */
  readonly layers: readonly HGTConv[];
  /** Classifier of the target type. */
  readonly head: Linear;
  readonly #target: string;
  readonly #dropout: number;

  constructor(
    { graph, features, target, classes }: HeteroTask,
    random: Random,
    { layers = 2, hidden = 64, dropout = 0.5, heads = 4 }: HGTOptions = {},
  ) {
    this.input = new TypedInput({ graph, features }, hidden, random.split('input'), { dropout });
    this.layers = Array.from({ length: layers }, (_, l) => new HGTConv(hidden, heads, graph, random.split(l)));
    this.head = new Linear(hidden, classes, random.split('head'), { init: 'xavier' });
    this.#target = target;
    this.#dropout = dropout;
  }

  forward(x: TypedFeatures, graph: HeteroGraph, mode: Mode): Tensor {
    const [first, ...after] = typesNeeded(graph, this.#target, this.layers.length) as [Set<string>, ...Set<string>[]];
    let h: TypedTensors = this.input.forward(x, graph, first, mode);
    for (const [l, layer] of this.layers.entries())
      h = layer.forward(h, graph, after[l] as Set<string>, this.#dropout, mode);
    return this.head.forward(dropFeatures(h.get(this.#target) as Tensor, this.#dropout, mode) as Tensor);
  }
}
