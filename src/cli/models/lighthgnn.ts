// Students of LightHGNN, made by `gossamer fit --model lighthgnn` or `gossamer run lighthgnn`.

import { featuresFromTable, vertexRows } from '../../data/index.js';
import { isFolder, loadNamedHypergraph, readBytes, readUnpackedText } from '../../data/node.js';
import { type StudentModel, VertexModel } from '../../hypergraph/index.js';
import { parameterCount } from '../../nn/index.js';
import { Hypergraph } from '../../structure/index.js';
import { readingText } from '../tables.js';
import {
  classOfRow,
  onlyPath,
  type Predictions,
  type PredictOptions,
  type Predictor,
  scoresLine,
} from './predictor.js';

export function open(path: string): Predictor {
  const model = VertexModel.load(readBytes(path), path);
  const { student } = model;
  return {
    reads: readingText,
    predict: async (paths, options) =>
      model.inputs
        ? classifyNamed(model, onlyPath(paths), options)
        : classifyVertices(student, onlyPath(paths), options),
    describe: () => descriptionOf(model),
  };
}

/** The class of each vertex of a table, a folder, or a file of hyperedges. */
function classifyNamed(model: VertexModel, path: string, { table: reading, note }: PredictOptions): Predictions {
  const { inputs, student } = model;
  const wanted = inputs && 'columns' in inputs ? inputs.columns.map(({ name }) => name) : [];
  const data =
    !inputs || 'projections' in inputs || isFolder(path)
      ? loadNamedHypergraph(path, { ...reading, wanted })
      : tableOf();
  function tableOf() {
    const rows = vertexRows(readUnpackedText(path, reading), path, { ...reading, wanted });
    const hypergraph = new Hypergraph(rows.names.length, []);
    return { name: path, hypergraph, vertexNames: rows.names, rows, labels: [], parts: [], notes: rows.notes };
  }
  for (const text of data.notes) note(text);
  return rowsOf(student, data.vertexNames, model.predictProba(data));
}

/** The class of each vertex of a table of features, by a student of `gossamer run`. */
function classifyVertices(model: StudentModel, path: string, { table: reading }: PredictOptions): Predictions {
  const columns = model.inputs.columns ?? [];
  const ignored = ['label', 'split'].filter((column) => !columns.some((own) => own.toLowerCase() === column));
  const { vertexNames, ...table } = featuresFromTable(readUnpackedText(path, reading), path, ignored, reading);
  return rowsOf(model, vertexNames, model.predictProba(table, path));
}

function rowsOf(model: StudentModel, names: readonly string[], probabilities: Float32Array): Predictions {
  const count = model.network.head.outFeatures;
  return {
    columns: ['vertex', 'prediction', 'probability'],
    rows: names.map((vertex, v) => {
      const { code, probability } = classOfRow(probabilities, count, v);
      return [vertex, model.classes[code] ?? code, probability];
    }),
  };
}

function descriptionOf({ student, inputs, training }: VertexModel): string[] {
  const { classes, network } = student;
  const width = network.blocks[0]?.linear.inFeatures ?? 0;
  const columns = inputs && 'columns' in inputs ? inputs.columns : student.inputs.columns;
  const source =
    inputs && 'projections' in inputs
      ? `${width} numbers made from who shares hyperedges with a vertex: give its hyperedges`
      : (columns?.map((column) => (typeof column === 'string' ? column : column.name)).join(', ') ??
        `${width} features of a vertex`);
  const taught = training ? `, taught by ${training.teacher}` : '';
  const context = inputs && 'projections' in inputs ? '' : '; not needed for answers';
  return [
    `LightHGNN: classes of vertices (${classes.join(', ')})`,
    ...(training
      ? [`Trained on    ${training.data}: ${training.vertices} vertices, ${training.hyperedges} hyperedges${context}`]
      : []),
    `Inputs        ${source}`,
    `Network       perceptron of width ${network.head.inFeatures}${taught}, ${parameterCount(network).toLocaleString('en-US')} parameters`,
    ...(training ? [scoresLine(training.scores)] : []),
  ];
}
