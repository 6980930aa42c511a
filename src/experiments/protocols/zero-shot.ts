// Zero-shot transfer between graphs of texts: the methods, tuned alike on validation classes, and
// how they are scored on target nodes, each of them once.

import {
  H4G,
  type H4GOptions,
  nearestAgreement,
  type PreparedGraph,
  radiusReport,
  smallestOf,
  trainH4G,
} from '../../graph/index.js';
import { accuracy, macroF1, parameterCount } from '../../nn/index.js';
import { Random, scope, type Tensor } from '../../tensor/index.js';
import type { Metric, Scores, Table } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { count, number, type OptionValues, rate } from '../parts/options.js';
import { settingsOf, tuned } from '../parts/tuning.js';
import { type EncodedSide, KINDS, type Kind, type TransferRun } from './text-graphs.js';

/** Options of the methods. */
export const zeroShotOptions = {
  sourceNodes: count(40, 'nodes of each source topic of hier-tag', { smoke: 8, minimum: 2 }),
  textFeatures: count(48, 'numbers of a text vector, a multiple of block', { smoke: 32 }),
  hops: count(2, 'propagations', { minimum: 0 }),
  block: count(8, 'rows of a block of S'),
  length: rate(8, 'ρ: length of tangent vectors; radii are twice as large'),
  epochs: count(60, 'epochs at most', { smoke: 3 }),
  patience: count(20, 'epochs without a better accuracy on validation classes after which training stops'),
  batch: count(512, 'pairs of a batch'),
  learningRate: rate(5e-3, "Adam's learning rate; four times it is tried too"),
  identityPenalty: number(0.1, 'weight of mean ‖Qᵢ − I‖²', { minimum: 0 }),
  trials: count(4, 'settings tried for every trained method on validation classes', { smoke: 1 }),
  speedNodes: count(20_000, 'nodes of the graph on which a forward pass is timed', { smoke: 500 }),
} as const;

export type ZeroShotValues = OptionValues<typeof zeroShotOptions>;

export const TEXT = 'Text alone';
export const CLIP = 'Euclidean cosine';
export const IDENTITY = 'Hyperbolic, S = I';
export const SCALAR = 'Hyperbolic, S = s·I';
export const BLOCKS = 'Euclidean blocks';
export const OURS = 'H4G';
export const SEPARATE = 'H4G, own S of texts';

/** τ before training of cosines (CLIP) and of distances. */
const TEMPERATURES = { cosine: 0.07, ball: 0.3 } as const;

/** How the trained methods differ. */
const variants: Readonly<Record<string, H4GOptions>> = {
  [CLIP]: { geometry: 'cosine', scaling: 'none' },
  [IDENTITY]: { scaling: 'none' },
  [SCALAR]: { scaling: 'scalar' },
  [BLOCKS]: { geometry: 'cosine' },
  [OURS]: {},
  [SEPARATE]: { shareScaling: false },
};

/** Methods that H4G is compared with. */
export const baselineTitles = [TEXT, CLIP, IDENTITY, SCALAR, BLOCKS];
export const zeroShotTitles = [TEXT, ...Object.keys(variants)];

const share = (label: string): Metric => ({ label, unit: '%', digits: 1, better: 'larger' });

/** Metrics of a method. */
export const zeroShotMetrics = {
  homophilic: share('accuracy, homophilic'),
  heterophilic: share('accuracy, heterophilic'),
  f1Homophilic: share('macro-F1, homophilic'),
  f1Heterophilic: share('macro-F1, heterophilic'),
  fine: share('nearest of the same class'),
  coarse: share('nearest of the same field'),
  radius: { label: 'mean radius', digits: 2, better: 'neither' },
  clipped: { label: 'clipped', unit: '%', digits: 1, better: 'neither' },
} as const satisfies Record<string, Metric>;

/** A setting that is tried. */
type Setting = { readonly learningRate: number; readonly temperature: number };

/** Networks of a method, one for each kind of edges. */
export interface TransferModel {
  readonly networks: Readonly<Record<Kind, H4G>>;
  /** Mean accuracy on validation classes. */
  readonly validation: number;
}

/** All methods on the data of a seed. */
export function zeroShotMethods(run: TransferRun, values: ZeroShotValues): Method<TransferModel>[] {
  const text: Method<TransferModel> = {
    title: TEXT,
    train: ({ random }) => {
      const network = new H4G(values.textFeatures, random, { ...variants[CLIP], hops: 0, training: 'adapter' });
      return { networks: { homophilic: network, heterophilic: network }, validation: Number.NaN };
    },
  };
  return [
    text,
    ...Object.entries(variants).map(([title, variant]) =>
      tuned({
        title,
        settings: settingsFor(variant, values),
        train: (setting, own) =>
          trainTransfer(run, { ...variant, temperature: setting.temperature }, setting, values, own),
        validation: ({ validation }) => validation,
      }),
    ),
  ];
}

