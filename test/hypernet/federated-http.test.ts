import { connect, createServer, type Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import {
  AverageServer,
  type Channel,
  decodeMessage,
  encodeMessage,
  FederatedClient,
  Federation,
  joinFederation,
  localChannel,
  type PrivateRows,
  runRounds,
  standardized,
  trainMessage,
} from '../../src/hypernet/index.js';
import { FederationServer, type FederationServerOptions } from '../../src/hypernet/node.js';
import { Random } from '../../src/tensor/index.js';

const network = { kind: 'classifier', sizes: [3, 4, 2] } as const;
const order = { objective: 'classify', epochs: 2, batch: 8, learningRate: 1e-2 } as const;

function rowsOf(seed: number): PrivateRows {
  const values = new Random(seed).normal([20, 3]).dataSync<Float32Array>().slice();
  return { count: 20, width: 3, values, labels: Int32Array.from({ length: 20 }, (_, row) => row % 2) };
}

const clientOf = (name: string, seed: number) => new FederatedClient(name, rowsOf(seed), 2, new Random(seed));

/** A running server whose clients become channels of a federation. */
async function start(options: Partial<FederationServerOptions> = {}, federation = new Federation([])) {
  const left: string[] = [];
  const joined: string[] = [];
  const http = new FederationServer({
    ...{ clients: 4, description: { columns: ['a'] }, answerLimit: 10_000, wait: 300 },
    onJoin: (channel: Channel) => {
      joined.push(channel.name);
      federation.add(channel);
    },
    onLeave: (name) => {
      left.push(name);
      federation.remove(name);
    },
    ...options,
  });
  const server = http.create();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  let isOpen = true;
  const close = async (grace = 10_000) => {
    if (isOpen) await http.close(grace);
    isOpen = false;
  };
  afterAll(() => close(100));
  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers });
  return { http, port, url: `http://127.0.0.1:${port}`, federation, left, joined, close, post };
}

