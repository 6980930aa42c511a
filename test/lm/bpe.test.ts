import { Tokenizer } from '@huggingface/tokenizers';
import { expect, test } from 'vitest';
import { generatedText } from '../../src/data/index.js';
import { byteCharacters, tokenizerOfJson, trainBpe } from '../../src/lm/index.js';
import { Random } from '../../src/tensor/index.js';

const text = `${generatedText(6000, new Random(1))} It's 2026 – déjà vu, 日本語 日本語 日本, 12345 12345.\n\n\tcode();  code();`;

/** Counts all pairs again for each merge. */
function naive(corpus: string, vocabulary: number): string[] {
  const bytes = byteCharacters();
  const cut = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
  let pieces = [...corpus.matchAll(cut)].map(([piece]) =>
    Array.from(new TextEncoder().encode(piece), (byte) => bytes[byte] as string),
  );
  const numbers = new Map(bytes.map((token, id) => [token, id]));
  const merges: string[] = [];
  while (numbers.size < vocabulary) {
    const counts = new Map<string, number>();
    for (const piece of pieces)
      for (let i = 0; i + 1 < piece.length; i++) {
        const pair = `${piece[i]} ${piece[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    const order = (pair: string) => pair.split(' ').map((token) => numbers.get(token) as number) as [number, number];
    const [best] = [...counts].sort(([a, m], [b, n]) => {
      const [[a0, a1], [b0, b1]] = [order(a), order(b)];
      return n - m || a0 - b0 || a1 - b1;
    });
    if (!best || best[1] < 2) break;
    merges.push(best[0]);
    const [left, right] = best[0].split(' ') as [string, string];
    numbers.set(left + right, numbers.size);
    pieces = pieces.map((piece) => {
      const joined: string[] = [];
      for (let i = 0; i < piece.length; i++)
        if (piece[i] === left && piece[i + 1] === right) {
          joined.push(left + right);
          i++;
        } else joined.push(piece[i] as string);
      return joined;
    });
  }
  return merges;
}

test('merges are those of counting every pair again and again', () => {
  const { model } = trainBpe(text, 400) as { model: { merges: string[]; vocab: Record<string, number> } };
  expect(model.merges).toEqual(naive(text, 400));
  expect(Object.keys(model.vocab).length).toBe(400);
});

test('the tokenizer gives any text back, and Hugging Face’s library reads it', () => {
  const json = trainBpe(text, 420);
  const tokenizer = tokenizerOfJson(json);
  expect(tokenizer.size).toBe(420);
  for (const own of [text, 'never seen: 👩‍🚀 ß\r\n\u0000', '  two  spaces ', '']) {
    const tokens = own === '' ? [] : tokenizer.encode(own);
    expect(tokenizer.decode(tokens)).toBe(own);
  }
  expect(tokenizer.encode(text).length).toBeLessThan(0.45 * new TextEncoder().encode(text).length);
  expect(new Tokenizer(json, {}).encode('It').ids).toEqual(tokenizer.encode('It'));
});

test('small texts end early, small vocabularies are refused', () => {
  expect(tokenizerOfJson(trainBpe('ab ab', 300)).size).toBe(257);
  expect(() => trainBpe('x', 255)).toThrow('at least the 256 bytes, got 255');
});
