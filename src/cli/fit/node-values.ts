// Numbers of the nodes of a person's own graph.

import {
  type AttributedGraph,
  type Column,
  columnNamed,
  partNamed,
  SPLIT_COLUMN,
  type Split,
  textsOrGaps,
} from '../../data/index.js';
import type { OptionTable } from '../../experiments/parts/options.js';
import {
  type NetworkLayout,
  type NetworkName,
  NodeValueModel,
  nodeNetwork,
  nodeNetworks,
  nodeValues,
  requireReadable,
  trainNodeValues,
  type ValuedGraph,
} from '../../graph/index.js';
import { type FitResult, featureCount, parameterCount, progressLine, type TrainingHooks } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { FitRequest, Fitted } from './learner.js';
import { isDirected, isPlaced, layoutOf, loadNodes, numberOf, prepareInputs, trainingOf } from './node-data.js';
import { chooseSetting } from './node-tuning.js';

/**
 * Trains a network of one output on the numbers of an attribute; nodes without one are predicted.
 */
export async function fitNodeValues(
  name: NetworkName,
  path: string,
  request: FitRequest<OptionTable>,
): Promise<Fitted> {
  const { values, hooks, note } = request;
  const directed = isDirected(name, request.directed);
  requireReadable(name, directed);
  // Read as numbers, whatever its name.
  const data = await loadNodes(path, { ...request, target: undefined }, directed);
  const column = valueColumn(data, request.target);
  const { graph } = data;
  const numbers = Float32Array.from(column.values as ArrayLike<number>);
  const split = splitOf(data, numbers, request);
  const { inputs, features } = prepareInputs(name, data, [column.name, SPLIT_COLUMN], note);
  const task: ValuedGraph = { graph, features, values: numbers, ...split };
  const train = (own: NetworkName, layout: NetworkLayout, trial: TrainingHooks) =>
    trained(own, layout, task, request, trial);
  const chosen = await chooseSetting(name, layoutOf(name, values, graph.nodeCount), request, async (layout, own) => {
    const trial = await train(name, layout, own);
    return { score: r2(trial.predict(), numbers, split.validation), stopped: trial.stopped };
  });
  const { network, scale, predict, stopped } = await train(name, chosen.layout, hooks);
  const isDone = stopped !== 'aborted' && !chosen.aborted;
  const rows = split.test.length > 0 ? split.test : split.validation;
  const scores: Record<string, number> = isDone
    ? {
        rmse: rmse(predict(), numbers, rows),
        r2: r2(predict(), numbers, rows),
        mean: rmse(
          numbers.map(() => scale.mean),
          numbers,
          rows,
        ),
      }
    : {};
  if (isDone && String(values.baseline) !== 'none' && name !== 'mlp' && inputs.kind !== 'structure') {
    const baseline = await train('mlp', {}, { signal: hooks.signal, onEpoch: progressLine(process.stderr) });
    if (baseline.stopped !== 'aborted') scores.featuresAlone = rmse(baseline.predict(), numbers, rows);
  }
  const model = new NodeValueModel(network, {
    network: name,
    layout: chosen.layout,
    inFeatures: featureCount(features),
    inputs,
    directed,
    target: column.name,
    scale,
    ...(isPlaced(name, values) && { places: data.nodeNames }),
    trained: {
      data: data.name,
      nodes: graph.nodeCount,
      edges: graph.edgeCount,
      valued: split.train.length + split.validation.length + split.test.length,
    },
    scores,
  });
  return {
    file: () => model.save(),
    lines: [
      `${data.name}: ${graph.nodeCount} nodes, ${graph.edgeCount} ${directed ? 'directed ' : ''}edges, numbers of "${column.name}"`,
      `${split.train.length} nodes to train, ${split.validation.length} to validate, ${split.test.length} to test; ${featureCount(features)} features`,
      `${nodeNetworks[name].title}, ${parameterCount(network).toLocaleString('en')} parameters`,
      ...chosen.lines,
      ...valueScoreLines(scores),
    ],
    scores,
    stopped: isDone ? stopped : 'aborted',
  };
}

