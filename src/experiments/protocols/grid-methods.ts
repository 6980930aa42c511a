// GraphVite beside LINE, DeepWalk and node2vec on as many pairs each, and FastRP. Vectors are of
// the whole graph without labels; a linear layer on them is scored on shares of the labelled nodes.

import type { MultiLabelGraph } from '../../data/index.js';
import {
  deepWalk,
  fastRP,
  type GraphViteOptions,
  labelledNodes,
  line,
  linearProbe,
  linkArea,
  type MultiLabels,
  type NodeSplit,
  node2vec,
  type PairForm,
  type Pairs,
  splitNodes,
  standardizeColumns,
  startGraphVite,
} from '../../embedding/index.js';
import { type Graph, holdOutEdges, sampleNonEdges } from '../../structure/index.js';
import { Random, type Tensor, tensor } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { auc, macroF1, microF1, relabelled, seconds } from '../parts/metrics.js';
import { count, type OptionValues } from '../parts/options.js';
import { type Grid, type Setting, settingsOf } from '../parts/tuning.js';

export const gridMethodOptions = {
  dim: count(128, 'embedding dimension', { smoke: 16 }),
  pairs: count(6_000_000, 'pairs that each method trains on', { smoke: 100_000, minimum: 1000 }),
  trials: count(3, 'settings of each method, chosen between on half of the training nodes', { smoke: 1 }),
  splits: count(5, 'random splits of the labelled nodes in a seed', { smoke: 1 }),
  probe: count(400, 'most steps of the linear layer', { smoke: 40 }),
  parts: count(4, 'parts of the grid'),
};

export type GridOptions = OptionValues<typeof gridMethodOptions>;

/** Titles of the methods. */
export const GRID = {
  line: 'GraphVite',
  deepWalk: 'GraphVite, DeepWalk',
  node2vec: 'GraphVite, node2vec',
  single: 'GraphVite, one part',
} as const;
export const RIVALS = { line: 'LINE', deepWalk: 'DeepWalk', node2vec: 'node2vec', fastrp: 'FastRP' } as const;

/** Shares of the labelled nodes that train the linear layer; the smaller is part of the larger. */
const SHARES = { tenth: 0.1, half: 0.5 };
/** Share of the edges held out, and the most pairs that are scored. */
const HELD_OUT = 0.1;
const MOST_LINKS = 20_000;
/** Nodes of a walk of the baselines. */
const LENGTH = 40;

export const gridMetrics = {
  micro: microF1,
  macro: macroF1,
  micro50: relabelled(microF1, { label: 'micro-F1, half of the labels' }),
  macro50: relabelled(macroF1, { label: 'macro-F1, half of the labels' }),
  auc: relabelled(auc, { label: 'links, AUC' }),
  seconds: relabelled(seconds, { label: 'embedding', digits: 2 }),
};

/** V, and C where pairs are scored by V·C. */
export interface TrainedRows {
  readonly vertices: Tensor;
  readonly contexts: Tensor;
}

type Embed = (graph: Graph, setting: Setting, run: MethodRun) => Promise<TrainedRows>;

/** A method with the settings that it is tried with, the usual first. */
export interface GridMethod {
  readonly title: string;
  readonly settings: readonly Setting[];
  readonly embed: Embed;
}

/** Mean pairs of a walk of `length` nodes whose windows are uniform in 1 … window. */
export function pairsOfWalk(length: number, window: number): number {
  let total = 0;
  for (let reach = 1; reach <= window; reach++) total += 2 * length * reach - reach * (reach + 1);
  return total / window;
}

const alike = (vertices: Tensor): TrainedRows => ({ vertices, contexts: vertices });

