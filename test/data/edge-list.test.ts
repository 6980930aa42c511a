import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { type EdgeList, pairsFromTable, readEdgeList, temporalFromTable } from '../../src/data/index.js';
import { loadEdges } from '../../src/data/node.js';

const shown = ({ sources, targets, names }: EdgeList) =>
  Array.from(sources, (source, e) => `${names.of(source)}→${names.of(targets[e] as number)}`).join(' ');
const list = (text: string | Uint8Array, pieces = 1 << 20, name = 'edges') => {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return readEdgeList(function* () {
    for (let at = 0; at < bytes.length; at += pieces) yield bytes.subarray(at, at + pieces);
  }, name);
};
const folder = mkdtempSync(join(tmpdir(), 'gossamer-edges-'));

describe('quoted fields (RFC 4180)', () => {
  test.each([
    ['"x,y",b\nb,"q ""z"""\n', 'x,y→b b→q "z"'],
    ['"Smith, J",5\n"Lee, K",7\n', 'Smith, J→5 Lee, K→7'],
    ['"x","b"\n"b","c"\n', 'x→b b→c'],
    ['"source","target"\nx,b\n', 'x→b'],
    ['"a b" "c d"\n"c d" e\n', 'a b→c d c d→e'],
    ['"1","2"\r\n"2","3"\r\n', '1→2 2→3'],
    ['"x\ty"\tb\nb\tc\n', 'x\ty→b b→c'],
    ['O"Brien,b\nb,c\n', 'O"Brien→b b→c'],
    ['\uFEFFx,b\nb,c\n', 'x→b b→c'],
    ['  1   2\n  2  3\n', '1→2 2→3'],
  ])('%j', async (text, edges) => {
    for (const pieces of [1, 7, 1000]) expect(shown(await list(text, pieces))).toBe(edges);
  });

  test('open quotes, and text after a closing one, are refused with their line', async () => {
    await expect(list('a,b\n"c,d\ne",f\n')).rejects.toThrow('line 2: a quote is not closed');
    await expect(list('a,b\n"c"d,e\n')).rejects.toThrow('line 2: text follows a closing quote');
  });
});

test('node names beyond 2⁵³, with leading zeros, or in UTF-16 stay what they are', async () => {
  expect(shown(await list('9007199254740993,9007199254740992\n'))).toBe('9007199254740993→9007199254740992');
  expect((await list('1,7\n')).names.find('007')).toBeUndefined();
  expect(shown(await list('007,7\n7,8\n'))).toBe('007→7 7→8');
  const utf16 = new Uint8Array(Buffer.from('\uFEFFä,b\nb,ö\n', 'utf16le'));
  for (const pieces of [1, 3, 1000]) expect(shown(await list(utf16, pieces))).toBe('ä→b b→ö');
  for (const pieces of [1, 3, 1000]) expect(shown(await list(utf16.subarray(2), pieces))).toBe('ä→b b→ö');
  // In Latin-1, é and è would both become the replacement character.
  await expect(list(Uint8Array.of(0xe9, 44, 0xe8, 10))).rejects.toThrow('line 1: is not UTF-8');
});

