// What makes the vectors of FastRP good: the similarity matrix, or how it is reduced. The same
// matrix by a truncated singular value decomposition beside random projections, and matrices of
// other orders and exponents beside the same projection. And whether a setting that is chosen with
// few columns is good with many.

import type { MultiLabelGraph } from '../../data/index.js';
import {
  drawFastRPSettings,
  type FastRPOptions,
  fastRP,
  similaritySvd,
  sparseProjection,
  standardizeColumns,
} from '../../embedding/index.js';
import { eventTurn } from '../../engine/index.js';
import type { Graph } from '../../structure/index.js';
import { normalizeRows, Random, scope, type Tensor } from '../../tensor/index.js';
import type { Scores, StudyResults } from '../parts/contract.js';
import { joinStudies, noStudies, studyOf } from '../parts/studies.js';
import { innerLabelScore, judgedLabels, type LabelTask, labelTask } from './embeddings.js';

/** Columns of the trials, as in the paper. */
const TRIAL_DIM = 64;

/** The setting that the studies vary. */
export interface SimilaritySetting {
  readonly dim: number;
  readonly weights: readonly number[];
  readonly degreeExponent: number;
}

/** How much the studies measure. */
export interface StudyOptions {
  /** Share of the labelled nodes for training. */
  readonly share: number;
  /** Splits of the labelled nodes that the arms are scored on. */
  readonly studySplits: number;
  /** Settings tried with few and with many columns. */
  readonly transferTrials: number;
  /** How many columns are many. */
  readonly transferDim: number;
}

/** Names of the arms, and of their micro-F1 among the numbers that claims are computed on. */
export const ARMS = {
  projection: 'FastRP',
  svd: 'the same matrix, SVD',
  neighbours: 'P alone',
  neighboursSvd: 'P alone, SVD',
  three: 's = 3',
  dense: 's = 1',
  gaussian: 'Gaussian',
  withoutDegrees: 'β = 0',
  half: 'β = −0.5',
  whole: 'β = −1',
  second: 'P² alone',
  fourth: 'P⁴ alone',
  withoutRows: 'rows of the orders not normalised',
} as const;

type Arm = keyof typeof ARMS;

/** U·Σ with rows of length 1 and standardised columns, as FastRP's result has them. */
function svdTwin(graph: Graph, setting: Parameters<typeof similaritySvd>[1]): Tensor {
  return scope(() => standardizeColumns(normalizeRows(similaritySvd(graph, setting))));
}

function armsOf(graph: Graph, setting: SimilaritySetting, seed: number): Record<Arm, () => Tensor> {
  const projected = (own: FastRPOptions) => () => fastRP(graph, { ...setting, seed, ...own });
  const alone = { dim: setting.dim, weights: [1], degreeExponent: 0, seed };
  return {
    projection: projected({}),
    svd: () => svdTwin(graph, { ...setting, seed }),
    neighbours: projected(alone),
    neighboursSvd: () => svdTwin(graph, alone),
    three: projected({ sparsity: 3 }),
    dense: projected({ sparsity: 1 }),
    gaussian: projected({ entries: 'gaussian' }),
    withoutDegrees: projected({ degreeExponent: 0 }),
    half: projected({ degreeExponent: -0.5 }),
    whole: projected({ degreeExponent: -1 }),
    second: projected({ weights: [0, 1] }),
    fourth: projected({ weights: [0, 0, 0, 1] }),
    withoutRows: projected({ normalizeRows: false }),
  };
}

/**
 * Micro- and macro-F1 of each arm, means over splits; claims read the micro-F1 by arm, and as
 * `chosenExponent` that of the exponent below 0 that is best on training nodes.
 */
function armStudy(graph: Graph, tasks: readonly LabelTask[], setting: SimilaritySetting): StudyResults {
  const rows = Object.entries(armsOf(graph, setting, 0)).map(([arm, embed]) => {
    const embedding = embed();
    const scores = tasks.map((task) => {
      const { scores: own, inner } = judgedLabels(embedding, task);
      return { ...own, inner };
    });
    embedding.dispose();
    const mean = (metric: 'micro' | 'macro' | 'inner') =>
      scores.reduce((sum, own: Scores) => sum + (own[metric] as number), 0) / scores.length;
    return { arm: arm as Arm, micro: mean('micro'), macro: mean('macro'), inner: mean('inner') };
  });
  const negative = rows.filter(
    ({ arm }) => arm === 'half' || arm === 'whole' || (arm === 'projection' && setting.degreeExponent < 0),
  );
  const chosen = negative.reduce((best, own) => (own.inner > best.inner ? own : best));
  const n = graph.nodeCount;
  const { dim, weights, degreeExponent } = setting;
  const { nnz } = sparseProjection(n, dim, new Random(0));
  return studyOf(
    {
      title: 'Similarity matrix or reduction',
      note:
        `S = Σ α_k·P^k·L with α = (${weights.join(', ')}) and β = ${degreeExponent}, reduced to ${dim} columns: by a ` +
        'very sparse projection of its rows, by others, and by a truncated SVD of S itself, U·Σ with rows of length 1 ' +
        `and standardised columns. The same classifier on ${tasks.length} splits.`,
      columns: ['arm', 'micro-F1 (%)', 'macro-F1 (%)'],
      rows: rows.map(({ arm, micro, macro }) => [ARMS[arm], micro.toFixed(1), macro.toFixed(1)]),
    },
    {
      ...Object.fromEntries(rows.map(({ arm, micro }) => [arm, micro])),
      chosenExponent: chosen.micro,
      entries: (n * dim) / nnz,
    },
  );
}

