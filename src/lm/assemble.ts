// A language model with its tokenizer from its files, wherever they lie: on disk, or in the storage
// of a page.

import { type ByteSource, decodeText, readGguf, SafetensorsReader } from '../data/index.js';
import type { QuantizedFormat } from '../quantized/index.js';
import { type Description, languageDescription, type TrainedText } from './description.js';
import { isOwnGguf, ownDescription } from './own-gguf.js';
import { configOfFields } from './runtime/families/minicpm.js';
import { generationOfGguf, generationOfHuggingFace, stopsOf } from './runtime/generation-config.js';
import { LanguageModel, type LanguageModelOptions } from './runtime/model.js';
import type { SamplingOptions } from './runtime/sampler.js';
import type { WeightStore } from './runtime/store.js';
import { namedGgufWeights, safetensorsWeights } from './runtime/weights.js';
import { type TextTokenizer, type TokenizerConfig, tokenizerOfGguf, tokenizerOfJson } from './tokenizer/index.js';
import { tokenizerOf } from './vocabulary.js';

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
  /** Budget and counters of the weights in memory, where they are read on demand. */
  readonly store?: WeightStore;
}

/** The files that a model is in. */
export interface ModelFiles {
  /** Where they lie, for errors. */
  readonly name: string;
  /** Paths of all files. */
  readonly paths: readonly string[];
  /** Opens one of them. */
  open(path: string): ByteSource;
}

/**
 * Reads a model.
 *
 * @param main its .gguf (the first, if it is split) or the file of `gossamer lm train`; undefined
 * for config.json with safetensors and tokenizer.json
 * @param options format that float matrices are quantised to (default: none), and whether the head
 * is sparse
 * @throws Error when it is none of them, or when the tokenizer has more tokens than the model.
 */
export function readLanguageModel(
  files: ModelFiles,
  main: string | undefined,
  store: WeightStore,
  options: ReadOptions = {},
): LanguageBundle {
  const read = main === undefined ? fromFolder : main.endsWith('.gguf') ? fromGguf : fromTrained;
  const { model, tokenizer, sampling = {}, trained } = read(files, main ?? '', store, options);
  if (tokenizer.size > model.config.vocabulary)
    throw new Error(
      `the tokenizer has ${tokenizer.size} tokens, the model ${model.config.vocabulary}: they do not belong together`,
    );
  return { model, tokenizer, sampling, ...(trained && { trained }) };
}

/** How `readLanguageModel` reads. */
export interface ReadOptions extends LanguageModelOptions {
  /** Format that float matrices are quantised to. Default: none. */
  readonly quantize?: QuantizedFormat;
}

type Reader = (files: ModelFiles, main: string, store: WeightStore, options: ReadOptions) => LanguageBundle;

const fromGguf: Reader = (files, main, store, options) => {
  const parts = partsOf(files, main).map((path) => readGguf(files.open(path)));
  const [first] = parts;
  if (first && isOwnGguf(first)) {
    const description = ownDescription(first);
    return described(description, new LanguageModel(description.config, namedGgufWeights(first, store), options));
  }
  const { metadata = {} } = first ?? {};
  const { sampling } = generationOfGguf(metadata);
  return { model: LanguageModel.fromGguf(parts, store, options), tokenizer: tokenizerOfGguf(metadata), sampling };
};

/**
 * The files of a split model: name-00001-of-0000N.gguf and so on.
 *
 * @throws Error when one is missing.
 */
function partsOf({ name, paths }: ModelFiles, main: string): string[] {
  const [, stem, , count] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(main) ?? [];
  if (stem === undefined) return [main];
  const parts = Array.from(
    { length: Number(count) },
    (_, i) => `${stem}-${String(i + 1).padStart(5, '0')}-of-${count}.gguf`,
  );
  const missing = parts.find((part) => !paths.includes(part));
  if (missing !== undefined)
    throw new Error(`the model is split into ${Number(count)} files, and "${name}/${missing}" is not there`);
  return parts;
}

