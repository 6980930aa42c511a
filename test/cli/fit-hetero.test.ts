import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-fit-hetero-'));

const gossamer = commandIn(folder);

function write(name: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, name), { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, name, file), content);
}

const lines = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

/** The author of edge e: an even one of an even paper; each paper has two. */
const authorOf = (e: number, papers: number) =>
  2 * ((7 * (e % papers) + 3 * Math.floor(e / papers)) % 15) + ((e % papers) % 2);

/** Papers of two classes, which authors and venues tell; `extra` papers come later. */
function library(extra = 0): Record<string, string> {
  const papers = 120 + extra;
  return {
    'nodes_paper.csv': `id,label,topics,pages\n${lines(papers, (v) => `p${v},${v >= 120 || v % 4 === 0 ? '' : v % 2 ? 'red' : 'blue'},${v % 2 ? 'x;y' : v % 3 ? 'y' : 'x'},${v % 13}`)}\n`,
    'nodes_author.csv': `id,town\n${lines(30, (v) => `${v},${(v + (v % 7 === 0 ? 1 : 0)) % 2 ? 'Rome' : 'Oslo'}`)}\n`,
    'edges_writes.csv': `author,paper\n${lines(2 * papers, (e) => `${authorOf(e, papers)},p${e % papers}`)}\n`,
    'edges_paper_venue.tsv': `source\ttarget\n${lines(papers, (v) => `p${v}\t${v % 2 ? 'R' : 'B'}${v % 3}`)}\n`,
  };
}

