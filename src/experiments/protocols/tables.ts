// Classification of tables: methods cross-validated on the same folds of one table or several, and
// ranked.

import { type Column, type LabelledTable, namesOf, tableGroups } from '../../data/index.js';
import { loadTables, type NamedTable } from '../../data/node.js';
import {
  crossValidate,
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
import { summarize } from '../parts/statistics.js';

/** `needle`, groups of tables, and known tables. */
export const tableSources: readonly string[] = ['needle', ...Object.keys(tableGroups), ...namesOf('table')];

/** Balanced accuracy on each table of the groups. */
export const tableMetrics: Readonly<Record<string, Metric>> = Object.fromEntries(
  Object.values(tableGroups)
    .flat()
    .map((name) => [name, relabelled(balancedAccuracy, { label: name.replaceAll('_', ' ') })]),
);

/** Fifty rows of fifty columns: the first column determines the label, the others are noise. */
function needle(): LabelledTable {
  const random = new Random(0).split('needle');
  const [rows, width, classes] = [50, 50, 5];
  const labels = random.permutation(rows).map((at) => at % classes);
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

function tableMethod(
  method: TableMethod,
  tables: readonly NamedTable[],
  { folds, options }: ComparisonOptions,
): Method<TableFolds> {
  return {
    title: tableMethods[method].title,
    async train({ random, hooks: { signal }, progress }) {
      const scores: FoldScore[][] = [];
      for (const [at, { name, labelled }] of tables.entries()) {
        const onProgress = (share: number) => progress((at + share) / tables.length);
        scores.push(
          await crossValidate(labelled, [method], random.split(name), { folds, options, signal, onProgress }),
        );
      }
      return scores;
    },
  };
}

/** Ranks from 1, the largest value first; ties share the mean of their places. */
function ranksOf(values: readonly number[]): number[] {
  const tie = 1e-9;
  return values.map((value) => {
    const better = values.filter((other) => other > value + tie).length;
    const equal = values.filter((other) => Math.abs(other - value) <= tie).length;
    return better + (equal + 1) / 2;
  });
}

export interface ComparisonOptions {
  readonly folds: number;
  readonly options: MethodOptions;
}

/**
 * Cross-validates methods on the same stratified folds of each table.
 *
 * @returns means over folds and tables: accuracies in %, seconds of a fold's training and, by
 * balanced accuracy, the rank among the methods; of several tables also the balanced accuracy on
 * each, by its name
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
  return results.map(({ method, scores }, at) => ({
    method,
    scores: { ...scores, rank: summarize(ranks.map((own) => own[at] as number)).mean },
  }));
}

/** A model trained on all rows of the first table, with its predictions on them. */
export async function tableArtifacts(
  method: TableMethod,
  [first]: readonly NamedTable[],
  options: MethodOptions,
  { random, signal }: RunContext,
): Promise<Artifacts> {
  const { labelled } = first as NamedTable;
  const { table, labels, classes } = labelled;
  const model = await TableModel.train(method, labelled, 'target', random.split('final'), { options, signal });
  const rowNames = Array.from(labels, (_, row) => row + 1);
  const probabilities = model.predictProba(table);
  return {
    model: model.save(),
    predictions: predictionTable({ row: 'row', rowNames, classNames: classes, probabilities, labels }),
  };
}
