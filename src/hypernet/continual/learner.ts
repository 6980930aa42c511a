// What all continual learners share: tasks in order, predictions with or without the task.

import type { TrainingHooks } from '../../nn/index.js';
import { joinedArrays, type Random, scope, softmax, type Tensor } from '../../tensor/index.js';
import type { TargetOptions } from './target.js';
import { type ContinualTask, type LearnedTask, requireTask, type Scenario } from './task.js';

/** Options that all methods have; plain data, kept in model files. */
export interface LearnerOptions {
  /** What is known when predicting. Default: `task`. */
  readonly scenario?: Scenario;
  /** The network that learns the tasks. Default: two hidden layers of 100. */
  readonly target?: TargetOptions;
  /** Steps of the optimiser for a task. Default: 500. */
  readonly steps?: number;
  /** Rows of a step. Default: 128. */
  readonly batch?: number;
  /** Learning rate of Adam, which starts anew with each task. Default: 1e-3. */
  readonly learningRate?: number;
}

/** Answers for n rows. */
export interface Predicted {
  /** Task of each row, given or inferred; −1 where tasks share one network and its outputs. */
  readonly tasks: Int32Array;
  /** Class of each row within its task. */
  readonly labels: Int32Array;
  /** Probability of that class. */
  readonly probabilities: Float32Array;
  /** Entropy of the class probabilities, in nats. */
  readonly entropies: Float32Array;
}

/** Numbers that a method keeps, in scalars. */
export interface StoredNumbers {
  /** To answer and to learn on, between tasks. */
  readonly rest: number;
  /** More of them while a task is learned. */
  readonly training: number;
}

/** Rows that are passed through a network at once. */
const ROWS = 1000;

/** Learns tasks one after another and keeps none of their rows. */
export abstract class ContinualLearner {
  /** What is known when predicting. */
  readonly scenario: Scenario;
  protected readonly steps: number;
  protected readonly batch: number;
  protected readonly learningRate: number;
  protected readonly target: TargetOptions;
  readonly #tasks: LearnedTask[] = [];
  #shape: readonly number[] | undefined;

  /** @throws RangeError unless there are steps and rows in a batch */
  constructor(
    protected readonly random: Random,
    { scenario = 'task', target = {}, steps = 500, batch = 128, learningRate = 1e-3 }: LearnerOptions = {},
  ) {
    for (const [name, value] of Object.entries({ steps, batch }))
      if (!(Number.isInteger(value) && value >= 1))
        throw new RangeError(`continual: ${name} ${value} is no positive whole number`);
    this.scenario = scenario;
    this.target = target;
    this.steps = steps;
    this.batch = batch;
    this.learningRate = learningRate;
  }

  /** The tasks learned so far, in order. */
  get tasks(): readonly LearnedTask[] {
    return this.#tasks;
  }

  /** Shape of a row; undefined before the first task. */
  get shape(): readonly number[] | undefined {
    return this.#shape;
  }

  /** Numbers that are kept. */
  abstract get stored(): StoredNumbers;

