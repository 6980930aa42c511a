// Classes of the nodes of one type of a person's own heterogeneous graph, by RpHGNN.

import {
  labelsIn,
  type NamedHeteroGraph,
  type NodesOfType,
  nodeClasses,
  requireRelations,
  type Split,
  targetNodes,
  textsOrGaps,
} from '../../data/index.js';
import { loadHeteroGraph } from '../../data/node.js';
import { tensorMemoryBudget } from '../../engine/index.js';
import {
  type CollectionOptions,
  collectedBytes,
  collectInputs,
  type EncoderOptions,
  f1Scores,
  fitTypedInputs,
  groupsOfInputs,
  predictGroups,
  type RowTargets,
  RpHGNN,
  type RpHGNNInputs,
  RpHGNNModel,
  trainGroups,
} from '../../graph/index.js';
import { accuracy, parameterCount } from '../../nn/index.js';
import { tableOptionsOf } from '../tables.js';
import type { rphgnnOptions } from './graph-options.js';
import type { FitRequest, Fitted } from './learner.js';
import { nodeSplit } from './node-split.js';

type Request = FitRequest<typeof rphgnnOptions>;

/** What is learnt of the nodes. */
interface Wanted {
  readonly type: string;
  readonly target: string;
  readonly classes: readonly string[];
  readonly split: Split;
  /** What is learnt of some nodes. */
  targetsOf(rows: Int32Array): Exclude<RowTargets, { kind: 'distribution' }>;
  /** Class of each node, −1 where unknown; of one class a node. */
  readonly labels: Int32Array | undefined;
}

/**
 * Runs the pre-computation for the labelled nodes and trains on what it collects.
 *
 * @throws Error where no or several types have the attribute, for a graph without edges, or when
 * the tensors exceed the memory, saying what makes them smaller
 */
export async function fitHetero(path: string, request: Request): Promise<Fitted> {
  const { values, target, task = 'class', random, reading, hooks, note } = request;
  const data = await loadHeteroGraph(path, { ...tableOptionsOf(reading), target });
  for (const text of data.notes) note(text);
  const wanted = wantedOf(data, task, request);
  requireRelations(data, wanted.type);
  const { type, split, classes } = wanted;
  const fitted = fitTypedInputs(data, { [type]: [wanted.target, 'split'] }, values);
  for (const text of fitted.notes) note(text);
  for (const [own, { kind }] of Object.entries(fitted.inputs.types))
    if (kind === 'random') note(`nodes of type "${own}" have no features; each gets a random vector by its name`);
  const inputs: RpHGNNInputs = {
    type,
    classes,
    inputs: fitted.inputs,
    collection: collectionOf(values),
    keys: { features: random.split('features').key, projections: random.split('projections').key },
    ...(values.labels === 'yes' && { known: knownOf(data, wanted) }),
  };
  const labelled = split.train.length + split.validation.length + split.test.length;
  const others = values.consistency === 'yes' ? othersOf(data, type, split.train) : new Int32Array(0);
  requireMemory(data, inputs, labelled + others.length, note);
  const { parts, groups } = collectInputs(data, inputs, [split.train, split.validation, split.test, others]);
  const [train, validation, test, unlabelled] = parts as [Groups, Groups, Groups, Groups];
  const encoder = encoderOf(values);
  const network = new RpHGNN(groups, classes.length, random.split('weights'), encoder);
  const { epochs, patience, learningRate, weightDecay, batch: batchSize, select } = values;
  const { stopped } = await trainGroups(
    network,
    { groups: train, targets: wanted.targetsOf(split.train) },
    { groups: validation, targets: wanted.targetsOf(split.validation) },
    random.split('fit'),
    {
      epochs,
      patience,
      learningRate,
      weightDecay,
      batchSize,
      select,
      ...hooks,
      ...(others.length > 0 && { unlabelled }),
    },
  );
  const scores = stopped === 'aborted' ? {} : scoresOf(network, validation, test, wanted);
  const beside = stopped === 'aborted' ? {} : await baselinesOf(data, inputs, wanted, request);
  const { graph } = data;
  const model = new RpHGNNModel(network, {
    ...inputs,
    target: wanted.target,
    task: wanted.labels ? 'class' : 'labels',
    relations: graph.given.map(({ source, name, target: end }) => [source, name, end]),
    groups,
    encoder,
    trained: { data: data.name, nodes: graph.nodeCount, edges: graph.edgeCount, labelled },
    scores: { ...scores, ...beside },
  });
  return {
    file: () => model.save(),
    lines: [
      `${data.name}: ${graph.types.map((own) => `${graph.countOf(own)} ${own}`).join(', ')}; ${graph.edgeCount} edges in ${graph.given.length} relations`,
      `${classes.length} ${wanted.labels ? 'classes' : 'labels'} of "${type}.${wanted.target}": ${split.train.length} nodes to train, ${split.validation.length} to validate, ${split.test.length} to test`,
      `RpHGNN, ${groups.length} groups of tensors, ${parameterCount(network).toLocaleString('en')} parameters`,
      ...heteroScoreLines({ ...scores, ...beside }),
    ],
    scores: { ...scores, ...beside },
    stopped,
  };
}

