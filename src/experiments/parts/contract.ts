// What an experiment is: data, methods trained side by side, metrics, and claims that hold or not.

import type { EpochReport, TrainingHooks } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { ClaimSpec, OverallClaim } from './claims.js';
import type { OptionTable, OptionValues } from './options.js';
import type { MethodScores, Scores, SeedResult } from './scores.js';

export type { MethodScores, Scores, SeedResult } from './scores.js';

/** Label, unit and direction of a metric, for tables and plots. */
export interface Metric {
  /** Name in tables and plots. */
  readonly label: string;
  /** Unit in parentheses after the label; none for a plain number. */
  readonly unit?: string;
  /** Decimals shown. Default: 2. */
  readonly digits?: number;
  /** Which direction is better; `neither` for counts. */
  readonly better: 'larger' | 'smaller' | 'neither';
}

/** A table of text. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A picture of a study: lines, the distribution of x, or a matrix of values, by method. */
export interface StudyPlot {
  readonly kind: 'line' | 'histogram' | 'matrix';
  readonly title: string;
  /** What x is, with its unit. */
  readonly x: string;
  /** What y is; points of a histogram have none. */
  readonly y?: string;
  /** Whether x is drawn on a logarithmic scale. Default: false. */
  readonly logarithmic?: boolean;
  readonly points: readonly StudyPoint[];
}

/** A point of a picture, or a cell of a matrix. */
export interface StudyPoint {
  readonly method: string;
  readonly x: number;
  readonly y: number;
  /** What is in the cell at column x and row y. */
  readonly value?: number;
}

/** Measurements beside the methods, shown as a table of their own. */
export interface Study extends Table {
  /** Heading of the table. */
  readonly title: string;
  /** How it was measured, below the table. */
  readonly note: string;
  /** Drawn in the report below the table. */
  readonly plot?: StudyPlot;
}

/** Studies, and the numbers in them that claims are computed on, by name. */
export interface StudyResults {
  readonly studies: readonly Study[];
  readonly scores: Scores;
}

/** Artifacts of a run. */
export interface Artifacts {
  /**
   * A model file (see `writeModelFile` in data), where the system makes one that answers for new
   * data.
   */
  readonly model?: Uint8Array;
  /** Predictions on the data: predictions.csv. */
  readonly predictions?: Table;
  /** Pictures for the report. */
  readonly pictures?: readonly ReportPicture[];
}

/** A picture of the report, also kept as a file. */
export interface ReportPicture {
  /** Name of the file, without ending. */
  readonly name: string;
  /** What is seen. */
  readonly caption: string;
  /** PNG. */
  readonly png: Uint8Array;
}

export interface SeedOutcome {
  readonly methods: readonly MethodScores[];
  /** Made for the first seed alone; may train a model on all of the data. */
  readonly artifacts?: () => Artifacts | Promise<Artifacts>;
}

/** What the runner provides for one seed. */
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
  /** Value of `--data`. */
  readonly data: string;
  /** Number of seeds. Default: 3. */
  readonly seeds?: number;
  /** Options that differ from the defaults. */
  readonly set?: Readonly<Record<string, number | string>>;
  /** Takes hours: run by `gossamer reproduce --long` alone. */
  readonly long?: boolean;
}

/** An experiment: its options, data, methods, metrics and claims. */
export interface Experiment<Options extends OptionTable = OptionTable, Data = unknown> {
  /** Hyperparameters that `--set` changes, with defaults and smoke values. */
  readonly options: Options;
  /** Known data sets, the first being embedded. */
  readonly datasets: readonly string[];
  /** Other forms that `--data` takes. */
  readonly ownData: string;
  /** Options that a data set changes, below what `--set` says. */
  readonly presets?: Readonly<Record<string, Partial<OptionValues<Options>>>>;
  /** The runs of `gossamer reproduce`. */
  readonly reproduction: readonly Preset[];
  /** Metrics by the name under which methods score them; the first is the main one. */
  readonly metrics: Readonly<Record<string, Metric>>;
  /** Methods trained in a seed, in order, for progress. */
  methods(options: OptionValues<Options>): readonly string[];
  /** What to know when reading the numbers. */
  notes(options: OptionValues<Options>): readonly string[];
  /**
   * Loads the data and checks that the options fit it.
   *
   * @param onDownload called with the name of a set that must be downloaded first
   */
  load(source: string, options: OptionValues<Options>, onDownload?: (name: string) => void): Data | Promise<Data>;
  /** One line on the loaded data: sizes and classes. */
  describe(data: Data): string;
  /** Trains and scores all methods on one seed. */
  runSeed(data: Data, options: OptionValues<Options>, context: RunContext): Promise<SeedOutcome>;
  /** Measurements beside the seeds, made once. */
  studies?(data: Data, options: OptionValues<Options>, context: RunContext): StudyResults | Promise<StudyResults>;
  /** Pictures of the scores of all seeds, for the report. */
  plots?(results: readonly SeedResult[]): readonly StudyPlot[];
  /** Claims computed on each run. */
  readonly claims: readonly ClaimSpec<OptionValues<Options>>[];
  /** Claims over the runs of the reproduction. */
  readonly overall?: readonly OverallClaim<OptionValues<Options>>[];
  /**
   * Claims of the abstract, by their key in the system's record, that no run here can measure, and
   * why.
   */
  readonly unmeasured?: Readonly<Record<string, string>>;
}

/** An experiment with its types of options and data erased. */
export function defineExperiment<const Options extends OptionTable, Data>(
  experiment: Experiment<Options, Data>,
): Experiment {
  return experiment as unknown as Experiment;
}
