// Classification of tables: methods cross-validated on the same folds of one table or several, and
// ranked.

import { type Column, type LabelledTable, namesOf, tableGroups } from '../../data/index.js';
import { loadTables, type NamedTable } from '../../data/node.js';
import { secondsInTurns } from '../../engine/index.js';
import {
  type FoldScore,
  type MethodOptions,
  type TableMethod,
  TableModel,
  tableMethods,
} from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import { predictionTable } from '../parts/artifacts.js';
import type { Artifacts, MethodScores, Metric, RunContext, Scores } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { balancedAccuracy, relabelled } from '../parts/metrics.js';
import { ranksOf } from '../parts/ranks.js';
import type { Setting } from '../parts/scores.js';
import { summarize } from '../parts/statistics.js';
import { chooseOptions, crossValidateTuned, settingsFor, type TableTuning, tableSpaces } from './table-spaces.js';

/** `needle`, groups of tables, and known tables. */
export const tableSources: readonly string[] = ['needle', ...Object.keys(tableGroups), ...namesOf('table')];

/** Balanced accuracy on each table of the groups. */
export const tableMetrics: Readonly<Record<string, Metric>> = Object.fromEntries(
  Object.values(tableGroups)
    .flat()
    .map((name) => [name, relabelled(balancedAccuracy, { label: name.replaceAll('_', ' ') })]),
);

/**
 * Fifty rows of fifty columns: the first column is the class, drawn from 0 … 4, the others are
 * noise from U(0, 1).
 */
function needle(): LabelledTable {
  const random = new Random(0).split('needle');
  const [rows, width, classes] = [50, 50, 5];
  const labels = Int32Array.from({ length: rows }, () => random.integer(classes));
  const columns = Array.from(
    { length: width },
    (_, c): Column => ({
      name: `x${c}`,
      kind: 'number',
      values: Float64Array.from({ length: rows }, (_, row) => (c === 0 ? (labels[row] as number) : random.float())),
    }),
  );
  return { table: { rows, columns }, labels, classes: Array.from({ length: classes }, (_, c) => String(c)) };
}

export async function loadTableSource(source: string): Promise<readonly NamedTable[]> {
  return source === 'needle' ? [{ name: source, labelled: needle() }] : await loadTables(source);
}

export function describeTables(tables: readonly NamedTable[]): string {
  return tables
    .map(({ name, labelled: { table, classes } }) => {
      return `${name}: ${table.rows} × ${table.columns.length}, ${classes.length} classes`;
    })
    .join('; ');
}

/** Scores of the folds, table after table. */
type TableFolds = readonly (readonly FoldScore[])[];

/**
 * The chosen settings of all folds: the values of each hyperparameter and how often they were
 * chosen.
 */
function chosenOf(method: TableMethod, folds: readonly FoldScore[]): Setting {
  const names = Object.keys(tableSpaces[method]);
  const valuesOf = (name: string) => {
    const own = folds.map(({ options }) => String((options as Setting)[name] ?? 'default'));
    const distinct = [...new Set(own)];
    if (distinct.length === 1) return distinct[0] as string;
    return distinct.map((value) => `${value} (${own.filter((other) => other === value).length})`).join('/');
  };
  return Object.fromEntries(names.map((name) => [name, valuesOf(name)]));
}

function tableMethod(
  method: TableMethod,
  tables: readonly NamedTable[],
  { folds, tuning }: ComparisonOptions,
): Method<TableFolds> {
  return {
    title: tableMethods[method].title,
    async train({ random, hooks: { signal }, progress, chose }) {
      const scores: FoldScore[][] = [];
      for (const [at, { name, labelled }] of tables.entries()) {
        const onProgress = (share: number) => progress((at + share) / tables.length);
        const own = random.split(name);
        scores.push(await crossValidateTuned(labelled, method, tuning, own, { folds, signal, onProgress }));
      }
      chose({ trials: settingsFor(method, tuning).length, setting: chosenOf(method, scores.flat()) });
      return scores;
    },
    ...(method === 'hypertab' && {
      score: async (scores, { random }) => ({ cost: await costOf(tables, scores, random) }),
    }),
  };
}

