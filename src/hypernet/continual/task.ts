// Tasks that arrive one after another, and what a learner may know of them.

import { gatherKnownRows, type Random, type Tensor, tensor } from '../../tensor/index.js';

/**
 * What is known when predicting (van de Ven & Tolias, "Three Scenarios for Continual Learning",
 * 2019): the `task`, which has its own outputs (CL1); nothing, and all tasks share their outputs
 * (`domain`, CL2); nothing, and each task has classes of its own (`class`, CL3).
 */
export type Scenario = 'task' | 'domain' | 'class';

/** All scenarios. */
export const scenarios: readonly Scenario[] = ['task', 'domain', 'class'];

/** Rows with labels. */
export interface TaskRows {
  /** Inputs [n, features] or [n, channels, height, width]. */
  readonly x: Tensor;
  /** Class of each row, from 0 within its task. */
  readonly labels: Int32Array;
}

/** One task: what its rows are called and which classes they have. */
export interface ContinualTask extends TaskRows {
  /** Its name. */
  readonly name: string;
  /** Names of its classes. */
  readonly classes: readonly string[];
  /** Rows that choose between states of the training, where the method does. Default: none. */
  readonly validation?: TaskRows;
}

/** What stays known of a task that was learned. */
export interface LearnedTask {
  /** Its name. */
  readonly name: string;
  /** Names of its classes. */
  readonly classes: readonly string[];
}

/**
 * Whether a task can follow those learned before.
 *
 * @throws Error when it has no rows, labels beyond its classes or rows of another shape; a name or,
 * where classes are told apart, a class that was learned before; or, where outputs are shared,
 * another number of classes
 */
export function requireTask(
  { name, classes, x, labels }: ContinualTask,
  scenario: Scenario,
  learned: readonly LearnedTask[],
  shape: readonly number[] | undefined,
): void {
  const at = `continual: task "${name}"`;
  if (learned.some((task) => task.name === name)) throw new Error(`${at} was learned before`);
  if (labels.length === 0) throw new Error(`${at} has no examples`);
  if (x.shape[0] !== labels.length) throw new Error(`${at} has ${x.shape[0]} rows and ${labels.length} labels`);
  if (new Set(classes).size !== classes.length) throw new Error(`${at} names a class twice: ${classes.join(', ')}`);
  const wrong = labels.find((label) => !(label >= 0 && label < classes.length));
  if (wrong !== undefined) throw new Error(`${at}: label ${wrong} is none of its ${classes.length} classes`);
  const own = x.shape.slice(1);
  if (shape && own.join() !== shape.join())
    throw new Error(`${at} has rows of [${own.join(', ')}], those before it of [${shape.join(', ')}]`);
  const [first] = learned;
  if (scenario === 'domain' && first && first.classes.length !== classes.length)
    throw new Error(
      `${at} has ${classes.length} classes, "${first.name}" has ${first.classes.length}; tasks that share their outputs have as many`,
    );
  const twice = scenario === 'class' && learned.find((task) => task.classes.some((each) => classes.includes(each)));
  if (twice) {
    const both = twice.classes.filter((each) => classes.includes(each)).join(', ');
    throw new Error(`${at} has a class of "${twice.name}": ${both}; with scenario "class" each belongs to one task`);
  }
}

/** @throws Error when the networks have fewer outputs than there are classes */
export function requireOutputs({ name }: LearnedTask, classes: number, outputs: number): void {
  if (classes > outputs)
    throw new Error(
      `continual: with task "${name}" there are ${classes} classes, the networks have ${outputs} outputs; ask for as many with the option classes before the first task`,
    );
}

/** Rows of a batch, drawn with replacement. */
export function drawRows({ x, labels }: TaskRows, count: number, random: Random): { x: Tensor; labels: Tensor } {
  const rows = Int32Array.from({ length: count }, () => random.integer(labels.length));
  return { x: gatherKnownRows(x, tensor(rows)), labels: tensor(rows.map((row) => labels[row] as number)) };
}

/**
 * The last share of the rows as validation rows, the others to train on.
 *
 * @throws RangeError unless both parts have rows
 */
export function withValidation(task: ContinualTask, share = 0.1): ContinualTask {
  const held = Math.round(share * task.labels.length);
  const kept = task.labels.length - held;
  if (held < 1 || kept < 1)
    throw new RangeError(`continual: ${share} of the ${task.labels.length} rows of "${task.name}" is no split`);
  const part = (from: number, to: number): TaskRows => ({
    x: task.x.slice([from, to]),
    labels: task.labels.slice(from, to),
  });
  return { ...task, ...part(0, kept), validation: part(kept, kept + held) };
}
