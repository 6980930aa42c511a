// Long work is cut into slices between which the event loop turns.

import { describe, expect, test } from 'vitest';
import { generatedText } from '../../src/data/index.js';
import { characterTokenizer, chatTokens, tokenizerOfGguf, tokenizerOfJson, trainBpe } from '../../src/lm/index.js';
import { prefillSlice } from '../../src/lm/runtime/batcher.js';
import { SlicedTokenizer } from '../../src/lm/server/tokenize.js';
import { Turns } from '../../src/lm/server/turns.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';
import { byteModel, byteTokenizer, start } from './server-model.js';

const prose = generatedText(30_000, new Random(1));
const mixed = Array.from(
  { length: 400 },
  (_, i) => `Déjà vu, 日本語、中文 ${i * 7919}.\r\n\tif (a[${i}] != "x")  {}; can't <|im_end|> 😀`,
).join(' ');

/** Surrogate pairs around every place for a cut. */
const emoji = Array.from({ length: 1500 }, (_, i) => `${'😀'.repeat(i % 70)}a b${'😀'.repeat(i % 67)}`).join('');

/** SentencePiece: tokens with their scores, a prefix space, bytes for the rest. */
function sentencePiece() {
  const words = ['▁the', '▁old', '▁fox', 'th', 'he', '▁t', '▁o', 'ld', 'ol', 'fo', 'ox', '▁f', '▁th'];
  const characters = [...new Set(` ${prose}`.replaceAll(' ', '▁'))];
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...characters, ...words];
  return tokenizerOfGguf({
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.scores': tokens.map((_, i) => -i),
    'tokenizer.ggml.token_type': tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1)),
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
  });
}

const bpe = tokenizerOfJson(trainBpe(prose, 400));
const tokenizers = {
  characters: [characterTokenizer(new Set(prose)), prose],
  'characters beyond 16 bits': [characterTokenizer(new Set(emoji)), emoji],
  'byte pairs': [bpe, prose],
  bytes: [byteTokenizer(), mixed],
  SentencePiece: [sentencePiece(), prose],
} as const;

describe('tokens of slices are those of the whole text', () => {
  test.each(Object.entries(tokenizers))('%s', async (_, [tokenizer, text]) => {
    let turns = 0;
    const sliced = new SlicedTokenizer(tokenizer, async () => void turns++);
    expect(await sliced.encode(text)).toEqual(tokenizer.encode(text));
    expect(await sliced.encode(text, false)).toEqual(tokenizer.encode(text, false));
    expect(turns).toBeGreaterThan((2 * text.length) / 4200);
  });

  test('in conversations too', async () => {
    const tokenizer = byteTokenizer();
    const sliced = new SlicedTokenizer(tokenizer, async () => {});
    for (const texts of [['short'], [mixed, 'short', prose]]) {
      const messages = texts.map((content) => ({ role: 'user' as const, content }));
      expect(await sliced.run((one) => chatTokens(one, messages))).toEqual(chatTokens(tokenizer, messages));
    }
  });

  test('a stretch without word boundaries is refused, a shorter one is not', async () => {
    const sliced = new SlicedTokenizer(byteTokenizer(), async () => {});
    expect((await sliced.encode(`a ${'x'.repeat(16_000)}`)).length).toBe(16_002);
    await expect(sliced.encode(`${prose.slice(0, 5000)} ${'x'.repeat(17_000)}`)).rejects.toMatchObject({ status: 400 });
  });
});

test('turns of the event loop run one slice each', async () => {
  const turns = new Turns();
  const order: string[] = [];
  await Promise.all([
    ...['a', 'b', 'c'].map(async (name) => {
      for (let i = 0; i < 2; i++) {
        await turns.next();
        order.push(name);
      }
    }),
    (async () => {
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        order.push('|');
      }
    })(),
  ]);
  expect(order.join('').replaceAll('|', '')).toBe('abcabc');
  expect(order.join('')).toMatch(/^\|?a\|b\|c\|?abc$|^a\|b\|c\|abc$/);
});

test('slices of prompts get shorter with the size of the model and the tokens before', () => {
  const { config } = byteModel();
  const large = { ...config, features: 4096, heads: 32, keyHeads: 8, headDim: 128, hidden: 14336 };
  expect(prefillSlice(config, 0, 256)).toBe(256);
  expect(prefillSlice(large, 0, 256)).toBe(4);
  const middle = { ...config, features: 896, heads: 14, keyHeads: 2, headDim: 64, hidden: 4864 };
  expect(prefillSlice(middle, 30_000, 256)).toBeLessThan(prefillSlice(middle, 0, 256));
});

describe('a server under long prompts', async () => {
  const model = byteModel(8192);
  const tokenizer = byteTokenizer();
  const { post, address } = await start({ bodyLimit: 2 ** 22 }, { model, tokenizer });

  test('embeds them in slices: the mean of the final hidden states', async () => {
    const input = prose.slice(0, 1500);
    const { json } = await post('/v1/embeddings', { input });
    const mean = model.states(tokenizer.encode(input)).mean(0).dataSync<Float32Array>();
    const length = Math.hypot(...mean);
    expectClose(
      json.data[0].embedding,
      Array.from(mean, (value) => value / length),
      1e-4,
    );
  });

  test('answers /health again and again meanwhile', async () => {
    const long = prose.repeat(20);
    const message = { role: 'user', content: prose.slice(0, 6000) };
    const work = Promise.all([
      post('/tokenize', { content: long }),
      post('/tokenize', { content: long }),
      post('/v1/completions', { prompt: long }),
      post('/v1/chat/completions', { messages: [message], max_tokens: 2 }),
      post('/v1/embeddings', { input: prose.slice(0, 6000) }),
    ]);
    let healthy = 0;
    let over = false;
    void work.finally(() => {
      over = true;
    });
    while (!over) {
      expect((await fetch(`${address}/health`)).status).toBe(200);
      healthy += 1;
    }
    expect((await work).map(({ status }) => status)).toEqual([200, 200, 400, 200, 200]);
    expect(healthy).toBeGreaterThan(20);
  }, 60_000);
});
