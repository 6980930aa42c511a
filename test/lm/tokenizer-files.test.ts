import { describe, expect, test } from 'vitest';
import { byteCharacters, preTokenizations, tokenizerOfGguf, tokenizerOfJson } from '../../src/lm/index.js';

const bytes = byteCharacters();
const vocab = Object.fromEntries(bytes.map((text, id) => [text, id]));
const step = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true };
const model = { type: 'BPE', vocab, merges: [] as unknown };
const json = {
  added_tokens: [] as unknown,
  normalizer: null,
  pre_tokenizer: step,
  post_processor: null,
  decoder: step,
  model,
};
const refused = (change: object, reason: string) =>
  expect(() => tokenizerOfJson({ ...json, ...change })).toThrow(`tokenizer.json cannot be used: ${reason}`);

/** Tokens for every prefix of a word, so that each word becomes one token: what a cut gives. */
function wordsOf(pre: string, text: string): string[] {
  const pieces = new Set(bytes);
  const merges: string[] = [];
  const characters = Array.from(new TextEncoder().encode(text), (byte) => bytes[byte] as string);
  for (let from = 0; from < characters.length; from++)
    for (let to = from + 2; to <= characters.length; to++) {
      const [left, right] = [characters.slice(from, to - 1).join(''), characters[to - 1] as string];
      if (pieces.has(left + right)) continue;
      pieces.add(left + right);
      merges.push(`${left} ${right}`);
    }
  const tokens = [...pieces];
  const tokenizer = tokenizerOfGguf({
    ...{ 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': pre, 'tokenizer.ggml.tokens': tokens },
    ...{ 'tokenizer.ggml.merges': merges, 'tokenizer.ggml.add_bos_token': false },
  });
  return tokenizer.encode(text).map((id) => tokenizer.decode([id]));
}

describe('pre-tokenisation by the names of GGUF files', () => {
  const expected: Readonly<Record<string, readonly [text: string, words: readonly string[]][]>> = {
    'gpt-2': [["I've 123  x!", ['I', "'ve", ' 123', ' ', ' x', '!']]],
    starcoder: [['a 12b', ['a', ' ', '1', '2', 'b']]],
    smollm: [['a 12b', ['a', ' ', '1', '2', 'b']]],
    'llama-bpe': [
      ["I'VE 1234\n\n x", ['I', "'VE", ' ', '123', '4', '\n\n', ' x']],
      ['(a)b!!\n', ['(a', ')b', '!!\n']],
    ],
    qwen2: [["I'VE 12", ['I', "'VE", ' ', '1', '2']]],
    'deepseek-r1-qwen': [['x 12', ['x', ' ', '1', '2']]],
    qwen35: [['e\u0301a', ['e\u0301a']]],
    tekken: [['helloWorld IPhone 12/', ['hello', 'World', ' IPhone', ' ', '1', '2', '/']]],
    'gpt-4o': [["helloWorld's 1234/", ['hello', "World's", ' ', '123', '4', '/']]],
    'kimi-k2': [['helloWorld漢字a', ['hello', 'World', '漢字', 'a']]],
    'deepseek-v3': [['1234漢字a $b', ['123', '4', '漢字', 'a', ' $', 'b']]],
    'deepseek-llm': [['ab12 漢\n', ['ab', '12', ' ', '漢', '\n']]],
    'deepseek-coder': [['ab12 c!', ['ab', '1', '2', ' c', '!']]],
    falcon: [['a1234 b+c', ['a', '123', '4', ' b', '+', 'c']]],
    bloom: [['a1, b', ['a1', ',', ' b']]],
    viking: [['a12, b', ['a', '1', '2', ',', ' b']]],
    bailingmoe: [["I'LL 12\n\n", ['I', "'LL", ' ', '1', '2', '\n\n']]],
    'seed-coder': [['a!\n', ['a', '!', '\n']]],
    superbpe: [['ab 1234567 c', ['ab ', '1', '234', '567', ' c']]],
    tiny_aya: [['a 1234567', ['a', ' ', '1', '234', '567']]],
  };
  test.each(Object.entries(expected))('%s', (pre, cases) => {
    for (const [text, words] of cases) expect(wordsOf(pre, text)).toEqual(words);
  });

  test('every known name makes a tokenizer that gives text back', () => {
    expect(preTokenizations.length).toBeGreaterThan(60);
    for (const pre of preTokenizations) {
      const text = "Grüße, 12345 I'll\r\n\n  日本\t!?";
      expect(wordsOf(pre, text).join('')).toBe(text);
    }
  });

  test('names that are not known are refused by name', () => {
    expect(() => wordsOf('gpt-7', 'x')).toThrow('pre-tokenizer "gpt-7" is not known; known are a.x-4.0,');
    expect(() => wordsOf('default', 'x')).toThrow('pre-tokenizer "default" is not known');
    expect(() => wordsOf('toString', 'x')).toThrow('pre-tokenizer "toString" is not known');
    const { 'tokenizer.ggml.pre': _, ...without } = {
      ...{ 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': '', 'tokenizer.ggml.tokens': bytes },
      'tokenizer.ggml.merges': [],
    };
    expect(() => tokenizerOfGguf(without)).toThrow('it has no "tokenizer.ggml.pre"');
  });
});

test('names of a form say whether words are merged and texts begin with a token', () => {
  const tokens = [...bytes, 'ab', '<s>'];
  const own = (pre: string, more: object = {}) =>
    tokenizerOfGguf({
      ...{ 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': pre, 'tokenizer.ggml.tokens': tokens },
      ...{ 'tokenizer.ggml.merges': [], 'tokenizer.ggml.bos_token_id': 257, ...more },
    });
  expect(own('llama-bpe').encode('ab')).toEqual([257, 256]);
  expect(own('qwen2').encode('ab')).toEqual([vocab.a, vocab.b]);
  expect(own('qwen2', { 'tokenizer.ggml.add_bos_token': true }).encode('a')).toEqual([257, vocab.a]);
  expect(own('llama-bpe', { 'tokenizer.ggml.add_bos_token': false }).encode('a')).toEqual([vocab.a]);
  const ends = { 'tokenizer.ggml.add_eos_token': true, 'tokenizer.ggml.eos_token_id': 257 };
  expect(own('qwen2', ends).encode('a')).toEqual([vocab.a, 257]);
});

describe('steps of tokenizer.json', () => {
  const words = (pre: object | null, text: string) => {
    const tokens = ['a', 'b', 'c', ' ', '-', '▁', '1', '2', '٣', 'x', 'é', '_', '!', '\n'];
    const merges = tokens.flatMap((left) => tokens.map((right) => [left, right]));
    const pairs = merges.map(([left, right]) => `${left}${right}`);
    const own = Object.fromEntries([...tokens, ...pairs].map((token, id) => [token, id]));
    const tokenizer = tokenizerOfJson({
      ...json,
      decoder: null,
      pre_tokenizer: pre,
      model: { ...model, vocab: own, merges },
    });
    // Words of at most two characters are one token; decoding puts spaces between them.
    return tokenizer.decode(tokenizer.encode(text));
  };
  const split = (behavior: string, invert = false) => ({ type: 'Split', pattern: { String: '-' }, behavior, invert });
  test.each([
    ['Isolated', 'a - b'],
    ['Removed', 'a b'],
    ['MergedWithPrevious', 'a- b'],
    ['MergedWithNext', 'a -b'],
    ['Contiguous', 'a - b'],
  ])('Split, %s', (behavior, expected) => {
    expect(words(split(behavior), 'a-b')).toBe(expected);
  });
  test('Split of several matches, inverted, and by an expression', () => {
    expect(words(split('Contiguous'), 'a--b')).toBe('a -- b');
    expect(words(split('Isolated'), 'a--b')).toBe('a - - b');
    expect(words(split('MergedWithPrevious'), 'a--b')).toBe('a- - b');
    expect(words(split('MergedWithNext'), 'a--b')).toBe('a - -b');
    expect(words(split('Removed', true), 'a-b')).toBe('-');
    expect(words({ type: 'Split', pattern: { Regex: '[ab]' }, behavior: 'Isolated' }, 'abc')).toBe('a b c');
  });
  test('digits, white space, words, punctuation', () => {
    expect(words({ type: 'Digits', individual_digits: true }, 'a12')).toBe('a 1 2');
    expect(words({ type: 'Digits', individual_digits: false }, '1٣a')).toBe('1٣ a');
    expect(words({ type: 'WhitespaceSplit' }, 'a  b\nc')).toBe('a b c');
    expect(words({ type: 'Whitespace' }, 'é_!- a')).toBe('é_ !- a');
    expect(words({ type: 'Punctuation' }, 'a!-')).toBe('a ! -');
    const sequence = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, split('Isolated')] };
    expect(words(sequence, 'a-b c')).toBe('a - b c');
  });
  test('Metaspace', () => {
    expect(words({ type: 'Metaspace' }, 'a b')).toBe('▁a ▁b');
    expect(words({ type: 'Metaspace', prepend_scheme: 'never' }, 'a b')).toBe('a ▁b');
    expect(words({ type: 'Metaspace', add_prefix_space: false, split: false }, 'a b')).toBe('a▁ b');
  });
  test('normalisers and decoders', () => {
    const own = { a: 0, b: 1, '▁': 2, é: 3, '<0xC3>': 4 };
    const make = (normalizer: unknown, decoder: unknown) =>
      tokenizerOfJson({ ...json, pre_tokenizer: null, normalizer, decoder, model: { ...model, vocab: own } });
    const all = [
      { type: 'Lowercase' },
      { type: 'NFC' },
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ];
    const back = [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ];
    const tokenizer = make({ type: 'Sequence', normalizers: all }, { type: 'Sequence', decoders: back });
    expect(tokenizer.encode('A e\u0301')).toEqual([2, 0, 2, 3]);
    expect(tokenizer.decode([2, 0, 2, 3])).toBe('a é');
    expect(tokenizer.decode([0, 4])).toBe('a\ufffd');
    expect(make({ type: 'Replace', pattern: { String: 'b' }, content: '$&' }, null).encode('ab')).toEqual([0]);
    expect(make({ type: 'Strip', strip_left: true, strip_right: false }, null).decode([0])).toBe('a');
  });
  test('what is not supported is named', () => {
    refused({ normalizer: { type: 'Precompiled', precompiled_charsmap: '' } }, 'normalizer of type "Precompiled"');
    refused(
      { normalizer: { type: 'BertNormalizer' } },
      'normalizer of type "BertNormalizer" is not supported; Sequence,',
    );
    refused({ pre_tokenizer: { type: 'BertPreTokenizer' } }, 'pre_tokenizer of type "BertPreTokenizer"');
    refused({ pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'New' }] } }, 'pre_tokenizer of type "New"');
    refused({ decoder: { type: 'CTC' } }, 'decoder of type "CTC"');
    refused({ post_processor: { type: 'New' } }, 'a post_processor of type "New"');
    refused({ pre_tokenizer: split('Sideways') }, 'behavior "Sideways" is not supported');
    refused({ pre_tokenizer: { type: 'Split', pattern: {} } }, 'a step of type "Split" has no pattern');
    for (const type of ['Unigram', 'WordPiece', 'WordLevel'])
      refused({ model: { ...model, type } }, `its model is of type "${type}"`);
    refused({ model: { ...model, end_of_word_suffix: '</w>' } }, '"end_of_word_suffix" of its model is "</w>"');
    refused({ model: { ...model, dropout: 0.1 } }, '"dropout" of its model is 0.1');
  });
});

