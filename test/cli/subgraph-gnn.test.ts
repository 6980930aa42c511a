import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandInFolder, main } from './command.js';

const { folder, gossamer } = commandInFolder('subgraphs');

/** Rings of six and pairs of rings of three, which message passing cannot tell apart. */
function writeGraphs(name: string, count: number, changes: Readonly<Record<string, string | undefined>> = {}): void {
  mkdirSync(join(folder, name), { recursive: true });
  const graphs = Array.from({ length: count }, (_, g) => g);
  const next = (g: number, i: number) => (g % 2 ? (i + 1) % 6 : 3 * Math.floor(i / 3) + ((i + 1) % 3));
  const tables: Record<string, string | undefined> = {
    graphs: `graph,label,size,half\n${graphs.map((g) => `g${g},${g % 2 ? 'one' : 'two'},${g % 2 ? 6 : 3},${(g % 2 ? 6 : 3) / 2 + 100}\n`).join('')}`,
    edges: `graph,source,target,bond\n${graphs.flatMap((g) => [0, 1, 2, 3, 4, 5].map((i) => `g${g},a${i},a${next(g, i)},${(g >> 1) % 2 ? 'single' : 'double'}\n`)).join('')}`,
    nodes: `graph,node,element,mass\n${graphs.flatMap((g) => [0, 1, 2, 3, 4, 5].map((i) => `g${g},a${i},${(g >> 1) % 2 ? 'C' : 'N'},${g % 7}\n`)).join('')}`,
    ...changes,
  };
  for (const [table, text] of Object.entries(tables))
    if (text !== undefined) writeFileSync(join(folder, name, `${table}.csv`), text);
}

const small = ['--set', 'hidden=8', '--set', 'layers=2', '--set', 'batch=10'];

