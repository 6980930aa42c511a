// The methods of DASS's comparison: networks as wide as gives them as many weights, tuned alike,
// and what their sparse plans cost.

import { footprint, sparsePlan } from '../../compress/index.js';
import { firstImages, type ImageDataset, imageTensor } from '../../data/index.js';
import { accuracyOn, type Genotype } from '../../models/index.js';
import { disposeWeights, type Layer, stateOf } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Method } from '../parts/methods.js';
import { onOneThread } from '../parts/threads.js';
import { tuned } from '../parts/tuning.js';
import {
  type CellRun,
  cellsOf,
  DASS,
  DENSE,
  MOBILE,
  mobileOf,
  ONE_SHOT,
  type PrunedNetwork,
  prunable,
  type RateSetting,
  RESIDUAL,
  randomCells,
  randomTitle,
  rateSettings,
  residualOf,
  trainPruned,
  widthFor,
} from './cell-networks.js';

/** A method with the network that it trains. */
export interface CellMethod {
  readonly title: string;
  readonly make: (random: Random) => Layer;
  readonly isOneShot?: boolean;
}

/** The networks of a seed, each as wide as gives it the weights of the found cells. */
export function cellNetworks(
  data: ImageDataset,
  values: CellRun & { readonly draws: number },
  found: Genotype,
  dense: Genotype,
  random: Random,
): CellMethod[] {
  const { width, cells, nodes } = values;
  const foundNet = cellsOf(found, data, cells);
  const first = foundNet(width, new Random(0));
  const weights = prunable(first);
  disposeWeights(stateOf(first));
  const fitted = (make: typeof foundNet) => {
    const own = widthFor(make, weights);
    return (stream: Random) => make(own, stream);
  };
  return [
    ...[DASS, ONE_SHOT].map((title) => ({
      title,
      make: (stream: Random) => foundNet(width, stream),
      isOneShot: title === ONE_SHOT,
    })),
    { title: DENSE, make: fitted(cellsOf(dense, data, cells)) },
    ...Array.from({ length: values.draws }, (_, draw) => randomTitle(draw)).map((title, draw) => ({
      title,
      make: fitted(cellsOf(randomCells(nodes, random.split(draw)), data, cells)),
    })),
    { title: MOBILE, make: fitted(mobileOf(data)) },
    { title: RESIDUAL, make: fitted(residualOf(data)) },
  ];
}

export function cellMethod(
  { title, make, isOneShot = false }: CellMethod,
  once: object,
  final: ImageDataset,
  choosing: ImageDataset,
  values: CellRun & { readonly trials: number; readonly tuning: number },
): Method<PrunedNetwork> {
  const { train } = choosing;
  const trial = { ...choosing, train: firstImages(train, Math.max(2, Math.round(values.tuning * train.count))) };
  return tuned<RateSetting, PrunedNetwork>({
    ...{ title, once, settings: rateSettings.slice(0, values.trials) },
    train: (setting, run) => trainPruned(make, final, values, setting, run, isOneShot),
    trial: (setting, run) => trainPruned(make, trial, values, setting, run, isOneShot),
    validation: ({ model }) => accuracyOn(model, choosing.test, choosing),
    discard: ({ model }) => disposeWeights(stateOf(model)),
  });
}

/** Accuracy on the test images, and what the sparse plan costs. */
export function sparseCosts(model: Layer, data: ImageDataset) {
  return onOneThread(() => {
    const { plan } = sparsePlan(model, imageTensor(data.test, [0], data));
    const { accuracy, usedMultiplyAdds, nonZeros, bytes } = footprint(model, plan, data);
    plan.dispose();
    const kept = Object.entries(stateOf(model))
      .filter(([, { rank }]) => rank > 1)
      .reduce((sum, [, weight]) => sum + weight.view().reduce((own, value) => own + Number(value !== 0), 0), 0);
    return {
      accuracy: 100 * accuracy,
      multiplyAdds: usedMultiplyAdds,
      parameters: nonZeros,
      bytes: bytes / 1024,
      kept,
    };
  });
}
