import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { heteroGraphFromArrays, requireRelations, targetNodes, writeNpz } from '../../src/data/index.js';
import { hasHeteroGraph, hasTypedTables, loadHeteroGraph } from '../../src/data/node.js';
import { SparseMatrix } from '../../src/sparse/index.js';

let made = 0;
const root = mkdtempSync(join(tmpdir(), 'gossamer-hetero-'));
function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(root, `graph${made++}`);
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const papers = 'id,label,words,venue\np1,red,3,A\np2,blue,1,B\np3,,2,A\n';
const authors = 'id,age\n7,30\n8,41\n';
const writes = 'author,paper\n7,p1\n7,p2\n8,p2\n';

/** Relations and their pairs of names. */
async function pairsIn(folder: string): Promise<Record<string, string[]>> {
  const { graph, nodes } = await loadHeteroGraph(folder);
  return Object.fromEntries(
    graph.given.map(({ key, source, target, pattern, isSymmetric }) => {
      const nameOf = (type: string, v: number) => nodes.get(type)?.nodeNames[v] as string;
      const pairs: string[] = [];
      for (let v = 0; v < pattern.rows; v++)
        for (let e = pattern.indptr[v] as number; e < (pattern.indptr[v + 1] as number); e++) {
          const u = pattern.indices[e] as number;
          if (!isSymmetric || u <= v) pairs.push(`${nameOf(source, u)} ${nameOf(target, v)}`);
        }
      return [key, pairs.sort()];
    }),
  );
}

