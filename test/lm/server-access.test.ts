// Who is let in: hosts, origins, content types, keys, methods.

import { describe, expect, test } from 'vitest';
import { LanguageServer } from '../../src/lm/node.js';
import { byteModel, byteTokenizer, connection, raw, start } from './server-model.js';

const json = { 'content-type': 'application/json' };
const body = JSON.stringify({ model: 'tiny', prompt: 'a', max_tokens: 1 });
const completion = { method: 'POST', body } as const;

describe('hosts', async () => {
  const { port } = await start({ allowedHosts: ['model.lan'] });
  const statusOf = async (host: string) => (await raw(port, '/v1/models', { headers: { host } })).status;

  test('the loopback names and the names that are given, with any port', async () => {
    for (const host of ['localhost', `localhost:${port}`, '127.0.0.1:1', '[::1]:80', 'app.localhost', 'Model.LAN:8080'])
      expect([host, await statusOf(host)]).toEqual([host, 200]);
  });

  test('no others, which could be rebound to this machine', async () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'model.lan.evil',
      '10.0.0.1',
    ])
      expect([host, await statusOf(host)]).toEqual([host, 403]);
    const { text } = await raw(port, '/health', { headers: { host: 'evil.example' } });
    expect(JSON.parse(text).error.message).toContain('--allowed-hosts');
  });

  test('also where the target names the host, or nothing does', async () => {
    const first = async (lines: string) => (await connection(port, `${lines}\r\n\r\n`).received).slice(0, 12);
    const close = 'Host: localhost\r\nConnection: close';
    expect(await first(`GET http://localhost/health HTTP/1.1\r\n${close}`)).toBe('HTTP/1.1 200');
    expect(await first(`GET http://evil.example/health HTTP/1.1\r\n${close}`)).toBe('HTTP/1.1 403');
    expect(await first('GET /health HTTP/1.0')).toBe('HTTP/1.1 403');
    expect(await first(`GET /health HTTP/1.1\r\n${close}\r\nHost: evil.example`)).toBe('HTTP/1.1 400');
  });

  test('an origin behind more headers than are kept is not overlooked', async () => {
    const first = async (count: number, last: string) => {
      const others = Array.from({ length: count }, (_, i) => `X${i}: 1`).join('\r\n');
      const head = `POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n${others}\r\n${last}`;
      return (await connection(port, `${head}\r\n\r\n{}`).received).slice(0, 12);
    };
    expect(await first(90, 'Origin: https://evil.example')).toBe('HTTP/1.1 403');
    expect(await first(96, 'Origin: https://evil.example')).toBe('HTTP/1.1 403');
    expect(await first(97, 'Origin: https://evil.example')).toBe('HTTP/1.1 431');
    expect(await first(500, 'Origin: https://evil.example')).toBe('HTTP/1.1 431');
  });
});

describe('pages of other sites', async () => {
  const { port } = await start();
  const host = `localhost:${port}`;
  const ask = async (headers: Record<string, string>) =>
    (await raw(port, '/v1/completions', { ...completion, headers: { host, ...headers } })).status;

  test('are refused, also with requests that need no preflight', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost:3000', `https://localhost:${port + 1}`])
      for (const type of ['text/plain', 'application/json'])
        expect([origin, await ask({ origin, 'content-type': type })]).toEqual([origin, 403]);
    for (const site of ['cross-site', 'same-site'])
      expect((await raw(port, '/v1/models', { headers: { host, 'sec-fetch-site': site } })).status).toBe(403);
  });

  test('those of the server itself and what is typed are not', async () => {
    expect(await ask({ ...json, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect((await raw(port, '/v1/models', { headers: { host, 'sec-fetch-site': 'none' } })).status).toBe(200);
  });
});

describe('CORS', async () => {
  const origin = 'https://chat.example';
  const { port } = await start({ cors: [origin], apiKey: 'secret' });
  const preflight = (from: string) =>
    raw(port, '/v1/chat/completions', {
      method: 'OPTIONS',
      headers: {
        ...{ origin: from, 'access-control-request-method': 'POST' },
        'access-control-request-headers': 'authorization,content-type,x-stainless-os',
      },
    });

  test('an allowed origin gets its preflight without a key, and answers and errors that it may read', async () => {
    const asked = await preflight(origin);
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization,content-type,x-stainless-os',
      vary: 'Origin',
    });
    const headers = { ...json, origin, 'sec-fetch-site': 'cross-site', authorization: 'Bearer secret' };
    const answered = await raw(port, '/v1/completions', { ...completion, headers });
    expect([answered.status, answered.headers['access-control-allow-origin']]).toEqual([200, origin]);
    const refused = await raw(port, '/v1/completions', { ...completion, headers: { ...json, origin } });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, origin]);
  });

  test('others do not, and caches keep the two apart', async () => {
    const asked = await preflight('https://evil.example');
    expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    const plain = await raw(port, '/health');
    expect([plain.status, plain.headers.vary]).toEqual([200, 'Origin']);
  });

  test('what is no origin is refused at the start', () => {
    const server = (cors: string[]) =>
      new LanguageServer({ model: byteModel(), tokenizer: byteTokenizer() }, { name: 'tiny', cors });
    expect(() => server(['chat.example'])).toThrow('"chat.example" is no origin');
    expect(() => server(['https://chat.example/'])).toThrow('is no origin');
    expect(() => server(['*'])).not.toThrow();
  });
});

