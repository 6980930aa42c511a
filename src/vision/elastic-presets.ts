// The elastic network of pictures, and its sub-networks, among the image classifiers.

import { ElasticCnn, StagedCnn, type StagedCnnOptions } from '../models/index.js';
import type { Random } from '../tensor/index.js';

interface Shape {
  readonly channels: number;
  readonly classes: number;
  readonly height: number;
  readonly width: number;
  /** Width multiplier. */
  readonly multiplier: number;
  readonly settings: Readonly<Record<string, number>>;
}

/** Most pixels a side of the map of the first stage. */
const MOST_SIDE = 40;

/** Stride of the first convolution, a power of two. */
function strideFor({ height, width }: Pick<Shape, 'height' | 'width'>): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(height, width) / MOST_SIDE)));
}

/** Stages that settings name. */
const STAGES = [1, 2, 3] as const;

/** Sizes of a staged network as settings; the kernels of a stage are the digits of a number. */
export function stagedSettings({ stem, stride = 1, stages }: StagedCnnOptions): Record<string, number> {
  const own = stages.flatMap(({ width, kernels }, s) => [
    [`width${s + 1}`, width] as const,
    [`kernels${s + 1}`, Number(kernels.join(''))] as const,
  ]);
  return { stem, stride, ...Object.fromEntries(own) };
}

function stagedOptions({ channels, classes, multiplier, settings, ...sizes }: Shape): StagedCnnOptions {
  const scaled = (width: number) => Math.max(1, Math.round(multiplier * width));
  return {
    ...{ channels, classes, stem: settings.stem ?? scaled(8), stride: settings.stride ?? strideFor(sizes) },
    stages: STAGES.map((stage) => ({
      width: settings[`width${stage}`] ?? scaled(8 * 2 ** stage),
      kernels: Array.from(String(settings[`kernels${stage}`] ?? 333), Number),
    })),
  };
}

/**
 * `elastic-cnn` is trained with its sub-networks, `staged-cnn` is one of them by itself.
 *
 * @param atLeast what sizes of at least so many pixels a side are
 */
export const elasticArchitectures = <Sizes>(atLeast: (least: number) => Sizes) => ({
  'elastic-cnn': {
    make: (
      { channels, classes, multiplier, settings: { base = 16, progressive = 0 }, ...sizes }: Shape,
      random: Random,
    ) =>
      new ElasticCnn(
        {
          ...{
            channels,
            classes,
            stride: strideFor(sizes),
            width: 4 * Math.max(1, Math.round((multiplier * base) / 4)),
          },
          training: progressive > 0 ? 'progressive' : 'sandwich',
        },
        random,
      ),
    sizes: atLeast(8),
    settings: {
      base: 'channels of the first stage at its widest, a multiple of 4 (16 unless given)',
      progressive: '1 trains the largest network first, then kernels, depths and widths (0 unless given)',
    },
  },
  'staged-cnn': {
    make: (shape: Shape, random: Random) => new StagedCnn(stagedOptions(shape), random),
    sizes: atLeast(8),
    settings: {
      stem: 'channels of the first convolution (8 unless given)',
      stride: 'its stride (such that the next map has at most 40 pixels a side, unless given)',
      ...Object.fromEntries(
        STAGES.flatMap((stage) => [
          [`width${stage}`, `channels of stage ${stage} (${8 * 2 ** stage} unless given)`],
          [`kernels${stage}`, `kernels of its blocks, a digit for each (333 unless given)`],
        ]),
      ),
    },
  },
});
