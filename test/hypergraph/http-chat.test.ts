import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import {
  AgentTeam,
  type ChatError,
  type ChatRequest,
  discuss,
  everyone,
  HttpChatModel,
  type HttpChatOptions,
  topologyOf,
} from '../../src/hypergraph/index.js';

/** One scripted reply. */
type Script = (response: ServerResponse, request: IncomingMessage, body: string) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that answers its n-th request by the n-th script, the last one again and again. */
async function scripted(...scripts: readonly Script[]) {
  const requests: { readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      requests.push({ url: request.url ?? '', headers: request.headers, body });
      const script = scripts[Math.min(requests.length, scripts.length) - 1] as Script;
      script(response, request, body);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const model = (options: HttpChatOptions = {}) => new HttpChatModel(base, { backoff: 1, ...options });
  return { base, requests, model, server };
}

const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Script =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
const saying = (text: string, usage: object | null = { prompt_tokens: 12, completion_tokens: 3 }) =>
  json({ choices: [{ message: { role: 'assistant', content: text } }], ...(usage && { usage }) });
const request: ChatRequest = {
  model: 'm',
  messages: [{ role: 'user', content: 'Hello?' }],
  temperature: 0.5,
  maxTokens: 9,
  seed: 4,
};
const errorOf = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: ChatError) => error);