describe('files that lie', () => {
  test('ids', () => {
    const added = (...tokens: object[]) => ({ added_tokens: tokens });
    refused({ model: { ...model, vocab: { ...vocab, x: -1 } } }, 'token "x" has the id -1');
    refused({ model: { ...model, vocab: { ab: 1e12 } } }, 'token "ab" has the id 1000000000000');
    refused({ model: { ...model, vocab: { ab: 0.5 } } }, 'token "ab" has the id 0.5');
    refused({ model: { ...model, vocab: { a: 1, b: 1 } } }, 'the id 1 stands for "a" and for "b"');
    refused({ model: { ...model, vocab: { a: '1' } } }, 'token "a" has the id "1"');
    refused(added({ id: 3, content: 'a' }), 'token "a" has the id 97 and, as an added token, 3');
    refused(added({ id: 3, content: 'xyz' }), 'the id 3 stands for "ă" and for "xyz"');
    refused(added({ id: 2 ** 31, content: 'xyz' }), 'token "xyz" has the id 2147483648');
    refused(added({ id: 300, content: '' }), 'the added token 300 has 0 characters');
    refused(added({ id: 300, content: 'qq' }, { id: 300, content: 'qq' }), 'the added token "qq" is there twice');
    refused(added({ content: 'q' }), 'added_tokens[0] lacks an id or its content');
    // Gaps are no lie.
    expect(tokenizerOfJson({ ...json, ...added({ id: 300, content: 'xyz' }) }).size).toBe(301);
    expect(tokenizerOfJson(json).decode([999, 97])).toBe('a');
  });
  test('merges', () => {
    refused({ model: { ...model, merges: ['a b'] } }, 'merge 0, "a b": "ab" is no token');
    refused({ model: { ...model, merges: [['a', 'zz']] } }, 'merge 0, ["a","zz"]: "zz" is no token');
    refused({ model: { ...model, merges: ['a'] } }, 'merge 0, "a", is not two texts');
    refused({ model: { ...model, merges: ['a b c'] } }, 'merge 0, "a b c", is not two texts');
    refused({ model: { ...model, merges: {} } }, 'it has no list of merges');
    refused({ model: { ...model, byte_fallback: true } }, 'it falls back to bytes, and has no token "<0x00>"');
  });
  test('GGUF', () => {
    const base = {
      ...{ 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': 'qwen2', 'tokenizer.ggml.tokens': bytes },
      'tokenizer.ggml.merges': [],
    };
    const bad = (more: object, reason: string) => expect(() => tokenizerOfGguf({ ...base, ...more })).toThrow(reason);
    bad({ 'tokenizer.ggml.tokens': ['a', 'a'] }, 'tokens 0 and 1 of the file are both "a"');
    bad({ 'tokenizer.ggml.tokens': ['a', 7] }, 'token 1 of the file is no text');
    bad({ 'tokenizer.ggml.token_type': [1] }, '"tokenizer.ggml.token_type" of another length');
    bad({ 'tokenizer.ggml.bos_token_id': 256 }, '"tokenizer.ggml.bos_token_id" is 256; the file has 256 tokens');
    bad({ 'tokenizer.ggml.merges': ['a b'] }, 'merge 0, "a b": "ab" is no token');
    bad({ 'tokenizer.ggml.add_bos_token': 'no' }, '"tokenizer.ggml.add_bos_token" is no, not true or false');
    bad({ 'tokenizer.ggml.model': 'llama' }, '"tokenizer.ggml.scores" of another length');
  });
});

describe('expressions that backtrack without end', () => {
  const pre = (regex: string) => ({
    pre_tokenizer: { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated' },
  });
  test.each([
    '(a+)+$',
    '(a|a)+b',
    '(a*)*b',
    '(?:a|ab)*c',
    '(a+a+)+b',
    '(\\s*a\\s*)*b',
    '([a-z]+)*1',
    'a*a*a*b',
    '.*.*.*x',
    `${'(a|a)'.repeat(30)}b`,
    `${'a?'.repeat(40)}${'a'.repeat(40)}`,
    '((a{1,9}){1,9}){1,9}b',
    '(?=(a+)+b)a',
    'a{5000}',
    'x'.repeat(20_000),
    `${'('.repeat(5000)}a${')'.repeat(5000)}`,
    '(a)\\1',
    '(?>a+)b',
    '(a',
    'a)',
    '[a',
    'a\\',
  ])('%s is refused', (regex) => {
    expect(() => tokenizerOfJson({ ...json, ...pre(regex) })).toThrow(
      'tokenizer.json cannot be used: the regular expression',
    );
  });
  test.each([
    '\\s+(?!\\S)|\\s+',
    '(\\d{3})+',
    '(?i:abc)?x+',
    '[a&&[^b]]+y',
    '\\p{L}+|[^\\s\\p{L}]+',
    'a{2,5}b?',
    '[\\]a-]+',
  ])('%s is used', (regex) => {
    expect(tokenizerOfJson({ ...json, ...pre(regex), decoder: null }).encode('xyz', false)).toEqual(
      ['x', 'y', 'z'].map((letter) => vocab[letter]),
    );
  });
  test('long texts take linear time', () => {
    const tokenizer = tokenizerOfJson(json);
    for (const unit of ['a', ' ', '\n', '1', '!', ' a', '<|', 'é'])
      expect(tokenizer.decode(tokenizer.encode(unit.repeat(50_000)))).toBe(unit.repeat(50_000));
  });
});
