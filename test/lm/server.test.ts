import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestError } from '../../src/distributed/http/errors.js';
import {
  type ChatMessage,
  characterTokenizer,
  chatTokens,
  generate,
  LanguageModel,
  type LanguageModelConfig,
  namedWeights,
} from '../../src/lm/index.js';
import { LanguageServer } from '../../src/lm/node.js';
import { Slots } from '../../src/lm/server/slots.js';
import { StopFilter } from '../../src/lm/stop.js';
import { Decoder } from '../../src/models/index.js';
import { stateOf } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const characters = `${Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')}\n`;
const decoder = { vocabulary: 96, features: 32, layers: 2, heads: 2, hidden: 64 };
const config: LanguageModelConfig = {
  ...decoder,
  architecture: 'llama',
  keyHeads: 2,
  headDim: 16,
  context: 400,
  ropeBase: 10000,
  interleaved: false,
  epsilon: 1e-6,
  window: 0,
};
const model = new LanguageModel(config, namedWeights(stateOf(new Decoder(decoder, new Random(1)))));

let server: Server;
let address: string;
beforeAll(async () => {
  server = new LanguageServer(
    { model, tokenizer: characterTokenizer(characters) },
    { name: 'small', apiKey: 'secret', parallel: 4, queue: 20, bodyLimit: 20_000 },
  ).create();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
const post = (path: string, body: unknown, more: RequestInit = {}) =>
  fetch(`${address}${path}`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...more,
  });
const chat = { model: 'small', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 12, seed: 1 };

describe("OpenAI's own client", () => {
  const client = () => new OpenAI({ baseURL: `${address}/v1`, apiKey: 'secret', maxRetries: 0 });

  test('lists models, completes chats and texts, whole and streamed, the same for the same seed', async () => {
    expect((await client().models.list()).data.map(({ id }) => id)).toEqual(['small']);
    expect((await client().models.retrieve('small')).owned_by).toBe('gossamer');
    const request = {
      model: 'small',
      messages: [{ role: 'user' as const, content: 'Hello' }],
      max_tokens: 12,
      seed: 1,
    };
    const whole = await client().chat.completions.create(request);
    expect(whole.choices[0]?.message.content?.length).toBe(12);
    expect(whole.choices[0]?.finish_reason).toBe('length');
    expect(whole.usage?.completion_tokens).toBe(12);
    const stream = await client().chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let last: OpenAI.ChatCompletionChunk | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      last = chunk;
    }
    expect(text).toBe(whole.choices[0]?.message.content);
    // What the first request read is known to the second, but for the last token.
    expect(last?.usage).toMatchObject({ ...whole.usage, prompt_tokens_details: { cached_tokens: 54 } });
    const completion = await client().completions.create({
      model: 'small',
      prompt: 'Once',
      max_tokens: 7,
      temperature: 0,
    });
    expect(completion.choices[0]?.text.length).toBe(7);
  });

  test('its errors are the classes that people catch', async () => {
    await expect(
      new OpenAI({ baseURL: `${address}/v1`, apiKey: 'wrong', maxRetries: 0 }).models.list(),
    ).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(
      client().chat.completions.create({ model: 'large', messages: [{ role: 'user', content: 'x' }] }),
    ).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client().chat.completions.create({ model: 'small', messages: [] })).rejects.toBeInstanceOf(
      OpenAI.BadRequestError,
    );
  });
});

