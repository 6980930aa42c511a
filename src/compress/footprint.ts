// Cost of a classifier: file size, parameters, multiply-adds, latency and accuracy.

import type { ImageDataset } from '../data/index.js';
import { medianSeconds } from '../engine/index.js';
import { classesOn } from '../models/index.js';
import { accuracy, inference, type Layer, parameters } from '../nn/index.js';
import { scope, type Tensor, zeros } from '../tensor/index.js';
import { type Cost, cost, type Plan, savePlan } from '../trace/index.js';

/** Size, cost and accuracy of a classifier and its plan. */
export interface Footprint {
  /** Number of parameters, zeros included. */
  readonly parameters: number;
  /** Number of parameters that are not zero. */
  readonly nonZeros: number;
  /** Multiply-adds for one image with dense kernels. */
  readonly multiplyAdds: number;
  /** Multiply-adds for one image whose weight is not zero. */
  readonly usedMultiplyAdds: number;
  /** Size of the plan file in bytes. */
  readonly bytes: number;
  /** Median latency of the plan for one image. */
  readonly milliseconds: number;
  /** Top-1 accuracy of the plan on the test images, in [0, 1]. */
  readonly accuracy: number;
}

/** A batch of zeros with the shape of a data set's images: [count, channels, height, width]. */
export function exampleOf({ test: { channels, height, width } }: Pick<ImageDataset, 'test'>, count = 1): Tensor {
  return zeros([count, channels, height, width]);
}

/** Measures a model and its plan; the plan must take a batch of one image. */
export function footprint(model: Layer, plan: Plan, data: ImageDataset): Footprint {
  const example = exampleOf(data);
  const weights = parameters(model);
  const counted = costOf(model, example);
  return {
    parameters: counted.parameters,
    nonZeros: Object.values(weights).reduce((total, weight) => total + nonZerosOf(weight), 0),
    multiplyAdds: counted.multiplyAdds,
    usedMultiplyAdds: usedOf(counted, weights),
    bytes: savePlan(plan).length,
    milliseconds: latency(plan, example),
    accuracy: accuracy(
      classesOn((image) => plan.run(image)[0] as Tensor, data.test, data, 1),
      data.test.labels,
    ),
  };
}

/** Multiply-adds of a forward pass on `example` whose weight is not zero, rounded. */
export function usedMultiplyAdds(model: Layer, example: Tensor): number {
  return usedOf(costOf(model, example), parameters(model));
}

function costOf(model: Layer, example: Tensor): Cost {
  return cost((x) => model.forward(x, inference), [example], parameters(model));
}

function usedOf({ nodes }: Cost, weights: Record<string, Tensor>): number {
  const density = (layer: string) => {
    const weight = weights[`${layer}.weight`];
    return weight ? nonZerosOf(weight) / weight.size : 1;
  };
  return Math.round(nodes.reduce((total, node) => total + node.multiplyAdds * density(node.name), 0));
}

function nonZerosOf(weight: Tensor): number {
  return weight.view().reduce((count, value) => count + Number(value !== 0), 0);
}

/** Median milliseconds of a run of a plan, over at least 20 runs and 0.1 s. */
export function latency(plan: Plan, example: Tensor): number {
  return 1000 * medianSeconds(() => scope(() => plan.run(example)), 20, 5, 0.1);
}
