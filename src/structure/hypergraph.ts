// Hypergraphs: vertices, and hyperedges that each join any number of them.
//
// The incidence matrix H ∈ {0,1}^{N×M} is stored by hyperedge (`members`) and, transposed, by
// vertex (`incidence`). d(v) = Σₑ wₑ·Hᵥₑ is the weighted degree of a vertex, δ(e) = Σᵥ Hᵥₑ the size
// of a hyperedge.

import {
  isIndex,
  isPositiveFloat,
  requireLimit,
  Segments,
  SparseMatrix,
  SparsePattern,
  shown,
} from '../sparse/index.js';
import { requireChoice } from '../tensor/index.js';
import { memo } from './memo.js';
import { renumbering } from './restrict.js';

/** Weight of a merged hyperedge from those of its duplicates. */
export type MergeRule = 'mean' | 'sum' | 'max';

/** Members of all hyperedges: those of hyperedge e are members[offsets[e] … offsets[e + 1]). */
interface Compressed {
  readonly offsets: Int32Array;
  readonly members: Int32Array;
}

/** An immutable hypergraph with N vertices and M weighted hyperedges. */
export class Hypergraph {
  /** M×N pattern Hᵀ: row e holds the vertices of hyperedge e, ascending. */
  readonly members: SparsePattern;
  /** Hyperedge weights w [M]. */
  readonly weights: Float32Array;

  /**
   * @param vertexCount N; vertices are 0 … N − 1.
   * @param hyperedges the vertices of each hyperedge; compressed ones are taken over, see
   * `fromCompressed`.
   * @param weights positive weight of each hyperedge. Default: 1.
   * @param wholeDegrees of a sample: the weighted degree of each vertex in the hypergraph that it
   * was drawn from. They are its `vertexDegrees`, and sums over the hyperedges of a vertex are
   * scaled up from those in the sample.
   * @throws RangeError naming the first hyperedge with a vertex that is no integer 0 … N − 1, or
   * with a weight that is not positive and finite as an f32.
   * @throws Error naming the first hyperedge that is empty or has a duplicate vertex.
   */
  constructor(
    readonly vertexCount: number,
    hyperedges: readonly ArrayLike<number>[] | Compressed,
    weights?: ArrayLike<number>,
    readonly wholeDegrees?: Float32Array,
  ) {
    requireLimit('Hypergraph', 'vertices', vertexCount);
    const { offsets, members } = 'offsets' in hyperedges ? hyperedges : compressed(hyperedges, vertexCount);
    requireMembers(offsets, members, vertexCount);
    this.members = new SparsePattern(offsets.length - 1, vertexCount, offsets, members);
    this.weights = checkedWeights(weights, offsets.length - 1);
  }

  /** From compressed rows: hyperedge e = indices[indptr[e] … indptr[e + 1]). */
  static fromCompressed(
    vertexCount: number,
    indptr: ArrayLike<number>,
    indices: Int32Array,
    weights?: ArrayLike<number>,
  ): Hypergraph {
    const { offsets, size } = new Segments(Int32Array.from(indptr));
    if (size !== indices.length) throw new Error(`Hypergraph: the offsets end at ${size} of ${indices.length} members`);
    return new Hypergraph(vertexCount, { offsets, members: indices.slice() }, weights);
  }

  /**
   * The hyperedges that LightHGNN reads from a graph: its edges, and the closed neighbourhood of
   * each vertex. Duplicates merge.
   */
  static fromGraph(vertexCount: number, edges: readonly (readonly [number, number])[]): Hypergraph {
    requireLimit('Hypergraph', 'vertices', vertexCount);
    const neighbours = Array.from({ length: vertexCount }, (_, v) => new Set([v]));
    for (const [e, [u, v]] of edges.entries()) {
      if (!(isIndex(u, vertexCount) && isIndex(v, vertexCount)))
        throw new RangeError(
          `Hypergraph: edge ${e} joins ${shown(u)} and ${shown(v)}, outside 0…${vertexCount - 1} (vertices are integers)`,
        );
      neighbours[u]?.add(v);
      neighbours[v]?.add(u);
    }
    const pairs = edges.filter(([u, v]) => u !== v).map(([u, v]) => [u, v]);
    return new Hypergraph(vertexCount, [...pairs, ...neighbours.map((set) => [...set])]).mergeDuplicates();
  }

