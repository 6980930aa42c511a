// What RpHGNN's pre-computation costs and keeps: multiply-adds and time by iterations and
// relations, a larger graph, and its parts left out.

import { wordPapers } from '../../data/index.js';
import {
  type CollectionOptions,
  collect,
  collectedBytes,
  collectedGroups,
  disposeGroups,
  f1Scores,
  type GroupModule,
  narrowed,
  predictGroups,
  propagateAndUpdate,
  type RowGroups,
  RpHGNN,
  type TypedFeatures,
  trainGroups,
} from '../../graph/index.js';
import { crossEntropy, gradientsOf, training } from '../../nn/index.js';
import { HeteroGraph } from '../../structure/index.js';
import { keep, Random, scope, tensor } from '../../tensor/index.js';
import { countMultiplyAdds } from '../../trace/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';
import { classesOf, type HeteroData } from './hetero.js';
import { encoderOf, publishedFor, shapesOf } from './hetero-methods.js';

const LONGEST = 8;
const RELATIONS = 6;
const MIB = 2 ** 20;
const million = (value: number) => (value / 1e6).toFixed(1);

/** Two types and so many relations of the same number of edges between them, dense features. */
function ring(nodes: number, relations: number, random: Random): { graph: HeteroGraph; features: TypedFeatures } {
  const sources = Int32Array.from({ length: 4 * nodes }, (_, e) => e % nodes);
  const graph = HeteroGraph.fromRelations(
    { paper: nodes, author: nodes },
    Array.from({ length: relations }, (_, r) => ({
      source: 'paper',
      name: `r${r}`,
      target: 'author',
      sources,
      targets: sources.map((v, e) => (v * (2 * r + 1) + (e % 4) * 7 + r) % nodes),
    })),
  );
  const draw = (width: number) => keep(random.split(width).normal([nodes, width]));
  return {
    graph,
    features: new Map([
      ['paper', draw(64)],
      ['author', draw(48)],
    ]),
  };
}

/** Largest relative gap of values from the line through the first and the last. */
function gapFromLine(values: readonly number[]): number {
  const [first, last] = [values[0] as number, values.at(-1) as number];
  return Math.max(
    ...values.map((value, i) => Math.abs(value - (first + ((last - first) * i) / (values.length - 1))) / last),
  );
}

/** R² of the least-squares line of values at 1, 2, …. */
export function linearFit(values: readonly number[]): number {
  const n = values.length;
  const [mx, my] = [(n + 1) / 2, values.reduce((sum, value) => sum + value, 0) / n];
  let [xy, xx, yy] = [0, 0, 0];
  values.forEach((value, i) => {
    xy += (i + 1 - mx) * (value - my);
    xx += (i + 1 - mx) ** 2;
    yy += (value - my) ** 2;
  });
  return (xy * xy) / (xx * yy);
}

/** Multiply-adds and seconds by K and by relations. */
function linearStudy(nodes: number, random: Random): StudyResults {
  const run = ({ graph, features }: ReturnType<typeof ring>, iterations: number) =>
    propagateAndUpdate(graph, features, 'paper', random.split('projections'), { iterations }, () => {});
  const whole = ring(nodes, RELATIONS, random);
  const counts: number[] = [];
  const seconds: number[] = [];
  for (let k = 1; k <= LONGEST; k++) {
    counts.push(countMultiplyAdds(() => run(whole, k)).multiplyAdds);
    const times = [0, 1, 2].map(() => {
      const start = performance.now();
      run(whole, k);
      return (performance.now() - start) / 1000;
    });
    seconds.push(Math.min(...times));
  }
  const byRelations = Array.from(
    { length: RELATIONS },
    (_, r) => countMultiplyAdds(() => run(ring(nodes, r + 1, random), 3)).multiplyAdds,
  );
  // Every step back has a choice among all relations.
  const tensorsOf = (k: number) => Array.from({ length: 2 * k + 1 }, (_, l) => RELATIONS ** l).reduce((a, b) => a + b);
  return studyOf(
    {
      title: `Cost of the pre-computation by iterations and relations (${nodes.toLocaleString('en')} nodes of two types)`,
      note:
        `${RELATIONS} relations of ${(4 * nodes).toLocaleString('en')} edges; multiply-adds counted by operation, the fastest ` +
        `of three runs. SeHGNN's tensors are those of all metapaths of at most 2K relations. With K = 3, one to ` +
        `${RELATIONS} relations take ${byRelations.map(million).join(', ')} million multiply-adds.`,
      columns: ['K', 'multiply-adds (million)', 'time (s)', 'tensors', "SeHGNN's tensors"],
      rows: counts.map((value, i) => [
        i + 1,
        million(value),
        (seconds[i] as number).toFixed(3),
        2 * RELATIONS * (i + 1),
        tensorsOf(i + 1).toLocaleString('en'),
      ]),
    },
    {
      gapByIterations: gapFromLine(counts),
      gapByRelations: gapFromLine(byRelations),
      fitOfTime: linearFit(seconds),
    },
  );
}

