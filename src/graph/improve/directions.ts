// Directions of noisy arcs estimated again: belief propagation of the classes of nodes over arcs
// whose directions depend on the classes of both ends. An arc is judged by what its ends are
// believed to be apart from it, so that none is asked about itself, and within a class, where
// directions tell nothing, none is turned.
//
//   b_{u∖v}(a) ∝ p_u(a)·Π_{w ≠ v} m_{w→u}(a)
//   m_{u→v}(b) ∝ Σ_a b_{u∖v}(a)·C_ab   along an arc u → v,   Σ_a b_{u∖v}(a)·C_ba   against one
//
// C_ab is the share of the arcs between classes a and b that lead to b, from the same beliefs
// (expectation–maximisation); C_aa = ½.

import type { Graph } from '../../structure/index.js';

/** Options of `estimatedDirections`. */
export interface DirectionOptions {
  /** Rounds of messages at most. Default: 100. */
  readonly rounds?: number;
  /** Largest change of a message at which they end. Default: 1e-3. */
  readonly tolerance?: number;
}

/** What is estimated. */
export interface EstimatedDirections {
  /** Probability that each stored arc leads as it should [nnz]; 1 of reciprocal arcs and loops. */
  readonly forward: Float32Array;
  /** C of the arcs as they are [classes²], row after row. */
  readonly compatibility: Float64Array;
  /** Probability of each class of each node by all arcs [n·classes], row after row. */
  readonly beliefs: Float64Array;
}

/** Share of a message that stays, so that messages of both ways do not swing. */
const DAMPING = 0.5;
/** Arcs of either way between two classes that count as seen beforehand. */
const PRIOR_ARCS = 1;
/** Least probability of a class: no belief is certain. */
const FLOOR = 1e-4;

/**
 * Probability that each arc leads as it should where a share of them was turned around. Of true
 * arcs between classes a and b a share t_ab = (C_ab − noise)/(1 − 2·noise) leads to b; an arc that
 * is seen to do so is right with the probability t·(1 − noise)/(t·(1 − noise) + (1 − t)·noise).
 * `reoriented` turns those that are more probably wrong.
 *
 * @param own probability of each class of each node by itself [n·classes], row after row: see
 * `withKnownClasses`
 * @param noise share of the arcs that are believed to be turned, from 0 to below ½
 * @throws RangeError for another share, or unless `own` has a row for each node
 */
export function estimatedDirections(
  graph: Graph,
  own: ArrayLike<number>,
  noise: number,
  { rounds = 100, tolerance = 1e-3 }: DirectionOptions = {},
): EstimatedDirections {
  if (!(noise >= 0 && noise < 0.5))
    throw new RangeError(`estimatedDirections: less than half of the arcs are turned, got a share of ${noise}`);
  const classes = own.length / graph.nodeCount;
  if (!(Number.isInteger(classes) && classes >= 2))
    throw new RangeError(`estimatedDirections: ${own.length} probabilities are no rows of ${graph.nodeCount} nodes`);
  const messages = new Messages(graph, own, classes);
  let compatibility: Float64Array = new Float64Array(classes * classes).fill(0.5);
  for (let round = 0; round < rounds; round++) {
    compatibility = messages.compatibility(compatibility);
    if (messages.send(compatibility) < tolerance) break;
  }
  const truth = compatibility.map((share) => Math.min(1, Math.max(0, (share - noise) / (1 - 2 * noise))));
  const forward = new Float32Array(graph.successors.nnz).fill(1);
  messages.expected(truth).forEach((t, arc) => {
    const [right, wrong] = [t * (1 - noise), (1 - t) * noise];
    forward[messages.entries[arc] as number] = right / (right + wrong);
  });
  return { forward, compatibility, beliefs: messages.beliefs() };
}

/**
 * Class probabilities with those of known nodes made certain: what `estimatedDirections` asks for,
 * from a classifier of features alone and the labels of training nodes.
 *
 * @param probabilities [n·classes], row after row
 * @param labels class of each node, read at `rows` alone
 */
export function withKnownClasses(probabilities: ArrayLike<number>, labels: Int32Array, rows: Int32Array): Float32Array {
  const known = Float32Array.from(probabilities);
  const classes = known.length / labels.length;
  for (const v of rows) {
    known.fill(0, v * classes, (v + 1) * classes);
    known[v * classes + (labels[v] as number)] = 1;
  }
  return known;
}

/** Messages along one-way arcs and against them: probabilities of classes [arcs·classes]. */
class Messages {
  /** Place of each one-way arc among the stored ones. */
  readonly entries: Int32Array;
  readonly #sources: Int32Array;
  readonly #targets: Int32Array;
  /** log p_v(a) [n·classes]. */
  readonly #own: Float64Array;
  readonly #along: Float64Array;
  readonly #against: Float64Array;
  /** Beliefs in the source and in the target of each arc, apart from it. */
  readonly #first: Float64Array;
  readonly #second: Float64Array;

