// Runs an experiment: seeds one after the other, each kept when done, then the studies, the claims and the files.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCsv, writeSafetensors } from '../data/index.js';
import { fileCheckpoint, readJson, writeFileAtomic } from '../data/node.js';
import { threads } from '../engine/index.js';
import type { EpochReport } from '../nn/index.js';
import type { Artifacts, Claim, Experiment, SeedResult, Study } from './contract.js';
import { resolveOptions } from './options.js';
import { writeReport } from './report.js';
import { type Summary, summarize } from './statistics.js';

export interface RunRequest {
  readonly data: string;
  readonly seeds: readonly number[];
  /** `name=value` assignments. */
  readonly set: readonly string[];
  readonly smoke: boolean;
  /** Folder for the results; nothing is written when left out. */
  readonly out?: string;
  /** Continue what `out` holds. */
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
}

export interface RunEvents {
  downloading?(name: string): void;
  started?(description: string): void;
  epoch?(seed: number, method: string, report: EpochReport): void;
  seedDone?(result: SeedResult): void;
  studying?(): void;
}

export interface Row {
  readonly method: string;
  readonly metrics: Readonly<Record<string, Summary>>;
}

/** An epoch of a method's training, for curves. */
export interface CurvePoint {
  readonly seed: number;
  readonly method: string;
  readonly epoch: number;
  readonly loss: number;
  readonly metric: number | undefined;
}

export interface RunResult {
  readonly system: string;
  readonly data: string;
  readonly description: string;
  readonly seeds: readonly number[];
  readonly options: Readonly<Record<string, number | string>>;
  readonly threads: number;
  readonly rows: readonly Row[];
  readonly claims: readonly Claim[];
  readonly studies: readonly Study[];
  readonly notes: readonly string[];
  readonly curves: readonly CurvePoint[];
  readonly seconds: number;
}

/** What identifies a run: two runs with the same configuration give the same numbers. */
interface Configuration {
  readonly system: string;
  readonly data: string;
  readonly seeds: readonly number[];
  readonly options: Readonly<Record<string, number | string>>;
}

/** A run that is ready to go. */
interface Plan {
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
 * Runs an experiment.
 *
 * @throws Error for unknown options, unreadable data, or a folder that holds another run; the reason of `signal` when it aborts. Finished seeds and the checkpoint of an unfinished training stay in `out` for `resume`.
 */
export async function runExperiment(
  experiment: Experiment,
  request: RunRequest,
  events: RunEvents = {},
): Promise<RunResult> {
  const started = performance.now();
  const options = resolveOptions(experiment.options, request.set, request.smoke);
  const data = await experiment.load(request.data, options, events.downloading?.bind(events));
  const configuration = { system: experiment.system, data: request.data, seeds: request.seeds, options };
  const { out, resume = false, signal } = request;
  const folder = out === undefined ? undefined : new RunFolder(out, configuration, resume);
  try {
    return await carryOut({ experiment, request, events, options, data, folder, started });
  } catch (error) {
    if (!signal?.aborted) folder?.discardUnused();
    throw error;
  }
}

async function carryOut(plan: Plan): Promise<RunResult> {
  const { experiment, request, events, options, data, folder } = plan;
  const description = experiment.describe(data);
  events.started?.(description);
  const results: SeedResult[] = [];
  for (const seed of request.seeds) {
    const result = folder?.finishedSeed(seed) ?? (await runSeed(plan, seed));
    results.push(result);
    events.seedDone?.(result);
  }
  events.studying?.();
  const { studies, scores } = await experiment.studies(data, options, request.seeds[0] ?? 0);
  const result: RunResult = {
    system: experiment.system,
    data: request.data,
    description,
    seeds: request.seeds,
    options,
    threads: threads(),
    rows: rowsOf(experiment, results),
    claims: experiment.claims(results, scores, options, data),
    studies,
    notes: experiment.notes(options),
    curves: folder?.curves() ?? [],
    seconds: (performance.now() - plan.started) / 1000,
  };
  folder?.finish(experiment, result);
  return result;
}

async function runSeed(
  { experiment, request, events, options, data, folder }: Plan,
  seed: number,
): Promise<SeedResult> {
  const { methods, artifacts } = await experiment.runSeed(data, options, {
    seed,
    signal: request.signal,
    checkpoint: (method) => folder?.checkpoint(seed, method),
    onEpoch: (method, report) => {
      events.epoch?.(seed, method, report);
      folder?.logEpoch({ seed, method, epoch: report.epoch, loss: report.loss, metric: report.metric });
    },
  });
  const result = { seed, methods };
  if (seed === request.seeds[0]) folder?.keepArtifacts(artifacts());
  await folder?.finishSeed(result);
  return result;
}

function rowsOf(experiment: Experiment, results: readonly SeedResult[]): Row[] {
  const names = results[0]?.methods.map(({ method }) => method) ?? [];
  return names.map((method) => {
    const scores = results.map((seed) => seed.methods.find((candidate) => candidate.method === method)?.scores ?? {});
    const metrics = Object.keys(experiment.metrics).map((metric) => [
      metric,
      summarize(scores.map((score) => score[metric] ?? Number.NaN)),
    ]);
    return { method, metrics: Object.fromEntries(metrics) };
  });
}

/** The files of one run. */
class RunFolder {
  #curves: CurvePoint[] = [];
  #pending: CurvePoint[] = [];

