// Models by name: hf:owner/name[@revision][:file], fetched into the cache of Hugging Face's tools.

import { join } from 'node:path';
import { type HubAccess, listRepository, parseHubName, UnreachableError } from '../data/index.js';
import { cachedSnapshot, fetchFiles, hubSettings } from '../data/node.js';
import { tensorMemoryBudget } from '../engine/index.js';
import { type ChosenModel, chooseModel, type ModelFile } from './choose-file.js';

/** Options of `fetchLanguageModel`. */
export interface FetchModelOptions extends Pick<HubAccess, 'signal' | 'attempts' | 'pause' | 'patience'> {
  /** Most bytes of weights in memory, for the choice of a quantisation. Default: 3 GiB. */
  readonly memory?: number | undefined;
  /**
   * Environment with HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE. Default: the
   * process's.
   */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Called when files have been chosen. */
  readonly onChoice?: ((chosen: ChosenModel<ModelFile>) => void) | undefined;
  /** Called with bytes that are there, of all that are needed, and the file at hand. */
  readonly onProgress?: ((done: number, total: number, path: string) => void) | undefined;
  /** Called with what the caller may want to tell: that another process fetches the same file. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/**
 * The path of a model that a name stands for, which `loadLanguageModel` opens: fetched where it is
 * not in the cache yet, and checked by its digest.
 *
 * @throws Error when there is no such model, it may not be read, or does not arrive.
 */
export async function fetchLanguageModel(name: string, options: FetchModelOptions = {}): Promise<string> {
  const { memory = tensorMemoryBudget(), environment, onChoice, onProgress, onNote, ...rest } = options;
  const { repository, revision, file } = parseHubName(name);
  const { folder: cache, endpoint, token, offline } = hubSettings(environment);
  if (offline) return cachedLanguageModel(name, { memory, environment });
  const access: HubAccess = { ...rest, endpoint, token };
  try {
    const listing = await listRepository(repository, revision, access);
    const chosen = chooseModel(listing.files, repository, file, memory);
    onChoice?.(chosen);
    const onWait = (path: string) => onNote?.(`another process is fetching ${path}; waiting for it`);
    const folder = await fetchFiles(listing, chosen.files, { ...access, cache, revision, onProgress, onWait });
    return chosen.open === undefined ? folder : join(folder, chosen.open);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    const path = inCache(name, { memory, environment });
    if (path === undefined) throw error;
    onNote?.(`${error.message}; the copy in the cache is used`);
    return path;
  }
}

/**
 * The path of a model that is in the cache; no request is made.
 *
 * @throws Error when it is not there.
 */
export function cachedLanguageModel(
  name: string,
  options: Pick<FetchModelOptions, 'memory' | 'environment'> = {},
): string {
  const path = inCache(name, options);
  if (path !== undefined) return path;
  const { folder, offline } = hubSettings(options.environment);
  const how = offline ? 'unset HF_HUB_OFFLINE to fetch it' : 'fetch it first: await fetchLanguageModel(name)';
  throw new Error(`"${name}" is not in the cache "${folder}"; ${how}`);
}

function inCache(
  name: string,
  { memory = tensorMemoryBudget(), environment }: Pick<FetchModelOptions, 'memory' | 'environment'>,
): string | undefined {
  const { repository, revision, file } = parseHubName(name);
  const snapshot = cachedSnapshot(hubSettings(environment).folder, repository, revision);
  if (!snapshot) return undefined;
  try {
    const { open } = chooseModel(snapshot.files, repository, file, memory);
    return open === undefined ? snapshot.folder : join(snapshot.folder, open);
  } catch {
    // What is there makes no whole model, or not the one that was asked for.
    return undefined;
  }
}
