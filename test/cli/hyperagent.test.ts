import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generatedText, readCsv } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'gossamer-team-'));
const path = (name: string) => join(folder, name);
const write = (name: string, value: unknown) =>
  writeFileSync(path(name), typeof value === 'string' ? value : JSON.stringify(value));
const read = (name: string) => readCsv(readFileSync(path(name), 'utf8'), name);

/** Runs the command without blocking the servers of this process. */
function gossamer(
  args: readonly string[],
  { env = {}, started }: { env?: Record<string, string>; started?: (child: ChildProcess) => void } = {},
) {
  const { GOSSAMER_API_KEY: _, ...clean } = process.env;
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env: { ...clean, ...env } });
  started?.(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part) => {
    stdout += part;
  });
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once('close', (status) => resolve({ status, stdout, stderr })),
  );
}

interface Asked {
  readonly system: string;
  readonly prompt: string;
  readonly model: string;
  readonly key: string | undefined;
}

const servers: Server[] = [];
/** A server in the chat-completions format; `reply` gives the text, or takes over the response. */
async function chatServer(reply: (asked: Asked, at: number, response: ServerResponse) => string | undefined) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const { messages, model } = JSON.parse(body);
      const [system, prompt] = [messages[0].content, messages.at(-1).content];
      asked.push({ system, prompt, model, key: request.headers.authorization });
      const content = reply(asked.at(-1) as Asked, asked.length - 1, response);
      if (content === undefined) return;
      const usage = { prompt_tokens: 20, completion_tokens: 5 };
      response.end(JSON.stringify({ choices: [{ message: { content } }], usage }));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked, server };
}

const agents = [
  { name: 'ann', role: 'solves step by step' },
  { name: 'ben', role: 'looks for mistakes', model: 'other', tools: ['a calculator'] },
  { name: 'cat', role: 'states the answer' },
];
const learning = ['--model', 'hyperagent', '--data', 'questions.jsonl', '--set', 'samples=2', '--set', 'rounds=2'];
const right = ({ prompt }: Asked) =>
  `I add.\nAnswer: ${/(\d+) plus (\d+)/
    .exec(prompt)
    ?.slice(1)
    .reduce((a, b) => String(Number(a) + Number(b)))}`;

