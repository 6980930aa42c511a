// What a network of `imageModel` costs, from shapes alone: no weight is made, so that the largest
// one is counted in milliseconds.

import { shapesOnly } from '../engine/index.js';
import { followsSteps, inference, type Layer, parameterCount, parameters, stateOf } from '../nn/index.js';
import { Random, scope, zeros } from '../tensor/index.js';
import { cost } from '../trace/index.js';
import { deployedForm } from './classifier.js';
import { type ImageShape, imageModel } from './zoo.js';

/** Counts of one form of a network. */
export interface ImageModelCounts {
  /** Trainable values. */
  readonly parameters: number;
  /** Multiply-adds of one image: of convolutions, matrix products and attention. */
  readonly multiplyAdds: number;
}

/** Costs of a network in both of its forms, which are the same where there is nothing to merge. */
export interface ImageModelCost {
  /** As it is trained. */
  readonly trained: ImageModelCounts;
  /** As it runs, branches and norms merged. */
  readonly deployed: ImageModelCounts;
  /** Bytes of the weights and statistics of the deployed form in float32. */
  readonly bytes: number;
}

/**
 * Counts a network for images of a shape.
 *
 * @throws Error as `imageModel` does
 */
export function imageModelCost(name: string, shape: ImageShape): ImageModelCost {
  return shapesOnly(() =>
    scope(() => {
      const model = imageModel(name, shape, new Random(0));
      // What only a trained network can do: merge.
      if (followsSteps(model)) model.followStep(1, 1);
      const deployed = deployedForm(model);
      const trained = countsOf(model, shape);
      return {
        trained,
        deployed: deployed === model ? trained : countsOf(deployed, shape),
        bytes: 4 * Object.values(stateOf(deployed)).reduce((sum, { size }) => sum + size, 0),
      };
    }),
  );
}

function countsOf(model: Layer, { channels, size, imageWidth = size }: ImageShape): ImageModelCounts {
  const { multiplyAdds } = cost(
    (x) => model.forward(x, inference),
    [zeros([1, channels, size, imageWidth])],
    parameters(model),
  );
  return { parameters: parameterCount(model), multiplyAdds };
}
