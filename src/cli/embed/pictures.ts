// `gossamer embed` of pictures: what a trained classifier knows of each before it names a class.

import { readBytes, writeVectors } from '../../data/node.js';
import { scope } from '../../tensor/index.js';
import { pictureFeatures } from '../../vision/index.js';
import { openModelOf } from '../models.js';
import { writeNote } from '../output.js';
import { eachPicture } from '../pictures.js';

/** Writes a vector for each picture of a file or folder; those that cannot be used are left out. */
export async function embedPictures(
  path: string,
  { model: modelPath, out }: { readonly model: string; readonly out: string },
): Promise<void> {
  const started = performance.now();
  const classifier = (await openModelOf(modelPath, 'image-classifier')).classifier();
  const { architecture } = classifier.description;
  const network = classifier.deployed();
  const predictor = classifier.predictor();
  const files: string[] = [];
  const rows: Float32Array[] = [];
  await eachPicture([path], writeNote, async (file) => {
    const picture = await predictor.decode(readBytes(file));
    rows.push(scope(() => pictureFeatures(network, predictor.inputOf(picture), architecture).dataSync<Float32Array>()));
    files.push(file);
  });
  const [first] = rows;
  if (!first) throw new Error(`embed: no picture of "${path}" could be used`);
  const values = new Float32Array(rows.length * first.length);
  rows.forEach((row, i) => {
    values.set(row, i * first.length);
  });
  await writeVectors(out, {
    vectors: { shape: [rows.length, first.length], view: () => values },
    nameOf: (at) => files[at] as string,
    metadata: { method: architecture, dim: String(first.length) },
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  process.stderr.write(`${out}: ${rows.length} × ${first.length} by ${architecture} in ${seconds} s\n`);
}
