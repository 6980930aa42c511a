// Reproductions: the full presets of a system, run one after the other, and their results in a
// file.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../../data/node.js';
import { Evidence, evaluateOverall } from '../parts/claims.js';
import type { Experiment, Preset } from '../parts/contract.js';
import type { ExperimentRecord } from '../systems.js';
import { toJson } from './json.js';
import {
  assignments,
  codeDigest,
  type ReproducedRun,
  type Reproduction,
  readReproduction,
  seedCount,
} from './record.js';
import type { RunResult } from './result.js';
import { type RunEvents, runExperiment } from './run.js';

/** Options of `reproduce`. */
export interface ReproduceOptions {
  /** The folder that holds reproduction/ and runs/. */
  readonly folder: string;
  /** Seeds of every run, in place of the presets' own. */
  readonly seeds?: number;
  /** Also the presets that take hours. */
  readonly long?: boolean;
  /** Replace a record of more seeds or presets, and begin stopped runs again. */
  readonly fresh?: boolean;
  /** Keep what a stopped reproduction finished. */
  readonly resume?: boolean;
  /** Stops the reproduction; finished seeds are kept for `resume`. */
  readonly signal?: AbortSignal;
  /** Called before each run. */
  readonly onRun?: (preset: Preset, seeds: number) => RunEvents;
}

/**
 * Runs the full presets of a system and writes reproduction/<slug>.json.
 *
 * @throws Error before anything is run when the file holds more seeds or presets, or a stopped run
 * would be lost, unless `fresh` is set; the reason of `signal` when it aborts; finished runs and
 * seeds stay in runs/ for `resume`
 */
export async function reproduce(record: ExperimentRecord, options: ReproduceOptions): Promise<Reproduction> {
  const { folder, long = false } = options;
  const { experiment } = await record.load();
  const commit = commitOf(folder);
  const presets = experiment.reproduction.filter((preset) => long || !preset.long);
  requireNoLoss(record, presets, options);
  const runs: RunResult[] = [];
  for (const preset of presets) runs.push(await runPreset(record, preset, options));
  const made: Reproduction = {
    system: record.slug,
    date: new Date().toISOString().slice(0, 10),
    commit,
    code: codeDigest(record, folder) ?? 'unknown',
    machine: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, Node ${process.versions.node}`,
    command: `gossamer reproduce ${record.slug}${options.seeds ? ` --seeds ${options.seeds}` : ''}${long ? ' --long' : ''}`,
    runs: runs.map((run) => summaryOf(record.slug, run, experiment)),
    overall: evaluateOverall(experiment.overall ?? [], runs.map(evidenceOf)),
  };
  writeFileAtomic(join(folder, 'reproduction', `${record.slug}.json`), `${toJson(made, 1)}\n`);
  return made;
}

/** Folder of the run of a preset. */
function folderOf({ slug }: ExperimentRecord, preset: Preset, folder: string): string {
  const name = [slug, preset.data, ...assignments(preset)].join('-').replace(/[^\w.=-]+/g, '-');
  return join(folder, 'runs', 'reproduce', name);
}

/**
 * @throws Error when a record of more would be replaced, or finished seeds of a stopped run removed
 */
function requireNoLoss(
  record: ExperimentRecord,
  presets: readonly Preset[],
  { folder, seeds, fresh, resume }: ReproduceOptions,
): void {
  if (fresh) return;
  const known = readReproduction(folder, record.slug);
  const file = `reproduction/${record.slug}.json`;
  if (known && known.runs.length > presets.length)
    throw new Error(
      `${file} holds ${known.runs.length} runs, these are ${presets.length}: add --long, or --fresh to replace it`,
    );
  const most = Math.max(0, ...presets.map((preset) => seedCount(preset, seeds)));
  const before = Math.max(0, ...(known?.runs.map((run) => run.seeds.length) ?? []));
  if (before > most)
    throw new Error(
      `${file} was made with ${before} seeds, these are ${most}: add --seeds ${before}, or --fresh to replace it`,
    );
  const stopped = presets
    .map((preset) => folderOf(record, preset, folder))
    .find(
      (out) =>
        existsSync(join(out, 'seeds')) &&
        readdirSync(join(out, 'seeds')).length > 0 &&
        !existsSync(join(out, 'result.json')),
    );
  if (stopped && !resume)
    throw new Error(
      `"${stopped}" holds finished seeds of a stopped run: add --resume to continue, or --fresh to begin again`,
    );
}

function runPreset(record: ExperimentRecord, preset: Preset, options: ReproduceOptions): Promise<RunResult> {
  const count = seedCount(preset, options.seeds);
  const out = folderOf(record, preset, options.folder);
  const resume = options.resume === true && existsSync(join(out, 'config.json'));
  // A reproduction that does not resume starts from empty folders.
  if (!resume) rmSync(out, { recursive: true, force: true });
  const seeds = Array.from({ length: count }, (_, seed) => seed);
  const request = { data: preset.data, seeds, set: assignments(preset), smoke: false, out, resume };
  return runExperiment(record, { ...request, signal: options.signal }, options.onRun?.(preset, count));
}

function evidenceOf({ data, options, results, scores }: RunResult): Evidence {
  return new Evidence<unknown>(data, options, results, scores);
}

function summaryOf(slug: string, run: RunResult, experiment: Experiment): ReproducedRun {
  const { data, description, seeds, options, threads, smoke, rows, claims, seconds, scores } = run;
  const set = Object.entries(options)
    .filter(([name, value]) => value !== (experiment.presets?.[data]?.[name] ?? experiment.options[name]?.default))
    .map(([name, value]) => ` --set ${name}=${value}`);
  return {
    command: `gossamer run ${slug} --data ${data} --seeds ${seeds.length}${set.join('')}`,
    data,
    description,
    seeds,
    options,
    threads,
    smoke,
    seconds: Math.round(seconds),
    rows: rows.map(({ method, metrics }) => ({
      method,
      metrics: Object.fromEntries(Object.entries(metrics).filter(([, { mean }]) => !Number.isNaN(mean))),
    })),
    scores,
    claims,
  };
}

/** The short hash of the commit of a folder, with a + where tracked files have changed since. */
function commitOf(folder: string): string {
  const git = (...args: string[]) => spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8' });
  const { status, stdout } = git('rev-parse', '--short', 'HEAD');
  if (status !== 0) return 'unknown';
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'kernels').stdout.trim() !== '';
  return `${stdout.trim()}${changed ? '+' : ''}`;
}
