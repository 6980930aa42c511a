// LightGCN: embeddings of users and items, averaged over the layers of a propagation without
// weights or activations on the graph of their interactions, ranked by BPR. Without layers it is
// matrix factorisation by BPR.
//
//   Â = D^(−1/2)·A·D^(−1/2),   E = 1/(L + 1)·(E⁰ + ÂE⁰ + … + Â^L·E⁰),   s(u, i) = ⟨e_u, e_i⟩
//   L_BPR = mean softplus(s(u, n) − s(u, p)) + λ/2·(‖e⁰_u‖² + ‖e⁰_p‖² + ‖e⁰_n‖²)/batch
//
// Gradients are written out, so that a sparse E⁰ is never made dense: the first product of the
// forward pass reads stored entries, and the last one of the backward pass is computed at these
// alone, or at an exploration for a few rows at a time.
//
// Papers: He et al., "LightGCN", SIGIR 2020; Rendle et al., "BPR", UAI 2009

import { type Interactions, itemsOf } from '../data/index.js';
import { SparseMatrix, spmm } from '../sparse/index.js';
import { add, keep, matmul, type Random, reshape, scope, type Tensor, tensor, zeros } from '../tensor/index.js';
import type { Backbone, StepRequest, StepResult, TrainingCost } from './backbone.js';
import type { HistoryScorer } from './metrics.js';
import { Membership, type Triples, triples } from './sampling.js';
import { makeWeights, type Weight, type WeightOptions, type WeightTable } from './weights.js';

/** Shape and training of `LightGCN`. */
export interface LightGCNOptions extends WeightOptions {
  /** Numbers of an embedding. Default: 64. */
  readonly dim?: number;
  /** Layers L of propagation; 0 for matrix factorisation. Default: 3. */
  readonly layers?: number;
  /** Triples in a batch. Default: 1024. */
  readonly batch?: number;
  /** λ of the penalty on the initial embeddings. Default: 1e-4. */
  readonly penalty?: number;
  /** Interactions that are never drawn as negatives. Default: those that are learnt from. */
  readonly known?: Interactions;
}

/** The values of the graph's operator: 1/√(degree · degree). Nodes without edges have none. */
function propagationOf(data: Interactions): SparseMatrix {
  const [users, items] = [data.users.length, data.items.length];
  const degrees = new Float64Array(users + items);
  const [rowOf, columnOf]: [number[], number[]] = [[], []];
  for (let user = 0; user < users; user++)
    for (const item of itemsOf(data, user)) {
      rowOf.push(user, users + item);
      columnOf.push(users + item, user);
      degrees[user] = (degrees[user] as number) + 1;
      degrees[users + item] = (degrees[users + item] as number) + 1;
    }
  const values = rowOf.map(
    (row, e) => 1 / Math.sqrt((degrees[row] as number) * (degrees[columnOf[e] as number] as number)),
  );
  return SparseMatrix.fromCoordinates(users + items, users + items, rowOf, columnOf, values);
}

/** LightGCN on the interactions that it learns from; see the top of the file. */
export class LightGCN implements Backbone<Triples>, HistoryScorer {
  readonly weights: WeightTable;
  /** Â of users, then items: [users + items, users + items]. */
  readonly propagation: SparseMatrix;
  /** Numbers of an embedding. */
  readonly dim: number;
  /** Layers of propagation. */
  readonly layers: number;
  readonly #batch: number;
  readonly #penalty: number;
  readonly #member: Membership;
  /** E of users and of items, made by `refresh`. */
  #served: Served | undefined;

  constructor(
    readonly data: Interactions,
    random: Random,
    { dim = 64, layers = 3, batch = 1024, penalty = 1e-4, known = data, ...sparse }: LightGCNOptions = {},
  ) {
    for (const [name, value, least] of [
      ['dim', dim, 1],
      ['layers', layers, 0],
      ['batch', batch, 1],
    ] as const)
      if (!(Number.isInteger(value) && value >= least))
        throw new RangeError(`LightGCN: ${name} must be an integer of at least ${least}, got ${value}`);
    this.dim = dim;
    this.layers = layers;
    this.#batch = batch;
    this.#penalty = penalty;
    this.#member = new Membership(known);
    const rows = data.users.length + data.items.length;
    // Xavier, uniform.
    const initial = { bound: Math.sqrt(6 / (rows + dim)) };
    this.weights = makeWeights({ table: { rows, columns: dim, initial, sparse: true } }, random, sparse);
    this.propagation = propagationOf(data);
  }