  /** Number of hyperedges M. */
  get hyperedgeCount(): number {
    return this.members.rows;
  }

  /** Number of incidences, Σₑ δ(e). */
  get nnz(): number {
    return this.members.nnz;
  }

  /** N×M pattern H: row v holds the hyperedges of vertex v, ascending. */
  get incidence(): SparsePattern {
    return this.members.transposed().pattern;
  }

  /** Vertices of hyperedge e, ascending; a view. @throws RangeError unless there is one. */
  hyperedge(e: number): Int32Array {
    if (!isIndex(e, this.hyperedgeCount))
      throw new RangeError(`Hypergraph: there is no hyperedge ${shown(e)} of ${this.hyperedgeCount}`);
    return this.members.indices.subarray(this.members.indptr[e], this.members.indptr[e + 1]);
  }

  /** Vertices of every hyperedge, as views. */
  hyperedges(): Int32Array[] {
    return Array.from({ length: this.hyperedgeCount }, (_, e) => this.hyperedge(e));
  }

  /** Hyperedges of vertex v, ascending; a view. @throws RangeError unless v is a vertex. */
  hyperedgesOf(v: number): Int32Array {
    if (!isIndex(v, this.vertexCount))
      throw new RangeError(`Hypergraph: there is no vertex ${shown(v)} of ${this.vertexCount}`);
    const { indptr, indices } = this.incidence;
    return indices.subarray(indptr[v], indptr[v + 1]);
  }

  /** Weighted degrees d(v) = Σₑ wₑ·Hᵥₑ [N]. */
  get vertexDegrees(): Float32Array {
    return this.wholeDegrees ?? this.#ownDegrees;
  }

