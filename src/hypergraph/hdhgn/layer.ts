// The layer of HDHGN: attention from the members of a hyperedge to the hyperedge, and from the
// hyperedges of a vertex to the vertex. What a message carries depends on its role ρ: head or tail.
//
//   m_ve = A_ρ x_v + a_ρ,   α_ve = softmax over v ∈ e of ⟨Q₁z_e, K₁m_ve⟩/√d_h
//   y_e = Σ_v α_ve V₁m_ve + E z_e + b
//   m'_ve = B_ρ y_e + b_ρ,  β_ve = softmax over e ∋ v of ⟨Q₂x_v, K₂m'_ve⟩/√d_h
//   o_v = Σ_e β_ve V₂m'_ve
//   x_v ← ELU(GraphNorm(U₁x_v + U₂o_v + c))
//
// K₁A_ρ and V₁A_ρ are multiplied first and applied to the vertices, before any row is gathered: the
// products have N rows for each role in place of one for each incidence. Vertices of the first
// layer that have the same value are equal, so there the products have a row for each value.

import { GraphNorm, Linear } from '../../nn/index.js';
import { SparsePattern } from '../../sparse/index.js';
import { type HeterogeneousHypergraph, memo } from '../../structure/index.js';
import {
  add,
  concatenate,
  elu,
  gatherKnownRows,
  linear,
  matmul,
  type Random,
  reshape,
  type Tensor,
} from '../../tensor/index.js';
import { attend } from '../sets/index.js';
import type { ProgramBatch } from './batch.js';
import type { ProgramWidths } from './classifier.js';

/** Queries, keys and values of an attention, without biases. */
class Projections {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;

  constructor(width: number, random: Random) {
    const layer = (label: string) => new Linear(width, width, random.split(label), { bias: false });
    this.query = layer('query');
    this.key = layer('key');
    this.value = layer('value');
  }
}

/** Vertices of which many are equal: vertex v is row rowOf[v] of the table. */
export interface SharedRows {
  /** [rows, d] */
  readonly table: Tensor;
  /** i32 [N] */
  readonly rowOf: Tensor;
}

/** One layer with weights of its own. */
export class HDHGNLayer {
  /** A_ρ and a_ρ of head and tail; one for both where roles are not told apart. */
  readonly toHyperedge: readonly Linear[];
  /** B_ρ and b_ρ. */
  readonly toVertex: readonly Linear[];
  /** Q₁, K₁, V₁. */
  readonly vertexAttention: Projections;
  /** Q₂, K₂, V₂. */
  readonly hyperedgeAttention: Projections;
  /** E and b. */
  readonly hyperedge: Linear;
  /** U₁ with the bias c. */
  readonly own: Linear;
  /** U₂. */
  readonly gathered: Linear;
  /** Normalisation over the vertices of each program. */
  readonly norm: GraphNorm;
  /** Number of attention heads. */
  readonly heads: number;

  /** @throws Error when the width does not divide into the heads */
  constructor({ width, heads }: Pick<ProgramWidths, 'width' | 'heads'>, directed: boolean, random: Random) {
    if (width % heads !== 0) throw new Error(`HDHGN: a width of ${width} does not divide into ${heads} heads`);
    const layer = (label: string, bias = true) => new Linear(width, width, random.split(label), { bias });
    const roles = directed ? ['head', 'tail'] : ['member'];
    this.toHyperedge = roles.map((role) => layer(`${role} to hyperedge`));
    this.toVertex = roles.map((role) => layer(`hyperedge to ${role}`));
    this.vertexAttention = new Projections(width, random.split('vertex attention'));
    this.hyperedgeAttention = new Projections(width, random.split('hyperedge attention'));
    this.hyperedge = layer('hyperedge');
    this.own = layer('own');
    this.gathered = layer('gathered', false);
    this.norm = new GraphNorm(width);
    this.heads = heads;
  }