  /**
   * Learns a task. A task that is cut off is not learned; what it changed stays in the network.
   *
   * @throws Error for a task that cannot follow those before; the signal's reason when it aborts
   */
  async learn(task: ContinualTask, hooks: TrainingHooks = {}): Promise<void> {
    requireTask(task, this.scenario, this.#tasks, this.#shape);
    const at = this.#tasks.length;
    this.#shape ??= task.x.shape.slice(1);
    this.add(task, at, this.#shape);
    await this.train(task, at, hooks);
    this.#tasks.push({ name: task.name, classes: task.classes });
  }

  /** What a model file keeps beside the state and the tasks; plain data. Default: nothing. */
  get history(): unknown {
    return undefined;
  }

  /**
   * Makes room for tasks of a model file, whose state is then loaded.
   *
   * @param history that of the learner in the file
   */
  reserveAll(tasks: readonly LearnedTask[], shape: readonly number[], _history?: unknown): void {
    this.#shape = shape;
    for (const [at, task] of tasks.entries()) {
      this.add(task, at, shape);
      this.reserveMemory(at);
      this.#tasks.push(task);
    }
  }

  /**
   * Classes of rows.
   *
   * @param task index or name of the task of all rows. Default: unknown
   * @throws Error before the first task, for an unknown task, and without a task where each has its
   * own outputs and the method cannot tell tasks apart
   */
  predict(x: Tensor, task?: number | string): Predicted {
    if (this.#tasks.length === 0) throw new Error('continual: no task was learned');
    const at = task === undefined ? undefined : this.indexOf(task);
    const rows = x.shape[0] as number;
    const parts: Predicted[] = [];
    for (let from = 0; from < rows; from += ROWS)
      parts.push(scope(() => this.classify(x.slice([from, Math.min(rows, from + ROWS)]), at)));
    return joined(parts);
  }

  /** Index of a task. @throws Error listing the known tasks */
  indexOf(task: number | string): number {
    const at = typeof task === 'number' ? task : this.#tasks.findIndex(({ name }) => name === task);
    if (!this.#tasks[at])
      throw new Error(
        `continual: there is no task ${JSON.stringify(task)}; learned: ${this.#tasks.map(({ name }) => name).join(', ')}`,
      );
    return at;
  }

  /** Makes what task `at` needs before it is learned, such as outputs or an embedding. */
  protected abstract add(task: LearnedTask, at: number, shape: readonly number[]): void;

  /** Makes room for what is kept of a learned task. */
  protected abstract reserveMemory(at: number): void;

  /** Learns task `at`, which was added before. */
  protected abstract train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void>;

  /** Classes of rows of one task, or of an unknown one. */
  protected abstract classify(x: Tensor, task: number | undefined): Predicted;
}

/** The likeliest class of each row of logits [n, classes], all rows of one task. */
export function likeliest(logits: Tensor, task: number): Predicted {
  const [rows, classes] = logits.shape as [number, number];
  const p = softmax(logits).view();
  const labels = new Int32Array(rows);
  const probabilities = new Float32Array(rows);
  const entropies = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    let entropy = 0;
    for (let c = 0; c < classes; c++) {
      const value = p[i * classes + c] as number;
      if (value > 0) entropy -= value * Math.log(value);
      if (value > (probabilities[i] as number)) {
        probabilities[i] = value;
        labels[i] = c;
      }
    }
    entropies[i] = entropy;
  }
  return { tasks: new Int32Array(rows).fill(task), labels, probabilities, entropies };
}

/** The likeliest class of each row, of logits [n, Σ sizes] with the classes of all tasks. */
export function amongAll(logits: Tensor, sizes: readonly number[]): Predicted {
  const { labels, ...rest } = likeliest(logits, -1);
  const starts = sizes.map((_size, task) => sizes.slice(0, task).reduce((total, size) => total + size, 0));
  const tasks = labels.map((label) => starts.findLastIndex((start) => label >= start));
  return { ...rest, tasks, labels: labels.map((label, i) => label - (starts[tasks[i] as number] as number)) };
}

/**
 * For each row the answer of the task whose network has the lowest entropy (HNET+ENT: von Oswald et
 * al., "Continual Learning with Hypernetworks", ICLR 2020). Entropies count in units of the
 * largest, ln C, since tasks may have other numbers C of classes.
 */
export function surest(answers: readonly Predicted[], tasks: readonly LearnedTask[]): Predicted {
  const [first] = answers as [Predicted];
  const rows = first.labels.length;
  const best = Int32Array.from({ length: rows }, (_, i) => {
    const uncertain = answers.map(
      ({ entropies }, task) =>
        (entropies[i] as number) / Math.log(Math.max(2, (tasks[task] as LearnedTask).classes.length)),
    );
    return uncertain.indexOf(Math.min(...uncertain));
  });
  const pick = (field: 'tasks' | 'labels' | 'probabilities' | 'entropies') => (i: number) =>
    (answers[best[i] as number] as Predicted)[field][i] as number;
  const places = Array.from({ length: rows }, (_, i) => i);
  return {
    tasks: Int32Array.from(places, pick('tasks')),
    labels: Int32Array.from(places, pick('labels')),
    probabilities: Float32Array.from(places, pick('probabilities')),
    entropies: Float32Array.from(places, pick('entropies')),
  };
}

function joined(parts: readonly Predicted[]): Predicted {
  return {
    tasks: joinedArrays(
      Int32Array,
      parts.map(({ tasks }) => tasks),
    ),
    labels: joinedArrays(
      Int32Array,
      parts.map(({ labels }) => labels),
    ),
    probabilities: joinedArrays(
      Float32Array,
      parts.map(({ probabilities }) => probabilities),
    ),
    entropies: joinedArrays(
      Float32Array,
      parts.map(({ entropies }) => entropies),
    ),
  };
}

/** Share of rows whose task, where it tells classes apart, and class are right. */
export function shareRight(predicted: Predicted, labels: Int32Array, task: number, scenario: Scenario): number {
  const right = predicted.labels.reduce(
    (count, label, i) => count + Number(label === labels[i] && (scenario !== 'class' || predicted.tasks[i] === task)),
    0,
  );
  return right / labels.length;
}
