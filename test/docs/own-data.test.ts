import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { runShell } from '../cli/document.js';

const HEADING = '### From tables to answers for new data';
const root = join(import.meta.dirname, '../..');

function rowsOf(folder: string, file: string): readonly (readonly string[])[] {
  return readCsv(readFileSync(join(folder, file), 'utf8'), file).rows;
}

describe.skipIf(!existsSync(join(root, 'dist')))(
  'pages lead from tables to answers for new data (needs a build)',
  () => {
    test('dgmlp: classes of nodes that come later', () => {
      const { status, stdout, stderr, folder } = runShell('systems/dgmlp.md', HEADING);
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('graph: 60 nodes, 120 edges, 2 classes of "label"');
      const rows = rowsOf(folder, 'later.csv');
      expect(rows.slice(60).map(([node, label]) => [node, label])).toEqual([
        ['n60', 'blue'],
        ['n61', 'red'],
      ]);
      expect(readFileSync(join(folder, 'later.graphml'), 'utf8')).toContain('attr.name="predicted label"');
    }, 120_000);

    test('hypino: a solution by differences and by a network, at points', () => {
      const { status, stdout, stderr, folder } = runShell(
        'systems/hypino.md',
        '### From a problem to its solution at points',
      );
      expect([status, stderr.includes('rror:')]).toEqual([0, false]);
      const errors = [...stdout.matchAll(/L2 error against "exact" (\S+)/g)].map(([, error]) => Number(error));
      expect(errors[0]).toBeLessThan(2e-3);
      expect(errors[1]).toBeLessThan(0.1);
      const [, u] = stdout.match(/1,0\.5,([\d.]+)/) ?? [];
      expect(Math.abs(Number(u) - 1)).toBeLessThan(0.1);
      expect(existsSync(join(folder, 'by-differences.png'))).toBe(true);
    }, 120_000);

    test('rphgnn: classes of papers that come later, from their authors', () => {
      const { status, stdout, stderr, folder } = runShell('systems/rphgnn.md', HEADING);
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('library: 268 nodes of 3 types, 720 edges in 2 relations');
      expect(stdout).toContain('2 classes of "paper.label"');
      expect(
        rowsOf(folder, 'later.csv')
          .slice(240)
          .map(([node, label]) => [node, label]),
      ).toEqual([
        ['p240', 'blue'],
        ['p241', 'red'],
      ]);
    }, 120_000);

    test('fastrp: labels of nodes that come later, scores of pairs, and new links', () => {
      const { status, stdout, stderr, folder } = runShell('systems/fastrp.md', HEADING);
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('accuracy on the nodes to test');
      expect(
        rowsOf(folder, 'later.csv')
          .slice(60)
          .map(([node, label]) => [node, label]),
      ).toEqual([
        ['n60', 'blue'],
        ['n61', 'red'],
      ]);
      const [, near, far] = stdout.match(/source,target,probability\r?\nn60,n2,([\d.]+)\r?\nn60,n61,([\d.]+)/) ?? [];
      expect(Number(near)).toBeGreaterThan(Number(far));
      const links = rowsOf(folder, 'new-links.csv');
      expect(links.length).toBe(62 * 3);
      const edges = new Set(rowsOf(folder, 'later/edges.csv').flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
      expect(links.filter(([a, b]) => edges.has(`${a} ${b}`))).toEqual([]);
    }, 120_000);

    test('fully-ppr: the nodes closest to a node and to a group, and classes', () => {
      const { status, stdout, stderr, folder } = runShell('systems/fully-ppr.md', HEADING);
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      const ranked = [...stdout.matchAll(/^(n0|n7),\d,n(\d+),0\.\d+/gm)];
      expect(ranked.length).toBe(10);
      for (const [, source, node] of ranked) expect(Number(node) % 2).toBe(source === 'n0' ? 0 : 1);
      expect(rowsOf(folder, 'group-ranks.csv')[0]?.[2]).toBe('n2');
      expect(stdout).toMatch(/n60,blue,/);
      expect(stdout).toMatch(/n61,red,/);
    }, 120_000);

    test('directed-graphs: a report, classes of nodes that come later, and directions of pairs', () => {
      const { status, stdout, stderr, folder } = runShell('systems/directed-graphs.md', HEADING);
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('keep the directions');
      expect(stdout).toMatch(/alpha = [\d.]+ by validation/);
      const page = readFileSync(join(folder, 'report.html'), 'utf8');
      expect(page).toContain('<svg');
      expect(page).not.toMatch(/(src|href)="http/);
      expect(
        rowsOf(folder, 'later.csv')
          .slice(90)
          .map(([node, label]) => [node, label]),
      ).toEqual([
        ['n90', 'a'],
        ['n91', 'b'],
      ]);
      const answers = [...stdout.matchAll(/^(n[01]),(n[01]),(forward|backward),/gm)].map(([, u, v, way]) => [
        u,
        v,
        way,
      ]);
      expect(answers).toEqual([
        ['n0', 'n1', 'forward'],
        ['n1', 'n0', 'backward'],
      ]);
    }, 120_000);

    test('h4g: classes that no training graph has, unknown ones, and radii as a picture', () => {
      const { status, stdout, stderr, folder } = runShell('systems/h4g.md', HEADING);
      expect([status, stderr.includes('rror')]).toEqual([0, false]);
      expect(stdout).toContain('recipes: 90 nodes with texts');
      expect(stdout).toContain('162 pairs of nodes and texts to train on; 256 numbers a text');
      expect(stdout).toContain('trained on recipes (90 nodes');
      const names = ['cats', 'dogs', 'fishes'];
      const right = (row: readonly string[]) => row[1] === names[Number(row[0]?.split('-')[0]) - 1];
      const all = rowsOf(folder, 'all.csv');
      expect(all.length).toBe(90);
      expect(all.filter(right).length).toBeGreaterThan(81);
      const known = rowsOf(folder, 'known.csv');
      const unknown = (topic: string) =>
        known.filter(([node, label]) => node?.startsWith(topic) && label === 'unknown').length;
      expect(unknown('3')).toBeGreaterThan(24);
      expect(unknown('1') + unknown('2')).toBeLessThan(20);
      const page = readFileSync(join(folder, 'radii.html'), 'utf8');
      expect(page).toContain('Radii of the nodes, by predicted class');
      expect(page).toContain('<svg');
    }, 120_000);
  },
);
