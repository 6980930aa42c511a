import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv, readNpy, readSafetensors } from '../../src/data/index.js';
import { blockModel } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandInFolder, main } from './command.js';

const { folder, gossamer } = commandInFolder('graphvite');
const path = (name: string) => join(folder, name);

const { graph, labels } = blockModel(new Random(3), { nodes: 300, classes: 3, noise: 0.1 });
const { sources, targets } = graph.edges();
const lines = Array.from(sources, (u, i) => `n${u},n${targets[i]}`);
writeFileSync(path('edges.csv'), `source,target\n${lines.join('\n')}\n`);
// Repeated nodes have two labels; a node without edges has no line.
const named = new Set([...sources, ...targets]);
writeFileSync(path('labels.csv'), `node,label\n${[...named].map((v) => `n${v},class ${labels[v]}`).join('\n')}\n`);
const training = ['--method', 'graphvite', '--dim', '8', '--epochs', '60', '--step', '2'];

/** Names and rows of the binary form of word2vec, as gensim reads it. */
function readWord2vec(bytes: Buffer): Map<string, Float32Array> {
  const header = bytes.indexOf('\n');
  const [n = 0, d = 0] = bytes.subarray(0, header).toString().split(' ').map(Number);
  const rows = new Map<string, Float32Array>();
  for (let at = header + 1, i = 0; i < n; i++) {
    const space = bytes.indexOf(' ', at);
    const name = bytes.subarray(at, space).toString().trimStart();
    rows.set(
      name,
      new Float32Array(bytes.buffer.slice(bytes.byteOffset + space + 1, bytes.byteOffset + space + 1 + 4 * d)),
    );
    at = space + 1 + 4 * d;
  }
  return rows;
}

