// Text to tokens and back: characters, Hugging Face's tokenizer.json, or the vocabulary in a GGUF
// file.

import { Tokenizer } from '@huggingface/tokenizers';
import { CharacterVocabulary, type GgufValue } from '../data/index.js';
import { bytesOfTokens } from './token-bytes.js';

/** Converts text to token ids and back. */
export interface TextTokenizer {
  /** Size of the vocabulary. */
  readonly size: number;
  /** End-of-sequence token ids. */
  readonly stopTokens: readonly number[];
  /**
   * The token ids of a text.
   *
   * @param special whether to add the beginning- and end-of-sequence tokens of the model
   */
  encode(text: string, special?: boolean): number[];
  /** The text of token ids; special tokens give no text. */
  decode(tokens: readonly number[]): string;
  /** The bytes that a token stands for, parts of characters too. Default: those of its text. */
  bytesOf?(token: number): readonly number[];
  /** Jinja chat template; ChatML is used when left out. */
  readonly chatTemplate?: string;
  /** Texts of the beginning- and end-of-sequence tokens, for chat templates. */
  readonly specialTexts?: { readonly bos: string; readonly eos: string };
}

/** A character-level tokenizer without special tokens. */
export function characterTokenizer(characters: Iterable<string>): TextTokenizer {
  const vocabulary = new CharacterVocabulary(characters);
  return {
    size: vocabulary.size,
    stopTokens: [],
    encode: (text) => Array.from(vocabulary.encode(text)),
    decode: (tokens) => vocabulary.decode(tokens),
  };
}

interface TokenizerConfig {
  readonly eos_token?: string | { readonly content: string } | null;
  readonly bos_token?: string | { readonly content: string } | null;
  readonly chat_template?: string;
}

/**
 * The tokenizer of Hugging Face's tokenizer.json and tokenizer_config.json.
 *
 * @throws Error when the first is not a tokenizer.
 */
export function tokenizerOfJson(json: object, config: TokenizerConfig = {}): TextTokenizer {
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(json, config);
  } catch (error) {
    throw new Error(`tokenizer.json cannot be used: ${(error as Error).message}`);
  }
  const textOf = (token: TokenizerConfig['eos_token']) => (typeof token === 'string' ? token : (token?.content ?? ''));
  const [bos, eos] = [textOf(config.bos_token), textOf(config.eos_token)];
  const stops = [eos, '<|im_end|>', '<|endoftext|>', '<|eot_id|>', '</s>'].flatMap(
    (text) => tokenizer.token_to_id(text) ?? [],
  );
  const bytesOf = bytesOfTokens(json);
  return {
    size: tokenizer.get_vocab(true).size,
    ...(bytesOf && { bytesOf: (token) => bytesOf(tokenizer.id_to_token(token) ?? '') }),
    stopTokens: [...new Set(stops)],
    encode: (text, special = true) => tokenizer.encode(text, { add_special_tokens: special }).ids,
    decode: (tokens) =>
      tokens.length === 0
        ? ''
        : tokenizer.decode([...tokens], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    specialTexts: { bos, eos },
    ...(config.chat_template !== undefined && { chatTemplate: config.chat_template }),
  };
}

/** GGUF token types that are matched before all others: control and user-defined. */
const SPECIAL = [3, 4];

