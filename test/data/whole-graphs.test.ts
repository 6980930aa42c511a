import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  encodeColumns,
  encodedWidth,
  encodingOf,
  type WholeGraphTables,
  wholeGraphsFromArrays,
  wholeGraphsFromTables,
  writeNpz,
} from '../../src/data/index.js';
import { hasDataset, loadWholeGraphs } from '../../src/data/node.js';

const tables: WholeGraphTables = {
  graphs: 'graph,label,split,weight\nwater,polar,train,18\nmethane,not,validation,16\nammonia,polar,test,17\n',
  nodes:
    'graph,node,element,charge\nwater,o,O,0\nwater,h1,H,0\nwater,h2,H,0\nammonia,n,N,0.5\nmethane,c,C,0\nammonia,h,H,-0.5\n',
  edges: 'graph,source,target,bond,length\nwater,o,h1,single,0.9\nammonia,n,h,single,1\nwater,h2,o,weak,1.1\n',
};
const read = (changes: Partial<WholeGraphTables> = {}) => wholeGraphsFromTables({ ...tables, ...changes }, 'mine');

describe('a set of graphs from tables', () => {
  test('has its graphs in the order of their table, nodes and edges by graph', () => {
    const { graphs, graphNames, nodeNames, labels, classNames, targets, split } = read();
    expect(graphNames).toEqual(['water', 'methane', 'ammonia']);
    expect(nodeNames).toEqual(['o', 'h1', 'h2', 'c', 'n', 'h']);
    expect(Array.from(graphs.nodes.offsets)).toEqual([0, 3, 4, 6]);
    expect(Array.from(graphs.edges.offsets)).toEqual([0, 2, 2, 3]);
    expect([Array.from(graphs.sources), Array.from(graphs.targets)]).toEqual([
      [0, 2, 4],
      [1, 0, 5],
    ]);
    expect([Array.from(labels), classNames]).toEqual([
      [1, 0, 1],
      ['not', 'polar'],
    ]);
    expect(targets.map(({ name, values }) => [name, ...values])).toEqual([['weight', 18, 16, 17]]);
    expect(Array.from(split?.test ?? [])).toEqual([2]);
  });

  test('has attributes of nodes and edges, numbers and categories', () => {
    const { nodeColumns, edgeColumns } = read();
    expect(nodeColumns.map(({ name, kind, values }) => [name, kind, Array.from<unknown>(values)])).toEqual([
      ['element', 'category', ['O', 'H', 'H', 'C', 'N', 'H']],
      ['charge', 'number', [0, 0, 0, 0, 0.5, -0.5]],
    ]);
    expect(edgeColumns.map(({ name, values }) => [name, ...Array.from<unknown>(values)])).toEqual([
      ['bond', 'single', 'weak', 'single'],
      ['length', 0.9, 1.1, 1],
    ]);
  });

  test('needs no tables of nodes or graphs, and takes an edge in both directions', () => {
    const { graphs, nodeNames, labels } = wholeGraphsFromTables(
      { edges: 'graph,from,to,w\nb,x,y,1\na,p,q,2\nb,y,x,1\n' },
      'mine',
    );
    expect(Array.from(graphs.edges.offsets)).toEqual([0, 1, 2]);
    expect(nodeNames).toEqual(['x', 'y', 'p', 'q']);
    expect(Array.from(labels)).toEqual([-1, -1]);
  });

  test.each<[Partial<WholeGraphTables>, string]>([
    [
      { edges: 'graph,source,target\nwater,o,o\n' },
      'edges, line 2: the edge joins node "o" of graph "water" with itself',
    ],
    [{ edges: 'graph,source,target\nwater,o,h9\n' }, 'edges, line 2: "h9" is no node of graph "water"'],
    [{ edges: 'graph,source,target\nfire,o,h1\n' }, 'edges, line 2: graph "fire" is not in the table of graphs'],
    [{ edges: 'graph,a,b\nwater,o,h1\n' }, 'edges: there is no column "source", only graph, a, b'],
    [
      { edges: 'graph,source,target,w\nwater,o,h1,1\nwater,h1,o,2\n' },
      'edges, line 3: the edge is that of line 2, with other attributes',
    ],
    [{ edges: 'graph,source,target,w\nwater,o,h1,1\nwater,o,h2,\n' }, 'edges, line 3: "w" is missing'],
    [{ nodes: 'graph,node\nwater,o\nwater,o\n' }, 'nodes, line 3: node "o" of graph "water" is named twice'],
    [{ nodes: 'graph,node\nwater,o\nwater,h1\nwater,h2\nammonia,n\nammonia,h\n' }, 'graph "methane" has no nodes'],
    [{ graphs: 'graph,label\nwater,x\nwater,y\n' }, 'graphs, line 3: graph "water" is named twice'],
    [{ graphs: 'name,label\nwater,x\n' }, 'graphs: there is no column "graph"'],
    [
      { graphs: 'graph,label,split\nwater,x,maybe\nmethane,,\nammonia,,\n' },
      'graphs, line 2: split "maybe" is none of',
    ],
  ])('names what is wrong: %o', (changes, message) => {
    expect(() => read(changes)).toThrow(message);
  });
});