describe('headers', () => {
  test.each(['id_1,id_2', 'origin,destination', 'Source Target', 'node1;node2;w'])('%s is one', async (header) => {
    const separator = /[,; ]/.exec(header)?.[0] ?? ',';
    const rows = header.endsWith('w')
      ? [
          [1, 2, 0.5],
          [2, 3, 1],
        ]
      : [
          [1, 2],
          [2, 3],
        ];
    const text = `${header}\n${rows.map((row) => row.join(separator)).join('\n')}\n`;
    expect(shown(await list(text))).toBe('1→2 2→3');
  });

  test('unknown ones are refused, with the names that are known', async () => {
    for (const text of [
      'left,right\n1,2\n2,3\n',
      'user,item\nu1,5\nu2,6\nu3,5\n',
      'left,right\n9007199254740993,1\n2,3\n',
    ])
      await expect(list(text)).rejects.toThrow(
        /line 1: "\w+, \w+" above numbers .* source, target and weight \(also src/,
      );
    await expect(list('1,2,3,4\n')).rejects.toThrow('has 4 columns without known names; name the columns');
    expect(shown(await list('Ann,Bob\nBob,5\n'))).toBe('Ann→Bob Bob→5');
    expect(shown(await list('Ann,Bob\n'))).toBe('Ann→Bob');
  });

  test('a word above weights is one; two names that nothing else has may be one', async () => {
    const { weights, ...rest } = await list('von;nach;gewicht\na;b;1,5\nb;c;2,25\nc;a;1,125\n');
    expect(shown({ weights, ...rest })).toBe('a→b b→c c→a');
    expect(weights).toEqual(Float32Array.of(1.5, 2.25, 1.125));
    await expect(list('a;b;x1\na;c;1\nb;c;nan\n')).rejects.toThrow('line 3: the weight is "nan"');
    await expect(list('a;b;nan\na;c;1\n')).rejects.toThrow('line 1: the weight is "nan"');
    const ring = 'a;b\nb;c\nc;d\nd;e\ne;a\n';
    await expect(list(`von;nach\n${ring}`)).rejects.toThrow('line 1: "von, nach" may be a header');
    expect(shown(await list(`${ring}von;nach\n`))).toContain('von→nach');
    expect(shown(await list(`von;b\n${ring}`))).toContain('von→b');
  });

  test('commas of weights must be proved to be decimal marks', async () => {
    for (const text of ['source;target;weight\na;b;0,125\nb;c;2,345\n', '1\t2\t0,125\n2\t3\t2,345\n'])
      expect((await list(text)).weights).toEqual(Float32Array.of(0.125, 2.345));
  });
});

describe('other formats are refused by name', () => {
  test.each([
    ['%%MatrixMarket matrix coordinate pattern general\n3 3 1\n1 2\n', 'a Matrix Market file'],
    ['% a comment\n3 2\n2\n1 3\n2\n', 'a METIS or Matrix Market file'],
    ['<?xml version="1.0"?>\n<graphml><graph/></graphml>', 'a GraphML file'],
    ['<?xml version="1.0"?>\n<gexf><graph/></gexf>', 'a GEXF file'],
    ['graph [\n  node [ id 1 ]\n]\n', 'a GML file'],
    ['digraph G {\n a -> b\n}\n', 'a DOT file'],
    ['*Vertices 2\n1 "a"\n', 'a Pajek file'],
    ['{"nodes": [], "links": []}\n', 'a graph in JSON'],
    ['PAR1\0\0', 'a Parquet file'],
    ['a\0b,c\n', 'binary'],
  ])('%j', async (text, format) => {
    await expect(list(text)).rejects.toThrow(`"edges" is ${format}`);
  });

  test('METIS, by its name or its lines of different lengths', async () => {
    const metis = '3 2\n2\n1 3\n2\n';
    await expect(list(metis, 1000, 'a.graph')).rejects.toThrow('"a.graph" is a METIS graph');
    await expect(list(metis)).rejects.toThrow('line 2: expected source and target, found 1 column');
    await expect(list('4 5\n2 3\n1 3 4\n')).rejects.toThrow('line 3: found 3 columns, the first line has 2');
    await expect(list('a,b\nb,c,2\n')).rejects.toThrow('line 2: found 3 columns');
    expect(shown(await list('% sym unweighted\n1 2\n2 3\n'))).toBe('1→2 2→3');
  });
});

test('weights that single precision makes infinite or zero are refused', async () => {
  await expect(list('1,2,1e39\n')).rejects.toThrow('line 1: the weight is "1e39"');
  await expect(list('1,2,1e-50\n')).rejects.toThrow('line 1: the weight is "1e-50"');
});

test.each([
  ['1;2;0,5\n2;3;0,7\n', 'line 1: semicolons or commas may separate its columns; write decimals with a point'],
  ['a b 0,5\nb c 1,5\n', 'line 1: spaces or commas may separate its columns'],
  ['source;target;weight\n1;2;1,234\n', 'the weight "1,234" may hold thousands or decimals'],
  ['1\t2\t1,5\n2\t3\t2.5\n', 'different decimal marks'],
  ['source;target;weight\n1;2;1,2,3\n', 'line 2: the weight is "1,2,3"'],
])('commas that may be something else than decimal marks are refused, and never nodes: %j', async (text, message) => {
  await expect(list(text)).rejects.toThrow(message);
});

test('a quoted separator is text, and known names decide between two separators', async () => {
  expect(shown(await list('"a;b",c\nc,d\n'))).toBe('a;b→c c→d');
  expect(shown(await list('from;to;a,b\nx;y;1\n'))).toBe('x→y');
  expect(shown(await list('New York,Los Angeles\nBonn,Rome 2\n'))).toBe('New York→Los Angeles Bonn→Rome 2');
});

test('Parquet columns of unknown names are taken by position, and tabs stay in names', async () => {
  const path = join(folder, 'a.parquet');
  const columns = [
    { name: 'left', data: ['a\tb', 'a b'], type: 'STRING' as const },
    { name: 'right', data: ['c', 'd'], type: 'STRING' as const },
  ];
  writeFileSync(path, new Uint8Array(parquetWriteBuffer({ columnData: columns })));
  expect(shown(await loadEdges(path))).toBe('a\tb→c a b→d');
});

test('gzip is found by its content; a line without end is refused', async () => {
  const path = join(folder, 'zipped.csv');
  writeFileSync(path, gzipSync('1,2\n2,3\n'));
  expect(shown(await loadEdges(path))).toBe('1→2 2→3');
  await expect(list(new Uint8Array(3 << 20).fill(49))).rejects.toThrow('longer than 1048576 bytes');
});

test('events know the same names of columns', () => {
  expect(temporalFromTable('origin,dest,t\na,b,1\n', 'mine').nodeNames).toEqual(['a', 'b']);
  expect(() => temporalFromTable('u,v,t,x\na,b,1,1e39\n', 'mine')).toThrow('beyond single precision');
});

test('an event stream that is sorted keeps its earliest events, not the first lines', () => {
  const text = 'u,v,t\nc,d,3\na,b,1\nb,c,2\n';
  const { graph, nodeNames } = temporalFromTable(text, 'mine', { sort: true, limit: 2 });
  expect([...graph.times]).toEqual([1, 2]);
  expect(nodeNames).toEqual(['a', 'b', 'c']);
});

test('times may be ISO dates; pairs of nodes are read by name', () => {
  const { graph } = temporalFromTable('u,v,t\na,b,1970-01-01T00:01:00Z\nb,c,1970-01-02\n', 'mine');
  expect([...graph.times]).toEqual([60, 86_400]);
  expect(() => temporalFromTable('u,v,t\na,b,1970-99-99\n', 'mine')).toThrow('is "1970-99-99", not a finite number');
  expect(pairsFromTable('t,to,from\n1,007,b\n', 'mine')).toEqual({ sources: ['b'], targets: ['007'] });
  expect(() => pairsFromTable('from,to\na,\n', 'mine')).toThrow('line 2: column "to" is empty');
  expect(() => pairsFromTable('a,b\n1,2\n', 'mine')).toThrow('no column for the source');
});
