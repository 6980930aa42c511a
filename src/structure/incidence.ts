// Incidence lists: (vertex, hyperedge, position). Unlike in `Hypergraph`, a vertex may occur in a
// hyperedge more than once.

import { isIndex, requireLimit, Segments, SparseMatrix, SparsePattern, shown } from '../sparse/index.js';
import { keep, type Tensor, tensor } from '../tensor/index.js';
import { Hypergraph } from './hypergraph.js';
import { memo } from './memo.js';

/** Incidences grouped by hyperedge or by vertex. */
export interface Grouping {
  /** Number of groups. */
  readonly count: number;
  /** Group of each incidence: i32 [nnz]. */
  readonly ids: Tensor;
  /** groups×nnz: row g holds the incidences of group g. */
  readonly pattern: SparsePattern;
  /** [groups, nnz]: mean over the incidences of each group. */
  readonly means: SparseMatrix;
}

/**
 * Incidences in the order of the hyperedges: offsets[e] … offsets[e + 1] − 1 belong to hyperedge e.
 */
export class IncidenceList {
  /** Incidences of each hyperedge, as segments. */
  readonly hyperedges: Segments;
  /** Vertex of each incidence [nnz]. */
  readonly vertices: Int32Array;

  /**
   * @param wholeDegrees of a sample: see `Hypergraph`
   * @throws RangeError naming the first incidence with a vertex outside 0 … N − 1.
   * @throws Error when the offsets do not end at the number of incidences.
   */
  constructor(
    readonly vertexCount: number,
    offsets: Int32Array,
    vertices: Int32Array,
    readonly wholeDegrees?: Float32Array,
  ) {
    this.hyperedges = new Segments(offsets);
    if (this.hyperedges.size !== vertices.length)
      throw new Error(`IncidenceList: the offsets end at ${this.hyperedges.size} of ${vertices.length} incidences`);
    this.vertices = vertices;
    requireLimit('IncidenceList', 'vertices', vertexCount);
    requireVertices(vertices, vertexCount);
  }

  /** From the vertices of each hyperedge, in order. */
  static fromLists(vertexCount: number, hyperedges: readonly ArrayLike<number>[]): IncidenceList {
    const { offsets } = Segments.fromSizes(hyperedges.map((members) => members.length));
    const vertices = hyperedges.flatMap((members) => Array.from(members));
    requireVertices(vertices, vertexCount);
    return new IncidenceList(vertexCount, offsets, Int32Array.from(vertices));
  }

  /** Number of incidences nnz. */
  get count(): number {
    return this.vertices.length;
  }

  /** Number of hyperedges M. */
  get hyperedgeCount(): number {
    return this.hyperedges.count;
  }

  /** Incidences grouped by hyperedge. */
  get byHyperedge(): Grouping {
    return memo(this, 'byHyperedge', () => consecutiveGroups(this.hyperedges));
  }

  /** Incidences grouped by vertex. */
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

  /**
   * The hypergraph of these incidences, with duplicate vertices of a hyperedge counted once and
   * empty hyperedges dropped.
   */
  get hypergraph(): Hypergraph {
    return memo(this, 'hypergraph', () => {
      const { offsets } = this.hyperedges;
      const lists = Array.from({ length: this.hyperedgeCount }, (_, e) => [
        ...new Set(this.vertices.subarray(offsets[e], offsets[e + 1])),
      ]);
      return new Hypergraph(
        this.vertexCount,
        lists.filter((members) => members.length > 0),
        undefined,
        this.wholeDegrees,
      );
    });
  }
}

/** Groups of consecutive incidences. */
export function consecutiveGroups(segments: Segments): Grouping {
  const order = Int32Array.from({ length: segments.size }, (_, i) => i);
  return grouping(segments.ids, new SparsePattern(segments.count, segments.size, segments.offsets, order));
}

function requireVertices(vertices: ArrayLike<number>, vertexCount: number): void {
  for (let i = 0; i < vertices.length; i++)
    if (!isIndex(vertices[i] as number, vertexCount))
      throw new RangeError(
        `IncidenceList: incidence ${i} has vertex ${shown(vertices[i])}, outside 0…${vertexCount - 1} (vertices are integers)`,
      );
}

function grouping(ids: Tensor, pattern: SparsePattern): Grouping {
  const { offsets } = pattern.segments;
  const shares = new Float32Array(pattern.nnz);
  for (let g = 0; g < pattern.rows; g++)
    shares.fill(1 / ((offsets[g + 1] as number) - (offsets[g] as number)), offsets[g], offsets[g + 1]);
  return { count: pattern.rows, ids, pattern, means: new SparseMatrix(pattern, keep(tensor(shares))) };
}
