// What EHGNN and its rivals learn on sets of graphs: classes of graphs by poolings of nodes and
// edges, and types of edges by autoencoders, all trained and chosen alike.

import type { WholeGraphs } from '../../data/index.js';
import { loadWholeGraphs } from '../../data/node.js';
import {
  classifyGraphs,
  clusterCount,
  type EdgeAutoencoder,
  EdgeClusterAutoencoder,
  encodeGraphs,
  GraphClassifier,
  type GraphClassifierOptions,
  type GraphEncoding,
  type GraphInput,
  graphEncoding,
  HyperDropModel,
  NodeClusterAutoencoder,
  reconstructTypes,
  selectInput,
  selectTyped,
  type TypedGraphs,
  trainAutoencoder,
  trainClassifier,
  typesOfEdges,
} from '../../hypergraph/index.js';
import { inference, parameterCount } from '../../nn/index.js';
import { Random, scope } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { choice, count, number, type OptionValues, rate, share } from '../parts/options.js';
import { settingsOf, tuned } from '../parts/tuning.js';
import { edgeTypes, irrelevantEdges, type RelevantEdges, validMolecules } from './edge-sets.js';
import { describeWholeGraphs, type GraphParts, graphAccuracy, partsOfSeed } from './whole-graphs.js';

export const edgeOptions = {
  task: choice(['classify', 'reconstruct', 'depth', 'generate'], 'what is learnt; the data set decides'),
  ones: choice(['without', 'with'], 'HyperDrop on constant edge features beside, for edges without'),
  graphs: count(800, 'graphs of a generated set', { smoke: 120 }),
  molecules: count(3000, 'molecules of a larger set, at most', { smoke: 100 }),
  hidden: count(32, 'width of the layers', { smoke: 16 }),
  layers: count(3, 'graph convolutions of a classifier'),
  ratio: share(0.5, 'share of edges or nodes that a pooling keeps', { minimum: 0.01 }),
  clusterRatio: share(0.15, 'clusters as a share of the edges of a mean graph', { minimum: 0.001 }),
  epochs: count(20, 'epochs', { smoke: 3 }),
  patience: count(25, 'epochs without a lower validation loss'),
  batch: count(40, 'graphs in a batch'),
  learningRate: rate(1e-3, "Adam's largest learning rate"),
  schedule: choice(['constant', 'cosine'], 'one learning rate throughout, or a warm-up and a cosine to 0'),
  weightDecay: number(1e-4, 'L2 weight decay', { minimum: 0 }),
  dropout: share(0.5, 'dropout probability in the head of a classifier', { maximum: 0.99 }),
  trials: count(1, 'settings tried for each method on validation graphs', { smoke: 1 }),
  ratios: choice(['fixed', 'tuned'], 'whether the settings have other ratios beside other learning rates'),
};

export type EdgeValues = OptionValues<typeof edgeOptions>;

/** Titles of methods. */
export const [DROP, DROP_ONES, DROP_GMT] = ['HyperDrop', 'HyperDrop (ones)', 'HyperDrop + GMT'] as const;
export const [GCN, GIN, TOPK, SAG, GMT] = ['GCN', 'GIN', 'TopKPool', 'SAGPool', 'GMT'] as const;
export const [CLUSTER, GCN_POOL, RGCN_POOL] = ['HyperCluster', 'GCN + GMPool', 'R-GCN + GMPool'] as const;
export const [MAJORITY, ENDS] = ['majority', 'best guess from the ends'] as const;

const classifiers: Readonly<Record<string, GraphClassifierOptions>> = {
  [GCN]: { pooling: 'none' },
  [GIN]: { pooling: 'none', conv: 'gin' },
  [TOPK]: { pooling: 'topk' },
  [SAG]: { pooling: 'sag' },
  [GMT]: { pooling: 'gmt' },
  [DROP]: { pooling: 'hyperdrop' },
  [DROP_ONES]: { pooling: 'hyperdrop', edgeInit: 'ones' },
  [DROP_GMT]: { pooling: 'hyperdrop+gmt' },
};

/** The poolings of nodes that the abstract's claim is about. */
export const nodePoolings: readonly string[] = [TOPK, SAG, GMT];

/** Titles of the methods that learn classes of graphs. */
export function classifierTitles({ ones }: Pick<EdgeValues, 'ones'>): string[] {
  return Object.keys(classifiers).filter((title) => title !== DROP_ONES || ones === 'with');
}

/** Titles of the methods that tell the types of edges. */
export const autoencoderTitles: readonly string[] = [MAJORITY, ENDS, GCN_POOL, RGCN_POOL, CLUSTER];

