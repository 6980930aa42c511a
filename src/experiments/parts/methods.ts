// Methods side by side: each with its own random stream, timed, checked for an abort, scored alike.

import type { TrainingHooks } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { MethodScores, RunContext, Scores } from './contract.js';
import type { Tuning } from './scores.js';

/** What a method's training is given. */
export interface MethodRun {
  readonly title: string;
  readonly seed: number;
  readonly random: Random;
  readonly hooks: TrainingHooks;
  /** Reports progress of work without epochs, from 0 to 1. */
  progress(share: number): void;
  /** Records the hyperparameters that were chosen; the training is timed from here on. */
  chose(tuning: Tuning): void;
}

export interface Method<Model> {
  readonly title: string;
  /** Trains; its time is the score `seconds`. */
  train(run: MethodRun): Model | Promise<Model>;
  /** Scores of this method alone, beside those that all methods have. */
  score?(model: Model, run: MethodRun): Scores | Promise<Scores>;
}

export interface MethodOptions<Model> {
  /** Scores that all methods have. */
  score?(model: Model, run: MethodRun): Scores | Promise<Scores>;
  /** Title of the method whose model is kept; none when left out. */
  readonly keep?: string;
  /**
   * `own`: a random stream by title. `shared`: the same stream for all, where methods must start
   * alike and see the same batches.
   */
  readonly stream?: 'own' | 'shared';
}

/** A context whose methods are not reported, as what they train is a part of others. */
export function quietContext(context: RunContext): RunContext {
  return { ...context, hooks: () => ({ signal: context.signal }), progress: () => {} };
}

/**
 * Trains and scores methods one after the other.
 *
 * @returns the scores, and the model of the method to keep
 * @throws the signal's reason when the run is aborted
 */
export async function runMethods<Model>(
  methods: readonly Method<Model>[],
  context: RunContext,
  { score, keep, stream = 'own' }: MethodOptions<Model> = {},
): Promise<{ readonly methods: readonly MethodScores[]; readonly kept: Model | undefined }> {
  const results: MethodScores[] = [];
  let kept: Model | undefined;
  for (const method of methods) {
    const { title } = method;
    let tuning: Tuning | undefined;
    let started = 0;
    const run: MethodRun = {
      title,
      seed: context.seed,
      random: context.random.split(stream === 'own' ? title : 'methods'),
      hooks: context.hooks(title),
      progress: (share) => context.progress(title, share),
      chose(choice) {
        tuning = choice;
        started = performance.now();
      },
    };
    context.signal?.throwIfAborted();
    started = performance.now();
    const model = await method.train(run);
    const seconds = (performance.now() - started) / 1000;
    context.signal?.throwIfAborted();
    const scores = { seconds, ...(await score?.(model, run)), ...(await method.score?.(model, run)) };
    results.push({ method: title, scores, ...(tuning && { tuning }) });
    if (title === keep) kept = model;
  }
  return { methods: results, kept };
}
