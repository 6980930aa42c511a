// What is checked of the steps of a recipe before any of them runs, and what is said of them after.

import type { SpatialReport } from '../models/index.js';
import { binaryLayers, hasHypercomplex, type Layer } from '../nn/index.js';
import type { Recipe } from './recipe.js';
import { prunedLayers } from './sparsebytenn.js';

/**
 * Checks that a network can follow a recipe.
 *
 * @throws Error for steps that do not suit the network, layers that match nothing, or a wrong order
 */
export function requireFollowable(model: Layer, { steps }: Recipe): void {
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
