// Sets of graphs: classes or numbers by subgraph networks.

import type { WholeGraphs } from '../../data/index.js';
import { loadWholeGraphs } from '../../data/node.js';
import {
  attributeEncoding,
  type GraphTask,
  graphScores,
  graphTask,
  requireCells,
  type SchemeName,
  SubgraphModel,
  targetsOf,
  trainWholeGraphs,
  type WholeGraphTraining,
} from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { splitOfGraphs } from './graphs.js';
import type { FitRequest, Fitted } from './learner.js';
import type { plainGraphOptions, subgraphOptions } from './whole-graph-options.js';

/**
 * The columns of numbers that are learnt, of `--target` or the only one; undefined for classes.
 *
 * @throws Error when classes and numbers leave it open
 */
export function chosenTargets(data: WholeGraphs, target: string | undefined): string[] | undefined {
  if (target !== undefined && ['label', 'class'].includes(target) && data.classNames.length > 0) return undefined;
  if (target !== undefined) return target.split(',').map((name) => name.trim());
  if (data.classNames.length > 0 || data.targets.length === 0) return undefined;
  if (data.targets.length === 1) return [(data.targets[0] as { name: string }).name];
  throw new Error(
    `set of graphs "${data.name}" has numbers ${data.targets.map(({ name }) => name).join(', ')}; name one, or several with commas: --target`,
  );
}

/** Training as options say, with the limits of memory in bytes. */
export function trainingOf(
  values: {
    readonly epochs: number;
    readonly batch: number;
    readonly learningRate: number;
    readonly patience: number;
    readonly schedule: 'cosine' | 'plateau';
    readonly memory: number;
    readonly force: 'no' | 'yes';
  },
  hooks: FitRequest['hooks'],
): WholeGraphTraining {
  const { epochs, batch, learningRate, patience, schedule, memory, force } = values;
  const limits = { budget: memory * 2 ** 20, force: force === 'yes' };
  return { epochs, batch, learningRate, patience, schedule, ...limits, ...hooks };
}

/** Lines on how well test graphs are answered for, and the scores by name. */
export function scored(
  answers: Float32Array,
  data: WholeGraphs,
  task: GraphTask,
  test: Int32Array,
): { readonly lines: readonly string[]; readonly scores: Readonly<Record<string, number>> } {
  const { accuracy, errors = [] } = graphScores(answers, data, task, test);
  if (accuracy !== undefined)
    return { lines: [`accuracy on ${test.length} test graphs: ${accuracy.toFixed(1)} %`], scores: { accuracy } };
  return {
    lines: task.names.map(
      (name, t) =>
        `mean absolute error of ${name} on ${test.length} test graphs: ${(errors[t] as number).toPrecision(4)}`,
    ),
    scores: Object.fromEntries(task.names.map((name, t) => [`error of ${name}`, errors[t] as number])),
  };
}

/** A training of subgraph networks by `fitCells`. */
type SubgraphValues = FitRequest<typeof subgraphOptions>['values'] | FitRequest<typeof plainGraphOptions>['values'];

/** Trains a subgraph network; the epoch of least validation loss is kept. */
export function fitSubgraphs(path: string, request: FitRequest<typeof subgraphOptions>): Promise<Fitted> {
  const { scheme, hops, roots, cap } = request.values;
  return fitScheme(path, request, { scheme, cap, policy: { ...(hops && { hops }), ...(roots && { roots }) } });
}

/** Trains message passing without subgraphs. */
export function fitPlain(path: string, request: FitRequest<typeof plainGraphOptions>): Promise<Fitted> {
  return fitScheme(path, request, { scheme: 'mpnn', cap: 1, policy: {} });
}

/**
 * @throws Error for a graph without a label or number, fewer than two classes, or too few graphs;
 * RangeError for a graph that is too large
 */
async function fitScheme(
  path: string,
  { values, target, random, hooks }: Omit<FitRequest, 'values'> & { readonly values: SubgraphValues },
  layout: { readonly scheme: SchemeName; readonly cap: number; readonly policy: { hops?: number; roots?: number } },
): Promise<Fitted> {
  const data = loadWholeGraphs(path);
  const split = splitOfGraphs(data, random.split('split'));
  const task = graphTask(data, chosenTargets(data, target), split.train);
  const targets = targetsOf(data, task);
  const { scheme, cap, policy } = layout;
  const options = { scheme, cap, layers: values.layers, hidden: values.hidden };
  const encoding = attributeEncoding(data, split.train);
  const model = SubgraphModel.create({ encoding, task, policy, options }, random.split('weights'));
  const batches = model.batches(data);
  const training = trainingOf(values, hooks);
  const name = (g: number) => data.graphNames[g] as string;
  requireCells(batches.source, model.network.cellBytes, training, name);
  const { stopped } = await trainWholeGraphs(model.network, batches, targets, split, random.split('fit'), training);
  const { lines, scores } = scored(model.answers(batches, split.test, training), data, task, split.test);
  const { graphs } = data;
  return {
    file: () => model.save({ data: data.name }),
    lines: [
      `${data.name}: ${graphs.count} graphs, ${graphs.nodeCount} nodes, ${graphs.edgeCount} edges; ${
        task.kind === 'classes' ? `${task.names.length} classes` : task.names.join(', ')
      }`,
      `${scheme}: ${parameterCount(model.network).toLocaleString('en')} parameters`,
      ...lines,
    ],
    scores,
    stopped,
  };
}
