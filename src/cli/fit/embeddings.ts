// Labels of nodes, or links between them, from FastRP vectors of a person's own graph.

import { type AttributedGraph, classColumn, labelsIn, noteText, textsOrGaps } from '../../data/index.js';
import { loadAttributedGraph } from '../../data/node.js';
import {
  columnScale,
  EmbeddingModel,
  type EmbeddingModelDescription,
  type EmbeddingTrial,
  fitLabels,
  fitLinks,
  labelledNodes,
  labelScore,
  type MultiLabels,
  namedEmbedding,
  splitNodes,
  standardizedBy,
  tuneNamedEmbedding,
} from '../../embedding/index.js';
import { areaUnderCurve, averagePrecision } from '../../nn/index.js';
import { type Graph, holdOutEdges, sampleNonEdges } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';
import { tableOptionsOf } from '../tables.js';
import type { fastrpOptions } from './graph-options.js';
import type { Fit, FitRequest, Fitted } from './learner.js';
import { PartialStore, partLine } from './partial.js';

type Request = FitRequest<typeof fastrpOptions>;

/** Nodes or edges that choose settings, at most. */
const MOST_TUNED = 4000;

/** Trains FastRP vectors and a classifier of labels or of links. */
export const fitEmbedding: Fit<typeof fastrpOptions> = async (path, request) => {
  const { target, directed = false, reading, task, hooks } = request;
  const data = await loadAttributedGraph(path, { ...tableOptionsOf(reading), directed, target });
  try {
    return await (task === 'links' ? linksOf(data, request) : labelsOf(data, request));
  } catch (error) {
    if (!hooks.signal?.aborted) throw error;
    return { file: () => new Uint8Array(), lines: [], scores: {}, stopped: 'aborted' };
  }
};

type Setting = Pick<EmbeddingTrial, 'weights' | 'degreeExponent'>;

/** The settings that `--set` gives. @throws Error unless the weights are numbers */
function givenSetting({ values }: Request): Setting {
  const weights = values.weights.split(',').map((text) => (text.trim() === '' ? Number.NaN : Number(text)));
  if (!weights.every(Number.isFinite) || weights.every((weight) => weight === 0))
    throw new Error(`option weights: expected numbers such as 0,0,1,6.67, got "${values.weights}"`);
  return { weights, degreeExponent: values.degreeExponent };
}

/**
 * The best setting by a score, or the one that is given. Scores are kept after each trial, since
 * the trials take most of the time.
 *
 * @param truth what the score depends on beside the graph
 */
async function chosenSetting(
  graph: Graph,
  nodeNames: readonly string[],
  request: Request,
  truth: unknown,
  score: (vectors: Parameters<typeof columnScale>[0]) => number,
): Promise<Setting> {
  const given = givenSetting(request);
  if (request.values.tune === 'no') return given;
  const { values, seed, task, hooks } = request;
  const { indptr, indices } = graph.successors;
  const { weights: _, degreeExponent: __, ...own } = values;
  const identity = [indptr, indices, graph.weights ?? 'none', nodeNames, truth, task ?? '', own, seed];
  const store = new PartialStore(hooks.checkpoint, ...identity);
  const line = partLine('settings tried');
  const [best] = await tuneNamedEmbedding(graph, nodeNames, score, {
    ...{ dim: values.dim, seed, known: store.load()?.values ?? [], signal: hooks.signal },
    onTrial: (scores, all) => {
      store.save({ values: scores, tensors: {} });
      line(scores.length, all);
    },
  });
  return best ?? given;
}

const settingText = ({ weights, degreeExponent }: Setting) =>
  `weights ${weights.join(',')}, degree exponent ${degreeExponent}`;

/** Vectors with their scale. */
function embed(graph: Graph, names: readonly string[], setting: Setting, { values: { dim }, seed }: Request) {
  const raw = namedEmbedding(graph, names, { dim, seed, ...setting });
  const columns = columnScale(raw);
  return { columns, vectors: standardizedBy(raw, columns) };
}

function descriptionOf(data: AttributedGraph, request: Request, { weights, degreeExponent }: Setting) {
  const { graph, name } = data;
  return {
    embedding: { dim: request.values.dim, seed: request.seed, weights, degreeExponent },
    directed: request.directed ?? false,
    trained: { data: name, nodes: graph.nodeCount, edges: graph.edgeCount },
  };
}

async function labelsOf(data: AttributedGraph, request: Request): Promise<Fitted> {
  const { values, target, random, note } = request;
  const { graph, nodeNames } = data;
  const column = classColumn(data, target);
  for (const own of data.attributes.notes ?? []) if (own.column === column.name) note(noteText(own));
  const lists = textsOrGaps(column).map(labelsIn);
  const names = [...new Set(lists.flat())].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
  if (names.length < 2)
    throw new Error(`"${data.name}": "${column.name}" names ${names.length} labels; learning takes two`);
  const labels = multiLabels(lists, names);
  const nodes = labelledNodes(labels);
  const split = splitNodes(nodes, values.train, random.split('split'));
  const inner = splitNodes(split.train.subarray(0, MOST_TUNED), 0.75, random.split('tune'));
  const setting = await chosenSetting(graph, nodeNames, request, lists, (x) => labelScore(x, labels, inner, values.c));
  const { columns, vectors } = embed(graph, nodeNames, setting, request);
  const usual = embed(graph, nodeNames, givenSetting(request), request);
  const scores = {
    microF1: 100 * labelScore(vectors, labels, split, values.c),
    givenSetting: 100 * labelScore(usual.vectors, labels, split, values.c),
    mostFrequent: 100 * frequentScore(labels, split),
  };
  const description: EmbeddingModelDescription = {
    ...descriptionOf(data, request, setting),
    task: 'labels',
    target: column.name,
    labels: names,
    single: lists.every((own) => own.length < 2),
    scores,
  };
  const model = new EmbeddingModel(description, columns, fitLabels(vectors, labels, nodes, values.c));
  return {
    file: () => model.save(),
    lines: [
      `${data.name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges, ${names.length} labels of "${column.name}"`,
      `FastRP with ${settingText(setting)}`,
      ...embeddingScoreLines(description),
    ],
    scores,
    stopped: 'completed',
  };
}

