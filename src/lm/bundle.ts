// Loads a language model with its tokenizer from GGUF, a Hugging Face folder, or a file of
// `gossamer lm train`.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type ModelKind, modelDescription, readGguf, SafetensorsReader, writeModelFile } from '../data/index.js';
import { type FileBytes, openBytes, readJson, readText } from '../data/node.js';
import { Decoder } from '../models/index.js';
import { stateOf, type Weights } from '../nn/index.js';
import type { QuantizedFormat } from '../quantized/index.js';
import { configOfHuggingFace, type LanguageModelConfig } from './runtime/config.js';
import { generationOfGguf, generationOfHuggingFace, stopsOf } from './runtime/generation-config.js';
import { LanguageModel } from './runtime/model.js';
import type { SamplingOptions } from './runtime/sampler.js';
import { WeightStore } from './runtime/store.js';
import { safetensorsWeights } from './runtime/weights.js';
import { type TextTokenizer, type TokenizerConfig, tokenizerOfGguf, tokenizerOfJson } from './tokenizer/index.js';
import { tokenizerOf, type Vocabulary } from './vocabulary.js';

/** A language model with its tokenizer. */
export interface LanguageBundle {
  /** The decoder. */
  readonly model: LanguageModel;
  /** The model's tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** How the model's files say that it is sampled; `generate` takes them. Default: none. */
  readonly sampling?: SamplingOptions;
  /** What the model was trained on, where its file says so. */
  readonly trained?: TrainedText;
}

/** What a saved language model was trained on. */
export interface TrainedText {
  /** Name of the text. */
  readonly data: string;
  /** Tokens of the training. */
  readonly tokens: number;
  /** Mean negative log-likelihood of a validation token, in nats. */
  readonly loss: number;
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

type Description = { readonly config: LanguageModelConfig; readonly trained?: TrainedText } & Vocabulary;

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
    const { model, tokenizer, sampling = {}, trained } = read(path, open, store, quantize);
    if (tokenizer.size > model.config.vocabulary)
      throw new Error(
        `the tokenizer has ${tokenizer.size} tokens, the model ${model.config.vocabulary}: they do not belong together`,
      );
    if (onProgress) model.load(onProgress);
    return { model, tokenizer, sampling, ...(trained && { trained }), store, close };
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
  const { metadata = {} } = files[0] ?? {};
  const { sampling } = generationOfGguf(metadata);
  return { model: LanguageModel.fromGguf(files, store), tokenizer: tokenizerOfGguf(metadata), sampling };
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
  const { config, trained, ...vocabulary } = modelDescription<Description>(LANGUAGE_MODEL, file.metadata, path);
  return {
    model: new LanguageModel(config, safetensorsWeights([file], store, format)),
    tokenizer: tokenizerOf(vocabulary),
    ...(trained && { trained }),
  };
};

const fromFolder: Reader = (path, open, store, format) => {
  const at = (file: string) => join(path, file);
  for (const file of ['config.json', 'tokenizer.json'])
    if (!existsSync(at(file))) throw new Error(`folder "${path}" has no ${file}`);
  const files = readdirSync(path).filter((file) => file.endsWith('.safetensors'));
  if (files.length === 0) throw new Error(`folder "${path}" has no safetensors`);
  const object = (file: string) => (existsSync(at(file)) ? jsonObject(at(file)) : {});
  const fields = jsonObject(at('config.json'));
  const generation = generationOfHuggingFace(object('generation_config.json'));
  const stops = [...new Set([...generation.stops, ...stopsOf(fields, 'config.json')])];
  const readers = files.map((file) => new SafetensorsReader(open(at(file))));
  return {
    model: new LanguageModel(configOfHuggingFace(fields), safetensorsWeights(readers, store, format)),
    tokenizer: tokenizerOfJson(jsonObject(at('tokenizer.json')), tokenizerConfig(path), stops),
    sampling: generation.sampling,
  };
};

function jsonObject(path: string): Readonly<Record<string, unknown>> {
  const json = readJson(path);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(`"${path}" holds no JSON object`);
  return json as Readonly<Record<string, unknown>>;
}

/**
 * tokenizer_config.json with the chat templates beside it: `chat_template.jinja`, and
 * `additional_chat_templates/<name>.jinja`.
 */
function tokenizerConfig(folder: string): TokenizerConfig {
  const at = (file: string) => join(folder, file);
  const config: TokenizerConfig = existsSync(at('tokenizer_config.json'))
    ? jsonObject(at('tokenizer_config.json'))
    : {};
  const { chat_template: inside } = config;
  const listed = typeof inside === 'string' ? [{ name: 'default', template: inside }] : (inside ?? []);
  const others = at('additional_chat_templates');
  const files = [
    ...(existsSync(at('chat_template.jinja')) ? [['default', at('chat_template.jinja')] as const] : []),
    ...(existsSync(others) ? readdirSync(others) : [])
      .filter((file) => file.endsWith('.jinja'))
      .map((file) => [basename(file, '.jinja'), join(others, file)] as const),
  ];
  const beside = files.map(([name, file]) => ({ name, template: readText(file) }));
  return { ...config, chat_template: [...listed, ...beside] };
}
