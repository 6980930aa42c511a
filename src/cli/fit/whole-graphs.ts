// Sets of graphs: classes or numbers by networks with features of cells, or by networks of nodes
// with a readout.

import type { WholeGraphs } from '../../data/index.js';
import { loadWholeGraphs } from '../../data/node.js';
import {
  type AttributeEncoding,
  attributeEncoding,
  attributeSizes,
  CellSource,
  type GraphTask,
  graphScores,
  graphTask,
  missingPatterns,
  nodeNetworks,
  PPGN,
  PPGNModel,
  polynomialEncoding,
  ReadoutModel,
  type ReadoutName,
  requireCells,
  type SchemeName,
  SubgraphModel,
  targetsOf,
  trainWholeGraphs,
  type WholeGraphDescription,
  type WholeGraphModel,
  type WholeGraphNetwork,
  type WholeGraphTraining,
} from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { splitOfGraphs } from './graphs.js';
import type { Fit, FitRequest, Fitted } from './learner.js';
import { layoutIn } from './node-data.js';
import type { cellTraining, plainGraphOptions, ppgnOptions, subgraphOptions } from './whole-graph-options.js';

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

/** Values of the options that all networks on whole graphs have. */
type CellValues = FitRequest<typeof cellTraining>['values'];

/** A request for one of these networks. */
type CellRequest<Values extends CellValues = CellValues> = Omit<FitRequest, 'values'> & { readonly values: Values };

/** What a network is made from: how attributes become features, what is learnt, and its graphs. */
interface Learnt {
  readonly encoding: AttributeEncoding;
  readonly task: GraphTask;
  readonly data: WholeGraphs;
  readonly train: Int32Array;
}

/** A kind of model, and what is special in its training. */
interface CellModel {
  readonly title: string;
  readonly training?: WholeGraphTraining;
  /** @param check refuses graphs that are too large, given the bytes that a cell takes */
  create(
    learnt: Learnt,
    random: Random,
    check: (source: CellSource, cellBytes: number) => void,
  ): WholeGraphModel<WholeGraphDescription, WholeGraphNetwork & object>;
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
  request: CellRequest<FitRequest<typeof plainGraphOptions>['values']>,
  layout: { readonly scheme: SchemeName; readonly cap: number; readonly policy: { hops?: number; roots?: number } },
): Promise<Fitted> {
  const { layers, hidden } = request.values;
  const { scheme, cap, policy } = layout;
  return fitCells(path, request, {
    title: scheme,
    create: ({ encoding, task }, random) =>
      SubgraphModel.create({ encoding, task, policy, options: { scheme, cap, layers, hidden } }, random),
  });
}

/** Trains a network on pairs of nodes whose input has the polynomials that it cannot compute. */
export function fitPolynomials(path: string, request: FitRequest<typeof ppgnOptions>): Promise<Fitted> {
  const { variant, degree, depth, hidden, optimizer } = request.values;
  const options = { variant, depth, hidden };
  return fitCells(path, request, {
    title: `${variant === 'plain' ? 'PPGN' : 'PPGN++'}${degree > 0 ? ` (${degree})` : ''}`,
    training: { roots: false, optimizer },
    create({ encoding, task, data, train }, random, check) {
      const { nodes, edges } = attributeSizes(encoding);
      const patterns = missingPatterns({ degree });
      // Before polynomials of a graph that is refused are computed.
      check(new CellSource(data.graphs), PPGN.cellBytes(1 + nodes + edges + patterns.length, options));
      const polynomials = polynomialEncoding(data.graphs, patterns, train);
      return PPGNModel.create({ encoding, task, polynomials, options }, random);
    },
  });
}

/** Trains a network of nodes with a readout, by name. */
export function readoutFit(network: ReadoutName): Fit {
  const { title } = nodeNetworks[network];
  return (path, request) => {
    // The table of learners erases the type of `readoutOptions`.
    const values = request.values as unknown as CellValues & { readonly weightDecay: number };
    return fitCells(
      path,
      { ...request, values },
      {
        title,
        training: { roots: false, weightDecay: values.weightDecay },
        create({ encoding, task, data }, random) {
          const unread = data.edgeColumns.map((column) => column.name);
          if (unread.length > 0) request.note(`${title} does not read attributes of edges: ${unread.join(', ')}`);
          const layout = layoutIn(request.values);
          return ReadoutModel.create({ task, encoding: { ...encoding, edges: [] }, network, layout }, random);
        },
      },
    );
  };
}

/**
 * @throws Error for a graph without a label or number, fewer than two classes, or too few graphs;
 * RangeError for a graph that is too large
 */
async function fitCells(
  path: string,
  { values, target, random, hooks }: CellRequest,
  { title, training: own = {}, create }: CellModel,
): Promise<Fitted> {
  const data = loadWholeGraphs(path);
  const split = splitOfGraphs(data, random.split('split'));
  const task = graphTask(data, chosenTargets(data, target), split.train);
  const targets = targetsOf(data, task);
  const encoding = attributeEncoding(data, split.train);
  const training = { ...trainingOf(values, hooks), ...own };
  const check = (source: CellSource, cellBytes: number) =>
    requireCells(source, cellBytes, training, (g) => data.graphNames[g] as string);
  const model = create({ encoding, task, data, train: split.train }, random.split('weights'), check);
  const batches = model.batches(data);
  check(batches.source, model.network.cellBytes);
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
