import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadUserTable } from '../../src/data/node.js';

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'users-'));
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test('a file is the rows of the user that it is named after; user 2 comes before user 10', async () => {
  const folder = folderOf({
    'user10.csv': 'b,a,activity\n5,6,sit\n',
    'user2.csv': 'a,b,activity\n1,2,\n3,,\n',
    'README.md': 'not a table',
    '.hidden.csv': 'x\n1\n',
  });
  const { rows, columns } = await loadUserTable(folder, 'user', { categorical: ['user'], target: 'activity' });
  expect(rows).toBe(3);
  expect(columns.map(({ name, values }) => [name, [...values]])).toEqual([
    ['user', ['user2', 'user2', 'user10']],
    ['a', [1, 3, 6]],
    ['b', [2, Number.NaN, 5]],
    // A file without a class has gaps.
    ['activity', [undefined, undefined, 'sit']],
  ]);
});

test('a column of users that files have is kept', async () => {
  const folder = folderOf({ 'a.csv': 'user,x\n7,1\n', 'b.csv': 'user,x\n8,2\n' });
  const { columns } = await loadUserTable(folder, 'user', { categorical: ['user'] });
  expect(columns.map(({ name, values }) => [name, [...values]])).toEqual([
    ['user', ['7', '8']],
    ['x', [1, 2]],
  ]);
});

test('a file is read as it is', async () => {
  const folder = folderOf({ 'a.csv': 'x\n1\n' });
  expect((await loadUserTable(join(folder, 'a.csv'), 'user')).columns.map(({ name }) => name)).toEqual(['x']);
});

test('files that do not go together are refused by name', async () => {
  const refused = async (files: Readonly<Record<string, string>>, message: string) =>
    expect(loadUserTable(folderOf(files), 'user')).rejects.toThrow(message);
  await refused({ 'a.csv': 'x,y\n1,2\n', 'b.csv': 'x\n1\n' }, '"b.csv" has no column "y", which "a.csv" has');
  await refused({ 'a.csv': 'x\n1\n', 'b.csv': 'x,y\n1,2\n' }, '"b.csv" has a column "y", which "a.csv" lacks');
  await refused({ 'a.csv': 'x\n1\n', 'b.csv': 'x\ntwo\n' }, 'column "x" holds texts in "b.csv" and numbers in "a.csv"');
  await refused({ 'notes.md': '' }, 'holds no tables; expected one for each user');
});
