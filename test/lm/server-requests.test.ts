// What requests may ask: fields that work, and fields that are refused by name.

import { describe, expect, test } from 'vitest';
import { byteModel, byteTokenizer, eventsOf, start } from './server-model.js';

const greedy = { temperature: 0, max_tokens: 6 };
const messages = [{ role: 'user', content: 'x' }];
const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"at": [1, "b"]}' } };
const called = [...messages, { role: 'assistant', content: null, tool_calls: [call] }];

describe('fields that cannot be honoured are refused by name', async () => {
  const { post } = await start();
  const chat = '/v1/chat/completions';
  const text = '/v1/completions';
  const refused: readonly [path: string, body: object, param: string][] = [
    [text, { prompt: 'a', echo: true }, 'echo'],
    [text, { prompt: 'a', suffix: 'b' }, 'suffix'],
    [text, { prompt: 'a', best_of: 2 }, 'best_of'],
    [text, { prompt: 'a', n: 2 }, 'n'],
    [text, { prompt: 'a', temprature: 0 }, 'temprature'],
    [text, { prompt: 'a', logit_bias: { 258: 1 } }, 'logit_bias'],
    [text, { prompt: 'a', logit_bias: { '01': 1 } }, 'logit_bias'],
    [text, { prompt: 'a', stream_options: { include_usage: true } }, 'stream_options'],
    [text, { prompt: 'a', stream: true, stream_options: { obfuscate: true } }, 'stream_options.obfuscate'],
    [text, { prompt: [97, 258] }, 'prompt'],
    [text, { prompt: [97, 0.5] }, 'prompt'],
    [text, { prompt: [] }, 'prompt'],
    [text, { prompt: ['a', [97]].concat(Array(2047).fill('a')) }, 'prompt'],
    [text, { prompt: ['a', ''] }, 'prompt[1]'],
    [text, { prompt: 'half of \ud83d' }, 'prompt'],
    [chat, { messages, functions: [] }, 'functions'],
    [chat, { messages, tool_choice: 'required' }, 'tool_choice'],
    [chat, { messages, top_logprobs: 2 }, 'top_logprobs'],
    [chat, { messages, response_format: { type: 'json' } }, 'response_format.type'],
    [text, { prompt: 'a', response_format: { type: 'json_object' } }, 'response_format'],
    [chat, { messages: called }, 'messages[1].tool_calls'],
    [chat, { messages: [{ role: 'user', content: null }] }, 'messages[0].content'],
    [chat, { messages: [{ role: 'user', content: 'a', weight: 0 }] }, 'messages[0].weight'],
    [chat, { messages: [{ role: 'user', content: 'a', name: 'Ada' }] }, 'messages[0].name'],
    [chat, { messages: Array(513).fill(messages[0]) }, 'messages'],
    ['/v1/embeddings', { input: 'a', dimensions: 4 }, 'dimensions'],
    ['/v1/embeddings', { input: 'a', encoding_format: 'hex' }, 'encoding_format'],
    ['/v1/embeddings', { input: ['a', ''] }, 'input[1]'],
    ['/tokenize', { content: 'a', add_special: true }, 'add_special'],
  ];
  test.each(refused)('%s %j', async (path, body, param) => {
    const { status, json } = await post(path, body);
    expect([status, json.error.param]).toEqual([400, param]);
  });

  test('values that ask for what is done anyway are not', async () => {
    const harmless = {
      echo: false,
      suffix: null,
      best_of: 1,
      n: 1,
      user: 'me',
      logit_bias: null,
      stream_options: null,
    };
    expect((await post(text, { prompt: 'a', ...greedy, ...harmless })).status).toBe(200);
    const said = { role: 'assistant', content: 'b', refusal: null, annotations: [] };
    const body = { messages: [...messages, said], tool_choice: 'none', store: false, parallel_tool_calls: true };
    expect((await post(chat, { ...body, ...greedy })).status).toBe(200);
    expect((await post('/v1/embeddings', { input: 'a', dimensions: 32 })).status).toBe(200);
  });

  test('values of any depth and size get an error of their own', async () => {
    const deep = `{"model":${'['.repeat(200_000)}${']'.repeat(200_000)},"input":"a"}`;
    for (const [body, status] of [
      [deep, 404],
      [`{"model":"tiny","prompt":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 400],
      [JSON.stringify({ model: 'x'.repeat(500_000), input: 'a' }), 404],
      [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400],
    ] as const)
      for (const path of ['/v1/embeddings', '/v1/completions']) {
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(`${(await start()).address}${path}`, { method: 'POST', headers, body });
        const answer = await response.text();
        expect([path, [status, 400].includes(response.status)]).toEqual([path, true]);
        expect(answer.length).toBeLessThan(1000);
      }
  });
});

describe('tool calls', async () => {
  const template =
    '{% for m in messages %}{{ m.role }}:{{ m.content }}{% for c in m.tool_calls or [] %}<{{ c.function.name }} {{ c.function.arguments | tojson }}>{% endfor %}|{% endfor %}';
  const { post } = await start({}, { model: byteModel(), tokenizer: byteTokenizer(template) });
  test('reach a template that knows them, their arguments as JSON', async () => {
    const all = [...called, { role: 'tool', tool_call_id: 'a', name: 'f', content: '1' }];
    const { json } = await post('/apply-template', { messages: all });
    expect(json.prompt).toBe('user:x|assistant:<f {"at": [1, "b"]}>|tool:1|');
    expect((await post('/v1/chat/completions', { messages: all, ...greedy })).status).toBe(200);
    const broken = [{ ...called[1], tool_calls: [{ ...call, function: { name: 'f', arguments: '{' } }] }];
    expect((await post('/apply-template', { messages: broken })).json.error.param).toBe(
      'messages[0].tool_calls[0].function.arguments',
    );
  });
});

describe('prompts', async () => {
  const { post, address } = await start();
  const one = async (prompt: unknown) => {
    const { json } = await post('/v1/completions', { prompt, ...greedy });
    return json.choices[0].text as string;
  };
  const ids = (text: string) => [...new TextEncoder().encode(text)];

  test('as token ids are those of the text', async () => {
    expect(await one(ids('abc'))).toBe(await one('abc'));
    const embed = async (input: unknown) => (await post('/v1/embeddings', { input })).json.data[0].embedding;
    expect(await embed(ids('abc'))).toEqual(await embed('abc'));
    expect(await embed([ids('abc')])).toEqual(await embed('abc'));
  });

  test('of a list have a choice each, whole and streamed, and are counted together', async () => {
    const alone = await Promise.all(['abc', 'x', 'hello'].map(one));
    const body = { prompt: ['abc', ids('x'), 'hello'], ...greedy };
    const { json } = await post('/v1/completions', body);
    expect(json.choices.map(({ index, text }: { index: number; text: string }) => [index, text])).toEqual(
      alone.map((text, index) => [index, text]),
    );
    expect(json.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 18, total_tokens: 27 });
    const options = { stream: true, stream_options: { include_usage: true } };
    const headers = { 'content-type': 'application/json' };
    const sent = JSON.stringify({ model: 'tiny', ...body, ...options });
    const streamed = await fetch(`${address}/v1/completions`, { method: 'POST', headers, body: sent });
    const events = eventsOf(await streamed.text());
    const texts = ['', '', ''];
    for (const { choices, usage } of events.slice(0, -1)) {
      expect(usage).toBe(null);
      for (const { index, text } of choices) texts[index] += text;
    }
    expect(texts).toEqual(alone);
    expect(events.at(-1)).toMatchObject({ choices: [], usage: json.usage });
  });
});

test('log-probabilities have the bytes of parts of characters', async () => {
  const { post } = await start();
  const bias = { logprobs: true, top_logprobs: 1, max_tokens: 1, temperature: 0, logit_bias: { 240: 100 } };
  const { json } = await post('/v1/chat/completions', { messages, ...bias });
  expect(json.choices[0].logprobs.content[0]).toMatchObject({ token: '\\xf0', bytes: [0xf0] });
  const control = { ...bias, logit_bias: { 256: 100 } };
  const { json: other } = await post('/v1/chat/completions', { messages, ...control });
  expect(other.choices[0].logprobs.content[0]).toMatchObject({ token: '<|im_start|>' });
});