/** Rank, among the settings, of the one that is best with few columns once there are many. */
async function transferStudy(graph: Graph, task: LabelTask, trials: number, dim: number): Promise<StudyResults> {
  const rows = [];
  for (const setting of drawFastRPSettings(trials, new Random(0).split('transfer'))) {
    const [few, many] = [TRIAL_DIM, dim].map((columns) =>
      scope(() => innerLabelScore(fastRP(graph, { ...setting, dim: columns, seed: 0 }), task)),
    ) as [number, number];
    rows.push({ ...setting, few, many });
    await eventTurn();
  }
  rows.sort((a, b) => b.few - a.few);
  const [best] = rows;
  const rank = 1 + rows.filter(({ many }) => many > (best?.many ?? 0)).length;
  const percent = (score: number) => (100 * score).toFixed(1);
  return studyOf(
    {
      title: 'Tuning with few columns',
      note:
        `Macro-F1 on splits of the training nodes of ${trials} settings, with ${TRIAL_DIM} and with ${dim} columns: ` +
        `the best of the former is number ${rank} of the latter.`,
      columns: ['α₄', 'β', `${TRIAL_DIM} columns (%)`, `${dim} columns (%)`],
      rows: rows.map(({ weights, degreeExponent, few, many }) => [
        (weights[3] as number).toFixed(2),
        degreeExponent.toFixed(2),
        percent(few),
        percent(many),
      ]),
    },
    { transferRank: rank },
  );
}

/** Facts on which the choice of weights depends, with the rows of each order that are all zero. */
export function graphStudy(graph: Graph, orders: number): StudyResults {
  const n = graph.nodeCount;
  const zeroRows = Array.from({ length: orders }, (_, at) => {
    const weights = Array.from({ length: at + 1 }, (__, order) => Number(order === at));
    return scope(() => {
      const values = fastRP(graph, { dim: 32, weights, degreeExponent: 0, standardize: false }).view();
      let zero = 0;
      for (let v = 0; v < n; v++) if (values.subarray(32 * v, 32 * (v + 1)).every((value) => value === 0)) zero += 1;
      return zero;
    });
  });
  const percent = (count: number) => `${((100 * count) / n).toFixed(1)} %`;
  return studyOf({
    title: 'The graph',
    note: 'A row of an order is zero where no projected node is reached: more columns or a denser projection mend it.',
    columns: [
      'nodes',
      'mean degree',
      'isolated',
      'components',
      ...zeroRows.map((_, at) => `zero rows, order ${at + 1}`),
    ],
    rows: [
      [
        n.toLocaleString('en'),
        ((graph.directed ? 1 : 2) * (graph.edgeCount / n)).toFixed(1),
        percent(graph.isolated.length),
        (Math.max(-1, ...new Set(graph.components)) + 1).toLocaleString('en'),
        ...zeroRows.map(percent),
      ],
    ],
  });
}

/** Studies of a graph, those of labels where it has them. */
export async function similarityStudies(
  { graph, labels }: MultiLabelGraph,
  setting: SimilaritySetting,
  { share, transferTrials, transferDim, studySplits }: StudyOptions,
): Promise<StudyResults> {
  const facts = graphStudy(graph, setting.weights.length);
  if (!labels) return joinStudies(facts, noStudies);
  const tasks = Array.from({ length: studySplits }, (_, i) => {
    const task = labelTask(labels, share, new Random(0).split('studies').split(i));
    return { ...task, splits: task.splits.slice(0, 1) };
  });
  return joinStudies(
    facts,
    armStudy(graph, tasks, setting),
    await transferStudy(graph, tasks[0] as LabelTask, transferTrials, transferDim),
  );
}
