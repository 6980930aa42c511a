// Files of graphs as NetworkX 3.6 and SciPy 1.17 write them, and as the formats' own documents show
// them.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import {
  type GraphDocument,
  graphOfEdges,
  graphProfileLines,
  type NamedGraph,
  readGraph,
  readNpy,
  writeGraphML,
  writeNodeLink,
} from '../../src/data/index.js';
import { loadEdgeGraph, loadEdges, loadNamedGraph, loadShownGraph } from '../../src/data/node.js';
import type { Tensor } from '../../src/tensor/index.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string, name: string) => readGraph(bytes(text), name);
const folder = mkdtempSync(join(tmpdir(), 'gossamer-documents-'));
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** What a document says, in short: its nodes by name, and its edges as texts. */
function summary({ directed, nodes, sources, targets, weights }: GraphDocument) {
  const id = (v: number) => nodes.rows[v]?.[0];
  return {
    directed,
    nodes: nodes.rows.map((row) => row.join(' ')),
    edges: Array.from(sources, (s, e) => `${id(s)}-${id(targets[e] as number)}${weights ? ` ${weights[e]}` : ''}`),
  };
}

const graphml = `<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
  <key id="d2" for="edge" attr.name="weight" attr.type="double" />
  <key id="d1" for="node" attr.name="label" attr.type="string" />
  <key id="d0" for="node" attr.name="age" attr.type="long"><default>50</default></key>
  <key id="d9" for="node" yfiles.type="nodegraphics"><default>7</default></key>
  <graph edgedefault="undirected">
    <edge source="ann" target="bob &lt;x&gt;"><data key="d2">2.5</data></edge>
    <node id="ann"><data key="d0">30</data><data key="d1">b</data><data key="d9"><y:Shape>1</y:Shape></data></node>
    <node id="bob &lt;x&gt;"><data key="d0">40</data><data key="d1">a</data></node>
    <node id="cy"/>
    <edge source="bob &lt;x&gt;" target="cy"><data key="d2">1.0</data></edge>
  </graph>
</graphml>`;
const gml = `Creator "me"
graph [
  # a comment
  directed 0
  node [ id 0 label "ann" age 30 graphics [ x 1.5 y 2 ] ]
  node [
    id 1
    label "bob &#60;x&gt;"
    age 40
  ]
  node [ id 2 label "cy" age 50 ]
  edge [ source 0 target 1 weight 2.5 ]
  edge [ source 1 target 2 ]
]`;
const adjacency = `{"directed": false, "multigraph": false, "graph": [], "nodes": [{"age": 30, "id": "ann"},
 {"age": 40, "id": "bob <x>"}, {"age": 50, "id": "cy"}], "adjacency": [[{"weight": 2.5, "id": "bob <x>"}],
 [{"weight": 2.5, "id": "ann"}, {"weight": 1.0, "id": "cy"}], [{"weight": 1.0, "id": "bob <x>"}]]}`;
const people = {
  directed: false,
  nodes: ['ann 30', 'bob <x> 40', 'cy 50'],
  edges: ['ann-bob <x> 2.5', 'bob <x>-cy 1'],
};

const gexf = `<?xml version='1.0' encoding='utf-8'?>
<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2"><meta lastmodifieddate="2026-11-29"><creator>NetworkX</creator></meta>
  <graph defaultedgetype="directed" mode="static">
    <attributes mode="static" class="node"><attribute id="0" title="age" type="long"><default>50</default></attribute></attributes>
    <nodes>
      <node id="0" label="x"><attvalues><attvalue for="0" value="30" /></attvalues></node>
      <node id="1" label="y"><attvalues><attvalue for="0" value="40" /></attvalues></node>
      <node id="2" label="z"/>
    </nodes>
    <edges><edge source="0" target="1" id="0" weight="2.5" /><edge source="2" target="1" id="1" /></edges>
  </graph>
</gexf>`;

