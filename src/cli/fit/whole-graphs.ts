// Sets of graphs: classes or numbers, by subgraph networks or by networks of nodes with a readout.

import type { WholeGraphs } from '../../data/index.js';
import { loadWholeGraphs } from '../../data/node.js';
import {
  attributeEncoding,
  type GraphTask,
  graphScores,
  graphTask,
  nodeNetworks,
  ReadoutModel,
  type ReadoutName,
  requireCells,
  type SchemeName,
  type SubgraphDescription,
  SubgraphModel,
  targetsOf,
  trainWholeGraphs,
  type WholeGraphDescription,
  type WholeGraphModel,
  type WholeGraphTraining,
} from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { splitOfGraphs } from './graphs.js';
import type { Fit, FitRequest, Fitted } from './learner.js';
import { layoutIn } from './node-data.js';
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
    readonly weightDecay?: number;
    readonly memory: number;
    readonly force: 'no' | 'yes';
  },
  hooks: FitRequest['hooks'],
): WholeGraphTraining {
  const { epochs, batch, learningRate, patience, schedule, weightDecay, memory, force } = values;
  const limits = { budget: memory * 2 ** 20, force: force === 'yes' };
  return { epochs, batch, learningRate, patience, schedule, weightDecay, ...limits, ...hooks };
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

/** Trains a subgraph network; the epoch of least validation loss is kept. */
export function fitSubgraphs(path: string, request: FitRequest<typeof subgraphOptions>): Promise<Fitted> {
  const { scheme, hops, roots, cap } = request.values;
  return fitScheme(path, request, { scheme, cap, policy: { ...(hops && { hops }), ...(roots && { roots }) } });
}

/** Trains message passing without subgraphs. */
export function fitPlain(path: string, request: FitRequest<typeof plainGraphOptions>): Promise<Fitted> {
  return fitScheme(path, request, { scheme: 'mpnn', cap: 1, policy: {} });
}

function fitScheme(
  path: string,
  request: TrainingRequest & { readonly values: { readonly layers: number; readonly hidden: number } },
  { scheme, cap, policy }: Pick<SubgraphDescription, 'policy'> & { readonly scheme: SchemeName; readonly cap: number },
): Promise<Fitted> {
  const { layers, hidden } = request.values;
  const options = { scheme, cap, layers, hidden };
  return fitModel(path, request, scheme, (description, _, random) =>
    SubgraphModel.create({ ...description, policy, options }, random),
  );
}

/** Trains a network of nodes with a readout, by name. */
export function readoutFit(network: ReadoutName): Fit {
  const { title } = nodeNetworks[network];
  return (path, request) =>
    fitModel(path, request as TrainingRequest, title, ({ encoding, task }, data, random) => {
      const unread = data.edgeColumns.map((column) => column.name);
      if (unread.length > 0) request.note(`${title} does not read attributes of edges: ${unread.join(', ')}`);
      const layout = layoutIn(request.values);
      return ReadoutModel.create({ task, encoding: { ...encoding, edges: [] }, network, layout }, random);
    });
}

/** A request with the options of training. */
type TrainingRequest = Omit<FitRequest, 'values'> & { readonly values: Parameters<typeof trainingOf>[0] };

/**
 * @throws Error for a graph without a label or number, fewer than two classes, or too few graphs;
 * RangeError for a graph that is too large
 */
async function fitModel(
  path: string,
  { values, target, random, hooks }: TrainingRequest,
  title: string,
  create: (description: WholeGraphDescription, data: WholeGraphs, random: Random) => WholeGraphModel,
): Promise<Fitted> {
  const data = loadWholeGraphs(path);
  const split = splitOfGraphs(data, random.split('split'));
  const task = graphTask(data, chosenTargets(data, target), split.train);
  const targets = targetsOf(data, task);
  const encoding = attributeEncoding(data, split.train);
  const model = create({ encoding, task }, data, random.split('weights'));
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
      `${title}: ${parameterCount(model.network).toLocaleString('en')} parameters`,
      ...lines,
    ],
    scores,
    stopped,
  };
}
