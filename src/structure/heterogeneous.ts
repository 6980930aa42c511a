// Heterogeneous directed hypergraphs: vertices have kinds, hyperedges have types, and an incidence
// has a role, for its vertex is a head or a tail of the hyperedge.

import { Segments, shown } from '../sparse/index.js';
import { disjointHypergraphs } from './disjoint.js';
import { Hypergraph } from './hypergraph.js';

/** Role of a vertex that a hyperedge starts from. */
export const HEAD = 0;
/** Role of a vertex that a hyperedge leads to. */
export const TAIL = 1;

/** A hyperedge from its heads to its tails. */
export interface DirectedHyperedge {
  /** Vertices in the role of heads. */
  readonly head: ArrayLike<number>;
  /** Vertices in the role of tails. */
  readonly tail: ArrayLike<number>;
  /** Type. Default: 0. */
  readonly type?: number;
}

/** An immutable hypergraph with kinds of vertices, types of hyperedges and roles of incidences. */
export class HeterogeneousHypergraph {
  /**
   * @param hypergraph who is in which hyperedge
   * @param roles of each incidence, in the order of `hypergraph.members`: HEAD or TAIL [nnz]
   * @param hyperedgeTypes type of each hyperedge [M]
   * @param vertexKinds kind of each vertex [N]
   * @throws Error when a length does not fit; RangeError for a role other than 0 and 1
   */
  constructor(
    readonly hypergraph: Hypergraph,
    readonly roles: Uint8Array,
    readonly hyperedgeTypes: Int32Array,
    readonly vertexKinds: Uint8Array,
  ) {
    const { nnz, hyperedgeCount, vertexCount } = hypergraph;
    requireLength('roles', roles, nnz, 'incidences');
    requireLength('types', hyperedgeTypes, hyperedgeCount, 'hyperedges');
    requireLength('kinds', vertexKinds, vertexCount, 'vertices');
    const wrong = roles.findIndex((role) => role !== HEAD && role !== TAIL);
    if (wrong >= 0)
      throw new RangeError(`HeterogeneousHypergraph: incidence ${wrong} has role ${shown(roles[wrong])}, not 0 or 1`);
  }

  /**
   * From heads and tails.
   *
   * @param vertexKinds Default: all 0.
   * @throws Error naming a hyperedge in which a vertex occurs twice, also as head and tail
   */
  static fromLists(
    vertexCount: number,
    hyperedges: readonly DirectedHyperedge[],
    vertexKinds: Uint8Array = new Uint8Array(vertexCount),
  ): HeterogeneousHypergraph {
    const lists = hyperedges.map(({ head, tail }) => [...Array.from(head), ...Array.from(tail)]);
    const hypergraph = new Hypergraph(vertexCount, lists);
    const roles = hyperedges.flatMap(({ head }, e) => {
      const heads = new Set(Array.from(head));
      return Array.from(hypergraph.hyperedge(e), (v) => (heads.has(v) ? HEAD : TAIL));
    });
    const types = Int32Array.from(hyperedges, ({ type = 0 }) => type);
    return new HeterogeneousHypergraph(hypergraph, Uint8Array.from(roles), types, vertexKinds);
  }

  /** Number of vertices N. */
  get vertexCount(): number {
    return this.hypergraph.vertexCount;
  }

  /** Number of hyperedges M. */
  get hyperedgeCount(): number {
    return this.hypergraph.hyperedgeCount;
  }

  /** Heads and tails of hyperedge e, ascending each. @throws RangeError unless there is one. */
  hyperedge(e: number): DirectedHyperedge {
    const members = this.hypergraph.hyperedge(e);
    const start = this.hypergraph.members.indptr[e] as number;
    const inRole = (role: number) => members.filter((_, at) => this.roles[start + at] === role);
    return { head: inRole(HEAD), tail: inRole(TAIL), type: this.hyperedgeTypes[e] as number };
  }

  /** Every hyperedge split into one of each head with each tail, of the same type. */
  pairwise(): HeterogeneousHypergraph {
    const pairs: DirectedHyperedge[] = [];
    for (let e = 0; e < this.hyperedgeCount; e++) {
      const { head, tail, type = 0 } = this.hyperedge(e);
      for (const from of Array.from(head))
        for (const to of Array.from(tail)) pairs.push({ head: [from], tail: [to], type });
    }
    return HeterogeneousHypergraph.fromLists(this.vertexCount, pairs, this.vertexKinds);
  }
}

/** The disjoint union of heterogeneous hypergraphs. */
export interface DisjointHeterogeneous {
  /** All vertices and hyperedges. */
  readonly union: HeterogeneousHypergraph;
  /** Vertices of each hypergraph. */
  readonly vertices: Segments;
  /** Hyperedges of each hypergraph. */
  readonly hyperedges: Segments;
}

/** Block-diagonal incidence, with the roles, types and kinds of all. */
export function disjointHeterogeneous(parts: readonly HeterogeneousHypergraph[]): DisjointHeterogeneous {
  const { hypergraph, vertices, hyperedges } = disjointHypergraphs(parts.map((part) => part.hypergraph));
  const roles = new Uint8Array(hypergraph.nnz);
  const incidences = Segments.fromSizes(parts.map((part) => part.hypergraph.nnz));
  const types = new Int32Array(hypergraph.hyperedgeCount);
  const kinds = new Uint8Array(hypergraph.vertexCount);
  parts.forEach((part, at) => {
    roles.set(part.roles, incidences.offsets[at]);
    types.set(part.hyperedgeTypes, hyperedges.offsets[at]);
    kinds.set(part.vertexKinds, vertices.offsets[at]);
  });
  return { union: new HeterogeneousHypergraph(hypergraph, roles, types, kinds), vertices, hyperedges };
}

function requireLength(what: string, values: ArrayLike<unknown>, expected: number, of: string): void {
  if (values.length !== expected)
    throw new Error(`HeterogeneousHypergraph: ${values.length} ${what} for ${expected} ${of}`);
}
