import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { type Column, columnsOf, labelledTable, readCsv, stratifiedFolds, withLabels } from '../../src/data/index.js';
import { loadTable, readText } from '../../src/data/node.js';
import { Random } from '../../src/tensor/index.js';

const column = (...fields: readonly string[]): Column =>
  columnsOf(readCsv(`x,t\n${fields.map((field) => `"${field}",a`).join('\n')}\n`)).columns[0] as Column;
const folder = mkdtempSync(join(tmpdir(), 'gossamer-tables-'));

describe('kinds of columns', () => {
  test('spellings of missing values leave a column of numbers one', () => {
    for (const field of ['#N/A', 'N/A', 'NULL', '<NA>', '-nan', '\\N', '-', '.', 'unknown', '1.#IND']) {
      const { kind, values } = column('1', field, '2.5e1');
      expect([field, kind, ...values]).toEqual([field, 'number', 1, Number.NaN, 25]);
    }
    expect(column('-', 'a', '-')).toMatchObject({ kind: 'category', values: ['-', 'a', '-'] });
    expect(column('unknown', 'unknown')).toMatchObject({ kind: 'category' });
  });

  test('infinities and errors of Excel are missing among numbers, and noted', () => {
    for (const field of ['inf', '-Infinity', '+inf', '1e999', '#DIV/0!']) {
      const { columns, notes } = columnsOf(readCsv(`x,t\n1,a\n${field},b\n`));
      expect(columns[0]).toMatchObject({ kind: 'number', values: Float64Array.of(1, Number.NaN) });
      expect(notes).toEqual([{ column: 'x', text: `1 fields without a number ("${field}"), read as missing` }]);
    }
    expect(column('inf', 'a').kind).toBe('category');
  });

  test('identifiers that double precision would merge are texts; other large numbers are numbers', () => {
    expect(column('9007199254740992', '9007199254740993')).toMatchObject({
      kind: 'category',
      values: ['9007199254740992', '9007199254740993'],
    });
    expect(column('100000000000000000000', '3').kind).toBe('number');
    expect(column('9007199254740993', '3').kind).toBe('category');
    expect(column('0x10', '0x11').kind).toBe('category');
  });
});

describe('what a table is', () => {
  test('a header alone has no rows', async () => {
    expect(() => labelledTable(columnsOf(readCsv('x,t\n')), 't')).toThrow('has a header and no rows');
    writeFileSync(join(folder, 'empty.csv'), 'x,t\n');
    await expect(loadTable(join(folder, 'empty.csv'))).rejects.toThrow('empty.csv" has a header and no rows');
  });

  test('a class of one row is named, with its row', () => {
    const table = columnsOf(readCsv('x,t\n1,a\n2,a\n3,b\n4,b\n5,einmal\n'));
    expect(() => labelledTable(table, 't')).toThrow('the class "einmal" in a single row (row 5)');
    const { labels, classes } = withLabels(table, ['a', 'a', 'b', 'b', 'einmal']);
    expect(() => stratifiedFolds(labels, classes, 2, new Random(1))).toThrow('class "einmal" has a single row (row 5)');
  });

  test('rows whose fields are all empty are kept, and lines are counted as in the file', () => {
    expect(readCsv('a,b\n1,2\n,\n3,4\n').rows).toEqual([
      ['1', '2'],
      ['', ''],
      ['3', '4'],
    ]);
    expect(() => readCsv('a,b\n\n"1\n2",3\n4\n', 'f')).toThrow('"f" line 5 has 1 fields');
    expect(readCsv('\ta\tb\nr\t1\t\n')).toEqual({ columns: ['', 'a', 'b'], rows: [['r', '1', '']] });
  });

  test('the header decides the separator', () => {
    expect(readCsv('a;b\n1;2\n').columns).toEqual(['a', 'b']);
    expect(readCsv('a,b\n"x\ty",2\n').rows).toEqual([['x\ty', '2']]);
    expect(readCsv('"a;b",c\n1,2\n').columns).toEqual(['a;b', 'c']);
  });

  test('UTF-16 is read by its mark, and undone where it was decoded as UTF-8', async () => {
    const bytes = Buffer.from('\uFEFFname,größe\nä,1\n', 'utf16le');
    writeFileSync(join(folder, 'utf16.csv'), bytes);
    const { columns } = await loadTable(join(folder, 'utf16.csv'));
    expect(columns.map(({ name }) => name)).toEqual(['name', 'größe']);
    const ascii = new TextDecoder().decode(Buffer.from('\uFEFFx,t\n1,a\n', 'utf16le'));
    expect(readCsv(ascii)).toEqual({ columns: ['x', 't'], rows: [['1', 'a']] });
    expect(() => readCsv(new TextDecoder().decode(bytes))).toThrow('UTF-16 or no text');
    writeFileSync(join(folder, 'latin.csv'), Uint8Array.of(120, 10, 0xe9, 10));
    expect(() => readText(join(folder, 'latin.csv'))).toThrow('is not UTF-8 text');
  });

  test('Parquet: dates in ISO 8601, 64-bit integers exact, nested columns refused', async () => {
    const write = (columnData: Parameters<typeof parquetWriteBuffer>[0]['columnData']) =>
      writeFileSync(join(folder, 'a.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })));
    write([
      { name: 'day', data: [new Date(0), new Date(86_400_000)], type: 'TIMESTAMP' },
      { name: 'id', data: [9007199254740992n, 9007199254740993n], type: 'INT64' },
    ]);
    const { columns } = await loadTable(join(folder, 'a.parquet'));
    expect(columns.map(({ name, values }) => [name, ...values])).toEqual([
      ['day (days)', 0, 1],
      ['day (year)', 1970, 1970],
      ['day (month)', 1, 1],
      ['day (day)', 1, 2],
      ['day (weekday)', 3, 4],
      ['day (hour)', 0, 0],
      ['id', '9007199254740992', '9007199254740993'],
    ]);
    write([{ name: 'list', data: [{ a: 1 }, { a: 2 }], type: 'JSON' }]);
    await expect(loadTable(join(folder, 'a.parquet'))).rejects.toThrow(
      'column "list" that are neither text nor numbers',
    );
  });
});
