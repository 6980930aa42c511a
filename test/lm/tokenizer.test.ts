import { describe, expect, test } from 'vitest';
import {
  byteCharacters,
  characterTokenizer,
  chatTokens,
  TextStream,
  tokenizerOfGguf,
  tokenizerOfJson,
} from '../../src/lm/index.js';

const merges = ['h e', 'l l', 'he ll', 'hell o', 'Ġ w', 'o r', 'Ġw or', 'l d', 'Ġwor ld'];
const tokens = [...byteCharacters(), ...merges.map((pair) => pair.replace(' ', '')), '<|im_start|>', '<|im_end|>'];
const metadata = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'qwen2',
  'tokenizer.ggml.tokens': tokens,
  'tokenizer.ggml.merges': merges,
  'tokenizer.ggml.token_type': tokens.map((token) => (token.startsWith('<|') ? 3 : 1)),
  'tokenizer.ggml.eos_token_id': tokens.length - 1,
};

describe('byte-level BPE of a GGUF file', () => {
  const tokenizer = tokenizerOfGguf(metadata);
  test('merges in order, and any text comes back', () => {
    expect(tokenizer.encode('hello world').map((id) => tokens[id])).toEqual(['hello', 'Ġworld']);
    for (const text of ['hello world', 'a\r\nb  c', 'déjà vu 👩‍🚀 日本', '  x', "it's 2026"])
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.size).toBe(tokens.length);
    expect(tokenizer.stopTokens).toEqual([tokens.length - 1]);
  });

  test('a stream holds back half a character', () => {
    const ids = tokenizer.encode('a👩b');
    expect(ids.length).toBe(6);
    const stream = new TextStream(tokenizer);
    const parts = ids.map((id) => stream.push(id));
    expect(parts).toEqual(['a', '', '', '', '👩', 'b']);
    expect(stream.end()).toBe('');
    const cut = new TextStream(tokenizer);
    expect(
      ids
        .slice(0, 3)
        .map((id) => cut.push(id))
        .join(''),
    ).toBe('a');
  });

  test('conversations: special tokens are whole, by ChatML or a template of its own', () => {
    const ids = chatTokens(tokenizer, [{ role: 'user', content: 'hello' }]);
    expect(ids[0]).toBe(tokens.length - 2);
    expect(ids.filter((id) => id === tokens.length - 1).length).toBe(1);
    const own = tokenizerOfGguf({
      ...metadata,
      'tokenizer.chat_template': '{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}',
    });
    expect(
      own.decode(
        chatTokens(own, [
          { role: 'system', content: 'x' },
          { role: 'user', content: 'y' },
        ]),
      ),
    ).toBe('[system]x[user]y');
    const broken = { ...own, chatTemplate: '{% for %}' };
    expect(() => chatTokens(broken, [])).toThrow('the chat template cannot be used');
  });

  test('what is missing is named', () => {
    expect(() => tokenizerOfGguf({})).toThrow('has no tokenizer');
    expect(() => tokenizerOfGguf({ ...metadata, 'tokenizer.ggml.model': 'bert' })).toThrow('of kind "bert"');
    const { 'tokenizer.ggml.merges': _, ...without } = metadata;
    expect(() => tokenizerOfGguf(without)).toThrow('no "tokenizer.ggml.merges"');
    expect(() => tokenizerOfJson({ model: { type: 'Nonsense' } })).toThrow('tokenizer.json cannot be used');
  });
});

test('SentencePiece of a GGUF file: spaces, merges by score, bytes for what it does not know, the first token once', () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const pieces = ['▁', 'h', 'i', 't', '▁h', 'hi', '▁hi', '▁t'];
  const all = ['<unk>', '<s>', '</s>', ...bytes, ...pieces];
  const tokenizer = tokenizerOfGguf({
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': all,
    // 'hi' is worth more than '▁h'.
    'tokenizer.ggml.scores': all.map((piece) => ({ hi: -1, '▁hi': -2, '▁h': -3, '▁t': -4 })[piece] ?? -100),
    'tokenizer.ggml.token_type': all.map((piece) =>
      piece === '<unk>' ? 2 : piece === '<s>' || piece === '</s>' ? 3 : piece.startsWith('<0x') ? 6 : 1,
    ),
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
  });
  expect(tokenizer.encode('hi t').map((id) => all[id])).toEqual(['<s>', '▁hi', '▁t']);
  expect(tokenizer.encode('é', false).map((id) => all[id])).toEqual(['▁', '<0xC3>', '<0xA9>']);
  for (const text of ['hi t', 'thé']) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  expect(tokenizer.encode('<s>hi')[1]).not.toBe(1);
  expect(tokenizer.stopTokens).toEqual([2]);
});

test('characters', () => {
  const tokenizer = characterTokenizer('hello');
  expect(tokenizer.decode(tokenizer.encode('hole'))).toBe('hole');
  expect(() => tokenizer.encode('hi')).toThrow('the vocabulary has no "i"; it was made of 4 characters');
});
