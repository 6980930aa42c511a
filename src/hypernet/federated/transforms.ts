// What a client may do to an update before it leaves: hooks of `transformUpdate`.

import type { Random } from '../../tensor/index.js';
import { floatsOf, mapArrays, type NamedArrays, normOf } from './message.js';

/** Changes an update before it is sent. @param round number of the round, from 0 */
export type UpdateTransform = (update: NamedArrays, round: number) => NamedArrays;

/** Several transforms, the first one first. */
export function chained(...transforms: readonly UpdateTransform[]): UpdateTransform {
  return (update, round) => transforms.reduce((own, transform) => transform(own, round), update);
}

/**
 * Scales an update so that its norm √Σ Δ² is at most `maxNorm`.
 *
 * @throws RangeError unless `maxNorm` is positive
 */
export function clipUpdate(maxNorm: number): UpdateTransform {
  if (!(maxNorm > 0)) throw new RangeError(`clipUpdate: the norm must be positive, got ${maxNorm}`);
  return (update) => {
    const norm = normOf(update);
    if (!(norm > maxNorm)) return update;
    return mapArrays(update, (array) => ({
      shape: array.shape,
      values: floatsOf(array).map((value) => (value * maxNorm) / norm),
    }));
  };
}

/**
 * Adds noise from N(0, deviation²) to every number of an update, drawn anew for each round. After
 * `clipUpdate(c)`, a deviation of σ·c is the Gaussian mechanism with noise multiplier σ; what
 * privacy that gives over all rounds is for an accountant to say.
 *
 * @throws RangeError unless the deviation is finite and not negative
 */
export function gaussianNoise(deviation: number, random: Random): UpdateTransform {
  if (!(deviation >= 0 && Number.isFinite(deviation)))
    throw new RangeError(`gaussianNoise: the deviation must be finite and not negative, got ${deviation}`);
  return (update, round) =>
    mapArrays(update, (array, name) => {
      const noise = random
        .split(round)
        .split(name)
        .normal([floatsOf(array).length], 0, deviation);
      const draws = noise.dataSync<Float32Array>();
      const values = floatsOf(array).map((value, i) => value + (draws[i] as number));
      noise.dispose();
      return { shape: array.shape, values };
    });
}
