// Networks of domains side by side: real, quaternion and hypercomplex ones, and others of as few
// parameters; and what is claimed of them.

import type { ImageDataset } from '../../data/index.js';
import { heConv } from '../../models/index.js';
import { parameters } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { PHResNet, type PHResNetOptions, phNetwork } from '../../vision/index.js';
import type { Evidence } from '../parts/claims.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { type ImageMethod, type ImageSetting, shrunkImages } from './images.js';

export const REAL = 'real';
export const QUATERNION = 'quaternions';
export const BUDGET = 'real, of as few parameters';
export const GROUPED = 'real, in 3 groups';
export const FROZEN = 'PHC, n = 3, algebra frozen';
/** The hypercomplex network of a domain. */
export const ph = (n: number): string => `PHC, n = ${n}`;

/** The hypercomplex networks of a run, whose domain is chosen by validation. */
export const learntDomains = [2, 3, 4].map(ph);

const settings: readonly ImageSetting[] = [3e-3, 1e-3, 6e-3].map((learningRate) => ({
  learningRate,
  weightDecay: 0.02,
}));

/** Width of the real network with about as many parameters as that of n = 3. */
const budgetWidth = (width: number) => Math.round((7 * width) / 12);

/** ResNets of 8 layers on colour pictures. @param width channels of the first group, of 12, 24 … */
export function imageArms(width: number): readonly ImageMethod[] {
  const arm = (
    title: string,
    options: Partial<Pick<PHResNetOptions, 'n' | 'algebra' | 'conv'>>,
    first = width,
  ): ImageMethod => ({
    title,
    settings,
    network: ({ channels, classes }, random) =>
      new PHResNet(
        { blocks: [1, 1, 1], widths: [1, 2, 4].map((by) => by * first), channels, classes, ...options },
        random,
      ),
  });
  return [
    arm(REAL, { n: 1 }),
    arm(QUATERNION, { n: 4, algebra: 'preset' }),
    ...[2, 3, 4].map((n) => arm(ph(n), { n })),
    arm(FROZEN, { n: 3, algebra: 'frozen' }),
    arm(BUDGET, { n: 1 }, budgetWidth(width)),
    arm(GROUPED, {
      n: 1,
      conv: (inputs, outputs, kernel, random, own) => heConv(inputs, outputs, kernel, random, { ...own, groups: 3 }),
    }),
  ];
}

/** Images of one side. */
export function imagesOfSide(data: ImageDataset, side: number): ImageDataset {
  const factor = data.train.height / side;
  return { ...data, train: shrunkImages(data.train, factor), test: shrunkImages(data.test, factor) };
}

/** Weights of the convolutions of a ResNet: their number, and how many layers have them. */
function convolutionWeights(network: object): { readonly weights: number; readonly layers: number } {
  const own = Object.entries(parameters(network)).filter(([, { rank }]) => rank >= 3);
  const layers = own.filter(([name]) => !name.endsWith('.algebra')).length;
  return { weights: own.reduce((sum, [, { size }]) => sum + size, 0), layers };
}

/** Names of the networks whose parameters are counted. */
const counted = ['phc-resnet8', 'phc-resnet18'] as const;

/** Score of `parameterStudy`: see there. */
export const LARGEST_EXCESS = 'parameters beyond 1/n';

/**
 * Parameters of convolutions against 1/n of those of the real network of the same widths and input
 * channels, and n³ for the algebra of each layer.
 */
export function parameterStudy(): StudyResults {
  const rows = counted.flatMap((name) =>
    [2, 3, 4].map((n) => {
      const make = (own: number) => {
        const shape = { channels: n === 3 ? 3 : 4, classes: 10, multiplier: 1, settings: { n: own } };
        return phNetwork(name, shape, new Random(0));
      };
      const [real, shared] = [1, n].map((own) => convolutionWeights(make(own))) as [
        ReturnType<typeof convolutionWeights>,
        ReturnType<typeof convolutionWeights>,
      ];
      const predicted = real.weights / n + shared.layers * n ** 3;
      return { name, n, real: real.weights, own: shared.weights, excess: shared.weights - predicted };
    }),
  );
  const table = rows.map(({ name, n, real, own, excess }) => [
    ...[name, n, real.toLocaleString('en-US'), own.toLocaleString('en-US')],
    ...[(own / real).toFixed(4), excess],
  ]);
  return studyOf(
    {
      title: 'Parameters of convolutions',
      note: 'Real networks of the same widths, with a fourth channel for n = 2 and 4; the last column is what is neither 1/n of their weights nor n³ a layer.',
      columns: ['network', 'n', 'real', 'hypercomplex', 'ratio', 'beyond'],
      rows: table,
    },
    { [LARGEST_EXCESS]: Math.max(...rows.map(({ excess }) => Math.abs(excess))) },
  );
}

/** The hypercomplex network of the run whose domain is the best on validation data. */
export function bestDomain(e: Evidence<unknown>): string {
  const there = learntDomains.filter((title) => e.methods.includes(title));
  const [first = ph(3)] = there;
  return there.reduce(
    (best, title) => (e.mean(title, 'validation') > e.mean(best, 'validation') ? title : best),
    first,
  );
}
