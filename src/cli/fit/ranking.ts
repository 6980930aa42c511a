// Personalised PageRank of a person's own graph, kept to answer for its nodes.

import { type NodeClasses, nodeClasses, splitByShare } from '../../data/index.js';
import { loadAttributedGraph } from '../../data/node.js';
import {
  bestRows,
  classShares,
  pageRankBatches,
  RankModel,
  type RankModelDescription,
  type RankRows,
} from '../../embedding/index.js';
import { accuracy } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { tableOptionsOf } from '../tables.js';
import type { fullyPprOptions } from './graph-options.js';
import type { Fit } from './learner.js';

/**
 * Walks from every node; the rows that are kept rank nodes, and classify them where some have
 * classes.
 */
export const fitRanking: Fit<typeof fullyPprOptions> = async (path, request) => {
  const { values, target, directed = false, reading, random, seed, hooks, task } = request;
  const data = await loadAttributedGraph(path, { ...tableOptionsOf(reading), directed, target });
  const { graph, nodeNames, name } = data;
  const classes = task === 'classes' || target !== undefined ? nodeClasses(data, target) : undefined;
  const { alpha, walks, keep } = values;
  const { signal } = hooks;
  const rows = await bestRows(pageRankBatches(graph, { walks, alpha, seed, signal }), keep);
  const scores = classes ? scoresOf(rows, classes, random) : {};
  const description: RankModelDescription = {
    nodes: nodeNames,
    alpha,
    walks,
    kept: keep,
    directed,
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
