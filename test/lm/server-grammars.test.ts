// JSON mode, grammars and tools through the endpoints.

import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import {
  CallStream,
  callFormOf,
  characterTokenizer,
  decoderConfig,
  LanguageModel,
  namedWeights,
  type TextTokenizer,
} from '../../src/lm/index.js';
import { Decoder } from '../../src/models/index.js';
import { stateOf } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';
import { byteModel, byteTokenizer, eventsOf, start } from './server-model.js';

const template =
  '{% for t in tools or [] %}{{ t | tojson }}{% endfor %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}<|im_end|>{% endfor %}<|im_start|>assistant\n';
const bundle = { model: byteModel(2048), tokenizer: byteTokenizer(template) };
const { address, post } = await start({}, bundle);
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: 'none', maxRetries: 0 });

const messages = [{ role: 'user' as const, content: 'x' }];
const ask = { model: 'tiny', messages, max_tokens: 90, temperature: 1.2, seed: 3 };
const point = {
  type: 'object',
  properties: { x: { type: 'integer' }, y: { enum: ['up', 'down'] } },
  required: ['x', 'y'],
  additionalProperties: false,
};
const tool = (name: string, parameters?: object) =>
  ({ type: 'function', function: { name, ...(parameters && { parameters }) } }) as OpenAI.ChatCompletionTool;
const tools = [tool('move', point), tool('stop')];

describe("OpenAI's own client", () => {
  test('JSON mode and schemas give what they promise, whole and as a stream', async () => {
    const { choices } = await client.chat.completions.create({ ...ask, response_format: { type: 'json_object' } });
    expect(typeof JSON.parse(choices[0]?.message.content ?? '')).toBe('object');
    const format = { type: 'json_schema', json_schema: { name: 'point', strict: true, schema: point } } as const;
    const whole = await client.chat.completions.create({ ...ask, response_format: format });
    const content = whole.choices[0]?.message.content ?? '';
    expect(JSON.parse(content)).toEqual({ x: expect.any(Number), y: expect.stringMatching(/^(up|down)$/) });
    expect(whole.choices[0]?.finish_reason).toBe('stop');
    let streamed = '';
    for await (const chunk of await client.chat.completions.create({ ...ask, response_format: format, stream: true }))
      streamed += chunk.choices[0]?.delta.content ?? '';
    expect(streamed).toBe(content);
  });

  test('tools that must be called are, with arguments of their schema, whole and as a stream', async () => {
    for (let seed = 0; seed < 4; seed++) {
      const body = { ...ask, seed, tools, tool_choice: 'required', parallel_tool_calls: false } as const;
      const { choices } = await client.chat.completions.create(body);
      const { message, finish_reason: reason } = choices[0] as OpenAI.ChatCompletion.Choice;
      expect([reason, message.content, message.tool_calls?.length]).toEqual(['tool_calls', null, 1]);
      const call = message.tool_calls?.[0] as OpenAI.ChatCompletionMessageFunctionToolCall;
      const given = JSON.parse(call.function.arguments);
      expect(given).toEqual(
        call.function.name === 'move' ? { x: expect.any(Number), y: expect.stringMatching(/^(up|down)$/) } : {},
      );
      const parts: string[] = [];
      let last: string | null | undefined;
      for await (const chunk of await client.chat.completions.create({ ...body, stream: true })) {
        const [choice] = chunk.choices;
        expect(choice?.delta.content ?? '').toBe('');
        for (const delta of choice?.delta.tool_calls ?? []) {
          expect(delta.index).toBe(0);
          if (delta.id !== undefined) parts.push(`${delta.function?.name}:`);
          parts.push(delta.function?.arguments ?? '');
        }
        last = choice?.finish_reason ?? last;
      }
      expect(parts.join('')).toBe(`${call.function.name}:${call.function.arguments}`);
      expect(parts.length).toBeGreaterThan(2);
      expect(last).toBe('tool_calls');
      // The conversation goes on with the result.
      const answer = { role: 'tool' as const, tool_call_id: call.id, content: 'done' };
      const next = await client.chat.completions.create({
        ...ask,
        max_tokens: 3,
        messages: [...messages, message, answer],
      });
      expect(next.usage?.completion_tokens).toBeGreaterThan(0);
    }
  });

  test('one function by name, several calls, or none', async () => {
    const named = { type: 'function', function: { name: 'stop' } } as const;
    const one = await client.chat.completions.create({ ...ask, tools, tool_choice: named });
    expect(one.choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: 'stop', arguments: expect.stringMatching(/^\{\s*\}$/) } },
    ]);
    const several = await client.chat.completions.create({
      ...ask,
      max_tokens: 300,
      tools: [tool('a')],
      tool_choice: 'required',
    });
    for (const call of several.choices[0]?.message.tool_calls ?? [])
      expect(call).toMatchObject({ function: { name: 'a', arguments: expect.stringMatching(/^\{\s*\}$/) } });
    const free = await client.chat.completions.create({ ...ask, max_tokens: 8, tools });
    expect(free.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: expect.any(String) } });
    const none = await client.chat.completions.create({ ...ask, max_tokens: 8, tools, tool_choice: 'none' });
    expect(none.usage?.prompt_tokens).toBeLessThan(free.usage?.prompt_tokens ?? 0);
  });
});

