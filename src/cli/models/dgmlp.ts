// Node classifiers of DGMLP, made by `gossamer run dgmlp`.

import { loadGraph, loadNamedGraph, readBytes } from '../../data/node.js';
import { DGMLPModel } from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { classOfRow, onlyPath, type Predictions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = DGMLPModel.load(readBytes(path), path);
  return {
    reads: [],
    predict: async (paths) => classifyNodes(model, onlyPath(paths)),
    describe: () => descriptionOf(model),
  };
}

function descriptionOf({ network, description }: DGMLPModel): string[] {
  const { classes, inFeatures, structural, scaleRows, options, data, validated } = description;
  const scaled = scaleRows ? ', rows scaled to sum 1' : '';
  return [
    `DGMLP: classifies nodes (${classes.join(', ')})`,
    `Network     ${Object.entries(options)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    `Attributes  ${structural ? 'none; features are made from the edges' : `${inFeatures} features a node${scaled}`}`,
    ...(data === undefined ? [] : [`Trained on  ${data}`]),
    `Size        ${parameterCount(network).toLocaleString('en')} parameters`,
    ...(validated === undefined ? [] : [`Scores      accuracy ${(100 * validated).toFixed(1)} % on validation nodes`]),
  ];
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
