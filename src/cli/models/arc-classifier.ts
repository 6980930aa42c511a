// Models of pairs of nodes, made by `gossamer fit --task direction` or `links` and their like.

import { type AttributedGraph, edgeEnds, readCsv } from '../../data/index.js';
import { readBytes, readText } from '../../data/node.js';
import { type ArcEnds, ArcModel, nodeNetworks } from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { arcScoreLines } from '../fit/arcs.js';
import { loadAsTrained } from './node-graph.js';
import { settingsText } from './node-values.js';
import { classOfRow, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = ArcModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => answer(model, paths, options),
    describe: () => descriptionOf(model),
  };
}

/** The answer for each pair of a table `source,target`, or for each arc of the graph. */
async function answer(model: ArcModel, paths: readonly string[], options: PredictOptions): Promise<Predictions> {
  const [path, pairs, ...more] = paths;
  if (path === undefined || more.length > 0)
    throw new Error(
      `the model reads a graph and maybe a table source,target, got ${paths.length}: ${paths.join(', ')}`,
    );
  const { inputs, classes, question } = model.description;
  const data = await loadAsTrained(path, { inputs, directed: question !== 'links' }, options);
  const ends = pairs === undefined ? data.graph.edges() : endsIn(pairs, data);
  const probabilities = model.predictProba(data, ends, options.note);
  const nodeOf = (v: number | undefined) => data.nodeNames[v as number] as string;
  return {
    columns: ['source', 'target', question, 'probability', ...classes.map((name) => `p(${name})`)],
    rows: Array.from(ends.sources, (source, i) => {
      const { code, probability, all } = classOfRow(probabilities, classes.length, i);
      return [nodeOf(source), nodeOf(ends.targets[i]), classes[code] as string, probability, ...all];
    }),
  };
}

function endsIn(path: string, { nodeNames }: AttributedGraph): ArcEnds {
  const ids = new Map(nodeNames.map((node, v) => [node, v]));
  return edgeEnds(readCsv(readText(path), path), ids, path);
}

function descriptionOf({ classifier, description }: ArcModel): string[] {
  const { question, classes, network, layout, inFeatures, trained, scores } = description;
  return [
    `Answers the question "${question}" on pairs of nodes (${classes.join(', ')})`,
    `Network     ${nodeNetworks[network].title}: ${settingsText(layout)}`,
    `Edges       ${question === 'links' ? 'undirected' : 'directed'}`,
    `Attributes  ${inFeatures} features`,
    `Trained on  ${trained.data}: ${trained.nodes} nodes, ${trained.edges} edges, ${trained.pairs} pairs`,
    `Size        ${parameterCount(classifier).toLocaleString('en')} parameters`,
    ...arcScoreLines(scores).map((line) => `Scores      ${line}`),
  ];
}
