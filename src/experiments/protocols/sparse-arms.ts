// Options, arms and titles of the comparison of random search with random sub-networks.

import { choice, count, type OptionValues, text } from '../parts/options.js';
import { armTitle } from './sparse-claims.js';
import type { SubNetworkArm } from './sparse-sub-networks.js';

/** Options of the comparison; the defaults are those of Fashion-MNIST. */
export const subNetworkOptions = {
  network: choice(['mlp', 'cnn'], 'the parent: an MLP of two hidden layers, or three convolutions'),
  width: count(512, 'hidden units of each layer; channels of the last convolutions', { smoke: 24, minimum: 8 }),
  images: count(10_000, 'training images, the first ones', { smoke: 200, minimum: 100 }),
  validation: count(5000, 'images after them that choose the rates', { smoke: 60, minimum: 20 }),
  tests: count(10_000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  shrink: count(1, 'blocks of so many pixels a side are averaged; 2 makes 16×16 of 32×32'),
  levels: text('0.5,0.8,0.9,0.95,0.98', 'shares of the hidden nodes that are off'),
  controls: text('0.8,0.9,0.98', 'those of them at which the fresh, informed and bad arms are trained'),
  candidates: count(1000, 'sub-networks drawn by random search', { smoke: 8, minimum: 2 }),
  searchSet: count(2000, 'training images that judge them', { smoke: 60 }),
  epochs: count(5, 'epochs of training', { smoke: 1 }),
  batch: count(128, 'images per step', { smoke: 50, minimum: 2 }),
  trials: count(2, 'learning rates tried for each level', { smoke: 1, maximum: 3 }),
  curve: count(1000, 'validation images of the curves', { smoke: 40 }),
  every: count(5, 'steps between two points of a curve'),
  repeats: count(5, 'seeds of the study of pruned channels; 0 leaves it out', { smoke: 0, minimum: 0 }),
};

/** Their values. */
export type SubNetworkValues = OptionValues<typeof subNetworkOptions>;

/** Title of the parent. */
export const DENSE = 'fully connected parent';
/** Titles of the other arms. */
export const armTitles: Readonly<Record<Exclude<SubNetworkArm, 'dense'>, string>> = {
  random: 'random',
  'random-search': 'random search',
  fresh: 'fresh small net',
  informed: 'informed nodes',
  zeroed: 'half of the first layer zeroed',
};

const numbers = (list: string) => list.split(',').map(Number);
/** Shares of nodes that are off. */
export const levelsOf = ({ levels }: SubNetworkValues) => numbers(levels);
/** Those at which the controls are trained. */
export const controlsOf = (values: SubNetworkValues) =>
  numbers(values.controls).filter((level) => levelsOf(values).includes(level));

/** Arms of a run: their kind and level, in order. */
export const armsOf = (values: SubNetworkValues): readonly (readonly [Exclude<SubNetworkArm, 'dense'>, number])[] =>
  levelsOf(values).flatMap((level) => {
    const controls = controlsOf(values).includes(level) ? (['fresh', 'informed', 'zeroed'] as const) : [];
    return (['random', 'random-search', ...controls] as const).map((arm) => [arm, level] as const);
  });
/** Titles of all that is trained. */
export const armMethods = (values: SubNetworkValues) => [
  DENSE,
  ...armsOf(values).map(([arm, level]) => armTitle(armTitles[arm], level)),
];
