// A table of one's own with condition columns: classifiers whose weights follow the conditions,
// MIP beside the default parametrisation and beside a network that reads conditions as features.

import { existsSync } from 'node:fs';
import { type LabelledTable, labelledTable, stratifiedFolds, tableRows } from '../../data/index.js';
import { loadTable } from '../../data/node.js';
import { ConditionedTable, classesOf, conditionRanges } from '../../hypernet/index.js';
import { Adam, accuracy } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { numbered, predictionTable } from '../parts/artifacts.js';
import type { Table } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { tuned } from '../parts/tuning.js';

/** A labelled table, split once. */
export interface ConditionedData {
  readonly kind: 'table';
  readonly name: string;
  readonly target: string;
  readonly conditions: readonly string[];
  readonly all: LabelledTable;
  readonly train: LabelledTable;
  readonly validation: LabelledTable;
  readonly test: LabelledTable;
}

export const [TABLE_DEFAULT, TABLE_MIP] = ['default, Adam', 'MIP, Adam'] as const;

/** Titles in the order of `tableMethods`. */
export const tableTitles: readonly string[] = [TABLE_DEFAULT, TABLE_MIP];

/** Whether `--data` names a table of one's own. */
export function isOwnTable(source: string): boolean {
  return existsSync(source);
}

/**
 * Loads a table and splits its rows by class: three fifths to train on, a fifth to choose learning
 * rates, a fifth to test.
 *
 * @param condition names of the condition columns, separated by commas
 * @throws Error when columns are missing, or conditions hold no numbers
 */
export async function loadConditioned(
  path: string,
  { condition, target }: { readonly condition: string; readonly target: string },
  random: Random,
): Promise<ConditionedData> {
  const conditions = condition
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (conditions.length === 0)
    throw new Error(`table "${path}": name its condition columns with --set condition=angle,scale`);
  if (conditions.includes(target)) throw new Error(`table "${path}": the target "${target}" cannot be a condition`);
  const all = labelledTable(await loadTable(path), target);
  conditionRanges(all.table, conditions);
  const folds = stratifiedFolds(all.labels, all.classes, 5, random.split('folds'));
  const part = (...which: number[]): LabelledTable => {
    const rows = Int32Array.from(which.flatMap((fold) => [...(folds[fold] as Int32Array)])).sort();
    return {
      table: tableRows(all.table, rows),
      labels: rows.map((row) => all.labels[row] as number),
      classes: all.classes,
    };
  };
  return {
    kind: 'table',
    name: path,
    target,
    conditions,
    all,
    train: part(0, 1, 2),
    validation: part(3),
    test: part(4),
  };
}

export function describeConditioned({ name, conditions, target, all, test }: ConditionedData): string {
  const ranges = Object.entries(conditionRanges(all.table, conditions)).map(
    ([own, [low, high]]) => `${own} ${low} … ${high}`,
  );
  return `${name}: ${all.labels.length} rows, ${test.labels.length} to test, ${all.classes.length} classes of "${target}"; conditions: ${ranges.join(', ')}`;
}

/** Accuracy in %. */
function accuracyOn(model: ConditionedTable, { table, labels, classes }: LabelledTable): number {
  return 100 * accuracy(classesOf(model.probabilities(table), classes.length), labels);
}

/** Both parametrisations, each with a learning rate chosen on the validation rows. */
export function conditionedMethods(data: ConditionedData, steps: number, batch: number): Method<ConditionedTable>[] {
  return (
    [
      [TABLE_DEFAULT, 'default'],
      [TABLE_MIP, 'mip'],
    ] as const
  ).map(([title, parametrization]) =>
    tuned({
      title,
      settings: [1e-3, 3e-4, 3e-3].map((rate) => ({ rate })),
      once: data,
      train: ({ rate }, { random, hooks: { signal, onEpoch } }) =>
        ConditionedTable.train(data.train, data.target, random, {
          conditions: data.conditions,
          parametrization,
          steps,
          batch,
          optimizer: new Adam({ learningRate: rate }),
          signal,
          onEpoch,
        }),
      validation: (model) => accuracyOn(model, data.validation),
      score: (model) => ({ accuracy: accuracyOn(model, data.test), parameters: model.hypernet.size }),
    }),
  );
}

/** Predictions of the test rows. */
export function conditionedPredictions(model: ConditionedTable, { test }: ConditionedData): Table {
  const { table, labels, classes } = test;
  const probabilities = model.probabilities(table);
  return predictionTable({ row: 'row', rowNames: numbered(labels.length), classNames: classes, probabilities, labels });
}
