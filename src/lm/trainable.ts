// A language model from a file as a decoder that can be trained: f32, with a way back into a file.

import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsReader, writeModelFile, writeSafetensors } from '../data/index.js';
import { openBytes, readJson, writeFileAtomic } from '../data/node.js';
import { tensorMemoryBudget } from '../engine/index.js';
import type { Decoder } from '../models/index.js';
import { loadState, type Weights } from '../nn/index.js';
import type { QuantizedFormat } from '../quantized/index.js';
import { Random } from '../tensor/index.js';
import { describeFolder } from './assemble.js';
import { loadLanguageModel, openFiles } from './bundle.js';
import { decoderOf } from './decoder.js';
import { type Description, LANGUAGE_MODEL, languageDescription } from './description.js';
import { writeOwnGguf } from './own-gguf.js';
import type { LanguageModelConfig } from './runtime/config.js';
import { decoderState, safetensorsWeights } from './runtime/weights.js';
import type { TextTokenizer } from './tokenizer/index.js';

/** A language model to be trained or changed. */
export interface TrainableModel {
  /** The decoder, in f32. */
  readonly model: Decoder;
  /** The configuration of `model`. */
  readonly config: LanguageModelConfig;
  /** The model's tokenizer. */
  readonly tokenizer: TextTokenizer;
  /**
   * Writes weights of a changed configuration in the form of the original, a file of
   * `gossamer lm train` or a folder with its tokenizer beside them; or as GGUF, of Gossamer's own
   * architecture, where `out` ends in .gguf.
   *
   * @param format of the matrices in GGUF. Default: float32
   */
  save(out: string, config: LanguageModelConfig, state: Weights, loss: number, format?: QuantizedFormat): void;
}

/** Files of a folder that belong to its tokenizer and its ways of sampling. */
const besideWeights =
  /^(tokenizer|vocab|merges|special_tokens|added_tokens|chat_template|generation_config|additional_)/;

/**
 * Opens a model of `gossamer lm train`, or a folder with config.json, safetensors and
 * tokenizer.json.
 *
 * @throws Error when the path is neither, or when its weights in f32 exceed tensor memory.
 */
export function loadTrainable(path: string): TrainableModel {
  if (path.endsWith('.gguf'))
    throw new Error(`"${path}" is quantised; take the folder with safetensors that it was made from`);
  const bundle = loadLanguageModel(path);
  const { config } = bundle.model;
  const { tokenizer } = bundle;
  bundle.close();
  const isFolder = statSync(path).isDirectory();
  const names = isFolder ? readdirSync(path).filter((file) => file.endsWith('.safetensors')) : [''];
  const files = names.map((name) => openBytes(isFolder ? join(path, name) : path));
  try {
    const readers = files.map((file) => new SafetensorsReader(file));
    const total = readers
      .flatMap(({ shapes }) => [...shapes.values()])
      .reduce((sum, shape) => sum + shape.reduce((size, n) => size * n, 4), 0);
    if (total > tensorMemoryBudget())
      throw new Error(
        `"${path}" takes ${(total / 2 ** 30).toFixed(1)} GiB in f32, and tensors have ${(tensorMemoryBudget() / 2 ** 30).toFixed(1)}`,
      );
    const state = decoderState(safetensorsWeights(readers), config);
    const own = { ...config, tied: !('lmHead.weight' in state) };
    const model = decoderOf(own, new Random(0));
    loadState(model, state);
    const metadata = readers[0]?.metadata ?? {};
    const save = isFolder ? folderWriter(path) : fileWriter(path, metadata);
    const describe = (): Description => (isFolder ? folderDescription(path) : languageDescription(metadata, path));
    return {
      ...{ model, config: own, tokenizer },
      save: (out, changed, weights, loss, format) => {
        if (!out.endsWith('.gguf')) return save(out, changed, weights, loss);
        const description = { ...describe(), config: changed };
        writeFileAtomic(out, writeOwnGguf(retrained(description, loss), weights, format));
      },
    };
  } finally {
    for (const file of files) file.close();
  }
}

function folderDescription(path: string): Description {
  const { files, close } = openFiles(path);
  try {
    return describeFolder(files);
  } finally {
    close();
  }
}

function fileWriter(path: string, metadata: Readonly<Record<string, string>>): TrainableModel['save'] {
  const description = languageDescription(metadata, path);
  return (out, config, state, loss) =>
    writeFileAtomic(out, writeModelFile(LANGUAGE_MODEL, retrained({ ...description, config }, loss), state));
}

/** A description with another validation loss, where it has one. */
const retrained = (description: Description, loss: number): Description =>
  description.trained ? { ...description, trained: { ...description.trained, loss } } : description;

const folderWriter =
  (path: string): TrainableModel['save'] =>
  (out, { experts }, state) => {
    if (existsSync(join(out, 'config.json'))) throw new Error(`folder "${out}" holds a model already`);
    mkdirSync(out, { recursive: true });
    for (const name of readdirSync(path).filter((file) => besideWeights.test(file)))
      cpSync(join(path, name), join(out, name), { recursive: true });
    writeFileAtomic(join(out, 'model.safetensors'), writeSafetensors(state));
    const merged = { groups: experts?.groups, rank: experts?.rank };
    const fields = { ...(readJson(join(path, 'config.json')) as object), merged_experts: merged };
    writeFileAtomic(join(out, 'config.json'), `${JSON.stringify(fields, null, 2)}\n`);
  };
