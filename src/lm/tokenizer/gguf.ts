// The tokenizer in the metadata of a GGUF file.

import type { GgufValue } from '../../data/index.js';
import type { AddedToken } from './added.js';
import { assembleTokenizer, type ChatTemplates, type TokenizerParts } from './assemble.js';
import type { TextTokenizer } from './contract.js';
import { preTokenizationOf } from './cuts.js';
import type { Rank } from './merges.js';
import { mergeRanks } from './ranks.js';
import { decoderOf, normalizerOf, pieceBytesOf, preTokenizerOf } from './steps.js';

type Metadata = Readonly<Record<string, GgufValue>>;

/** Kinds of tokens in `tokenizer.ggml.token_type`. */
const [UNKNOWN, CONTROL, USER_DEFINED, BYTE] = [2, 3, 4, 6];

/** What the file says of its tokens. */
interface Vocabulary {
  readonly tokens: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
  readonly kinds: readonly number[];
}

/**
 * The tokenizer in the metadata of a GGUF file: byte-level BPE (`gpt2`), or SentencePiece BPE
 * (`llama`).
 *
 * @throws Error when there is no tokenizer, one of another kind, one whose pre-tokenisation is not
 * known, or one that contradicts itself.
 */
export function tokenizerOfGguf(metadata: Metadata): TextTokenizer {
  const model = metadata['tokenizer.ggml.model'];
  if (model === undefined || !Array.isArray(metadata['tokenizer.ggml.tokens']))
    throw new Error('the file has no tokenizer');
  if (model !== 'gpt2' && model !== 'llama')
    throw new Error(`the file's tokenizer is of kind "${String(model)}"; gpt2 and llama are supported`);
  const vocabulary = vocabularyOf(metadata);
  const id = (key: string): number | undefined => {
    const value = metadata[`tokenizer.ggml.${key}`];
    if (value === undefined) return undefined;
    const found = Number(value);
    if (!(Number.isInteger(found) && found >= 0 && found < vocabulary.tokens.length))
      throw new Error(`"tokenizer.ggml.${key}" is ${String(value)}; the file has ${vocabulary.tokens.length} tokens`);
    return found;
  };
  const [bos, eos] = [id('bos_token_id'), id('eos_token_id')];
  const stops = [id('eot_token_id'), id('eom_token_id')].filter((one) => one !== undefined);
  const roles = new Set([bos, eos, ...stops, id('unknown_token_id')]);
  const added = addedOf(vocabulary, roles);
  const { addBos, ...own } =
    model === 'gpt2' ? byteLevel(metadata, vocabulary) : sentencePiece(metadata, vocabulary, added, id);
  const flag = (key: string, fallback: boolean) => {
    const value = metadata[`tokenizer.ggml.${key}`] ?? fallback;
    if (typeof value !== 'boolean') throw new Error(`"tokenizer.ggml.${key}" is ${String(value)}, not true or false`);
    return value;
  };
  const only = (wanted: boolean, one: number | undefined) => (wanted && one !== undefined ? [one] : []);
  return assembleTokenizer({
    ...own,
    ...{ vocabulary: vocabulary.ids, added, bos, eos, stops, templates: templatesOf(metadata) },
    begin: only(flag('add_bos_token', addBos), bos),
    end: only(flag('add_eos_token', false), eos),
  });
}

function vocabularyOf(metadata: Metadata): Vocabulary {
  const tokens = metadata['tokenizer.ggml.tokens'] as readonly string[];
  const kinds = (metadata['tokenizer.ggml.token_type'] ?? []) as readonly number[];
  if (!Array.isArray(kinds) || (kinds.length > 0 && kinds.length !== tokens.length))
    throw new Error(`the file has ${tokens.length} tokens, and "tokenizer.ggml.token_type" of another length`);
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    if (typeof token !== 'string') throw new Error(`token ${id} of the file is no text`);
    // An empty token is a gap.
    if (token === '') return;
    const other = ids.get(token);
    if (other !== undefined) throw new Error(`tokens ${other} and ${id} of the file are both ${JSON.stringify(token)}`);
    ids.set(token, id);
  });
  return { tokens, ids, kinds: kinds.map(Number) };
}

