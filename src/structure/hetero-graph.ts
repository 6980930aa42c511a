// Heterogeneous graphs: nodes of several types, and relations of several kinds, each from the nodes
// of one type to those of another or of the same.
//
// A relation e from type s to type t has the pattern A_e ∈ {0, 1}^{n_t × n_s}: row v holds the
// sources of the edges that lead to v. Every relation between two types has its reverse; one within
// a type is made symmetric and is its own reverse.

import { isIndex, requireLimit, SparseMatrix, type SparsePattern, shown } from '../sparse/index.js';
import { memo } from './memo.js';
import { powers, scaled } from './operators.js';

/** The edges of a relation, as a heterogeneous graph is built from them. */
export interface RelationEdges {
  /** Type of the nodes that edges start from. */
  readonly source: string;
  /** Name of the relation. Default: both types with a hyphen, `author-paper`. */
  readonly name?: string;
  /** Type of the nodes that edges lead to. */
  readonly target: string;
  /** Start of each edge, 0 … n_s − 1. */
  readonly sources: ArrayLike<number>;
  /** End of each edge, 0 … n_t − 1. */
  readonly targets: ArrayLike<number>;
}

/** Edges of one kind, from the nodes of one type to those of another or of the same. */
export class Relation {
  #reverse: Relation | undefined;

  /** @param pattern A_e [n_t, n_s], ascending in each row */
  constructor(
    readonly source: string,
    readonly name: string,
    readonly target: string,
    readonly pattern: SparsePattern,
  ) {}

  /** Source type, name and target type in one text: `author writes paper`. */
  get key(): string {
    return `${this.source} ${this.name} ${this.target}`;
  }

  /** Number of edges; one within a type is stored in both directions and counts once. */
  get edgeCount(): number {
    const { nnz } = this.pattern;
    return this.isSymmetric ? (nnz + memo(this, 'loops', () => loopsOf(this.pattern))) / 2 : nnz;
  }

  /** Whether it is within one type, and its own reverse. */
  get isSymmetric(): boolean {
    return this.source === this.target;
  }

  /** The same edges from target to source, named `rev_…`; itself within one type. */
  get reverse(): Relation {
    if (this.isSymmetric) return this;
    if (!this.#reverse) {
      const name = this.name.startsWith(REVERSE) ? this.name.slice(REVERSE.length) : REVERSE + this.name;
      this.#reverse = new Relation(this.target, name, this.source, this.pattern.transposed().pattern);
      this.#reverse.#reverse = this;
    }
    return this.#reverse;
  }

  /**
   * M_e [n_t, n_s]: every target averages its sources; a target without sources gets 0.
   */
  get mean(): SparseMatrix {
    return memo(this, 'mean', () => {
      const matrix = new SparseMatrix(this.pattern);
      return scaled(matrix, powers(matrix.rowSums(), -1));
    });
  }
}

const REVERSE = 'rev_';

/** An immutable graph of typed nodes and relations. */
export class HeteroGraph {
  readonly #counts: ReadonlyMap<string, number>;

  private constructor(
    counts: ReadonlyMap<string, number>,
    /** The relations that were given, without their reverses. */
    readonly given: readonly Relation[],
    /** Edges that were given more than once, and count once. */
    readonly duplicateEdges: number,
  ) {
    this.#counts = counts;
  }

  /**
   * From the number of nodes of each type and the edges of each relation. Reverses are made; an
   * edge that is given more than once counts once.
   *
   * @throws Error for a type that is not there, a relation that is given twice under one name, or
   * one that holds the same edges as another between these types, in either direction: each would
   * count twice
   * @throws RangeError naming the relation and its first edge with an end that is no node
   */
  static fromRelations(counts: Readonly<Record<string, number>>, relations: readonly RelationEdges[]): HeteroGraph {
    const types = new Map(Object.entries(counts));
    for (const [type, count] of types) requireLimit('HeteroGraph', `nodes of type "${type}"`, count);
    const given: Relation[] = [];
    let duplicates = 0;
    for (const edges of relations) {
      const built = relationOf(types, edges);
      for (const other of given) requireDifferent(built, other);
      given.push(built);
      duplicates += edges.sources.length - built.edgeCount;
    }
    return new HeteroGraph(types, given, duplicates);
  }

