import type { Scores } from '../../../src/experiments/parts/contract.js';
import type { Case, HandMade } from './cases.js';

/**
 * Dense networks of 1, 2 and 4 ms with 80, 84 and 88 %. Sparse ones of 0.9, 1.8 and 2.6 times some
 * slowness are ahead of them by some points; other ways of pruning have what the sparse one has, less
 * a point.
 */
const family = (name: string, ahead: number, slowness: number): Record<string, Scores> => ({
  [`${name} dense, width 0.25`]: { accuracy: 80, latency: 1 },
  [`${name} dense, width 0.5`]: { accuracy: 84, latency: 2 },
  [`${name} dense, width 1`]: { accuracy: 88, latency: 4 },
  [`${name} sparse, width 0.5`]: { accuracy: 84 + ahead, latency: 0.8 * slowness },
  [`${name} sparse, width 1`]: { accuracy: 86 + ahead, latency: 1.8 * slowness },
  [`${name} sparse, width 2`]: { accuracy: 88 + ahead, latency: 2.6 * slowness },
  [`${name} one-shot, width 1`]: { accuracy: 86, latency: 2.2 },
  [`${name} filters removed, width 1`]: { accuracy: 86, latency: 2.2 },
});

/** Sparse networks slower than two of three dense ones. */
const SLOW = 4;

const speeds = (factor: number, even: number) => ({
  'unstructured 0.8': 1.8 * factor,
  'unstructured 0.9': 3.5 * factor,
  'block2 0.8': 2.5 * factor,
  'block2 0.9': 5 * factor,
  'block4 0.8': 2.5 * factor,
  'block4 0.9': 5 * factor,
  'unstructured even': 0.6 * even,
  'block4 even': 0.35 * even,
  'dense share': 0.85 * factor,
  'dense rate': 0.85 * factor,
  'network MobileNetV1': 2 * factor,
  chosen: 1.1 * even,
});

const families = (ahead: number, slowness: number) =>
  Object.assign({}, ...['v1', 'v2', 'efficientnet'].map((name) => family(name, ahead, slowness)));

const sparseConvnets: readonly Case[] = [
  {
    data: 'glyphs',
    holding: { methods: family('v1', 0.5, 1), studies: speeds(1, 1) },
    failing: { methods: family('v1', -3, SLOW), studies: speeds(0.2, 1.1) },
  },
  {
    data: 'fashion-mnist',
    options: { families: 'all', speed: 'no' },
    holding: { methods: families(0.5, 1), studies: speeds(0.2, 1.1) },
    failing: { methods: families(-3, SLOW), studies: speeds(1, 1) },
  },
];

/** Networks along trees: shorter and as accurate, or neither. */
const mstCompression = (good: boolean): HandMade => ({
  methods: {
    'binary network': { accuracy: 80, distance: 100 },
    'trees, λ = 0.3': { distance: good ? 95 : 101 },
    'trees, λ = 1': { distance: good ? 90 : 102 },
    'trees, λ = 3': { distance: good ? 80 : 103 },
    'trees, λ = 6': { distance: 65 },
    'trees, λ = 12': { distance: 50 },
    'trees, λ chosen': good
      ? { accuracy: 79.5, exact: 0, ratio: 4, overRandom: 1.5, distance: 65, depth: 8, firstDepth: 10, overChain: 1 }
      : {
          accuracy: 79.4,
          exact: 0.1,
          ratio: 4,
          overRandom: 1.4,
          distance: 66,
          depth: 8,
          firstDepth: 8,
          overChain: 0.99,
        },
    'trees, μ = 0': { depthThere: good ? 8.5 : 8 },
    'pulled to a star': { accuracy: 79.5, ratio: good ? 3.8 : 3.7 },
    'narrow binary network': { accuracy: 79 },
  },
  studies: {
    'speed-up over R_op, least': good ? 0.7 : 0.6,
    'times faster than packed rows, least': good ? 1.5 : 1.4,
    'time by depths over that of the tree from channel 0': good ? 1 : 1.1,
  },
});

