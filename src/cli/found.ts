// What a search found, as its file keeps it, and searches that go on after Ctrl-C.

import { existsSync, rmSync } from 'node:fs';
import { readJson, writeFileAtomic } from '../data/node.js';
import { type Genotype, type NetworkShape, requireGenotype, requireShapeRecord } from '../models/index.js';
import type { FitResult, TrainingHooks } from '../nn/index.js';
import { requireSame, trainResumably } from './training.js';

/** Path of what a search finds: that of the model with the ending .json. */
export const foundPathOf = (model: string): string => `${model.replace(/\.[^./]*$/, '')}.json`;

/** Where a search is kept. */
export interface SearchRun<Asked> {
  /** The model; the state of the search is kept in `<out>.search.checkpoint`. */
  readonly out: string;
  /** Whether the search continues, or what it found is taken. */
  readonly resume: boolean;
  /** Options that may change when a search that was stopped goes on. Default: none. */
  readonly growing?: readonly (keyof Asked & string)[];
}

/**
 * Searches, or takes what an earlier run found: with --resume, where the search had ended.
 *
 * @param asked options of the search, kept in the file
 * @param find searches; `found` joins the options in the file
 * @returns undefined after Ctrl-C
 * @throws Error for a resumed search of other options, ended or not, naming the first
 */
export async function searchResumably<Asked extends object, Result extends object>(
  { out: model, resume, growing = [] }: SearchRun<Asked>,
  path: string,
  asked: Asked,
  find: (hooks: Required<TrainingHooks>) => Promise<Pick<FitResult, 'stopped'> & { readonly found: Result }>,
): Promise<(Asked & Result) | undefined> {
  const out = `${model}.search`;
  const others = new Set<string>(growing);
  if (resume && existsSync(path) && !existsSync(`${out}.checkpoint`)) {
    const earlier = readJson(path) as Asked & Result;
    requireSame(`"${path}" was found with`, earlier, asked);
    return earlier;
  }
  let result: (Asked & Result) | undefined;
  const ended = await trainResumably(
    { out, resume, asked: Object.fromEntries(Object.entries(asked).filter(([name]) => !others.has(name))) },
    async (hooks) => {
      const { found, stopped } = await find(hooks);
      result = { ...asked, ...found };
      return { stopped };
    },
    () => {
      writeFileAtomic(path, `${JSON.stringify(result, null, 2)}\n`);
      // A training that stopped was of what an earlier search found.
      rmSync(`${model}.checkpoint`, { force: true });
    },
  );
  return ended ? result : undefined;
}

/** A network that --model names. */
export interface NamedNetwork {
  /** Its architecture. */
  readonly model: string;
  /** Cells that a search found. */
  readonly genotype?: Genotype;
  /** Widths and depths that a search found. */
  readonly shape?: NetworkShape;
  readonly settings: Readonly<Record<string, number>>;
}

/** What --model names: a network, or the file of a search (or cells as DARTS writes them). */
export function readNetwork(model: string): NamedNetwork {
  if (!model.endsWith('.json')) return { model, settings: {} };
  const file = readJson(model) as {
    readonly genotype?: unknown;
    readonly shape?: unknown;
    readonly architecture?: unknown;
    readonly settings?: Record<string, number>;
  };
  const { settings = {} } = file;
  if (file.shape === undefined)
    return { model: 'dass', genotype: requireGenotype(file.genotype ?? file, model), settings };
  if (typeof file.architecture !== 'string')
    throw new Error(`"${model}": a shape needs the "architecture" that it is of, such as "resnet20"`);
  return { model: file.architecture, shape: requireShapeRecord(file.shape, model), settings };
}
