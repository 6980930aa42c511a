// Answers for graphs by a model of whole graphs.

import { loadWholeGraphs } from '../../data/node.js';
import type { WholeGraphDescription, WholeGraphModel, WholeGraphNetwork } from '../../graph/index.js';
import { classOfRow, type Predictions, type PredictOptions } from './predictor.js';

/** What is predicted, and what is read of nodes and edges. */
export function describeTask(
  { encoding, task }: WholeGraphDescription,
  without: { readonly nodes: string; readonly edges: string },
): { readonly predicted: string; readonly read: readonly string[] } {
  const names = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => name).join(', ');
  return {
    predicted: `${task.kind === 'classes' ? 'classes' : 'numbers'} of graphs: ${task.names.join(', ')}`,
    read: [
      `reads of nodes ${names(encoding.nodes) || without.nodes}`,
      `reads of edges ${names(encoding.edges) || without.edges}`,
    ],
  };
}

/** The class of each graph with the probability of all, or its numbers. */
export function answerGraphs(
  model: WholeGraphModel<WholeGraphDescription, WholeGraphNetwork & object>,
  path: string,
  { note }: PredictOptions,
): Predictions {
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
