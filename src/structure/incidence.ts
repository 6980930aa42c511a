// Incidences one by one: (vertex, hyperedge, position). Unlike a hypergraph's, a vertex may stand in a hyperedge more than once.

import { Segments, SparseMatrix, SparsePattern } from '../sparse/index.js';
import { keep, type Tensor, tensor } from '../tensor/index.js';
import { Hypergraph } from './hypergraph.js';
import { memo } from './memo.js';

/** Rows that belong together: the incidences of one hyperedge, or of one vertex. */
export interface Grouping {
  readonly count: number;
  /** The group of each incidence: i32 [nnz]. */
  readonly ids: Tensor;
  /** Stored rows of each group; columns are incidences. */
  readonly pattern: SparsePattern;
  /** [groups, nnz]: the mean over each group. */
  readonly means: SparseMatrix;
}

/** Incidences in the order of the hyperedges: those of hyperedge e are offsets[e] … offsets[e + 1] − 1. */
export class IncidenceList {
  readonly hyperedges: Segments;
  /** The vertex of each incidence. */
  readonly vertices: Int32Array;

  /** @throws RangeError naming the first hyperedge with a vertex outside 0 … N − 1. */
  constructor(
    readonly vertexCount: number,
    offsets: Int32Array,
    vertices: Int32Array,
  ) {
    this.hyperedges = new Segments(offsets);
    if (this.hyperedges.size !== vertices.length)
      throw new Error(`IncidenceList: the offsets end at ${this.hyperedges.size} of ${vertices.length} incidences`);
    this.vertices = vertices;
    const wrong = vertices.findIndex((v) => !(v >= 0 && v < vertexCount));
    if (wrong >= 0)
      throw new RangeError(
        `IncidenceList: incidence ${wrong} has vertex ${vertices[wrong]}, outside 0…${vertexCount - 1}`,
      );
  }

  static fromLists(vertexCount: number, hyperedges: readonly ArrayLike<number>[]): IncidenceList {
    const { offsets } = Segments.fromSizes(hyperedges.map((members) => members.length));
    return new IncidenceList(
      vertexCount,
      offsets,
      Int32Array.from(hyperedges.flatMap((members) => Array.from(members))),
    );
  }

  get count(): number {
    return this.vertices.length;
  }

  get hyperedgeCount(): number {
    return this.hyperedges.count;
  }

  get byHyperedge(): Grouping {
    return memo(this, 'byHyperedge', () => {
      const order = Int32Array.from({ length: this.count }, (_, i) => i);
      return grouping(
        this.hyperedges.ids,
        new SparsePattern(this.hyperedgeCount, this.count, this.hyperedges.offsets, order),
      );
    });
  }

  get byVertex(): Grouping {
    return memo(this, 'byVertex', () => {
      const rows = new SparsePattern(
        this.count,
        this.vertexCount,
        Int32Array.from({ length: this.count + 1 }, (_, i) => i),
        this.vertices,
      );
      return grouping(keep(tensor(this.vertices)), rows.transposed().pattern);
    });
  }

  /** The hypergraph of these incidences, a vertex counted once in a hyperedge; empty hyperedges are left out. */
  get hypergraph(): Hypergraph {
    return memo(this, 'hypergraph', () => {
      const { offsets } = this.hyperedges;
      const lists = Array.from({ length: this.hyperedgeCount }, (_, e) => [
        ...new Set(this.vertices.subarray(offsets[e], offsets[e + 1])),
      ]);
      return new Hypergraph(
        this.vertexCount,
        lists.filter((members) => members.length > 0),
      );
    });
  }
}

function grouping(ids: Tensor, pattern: SparsePattern): Grouping {
  const { offsets } = pattern.segments;
  const shares = new Float32Array(pattern.nnz);
  for (let g = 0; g < pattern.rows; g++)
    shares.fill(1 / ((offsets[g + 1] as number) - (offsets[g] as number)), offsets[g], offsets[g + 1]);
  return { count: pattern.rows, ids, pattern, means: new SparseMatrix(pattern, keep(tensor(shares))) };
}