describe('graphs of other programs', () => {
  test('GraphML: attributes with defaults, edges before nodes, drawings left out', () => {
    const { nodes, ...rest } = summary(read(graphml, 'a.graphml'));
    expect({ nodes, ...rest }).toEqual({ ...people, nodes: ['ann 30 b', 'bob <x> 40 a', 'cy 50 '] });
  });

  test.each([
    ['GML', gml, 'a.gml'],
    ['adjacency data', adjacency, 'a.json'],
  ])('%s', (_, text, name) => {
    expect(summary(read(text, name))).toEqual(people);
  });

  test('GEXF: ids are names, labels an attribute', () => {
    const document = read(gexf, 'a.gexf');
    expect(document.nodes.columns).toEqual(['id', 'age', 'name']);
    expect(summary(document)).toEqual({
      directed: true,
      nodes: ['0 30 x', '1 40 y', '2 50 z'],
      edges: ['0-1 2.5', '2-1 1'],
    });
  });

  test('GEXF: edges without a direction, edges both ways, and an edge that says otherwise', () => {
    const undirected = gexf.replace('"directed"', '"undirected"');
    expect(summary(read(undirected, 'a.gexf'))).toMatchObject({ directed: false, edges: ['0-1 2.5', '2-1 1'] });
    const mutual = undirected.replace('<edge source="2"', '<edge type="mutual" source="2"');
    expect(summary(read(mutual, 'a.gexf'))).toMatchObject({
      directed: true,
      edges: ['0-1 2.5', '2-1 1', '1-2 1', '1-0 2.5'],
    });
    expect(() => read(gexf.replace('<edge ', '<edge type="both" '), 'a.gexf')).toThrow('an edge has the type "both"');
  });

  test('GraphML: values that are elements of their own are left out', () => {
    const nested = graphml.replace('<data key="d1">b</data>', '<data key="d1">b<y:Bold>c</y:Bold></data>');
    expect(summary(read(nested, 'a.graphml')).nodes).toEqual(['ann 30 ', 'bob <x> 40 a', 'cy 50 ']);
  });

  test.each([
    [
      'Pajek',
      '*vertices 3\n1 "a b" 0.0 0.0 ellipse\n2 b\n3 c\n*arcs\n1 2 2.5\n3 2 1.0\n',
      'a.net',
      ['a b', 'b', 'c'],
      ['a b-b 2.5', 'c-b 1'],
      true,
    ],
    [
      'Pajek lists',
      '*Network x\r\n*Vertices 3\r\n*Edgeslist\r\n1 2 3\r\n',
      'a.net',
      ['1', '2', '3'],
      ['1-2', '1-3'],
      false,
    ],
    ['Pajek matrix', '*Vertices 2\n*Matrix\n0 3\n0 0\n', 'a.net', ['1', '2'], ['1-2 3'], true],
    [
      'Pajek, both kinds',
      '*Vertices 3\n*Arcs\n1 2\n*Edges\n2 3\n',
      'a.net',
      ['1', '2', '3'],
      ['1-2', '2-3', '3-2'],
      true,
    ],
    ['METIS', '% c\n3 2\n2\n1 3\n2\n', 'a.graph', ['1', '2', '3'], ['1-2', '2-3'], false],
    ['METIS with weights', '2 1 011 1\n7 2 5\n8 1 5\n\n', 'a.metis', ['1 7', '2 8'], ['1-2 5'], false],
    ['METIS, a node alone', '3 1\n2\n1\n\n', 'a.graph', ['1', '2', '3'], ['1-2'], false],
    [
      'Matrix Market',
      '%%MatrixMarket matrix coordinate real general\n%\n3 3 3\n1 2 2.5\n3 2 1\n2 2 0\n',
      'a.mtx',
      ['1', '2', '3'],
      ['1-2 2.5', '3-2 1'],
      undefined,
    ],
    [
      'Matrix Market, symmetric',
      '%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n',
      'a.mtx',
      ['1', '2', '3'],
      ['2-1', '3-2'],
      false,
    ],
    [
      'node-link',
      '{"directed": true, "nodes": [{"id": 0}, {"id": 1}], "edges": [{"source": 1, "target": 0}]}',
      'a.json',
      ['0', '1'],
      ['1-0'],
      true,
    ],
    [
      'node-link of D3',
      '{"nodes": [{"name": "x"}, {"name": "y"}], "links": [{"source": 0, "target": 1, "value": 3}]}',
      'a.json',
      ['x', 'y'],
      ['x-y 3'],
      false,
    ],
    ['adjacency list', '# c\n0 1\n1\n2 1\n', 'a.adjlist', ['0', '1', '2'], ['0-1', '2-1'], undefined],
    [
      'edges with dictionaries',
      "0 1 {'weight': 2.5, 'kind': 'a b'}\n2 1 {}\n",
      'a.edgelist',
      ['0', '1', '2'],
      ['0-1 2.5', '2-1 1'],
      undefined,
    ],
  ])('%s', (_, text, name, nodes, edges, directed) => {
    expect(summary(read(text, name))).toEqual({ directed, nodes, edges });
  });

  test.each([
    ['<graphml><graph edgedefault="directed"><node id="a"/></graphml>', 'a.graphml', 'not well-formed XML'],
    [
      '<graphml><graph edgedefault="directed"><node id="a"/><edge source="a" target="b"/></graph></graphml>',
      'a.graphml',
      'names node "b", which is not listed',
    ],
    ['<graphml><graph><node id="a"/><edge source="a" target="a"/></graph></graphml>', 'a.graphml', 'edgedefault'],
    ['<graphml><graph edgedefault="directed"><hyperedge/></graph></graphml>', 'a.graphml', 'hyperedges'],
    [
      '<graphml><graph edgedefault="directed"><node id="a"><graph edgedefault="directed"/></node></graph></graphml>',
      'a.graphml',
      'nested',
    ],
    [
      '<!DOCTYPE g [<!ENTITY a "b">]><graphml><graph edgedefault="directed"><node id="&a;"/></graph></graphml>',
      'a.graphml',
      'not well-formed XML',
    ],
    [gexf.replace('value="30" />', 'value="30" /><attvalue for="0" value="31" />'), 'a.gexf', 'change in time'],
    ['graph [ node [ id 1 ] node [ id 1 ] ]', 'a.gml', 'node 1 stands twice'],
    ['graph [ node [ id 1 ]', 'a.gml', 'ends within a list'],
    ['graph [\n node [ id 1 ]\n %%% ]', 'a.gml', 'line 3'],
    ['*Vertices 2\n*Arcs\n1 3\n', 'a.net', 'line 3: "3" is no vertex of 1 to 2'],
    ['*Vertices 2\n*Arcs :1\n1 2\n*Arcs :2\n2 1\n', 'a.net', 'second relation'],
    ['*Vertices 2\n*Arcs\n1 2 -3\n', 'a.net', 'line 3: the weight is "-3"'],
    ['2 1\n2\n\n', 'a.graph', 'lists 1 neighbours, the header says 1 edges'],
    ['2 1 1\n2 5\n1 6\n', 'a.graph', 'same weight'],
    ['%%MatrixMarket matrix coordinate real general\n2 3 1\n1 1 1\n', 'a.mtx', 'square'],
    ['%%MatrixMarket matrix coordinate complex general\n2 2 1\n1 1 1 0\n', 'a.mtx', 'complex'],
    ['%%MatrixMarket matrix array real general\n2 2\n', 'a.mtx', 'coordinate form'],
    [
      '%%MatrixMarket matrix coordinate real general\n2000000000 2000000000 0\n',
      'a.mtx',
      'more than the file can hold',
    ],
    ['%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1\n', 'a.mtx', 'holds 1 entries, the header says 2'],
    ['{"nodes": [{"id": 1}]}', 'a.json', 'expected a graph in node-link form'],
    ['{"nodes": [{"id": 1}], "links": [{"source": 1}]}', 'a.json', 'link 1 lacks a source or a target'],
    ["0 1 {'weight': 2\n", 'a.edgelist', 'is of no known format'],
    ["0 1 {'weight': 2}\n0 2 {weight: [3}\n", 'a.edgelist', 'line 2'],
  ])('refused: %s', (text, name, message) => {
    expect(() => read(text, name)).toThrow(message);
  });

  test('written as GraphML and node-link, a graph is read as it was', () => {
    const document = read(graphml, 'a.graphml');
    for (const text of [writeGraphML(document), writeNodeLink(document)])
      expect(summary(read(text, text.startsWith('<') ? 'b.graphml' : 'b.json'))).toEqual(summary(document));
    expect(writeNodeLink(document)).toContain('{"age":30,"label":"b","id":"ann"}');
  });

  test('as edges of a file, gzipped or not: the file says whether they have a direction', async () => {
    const list = await loadEdges(file('people.graphml.gz', gzipSync(bytes(graphml))));
    expect([list.names.of(1), list.names.find('cy'), list.directed]).toEqual(['bob <x>', 2, false]);
    expect(graphOfEdges(list).edgeCount).toBe(2);
    const broken = file('broken.csv.gz', Uint8Array.of(0x1f, 0x8b, 8, 255, 255, 255));
    await expect(loadEdges(broken)).rejects.toThrow('broken.csv.gz');
    expect(() => graphOfEdges(list, true)).toThrow('the file says that its edges have no direction');
    expect(graphOfEdges(await loadEdges(file('a.gexf', gexf))).directed).toBe(true);
    expect(graphOfEdges(await loadEdges(file('a.gexf', gexf)), false).directed).toBe(false);
  });

  test('in short: sizes, degrees, parts, classes, features and what is left out', () => {
    const people = graphml
      .replace('</graph>', '<node id="dee"/></graph>')
      .replace('attr.name="label"', 'attr.name="job"');
    expect(graphProfileLines(loadNamedGraph(file('d.graphml', people)) as NamedGraph)).toEqual([
      '4 nodes, 2 undirected edges',
      'weights     1 … 2.5, mean 1.75',
      'degrees     0 … 3.5, mean 1.75',
      'self-loops  0',
      'isolated    1 nodes',
      'components  2, the largest of 3 nodes',
      'classes     none',
      'features    1: age',
      'left out    job, since they hold texts',
    ]);
  });

  test('in short, with the directions of the file; folders with all attributes; SciPy’s and SNAP’s files', async () => {
    expect((await loadShownGraph(file('shown.gexf', gexf)))?.graph.directed).toBe(true);
    expect((await loadShownGraph(file('shown.graphml', graphml)))?.graph.directed).toBe(false);
    const snap = await loadShownGraph(file('snap.txt', '# Nodes: 3 Edges: 2\n# FromNodeId\tToNodeId\n0\t1\n1\t2\n'));
    expect([snap?.graph.nodeCount, snap?.graph.edgeCount]).toEqual([3, 2]);
    expect(await loadShownGraph(file('table.txt', '#id\tx\ty\n0\t1\t5\n'))).toBeUndefined();
    const mine = mkdtempSync(join(folder, 'mine-'));
    writeFileSync(
      join(mine, 'nodes.csv'),
      'id;age;town;split;label\na;20,5;Rom;train;x\nb;30,25;Oslo;test;y\nc;1,5;;;\n',
    );
    writeFileSync(join(mine, 'edges.csv'), 'from;to;weight\na;b;1,5\nb;c;0,25\n');
    expect(graphProfileLines((await loadShownGraph(mine)) as NamedGraph)).toEqual([
      '3 nodes, 2 undirected edges',
      'weights     0.25 … 1.5, mean 0.875',
      'degrees     0.25 … 1.75, mean 1.17',
      'self-loops  0',
      'isolated    0 nodes',
      'components  1, the largest of 3 nodes',
      'classes     x (1), y (1), unknown (1)',
      'features    2: age, town (2 categories)',
      'split       1 train, 0 validation, 1 test',
    ]);
    writeFileSync(join(mine, 'edges.csv'), 'from;to;weight\na;b;1,234\nb;c;2,345\n');
    await expect(loadShownGraph(mine)).rejects.toThrow('"1,234" may hold thousands or decimals');
  });

  test('as a labelled graph: classes, features that are numbers, others left out', () => {
    const path = file('people.graphml', graphml.replace('attr.name="age"', 'attr.name="years"'));
    const graph = loadNamedGraph(path) as NamedGraph;
    expect([graph.classNames, [...graph.labels], graph.featureNames]).toEqual([['a', 'b'], [1, 0, -1], ['years']]);
    expect([...(graph.features as Tensor).view()]).toEqual([30, 40, 50]);
    expect(loadNamedGraph(file('b.gexf', gexf))?.featureNames).toEqual(['age']);
    const texts = loadNamedGraph(file('c.json', '{"nodes":[{"id":1,"job":"x","age":2},{"id":2,"age":3}],"links":[]}'));
    expect([texts?.leftOut, texts?.featureNames]).toEqual([['job'], ['age']]);
  });
});

