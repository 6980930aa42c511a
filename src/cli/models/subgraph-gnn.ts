// Models of whole graphs, made by `gossamer fit --model sswl-plus` and `--model gine`.

import { readBytes } from '../../data/node.js';
import { SubgraphModel, schemeOf, testOfScheme } from '../../graph/index.js';
import { onlyPath, type Predictor } from './predictor.js';
import { answerGraphs, describeTask } from './whole-graphs.js';

/** A predictor that keeps its model, for `gossamer embed`. */
export interface SubgraphPredictor extends Predictor {
  readonly model: SubgraphModel;
}

export function open(path: string): SubgraphPredictor {
  const model = SubgraphModel.load(readBytes(path), path);
  return {
    model,
    describe: () => describe(model),
    predict: async (paths, options) => answerGraphs(model, onlyPath(paths), options),
  };
}

function describe({ description }: SubgraphModel): string[] {
  const { options, policy } = description;
  const scheme = schemeOf(options.scheme);
  const { predicted, read } = describeTask(description, {
    nodes: 'nothing but their distances',
    edges: 'which nodes they join',
  });
  return [
    predicted,
    `aggregations   ${scheme.aggregations.join(', ')}; tells apart at most what ${testOfScheme(scheme)} does`,
    `subgraphs      ${scheme.policy === 'plain' ? 'none' : `of ${policy.roots ?? 'all'} roots, ${policy.hops ? `within ${policy.hops} hops` : 'whole'}`}`,
    ...read,
    `layers         ${options.layers ?? 6} of width ${options.hidden ?? 96}`,
  ];
}
