// Times of the deployed forms of image classifiers, arms in turns.

import { exampleOf } from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { secondsInTurns, setThreads, threads } from '../../engine/index.js';
import { inference, type Layer } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import { type CompileOptions, compile } from '../../trace/index.js';
import type { Scores } from '../parts/contract.js';

/** What is timed: a batch of images on so many threads. */
export interface Timing {
  readonly batch: number;
  readonly threads: number;
  /** Rounds, each of one run of every arm; the fastest counts. Default: 50. */
  readonly repeats?: number;
  /** How every arm is compiled. Default: each as it says. */
  readonly plan?: CompileOptions;
}

/** One image on one thread. */
export const oneImage: Timing = { batch: 1, threads: 1 };

/** A network that is timed. */
export interface TimedArm {
  readonly title: string;
  /** The deployed form. */
  readonly model: Layer;
  /** How it is compiled. */
  readonly plan?: CompileOptions | undefined;
}

/**
 * Milliseconds an image of each arm, by timing: the fastest run of its plan over the images of a
 * batch. In each round every arm runs once.
 */
export async function timesInTurns(
  arms: readonly TimedArm[],
  data: Pick<ImageDataset, 'test'>,
  timings: Readonly<Record<string, Timing>>,
): Promise<ReadonlyMap<string, Scores>> {
  const times = new Map<string, Record<string, number>>(arms.map(({ title }) => [title, {}]));
  const before = threads();
  try {
    for (const [name, timing] of Object.entries(timings)) {
      setThreads(timing.threads);
      const seconds = await secondsOf(arms, data, timing);
      for (const [title, own] of times) own[name] = (1000 * (seconds[title] as number)) / timing.batch;
    }
  } finally {
    setThreads(before);
  }
  return times;
}

/** Seconds a batch, by title. Plans are compiled for the number of threads that is set. */
async function secondsOf(
  arms: readonly TimedArm[],
  data: Pick<ImageDataset, 'test'>,
  { batch, repeats = 50, plan: common }: Timing,
): Promise<Readonly<Record<string, number>>> {
  const example = exampleOf(data, batch);
  const plans = arms.map(({ title, model, plan }) => ({
    title,
    plan: compile((x) => model.forward(x, inference), [example], common ?? plan),
  }));
  try {
    return await secondsInTurns(
      Object.fromEntries(plans.map(({ title, plan }) => [title, () => void scope(() => plan.run(example))])),
      { repeats, warmUp: Math.min(5, Math.ceil(repeats / 5)) },
    );
  } finally {
    for (const { plan } of plans) plan.dispose();
    example.dispose();
  }
}