/** Multiply-adds of one step on a batch, forward and backward. */
function stepCost(network: GroupModule, groups: RowGroups, classes: Int32Array, random: Random): number {
  return countMultiplyAdds(() =>
    scope(() => {
      const mode = training(random);
      const x = groups.map(({ values }) => values);
      gradientsOf(network, (live) => crossEntropy(live.forward(x, mode), tensor(classes))).loss.dispose();
    }),
  ).multiplyAdds;
}

/** A larger graph: time of the pre-computation and of an epoch, which reads no edges. */
async function scaleStudy(nodes: number, random: Random): Promise<StudyResults> {
  const rows: (string | number)[][] = [];
  const costs: number[] = [];
  const batch = Int32Array.from({ length: Math.min(nodes, 1000) }, (_, v) => v);
  for (const share of [1, 0.5]) {
    const { graph: whole, nodes: tables } = wordPapers(random.split('papers'), { papers: nodes });
    const graph = share === 1 ? whole : halved(whole);
    const features = featuresOf(graph, tables.get('paper')?.matrix as never, random);
    const options: CollectionOptions = { iterations: 3 };
    const start = performance.now();
    const [collected] = collect(graph, features, 'paper', [batch], random.split('projections'), options) as [RowGroups];
    const before = (performance.now() - start) / 1000;
    const labels = Int32Array.from(tables.get('paper')?.attributes.columns[0]?.values as string[], Number);
    const classes = batch.map((v) => labels[v] as number);
    const shapes = collectedGroups(graph, features, 'paper', options);
    const network = new RpHGNN(shapes, 4, random.split('weights'));
    costs.push(stepCost(network, collected, classes, random.split('step')));
    const started = performance.now();
    await trainGroups(
      network,
      { groups: collected, targets: { kind: 'class', values: classes } },
      undefined,
      random.split('fit'),
      {
        epochs: 5,
      },
    );
    rows.push([
      share === 1 ? 'all' : 'half',
      graph.edgeCount,
      before.toFixed(2),
      ((performance.now() - started) / 5).toFixed(1),
      million(costs.at(-1) as number),
      (collectedBytes(shapes, nodes) / MIB).toFixed(0),
    ]);
    disposeGroups(collected);
  }
  return studyOf(
    {
      title: `${nodes.toLocaleString('en')} papers among 4 types and 6 relations`,
      note: `K = 3; steps of ${batch.length} papers, forward, backward and update (mean of five). Memory is what all papers' tensors would take; the training keeps those of its own papers.`,
      columns: [
        'edges',
        'number',
        'pre-computation (s)',
        'step (ms)',
        'multiply-adds of a step (million)',
        'tensors of all papers (MiB)',
      ],
      rows,
    },
    { stepCostRatio: (costs[0] as number) / (costs[1] as number) },
  );
}

/** The same nodes with every other edge of each relation. */
function halved(graph: HeteroGraph): HeteroGraph {
  const counts = Object.fromEntries(graph.types.map((type) => [type, graph.countOf(type)]));
  return HeteroGraph.fromRelations(
    counts,
    graph.given.map(({ source, name, target, pattern }) => {
      const [sources, targets] = [[] as number[], [] as number[]];
      for (let v = 0; v < pattern.rows; v++)
        for (let e = pattern.indptr[v] as number; e < (pattern.indptr[v + 1] as number); e++)
          if ((e + v) % 2 === 0) {
            sources.push(pattern.indices[e] as number);
            targets.push(v);
          }
      return { source, name, target, sources, targets };
    }),
  );
}

function featuresOf(
  graph: HeteroGraph,
  own: TypedFeatures extends ReadonlyMap<string, infer X> ? X : never,
  random: Random,
): TypedFeatures {
  return new Map(
    graph.types.map((type) => [
      type,
      type === 'paper' ? own : keep(random.split(type).normal([graph.countOf(type), 64], 0, 1 / 8)),
    ]),
  );
}

/** Parts of the pre-computation that are left out, with the published hyperparameters. */
const ablations: Readonly<Record<string, (iterations: number) => CollectionOptions>> = {
  all: (iterations) => ({ iterations }),
  'even steps only': (iterations) => ({ iterations, steps: 'even' }),
  'odd steps only': (iterations) => ({ iterations, steps: 'odd' }),
  'one iteration': () => ({ iterations: 1 }),
  'relations merged': (iterations) => ({ iterations, collection: 'merged' }),
};

/** Names of the ablations that take features of one width, to which all are projected first. */
const SQUASHES = ['projection', 'normalized', 'sum'] as const;
const NARROW = 128;

