// FastRP's claim: very sparse random projections of powers of the transition matrix embed nodes as well as walks with skip-gram do, thousands of times faster.

import { type Arrays, readNpz, requiredArrays, toInts } from '../data/index.js';
import { knownArchive, loadEdges, loadGraph, readBytes } from '../data/node.js';
import {
  deepWalk,
  type FastRPTrial,
  fastRP,
  line,
  linkPrediction,
  type MultiLabels,
  multiLabelScores,
  node2vec,
  tuneFastRP,
} from '../embedding/index.js';
import { blockModel, Graph, holdOutEdges, rmat, sampleNonEdges } from '../structure/index.js';
import { Random, type Tensor } from '../tensor/index.js';
import { atLeast, atMost, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult } from './contract.js';
import type { OptionValues } from './options.js';

const options = {
  dim: { kind: 'number', default: 128, smoke: 32, minimum: 1, integer: true, about: 'numbers a node' },
  share: {
    kind: 'number',
    default: 0.1,
    minimum: 0.01,
    maximum: 0.95,
    about: 'share of labelled nodes to train the classifier on',
  },
  shuffles: {
    kind: 'number',
    default: 3,
    smoke: 1,
    minimum: 1,
    integer: true,
    about: 'splits of the labels for each embedding',
  },
  degreeExponent: { kind: 'number', default: -0.64, minimum: -1, maximum: 1, about: 'β of FastRP' },
  fourth: { kind: 'number', default: 6.67, minimum: 0, about: 'α₄ of FastRP, beside α = (0, 0, 1)' },
  trials: {
    kind: 'number',
    default: 20,
    smoke: 2,
    minimum: 1,
    integer: true,
    about: 'trials of tuning FastRP, with 64 columns',
  },
  walkers: {
    kind: 'choice',
    choices: ['all', 'node2vec', 'none'],
    default: 'all',
    smoke: 'none',
    about: 'baselines that walk',
  },
  walks: {
    kind: 'number',
    default: 10,
    minimum: 1,
    integer: true,
    about: 'walks a node of DeepWalk (80 in its paper)',
  },
} as const;

type Options = OptionValues<typeof options>;

interface Data {
  readonly name: string;
  readonly graph: Graph;
  /** undefined where a set has no labels: links are predicted instead. */
  readonly labels: MultiLabels | undefined;
}

const titles = {
  random: 'random',
  first: 'FastRP, neighbours alone',
  fast: 'FastRP',
  tuned: 'FastRP, tuned',
  dense: 'FastRP, dense projection',
  deepWalk: 'DeepWalk',
  node2vec: 'node2vec',
  line: 'LINE',
} as const;
const files: Readonly<Record<string, string>> = {
  blogcatalog: 'node-embedding/blogcatalog.npz',
  ppi: 'node-embedding/ppi.npz',
  'wikipedia-pos': 'node-embedding/wikipedia-pos.npz',
};

async function load(source: string): Promise<Data> {
  if (source === 'blocks') {
    const { graph, labels } = blockModel(new Random(0).split('fastrp'));
    return { name: source, graph, labels: oneLabel(labels) };
  }
  if (source === 'coauthor-cs' || source === 'cora') {
    const { graph, labels } = loadGraph(source);
    return { name: source, graph, labels: oneLabel(labels) };
  }
  const known = files[source];
  if (known) return fromArrays(readNpz(readBytes(knownArchive(source, known)), source), source);
  const { sources, targets, weights, names } = await loadEdges(source);
  return {
    name: source,
    graph: Graph.fromEdges(names.count, sources, targets, { weights, duplicates: weights ? 'sum' : 'first' }),
    labels: undefined,
  };
}

function oneLabel(labels: Int32Array): MultiLabels {
  const known = Array.from(labels.keys()).filter((v) => (labels[v] as number) >= 0);
  const indptr = new Int32Array(labels.length + 1);
  for (let v = 0; v < labels.length; v++) indptr[v + 1] = (indptr[v] as number) + Number((labels[v] as number) >= 0);
  return {
    indptr,
    labels: Int32Array.from(known, (v) => labels[v] as number),
    count: labels.reduce((most, c) => Math.max(most, c + 1), 0),
  };
}

function fromArrays(arrays: Arrays, name: string): Data {
  const need = requiredArrays(arrays, name);
  const ints = (key: string) => toInts(need(key), key);
  const [n = 0, count = 0] = ints('num');
  const edges = ints('edges');
  const end = (offset: number) =>
    Int32Array.from({ length: edges.length / 2 }, (_, e) => edges[2 * e + offset] as number);
  const labels = { indptr: ints('label_indptr'), labels: ints('label_indices'), count };
  return { name, graph: Graph.fromEdges(n, end(0), end(1)), labels };
}