function collectionOf({ iterations, steps, input, sparsity }: Request['values']): CollectionOptions {
  return { iterations, steps, input: input === 'yes', sparsity };
}

function encoderOf({ hidden, depth, filters, fusion, inputDropout, dropout }: Request['values']): EncoderOptions {
  return { hidden, depth, filters, fusion, inputDropout, dropout };
}

function wantedOf(data: NamedHeteroGraph, task: string, request: Request): Wanted {
  const { type, column } = targetNodes(data, request.target);
  const nodes = { ...(data.nodes.get(type) as NodesOfType), name: `${data.name}: ${type}` };
  if (task === 'labels') return severalLabels(nodes, type, column ?? 'label', request);
  const { labels, classNames, target } = nodeClasses(nodes, column);
  const split = nodeSplit(nodes, { labels, classNames }, request);
  const targetsOf = (rows: Int32Array) => ({ kind: 'class' as const, values: rows.map((v) => labels[v] as number) });
  return { type, target, classes: classNames, split, labels, targetsOf };
}

/** Any number of labels a node, such as `red; green`. */
function severalLabels(
  nodes: NodesOfType & { readonly name: string },
  type: string,
  target: string,
  request: Request,
): Wanted {
  const column = nodes.attributes.columns.find(({ name }) => name.toLowerCase() === target.toLowerCase());
  if (!column) throw new Error(`"${nodes.name}" has no attribute "${target}"`);
  if (request.values.labels === 'yes')
    throw new Error('labels=yes is for one class a node; leave it out with --task labels');
  if (request.values.consistency === 'yes')
    throw new Error('consistency=yes is for one class a node; leave it out with --task labels');
  const lists = textsOrGaps(column).map((text) => (text === undefined ? undefined : labelsIn(text)));
  const classes = [...new Set(lists.flatMap((list) => list ?? []))].sort();
  if (classes.length < 2)
    throw new Error(`"${nodes.name}": "${column.name}" names ${classes.length} labels; learning takes two`);
  const codes = new Map(classes.map((label, code) => [label, code]));
  const known = Int32Array.from(lists, (list) => (list ? 0 : -1));
  const split = nodeSplit(nodes, { labels: known, classNames: ['labelled'] }, request);
  const targetsOf = (rows: Int32Array) => {
    const values = new Float32Array(rows.length * classes.length);
    for (const [i, v] of rows.entries())
      for (const label of lists[v] ?? []) values[i * classes.length + (codes.get(label) as number)] = 1;
    return { kind: 'labels' as const, values, classes: classes.length };
  };
  return { type, target: column.name, classes, split, labels: undefined, targetsOf };
}

/** Classes of the nodes to train on, by name. */
function knownOf({ nodes }: NamedHeteroGraph, { type, labels, split }: Wanted): Record<string, number> {
  const names = nodes.get(type)?.nodeNames ?? [];
  return Object.fromEntries(Array.from(split.train, (v) => [names[v] as string, labels?.[v] as number]));
}

function othersOf({ graph }: NamedHeteroGraph, type: string, train: Int32Array): Int32Array {
  const trained = new Set(train);
  return Int32Array.from({ length: graph.countOf(type) }, (_, v) => v).filter((v) => !trained.has(v));
}

const MIB = 2 ** 20;