test('a grammar holds a completion, and the tokens before it do not matter', async () => {
  const grammar = 'root ::= ("ab" | "cd")+ "!"';
  const { json } = await post('/v1/completions', { prompt: ['x', 'y'], grammar, max_tokens: 20, temperature: 1 });
  for (const { text, finish_reason: reason } of json.choices) {
    expect(text).toMatch(/^(ab|cd)+!$/);
    expect(reason).toBe('stop');
  }
});

describe('what cannot be kept', () => {
  const chat = '/v1/chat/completions';
  const refused: readonly [body: object, param: string, message: string][] = [
    [{ grammar: 'root ::= "a" root' }, 'grammar', 'the grammar matches no text'],
    [{ grammar: 'root ::= (' }, 'grammar', 'expected )'],
    [{ grammar: 5 }, 'grammar', 'a text in GBNF'],
    [{ grammar: 'root ::= "a"', response_format: { type: 'json_object' } }, 'grammar', 'exclude each other'],
    [{ response_format: { type: 'xml' } }, 'response_format.type', '"json_schema"'],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema', 'an object'],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { not: {} } } } },
      'response_format.json_schema.schema',
      'schema, #/not: not supported',
    ],
    [{ tools: {} }, 'tools', 'a list of at most 128 tools'],
    [{ tools: [{ type: 'function' }] }, 'tools[0]', 'an object with'],
    [{ tools: [tool('a b')] }, 'tools[0].function.name', 'up to 64 letters'],
    [{ tools: [tool('a'), tool('a')] }, 'tools', 'two tools are called "a"'],
    [{ tools: [tool('a'), tool('b', { minProperties: 1 })] }, 'tools[1].function.parameters', '#/minProperties'],
    [{ tools, tool_choice: 'always' }, 'tool_choice', '"none", "auto", "required"'],
    [{ tools, tool_choice: { type: 'function', function: { name: 'fly' } } }, 'tool_choice', 'no tool "fly"'],
    [{ tools, response_format: { type: 'json_object' } }, 'response_format', 'exclude each other'],
    [{ tool_choice: 'required' }, 'tool_choice', '"tool_choice" needs "tools"'],
  ];
  test.each(refused)('%j names %s', async (body, param, message) => {
    const { status, json } = await post(chat, { messages, max_tokens: 5, ...body });
    expect([status, json.error.param]).toEqual([400, param]);
    expect(json.error.message).toContain(message);
  });

  test('is an error of its own answer, while others go on', async () => {
    const tokenizer: TextTokenizer = characterTokenizer('abc');
    const size = { vocabulary: 3, features: 32, layers: 1, heads: 2, hidden: 64 };
    const weights = namedWeights(stateOf(new Decoder(size, new Random(3))));
    const own = await start(
      {},
      { model: new LanguageModel(decoderConfig({ ...size, context: 400 }), weights), tokenizer },
    );
    const text = '/v1/completions';
    const other = own.post(text, { prompt: 'ab', max_tokens: 300 });
    const bad = { prompt: 'ab', grammar: 'root ::= "abcab" "x"' };
    const { status, json } = await own.post(text, bad);
    expect([status, json.error.param]).toEqual([400, 'grammar']);
    expect(json.error.message).toBe('no token of the model goes on within the grammar after "abcab"');
    const response = await fetch(`${own.address}${text}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'tiny', stream: true, ...bad }),
    });
    const events = eventsOf(await response.text());
    expect(events.at(-1)).toMatchObject({ error: { message: expect.stringContaining('no token of the model') } });
    expect((await other).json.usage.completion_tokens).toBe(300);
  });

  test('a template without tools has none', async () => {
    const plain = await start({}, { model: byteModel(), tokenizer: byteTokenizer() });
    const { status, json } = await plain.post(chat, { messages, tools });
    expect([status, json.error.param]).toEqual([400, 'tools']);
  });
});

describe('calls in a text', () => {
  const marked = callFormOf('… <tool_call> …');
  const bare = callFormOf('{% if tools %} {"name": …, "parameters": …}');
  const told = (text: string, size: number, form = marked) => {
    const stream = new CallStream(form as NonNullable<typeof form>);
    const deltas = [];
    for (let at = 0; at < text.length; at += size) deltas.push(...stream.push(text.slice(at, at + size)));
    deltas.push(...stream.end());
    const content = deltas.map((delta) => (delta.kind === 'text' ? delta.text : '')).join('');
    const calls: string[] = [];
    for (const delta of deltas) {
      if (delta.kind === 'call') calls[delta.index] = `${delta.name} `;
      if (delta.kind === 'arguments') calls[delta.index] += delta.text;
    }
    return { content, calls };
  };

  test.each([1, 2, 7, 1000])('are told from it in pieces of %d characters', (size) => {
    const text =
      'So: <tool <tool_call>\n{"name": "a", "arguments": {"x": "}\\"{", "y": [{}]}}\n</tool_call>\n<tool_call>\n{"name": "b-2", "arguments": {}}\n</tool_call>';
    expect(told(text, size)).toEqual({ content: 'So: <tool ', calls: ['a {"x": "}\\"{", "y": [{}]}', 'b-2 {}'] });
    expect(told('just <tool', size)).toEqual({ content: 'just <tool', calls: [] });
    expect(told('{"name": "a", "parameters": {"x": 1}}', size, bare)).toEqual({ content: '', calls: ['a {"x": 1}'] });
    expect(told('a {"name": "a"}', size, bare)).toEqual({ content: 'a {"name": "a"}', calls: [] });
  });
});
