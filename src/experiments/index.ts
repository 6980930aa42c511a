// Floor 7: one experiment a system.

export { type Claim, type ClaimSource, Evidence, evaluateClaims } from './parts/claims.js';
export type { Experiment, Metric, Preset, Study } from './parts/contract.js';
export type { OptionSpec } from './parts/options.js';
export { summarize } from './parts/statistics.js';
export { citation } from './parts/system-record.js';
export { writePages } from './runner/pages.js';
export { claimsOfReproduction, type Reproduction } from './runner/record.js';
export { type ReproduceOptions, reproduce } from './runner/reproduce.js';
export {
  claimGroups,
  counted,
  formatSummary,
  formatValue,
  methodTable,
  type RunResult,
  shareOf,
} from './runner/result.js';
export { type RunEvents, type RunRequest, runExperiment } from './runner/run.js';
export {
  comparisons,
  type ExperimentRecord,
  type Family,
  families,
  findSystem,
  type SystemRecord,
  systems,
} from './systems.js';
