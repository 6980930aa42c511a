// What an experiment is: data, methods trained side by side, metrics, and claims that hold or not.

import type { EpochReport, TrainingHooks } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { ClaimSpec, OverallClaim } from './claims.js';
import type { OptionTable, OptionValues } from './options.js';
import type { MethodScores, Scores } from './scores.js';

export type { MethodScores, Scores, SeedResult } from './scores.js';

/** A metric as people read it. */
export interface Metric {
  readonly label: string;
  readonly unit?: string;
  /** Decimals shown; 2 by default. */
  readonly digits?: number;
  readonly better: 'larger' | 'smaller' | 'neither';
}

/** A table of anything, for people. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Measurements beside the methods, shown as a table of their own. */
export interface Study extends Table {
  readonly title: string;
  readonly note: string;
}

/** Studies, and the numbers in them that claims are computed on, by name. */
export interface StudyResults {
  readonly studies: readonly Study[];
  readonly scores: Scores;
}

/** What a run leaves for use. */
export interface Artifacts {
  /** A model file (see `writeModelFile` in data), where the system makes one that answers for new data. */
  readonly model?: Uint8Array;
  /** What the model says of the data: predictions.csv. */
  readonly predictions?: Table;
}

export interface SeedOutcome {
  readonly methods: readonly MethodScores[];
  /** Made for the first seed alone; may train a model on all of the data. */
  readonly artifacts?: () => Artifacts | Promise<Artifacts>;
}

/** The runner's side of one seed. */
export interface RunContext {
  readonly seed: number;
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
  /** Training hooks of one method: abort signal, checkpoint, and epochs that the report plots. */
  hooks(method: string): TrainingHooks;
  /** Reports an epoch of a method's training. */
  onEpoch(method: string, report: EpochReport): void;
  /** Reports progress of work without a loss. @param share done so far, from 0 to 1 */
  progress(method: string, share: number): void;
}

/** A run that `gossamer reproduce` makes. */
export interface Preset {
  readonly data: string;
  /** Number of seeds; 3 by default. */
  readonly seeds?: number;
  /** Options that differ from the defaults. */
  readonly set?: Readonly<Record<string, number | string>>;
  /** Takes hours: run by `gossamer reproduce --long` alone. */
  readonly long?: boolean;
}

export interface Experiment<Options extends OptionTable = OptionTable, Data = unknown> {
  readonly options: Options;
  /** Known data sets, the first being embedded. */
  readonly datasets: readonly string[];
  /** Other forms that `--data` takes. */
  readonly ownData: string;
  /** Options that a data set changes, below what `--set` says. */
  readonly presets?: Readonly<Record<string, Partial<OptionValues<Options>>>>;
  readonly reproduction: readonly Preset[];
  readonly metrics: Readonly<Record<string, Metric>>;
  /** Methods trained in a seed, in order, for progress. */
  methods(options: OptionValues<Options>): readonly string[];
  /** What to know when reading the numbers. */
  notes(options: OptionValues<Options>): readonly string[];
  /**
   * Loads the data and checks that the options fit it.
   *
   * @param onDownload told when a set must be fetched first
   */
  load(source: string, options: OptionValues<Options>, onDownload?: (name: string) => void): Data | Promise<Data>;
  describe(data: Data): string;
  runSeed(data: Data, options: OptionValues<Options>, context: RunContext): Promise<SeedOutcome>;
  /** Measurements beside the seeds, made once. */
  studies?(data: Data, options: OptionValues<Options>, context: RunContext): StudyResults | Promise<StudyResults>;
  readonly claims: readonly ClaimSpec<OptionValues<Options>>[];
  /** Claims over the runs of the reproduction. */
  readonly overall?: readonly OverallClaim<OptionValues<Options>>[];
  /** Claims of the abstract, by their key in the system's record, that no run here can measure, and why. */
  readonly unmeasured?: Readonly<Record<string, string>>;
}

/** An experiment whose types of options and data are known inside alone. */
export function defineExperiment<const Options extends OptionTable, Data>(
  experiment: Experiment<Options, Data>,
): Experiment {
  return experiment as unknown as Experiment;
}
