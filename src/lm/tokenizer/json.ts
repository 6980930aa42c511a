// The tokenizer of Hugging Face's tokenizer.json and tokenizer_config.json.

import type { AddedToken } from './added.js';
import { assembleTokenizer, type ChatTemplates, type TokenizerParts } from './assemble.js';
import type { TextTokenizer } from './contract.js';
import { mergeRanks } from './ranks.js';
import { decoderOf, nameOf, normalizerOf, pieceBytesOf, preTokenizerOf } from './steps.js';

type TokenText = string | { readonly content: string } | null;

/** Fields of tokenizer_config.json that are read. */
export interface TokenizerConfig {
  /** Token that ends a sequence. */
  readonly eos_token?: TokenText;
  /** Token that begins a sequence. */
  readonly bos_token?: TokenText;
  /** A Jinja template, or several with names. */
  readonly chat_template?: string | readonly { readonly name: string; readonly template: string }[] | null;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The tokenizer of Hugging Face's tokenizer.json and tokenizer_config.json: byte-pair encoding.
 *
 * @param stops ids that end a text or a turn beside `eos_token`, such as `eos_token_id` of
 * generation_config.json
 * @throws Error when the first is no such tokenizer, contradicts itself, or has steps that are not
 * supported.
 */
export function tokenizerOfJson(
  json: object,
  config: TokenizerConfig = {},
  stops: readonly number[] = [],
): TextTokenizer {
  try {
    return assembleTokenizer(partsOfJson(json as Fields, config, stops));
  } catch (error) {
    throw new Error(`tokenizer.json cannot be used: ${(error as Error).message}`);
  }
}

function partsOfJson(json: Fields, config: TokenizerConfig, stops: readonly number[]): TokenizerParts {
  const { model } = json;
  if (!isFields(model)) throw new Error('it has no model');
  // Files from before the field was written have merges all the same.
  const type = model.type ?? (Array.isArray(model.merges) ? 'BPE' : 'none');
  if (type !== 'BPE') throw new Error(`its model is of type "${nameOf(type)}"; BPE is supported`);
  for (const key of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix'])
    if (model[key]) throw new Error(`"${key}" of its model is ${JSON.stringify(model[key])}, which is not supported`);
  const vocabulary = vocabularyOf(model.vocab);
  const added = addedOf(json.added_tokens);
  const idOf = (text: string) => added.find(({ content }) => content === text)?.id ?? vocabulary.get(text);
  const named = (token: TokenText | undefined, key: string) => {
    const text = typeof token === 'string' ? token : token?.content;
    if (text === undefined || text === '') return undefined;
    const id = idOf(text);
    if (id === undefined) throw new Error(`${key} of tokenizer_config.json is "${text}", which is no token`);
    return id;
  };
  const bytes = model.byte_fallback === true ? byteIds(vocabulary) : undefined;
  const unknown = typeof model.unk_token === 'string' ? idOf(model.unk_token) : undefined;
  const { begin, end } = affixesOf(json.post_processor, idOf);
  const [bos, eos] = [named(config.bos_token, 'bos_token'), named(config.eos_token, 'eos_token')];
  return {
    ...{ vocabulary, added: withRoles(added, vocabulary, [bos, eos, ...stops]), bytes, unknown },
    rank: mergeRanks(model.merges, vocabulary),
    reserved: new Set(bytes),
    ignoreMerges: model.ignore_merges === true,
    fuseUnknown: model.fuse_unk === true,
    normalize: normalizerOf(json.normalizer),
    cut: preTokenizerOf(json.pre_tokenizer),
    ...{ decode: decoderOf(json.decoder), pieceBytes: pieceBytesOf(json.decoder) },
    ...{ begin, end, bos, eos, stops, templates: templatesOf(config.chat_template) },
  };
}

/** Tokens that begin or end texts are control tokens, whatever the file says. */
function withRoles(
  added: readonly AddedToken[],
  vocabulary: ReadonlyMap<string, number>,
  roles: readonly (number | undefined)[],
): AddedToken[] {
  const known = new Set(added.map(({ id }) => id));
  const others = [...vocabulary].filter(([, id]) => roles.includes(id) && !known.has(id));
  return [
    ...added.map((token) => (roles.includes(token.id) ? { ...token, special: true } : token)),
    ...others.map(([content, id]) => ({ id, content, special: true })),
  ];
}

function vocabularyOf(given: unknown): Map<string, number> {
  if (!isFields(given)) throw new Error('its model has no vocabulary');
  const vocabulary = new Map<string, number>();
  for (const [text, id] of Object.entries(given)) {
    if (typeof id !== 'number') throw new Error(`token ${JSON.stringify(text)} has the id ${JSON.stringify(id)}`);
    vocabulary.set(text, id);
  }
  return vocabulary;
}

function addedOf(given: unknown): AddedToken[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) throw new Error('"added_tokens" is no list');
  return given.map((token: unknown, at) => {
    const { id, content, ...fields } = isFields(token) ? token : {};
    if (typeof id !== 'number' || typeof content !== 'string')
      throw new Error(`added_tokens[${at}] lacks an id or its content`);
    const flag = (key: string) => fields[key] === true;
    const [lstrip, rstrip] = [flag('lstrip'), flag('rstrip')];
    return { id, content, special: flag('special'), singleWord: flag('single_word'), lstrip, rstrip };
  });
}

function byteIds(vocabulary: ReadonlyMap<string, number>): number[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const text = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    const id = vocabulary.get(text);
    if (id === undefined) throw new Error(`it falls back to bytes, and has no token "${text}"`);
    return id;
  });
}