  constructor(
    graph: Graph,
    own: ArrayLike<number>,
    readonly classes: number,
  ) {
    const [sources, targets, entries] = [[] as number[], [] as number[], [] as number[]];
    graph.forEachEntry((u, v, _, entry) => {
      if (u === v || graph.hasEdge(v, u)) return;
      sources.push(u);
      targets.push(v);
      entries.push(entry);
    });
    this.#sources = Int32Array.from(sources);
    this.#targets = Int32Array.from(targets);
    this.entries = Int32Array.from(entries);
    this.#own = Float64Array.from(own, (p) => Math.log(Math.max(p, FLOOR)));
    const uniform = () => new Float64Array(entries.length * classes).fill(1 / classes);
    [this.#along, this.#against] = [uniform(), uniform()];
    [this.#first, this.#second] = [uniform(), uniform()];
    this.#readEnds();
  }

  /** C from the beliefs in both ends of each arc, given the C before it. */
  compatibility(before: Float64Array): Float64Array {
    const k = this.classes;
    const counts = new Float64Array(k * k);
    const joint = new Float64Array(k * k);
    for (let e = 0; e < this.entries.length; e++) {
      let total = 0;
      for (let a = 0; a < k; a++)
        for (let b = 0; b < k; b++) {
          const both = (this.#first[e * k + a] as number) * (this.#second[e * k + b] as number);
          joint[a * k + b] = both * (before[a * k + b] as number);
          total += joint[a * k + b] as number;
        }
      for (let i = 0; i < k * k; i++) counts[i] = (counts[i] as number) + (joint[i] as number) / total;
    }
    return counts.map((count, i) => {
      const reverse = counts[(i % k) * k + Math.floor(i / k)] as number;
      return (count + PRIOR_ARCS) / (count + reverse + 2 * PRIOR_ARCS);
    });
  }

  /** Sends all messages, and reads what the ends of arcs then are. Returns the largest change. */
  send(compatibility: Float64Array): number {
    const k = this.classes;
    const fresh = new Float64Array(k);
    let change = 0;
    /** Element (a, b) of C at a·rowStep + b·columnStep. */
    const sendAll = (to: Float64Array, from: Float64Array, rowStep: number, columnStep: number) => {
      for (let start = 0; start < to.length; start += k) {
        let total = 0;
        for (let b = 0; b < k; b++) {
          let sum = 0;
          for (let a = 0; a < k; a++)
            sum += (from[start + a] as number) * (compatibility[a * rowStep + b * columnStep] as number);
          fresh[b] = sum;
          total += sum;
        }
        for (let b = 0; b < k; b++) {
          const known = to[start + b] as number;
          const next = DAMPING * known + ((1 - DAMPING) * (fresh[b] as number)) / total;
          change = Math.max(change, Math.abs(next - known));
          to[start + b] = next;
        }
      }
    };
    sendAll(this.#along, this.#first, k, 1);
    sendAll(this.#against, this.#second, 1, k);
    this.#readEnds();
    return change;
  }

  /** Σ_ab b_{u∖v}(a)·b_{v∖u}(b)·T_ab of each arc u → v. */
  expected(table: Float64Array): Float64Array {
    const k = this.classes;
    return Float64Array.from(this.entries, (_, e) => {
      let sum = 0;
      for (let a = 0; a < k; a++)
        for (let b = 0; b < k; b++) {
          const both = (this.#first[e * k + a] as number) * (this.#second[e * k + b] as number);
          sum += both * (table[a * k + b] as number);
        }
      return sum;
    });
  }

  /** Beliefs by all arcs [n·classes]. */
  beliefs(): Float64Array {
    const sums = this.#sums();
    for (let v = 0; v < sums.length; v += this.classes) normalise(sums, v, this.classes);
    return sums;
  }

  /** log p_v(a) + Σ_w log m_{w→v}(a). */
  #sums(): Float64Array {
    const k = this.classes;
    const sums = this.#own.slice();
    for (let e = 0; e < this.entries.length; e++)
      for (let a = 0; a < k; a++) {
        const [source, target] = [(this.#sources[e] as number) * k + a, (this.#targets[e] as number) * k + a];
        sums[target] = (sums[target] as number) + Math.log(this.#along[e * k + a] as number);
        sums[source] = (sums[source] as number) + Math.log(this.#against[e * k + a] as number);
      }
    return sums;
  }

  /** Takes each arc's own messages out of the beliefs in its ends. */
  #readEnds(): void {
    const k = this.classes;
    const sums = this.#sums();
    for (let e = 0; e < this.entries.length; e++) {
      const [source, target] = [(this.#sources[e] as number) * k, (this.#targets[e] as number) * k];
      for (let a = 0; a < k; a++) {
        const at = e * k + a;
        this.#first[at] = (sums[source + a] as number) - Math.log(this.#against[at] as number);
        this.#second[at] = (sums[target + a] as number) - Math.log(this.#along[at] as number);
      }
      normalise(this.#first, e * k, k);
      normalise(this.#second, e * k, k);
    }
  }
}

/** Logarithms of some numbers, from a place on, to probabilities, in place. */
function normalise(values: Float64Array, start: number, count: number): void {
  let [largest, total] = [Number.NEGATIVE_INFINITY, 0];
  for (let i = start; i < start + count; i++) largest = Math.max(largest, values[i] as number);
  for (let i = start; i < start + count; i++) {
    values[i] = Math.exp((values[i] as number) - largest);
    total += values[i] as number;
  }
  for (let i = start; i < start + count; i++) values[i] = (values[i] as number) / total;
}
