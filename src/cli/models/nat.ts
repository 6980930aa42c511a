// Link predictors of NAT, made by `gossamer run nat`.

import { pairsFromTable } from '../../data/index.js';
import { loadTemporal, readBytes, readText } from '../../data/node.js';
import { NATModel } from '../../graph/index.js';
import { onlyPath, type Predictions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = NATModel.load(readBytes(path), path);
  return {
    predict: async (paths) => scorePairs(model, onlyPath(paths)),
    observe: async (events) => {
      model.observe(loadTemporal(events, { features: model.network.eventFeatures !== undefined }));
      return model.save();
    },
  };
}

/** The probability of each pair of a table. */
function scorePairs(model: NATModel, path: string): Predictions {
  const { sources, targets } = pairsFromTable(readText(path), path);
  const probabilities = model.predictProba(sources, targets);
  return {
    columns: ['source', 'target', 'probability'],
    rows: sources.map((source, i) => [source, targets[i] as string, (probabilities[i] as number).toFixed(4)]),
  };
}
