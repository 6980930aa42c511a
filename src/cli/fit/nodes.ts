// Classes of the nodes of a person's own graph.

import { nodeClasses } from '../../data/index.js';
import type { OptionTable } from '../../experiments/parts/options.js';
import {
  type LabelledGraph,
  type NetworkLayout,
  type NetworkName,
  NodeClassifier,
  type NodeInputs,
  type NodeTrainingOptions,
  nodeLogits,
  nodeNetwork,
  nodeNetworks,
  requireReadable,
  trainNodeNetwork,
} from '../../graph/index.js';
import {
  accuracy,
  type FitResult,
  featureCount,
  macroF1,
  parameterCount,
  predictedClasses,
  progressLine,
} from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { Fit, FitRequest, Fitted } from './learner.js';
import { isDirected, isPlaced, layoutOf, loadNodes, prepareInputs, trainingOf } from './node-data.js';
import { nodeSplit } from './node-split.js';
import { chooseSetting } from './node-tuning.js';

/** Trains a network by name: classes of nodes, numbers of nodes, or questions on pairs of nodes. */
export function nodeFit(name: NetworkName): Fit<OptionTable> {
  return async (path, request) => {
    const { task = 'classes' } = request;
    if (task === 'classes') return fitNodes(name, path, request);
    if (task === 'number') return (await import('./node-values.js')).fitNodeValues(name, path, request);
    return (await import('./arcs.js')).fitArcs(name, path, request);
  };
}

async function fitNodes(name: NetworkName, path: string, request: FitRequest<OptionTable>): Promise<Fitted> {
  const { values, target, random, hooks, note } = request;
  const directed = isDirected(name, request.directed);
  requireReadable(name, directed);
  const data = await loadNodes(path, request, directed);
  const { graph } = data;
  const classes = nodeClasses(data, target);
  const split = nodeSplit(data, classes, request);
  const { inputs, features } = prepareInputs(name, data, [classes.target, 'split'], note);
  const task = { graph, features, labels: classes.labels, classes: classes.classNames.length, ...split };
  const options = trainingOf(values);
  const chosen = await chooseSetting(name, layoutOf(name, values, graph.nodeCount), request, (layout, own) =>
    validated(name, layout, task, random, { ...options, ...own }),
  );
  const { layout } = chosen;
  const network = nodeNetwork(name, featureCount(features), task.classes, random.split('weights'), layout);
  const { stopped } = chosen.aborted
    ? { stopped: 'aborted' as const }
    : await trainNodeNetwork(name, network, layout, task, random.split('fit'), { ...options, ...hooks });
  const isDone = stopped !== 'aborted';
  const scores = isDone ? scoresOf(predictedClasses(nodeLogits(name, network, layout, features, graph)), task) : {};
  const baselines = isDone ? await baselinesOf(name, inputs, task, random, request) : {};
  const model = new NodeClassifier(network, {
    network: name,
    layout,
    inFeatures: featureCount(features),
    inputs,
    directed,
    target: classes.target,
    classes: classes.classNames,
    ...(isPlaced(name, values) && { places: data.nodeNames }),
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
      ...chosen.lines,
      ...scoreLines({ ...scores, ...baselines }),
    ],
    scores: { ...scores, ...baselines },
    stopped,
  };
}

/** Accuracy on the nodes to validate of a network of some layout. */
async function validated(
  name: NetworkName,
  layout: NetworkLayout,
  task: NodeTask,
  random: Random,
  options: NodeTrainingOptions,
): Promise<{ readonly score: number; readonly stopped: FitResult['stopped'] }> {
  const { features, graph, classes, labels, validation } = task;
  const network = nodeNetwork(name, featureCount(features), classes, random.split('weights'), layout);
  const { stopped } = await trainNodeNetwork(name, network, layout, task, random.split('fit'), options);
  const predicted = predictedClasses(nodeLogits(name, network, layout, features, graph));
  return { score: accuracy(predicted, labels, validation), stopped };
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