/** Trees of the forest that times are measured against. */
const REFERENCE_TREES = 300;

/**
 * Time of training HyperTab, with the setting chosen in the first fold, as a multiple of a
 * forest's; mean over the tables, on all rows of each, one after the other.
 */
async function costOf(tables: readonly NamedTable[], scores: TableFolds, random: Random): Promise<number> {
  const ratios: number[] = [];
  for (const [at, { labelled }] of tables.entries()) {
    const train = (method: TableMethod, options: MethodOptions) => async () => {
      await TableModel.train(method, labelled, '', random.split('cost'), { options });
    };
    const seconds = await secondsInTurns(
      {
        hypertab: train('hypertab', { hypertab: scores[at]?.[0]?.options ?? {} }),
        forest: train('forest', { forest: { trees: REFERENCE_TREES } }),
      },
      { repeats: 1, warmUp: 0 },
    );
    ratios.push(seconds.hypertab / seconds.forest);
  }
  return summarize(ratios).mean;
}

export interface ComparisonOptions {
  readonly folds: number;
  readonly tuning: TableTuning;
}

/**
 * Cross-validates methods on the same stratified folds of each table; within each training part
 * every method's settings are chosen alike.
 *
 * @returns means over folds and tables: accuracies in %, seconds of a fold's training and, by
 * balanced accuracy, the rank among the methods; of several tables also the balanced accuracy on
 * each, by its name; of HyperTab its cost, see `costOf`
 */
export async function compareOnTables(
  tables: readonly NamedTable[],
  methods: readonly TableMethod[],
  options: ComparisonOptions,
  context: RunContext,
): Promise<MethodScores[]> {
  /** Balanced accuracies of each table, method after method. */
  const balanced: number[][] = tables.map(() => []);
  const mean = (folds: readonly FoldScore[], value: (score: FoldScore) => number) => summarize(folds.map(value)).mean;
  const score = (scores: TableFolds): Scores => {
    const percents = scores.map((folds) => 100 * mean(folds, (fold) => fold.balanced));
    for (const [at, value] of percents.entries()) balanced[at]?.push(value);
    return {
      balanced: summarize(percents).mean,
      accuracy: summarize(scores.map((folds) => 100 * mean(folds, (fold) => fold.accuracy))).mean,
      seconds: summarize(scores.map((folds) => mean(folds, (fold) => fold.seconds))).mean,
      ...(tables.length > 1 && Object.fromEntries(tables.map(({ name }, at) => [name, percents[at] as number]))),
    };
  };
  const compared = methods.map((method) => tableMethod(method, tables, options));
  const { methods: results } = await runMethods(compared, context, { score, stream: 'shared' });
  const ranks = balanced.map(ranksOf);
  return results.map(({ method, scores, ...rest }, at) => ({
    method,
    scores: { ...scores, rank: summarize(ranks.map((own) => own[at] as number)).mean },
    ...rest,
  }));
}

/**
 * A model trained on all rows of the first table, its settings chosen within them, with its
 * predictions on them.
 */
export async function tableArtifacts(
  method: TableMethod,
  [first]: readonly NamedTable[],
  tuning: TableTuning,
  { random, signal }: RunContext,
): Promise<Artifacts> {
  const { labelled } = first as NamedTable;
  const { table, labels, classes } = labelled;
  const own = random.split('final');
  const options = await chooseOptions(method, labelled, tuning, own.split('choice'), signal);
  const model = await TableModel.train(method, labelled, 'target', own, { options, signal });
  const rowNames = Array.from(labels, (_, row) => row + 1);
  const probabilities = model.predictProba(table);
  return {
    model: model.save(),
    predictions: predictionTable({ row: 'row', rowNames, classNames: classes, probabilities, labels }),
  };
}