function settingsFor({ geometry = 'ball' }: H4GOptions, { learningRate, trials }: ZeroShotValues): Setting[] {
  const grid = {
    learningRate: [learningRate, 4 * learningRate],
    temperature: [1, 0.3].map((factor) => factor * TEMPERATURES[geometry]),
  };
  return settingsOf<Setting>(grid, Math.min(trials, 4), new Random(0));
}

/** Trains a network on the source graph of each kind. */
export async function trainTransfer(
  run: TransferRun,
  layout: H4GOptions,
  { learningRate }: Pick<Setting, 'learningRate'>,
  values: ZeroShotValues,
  { random, hooks }: Pick<MethodRun, 'random' | 'hooks'>,
): Promise<TransferModel> {
  const { hops, block, length, textFeatures } = values;
  const trained: [Kind, H4G, number][] = [];
  for (const kind of KINDS) {
    const network = new H4G(textFeatures, random.split('weights'), { hops, block, length, ...layout });
    const { source, validation } = run;
    const prepared = network.prepare(source.graphs[kind], source.vectors);
    const nodes = Int32Array.from(source.texts.keys());
    const held = network.prepare(validation.graphs[kind], validation.vectors);
    const { epochs, patience, batch, identityPenalty } = values;
    const { bestMetric = Number.NaN } = await trainH4G(
      network,
      { prepared, nodes, about: source.aboutVectors },
      random.split(kind),
      {
        ...{ epochs, patience, batch, learningRate, identityPenalty },
        validate: (live) => accuracy(predictions(live, held, validation.classVectors), validation.labels),
        signal: hooks.signal,
        ...(kind === 'homophilic' && { onEpoch: hooks.onEpoch }),
      },
    );
    for (const tensor of [...prepared.hops, ...held.hops]) tensor.dispose();
    trained.push([kind, network, bestMetric]);
  }
  return {
    networks: Object.fromEntries(trained) as Record<Kind, H4G>,
    validation: trained.reduce((sum, [, , metric]) => sum + metric, 0) / trained.length,
  };
}

const allOf = ({ graph }: PreparedGraph) => Int32Array.from({ length: graph.nodeCount }, (_, v) => v);

/** The class of each node. */
function predictions(network: H4G, prepared: PreparedGraph, classVectors: Tensor): Int32Array {
  return scope(() => {
    const { nodes, texts } = network.points(prepared, allOf(prepared), classVectors);
    return smallestOf(network.similarities(nodes, texts).multiply(-1));
  });
}

/** Scores on the target nodes, in %. */
export function zeroShotScores({ networks }: TransferModel, { target }: TransferRun): Scores {
  const of = Object.fromEntries(KINDS.map((kind) => [kind, kindScores(networks[kind], target, kind)])) as Record<
    Kind,
    ReturnType<typeof kindScores>
  >;
  const mean = (of2: (own: ReturnType<typeof kindScores>) => number) => (of2(of.homophilic) + of2(of.heterophilic)) / 2;
  return {
    homophilic: 100 * of.homophilic.accuracy,
    heterophilic: 100 * of.heterophilic.accuracy,
    f1Homophilic: 100 * of.homophilic.f1,
    f1Heterophilic: 100 * of.heterophilic.f1,
    fine: 100 * mean(({ fine }) => fine),
    ...(target.groups && { coarse: 100 * mean(({ coarse }) => coarse) }),
    ...(networks.homophilic.isHyperbolic && {
      radius: mean(({ radius }) => radius),
      clipped: 100 * mean(({ clipped }) => clipped),
    }),
    parameters: parameterCount(networks.homophilic),
  };
}

function kindScores(network: H4G, target: EncodedSide, kind: Kind) {
  return scope(() => {
    const prepared = network.prepare(target.graphs[kind], target.vectors);
    const predicted = predictions(network, prepared, target.classVectors);
    const nodes = allOf(prepared);
    const points = network.nodePoints(prepared, nodes);
    const apart = network.similarities(points, points).multiply(-1);
    const report = network.isHyperbolic
      ? radiusReport(network, network.nodeTangents(prepared, nodes), points)
      : { mean: 0, clipped: 0 };
    const { labels, groups } = target;
    return {
      accuracy: accuracy(predicted, labels),
      f1: macroF1(predicted, labels, target.classTexts.length),
      fine: nearestAgreement(apart, labels),
      coarse: groups ? nearestAgreement(apart, groups) : Number.NaN,
      radius: report.mean,
      clipped: report.clipped,
    };
  });
}

/** The nearest class text of each target node, on both graphs. */
export function zeroShotPredictions({ networks }: TransferModel, { target }: TransferRun): Table {
  const of = KINDS.map((kind) => {
    const prepared = networks[kind].prepare(target.graphs[kind], target.vectors);
    return predictions(networks[kind], prepared, target.classVectors);
  });
  const rows = target.texts.map((_, v) => [
    v,
    ...of.map((predicted) => target.classTexts[predicted[v] as number] as string),
    target.classTexts[target.labels[v] as number] as string,
  ]);
  return { columns: ['node', ...KINDS, 'label'], rows };
}
