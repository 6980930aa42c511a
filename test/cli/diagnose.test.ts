import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { cyclicBlocks } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-diagnose-'));

const gossamer = commandIn(folder);

const { graph, labels } = cyclicBlocks(new Random(1), { size: 40, density: 0.15, forward: 0.95 });
const { sources, targets } = graph.edges();
const random = new Random(2);

/** Three groups whose arcs wind one way; `extra` nodes with two arcs and no label. */
function write(name: string, change: (lines: { nodes: string[]; edges: string[] }) => void = () => undefined): void {
  mkdirSync(join(folder, name));
  const part = (v: number) => ['train', 'train', 'validation', 'test'][v % 4];
  const nodes = Array.from(labels, (label, v) => {
    const size = (random.gaussian() + (label === 0 ? 1 : 0)).toFixed(3);
    return `p${v},${size},${(v * 7) % 5},${'abc'[label]},${part(v)},${(10 * label + 3 * Number(size)).toFixed(2)}`;
  });
  const lines = { nodes, edges: Array.from(sources, (u, e) => `p${u},p${targets[e]}`) };
  change(lines);
  writeFileSync(join(folder, name, 'nodes.csv'), `id,size,kind,label,split,price\n${lines.nodes.join('\n')}\n`);
  writeFileSync(join(folder, name, 'edges.csv'), `source,target\n${lines.edges.join('\n')}\n`);
}

describe.skipIf(!existsSync(main))('gossamer diagnose (needs a build)', () => {
  write('winding');

  test('says that directions matter, from pairs of labels that are not for testing', () => {
    const { status, stdout, stderr } = gossamer('diagnose', 'winding', '-o', 'report.html');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /winding: 120 nodes, [\d,]+ arcs; 90 nodes with one of 3 classes \("label"\), 30 test labels not read/,
    );
    expect(stdout).toMatch(/S = (0\.[5-9]\d|1\.00) \(≥ 0\.5\): keep the directions/);
    for (const part of [
      'AAᵀ   a target in common',
      'bow-tie',
      'reciprocity',
      'Magnetic Laplacian',
      'mixed',
      'report: report.html',
    ])
      expect(stdout).toContain(part);
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(page.match(/<svg/g)?.length).toBeGreaterThan(7);
    expect(page).not.toMatch(/(src|href)="http|NaN|undefined/);
  });

  test('is JSON for programs, and does not change with test labels', () => {
    const parsed = (name: string) => JSON.parse(gossamer('diagnose', name, '--json').stdout);
    const report = parsed('winding');
    expect(report.guidance.score).toBeGreaterThan(0.5);
    expect(report.labelled).toEqual({ read: 90, hidden: 30 });
    write('shuffled', ({ nodes }) => {
      nodes.forEach((line, v) => {
        if (v % 4 === 3) nodes[v] = line.replace(/,[abc],test/, ',a,test');
      });
    });
    expect(parsed('shuffled').guidance).toEqual(report.guidance);
  });

  test('takes graphs without labels, and says what it cannot report on', () => {
    write('bare', (lines) => {
      lines.nodes = lines.nodes.map((line) => line.replace(/,[abc],/, ',,'));
    });
    const bare = gossamer('diagnose', 'bare');
    expect(bare.status).toBe(0);
    expect(bare.stdout).toContain('There are no labels');
    write('broken', ({ edges }) => edges.push('p0,nobody'));
    writeFileSync(join(folder, 'table.csv'), 'a,b\n1,2\n');
    for (const [args, reason] of [
      [['diagnose', 'winding', '--target', 'colour'], 'has no attribute "colour"'],
      [['diagnose', 'broken'], '"nobody" is no node of the table of nodes'],
      [['diagnose', 'table.csv'], 'is no graph'],
      [['diagnose', 'winding', '-o', 'report.pdf'], 'a report is a page (.html) or JSON (.json)'],
    ] as const) {
      const { status, stderr } = gossamer(...args);
      expect([status, stderr]).toEqual([2, expect.stringContaining(reason)]);
    }
    expect(existsSync(join(folder, 'report.pdf'))).toBe(false);
  });
});

