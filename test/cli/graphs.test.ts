import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { readCsv, readEdgeList, readNpy, readSafetensors, temporalFromTable } from '../../src/data/index.js';
import { loadEdges, readBytes } from '../../src/data/node.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-graphs-'));
const path = (name: string) => join(folder, name);

const gossamer = commandIn(folder);

const read = (text: string, pieces = 1 << 20) => {
  const bytes = new TextEncoder().encode(text);
  return readEdgeList(function* () {
    for (let at = 0; at < bytes.length; at += pieces) yield bytes.subarray(at, at + pieces);
  }, 'edges');
};
const plain = async (text: string, pieces?: number) => {
  const { sources, targets, weights, names } = await read(text, pieces);
  const name = (ends: Int32Array) => Array.from(ends, names.of);
  return { sources: name(sources), targets: name(targets), weights: weights && [...weights], count: names.count };
};

describe('edge lists', () => {
  test('separators, headers in any order, comments, carriage returns, gaps and pieces cut anywhere', async () => {
    const expected = { sources: ['5', '9'], targets: ['9', '2'], weights: [1.5, 2], count: 3 };
    for (const text of [
      '5,9,1.5\n9,2,2\n',
      '# a comment\n5\t9\t1.5\r\n9\t2\t2\r\n',
      '5  9 1.5\n\n9 2   2',
      'weight;target;source\n1.5;9;5\n2;2;9',
      '"source","target","weight"\n"5","9",1.5\n"9","2",2\n',
    ])
      for (const pieces of [1, 3, 1000]) expect(await plain(text, pieces)).toEqual(expected);
  });

  test('names of any text, found again; numbers keep their order', async () => {
    const list = await read('Ann,Bob\nBob,007\n');
    expect([0, 1, 2].map(list.names.of)).toEqual(['Ann', 'Bob', '007']);
    expect(list.names.find('Bob')).toBe(1);
    expect(list.names.find('Eve')).toBeUndefined();
    const numbers = await read('2000000000 7\n7 3\n');
    expect([0, 1, 2].map(numbers.names.of)).toEqual(['3', '7', '2000000000']);
    expect(numbers.names.find('7')).toBe(1);
    expect(numbers.names.find('8')).toBeUndefined();
  });

  test('what is wrong is named with its line', async () => {
    await expect(read('1,2\n3\n')).rejects.toThrow('"edges", line 2: expected source and target, found 1 column');
    await expect(read('1,2,x\n')).rejects.toThrow('line 1: the weight is "x"');
    await expect(read('1,2,-1\n')).rejects.toThrow('line 1: the weight is "-1"; weights must be positive');
    await expect(read('1,\n')).rejects.toThrow('a node has no name');
    await expect(read('# nothing\n')).rejects.toThrow('"edges" holds no edges');
    await expect(loadEdges(path('missing.csv'))).rejects.toThrow('does not exist');
    await expect(loadEdges(folder)).rejects.toThrow('is a folder');
    writeFileSync(path('broken.csv.gz'), gzipSync('1,2\n').subarray(0, 12));
    await expect(loadEdges(path('broken.csv.gz'))).rejects.toThrow('cannot be read');
  });

  test('gzip and Parquet hold the same edges as text', async () => {
    writeFileSync(path('a.csv.gz'), gzipSync('source,target,weight\n1,2,3\n2,3,4\n'));
    const columns = [
      { name: 'source', data: [1, 2], type: 'INT32' as const },
      { name: 'target', data: [2, 3], type: 'INT32' as const },
      { name: 'weight', data: [3, 4], type: 'FLOAT' as const },
    ];
    writeFileSync(path('a.parquet'), new Uint8Array(parquetWriteBuffer({ columnData: columns })));
    for (const file of ['a.csv.gz', 'a.parquet']) {
      const { sources, targets, weights } = await loadEdges(path(file));
      expect([[...sources], [...targets], [...(weights ?? [])]]).toEqual([
        [0, 1],
        [1, 2],
        [3, 4],
      ]);
    }
  });

  test('event tables: disorder is an error unless sorted, values are named', () => {
    const text = 'src,dst,t,amount\na,b,2,1\nb,c,1,5\n';
    expect(() => temporalFromTable(text, 'mine')).toThrow('sort events by time');
    const { graph, nodeNames } = temporalFromTable(text, 'mine', { sort: true });
    expect([...graph.times]).toEqual([1, 2]);
    expect(nodeNames).toEqual(['b', 'a', 'c']);
    expect([...(graph.features?.view() ?? [])]).toEqual([5, 1]);
    expect(() => temporalFromTable('src,dst,t\na,b,x\n', 'mine')).toThrow('line 2: column "t" is "x"');
    expect(() => temporalFromTable('src,dst\na,b\n', 'mine')).toThrow('no column for the time');
  });
});

