// Models of whole graphs, made by `gossamer fit --model sswl-plus` and `--model gine`.

import { loadWholeGraphs, readBytes } from '../../data/node.js';
import { SubgraphModel, schemeOf, testOfScheme } from '../../graph/index.js';
import { classOfRow, onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

/** A predictor that keeps its model, for `gossamer embed`. */
export interface SubgraphPredictor extends Predictor {
  readonly model: SubgraphModel;
}

export function open(path: string): SubgraphPredictor {
  const model = SubgraphModel.load(readBytes(path), path);
  return {
    model,
    describe: () => describe(model),
    predict: async (paths, options) => answer(model, onlyPath(paths), options),
  };
}

function describe({ description }: SubgraphModel): string[] {
  const { encoding, options, policy, task } = description;
  const scheme = schemeOf(options.scheme);
  const names = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => name).join(', ');
  return [
    `${task.kind === 'classes' ? 'classes' : 'numbers'} of graphs: ${task.names.join(', ')}`,
    `aggregations   ${scheme.aggregations.join(', ')}; tells apart at most what ${testOfScheme(scheme)} does`,
    `subgraphs      ${scheme.policy === 'plain' ? 'none' : `of ${policy.roots ?? 'all'} roots, ${policy.hops ? `within ${policy.hops} hops` : 'whole'}`}`,
    `reads of nodes ${names(encoding.nodes) || 'nothing but their distances'}`,
    `reads of edges ${names(encoding.edges) || 'which nodes they join'}`,
    `layers         ${options.layers ?? 6} of width ${options.hidden ?? 96}`,
  ];
}

/** The class of each graph with the probability of all, or its numbers. */
function answer(model: SubgraphModel, path: string, { note }: PredictOptions): Predictions {
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