describe('around completions', () => {
  const client = () => new OpenAI({ baseURL: `${address}/v1`, apiKey: 'secret', maxRetries: 0 });

  test('probabilities of tokens add up to the answer, and are those of the model', async () => {
    const { choices } = await client()
      .chat.completions.create({
        ...{ model: 'small', max_tokens: 6, temperature: 0, logprobs: true, top_logprobs: 96 as never },
        messages: [{ role: 'user', content: 'Hi' }],
      })
      .catch(() => ({ choices: [] }));
    expect(choices).toEqual([]);
    const whole = await client().chat.completions.create({
      ...{ model: 'small', max_tokens: 6, temperature: 0, logprobs: true, top_logprobs: 3 },
      messages: [{ role: 'user', content: 'Hi' }],
    });
    const tokens = whole.choices[0]?.logprobs?.content ?? [];
    expect(tokens.map(({ token }) => token).join('')).toBe(whole.choices[0]?.message.content);
    for (const { token, logprob, top_logprobs: top } of tokens) {
      expect(top.length).toBe(3);
      expect(top[0]).toMatchObject({ token, logprob });
      expect(top.every((one, i) => i === 0 || one.logprob <= (top[i - 1]?.logprob ?? 0))).toBe(true);
      expect(top.reduce((sum, one) => sum + Math.exp(one.logprob), 0)).toBeLessThan(1);
    }
    const text = await client().completions.create({ model: 'small', prompt: 'Hi', max_tokens: 3, logprobs: 2 });
    expect(text.choices[0]?.logprobs?.tokens?.join('')).toBe(text.choices[0]?.text);
    const biased = await client().completions.create({
      ...{ model: 'small', prompt: 'Hi', max_tokens: 3, logit_bias: { '33': 100 } },
    });
    expect(biased.choices[0]?.text).toBe('@@@');
  });

  test('embeddings are the mean states, of length 1', async () => {
    const { data, usage } = await client().embeddings.create({ model: 'small', input: ['Hello', 'Hello!'] });
    expect(usage.prompt_tokens).toBe(11);
    const states = model.states(characterTokenizer(characters).encode('Hello')).mean(0).dataSync<Float32Array>();
    const length = Math.hypot(...states);
    expectClose(
      data[0]?.embedding ?? [],
      states.map((value) => value / length),
      1e-5,
    );
  });

  test('tokens, templates, properties and numbers', async () => {
    const json = async (path: string, body: unknown) => (await post(path, body)).json();
    expect(await json('/tokenize', { content: 'A!' })).toEqual({ tokens: [34, 2] });
    expect(await json('/detokenize', { tokens: [34, 2] })).toEqual({ content: 'A!' });
    const { prompt } = await json('/apply-template', { messages: chat.messages });
    expect(prompt).toBe('<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n');
    expect(await (await fetch(`${address}/props`, { headers })).json()).toMatchObject({ model: 'small', context: 400 });
    expect(await (await fetch(`${address}/metrics`, { headers })).text()).toMatch(
      /\ngossamer_answer_tokens_total \d+\n/,
    );
    expect((await post('/detokenize', { tokens: [96] })).status).toBe(400);
  });

  test('a conversation that goes on is not read again', async () => {
    const messages = [{ role: 'user', content: 'One, two, three' }];
    const first = await (await post('/v1/chat/completions', { ...chat, messages, temperature: 0 })).json();
    const { content } = first.choices[0].message;
    const longer = [...messages, { role: 'assistant', content }, { role: 'user', content: 'and four' }];
    const second = await (await post('/v1/chat/completions', { ...chat, messages: longer, temperature: 0 })).json();
    expect(second.usage.prompt_tokens_details.cached_tokens).toBeGreaterThanOrEqual(first.usage.prompt_tokens);
    const alone: number[] = [];
    const prompt = chatTokens(characterTokenizer(characters), longer as ChatMessage[]);
    for await (const token of generate(model, prompt, { temperature: 0, maxTokens: 12 })) alone.push(token);
    expect(second.choices[0].message.content).toBe(characterTokenizer(characters).decode(alone));
  });
});

test('a stop text ends an answer and is not in it', async () => {
  const whole = await (await post('/v1/chat/completions', { ...chat, temperature: 0 })).json();
  const content: string = whole.choices[0].message.content;
  const stop = content.slice(4, 6);
  const cut = await (await post('/v1/chat/completions', { ...chat, temperature: 0, stop })).json();
  expect(cut.choices[0]).toMatchObject({
    finish_reason: 'stop',
    message: { content: content.slice(0, content.indexOf(stop)) },
  });
});

