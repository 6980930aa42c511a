import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadHypergraph } from '../../src/data/node.js';

const nodes = 'id,label,split,age,size\nann,x,train,30,1\nbob,y,validation,40,2\ncid,x,test,50,3\n';
const folderOf = (files: Readonly<Record<string, string>>) => {
  const folder = mkdtempSync(join(tmpdir(), 'gossamer-hypergraph-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
};
const load = (hyperedges: string) => loadHypergraph(folderOf({ 'nodes.csv': nodes, 'hyperedges.csv': hyperedges }));

test('a folder of nodes and weighted hyperedges', () => {
  const data = load('hyperedge,node,weight\nh,ann,2\nh,cid,2\nk,bob,0.5\n');
  expect(data.hypergraph.hyperedges().map(String)).toEqual(['0,2', '1']);
  expect([...data.hypergraph.weights]).toEqual([2, 0.5]);
  expect(data).toMatchObject({
    vertexNames: ['ann', 'bob', 'cid'],
    featureNames: ['age', 'size'],
    classNames: ['x', 'y'],
    split: { train: Int32Array.of(0), validation: Int32Array.of(1), test: Int32Array.of(2) },
  });
});

test('a folder of nodes and edges is read as edges and neighbourhoods', () => {
  const data = loadHypergraph(folderOf({ 'nodes.csv': nodes, 'edges.csv': 'source,target\nann,bob\nbob,cid\n' }));
  expect(new Set(data.hypergraph.hyperedges().map(String))).toEqual(new Set(['0,1', '1,2', '0,1,2']));
  expect(data.pairs?.hyperedges().map(String)).toEqual(['0,1', '1,2']);
});

test('a folder of nodes without features', () => {
  const folder = folderOf({ 'nodes.csv': 'id,label\nann,x\nbob,y\n', 'hyperedges.tsv': 'edge\tvertex\nh\tann\n' });
  expect(loadHypergraph(folder).features).toBeUndefined();
});

test.each([
  ['hyperedge,who\nh,ann', 'the header must name hyperedge and node, got hyperedge, who'],
  ['hyperedge,node\nh,eve', 'line 2: "eve" is no node'],
  ['hyperedge,node\nh,ann\nh,ann', 'line 3: "ann" is in hyperedge "h" twice'],
  ['hyperedge,node,weight\nh,ann,0', 'line 2: weight "0" is no positive number'],
  ['hyperedge,node,weight\nh,ann,1\nh,bob,2', 'line 3: hyperedge "h" has two weights'],
])('refused: %s', (hyperedges, message) => {
  expect(() => load(hyperedges)).toThrow(message);
});

test('edges of nodes that are not in the table', () => {
  const read = (edges: string) => () => loadHypergraph(folderOf({ 'nodes.csv': nodes, 'edges.csv': edges }));
  expect(read('source,target\nann,eve')).toThrow('edges, line 2: "eve" is no node');
  expect(read('one,other\nann,bob')).toThrow(
    'the header must name source and target (also from and to, …), got one, other',
  );
  expect(() => loadHypergraph(folderOf({ 'nodes.csv': nodes }))).toThrow('no nodes.csv with edges.csv');
});
