// What is checked of the steps of a recipe before any of them runs, and what is said of them after.

import type { SpatialReport } from '../models/index.js';
import { binaryLayers, hasHypercomplex, type Layer } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';
import {
  architectureOfGraph,
  type Metanetwork,
  type MetaPruning,
  networkGraph,
  requireArchitecture,
} from './metapruning/index.js';
import type { MetaPruningStep, Recipe, RecipeStep } from './recipe.js';
import { prunedLayers } from './sparsebytenn.js';

/**
 * Checks that a network can follow a recipe.
 *
 * @param example an input of the network; only its shape matters
 * @param metanetworks those that its steps name
 * @throws Error for steps that do not suit the network, layers that match nothing, or a wrong order
 */
export function requireFollowable(
  model: Layer,
  { steps }: Recipe,
  example: Tensor,
  metanetworks?: Readonly<Record<string, Metanetwork>>,
): void {
  const isBinary = Object.keys(binaryLayers(model)).length > 0;
  const unfit = steps.find((step) => isBinary !== (step.do === 'tree') && step.do !== 'train');
  if (unfit)
    throw new Error(
      isBinary
        ? `recipe: ${unfit.do} does not change binary networks; they take the steps tree and train`
        : 'recipe: the step tree is for binary networks, such as binary-net',
    );
  // Layer names that match nothing are reported before hours of training.
  if (!hasHypercomplex(model)) for (const step of steps) if (step.do === 'prune') prunedLayers(model, step);
  const quantized = steps.findIndex((step) => step.do === 'quantize');
  if (quantized >= 0 && quantized < steps.length - 1)
    throw new Error(`recipe: quantize must be the last step, it is step ${quantized + 1} of ${steps.length}`);
  const shaped = steps.findIndex((step) => step.do === 'tas');
  const late =
    shaped < 0 ? undefined : steps.slice(shaped + 1).find((step) => step.do === 'tas' || step.do === 'replace-spatial');
  if (late) throw new Error(`recipe: ${late.do} cannot follow tas; put it before, or leave one out`);
  for (const [at, step] of steps.entries())
    if (step.do === 'metapruning') requireMetanetwork(model, step, steps.slice(0, at), example, metanetworks);
}

/** Steps that leave the architecture as it is. */
const LIKE: readonly RecipeStep['do'][] = ['remove-channels', 'train', 'metapruning'];

/** @throws Error for a metanetwork that is not given, or was made for another architecture */
function requireMetanetwork(
  model: Layer,
  step: MetaPruningStep,
  before: readonly RecipeStep[],
  example: Tensor,
  metanetworks?: Readonly<Record<string, Metanetwork>>,
): void {
  const { architecture } = metanetworkOf(step, metanetworks);
  if (before.every((own) => LIKE.includes(own.do)))
    requireArchitecture(architecture, architectureOfGraph(networkGraph(model, example)), step.metanetwork);
}

/** The metanetwork that a step names. @throws Error when it is not given */
export function metanetworkOf(
  { metanetwork }: MetaPruningStep,
  metanetworks: Readonly<Record<string, Metanetwork>> = {},
): Metanetwork {
  const own = metanetworks[metanetwork];
  if (!own)
    throw new Error(
      `recipe: the metanetwork "${metanetwork}" of the step metapruning is not among those that are given`,
    );
  return own;
}

/** What was pruned, and what could not be, a reason a line. */
export function metaPruningLines({ seconds, removed, speedup, fixed }: MetaPruning, adaptEpochs: number): string[] {
  // A classifier's outputs are its classes.
  const others = [...fixed].filter(([, reason]) => reason !== 'an output');
  return [
    `changed the weights by the metanetwork in ${seconds.toFixed(2)} s, trained ${adaptEpochs} epochs and removed ${removed} channels: ${speedup.toFixed(2)} times fewer multiply-adds`,
    ...others.map(([layer, reason]) => `${layer} keeps its channels: ${reason}`),
  ];
}

/** What was replaced and what that saved, and what stayed and why, a reason a line. */
export function replacementLines({ replaced, kept, before, after }: SpatialReport): string[] {
  const whole = (value: number) => value.toLocaleString('en-US');
  const reasons = new Map<string, string[]>();
  for (const { layer, was, now } of kept)
    reasons.set(`${was}: ${now}`, [...(reasons.get(`${was}: ${now}`) ?? []), layer]);
  return [
    `replaced ${replaced.length} spatial operations: ${whole(before.parameters)} parameters became ${whole(after.parameters)}, ${whole(before.multiplyAdds)} multiply-adds ${whole(after.multiplyAdds)}, ${before.milliseconds.toFixed(3)} ms an image ${after.milliseconds.toFixed(3)}`,
    ...[...reasons].map(([reason, layers]) => `kept ${layers.join(', ')} (${reason})`),
  ];
}
