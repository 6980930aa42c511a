// Language models by name in pages: fetched into the page's storage, and read from there.

import { fetchIntoPage, type HubAccess, listRepository, parseHubName } from '../data/index.js';
import { tensorMemoryBudget } from '../engine/index.js';
import { type LanguageBundle, readLanguageModel } from './assemble.js';
import { type ChosenModel, chooseModel, type ModelFile } from './choose-file.js';
import { WeightStore } from './runtime/store.js';

/** Options of `openHubModel`. */
export interface HubModelOptions extends HubAccess {
  /** Most bytes of weights in memory; also chooses the quantisation. Default: 3 GiB. */
  readonly memory?: number | undefined;
  /** Bytes of a request. Default: 16 MiB. */
  readonly slice?: number | undefined;
  /** Called when files have been chosen. */
  readonly onChoice?: ((chosen: ChosenModel<ModelFile>) => void) | undefined;
  /** Called with bytes that are there, of all that are needed, and the file at hand. */
  readonly onProgress?: ((done: number, total: number, path: string) => void) | undefined;
}

/** A model in the storage of a page. */
export interface PageBundle extends LanguageBundle {
  /** Budget and counters of the weights in memory. */
  readonly store: WeightStore;
  /** Frees the weights and releases the files. */
  close(): void;
}

/**
 * Opens a model by its name `hf:owner/name[@revision][:file]` in a worker of a page. What is not in
 * the page's storage is fetched into it, range by range.
 *
 * @throws Error when there is no such model, it may not be read, or does not arrive.
 */
export async function openHubModel(name: string, options: HubModelOptions = {}): Promise<PageBundle> {
  const { memory = tensorMemoryBudget(), onChoice, onProgress, slice, ...access } = options;
  const { repository, revision, file } = parseHubName(name);
  const listing = await listRepository(repository, revision, access);
  const chosen = chooseModel(listing.files, repository, file, memory);
  onChoice?.(chosen);
  const files = await fetchIntoPage(listing, chosen.files, { ...access, slice, onProgress });
  const store = new WeightStore(memory);
  const close = () => {
    store.dispose();
    for (const bytes of files.values()) bytes.close();
  };
  const open = (path: string) => {
    const bytes = files.get(path);
    if (!bytes) throw new Error(`${repository} has no "${path}"`);
    return bytes;
  };
  try {
    const bundle = readLanguageModel({ name: repository, paths: [...files.keys()], open }, chosen.open, store);
    return { ...bundle, store, close };
  } catch (error) {
    close();
    throw error;
  }
}
