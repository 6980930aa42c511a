// What an experiment is: data, methods side by side, metrics, and the abstract's claim as something that holds or not.

import type { EpochReport } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';
import type { OptionTable, OptionValues } from './options.js';

/** A metric as people read it. */
export interface Metric {
  readonly label: string;
  readonly unit?: string;
  readonly digits?: number;
  readonly better: 'larger' | 'smaller' | 'neither';
}

/** One method on one seed: metric → value. */
export type Scores = Readonly<Record<string, number>>;

export interface MethodScores {
  readonly method: string;
  readonly scores: Scores;
}

/** Extra measurements, shown as tables of their own. */
export interface Study {
  readonly title: string;
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Claim {
  readonly claim: string;
  readonly value: number;
  readonly bound: string;
  readonly holds: boolean;
}

/** What one seed gives. Plain data, so that a finished seed can be kept and a run resumed. */
export interface SeedResult {
  readonly seed: number;
  readonly methods: readonly MethodScores[];
}

export interface Predictions {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What a run leaves behind for use: a model and what it says of the data. */
export interface Artifacts {
  readonly model: {
    readonly weights: Readonly<Record<string, Tensor>>;
    readonly metadata: Readonly<Record<string, string>>;
  };
  readonly predictions: Predictions;
}

/** The runner's side of a run. */
export interface RunContext {
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  /** Reports an epoch of a method's training. */
  onEpoch(method: string, report: EpochReport): void;
  /** A checkpoint for one training of this seed; undefined when nothing is kept. */
  checkpoint(method: string): import('../nn/index.js').CheckpointStore | undefined;
}

export interface Experiment<Options extends OptionTable = OptionTable, Data = unknown> {
  readonly system: string;
  readonly title: string;
  readonly family: string;
  readonly paper: string;
  /** The claim of the abstract, in one sentence. */
  readonly abstract: string;
  readonly options: Options;
  /** Known data sets, the first being embedded. */
  readonly datasets: readonly string[];
  /** Other forms that `--data` takes. */
  readonly ownData: string;
  readonly metrics: Readonly<Record<string, Metric>>;
  /** Methods trained a seed, in order, for progress. */
  readonly methods: readonly string[];
  /** What to know when reading the numbers. */
  readonly notes: (options: OptionValues<Options>) => readonly string[];
  /** Loads the data and checks that the options fit it; `onDownload` is told when a set must be fetched first. */
  load(source: string, options: OptionValues<Options>, onDownload?: (name: string) => void): Promise<Data>;
  describe(data: Data): string;
  runSeed(
    data: Data,
    options: OptionValues<Options>,
    context: RunContext,
  ): Promise<{ methods: readonly MethodScores[]; artifacts: () => Artifacts }>;
  /** Measurements beside the seeds, made once. */
  studies(
    data: Data,
    options: OptionValues<Options>,
    seed: number,
  ): Promise<{ studies: readonly Study[]; scores: Readonly<Record<string, number>> }>;
  claims(
    results: readonly SeedResult[],
    studyScores: Readonly<Record<string, number>>,
    options: OptionValues<Options>,
    data: Data,
  ): readonly Claim[];
}