describe.skipIf(!existsSync(main))('commands (need a build)', () => {
  const edges = Array.from({ length: 60 }, (_, i) => `n${i % 20},n${(i * 7 + 3) % 20}`).join('\n');
  writeFileSync(path('edges.csv'), `source,target\n${edges}\n`);

  test('gossamer embed writes all formats with the same numbers', async () => {
    for (const format of ['npy', 'csv', 'parquet', 'safetensors'])
      expect(gossamer('embed', 'edges.csv', '--dim', '8', '-o', `v.${format}`).status).toBe(0);
    const npy = readNpy(readBytes(path('v.npy')));
    expect(npy.shape).toEqual([20, 8]);
    const ids = readFileSync(path('v.ids.txt'), 'utf8').trim().split('\n');
    const table = readCsv(readFileSync(path('v.csv'), 'utf8'));
    expect(table.rows.map(([id]) => id)).toEqual(ids);
    table.rows
      .flatMap((row) => row.slice(1))
      .forEach((value, i) => {
        expect(Number(value)).toBeCloseTo(npy.values[i] as number, 5);
      });
    const { tensors, metadata } = readSafetensors(readBytes(path('v.safetensors')));
    expect([...(tensors.vectors?.view() ?? [])]).toEqual([...npy.values]);
    expect(JSON.parse(metadata.ids ?? '')).toEqual(ids);
    const { parquetReadObjects, asyncBufferFromFile } = await import('hyparquet');
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path('v.parquet')) });
    expect(rows.map((row) => row.node)).toEqual(ids);
    expect(rows[3]?.v5).toBeCloseTo(npy.values[29] as number, 6);
  });

  test('gossamer embed by walks, and what cannot be', () => {
    const walked = gossamer(
      'embed',
      'edges.csv',
      '--method',
      'node2vec',
      '--walks',
      '2',
      '--length',
      '5',
      '--dim',
      '8',
      '--p',
      '0.5',
      '-o',
      'w.npy',
    );
    expect(walked.stderr).toContain('20 × 8 by node2vec');
    expect(gossamer('embed', 'edges.csv', '-o', 'v.dat').stderr).toContain('vectors can be written as .npy');
    expect(gossamer('embed', 'none.csv', '-o', 'v.npy')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('does not exist'),
    });
    expect(gossamer('embed', 'edges.csv', '--dim', '0', '-o', 'v.npy').status).toBe(2);
    expect(gossamer('embed', '--help').stdout).toContain('mpirun -n 4 gossamer embed');
  });

  test('gossamer rank lists the closest nodes of the seeds', () => {
    writeFileSync(path('seeds.txt'), 'n3\nn11\n');
    const { rows } = readCsv(
      gossamer('rank', 'edges.csv', '--seeds', 'seeds.txt', '--top', '3', '--walks', '2000').stdout,
    );
    expect(rows.map(([source, rank]) => [source, rank])).toEqual([
      ['n3', '1'],
      ['n3', '2'],
      ['n3', '3'],
      ['n11', '1'],
      ['n11', '2'],
      ['n11', '3'],
    ]);
    for (const row of [rows[0], rows[3]]) expect(row?.[2]).toBe(row?.[0]); // a walk ends most often where it began
    writeFileSync(path('seeds.txt'), 'nobody\n');
    expect(gossamer('rank', 'edges.csv', '--seeds', 'seeds.txt').stderr).toContain('line 1: "nobody" is in no edge');
  });

  test.skipIf(spawnSync('mpirun', ['--version']).status !== 0)(
    'under mpirun: the same rows; a killed job goes on from its checkpoint; a rank that fails ends all (needs mpirun)',
    () => {
      const mpirun = (...args: string[]) =>
        spawnSync('mpirun', ['--allow-run-as-root', '--oversubscribe', '-n', '2', process.execPath, main, ...args], {
          encoding: 'utf8',
          cwd: folder,
          timeout: 60_000,
        });
      gossamer('rank', 'edges.csv', '--walks', '500', '-o', 'alone.csv');
      mpirun('rank', 'edges.csv', '--walks', '500', '-o', 'ranks.csv', '--checkpoint', 'walks');
      const table = readFileSync(path('alone.csv'), 'utf8');
      expect(readFileSync(path('ranks.csv'), 'utf8')).toBe(table);
      // The checkpoint of the 10th round and later is there; from it the end is the same.
      expect(JSON.parse(readFileSync(path('walks/latest.json'), 'utf8')).round).toBeGreaterThanOrEqual(10);
      mpirun('rank', 'edges.csv', '--walks', '500', '-o', 'again.csv', '--checkpoint', 'walks');
      expect(readFileSync(path('again.csv'), 'utf8')).toBe(table);
      const other = mpirun('rank', 'edges.csv', '--walks', '400', '-o', 'other.csv', '--checkpoint', 'walks');
      expect(other.status).not.toBe(0);
      expect(other.stderr).toContain('holds a checkpoint of other walks');
      const embedded = mpirun('embed', 'edges.csv', '--dim', '8', '-o', 'ranks.npy');
      expect(embedded.status).toBe(0);
      expect(readBytes(path('ranks.npy'))).toEqual(readBytes(path('v.npy')));
      const failed = mpirun('embed', 'edges.csv', '--method', 'line', '-o', 'x.npy');
      expect(failed.status).not.toBe(0);
      expect(failed.stderr).toContain('under mpirun only fastrp and graphvite run');
    },
    120_000,
  );
});
