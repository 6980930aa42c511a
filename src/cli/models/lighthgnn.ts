// Students of LightHGNN, made by `gossamer run lighthgnn`.

import { featuresFromTable } from '../../data/index.js';
import { readBytes, readText } from '../../data/node.js';
import { StudentModel } from '../../hypergraph/index.js';
import { classOfRow, onlyPath, type Predictions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = StudentModel.load(readBytes(path), path);
  return { predict: async (paths) => classifyVertices(model, onlyPath(paths)) };
}

/** The class of each vertex of a table of features. */
function classifyVertices(model: StudentModel, path: string): Predictions {
  const columns = model.inputs.columns ?? [];
  const ignored = ['label', 'split'].filter((column) => !columns.some((own) => own.toLowerCase() === column));
  const { vertexNames, ...table } = featuresFromTable(readText(path), path, ignored);
  const probabilities = model.predictProba(table, path);
  const count = model.network.head.outFeatures;
  return {
    columns: ['vertex', 'prediction', 'probability'],
    rows: vertexNames.map((vertex, v) => {
      const { code, probability } = classOfRow(probabilities, count, v);
      return [vertex, model.classes[code] ?? code, probability];
    }),
  };
}