const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
/** scipy.sparse.save_npz of [[0, 2.5, 0], [0, 0, 0], [0, 1, 0]] as csr and as coo. */
const csr =
  'UEsDBC0AAAAIAAAAIQDlVh8///////////8LABQAaW5kaWNlcy5ucHkBABAAiAAAAAAAAABKAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC5GBgYGEAYAUEsDBC0AAAAIAAAAIQB4FC3i//////////8KABQAaW5kcHRyLm5weQEAEACQAAAAAAAAAEwAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaJjqaOgq1ChQALgYgYIRiJiAGAFBLAwQtAAAACAAAACEAo8N0l///////////CgAUAGZvcm1hdC5ucHkBABAAgwAAAAAAAABFAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF4TbKyuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5Gpo6CrUKFAGu5OIiAFBLAwQtAAAACAAAACEA8dkWov//////////CQAUAHNoYXBlLm5weQEAEACQAAAAAAAAAEkAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALmYGCIDRAFBLAwQtAAAACAAAACEAk/YRXf//////////CAAUAGRhdGEubnB5AQAQAJAAAAAAAAAATAAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBjBgcYDQH+wBUEsBAi0DLQAAAAgAAAAhAOVWHz9KAAAAiAAAAAsAAAAAAAAAAAAAAIABAAAAAGluZGljZXMubnB5UEsBAi0DLQAAAAgAAAAhAHgULeJMAAAAkAAAAAoAAAAAAAAAAAAAAIABhwAAAGluZHB0ci5ucHlQSwECLQMtAAAACAAAACEAo8N0l0UAAACDAAAACgAAAAAAAAAAAAAAgAEPAQAAZm9ybWF0Lm5weVBLAQItAy0AAAAIAAAAIQDx2RaiSQAAAJAAAAAJAAAAAAAAAAAAAACAAZABAABzaGFwZS5ucHlQSwECLQMtAAAACAAAACEAk/YRXUwAAACQAAAACAAAAAAAAAAAAAAAgAEUAgAAZGF0YS5ucHlQSwUGAAAAAAUABQAWAQAAmgIAAAAA';
