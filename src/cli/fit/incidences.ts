// Classes of vertices within hyperedges by CoNHD.

import { columnsFor, encodeColumns, encodingOf, type IncidenceDataset, vertexRows } from '../../data/index.js';
import { isFolder, loadIncidences, readUnpackedText, tableIn, textEndings } from '../../data/node.js';
import {
  CoNHD,
  centralities,
  IncidenceMLP,
  IncidenceModel,
  type IncidenceNetwork,
  type LabelledIncidences,
  rankPositions,
  standardizedFeatures,
  structuralFeatures,
  trainIncidences,
} from '../../hypergraph/index.js';
import { featureCount, inference, predictedClasses } from '../../nn/index.js';
import type { ColumnStatistics } from '../../structure/index.js';
import { type Random, scope, type Tensor } from '../../tensor/index.js';
import { tableOptionsOf } from '../tables.js';
import { classScores, mostFrequent, requireParts, scoreLines } from './class-scores.js';
import type { conhdOptions } from './hypergraph-options.js';
import type { FitRequest, Fitted } from './learner.js';

/** Batches in an epoch at least: a small hypergraph passes more than once between validations. */
const LEAST_STEPS = 20;

type Request = FitRequest<typeof conhdOptions>;

/** Trains on the labelled incidences of the training hyperedges; the best epoch is kept. */
export async function fitIncidences(path: string, request: Request): Promise<Fitted> {
  const { values, random, hooks } = request;
  const data = loadIncidences(path, request.seed, {
    ...tableOptionsOf(request.reading),
    target: request.target,
    features: false,
  });
  const { incidences, labels, classes, split, names } = data;
  const rows = { labels, classes, ...split };
  requireParts(rows, names.classes, 'incidence');
  const { features, statistics, inputs } = inputsOf(data, path, request);
  const positions = values.positions === 'ranks' ? rankPositions(incidences) : undefined;
  const task = { incidences, features, ...(positions && { positions }), ...rows };
  const { layers, hidden, block, dropout } = values;
  const shape = { layers, hidden, dropout, positions: positions?.shape[1] ?? 0 };
  const width = featureCount(features);
  const network = new CoNHD(width, classes, random.split('weights'), { ...shape, block });
  const { stopped } = await trained(network, task, random.split('fit'), request, hooks);
  const mlp = new IncidenceMLP(width, classes, random.split('mlp weights'), shape);
  if (stopped !== 'aborted') await trained(mlp, task, random.split('mlp'), request, { signal: hooks.signal });
  const predicted = (own: IncidenceNetwork) => scope(() => predictedClasses(own.forward(task, inference)));
  const scores = classScores(predicted(network), rows);
  const beside = {
    CoNHD: scores,
    'perceptron on the same inputs': classScores(predicted(mlp), rows),
    'most frequent class': classScores(mostFrequent(rows), rows),
  };
  const description = { classes: names.classes, vertices: names.vertices, options: network.options };
  const known = {
    incidences,
    features,
    centralities: positions ? centralities(incidences) : [],
    ...(statistics && { statistics }),
  };
  const unknown = labels.filter((label) => label < 0).length;
  return {
    file: () =>
      new IncidenceModel(description, network, known).save({ data: data.name, scores, ...(inputs && { inputs }) }),
    lines: [
      `${data.name}: ${incidences.vertexCount} vertices, ${incidences.hyperedgeCount} hyperedges, ${incidences.count} incidences (${unknown} without a label), ${classes} classes`,
      ...scoreLines(beside, split.test.length, 'incidences'),
    ],
    scores,
    stopped,
  };
}

/** Trains a network; what an epoch holds of the data is limited. */
function trained(
  network: IncidenceNetwork & object,
  task: LabelledIncidences,
  random: Random,
  { values }: Request,
  hooks: Partial<Request['hooks']>,
) {
  const { epochs, batch, cap, patience, learningRate } = values;
  const edges = task.incidences.hyperedges.ids.view();
  const own = new Set(Array.from(task.train, (row) => edges[row])).size;
  const stepsPerEpoch = Math.min(values.steps, Math.max(LEAST_STEPS, Math.ceil(own / batch)));
  return trainIncidences(network, task, random, {
    epochs,
    batch,
    cap,
    patience,
    learningRate,
    stepsPerEpoch,
    ...hooks,
  });
}

/** Features of the vertices: of a table, of an archive, or made from the hypergraph. */
function inputsOf(data: IncidenceDataset, path: string, { values, random, reading, note }: Request) {
  const { incidences, split, names } = data;
  const nodes = isFolder(path) ? tableIn(path, 'nodes', textEndings) : undefined;
  if (nodes) {
    const options = tableOptionsOf(reading);
    const rows = vertexRows(readUnpackedText(nodes, options), nodes, options);
    for (const text of rows.notes) note(text);
    if (rows.columns.length > 0) {
      const columns = columnsFor(rows, names.vertices, nodes);
      const trained = Int32Array.from(new Set(split.train.map((row) => incidences.vertices[row] as number)));
      const inputs = encodingOf(columns, trained);
      const features = encodeColumns(columns, inputs, names.vertices.length, `vertices of "${data.name}"`);
      return { features, statistics: unscaled(features), inputs };
    }
  }
  if (data.features) return { ...standardizedFeatures(data.features, incidences, split.train), inputs: undefined };
  note(
    'the vertices have no features: inputs are made from the hyperedges, and the model cannot classify new vertices',
  );
  const most = Math.min(values.vectors, incidences.vertexCount - 1, incidences.hyperedgeCount - 1);
  const features: Tensor = structuralFeatures(incidences, random.split('vectors'), Math.max(1, most));
  return { features, statistics: undefined, inputs: undefined };
}

/** Statistics of columns that the encoding has scaled already. */
function unscaled(features: Tensor): ColumnStatistics {
  const width = featureCount(features);
  return { means: new Float32Array(width), deviations: new Float32Array(width).fill(1) };
}
