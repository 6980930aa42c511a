// Classifiers of the rows of several tasks, by one hypernetwork: tables with a task for each row,
// training, new tasks, prediction and model files.

import {
  type ColumnTable,
  type LabelledTable,
  type ModelKind,
  readModelFile,
  splitTarget,
  tableRows,
  textsOf,
  writeModelFile,
} from '../data/index.js';
import {
  Adam,
  binaryCrossEntropy,
  crossEntropy,
  loadState,
  minimize,
  stateOf,
  type TrainingHooks,
} from '../nn/index.js';
import { concatenate, Random, scope, softmax, type Tensor, tensor } from '../tensor/index.js';
import { TaskCondition } from './condition.js';
import { encodeTable, type TableFeatures, tensorOf, widthOf } from './tabular/features.js';
import { TaskNetwork, type TaskNetworkOptions } from './task-network.js';

/** A table whose rows belong to several tasks. */
export interface TaskTable extends LabelledTable {
  /** Task of each row: an index into `taskNames`. */
  readonly tasks: Int32Array;
  /** Names of the tasks, in order of appearance. */
  readonly taskNames: readonly string[];
}

/**
 * Splits off the columns of the target and of the task.
 *
 * @throws Error as `splitTarget`, and where there is no column of tasks or a row has no task
 */
export function taskTable(table: ColumnTable, target = 'target', task = 'task'): TaskTable {
  const { rest, names } = splitTaskColumn(table, task);
  const taskNames = [...new Set(names)];
  return { ...splitTarget(rest, target), tasks: Int32Array.from(names, (name) => taskNames.indexOf(name)), taskNames };
}

/** The name of each row's task, and the table without that column. */
export function splitTaskColumn({ rows, columns }: ColumnTable, task = 'task'): { rest: ColumnTable; names: string[] } {
  const column = columns.find(({ name }) => name === task);
  if (!column)
    throw new Error(
      `there is no column of tasks "${task}"; the table has ${columns.map(({ name }) => name).join(', ')}`,
    );
  return { rest: { rows, columns: columns.filter((own) => own !== column) }, names: textsOf(column, 'task') };
}

/** Number of logits of a classifier: one for two classes. */
export const logitsFor = (classes: number) => (classes === 2 ? 1 : classes);

/** Cross-entropy of logits [n, 1] for two classes, or [n, classes]. */
export function classLoss(logits: Tensor, labels: Int32Array): Tensor {
  if (logits.shape[1] === 1) return binaryCrossEntropy(logits, tensor(Float32Array.from(labels), [labels.length, 1]));
  return crossEntropy(logits, tensor(labels));
}

/** Probabilities [n, classes] of logits [n, 1] for two classes, or [n, classes]. */
export function classProbabilities(logits: Tensor): Tensor {
  if (logits.shape[1] !== 1) return softmax(logits);
  const second = logits.sigmoid();
  return concatenate([second.multiply(-1).add(1), second], 1);
}

/** Identifies model files of `TaskModel`. */
export const TASK_MODEL: ModelKind = {
  system: 'hypernet-review',
  version: '1',
  madeBy: 'gossamer run hypernet-review',
};

/** What a file says beside the weights. */
export interface TaskDescription {
  /** How columns become features, by the training rows. */
  readonly features: TableFeatures;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Names of the tasks, in the order of their embeddings. */
  readonly taskNames: readonly string[];
  /** Name of the column that is predicted. */
  readonly target: string;
  /** Options of the network. */
  readonly options: TaskNetworkOptions;
}

/** Options of `TaskModel.learn`. */
export interface NewTaskOptions extends Pick<TrainingHooks, 'signal'> {
  /** Steps of Adam on the embedding. Default: 500. */
  readonly steps?: number;
  /** Learning rate of Adam. Default: 0.02. */
  readonly learningRate?: number;
}

/** Classifies the rows of several tasks by networks that one hypernetwork generates. */
export class TaskModel {
  readonly #added = new Map<string, TaskCondition>();

  constructor(
    readonly network: TaskNetwork,
    readonly description: TaskDescription,
  ) {}

  /** Names of the tasks that it can answer for. */
  get taskNames(): readonly string[] {
    return [...this.description.taskNames, ...this.#added.keys()];
  }

  /**
   * Learns a new task by its embedding alone; Φ and the other tasks stay as they are.
   *
   * @param labels of each row: indices into the classes of training
   * @throws Error for a task that is known, or columns that are missing
   */
  async learn(
    task: string,
    table: ColumnTable,
    labels: Int32Array,
    random: Random,
    { steps = 500, learningRate = 0.02, signal }: NewTaskOptions = {},
  ): Promise<void> {
    if (this.taskNames.includes(task)) throw new Error(`the model knows the task "${task}" already`);
    const x = tensorOf(encodeTable(this.description.features, table));
    const embedding = new TaskCondition(1, this.network.tasks.size, random.split('embedding'));
    await minimize(embedding, (live) => classLoss(this.network.apply(live.forward([0]), x), labels), {
      steps,
      random: random.split('training'),
      optimizer: new Adam({ learningRate }),
      signal,
    });
    this.#added.set(task, embedding);
  }

  /**
   * Class probabilities [rows, classes], row-major.
   *
   * @param tasks of each row, by name
   * @throws Error naming an unknown task, or columns that are missing
   */
  predictProba(table: ColumnTable, tasks: readonly string[]): Float32Array {
    const { features, classes } = this.description;
    const probabilities = new Float32Array(table.rows * classes.length);
    for (const task of new Set(tasks)) {
      const rows = Int32Array.from(tasks.keys()).filter((row) => tasks[row] === task);
      const embedding = this.#embeddingOf(task);
      const own = scope(() => {
        const x = tensorOf(encodeTable(features, tableRows(table, rows)));
        return classProbabilities(this.network.apply(embedding(), x)).dataSync<Float32Array>();
      });
      rows.forEach((row, i) => {
        probabilities.set(own.subarray(i * classes.length, (i + 1) * classes.length), row * classes.length);
      });
    }
    return probabilities;
  }

  #embeddingOf(task: string): () => Tensor {
    const added = this.#added.get(task);
    if (added) return () => added.forward([0]);
    const at = this.description.taskNames.indexOf(task);
    if (at < 0) throw new Error(`the model knows the tasks ${this.taskNames.join(', ')}, not "${task}"`);
    return () => this.network.tasks.forward([at]);
  }

  /** The model as a file, without tasks learnt since it was trained. */
  save(): Uint8Array {
    return writeModelFile(TASK_MODEL, this.description, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): TaskModel {
    const { description, tensors } = readModelFile<TaskDescription>(TASK_MODEL, bytes, name);
    const { features, classes, taskNames, options } = description;
    const outputs = logitsFor(classes.length);
    const network = new TaskNetwork(taskNames.length, widthOf(features), outputs, new Random(0), options);
    loadState(network, tensors);
    return new TaskModel(network, description);
  }
}