/** GraphVite on so many pairs, with its contexts. */
export async function gridRows(
  graph: Graph,
  options: GraphViteOptions & { readonly pairs: number },
  signal?: AbortSignal,
): Promise<TrainedRows> {
  const { pairs, ...own } = options;
  const trainer = startGraphVite(graph, { batch: 500, ...own, epochs: pairs / graph.edgeCount });
  try {
    if ((await trainer.train({ signal })) === 'aborted') signal?.throwIfAborted();
    const nodes = Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
    const rows = (side: 'vertices' | 'contexts') =>
      tensor(trainer.rows(side, nodes), [graph.nodeCount, own.dim ?? 128]);
    return { vertices: rows('vertices'), contexts: rows('contexts') };
  } finally {
    trainer.dispose();
  }
}

/** All methods of a comparison. */
export function gridMethods({ dim, pairs, trials, parts }: GridOptions): GridMethod[] {
  const method = <S extends Setting>(
    title: string,
    grid: Grid<S>,
    embed: (
      graph: Graph,
      setting: S,
      common: { dim: number; seed: number; signal?: AbortSignal | undefined },
    ) => Promise<TrainedRows>,
  ): GridMethod => ({
    title,
    settings: settingsOf(grid, trials, new Random(0).split(title)),
    embed: (graph, setting, { seed, hooks: { signal } }) => embed(graph, setting as S, { dim, seed, signal }),
  });
  const grid = (title: string, form: PairForm, own: Partial<GraphViteOptions> = {}) =>
    method<{ step: number }>(title, { step: [2, 1, 3, 5] }, (graph, { step }, { signal, ...common }) =>
      gridRows(graph, { ...common, pairs, parts, form, step, ...own }, signal),
    );
  const walksOf = (graph: Graph, window: number) =>
    Math.max(1, Math.round(pairs / (graph.nodeCount * pairsOfWalk(LENGTH, window))));
  return [
    grid(GRID.line, 'line'),
    grid(GRID.single, 'line', { parts: 1 }),
    grid(GRID.deepWalk, 'deepwalk'),
    method<{ p: number; q: number }>(
      GRID.node2vec,
      { p: [1, 0.25, 4], q: [1, 0.25, 4] },
      (graph, { p, q }, { signal, ...common }) =>
        gridRows(graph, { ...common, pairs, parts, form: 'node2vec', step: 2, p, q }, signal),
    ),
    method<{ order: 'both' | 1 | 2; negatives: number }>(
      RIVALS.line,
      { order: ['both', 1, 2], negatives: [5, 1] },
      async (graph, setting, common) =>
        alike(
          await line(graph, {
            ...common,
            ...setting,
            dim: 2 * Math.ceil(dim / 2),
            samplesPerEdge: pairs / graph.edgeCount / (setting.order === 'both' ? 2 : 1),
          }),
        ),
    ),
    method<{ window: number; negatives: number }>(
      RIVALS.deepWalk,
      { window: [10, 5, 2], negatives: [5, 1] },
      async (graph, setting, common) =>
        alike(await deepWalk(graph, { ...common, ...setting, length: LENGTH, walks: walksOf(graph, setting.window) })),
    ),
    method<{ p: number; q: number; window: number }>(
      RIVALS.node2vec,
      { p: [1, 0.25, 4], q: [1, 0.25, 4], window: [10, 5] },
      async (graph, setting, common) =>
        alike(await node2vec(graph, { ...common, ...setting, length: LENGTH, walks: walksOf(graph, setting.window) })),
    ),
    method<{ degreeExponent: number; fourth: number }>(
      RIVALS.fastrp,
      { degreeExponent: [-0.64, 0, -0.3], fourth: [6.67, 1, 30] },
      async (graph, { degreeExponent, fourth }, { seed }) => {
        const vectors = fastRP(graph, { dim, seed, degreeExponent, weights: [0, 0, 1, fourth] });
        const standard = standardizeColumns(vectors);
        vectors.dispose();
        return alike(standard);
      },
    ),
  ];
}

