// Floor 7: one experiment a system.

import type { Experiment } from './contract.js';
import { lighthgnn } from './lighthgnn.js';

/** Every experiment by its system's name. */
export const experiments: Readonly<Record<string, Experiment>> = Object.fromEntries(
  [lighthgnn as unknown as Experiment].map((experiment) => [experiment.system, experiment]),
);

export type { Claim, Experiment, Metric, Study } from './contract.js';
export type { OptionSpec } from './options.js';
export { formatSummary, writeReport } from './report.js';
export { type RunEvents, type RunRequest, type RunResult, runExperiment } from './run.js';