/** Embeddings by method; C of the classifier is what the paper's notebook uses. */
function methodsFor({ dim, degreeExponent, fourth, walkers, walks }: Options, seed: number, context: RunContext) {
  const weights = [0, 0, 1, fourth];
  const reporting = (method: string) => ({
    dim,
    seed,
    signal: context.signal,
    onProgress: ({ done, pairs }: { done: number; pairs: number }) =>
      context.onEpoch(method, { epoch: Math.round(100 * done), epochs: 100, loss: pairs, seconds: 0 }),
  });
  const all: Readonly<
    Record<string, { readonly c: number; readonly embed: (graph: Graph) => Tensor | Promise<Tensor> }>
  > = {
    [titles.random]: { c: 0.1, embed: (graph) => new Random(seed).normal([graph.nodeCount, dim]) },
    [titles.first]: { c: 0.1, embed: (graph) => fastRP(graph, { dim, seed, degreeExponent, weights: [1] }) },
    [titles.dense]: { c: 0.1, embed: (graph) => fastRP(graph, { dim, seed, degreeExponent, weights, sparsity: 1 }) },
    [titles.fast]: { c: 0.1, embed: (graph) => fastRP(graph, { dim, seed, degreeExponent, weights }) },
    [titles.line]: { c: 1, embed: (graph) => line(graph, { ...reporting(titles.line), dim: 2 * Math.ceil(dim / 2) }) },
    [titles.deepWalk]: { c: 1, embed: (graph) => deepWalk(graph, { ...reporting(titles.deepWalk), walks }) },
    [titles.node2vec]: { c: 1, embed: (graph) => node2vec(graph, reporting(titles.node2vec)) },
  };
  const walking: readonly string[] =
    walkers === 'all' ? [titles.line, titles.deepWalk, titles.node2vec] : walkers === 'none' ? [] : [titles.node2vec];
  return Object.entries(all).filter(
    ([method]) =>
      ![titles.line, titles.deepWalk, titles.node2vec].includes(method as never) || walking.includes(method),
  );
}

/** The paper's tuning: α₄ and β by macro-F1 on a tenth of the labels, with fewer columns. */
async function tuned(graph: Graph, labels: MultiLabels, { trials, share }: Options, seed: number) {
  const random = new Random(seed).split('tune');
  const score = (embedding: Tensor) =>
    multiLabelScores(embedding, labels, { share, c: 0.1, random: new Random(random.key) }).macroF1;
  const [best] = await tuneFastRP(graph, score, { trials, seed });
  return best as FastRPTrial;
}

async function runSeed({ graph, labels, name }: Data, values: Options, context: RunContext) {
  const random = new Random(context.seed);
  const results: MethodScores[] = [];
  const held = holdOutEdges(graph, 0.1, random.split('links'));
  const none = sampleNonEdges(graph, held.sources.length, random.split('non-edges'));
  let kept: Tensor | undefined;
  const methods = methodsFor(values, context.seed, context);
  if (labels) {
    const { weights, degreeExponent } = await tuned(graph, labels, values, context.seed);
    const at = methods.findIndex(([method]) => method === titles.fast);
    methods.splice(at + 1, 0, [
      titles.tuned,
      { c: 0.1, embed: (of) => fastRP(of, { dim: values.dim, seed: context.seed, weights, degreeExponent }) },
    ]);
  }
  for (const [method, { c, embed }] of methods) {
    context.signal?.throwIfAborted();
    // Fast methods are warmed up, so that compiling does not count; slow ones warm up on the way.
    if (method.startsWith('FastRP')) (await embed(graph)).dispose();
    const started = performance.now();
    const embedding = await embed(graph);
    const seconds = (performance.now() - started) / 1000;
    const scores: Record<string, number> = { seconds };
    if (labels) {
      const all = Array.from({ length: values.shuffles }, (_, i) =>
        multiLabelScores(embedding, labels, { share: values.share, c, random: random.split('labels').split(i) }),
      );
      scores.micro = (100 * all.reduce((total, { microF1 }) => total + microF1, 0)) / all.length;
      scores.macro = (100 * all.reduce((total, { macroF1 }) => total + macroF1, 0)) / all.length;
    }
    // Links are predicted from an embedding that has not seen them; walks are not made again for it.
    if (method.startsWith('FastRP') || method === titles.random) {
      const blind = await embed(held.graph);
      scores.auc = 100 * linkPrediction(blind, held, none).auc;
      blind.dispose();
    }
    results.push({ method, scores });
    if (method === titles.fast) kept = embedding;
    else embedding.dispose();
  }
  return {
    methods: results,
    artifacts: () => ({
      model: {
        weights: { vectors: kept as Tensor },
        metadata: {
          system: 'fastrp',
          data: name,
          seed: String(context.seed),
          weights: `0,0,1,${values.fourth}`,
          degreeExponent: String(values.degreeExponent),
        },
      },
      predictions: { columns: ['node', 'degree'], rows: Array.from(graph.outDegrees, (degree, v) => [v, degree]) },
    }),
  };
}