  get #ownDegrees(): Float32Array {
    return memo(this, 'vertexDegrees', () =>
      Float32Array.from({ length: this.vertexCount }, (_, v) =>
        this.hyperedgesOf(v).reduce((total, e) => total + (this.weights[e] as number), 0),
      ),
    );
  }

  /**
   * Of a sample: d(v) in the whole over d(v) in the sample, by which sums over the hyperedges of v
   * are scaled [N]. undefined for a hypergraph that is no sample.
   */
  get sampleScale(): Float32Array | undefined {
    const whole = this.wholeDegrees;
    return (
      whole && memo(this, 'sampleScale', () => this.#ownDegrees.map((own, v) => (whole[v] as number) / (own || 1)))
    );
  }

  /** Sizes δ(e) = |e| [M]. */
  get hyperedgeSizes(): Int32Array {
    return memo(this, 'hyperedgeSizes', () =>
      Int32Array.from({ length: this.hyperedgeCount }, (_, e) => this.hyperedge(e).length),
    );
  }

  /** Whether any hyperedge weight differs from 1. */
  get weighted(): boolean {
    return this.weights.some((weight) => weight !== 1);
  }

  /** k for a k-uniform hypergraph, else undefined. */
  get uniformity(): number | undefined {
    const [k] = this.hyperedgeSizes;
    return this.hyperedgeSizes.every((size) => size === k) ? k : undefined;
  }

  /** Merges hyperedges with the same vertices. The rule gives the weight. Default: `mean`. */
  mergeDuplicates(rule: MergeRule = 'mean'): Hypergraph {
    requireChoice('mergeDuplicates', 'the rule', rule, ['mean', 'sum', 'max']);
    const groups = new Map<string, { members: Int32Array; weights: number[] }>();
    this.hyperedges().forEach((members, e) => {
      const key = members.join();
      const group = groups.get(key) ?? { members, weights: [] };
      group.weights.push(this.weights[e] as number);
      groups.set(key, group);
    });
    const merged = [...groups.values()];
    return new Hypergraph(
      this.vertexCount,
      merged.map((group) => group.members),
      merged.map((group) => mergeWeights(group.weights, rule)),
    );
  }

  /**
   * Adds hyperedges {v} of weight 1: for vertices in no hyperedge (`isolated`), or for each vertex
   * without such a self-loop (`all`). Default: `isolated`.
   */
  withSelfLoops(which: 'isolated' | 'all' = 'isolated'): Hypergraph {
    requireChoice('withSelfLoops', 'the vertices', which, ['isolated', 'all']);
    const covered = new Uint8Array(this.vertexCount);
    for (const members of this.hyperedges())
      if (which === 'isolated' || members.length === 1) for (const v of members) covered[v] = 1;
    const loops = Array.from(covered.keys())
      .filter((v) => !covered[v])
      .map((v) => [v]);
    if (loops.length === 0) return this;
    return new Hypergraph(this.vertexCount, [...this.hyperedges(), ...loops], [...this.weights, ...loops.map(() => 1)]);
  }

  /**
   * Induced sub-hypergraph of the given vertices, renumbered in the order given: hyperedges are
   * restricted to them, and dropped when empty.
   *
   * @throws RangeError naming the first that is no vertex or is given twice.
   */
  induced(vertices: ArrayLike<number>): Hypergraph {
    const renumbered = renumbering('Hypergraph.induced', vertices, this.vertexCount);
    const kept: { members: Int32Array; weight: number }[] = [];
    this.hyperedges().forEach((members, e) => {
      const inside = members.filter((v) => renumbered[v] !== -1).map((v) => renumbered[v] as number);
      if (inside.length > 0) kept.push({ members: inside, weight: this.weights[e] as number });
    });
    return new Hypergraph(
      vertices.length,
      kept.map(({ members }) => members),
      kept.map(({ weight }) => weight),
    );
  }

  /** The hyperedges of exactly k vertices. */
  ofSize(k: number): Hypergraph {
    const kept = this.hyperedges()
      .map((_, e) => e)
      .filter((e) => this.hyperedgeSizes[e] === k);
    return new Hypergraph(
      this.vertexCount,
      kept.map((e) => this.hyperedge(e)),
      kept.map((e) => this.weights[e] as number),
    );
  }

  /**
   * k-uniform section: every set of k vertices within a hyperedge, each once.
   *
   * @throws Error when there are more than `limit` sets (default 10⁷), counted with repeats.
   * @throws RangeError unless k is a positive integer.
   */
  kUniform(k: number, limit = 10_000_000): Hypergraph {
    if (!(Number.isInteger(k) && k >= 1))
      throw new RangeError(`Hypergraph.kUniform: k must be a positive integer, got ${k}`);
    const expected = this.hyperedgeSizes.reduce((total, size) => total + choose(size, k), 0);
    if (expected > limit)
      throw new Error(`Hypergraph.kUniform: up to ${expected} sets of ${k} vertices, more than the limit of ${limit}`);
    const sets = this.hyperedges().flatMap((members) => [...subsets(members, k)]);
    return new Hypergraph(this.vertexCount, sets).mergeDuplicates();
  }

  /**
   * Clique expansion: N×N, symmetric, zero diagonal; 1 where two vertices share a hyperedge, or
   * with `counts` the number of shared hyperedges. Default: `binary`.
   */
  cliqueExpansion(values: 'binary' | 'counts' = 'binary'): SparseMatrix {
    return this.#overlap(this.incidence, this.members, values);
  }

  /**
   * Line graph: M×M, symmetric, zero diagonal; 1 where two hyperedges share a vertex, or with
   * `counts` the number of shared vertices. Default: `binary`.
   */
  lineExpansion(values: 'binary' | 'counts' = 'binary'): SparseMatrix {
    return this.#overlap(this.members, this.incidence, values);
  }

  /**
   * Star expansion: bipartite adjacency of N vertices followed by M hyperedges; (N + M)×(N + M),
   * symmetric.
   */
  starExpansion(): SparseMatrix {
    const total = this.vertexCount + this.hyperedgeCount;
    const vertices = [...this.members.indices];
    const edges = this.hyperedges().flatMap((members, e) =>
      new Array<number>(members.length).fill(this.vertexCount + e),
    );
    return SparseMatrix.fromCoordinates(total, total, [...vertices, ...edges], [...edges, ...vertices]);
  }

  /** Off-diagonal part of A·Aᵀ, row by row, for a pattern A and its transpose. */
  #overlap(pattern: SparsePattern, transposed: SparsePattern, values: 'binary' | 'counts'): SparseMatrix {
    requireChoice('expansion', 'the values', values, ['binary', 'counts']);
    const rows: number[] = [];
    const columns: number[] = [];
    const counts: number[] = [];
    for (let row = 0; row < pattern.rows; row++) {
      const shared = new Map<number, number>();
      for (const middle of pattern.indices.subarray(pattern.indptr[row], pattern.indptr[row + 1])) {
        for (const other of transposed.indices.subarray(transposed.indptr[middle], transposed.indptr[middle + 1])) {
          if (other !== row) shared.set(other, (shared.get(other) ?? 0) + 1);
        }
      }
      for (const [other, count] of shared) {
        rows.push(row);
        columns.push(other);
        counts.push(count);
      }
    }
    return SparseMatrix.fromCoordinates(
      pattern.rows,
      pattern.rows,
      rows,
      columns,
      values === 'counts' ? counts : undefined,
    );
  }
}

