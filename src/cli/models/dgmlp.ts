// Node classifiers of DGMLP, made by `gossamer run dgmlp`.

import { loadGraph, loadNamedGraph, readBytes } from '../../data/node.js';
import { DGMLPModel } from '../../graph/index.js';
import { classOfRow, onlyPath, type Predictions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = DGMLPModel.load(readBytes(path), path);
  return { reads: [], predict: async (paths) => classifyNodes(model, onlyPath(paths)) };
}

/** The class of each node of a folder of tables, a file of another program, or an archive. */
function classifyNodes(model: DGMLPModel, path: string): Predictions {
  const named = loadNamedGraph(path);
  const { graph, features } = named ?? loadGraph(path, { scaleRows: false });
  const probabilities = model.predictProba(features, graph, path, named?.nodeNames);
  const { classes } = model.description;
  return {
    columns: ['node', 'prediction', 'probability'],
    rows: Array.from({ length: graph.nodeCount }, (_, v) => {
      const { code, probability } = classOfRow(probabilities, classes.length, v);
      return [named?.nodeNames[v] ?? v, classes[code] as string, probability];
    }),
  };
}