/** Pre-tokenisation patterns by llama.cpp's names. */
const cuts: Readonly<Record<string, string>> = {
  qwen2:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  'llama-bpe':
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

/**
 * The tokenizer in the metadata of a GGUF file: byte-level BPE (`gpt2`), or SentencePiece BPE
 * (`llama`).
 *
 * @throws Error when there is no tokenizer, or one of another kind.
 */
export function tokenizerOfGguf(metadata: Readonly<Record<string, GgufValue>>): TextTokenizer {
  const model = metadata['tokenizer.ggml.model'];
  const tokens = metadata['tokenizer.ggml.tokens'] as readonly string[] | undefined;
  if (model === undefined || !Array.isArray(tokens)) throw new Error('the file has no tokenizer');
  if (model !== 'gpt2' && model !== 'llama')
    throw new Error(`the file's tokenizer is of kind "${String(model)}"; gpt2 and llama are supported`);
  const kinds = (metadata['tokenizer.ggml.token_type'] ?? []) as readonly number[];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const added = tokens.flatMap((content, id) =>
    SPECIAL.includes(Number(kinds[id]))
      ? [
          {
            id,
            content,
            special: Number(kinds[id]) === 3,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
          },
        ]
      : [],
  );
  const json = model === 'gpt2' ? byteLevel(metadata, vocab) : sentencePiece(metadata, vocab, tokens);
  const id = (key: string) =>
    metadata[`tokenizer.ggml.${key}`] === undefined ? undefined : Number(metadata[`tokenizer.ggml.${key}`]);
  const [bosId, eosId] = [id('bos_token_id'), id('eos_token_id')];
  const textAt = (at: number | undefined) => (at === undefined ? '' : (tokens[at] ?? ''));
  const template = metadata['tokenizer.chat_template'];
  const inner = tokenizerOfJson(
    { version: '1.0', added_tokens: added, ...json },
    {
      eos_token: textAt(eosId),
      bos_token: textAt(bosId),
      ...(typeof template === 'string' && { chat_template: template }),
    },
  );
  const begins = metadata['tokenizer.ggml.add_bos_token'] ?? model === 'llama';
  return {
    ...inner,
    stopTokens: [...new Set([...(eosId === undefined ? [] : [eosId]), ...inner.stopTokens])],
    encode: (text, special = true) => {
      const ids = inner.encode(text, false);
      return special && begins && bosId !== undefined && ids[0] !== bosId ? [bosId, ...ids] : ids;
    },
  };
}

function byteLevel(metadata: Readonly<Record<string, GgufValue>>, vocab: Readonly<Record<string, number>>) {
  const merges = metadata['tokenizer.ggml.merges'] as readonly string[] | undefined;
  if (!Array.isArray(merges)) throw new Error('the file has no "tokenizer.ggml.merges"');
  const cut = cuts[String(metadata['tokenizer.ggml.pre'])];
  const byteLevelStep = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: false,
    use_regex: cut === undefined,
  };
  return {
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...(cut === undefined ? [] : [{ type: 'Split', pattern: { Regex: cut }, behavior: 'Isolated', invert: false }]),
        byteLevelStep,
      ],
    },
    post_processor: null,
    decoder: byteLevelStep,
    model: { type: 'BPE', vocab, merges, byte_fallback: false, ignore_merges: false },
  };
}

/**
 * GGUF stores scores instead of merges: every split of a token into two tokens is a merge, by
 * falling score.
 */
function sentencePiece(
  metadata: Readonly<Record<string, GgufValue>>,
  vocab: Readonly<Record<string, number>>,
  tokens: readonly string[],
) {
  const scores = (metadata['tokenizer.ggml.scores'] ?? []) as readonly number[];
  const merges = tokens.flatMap((token, id) => {
    const characters = Array.from(token);
    return Array.from(
      { length: Math.max(0, characters.length - 1) },
      (_, i) => [characters.slice(0, i + 1).join(''), characters.slice(i + 1).join('')] as const,
    )
      .filter(([a, b]) => Object.hasOwn(vocab, a) && Object.hasOwn(vocab, b))
      .map((pair) => ({
        pair,
        score: Number(scores[id] ?? 0),
        order: (vocab[pair[0]] as number) * tokens.length + (vocab[pair[1]] as number),
      }));
  });
  merges.sort((a, b) => b.score - a.score || a.order - b.order);
  const prefixed = metadata['tokenizer.ggml.add_space_prefix'] ?? true;
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(prefixed ? [{ type: 'Prepend', prepend: '▁' }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      vocab,
      merges: merges.map(({ pair }) => pair.join(' ')),
      byte_fallback: true,
      unk_token: '<unk>',
      fuse_unk: true,
      ignore_merges: false,
    },
  };
}

/**
 * Incremental detokenisation: bytes of an incomplete character are held back. Only the latest
 * tokens are decoded again, together with the last emitted ones, since leading spaces depend on the
 * tokens before.
 */
export class TextStream {
  #tokens: number[] = [];
  /** How many of `#tokens` were emitted already. */
  #given = 0;

  constructor(readonly tokenizer: Pick<TextTokenizer, 'decode'>) {}

  #added(): string {
    const before = this.tokenizer.decode(this.#tokens.slice(0, this.#given));
    return this.tokenizer.decode(this.#tokens).slice(before.length);
  }

  /** The text that a token adds; may be empty. */
  push(token: number): string {
    this.#tokens.push(token);
    const text = this.#added();
    // Bytes of an unfinished character decode to the replacement character.
    if (text === '' || text.endsWith('\uFFFD')) return '';
    this.#tokens = this.#tokens.slice(this.#given);
    this.#given = this.#tokens.length;
    return text;
  }

  /** The text still held back when generation ends. */
  end(): string {
    const text = this.#added();
    this.#given = this.#tokens.length;
    return text;
  }
}