/** Members one after the other. @throws RangeError for one that is no vertex */
function compressed(hyperedges: readonly ArrayLike<number>[], vertexCount: number): Compressed {
  const { offsets, size } = Segments.fromSizes(hyperedges.map((members) => members.length));
  const all = new Int32Array(size);
  hyperedges.forEach((members, e) => {
    for (let i = 0; i < members.length; i++)
      if (!isIndex(members[i] as number, vertexCount)) throw notAVertex(members[i], e, vertexCount);
    all.set(members, offsets[e]);
  });
  return { offsets, members: all };
}

/** Sorts the members of each hyperedge. @throws for an empty hyperedge and for wrong members */
function requireMembers(offsets: Int32Array, members: Int32Array, vertexCount: number): void {
  for (let e = 0; e + 1 < offsets.length; e++) {
    const [start, end] = [offsets[e] as number, offsets[e + 1] as number];
    if (start === end) throw new Error(`Hypergraph: hyperedge ${e} is empty`);
    let ascending = true;
    for (let i = start; i < end; i++) {
      const vertex = members[i] as number;
      if (vertex < 0 || vertex >= vertexCount) throw notAVertex(vertex, e, vertexCount);
      if (i > start && vertex <= (members[i - 1] as number)) ascending = false;
    }
    if (ascending) continue;
    const sorted = members.subarray(start, end).sort();
    const twice = sorted.find((vertex, index) => index > 0 && vertex === sorted[index - 1]);
    if (twice !== undefined) throw new Error(`Hypergraph: hyperedge ${e} holds vertex ${twice} twice`);
  }
}

function notAVertex(member: unknown, e: number, vertexCount: number): RangeError {
  return new RangeError(
    `Hypergraph: hyperedge ${e} holds vertex ${shown(member)}, outside 0…${vertexCount - 1} (vertices are integers)`,
  );
}

function checkedWeights(weights: ArrayLike<number> | undefined, count: number): Float32Array {
  if (!weights) return new Float32Array(count).fill(1);
  if (weights.length !== count) throw new Error(`Hypergraph: ${weights.length} weights for ${count} hyperedges`);
  for (let e = 0; e < count; e++)
    if (!isPositiveFloat(weights[e] as number))
      throw new RangeError(
        `Hypergraph: hyperedge ${e} has weight ${shown(weights[e])}; weights must be positive and finite as f32`,
      );
  return Float32Array.from(weights);
}

function mergeWeights(weights: readonly number[], rule: MergeRule): number {
  if (rule === 'max') return weights.reduce((a, b) => Math.max(a, b));
  const total = weights.reduce((a, b) => a + b);
  return rule === 'sum' ? total : total / weights.length;
}

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 0; i < k; i++) result = (result * (n - i)) / (i + 1);
  return k > n ? 0 : Math.round(result);
}

function* subsets(
  members: Int32Array,
  k: number,
  start = 0,
  chosen: readonly number[] = [],
): Generator<readonly number[]> {
  if (chosen.length === k) {
    yield chosen;
    return;
  }
  for (let i = start; i <= members.length - (k - chosen.length); i++)
    yield* subsets(members, k, i + 1, [...chosen, members[i] as number]);
}
