import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-fit-graphs-'));

const gossamer = commandIn(folder);

/** Starts a fit and interrupts it when it says how far it is. */
async function interrupted(...args: string[]): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += String(text);
    // A second one would end it at once.
    if (!child.killed && /(tried|from) [\d,]+\//.test(stderr)) child.kill('SIGINT');
  });
  return new Promise((resolve) => {
    child.on('exit', (status) => resolve({ status, stderr }));
  });
}

const sides = ['left', 'right'];
const pad = (v: number) => String(v).padStart(3, '0');

/**
 * Two communities with attributes of many types: decimal commas, a category, dates, gaps, names,
 * ids with leading zeros, and labels for some nodes alone. `extra` nodes have edges and no label.
 */
function writeCommunities(name: string, extra = 0): void {
  mkdirSync(join(folder, name));
  const count = 160 + extra;
  const nodes = Array.from({ length: count }, (_, v) => {
    const side = v % 2;
    const score = `${side},${(v * 37) % 10}`;
    const town = v % 9 === 0 ? '' : ['Oslo', 'Rome'][(v + (v % 5 === 0 ? 1 : 0)) % 2];
    const label = v >= 160 || v % 3 === 0 ? '' : sides[side];
    return `${pad(v)};Person ${v};${score};${town};2020-0${1 + (v % 8)}-11;${label}`;
  });
  const edges = Array.from({ length: 3 * count }, (_, e) => {
    const v = e % count;
    const step = 2 * (1 + ((e * 7) % 11));
    return `${pad(v)};${pad((v + step) % (count - (count % 2)))};${1 + (e % 2)}`;
  });
  writeFileSync(join(folder, name, 'nodes.csv'), `id;person;score;town;since;side\n${nodes.join('\n')}\n`);
  writeFileSync(join(folder, name, 'edges.csv'), `from;to;weight\n${edges.join('\n')}\n`);
}

