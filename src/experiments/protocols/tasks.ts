// Several tasks at once: rows of a table, each of one task, whose labels may contradict those of
// another task.

import { type ColumnTable, tableRows } from '../../data/index.js';
import { loadTable } from '../../data/node.js';
import {
  classLoss,
  classProbabilities,
  encodeTable,
  fitFeatures,
  type TableFeatures,
  type TaskTable,
  takeRows,
  taskTable,
  tensorOf,
} from '../../hypernet/index.js';
import { Adam, inference, type Mode, minimize } from '../../nn/index.js';
import { type Random, scope, type Tensor } from '../../tensor/index.js';
import { predictionTable } from '../parts/artifacts.js';
import type { Scores, Table } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { type Setting, settingsOf, tuned } from '../parts/tuning.js';

/** Whether a point (a, b) is in the class, by task. */
export type Rules = Readonly<Record<string, (a: number, b: number) => boolean>>;

/** Random points of [−2, 2]² for each task, as a table. */
export function drawTasks(rules: Rules, points: number, random: Random): TaskTable {
  const drawn = Object.entries(rules).map(([name, rule], t) => {
    const values = random.split(t).uniform([points, 2], -2, 2).dataSync<Float32Array>();
    return { name, rule, values };
  });
  const columnOf = (offset: number) =>
    Float64Array.from(
      drawn.flatMap(({ values }) => Array.from({ length: points }, (_, i) => values[2 * i + offset] as number)),
    );
  const [x1, x2] = [columnOf(0), columnOf(1)];
  const table: ColumnTable = {
    rows: x1.length,
    columns: [
      { name: 'x1', kind: 'number', values: x1 },
      { name: 'x2', kind: 'number', values: x2 },
      {
        name: 'task',
        kind: 'category',
        values: drawn.flatMap(({ name }) => Array.from({ length: points }, () => name)),
      },
      {
        name: 'target',
        kind: 'number',
        values: x1.map((a, i) => Number(drawn[Math.floor(i / points)]?.rule(a, x2[i] as number))),
      },
    ],
  };
  return taskTable(table);
}

/** A table with the columns `target` and `task`. @throws Error naming the file */
export async function loadTasks(path: string): Promise<TaskTable> {
  const table = await loadTable(path);
  try {
    return taskTable(table);
  } catch (error) {
    throw new Error(`"${path}": ${(error as Error).message}`);
  }
}

export function describeTasks({ table, taskNames, classes }: TaskTable): string {
  return `${table.rows} rows of ${taskNames.length} tasks, ${classes.length} classes: ${taskNames.join(', ')}`;
}

/** Rows of one task. */
interface Part {
  readonly x: Tensor;
  readonly labels: Int32Array;
  /** Rows of the table. */
  readonly rows: Int32Array;
}

/** Features and classes of each task: half of the rows test, a fifth of the others validate. */
export interface SplitTasks {
  readonly data: TaskTable;
  readonly features: TableFeatures;
  readonly tasks: readonly { readonly train: Part; readonly validation: Part; readonly test: Part }[];
}

/** @throws Error naming a task of fewer than ten rows */
export function splitTasks(data: TaskTable, random: Random): SplitTasks {
  const parts = data.taskNames.map((name, t) => {
    const all = Int32Array.from(data.tasks.keys()).filter((row) => data.tasks[row] === t);
    if (all.length < 10) throw new Error(`the task "${name}" has ${all.length} rows; at least ten are needed`);
    const mixed = random
      .split(t)
      .permutation(all.length)
      .map((at) => all[at] as number);
    const [half, fifth] = [all.length >> 1, Math.ceil(all.length / 10)];
    return { validation: mixed.slice(0, fifth), train: mixed.slice(fifth, half), test: mixed.slice(half) };
  });
  const trained = Int32Array.from(parts.flatMap(({ train }) => Array.from(train)));
  const features = fitFeatures(tableRows(data.table, trained));
  const encoded = encodeTable(features, data.table);
  const partOf = (rows: Int32Array): Part => ({
    rows,
    x: tensorOf(takeRows(encoded, rows)),
    labels: rows.map((row) => data.labels[row] as number),
  });
  const tasks = parts.map(({ train, validation, test }) => ({
    train: partOf(train),
    validation: partOf(validation),
    test: partOf(test),
  }));
  return { data, features, tasks };
}

