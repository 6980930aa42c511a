// CoNHD, made by `gossamer run conhd`.

import { featuresFromTable, namedIncidences } from '../../data/index.js';
import { readBytes, readText } from '../../data/node.js';
import { IncidenceModel } from '../../hypergraph/index.js';
import { classOfRow, type Predictions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = IncidenceModel.load(readBytes(path), path);
  return { predict: async (paths) => classifyIncidences(model, paths) };
}

/** The class of each incidence of a table, and the probability of all classes. */
function classifyIncidences(model: IncidenceModel, [hyperedges, nodes, ...more]: readonly string[]): Predictions {
  if (hyperedges === undefined || more.length > 0)
    throw new Error('the model reads a table of hyperedges (edge,node), then maybe one of nodes with features');
  const rows = namedIncidences(readText(hyperedges), hyperedges);
  const edges = new Map<string, number[]>();
  rows.forEach(({ edge }, at) => {
    const own = edges.get(edge);
    if (own) own.push(at);
    else edges.set(edge, [at]);
  });
  const lists = [...edges.values()];
  const named = lists.map((own) => own.map((at) => rows[at]?.node as string));
  const features = nodes === undefined ? undefined : featuresFromTable(readText(nodes), nodes);
  const probabilities = model.predictProba(named, features);
  const { classes } = model.description;
  return {
    columns: ['node', 'hyperedge', 'label', ...classes.map((name) => `p(${name})`)],
    rows: lists.flat().map((at, i) => {
      const { code, all } = classOfRow(probabilities, classes.length, i);
      return [rows[at]?.node as string, rows[at]?.edge as string, classes[code] as string, ...all];
    }),
  };
}