describe('folders of typed tables', () => {
  test('a table for each type and relation; columns of ids by their types', async () => {
    const folder = folderOf({
      'nodes_paper.csv': papers,
      'nodes_author.csv': authors,
      'edges_writes.csv': writes,
      'edges_paper_cites_paper.tsv': 'source\ttarget\np1\tp3\n',
      'edges_paper_topic.csv.gz': gzipSync('source,target\np1,graphs\np3,graphs\n'),
      'readme.md': 'no table',
    });
    expect(hasTypedTables(folder)).toBe(true);
    const data = await loadHeteroGraph(folder);
    expect(data.graph.types.map((type) => [type, data.graph.countOf(type)])).toEqual([
      ['author', 2],
      ['paper', 3],
      ['topic', 1],
    ]);
    expect(await pairsIn(folder)).toEqual({
      'paper cites paper': ['p1 p3'],
      'paper paper-topic topic': ['p1 graphs', 'p3 graphs'],
      'author writes paper': ['7 p1', '7 p2', '8 p2'],
    });
    const { attributes, nodeNames } = data.nodes.get('paper') ?? expect.unreachable();
    expect(nodeNames).toEqual(['p1', 'p2', 'p3']);
    expect(attributes.columns.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
      'label: category',
      'words: number',
      'venue: category',
    ]);
    expect(data.nodes.get('topic')?.attributes.columns).toEqual([]);
  });

  test('one table with a column of types each; attributes of other types are left out', async () => {
    const folder = folderOf({
      'nodes.csv':
        'id,type,label,words,age\np1,paper,red,3,\np2,paper,blue,1,\np3,paper,,2,\n7,author,,,30\n8,author,,,41\n',
      'edges.csv': 'source,target,type\n7,p1,writes\n7,p2,writes\n8,p2,reviews\np1,p3,cites\n',
    });
    expect(hasTypedTables(folder)).toBe(false);
    expect(await pairsIn(folder)).toEqual({
      'author writes paper': ['7 p1', '7 p2'],
      'author reviews paper': ['8 p2'],
      'paper cites paper': ['p1 p3'],
    });
    const { nodes } = await loadHeteroGraph(folder);
    expect(nodes.get('author')?.attributes.columns.map(({ name }) => name)).toEqual(['age']);
    expect(nodes.get('paper')?.attributes.columns.map(({ name }) => name)).toEqual(['label', 'words']);
  });

  test('types of ends from the names of nodes, where nothing else tells them', async () => {
    const both = { 'nodes_paper.csv': papers, 'nodes_author.csv': authors };
    const folder = folderOf({ ...both, 'edges_written_by.csv': 'from,to\np1,7\np2,8\n' });
    expect(Object.keys(await pairsIn(folder))).toEqual(['paper written_by author']);
    const shared = folderOf({ ...both, 'nodes_author.csv': 'id\np1\n', 'edges_made.csv': 'source,target\np1,p2\n' });
    await expect(loadHeteroGraph(shared)).rejects.toThrow(
      '"edges_made.csv", line 2: "p1" is a node of type author and of type paper; name the two columns of ids by their types',
    );
  });

  test('names of types with hyphens or underscores', async () => {
    const folder = folderOf({
      'nodes_co_author.csv': 'id\n1\n',
      'nodes_paper.csv': papers,
      'edges_co_author_writes_paper.csv': 'source,target\n1,p1\n',
      'edges_co_author-paper.csv': 'source,target\n1,p2\n',
    });
    expect(Object.keys(await pairsIn(folder))).toEqual(['co_author co_author-paper paper', 'co_author writes paper']);
  });

  test.each([
    [
      'a missing node',
      { 'edges_writes.csv': 'author,paper\n7,p1\n9,p2\n' },
      '"edges_writes.csv", line 3: "9" is no author of "nodes_author.csv"',
    ],
    [
      'an end of no type',
      { 'edges_by.csv': 'source,target\np1,x\n' },
      '"edges_by.csv", line 2: "x" is no node of a table of nodes',
    ],
    ['an empty end', { 'edges_writes.csv': 'author,paper\n7,\n' }, 'line 2: an end of the edge is missing'],
    [
      'the reverse of a relation',
      { 'edges_writes.csv': writes, 'edges_by.csv': 'paper,author\np1,7\np2,7\np2,8\n' },
      'holds the edges of "by" reversed',
    ],
    [
      'columns that name no ends',
      { 'edges_writes.csv': 'x,y,z\n1,2,3\n' },
      'the types of both ends (author, paper), got x, y, z',
    ],
    [
      'a node that stands twice',
      { 'nodes_author.csv': 'id\n7\n7\n', 'edges_writes.csv': writes },
      '"nodes_author.csv": author "7" stands twice',
    ],
    [
      'no column id',
      { 'nodes_author.csv': 'name\n7\n', 'edges_writes.csv': writes },
      '"nodes_author.csv" has no column "id", only name',
    ],
    [
      'a type in two tables',
      { 'nodes-author.csv': authors, 'edges_writes.csv': writes },
      'nodes of type "author" are in two tables',
    ],
    ['no edges at all', {}, 'holds no table of edges, such as edges_author_paper.csv'],
    ['a header alone', { 'edges_writes.csv': 'author,paper\n' }, 'has a header and no rows'],
  ])('refuses %s, naming file and line', async (_, files, message) => {
    const folder = folderOf({ 'nodes_paper.csv': papers, 'nodes_author.csv': authors, ...files });
    await expect(loadHeteroGraph(folder)).rejects.toThrow(message);
  });

  test('the type that is learnt: the one with labels, or the one that is named', async () => {
    const edges = { 'edges_writes.csv': writes };
    const one = await loadHeteroGraph(folderOf({ 'nodes_paper.csv': papers, 'nodes_author.csv': authors, ...edges }));
    expect(targetNodes(one)).toEqual({ type: 'paper', column: undefined });
    expect(targetNodes(one, 'venue')).toEqual({ type: 'paper', column: 'venue' });
    expect(targetNodes(one, 'author.age')).toEqual({ type: 'author', column: 'age' });
    expect(() => targetNodes(one, 'topic.x')).toThrow('no nodes of type "topic", only of author, paper');
    expect(() => targetNodes(one, 'paper.age')).toThrow(
      'nodes of type "paper" have no attribute "age"; name one by --target type.attribute: author.age, paper.label',
    );
    const labelled = 'id,label\n7,a\n8,b\n';
    const two = await loadHeteroGraph(folderOf({ 'nodes_paper.csv': papers, 'nodes_author.csv': labelled, ...edges }));
    expect(() => targetNodes(two)).toThrow(
      'types author, paper have an attribute "label" or "class"; choose by --target author.label',
    );
    expect(() => requireRelations(one, 'paper')).not.toThrow();
    const apart = await loadHeteroGraph(folderOf({ 'nodes_paper.csv': papers, 'edges_a_b.csv': 'a,b\n1,2\n' }));
    expect(() => requireRelations(apart, 'paper')).toThrow(
      'nodes of type "paper" are in no relation; "a a-b b" are between others',
    );
  });
});

const ints = (...values: number[]) => ({ shape: [values.length], values: Int32Array.from(values) });
const pairs = (...values: number[]) => ({ shape: [values.length / 2, 2], values: Int32Array.from(values) });
const matrix = (rows: number, ...values: number[]) => ({
  shape: [rows, values.length / rows],
  values: Float32Array.from(values),
});