function multiLabels(lists: readonly (readonly string[])[], names: readonly string[]): MultiLabels {
  const codes = new Map(names.map((label, code) => [label, code]));
  const indptr = new Int32Array(lists.length + 1);
  for (const [v, own] of lists.entries()) indptr[v + 1] = (indptr[v] as number) + own.length;
  const labels = Int32Array.from(lists.flat(), (label) => codes.get(label) as number);
  return { indptr, labels, count: names.length };
}

/** Micro-F1 of the most frequent label of training, given to every node. */
function frequentScore({ indptr, labels, count }: MultiLabels, { train, test }: ReturnType<typeof splitNodes>): number {
  const counts = new Int32Array(count);
  const of = (v: number) => labels.subarray(indptr[v], indptr[v + 1]);
  for (const v of train) for (const label of of(v)) counts[label] = (counts[label] as number) + 1;
  const frequent = counts.indexOf(Math.max(...counts));
  let [right, all] = [0, 0];
  for (const v of test) {
    right += Number(of(v).includes(frequent));
    all += of(v).length;
  }
  return (2 * right) / (test.length + all);
}

async function linksOf(data: AttributedGraph, request: Request): Promise<Fitted> {
  const { values, random } = request;
  const { graph, nodeNames } = data;
  const held = holdOutEdges(graph, 1 - values.train, random.split('held'));
  if (held.sources.length === 0 || held.graph.edgeCount === 0)
    throw new Error(`"${data.name}" has ${graph.edgeCount} edges, too few to hold some out`);
  const others = sampleNonEdges(graph, held.sources.length, random.split('others'));
  const score = (model: EmbeddingModel, vectors: Parameters<typeof columnScale>[0]) => {
    const probabilities = [held, others].map((pairs) => model.linkProbabilities(vectors, pairs));
    const all = Float32Array.from(probabilities.flatMap((own) => [...own]));
    const truth = new Uint8Array(all.length).fill(1, 0, held.sources.length);
    return { auc: 100 * areaUnderCurve(all, truth), averagePrecision: 100 * averagePrecision(all, truth) };
  };
  const setting = await chosenLinkSetting(held.graph, nodeNames, request, random.split('tune'));
  const description = (scores: Record<string, number>): EmbeddingModelDescription => ({
    ...descriptionOf(data, request, setting),
    task: 'links',
    target: '',
    labels: [],
    single: true,
    scores,
  });
  const trained = embed(held.graph, nodeNames, setting, request);
  const trial = new EmbeddingModel(
    description({}),
    trained.columns,
    fitLinks(trained.vectors, held.graph, random.split('trial'), values.c),
  );
  const scores = score(trial, trained.vectors);
  const { columns, vectors } = embed(graph, nodeNames, setting, request);
  const final = description(scores);
  const model = new EmbeddingModel(final, columns, fitLinks(vectors, graph, random.split('final'), values.c));
  return {
    file: () => model.save(),
    lines: [
      `${data.name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges`,
      `FastRP with ${settingText(setting)}`,
      ...embeddingScoreLines(final),
    ],
    scores,
    stopped: 'completed',
  };
}

/** By edges that are held out of those to train on. */
async function chosenLinkSetting(
  graph: Graph,
  names: readonly string[],
  request: Request,
  random: Random,
): Promise<Setting> {
  if (request.values.tune === 'no') return givenSetting(request);
  const inner = holdOutEdges(graph, 0.25, random.split('held'));
  const others = sampleNonEdges(graph, inner.sources.length, random.split('others'));
  const truth = new Uint8Array(2 * inner.sources.length).fill(1, 0, inner.sources.length);
  return chosenSetting(inner.graph, names, request, 'links', (x) => {
    const classifier = fitLinks(x, inner.graph, random.split('fit'), request.values.c);
    const model = new EmbeddingModel({} as EmbeddingModelDescription, columnScale(x), classifier);
    const found = [inner, others].flatMap((pairs) => [...model.linkProbabilities(x, pairs)]);
    return areaUnderCurve(found, truth);
  });
}

/** Scores as lines of a terminal or of `gossamer info`. */
export function embeddingScoreLines({ task, single, scores }: EmbeddingModelDescription): string[] {
  const percent = (name: string) => `${scores[name]?.toFixed(1)} %`;
  if (task === 'links')
    return [`on links that were held out: AUC ${percent('auc')}, average precision ${percent('averagePrecision')}`];
  return [
    `${single ? 'accuracy' : 'micro-F1'} on the nodes to test ${percent('microF1')}`,
    `beside it: the settings given ${percent('givenSetting')}, the most frequent label ${percent('mostFrequent')}`,
  ];
}
