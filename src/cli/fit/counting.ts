// Counting of things in pictures by densities, learnt from a folder with points.csv.

import { type CountedPicture, pixelStatistics } from '../../data/index.js';
import { readCountedPictures } from '../../data/node.js';
import { CountModel, countErrors, densitiesOf, requireTile, trainCounter } from '../../hypergraph/index.js';
import type { Random } from '../../tensor/index.js';
import { Bar } from '../bar.js';
import { type PictureTrainingFlags, withFlag } from '../pictures.js';
import type { countOptions } from './hypergraph-options.js';
import type { FitRequest, Fitted } from './learner.js';
import { noteContext } from './pictures.js';

/** Trains on most of the pictures; others choose the epoch, and others test. */
export async function fitCounts(path: string, request: FitRequest<typeof countOptions>): Promise<Fitted> {
  const { values, pictures, random, hooks, note } = request;
  if (!pictures) throw new Error('count-softhgnn: how pictures are read was not said');
  const { tile, widths, reading, context } = layoutOf(values, pictures);
  const bar = new Bar('reading', 'pictures');
  const all = await readCountedPictures(path, {
    ...reading,
    maxPixels: pictures.maxPixels,
    onNote: note,
    onProgress: (done, total) => bar.update(done / total, done),
  })
    .catch((error: Error) => {
      throw new Error(withFlag(error.message), { cause: error });
    })
    .finally(() => bar.close());
  const shares = { test: pictures.testShare, validation: values.validation };
  const { train, validation, test } = partsOf(all.pictures, path, shares, random.split('split'));
  const things = (pictures: readonly CountedPicture[]) =>
    pictures.reduce((sum, { points }) => sum + points.length / 2, 0);
  if (things(all.pictures) === 0)
    throw new Error(`"${path}": points.csv names no thing in any picture, so that there is nothing to count`);
  const statistics = pixelStatistics(train, reading.channels);
  const trained = { data: all.name, pictures: train.length, things: things(train) };
  const description = { reading, tile, widths, context, ...statistics, trained };
  const model = CountModel.create(description, random.split('model'));
  noteContext(model.network.context, note);
  const { epochs, batch, learningRate, density, mirror } = values;
  const result = await trainCounter(model.network, { train, validation, ...statistics }, random.split('fit'), {
    ...{ tile, epochs, batch, learningRate, density, flip: mirror === 'yes' },
    ...hooks,
  });
  const sizes = `${all.pictures.length} pictures with ${things(all.pictures)} things; ${train.length} to train, ${validation.length} to choose the epoch, ${test.length} to test`;
  const file = () => model.save();
  const { stopped } = result;
  if (test.length === 0 || stopped === 'aborted')
    return {
      file,
      lines: [`${all.name}: ${sizes}`, 'no test pictures, so no error was measured'],
      scores: {},
      stopped,
    };
  const { mae, rmse } = countErrors(densitiesOf(model.network, test, tile, statistics), test);
  const usual = things(train) / train.length;
  const guess = test.reduce((sum, { points }) => sum + Math.abs(points.length / 2 - usual), 0) / test.length;
  return {
    file,
    lines: [
      `${all.name}: ${sizes}`,
      `mean absolute error on the test pictures: ${mae.toFixed(2)} (root mean squared ${rmse.toFixed(2)}); ${guess.toFixed(2)} by always saying the mean, ${usual.toFixed(1)}`,
    ],
    scores: { mae, rmse, maeOfMean: guess },
    stopped,
  };
}

type Values = FitRequest<typeof countOptions>['values'];

/** What the model file says of the network. @throws RangeError for a tile of no whole cells */
function layoutOf(
  { tile, scale, hyperedges, heads, dynamic, k }: Values,
  { channels = '3', background = 'white' }: PictureTrainingFlags,
) {
  requireTile(tile);
  return {
    tile,
    widths: [16, 32, 64] as const,
    reading: { channels: channels === '1' ? 1 : 3, scale, background } as const,
    context: { hyperedges, heads, ...(dynamic > 0 && { selection: { dynamic, k, balance: 0.1 } }) },
  };
}

/**
 * Pictures to train, to choose the epoch and to test: one at least to train and to choose, and one
 * to test unless its share is 0.
 *
 * @throws Error when there are too few
 */
function partsOf(
  pictures: readonly CountedPicture[],
  path: string,
  shares: { readonly test: number; readonly validation: number },
  random: Random,
) {
  const count = (share: number) => (share === 0 ? 0 : Math.max(1, Math.round(share * pictures.length)));
  const [test, validation] = [count(shares.test), count(shares.validation)];
  if (test + validation >= pictures.length)
    throw new Error(
      `"${path}" names ${pictures.length} pictures, of which ${test} would test and ${validation} choose the epoch: none is left to train on`,
    );
  const order = Array.from(random.permutation(pictures.length), (at) => pictures[at] as CountedPicture);
  return {
    test: order.slice(0, test),
    validation: order.slice(test, test + validation),
    train: order.slice(test + validation),
  };
}
