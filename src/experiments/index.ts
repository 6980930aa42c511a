// Floor 7: one experiment a system.

import { conhd } from './conhd.js';
import type { Experiment } from './contract.js';
import { dgmlp } from './dgmlp.js';
import { fastrp } from './fastrp.js';
import { fullyPpr } from './fully-ppr.js';
import { hypernetReview } from './hypernet-review.js';
import { hypertab } from './hypertab.js';
import { lighthgnn } from './lighthgnn.js';
import { lsnet } from './lsnet.js';
import { mip } from './mip.js';
import { moepp } from './moepp.js';
import { nat } from './nat.js';
import { sparseConvnets } from './sparse-convnets.js';
import { vanillanet } from './vanillanet.js';

/** Every experiment by its system's name. */
export const experiments: Readonly<Record<string, Experiment>> = Object.fromEntries(
  [
    lighthgnn,
    dgmlp,
    nat,
    conhd,
    fastrp,
    fullyPpr,
    hypernetReview,
    mip,
    hypertab,
    vanillanet,
    lsnet,
    sparseConvnets,
    moepp,
  ]
    .map((experiment) => experiment as unknown as Experiment)
    .map((experiment) => [experiment.system, experiment]),
);

export type { Claim, Experiment, Metric, Study } from './contract.js';
export type { OptionSpec } from './options.js';
export { formatSummary, shownMetrics, writeReport } from './report.js';
export { type RunEvents, type RunRequest, type RunResult, runExperiment } from './run.js';
export { summarize } from './statistics.js';