/** A model that serves all tasks. */
export interface TaskMethodModel<Model extends object> {
  readonly model: Model;
  /** Parameters stored for all tasks. */
  readonly size: number;
  /** [n, 1] for two classes, or [n, classes] */
  logits(live: Model, x: Tensor, task: number, mode: Mode): Tensor;
}

/** A trained model of all tasks. */
export interface TrainedTasks {
  readonly model: object;
  readonly size: number;
  logits(x: Tensor, task: number): Tensor;
}

/** Learning rates, the usual one first. */
const grid = { learningRate: [5e-3, 1e-2, 2e-3] };

/**
 * A method with Adam, each step on the training rows of all tasks; its learning rate is chosen on
 * the validation rows.
 */
export function taskMethod<Model extends object>(
  title: string,
  { tasks }: SplitTasks,
  make: (random: Random) => TaskMethodModel<Model>,
  { steps, trials, random }: { readonly steps: number; readonly trials: number; readonly random: Random },
): Method<TrainedTasks> {
  const settings = settingsOf(grid, trials, random);
  return tuned<Setting & { learningRate: number }, TrainedTasks>({
    title,
    settings,
    async train({ learningRate }, { random: own, hooks }) {
      const { model, size, logits } = make(own);
      const lossOf = (live: Model, t: number, mode: Mode) => {
        const { x, labels } = (tasks[t] as (typeof tasks)[number]).train;
        return classLoss(logits(live, x, t, mode), labels);
      };
      await minimize(
        model,
        (live, { mode }) => tasks.map((_, t) => lossOf(live, t, mode)).reduce((sum, loss) => sum.add(loss)),
        { ...hooks, steps, random: own, optimizer: new Adam({ learningRate }) },
      );
      return { model, size, logits: (x, task) => logits(model, x, task, inference) };
    },
    validation: (model) =>
      mean(
        accuraciesOf(
          model,
          tasks.map(({ validation }) => validation),
        ),
      ),
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Accuracy on each task, in %. */
function accuraciesOf({ logits }: TrainedTasks, parts: readonly Part[]): number[] {
  return parts.map(({ x, labels }, t) => {
    const found = scope(() => classProbabilities(logits(x, t)).argmax(1).dataSync());
    return (100 * labels.filter((label, i) => label === found[i]).length) / labels.length;
  });
}

/**
 * Accuracy on test rows over the tasks and on the worst of them, in %, and the parameters stored.
 */
export function taskScores(model: TrainedTasks, { tasks }: SplitTasks): Scores {
  const accuracies = accuraciesOf(
    model,
    tasks.map(({ test }) => test),
  );
  return { accuracy: mean(accuracies), worst: Math.min(...accuracies), parameters: model.size };
}

/** Predictions on the first 200 test rows of each task. */
export function taskPredictions({ logits }: TrainedTasks, { data, tasks }: SplitTasks): Table {
  const { classes, labels, taskNames } = data;
  const first = tasks.map(({ test }) => test.rows.slice(0, 200));
  const probabilities = tasks.flatMap(({ test }, t) => {
    const own = scope(() => classProbabilities(logits(test.x, t)).dataSync());
    return Array.from(own.subarray(0, (first[t] as Int32Array).length * classes.length));
  });
  const rows = first.flatMap((own) => Array.from(own));
  return predictionTable({
    row: 'task, row',
    rowNames: rows.map((row) => `${taskNames[data.tasks[row] as number]}, ${row + 1}`),
    classNames: classes,
    probabilities,
    labels: rows.map((row) => labels[row] as number),
  });
}
