// Random sub-networks beside what a recipe made of a trained classifier: as many weights, from the
// same weights, trained for as many epochs in the same way.

import { type ImageDataset, imageTensor } from '../../data/index.js';
import { trainOnImages } from '../../models/index.js';
import { type Layer, parameters } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { Recipe } from '../recipe.js';
import { TRAINING, teacherOf } from '../teacher.js';
import { type SparseArm, type SparseBaselines, sparseBaselines } from './baselines.js';
import { imageExamples } from './examples.js';
import { NodeSpace } from './nodes.js';

/** Options of `recipeBaselines`. */
export interface RecipeBaselineOptions {
  /** The arms that are trained. */
  readonly arms: readonly SparseArm[];
  /** Number of parameters of the recipe's result that are not zero. */
  readonly nonZeros: number;
  /** 1 for each test image that the recipe's result classifies correctly, else 0. */
  readonly correct: Float64Array;
  /** The form of the network that runs, for the teacher. Default: the network itself. */
  readonly deployed?: (model: Layer) => Layer;
  /** Default: 3. */
  readonly repeats?: number;
  /** Sub-networks drawn for random search. Default: 200. */
  readonly candidates?: number;
  /** Training images that judge them. Default: 500. */
  readonly searchSet?: number;
  /** Source of all draws. */
  readonly random: Random;
  /** Stops between arms. */
  readonly signal?: AbortSignal | undefined;
  /** Called when an arm has been scored, with the share that is done. */
  readonly onProgress?: (done: number, arm: string) => void;
}

/** Epochs that a recipe trains in all. */
export const recipeEpochs = ({ steps }: Recipe): number =>
  steps.reduce((sum, step) => {
    const { epochs = 0, pruneEpochs = 0, adaptEpochs = 0 } = step as EpochFields;
    return sum + epochs + pruneEpochs + adaptEpochs;
  }, 0);

/** Fields of steps that count epochs of training. */
type EpochFields = Readonly<Partial<Record<'epochs' | 'pruneEpochs' | 'adaptEpochs', number>>>;

/**
 * Compares a recipe's result with sub-networks of the classifier that it began with, drawn at
 * random with as nearly so many parameters as it has non-zero ones, and trained as the recipe
 * trains.
 *
 * @param model the classifier before compression, whose weights are put back
 * @throws Error when it has no hidden nodes that can be left out; AbortError when the signal fires
 */
export async function recipeBaselines(
  model: Layer,
  data: ImageDataset,
  recipe: Recipe,
  { nonZeros, correct, deployed, candidates = 200, searchSet = 500, signal, random, ...options }: RecipeBaselineOptions,
): Promise<SparseBaselines & { readonly sparsity: number }> {
  const nodes = new NodeSpace(model, imageTensor(data.train, [0], data));
  const own = parameters(model);
  const sparsity = nodes.sparsityOf(own, nonZeros);
  const total = Object.values(own).reduce((sum, { size }) => sum + size, 0);
  const teacher = recipe.distill && {
    logits: teacherOf(deployed?.(model) ?? model, data, recipe.training?.batchSize ?? TRAINING.batchSize),
    ...recipe.distill,
  };
  const result = await sparseBaselines(
    model,
    { train: imageExamples(data.train, data), test: imageExamples(data.test, data) },
    {
      ...{ ...options, sparsity, candidates, searchSet, signal, random },
      given: { recipe: { scores: [correct], parameters: nonZeros, weightSparsity: 1 - nonZeros / total } },
      train: (arm, order) =>
        trainOnImages(arm, data, order, {
          ...{ ...TRAINING, ...recipe.training, epochs: recipeEpochs(recipe), signal },
          ...(teacher && { teacher }),
        }),
    },
  );
  return { ...result, sparsity };
}
