// Questions on pairs of nodes of a person's own directed graph: which way an arc leads, whether
// there is one, or both.

import type { OptionTable } from '../../experiments/parts/options.js';
import {
  ArcModel,
  arcAccuracy,
  arcClassifier,
  type NetworkLayout,
  type NetworkName,
  nodeNetworks,
  trainArcs,
} from '../../graph/index.js';
import { type FitResult, featureCount, parameterCount, progressLine, type TrainingHooks } from '../../nn/index.js';
import { type ArcExamples, type ArcQuestion, type ArcTask, arcTask } from '../../structure/index.js';
import type { FitRequest, Fitted } from './learner.js';
import { isPlaced, layoutOf, loadNodes, type PreparedInputs, prepareInputs, trainingOf } from './node-data.js';
import { chooseSetting } from './node-tuning.js';

/** Width of the outputs that a head reads, where a network leaves it open. */
const WIDTH = 64;
/** Attributes that may hold classes or parts, which are no inputs here. */
const NO_INPUTS = ['label', 'class', 'split'];

/**
 * Trains a network with a head on pairs of nodes; 15 % of the joined pairs test, 5 % validate, and
 * what networks read are the other arcs.
 */
export async function fitArcs(name: NetworkName, path: string, request: FitRequest<OptionTable>): Promise<Fitted> {
  const { values, random, hooks, note, directed, target } = request;
  const question = request.task as ArcQuestion;
  if (directed === false) throw new Error(`--task ${question} asks for directions; leave --undirected out`);
  const data = await loadNodes(path, request, true);
  const { graph } = data;
  const without = data.attributes.columns
    .map((column) => column.name)
    .filter((column) => [...NO_INPUTS, target?.toLowerCase()].includes(column.toLowerCase()));
  const prepared = prepareInputs(name, data, without, note);
  const task = arcTask(graph, question, random.split('pairs'));
  const train = (own: NetworkName, layout: NetworkLayout, trial: TrainingHooks) =>
    trained(own, layout, prepared, task, request, trial);
  const chosen = await chooseSetting(name, layoutOf(name, values, graph.nodeCount), request, async (layout, own) => {
    const trial = await train(name, layout, own);
    return {
      score: arcAccuracy(trial.classifier, prepared.features, task.graph, task.validation),
      stopped: trial.stopped,
    };
  });
  const { classifier, stopped } = await train(name, chosen.layout, hooks);
  const isDone = stopped !== 'aborted' && !chosen.aborted;
  const scores = isDone
    ? {
        accuracy: 100 * arcAccuracy(classifier, prepared.features, task.graph, task.test),
        mostFrequent: 100 * frequentShare(task),
        ...(await featuresAlone(name, prepared, task, request)),
      }
    : {};
  const inFeatures = featureCount(prepared.features);
  const model = new ArcModel(classifier, {
    question,
    classes: task.classNames,
    network: name,
    layout: chosen.layout,
    width: classifier.width,
    inFeatures,
    inputs: prepared.inputs,
    ...(isPlaced(name, values) && { places: data.nodeNames }),
    trained: { data: data.name, nodes: graph.nodeCount, edges: graph.edgeCount, pairs: task.train.classes.length },
    scores,
  });
  const sizes = [task.train, task.validation, task.test].map(({ classes }) => classes.length);
  return {
    file: () => model.save(),
    lines: [
      `${data.name}: ${graph.nodeCount} nodes, ${graph.edgeCount} directed edges; ${question} of pairs: ${task.classNames.join(', ')}`,
      `${sizes[0]} pairs to train, ${sizes[1]} to validate, ${sizes[2]} to test; ${inFeatures} features`,
      `${nodeNetworks[name].title}, ${parameterCount(classifier).toLocaleString('en')} parameters`,
      ...chosen.lines,
      ...arcScoreLines(scores),
    ],
    scores,
    stopped: isDone ? stopped : 'aborted',
  };
}

async function trained(
  name: NetworkName,
  layout: NetworkLayout,
  { features }: PreparedInputs,
  task: ArcTask,
  { values, random }: FitRequest<OptionTable>,
  hooks: TrainingHooks,
): Promise<{ readonly classifier: ReturnType<typeof arcClassifier>; readonly stopped: FitResult['stopped'] }> {
  const sizes = { inFeatures: featureCount(features), width: WIDTH, classes: task.classNames.length };
  const classifier = arcClassifier(name, sizes, random.split('weights'), layout);
  const options = { ...trainingOf(values), select: 'loss', ...hooks } as const;
  const { stopped } = await trainArcs(classifier, features, task, random.split('fit'), options);
  return { classifier, stopped };
}

/** Share of the test pairs with the most frequent answer of training. */
function frequentShare({ train, test, classNames }: ArcTask): number {
  const count = ({ classes }: ArcExamples, answer: number) =>
    classes.reduce((total, own) => total + Number(own === answer), 0);
  const counts = classNames.map((_, answer) => count(train, answer));
  return count(test, counts.indexOf(Math.max(...counts))) / test.classes.length;
}

/** A perceptron on the features of both ends. */
async function featuresAlone(
  name: NetworkName,
  prepared: PreparedInputs,
  task: ArcTask,
  request: FitRequest<OptionTable>,
): Promise<Record<string, number>> {
  if (String(request.values.baseline) === 'none' || name === 'mlp' || prepared.inputs.kind === 'structure') return {};
  const hooks = { signal: request.hooks.signal, onEpoch: progressLine(process.stderr) };
  const { classifier, stopped } = await trained('mlp', {}, prepared, task, request, hooks);
  if (stopped === 'aborted') return {};
  return { featuresAlone: 100 * arcAccuracy(classifier, prepared.features, task.graph, task.test) };
}

/** Scores as lines of a terminal or of `gossamer info`. */
export function arcScoreLines(scores: Readonly<Record<string, number>>): string[] {
  const percent = (value: number | undefined) => `${value?.toFixed(1)} %`;
  if (scores.accuracy === undefined) return [];
  const perceptron =
    scores.featuresAlone === undefined
      ? ''
      : `, a perceptron on the features of both ends ${percent(scores.featuresAlone)}`;
  return [
    `accuracy on pairs that were held out ${percent(scores.accuracy)}`,
    `beside it: most frequent answer ${percent(scores.mostFrequent)}${perceptron}`,
  ];
}
