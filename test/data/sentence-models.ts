// Small sentence models of tests.

import { uniform } from '../oracle.js';
import { floats, modelFile, node } from '../trace/onnx-models.js';

/** Tokens before the words. */
export const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];

/** tokenizer.json as BERT has it, with whole words. */
export const wordTokenizer = (words: readonly string[]) => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: SPECIAL.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries([...SPECIAL, ...words].map((word, id) => [word, id])),
  },
});

const any = undefined as unknown as number;

/** An ONNX model whose hidden states are random vectors of so many words, d numbers each. */
export function wordVectorModel(words: number, d: number, seed: number): Uint8Array {
  const rows = words + SPECIAL.length;
  return modelFile({
    inputs: [{ name: 'input_ids', shape: [any, any], type: 'int64' }],
    outputs: { last_hidden_state: 'float' },
    initializers: [floats('words', [...uniform(seed, rows * d, -1, 1)], [rows, d])],
    nodes: [node('Gather', ['words', 'input_ids'], ['last_hidden_state'])],
  });
}
