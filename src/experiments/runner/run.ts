// Runs an experiment: seeds one after the other, each kept when done, then the studies, the claims
// and the files.

import { threads } from '../../engine/index.js';
import type { EpochReport } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { Evidence, evaluateClaims } from '../parts/claims.js';
import type { Experiment, RunContext, SeedResult } from '../parts/contract.js';
import { resolveOptions } from '../parts/options.js';
import { summarize } from '../parts/statistics.js';
import { noStudies } from '../parts/studies.js';
import type { ExperimentRecord } from '../systems.js';
import { RunFolder } from './folder.js';
import { chosenSettings, type Row, type RunResult } from './result.js';

/** What to run. */
export interface RunRequest {
  /** Known data set, or a path. */
  readonly data: string;
  /** Seeds to run, in order. */
  readonly seeds: readonly number[];
  /** `name=value` assignments. */
  readonly set: readonly string[];
  /** Whether to use the small smoke preset. */
  readonly smoke: boolean;
  /** Folder for the results; nothing is written when left out. */
  readonly out?: string;
  /** Continue what `out` holds. */
  readonly resume?: boolean;
  /** Stops the run; finished seeds stay in `out`. */
  readonly signal?: AbortSignal;
}

/** What is known when a run begins. */
export interface StartedRun {
  readonly description: string;
  /** Titles of the methods of a seed. */
  readonly methods: readonly string[];
  /** Names of the metrics, the first being the one to look at. */
  readonly metrics: readonly string[];
}

/** Progress callbacks of a run. */
export interface RunEvents {
  /** A data set is being fetched. */
  downloading?(name: string): void;
  /** The data are loaded and training begins. */
  started?(run: StartedRun): void;
  /** A method finished an epoch. */
  epoch?(seed: number, method: string, report: EpochReport): void;
  /** Progress of work without epochs; `share` from 0 to 1. */
  progress?(seed: number, method: string, share: number): void;
  /** All methods of a seed are scored. */
  seedDone?(result: SeedResult): void;
  /** The studies begin. */
  studying?(): void;
}

/** A run that is ready to go. */
interface Plan {
  readonly record: ExperimentRecord;
  readonly experiment: Experiment;
  readonly request: RunRequest;
  readonly events: RunEvents;
  readonly options: ReturnType<typeof resolveOptions>;
  readonly data: unknown;
  readonly folder: RunFolder | undefined;
  /** When it began, in milliseconds. */
  readonly started: number;
}

/**
 * Runs an experiment. Finished seeds and the checkpoint of an unfinished training stay in `out` for
 * `resume`.
 *
 * @throws Error for unknown options, unreadable data, or a folder that holds another run; the
 * reason of `signal` when it aborts.
 */
export async function runExperiment(
  record: ExperimentRecord,
  request: RunRequest,
  events: RunEvents = {},
): Promise<RunResult> {
  const started = performance.now();
  const { experiment } = await record.load();
  const { smoke, set: assignments, out, resume = false, signal } = request;
  const options = resolveOptions(experiment.options, {
    preset: experiment.presets?.[request.data],
    smoke,
    assignments,
  });
  const data = await experiment.load(request.data, options, events.downloading?.bind(events));
  const configuration = { system: record.slug, data: request.data, seeds: request.seeds, options };
  const folder = out === undefined ? undefined : new RunFolder(out, configuration, resume);
  try {
    return await carryOut({ record, experiment, request, events, options, data, folder, started });
  } catch (error) {
    if (!signal?.aborted) folder?.discardUnused();
    throw error;
  }
}

async function carryOut(plan: Plan): Promise<RunResult> {
  const { record, experiment, request, events, options, data, folder } = plan;
  const description = experiment.describe(data);
  events.started?.({ description, methods: experiment.methods(options), metrics: Object.keys(experiment.metrics) });
  const results: SeedResult[] = [];
  let before = 0;
  for (const seed of request.seeds) {
    const finished = folder?.finishedSeed(seed);
    before += finished?.seconds ?? 0;
    const result = finished ?? (await runSeed(plan, seed));
    results.push(result);
    events.seedDone?.(result);
  }
  events.studying?.();
  const { studies, scores } =
    (await experiment.studies?.(data, options, contextOf(plan, request.seeds[0] ?? 0))) ?? noStudies;
  const result: RunResult = {
    system: record.slug,
    data: request.data,
    description,
    seeds: request.seeds,
    options,
    threads: threads(),
    smoke: request.smoke,
    results,
    rows: rowsOf(experiment, results),
    claims: evaluateClaims(experiment.claims, new Evidence(request.data, options, results, scores)),
    studies,
    scores,
    notes: experiment.notes(options),
    curves: folder?.curves() ?? [],
    seconds: before + (performance.now() - plan.started) / 1000,
  };
  if (folder) {
    // Loaded here: the libraries that draw are 250 modules, which no other command needs.
    const { reportHtml } = await import('./report.js');
    folder.finish(result, reportHtml(record, experiment, result, folder.pictures()));
  }
  return result;
}

function contextOf({ request, events, folder }: Plan, seed: number): RunContext {
  const { signal } = request;
  const onEpoch = (method: string, report: EpochReport) => {
    events.epoch?.(seed, method, report);
    folder?.logEpoch({ seed, method, epoch: report.epoch, loss: report.loss, metric: report.metric });
  };
  return {
    seed,
    random: new Random(seed),
    signal,
    onEpoch,
    progress: (method, share) => events.progress?.(seed, method, share),
    hooks: (method) => ({
      signal,
      checkpoint: folder?.checkpoint(seed, method),
      onEpoch: (report) => onEpoch(method, report),
    }),
  };
}

async function runSeed(plan: Plan, seed: number): Promise<SeedResult> {
  const { experiment, request, options, data, folder } = plan;
  const started = performance.now();
  const { methods, artifacts } = await experiment.runSeed(data, options, contextOf(plan, seed));
  const result = { seed, methods, seconds: (performance.now() - started) / 1000 };
  if (folder && artifacts && seed === request.seeds[0]) folder.keepArtifacts(await artifacts());
  await folder?.finishSeed(result);
  return result;
}

function rowsOf({ metrics }: Experiment, results: readonly SeedResult[]): Row[] {
  const names = results[0]?.methods.map(({ method }) => method) ?? [];
  return names.map((method) => {
    const own = results.flatMap((seed) => seed.methods.find((candidate) => candidate.method === method) ?? []);
    const settings = chosenSettings(own);
    const summaries = Object.keys(metrics).map((metric) => [
      metric,
      summarize(own.map(({ scores }) => scores[metric] ?? Number.NaN)),
    ]);
    return { method, metrics: Object.fromEntries(summaries), ...(settings !== undefined && { settings }) };
  });
}
