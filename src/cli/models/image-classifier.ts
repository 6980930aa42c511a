// Classifiers of images, made by `gossamer train` and `gossamer compress`.

import { bytesInMemory, heatMap, isPlan, type Picture, pictureGrid } from '../../data/index.js';
import { readBytes } from '../../data/node.js';
import { VisionTransformer } from '../../models/index.js';
import { parameterCount, SoftHGNN } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import { ImageClassifier, type ImageDescription, ImagePredictor } from '../../vision/index.js';
import { eachPicture } from '../pictures.js';
import { MapFolder } from './map-folder.js';
import type { Predictions, PredictOptions, Predictor } from './predictor.js';

export interface ImageModel extends Predictor {
  /** The network with its weights. @throws Error for a plan, which has none */
  classifier(): ImageClassifier;
}

export function open(path: string): ImageModel {
  const bytes = readBytes(path);
  return {
    classifier: () => ImageClassifier.load(bytes, path),
    reads: [],
    maps: true,
    predict: async (paths, options) => {
      const predictor = ImagePredictor.load(bytes, path);
      const draw = options.maps === undefined ? undefined : participationDrawer(bytes, path, predictor, options.maps);
      return classifyPictures(predictor, paths, options, draw);
    },
    describe: () => descriptionOf(bytes, path),
  };
}

/** What the network is, what it reads, and what it was trained on. */
function descriptionOf(bytes: Uint8Array, path: string): string[] {
  const plan = isPlan(bytesInMemory(bytes, path));
  const model = plan ? undefined : ImageClassifier.load(bytes, path);
  const description = (model ?? ImagePredictor.load(bytes, path)).description;
  const { architecture, classes, channels, height, width, mean, deviation, background = 'white' } = description;
  const settings = Object.entries(description.settings ?? {}).map(([name, value]) => `, ${name} ${value}`);
  const numbers = (values: readonly number[]) => values.map((value) => value.toFixed(4)).join(', ');
  const size = model
    ? `${parameterCount(model.model).toLocaleString('en-US')} parameters`
    : `a compiled plan of ${(bytes.length / 1024).toFixed(0)} KiB`;
  return [
    `Image classifier: ${architecture}${settings.join('')}, ${size}`,
    `Input        pictures, scaled to cover ${height}×${width} and cropped at the centre, ${channels === 1 ? 'grey' : 'RGB'}`,
    `             transparent pixels on ${background}; (pixel/255 − mean) / deviation with mean ${numbers(mean)}, deviation ${numbers(deviation)}`,
    `Classes      ${classes.length}: ${classes.join(', ')}`,
    ...trainingLines(description),
  ];
}

function trainingLines({ classes, trained }: ImageDescription): string[] {
  if (!trained) return ['Trained on   the file does not say'];
  const { data, images, testImages, accuracy } = trained;
  const count = images.reduce((a, b) => a + b, 0);
  return [
    `Trained on   ${count} images of "${data}": ${classes.map((name, i) => `${images[i]} ${name}`).join(', ')}`,
    `Tested on    ${testImages} images${accuracy === undefined ? '' : `: accuracy ${(100 * accuracy).toFixed(2)} %`}`,
  ];
}

/**
 * The most probable classes of each picture. Unreadable files are reported and skipped, with exit
 * code 2.
 */
async function classifyPictures(
  predictor: ImagePredictor,
  paths: readonly string[],
  { top = 1, maxPixels, note }: PredictOptions,
  draw?: (file: string, picture: Picture) => void,
): Promise<Predictions> {
  const { classes } = predictor.description;
  const rows: (string | number)[][] = [];
  await eachPicture(paths, note, async (file) => {
    const picture = await predictor.decode(readBytes(file), maxPixels === undefined ? {} : { maxPixels });
    const probabilities = predictor.predictProba(picture);
    const order = Array.from(classes.keys()).sort(
      (a, b) => (probabilities[b] as number) - (probabilities[a] as number),
    );
    order.slice(0, top).forEach((code, rank) => {
      rows.push([file, rank + 1, classes[code] as string, (probabilities[code] as number).toFixed(4)]);
    });
    draw?.(file, picture);
  });
  return { columns: ['picture', 'rank', 'class', 'probability'], rows };
}

/** Panels of a row of maps. */
const IN_A_ROW = 6;

/**
 * Draws who takes part in which soft hyperedge: a picture and, beside it, a map for each hyperedge
 * that it uses.
 *
 * @throws Error for a plan, or a network without soft hyperedges
 */
function participationDrawer(
  bytes: Uint8Array,
  path: string,
  predictor: ImagePredictor,
  folder: string,
): (file: string, picture: Picture) => void {
  const { model, description } = ImageClassifier.load(bytes, path);
  if (!(model instanceof VisionTransformer && model.context instanceof SoftHGNN))
    throw new Error(`--maps: ${description.architecture} of "${path}" has no soft hyperedges; vit-softhgnn has`);
  const maps = new MapFolder(folder);
  return (file, picture) =>
    scope(() => {
      const { weights } = model.participation(predictor.inputOf(picture));
      const [, used, rows, columns] = weights.shape as [number, number, number, number];
      const values = weights.dataSync<Float32Array>();
      const panels = Array.from({ length: used }, (_, m) =>
        heatMap({ rows, columns, values: values.subarray(m * rows * columns, (m + 1) * rows * columns) }),
      );
      maps.write(file, pictureGrid([picture, ...panels], IN_A_ROW));
    });
}