/** A set of graphs, encoded. */
export interface EdgeData {
  readonly set: WholeGraphs;
  /** How attributes become features: means are of the training graphs where a set has one split. */
  readonly encoding: GraphEncoding;
  readonly input: GraphInput;
  /** Types of edges in their first column of categories; undefined without. */
  readonly typed: (TypedGraphs & { readonly names: readonly string[] }) | undefined;
  /** Another draw of a generated set, for a seed; undefined for others. */
  readonly redrawn: ((seed: number) => EdgeData) | undefined;
}

/** Sets that are generated. */
export const generatedEdgeSets = ['irrelevant-edges', 'edge-types'] as const;

/** Generators by the name of the set, and the shares of graphs that validate and are tested. */
const generators = {
  'irrelevant-edges': { generate: irrelevantEdges, validation: 1 / 8, test: 3 / 8 },
  'edge-types': { generate: edgeTypes, validation: 1 / 6, test: 1 / 3 },
} as const;

function generatedSet(source: keyof typeof generators, graphs: number, seed: number): WholeGraphs {
  const { generate, validation, test } = generators[source];
  const part = (share: number) => Math.max(1, Math.round(graphs * share));
  const sizes = { train: part(1 / 2), validation: part(validation), test: part(test) };
  return generate(sizes, new Random(seed).split(source));
}

/**
 * A generated set, a known one, or one of a person's own.
 *
 * @param seed of a generated set. Default: 0
 */
export function edgeData(source: string, values: EdgeValues, seed = 0): EdgeData {
  const generated = generatedEdgeSets.find((own) => own === source);
  const set = generated
    ? generatedSet(generated, values.graphs, seed)
    : firstGraphs(loadWholeGraphs(source), values.molecules);
  const column = set.edgeColumns.find(({ kind }) => kind === 'category');
  const names = column ? [...new Set(column.values as readonly string[])].sort() : [];
  const encoding = graphEncoding(set, set.split?.train);
  return {
    set,
    encoding,
    input: encodeGraphs(set, encoding),
    typed: column && { ...typesOfEdges(set, column.name, names), names },
    redrawn: generated && ((other) => edgeData(source, values, other)),
  };
}

/** The first graphs of a set without folds that has more. */
function firstGraphs(set: WholeGraphs, most: number): WholeGraphs {
  if (set.folds || set.graphs.count <= most) return set;
  const chosen = Int32Array.from({ length: most }, (_, g) => g);
  const { graphs, nodeRows, edgeRows } = set.graphs.select(chosen);
  const cut = (columns: WholeGraphs['nodeColumns'], rows: Int32Array): WholeGraphs['nodeColumns'] =>
    columns.map((column) =>
      column.kind === 'number'
        ? { ...column, values: column.values.slice(0, rows.length) }
        : { ...column, values: column.values.slice(0, rows.length) },
    );
  const within = (part: Int32Array) => part.filter((g) => g < most);
  return {
    ...set,
    graphs,
    nodeColumns: cut(set.nodeColumns, nodeRows),
    edgeColumns: cut(set.edgeColumns, edgeRows),
    labels: set.labels.slice(0, most),
    targets: cut(set.targets, chosen),
    split: set.split && {
      train: within(set.split.train),
      validation: within(set.split.validation),
      test: within(set.split.test),
    },
    graphNames: set.graphNames.slice(0, most),
  };
}

const ratios = [0.8, 0.65, 0.5, 0.9];
const rates = [1e-3, 5e-3, 5e-4];

/** The usual setting, then others of the grid; poolings may have a ratio to choose. */
function settings(values: EdgeValues, pools: boolean) {
  const first = <T>(usual: T, all: readonly T[]) => [usual, ...all.filter((value) => value !== usual)];
  const grid = {
    learningRate: first(values.learningRate, rates),
    ratio: pools && values.ratios === 'tuned' ? first(values.ratio, ratios) : [values.ratio],
  };
  return settingsOf(grid, Math.min(values.trials, grid.learningRate.length * grid.ratio.length), new Random(0));
}

interface TrainedClassifier {
  readonly network: GraphClassifier;
  readonly options: GraphClassifierOptions;
  readonly validationLoss: number;
}

