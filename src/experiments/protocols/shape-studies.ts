// What the budget of a search of widths and depths does: where searches end, and a width that is
// planted in the data.

import { type FoundShape, searchShape } from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { BatchNorm2d, Conv2d, type Layer, Linear, type Mode } from '../../nn/index.js';
import { maxPool2d, Random, relu, reshape, type Tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { foundShape, type ShapeRun } from './pruned-shapes.js';

/** Shares of the multiply-adds that are searched for. */
export const budgets = [0.3, 0.5, 0.7] as const;

export const BUDGETS = {
  above: 'farthest above a budget',
  below: 'farthest below a budget',
  entropy: 'entropy of widths, last over first epoch',
} as const;

/** Searches at several budgets. */
export async function budgetStudy(
  data: ImageDataset,
  values: ShapeRun,
  context: Pick<RunContext, 'signal'>,
): Promise<StudyResults> {
  const found: FoundShape[] = [];
  for (const budget of budgets)
    found.push(await foundShape(data, values, budget, {}, new Random(0).split(`budget ${budget}`), context));
  const percent = (share: number) => (100 * share).toFixed(1);
  const off = found.map(({ cost, full }, at) => 100 * (cost / full - (budgets[at] as number)));
  const entropies = found.map(({ epochs }) => (epochs.at(-1)?.widthEntropy ?? 1) / (epochs[0]?.widthEntropy ?? 1));
  return studyOf(
    {
      title: 'Where searches end',
      columns: [
        'budget (%)',
        'E, first epoch',
        'E, last',
        'F, first epoch',
        'F, last',
        'F of the shape',
        'steps after',
        'entropy of α',
        'of β',
      ],
      rows: found.map(({ epochs, cost, full, settled }, at) => {
        const [first, last] = [epochs[0], epochs.at(-1)];
        return [
          ...[percent(budgets[at] as number), percent(first?.expected ?? 0), percent(last?.expected ?? 0)],
          ...[percent(first?.cost ?? 0), percent(last?.cost ?? 0), percent(cost / full), settled],
          ...[(last?.widthEntropy ?? 0).toFixed(3), (last?.depthEntropy ?? 0).toFixed(3)],
        ];
      }),
      note: 'Expected cost E and cost F of the most probable shape, in percent of the multiply-adds of the unpruned network. Steps after: of the cost loss alone, until F is within the budget and five points below it. Entropies are over those of equal shares.',
    },
    {
      [BUDGETS.above]: Math.max(...off),
      [BUDGETS.below]: Math.max(...off.map((own) => -own)),
      [BUDGETS.entropy]: Math.max(...entropies),
    },
  );
}

/** Patterns of 3×3 pixels, each alone in some pictures. */
const patterns = ['111000000', '000000111', '100100100', '100010001'];
const [SIDE, CHANNELS] = [12, 16];

/** Pictures in which each of four patterns is or is not, which gives 16 classes. */
function plantedImages(count: number, random: Random): ImageDataset {
  const pixels = new Uint8Array(count * SIDE * SIDE);
  const labels = Int32Array.from({ length: count }, () => random.integer(16));
  labels.forEach((label, image) => {
    patterns.forEach((pattern, bit) => {
      if (((label >> bit) & 1) === 0) return;
      // Each pattern has a quarter of the picture.
      const [top, left] = [6 * (bit >> 1) + random.integer(4), 6 * (bit & 1) + random.integer(4)];
      for (let at = 0; at < 9; at++)
        if (pattern[at] === '1')
          pixels[image * SIDE * SIDE + (top + Math.floor(at / 3)) * SIDE + left + (at % 3)] = 255;
    });
  });
  const images = { count, channels: 1, height: SIDE, width: SIDE, pixels, labels };
  const classes = Array.from({ length: 16 }, (_, label) => String(label));
  return { name: 'planted patterns', classes, train: images, test: images, mean: [0], deviation: [1] };
}

/** One convolution, what is largest in each map, a linear layer. */
class OneConvolution implements Layer {
  readonly conv: Conv2d;
  readonly norm = new BatchNorm2d(CHANNELS);
  readonly linear: Linear;

  constructor(random: Random) {
    this.conv = new Conv2d(1, CHANNELS, 3, random, { padding: 1, bias: false });
    this.linear = new Linear(CHANNELS, 16, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const maps = relu(this.norm.forward(this.conv.forward(x), mode));
    return this.linear.forward(reshape(maxPool2d(maps, SIDE), [x.shape[0] as number, CHANNELS]));
  }
}

export const PLANTED = {
  free: 'planted patterns, width without a budget',
  half: 'planted patterns, width at half',
} as const;

/** Searches the width of one convolution that four patterns need, without a budget and at half. */
export async function plantedWidthStudy({ signal }: Pick<RunContext, 'signal'>): Promise<StudyResults> {
  const data = plantedImages(768, new Random(1));
  const widthOf = async (budget: number, costWeight: number) => {
    const found = await searchShape(new OneConvolution(new Random(2)), data, new Random(3), {
      ...{ budget, costWeight, epochs: 12, batchSize: 32, learningRate: 0.05, architectureRate: 1e-2 },
      ...(signal && { signal }),
    });
    signal?.throwIfAborted();
    return found.shape.widths.conv as number;
  };
  const [free, half] = [await widthOf(1, 0), await widthOf(0.5, 2)];
  return studyOf(
    {
      title: 'A planted width',
      columns: ['budget', 'channels found'],
      rows: [
        ['none', free],
        ['half of the multiply-adds', half],
      ],
      note: 'One convolution of 16 channels tells 16 classes apart, which are the presence of 4 patterns. The widths are 4, 6, 8, 9, 11, 12, 14 and 16; 8 is the largest within half.',
    },
    { [PLANTED.free]: free, [PLANTED.half]: half },
  );
}
