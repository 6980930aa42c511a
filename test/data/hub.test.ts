import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { place } from '../../src/data/hub/cache.js';
import { withLock } from '../../src/data/hub/lock.js';
import { Sha256 } from '../../src/data/hub/sha256.js';
import { isHubName, listRepository, parseHubName } from '../../src/data/index.js';
import { cachedSnapshot, fetchFiles, hubSettings } from '../../src/data/node.js';
import { COMMIT, gitSha1, type HubServer, hubServer, sha256 } from './hub-server.js';

const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919 + (i >> 8)) & 255);
const config = new TextEncoder().encode('{"model_type":"llama"}');
const digest = sha256(weights);

let server: HubServer;
let cache: string;
beforeEach(async () => {
  server = await hubServer({ 'm.Q4_0.gguf': weights, 'config.json': config, 'sub/deep.gguf': weights.slice(1) });
  cache = mkdtempSync(join(tmpdir(), 'gossamer-hub-'));
});
afterEach(() => server.close());

const quick = { attempts: 4, pause: 1 };
const repository = () => join(cache, 'models--owner--name');
const blob = (name = digest) => join(repository(), 'blobs', name);

async function get(paths: readonly string[] = ['m.Q4_0.gguf'], options: object = {}): Promise<string> {
  const access = { ...quick, endpoint: server.endpoint, ...options };
  const listing = await listRepository('owner/name', 'main', access);
  const files = listing.files.filter(({ path }) => paths.includes(path));
  return fetchFiles(listing, files, { ...access, cache, revision: 'main' });
}

describe('names', () => {
  test.each([
    ['hf:owner/name', 'owner/name', 'main', undefined],
    ['hf:Qwen/Qwen3-0.6B-GGUF:Q8_0', 'Qwen/Qwen3-0.6B-GGUF', 'main', 'Q8_0'],
    ['hf:o/n@refs/pr/1:sub/m.gguf', 'o/n', 'refs/pr/1', 'sub/m.gguf'],
  ])('%s', (text, repository, revision, file) => {
    expect(isHubName(text)).toBe(true);
    expect(parseHubName(text)).toEqual({ repository, revision, file });
  });

  test.each([
    'hf:',
    'hf:name',
    'hf:a/b/c',
    'hf:../b',
    'hf:a/..',
    'hf:a/b:',
    'hf:a/b:../c',
    'hf:a/b:/etc/passwd',
    'hf:a/b@../x',
    'hf:a--b/c',
  ])('%s is refused', (text) => {
    expect(() => parseHubName(text)).toThrow('is no name of a model; write hf:owner/name');
  });

  test('settings are those of Hugging Face’s tools', () => {
    const home = mkdtempSync(join(tmpdir(), 'gossamer-hf-'));
    writeFileSync(join(home, 'token'), 'written\n');
    expect(hubSettings({ HF_HOME: home })).toEqual({
      ...{ folder: join(home, 'hub'), endpoint: undefined, token: 'written', offline: false },
    });
    expect(
      hubSettings({ HF_HOME: home, HF_HUB_CACHE: '/c', HF_TOKEN: 't', HF_ENDPOINT: 'http://e', HF_HUB_OFFLINE: '1' }),
    ).toEqual({ folder: '/c', endpoint: 'http://e', token: 't', offline: true });
    expect(hubSettings({ XDG_CACHE_HOME: '/x', HF_HUB_OFFLINE: '0' })).toMatchObject({
      ...{ folder: '/x/huggingface/hub', offline: false },
    });
  });
});