/** The methods that learn classes of graphs, in the split of a seed. */
export function classifierMethods(data: EdgeData, values: EdgeValues, seed: number): Method<TrainedClassifier>[] {
  const { set, input } = data;
  if (set.classNames.length < 2) throw new Error(`set of graphs "${set.name}" has no classes of graphs to learn`);
  const parts = partsOfSeed(set, seed);
  const { epochs, patience, batch, schedule, weightDecay, hidden, layers, dropout } = values;
  return classifierTitles(values).map((title) => {
    const own = classifiers[title] as GraphClassifierOptions;
    return tuned({
      title,
      settings: settings(values, own.pooling !== 'none' && own.pooling !== 'gmt'),
      async train({ learningRate, ratio }, { random, hooks }: MethodRun) {
        const seeds = clusterCount(0.25, set.graphs.meanNodes);
        const options = { hidden, layers, dropout, ratio, seeds, ...own };
        const network = new GraphClassifier(sizesOf(data), random.split('weights'), options);
        const labelled = { ...input, labels: set.labels };
        const training = { epochs, patience, batch, learningRate, schedule, weightDecay, ...hooks };
        const { bestMetric } = await trainClassifier(network, labelled, parts, random.split('fit'), training);
        return { network, options, validationLoss: bestMetric ?? Number.POSITIVE_INFINITY };
      },
      validation: ({ validationLoss }) => -validationLoss,
      score: ({ network }) => classifierScores(network, data, parts),
    });
  });
}

function sizesOf({ set, input }: EdgeData) {
  return {
    nodes: input.nodes.shape[1] as number,
    edges: input.edges?.shape[1] ?? 0,
    classes: set.classNames.length,
  };
}

/** Accuracy on test graphs, and what the drops did there. */
function classifierScores(network: GraphClassifier, { set, input }: EdgeData, { test }: GraphParts): Scores {
  const logits = classifyGraphs(network, input, test);
  const relevant = (set as Partial<RelevantEdges>).relevant;
  const scores: Record<string, number> = {
    accuracy: graphAccuracy(logits, set.labels, test),
    parameters: parameterCount(network),
  };
  if (network.nodeDrops.length > 0) scores.nodes = nodesLeft(network, selectInput(input, test));
  if (network.edgeLayers.length === 0) return scores;
  return scope(() => {
    const { drops } = network.classify(selectInput(input, test), inference);
    const first = drops[0];
    if (!first) return scores;
    const weights = drops.flatMap((drop) => Array.from(drop.weights.view()));
    scores.zero = (100 * weights.filter((weight) => weight === 0).length) / Math.max(1, weights.length);
    scores.nodes = (100 * (drops.at(-1)?.graphs.nodeCount ?? 0)) / input.graphs.select(test).graphs.nodeCount;
    if (relevant) {
      const { edgeRows } = set.graphs.select(test);
      const kept = first.rows.reduce((sum, row) => sum + (relevant[edgeRows[row] as number] as number), 0);
      scores.relevant = (100 * kept) / first.rows.length;
    }
    return scores;
  });
}

/** Share of nodes in % that poolings of nodes leave. */
function nodesLeft(network: GraphClassifier, input: GraphInput): number {
  const share = network.nodeDrops.reduce((left, drop) => left * drop.ratio, 1);
  const { offsets, count: all, size } = input.graphs.nodes;
  let left = 0;
  for (let g = 0; g < all; g++) left += Math.ceil(share * ((offsets[g + 1] as number) - (offsets[g] as number)));
  return (100 * left) / size;
}

/** The model file of HyperDrop as trained. */
export function hyperDropFile({ set, encoding }: EdgeData, { network, options }: TrainedClassifier): Uint8Array {
  const description = { encoding, classes: set.classNames, options };
  return new HyperDropModel(description, network).save({ data: set.name });
}

/** Tells the types of the edges of graphs, edge after edge. */
type Teller = (graphs: Int32Array) => Int32Array;