/** DASS cells above all others by the margins asked, or by a little less. */
const dassScores = (good: boolean): HandMade => {
  const other = (accuracy: number, kept = 1000) => ({ accuracy, dense: 80, kept, latency: 3.87 });
  return {
    methods: {
      'DASS cells': { accuracy: 70, dense: 80, kept: 1000, latency: good ? 1 : 1.01 },
      'DASS cells, one-shot magnitude': other(good ? 70 : 70.1),
      'cells of dense search': { ...other(good ? 69.5 : 69.6), dense: good ? 80 : 79.6 },
      'random cells, draw 1': other(good ? 68 : 69),
      'random cells, draw 2': other(good ? 69 : 69.5),
      'random cells, draw 3': other(good ? 70 : 70.5),
      MobileNetV2: other(good ? 62 : 62.1),
      'ResNet-20': other(good ? 69 : 70, good ? 1250 : 790),
    },
    studies: {
      'planted, convolution at 1': good ? 0.8 : 0.6,
      'planted, convolution at 0.12': good ? 0.2 : 0.4,
      'sparse kernels, 1×1': good ? 2 : 1.9,
    },
  };
};

/** A concurrent search ahead of all others by what is asked, or by a little less. */
const searchScores = (good: boolean): HandMade['methods'] => {
  const changed = good ? 0 : 1;
  return {
    concurrent: {
      ...{ volume: good ? 90 : 85, span: good ? 0.8 : 0.79, toTarget: good ? 50 : 51, changed },
      ...{ toWeak: good ? 12 : 19, toEvolution: good ? 60 : 91 },
    },
    'NSGA-II': { volume: 85, toTarget: 100, changed },
    'one-shot predictor': { changed },
    WeakNAS: { toTarget: 51, changed },
    random: { volume: good ? 80 : 85, toTarget: 150, changed },
  };
};

const hwNas: readonly Case[] = [
  {
    data: 'made',
    holding: {
      methods: searchScores(true),
      studies: {
        'warm start, share of the cold evaluations, median': 0.7,
        'warm start, first population from the given front, share': 1,
        'logs, farthest hypervolume from our reading (%)': 0.5,
        "logs, concurrent evaluations for NSGA-II's last hypervolume, share": 0.6,
        'logs, τ of multiply-adds': 0.93,
        'logs, τ of multiply-adds, all genes': 0.92,
        'logs, τ of accuracy': 0.83,
      },
    },
    failing: {
      methods: searchScores(false),
      studies: {
        'warm start, share of the cold evaluations, median': 0.71,
        'warm start, first population from the given front, share': 0.9,
        'logs, farthest hypervolume from our reading (%)': 0.6,
        "logs, concurrent evaluations for NSGA-II's last hypervolume, share": 0.61,
        'logs, τ of multiply-adds': 0.92,
        'logs, τ of multiply-adds, all genes': 0.92,
        'logs, τ of accuracy': 0.82,
      },
    },
  },
  {
    data: 'fashion-mnist',
    holding: {
      methods: searchScores(true),
      studies: {
        'sandwich training, concurrent over random (points)': 0.1,
        'progressive training, concurrent over random (points)': 0.1,
        'hardware settings, least hypervolume over that of another front': 1,
        'predictors, τ of macs': 0.85,
        'predictors, τ of params': 0.85,
        'predictors, τ of latency': 0.7,
        'predictors, τ of accuracy': 0.5,
      },
    },
    failing: {
      methods: searchScores(false),
      studies: {
        'sandwich training, concurrent over random (points)': 0,
        'progressive training, concurrent over random (points)': 0,
        'hardware settings, least hypervolume over that of another front': 0.99,
        'predictors, τ of macs': 0.84,
        'predictors, τ of params': 0.84,
        'predictors, τ of latency': 0.69,
        'predictors, τ of accuracy': 0.49,
      },
    },
  },
];

