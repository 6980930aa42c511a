// Questions on pairs of nodes of a person's own graph: which way an arc leads, whether there is
// one, or both; without directions, whether there is a link.

import type { OptionTable } from '../../experiments/parts/options.js';
import {
  type ArcClassifier,
  ArcModel,
  arcAccuracy,
  arcClassifier,
  type NetworkLayout,
  type NetworkName,
  nodeNetworks,
  trainArcs,
} from '../../graph/index.js';
import {
  areaUnderCurve,
  averagePrecision,
  type FitResult,
  featureCount,
  hitsAtRank,
  parameterCount,
  progressLine,
  type TrainingHooks,
} from '../../nn/index.js';
import { type ArcExamples, type ArcQuestion, type ArcTask, arcTask, linkHeuristic } from '../../structure/index.js';
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
  const question = questionOf(request.task, directed);
  const isDirected = question !== 'links';
  const data = await loadNodes(path, request, isDirected);
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
        ...linkScores(classifier, prepared, task),
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
      `${data.name}: ${graph.nodeCount} nodes, ${graph.edgeCount} ${isDirected ? 'directed ' : ''}edges; ${question} of pairs: ${task.classNames.join(', ')}`,
      `${sizes[0]} pairs to train, ${sizes[1]} to validate, ${sizes[2]} to test; ${inFeatures} features`,
      `${nodeNetworks[name].title}, ${parameterCount(classifier).toLocaleString('en')} parameters`,
      ...chosen.lines,
      ...arcScoreLines(scores),
    ],
    scores,
    stopped: isDone ? stopped : 'aborted',
  };
}

/** What is asked: of a graph that is read without directions, whether there is a link. */
function questionOf(task: string | undefined, directed: boolean | undefined): ArcQuestion {
  if (task === 'links' && directed)
    throw new Error('--task links asks for no directions; leave --directed out, or ask for --task existence');
  if (directed !== false) return task as ArcQuestion;
  if (task === 'links' || task === 'existence') return 'links';
  throw new Error(`--task ${task} asks for directions; leave --undirected out, or ask for --task links`);
}

/** Non-links above which a link has to score, at most. */
const HITS = 20;

/** How links that are held out score among pairs without one. */
function linkScores(
  classifier: ArcClassifier,
  { features }: PreparedInputs,
  { question, graph, test }: ArcTask,
): Record<string, number> {
  if (question !== 'links') return {};
  const scores = classifier.predictProba(features, graph, test).filter((_, i) => i % 2 === 1);
  const others = test.classes.filter((own) => own === 0).length;
  const hitsAt = Math.min(HITS, Math.ceil(others / 10));
  return {
    auc: 100 * areaUnderCurve(scores, test.classes),
    averagePrecision: 100 * averagePrecision(scores, test.classes),
    hits: 100 * hitsAtRank(scores, test.classes, hitsAt),
    hitsAt,
    commonNeighbours: 100 * areaUnderCurve(linkHeuristic(graph, test, 'commonNeighbours'), test.classes),
    adamicAdar: 100 * areaUnderCurve(linkHeuristic(graph, test, 'adamicAdar'), test.classes),
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
  const classifier = arcClassifier(name, sizes, random.split('weights'), layout, task.question);
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
  const ranked =
    scores.auc === undefined
      ? []
      : [
          `links that were held out among pairs without one: AUC ${percent(scores.auc)}, average precision ${percent(scores.averagePrecision)}, hits@${scores.hitsAt} ${percent(scores.hits)}`,
          ...(scores.commonNeighbours === undefined
            ? []
            : [
                `AUC without learning: common neighbours ${percent(scores.commonNeighbours)}, Adamic–Adar ${percent(scores.adamicAdar)}`,
              ]),
        ];
  return [
    ...ranked,
    `accuracy on pairs that were held out ${percent(scores.accuracy)}`,
    `beside it: most frequent answer ${percent(scores.mostFrequent)}${perceptron}`,
  ];
}
