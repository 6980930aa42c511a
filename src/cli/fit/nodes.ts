// Classes of the nodes of a person's own graph.

import { nodeClasses, noteText } from '../../data/index.js';
import { loadAttributedGraph } from '../../data/node.js';
import type { OptionTable, OptionValues } from '../../experiments/parts/options.js';
import {
  featuresOf,
  fitInputs,
  type LabelledGraph,
  type NetworkName,
  NodeClassifier,
  type NodeInputs,
  nodeLogits,
  nodeNetwork,
  nodeNetworks,
  requireReadable,
  trainNodeNetwork,
} from '../../graph/index.js';
import { accuracy, featureCount, macroF1, parameterCount, predictedClasses, progressLine } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { tableOptionsOf } from '../tables.js';
import type { Fit, FitRequest, Fitted } from './learner.js';
import { nodeSplit } from './node-split.js';

/** Trains a network by name. */
export function nodeFit(name: NetworkName): Fit<OptionTable> {
  return (path, request) => fitNodes(name, path, request);
}

/** Options of networks and of training as numbers. */
const numberOf = (values: OptionValues<OptionTable>, key: string) => values[key] as number;
const layoutKeys = ['steps', 'depth', 'hidden', 'heads', 'dropout', 'alpha', 'temperature'] as const;
const trainingKeys = ['epochs', 'patience', 'learningRate', 'weightDecay'] as const;

function pick<Key extends string>(
  values: OptionValues<OptionTable>,
  keys: readonly Key[],
): Partial<Record<Key, number>> {
  const given = keys.filter((key) => values[key] !== undefined);
  return Object.fromEntries(given.map((key) => [key, numberOf(values, key)])) as Partial<Record<Key, number>>;
}

async function fitNodes(name: NetworkName, path: string, request: FitRequest<OptionTable>): Promise<Fitted> {
  const { values, target, directed = false, random, reading, hooks, note } = request;
  requireReadable(name, directed);
  const data = await loadAttributedGraph(path, { ...tableOptionsOf(reading), directed, target });
  const { graph, attributes } = data;
  const classes = nodeClasses(data, target);
  for (const own of attributes.notes ?? []) if (own.column !== classes.target) note(noteText(own));
  const split = nodeSplit(data, classes, request);
  const { inputs, leftOut } = fitInputs(data, [classes.target, 'split']);
  for (const [column, reason] of leftOut) note(`column "${column}" is left out: ${reason}`);
  if (inputs.kind === 'structure') note('the nodes have no features; they are made from the edges');
  if (graph.weights && !nodeNetworks[name].reads.weights) note(`${name} does not read the weights of edges`);
  const features = featuresOf(inputs, data);
  const task = { graph, features, labels: classes.labels, classes: classes.classNames.length, ...split };
  const layout = pick(values, layoutKeys);
  const network = nodeNetwork(name, featureCount(features), task.classes, random.split('weights'), layout);
  const options = { ...pick(values, trainingKeys), ...hooks };
  const { stopped } = await trainNodeNetwork(name, network, layout, task, random.split('fit'), options);
  const scores =
    stopped === 'aborted' ? {} : scoresOf(predictedClasses(nodeLogits(name, network, layout, features, graph)), task);
  const baselines = stopped === 'aborted' ? {} : await baselinesOf(name, inputs, task, random, request);
  const model = new NodeClassifier(network, {
    network: name,
    layout,
    inFeatures: featureCount(features),
    inputs,
    directed,
    target: classes.target,
    classes: classes.classNames,
    trained: {
      data: data.name,
      nodes: graph.nodeCount,
      edges: graph.edgeCount,
      labelled: split.train.length + split.validation.length + split.test.length,
    },
    scores: { ...scores, ...baselines },
  });
  return {
    file: () => model.save(),
    lines: [
      `${data.name}: ${graph.nodeCount} nodes, ${graph.edgeCount} ${directed ? 'directed ' : ''}edges, ${task.classes} classes of "${classes.target}"`,
      `${split.train.length} nodes to train, ${split.validation.length} to validate, ${split.test.length} to test; ${featureCount(features)} features`,
      `${nodeNetworks[name].title}, ${parameterCount(network).toLocaleString('en')} parameters`,
      ...scoreLines({ ...scores, ...baselines }),
    ],
    scores: { ...scores, ...baselines },
    stopped,
  };
}

/** What networks train on, and the nodes that score them. */
interface NodeTask extends LabelledGraph {
  readonly test: Int32Array;
}

/** Accuracy and macro-F1 of the test nodes in percent; without any, accuracy of validation. */
function scoresOf(predicted: Int32Array, { labels, classes, validation, test }: NodeTask): Record<string, number> {
  if (test.length === 0) return { validation: 100 * accuracy(predicted, labels, validation) };
  return {
    accuracy: 100 * accuracy(predicted, labels, test),
    macroF1: 100 * macroF1(predicted, labels, classes, test),
  };
}

/** Epochs without a better validation loss after which the baseline is done. */
const BASELINE_PATIENCE = 30;

/** Test accuracy of the most frequent class, and of a perceptron on the features alone. */
async function baselinesOf(
  name: NetworkName,
  inputs: NodeInputs,
  task: NodeTask,
  random: Random,
  { values, hooks: { signal } }: FitRequest<OptionTable>,
): Promise<Record<string, number>> {
  const { labels, classes, train, test, features, graph } = task;
  if (test.length === 0) return {};
  const counts = new Int32Array(classes);
  for (const v of train) counts[labels[v] as number] = (counts[labels[v] as number] as number) + 1;
  const frequent = counts.indexOf(Math.max(...counts));
  const mostFrequent =
    100 *
    accuracy(
      labels.map(() => frequent),
      labels,
      test,
    );
  if (String(values.baseline) === 'none' || name === 'mlp' || inputs.kind === 'structure') return { mostFrequent };
  const network = nodeNetwork('mlp', featureCount(features), classes, random.split('baseline'), {});
  const onEpoch = progressLine(process.stderr);
  const options = { signal, onEpoch, patience: BASELINE_PATIENCE };
  const { stopped } = await trainNodeNetwork('mlp', network, {}, task, random.split('baseline fit'), options);
  if (stopped === 'aborted') return { mostFrequent };
  const predicted = predictedClasses(nodeLogits('mlp', network, {}, features, graph));
  return { mostFrequent, featuresAlone: 100 * accuracy(predicted, labels, test) };
}

/** Scores as lines of a terminal or of `gossamer info`. */
export function scoreLines(scores: Readonly<Record<string, number>>): string[] {
  const percent = (value: number | undefined) => `${value?.toFixed(1)} %`;
  const { validation, accuracy: tested, mostFrequent, featuresAlone } = scores;
  if (validation !== undefined) return [`accuracy on the nodes to validate ${percent(validation)}`];
  if (tested === undefined) return [];
  const perceptron =
    featuresAlone === undefined ? '' : `, a perceptron on the features alone ${percent(featuresAlone)}`;
  return [
    `accuracy on the nodes to test ${percent(tested)}, macro-F1 ${percent(scores.macroF1)}`,
    `beside it: most frequent class ${percent(mostFrequent)}${perceptron}`,
  ];
}
