// What experiments on continual learning share: their data, and a seed of methods on one stream.

import type { MethodScores, RunContext } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { type ContinualMethod, type ContinualValues, continualMethod } from './continual.js';
import { forgettingPlots } from './continual-claims.js';
import { continualSets, describeStream, type StreamData, streamOf } from './continual-streams.js';

/** Sets, what is said of them, and the plots of a report. */
export const continualTask = {
  datasets: continualSets,
  describe: describeStream,
  plots: forgettingPlots,
} as const;

/** Every method learns the tasks of the seed's stream. */
export function runContinual(
  methods: readonly ContinualMethod[],
  data: StreamData,
  values: ContinualValues,
  context: RunContext,
): Promise<{ readonly methods: readonly MethodScores[] }> {
  const stream = streamOf(data, values, context.random.split('stream'));
  return runMethods(
    methods.map((method) => continualMethod(method, data, stream, values)),
    context,
  );
}
