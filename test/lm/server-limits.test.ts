// Slow, silent and hostile clients, and the end of a server.

import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { write } from '../../src/distributed/http/respond.js';
import { byteModel, byteTokenizer, connection, eventsOf, raw, start } from './server-model.js';

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const posted = (path: string, body: object, more = '') => {
  const text = JSON.stringify({ model: 'tiny', ...body });
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n${more}\r\n${text}`;
};

describe('limits', () => {
  test('a client that reads nothing is cut off', async () => {
    let written = 0;
    const server = createServer(async (_, response) => {
      while (!response.destroyed) {
        await write(response, 'x'.repeat(65_536), 150);
        written += 1;
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const closed = new Promise<void>((resolve) => server.on('connection', (one) => one.on('close', resolve)));
    server.on('request', () => {});
    await new Promise<void>((resolve) => server.once('request', () => resolve()));
    const connections = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    for (let i = 0; i < 100 && (await connections()) > 0; i++) await wait(50);
    expect(await connections()).toBe(0);
    expect(written).toBeGreaterThan(1);
    socket.destroy();
    server.close();
    void closed;
  });

  test('headers and bodies have their time and size', async () => {
    const { port } = await start({ headersTimeout: 200, requestTimeout: 400, bodyLimit: 1000 });
    const started = performance.now();
    const statusOf = async (sent: string) => (await connection(port, sent).received).slice(9, 12);
    const [silent, slow, half, large] = await Promise.all([
      statusOf(''),
      statusOf('GET /health HTTP/1.1\r\nHost: loc'),
      statusOf('POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"model":'),
      statusOf(`GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`),
    ]);
    expect([silent, slow, half, large]).toEqual(['408', '408', '408', '431']);
    expect(performance.now() - started).toBeLessThan(10_000);
    const tooLarge = `POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2000)}\r\n`;
    expect(await statusOf(tooLarge)).toBe('413');
  });

  test('when all places are taken, those who have sent nothing make room', async () => {
    const { port, post } = await start({ maxConnections: 4 });
    const idle = Array.from({ length: 40 }, () => connection(port, 'GET /health HTTP/1.1\r\n'));
    await wait(100);
    const { status } = await post('/v1/completions', { prompt: 'a', max_tokens: 50, ignored: null });
    expect(status).toBe(200);
    for (const { socket } of idle) socket.destroy();
  });
});

describe('the end of a server', () => {
  const long = { prompt: 'a', temperature: 0, stream: true, logit_bias: { 257: -100 } };

  test('lets streams end within the grace, and takes nothing new', async () => {
    const { port, language } = await start();
    const stream = connection(port, posted('/v1/completions', { ...long, max_tokens: 200 }, 'Connection: close\r\n'));
    await new Promise((resolve) => stream.socket.once('data', resolve));
    const kept = connect(port, '127.0.0.1');
    await new Promise((resolve) => kept.once('connect', resolve));
    const ended = language.close(20_000);
    await expect(raw(port, '/health')).rejects.toThrow('ECONNREFUSED');
    await ended;
    const text = await stream.received;
    expect(text).toContain('"finish_reason":"length"');
    expect(text).toContain('data: [DONE]');
    kept.destroy();
  });

  test('cuts off what takes longer, and says so: an event for streams, 503 for the others', async () => {
    const { port, language } = await start(
      { parallel: 2, context: 8192 },
      {
        model: byteModel(8192),
        tokenizer: byteTokenizer(),
      },
    );
    const streams = [0, 1].map(() =>
      connection(port, posted('/v1/completions', { ...long, max_tokens: 8000 }, 'Connection: close\r\n')),
    );
    await Promise.all(streams.map(({ socket }) => new Promise((resolve) => socket.once('data', resolve))));
    const waiting = raw(port, '/v1/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'tiny', prompt: 'a' }),
    });
    await wait(50);
    await language.close(100);
    for (const { received } of streams) {
      const text = await received;
      expect(text).toContain('"code":"shutting_down"');
      expect(text).toContain('data: [DONE]');
    }
    expect((await waiting).status).toBe(503);
  });
});

describe('sixteen honest clients among hostile ones', () => {
  test('lose nothing: every stream is whole and that of the request alone', async () => {
    const { port, address, post } = await start({
      ...{ maxConnections: 256, headersTimeout: 1000, requestTimeout: 2000, writeTimeout: 1000 },
    });
    const request = (id: number) => ({ prompt: `client ${id}: `, max_tokens: 24, temperature: 0, logprobs: 1 });
    const alone: string[] = [];
    for (let id = 0; id < 16; id++) alone.push((await post('/v1/completions', request(id))).json.choices[0].text);

    let over = false;
    let attacks = 0;
    const head = 'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    const hostile: readonly (() => string | Buffer)[] = [
      () => '',
      () => 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Slow: ',
      () => `GET / HTTP/1.1\r\nHost: localhost\r\n${'X-Many: y\r\n'.repeat(3000)}\r\n`,
      () => `GET /${'a'.repeat(30_000)} HTTP/1.1\r\n`,
      () => `${head}Content-Length: 1000\r\n\r\n{"model":"tiny","prompt":`,
      () => `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      () => `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
      () => `${'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(40)}\0\x01garbage\r\n\r\n`,
      () => Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 167) % 256)),
      () => posted('/v1/embeddings', { input: 'x'.repeat(200_000) }),
      () => `${head}Content-Length: 200002\r\n\r\n${'['.repeat(100_001)}${']'.repeat(100_001)}`,
      () => Buffer.concat([Buffer.from(`${head}Content-Length: 4\r\n\r\n`), Buffer.from([0x22, 0xc0, 0xaf, 0x22])]),
      () => posted('/v1/chat/completions', { messages: Array(200).fill({ role: 'user', content: '' }) }),
      () => posted('/v1/completions', { prompt: 'left', max_tokens: 100, stream: true }),
    ];
    const attack = async (id: number) => {
      for (let i = id; !over; i++) {
        const { socket, received } = connection(port, (hostile[i % hostile.length] as () => string | Buffer)());
        attacks += 1;
        await Promise.race([received, wait(200)]);
        // Half of them leave in the middle, half stay until the server closes.
        if (i % 2 === 0) socket.destroy();
      }
    };
    const idle: ReturnType<typeof connection>[] = [];
    for (let batch = 0; batch < 20; batch++) {
      for (let i = 0; i < 100; i++) idle.push(connection(port, 'G'));
      await wait(1);
    }
    const attackers = Array.from({ length: 4 }, (_, id) => attack(id));

    const honest = async (id: number) => {
      for (let round = 0; round < 2; round++) {
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ model: 'tiny', ...request(id), stream: true });
        let response = await fetch(`${address}/v1/completions`, { method: 'POST', headers, body });
        // A full queue says when to come back.
        for (
          ;
          response.status === 503;
          response = await fetch(`${address}/v1/completions`, { method: 'POST', headers, body })
        )
          await wait(50);
        const text = await response.text();
        expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
        expect(
          eventsOf(text)
            .map(({ choices }) => choices[0].text)
            .join(''),
        ).toBe(alone[id]);
      }
    };
    try {
      await Promise.all(Array.from({ length: 16 }, (_, id) => honest(id)));
    } finally {
      over = true;
    }
    await Promise.all(attackers);
    for (const { socket } of idle) socket.destroy();
    expect(attacks).toBeGreaterThan(hostile.length);
    for (let i = 0; i < 100 && (await (await fetch(`${address}/health`)).json()).running > 0; i++) await wait(50);
    expect(await (await fetch(`${address}/health`)).json()).toEqual({ status: 'ok', running: 0, waiting: 0 });
  }, 90_000);
});