test('bodies are JSON in UTF-8; a type is asked for where a browser or a form could have sent them', async () => {
  const { port } = await start();
  const host = `localhost:${port}`;
  const ask = async (headers: Record<string, string>, content = body) =>
    (await raw(port, '/v1/completions', { method: 'POST', body: content, headers: { host, ...headers } })).status;
  expect(await ask(json)).toBe(200);
  expect(await ask({ 'content-type': 'application/json; charset=UTF-8' })).toBe(200);
  expect(await ask({})).toBe(200);
  expect(await ask({ 'content-type': 'text/plain;charset=UTF-8' })).toBe(200);
  expect(await ask({ 'content-type': 'text/plain', origin: `http://${host}` })).toBe(415);
  expect(await ask({ 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' })).toBe(415);
  expect(await ask({ 'content-type': 'application/x-www-form-urlencoded' })).toBe(415);
  expect(await ask({ 'content-type': 'application/json; charset=utf-16' })).toBe(415);
  expect(await ask({ ...json, 'content-encoding': 'gzip' })).toBe(415);
});

test('keys: the scheme in any case, nothing else', async () => {
  const { port } = await start({ apiKey: 'secret' });
  const statusOf = async (authorization: string) =>
    (await raw(port, '/v1/models', { headers: { authorization } })).status;
  for (const given of ['Bearer secret', 'bearer secret', 'BEARER   secret ']) expect(await statusOf(given)).toBe(200);
  for (const given of ['secret', 'Bearer', 'Bearer secret2', 'Bearer secre', 'Basic secret', 'Bearer SECRET'])
    expect([given, await statusOf(given)]).toEqual([given, 401]);
  expect((await raw(port, '/v1/models')).headers['www-authenticate']).toBe('Bearer');
  expect(
    () => new LanguageServer({ model: byteModel(), tokenizer: byteTokenizer() }, { name: 'tiny', apiKey: '' }),
  ).toThrow('the API key is empty');
});

test('methods: HEAD where GET is, OPTIONS everywhere, Allow beside 405', async () => {
  const { port } = await start();
  const ask = async (method: string, path: string) => {
    const { status, headers, text } = await raw(port, path, { method });
    return [status, headers.allow, text.length > 0];
  };
  expect(await ask('HEAD', '/v1/models')).toEqual([200, undefined, false]);
  expect((await raw(port, '/v1/models', { method: 'HEAD' })).headers['content-length']).not.toBe('0');
  expect(await ask('POST', '/v1/models')).toEqual([405, 'GET, HEAD', true]);
  expect(await ask('GET', '/v1/completions')).toEqual([405, 'POST', true]);
  expect(await ask('OPTIONS', '/v1/models')).toEqual([204, 'GET, HEAD, OPTIONS', false]);
  expect(await ask('OPTIONS', '/v1/completions')).toEqual([204, 'POST, OPTIONS', false]);
  expect(await ask('GET', '/v1/models/tiny')).toEqual([200, undefined, true]);
  expect(await ask('GET', '/v1/models/%74iny')).toEqual([200, undefined, true]);
  expect(await ask('GET', '/%E0%A4%A')).toEqual([400, undefined, true]);
});