/** The methods that tell the types of edges, in the split of a seed. */
export function autoencoderMethods(data: EdgeData, values: EdgeValues, seed: number): Method<Teller>[] {
  const { set, typed } = data;
  if (!typed) throw new Error(`set of graphs "${set.name}" has no column of edges that holds categories`);
  const parts = partsOfSeed(set, seed);
  const { hidden, epochs, patience, batch, schedule, weightDecay } = values;
  const { graphs } = selectTyped(typed, parts.train);
  const clusters = clusterCount(values.clusterRatio, graphs.meanEdges);
  const types = typed.names.length;
  const makers: Readonly<Record<string, (random: Random) => EdgeAutoencoder & object>> = {
    [GCN_POOL]: (random) => new NodeClusterAutoencoder(types, clusters, random, { hidden }),
    [RGCN_POOL]: (random) => new NodeClusterAutoencoder(types, clusters, random, { hidden, layers: 'rgcn' }),
    [CLUSTER]: (random) => new EdgeClusterAutoencoder(types, clusters, random, { hidden }),
  };
  const score = (tell: Teller) => typeScores(tell(parts.test), data, parts.test);
  const learnt = Object.entries(makers).map(([title, make]) => {
    let size = 0;
    const method = tuned<{ learningRate: number }, { tell: Teller; loss: number }>({
      title,
      settings: settings(values, false).map(({ learningRate }) => ({ learningRate })),
      async train({ learningRate }, { random, hooks }) {
        const model = make(random.split('weights'));
        size = parameterCount(model);
        const training = { epochs, patience, batch, learningRate, schedule, weightDecay, ...hooks };
        const { bestMetric } = await trainAutoencoder(model, typed, parts, random.split('fit'), training);
        return {
          tell: (chosen) => reconstructTypes(model, typed, chosen),
          loss: bestMetric ?? Number.POSITIVE_INFINITY,
        };
      },
      validation: ({ loss }) => -loss,
    });
    return {
      title,
      train: async (run: MethodRun) => (await method.train(run)).tell,
      score: (tell: Teller) => ({ ...score(tell), parameters: size }),
    };
  });
  return [
    { title: MAJORITY, train: () => guesses(data, parts.train, () => ''), score },
    { title: ENDS, train: () => guesses(data, parts.train, endsOf(data)), score },
    ...learnt,
  ];
}

/** What stands at the ends of each edge, in either order. */
function endsOf({ set }: EdgeData): (edge: number) => string {
  const kinds = set.nodeColumns.find(({ kind }) => kind === 'category')?.values ?? [];
  const { sources, targets } = set.graphs;
  return (edge) => [kinds[sources[edge] as number], kinds[targets[edge] as number]].map(String).sort().join(' ');
}

/** The most frequent type of the training edges that share a key. */
function guesses({ set, typed }: EdgeData, train: Int32Array, keyOf: (edge: number) => string): Teller {
  const { types, names } = typed as NonNullable<EdgeData['typed']>;
  const counts = new Map<string, number[]>();
  const all = new Array<number>(names.length).fill(0);
  for (const edge of set.graphs.select(train).edgeRows) {
    const own = counts.get(keyOf(edge)) ?? new Array<number>(names.length).fill(0);
    counts.set(keyOf(edge), own);
    for (const tally of [own, all]) tally[types[edge] as number] = (tally[types[edge] as number] as number) + 1;
  }
  const most = (tally: readonly number[]) => tally.indexOf(Math.max(...tally));
  return (graphs) => set.graphs.select(graphs).edgeRows.map((edge) => most(counts.get(keyOf(edge)) ?? all));
}

/** Accuracy over edges, exact matches over graphs, and of molecules the share that is valid. */
function typeScores(told: Int32Array, { set, typed }: EdgeData, test: Int32Array): Scores {
  const { types, names } = typed as NonNullable<EdgeData['typed']>;
  const { graphs, edgeRows, nodeRows } = set.graphs.select(test);
  const right = edgeRows.map((edge, i) => Number(types[edge] === told[i]));
  const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);
  const exact = Array.from(test, (_, g) =>
    Number(right.subarray(graphs.edges.offsets[g], graphs.edges.offsets[g + 1]).every(Boolean)),
  );
  const scores = {
    accuracy: (100 * sum(right)) / Math.max(1, right.length),
    exact: (100 * sum(exact)) / test.length,
  };
  const [element, charge] = ['element', 'charge'].map((name) => set.nodeColumns.find((own) => own.name === name));
  if (!element || charge?.kind !== 'number') return scores;
  const atoms = {
    element: Array.from(nodeRows, (node) => String(element.values[node])),
    charge: Array.from(nodeRows, (node) => charge.values[node] as number),
  };
  const bonds = Array.from(told, (type) => names[type] as string);
  const valid = validMolecules(
    graphs,
    atoms,
    bonds,
    test.map((_, g) => g),
  );
  return { ...scores, validity: (100 * sum(valid.map(Number))) / test.length };
}

/** One line on a set: sizes, and the numbers that a graph is pooled to where types are told. */
export function describeEdges({ set, typed }: EdgeData): string {
  if (!typed || set.classNames.length > 0) return describeWholeGraphs(set);
  const clusters = clusterCount(edgeOptions.clusterRatio.default, set.graphs.meanEdges);
  return `${describeWholeGraphs(set)}; ${clusters} clusters of a graph at a ratio of ${edgeOptions.clusterRatio.default}, and ${clusters} numbers of attention for each edge`;
}
