// A language model with its tokenizer, from any of the files that there are.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readGguf, readSafetensors, writeSafetensors } from '../data/index.js';
import { readBytes, readJson } from '../data/node.js';
import type { Decoder, DecoderOptions } from '../models/index.js';
import { stateOf, type Weights } from '../nn/index.js';
import { configOfHuggingFace, type LanguageModelConfig } from './runtime/config.js';
import { LanguageModel } from './runtime/model.js';
import { namedWeights } from './runtime/weights.js';
import { characterTokenizer, type TextTokenizer, tokenizerOfGguf, tokenizerOfJson } from './tokenizer.js';

export interface LanguageBundle {
  readonly model: LanguageModel;
  readonly tokenizer: TextTokenizer;
}

const KEY = 'gossamer-lm';

interface Description {
  readonly config: LanguageModelConfig;
  readonly characters: readonly string[];
}

/** A file of a decoder that was trained on characters. */
export function saveCharacterModel(
  model: Decoder,
  options: DecoderOptions,
  characters: readonly string[],
  context: number,
): Uint8Array {
  const { vocabulary, features, layers, heads, keyHeads = heads, headDim = features / heads } = options;
  const config: LanguageModelConfig = {
    ...{ architecture: 'llama', vocabulary, features, layers, heads, keyHeads, headDim, context },
    hidden: options.hidden ?? Math.ceil(features / 3) * 8,
    ropeBase: options.ropeBase ?? 10000,
    interleaved: false,
    epsilon: options.epsilon ?? 1e-6,
    window: options.window ?? 0,
  };
  return writeSafetensors(stateOf(model), { [KEY]: JSON.stringify({ config, characters } satisfies Description) });
}

/**
 * Reads a GGUF file, a model of `gossamer lm train`, or a folder with config.json, safetensors and tokenizer.json.
 *
 * @throws Error when the path is none of them, or the tokenizer has more tokens than the model.
 */
export function loadLanguageModel(path: string): LanguageBundle {
  const bundle = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? fromFolder(path) : fromFile(path);
  const { model, tokenizer } = bundle;
  if (tokenizer.size > model.config.vocabulary)
    throw new Error(
      `the tokenizer has ${tokenizer.size} tokens, the model ${model.config.vocabulary}: they do not belong together`,
    );
  return bundle;
}

function fromFile(path: string): LanguageBundle {
  const bytes = readBytes(path);
  if (path.endsWith('.gguf')) {
    const file = readGguf(bytes, path);
    return { model: LanguageModel.fromGguf(file), tokenizer: tokenizerOfGguf(file.metadata) };
  }
  const { tensors, metadata } = readSafetensors(bytes, path);
  const text = metadata[KEY];
  if (text === undefined)
    throw new Error(`file "${path}" is no model of gossamer lm train; give a .gguf file, or a folder with config.json`);
  const { config, characters } = JSON.parse(text) as Description;
  return { model: new LanguageModel(config, namedWeights(tensors)), tokenizer: characterTokenizer(characters) };
}

function fromFolder(path: string): LanguageBundle {
  const at = (file: string) => join(path, file);
  for (const file of ['config.json', 'tokenizer.json'])
    if (!existsSync(at(file))) throw new Error(`folder "${path}" has no ${file}`);
  const files = readdirSync(path).filter((file) => file.endsWith('.safetensors'));
  if (files.length === 0) throw new Error(`folder "${path}" has no safetensors`);
  const weights: Weights = Object.assign(
    {},
    ...files.map((file) => readSafetensors(readBytes(at(file)), file).tensors),
  );
  const config = configOfHuggingFace(readJson(at('config.json')) as Record<string, unknown>);
  const tokenizerConfig = existsSync(at('tokenizer_config.json'))
    ? (readJson(at('tokenizer_config.json')) as object)
    : {};
  return {
    model: new LanguageModel(config, namedWeights(weights)),
    tokenizer: tokenizerOfJson(readJson(at('tokenizer.json')) as object, tokenizerConfig),
  };
}