const fromTrained: Reader = (files, main, store, options) => {
  const source = files.open(main);
  const file = new SafetensorsReader(source);
  const description = languageDescription(file.metadata, source.name);
  const weights = safetensorsWeights([file], store, options.quantize);
  return described(description, new LanguageModel(description.config, weights, options));
};

/** A model with the rest of what its file describes. */
function described(description: Description, model: LanguageModel): LanguageBundle {
  const { config: _, trained, sampling, tokenizerConfig, stops, ...vocabulary } = description;
  const tokenizer =
    'tokenizer' in vocabulary ? tokenizerOfJson(vocabulary.tokenizer, tokenizerConfig, stops) : tokenizerOf(vocabulary);
  return { model, tokenizer, ...(sampling && { sampling }), ...(trained && { trained }) };
}

const fromFolder: Reader = (files, _, store, options) => {
  const description = describeFolder(files);
  const readers = weightFilesOf(files).map((file) => new SafetensorsReader(files.open(file)));
  const weights = safetensorsWeights(readers, store, options.quantize);
  return described(description, new LanguageModel(description.config, weights, options));
};

/** What the files of a folder say beside its weights. @throws Error naming one that is missing. */
export function describeFolder(files: ModelFiles): Description {
  const { name, paths } = files;
  for (const file of ['config.json', 'tokenizer.json'])
    if (!paths.includes(file)) throw new Error(`folder "${name}" has no ${file}`);
  const fields = jsonObject(files, 'config.json');
  const generation = generationOfHuggingFace(
    paths.includes('generation_config.json') ? jsonObject(files, 'generation_config.json') : {},
  );
  return {
    config: configOfFields(fields),
    sampling: generation.sampling,
    stops: [...new Set([...generation.stops, ...stopsOf(fields, 'config.json')])],
    tokenizer: jsonObject(files, 'tokenizer.json'),
    tokenizerConfig: tokenizerConfig(files),
  };
}

const INDEX = 'model.safetensors.index.json';

/** The files with weights: those of the index, where there is one. */
function weightFilesOf(files: ModelFiles): readonly string[] {
  const { name, paths } = files;
  const all = paths.filter((path) => /^[^/]+\.safetensors$/.test(path));
  if (all.length === 0) throw new Error(`folder "${name}" has no safetensors`);
  if (!paths.includes(INDEX)) return all;
  const { weight_map: map } = jsonObject(files, INDEX);
  const listed = [...new Set(Object.values((map ?? {}) as Readonly<Record<string, unknown>>).map(String))];
  const missing = listed.find((path) => !all.includes(path));
  if (missing !== undefined) throw new Error(`folder "${name}" lacks "${missing}", which ${INDEX} lists`);
  return listed.length > 0 ? listed : all;
}

function textOf(source: ByteSource): string {
  const bytes = new Uint8Array(source.size);
  source.read(bytes, 0);
  return decodeText(bytes, source.name);
}

function jsonObject(files: ModelFiles, path: string): Readonly<Record<string, unknown>> {
  const source = files.open(path);
  let json: unknown;
  try {
    json = JSON.parse(textOf(source));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`file "${source.name}" is not JSON: ${error.message}`);
    throw error;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(`"${source.name}" holds no JSON object`);
  return json as Readonly<Record<string, unknown>>;
}

const TEMPLATES = /^additional_chat_templates\/([^/]+)\.jinja$/;

/**
 * tokenizer_config.json with the chat templates beside it: `chat_template.jinja`, and
 * `additional_chat_templates/<name>.jinja`.
 */
function tokenizerConfig(files: ModelFiles): TokenizerConfig {
  const config: TokenizerConfig = files.paths.includes('tokenizer_config.json')
    ? jsonObject(files, 'tokenizer_config.json')
    : {};
  const { chat_template: inside } = config;
  const listed = typeof inside === 'string' ? [{ name: 'default', template: inside }] : (inside ?? []);
  const beside = files.paths.flatMap((path) => {
    const name = path === 'chat_template.jinja' ? 'default' : TEMPLATES.exec(path)?.[1];
    return name === undefined ? [] : [{ name, template: textOf(files.open(path)) }];
  });
  return { ...config, chat_template: [...listed, ...beside] };
}
