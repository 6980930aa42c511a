// HyPINO, learnt from random problems of a family.

import { type FamilyName, families, HyPINO, presets, trainHyPINO } from '../../hypernet/index.js';
import type { FitRequest, Fitted } from './learner.js';
import type { hypinoOptions } from './options.js';

/** Trains on problems that are drawn anew each step. @throws Error for an unknown family */
export async function fitProblems(path: string, request: FitRequest<typeof hypinoOptions>): Promise<Fitted> {
  if (!Object.hasOwn(families, path))
    throw new Error(
      `hypino learns from a family of random problems: ${Object.keys(families).join(', ')}; got "${path}"`,
    );
  const { values, random, hooks } = request;
  const { steps, size, supervision, batch, parts, interior, boundary, learningRate } = values;
  const model = new HyPINO(presets[size], random.split('model'));
  const family = path as FamilyName;
  let stopped: Fitted['stopped'] = 'completed';
  try {
    await trainHyPINO(model, random.split('fit'), {
      ...{ steps, family, supervision, learningRate, parts, batch: { problems: batch, interior, boundary } },
      ...hooks,
    });
  } catch (error) {
    if (!hooks.signal.aborted) throw error;
    stopped = 'aborted';
  }
  const { residual = Number.NaN, boundary: missed = Number.NaN } = model.trained ?? {};
  return {
    file: () => model.save(),
    lines: [
      `family "${family}": ${steps} steps of ${batch} problems`,
      `on fresh problems: relative residual ${residual.toPrecision(3)}, relative boundary error ${missed.toPrecision(3)}`,
    ],
    scores: { residual, boundary: missed },
    stopped,
  };
}