describe('a call', () => {
  test('is a POST in OpenAI’s format with the key; usage is what the server counted', async () => {
    const { model, requests } = await scripted(saying('Good day'));
    const reply = await model({ key: 'secret' }).complete(request);
    expect(reply).toEqual({ text: 'Good day', promptTokens: 12, completionTokens: 3 });
    const [{ url, headers, body }] = requests as [(typeof requests)[0]];
    expect([url, headers.authorization]).toEqual(['/v1/chat/completions', 'Bearer secret']);
    expect(JSON.parse(body)).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hello?' }],
      temperature: 0.5,
      max_tokens: 9,
      seed: 4,
    });
  });

  test('without usage tokens are counted by a hook, or estimated', async () => {
    const { model } = await scripted(saying('12345678', null), saying('12345678', { prompt_tokens: 'many' }));
    expect(await model().complete(request)).toEqual({
      text: '12345678',
      promptTokens: 2,
      completionTokens: 2,
      estimated: true,
    });
    const counted = await model({ countTokens: (text) => text.length }).complete(request);
    expect([counted.promptTokens, counted.completionTokens]).toEqual([6, 8]);
  });

  test('goes without a key when there is none', async () => {
    const { model, requests } = await scripted(saying('x'));
    await model().complete(request);
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('retries', () => {
  test('after 429 and 5xx, at most three', async () => {
    const { model, requests } = await scripted(json({}, 429), json({}, 503), json({}, 500), saying('at last'));
    expect((await model().complete(request)).text).toBe('at last');
    expect(requests.length).toBe(4);
    const failing = await scripted(json({ error: { message: 'busy' } }, 500));
    const error = await errorOf(failing.model().complete(request));
    expect(failing.requests.length).toBe(4);
    expect([error?.kind, error?.message]).toEqual(['failed', expect.stringMatching(/status 500: .*busy/)]);
  });

  test('wait longer each time, or as long as the server says', async () => {
    const started = performance.now();
    const { model } = await scripted(json({}, 429), json({}, 429), saying('x'));
    await model({ backoff: 40 }).complete(request);
    expect(performance.now() - started).toBeGreaterThan(115);
    const patient = await scripted(json({}, 429, { 'retry-after': '0' }), saying('x'));
    const again = performance.now();
    await patient.model({ backoff: 60_000 }).complete(request);
    expect(performance.now() - again).toBeLessThan(5000);
  });

  test('not after a refusal: 401, 403 and 404 hold for every call, other statuses for this one', async () => {
    for (const [status, kind] of [
      [401, 'refused'],
      [403, 'refused'],
      [404, 'refused'],
      [400, 'failed'],
      [413, 'failed'],
    ] as const) {
      const { model, requests } = await scripted(json({}, status));
      expect((await errorOf(model().complete(request)))?.kind).toBe(kind);
      expect(requests.length).toBe(1);
    }
    const { model } = await scripted(json({}, 401));
    expect((await errorOf(model().complete(request)))?.message).toContain('status 401 (no key was sent)');
  });
});

describe('replies that are none', () => {
  test('not JSON, without text, a tool call: the call fails and says so', async () => {
    const reply = async (script: Script) =>
      (await errorOf((await scripted(script)).model().complete(request)))?.message;
    expect(await reply((response) => response.end('<html>\u001b[31m\nOops'))).toMatch(
      /the reply is not JSON: <html> \[31m Oops$/,
    );
    expect(await reply((response) => response.end())).toContain('not JSON: nothing');
    for (const value of [null, {}, { choices: [] }, { choices: [{ message: { content: null, tool_calls: [{}] } }] }])
      expect(await reply(json(value))).toContain('no text in choices[0].message.content');
  });

  test('one that never ends is cut off after the time limit, with head or without', async () => {
    for (const script of [
      ((response) => response.writeHead(200).write('{"choices":')) as Script,
      (() => undefined) as Script,
    ]) {
      const { model, requests } = await scripted(script);
      const error = await errorOf(model({ timeout: 1000 }).complete(request));
      expect([error?.kind, error?.message]).toEqual(['failed', expect.stringContaining('no whole reply within 1 s')]);
      expect(requests.length).toBe(1);
    }
  });

  test('one that drips without end is cut off at the time limit too, a long one at its size', async () => {
    const drip: Script = (response) => {
      const timer = setInterval(() => response.write('a'.repeat(1000)), 5);
      response.on('close', () => clearInterval(timer));
    };
    const { model } = await scripted(drip);
    expect((await errorOf(model({ timeout: 100 }).complete(request)))?.message).toContain(
      'no whole reply within 0.1 s',
    );
    const long = await scripted(drip);
    expect((await errorOf(long.model({ maxBytes: 3000 }).complete(request)))?.message).toContain(
      'longer than 3000 bytes',
    );
  });

  test('nobody listens, or the server redirects', async () => {
    const { model, server } = await scripted(saying('x'));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect((await errorOf(model().complete(request)))?.message).toContain('ECONNREFUSED');
    const moved = await scripted(json({}, 307, { location: 'http://127.0.0.1:9/' }));
    expect((await errorOf(moved.model({ key: 'secret' }).complete(request)))?.kind).toBe('failed');
  });
});

describe('abort', () => {
  const aborting = async (script: Script, options: HttpChatOptions = {}) => {
    const { model, requests } = await scripted(script);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 40);
    const started = performance.now();
    const error = await errorOf(model(options).complete({ ...request, signal: controller.signal }));
    return { name: error?.name, elapsed: performance.now() - started, calls: requests.length };
  };

  test('ends a call that runs, and one that waits for its next try', async () => {
    const running = await aborting(() => undefined);
    expect([running.name, running.elapsed < 5000]).toEqual(['AbortError', true]);
    const waiting = await aborting(json({}, 429), { backoff: 60_000 });
    expect([waiting.name, waiting.elapsed < 5000, waiting.calls]).toEqual(['AbortError', true, 1]);
  });

  test('ends a call that waits for its turn, and others go on', async () => {
    const held: ServerResponse[] = [];
    const { model, requests } = await scripted((response) => held.push(response));
    const chat = model({ concurrency: 1 });
    const controller = new AbortController();
    const first = chat.complete(request);
    const second = errorOf(chat.complete({ ...request, signal: controller.signal }));
    const third = chat.complete(request);
    controller.abort();
    expect((await second)?.name).toBe('AbortError');
    while (held.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    saying('one')(held[0] as ServerResponse, undefined as never, '');
    expect((await first).text).toBe('one');
    while (held.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    saying('three')(held[1] as ServerResponse, undefined as never, '');
    expect((await third).text).toBe('three');
    expect(requests.length).toBe(2);
  });
});

test('no more calls run at once than allowed', async () => {
  let [running, most] = [0, 0];
  const { model } = await scripted((response, incoming, body) => {
    running += 1;
    most = Math.max(most, running);
    setTimeout(() => {
      running -= 1;
      saying('x')(response, incoming, body);
    }, 10);
  });
  const chat = model({ concurrency: 3 });
  await Promise.all(Array.from({ length: 10 }, () => chat.complete(request)));
  expect(most).toBe(3);
});

test('the key is in no error, and not to be seen on the model', async () => {
  const { model } = await scripted(json({ error: { message: 'Incorrect API key provided: sk-secret' } }, 401));
  const chat = model({ key: 'sk-secret' });
  const message = (await errorOf(chat.complete(request)))?.message;
  expect(message).toContain('(the key was sent)');
  expect(message).toContain('provided: …');
  expect(`${message}${JSON.stringify(chat)}${inspect(chat, { depth: 9, showHidden: true })}`).not.toContain(
    'sk-secret',
  );
});

test('addresses that are none are refused', () => {
  for (const base of ['', 'nowhere', 'ftp://host/v1', 'file:///etc'])
    expect(() => new HttpChatModel(base)).toThrow(`endpoint "${base}" is no HTTP address`);
  expect(() => new HttpChatModel('http://me:word@host/v1')).toThrow('give the key in the environment');
});

test('a discussion over HTTP: an agent without a reply is passed over, the rest counts', async () => {
  const { model, requests } = await scripted((response, incoming, body) => {
    const system: string = JSON.parse(body).messages[0].content;
    if (system.includes('broken')) json({}, 500)(response, incoming, body);
    else saying(system.includes('decide') ? 'Answer: 4' : 'I say 4')(response, incoming, body);
  });
  const team = new AgentTeam([
    { name: 'a', role: 'solver' },
    { name: 'b', role: 'broken solver' },
    { name: 'c', role: 'checker' },
  ]);
  const result = await discuss(model({ retries: 1 }), team, '2 + 2?', topologyOf(3, everyone(3)), {
    model: 'm',
    rounds: 2,
  });
  expect(result.answer).toBe('Answer: 4');
  expect(result.messages).toEqual(['I say 4', undefined, 'I say 4']);
  expect(result.failures.length).toBe(2);
  expect(result.tokens).toEqual({ agents: { prompt: 48, completion: 12 }, summariser: { prompt: 12, completion: 3 } });
  expect(requests.length).toBe(5 + 2 * 2);
});
