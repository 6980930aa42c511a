import type { Scores } from '../../../src/experiments/parts/contract.js';
import type { Case } from './cases.js';

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

export const evidence: Readonly<Record<string, readonly Case[]>> = { 'sparse-convnets': sparseConvnets };