async function trained(
  name: NetworkName,
  layout: NetworkLayout,
  task: ValuedGraph,
  { values, random }: FitRequest<OptionTable>,
  hooks: TrainingHooks,
) {
  const network = nodeNetwork(name, featureCount(task.features), 1, random.split('weights'), layout);
  const options = { ...trainingOf(values), ...hooks };
  const { scale, training } = await trainNodeValues(network, task, random.split('fit'), options);
  const stopped: FitResult['stopped'] = training.stopped;
  return { network, scale, stopped, predict: () => nodeValues(network, task.features, task.graph, scale) };
}

/** @throws Error where there is no such attribute, or it holds no numbers */
function valueColumn(data: AttributedGraph, target: string | undefined): Column & { readonly kind: 'number' } {
  const name = target ?? 'value';
  const column = columnNamed(data.attributes, name);
  if (!column)
    throw new Error(
      `"${data.name}" has no attribute "${name}" of numbers; name one by --target: ${data.attributes.columns.map((own) => own.name).join(', ') || 'none'}`,
    );
  if (column.kind !== 'number')
    throw new Error(`"${data.name}": "${column.name}" holds texts; --task number learns numbers`);
  return column;
}

/** The split that the data give, or shares of the nodes with a number. */
function splitOf(
  data: AttributedGraph,
  numbers: Float32Array,
  { values, random, note }: FitRequest<OptionTable>,
): Split {
  const known = Array.from(numbers.keys()).filter((v) => Number.isFinite(numbers[v]));
  if (known.length < 3) throw new Error(`"${data.name}": ${known.length} nodes have a number; learning takes three`);
  const column = columnNamed(data.attributes, SPLIT_COLUMN);
  if (column) {
    const parts = textsOrGaps(column).map((text) => (text === undefined ? undefined : partNamed(text)));
    const rows = (part: keyof Split) => Int32Array.from(known.filter((v) => parts[v] === part));
    const split = { train: rows('train'), validation: rows('validation'), test: rows('test') };
    if (split.train.length === 0) throw new Error(`"${data.name}": no node with a number is in split "train"`);
    return validatedBy(split, note);
  }
  const order = shuffled(known, random.split('split'));
  const [train, validation] = ['train', 'validation'].map((key) =>
    Math.max(1, Math.round(numberOf(values, key) * known.length)),
  ) as [number, number];
  if (train + validation > known.length)
    throw new Error(
      `train=${numberOf(values, 'train')} and validation=${numberOf(values, 'validation')} leave no nodes`,
    );
  return {
    train: order.slice(0, train).sort(),
    validation: order.slice(train, train + validation).sort(),
    test: order.slice(train + validation).sort(),
  };
}

function validatedBy(split: Split, note: (text: string) => void): Split {
  if (split.validation.length > 0) return split;
  note('no node validates; the epoch is chosen by the nodes to train on');
  return { ...split, validation: split.train };
}

function shuffled(rows: readonly number[], random: Random): Int32Array {
  return Int32Array.from(random.permutation(rows.length), (at) => rows[at] as number);
}

/** Root mean squared error on some rows. */
function rmse(predicted: Float32Array, truth: Float32Array, rows: Int32Array): number {
  const squares = rows.reduce((sum, row) => sum + ((predicted[row] as number) - (truth[row] as number)) ** 2, 0);
  return Math.sqrt(squares / rows.length);
}

/** 1 − squared error / variance on some rows. */
function r2(predicted: Float32Array, truth: Float32Array, rows: Int32Array): number {
  const mean = rows.reduce((sum, row) => sum + (truth[row] as number), 0) / rows.length;
  const variance = rows.reduce((sum, row) => sum + ((truth[row] as number) - mean) ** 2, 0) / rows.length;
  return 1 - rmse(predicted, truth, rows) ** 2 / variance;
}

/** Scores as lines of a terminal or of `gossamer info`. */
export function valueScoreLines(scores: Readonly<Record<string, number>>): string[] {
  const short = (value: number | undefined) => String(Number(value?.toPrecision(4)));
  if (scores.rmse === undefined) return [];
  const perceptron =
    scores.featuresAlone === undefined ? '' : `, a perceptron on the features alone ${short(scores.featuresAlone)}`;
  return [
    `root mean squared error on the nodes to test ${short(scores.rmse)}, R² ${scores.r2?.toFixed(3)}`,
    `beside it: the mean of training ${short(scores.mean)}${perceptron}`,
  ];
}