/** Control and user-defined tokens; those with a role are control tokens, whatever their kind. */
function addedOf({ ids, kinds }: Vocabulary, roles: ReadonlySet<number | undefined>): AddedToken[] {
  return [...ids].flatMap(([content, id]) => {
    const kind = kinds[id];
    const special = kind === CONTROL || kind === UNKNOWN || roles.has(id);
    return special || kind === USER_DEFINED ? [{ id, content, special }] : [];
  });
}

type Own = Pick<
  TokenizerParts,
  | 'rank'
  | 'reserved'
  | 'normalize'
  | 'cut'
  | 'decode'
  | 'pieceBytes'
  | 'ignoreMerges'
  | 'bytes'
  | 'unknown'
  | 'fuseUnknown'
> & { readonly addBos: boolean };

function byteLevel(metadata: Metadata, { ids }: Vocabulary): Own {
  const merges = metadata['tokenizer.ggml.merges'];
  if (!Array.isArray(merges)) throw new Error('the file has no "tokenizer.ggml.merges"');
  const { patterns, ignoreMerges = false, addBos = false } = preTokenizationOf(metadata['tokenizer.ggml.pre']);
  const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
  const splits = patterns.map((pattern) => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated' }));
  return {
    ...{ ignoreMerges, addBos, reserved: new Set<number>() },
    rank: mergeRanks(merges, ids),
    normalize: normalizerOf(null),
    cut: preTokenizerOf({ type: 'Sequence', pretokenizers: [...splits, bytes] }),
    ...{ decode: decoderOf(bytes), pieceBytes: pieceBytesOf(bytes) },
  };
}

/**
 * SentencePiece: two pieces merge if together they are a token, the token of the highest score
 * first. Spaces are ▁, with one before the text and after each control token.
 */
function sentencePiece(
  metadata: Metadata,
  { ids, kinds, tokens }: Vocabulary,
  added: readonly AddedToken[],
  id: (key: string) => number | undefined,
): Own {
  const scores = metadata['tokenizer.ggml.scores'] as readonly number[] | undefined;
  if (!Array.isArray(scores) || scores.length !== tokens.length)
    throw new Error(`the file has ${tokens.length} tokens, and "tokenizer.ggml.scores" of another length`);
  const bytes = byteIds(ids, kinds);
  const longest = [...ids.keys()].reduce((most, { length }) => Math.max(most, length), 0);
  const rank: Rank = (left, right) => {
    if (left.length + right.length > longest) return undefined;
    const token = ids.get(left + right);
    return token === undefined ? undefined : -Number(scores[token]);
  };
  const prefixed = metadata['tokenizer.ggml.add_space_prefix'] ?? true;
  const unknown = id('unknown_token_id') ?? added.find((token) => kinds[token.id] === UNKNOWN)?.id;
  const decoder = {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
    ],
  };
  return {
    ...{ rank, bytes, unknown, fuseUnknown: true, addBos: true },
    reserved: new Set(bytes ?? []),
    normalize: normalizerOf({
      type: 'Sequence',
      normalizers: [
        ...(prefixed ? [{ type: 'Prepend', prepend: '▁' }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    }),
    cut: preTokenizerOf(null),
    ...{ decode: decoderOf(decoder), pieceBytes: pieceBytesOf(decoder) },
  };
}

/** Ids of the 256 bytes; undefined when the file has none. @throws Error when some are missing. */
function byteIds(ids: ReadonlyMap<string, number>, kinds: readonly number[]): number[] | undefined {
  const found = Array.from({ length: 256 }, (_, byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
  const missing = found.indexOf(undefined);
  if (missing < 0) return found as number[];
  if (kinds.includes(BYTE)) throw new Error(`the file has tokens for bytes, but none for byte ${missing}`);
  return undefined;
}

function templatesOf(metadata: Metadata): ChatTemplates {
  const prefix = 'tokenizer.chat_template';
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([key, value]) => {
      const name = key === prefix ? 'default' : key.startsWith(`${prefix}.`) ? key.slice(prefix.length + 1) : undefined;
      return name === undefined || typeof value !== 'string' ? [] : [[name, value]];
    }),
  );
}