describe.skipIf(!existsSync(main))('subgraph networks on the command line (needs a build)', () => {
  writeGraphs('rings', 40);
  writeGraphs('new', 6, { graphs: undefined });

  test('fit learns classes that message passing cannot, and predict answers for new graphs', () => {
    const fitted = gossamer('fit', 'rings', '--model', 'sswl-plus', '-o', 'm.safetensors', ...small, '--json');
    expect(fitted.stderr).not.toContain('rror');
    expect(JSON.parse(fitted.stdout).accuracy).toBe(100);
    const info = gossamer('info', 'm.safetensors').stdout;
    expect(info).toContain('aggregations   uL, vL, vv; tells apart at most what SSWL does');
    expect(info).toContain('reads of nodes element, mass');
    expect(gossamer('predict', 'm.safetensors', 'new', '-o', 'out.csv').stderr).toBe('');
    const { columns, rows } = readCsv(readFileSync(join(folder, 'out.csv'), 'utf8'), 'out');
    expect(columns).toEqual(['graph', 'prediction', 'probability', 'p(one)', 'p(two)']);
    expect(rows.map(([graph, prediction]) => `${graph} ${prediction}`)).toEqual(
      ['two', 'one', 'two', 'one', 'two', 'one'].map((label, g) => `g${g} ${label}`),
    );
    const plain = gossamer('fit', 'rings', '--model', 'gine', '-o', 'p.safetensors', ...small, '--json');
    expect(JSON.parse(plain.stdout).accuracy).toBeLessThan(100);
    expect(gossamer('info', 'p.safetensors').stdout).toContain('tells apart at most what 1-WL does');
  }, 120_000);

  test('fit learns numbers in their units, predict gives them, also for categories that are new', () => {
    const own = [...small, '--set', 'epochs=60', '--set', 'learningRate=0.01'];
    const target = ['--target', 'size,half', '-o', 'n.safetensors'];
    const fitted = gossamer('fit', 'rings', '--model', 'sswl-plus', ...target, ...own);
    expect(fitted.stdout).toMatch(/mean absolute error of half on 4 test graphs: 0\.\d+/);
    writeGraphs('odd', 4, {
      graphs: undefined,
      nodes: `graph,node,element,mass\n${[0, 1, 2, 3].flatMap((g) => [0, 1, 2, 3, 4, 5].map((i) => `g${g},a${i},${g || i ? 'C' : 'Xe'},${g}\n`)).join('')}`,
    });
    const { stdout, stderr } = gossamer('predict', 'n.safetensors', 'odd');
    expect(stderr).toContain('nodes, element "Xe" was not in the training data and counts as none (1 times)');
    const { columns, rows } = readCsv(stdout, 'out');
    expect(columns).toEqual(['graph', 'size', 'half']);
    for (const [g, [, size, half]] of rows.entries()) {
      expect(Math.abs(Number(size) - (g % 2 ? 6 : 3))).toBeLessThan(1.4);
      expect(Math.abs(Number(half) - (g % 2 ? 103 : 101.5))).toBeLessThan(1);
    }
  }, 120_000);

  test('graphs of graph6 with a table are learnt from, and told apart by tests', () => {
    mkdirSync(join(folder, 'six'), { recursive: true });
    // A ring of six is EhEG, two of three EwCW.
    const lines = Array.from({ length: 30 }, (_, g) => (g % 2 ? 'EhEG' : 'EwCW'));
    writeFileSync(join(folder, 'six/graphs.g6'), `${lines.join('\n')}\n`);
    writeFileSync(
      join(folder, 'six/graphs.csv'),
      `label\n${lines.map((line) => `${line === 'EhEG' ? 'one' : 'two'}\n`).join('')}`,
    );
    expect(gossamer('info', 'six').stdout).toContain('30 graphs, 180 nodes, 180 edges');
    const near = [...small, '--set', 'hops=2', '-o', 's.safetensors', '--json'];
    const fitted = gossamer('fit', 'six', '--model', 'sswl-plus', ...near);
    expect(JSON.parse(fitted.stdout).accuracy).toBe(100);
    writeFileSync(join(folder, 'a.g6'), 'EhEG\n');
    writeFileSync(join(folder, 'b.csv'), 'source,target\n0,1\n1,2\n2,0\n3,4\n4,5\n5,3\n');
    const told = readCsv(gossamer('tell', 'a.g6', 'b.csv').stdout, 'told');
    expect(told.columns).toEqual(['test', 'told apart']);
    const verdict = (name: string) => told.rows.find(([own]) => own === name)?.[1];
    expect([verdict('1-WL'), verdict('SPD-WL'), verdict('SWL(VS)'), verdict('FWL(2)')]).toEqual([
      'no',
      'yes',
      'yes',
      'yes',
    ]);
    const set = JSON.parse(gossamer('tell', 'six', '--tests', '1-WL,sswl', '--encodes', '--json').stdout);
    expect(set.tests.map((own: { alike: number }) => own.alike)).toEqual([435, 210]);
    expect(set.tests.map((own: { encodes: Record<string, boolean> }) => own.encodes.distance)).toEqual([false, true]);
  }, 120_000);

  test('what cannot be learnt is named, with exit code 2 and nothing written', () => {
    const ring = Array.from({ length: 600 }, (_, i) => `big,n${i},n${(i + 1) % 600}\n`).join('');
    const others = Array.from({ length: 19 }, (_, g) => `h${g},a,b\nh${g},b,c\n`).join('');
    const labels = `graph,label,gap\nbig,x,1\n${Array.from({ length: 19 }, (_, g) => `h${g},${g % 2 ? 'x' : 'y'},${g === 4 ? '' : g}\n`).join('')}`;
    writeGraphs('big', 0, { graphs: labels, edges: `graph,source,target\n${ring}${others}`, nodes: undefined });
    writeFileSync(join(folder, 'bad.g6'), 'EhE\n');
    for (const [args, reason] of [
      [['fit', 'big', '--model', 'sswl-plus'], 'graph "big" has 600 nodes, whose 360,000 cells take about'],
      [
        ['fit', 'big', '--model', 'sswl-plus', '--set', 'force=yes', '--set', 'memory=64'],
        'above the budget of 64 MiB',
      ],
      [['fit', 'big', '--model', 'sswl-plus', '--target', 'gap'], '"gap" of graph "h4" is missing'],
      [['fit', 'big', '--model', 'sswl-plus', '--target', 'nothing'], 'no column "nothing" of numbers; there are gap'],
      [['fit', 'rings', '--model', 'gine', '--set', 'scheme=sswl'], 'unknown option "scheme"'],
      [['fit', 'rings', '--model', 'sswl-plus', '--set', 'scheme=up'], 'option scheme: expected one of'],
      [['predict', 'm.safetensors', 'six'], 'have no column "element", which the model reads'],
      [['tell', 'bad.g6', 'a.g6'], 'a graph of 6 nodes takes 3 characters after its size, this line has 2'],
      [['tell', 'a.g6'], 'at least two are compared'],
      [['tell', 'six', '--tests', '3-WL'], 'there is no test "3-WL"'],
    ] as const) {
      const out = args[0] === 'tell' ? [] : ['-o', 'none.safetensors'];
      const { status, stderr } = gossamer(...args, ...out);
      expect([args, status, stderr]).toEqual([args, 2, expect.stringContaining(reason)]);
    }
    expect(existsSync(join(folder, 'none.safetensors'))).toBe(false);
    const drawn = ['force=yes', 'roots=4', 'epochs=1'].flatMap((own) => ['--set', own]);
    const few = gossamer('fit', 'big', '--model', 'sswl-plus', ...drawn, ...small, '-o', 'few.safetensors');
    expect([few.status, few.stderr]).toEqual([0, expect.not.stringContaining('rror')]);
  }, 120_000);
});
