// CoNHD, made by `gossamer fit --model conhd` or `gossamer run conhd`.

import { type EncodedColumn, encodeColumns, featuresFromTable, namedIncidences, vertexRows } from '../../data/index.js';
import { isFolder, readBytes, readUnpackedText, tableIn, textEndings } from '../../data/node.js';
import { IncidenceModel, type IncidenceModelDescription } from '../../hypergraph/index.js';
import { parameterCount } from '../../nn/index.js';
import { readingText } from '../tables.js';
import { classOfRow, type Predictions, type PredictOptions, type Predictor, scoresLine } from './predictor.js';

type NamedFeatures = NonNullable<Parameters<IncidenceModel['predictProba']>[1]>;

/** What commands keep in the file beside the model. */
interface Description extends IncidenceModelDescription {
  readonly data?: string;
  readonly inputs?: readonly EncodedColumn[];
  readonly scores?: Readonly<Record<string, number>>;
}

export function open(path: string): Predictor {
  const model = IncidenceModel.load(readBytes(path), path);
  return {
    reads: readingText,
    predict: async (paths, options) => classifyIncidences(model, paths, options),
    describe: () => descriptionOf(model),
  };
}

/** The class of each incidence of a table, and the probability of all classes. */
function classifyIncidences(
  model: IncidenceModel,
  paths: readonly string[],
  { table: options, note }: Pick<PredictOptions, 'note' | 'table'>,
): Predictions {
  const [hyperedges, nodes] = filesOf(paths);
  const rows = namedIncidences(readUnpackedText(hyperedges, options), hyperedges, options);
  const edges = new Map<string, number[]>();
  rows.forEach(({ edge }, at) => {
    const own = edges.get(edge);
    if (own) own.push(at);
    else edges.set(edge, [at]);
  });
  const lists = [...edges.values()];
  const named = lists.map((own) => own.map((at) => rows[at]?.node as string));
  const probabilities = model.predictProba(named, nodes === undefined ? undefined : newVertices(model, nodes, note));
  const { classes } = model.description;
  return {
    columns: ['node', 'hyperedge', 'label', ...classes.map((name) => `p(${name})`)],
    rows: lists.flat().map((at, i) => {
      const { code, all } = classOfRow(probabilities, classes.length, i);
      return [rows[at]?.node as string, rows[at]?.edge as string, classes[code] as string, ...all];
    }),
  };
}

/** The table of hyperedges and that of nodes, given as such or in a folder. */
function filesOf(paths: readonly string[]): [hyperedges: string, nodes: string | undefined] {
  const [first, nodes, ...more] = paths;
  if (first === undefined || more.length > 0)
    throw new Error('the model reads a table of hyperedges (edge,node), then maybe one of nodes with features');
  if (!isFolder(first)) return [first, nodes];
  const hyperedges = tableIn(first, 'hyperedges', textEndings);
  if (!hyperedges) throw new Error(`folder "${first}" holds no hyperedges.csv (or .tsv, .txt)`);
  return [hyperedges, nodes ?? tableIn(first, 'nodes', textEndings)];
}

/** Features of the vertices of a table that the model does not know, as in training. */
function newVertices(model: IncidenceModel, nodes: string, note: PredictOptions['note']): NamedFeatures {
  const { inputs, vertices } = model.description as Description;
  if (!inputs) return featuresFromTable(readUnpackedText(nodes), nodes);
  const rows = vertexRows(readUnpackedText(nodes), nodes, { wanted: inputs.map(({ name }) => name) });
  for (const text of rows.notes) note(text);
  const known = new Set(vertices);
  const changed = rows.names.filter((name) => known.has(name)).length;
  if (changed > 0) note(`${changed} vertices of "${nodes}" are known from training, whose features are used`);
  return { vertexNames: rows.names, features: encodeColumns(rows.columns, inputs, rows.names.length, `"${nodes}"`) };
}

function descriptionOf({ description, network, known }: IncidenceModel): string[] {
  const { classes, vertices, options, data, inputs, scores } = description as Description;
  const { incidences, statistics } = known;
  const columns = inputs?.map(({ name }) => name).join(', ');
  return [
    `CoNHD: a class for each vertex in each hyperedge (${classes.join(', ')})`,
    `Trained on    ${data === undefined ? '' : `${data}: `}${vertices.length} vertices, ${incidences.hyperedgeCount} hyperedges, ${incidences.count} incidences, which new hyperedges join`,
    `Inputs        ${columns ?? (statistics ? `${statistics.means.length} features of each vertex` : 'made from the hyperedges; vertices of training alone can be asked about')}`,
    `Network       width ${options.hidden}, ${options.layers} layers, ${parameterCount(network).toLocaleString('en-US')} parameters`,
    ...(scores ? [scoresLine(scores)] : []),
  ];
}
