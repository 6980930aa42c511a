// Models of whole graphs, made by `gossamer fit --model ppgn++`.

import { readBytes } from '../../data/node.js';
import { PPGNModel, patternText } from '../../graph/index.js';
import { onlyPath, type Predictor } from './predictor.js';
import { answerGraphs, describeTask } from './whole-graphs.js';

export function open(path: string): Predictor {
  const model = PPGNModel.load(readBytes(path), path);
  return {
    describe: () => describe(model),
    predict: async (paths, options) => answerGraphs(model, onlyPath(paths), options),
  };
}

function describe({ description }: PPGNModel): string[] {
  const { options, polynomials } = description;
  const { predicted, read } = describeTask(description, { nodes: 'nothing', edges: 'which nodes they join' });
  return [
    predicted,
    `polynomials    ${polynomials.patterns.map((pattern) => patternText(pattern)).join('; ') || 'none'}`,
    ...read,
    `blocks         ${options.depth ?? 8} of width ${options.hidden ?? 95}${options.variant === 'plain' ? ', without transpose and identity' : ''}`,
  ];
}
