// What models of whole graphs answer on the command line.

import { loadWholeGraphs } from '../../data/node.js';
import type { GraphTask, WholeGraphModel } from '../../graph/index.js';
import { classOfRow, type Predictions, type PredictOptions } from './predictor.js';

/** What is predicted, as a line. */
export function taskLine({ kind, names }: GraphTask): string {
  return `${kind === 'classes' ? 'classes' : 'numbers'} of graphs: ${names.join(', ')}`;
}

/** Names of columns, with commas. */
export function namesOf(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => name).join(', ');
}

/** The class of each graph with the probability of all, or its numbers. */
export function answersOfGraphs(model: WholeGraphModel, path: string, { note }: PredictOptions): Predictions {
  const data = loadWholeGraphs(path);
  const unknown = new Map<string, number>();
  const answers = model.predict(data, {
    force: true,
    onUnknown: (what, value) => {
      const key = `${what} "${value}"`;
      unknown.set(key, (unknown.get(key) ?? 0) + 1);
    },
  });
  for (const [key, times] of unknown) note(`${key} was not in the training data and counts as none (${times} times)`);
  const { task } = model.description;
  const { names } = task;
  if (task.kind === 'numbers')
    return {
      columns: ['graph', ...names],
      rows: data.graphNames.map((name, g) => [
        name,
        ...names.map((_, t) => Number((answers[g * names.length + t] as number).toPrecision(7))),
      ]),
    };
  return {
    columns: ['graph', 'prediction', 'probability', ...names.map((name) => `p(${name})`)],
    rows: data.graphNames.map((name, g) => {
      const { code, probability, all } = classOfRow(answers, names.length, g);
      return [name, names[code] as string, probability, ...all];
    }),
  };
}
