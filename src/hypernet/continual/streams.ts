// Streams of tasks made of one set of labelled rows.

import { gatherKnownRows, type Random, reshape, tensor } from '../../tensor/index.js';
import type { ContinualTask, Scenario, TaskRows } from './task.js';

/** Rows with labels among named classes. */
export interface ClassifiedRows extends TaskRows {
  /** Names of the classes. */
  readonly classes: readonly string[];
}

/**
 * Split: groups of classes one after another, such as the digits 0 and 1, 2 and 3, and so on.
 *
 * @param scenario with `domain` the classes of every task are called by their place in it
 * @param groupSize classes of a task. Default: 2
 * @throws RangeError unless the classes divide into groups, each with rows
 */
export function splitTasks(data: ClassifiedRows, scenario: Scenario, groupSize = 2): ContinualTask[] {
  const { classes, labels, x } = data;
  if (!(Number.isInteger(groupSize) && groupSize >= 1) || classes.length % groupSize !== 0)
    throw new RangeError(`splitTasks: ${classes.length} classes do not divide into groups of ${groupSize}`);
  return Array.from({ length: classes.length / groupSize }, (_, task) => {
    const first = task * groupSize;
    const own = classes.slice(first, first + groupSize);
    const rows = Int32Array.from(labels.keys()).filter((row) => {
      const label = labels[row] as number;
      return label >= first && label < first + groupSize;
    });
    if (rows.length === 0) throw new RangeError(`splitTasks: there is no row of ${own.join(', ')}`);
    return {
      name: own.join('+'),
      classes: scenario === 'domain' ? own.map((_each, place) => String(place)) : own,
      x: gatherKnownRows(x, tensor(rows)),
      labels: rows.map((row) => (labels[row] as number) - first),
    };
  });
}

/**
 * Permuted: all classes in each task, with the features in another order each time; the first task
 * has them as they are. Rows become vectors.
 *
 * @param scenario with `class` the classes of every task have the task's number before their name
 * @param random the same stream gives the same orders, for training and for test rows
 */
export function permutedTasks(
  { x, labels, classes }: ClassifiedRows,
  count: number,
  scenario: Scenario,
  random: Random,
): ContinualTask[] {
  const flat = reshape(x, [labels.length, -1]);
  const width = flat.shape[1] as number;
  const values = flat.view();
  return Array.from({ length: count }, (_, task) => {
    const order = task === 0 ? undefined : random.split(task).permutation(width);
    const permuted = order
      ? values.map((_value, at) => values[at - (at % width) + (order[at % width] as number)] as number)
      : values.slice();
    return {
      name: `permutation ${task}`,
      classes: scenario === 'class' ? classes.map((each) => `${task}:${each}`) : classes,
      x: tensor(permuted as Float32Array, [labels.length, width]),
      labels,
    };
  });
}