describe('a download', () => {
  test('has the layout of Hugging Face’s cache, and is made once', async () => {
    const snapshot = await get(['m.Q4_0.gguf', 'config.json', 'sub/deep.gguf']);
    expect(snapshot).toBe(join(repository(), 'snapshots', COMMIT));
    expect(readFileSync(join(snapshot, 'm.Q4_0.gguf')).equals(weights)).toBe(true);
    expect(readlinkSync(join(snapshot, 'm.Q4_0.gguf'))).toBe(`../../blobs/${digest}`);
    expect(readlinkSync(join(snapshot, 'sub/deep.gguf'))).toBe(`../../../blobs/${sha256(weights.slice(1))}`);
    expect(readlinkSync(join(snapshot, 'config.json'))).toBe(`../../blobs/${gitSha1(config)}`);
    expect(readFileSync(join(repository(), 'refs/main'), 'utf8')).toBe(COMMIT);
    expect(readdirSync(join(repository(), 'blobs')).length).toBe(3);
    expect(readdirSync(join(cache, '.locks/models--owner--name'))).toEqual([]);
    const before = server.requests.length;
    await get(['m.Q4_0.gguf', 'config.json']);
    expect(server.requests.slice(before).map(({ path }) => path)).toEqual([
      '/api/models/owner/name/revision/main?blobs=true',
    ]);
    expect(
      cachedSnapshot(cache, 'owner/name', 'main')
        ?.files.map(({ path }) => path)
        .sort(),
    ).toEqual([...['config.json', 'm.Q4_0.gguf', 'sub/deep.gguf']]);
    expect(cachedSnapshot(cache, 'owner/name', 'other')).toBeUndefined();
  });

  test('gives the token to the hub and not to the content network', async () => {
    server.token = 'secret';
    await get(undefined, { token: 'secret' });
    const seen = server.requests.map(({ at, headers }) => [at, headers.authorization]);
    expect(seen).toEqual([
      ['hub', 'Bearer secret'],
      ['hub', 'Bearer secret'],
      ['network', undefined],
    ]);
  });

  test('is resumed where connections break, on the condition that the file is the same', async () => {
    server.troubles.push({ breakAfter: 100_000 }, { breakAfter: 50_000 });
    const snapshot = await get();
    expect(readFileSync(join(snapshot, 'm.Q4_0.gguf')).equals(weights)).toBe(true);
    const asked = server.requests.filter(({ at }) => at === 'network').map(({ headers }) => headers);
    expect(asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', 'bytes=150000-']);
    expect(asked.map((headers) => headers['if-range'])).toEqual([undefined, '"network-1"', '"network-1"']);
  });

  test('begins anew when the file has another entity tag, or the server knows no ranges', async () => {
    server.troubles.push({ breakAfter: 100_000 }, 'new etag');
    await get();
    expect(readFileSync(blob()).equals(weights)).toBe(true);
    server.troubles.push({ breakAfter: 100_000 }, 'no ranges');
    await get(['sub/deep.gguf']);
    expect(readFileSync(blob(sha256(weights.slice(1)))).equals(weights.slice(1))).toBe(true);
  });

  test('is resumed by a later process, or by what another tool left', async () => {
    mkdirSync(join(repository(), 'blobs'), { recursive: true });
    writeFileSync(`${blob()}.incomplete`, weights.subarray(0, 200_000));
    await get();
    expect(server.requests.at(-1)?.headers.range).toBe('bytes=200000-');
    expect(readFileSync(blob()).equals(weights)).toBe(true);
    expect(existsSync(`${blob()}.incomplete`)).toBe(false);
  });

  test('a beginning that is wrong is found by the digest, and fetched again', async () => {
    mkdirSync(join(repository(), 'blobs'), { recursive: true });
    writeFileSync(`${blob()}.incomplete`, new Uint8Array(200_000));
    await get();
    expect(readFileSync(blob()).equals(weights)).toBe(true);
  });

  test('with another digest is not kept', async () => {
    server.troubles.push('other bytes', 'other bytes');
    await expect(get()).rejects.toThrow('owner/name/m.Q4_0.gguf has another digest than the hub says, 2 times');
    expect(readdirSync(join(repository(), 'blobs'))).toEqual([]);
    expect(cachedSnapshot(cache, 'owner/name', 'main')).toBeUndefined();
    server.troubles.push('other bytes', 'other bytes');
    await expect(get(['config.json'])).rejects.toThrow('config.json has another digest');
  });

  test('waits as long as Retry-After asks, also in the network, and tries again', async () => {
    server.refusals.push({ status: 429, headers: { 'Retry-After': '1' } }, { status: 503 });
    server.troubles.push({ status: 500 }, { status: 403 });
    const began = performance.now();
    await get();
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(readFileSync(blob()).equals(weights)).toBe(true);
  });

  test('is given up when it breaks at the same place each time', async () => {
    server.troubles.push(...Array.from({ length: 9 }, () => ({ breakAfter: 5000, whole: true })));
    await expect(get(undefined, { attempts: 3 })).rejects.toThrow('the connection broke, 3 times');
  });

  test('is given up when nothing comes, and says that it can go on', async () => {
    server.troubles.push(...Array.from({ length: 4 }, () => 'silence' as const));
    await expect(get(undefined, { patience: 50 })).rejects.toThrow(
      /nothing came for 0.05 s, 4 times; the same command/,
    );
    server.refusals.push(...Array.from({ length: 4 }, () => ({ status: 429 })));
    await expect(get()).rejects.toThrow('it has had too many requests (429), 4 times');
    const { endpoint } = server;
    server.close();
    await expect(get(undefined, { endpoint })).rejects.toThrow(/cannot be fetched from .*ECONNREFUSED/);
  });

  test.each([
    [401, {}, undefined, 'owner/name does not exist, or is private (401): check the name, or set HF_TOKEN'],
    [401, {}, 'wrong', 'the hub refuses the token (401)'],
    [401, { 'X-Error-Code': 'GatedRepo' }, undefined, 'owner/name is gated (401): accept its conditions on'],
    [403, { 'X-Error-Code': 'GatedRepo' }, 'mine', 'owner/name is gated (403)'],
    [404, { 'X-Error-Code': 'RepoNotFound' }, undefined, 'owner/name does not exist (404)'],
    [400, {}, undefined, 'the hub answered 400'],
  ])('status %d %o says what to do', async (status, headers, token, message) => {
    server.refusals.push({ status, headers: headers as Record<string, string> });
    await expect(get(undefined, { token })).rejects.toThrow(message);
    expect(server.requests.length).toBe(1);
  });

  test('a revision or file that is not there is said to be', async () => {
    const access = { ...quick, endpoint: server.endpoint };
    await expect(listRepository('owner/name', 'v9', access)).rejects.toThrow('owner/name at v9 has no such revision');
    const lost = { path: 'lost.gguf', size: 5, digest };
    const to = { ...access, cache, revision: 'main' };
    await expect(fetchFiles({ repository: 'owner/name', commit: COMMIT }, [lost], to)).rejects.toThrow(
      'owner/name/lost.gguf does not exist (404)',
    );
  });

  test('a full disk leaves what is there, and names the file', async () => {
    mkdirSync(join(repository(), 'blobs'), { recursive: true });
    symlinkSync('/dev/full', `${blob()}.incomplete`);
    await expect(get()).rejects.toThrow(/incomplete" cannot be written: there is no space left on the device/);
    expect(existsSync(blob())).toBe(false);
    expect(server.requests.filter(({ at }) => at === 'network').length).toBe(1);
  });

  test('a file that is larger than the disk is not begun', async () => {
    const huge = { path: 'huge.gguf', size: 2 ** 52, digest };
    const to = { ...quick, endpoint: server.endpoint, cache, revision: 'main' };
    await expect(fetchFiles({ repository: 'owner/name', commit: COMMIT }, [huge], to)).rejects.toThrow(
      /huge.gguf needs 4194304.00 GiB more on disk, and .* has [\d.]+ GiB; make room, or set HF_HUB_CACHE/,
    );
    expect(server.requests).toEqual([]);
  });

  test('can be cancelled, and goes on later', async () => {
    server.troubles.push({ breakAfter: 100_000 }, 'silence');
    const controller = new AbortController();
    const begun = get(undefined, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('stopped')), 300);
    await expect(begun).rejects.toThrow('stopped');
    expect(statSync(`${blob()}.incomplete`).size).toBe(100_000);
    await get();
    expect(server.requests.at(-1)?.headers.range).toBe('bytes=100000-');
  });
});

test('listings whose paths or digests lead elsewhere are refused', async () => {
  const evil = await hubServer({ '../../evil.gguf': weights });
  await expect(listRepository('owner/name', 'main', { ...quick, endpoint: evil.endpoint })).rejects.toThrow(
    'owner/name: what the hub answered is no listing of a model',
  );
  evil.close();
});

test('where links cannot be made, the file itself goes into the snapshot', () => {
  const from = join(cache, 'models--a--b/blobs/x');
  const to = join(cache, 'models--a--b/snapshots/c/m.gguf');
  mkdirSync(join(from, '..'), { recursive: true });
  writeFileSync(from, 'content');
  place(from, to, () => {
    throw Object.assign(new Error('no links'), { code: 'EPERM' });
  });
  expect(readFileSync(to, 'utf8')).toBe('content');
});

describe('the lock', () => {
  test('lets one download a file, and the other find it', async () => {
    const waited: string[] = [];
    server.troubles.push({ breakAfter: 1000 });
    const both = [get(undefined, { pause: 300 }), get(undefined, { onWait: (path: string) => waited.push(path) })];
    await Promise.all(both);
    expect(server.requests.filter(({ at }) => at === 'network').length).toBe(2);
    expect(waited).toEqual(['m.Q4_0.gguf']);
  });

  test.each([
    ['of a process that has ended', () => JSON.stringify({ id: 'x', pid: 2 ** 22 + 1, host: hostname() }), 0],
    ['that was not touched for a minute', () => JSON.stringify({ id: 'x', pid: 1, host: 'elsewhere' }), 61],
    ['that was cut off while it was written', () => '{"id', 61],
  ])('%s is taken over', async (_, content, age) => {
    const path = join(cache, 'lock');
    writeFileSync(path, content());
    const touched = new Date(Date.now() - 1000 * age);
    utimesSync(path, touched, touched);
    expect(await withLock(path, async () => 5, { poll: 5 })).toBe(5);
    expect(existsSync(path)).toBe(false);
  });

  test('of a process that lives is waited for', async () => {
    const path = join(cache, 'lock');
    writeFileSync(path, JSON.stringify({ id: 'x', pid: 1, host: hostname() }));
    const signal = AbortSignal.timeout(100);
    await expect(withLock(path, async () => 5, { poll: 5, signal })).rejects.toThrow();
    expect(existsSync(path)).toBe(true);
  });
});

test('SHA-256 by pieces equals that of Node', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (pieces) => {
      const [own, other] = [new Sha256(), createHash('sha256')];
      for (const piece of pieces) {
        own.update(piece);
        other.update(piece);
      }
      expect(own.hex()).toBe(other.digest('hex'));
    }),
  );
});
