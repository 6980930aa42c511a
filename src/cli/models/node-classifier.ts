// Classifiers of nodes, made by `gossamer fit` on a graph.

import { readBytes } from '../../data/node.js';
import { inputNames, NodeClassifier, nodeNetworks } from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { scoreLines } from '../fit/nodes.js';
import { loadAsTrained } from './node-graph.js';
import { classOfRow, onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = NodeClassifier.load(readBytes(path), path);
  return {
    predict: async (paths, options) => classifyNodes(model, onlyPath(paths), options),
    describe: () => descriptionOf(model),
  };
}

/** The class of each node of a graph, and the probability of all classes. */
async function classifyNodes(model: NodeClassifier, path: string, options: PredictOptions): Promise<Predictions> {
  const { inputs, directed, target, classes } = model.description;
  const data = await loadAsTrained(path, { inputs, directed, target }, options);
  const probabilities = model.predictProba(data, options.note);
  return {
    columns: ['node', target, 'probability', ...classes.map((name) => `p(${name})`)],
    rows: data.nodeNames.map((node, v) => {
      const { code, probability, all } = classOfRow(probabilities, classes.length, v);
      return [node, classes[code] as string, probability, ...all];
    }),
    graph: data,
  };
}

function descriptionOf({ network, description }: NodeClassifier): string[] {
  const { network: name, layout, inputs, directed, target, classes, trained, scores, inFeatures } = description;
  const names = inputNames(inputs);
  const read =
    inputs.kind === 'structure'
      ? 'none; features are made from the edges'
      : names.length > 0
        ? `${names.slice(0, 12).join(', ')}${names.length > 12 ? `, … (${names.length})` : ''}`
        : `a matrix of ${inFeatures} features`;
  return [
    `Classifies nodes by "${target}" (${classes.slice(0, 12).join(', ')}${classes.length > 12 ? `, … (${classes.length})` : ''})`,
    `Network     ${nodeNetworks[name].title}: ${Object.entries(layout)
      .map(([key, value]) => `${key}=${value}`)
      .join(', ')}`,
    `Edges       ${directed ? 'directed' : 'both ways'}`,
    `Attributes  ${read}`,
    `Trained on  ${trained.data}: ${trained.nodes} nodes, ${trained.edges} edges, ${trained.labelled} labels`,
    `Size        ${parameterCount(network).toLocaleString('en')} parameters`,
    ...scoreLines(scores).map((line) => `Scores      ${line}`),
  ];
}