  constructor(
    readonly path: string,
    configuration: Configuration,
    resume: boolean,
  ) {
    const config = join(path, 'config.json');
    if (existsSync(path) && readdirSync(path).length > 0) {
      if (!resume)
        throw new Error(
          `folder "${path}" is not empty: choose another --out, or add --resume to continue the run in it`,
        );
      if (!existsSync(config)) throw new Error(`folder "${path}" holds no run to resume (config.json is missing)`);
      if (JSON.stringify(readJson(config)) !== JSON.stringify(configuration))
        throw new Error(`folder "${path}" holds a run with another configuration: compare its config.json`);
    } else if (resume) {
      throw new Error(`folder "${path}" holds no run to resume`);
    }
    mkdirSync(join(path, 'seeds'), { recursive: true });
    writeFileAtomic(config, `${JSON.stringify(configuration, null, 2)}\n`);
  }

  /** Removes a folder in which no seed was finished. */
  discardUnused(): void {
    if (readdirSync(join(this.path, 'seeds')).length === 0) rmSync(this.path, { recursive: true });
  }

  #seedFile(seed: number): string {
    return join(this.path, 'seeds', `${seed}.json`);
  }

  finishedSeed(seed: number): SeedResult | undefined {
    const file = this.#seedFile(seed);
    if (!existsSync(file)) return undefined;
    const { result, curves } = readJson(file) as { result: SeedResult; curves: CurvePoint[] };
    this.#curves.push(...curves);
    return result;
  }

  checkpoint(seed: number, method: string) {
    const words = method.normalize('NFKD').replace('+', ' plus').match(/\w+/g) ?? [];
    return fileCheckpoint(join(this.path, 'checkpoints', `${seed}-${words.join('-').toLowerCase()}.safetensors`));
  }

  logEpoch(point: CurvePoint): void {
    this.#pending.push(point);
  }

  async finishSeed(result: SeedResult): Promise<void> {
    const curves = this.#pending;
    this.#pending = [];
    this.#curves.push(...curves);
    writeFileAtomic(this.#seedFile(result.seed), JSON.stringify({ result, curves }));
    const lines = [
      ...curves,
      ...result.methods.map(({ method, scores }) => ({ seed: result.seed, method, ...scores })),
    ];
    await appendFile(join(this.path, 'metrics.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  keepArtifacts({ model, predictions }: Artifacts): void {
    writeFileAtomic(join(this.path, 'model.safetensors'), writeSafetensors(model.weights, model.metadata));
    writeFileAtomic(join(this.path, 'predictions.csv'), writeCsv(predictions.columns, predictions.rows));
  }

  curves(): readonly CurvePoint[] {
    return this.#curves;
  }

  finish(experiment: Experiment, result: RunResult): void {
    const { curves: _, ...summary } = result;
    writeFileAtomic(join(this.path, 'result.json'), `${JSON.stringify(summary, null, 2)}\n`);
    writeReport(experiment, result, join(this.path, 'report.html'));
    rmSync(join(this.path, 'checkpoints'), { recursive: true, force: true });
  }
}