/** Dropout of the inputs and of the hidden layers. */
type Dropouts = { readonly inputDropout: number; readonly dropout: number };
/** What is tried beside the published dropouts, which are made for networks of width 512. */
const lighter: Dropouts = { inputDropout: 0.5, dropout: 0.5 };

/** All features at one width. */
function narrowTo(features: TypedFeatures, width: number, random: Random): TypedFeatures {
  return new Map([...features].map(([type, own]) => [type, narrowed(own, width, random.split(type))]));
}

/** Micro-F1 of the test nodes with parts of the pre-computation left out. */
async function ablationStudy(
  data: HeteroData,
  { epochs, patience, every, select, hidden, studySeeds }: HeteroStudyOptions,
  context: RunContext,
): Promise<StudyResults> {
  const { graph, type, split, classNames, name } = data;
  const own = publishedFor(name);
  const seeds = Array.from({ length: studySeeds }, (_, i) => context.seed + i);
  const parts = [split.train, split.validation, split.test];
  const fitOnce = async (features: TypedFeatures, options: CollectionOptions, dropouts: Dropouts, seed: number) => {
    context.signal?.throwIfAborted();
    const random = new Random(seed).split('ablations');
    const collected = collect(graph, features, type, parts, random.split('before'), { input: own.input, ...options });
    const [train, validation, test] = collected as [RowGroups, RowGroups, RowGroups];
    const encoder = encoderOf({ ...own, ...dropouts, hidden });
    const network = new RpHGNN(shapesOf(train), classNames.length, random.split('weights'), encoder);
    const targets = (rows: Int32Array) => ({ kind: 'class' as const, values: classesOf(data, rows) });
    await trainGroups(
      network,
      { groups: train, targets: targets(split.train) },
      { groups: validation, targets: targets(split.validation) },
      random.split('fit'),
      { epochs, patience, validateEvery: every, select, signal: context.signal },
    );
    const microF1 = (groups: RowGroups, rows: Int32Array) =>
      100 * scope(() => f1Scores(predictGroups(network, groups), targets(rows)).microF1);
    const found = { validation: microF1(validation, split.validation), test: microF1(test, split.test) };
    for (const groups of collected) disposeGroups(groups);
    return found;
  };
  const [first] = seeds as [number];
  const whole = { iterations: own.iterations };
  let [dropouts, best] = [lighter, Number.NEGATIVE_INFINITY];
  for (const tried of [{ inputDropout: own.inputDropout, dropout: own.dropout }, lighter]) {
    const { validation } = await fitOnce(data.features, whole, tried, first);
    if (validation > best) [dropouts, best] = [tried, validation];
  }
  const score = async (features: TypedFeatures, options: CollectionOptions): Promise<number> => {
    let total = 0;
    for (const seed of seeds) total += (await fitOnce(features, options, dropouts, seed)).test;
    return total / seeds.length;
  };
  const scores: Record<string, number> = {};
  for (const [title, options] of Object.entries(ablations))
    scores[title] = await score(data.features, options(own.iterations));
  const narrow = narrowTo(data.features, NARROW, context.random.split('narrow'));
  for (const squash of SQUASHES)
    scores[`squash ${squash}`] = await score(narrow, { iterations: own.iterations, squash });
  return studyOf(
    {
      title: `What the parts of the pre-computation are worth on ${name}`,
      note: `Micro-F1 of the test nodes, mean of ${seeds.length} seeds, published hyperparameters with ${hidden} hidden units, dropout of the inputs ${dropouts.inputDropout} and of the layers ${dropouts.dropout}, the better of two for all steps on validation nodes. The last three have all features projected to ${NARROW} columns first, since sums without projection take one width.`,
      columns: ['pre-computation', 'micro-F1 (%)'],
      rows: Object.entries(scores).map(([title, value]) => [title, value.toFixed(1)]),
    },
    scores,
  );
}

/** Options of the studies. */
export interface HeteroStudyOptions {
  readonly epochs: number;
  readonly patience: number;
  readonly every: number;
  readonly select: 'f1' | 'loss';
  readonly hidden: number;
  readonly studySeeds: number;
  /** Nodes of each type of the study of cost; 0 leaves it out. */
  readonly costNodes: number;
  /** Papers of the larger graph; 0 leaves it out. */
  readonly scaleNodes: number;
  /** Whether parts of the pre-computation are left out in turn. */
  readonly ablations: 'yes' | 'no';
}

export async function heteroStudies(
  data: HeteroData,
  options: HeteroStudyOptions,
  context: RunContext,
): Promise<StudyResults> {
  const { costNodes, scaleNodes } = options;
  const made: StudyResults[] = [];
  if (costNodes > 0) made.push(linearStudy(costNodes, context.random.split('cost')));
  if (scaleNodes > 0) made.push(await scaleStudy(scaleNodes, context.random.split('scale')));
  if (options.ablations === 'yes') made.push(await ablationStudy(data, options, context));
  return joinStudies(...made);
}
