// Models of whole graphs by networks of nodes, made by `gossamer fit --model gin` and its like on a
// set of graphs.

import { readBytes } from '../../data/node.js';
import { nodeNetworks, ReadoutModel } from '../../graph/index.js';
import { settingsText } from './node-values.js';
import { onlyPath, type Predictor } from './predictor.js';
import { answerGraphs, describeTask } from './whole-graphs.js';

export function open(path: string): Predictor {
  const model = ReadoutModel.load(readBytes(path), path);
  return {
    describe: () => describe(model),
    predict: async (paths, options) => answerGraphs(model, onlyPath(paths), options),
  };
}

function describe({ description }: ReadoutModel): string[] {
  const { network, layout } = description;
  const { predicted, read } = describeTask(description, { nodes: 'their degree', edges: 'which nodes they join' });
  return [
    predicted,
    `network        ${nodeNetworks[network].title}: ${settingsText(layout)}; mean and maximum over nodes`,
    ...read,
  ];
}