  get stepsPerEpoch(): number {
    return Math.ceil(this.data.indices.length / this.#batch);
  }

  batches(random: Random): Iterable<Triples> {
    return triples(this.data, this.#member, this.#batch, random);
  }

  gradients({ users, positives, negatives }: Triples, { dense }: StepRequest): StepResult {
    const [table, dim, size] = [this.#table, this.dim, users.length];
    const sum = this.#summed();
    const share = 1 / (this.layers + 1);
    const G = zeros([table.rows, dim]);
    const gradient = G.view();
    const drawn = new Int32Array(table.rows);
    const first = this.data.users.length;
    let loss = 0;
    for (let at = 0; at < size; at++) {
      const rows = [users[at] as number, first + (positives[at] as number), first + (negatives[at] as number)] as const;
      for (const row of rows) drawn[row] = (drawn[row] as number) + 1;
      const [u, p, n] = rows.map((row) => row * dim) as [number, number, number];
      let margin = 0;
      for (let c = 0; c < dim; c++)
        margin += (sum[u + c] as number) * ((sum[p + c] as number) - (sum[n + c] as number));
      margin *= share * share;
      // softplus(−margin), and its slope over the batch.
      loss += (Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin)))) / size;
      const slope = -1 / (1 + Math.exp(margin)) / size;
      for (let c = 0; c < dim; c++) {
        const own = slope * share * (sum[u + c] as number);
        gradient[u + c] =
          (gradient[u + c] as number) + slope * share * ((sum[p + c] as number) - (sum[n + c] as number));
        gradient[p + c] = (gradient[p + c] as number) + own;
        gradient[n + c] = (gradient[n + c] as number) - own;
      }
    }
    loss += this.#penalised(drawn, size);
    // ∂L/∂E⁰ = 1/(L + 1)·(G + Â(G + Â(G + …))): all but the last product.
    let inner = G;
    for (let layer = 1; layer < this.layers; layer++) inner = add(G, spmm(this.propagation, inner));
    const slopes = { G: gradient, inner: inner.view(), drawn, size };
    const stored = this.#storedGradient(slopes, this.layers === 0 ? undefined : inner);
    const rowsOf = (begin: number, end: number) => this.#denseRows(slopes, begin, end);
    return { loss, stored: { table: stored }, dense: dense ? { table: rowsOf } : {} };
  }

  refresh(): void {
    const share = 1 / (this.layers + 1);
    const users = this.data.users.length;
    const all = scope(() => this.#summed().map((value) => value * share));
    const part = (from: number, to: number) =>
      keep(tensor(all.slice(from * this.dim, to * this.dim), [to - from, this.dim]));
    this.#forget();
    this.#served = { users: part(0, users), items: part(users, this.#table.rows) };
  }

  scores(user: number): Float32Array {
    return this.#scored(
      this.#embeddings()
        .users.view()
        .slice(user * this.dim, (user + 1) * this.dim),
    );
  }

  /** Of a user who is not in the graph: by the mean of its items' propagated embeddings. */
  scoresOf(history: Int32Array): Float32Array {
    const { dim } = this;
    const served = this.#embeddings().items.view();
    const mean = new Float32Array(dim);
    for (const item of history)
      for (let c = 0; c < dim; c++) mean[c] = (mean[c] as number) + (served[item * dim + c] as number) / history.length;
    return this.#scored(mean);
  }

  /** Frees weights and embeddings. */
  dispose(): void {
    this.#forget();
    this.#table.dispose();
  }

  cost(): TrainingCost {
    const edges = this.propagation.nnz;
    const { size, values } = this.#table;
    // The products that read or give stored entries alone, by their share.
    const partly = (edges * this.dim * values.size) / size;
    const dense = Math.max(0, this.layers - 1) * edges * this.dim;
    const inLayers = this.layers === 0 ? 0 : partly + dense;
    const scoring = 3 * this.#batch * this.dim;
    return {
      step: 2 * inLayers + scoring,
      exploration: this.layers === 0 ? 0 : edges * this.dim - partly,
      inference: inLayers + this.data.items.length * this.dim,
    };
  }