describe.skipIf(!existsSync(main))('directed networks on a person’s own graph (needs a build)', () => {
  write('people');

  test('directions are read without being asked for, and q or α chosen by validation', () => {
    const fitted = gossamer(
      'fit',
      'people',
      '--model',
      'magnet',
      '--set',
      'tune=yes',
      '--set',
      'epochs=40',
      '-o',
      'q.safetensors',
    );
    expect(fitted.status).toBe(0);
    expect(fitted.stdout).toMatch(/120 nodes, \d+ directed edges, 3 classes/);
    expect(fitted.stdout).toMatch(/q = [\d.]+ by validation \(0.25: [\d.]+ %, /);
    const { accuracy, mostFrequent } = JSON.parse(
      gossamer('fit', 'people', '--model', 'dir-gcn', '--set', 'epochs=60', '--json', '-o', 'g.safetensors').stdout,
    );
    expect(accuracy).toBeGreaterThan(mostFrequent + 20);
    const wrong = gossamer('fit', 'people', '--model', 'dir-gcn', '--set', 'alpha=1.5');
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('option alpha')]);
  }, 60_000);

  test('adjacency lists refuse new nodes and say why; without them they are answered for', () => {
    write('later', ({ nodes, edges }) => {
      nodes.push('new,0.5,1,,,');
      edges.push('new,p3', 'p100,new');
    });
    const fit = (...more: string[]) =>
      gossamer(
        'fit',
        'people',
        '--model',
        'a2dug',
        '--set',
        'epochs=5',
        '--set',
        'baseline=none',
        '-o',
        'a.safetensors',
        ...more,
      );
    expect(fit().status).toBe(0);
    expect(gossamer('predict', 'a.safetensors', 'people', '-o', 'same.csv').status).toBe(0);
    const refused = gossamer('predict', 'a.safetensors', 'later', '-o', 'later.csv');
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('by their place in adjacency lists')]);
    expect(existsSync(join(folder, 'later.csv'))).toBe(false);
    expect(fit('--set', 'adjacency=no').status).toBe(0);
    expect(gossamer('predict', 'a.safetensors', 'later', '-o', 'later.csv').status).toBe(0);
    expect(readCsv(readFileSync(join(folder, 'later.csv'), 'utf8'), 'later').rows.length).toBe(121);
  }, 60_000);

  test('directions of arcs: scored on pairs that are held out, answered for pairs and for all arcs', () => {
    const fitted = gossamer(
      ...['fit', 'people', '--model', 'magnet', '--task', 'direction', '--set', 'epochs=60', '-o', 'd.safetensors'],
    );
    expect(fitted.status).toBe(0);
    expect(fitted.stdout).toContain('direction of pairs: forward, backward');
    const accuracy = Number(/accuracy on pairs that were held out (\d+\.\d) %/.exec(fitted.stdout)?.[1]);
    expect(accuracy).toBeGreaterThan(70);
    writeFileSync(join(folder, 'pairs.csv'), 'source,target\np0,p1\np5,p9\n');
    const pairs = gossamer('predict', 'd.safetensors', 'people', 'pairs.csv').stdout.trim().split(/\r?\n/);
    expect(pairs[0]).toBe('source,target,direction,probability,p(forward),p(backward)');
    expect(pairs.length).toBe(3);
    gossamer('predict', 'd.safetensors', 'people', '-o', 'arcs.csv');
    const { rows } = readCsv(readFileSync(join(folder, 'arcs.csv'), 'utf8'), 'arcs');
    expect(rows.length).toBe(graph.edgeCount);
    expect(gossamer('info', 'd.safetensors').stdout).toContain('Answers the question "direction" on pairs of nodes');
    const baseline = gossamer(
      'fit',
      'people',
      '--model',
      'gcn',
      '--task',
      'existence',
      '--set',
      'epochs=5',
      '-o',
      'e.safetensors',
    );
    expect(baseline.status).toBe(0);
    const undirected = gossamer('fit', 'people', '--model', 'gcn', '--task', 'direction', '--undirected');
    expect([undirected.status, undirected.stderr]).toEqual([2, expect.stringContaining('asks for directions')]);
  }, 60_000);

  test('links without directions: scored among pairs without one, the same for both orders of a pair', () => {
    // Three groups in which each node knows the six that come next.
    mkdirSync(join(folder, 'friends'));
    const all = Array.from({ length: 120 }, (_, v) => v);
    const kinds = all.map((v) => `p${v},${v % 3},${((v * 7) % 11) / 10}`);
    const pairs = all.flatMap((v) => [1, 2, 3, 4, 5, 6].map((k) => `p${v},p${(v + 3 * k) % 120}`));
    writeFileSync(join(folder, 'friends', 'nodes.csv'), `id,kind,size\n${kinds.join('\n')}\n`);
    writeFileSync(join(folder, 'friends', 'edges.csv'), `source,target\n${pairs.join('\n')}\n`);
    const fit = (...args: string[]) => gossamer('fit', 'friends', '--set', 'epochs=60', ...args);
    const fitted = fit('--model', 'gcn', '--task', 'links', '-o', 'l.safetensors');
    expect([fitted.stderr, fitted.status]).toEqual([expect.anything(), 0]);
    expect(fitted.stdout).toMatch(/120 nodes, \d+ edges; links of pairs: no link, link/);
    const auc = Number(/AUC (\d+\.\d) %, average precision \d+\.\d %, hits@\d+ \d/.exec(fitted.stdout)?.[1]);
    expect(auc).toBeGreaterThan(60);
    expect(fitted.stdout).toContain('a perceptron on the features of both ends');
    // Most nodes that are joined share neighbours, and few others do.
    const without = /AUC without learning: common neighbours (\d+\.\d) %, Adamic–Adar (\d+\.\d) %/.exec(fitted.stdout);
    expect(Number(without?.[1])).toBeGreaterThan(85);
    expect(Number(without?.[2])).toBeGreaterThan(85);
    writeFileSync(join(folder, 'both.csv'), 'source,target\np0,p1\np1,p0\n');
    const [head, ...rows] = gossamer('predict', 'l.safetensors', 'friends', 'both.csv').stdout.trim().split(/\r?\n/);
    expect(head).toBe('source,target,links,probability,p(no link),p(link)');
    const [one, other] = rows.map((row) => Number(row.split(',')[5]));
    expect(one).toBeCloseTo(other as number, 5);
    const about = gossamer('info', 'l.safetensors').stdout;
    expect(about).toMatch(/question "links"[\s\S]*undirected[\s\S]*AUC/);
    const existence = fit('--model', 'gin', '--task', 'existence', '--undirected', '--json', '-o', 'x.safetensors');
    expect(JSON.parse(existence.stdout).auc).toBeGreaterThan(0);
    const wrong = fit('--model', 'gcn', '--task', 'links', '--directed');
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('asks for no directions')]);
  }, 60_000);

  test('numbers of nodes: in their units, beside the mean', () => {
    const fitted = gossamer(
      ...['fit', 'people', '--model', 'dir-sage', '--task', 'number', '--target', 'price', '--set', 'epochs=80'],
      ...['--json', '-o', 'n.safetensors'],
    );
    expect(fitted.status).toBe(0);
    const { rmse, mean } = JSON.parse(fitted.stdout);
    expect(rmse).toBeLessThan(mean);
    gossamer('predict', 'n.safetensors', 'people', '-o', 'prices.csv');
    const { columns, rows } = readCsv(readFileSync(join(folder, 'prices.csv'), 'utf8'), 'prices');
    expect(columns).toEqual(['node', 'price']);
    const average = rows.reduce((sum, [, price]) => sum + Number(price), 0) / rows.length;
    expect(average).toBeGreaterThan(5);
    expect(average).toBeLessThan(16);
    const texts = gossamer('fit', 'people', '--model', 'dir-sage', '--task', 'number', '--target', 'label');
    expect([texts.status, texts.stderr]).toEqual([
      2,
      expect.stringContaining('holds texts; --task number learns numbers'),
    ]);
  }, 60_000);
});