const coo =
  'UEsDBC0AAAAIAAAAIQCV+QDh//////////8HABQAcm93Lm5weQEAEACIAAAAAAAAAEkAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALgYgYAJiAFBLAwQtAAAACAAAACEA5VYfP///////////BwAUAGNvbC5ucHkBABAAiAAAAAAAAABKAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC5GBgYGEAYAUEsDBC0AAAAIAAAAIQAn8gUS//////////8KABQAZm9ybWF0Lm5weQEAEACDAAAAAAAAAEUAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgXhNsrK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkamjoKtQoUAa7k/HwAUEsDBC0AAAAIAAAAIQDx2Rai//////////8JABQAc2hhcGUubnB5AQAQAJAAAAAAAAAASQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuZgYIgNEAUEsDBC0AAAAIAAAAIQCT9hFd//////////8IABQAZGF0YS5ucHkBABAAkAAAAAAAAABMAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC4GMGBxgNAf7AFQSwECLQMtAAAACAAAACEAlfkA4UkAAACIAAAABwAAAAAAAAAAAAAAgAEAAAAAcm93Lm5weVBLAQItAy0AAAAIAAAAIQDlVh8/SgAAAIgAAAAHAAAAAAAAAAAAAACAAYIAAABjb2wubnB5UEsBAi0DLQAAAAgAAAAhACfyBRJFAAAAgwAAAAoAAAAAAAAAAAAAAIABBQEAAGZvcm1hdC5ucHlQSwECLQMtAAAACAAAACEA8dkWokkAAACQAAAACQAAAAAAAAAAAAAAgAGGAQAAc2hhcGUubnB5UEsBAi0DLQAAAAgAAAAhAJP2EV1MAAAAkAAAAAgAAAAAAAAAAAAAAIABCgIAAGRhdGEubnB5UEsFBgAAAAAFAAUADwEAAJACAAAAAA==';

