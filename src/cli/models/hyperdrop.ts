// Classifiers of graphs, made by `gossamer fit --model hyperdrop`.

import { loadWholeGraphs, readBytes } from '../../data/node.js';
import { HyperDropModel } from '../../hypergraph/index.js';
import { classOfRow, onlyPath, type Predictions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = HyperDropModel.load(readBytes(path), path);
  return {
    edges: true,
    describe: () => describe(model),
    reads: [],
    predict: async (paths) => classifyGraphs(model, onlyPath(paths)),
  };
}

function describe({ description }: HyperDropModel): string[] {
  const { classes, encoding, options } = description;
  const names = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => name).join(', ');
  return [
    `classes of graphs by ${options.pooling ?? 'hyperdrop'}: ${classes.join(', ')}`,
    `reads of nodes ${names(encoding.nodes) || 'their degrees'}`,
    `reads of edges ${names(encoding.edges) || 'which nodes they join'}`,
    `layers         ${options.layers ?? 3} of width ${options.hidden ?? 128}`,
    `keeps          ${options.ratio ?? 0.8} of the edges at each drop`,
  ];
}

/** The class of each graph, with the probability of all, and of each edge whether it was kept. */
function classifyGraphs(model: HyperDropModel, path: string): Predictions {
  const data = loadWholeGraphs(path);
  const { graphs, graphNames, nodeNames } = data;
  const { probabilities, scores, kept } = model.predict(data);
  const { classes } = model.description;
  const graphOf = graphs.edges.ids.view();
  const nodeName = (node: number, graph: number) => nodeNames?.[node] ?? node - (graphs.nodes.offsets[graph] as number);
  return {
    columns: ['graph', 'prediction', 'probability', ...classes.map((name) => `p(${name})`)],
    rows: graphNames.map((name, g) => {
      const { code, probability, all } = classOfRow(probabilities, classes.length, g);
      return [name, classes[code] as string, probability, ...all];
    }),
    edges: {
      columns: ['graph', 'source', 'target', 'score', 'kept'],
      rows: Array.from(graphOf, (g, e) => [
        graphNames[g] as string,
        nodeName(graphs.sources[e] as number, g),
        nodeName(graphs.targets[e] as number, g),
        (scores[e] as number).toFixed(4),
        kept[e] as number,
      ]),
    },
  };
}