describe('archives', () => {
  const arrays = {
    labels: ints(0, 1, -1),
    x_paper: matrix(3, 1, 0, 0, 2, 3, 0),
    author_paper: pairs(0, 0, 1, 1, 1, 2),
    paper_cites_paper: pairs(0, 1),
    train_20: ints(0),
    val_20: ints(1),
    test_20: ints(),
  };

  test('relations, features, labels and one of several splits', () => {
    const { graph, nodes } = heteroGraphFromArrays(arrays, 'mine', { split: '20' });
    expect(graph.given.map(({ key }) => key)).toEqual(['author author-paper paper', 'paper cites paper']);
    expect([graph.countOf('author'), graph.countOf('paper')]).toEqual([2, 3]);
    const paper = nodes.get('paper') ?? expect.unreachable();
    expect(paper.attributes.columns.map(({ values }) => [...values])).toEqual([
      ['0', '1', undefined],
      ['train', 'validation', undefined],
    ]);
    expect(paper.matrix).toBeDefined();
    expect(nodes.get('author')?.matrix).toBeUndefined();
    const plain = heteroGraphFromArrays(arrays, 'mine').nodes.get('paper');
    expect(plain?.attributes.columns.map(({ name }) => name)).toEqual(['label']);
  });

  test('numbers of nodes are stated, or follow from features, labels or edges', () => {
    const { graph } = heteroGraphFromArrays({ ...arrays, num_author: ints(5) }, 'mine');
    expect(graph.countOf('author')).toBe(5);
  });

  test.each([
    [
      'labels of an open type',
      { x_paper: undefined },
      'the type of the nodes with labels is open; call the array labels_<type>, of author, paper',
    ],
    ['labels that do not fit', { labels: undefined, labels_paper: ints(0, 1) }, '2 labels for 3 nodes of type "paper"'],
    [
      'an edge of a missing node',
      { author_paper: pairs(0, 3) },
      'relation "author-paper": edge 0 names paper 3, outside 0…2',
    ],
    [
      'a relation of PyTorch Geometric',
      { author_paper: { shape: [2, 3], values: new Int32Array(6) } },
      'author_paper is [2, 3]',
    ],
    ['no relation', { author_paper: undefined, paper_cites_paper: undefined }, 'no array is a relation'],
    ['a name of four parts', { a_b_c_d: pairs(0, 1) }, 'array "a_b_c_d" is called neither'],
    ['half a split', { val_20: undefined }, 'of train_20, val_20 and test_20 one is missing'],
    ['a split of missing nodes', { test_20: ints(3) }, 'the split names node 3 of 3'],
  ])('refuses %s', (_, changes, message) => {
    const changed = Object.fromEntries(
      Object.entries({ ...arrays, ...changes }).filter(([, array]) => array !== undefined),
    ) as typeof arrays;
    expect(() => heteroGraphFromArrays(changed, 'mine', { split: '20' })).toThrow(message);
  });

  test('a file', async () => {
    const path = join(root, 'mine.npz');
    writeFileSync(path, writeNpz(arrays));
    const { name, graph } = await loadHeteroGraph(path);
    expect([name, graph.edgeCount]).toEqual(['mine', 4]);
    const text = join(root, 'x.txt');
    writeFileSync(text, 'x');
    await expect(loadHeteroGraph(text)).rejects.toThrow(
      'neither a folder of tables of nodes and edges nor a .npz archive',
    );
    await expect(loadHeteroGraph('acm-61')).rejects.toThrow('known heterogeneous graph (acm-20, acm-40');
  });
});

describe.skipIf(!hasHeteroGraph('acm-60'))('known sets have their published counts (needs GOSSAMER_DATA)', () => {
  test.each([
    ['acm-60', { paper: 4019, author: 7167, subject: 60 }, 17_426, 'paper', [1902, 340_377], [180, 1000, 1000]],
    ['acm-20', { paper: 4019, author: 7167, subject: 60 }, 17_426, 'paper', [1902, 340_377], [60, 1000, 1000]],
    [
      'dblp-20',
      { paper: 14_328, author: 4057, conf: 20, term: 7723 },
      119_783,
      'author',
      [334, 48_810],
      [80, 1000, 1000],
    ],
    ['imdb', { movie: 4278, director: 2081, actor: 5257 }, 17_106, 'movie', [3066, 27_175], [400, 400, 3478]],
  ] as const)('%s', async (name, counts, edges, type, [columns, nnz], parts) => {
    const data = await loadHeteroGraph(name);
    expect(Object.fromEntries(data.graph.types.map((own) => [own, data.graph.countOf(own)]))).toEqual(counts);
    expect(data.graph.edgeCount).toBe(edges);
    expect(targetNodes(data).type).toBe(type);
    const { matrix: features, attributes } = data.nodes.get(type) ?? expect.unreachable();
    expect(features instanceof SparseMatrix && [features.columns, features.nnz]).toEqual([columns, nnz]);
    const split = attributes.columns[1]?.values as readonly string[];
    expect(['train', 'validation', 'test'].map((part) => split.filter((own) => own === part).length)).toEqual(parts);
  });
});
