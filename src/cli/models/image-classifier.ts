// Classifiers of images, made by `gossamer train` and `gossamer compress`.

import { statSync } from 'node:fs';
import { bytesInMemory, isPlan } from '../../data/index.js';
import { filesBelow, readBytes, unusableReason } from '../../data/node.js';
import { parameterCount } from '../../nn/index.js';
import { ImageClassifier, type ImageDescription, ImagePredictor } from '../../vision/index.js';
import { withFlag } from '../pictures.js';
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
    predict: async (paths, options) => classifyPictures(ImagePredictor.load(bytes, path), paths, options),
    describe: () => descriptionOf(bytes, path),
  };
}

/** What the network is, what it reads, and what it was trained on. */
function descriptionOf(bytes: Uint8Array, path: string): string[] {
  const plan = isPlan(bytesInMemory(bytes, path));
  const model = plan ? undefined : ImageClassifier.load(bytes, path);
  const description = (model ?? ImagePredictor.load(bytes, path)).description;
  const { architecture, classes, channels, height, width, mean, deviation, background = 'white' } = description;
  const numbers = (values: readonly number[]) => values.map((value) => value.toFixed(4)).join(', ');
  const size = model
    ? `${parameterCount(model.model).toLocaleString('en-US')} parameters`
    : `a compiled plan of ${(bytes.length / 1024).toFixed(0)} KiB`;
  return [
    `Image classifier: ${architecture}, ${size}`,
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
): Promise<Predictions> {
  const { classes } = predictor.description;
  const files = paths.flatMap(picturesIn);
  if (files.length === 0) throw new Error(`${paths.join(', ')}: no pictures there`);
  const rows: (string | number)[][] = [];
  for (const file of files) {
    const picture = await readPicture(predictor, file, maxPixels).catch((error: Error) => {
      note(`"${file}" is left out: ${withFlag(unusableReason(error, file))}`);
      process.exitCode = 2;
    });
    if (!picture) continue;
    const probabilities = predictor.predictProba(picture);
    const order = Array.from(classes.keys()).sort(
      (a, b) => (probabilities[b] as number) - (probabilities[a] as number),
    );
    order.slice(0, top).forEach((code, rank) => {
      rows.push([file, rank + 1, classes[code] as string, (probabilities[code] as number).toFixed(4)]);
    });
  }
  return { columns: ['picture', 'rank', 'class', 'probability'], rows };
}

async function readPicture(predictor: ImagePredictor, file: string, maxPixels: number | undefined) {
  return predictor.decode(readBytes(file), maxPixels === undefined ? {} : { maxPixels });
}

function picturesIn(path: string): readonly string[] {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? filesBelow(path).pictures : [path];
}
