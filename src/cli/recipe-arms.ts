// `gossamer compress --baselines`: random sub-networks beside what a recipe made.

import { InvalidArgumentError } from 'commander';
import { type Compressed, type Recipe, recipeBaselines, type SparseArm, sparseArms } from '../compress/index.js';
import type { ImageDataset } from '../data/index.js';
import { classesOn } from '../models/index.js';
import { Random, type Tensor } from '../tensor/index.js';
import { deployedForm } from '../vision/index.js';
import { list } from './arguments.js';
import { Bar } from './bar.js';
import { openModelOf } from './models.js';
import { armsJson, armsText, type ComparedArms } from './search/sparse-arms.js';

interface Flags {
  readonly baselines?: readonly SparseArm[];
  readonly baselineRepeats: number;
  readonly candidates: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Names of arms, with commas between them. */
export function armsOf(text: string): SparseArm[] {
  const names = Object.keys(sparseArms);
  const asked = list(text);
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`expected some of ${names.join(', ')}, got "${unknown}".`);
  return [...new Set(asked)] as SparseArm[];
}

/** Trains the baselines from the model as it was, and compares them on the test images. */
export async function compareRecipe(
  modelPath: string,
  data: ImageDataset,
  recipe: Recipe,
  { plan, report }: Compressed,
  { baselines = [], baselineRepeats: repeats, candidates, seed, json }: Flags,
  signal: AbortSignal,
): Promise<ComparedArms> {
  const { model } = (await openModelOf(modelPath, 'image-classifier')).classifier();
  const classes = classesOn((image) => plan.run(image)[0] as Tensor, data.test, data, 1);
  const correct = Float64Array.from(classes, (own, at) => Number(own === data.test.labels[at]));
  const bar = new Bar('baselines', 'arms', json);
  try {
    const result = await recipeBaselines(model, data, recipe, {
      ...{ arms: baselines, correct, nonZeros: report.after.nonZeros, deployed: deployedForm },
      ...{ repeats, candidates, random: new Random(seed).split('baselines'), signal },
      onProgress: (done) => bar.update(done, Math.round(done * repeats * baselines.length)),
    });
    const accuracy = (score: number) => `accuracy ${(100 * score).toFixed(2)} %`;
    return {
      text: `From the same weights, with as many of them and the same training (${(100 * result.sparsity).toFixed(1)} % of the channels off):\n${armsText(result, accuracy, repeats)}`,
      json: { sparsity: result.sparsity, ...(armsJson(result) as object) },
    };
  } finally {
    bar.close();
  }
}
