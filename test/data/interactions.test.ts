import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { densePart, interactionsFromTable, itemsOf, withLists } from '../../src/data/index.js';
import { hasDataset, loadInteractions } from '../../src/data/node.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-interactions-'));
const own = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const read = (text: string, options = {}) => {
  const [header = '', ...rows] = text.trim().split('\n');
  return interactionsFromTable({ columns: header.split(','), rows: rows.map((row) => row.split(',')) }, 't', options);
};

describe('a table of interactions', () => {
  test('names of any text, repeated pairs once, by time', () => {
    const { train, notes } = read('time,Customer,book\n5,Zoë,B 7\n3,Zoë,α\n4,bob,α\n9,Zoë,α\n,,x\n');
    expect(train.users).toEqual(['Zoë', 'bob']);
    expect([...itemsOf(train, 0)].map((item) => train.items[item])).toEqual(['B 7', 'α']);
    expect(notes).toEqual(['1 rows without a user or an item are left out', '1 repeated pairs count once']);
  });

  test('weights decide what counts, and nothing more', () => {
    const text = 'user,item,rating\na,x,5\na,y,0\nb,x,3\nb,z,4';
    expect(read(text).train.indices.length).toBe(3);
    const { train, notes } = read(text, { least: 4 });
    expect([train.users, train.items]).toEqual([
      ['a', 'b'],
      ['x', 'z'],
    ]);
    expect(notes).toEqual(['2 rows are no interactions: their rating is below 4']);
    expect(() => read('user,item\na,x', { least: 4 })).toThrow('has no column of weights');
  });

  test('names are not numbers: 01 and 1 are two users; a user and an item of one name are two', () => {
    const { train } = read('user,item\n01,1\n1,1');
    expect([train.users, train.items]).toEqual([['01', '1'], ['1']]);
  });

  test('without a header, where numbers say so', () => {
    expect(read('196,242,3,881250949\n196,302,3,881250000').train.indices).toEqual(Int32Array.of(0, 1));
    expect(read('1,2,881250949\n1,3,881250000').notes[0]).toBe(
      'the table has no header and is read as user, item, time',
    );
    expect(read('1,2,3\n1,3,0').train.indices.length).toBe(1);
    expect(() => read('1,2,3,4,5\n1,2,3,4,5')).toThrow('no header and 5 columns');
  });

  test('what is wrong is named', () => {
    expect(() => read('who,item\na,b')).toThrow('"t" has no column for the user of its interactions; it has who, item');
    expect(() => read('user,item,rating\na,b,good')).toThrow(
      'column "rating" holds "good" in row 1, expected a number',
    );
    expect(() => read('user,item,rating\na,b,0')).toThrow('none of its 1 rows is an interaction');
    expect(() => read('user,item,time\na,b,yesterday')).toThrow('expected a number or an ISO date');
  });

  test('from files: .csv.gz, .tsv, and a known name that is not there', async () => {
    const gz = own('a.csv.gz', gzipSync('user;item\na;x\nb;y\n'));
    expect((await loadInteractions(gz)).train.items).toEqual(['x', 'y']);
    const tsv = own('a.tsv', 'user\titem\tdate\na\tx\t2024-01-02\na\ty\t2024-01-01\n');
    const { train } = await loadInteractions(tsv);
    expect(train.items).toEqual(['y', 'x']);
    await expect(loadInteractions('nope')).rejects.toThrow('neither a file nor a known set of interactions (gowalla)');
  });
});

describe('the dense part of a set', () => {
  test('loses users and items with few interactions until none is left', () => {
    const names = { name: 's', users: ['a', 'b', 'c', 'd'], items: ['w', 'x', 'y', 'z'] };
    const train = withLists(names, [
      [0, 1],
      [0, 1],
      [2, 3],
      [0, 1],
    ]);
    const test = withLists(names, [[2], [], [0], []]);
    const part = densePart({ train, test, notes: [] }, 'p', { users: 3, least: 2 });
    // Nobody but c has z; user d is not among the first three.
    expect([part.train.users, part.train.items]).toEqual([
      ['a', 'b', 'c'],
      ['w', 'x', 'y'],
    ]);
    expect(part.test?.indices.length).toBe(2);
  });

  test.skipIf(!hasDataset('gowalla', 'interactions'))(
    'Gowalla-3k has its known size (needs GOSSAMER_DATA)',
    async () => {
      const { train, test } = densePart(await loadInteractions('gowalla'), 'gowalla-3k', { users: 3000, least: 10 });
      expect([train.users.length, train.items.length, train.indices.length, test?.indices.length]).toEqual([
        ...[1674, 3292, 53_049, 13_451],
      ]);
    },
  );
});