  get #table(): Weight {
    return this.weights.table as Weight;
  }

  #embeddings(): Served {
    if (!this.#served) this.refresh();
    return this.#served as Served;
  }

  #forget(): void {
    this.#served?.users.dispose();
    this.#served?.items.dispose();
  }

  #scored(embedding: Float32Array): Float32Array {
    return scope(() => matmul(this.#embeddings().items, tensor(embedding, [this.dim, 1])).dataSync());
  }

  /** E⁰ + ÂE⁰ + … + Â^L·E⁰, [rows · dim]. */
  #summed(): Float32Array {
    const { values, pattern, rows, columns } = this.#table;
    if (!pattern && this.layers === 0) return values.view().slice();
    let layer = pattern ? this.#firstProduct() : reshape(values, [rows, columns]);
    let sum = layer;
    for (let at = pattern ? 1 : 0; at < this.layers; at++) {
      layer = spmm(this.propagation, layer);
      sum = add(sum, layer);
    }
    const summed = sum.dataSync();
    if (!pattern) return summed;
    const { offsets, indices } = pattern;
    const own = values.view();
    for (let row = 0; row < rows; row++)
      for (let e = offsets[row] as number; e < (offsets[row + 1] as number); e++) {
        const at = row * columns + (indices[e] as number);
        summed[at] = (summed[at] as number) + (own[e] as number);
      }
    return summed;
  }

  /** Â·E⁰ from the stored entries of E⁰. */
  #firstProduct(): Tensor {
    const { values, pattern, rows, columns } = this.#table;
    const product = zeros([rows, columns]);
    if (!pattern || this.layers === 0) return product;
    const [own, into] = [values.view(), product.view()];
    const { offsets, indices } = pattern;
    const { indptr, indices: neighbours } = this.propagation.pattern;
    const edges = this.propagation.values?.view();
    for (let row = 0; row < rows; row++) {
      const start = row * columns;
      for (let edge = indptr[row] as number; edge < (indptr[row + 1] as number); edge++) {
        const other = neighbours[edge] as number;
        const weight = edges ? (edges[edge] as number) : 1;
        for (let e = offsets[other] as number; e < (offsets[other + 1] as number); e++) {
          const at = start + (indices[e] as number);
          into[at] = (into[at] as number) + weight * (own[e] as number);
        }
      }
    }
    return product;
  }

  /** λ/2·Σ‖e⁰‖²/batch over the rows of a batch, as often as they were drawn. */
  #penalised(drawn: Int32Array, size: number): number {
    let sum = 0;
    this.#eachStored((row, e, values) => {
      sum += (drawn[row] as number) * (values[e] as number) ** 2;
    });
    return (this.#penalty * sum) / 2 / size;
  }

  #eachStored(visit: (row: number, element: number, values: Float32Array) => void): void {
    const { pattern, rows, columns, values } = this.#table;
    const own = values.view();
    for (let row = 0; row < rows; row++) {
      const begin = pattern ? (pattern.offsets[row] as number) : row * columns;
      const end = pattern ? (pattern.offsets[row + 1] as number) : begin + columns;
      for (let e = begin; e < end; e++) visit(row, e, own);
    }
  }

  /** ∂L/∂E⁰ at the stored entries, [nnz]. */
  #storedGradient({ G, inner, drawn, size }: Slopes, outer: Tensor | undefined): Tensor {
    const { pattern, rows, columns, values } = this.#table;
    const share = 1 / (this.layers + 1);
    const whole = !pattern && outer ? spmm(this.propagation, outer).view() : undefined;
    const result = zeros([values.size]);
    const into = result.view();
    if (whole || !pattern) {
      for (let at = 0; at < into.length; at++)
        into[at] = share * ((G[at] as number) + (whole ? (whole[at] as number) : 0));
    } else {
      const { offsets, indices } = pattern;
      const { indptr, indices: neighbours } = this.propagation.pattern;
      const edges = this.propagation.values?.view();
      for (let row = 0; row < rows; row++) {
        const [begin, end] = [offsets[row] as number, offsets[row + 1] as number];
        for (let e = begin; e < end; e++) into[e] = G[row * columns + (indices[e] as number)] as number;
        for (let edge = indptr[row] as number; this.layers > 0 && edge < (indptr[row + 1] as number); edge++) {
          const start = (neighbours[edge] as number) * columns;
          const weight = edges ? (edges[edge] as number) : 1;
          for (let e = begin; e < end; e++)
            into[e] = (into[e] as number) + weight * (inner[start + (indices[e] as number)] as number);
        }
        for (let e = begin; e < end; e++) into[e] = share * (into[e] as number);
      }
    }
    const penalty = this.#penalty / size;
    this.#eachStored((row, e, own) => {
      into[e] = (into[e] as number) + penalty * (drawn[row] as number) * (own[e] as number);
    });
    return result;
  }

  /** ∂L/∂E⁰ of some rows, stored or not. */
  #denseRows({ G, inner, drawn, size }: Slopes, begin: number, end: number): Float32Array {
    const { columns } = this.#table;
    const share = 1 / (this.layers + 1);
    const { indptr, indices } = this.propagation.pattern;
    const edges = this.propagation.values?.view();
    const into = G.slice(begin * columns, end * columns);
    const own = new Float32Array(columns);
    for (let row = begin; row < end; row++) {
      const at = (row - begin) * columns;
      for (let edge = indptr[row] as number; this.layers > 0 && edge < (indptr[row + 1] as number); edge++) {
        const start = (indices[edge] as number) * columns;
        const weight = edges ? (edges[edge] as number) : 1;
        for (let c = 0; c < columns; c++)
          into[at + c] = (into[at + c] as number) + weight * (inner[start + c] as number);
      }
      this.#table.row(row, own);
      const penalty = (this.#penalty * (drawn[row] as number)) / size;
      for (let c = 0; c < columns; c++) into[at + c] = share * (into[at + c] as number) + penalty * (own[c] as number);
    }
    return into;
  }
}

interface Served {
  readonly users: Tensor;
  readonly items: Tensor;
}

/** Of what ∂L/∂E⁰ is made: ∂L/∂E, what the last product reads, how often rows were drawn. */
interface Slopes {
  readonly G: Float32Array;
  readonly inner: Float32Array;
  readonly drawn: Int32Array;
  readonly size: number;
}