const until = async (holds: () => boolean) => {
  for (let i = 0; i < 400 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
};

const flat = (server: AverageServer) => Object.values(server.weightsFor()).flatMap(({ values }) => [...values]);

/** A proxy that keeps all bytes that pass. */
async function wiretap(port: number): Promise<{ url: string; bytes: () => Buffer }> {
  const parts: Buffer[] = [];
  const open = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(from);
      from.on('data', (part: Buffer) => {
        parts.push(part);
        to.write(part);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    for (const socket of open) socket.destroy();
    proxy.close();
  });
  const { port: own } = proxy.address() as { port: number };
  return { url: `http://127.0.0.1:${own}`, bytes: () => Buffer.concat(parts) };
}

test('rounds over HTTP are those of one process, and no row or class is on the wire', async () => {
  const { federation, port, close, joined } = await start();
  const wire = await wiretap(port);
  const clients = ['a', 'b'].map((name, i) => clientOf(name, 10 + i));
  const running = clients.map((client) => joinFederation(wire.url, client));
  await until(() => joined.length === 2);
  const [over, same] = [new AverageServer(network, new Random(0)), new AverageServer(network, new Random(0))];
  await runRounds(over, federation, ['a', 'b'], new Random(0), { rounds: 3, order });
  const local = new Federation(['a', 'b'].map((name, i) => localChannel(clientOf(name, 10 + i))));
  await runRounds(same, local, ['a', 'b'], new Random(0), { rounds: 3, order });
  expect(flat(over)).toEqual(flat(same));
  await close();
  expect(await Promise.all(running)).toEqual([3, 3]);
  const bytes = wire.bytes();
  // The wire has the weights, so a row would be seen.
  expect(bytes.length).toBeGreaterThan(3000);
  const first = Buffer.from(
    trainMessage(new AverageServer(network, new Random(0)), 0, 0, order).arrays[
      'blocks.0.linear.weight'
    ]?.values.slice().buffer as ArrayBuffer,
  );
  expect(bytes.includes(first)).toBe(true);
  const text = bytes.toString('latin1');
  clients.forEach((client, i) => {
    const rows = rowsOf(10 + i);
    for (const values of [rows.values, standardized(rows.values, client.standardization)])
      for (const value of values) {
        expect(bytes.includes(Buffer.from(Float32Array.of(value).buffer))).toBe(false);
        expect(bytes.includes(Buffer.from(Float64Array.of(value).buffer))).toBe(false);
        expect(text).not.toContain(String(value));
      }
    expect(bytes.includes(Buffer.from(rows.labels.buffer))).toBe(false);
    expect(bytes.includes(Buffer.from(Uint8Array.from(rows.labels)))).toBe(false);
    expect(text).not.toContain([...rows.labels].join(','));
  });
}, 60_000);

describe('the server', () => {
  test('lets in who knows the key, under a name that is free, until it is full', async () => {
    const { post, url } = await start({ apiKey: 'secret', clients: 1 });
    const key = { authorization: 'Bearer secret' };
    expect((await fetch(`${url}/federation`)).status).toBe(401);
    expect(await (await fetch(`${url}/federation`, { headers: key })).json()).toEqual({ columns: ['a'] });
    const join = async (body: object) => {
      const response = await post('/join', JSON.stringify(body), key);
      return [response.status, await response.json()] as const;
    };
    expect((await join({ name: '../x' }))[0]).toBe(400);
    const [status, { token }] = (await join({ name: 'a' })) as [number, { token: string }];
    expect(status).toBe(200);
    expect((await join({ name: 'a' }))[0]).toBe(409);
    expect((await join({ name: 'a', token: 'f'.repeat(token.length) }))[0]).toBe(409);
    expect(await join({ name: 'a', token })).toEqual([200, { token }]);
    expect((await join({ name: 'b' }))[0]).toBe(403);
    expect((await post('/work', '{}', { ...key, 'x-client': 'a', 'x-token': 'wrong' })).status).toBe(401);
    expect((await post('/work', '{}', { ...key, 'x-client': 'a', 'x-token': token })).status).toBe(204);
  });

  test('bounds what clients send, and knows tasks by their number', async () => {
    const { post, federation, url } = await start();
    const { token } = (await (await post('/join', '{"name":"a"}')).json()) as { token: string };
    const own = { 'x-client': 'a', 'x-token': token };
    expect((await post('/join', 'no JSON')).status).toBe(400);
    expect((await post('/join', new Uint8Array(5000))).status).toBe(413);
    expect((await post('/answer/1', new Uint8Array(10_001), own)).status).toBe(413);
    // Without a length beforehand, parts are counted as they come.
    const parts = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 11; part++) controller.enqueue(new Uint8Array(1000));
        controller.close();
      },
    });
    const streamed = { method: 'POST', body: parts, headers: own, duplex: 'half' } as RequestInit;
    expect((await fetch(`${url}/answer/1`, streamed)).status).toBe(413);
    expect((await post('/answer/1', new Uint8Array(10), own)).status).toBe(404);
    expect((await post('/rows', '{}', own)).status).toBe(404);
    const asked = federation.ask(
      0,
      ['a'],
      () => ({ kind: 'train', fields: {}, arrays: {} }),
      () => undefined,
    );
    const response = await post('/work', '{}', own);
    const task = response.headers.get('x-task') as string;
    expect(decodeMessage(new Uint8Array(await response.arrayBuffer())).kind).toBe('train');
    // A task is handed out once, and answered once.
    expect((await post('/work', '{}', own)).status).toBe(204);
    expect((await post('/answer/0', new Uint8Array(10), own)).status).toBe(404);
    const answer = encodeMessage({ kind: 'update', fields: {}, arrays: {} });
    expect((await post(`/answer/${task}`, answer as BodyInit, own)).status).toBe(204);
    expect((await post(`/answer/${task}`, answer as BodyInit, own)).status).toBe(404);
    expect((await asked).map(({ client }) => client)).toEqual(['a']);
  });

  test('refuses browsers of other sites, and ends for all', async () => {
    const { post, close, url } = await start();
    expect((await post('/join', '{"name":"a"}', { origin: 'https://elsewhere.example' })).status).toBe(403);
    const running = joinFederation(url, clientOf('a', 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await close();
    expect(await running).toBe(0);
    await expect(joinFederation(url, clientOf('b', 1), { patience: 300 })).rejects.toThrow('cannot be reached');
    await expect(joinFederation('localhost:1', clientOf('b', 1))).rejects.toThrow('an address such as');
  });

  test('notices who is silent, goes on, and takes them back', async () => {
    const { post, federation, left, joined, url, close } = await start({ silence: 1500 });
    const { token } = (await (await post('/join', '{"name":"ghost"}')).json()) as { token: string };
    const asked = federation.ask(
      0,
      ['ghost'],
      () => ({ kind: 'train', fields: {}, arrays: {} }),
      () => undefined,
    );
    await post('/work', '{}', { 'x-client': 'ghost', 'x-token': token });
    expect(await asked).toEqual([]);
    expect(federation.events.at(-1)).toMatchObject({
      client: 'ghost',
      outcome: 'lost',
      detail: expect.stringContaining('not heard of'),
    });
    expect(left).toEqual(['ghost']);
    expect(federation.available).toEqual([]);
    const running = joinFederation(url, clientOf('ghost', 1), { token, heartbeat: 50 });
    await until(() => joined.length === 2);
    const server = new AverageServer(network, new Random(0));
    await runRounds(server, federation, ['ghost'], new Random(0), { rounds: 1, order });
    expect(federation.events.at(-1)).toMatchObject({ client: 'ghost', outcome: 'answered' });
    await close();
    expect(await running).toBe(1);
  });

  test('knows the clients of an earlier run by their tokens, and asks them nothing before they are back', async () => {
    const members = { a: 'a token of some length' };
    const { http, post, joined, federation } = await start({ members, clients: 2 });
    expect(http.members).toEqual(members);
    const headers = { 'x-client': 'a', 'x-token': members.a };
    expect((await post('/work', '{}', headers)).status).toBe(409);
    expect((await post('/join', '{"name":"a"}')).status).toBe(409);
    expect(federation.available).toEqual([]);
    expect((await post('/join', JSON.stringify({ name: 'a', token: members.a }))).status).toBe(200);
    expect((await post('/work', '{}', headers)).status).toBe(204);
    // They count among those that may join.
    expect((await post('/join', '{"name":"b"}')).status).toBe(200);
    expect((await post('/join', '{"name":"c"}')).status).toBe(403);
    expect(joined).toEqual(['a', 'b']);
    expect(Object.keys(http.members)).toEqual(['a', 'b']);
  });

  test('pauses without an end: a client goes on trying', async () => {
    const { http, url, joined, federation } = await start();
    const running = joinFederation(url, clientOf('a', 1), { patience: 500 });
    await until(() => joined.length === 1);
    await http.pause();
    const asked = await federation.ask(
      0,
      ['a'],
      () => ({ kind: 'train', fields: {}, arrays: {} }),
      () => undefined,
    );
    expect(asked).toEqual([]);
    expect(federation.events.at(-1)).toMatchObject({ outcome: 'lost', detail: expect.stringContaining('is gone') });
    await expect(running).rejects.toThrow('cannot be reached');
  });

  test('hears why a client could not follow', async () => {
    const { federation, joined, url, close } = await start();
    const running = joinFederation(url, clientOf('a', 1));
    await until(() => joined.length === 1);
    await federation.ask(
      0,
      ['a'],
      () => ({ kind: 'rows', fields: {}, arrays: {} }),
      () => undefined,
    );
    expect(federation.events.at(-1)).toMatchObject({
      outcome: 'lost',
      detail: expect.stringContaining('does not know the message "rows"'),
    });
    await close();
    await running;
  });
});