/** Splits of the labelled nodes and held-out edges of one seed. */
export interface GridTask {
  readonly graph: Graph;
  readonly labels: MultiLabels | undefined;
  readonly splits: readonly { readonly tenth: NodeSplit; readonly half: NodeSplit; readonly inner: NodeSplit }[];
  readonly links: { readonly graph: Graph; readonly edges: Pairs; readonly nonEdges: Pairs };
}

export function gridTask({ graph, labels }: MultiLabelGraph, { splits }: GridOptions, random: Random): GridTask {
  const nodes = labels && labelledNodes(labels);
  const held = holdOutEdges(graph, HELD_OUT, random.split('held'));
  const edges = { sources: held.sources.subarray(0, MOST_LINKS), targets: held.targets.subarray(0, MOST_LINKS) };
  return {
    graph,
    labels,
    splits: Array.from({ length: nodes ? splits : 0 }, (_, i) => {
      const { key } = random.split('labels').split(i);
      // Of the same stream, the larger share holds the smaller.
      const [tenth, half] = [SHARES.tenth, SHARES.half].map((share) =>
        splitNodes(nodes as Int32Array, share, new Random(key)),
      ) as [NodeSplit, NodeSplit];
      return { tenth, half, inner: splitNodes(tenth.train, 0.5, random.split('inner').split(i)) };
    }),
    links: {
      graph: held.graph,
      edges,
      nonEdges: sampleNonEdges(graph, edges.sources.length, random.split('non-edges')),
    },
  };
}

interface Trained {
  readonly rows: readonly TrainedRows[];
  /** Mean seconds of training with one setting. */
  readonly seconds: number;
}

const dispose = ({ vertices, contexts }: TrainedRows) => {
  vertices.dispose();
  if (contexts !== vertices) contexts.dispose();
};

/**
 * Trains a method with each of its settings. Of every split the setting is chosen on halves of its
 * own training nodes; links are predicted with the usual setting, without the held-out edges.
 */
export function gridMethod(
  { title, settings, embed }: GridMethod,
  task: GridTask,
  { probe }: GridOptions,
): Method<Trained> {
  return {
    title,
    async train(run) {
      const started = performance.now();
      const rows: TrainedRows[] = [];
      for (const [at, setting] of settings.entries()) {
        rows.push(await embed(task.graph, setting, run));
        run.progress((at + 1) / (settings.length + 1));
      }
      return { rows, seconds: (performance.now() - started) / 1000 / settings.length };
    },
    async score({ rows, seconds: perSetting }, run) {
      const { graph, edges, nonEdges } = task.links;
      const blind = await embed(graph, settings[0] as Setting, run);
      const area = 100 * linkArea(blind.vertices, blind.contexts, edges, nonEdges);
      dispose(blind);
      const scores = labelScores(
        rows.map(({ vertices }) => vertices),
        task,
        probe,
      );
      for (const own of rows) dispose(own);
      return { ...scores, auc: area, seconds: perSetting };
    },
  };
}

/** Mean F1 in % over the splits, of the embedding that is best on the inner split of each. */
export function labelScores(
  embeddings: readonly Tensor[],
  { labels, splits }: Pick<GridTask, 'labels' | 'splits'>,
  probe: number,
): Scores {
  if (!labels || splits.length === 0) return {};
  const sums = { micro: 0, macro: 0, micro50: 0, macro50: 0 };
  for (const { tenth, half, inner } of splits) {
    const inside = embeddings.map((own) =>
      embeddings.length > 1 ? linearProbe(own, labels, inner, probe).microF1 : 0,
    );
    const chosen = embeddings[inside.indexOf(Math.max(...inside))] as Tensor;
    const [few, many] = [tenth, half].map((split) => linearProbe(chosen, labels, split, probe)) as [
      ReturnType<typeof linearProbe>,
      ReturnType<typeof linearProbe>,
    ];
    sums.micro += few.microF1;
    sums.macro += few.macroF1;
    sums.micro50 += many.microF1;
    sums.macro50 += many.macroF1;
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, (100 * sum) / splits.length]));
}
