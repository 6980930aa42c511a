// Loads a language model with its tokenizer from GGUF, a Hugging Face folder, or a file of
// `gossamer lm train`; and saves such files.

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isHubName, writeModelFile } from '../data/index.js';
import { type FileBytes, openBytes } from '../data/node.js';
import { Decoder } from '../models/index.js';
import { stateOf, type Weights } from '../nn/index.js';
import type { QuantizedFormat } from '../quantized/index.js';
import { type LanguageBundle, type ModelFiles, readLanguageModel } from './assemble.js';
import { cachedLanguageModel } from './by-name.js';
import { type Description, LANGUAGE_MODEL, type TrainedText } from './description.js';
import type { LanguageModelConfig } from './runtime/config.js';
import { WeightStore } from './runtime/store.js';
import type { Vocabulary } from './vocabulary.js';

/** A bundle whose weights are read from files on demand. */
export interface StoredBundle extends LanguageBundle {
  /** Budget and counters of the weights in memory. */
  readonly store: WeightStore;
  /** Frees the weights and closes the files. */
  close(): void;
}

/** Options of `loadLanguageModel`. */
export interface LoadOptions {
  /**
   * Most bytes of weights in memory; the rest is read from the file when needed. Default: 3 GiB.
   */
  readonly memory?: number | undefined;
  /**
   * Format that float matrices are quantised to while loading; quantised matrices of GGUF keep
   * theirs. Default: none.
   */
  readonly quantize?: QuantizedFormat | undefined;
  /**
   * Whether passes of one token compute only the rows of the head that its predictor expects to
   * be large.
   * Default: false.
   */
  readonly sparseHead?: boolean | undefined;
  /** Called with the share of the weights read so far. When left out, no weights are preloaded. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/**
 * Serialises a trained decoder with its configuration and vocabulary.
 *
 * @param model a decoder, or its weights in the form in which they are saved
 * @param trained what it was trained on. Default: not said
 */
export function saveLanguageModel(
  model: Decoder | Weights,
  config: LanguageModelConfig,
  vocabulary: Vocabulary,
  trained?: TrainedText,
): Uint8Array {
  const description: Description = { config, ...(trained && { trained }), ...vocabulary };
  return writeModelFile(LANGUAGE_MODEL, description, model instanceof Decoder ? stateOf(model) : model);
}

/**
 * Opens a GGUF file (the first, if it is split), a model of `gossamer lm train`, a folder with
 * config.json, safetensors and tokenizer.json, or what `fetchLanguageModel` has fetched of a name
 * `hf:owner/name[:file]`.
 *
 * @throws Error when the path is none of them, when a name is not in the cache, or when the
 * tokenizer has more tokens than the model.
 */
export function loadLanguageModel(path: string, options: LoadOptions = {}): StoredBundle {
  const { memory, quantize, onProgress, sparseHead } = options;
  if (isHubName(path)) return loadLanguageModel(cachedLanguageModel(path, { memory }), options);
  const store = new WeightStore(memory);
  const { files, main, close: closeFiles } = openFiles(path);
  const close = () => {
    store.dispose();
    closeFiles();
  };
  try {
    const bundle = readLanguageModel(files, main, store, {
      ...(quantize && { quantize }),
      ...(sparseHead && { sparseHead: {} }),
    });
    if (onProgress) bundle.model.load(onProgress);
    return { ...bundle, store, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The files of a model, which are opened as they are read, and its main file; none of a folder. */
export function openFiles(path: string): { files: ModelFiles; main: string | undefined; close(): void } {
  const opened: FileBytes[] = [];
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const folder = isFolder ? path : dirname(path);
  const files = filesIn(folder, isFolder, (file) => {
    const bytes = openBytes(isFolder || file !== basename(path) ? join(folder, file) : path);
    opened.push(bytes);
    return bytes;
  });
  const close = () => {
    for (const file of opened) file.close();
  };
  return { files, main: isFolder ? undefined : basename(path), close };
}

/** The files of a folder; with the templates in its subfolder when the folder is the model. */
function filesIn(folder: string, isModel: boolean, open: ModelFiles['open']): ModelFiles {
  const below = (name: string) =>
    statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory()
      ? readdirSync(join(folder, name)).map((file) => `${name}/${file}`)
      : [];
  const own = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(folder) : [];
  return { name: folder, paths: [...own, ...(isModel ? below('additional_chat_templates') : [])], open };
}
