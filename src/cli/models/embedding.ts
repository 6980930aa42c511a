// Models of FastRP vectors, made by `gossamer fit --model fastrp`: labels of nodes, or links.

import { type AttributedGraph, edgeEnds, readCsv } from '../../data/index.js';
import { loadAttributedGraph, readBytes, readText } from '../../data/node.js';
import { EmbeddingModel } from '../../embedding/index.js';
import { embeddingScoreLines } from '../fit/embeddings.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = EmbeddingModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => answer(model, paths, options),
    describe: () => describe(model),
  };
}

async function answer(model: EmbeddingModel, paths: readonly string[], options: PredictOptions): Promise<Predictions> {
  const { directed, target, task } = model.description;
  const [path, pairs, ...more] = paths;
  if (task === 'labels') onlyPath(paths);
  if (path === undefined || more.length > 0)
    throw new Error(
      `the model reads a graph and maybe a table source,target, got ${paths.length}: ${paths.join(', ')}`,
    );
  const data = await loadAttributedGraph(path, { ...options.table, directed, ...(target !== '' && { target }) });
  if (task === 'labels') return labelsOf(model, data);
  return pairs === undefined ? newLinks(model, data, options.top ?? 10) : scoresOf(model, data, pairs);
}

/** Of several labels those that are more probable than not, and the most probable in any case. */
function labelsOf(model: EmbeddingModel, data: AttributedGraph): Predictions {
  const { labels, single, target } = model.description;
  const all = model.labelProbabilities(data);
  return {
    columns: ['node', target, ...labels.map((name) => `p(${name})`)],
    rows: data.nodeNames.map((node, v) => {
      const own = all.subarray(v * labels.length, (v + 1) * labels.length);
      const top = own.indexOf(Math.max(...own));
      const chosen = labels.filter((_, code) => code === top || (!single && (own[code] as number) >= 0.5));
      return [node, chosen.join(';'), ...Array.from(own, (p) => p.toFixed(4))];
    }),
    graph: data,
  };
}

function newLinks(model: EmbeddingModel, data: AttributedGraph, top: number): Predictions {
  const { nodeNames } = data;
  return {
    columns: ['source', 'target', 'probability'],
    rows: model
      .newLinks(data, top)
      .map(({ source, target, probability }) => [
        nodeNames[source] as string,
        nodeNames[target] as string,
        probability.toFixed(4),
      ]),
  };
}

function scoresOf(model: EmbeddingModel, data: AttributedGraph, path: string): Predictions {
  const { nodeNames } = data;
  const ids = new Map(nodeNames.map((node, v) => [node, v]));
  const pairs = edgeEnds(readCsv(readText(path), path), ids, path);
  const probabilities = model.linkProbabilities(model.vectors(data), pairs);
  return {
    columns: ['source', 'target', 'probability'],
    rows: Array.from(probabilities, (probability, i) => [
      nodeNames[pairs.sources[i] as number] as string,
      nodeNames[pairs.targets[i] as number] as string,
      probability.toFixed(4),
    ]),
  };
}

function describe({ description }: EmbeddingModel): string[] {
  const { task, embedding, directed, target, labels, trained } = description;
  const { dim, weights, degreeExponent, seed } = embedding;
  const some = `${labels.slice(0, 12).join(', ')}${labels.length > 12 ? `, … (${labels.length})` : ''}`;
  return [
    task === 'labels' ? `Labels nodes by "${target}" (${some})` : 'Scores links between nodes',
    `Vectors     FastRP: dim=${dim}, weights=${weights.join(',')}, degreeExponent=${degreeExponent}, seed=${seed}; projection by names of nodes`,
    `Edges       ${directed ? 'directed' : 'both ways'}`,
    `Trained on  ${trained.data}: ${trained.nodes} nodes, ${trained.edges} edges`,
    ...embeddingScoreLines(description).map((line) => `Scores      ${line}`),
  ];
}
