import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-polynomials-'));

const gossamer = commandIn(folder);

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const rows = (text: string) => readCsv(text, 'out').rows.map((row) => row.join(' '));

/** Two cliques of four, or a ring of eight with its long chords: all of degree three. */
function writeSet(name: string, count: number, withLabels: boolean): void {
  mkdirSync(join(folder, name), { recursive: true });
  const clique = (first: number) =>
    [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].filter((j) => j > i).map((j) => [first + i, first + j] as const));
  const ring = Array.from({ length: 8 }, (_, i) => [i, (i + 1) % 8] as const);
  const chords = Array.from({ length: 4 }, (_, i) => [i, i + 4] as const);
  const graphs = Array.from({ length: count }, (_, g) => (g % 2 ? [...ring, ...chords] : [...clique(0), ...clique(4)]));
  write(
    `${name}/edges.csv`,
    `graph,source,target,bond\n${graphs.flatMap((pairs, g) => pairs.map(([u, v]) => `g${g},n${u},n${v},${g % 3 ? 'x' : 'y'}\n`)).join('')}`,
  );
  if (withLabels)
    write(`${name}/graphs.csv`, `graph,cliques\n${graphs.map((_, g) => `g${g},${g % 2 ? 0 : 2}\n`).join('')}`);
}

describe.skipIf(!existsSync(main))('equivariant polynomials on the command line (needs a build)', () => {
  writeSet('set', 40, true);
  writeSet('new', 4, false);
  // A triangle a b c with a tail to d, given both ways and with a loop.
  write('tail.csv', 'source,target\na,b\nb,c\nc,a\na,d\nd,a\nd,d\n');
  write('six.g6', 'EhEG\nEwCW\n');

  test('count gives numbers for graphs, nodes by their roles, and edges', () => {
    expect(rows(gossamer('count', 'six.g6', '--pattern', 'triangle').stdout)).toEqual(['0 0', '1 2']);
    expect(rows(gossamer('count', 'set', 'tail.csv', '--pattern', 'clique-4').stdout).slice(38)).toEqual([
      'g38 2',
      'g39 0',
      'tail.csv 0',
    ]);
    const star = readCsv(gossamer('count', 'tail.csv', '--pattern', 'ab ac ad', '--per', 'node').stdout, 'out');
    expect(star.columns).toEqual(['graph', 'node', 'as a', 'as b c d']);
    expect(star.rows.map((row) => row.slice(1).join(' '))).toEqual(['a 1 0', 'b 0 1', 'c 0 1', 'd 0 1']);
    const edges = gossamer('count', 'tail.csv', '--pattern', 'triangle', '--per', 'edge', '-o', 'out.csv');
    expect(edges.stdout).toBe('');
    expect(rows(readFileSync(join(folder, 'out.csv'), 'utf8'))).toEqual([
      'tail.csv a b 1',
      'tail.csv a c 1',
      'tail.csv a d 0',
      'tail.csv b c 1',
    ]);
    // Paths of three nodes: five, of which three close to a triangle; maps may also turn back.
    const paths = (kind: string) => rows(gossamer('count', 'tail.csv', '--pattern', 'path-3', '--kind', kind).stdout);
    expect([paths('subgraphs'), paths('induced'), paths('homomorphisms')]).toEqual([
      ['tail.csv 5'],
      ['tail.csv 2'],
      ['tail.csv 18'],
    ]);
  }, 120_000);

  test('count explains which networks compute a pattern', () => {
    const { stdout } = gossamer('count', '--pattern', 'triangle', '--explain');
    expect(stdout).toContain('ab bc ca: not computable by message passing');
    expect(stdout).toContain('ab bc ca: computable by PPGN\nsum over a: matrix product on the pair bc');
    const clique = gossamer('count', '--pattern', 'clique-4', '--explain', '--red', 'a,b').stdout;
    expect(clique).toContain('ab ac ad bc bd cd, red a b: not computable by PPGN');
    expect(clique).toContain('--set degree=6');
  }, 60_000);

  const small = ['--set', 'hidden=8', '--set', 'depth=2', '--set', 'batch=10', '--set', 'epochs=40'];

  test('fit learns counts by polynomials, and predict computes them for new graphs', () => {
    const own = [...small, '--set', 'learningRate=0.01', '--set', 'optimizer=lamb'];
    const fitted = gossamer('fit', 'set', '--model', 'ppgn++', '-o', 'm.safetensors', ...own, '--json');
    expect(fitted.stderr).not.toContain('rror');
    expect(JSON.parse(fitted.stdout)['error of cliques']).toBeLessThan(0.3);
    const info = gossamer('info', 'm.safetensors').stdout;
    expect(info).toContain('polynomials    ab ac');
    expect(info).toContain('blocks         2 of width 8');
    const { stdout, stderr } = gossamer('predict', 'm.safetensors', 'new');
    expect(stderr).toBe('');
    for (const [g, [, cliques]] of readCsv(stdout, 'out').rows.entries())
      expect(Math.abs(Number(cliques) - (g % 2 ? 0 : 2))).toBeLessThan(0.5);
    const plain = gossamer(
      ...['fit', 'set', '--model', 'ppgn++', '-o', 'p.safetensors', ...small],
      ...['--set', 'variant=plain', '--set', 'degree=0'],
    );
    expect(plain.stdout).toContain('PPGN: ');
    expect(gossamer('info', 'p.safetensors').stdout).toContain('without transpose and identity');
  }, 120_000);

  test('embed writes polynomials of nodes as vectors, and of pairs as a sparse table', () => {
    const nodes = gossamer('embed', 'tail.csv', '--method', 'polynomials', '--degree', '3', '-o', 'v.csv');
    expect(nodes.stderr).toContain('red');
    expect(rows(readFileSync(join(folder, 'v.csv'), 'utf8')).map((row) => row.replace(/\.0+$/, ''))).toEqual([
      'a 2',
      'b 2',
      'c 2',
      'd 0',
    ]);
    gossamer('embed', 'tail.csv', '--method', 'polynomials', '--pairs', '--degree', '5', '-o', 'pairs.csv');
    // Two joined nodes that are neighbours of both ends: here only where both ends are one node.
    const pairs = readCsv(readFileSync(join(folder, 'pairs.csv'), 'utf8'), 'pairs');
    expect(pairs.columns).toEqual(['source', 'target', 'v0']);
    expect(pairs.rows.map((row) => row.join(' '))).toEqual(['a a 2', 'b b 2', 'c c 2']);
  }, 60_000);

  test('what cannot be counted or learnt is named, with exit code 2 and nothing written', () => {
    const ring = Array.from({ length: 600 }, (_, i) => `big,n${i},n${(i + 1) % 600}\n`).join('');
    const others = Array.from({ length: 19 }, (_, g) => `h${g},a,b\nh${g},b,c\n`).join('');
    mkdirSync(join(folder, 'big'), { recursive: true });
    write('big/edges.csv', `graph,source,target\n${ring}${others}`);
    write('big/graphs.csv', `graph,y\nbig,1\n${Array.from({ length: 19 }, (_, g) => `h${g},${g}\n`).join('')}`);
    for (const [args, reason] of [
      [
        ['count', 'six.g6', '--pattern', 'pentagon'],
        'there is no "pentagon"; write edges such as "ab bc ca", or one of',
      ],
      [['count', 'six.g6', '--pattern', 'cycle-9'], 'there is no "cycle-9"'],
      [['count', 'six.g6', '--pattern', 'ab bcd'], '"bcd" is no edge'],
      [['count', 'six.g6', '--pattern', 'ab ba'], 'given twice'],
      [['count', '--pattern', 'triangle'], 'no graphs are given'],
      [['count', '--pattern', 'triangle', '--explain', '--red', 'z'], 'no edge names the red node "z"'],
      [['count', 'set', '--pattern', 'clique-4', '--most', '5'], 'more than 5 entries'],
      [['count', 'nowhere.g6', '--pattern', 'triangle'], 'nowhere.g6'],
      [['fit', 'big', '--model', 'ppgn++', '-o', 'none'], 'graph "big" has 600 nodes, whose 360,000 cells take about'],
      [
        ['fit', 'big', '--model', 'ppgn++', '-o', 'none', '--set', 'force=yes', '--set', 'memory=64'],
        'above the budget of 64 MiB; raise it',
      ],
      [['fit', 'set', '--model', 'ppgn++', '-o', 'none', '--set', 'degree=8'], 'degree'],
      [['embed', 'tail.csv', '--method', 'polynomials', '--degree', '2', '-o', 'none.csv'], 'raise --degree'],
      [['embed', 'tail.csv', '--method', 'polynomials', '--pairs', '-o', 'none.npy'], 'are written as .csv'],
    ] as const) {
      const { status, stderr } = gossamer(...args);
      expect([args, status, stderr]).toEqual([args, 2, expect.stringContaining(reason)]);
    }
    expect(gossamer('fit', 'big', '--model', 'ppgn++', '-o', 'none').stderr).not.toContain('roots');
    expect(existsSync(join(folder, 'none.csv'))).toBe(false);
  }, 120_000);
});