describe('columns as features', () => {
  const { nodeColumns } = read();
  const encoding = encodingOf(nodeColumns);

  test('are one-hot, and standardised', () => {
    expect(encodedWidth(encoding)).toBe(5);
    const deviation = Math.sqrt(0.5 / 6);
    const rows = encodeColumns(nodeColumns, encoding, 6, 'nodes').view();
    const row = (r: number) => Array.from(rows.subarray(5 * r, 5 * r + 5), (value) => Number(value.toFixed(4)));
    // Categories in order: C, H, N, O.
    expect(row(0)).toEqual([0, 0, 0, 1, 0]);
    expect(row(4)).toEqual([0, 0, 1, 0, Number((0.5 / deviation).toFixed(4))]);
  });

  test('of other data are encoded alike, or refused by name', () => {
    const other = (element: string, charge = 0.5) => [
      { name: 'charge', kind: 'number' as const, values: Float64Array.of(charge) },
      { name: 'element', kind: 'category' as const, values: [element] },
    ];
    const row = Array.from(encodeColumns(other('O'), encoding, 1, 'nodes').view());
    expect(row.slice(0, 4)).toEqual([0, 0, 0, 1]);
    expect(() => encodeColumns(other('Xe'), encoding, 1, 'nodes of "new"')).toThrow(
      'nodes of "new": column "element" holds "Xe" in row 1, which training did not know (it knew C, H, N, O)',
    );
    expect(() => encodeColumns(other('O').slice(1), encoding, 1, 'nodes')).toThrow('nodes have no column "charge"');
  });
});

describe('a set of graphs from arrays', () => {
  const ints = (shape: number[], ...values: number[]) => ({ shape, values: Int32Array.from(values) });
  const arrays = {
    node_ptr: ints([3], 0, 2, 5),
    edge_ptr: ints([3], 0, 1, 3),
    edges: ints([3, 2], 0, 1, 0, 1, 1, 2),
    node_label: ints([5], 3, 3, 3, 0, 3),
    bond: ints([3, 2], 1, 0, 4, 1, 2, 0),
    graph_label: ints([2], 1, 0),
    fold: ints([2], 0, -1),
  };

  test('numbers nodes over all graphs and names the categories', () => {
    const { graphs, nodeColumns, edgeColumns, labels, folds } = wholeGraphsFromArrays(arrays, 'mine');
    expect(Array.from(graphs.targets)).toEqual([1, 3, 4]);
    expect(nodeColumns[0]?.values).toEqual(['3', '3', '3', '0', '3']);
    expect(edgeColumns[0]?.values).toEqual(['single', 'aromatic', 'double']);
    expect([Array.from(labels), Array.from(folds ?? [])]).toEqual([
      [1, 0],
      [0, -1],
    ]);
    const same = { ...arrays, node_label: ints([5], 0, 0, 0, 0, 0) };
    expect(wholeGraphsFromArrays(same, 'mine').nodeColumns).toEqual([]);
  });

  test('names an array that does not fit', () => {
    expect(() => wholeGraphsFromArrays({ ...arrays, edges: ints([6], 0, 1, 0, 1, 1, 2) }, 'mine')).toThrow(
      'edges is [6], expected [3, 2]',
    );
    const { edges: _, ...rest } = arrays;
    expect(() => wholeGraphsFromArrays(rest, 'mine')).toThrow('array "edges" is missing');
    expect(() => wholeGraphsFromArrays({ ...arrays, edges: ints([3, 2], 0, 1, 0, 1, 1, 3) }, 'mine')).toThrow(
      'outside 2…4',
    );
  });

  test('and from files: an archive, a folder, or neither', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gossamer-graphs-'));
    const archive = join(folder, 'set.npz');
    writeFileSync(archive, writeNpz(arrays));
    expect(loadWholeGraphs(archive).graphs.count).toBe(2);
    const own = join(folder, 'mine');
    mkdirSync(own);
    expect(() => loadWholeGraphs(own)).toThrow('holds no edges.csv');
    for (const [name, text] of Object.entries(tables)) writeFileSync(join(own, `${name}.csv`), text as string);
    expect(loadWholeGraphs(own).graphNames[1]).toBe('methane');
    writeFileSync(join(folder, 'x.txt'), 'x');
    expect(() => loadWholeGraphs(join(folder, 'x.txt'))).toThrow('is no set of graphs');
  });
});

test.skipIf(!hasDataset('mutag', 'whole-graphs'))('MUTAG has ten folds; eight graphs are in none', () => {
  const { folds, graphs } = loadWholeGraphs('mutag');
  const sizes = Array.from({ length: 10 }, (_, f) => folds?.filter((fold) => fold === f).length);
  expect(sizes).toEqual(new Array(10).fill(18));
  expect(graphs.meanEdges).toBeCloseTo(19.79, 2);
});