/** Says what the tensors take. @throws Error where they exceed the memory */
function requireMemory(data: NamedHeteroGraph, inputs: RpHGNNInputs, rows: number, note: Request['note']): void {
  const groups = groupsOfInputs(data, inputs);
  const bytes = collectedBytes(groups, rows);
  const tensors = groups.reduce((total, { count }) => total + count, 0);
  const size = `${tensors} tensors for ${rows} nodes take ${Math.ceil(bytes / MIB)} MiB`;
  const budget = tensorMemoryBudget();
  if (bytes > budget)
    throw new Error(
      `${size}, of ${Math.floor(budget / MIB)} MiB that there are; set projectTo=256, fewer iterations, or a smaller randomWidth`,
    );
  note(`${size}${bytes > budget / 8 ? '; --set projectTo=256 makes wide features smaller' : ''}`);
}

type Groups = Parameters<typeof predictGroups>[1];

/** F1 in percent of the test nodes; without any, of the nodes to validate. */
function scoresOf(
  network: RpHGNN,
  validation: Groups,
  test: Groups,
  { split, targetsOf }: Wanted,
): Record<string, number> {
  const of = (groups: Groups, rows: Int32Array) => f1Scores(predictGroups(network, groups), targetsOf(rows));
  if (split.test.length === 0) return { validation: 100 * of(validation, split.validation).microF1 };
  const { microF1, macroF1 } = of(test, split.test);
  return { microF1: 100 * microF1, macroF1: 100 * macroF1 };
}

/** Epochs without a better validation score after which the baseline is done. */
const BASELINE_PATIENCE = 30;

/** Micro-F1 of the most frequent class, and of a perceptron on the nodes' own features. */
async function baselinesOf(
  data: NamedHeteroGraph,
  inputs: RpHGNNInputs,
  { type, split, labels, targetsOf, classes }: Wanted,
  { values, random, hooks: { signal } }: Request,
): Promise<Record<string, number>> {
  if (split.test.length === 0) return {};
  const frequent: Record<string, number> = labels
    ? { mostFrequent: 100 * frequentShare(labels, split, classes.length) }
    : {};
  if (values.baseline === 'none' || inputs.inputs.types[type]?.kind === 'random') return frequent;
  const { known: _, ...alone } = inputs;
  const collection = { iterations: 1, steps: 'odd', selfGroup: true } as const;
  const { parts, groups } = collectInputs(data, { ...alone, collection }, [split.train, split.validation, split.test]);
  // The group of the nodes' own features, which comes first.
  const [train, validation, test] = parts.map((own): Groups => own.slice(0, 1)) as [Groups, Groups, Groups];
  const network = new RpHGNN(groups.slice(0, 1), classes.length, random.split('baseline'), encoderOf(values));
  const { stopped } = await trainGroups(
    network,
    { groups: train, targets: targetsOf(split.train) },
    { groups: validation, targets: targetsOf(split.validation) },
    random.split('baseline fit'),
    { signal, patience: BASELINE_PATIENCE },
  );
  if (stopped === 'aborted') return frequent;
  const { microF1 } = f1Scores(predictGroups(network, test), targetsOf(split.test));
  return { ...frequent, featuresAlone: 100 * microF1 };
}

function frequentShare(labels: Int32Array, { train, test }: Split, classes: number): number {
  const counts = new Int32Array(classes);
  for (const v of train) counts[labels[v] as number] = (counts[labels[v] as number] as number) + 1;
  return accuracy(new Int32Array(labels.length).fill(counts.indexOf(Math.max(...counts))), labels, test);
}

/** Scores as lines of a terminal or of `gossamer info`. */
export function heteroScoreLines(scores: Readonly<Record<string, number>>): string[] {
  const percent = (value: number | undefined) => `${value?.toFixed(1)} %`;
  const { validation, microF1, macroF1, mostFrequent, featuresAlone } = scores;
  if (validation !== undefined) return [`micro-F1 on the nodes to validate ${percent(validation)}`];
  if (microF1 === undefined) return [];
  const beside = [
    ...(mostFrequent === undefined ? [] : [`most frequent class ${percent(mostFrequent)}`]),
    ...(featuresAlone === undefined ? [] : [`a perceptron on their own features ${percent(featuresAlone)}`]),
  ];
  return [
    `micro-F1 on the nodes to test ${percent(microF1)}, macro-F1 ${percent(macroF1)}`,
    ...(beside.length > 0 ? [`beside it: ${beside.join(', ')}`] : []),
  ];
}
