// The folder of a run: config.json, a file a seed, checkpoints of unfinished trainings, the
// results.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCsv } from '../../data/index.js';
import { fileCheckpoint, readJson, writeFileAtomic } from '../../data/node.js';
import type { CheckpointStore } from '../../nn/index.js';
import type { Artifacts, SeedResult } from '../parts/contract.js';
import type { CurvePoint, RunResult } from './result.js';

/** What identifies a run: two runs with the same configuration give the same numbers. */
export interface Configuration {
  readonly system: string;
  readonly data: string;
  readonly seeds: readonly number[];
  /** The options as used: defaults, those of the data set, those that were set. */
  readonly options: Readonly<Record<string, number | string>>;
}

export class RunFolder {
  #curves: CurvePoint[] = [];
  #pending: CurvePoint[] = [];

  /**
   * @throws Error when the folder holds another run, or one to resume is wanted and there is none.
   */
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

  checkpoint(seed: number, method: string): CheckpointStore {
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
    if (model) writeFileAtomic(join(this.path, 'model.safetensors'), model);
    if (predictions)
      writeFileAtomic(join(this.path, 'predictions.csv'), writeCsv(predictions.columns, predictions.rows));
  }

  curves(): readonly CurvePoint[] {
    return this.#curves;
  }

  /** Writes the results and removes the checkpoints. */
  finish(result: RunResult, report: string): void {
    const { curves: _, ...summary } = result;
    writeFileAtomic(join(this.path, 'result.json'), `${JSON.stringify(summary, null, 2)}\n`);
    writeFileAtomic(join(this.path, 'report.html'), report);
    rmSync(join(this.path, 'checkpoints'), { recursive: true, force: true });
  }
}