/** Time and memory grow linearly: R-MAT graphs of rising size. */
async function studies(_: Data, values: Options) {
  const sizes =
    values.walkers === 'none'
      ? ([
          [12, 50_000],
          [13, 100_000],
        ] as const)
      : ([
          [15, 250_000],
          [16, 500_000],
          [17, 1_000_000],
        ] as const);
  const rows = sizes.map(([scale, edges]) => {
    const directed = rmat(scale, edges, new Random(1));
    const graph = directed.undirected();
    fastRP(graph, { dim: values.dim }).dispose();
    const started = performance.now();
    fastRP(graph, { dim: values.dim }).dispose();
    return [graph.nodeCount, graph.edgeCount, (performance.now() - started) / 1000] as const;
  });
  const [first, last] = [rows[0], rows.at(-1)] as [
    readonly [number, number, number],
    readonly [number, number, number],
  ];
  return {
    studies: [
      {
        title: 'Time by size',
        note: `FastRP with ${values.dim} columns and four orders on R-MAT graphs, undirected and weighted.`,
        columns: ['nodes', 'edges', 'seconds', 'ns an edge and column'],
        rows: rows.map(([nodes, edges, seconds]) => [
          nodes.toLocaleString('en'),
          edges.toLocaleString('en'),
          seconds.toFixed(3),
          ((1e9 * seconds) / (edges * values.dim)).toFixed(2),
        ]),
      },
    ],
    scores: { largest: last[2], growth: last[2] / last[1] / (first[2] / first[1]) },
  };
}

function claims(
  results: readonly SeedResult[],
  study: Readonly<Record<string, number>>,
  values: Options,
  data: Data,
): Claim[] {
  const mean = (method: string, metric: string) => meanScore(results, method, metric);
  const speed = (method: string) => mean(method, 'seconds') / mean(titles.fast, 'seconds');
  const quality = data.labels
    ? [
        atLeast(
          'Transitive similarity: above neighbours alone (points of micro-F1)',
          mean(titles.fast, 'micro') - mean(titles.first, 'micro'),
          data.name === 'blocks' ? 30 : 0,
        ),
        atMost(
          'A very sparse projection loses against a dense one (points of micro-F1)',
          mean(titles.dense, 'micro') - mean(titles.fast, 'micro'),
          3,
        ),
      ]
    : [];
  const walked =
    values.walkers === 'none'
      ? []
      : [
          ...(data.labels
            ? [
                atLeast(
                  'Tuned: F1 as a share of node2vec’s (micro)',
                  mean(titles.tuned, 'micro') / mean(titles.node2vec, 'micro'),
                  data.name === 'blocks' ? 0.85 : 0.97,
                ),
              ]
            : []),
          ...(data.labels && values.walkers === 'all'
            ? [
                atLeast(
                  'Tuned: F1 as a share of DeepWalk’s (micro)',
                  mean(titles.tuned, 'micro') / mean(titles.deepWalk, 'micro'),
                  data.name === 'blocks' ? 0.85 : 0.97,
                ),
              ]
            : []),
          atLeast('Times faster than node2vec at its default walks', speed(titles.node2vec), 1000),
        ];
  return [
    ...quality,
    ...walked,
    atMost('A graph of a million edges (seconds)', study.largest ?? Number.NaN, 20),
    atMost('Time per edge, largest graph against the smallest', study.growth ?? Number.NaN, 3),
  ];
}

export const fastrp: Experiment<typeof options, Data> = {
  system: 'fastrp',
  title: 'FastRP: network embeddings via very sparse random projection',
  family: 'embedding',
  paper:
    'Chen, Sultan, Tian, Chen, Skiena, "Fast and Accurate Network Embeddings via Very Sparse Random Projection", CIKM 2019 (arXiv 1908.11512)',
  abstract:
    'Embeddings as good as or better than DeepWalk’s and node2vec’s, over 4,000 times faster, with easy tuning.',
  options,
  datasets: ['blocks', ...Object.keys(files), 'coauthor-cs', 'cora'],
  ownData: 'an edge list (.csv, .tsv, .txt, .gz, .parquet); without labels links are predicted',
  metrics: {
    micro: { label: 'micro-F1', unit: '%', digits: 1, better: 'larger' },
    macro: { label: 'macro-F1', unit: '%', digits: 1, better: 'larger' },
    auc: { label: 'links, AUC', unit: '%', digits: 1, better: 'larger' },
    seconds: { label: 'embedding', unit: 's', digits: 4, better: 'smaller' },
  },
  methods: Object.values(titles),
  notes: ({ share, walks }) => [
    `One-vs-rest logistic regression on ${Math.round(100 * share)} % of the labelled nodes; each other node gets as many labels as it truly has.`,
    'Tuned: α₄ and β by macro-F1 on a tenth of the labels over trials with 64 columns, whose time is not counted.',
    `DeepWalk makes ${walks} walks of 40 nodes a node, node2vec its default 10 of 80; both with windows of 10 and five negatives, on all threads. Links: AUC of cosines, on a graph without a tenth of its edges.`,
  ],
  load,
  describe: ({ name, graph, labels }) =>
    `${name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges${labels ? `, ${labels.count} labels` : ''}`,
  runSeed,
  studies,
  claims,
};