describe.skipIf(!existsSync(main))('nodes of one type among several (needs a build)', () => {
  write('library', library());
  write('later', library(4));
  const quick = ['--set', 'epochs=40', '--set', 'hidden=16', '--set', 'randomWidth=32'];

  test('a folder of typed tables is learnt; the model answers for new nodes and says what it is', () => {
    const fitted = gossamer('fit', 'library', ...quick, '-o', 'm.safetensors');
    expect(fitted.stderr).toContain('nodes of type "venue" have no features; each gets a random vector by its name');
    expect(fitted.stderr).toMatch(/note: \d+ tensors for 90 nodes take 1 MiB/);
    expect(fitted.stdout).toContain('library: 30 author, 120 paper, 6 venue; 360 edges in 2 relations');
    expect(fitted.stdout).toContain('2 classes of "paper.label"');
    expect(fitted.stdout).toMatch(/micro-F1 on the nodes to test (9\d|100)\.\d %/);
    expect(fitted.stdout).toContain('beside it: most frequent class');
    expect(fitted.status).toBe(0);
    const info = gossamer('info', 'm.safetensors');
    expect(info.stdout).toContain('Classifies nodes of type "paper" by "label" (blue, red)');
    expect(info.stdout).toContain('Relations   paper paper-venue venue, author writes paper');
    expect(info.stdout).toContain('Attributes  author: town');
    const predicted = gossamer('predict', 'm.safetensors', 'later', '-o', 'later.csv');
    expect([predicted.status, predicted.stderr]).toEqual([0, '']);
    const { columns, rows } = readCsv(readFileSync(join(folder, 'later.csv'), 'utf8'));
    expect(columns).toEqual(['paper', 'label', 'probability', 'p(blue)', 'p(red)']);
    expect(rows.slice(120).map(([node, label]) => [node, label])).toEqual([
      ['p120', 'blue'],
      ['p121', 'red'],
      ['p122', 'blue'],
      ['p123', 'red'],
    ]);
    const json = gossamer(
      'fit',
      'library',
      ...quick,
      '--set',
      'labels=yes',
      '--set',
      'consistency=yes',
      '--json',
      '-o',
      'n.safetensors',
    );
    expect(JSON.parse(json.stdout)).toMatchObject({ data: 'library', model: 'n.safetensors' });
    expect(gossamer('predict', 'n.safetensors', 'later').stdout).toContain('\np123,red,');
    expect(gossamer('info', 'n.safetensors').stdout).toContain('classes travel along relations');
  }, 120_000);

  test('any number of labels a node', () => {
    const fitted = gossamer(
      'fit',
      'library',
      ...quick,
      '--target',
      'paper.topics',
      '--task',
      'labels',
      '-o',
      't.safetensors',
    );
    expect(fitted.stdout).toContain('2 labels of "paper.topics"');
    const { rows } = readCsv(gossamer('predict', 't.safetensors', 'library').stdout);
    expect(rows.filter(([, topics]) => topics === 'x;y').length).toBeGreaterThan(30);
    const refused = gossamer('fit', 'library', '--target', 'topics', '--task', 'labels', '--set', 'labels=yes');
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringContaining('labels=yes is for one class a node'),
    ]);
  }, 60_000);

  test('gossamer info shows types and relations', () => {
    const { stdout } = gossamer('info', 'library');
    expect(stdout).toContain('library: 156 nodes of 3 types, 360 edges in 2 relations');
    expect(stdout).toContain('classes     blue (30), red (60), unknown (30)');
    expect(stdout).toMatch(/relation {4}author writes paper: 240 edges; 2 … 2, mean 2 of paper/);
  });

  test.each([
    [
      'a relation that names a missing node',
      { 'edges_writes.csv': 'author,paper\n1,p1\n99,p2\n' },
      '"edges_writes.csv", line 3: "99" is no author of "nodes_author.csv"',
    ],
    [
      'a relation that is given twice',
      {
        'edges_by.csv': `paper,author\n${lines(240, (e) => `p${e % 120},${authorOf(e, 120)}`)}\n`,
      },
      'holds the edges of "by" reversed; leave one out, as reverses are made',
    ],
    [
      'no relation of the type',
      { 'edges_writes.csv': 'source,target\na,b\n', 'edges_paper_venue.tsv': 'u\tv\nx\ty\n' },
      'edges_',
    ],
    [
      'labels of two types',
      { 'nodes_author.csv': `id,label\n${lines(30, (v) => `${v},${v % 2 ? 'a' : 'b'}`)}\n` },
      'choose by --target author.label',
    ],
    [
      'one class alone',
      { 'nodes_paper.csv': `id,label\n${lines(120, (v) => `p${v},red`)}\n` },
      'names 1 classes; learning takes two',
    ],
  ])('refuses %s in one line, with exit code 2', (name, files, message) => {
    const own = name.replace(/ /g, '-');
    write(own, { ...library(), ...files });
    const { status, stdout, stderr } = gossamer('fit', own, '-o', `${own}.safetensors`);
    expect(stderr).toContain(message);
    expect([status, stdout]).toEqual([2, '']);
    expect(existsSync(join(folder, `${own}.safetensors`))).toBe(false);
  });

  test('refuses a folder without edges, and a graph whose relation the model lacks', () => {
    write('bare', { 'nodes_paper.csv': library()['nodes_paper.csv'] as string });
    const bare = gossamer('fit', 'bare');
    expect([bare.status, bare.stderr]).toEqual([2, expect.stringContaining('holds no table of edges')]);
    const { 'edges_paper_venue.tsv': _, ...rest } = library();
    write('part', rest);
    const part = gossamer('predict', 'm.safetensors', 'part');
    expect([part.status, part.stderr]).toEqual([
      2,
      expect.stringContaining('has no relation "paper-venue" from paper to venue'),
    ]);
    const shares = gossamer('fit', 'library', '--set', 'train=0.9', '--set', 'validation=0.2');
    expect([shares.status, shares.stderr]).toEqual([2, expect.stringContaining('shares of more than all nodes')]);
  });

  test('Ctrl-C keeps a checkpoint, and --resume goes on from it', async () => {
    const { spawn } = await import('node:child_process');
    const args = ['fit', 'library', '--set', 'epochs=4000', '--set', 'patience=4000', '-o', 'r.safetensors'];
    const child = spawn(process.execPath, [main, ...args], { cwd: folder });
    const kept = join(folder, 'r.safetensors.checkpoint');
    while (!existsSync(kept)) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(code).toBe(130);
    expect(existsSync(join(folder, 'r.safetensors'))).toBe(false);
    const resumed = gossamer(...args.map((own) => own.replace('4000', '60')), '--resume');
    expect([resumed.status, existsSync(join(folder, 'r.safetensors')), existsSync(kept)]).toEqual([0, true, false]);
  }, 60_000);
});
