// Counters of things in pictures, made by `gossamer fit --model count-softhgnn`.

import { heatOverlay } from '../../data/index.js';
import { decodeCounted, readBytes } from '../../data/node.js';
import { CountModel } from '../../hypergraph/index.js';
import { parameterCount } from '../../nn/index.js';
import { eachPicture } from '../pictures.js';
import { MapFolder } from './map-folder.js';
import type { Predictions, PredictOptions, Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = CountModel.load(readBytes(path), path);
  return {
    reads: [],
    maps: true,
    describe: () => describe(model),
    predict: (paths, options) => countPictures(model, paths, options),
  };
}

function describe({ description, network }: CountModel): string[] {
  const { reading, tile, context, trained } = description;
  const { channels, scale, background } = reading;
  return [
    `SoftHGNN: counts things in pictures by their density, ${parameterCount(network).toLocaleString('en-US')} parameters`,
    `Input        pictures of any size, ${channels === 1 ? 'grey' : 'RGB'}${scale === 1 ? '' : `, scaled by ${scale}`}, cut into squares of ${tile} pixels`,
    `             transparent pixels on ${background}`,
    `Hyperedges   ${context ? (context.hyperedges ?? 16) + (context.selection ? ` fixed, ${context.selection.k} of ${context.selection.dynamic} chosen` : '') : 'none'}`,
    ...(trained
      ? [`Trained on   ${trained.pictures} pictures of "${trained.data}" with ${trained.things} things`]
      : []),
    'predicts picture,count; --maps DIR draws the density over each picture',
  ];
}

/** The count of each picture; those that cannot be read are noted, with exit code 2. */
async function countPictures(
  model: CountModel,
  paths: readonly string[],
  { maps, maxPixels, note }: PredictOptions,
): Promise<Predictions> {
  const folder = maps === undefined ? undefined : new MapFolder(maps);
  const rows: (string | number)[][] = [];
  await eachPicture(paths, note, async (file) => {
    const { picture } = await decodeCounted(
      file,
      model.description.reading,
      maxPixels === undefined ? {} : { maxPixels },
    );
    const { count, density } = model.count(picture);
    rows.push([file, count.toFixed(2)]);
    folder?.write(file, heatOverlay(picture, density));
  });
  return { columns: ['picture', 'count'], rows };
}