describe.skipIf(!existsSync(main))('a team of agents on the command line (needs a build)', () => {
  beforeAll(async () => {
    write('agents.json', { agents, anchors: [['ann', 'cat']] });
    write(
      'questions.jsonl',
      [1, 2, 3].map((n) => JSON.stringify({ question: `What is ${n} plus 40?`, answer: 40 + n })).join('\n'),
    );
    const { endpoint } = await chatServer(right);
    const fitted = await gossamer([
      'fit',
      'agents.json',
      ...learning,
      '--endpoint',
      endpoint,
      '-o',
      'team.safetensors',
    ]);
    expect([fitted.status, fitted.stderr]).toEqual([0, expect.not.stringContaining('rror')]);
  }, 120_000);
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  test('learns from discussions, counts their tokens by kind, and keeps neither key nor transcript', async () => {
    const { endpoint, asked } = await chatServer((own, at) => (at % 5 === 4 ? 'Answer: 0' : right(own)));
    const env = { GOSSAMER_API_KEY: 'sk-very-secret' };
    const args = ['fit', 'agents.json', '--data', 'questions.jsonl', ...learning.slice(4), '--set', 'chatModel=small'];
    const { status, stdout, stderr } = await gossamer(
      [...args, '--endpoint', endpoint, '-o', 'keyed.safetensors', '--json'],
      { env },
    );
    expect(stderr).not.toContain('rror');
    expect(status).toBe(0);
    // Two discussions in which all read all, then three questions with two samples each; 7 calls.
    expect(asked.length).toBe(8 * 7);
    const scores = JSON.parse(stdout);
    expect(scores.model).toBe('keyed.safetensors');
    expect([scores.agentPromptTokens, scores.agentCompletionTokens]).toEqual([8 * 6 * 20, 8 * 6 * 5]);
    expect([scores.summariserPromptTokens, scores.summariserCompletionTokens]).toEqual([8 * 20, 8 * 5]);
    expect(scores.completeTokens).toBe(7 * 25);
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set(['Bearer sk-very-secret']));
    expect(new Set(asked.map(({ model }) => model))).toEqual(new Set(['small', 'other']));
    const file = readFileSync(path('keyed.safetensors'), 'latin1');
    for (const secret of ['sk-very-secret', 'plus 40', 'I add']) expect(file).not.toContain(secret);
  }, 60_000);

  test('answers questions with groups and tokens by kind; an agent that fails is passed over', async () => {
    const { endpoint } = await chatServer((own, _, response) => {
      if (!own.system.includes('mistakes')) return right(own);
      response.end('no JSON\u001b[31m');
      return undefined;
    });
    const { status, stderr } = await gossamer([
      'predict',
      'team.safetensors',
      'questions.jsonl',
      '--endpoint',
      endpoint,
      '-o',
      'answers.csv',
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain('3 of 3 right');
    expect(stderr).toMatch(/6 calls failed, such as ben: .*the reply is not JSON: no JSON \[31m/);
    const { columns, rows } = read('answers.csv');
    expect(columns.slice(0, 5)).toEqual(['question', 'answer', 'expected', 'right', 'groups']);
    expect(rows.map((row) => row.slice(0, 4))).toEqual(
      [1, 2, 3].map((n) => [`What is ${n} plus 40?`, `${40 + n}`, `${40 + n}`, 'true']),
    );
    // Two agents in two rounds, and the summariser.
    for (const row of rows) expect(row.slice(5)).toEqual(['80', '20', '20', '5']);
    expect(stderr).toContain('tokens: agents 240 prompt + 60 completion, summariser 60 + 15');
  }, 60_000);

  test('a dry run asks nothing: groups and estimates, before learning and before answering', async () => {
    const before = readdirSync(folder).length;
    const fit = await gossamer(['fit', 'agents.json', ...learning, '--dry-run', '-o', 'dry.safetensors']);
    expect([fit.status, fit.stderr]).toEqual([0, '']);
    expect(fit.stdout).toContain('training would hold 8 discussions of 7 calls');
    expect(fit.stdout).toMatch(/What is 1 plus 40\?: .*, about \d+ tokens/);
    const { status, stdout } = await gossamer(['predict', 'team.safetensors', 'questions.jsonl', '--dry-run']);
    expect(status).toBe(0);
    const { columns, rows } = readCsv(stdout, 'plan');
    expect(columns.slice(0, 3)).toEqual(['question', 'groups', 'calls']);
    expect(rows.map((row) => row[2])).toEqual(['7', '7', '7']);
    expect(readdirSync(folder).length).toBe(before);
  }, 60_000);

  test('--max-tokens lets fewer read each other, --agents takes another team, info describes the file', async () => {
    const plan = async (...args: string[]) => {
      const { stdout, stderr, status } = await gossamer([
        'predict',
        'team.safetensors',
        'questions.jsonl',
        '--dry-run',
        ...args,
      ]);
      return { status, stderr, rows: status === 0 ? readCsv(stdout, 'plan').rows : [] };
    };
    const free = (await plan()).rows.map((row) => Number(row[3]) + Number(row[4]));
    const refused = await plan('--max-tokens', '10');
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/costs about \d+ tokens even when no agent reads another/),
    ]);
    const least = Number(/about (\d+) tokens/.exec(refused.stderr)?.[1]);
    const tight = await plan('--max-tokens', String(least));
    expect(tight.rows.every((row) => row[1] === 'none')).toBe(true);
    expect(free.every((tokens) => tokens >= least)).toBe(true);
    write('more.json', [...agents, { name: 'dan', role: 'draws pictures' }]);
    expect((await plan('--agents', 'more.json')).rows[0]?.[2]).toBe('9');
    const { stdout } = await gossamer(['info', 'team.safetensors']);
    expect(stdout).toContain('ben (other): looks for mistakes');
    expect(stdout).toContain('anchors      ann+cat');
    expect(stdout).toContain('no key and no transcript');
  }, 60_000);

  test('Ctrl-C: a training keeps a checkpoint and goes on from it, a prediction keeps its answers', async () => {
    let interrupt: (() => void) | undefined;
    const { endpoint } = await chatServer((own, at) => {
      if (at === 60) interrupt?.();
      return right(own);
    });
    const args = [
      'fit',
      'agents.json',
      ...learning,
      '--set',
      'epochs=2',
      '--endpoint',
      endpoint,
      '-o',
      'cut.safetensors',
    ];
    const cut = await gossamer(args, {
      started: (child) => {
        interrupt = () => child.kill('SIGINT');
      },
    });
    expect([cut.status, cut.stderr]).toEqual([130, expect.stringContaining('--resume goes on')]);
    expect([existsSync(path('cut.safetensors')), existsSync(path('cut.safetensors.checkpoint'))]).toEqual([
      false,
      true,
    ]);
    interrupt = undefined;
    expect((await gossamer([...args, '--resume'])).status).toBe(0);
    expect([existsSync(path('cut.safetensors')), existsSync(path('cut.safetensors.checkpoint'))]).toEqual([
      true,
      false,
    ]);

    write(
      'long.jsonl',
      Array.from({ length: 12 }, (_, n) => JSON.stringify({ question: `What is ${n} plus 1?` })).join('\n'),
    );
    let calls = 0;
    const slow = await chatServer((own, _at, response) => {
      calls += 1;
      if (calls > 40) {
        interrupt?.();
        interrupt = undefined;
        response.on('close', () => undefined);
        return undefined;
      }
      return right(own);
    });
    const ended = await gossamer(
      ['predict', 'team.safetensors', 'long.jsonl', '--endpoint', slow.endpoint, '-o', 'some.csv'],
      {
        started: (child) => {
          interrupt = () => child.kill('SIGINT');
        },
      },
    );
    expect(ended.status).toBe(130);
    const { rows } = read('some.csv');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(12);
    expect(ended.stderr).toContain(`ended early: interrupted; ${rows.length} of 12 answered`);
  }, 60_000);

  test('a server that stops in mid-training ends it with code 2, and --resume goes on', async () => {
    const { endpoint } = await chatServer((own, at, response) => {
      if (at < 60) return right(own);
      response.destroy();
      return undefined;
    });
    const args = ['fit', 'agents.json', ...learning, '--set', 'epochs=2', '-o', 'stopped.safetensors', '--endpoint'];
    const stopped = await gossamer([...args, endpoint]);
    expect([stopped.status, stopped.stderr]).toEqual([
      2,
      expect.stringMatching(
        /no call succeeded: .*; "stopped.safetensors.checkpoint" keeps .* --resume goes on from it/,
      ),
    ]);
    expect(existsSync(path('stopped.safetensors'))).toBe(false);
    const back = await chatServer(right);
    const resumed = await gossamer([...args, back.endpoint, '--resume']);
    expect([resumed.status, resumed.stdout]).toEqual([
      0,
      expect.stringContaining('tokens of the training since it was resumed'),
    ]);
    // Two discussions that measure the cost, and the second of two epochs.
    expect(back.asked.length).toBe((2 + 6) * 7);
  }, 60_000);

  test('bad input: one line, exit code 2, and no file', async () => {
    write('one.json', [agents[0]]);
    write('two.json', agents.slice(0, 2));
    write('twins.json', [agents[0], agents[0]]);
    write('mute.json', [agents[0], { name: 'x', role: '' }]);
    write('bad.json', '{"agents": [');
    write('table.jsonl', 'question,answer\na,b\n');
    write('open.jsonl', '{"question": "Why?"}');
    const endpoint = ['--endpoint', 'http://127.0.0.1:9/v1'];
    const data = ['--model', 'hyperagent', '--data', 'questions.jsonl'];
    const before = readdirSync(folder).length;
    for (const [args, reason] of [
      [['fit', 'one.json', ...data, ...endpoint], '"one.json": a team has at least 2 agents, got 1'],
      [['fit', 'two.json', ...data, ...endpoint], 'an agent of a team of 2 has 1 … 1 partners, not 2'],
      [
        ['fit', 'agents.json', ...data, ...endpoint, '--set', 'partners=3'],
        'an agent of a team of 3 has 1 … 2 partners, not 3',
      ],
      [['fit', 'twins.json', ...data, ...endpoint], 'two agents are named "ann"'],
      [['fit', 'mute.json', ...data, ...endpoint], 'agent "x" has an empty role'],
      [['fit', 'bad.json', ...data, ...endpoint], 'file "bad.json" is not JSON'],
      [['fit', 'nowhere.json', ...data, ...endpoint], 'file "nowhere.json" does not exist'],
      [['fit', 'agents.json', '--model', 'hyperagent', ...endpoint], 'give --data FILE'],
      [['fit', 'agents.json', '--data', 'table.jsonl', ...endpoint], '"table.jsonl", line 1 is not JSON'],
      [['fit', 'agents.json', '--data', 'open.jsonl', ...endpoint], 'question 1 has no answer to learn from'],
      [['fit', 'agents.json', ...data], 'give --endpoint URL'],
      [['fit', 'agents.json', ...data, '--endpoint', 'nowhere'], 'endpoint "nowhere" is no HTTP address'],
      [
        ['fit', 'agents.json', ...data, ...endpoint, '--key-env', 'NO_KEY'],
        '--key-env NO_KEY: the environment has no key',
      ],
      [['fit', 'agents.json', ...data, ...endpoint], 'no call succeeded: ann: http://127.0.0.1:9/v1/chat/completions'],
      [['fit', 'agents.json', ...data, ...endpoint, '--folds', '3'], '--folds is for tables'],
      [['fit', 'questions.jsonl', '--target', 'answer', '--dry-run'], '--dry-run is for models that talk'],
      [['predict', 'team.safetensors', 'questions.jsonl', '-o', 'none.csv'], 'give --endpoint URL'],
      [
        ['predict', 'team.safetensors', 'table.jsonl', '-o', 'none.csv', ...endpoint],
        '"table.jsonl", line 1 is not JSON',
      ],
      [['predict', 'team.safetensors', 'questions.jsonl', '-o', 'none.csv', ...endpoint], 'no call succeeded'],
    ] as const) {
      const { status, stderr } = await gossamer(args);
      const lines = stderr.trim().split('\n');
      expect([args.join(' '), status, lines.at(-1)]).toEqual([args.join(' '), 2, expect.stringContaining(reason)]);
      expect(lines.length).toBe(1);
    }
    expect(readdirSync(folder).length).toBe(before);
  }, 120_000);

  test('a key that the server asks for and that is missing, or is wrong, ends it with code 2', async () => {
    const { endpoint } = await chatServer((_own, _at, response) => {
      response.writeHead(401).end('{"error": {"message": "no sk-wrong here"}}');
      return undefined;
    });
    const args = ['fit', 'agents.json', ...learning, '--endpoint', endpoint, '-o', 'refused.safetensors'];
    const missing = await gossamer(args);
    expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining('status 401 (no key was sent)')]);
    const wrong = await gossamer([...args, '--key-env', 'MINE'], { env: { MINE: 'sk-wrong' } });
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('status 401 (the key was sent)')]);
    expect(wrong.stderr).not.toContain('sk-wrong');
    expect(existsSync(path('refused.safetensors'))).toBe(false);
  }, 60_000);

  test('over gossamer serve, with a language model that is trained here', async () => {
    // The model is one of characters: it must have met those of the prompts.
    const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, at) => 32 + at));
    writeFileSync(path('text.txt'), `${printable}…\n`.repeat(20) + generatedText(20_000, new Random(1)));
    const args =
      'lm train text.txt --steps 5 --features 32 --layers 1 --heads 2 --length 32 --threads 1 -o m.safetensors';
    expect(spawnSync(process.execPath, [main, ...args.split(' ')], { cwd: folder }).status).toBe(0);
    const server = spawn(process.execPath, [main, 'serve', 'm.safetensors', '--port', '0', '--quiet'], {
      cwd: folder,
      env: { ...process.env, GOSSAMER_API_KEY: 'local' },
    });
    try {
      const line = await new Promise<string>((resolve) => server.stdout.once('data', (part) => resolve(String(part))));
      const endpoint = /http:\/\/\S+\/v1/.exec(line)?.[0] ?? '';
      const own = ['--set', 'messageTokens=8', '--set', 'chatModel=m', '--endpoint', endpoint];
      write(
        'plain.json',
        agents.map(({ name, role }) => ({ name, role })),
      );
      const env = { GOSSAMER_API_KEY: 'local' };
      const fitted = await gossamer(['fit', 'plain.json', ...learning, ...own, '-o', 'served.safetensors'], { env });
      expect([fitted.status, fitted.stderr]).toEqual([0, expect.not.stringContaining('rror')]);
      const said = await gossamer(
        ['predict', 'served.safetensors', 'questions.jsonl', '--endpoint', endpoint, '-o', 'served.csv'],
        { env },
      );
      expect([said.status, said.stderr]).toEqual([0, expect.not.stringContaining('failed')]);
      const { rows } = read('served.csv');
      expect(rows.length).toBe(3);
      // Six messages of at most eight tokens, as the server counted them.
      for (const row of rows) expect(Number(row[6])).toBeGreaterThan(0);
      for (const row of rows) expect(Number(row[6])).toBeLessThanOrEqual(48);
    } finally {
      server.kill('SIGTERM');
    }
  }, 120_000);
});