describe('sparse matrices and arrays of Python', () => {
  test.each([
    ['csr', csr],
    ['coo', coo],
  ])('a matrix saved as %s is a graph', async (name, text) => {
    const path = file(`${name}.npz`, fromBase64(text));
    const { sources, targets, weights, names } = await loadEdges(path);
    expect([[...sources], [...targets], [...(weights ?? [])]]).toEqual([
      [0, 2],
      [1, 1],
      [2.5, 1],
    ]);
    expect([names.count, names.of(2), names.find('2'), names.find('3')]).toEqual([3, '2', 2, undefined]);
    expect((await loadEdgeGraph(path)).graph.weights).toEqual(Float32Array.of(2.5, 1));
  });

  test.each<[type: string, text: string, shape: number[], values: number[]]>([
    [
      'f4 in Fortran order',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAABAQAAAgD8AAIBAAAAAQAAAoEA=',
      [2, 3],
      [0, 1, 2, 3, 4, 5],
    ],
    [
      'big-endian i2',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAABAAIAAwAEAAU=',
      [2, 3],
      [0, 1, 2, 3, 4, 5],
    ],
    [
      'f2',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAA0ADgAOgA8AD0=',
      [2, 3],
      [0, 0.25, 0.5, 0.75, 1, 1.25],
    ],
    [
      'u8',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPHU4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAADAAAAAAAAAAQAAAAAAAAABQAAAAAAAAA=',
      [2, 3],
      [0, 1, 2, 3, 4, 5],
    ],
    [
      'S2',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnfFMyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAphYmMA',
      [2, 2],
      [97, 98, 99, 0],
    ],
    [
      'U2',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPFUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIArkAAAAAAAAAGIAAABjAAAA',
      [2, 2],
      [228, 0, 98, 99],
    ],
    [
      'bool',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAABAQE=',
      [2, 3],
      [0, 0, 0, 1, 1, 1],
    ],
    [
      'big-endian f8 in Fortran order, three axes',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPmY4JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMywgNCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAEAoAAAAAAAAQBAAAAAAAABAMAAAAAAAAEAgAAAAAAAAQDQAAAAAAAA/8AAAAAAAAEAqAAAAAAAAQBQAAAAAAABAMQAAAAAAAEAiAAAAAAAAQDUAAAAAAABAAAAAAAAAAEAsAAAAAAAAQBgAAAAAAABAMgAAAAAAAEAkAAAAAAAAQDYAAAAAAABACAAAAAAAAEAuAAAAAAAAQBwAAAAAAABAMwAAAAAAAEAmAAAAAAAAQDcAAAAAAAA=',
      [2, 3, 4],
      Array.from({ length: 24 }, (_, i) => i),
    ],
  ])('an array of %s', (_, text, shape, values) => {
    const array = readNpy(fromBase64(text));
    expect([array.shape, [...array.values]]).toEqual([shape, values]);
  });

  test.each([
    ["{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 'Python objects'],
    ["{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1,), }", 'dates'],
    ["{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 'complex'],
    ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 'records of several fields'],
  ])('an array of another type is refused: %s', (header, message) => {
    const text = `${header.padEnd(117)}\n`;
    const array = new Uint8Array([
      0x93,
      ...bytes('NUMPY'),
      1,
      0,
      text.length,
      0,
      ...bytes(text),
      ...new Uint8Array(16),
    ]);
    expect(() => readNpy(array)).toThrow(message);
  });
});
