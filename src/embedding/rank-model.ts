// Personalised PageRank as a model: of each node the nodes that its walks end at most often, kept
// as sparse rows, which rank nodes for a node or a group of them, and give nodes the labels of
// those that are close.

import { type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import type { Graph } from '../structure/index.js';
import { type Tensor, tensor } from '../tensor/index.js';
import { type PageRankRows, pageRankBatches, topTargets } from './fully-ppr/index.js';

/** Name and version of the model file. */
export const RANK_MODEL: ModelKind = { system: 'fully-ppr', version: '1', madeBy: 'gossamer fit --model fully-ppr' };

/** What a file says beside the rows. */
export interface RankModelDescription {
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  /** Probability of stopping at each node. */
  readonly alpha: number;
  /** Walks from each node. */
  readonly walks: number;
  /** Entries of a row, at most. */
  readonly kept: number;
  /** Whether edges have a direction. */
  readonly directed: boolean;
  /** The attribute of classes; empty where there is none. */
  readonly target: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Seed of the walks; 42 in files that do not say. */
  readonly seed?: number;
  /** What it was made of. */
  readonly trained: { readonly data: string; readonly edges: number };
  /** Scores by name, in percent. */
  readonly scores: Readonly<Record<string, number>>;
}

/** Rows of scores: the entries of node u are indptr[u] … indptr[u + 1] − 1, best first. */
export interface RankRows {
  /** [n + 1] */
  readonly indptr: Int32Array;
  /** Node of each entry. */
  readonly targets: Int32Array;
  /** π̂ of each entry. */
  readonly scores: Float32Array;
}

/**
 * The best entries of each row, of all nodes in order, batch by batch.
 *
 * @param before rows of the first nodes, from a run that was cut off; batches are of the others
 * @param onBatch called after each batch with a function that gives the rows so far
 */
export async function bestRows(
  batches: AsyncIterable<PageRankRows>,
  kept: number,
  before?: RankRows,
  onBatch?: (rows: () => RankRows) => void,
): Promise<RankRows> {
  const ends = before ? [...before.indptr] : [0];
  const targets = before ? Array.from(before.targets) : [];
  const scores = before ? Array.from(before.scores) : [];
  const rowsSoFar = () => ({
    indptr: Int32Array.from(ends),
    targets: Int32Array.from(targets),
    scores: Float32Array.from(scores),
  });
  for await (const rows of batches) {
    rows.sources.forEach((_, i) => {
      for (const { node, score } of topTargets(rows, i, kept)) {
        targets.push(node);
        scores.push(score);
      }
      ends.push(targets.length);
    });
    onBatch?.(rowsSoFar);
  }
  return rowsSoFar();
}

/** A node with its score. */
export interface RankedNode {
  /** Number of the node. */
  readonly node: number;
  /** π̂ from the source, or the mean over several. */
  readonly score: number;
}

/**
 * The best nodes for walks that start at any of the sources alike, without the sources themselves;
 * ties in ascending order of the node.
 */
export function mixedRanking(
  { indptr, targets, scores }: RankRows,
  sources: readonly number[],
  count: number,
): RankedNode[] {
  const total = new Map<number, number>();
  for (const source of sources)
    for (let at = indptr[source] as number; at < (indptr[source + 1] as number); at++) {
      const node = targets[at] as number;
      total.set(node, (total.get(node) ?? 0) + (scores[at] as number) / sources.length);
    }
  for (const source of sources) total.delete(source);
  return Array.from(total, ([node, score]) => ({ node, score }))
    .sort((a, b) => b.score - a.score || a.node - b.node)
    .slice(0, count);
}

/**
 * Share of each class among the labelled nodes that walks from each node end at, itself left out
 * [n, classes], row after row; a row of zeros where they end at none.
 *
 * @param labels class of each node, −1 where unknown
 */
export function classShares({ indptr, targets, scores }: RankRows, labels: Int32Array, classes: number): Float32Array {
  const n = indptr.length - 1;
  const shares = new Float32Array(n * classes);
  for (let u = 0; u < n; u++) {
    let total = 0;
    for (let at = indptr[u] as number; at < (indptr[u + 1] as number); at++) {
      const [v, score] = [targets[at] as number, scores[at] as number];
      const label = labels[v] as number;
      if (v === u || label < 0) continue;
      shares[u * classes + label] = (shares[u * classes + label] as number) + score;
      total += score;
    }
    if (total > 0) for (let c = u * classes; c < (u + 1) * classes; c++) shares[c] = (shares[c] as number) / total;
  }
  return shares;
}

/** A graph that a model is asked about in place of its own. */
export interface ChangedGraph {
  /** The graph, directed as the model's own. */
  readonly graph: Graph;
  /** Names of its nodes, in order. */
  readonly nodes: readonly string[];
  /** Class of each node by the model's names of classes, −1 where unknown. */
  readonly labels: Int32Array;
  /** What messages call it. */
  readonly data: string;
}

/** Ranks nodes for nodes of its graph, and tells their classes. */
export class RankModel {
  readonly #numbers: ReadonlyMap<string, number>;

  /** @param labels class of each node, −1 where unknown */
  constructor(
    readonly description: RankModelDescription,
    readonly rows: RankRows,
    readonly labels: Int32Array,
  ) {
    this.#numbers = new Map(description.nodes.map((name, v) => [name, v]));
  }

  /** The number of a node. @throws Error for a name that the graph did not have */
  node(name: string): number {
    const found = this.#numbers.get(name);
    if (found === undefined)
      throw new Error(
        `"${name}" is no node of "${this.description.trained.data}", of which the model keeps the rows; to ask about it, give the graph that holds it too`,
      );
    return found;
  }

  /**
   * The model with a graph that has changed in place of its own: rows of some nodes, by as many
   * walks as before. Nodes that the model knows by name keep their class where the graph has none.
   *
   * @param asked names of the nodes whose rows are wanted; the others have none
   * @throws Error for a name that the graph does not have
   */
  async on({ graph, nodes, labels, data }: ChangedGraph, asked: readonly string[]): Promise<RankModel> {
    const { alpha, walks, kept, seed } = this.description;
    const known = Int32Array.from(nodes, (name, v) => {
      const before = this.#numbers.get(name);
      return (labels[v] as number) >= 0 || before === undefined
        ? (labels[v] as number)
        : (this.labels[before] as number);
    });
    const description = { ...this.description, nodes, trained: { data, edges: graph.edgeCount } };
    const empty = { indptr: new Int32Array(nodes.length + 1), targets: new Int32Array(0), scores: new Float32Array(0) };
    const bare = new RankModel(description, empty, known);
    const sources = Int32Array.from(new Set(asked.map((name) => bare.node(name)))).sort();
    const walked = { alpha, walks, sources, ...(seed !== undefined && { seed }) };
    const rows = await bestRows(pageRankBatches(graph, walked), kept);
    const indptr = new Int32Array(nodes.length + 1);
    for (const [i, v] of sources.entries()) indptr[v + 1] = (rows.indptr[i + 1] as number) - (rows.indptr[i] as number);
    for (let v = 0; v < nodes.length; v++) indptr[v + 1] = (indptr[v + 1] as number) + (indptr[v] as number);
    return new RankModel(description, { ...rows, indptr }, known);
  }

  /** The model as a file. */
  save(): Uint8Array {
    const { indptr, targets, scores } = this.rows;
    return writeModelFile(RANK_MODEL, this.description, {
      indptr: tensor(indptr),
      targets: tensor(targets),
      scores: tensor(scores),
      labels: tensor(this.labels),
    });
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): RankModel {
    const { description, tensors } = readModelFile<RankModelDescription>(RANK_MODEL, bytes, name);
    const read = <T>(key: string) => {
      const found: Tensor | undefined = tensors[key];
      if (!found) throw new Error(`file "${name}" is damaged: it lacks "${key}"`);
      return found.dataSync() as T;
    };
    const rows = {
      indptr: read<Int32Array>('indptr'),
      targets: read<Int32Array>('targets'),
      scores: read<Float32Array>('scores'),
    };
    return new RankModel(description, rows, read<Int32Array>('labels'));
  }
}
