// The result of a run as plain data, and the formatting of its numbers.

import { type Claim, shareSentence } from '../parts/claims.js';
import type { Experiment, MethodScores, Metric, Scores, SeedResult, Study } from '../parts/contract.js';
import type { Summary } from '../parts/statistics.js';
import type { ExperimentRecord } from '../systems.js';

export interface Row {
  readonly method: string;
  readonly metrics: Readonly<Record<string, Summary>>;
  /** What a tuned method's hyperparameters were, in words; see `tuned`. */
  readonly settings?: string;
}

/** One epoch of a method's training, for plots. */
export interface CurvePoint {
  readonly seed: number;
  readonly method: string;
  readonly epoch: number;
  readonly loss: number;
  readonly metric: number | undefined;
}

/** Everything that a run measured. */
export interface RunResult {
  /** Slug of the system. */
  readonly system: string;
  /** Value of `--data`. */
  readonly data: string;
  /** One line on the data. */
  readonly description: string;
  /** Seeds that were run, ascending. */
  readonly seeds: readonly number[];
  /** Options as used. */
  readonly options: Readonly<Record<string, number | string>>;
  /** Threads of the kernels, the calling one among them. */
  readonly threads: number;
  /** Whether it was a smoke run, which shows no claim of the abstract. */
  readonly smoke: boolean;
  /** Scores by seed. */
  readonly results: readonly SeedResult[];
  /** Mean and deviation of each metric over the seeds, method by method. */
  readonly rows: readonly Row[];
  /** Claims with their measured values. */
  readonly claims: readonly Claim[];
  /** Tables measured once, beside the seeds. */
  readonly studies: readonly Study[];
  /** Numbers of the studies that claims are computed on. */
  readonly scores: Scores;
  /** What to know when reading the numbers. */
  readonly notes: readonly string[];
  /** Loss and validation metric by epoch. */
  readonly curves: readonly CurvePoint[];
  /** Wall time of the run; of a resumed one also that of the seeds that it found finished. */
  readonly seconds: number;
}

/** `70.2 ± 0.5`, without the spread for a single seed or an exact count. */
export function formatSummary({ mean, sd }: Summary, { digits = 2 }: Metric): string {
  if (Number.isNaN(mean)) return '–';
  const show = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return sd === 0 ? show(mean) : `${show(mean)} ± ${show(sd)}`;
}

/**
 * The settings that a method's seeds chose: `learningRate 0.01, steps 5 (3 seeds); learningRate
 * 0.1, steps 5 (2 seeds), of 8 trials each`; undefined for a method that is not tuned.
 */
export function chosenSettings(results: readonly MethodScores[]): string | undefined {
  const tunings = results.flatMap(({ tuning }) => tuning ?? []);
  const [first] = tunings;
  if (!first) return undefined;
  const written = tunings.map(({ setting }) =>
    Object.entries(setting)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  const distinct = [...new Set(written)].map((text) => ({ text, seeds: written.filter((own) => own === text).length }));
  const parts = distinct.map(({ text, seeds }) => (distinct.length > 1 ? `${text} (${counted(seeds, 'seed')})` : text));
  return `${parts.join('; ')}, of ${counted(first.trials, 'trial')}${distinct.length > 1 ? ' each' : ''}`;
}

/** `1 seed`, `2 seeds`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Label with unit: `accuracy (%)`. */
export function heading({ label, unit }: Metric): string {
  return unit ? `${label} (${unit})` : label;
}

/** The metrics that some method has. */
export function shownMetrics({ metrics }: Experiment, rows: readonly Row[]): [name: string, metric: Metric][] {
  return Object.entries(metrics).filter(([name]) =>
    rows.some((row) => !Number.isNaN(row.metrics[name]?.mean ?? Number.NaN)),
  );
}

/** Methods and their metrics as a table of text. */
export function methodTable(experiment: Experiment, rows: readonly Row[]): { columns: string[]; rows: string[][] } {
  const metrics = shownMetrics(experiment, rows);
  const tuned = rows.some(({ settings }) => settings !== undefined);
  return {
    columns: [
      'method',
      ...metrics.map(([, metric]) => heading(metric)),
      ...(tuned ? ['chosen on validation data'] : []),
    ],
    rows: rows.map(({ method, metrics: values, settings = '' }) => [
      method,
      ...metrics.map(([name, metric]) => formatSummary(values[name] ?? { mean: Number.NaN, sd: 0 }, metric)),
      ...(tuned ? [settings] : []),
    ]),
  };
}

/** The value of a claim with four digits. */
export function formatValue(value: number): string {
  return Number.isNaN(value) ? 'not a number' : String(Number(value.toPrecision(4)));
}

/** What a run shows of the abstract, in a sentence. */
export function shareOf(
  { abstract }: ExperimentRecord,
  { claims: specs, overall = [] }: Experiment,
  claims: readonly Claim[],
  smoke = false,
): string {
  if (Object.keys(abstract).length === 0)
    return `${claims.filter(({ holds }) => holds).length} of ${counted(claims.length, 'claim')} hold`;
  if (smoke) return 'A smoke run is too small to show a claim of the abstract';
  return shareSentence(Object.keys(abstract), [...specs, ...overall], claims);
}

/** Claims of one source, in the order in which people read them. */
export const claimGroups = [
  { source: 'abstract', title: 'Claims of the abstract' },
  { source: 'paper', title: 'Claims of the paper' },
  { source: 'ours', title: 'Our own, at the size of this run' },
] as const;