/** Tokens that the post-processor puts before and after a text. */
function affixesOf(given: unknown, idOf: (text: string) => number | undefined): { begin: number[]; end: number[] } {
  const idsOf = (text: unknown): number => {
    const id = idOf(nameOf(text));
    if (id === undefined) throw new Error(`its post_processor adds "${nameOf(text)}", which is no token`);
    return id;
  };
  if (given === undefined || given === null) return { begin: [], end: [] };
  const fields = isFields(given) ? given : {};
  switch (fields.type) {
    case 'ByteLevel':
      return { begin: [], end: [] };
    case 'BertProcessing':
    case 'RobertaProcessing': {
      const [cls, sep] = [fields.cls, fields.sep].map((pair) => idsOf((pair as readonly unknown[] | undefined)?.[0]));
      return { begin: [cls as number], end: [sep as number] };
    }
    case 'TemplateProcessing':
      return templateAffixes(fields.single, idsOf);
    case 'Sequence': {
      const all = Array.isArray(fields.processors) ? fields.processors : [];
      if (all.some((one) => isFields(one) && one.type === 'Sequence')) throw new Error('its post_processor nests');
      const affixes = all.map((one) => affixesOf(one, idOf));
      return { begin: affixes.flatMap(({ begin }) => begin), end: affixes.flatMap(({ end }) => end) };
    }
    default:
      throw new Error(`a post_processor of type "${nameOf(fields.type)}" is not supported`);
  }
}

function templateAffixes(given: unknown, idsOf: (text: unknown) => number): { begin: number[]; end: number[] } {
  const items = Array.isArray(given) ? (given as Fields[]) : [];
  const isText = (item: Fields) => isFields(item) && 'Sequence' in item;
  const at = items.findIndex(isText);
  if (at < 0 || items.filter(isText).length !== 1) throw new Error('its post_processor has no place for one text');
  const ids = (part: readonly Fields[]) =>
    part.map((item) => idsOf((isFields(item) && isFields(item.SpecialToken) ? item.SpecialToken : {}).id));
  return { begin: ids(items.slice(0, at)), end: ids(items.slice(at + 1)) };
}

/** Templates by name from `chat_template`. */
function templatesOf(given: TokenizerConfig['chat_template']): ChatTemplates {
  if (given === undefined || given === null) return {};
  if (typeof given === 'string') return { default: given };
  if (!Array.isArray(given)) throw new Error('chat_template of tokenizer_config.json is neither text nor list');
  return Object.fromEntries(
    given.map(({ name, template }) => {
      if (typeof name !== 'string' || typeof template !== 'string')
        throw new Error('chat_template of tokenizer_config.json has an entry without name or template');
      return [name, template];
    }),
  );
}
