import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { decodeMessage, encodeMessage, type NamedArrays, SemiPFLModel } from '../../src/hypernet/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandInFolder, main } from './command.js';

/** Rows of a user: three activities around centres that turn a little with the user. */
function table(seed: number, rows: number, labelled: (row: number) => boolean): string {
  const random = new Random(seed);
  const lines = Array.from({ length: rows }, (_, row) => {
    const c = row % 3;
    const noise = () => 0.6 * (random.float() - 0.5);
    const fields = [
      Math.cos(2 * c + 0.1 * seed) + noise(),
      Math.sin(2 * c + 0.1 * seed) + noise(),
      c - 1 + noise(),
      noise(),
    ];
    return `user${seed},${fields.map((value) => value.toFixed(4)).join(',')},${labelled(row) ? ['sit', 'walk', 'run'][c] : ''}`;
  });
  return lines.join('\n');
}

const HEADER = 'user,a,b,c,d,activity\n';

/** Processes of a test, which end with it even where it fails. */
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

function started(folder: string, args: readonly string[]) {
  const child = spawn(process.execPath, [main, 'federated', ...args, '--threads', '1'], { cwd: folder });
  running.add(child);
  let [out, errors] = ['', ''];
  child.stdout.on('data', (part) => {
    out += part;
  });
  child.stderr.on('data', (part) => {
    errors += part;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const says = async (text: string | RegExp) => {
    for (let i = 0; i < 1200 && !(out + errors).match(text); i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(out + errors).toMatch(text);
  };
  return { child, ended, says, out: () => out, errors: () => errors };
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe.skipIf(!existsSync(main))('federated learning on the command line (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('federated');
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

  beforeAll(() => {
    write('donors.csv', HEADER + [11, 12, 13].map((seed) => table(seed, 60, () => true)).join('\n'));
    for (const seed of [1, 2, 3, 4]) write(`user${seed}.csv`, HEADER + table(seed, 60, (row) => seed > 1 && row < 12));
    write('many.csv', HEADER + table(2, 12_000, (row) => row < 12));
    write(
      'all.csv',
      HEADER + [1, 2, 3, 11, 12].map((seed) => table(seed, 60, (row) => seed > 3 || row % 2 === 0)).join('\n'),
    );
  });

  test('four processes: one dies in mid-round, one is slow, one sends NaN and no message: the fourth gets its model', async () => {
    const server = started(folder, [
      ...['serve', 'donors.csv', '--target', 'activity', '--user', 'user', '--clients', '4', '--rounds', '4'],
      ...['--deadline', '4', '--silence', '2', '--port', '0', '-o', 'federation.safetensors'],
    ]);
    await server.says(/http:\/\/127\.0\.0\.1:\d+/);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.out())?.[0] as string;
    const joining = (seed: number, data = `user${seed}.csv`) =>
      started(folder, [
        'join',
        '--server',
        url,
        '--data',
        data,
        '--name',
        `user ${seed}`,
        '-o',
        `p${seed}.safetensors`,
      ]);
    const good = joining(1);
    // With many rows it still trains when others have answered, and is killed then.
    const dying = joining(2, 'many.csv');
    await server.says('"user 1" has joined');
    await server.says('"user 2" has joined');
    /** A client of another make: takes the work, and answers what it likes. */
    const strange = async (
      name: string,
      answer: (message: Uint8Array, turn: number) => Promise<Uint8Array | undefined>,
    ) => {
      const post = (path: string, body: BodyInit, headers = {}) => fetch(url + path, { method: 'POST', body, headers });
      const { token } = (await (await post('/join', JSON.stringify({ name }))).json()) as { token: string };
      const own = { 'x-client': encodeURIComponent(name), 'x-token': token };
      for (let turn = 0; ; ) {
        const response = await post('/work', '{}', own).catch(() => undefined);
        if (!response || response.status === 410) return;
        if (response.status === 409) return;
        if (response.status !== 200) continue;
        const bytes = await answer(new Uint8Array(await response.arrayBuffer()), turn);
        turn += 1;
        if (bytes)
          await post(`/answer/${response.headers.get('x-task')}`, bytes as BodyInit, own).catch(() => undefined);
      }
    };
    const broken = strange('broken', async (message, turn) => {
      if (turn % 2 === 1) return new Uint8Array(64).fill(7);
      const { arrays } = decodeMessage(message);
      const nan: NamedArrays = Object.fromEntries(
        Object.entries(arrays).map(([name, { shape, values }]) => [
          name,
          { shape, values: Float32Array.from(values, () => Number.NaN) },
        ]),
      );
      return encodeMessage({ kind: 'update', fields: { rows: 10, loss: 1, round: turn }, arrays: nan });
    });
    // The fourth takes longer than the deadline, and gives signs of life.
    const slow = strange('slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      return undefined;
    });
    await server.says('"broken" refused');
    dying.child.kill('SIGKILL');
    expect(await server.ended).toBe(0);
    expect(await good.ended).toBe(0);
    await Promise.all([broken, slow, dying.ended]);
    const log = server.errors();
    expect(log).toMatch(/round \d: "broken" refused: the update: ".*" holds NaN at 0; values must be finite/);
    expect(log).toMatch(/"broken" refused: .*the answer of "broken"/);
    expect(log).toMatch(/round \d: "user 2" lost: not heard of/);
    expect(log).toMatch(/"slow" (late|lost)/);
    expect(log).toContain('round 4 of 4: loss');
    expect(log).not.toContain('loss NaN');
    expect(server.out()).toContain('1 of 4 clients have a model of their own');
    const model = SemiPFLModel.load(readFileSync(join(folder, 'p1.safetensors')));
    for (const array of Object.values(model.users.get('user 1')?.encoder ?? {}))
      expect(array.values.every(Number.isFinite)).toBe(true);
    const answered = gossamer('predict', 'p1.safetensors', 'user1.csv', '-o', 'answers.csv');
    expect([answered.status, answered.stderr]).toEqual([0, '']);
    const { columns, rows } = readCsv(readFileSync(join(folder, 'answers.csv'), 'utf8'), 'answers.csv');
    expect(columns.slice(0, 4)).toEqual(['row', 'user', 'activity', 'probability']);
    const right = rows.filter((row, i) => row[2] === ['sit', 'walk', 'run'][i % 3]).length;
    expect(right / rows.length).toBeGreaterThan(0.6);
    expect(gossamer('info', 'p1.safetensors').stdout).toContain('Federation  over HTTP');
    // The server's part answers for users who come later.
    const later = gossamer('predict', 'federation.safetensors', 'user3.csv');
    expect(later.stderr).toContain('is new: its embedding is learnt from 60 rows');
  }, 120_000);

  test('a server that is stopped goes on with --resume, and ends like one that was not', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const serve = (out: string, ...more: string[]) =>
      started(folder, [
        ...['serve', 'donors.csv', '--target', 'activity', '--user', 'user', '--clients', '2', '--rounds', '8'],
        ...['--port', String(port), '-o', out, ...more],
      ]);
    const joining = (seed: number, out: string, ...more: string[]) =>
      started(folder, ['join', '--server', url, '--data', `user${seed}.csv`, '-o', out, ...more]);
    const run = async (out: string, stops: boolean) => {
      let server = serve(out);
      await server.says(url);
      const first = joining(1, `${out}-1`, '--name', 'first');
      await server.says('"first" has joined');
      let second = joining(2, `${out}-2`, '--name', 'second');
      await server.says('round 2 of 8');
      if (stops) {
        server.child.kill('SIGINT');
        expect(await server.ended).toBe(130);
        expect(server.errors()).toContain('--resume goes on');
        expect(existsSync(join(folder, out))).toBe(false);
        // Tokens are for the owner's eyes alone.
        expect(statSync(join(folder, `${out}.clients`)).mode & 0o077).toBe(0);
        // One client is still trying; the other has stopped, and comes back with its token.
        second.child.kill('SIGKILL');
        await second.ended;
        server = serve(out, '--resume');
        second = joining(2, `${out}-2`, '--resume');
        await server.says(/goes on after round \d of 8; known: first, second/);
      }
      expect(await server.ended).toBe(0);
      expect(await first.ended).toBe(0);
      expect(await second.ended).toBe(0);
      expect(server.out()).toContain('2 of 2 clients have a model of their own');
      for (const left of ['.checkpoint', '.clients', '-1.token', '-2.token'])
        expect(existsSync(join(folder, out + left)), left).toBe(false);
      return readFileSync(join(folder, out));
    };
    const stopped = await run('stopped.safetensors', true);
    const whole = await run('whole.safetensors', false);
    expect(Buffer.compare(stopped, whole)).toBe(0);
  }, 120_000);

  test('fit simulates a federation, says so, and answers for known and new users', () => {
    const args = ['fit', 'all.csv', '--target', 'activity', '--model', 'semipfl', '--set', 'donors=user11,user12'];
    const fitted = gossamer(...args, '--set', 'exchanges=30', '-o', 'm.safetensors');
    expect(fitted.stderr).toContain('simulated on this machine: 3 users and 2 donors');
    expect(fitted.stdout).toMatch(/weighted F1 on later rows: \d+\.\d %/);
    expect(fitted.status).toBe(0);
    const info = gossamer('info', 'm.safetensors').stdout;
    expect(info).toContain('simulated on one machine');
    expect(info).toContain('Users       user1, user2, user3');
    write(
      'new.csv',
      `${HEADER}${table(4, 40, () => false)}\n${table(5, 6, () => false)}\n${table(1, 6, () => false)}\n`,
    );
    const { status, stdout, stderr } = gossamer('predict', 'm.safetensors', 'new.csv');
    expect(status).toBe(0);
    expect(stderr).toContain('user "user4" is new: its embedding is learnt from 40 rows');
    expect(stderr).toContain('user "user5" is new and has 6 rows, fewer than 30');
    expect(stdout.trim().split('\n')).toHaveLength(53);
    expect(stdout.split('\n')[47]).toMatch(/^47,user1,/);
  }, 60_000);

  test('a folder with a file for each user', () => {
    mkdirSync(join(folder, 'people'));
    for (const seed of [1, 2, 11, 12])
      write(
        `people/user${seed}.csv`,
        `${HEADER}${table(seed, 40, (row) => seed > 3 || row % 2 === 0)}`.replaceAll(/^[^,]*,/gm, ''),
      );
    const args = ['fit', 'people', '--target', 'activity', '--model', 'semipfl', '--set', 'donors=user11,user12'];
    const fitted = gossamer(...args, '--set', 'exchanges=12', '-o', 'folder.safetensors');
    expect(fitted.stdout).toContain('people: 4 users, 4 columns, 3 classes');
    expect(fitted.status).toBe(0);
    const { status, stdout } = gossamer('predict', 'folder.safetensors', 'people');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(161);
    expect(stdout.split('\n')[1]).toMatch(/^1,user1,/);
  }, 60_000);

  test('mistakes end with code 2 and what to do', () => {
    const last = (...args: string[]) => {
      const { status, stderr } = gossamer(...args);
      return [status, stderr.trim().split('\n').at(-1)];
    };
    const fit = ['fit', 'all.csv', '--target', 'activity', '--model', 'semipfl'];
    expect(last(...fit)).toEqual([2, expect.stringContaining('name users whose labelled rows the server may hold')]);
    expect(last(...fit, '--set', 'donors=nobody')).toEqual([2, expect.stringContaining('there is no user "nobody"')]);
    expect(last(...fit, '--set', 'donors=user11', '--set', 'window=99')).toEqual([
      2,
      expect.stringContaining('fewer than the 99 of a window'),
    ]);
    expect(last('federated', 'serve', 'user1.csv', '--target', 'activity', '--user', 'user')).toEqual([
      2,
      expect.stringContaining('holds 0 classes'),
    ]);
    expect(
      last('federated', 'serve', 'donors.csv', '--target', 'activity', '--user', 'user', '--resume', '-o', 'none'),
    ).toEqual([2, expect.stringContaining('there is no "none.checkpoint" to go on from')]);
    expect(last('federated', 'join', '--server', 'http://127.0.0.1:1', '--data', 'user1.csv', '--resume')).toEqual([
      2,
      expect.stringContaining('there is no "personal.safetensors.token" to go on from'),
    ]);
    expect(last('federated', 'join', '--server', 'nowhere', '--data', 'user1.csv')).toEqual([
      2,
      expect.stringContaining('an address such as'),
    ]);
  }, 60_000);
});
