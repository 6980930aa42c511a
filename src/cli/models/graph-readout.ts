// Models of whole graphs by networks of nodes, made by `gossamer fit --model gin` and its like on a
// set of graphs.

import { readBytes } from '../../data/node.js';
import { nodeNetworks, ReadoutModel } from '../../graph/index.js';
import { settingsText } from './node-values.js';
import { onlyPath, type Predictor } from './predictor.js';
import { answersOfGraphs, namesOf, taskLine } from './whole-graphs.js';

export function open(path: string): Predictor {
  const model = ReadoutModel.load(readBytes(path), path);
  return {
    describe: () => describe(model),
    predict: async (paths, options) => answersOfGraphs(model, onlyPath(paths), options),
  };
}

function describe({ description: { task, network, layout, encoding } }: ReadoutModel): string[] {
  return [
    taskLine(task),
    `network        ${nodeNetworks[network].title}: ${settingsText(layout)}; mean and maximum over nodes`,
    `reads of nodes ${namesOf(encoding.nodes) || 'their degree'}`,
    'reads of edges which nodes they join',
  ];
}