describe('wrong requests have their status and say which field', () => {
  const wrong: readonly [string, unknown, number, string][] = [
    ['/v1/chat/completions', '{"model":', 400, 'not JSON'],
    ['/v1/chat/completions', [], 400, 'a JSON object'],
    ['/v1/chat/completions', { ...chat, model: 5 }, 400, '\\"model\\" must be'],
    ['/v1/chat/completions', { ...chat, model: 'large' }, 404, 'the model \\"large\\" does not exist'],
    ['/v1/chat/completions', { ...chat, messages: [{ role: 'king', content: '' }] }, 400, 'messages[0].role'],
    ['/v1/chat/completions', { ...chat, messages: [{ role: 'user', content: 5 }] }, 400, 'messages[0].content'],
    ['/v1/chat/completions', { ...chat, temperature: 9 }, 400, '\\"temperature\\" must be a number from 0 to 2'],
    ['/v1/chat/completions', { ...chat, stop: [''] }, 400, '\\"stop\\"'],
    ['/v1/chat/completions', { ...chat, functions: [] }, 400, '\\"functions\\" is not supported'],
    ['/v1/chat/completions', { ...chat, n: 2 }, 400, '\\"n\\"'],
    [
      '/v1/chat/completions',
      { ...chat, messages: [{ role: 'user', content: 'x'.repeat(500) }] },
      400,
      'the context is 400',
    ],
    ['/v1/chat/completions', { ...chat, messages: [{ role: 'user', content: '日本' }] }, 400, 'the vocabulary has no'],
    ['/v1/chat/completions', 'x'.repeat(30_000), 413, 'larger than 20000 bytes'],
    ['/v1/completions', { model: 'small' }, 400, '\\"prompt\\" must be a text'],
    ['/v1/nothing', {}, 404, 'there is no /v1/nothing'],
  ];
  test.each(wrong)('%s %j', async (path, body, status, message) => {
    const response = await post(path, body);
    expect(response.status).toBe(status);
    const text = await response.text();
    expect(text).toContain(message);
    expect(JSON.parse(text).error.type).toBe('invalid_request_error');
  });

  test('methods and keys', async () => {
    expect((await fetch(`${address}/v1/chat/completions`, { headers })).status).toBe(405);
    expect((await fetch(`${address}/v1/models`)).status).toBe(401);
    expect((await fetch(`${address}/health`)).status).toBe(200);
  });
});

const SECONDS = Number(process.env.GOSSAMER_SOAK ?? 3);

test(
  `sixteen clients for ${SECONDS} s, some leaving in the middle, some asking wrongly: every answer is whole or has its status, and all slots come free`,
  async () => {
    const until = performance.now() + 1000 * SECONDS;
    const statuses = new Map<number | string, number>();
    const count = (status: number | string) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const before = process.memoryUsage().rss;
    const one = async (id: number) => {
      const random = new Random(id);
      while (performance.now() < until) {
        const kind = random.integer(6);
        if (kind === 0) count((await post('/v1/chat/completions', '{')).status);
        else if (kind === 1) count((await post('/v1/chat/completions', { ...chat, model: 'none' })).status);
        else if (kind === 2) {
          const leaving = new AbortController();
          const response = await post(
            '/v1/chat/completions',
            { ...chat, max_tokens: 300, stream: true },
            { signal: leaving.signal },
          );
          if (response.status === 200) await response.body?.getReader().read();
          leaving.abort();
          count('left');
        } else {
          const response = await post('/v1/chat/completions', { ...chat, stream: kind === 3, seed: id });
          const text = await response.text();
          if (response.status === 200)
            expect(kind === 3 ? text.endsWith('data: [DONE]\n\n') : JSON.parse(text).choices.length === 1).toBe(true);
          count(response.status);
        }
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, id) => one(id)));
    expect([...statuses.keys()].sort()).toEqual(expect.arrayContaining([200, 400, 404, 'left']));
    expect([...statuses.keys()].every((status) => [200, 400, 404, 503, 'left'].includes(status))).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await (await fetch(`${address}/health`)).json()).toEqual({ status: 'ok', running: 0, waiting: 0 });
    expect(process.memoryUsage().rss - before).toBeLessThan(400e6);
  },
  1000 * SECONDS + 20_000,
);

test('slots: so many at once, so many wait, the next is told to come back, those that leave make room', async () => {
  const slots = new Slots(1, 1);
  const never = new AbortController().signal;
  let finish = () => {};
  const first = slots.run(never, () => new Promise<void>((resolve) => (finish = resolve)));
  const leaving = new AbortController();
  const second = slots.run(leaving.signal, async () => 2);
  await expect(slots.run(never, async () => 3)).rejects.toMatchObject({ status: 503 } satisfies Partial<RequestError>);
  leaving.abort();
  await expect(second).rejects.toThrow('the client left');
  const third = slots.run(never, async () => 3);
  finish();
  await first;
  expect(await third).toBe(3);
  expect([slots.running, slots.waiting]).toEqual([0, 0]);
});

test('stop texts across parts', () => {
  const through = (stops: string[], parts: string[]) => {
    const filter = new StopFilter(stops);
    return [parts.map((part) => filter.push(part)).join(''), filter.stopped ? 'stopped' : filter.end()];
  };
  expect(through(['END'], ['ab', 'cE', 'N', 'D', 'x'])).toEqual(['abc', 'stopped']);
  expect(through(['END'], ['abE', 'Nx'])).toEqual(['abENx', '']);
  expect(through(['END'], ['abEN'])).toEqual(['ab', 'EN']);
  expect(through(['b', 'ab'], ['xab'])).toEqual(['x', 'stopped']);
});