  /**
   * x [N, d] → [N, d]; x may be rows of a table that many vertices share, with the same result.
   *
   * @param types embeddings z of the hyperedge types [types, d]
   */
  forward(x: Tensor | SharedRows, batch: ProgramBatch, types: Tensor): Tensor {
    const { table, rowOf } = 'table' in x ? x : { table: x, rowOf: undefined };
    const ofVertices = (rows: Tensor) => (rowOf ? gatherKnownRows(rows, rowOf) : rows); // (N, d)
    const roles = this.toHyperedge.length;
    const members = memberPattern(batch.union, roles, rowOf && { rowOf, table });
    const incidence = incidencePattern(batch.union, roles);
    const scale = Math.sqrt(this.heads / (types.shape[1] as number)); // 1/√d_h
    const ofType = (layer: Linear) => gatherKnownRows(layer.forward(types), batch.types); // (M, d)
    const { query, key, value } = this.vertexAttention;
    const keysAndValues = (to: readonly Linear[], k: Linear, v: Linear, rows: Tensor) =>
      [throughRoles(rows, to, k), throughRoles(rows, to, v)] as const;
    const fromVertices = keysAndValues(this.toHyperedge, key, value, table);
    const pooled = attend([ofType(query), ...fromVertices], members, this.heads, scale).output;
    const y = add(pooled, ofType(this.hyperedge)); // (M, d)
    const second = this.hyperedgeAttention;
    const fromHyperedges = keysAndValues(this.toVertex, second.key, second.value, y);
    const queries = ofVertices(second.query.forward(table));
    const o = attend([queries, ...fromHyperedges], incidence, this.heads, scale).output; // (N, d)
    const own = ofVertices(this.own.forward(table));
    return elu(this.norm.forward(add(own, this.gathered.forward(o)), batch.vertices));
  }
}

/**
 * next(role(x)) for every role: row r of x gives rows r·roles … r·roles + roles − 1. The products
 * of the two weights are applied, at once for all roles.
 */
function throughRoles(x: Tensor, roles: readonly Linear[], next: Linear): Tensor {
  const weights = roles.map((role) => matmul(next.weight, role.weight));
  const biases = roles.map((role) => linear(reshape(role.bias as Tensor, [1, -1]), next.weight));
  const joined = (parts: readonly Tensor[]) => (parts.length === 1 ? (parts[0] as Tensor) : concatenate(parts, 0));
  const y = linear(x, joined(weights), reshape(joined(biases), [-1])); // (rows, roles·d)
  return reshape(y, [-1, x.shape[1] as number]);
}

/** Rows of `throughRoles` that hyperedges read: M × N·roles, or M × rows of the table·roles. */
function memberPattern(union: HeterogeneousHypergraph, roles: number, shared?: SharedRows): SparsePattern {
  const { members } = union.hypergraph;
  const rowCount = shared ? (shared.table.shape[0] as number) : members.columns;
  return memo(union, `members of ${roles} roles, ${shared ? 'shared' : 'own'} ${rowCount} rows`, () => {
    const rows = shared?.rowOf.view<Int32Array>();
    if (roles === 1 && !rows) return members;
    const indices = members.indices.map((v, i) => roles * (rows ? (rows[v] as number) : v) + roleAt(union, roles, i));
    return new SparsePattern(members.rows, roles * rowCount, members.indptr, indices);
  });
}

/** Rows of `throughRoles` that vertices read: N × M·roles. */
function incidencePattern(union: HeterogeneousHypergraph, roles: number): SparsePattern {
  return memo(union, `incidence of ${roles} roles`, () => {
    const { pattern, permutation } = union.hypergraph.members.transposed();
    if (roles === 1) return pattern;
    const places = permutation.view<Int32Array>();
    const indices = pattern.indices.map((e, i) => roles * e + roleAt(union, roles, places[i] as number));
    return new SparsePattern(pattern.rows, roles * pattern.columns, pattern.indptr, indices);
  });
}

/** Role of an incidence, 0 where there is one for all. */
function roleAt({ roles: own }: HeterogeneousHypergraph, roles: number, i: number): number {
  return roles === 1 ? 0 : (own[i] as number);
}
