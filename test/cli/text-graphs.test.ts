import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-text-graphs-'));

const gossamer = commandIn(folder);

const write = (name: string, files: Readonly<Record<string, string>>) => {
  mkdirSync(join(folder, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
};
const words = ['red shoe', 'blue shoe', 'green hat', 'warm hat', 'red sock', 'wool sock'];
const nodes = Array.from(
  { length: 24 },
  (_, v) => `n${v},${words[v % 6]} and ${words[(v + 1) % 6]},about ${words[v % 6]}`,
);
const edges = Array.from({ length: 24 }, (_, v) => `n${v},n${(v + 6) % 24}`);
write('shop', {
  'nodes.csv': `id,text,summary\n${nodes.join('\n')}\n`,
  'edges.csv': `source,target\n${edges.join('\n')}\n`,
});
write('halves', {
  'nodes.csv': 'id,text,year\na,one two three four,1999\nb,five six seven,2000\nc,eight nine,2001\n',
  'edges.csv': 'source,target\na,b\n',
});
write('bad', { 'nodes.csv': 'id,text\na,one\n', 'edges.csv': 'source,target\na,zz\n' });
write('.', { 'classes.csv': 'name\nshoe\nhat\n', 'one.csv': 'name\nshoe\n', 'table.csv': 'x,y\n1,a\n2,b\n' });

describe.skipIf(!existsSync(main))('gossamer on graphs of texts (needs a build)', () => {
  test('fit of several folders, info and predict', () => {
    const fitted = gossamer(
      'fit',
      'shop',
      'halves',
      '--model',
      'h4g',
      '--set',
      'epochs=2',
      '--set',
      'textFeatures=16',
      '-o',
      'm',
    );
    expect([fitted.status, fitted.stdout]).toEqual([
      0,
      expect.stringMatching(/shop: 24 nodes with texts, 24 edges\nhalves: 3 nodes[^\n]*\n24 pairs of nodes and texts/),
    ]);
    expect(fitted.stderr).toContain(
      'no column "summary" in halves: the first half of each text is paired with the second',
    );
    expect(fitted.stderr).toContain('columns of "halves" that are not read: year');
    expect(gossamer('info', 'm').stdout).toContain('trained on shop (24 nodes, 24 edges), halves (3 nodes, 1 edges)');
    const { status, stdout } = gossamer('predict', 'm', 'shop', '--classes', 'classes.csv', '--threshold', '0');
    const rows = stdout.trim().split('\n');
    expect([status, rows.length, rows[0]?.trim()]).toEqual([0, 25, 'node,prediction,probability,distance,radius']);
    const unknown = gossamer('predict', 'm', 'shop', '--classes', 'classes.csv', '--threshold', '1');
    expect(unknown.stderr).toContain('24 of 24 nodes are unknown');
    expect(unknown.stdout.match(/,unknown,/g)?.length).toBe(24);
  });

  test('what does not fit is refused, with what to do', () => {
    const cases: [args: string[], reason: string][] = [
      [['fit', 'bad', '--model', 'h4g'], 'edges, line 2: "zz" is no node of the table of nodes'],
      [['fit', 'table.csv', '--model', 'h4g'], '"table.csv" is no folder with nodes.csv (id,text) and edges.csv'],
      [['fit', 'shop', '--model', 'h4g', '--target', 'label'], 'give them to gossamer predict by --classes'],
      [['fit', 'shop', '--model', 'h4g', '--directed'], 'h4g reads edges in both directions'],
      [['fit', 'shop', '--model', 'h4g', '--set', 'block=7'], 'blocks of 7 rows do not divide 256 features'],
      [['fit', 'shop', '--model', 'h4g', '--encoder', 'none.onnx'], 'file "none.onnx" does not exist'],
      [['fit', 'shop', 'halves', '--model', 'gcn'], 'fit learns from "shop" alone, got halves too'],
      [
        ['fit', 'shop', '--model', 'gcn', '--encoder', 'x.onnx'],
        '--encoder is for models that encode texts: h4g, hyperpave',
      ],
      [['predict', 'm', 'shop'], 'need the classes to choose from: --classes FILE'],
      [['predict', 'm', 'shop', '--classes', 'one.csv'], 'holds 1 classes; at least two are needed'],
      [['predict', 'm', 'shop', '--classes', 'classes.csv', '--threshold', '2'], 'a probability from 0 to 1, got 2'],
      [
        ['predict', 'm', 'shop', '--classes', 'classes.csv', '--encoder', 'none.onnx'],
        'file "none.onnx" does not exist',
      ],
    ];
    for (const [args, reason] of cases) {
      const { status, stderr } = gossamer(...args);
      expect([args.join(' '), status, stderr]).toEqual([args.join(' '), 2, expect.stringContaining(reason)]);
    }
  }, 60_000);

  test('a graph of texts is shown by info', () => {
    expect(gossamer('info', 'halves').stdout).toContain('summaries   none: texts are halved');
  });
});