  /** Names of the types of nodes, in the order given. */
  get types(): readonly string[] {
    return [...this.#counts.keys()];
  }

  /** Number of nodes of a type. @throws Error naming the types that there are */
  countOf(type: string): number {
    return requireType(this.#counts, type);
  }

  /** Number of nodes of all types. */
  get nodeCount(): number {
    return [...this.#counts.values()].reduce((total, count) => total + count, 0);
  }

  /** Number of edges, each counted once. */
  get edgeCount(): number {
    return this.given.reduce((total, own) => total + own.edgeCount, 0);
  }

  /** All relations: each that was given, followed by its reverse unless it is within one type. */
  get relations(): readonly Relation[] {
    return memo(this, 'relations', () => this.given.flatMap((own) => (own.isSymmetric ? [own] : [own, own.reverse])));
  }

  /** The relations that lead to a type. */
  into(type: string): readonly Relation[] {
    requireType(this.#counts, type);
    return this.relations.filter(({ target }) => target === type);
  }

  /** The same nodes with some of the relations that were given, in the order asked for. */
  withRelations(relations: readonly Relation[]): HeteroGraph {
    return new HeteroGraph(this.#counts, relations, this.duplicateEdges);
  }
}

function requireType(counts: ReadonlyMap<string, number>, type: string, what = 'HeteroGraph'): number {
  const count = counts.get(type);
  if (count === undefined)
    throw new Error(`${what}: there are no nodes of type "${type}", only of ${[...counts.keys()].join(', ')}`);
  return count;
}

function relationOf(
  counts: ReadonlyMap<string, number>,
  { source, target, name = `${source}-${target}`, sources, targets }: RelationEdges,
): Relation {
  const what = `HeteroGraph: relation "${name}"`;
  const [from, to] = [requireType(counts, source, what), requireType(counts, target, what)];
  if (sources.length !== targets.length)
    throw new Error(`${what}: ${sources.length} sources and ${targets.length} targets do not pair up`);
  const requireNode = (node: number, count: number, type: string, edge: number) => {
    if (!isIndex(node, count))
      throw new RangeError(`${what}: edge ${edge} names ${type} ${shown(node)}, outside 0…${count - 1}`);
  };
  for (let e = 0; e < sources.length; e++) {
    requireNode(sources[e] as number, from, source, e);
    requireNode(targets[e] as number, to, target, e);
  }
  if (source !== target) return new Relation(source, name, target, patternOf(to, from, targets, sources));
  const both = (first: ArrayLike<number>, second: ArrayLike<number>) => {
    const ends = new Int32Array(2 * first.length);
    ends.set(first);
    ends.set(second, first.length);
    return ends;
  };
  return new Relation(source, name, target, patternOf(to, from, both(targets, sources), both(sources, targets)));
}

function patternOf(rows: number, columns: number, rowOf: ArrayLike<number>, columnOf: ArrayLike<number>) {
  return SparseMatrix.fromCoordinates(rows, columns, rowOf, columnOf).pattern;
}

function loopsOf({ rows, indptr, indices }: SparsePattern): number {
  let loops = 0;
  for (let u = 0; u < rows; u++)
    for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) if (indices[e] === u) loops += 1;
  return loops;
}

/** @throws Error where two relations have one key or the same edges */
function requireDifferent(own: Relation, other: Relation): void {
  if (own.key === other.key || own.key === other.reverse.key)
    throw new Error(`HeteroGraph: relation "${own.name}" from ${own.source} to ${own.target} is given twice`);
  const [same, reversed] = [isEqual(own, other), isEqual(own, other.reverse)];
  if (!same && !reversed) return;
  throw new Error(
    `HeteroGraph: relation "${own.name}" holds the edges of "${other.name}"${same ? '' : ' reversed'}; leave one out${same ? '' : ', as reverses are made'}`,
  );
}

function isEqual(a: Relation, b: Relation): boolean {
  if (a.source !== b.source || a.target !== b.target || a.pattern.nnz !== b.pattern.nnz) return false;
  if (a.pattern.nnz === 0) return false;
  const equal = (x: Int32Array, y: Int32Array) => x.every((value, at) => value === y[at]);
  return equal(a.pattern.indptr, b.pattern.indptr) && equal(a.pattern.indices, b.pattern.indices);
}
