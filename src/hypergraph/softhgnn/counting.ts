// Training and use of a density counter on pictures with places.

import type { CountedPicture, CountedPictures, ImageDataset } from '../../data/index.js';
import { Adam, type FitResult, fit, inference, minibatches, type TrainingHooks, warmUpCosine } from '../../nn/index.js';
import {
  abs,
  add,
  mean,
  multiply,
  type Random,
  scope,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { CELL, type DensityCounter } from './counter.js';
import { cellCounts, type DensityMap, joinedDensity, type Tile, tilesOf, tileTensor } from './tiles.js';

/** Hyperparameters of `trainCounter`. */
export interface CounterTrainingOptions extends TrainingHooks {
  /** Side of the squares that are cut from pictures, a multiple of 8. Default: 96. */
  readonly tile?: number;
  /** Number of epochs, each followed by a validation. Default: 30. */
  readonly epochs?: number;
  /** Squares in a batch. Default: 16. */
  readonly batch?: number;
  /** Largest learning rate of Adam, after warm-up and before cosine decay. Default: 1e-3. */
  readonly learningRate?: number;
  /** Weight of the density's error beside that of the count. Default: 0.01. */
  readonly density?: number;
  /** Whether half of the squares are mirrored. Default: false. */
  readonly flip?: boolean;
}

/** Most squares of a picture in an epoch. */
const MOST_CROPS = 16;

/** Error of counts. */
export interface CountErrors {
  /** Mean absolute error. */
  readonly mae: number;
  /** Root of the mean squared error, which the literature on crowds calls MSE. */
  readonly rmse: number;
}

/** A square at a random place of a picture. */
function cropOf(
  picture: CountedPicture,
  side: number,
  flip: boolean,
  random: Random,
): Tile & { picture: CountedPicture } {
  const start = (length: number) => (length > side ? random.integer(length - side + 1) : 0);
  return { picture, top: start(picture.height), left: start(picture.width), flipped: flip && random.float() < 0.5 };
}

/** How many squares of a picture an epoch sees. */
const cropsOf = ({ height, width }: CountedPicture, side: number) =>
  Math.min(MOST_CROPS, Math.ceil(height / side) * Math.ceil(width / side));

/**
 * |Σ density − n| + w·Σ|density − n of the cell|, the mean over a batch.
 *
 * @param density [B, rows, columns]
 * @param counts of each cell, of the same shape
 */
export function countLoss(density: Tensor, counts: Tensor, weight = 0.01): Tensor {
  const total = abs(subtract(sum(density, [1, 2]), sum(counts, [1, 2])));
  const cells = sum(abs(subtract(density, counts)), [1, 2]);
  return mean(add(total, multiply(cells, weight)));
}

/**
 * Trains on random squares of pictures, by `countLoss` with Adam, and keeps the weights of the
 * least mean absolute error on the validation pictures.
 *
 * @throws RangeError when the side is no multiple of 8
 */
export function trainCounter(
  network: DensityCounter,
  data: Pick<CountedPictures, 'mean' | 'deviation'> & {
    readonly train: readonly CountedPicture[];
    readonly validation: readonly CountedPicture[];
  },
  random: Random,
  options: CounterTrainingOptions = {},
): Promise<FitResult> {
  const { tile = 96, epochs = 30, batch = 16, learningRate = 1e-3, density = 0.01, flip = false, ...hooks } = options;
  requireTile(tile);
  const squares = data.train.flatMap((picture) => new Array<CountedPicture>(cropsOf(picture, tile)).fill(picture));
  const steps = epochs * Math.ceil(squares.length / batch);
  const across = tile / CELL;
  return fit({
    ...hooks,
    model: network,
    epochs,
    random,
    optimizer: new Adam({ learningRate }),
    schedule: warmUpCosine(steps),
    *batches(order) {
      const crops = order.split('crops');
      for (const rows of minibatches(squares.length, batch, order))
        yield Array.from(rows, (row) => cropOf(squares[row] as CountedPicture, tile, flip, crops));
    },
    loss: (live: DensityCounter, tiles: ReturnType<typeof cropOf>[], mode) => {
      const counts = tensor(cellCounts(tiles, tile), [tiles.length, across, across]);
      return countLoss(live.forward(tileTensor(tiles, tile, data), mode), counts, density);
    },
    validate: (live) => countErrors(densitiesOf(live, data.validation, tile, data), data.validation).mae,
    better: 'smaller',
  });
}

/** @throws RangeError unless it is a positive multiple of 8 */
export function requireTile(side: number): void {
  if (!(Number.isInteger(side) && side > 0 && side % CELL === 0))
    throw new RangeError(`counting: the side of a tile must be a multiple of ${CELL}, got ${side}`);
}

/** Tiles in a batch of inference. */
const AT_ONCE = 32;

/** The density over each picture, tile by tile. */
export function densitiesOf(
  network: DensityCounter,
  pictures: readonly Tile['picture'][],
  side: number,
  statistics: Pick<ImageDataset, 'mean' | 'deviation'>,
): DensityMap[] {
  const tiles = pictures.map((picture) => tilesOf(picture, side));
  const all = tiles.flat();
  const cells = (side / CELL) ** 2;
  const densities: Float32Array[] = [];
  for (let start = 0; start < all.length; start += AT_ONCE)
    scope(() => {
      const own = all.slice(start, start + AT_ONCE);
      const values = network.forward(tileTensor(own, side, statistics), inference).dataSync<Float32Array>();
      densities.push(...own.map((_, i) => values.slice(i * cells, (i + 1) * cells)));
    });
  let next = 0;
  return pictures.map((picture, i) => {
    const own = tiles[i] as Tile[];
    next += own.length;
    return joinedDensity(picture, own, densities.slice(next - own.length, next), side);
  });
}

/** The count of a density: its sum. */
export function countOf({ values }: DensityMap): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Errors of the counts of densities, picture by picture. */
export function countErrors(
  densities: readonly DensityMap[],
  pictures: readonly Pick<CountedPicture, 'points'>[],
): CountErrors {
  const errors = densities.map((density, i) => countOf(density) - (pictures[i]?.points.length ?? 0) / 2);
  const average = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;
  return { mae: average(errors.map(Math.abs)), rmse: Math.sqrt(average(errors.map((error) => error ** 2))) };
}
