// Models of numbers of nodes, made by `gossamer fit --task number` on a graph.

import { readBytes } from '../../data/node.js';
import { NodeValueModel, nodeNetworks } from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { valueScoreLines } from '../fit/node-values.js';
import { loadAsTrained } from './node-graph.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = NodeValueModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => predictNodes(model, onlyPath(paths), options),
    describe: () => descriptionOf(model),
  };
}

/** The number of each node of a graph. */
async function predictNodes(model: NodeValueModel, path: string, options: PredictOptions): Promise<Predictions> {
  const { inputs, directed, target } = model.description;
  const data = await loadAsTrained(path, { inputs, directed }, options);
  const values = model.predict(data, options.note);
  return {
    columns: ['node', target],
    rows: data.nodeNames.map((node, v) => [node, Number((values[v] as number).toPrecision(6))]),
    graph: data,
  };
}

function descriptionOf({ network, description }: NodeValueModel): string[] {
  const { network: name, layout, directed, target, trained, scores, inFeatures } = description;
  return [
    `Predicts the number "${target}" of nodes`,
    `Network     ${nodeNetworks[name].title}: ${settingsText(layout)}`,
    `Edges       ${directed ? 'directed' : 'both ways'}`,
    `Attributes  ${inFeatures} features`,
    `Trained on  ${trained.data}: ${trained.nodes} nodes, ${trained.edges} edges, ${trained.valued} numbers`,
    `Size        ${parameterCount(network).toLocaleString('en')} parameters`,
    ...valueScoreLines(scores).map((line) => `Scores      ${line}`),
  ];
}

/** Settings of a network as text. */
export function settingsText(layout: object): string {
  return Object.entries(layout)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
