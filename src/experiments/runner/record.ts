// The record of a reproduction: a small committed file, reproduction/<slug>.json.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../data/node.js';
import type { Claim } from '../parts/claims.js';
import type { Experiment, Preset } from '../parts/contract.js';
import type { ExperimentRecord } from '../systems.js';
import { revived } from './json.js';
import type { RunResult } from './result.js';

/** One run of a reproduction. */
export interface ReproducedRun extends Omit<RunResult, 'system' | 'curves' | 'results' | 'studies' | 'notes'> {
  /** The command that makes it again. */
  readonly command: string;
}

/** What a reproduction measured, and with which code. */
export interface Reproduction {
  /** Slug of the system. */
  readonly system: string;
  /** Day on which it ended, as 2026-11-28. */
  readonly date: string;
  /** Commit of the code, with a + where files had changed since; `unknown` outside a repository. */
  readonly commit: string;
  /** Digest of the system's own files, comments aside (see `codeDigest`). */
  readonly code: string;
  /** Processor, number of cores and Node version. */
  readonly machine: string;
  /** The command that repeats the reproduction. */
  readonly command: string;
  /** One entry for each preset. */
  readonly runs: readonly ReproducedRun[];
  /** Claims over all runs. */
  readonly overall: readonly Claim[];
}

/**
 * @returns undefined where the system has not been reproduced
 * @throws Error naming the file when it is not a reproduction of the system
 */
export function readReproduction(folder: string, slug: string): Reproduction | undefined {
  const file = join(folder, 'reproduction', `${slug}.json`);
  if (!existsSync(file)) return undefined;
  const made = revived(readJson(file)) as Partial<Reproduction> | null;
  const isWhole =
    made?.system === slug &&
    Array.isArray(made.overall) &&
    Array.isArray(made.runs) &&
    made.runs.every(({ rows, claims, seeds }) => [rows, claims, seeds].every(Array.isArray)) &&
    [made.date, made.commit, made.code, made.machine, made.command].every((text) => typeof text === 'string');
  if (!isWhole) throw new Error(`file "${file}" is not a reproduction of ${slug}: make it again, or remove it`);
  return made as Reproduction;
}

/** All claims of a reproduction, of each run and over all. */
export function claimsOfReproduction({ runs, overall }: Reproduction): readonly Claim[] {
  return [...runs.flatMap(({ claims }) => claims), ...overall];
}

/** What a preset sets, as `--set` takes it. */
export function assignments({ set = {} }: Preset): string[] {
  return Object.entries(set).map(([name, value]) => `${name}=${value}`);
}

/** Number of seeds of a preset, where it is not asked for. */
export function seedCount({ seeds = 3 }: Preset, asked?: number): number {
  return asked ?? seeds;
}

/** The long presets that are not among the runs of a reproduction. */
export function unrunPresets(
  { reproduction, presets = {}, options }: Pick<Experiment, 'reproduction' | 'presets' | 'options'>,
  { runs }: Pick<Reproduction, 'runs'>,
): Preset[] {
  const isRun = ({ data, set = {} }: Preset) =>
    runs.some(
      (run) =>
        run.data === data &&
        Object.entries(run.options).every(
          ([name, value]) => value === (set[name] ?? presets[data]?.[name] ?? options[name]?.default),
        ),
    );
  return reproduction.filter((preset) => preset.long && !isRun(preset));
}

/** The files of a system below the folder of the repository: its experiment and its model. */
export function filesOf({ slug, family }: ExperimentRecord, root: string): string[] {
  const candidates = [
    join(root, 'src/experiments', family, `${slug}.ts`),
    join(root, 'src', family, `${slug}.ts`),
    join(root, 'src', family, slug),
  ].filter(existsSync);
  return candidates.flatMap((path) =>
    statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts'))
          .sort()
          .map((file) => join(path, file))
      : [path],
  );
}

/**
 * SHA-256 of a system's files without comment lines and white space: identifies the code of a
 * reproduction.
 *
 * @returns undefined where the sources are not at hand, as in an installed package
 */
export function codeDigest(record: ExperimentRecord, root: string): string | undefined {
  const files = filesOf(record, root);
  if (files.length === 0) return undefined;
  const digest = createHash('sha256');
  for (const file of files) {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\/\/|\/\*\*|\*)/.test(line));
    digest.update(lines.join('').replace(/\s+/g, ''));
  }
  return digest.digest('hex').slice(0, 16);
}
