import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-peer-'));
const gossamer = commandIn(folder);
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
write('a.csv', 'id,title,creator,tags\n1,Slow Tides,Ana Pol,ambient;drone\n2,Loud,Cy,punk\n');
write('b.csv', 'id,title,tags\n3,Quiet Rooms,ambient\n4,<b>Bold</b>,ambient\n');

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a peer and waits until it serves. */
async function start(items: string, ...flags: string[]) {
  const args = ['peer', 'start', items, '--port', '0', '--every', '0', '--quiet', ...flags];
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  children.push(child);
  let [out, errors] = ['', ''];
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (data) => {
      out += data;
      if (/^peer \//m.test(out)) resolve();
    });
    void ended.then(() => resolve());
  });
  const [, url = ''] = /on (http:\S+)/.exec(out) ?? [];
  const [, peer = ''] = /^peer (\S+)/m.exec(out) ?? [];
  return { child, url, peer, ended, out: () => out, errors: () => errors };
}

const ask = async (url: string, path: string, body?: object) => {
  const response = await fetch(url + path, {
    ...(body && { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  return { status: response.status, text: await response.text() };
};
const json = async (url: string, path: string, body?: object) => JSON.parse((await ask(url, path, body)).text);
const until = async (holds: () => Promise<boolean>) => {
  for (let turn = 0; turn < 200 && !(await holds()); turn++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await holds()).toBe(true);
};

describe.skipIf(!existsSync(main))('gossamer peer (needs a build)', () => {
  test('two devices find what either has clicked, and go on after Ctrl-C', async () => {
    const one = await start('a.csv', '--state', 'one', '--noise', '0');
    const two = await start('b.csv', '--state', 'two', '--noise', '0', '--peer', one.peer);
    expect(two.errors()).toBe('');
    expect(statSync(join(folder, 'one/peer.key')).mode & 0o777).toBe(0o600);

    const click = await json(one.url, '/click', { query: 'Ambient!', item: '1' });
    expect(click).toMatchObject({ sequence: 1, term: 'ambient', item: '1', title: 'Slow Tides · Ana Pol' });
    // The search of the other asks the first for news.
    expect(gossamer('peer', 'search', 'ambient', '--at', two.url, '--click', '3')).toMatchObject({
      stderr: '',
      status: 0,
    });
    await until(async () => (await json(two.url, '/status')).clicks === 2);
    const { stdout } = gossamer('peer', 'search', 'ambient', '--at', two.url, '--top', '2');
    expect(stdout).toBe('rank,item,score,matches,title\n1,3,2,1,Quiet Rooms\n2,1,1.25,1,Slow Tides · Ana Pol\n');
    const found = JSON.parse(gossamer('peer', 'search', 'ambient', '--at', two.url, '--json').stdout);
    expect(found).toMatchObject({ term: 'ambient', seenBefore: true });
    expect(found.results.map(({ id }: { id: string }) => id)).toEqual(['3', '1', '4']);
    expect(await json(two.url, '/status')).toMatchObject({ items: 2, clicks: 2, authors: 2, peers: 1 });

    const page = await ask(one.url, '/');
    expect(page.text).toContain('<form role="search">');
    expect(page.text).not.toContain('innerHTML');
    expect((await ask(one.url, '/search')).status).toBe(400);
    expect((await ask(one.url, '/search?q=x&top=0')).text).toContain('integer from 1 to 1000');
    expect((await ask(one.url, '/click', { query: 'x', item: '99' })).text).toContain('no item');
    expect((await ask(one.url, '/click', { query: 5 })).status).toBe(400);
    expect((await ask(one.url, '/none')).text).toContain('there is no /none; there are /, /search');

    two.child.kill('SIGINT');
    expect(await two.ended).toBe(0);
    const log = readFileSync(join(folder, 'two/clicks.log'), 'utf8');
    expect(log.endsWith('\n')).toBe(true);
    expect(log.trim().split('\n')).toHaveLength(3);
    // The first goes on without the second, which goes on where it was, under its name.
    expect((await json(one.url, '/search?q=ambient')).results[0].id).toBe('1');
    const again = await start('b.csv', '--state', 'two', '--noise', '0');
    expect(again.out()).toContain('2 items, 2 clicks on http://127.0.0.1:');
    expect(again.peer.split('/p2p/')[1]).toBe(two.peer.split('/p2p/')[1]);
    expect((await json(again.url, '/click', { query: 'ambient', item: '1' })).sequence).toBe(2);
    // A state is of one process.
    const { status, stderr } = gossamer('peer', 'start', 'a.csv', '--state', 'one', '--port', '0');
    expect([status, stderr]).toEqual([2, expect.stringContaining('another peer works with "one"')]);
    for (const { child, ended } of [one, again]) {
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
  }, 120_000);

  test('what is wrong is named', async () => {
    const fails = (...args: string[]) => {
      const { status, stderr } = gossamer('peer', ...args);
      expect(status).toBe(2);
      return stderr;
    };
    expect(fails('search', 'ambient', '--at', 'http://127.0.0.1:9')).toContain('no peer answers at http://127.0.0.1:9');
    const state = ['--state', 'three', '--port', '0'];
    expect(fails('start', 'a.csv', ...state, '--peer', 'example.org')).toContain('no address of libp2p');
    expect(fails('start', 'missing.csv', ...state)).toContain('missing.csv');
    expect(existsSync(join(folder, 'three/lock'))).toBe(false);
    writeFileSync(join(folder, 'three/peer.key'), 'no key');
    expect(fails('start', 'a.csv', ...state)).toContain('peer.key" holds no key of a peer');
    const away = await start('a.csv', '--state', 'five', '--peer', '/ip4/127.0.0.1/tcp/1');
    expect(away.errors()).toContain('the peer at "/ip4/127.0.0.1/tcp/1" does not answer');
    expect((await json(away.url, '/search?q=ambient')).results).toHaveLength(1);
    away.child.kill('SIGINT');
    expect(await away.ended).toBe(0);
    expect(gossamer('peer', 'start', '--help').stdout).toContain('Examples');
  }, 120_000);
});