/** Random search no different from random and far ahead before training, or clearly better. */
const randomSearchScores = (good: boolean, [at90, at98]: readonly [number, number]): HandMade => {
  const levels = [0.5, 0.8, 0.9, 0.95, 0.98] as const;
  const accuracyAt = (level: number) =>
    ({ 0.5: 87, 0.8: 86, 0.9: at90, 0.95: (at90 + at98) / 2, 0.98: at98 })[level] as number;
  const arms = levels.flatMap((level) => {
    const random = { accuracy: accuracyAt(level), steps: 100, area: 80 };
    return [
      [`random, p = ${level}`, random],
      [
        `random search, p = ${level}`,
        good
          ? { ...random, accuracy: random.accuracy + 0.4, steps: 105, area: 80.4, ahead: 2.5 }
          : { ...random, accuracy: random.accuracy + (level === 0.5 ? -20 : 3), steps: 70, area: 84, ahead: 1.9 },
      ],
      [`half of the first layer zeroed, p = ${level}`, { accuracy: random.accuracy - (good ? 2 : 0) }],
    ] as const;
  });
  return {
    methods: { 'fully connected parent': { accuracy: 89 }, ...Object.fromEntries(arms) },
    studies: { 'margin over random': 3, 'margin over random search': good ? 2.5 : 1.5 },
  };
};

const randomSearch: readonly Case[] = [
  { data: 'fashion-mnist', holding: randomSearchScores(true, [84, 75]), failing: randomSearchScores(false, [70, 50]) },
  { data: 'cifar10', holding: randomSearchScores(true, [70, 50]), failing: randomSearchScores(false, [55, 35]) },
];

/** TAS above all others by the margins asked, or by a little less. */
const tasScores = (good: boolean): HandMade => {
  const other = (accuracy: number, multiplyAdds = 100) => ({ accuracy, multiplyAdds });
  return {
    methods: {
      'unpruned network': other(80, 200),
      'TAS, distilled': other(70),
      'TAS, weights of the unpruned network': other(good ? 69.9 : 70),
      'TAS, no transfer': other(69),
      'uniform width, distilled': other(good ? 70.125 : 70.25, good ? 100.5 : 102),
      'random shape 1, distilled': other(good ? 69.5 : 70),
      'random shape 2, distilled': other(good ? 69.25 : 70.5),
      'random shape 3, distilled': other(good ? 69.75 : 69.5),
      'L1 filter pruning': other(60),
      'L1 filter pruning, distilled': other(good ? 69.9 : 70),
      'group-norm pruning': other(61),
      'group-norm pruning, distilled': other(69),
    },
    studies: {
      'farthest above a budget': good ? 0 : 0.1,
      'farthest below a budget': good ? 5 : 5.1,
      'entropy of widths, last over first epoch': good ? 0.9 : 1,
      'planted patterns, width without a budget': good ? 4 : 3,
      'planted patterns, width at half': good ? 8 : 6,
    },
  };
};

/** A metanetwork above all others by the margins asked, or by a little less. */
const metapruningScores = (good: boolean): HandMade => {
  const arm = (right: number, after: number) => ({
    ...{ before2: right, before3: right, before4: right, accuracy: after },
    ...{ after2: after, after3: after, after4: after },
  });
  return {
    methods: {
      'unpruned network': { accuracy: 85, spread: 2 },
      metanetwork: { ...arm(60, 80), spread: good ? 3 : 2.9 },
      'metanetwork, untrained': arm(good ? 59.5 : 60, good ? 79.5 : 80),
      'random change of the same norm': arm(50, 79),
      'weak channels shrunk directly': arm(52, 79),
      'group L2 norm': arm(good ? 55 : 60, good ? 79.5 : 80.25),
      'group L2 norm, sparse learning': arm(54, good ? 80 : 80.5),
      'group L1 norm': arm(53, 79),
      'random channels': arm(20, 70),
    },
    studies: {
      'weights that come back otherwise': good ? 0 : 1,
      'seconds of the feedforward': good ? 0.9 : 1,
      'wider network at 4×, above group L2': good ? 0.5 : 0,
    },
  };
};

export const evidence: Readonly<Record<string, readonly Case[]>> = {
  'hw-nas': hwNas,
  dass: [{ data: 'cifar10', holding: dassScores(true), failing: dassScores(false) }],
  metapruning: [{ data: 'cifar10', holding: metapruningScores(true), failing: metapruningScores(false) }],
  tas: [{ data: 'cifar10', holding: tasScores(true), failing: tasScores(false) }],
  'mst-compression': [{ data: 'fashion-mnist', holding: mstCompression(true), failing: mstCompression(false) }],
  'random-search': randomSearch,
  'sparse-convnets': sparseConvnets,
};
