import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { runShell } from '../cli/document.js';

const root = join(import.meta.dirname, '../..');

function rowsOf(folder: string, file: string): readonly (readonly string[])[] {
  return readCsv(readFileSync(join(folder, file), 'utf8'), file).rows;
}

describe.skipIf(!existsSync(join(root, 'dist')))(
  'pages lead from hypergraphs and events to answers for new data (needs a build)',
  () => {
    test('conhd: roles in new hyperedges of known people and a new one', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/conhd.md',
        '### From tables to answers for new data',
      );
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('60 vertices, 200 hyperedges, 400 incidences (20 without a label), 2 classes');
      const [, own, majority] = stdout.match(/CoNHD +accuracy ([\d.]+)[\s\S]*frequent class +accuracy ([\d.]+)/) ?? [];
      expect(Number(own)).toBeGreaterThan(Number(majority) + 25);
      expect(stdout).toContain('Inputs        age, town');
      // Ages are 57.5 of p1, 34.5 of p2 and 95 of zoe.
      expect(rowsOf(folder, 'new-roles.csv').map((row) => row.slice(0, 3))).toEqual([
        ['p1', 'new', 'chair'],
        ['p2', 'new', 'member'],
        ['p1', 'later', 'member'],
        ['zoe', 'later', 'chair'],
      ]);
    }, 180_000);

    test('lighthgnn: classes of new vertices by their columns, or by their hyperedges', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/lighthgnn.md',
        '### From tables to answers for new data',
      );
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('groups: 60 vertices (12 without a label), 120 hyperedges, 2 classes');
      expect(stderr).toContain('column "age" has 9 gaps');
      expect(rowsOf(folder, 'new-parties.csv').map((row) => row.slice(0, 2))).toEqual([
        ['zoe', 'left'],
        ['max', 'right'],
      ]);
      expect(rowsOf(folder, 'later.csv').find(([vertex]) => vertex === 'zoe')?.[1]).toBe('left');
    }, 180_000);

    test('nat: pairs, partners, and answers after further events', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/nat.md',
        '### From a table to answers about the future',
      );
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('600 events among 30 nodes, features amount; 2 rows left out');
      expect(stderr).toContain('2 of 602 events are left out: 1 with no target');
      expect(stderr).toContain('not in the order of time and are sorted');
      const own = stdout.match(/u1,shop[69],1714590000,0\.\d+/g) ?? [];
      expect(own.length).toBe(2);
      const partners = rowsOf(folder, 'partners.csv');
      expect(partners.map(([source]) => source)).toEqual(['u1', 'u1', 'u1', 'u2', 'u2', 'u2']);
      expect(partners.every(([, target]) => target?.startsWith('shop'))).toBe(true);
      const usual = ['shop1', 'shop6'];
      expect(partners.slice(0, 2).filter(([, target]) => usual.includes(target as string)).length).toBeGreaterThan(0);
    }, 180_000);

    test('softhgnn: numbers of things in new pictures, and classes of pictures', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/softhgnn.md',
        '### From pictures to answers for new ones',
      );
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('crowds/: 60 pictures with 150 things, 0 to 5 in one');
      const [, mae, guess] = stdout.match(/pictures: ([\d.]+) \(.*; ([\d.]+) by always saying the mean/) ?? [];
      expect(Number(mae)).toBeLessThan(0.4 * Number(guess));
      for (const [file, count] of rowsOf(folder, 'counts.csv'))
        expect(Math.abs(Number(count) - Number(/(\d)\.bmp/.exec(file as string)?.[1]))).toBeLessThan(0.8);
      expect(readdirSync(join(folder, 'densities')).sort()).toEqual(['0.png', '2.png', '5.png']);
      expect(rowsOf(folder, 'classes.csv').map((row) => row[2])).toEqual(['rose', 'iris']);
      expect(readdirSync(join(folder, 'who'))).toHaveLength(2);
    }, 300_000);

    test('ehgnn: classes of new graphs with the edges that were kept, and a vector for each', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/ehgnn.md',
        '### From tables to answers for new graphs',
      );
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('shapes/: 80 graphs, 519 nodes, 479 edges');
      expect(stdout).toContain('accuracy on 8 test graphs: 100.0 %');
      expect(rowsOf(folder, 'classes.csv').map((row) => row.slice(0, 2))).toEqual([
        ['x', 'ring'],
        ['y', 'star'],
      ]);
      const kept = rowsOf(folder, 'kept.csv');
      expect([kept.length, kept.filter((row) => row[4] === '1').length]).toEqual([10, 8]);
      expect(rowsOf(folder, 'new.csv')).toHaveLength(2);
    }, 180_000);

    test('hyperpave: a colour that no product had, and one that follows from lists', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/hyperpave.md',
        '### From tables to answers for new products',
      );
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('shop: 120 products in 3 categories');
      const rows = rowsOf(folder, 'values.csv');
      expect(rows[0]?.slice(0, 3)).toEqual(['n1', 'colour', 'teal']);
      const ofLists = rows.find((row) => row[0] === 'n2' && row[1] === 'colour');
      expect(ofLists?.[2]).toBe('red');
      expect(ofLists?.[4]).toMatch(/^product p/);
      expect(rows.find((row) => row[0] === 'n2' && row[1] === 'material')?.[2]).toBe('wool');
    }, 180_000);

    test('hyperagent: a team learns and answers over HTTP, by a stand-in for a model', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/hyperagent.md',
        '### From questions to answers, without a model',
      );
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('training would hold 42 discussions of 10 calls');
      expect(stdout).toContain('agents.json: 3 agents, 4 questions, 10 discussions');
      expect(stderr).toContain('4 of 4 right');
      expect(rowsOf(folder, 'answers.csv').map((row) => row.slice(1, 4))).toEqual(
        [21, 22, 23, 24].map((sum) => [String(sum), String(sum), 'true']),
      );
    }, 180_000);

    test('hdhgn: classes of new source files, with the lines that attention is on', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/hdhgn.md',
        '### From a folder of sources to answers for new files',
      );
      expect(status).toBe(0);
      expect(stdout).toContain('programs: 49 files, 49 in Python\nclasses: sorts 24, sums 25\n');
      expect(stdout).toContain('cannot be read: 1\n  file "sums/broken.py", line 1, column');
      expect(stderr).toContain('file "sums/broken.py", line 1, column');
      expect(stdout).toContain('48 files in Python, 2 classes');
      expect(Number(stdout.match(/accuracy on 10 test files: ([\d.]+) %/)?.[1])).toBeGreaterThan(90);
      expect(stdout).toContain('names and strings are replaced');
      expect(rowsOf(folder, 'classes.csv').filter(([, rank]) => rank === '1')).toEqual([
        ['new/first.py', '1', 'sorts', expect.any(String)],
        ['new/second.py', '1', 'sums', expect.any(String)],
      ]);
      expect(stderr).toMatch(/new\/first\.py:\d+:\d+: [\d.]+ % of attention on "/);
      expect(readFileSync(join(folder, 'lines.html'), 'utf8')).toContain('for z in x:');
    }, 180_000);
  },
);
