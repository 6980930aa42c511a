// Classifiers of several tasks, made by `gossamer run hypernet-review`.

import { type ColumnTable, tableRows } from '../../data/index.js';
import { readBytes } from '../../data/node.js';
import { splitTaskColumn, TaskModel } from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import { classOfRow, onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';
import { loadRows } from './rows.js';

export function open(path: string): Predictor {
  const model = TaskModel.load(readBytes(path), path);
  return {
    tasks: model.taskNames,
    predict: async (paths, options) => classifyRows(model, onlyPath(paths), options),
    describe: () => descriptionOf(model),
  };
}

function descriptionOf({ description: { features, classes, target, taskNames }, network }: TaskModel): string[] {
  return [
    `Classifies ${target} (${classes.join(', ')}) by ${features.encoders.map(({ name }) => name).join(', ')}`,
    `Network       ${network.size} parameters stored, ${network.hypernet.layout.size} weights generated for a task`,
    `Tasks         ${taskNames.join(', ')}`,
  ];
}

/** The class of each row, after tasks that training did not know are learnt from their examples. */
async function classifyRows(
  model: TaskModel,
  path: string,
  { task, note, ...reading }: PredictOptions,
): Promise<Predictions> {
  const { features, classes, target } = model.description;
  const table = await loadRows(path, features, { ...reading, note });
  if (task === undefined && !table.columns.some(({ name }) => name === 'task'))
    throw new Error(
      `"${path}" has no column "task"; name the task of all rows with --task (known: ${model.taskNames.join(', ')})`,
    );
  const tasks = task === undefined ? splitTaskColumn(table).names : new Array<string>(table.rows).fill(task);
  for (const name of new Set(tasks)) {
    if (model.taskNames.includes(name)) continue;
    const { rows, labels } = examplesOf(table, target, classes, (row) => tasks[row] === name);
    if (rows.length === 0)
      throw new Error(
        `the model does not know the task "${name}" (known: ${model.taskNames.join(', ')}), and no row of "${path}" gives its "${target}" to learn it from`,
      );
    note(`the task "${name}" is new: its embedding is learnt from ${rows.length} rows`);
    await model.learn(name, tableRows(table, rows), labels, new Random(0).split(name));
  }
  const probabilities = model.predictProba(table, tasks);
  return {
    columns: ['row', 'task', target, ...classes.map((name) => `p(${name})`)],
    rows: tasks.map((name, row) => {
      const { code, all } = classOfRow(probabilities, classes.length, row);
      return [row + 1, name, classes[code] as string, ...all];
    }),
  };
}

/** Rows that have a target, and its class. @throws Error for a class that training did not know */
function examplesOf(
  { rows, columns }: ColumnTable,
  target: string,
  classes: readonly string[],
  isOwn: (row: number) => boolean,
): { rows: Int32Array; labels: Int32Array } {
  const column = columns.find(({ name }) => name === target);
  const known = Int32Array.from({ length: rows }, (_, row) => row).filter((row) => {
    const value = column?.values[row];
    return isOwn(row) && value !== undefined && !Number.isNaN(value);
  });
  const labels = known.map((row) => {
    const name = String(column?.values[row]);
    const code = classes.indexOf(name);
    if (code < 0) throw new Error(`row ${row + 1} has the class "${name}"; the model knows ${classes.join(', ')}`);
    return code;
  });
  return { rows: known, labels };
}
