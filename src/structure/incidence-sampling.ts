// Mini-batches of hyperedges: the incidences that some hyperedges depend on, step by step.

import { keep, type Random, type Tensor, tensor } from '../tensor/index.js';
import { IncidenceList } from './incidence.js';

/** A level of a sample, inside the level that was grown from it. */
export interface IncidenceLevel {
  /** The incidences of this level; vertices are numbered as in the whole sample. */
  readonly incidences: IncidenceList;
  /** Place of each incidence in the level around this one: i32 [nnz]. */
  readonly rows: Tensor;
  /**
   * What the level around this one completes: the vertices of this level have all hyperedges that
   * were sampled for them there, or the hyperedges all their members.
   */
  readonly grown: 'vertices' | 'hyperedges';
}

/** The incidences within some steps of some hyperedges. */
export interface IncidenceSample {
  /** All incidences reached, in the order of the whole list. */
  readonly incidences: IncidenceList;
  /** Number of each vertex in the whole list. */
  readonly vertices: Int32Array;
  /** Index of each incidence in the whole list. */
  readonly rows: Int32Array;
  /** The levels inside, down to the hyperedges that were asked for. */
  readonly levels: readonly IncidenceLevel[];
  /** Place among `rows` of each incidence of the hyperedges that were asked for: i32. */
  readonly asked: Tensor;
}

/** Share of the cap for vertices that are not in the hyperedges asked for. */
const DISTANT_SHARE = 1 / 4;

/**
 * Draws the neighbourhoods of hyperedges. Steps alternate: the first adds other incidences of the
 * vertices reached, at most `cap` for each vertex, those already reached among them; the second
 * completes the hyperedges reached; and so on. For vertices reached in later steps a quarter of the
 * cap holds, since their number grows with each.
 */
export class IncidenceSampler {
  readonly #hyperedgeOf: ArrayLike<number>;
  readonly #reached: Uint8Array;
  readonly #doneVertices: Uint8Array;
  readonly #doneHyperedges: Uint8Array;
  readonly #numbers: Int32Array;

  /**
   * @param cap most incidences of a vertex. Default: all
   * @throws RangeError when the cap is below 1
   */
  constructor(
    readonly whole: IncidenceList,
    readonly cap = Number.POSITIVE_INFINITY,
  ) {
    if (!(cap >= 1)) throw new RangeError(`IncidenceSampler: the cap must be at least 1, got ${cap}`);
    this.#hyperedgeOf = whole.hyperedges.ids.dataSync<Int32Array>();
    this.#reached = new Uint8Array(whole.count);
    this.#doneVertices = new Uint8Array(whole.vertexCount);
    this.#doneHyperedges = new Uint8Array(whole.hyperedgeCount);
    this.#numbers = new Int32Array(whole.vertexCount);
  }

  /** The incidences within `steps` steps of the given hyperedges. */
  sample(hyperedges: ArrayLike<number>, steps: number, random: Random): IncidenceSample {
    const found: number[] = [];
    const add = (row: number) => {
      if (this.#reached[row]) return;
      this.#reached[row] = 1;
      found.push(row);
    };
    for (let i = 0; i < hyperedges.length; i++) this.#complete(hyperedges[i] as number, add);
    const sorted = [Int32Array.from(found).sort()];
    for (let step = 0, frontier = 0; step < steps; step++) {
      const fresh = found.slice(frontier).sort((a, b) => a - b);
      frontier = found.length;
      const cap = step === 0 ? this.cap : Math.ceil(DISTANT_SHARE * this.cap);
      for (const row of fresh)
        if (step % 2 === 0) this.#expand(this.whole.vertices[row] as number, cap, add, random);
        else this.#complete(this.#hyperedgeOf[row] as number, add);
      sorted.push(Int32Array.from(found).sort());
    }
    const sample = this.#numbered(sorted);
    this.#clear(found);
    return sample;
  }

  #complete(hyperedge: number, add: (row: number) => void): void {
    if (this.#doneHyperedges[hyperedge]) return;
    this.#doneHyperedges[hyperedge] = 1;
    const { offsets } = this.whole.hyperedges;
    for (let row = offsets[hyperedge] as number; row < (offsets[hyperedge + 1] as number); row++) add(row);
  }

  #expand(vertex: number, cap: number, add: (row: number) => void, random: Random): void {
    if (this.#doneVertices[vertex]) return;
    this.#doneVertices[vertex] = 1;
    const { indptr, indices } = this.whole.byVertex.pattern;
    const all = indices.subarray(indptr[vertex], indptr[vertex + 1]);
    const others = all.filter((row) => !this.#reached[row]);
    const room = Math.max(0, cap - (all.length - others.length));
    if (others.length <= room) others.forEach(add);
    else for (const at of random.sample(others.length, room)) add(others[at] as number);
  }

  /** Levels from the outermost in, with vertices numbered from 0. */
  #numbered(sorted: readonly Int32Array[]): IncidenceSample {
    const rows = sorted.at(-1) as Int32Array;
    const vertices = Int32Array.from(new Set(rows.map((row) => this.whole.vertices[row] as number))).sort();
    vertices.forEach((vertex, number) => {
      this.#numbers[vertex] = number;
    });
    const whole = this.whole.hypergraph.vertexDegrees;
    const degrees = Float32Array.from(vertices, (vertex) => whole[vertex] as number);
    const levels = sorted.slice(0, -1).map((inner, step): IncidenceLevel => {
      return {
        incidences: this.#listOf(inner, vertices.length, degrees),
        rows: keep(tensor(places(inner, sorted[step + 1] as Int32Array))),
        grown: step % 2 === 0 ? 'vertices' : 'hyperedges',
      };
    });
    return {
      incidences: this.#listOf(rows, vertices.length, degrees),
      vertices,
      rows,
      levels: levels.reverse(),
      asked: keep(tensor(places(sorted[0] as Int32Array, rows))),
    };
  }

  #listOf(rows: Int32Array, vertexCount: number, degrees: Float32Array): IncidenceList {
    const offsets: number[] = [];
    rows.forEach((row, at) => {
      if (at === 0 || this.#hyperedgeOf[row] !== this.#hyperedgeOf[rows[at - 1] as number]) offsets.push(at);
    });
    offsets.push(rows.length);
    const vertices = rows.map((row) => this.#numbers[this.whole.vertices[row] as number] as number);
    return new IncidenceList(vertexCount, Int32Array.from(offsets), vertices, degrees);
  }

  #clear(found: readonly number[]): void {
    for (const row of found) {
      this.#reached[row] = 0;
      this.#doneVertices[this.whole.vertices[row] as number] = 0;
      this.#doneHyperedges[this.#hyperedgeOf[row] as number] = 0;
    }
  }
}

/** Place in `outer` of each element of `inner`, both ascending, one within the other. */
function places(inner: Int32Array, outer: Int32Array): Int32Array {
  let at = 0;
  return inner.map((row) => {
    while (outer[at] !== row) at += 1;
    return at;
  });
}
