// Classifiers of images, made by `gossamer train` and `gossamer compress`.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodePicture, isPicture } from '../../data/index.js';
import { readBytes } from '../../data/node.js';
import { ImageClassifier, ImagePredictor } from '../../vision/index.js';
import type { Predictions, PredictOptions, Predictor } from './predictor.js';

export interface ImageModel extends Predictor {
  /** The network with its weights. @throws Error for a plan, which has none */
  classifier(): ImageClassifier;
}

export function open(path: string): ImageModel {
  const bytes = readBytes(path);
  return {
    classifier: () => ImageClassifier.load(bytes, path),
    predict: async (paths, options) => classifyPictures(ImagePredictor.load(bytes, path), paths, options),
  };
}

/**
 * The most probable classes of each picture. Unreadable files are reported and skipped, with exit
 * code 2.
 */
async function classifyPictures(
  predictor: ImagePredictor,
  paths: readonly string[],
  { top = 1, note }: PredictOptions,
): Promise<Predictions> {
  const { classes, height, width } = predictor.description;
  const files = paths.flatMap(picturesIn);
  if (files.length === 0) throw new Error(`${paths.join(', ')}: no pictures there`);
  const rows: (string | number)[][] = [];
  for (const file of files) {
    const picture = await decodePicture(readBytes(file), { height, width }).catch((error: Error) => {
      note(`"${file}" is left out: ${error.message.replace('decodePicture: ', '')}`);
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

function picturesIn(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return picturesIn(join(path, entry.name));
      return isPicture(entry.name) ? [join(path, entry.name)] : [];
    });
}
