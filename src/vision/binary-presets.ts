// Binary networks among the image classifiers.

import { BinaryNet, binaryNets } from '../models/index.js';
import type { Random } from '../tensor/index.js';

/** Least pixels a side, of which the last map has a quarter. */
const LEAST = 8;

interface Shape {
  readonly channels: number;
  readonly classes: number;
  /** Width multiplier. */
  readonly multiplier: number;
  readonly settings: Readonly<Record<string, number>>;
}

/**
 * The named binary networks, whose width is also a setting, so that it is part of a model file.
 *
 * @param atLeast what sizes of at least so many pixels a side are
 */
export const binaryArchitectures = <Sizes>(atLeast: (least: number) => Sizes) =>
  Object.fromEntries(
    Object.entries(binaryNets).map(([name, options]) => [
      name,
      {
        make: ({ channels, classes, multiplier, settings: { percent = 100 } }: Shape, random: Random) =>
          new BinaryNet(random, { ...options, channels, classes, width: (multiplier * percent) / 100 }),
        sizes: atLeast(LEAST),
        settings: { percent: 'width in percent of the usual one, to multiples of 8 channels (100 unless given)' },
      },
    ]),
  );
