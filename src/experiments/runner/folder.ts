// The folder of a run: config.json, a file a seed, checkpoints of unfinished trainings, the
// results.

import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCsv } from '../../data/index.js';
import { fileCheckpoint, readBytes, readJson, writeFileAtomic } from '../../data/node.js';
import type { CheckpointStore } from '../../nn/index.js';
import type { Artifacts, ReportPicture, SeedResult } from '../parts/contract.js';
import { revived, toJson } from './json.js';
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
  /** Whether this run made the folder, and may remove it again. */
  readonly #made: boolean;

  /**
   * @throws Error when the folder holds another run, or one to resume is wanted and there is none.
   */
  constructor(
    readonly path: string,
    configuration: Configuration,
    resume: boolean,
  ) {
    const config = join(path, 'config.json');
    this.#made = !existsSync(path);
    if (!this.#made && !statSync(path).isDirectory()) throw new Error(`"${path}" is a file, not a folder`);
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

  /** After a failure: removes the folder if this run made it and no seed was finished. */
  discardUnused(): void {
    const { path } = this;
    if (!this.#made || readdirSync(join(path, 'seeds')).length > 0) return;
    for (const own of ['config.json', 'checkpoints', 'seeds'])
      rmSync(join(path, own), { recursive: true, force: true });
    if (readdirSync(path).length === 0) rmdirSync(path);
  }

  #seedFile(seed: number): string {
    return join(this.path, 'seeds', `${seed}.json`);
  }

  finishedSeed(seed: number): SeedResult | undefined {
    const file = this.#seedFile(seed);
    if (!existsSync(file)) return undefined;
    const { result, curves } = revived(readJson(file)) as { result?: SeedResult; curves?: CurvePoint[] };
    if (!Array.isArray(result?.methods) || !Array.isArray(curves))
      throw new Error(`file "${file}" holds no finished seed; remove it to train the seed again`);
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
    writeFileAtomic(this.#seedFile(result.seed), toJson({ result, curves }));
    const lines = [
      ...curves,
      ...result.methods.map(({ method, scores }) => ({ seed: result.seed, method, ...scores })),
    ];
    await appendFile(join(this.path, 'metrics.jsonl'), lines.map((line) => `${toJson(line)}\n`).join(''));
  }

  keepArtifacts({ model, predictions, pictures = [] }: Artifacts): void {
    if (model) writeFileAtomic(join(this.path, 'model.safetensors'), model);
    if (predictions)
      writeFileAtomic(join(this.path, 'predictions.csv'), writeCsv(predictions.columns, predictions.rows));
    if (pictures.length === 0) return;
    const folder = join(this.path, 'pictures');
    mkdirSync(folder, { recursive: true });
    for (const { name, png } of pictures) writeFileAtomic(join(folder, `${name}.png`), png);
    const captions = pictures.map(({ name, caption }) => ({ name, caption }));
    writeFileAtomic(join(folder, 'captions.json'), toJson(captions, 2));
  }

  /** The pictures that were kept, of an earlier part of the run too. */
  pictures(): readonly ReportPicture[] {
    const folder = join(this.path, 'pictures');
    const captions = join(folder, 'captions.json');
    if (!existsSync(captions)) return [];
    const listed = readJson(captions) as readonly Omit<ReportPicture, 'png'>[];
    return listed.map((own) => ({ ...own, png: readBytes(join(folder, `${own.name}.png`)) }));
  }

  curves(): readonly CurvePoint[] {
    return this.#curves;
  }

  /** Writes the results and removes the checkpoints. */
  finish(result: RunResult, report: string): void {
    const { curves: _, ...summary } = result;
    writeFileAtomic(join(this.path, 'result.json'), `${toJson(summary, 2)}\n`);
    writeFileAtomic(join(this.path, 'report.html'), report);
    rmSync(join(this.path, 'checkpoints'), { recursive: true, force: true });
  }
}
