// Loads a language model with its tokenizer from GGUF, a Hugging Face folder, or a file of
// `gossamer lm train`.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type ModelKind, modelDescription, readGguf, SafetensorsReader, writeModelFile } from '../data/index.js';
import { type FileBytes, openBytes, readJson } from '../data/node.js';
import type { Decoder } from '../models/index.js';
import { stateOf } from '../nn/index.js';
import type { QuantizedFormat } from '../quantized/index.js';
import { configOfHuggingFace, type LanguageModelConfig } from './runtime/config.js';
import { LanguageModel } from './runtime/model.js';
import { WeightStore } from './runtime/store.js';
import { safetensorsWeights } from './runtime/weights.js';
import { type TextTokenizer, tokenizerOfGguf, tokenizerOfJson } from './tokenizer.js';
import { tokenizerOf, type Vocabulary } from './vocabulary.js';

/** A language model with its tokenizer. */
export interface LanguageBundle {
  /** The decoder. */
  readonly model: LanguageModel;
  /** The model's tokenizer. */
  readonly tokenizer: TextTokenizer;
}

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
  /** Called with the share of the weights read so far. When left out, no weights are preloaded. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Kind of the model files that `gossamer lm train` writes. */
export const LANGUAGE_MODEL: ModelKind = { system: 'language-model', version: '1', madeBy: 'gossamer lm train' };

type Description = { readonly config: LanguageModelConfig } & Vocabulary;

/** Serialises a trained decoder with its configuration and vocabulary. */
export function saveLanguageModel(model: Decoder, config: LanguageModelConfig, vocabulary: Vocabulary): Uint8Array {
  return writeModelFile(LANGUAGE_MODEL, { config, ...vocabulary } satisfies Description, stateOf(model));
}

/**
 * Opens a GGUF file (the first, if it is split), a model of `gossamer lm train`, or a folder with
 * config.json, safetensors and tokenizer.json.
 *
 * @throws Error when the path is none of them, or when the tokenizer has more tokens than the
 * model.
 */
export function loadLanguageModel(path: string, { memory, quantize, onProgress }: LoadOptions = {}): StoredBundle {
  const store = new WeightStore(memory);
  const files: FileBytes[] = [];
  const open = (file: string) => {
    const bytes = openBytes(file);
    files.push(bytes);
    return bytes;
  };
  const close = () => {
    store.dispose();
    for (const file of files) file.close();
  };
  try {
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
    const read = isFolder ? fromFolder : path.endsWith('.gguf') ? fromGguf : fromTrained;
    const { model, tokenizer } = read(path, open, store, quantize);
    if (tokenizer.size > model.config.vocabulary)
      throw new Error(
        `the tokenizer has ${tokenizer.size} tokens, the model ${model.config.vocabulary}: they do not belong together`,
      );
    if (onProgress) model.load(onProgress);
    return { model, tokenizer, store, close };
  } catch (error) {
    close();
    throw error;
  }
}

type Reader = (
  path: string,
  open: (file: string) => FileBytes,
  store: WeightStore,
  format: QuantizedFormat | undefined,
) => LanguageBundle;

const fromGguf: Reader = (path, open, store) => {
  const files = partsOf(path).map((file) => readGguf(open(file)));
  const [first] = files;
  return { model: LanguageModel.fromGguf(files, store), tokenizer: tokenizerOfGguf(first?.metadata ?? {}) };
};

/**
 * The files of a split model: name-00001-of-0000N.gguf and so on.
 *
 * @throws Error when one is missing.
 */
function partsOf(path: string): string[] {
  const [, stem, , count] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(basename(path)) ?? [];
  if (stem === undefined) return [path];
  const names = Array.from({ length: Number(count) }, (_, i) =>
    join(dirname(path), `${stem}-${String(i + 1).padStart(5, '0')}-of-${count}.gguf`),
  );
  const missing = names.find((name) => !existsSync(name));
  if (missing !== undefined)
    throw new Error(`the model is split into ${Number(count)} files, and "${missing}" is not there`);
  return names;
}

const fromTrained: Reader = (path, open, store, format) => {
  const file = new SafetensorsReader(open(path));
  const { config, ...vocabulary } = modelDescription<Description>(LANGUAGE_MODEL, file.metadata, path);
  return {
    model: new LanguageModel(config, safetensorsWeights([file], store, format)),
    tokenizer: tokenizerOf(vocabulary),
  };
};

const fromFolder: Reader = (path, open, store, format) => {
  const at = (file: string) => join(path, file);
  for (const file of ['config.json', 'tokenizer.json'])
    if (!existsSync(at(file))) throw new Error(`folder "${path}" has no ${file}`);
  const files = readdirSync(path).filter((file) => file.endsWith('.safetensors'));
  if (files.length === 0) throw new Error(`folder "${path}" has no safetensors`);
  const config = configOfHuggingFace(readJson(at('config.json')) as Record<string, unknown>);
  const readers = files.map((file) => new SafetensorsReader(open(at(file))));
  const tokenizerConfig = existsSync(at('tokenizer_config.json'))
    ? (readJson(at('tokenizer_config.json')) as object)
    : {};
  return {
    model: new LanguageModel(config, safetensorsWeights(readers, store, format)),
    tokenizer: tokenizerOfJson(readJson(at('tokenizer.json')) as object, tokenizerConfig),
  };
};
