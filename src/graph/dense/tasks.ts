// What is predicted of graphs: a class, or numbers, which networks learn standardised by the mean
// and deviation of the training graphs.

import type { WholeGraphs } from '../../data/index.js';
import { softmax, tensor } from '../../tensor/index.js';
import type { GraphTargets } from './training.js';

/** What a model predicts of a graph. */
export type GraphTask =
  | { readonly kind: 'classes'; readonly names: readonly string[] }
  | {
      readonly kind: 'numbers';
      /** Names of the numbers. */
      readonly names: readonly string[];
      /** Of the training graphs. */
      readonly means: readonly number[];
      /** Of the training graphs; 1 for a constant. */
      readonly deviations: readonly number[];
    };

/** Numbers that a network of a task gives. */
export function outputsOfTask({ names }: GraphTask): number {
  return names.length;
}

/**
 * The task of a set of graphs: the classes of the graphs, or the numbers of the named columns.
 *
 * @param targets names of columns of numbers; the classes when left out
 * @param train graphs whose mean and deviation count
 * @throws Error for a column that there is not, or when there are fewer than two classes
 */
export function graphTask(data: WholeGraphs, targets: readonly string[] | undefined, train: Int32Array): GraphTask {
  const fail = (reason: string): never => {
    throw new Error(`set of graphs "${data.name}": ${reason}`);
  };
  if (!targets) {
    const names = data.classNames;
    if (names.length < 2)
      return fail(
        names.length === 0
          ? 'graphs have no labels; give graphs.csv a column "label", or name a column of numbers (--target)'
          : `every graph has the label "${names[0]}"; two classes are needed`,
      );
    return { kind: 'classes', names };
  }
  const moments = targets.map((name) => {
    const values = columnOf(data, name);
    const own = Float64Array.from(train, (g) => values[g] as number);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    const square = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
    return { mean, deviation: Math.sqrt(square) || 1 };
  });
  return {
    kind: 'numbers',
    names: targets,
    means: moments.map(({ mean }) => mean),
    deviations: moments.map(({ deviation }) => deviation),
  };
}

/** The numbers of a column of graphs. @throws Error when there is none, or naming a gap */
export function columnOf({ targets, name, graphNames }: WholeGraphs, column: string): Float64Array {
  const found = targets.find((own) => own.name === column);
  if (found?.kind !== 'number')
    throw new Error(
      `set of graphs "${name}": graphs have no column "${column}" of numbers; there are ${targets.map((own) => own.name).join(', ') || 'none'}`,
    );
  const gap = found.values.findIndex((value) => Number.isNaN(value));
  if (gap >= 0)
    throw new Error(
      `set of graphs "${name}": "${column}" of graph "${graphNames[gap]}" is missing; leave the graph out, or give the number`,
    );
  return found.values;
}

/** What a network learns of all graphs. @throws Error for a graph without a label */
export function targetsOf(data: WholeGraphs, task: GraphTask): GraphTargets {
  if (task.kind === 'classes') {
    const without = data.labels.indexOf(-1);
    if (without >= 0)
      throw new Error(
        `set of graphs "${data.name}": graph "${data.graphNames[without]}" has no label; leave it out of the folder`,
      );
    return { labels: data.labels };
  }
  const width = task.names.length;
  const values = new Float32Array(data.graphs.count * width);
  task.names.forEach((name, t) => {
    columnOf(data, name).forEach((value, g) => {
      values[g * width + t] = (value - (task.means[t] as number)) / (task.deviations[t] as number);
    });
  });
  return { values, width };
}

/** Outputs [graphs, width] as answers: probabilities of classes, or numbers in their own units. */
export function answersOf(outputs: Float32Array, task: GraphTask): Float32Array {
  const width = task.names.length;
  if (task.kind === 'classes')
    return softmax(tensor(outputs, [outputs.length / width, width])).dataSync<Float32Array>();
  return outputs.map(
    (value, at) => value * (task.deviations[at % width] as number) + (task.means[at % width] as number),
  );
}

/** How well graphs of given numbers are answered for. */
export interface GraphScores {
  /** Of classes, in %. */
  readonly accuracy?: number;
  /** Mean absolute error of each number, in its unit. */
  readonly errors?: readonly number[];
}

/** Scores of answers [chosen, width] for graphs of given numbers. */
export function graphScores(
  answers: Float32Array,
  data: WholeGraphs,
  task: GraphTask,
  chosen: Int32Array,
): GraphScores {
  const width = task.names.length;
  if (task.kind === 'classes') {
    const right = chosen.reduce((sum, g, i) => {
      const own = answers.subarray(i * width, (i + 1) * width);
      return sum + Number(own.indexOf(Math.max(...own)) === data.labels[g]);
    }, 0);
    return { accuracy: (100 * right) / chosen.length };
  }
  return {
    errors: task.names.map((name, t) => {
      const values = columnOf(data, name);
      return (
        chosen.reduce((sum, g, i) => sum + Math.abs((answers[i * width + t] as number) - (values[g] as number)), 0) /
        chosen.length
      );
    }),
  };
}