describe.skipIf(!existsSync(main))('classes of nodes (needs a build)', () => {
  writeCommunities('people');
  writeCommunities('later', 12);

  test('columns of any type are learnt; the model answers for new nodes and says what it is', () => {
    const fitted = gossamer(
      'fit',
      'people',
      '--model',
      'gcn',
      '--target',
      'side',
      '--set',
      'epochs=60',
      '-o',
      'm.safetensors',
    );
    expect(fitted.stderr).toContain('column "person" is left out: texts that all differ');
    expect(fitted.stdout).toMatch(/people: 160 nodes, \d+ edges, 2 classes of "side"/);
    expect(fitted.stdout).toMatch(/beside it: most frequent class \d+\.\d %, a perceptron on the features alone/);
    const later = gossamer('predict', 'm.safetensors', 'later', '-o', 'later.csv');
    expect(later.status).toBe(0);
    const { columns, rows } = readCsv(readFileSync(join(folder, 'later.csv'), 'utf8'), 'later');
    expect(columns).toEqual(['node', 'side', 'probability', 'p(left)', 'p(right)']);
    expect(rows[7]?.[0]).toBe('007');
    const right = rows.filter(([, side], v) => side === sides[v % 2]);
    expect(right.length).toBeGreaterThan(160);
    const info = gossamer('info', 'm.safetensors').stdout;
    expect(info).toContain('Classifies nodes by "side" (left, right)');
    expect(info).toContain('GCN: depth=2, hidden=64');
    expect(info).toMatch(/Trained on {2}people: 160 nodes/);
    expect(info).toMatch(/accuracy on the nodes to test/);
  });

  test('predictions are written with the graph, for other programs', () => {
    for (const ending of ['graphml', 'json']) {
      expect(gossamer('predict', 'm.safetensors', 'later', '-o', `later.${ending}`).status).toBe(0);
      const again = gossamer('info', `later.${ending}`).stdout;
      expect(again).toContain('172 nodes');
      expect(readFileSync(join(folder, `later.${ending}`), 'utf8')).toContain('predicted side');
    }
  });

  test('a column that is missing is named; what a network cannot read is refused by name', () => {
    const table = readFileSync(join(folder, 'people/nodes.csv'), 'utf8').replace('score', 'points');
    mkdirSync(join(folder, 'short'));
    writeFileSync(join(folder, 'short/nodes.csv'), table);
    writeFileSync(join(folder, 'short/edges.csv'), readFileSync(join(folder, 'people/edges.csv')));
    for (const [args, reason] of [
      [['predict', 'm.safetensors', 'short', '-o', 'short.csv'], 'the table lacks "score"'],
      [
        ['fit', 'people', '--model', 'gcn', '--target', 'side', '--directed'],
        'directed edges are for sage, gat, gatv2, gin',
      ],
      [['fit', 'people', '--model', 'gcn'], 'has no attribute "label" or "class" of classes; name one by --target'],
      [['fit', 'people', '--model', 'gcn', '--target', 'person'], 'different values, which are no classes'],
      [
        ['fit', 'people', '--target', 'side', '--set', 'train=0.9', '--set', 'validation=0.5'],
        'are shares of more than all',
      ],
    ] as const) {
      const { status, stderr } = gossamer(...args);
      expect([status, stderr]).toEqual([2, expect.stringContaining(reason)]);
    }
    expect(existsSync(join(folder, 'short.csv'))).toBe(false);
  });

  test.each([
    ['fastrp', 'settings tried', ['dim=256']],
    // So many walks that there are two batches.
    ['fully-ppr', 'walks from', ['walks=200000', 'keep=5']],
  ])(
    '%s goes on after Ctrl-C and ends as one that was not interrupted',
    async (model, said, settings) => {
      const sets = settings.flatMap((setting) => ['--set', setting]);
      const args = ['fit', 'people', '--model', model, '--target', 'side', ...sets];
      const { status, stderr } = await interrupted(...args, '-o', `${model}-part.safetensors`);
      expect([status, stderr]).toEqual([130, expect.stringContaining('--resume goes on')]);
      expect(existsSync(join(folder, `${model}-part.safetensors`))).toBe(false);
      const other = gossamer(...args, '--seed', '5', '-o', `${model}-part.safetensors`, '--resume');
      expect([other.status, other.stderr]).toEqual([2, expect.stringContaining('is of other data or options')]);
      const resumed = gossamer(...args, '-o', `${model}-part.safetensors`, '--resume');
      const [whole, first] = [gossamer(...args, '-o', `${model}.safetensors`), resumed].map((own) => own.stderr);
      expect(resumed.status).toBe(0);
      // What was done before the signal is not done again: counting goes on behind it, if anything is left.
      const begins = (text: string | undefined) =>
        Number(text?.match(new RegExp(`${said} ([\\d,]+)/`))?.[1]?.replaceAll(',', '') ?? Infinity);
      expect(begins(first)).toBeGreaterThan(begins(whole));
      expect(readFileSync(join(folder, `${model}-part.safetensors`))).toEqual(
        readFileSync(join(folder, `${model}.safetensors`)),
      );
      expect(existsSync(join(folder, `${model}-part.safetensors.checkpoint`))).toBe(false);
    },
    120_000,
  );

  test('fully-ppr answers for new nodes by the graph that has them, and refuses them without', () => {
    const sets = ['--set', 'walks=300', '--task', 'classes', '--target', 'side'];
    expect(gossamer('fit', 'people', '--model', 'fully-ppr', ...sets, '-o', 'p.safetensors').status).toBe(0);
    writeFileSync(join(folder, 'asked.csv'), 'node\n160\n161\n');
    const alone = gossamer('predict', 'p.safetensors', 'asked.csv');
    expect([alone.status, alone.stderr]).toEqual([
      2,
      expect.stringContaining('"160" is no node of "people", of which the model keeps the rows; to ask about it, give'),
    ]);
    const answered = readCsv(gossamer('predict', 'p.safetensors', 'asked.csv', 'later').stdout);
    expect(answered.rows.map(([node, side]) => [node, side])).toEqual([
      ['160', 'left'],
      ['161', 'right'],
    ]);
    const all = readCsv(gossamer('predict', 'p.safetensors', 'later').stdout);
    expect(all.rows.length).toBe(172);
    expect(all.rows.slice(160, 162)).toEqual(answered.rows);
  }, 60_000);

  test('directed edges change what GraphSAGE learns', () => {
    const scores = ['--directed', '--undirected'].map((flag) => {
      const fitted = gossamer(
        'fit',
        'people',
        '--model',
        'sage',
        '--target',
        'side',
        flag,
        '--set',
        'epochs=20',
        '--set',
        'baseline=none',
        '-o',
        's.safetensors',
      );
      expect(fitted.status).toBe(0);
      return fitted.stdout;
    });
    expect(scores[0]).toContain('directed edges');
    expect(gossamer('info', 's.safetensors').stdout).toContain('both ways');
  });
});