describe('gossamer embed --method graphvite', () => {
  test('writes the same vectors in every form, says memory and time before, and F1 of labels after', () => {
    const { status, stdout, stderr } = gossamer(
      'embed',
      'edges.csv',
      ...training,
      '--epochs',
      '400',
      '--labels',
      'labels.csv',
      '-o',
      'v.npy',
    );
    expect(stderr).toMatch(/step 2, \d parts; memory: 1 MiB of vectors, \d+ MiB of pairs/);
    expect(stderr).toMatch(/400 epochs: .* pairs at about .* a second, about \d+ s/);
    expect(status).toBe(0);
    const f1 = [...stdout.matchAll(/(\d+) % of \d+ labelled nodes: micro-F1 ([\d.]+), macro-F1 ([\d.]+)/g)];
    expect(f1.map(([, share]) => share)).toEqual(['10', '50', '90']);
    expect(Number(f1[1]?.[2])).toBeGreaterThan(80);
    const { shape, values } = readNpy(readFileSync(path('v.npy')));
    const ids = readFileSync(path('v.ids.txt'), 'utf8').trim().split('\n');
    expect(shape).toEqual([ids.length, 8]);
    for (const out of ['v.txt', 'v.bin', 'v.csv', 'v.safetensors'])
      expect(gossamer('embed', 'edges.csv', ...training, '--epochs', '400', '-o', out).status).toBe(0);
    const row = (i: number) => Array.from(values.subarray(8 * i, 8 * i + 8) as Float32Array);
    const binary = readWord2vec(readFileSync(path('v.bin')));
    const [head, ...text] = readFileSync(path('v.txt'), 'utf8').trim().split('\n');
    expect(head).toBe(`${ids.length} 8`);
    const table = readCsv(readFileSync(path('v.csv'), 'utf8'));
    ids.forEach((id, i) => {
      expect(Array.from(binary.get(id) as Float32Array)).toEqual(row(i));
      const [name, ...numbers] = (text[i] as string).split(' ');
      expect([name, table.rows[i]?.[0]]).toEqual([id, id]);
      expect(numbers.map((x) => Math.fround(Number(x)))).toEqual(row(i));
      row(i).forEach((x, k) => {
        expect(Number(table.rows[i]?.[k + 1])).toBeCloseTo(x, 6);
      });
    });
    const { tensors } = readSafetensors(readFileSync(path('v.safetensors')));
    expect(tensors.vectors?.dataSync()).toEqual(values);
    expect(tensors.contexts?.shape).toEqual(shape);
  });

  test('new nodes join, all others keep their vectors', () => {
    writeFileSync(path('new.csv'), `source,target\nnew,n${sources[0]}\nnew,n${sources[1]}\nlast,new\n`);
    const old = ['embed', 'edges.csv', ...training, '--epochs', '400'] as const;
    expect(gossamer(...old, '-o', 'old.safetensors').status).toBe(0);
    const update = [...old, '--update', 'new.csv', '-o', 'all.safetensors'] as const;
    expect(gossamer(...update).stderr).toContain('--update needs --vectors');
    const { status, stderr } = gossamer(...update, '--vectors', 'old.safetensors');
    expect(stderr).toContain('2 new nodes beside');
    expect(status).toBe(0);
    const read = (file: string) => readSafetensors(readFileSync(path(file)));
    const [before, after] = [read('old.safetensors'), read('all.safetensors')];
    const ids = JSON.parse(before.metadata.ids as string) as string[];
    expect(JSON.parse(after.metadata.ids as string)).toEqual([...ids, 'new', 'last']);
    for (const side of ['vectors', 'contexts']) {
      const values = after.tensors[side]?.dataSync() as Float32Array;
      expect(values.subarray(0, 8 * ids.length)).toEqual(before.tensors[side]?.dataSync());
      expect(values.subarray(8 * ids.length).every((x) => x !== 0 && Number.isFinite(x))).toBe(true);
    }
    expect(gossamer(...update, '--vectors', 'old.safetensors', '--dim', '4').stderr).toContain('give --dim 8');
  });

  test('within a budget the parts are in files, which go at the end: the same bytes', () => {
    const budget = ['--parts', '4', '--memory', '6K'];
    expect(gossamer('embed', 'edges.csv', ...training, '--parts', '4', '-o', 'whole.npy').status).toBe(0);
    const { status, stderr } = gossamer('embed', 'edges.csv', ...training, ...budget, '-o', 'parts.npy');
    expect(stderr).toContain('the rest in files');
    expect(status).toBe(0);
    expect(existsSync(path('parts.npy.parts'))).toBe(false);
    expect(readNpy(readFileSync(path('parts.npy'))).shape).toEqual(readNpy(readFileSync(path('whole.npy'))).shape);
    const tiny = gossamer('embed', 'edges.csv', ...training, '--memory', '10', '-o', 'none.npy');
    expect([tiny.status, tiny.stderr]).toEqual([2, expect.stringContaining('give at least that')]);
  });

  test.each([
    ['in memory', []],
    ['in files', ['--memory', '6K']],
  ])('%s: stopped by Ctrl-C it goes on to the same bytes', async (name, budget) => {
    const options = ['embed', 'edges.csv', ...training, '--epochs', '3000', '--parts', '4', ...budget];
    const out = `${name.replace(' ', '-')}.npy`;
    const child = spawn(process.execPath, [main, ...options, '-o', out], { cwd: folder });
    child.stderr.on('data', (text) => /a second/.test(String(text)) && child.kill('SIGINT'));
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(130);
    expect(existsSync(path(`${out}.checkpoint`))).toBe(true);
    expect(gossamer(...options, '--resume', '--seed', '7', '-o', out).stderr).toContain('is of other edges or options');
    const [head, ...lines] = readFileSync(path('edges.csv'), 'utf8').trim().split('\n');
    writeFileSync(path('other.csv'), `${[head, ...lines.reverse()].join('\n')}\n`);
    const other = gossamer('embed', 'other.csv', ...options.slice(2), '--resume', '-o', out);
    expect([other.status, other.stderr]).toEqual([2, expect.stringContaining('is of other edges or options')]);
    expect(gossamer(...options, '--resume', '-o', out).status).toBe(0);
    expect(existsSync(path(`${out}.checkpoint`))).toBe(false);
    expect(gossamer(...options, '-o', 'uncut.npy').status).toBe(0);
    expect(readFileSync(path(out))).toEqual(readFileSync(path('uncut.npy')));
  });

  test('largevis draws the graph, labels in colours', () => {
    const { status, stderr } = gossamer(
      'embed',
      'edges.csv',
      '--method',
      'largevis',
      '--labels',
      'labels.csv',
      '-o',
      'g.svg',
    );
    expect(stderr).toContain('nodes in the plane');
    expect(status).toBe(0);
    const svg = readFileSync(path('g.svg'), 'utf8');
    expect(svg.match(/<circle /g)?.length).toBe(named.size);
    expect(new Set(svg.match(/fill="hsl[^"]*"/g)).size).toBe(3);
    expect(gossamer('embed', 'edges.csv', '--method', 'largevis', '-o', 'g.csv').status).toBe(0);
    expect(readCsv(readFileSync(path('g.csv'), 'utf8')).columns).toEqual(['node', 'v0', 'v1']);
    expect(gossamer('embed', 'edges.csv', '--method', 'line', '-o', 'g.svg').stderr).toContain(
      'vectors can be written as',
    );
  });

  test('triples of a knowledge graph: vectors of entities and relations, and filtered ranks', () => {
    const facts = Array.from({ length: 40 }, (_, v) => [
      `e${v}\tnext\te${(v + 1) % 40}`,
      `e${(v + 1) % 40}\tlast\te${v}`,
    ]);
    const held = [20, 41, 60, 79];
    const [train, test] = [false, true].map((own) => facts.flat().filter((_, i) => held.includes(i) === own));
    writeFileSync(path('train.tsv'), `head\trelation\ttail\n${train?.join('\n')}\n`);
    writeFileSync(path('test.tsv'), `${test?.join('\n')}\n`);
    const options = ['--method', 'rotate', '--dim', '16', '--epochs', '100'];
    const { status, stdout, stderr } = gossamer('embed', 'train.tsv', ...options, '--test', 'test.tsv', '-o', 'e.csv');
    expect(stderr).toContain('76 triples of 40 entities and 2 relations');
    expect(status).toBe(0);
    expect(stdout).toMatch(/4 test triples, filtered: MRR 0\.\d+, mean rank [\d.]+, Hits@1 [\d.]+ %/);
    expect(readCsv(readFileSync(path('e.csv'), 'utf8')).rows.length).toBe(40);
    expect(readCsv(readFileSync(path('e.relations.csv'), 'utf8')).rows.map(([name]) => name)).toEqual(['next', 'last']);
    writeFileSync(path('other.tsv'), 'e0\tnext\tnobody\n');
    const other = gossamer('embed', 'train.tsv', ...options, '--test', 'other.tsv', '-o', 'e.csv');
    expect([other.status, other.stderr]).toEqual([
      2,
      expect.stringContaining('line 1: training had no entity "nobody"'),
    ]);
    writeFileSync(path('pairs.tsv'), 'a\tb\n');
    expect(gossamer('embed', 'pairs.tsv', ...options, '-o', 'e.csv').stderr).toContain(
      'expected head, relation and tail, found 2 fields',
    );
  });

  test('what cannot be is refused with what to do', () => {
    const refused = (...args: string[]) => {
      const { status, stderr } = gossamer('embed', 'edges.csv', ...args, '-o', 'x.npy');
      expect(status).toBe(2);
      return stderr;
    };
    expect(refused('--method', 'deepwalk', '--memory', '1G')).toContain('--memory is of --method graphvite');
    expect(refused(...training, '--step', '50')).toContain('step 50 is longer than a walk of 40 edges');
    expect(refused(...training, '--resume')).toContain('there is no "x.npy.checkpoint" to go on from');
    expect(refused(...training, '--vectors', 'old.safetensors')).toContain('--vectors is for --update');
    expect(refused(...training, '--update', 'new.csv', '--labels', 'labels.csv')).toContain('not for --update');
    expect(refused(...training, '--p', '2')).toContain('p and q bias the walks of node2vec');
    writeFileSync(path('spaced.csv'), 'source,target\na b,c\nc,d\nd,a b\n');
    const spaced = gossamer('embed', 'spaced.csv', ...training, '--epochs', '2000', '-o', 'x.txt');
    expect(spaced.stderr).toContain('"a b" has white space in its name');
    expect(spaced.stderr).not.toContain('epochs: ');
    const unlabelled = refused(...training, '--labels', 'none.csv');
    expect(unlabelled).toContain('none.csv');
    expect(unlabelled).not.toContain('epochs: ');
  });
});
