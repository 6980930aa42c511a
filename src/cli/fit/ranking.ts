// Personalised PageRank of a person's own graph, kept to answer for its nodes.

import { type NodeClasses, nodeClasses, splitByShare } from '../../data/index.js';
import { loadAttributedGraph } from '../../data/node.js';
import {
  allNodes,
  bestRows,
  classShares,
  pageRankBatches,
  RankModel,
  type RankModelDescription,
  type RankRows,
} from '../../embedding/index.js';
import { accuracy } from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import { type Random, type Tensor, tensor } from '../../tensor/index.js';
import { tableOptionsOf } from '../tables.js';
import type { fullyPprOptions } from './graph-options.js';
import type { Fit, FitRequest } from './learner.js';
import { type PartialResults, PartialStore, partLine } from './partial.js';

/**
 * Walks from every node; the rows that are kept rank nodes, and classify them where some have
 * classes.
 */
export const fitRanking: Fit<typeof fullyPprOptions> = async (path, request) => {
  const { values, target, directed = false, reading, random, seed, task } = request;
  const data = await loadAttributedGraph(path, { ...tableOptionsOf(reading), directed, target });
  const { graph, nodeNames, name } = data;
  const classes = task === 'classes' || target !== undefined ? nodeClasses(data, target) : undefined;
  const { alpha, walks, keep } = values;
  const rows = await walked(graph, request);
  if (!rows) return { file: () => new Uint8Array(), lines: [], scores: {}, stopped: 'aborted' };
  const scores = classes ? scoresOf(rows, classes, random) : {};
  const description: RankModelDescription = {
    nodes: nodeNames,
    alpha,
    walks,
    kept: keep,
    directed,
    seed,
    target: classes?.target ?? '',
    classes: classes?.classNames ?? [],
    trained: { data: name, edges: graph.edgeCount },
    scores,
  };
  const labels = classes?.labels ?? new Int32Array(graph.nodeCount).fill(-1);
  const model = new RankModel(description, rows, labels);
  return {
    file: () => model.save(),
    lines: [
      `${name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges`,
      `${walks} walks from each node; the ${keep} best nodes of each are kept, ${rows.targets.length} in all`,
      ...rankScoreLines(description),
    ],
    scores,
    stopped: 'completed',
  };
};

/** Seconds between saves of the rows so far. */
const SAVED_EVERY = 10;

/**
 * The best entries of all rows; those that an earlier run finished are taken from its checkpoint.
 *
 * @returns undefined after Ctrl-C, when the rows so far are saved
 */
async function walked(graph: Graph, request: FitRequest<typeof fullyPprOptions>): Promise<RankRows | undefined> {
  const { values, seed, hooks } = request;
  const { alpha, walks, keep } = values;
  const { signal, checkpoint } = hooks;
  const { successors, weights } = graph;
  const { indptr, indices } = successors;
  const store = new PartialStore(checkpoint, indptr, indices, weights ?? 'none', { alpha, walks, keep, seed });
  const before = rowsOf(store.load());
  const finished = before ? before.indptr.length - 1 : 0;
  const sources = allNodes(graph.nodeCount).subarray(finished);
  const line = partLine('walks from');
  let soFar = () => before;
  let saved = performance.now();
  const save = () => {
    const rows = soFar();
    if (rows) store.save({ values: [], tensors: tensorsOf(rows) });
    saved = performance.now();
  };
  const onProgress = (progress: { readonly sources: number }) => line(finished + progress.sources, graph.nodeCount);
  try {
    const batches = pageRankBatches(graph, { walks, alpha, seed, signal, sources, onProgress });
    return await bestRows(batches, keep, before, (rows) => {
      soFar = rows;
      if (performance.now() - saved > 1000 * SAVED_EVERY) save();
    });
  } catch (error) {
    if (!signal?.aborted) throw error;
    save();
    return undefined;
  }
}

function tensorsOf(rows: RankRows): Record<keyof RankRows, Tensor> {
  return { indptr: tensor(rows.indptr), targets: tensor(rows.targets), scores: tensor(rows.scores) };
}

function rowsOf(results: PartialResults | undefined): RankRows | undefined {
  const { indptr, targets, scores } = results?.tensors ?? {};
  return (
    indptr && targets && scores && { indptr: indptr.dataSync(), targets: targets.dataSync(), scores: scores.dataSync() }
  );
}

/** Accuracy on a fifth of the labelled nodes, whose labels are hidden. */
function scoresOf(rows: RankRows, { labels, classNames }: NodeClasses, random: Random): Record<string, number> {
  const { train, test } = splitByShare(labels, classNames.length, { train: 0.8, validation: 0 }, random.split('split'));
  if (test.length === 0) return {};
  const seen = new Int32Array(labels.length).fill(-1);
  for (const v of train) seen[v] = labels[v] as number;
  const shares = classShares(rows, seen, classNames.length);
  const counts = classNames.map((_, c) => seen.filter((label) => label === c).length);
  const frequent = counts.indexOf(Math.max(...counts));
  const predicted = labels.map((_, v) => {
    const own = shares.subarray(v * classNames.length, (v + 1) * classNames.length);
    const top = Math.max(...own);
    return top > 0 ? own.indexOf(top) : frequent;
  });
  const always = labels.map(() => frequent);
  return { accuracy: 100 * accuracy(predicted, labels, test), mostFrequent: 100 * accuracy(always, labels, test) };
}

/** Scores as lines of a terminal or of `gossamer info`. */
export function rankScoreLines({ target, scores }: RankModelDescription): string[] {
  if (scores.accuracy === undefined) return [];
  return [
    `"${target}" of nodes by where their walks end: accuracy on hidden labels ${scores.accuracy.toFixed(1)} %, the most frequent class ${scores.mostFrequent?.toFixed(1)} %`,
  ];
}
