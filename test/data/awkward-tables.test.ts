// Tables as spreadsheets, databases and other programs write them, each with what it must be read
// as, or the error that it must give.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { type ColumnTable, columnsOf, type ReadingOptions, readCsv } from '../../src/data/index.js';
import { loadTable } from '../../src/data/node.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-awkward-'));

/** Values by column, gaps as null. */
function valuesOf({ columns }: ColumnTable): Record<string, (string | number | null)[]> {
  return Object.fromEntries(
    columns.map(({ name, values }) => [
      name,
      Array.from(values as ArrayLike<string | number | undefined>, (value) =>
        value === undefined || Number.isNaN(value) ? null : value,
      ),
    ]),
  );
}

type Expected = Record<string, (string | number | null)[]>;
type Form = readonly [title: string, text: string, expected: Expected | string, options?: ReadingOptions];

/** The columns of a date d: days since 1970, year, month, day, weekday and hour of each row. */
function dates(...rows: readonly (readonly [number, number, number, number, number, number] | null)[]): Expected {
  const parts = ['days', 'year', 'month', 'day', 'weekday', 'hour'];
  return Object.fromEntries(parts.map((part, i) => [`d (${part})`, rows.map((row) => row?.[i] ?? null)]));
}

const forms: readonly Form[] = [
  ['commas', 'a,b\n1,x\n2,y\n', { a: [1, 2], b: ['x', 'y'] }],
  ['semicolons', 'a;b\n1;x\n2;y\n', { a: [1, 2], b: ['x', 'y'] }],
  ['tabs', 'a\tb\n1\tx\n2\ty\n', { a: [1, 2], b: ['x', 'y'] }],
  ['bars', 'a|b\n1|x\n2|y\n', { a: [1, 2], b: ['x', 'y'] }],
  ['semicolons, commas in the header', '"a, b";c\n1;x\n2;y\n', { 'a, b': [1, 2], c: ['x', 'y'] }],
  ['commas in texts between semicolons', 'a;b\nx, y;1\nz, w;2\n', { a: ['x, y', 'z, w'], b: [1, 2] }],
  ['a semicolon in one header of commas', 'a;b,c\n1,x\n2,y\n', { 'a;b': [1, 2], c: ['x', 'y'] }],
  ['quotes around separators and line breaks', 'a,b\n"x,1",1\n"y\nz",2\n', { a: ['x,1', 'y\nz'], b: [1, 2] }],
  ['doubled quotes', 'a,b\n"say ""hi""",1\n', { a: ['say "hi"'], b: [1] }],
  ['quoted numbers', 'a,b\n"1","2.5"\n"3","4.5"\n', { a: [1, 3], b: [2.5, 4.5] }],
  ['carriage returns', 'a,b\r\n1,x\r\n2,y\r\n', { a: [1, 2], b: ['x', 'y'] }],
  ['an old Macintosh', 'a,b\r1,x\r2,y\r', { a: [1, 2], b: ['x', 'y'] }],
  ['no line break at the end', 'a,b\n1,x\n2,y', { a: [1, 2], b: ['x', 'y'] }],
  ['empty lines', '\n\na,b\n\n1,x\n\n2,y\n\n', { a: [1, 2], b: ['x', 'y'] }],
  ['spaces around fields', ' a , b \n 1 , x \n', { a: [1], b: ['x'] }],
  ['a byte order mark', '\uFEFFa,b\n1,x\n', { a: [1], b: ['x'] }],
  ['a trailing empty cell', 'a,b\n1,\n2,x\n', { a: [1, 2], b: [null, 'x'] }],
  ['a separator behind every line', 'a,b,\n1,x,\n2,y,\n', { a: [1, 2], b: ['x', 'y'], 'column 3': [null, null] }],
  ['an index without a name', ',a\n0,5\n1,6\n', { 'column 1': [0, 1], a: [5, 6] }],
  ['one column', 'a\n1\n2\n', { a: [1, 2] }],
  ['a line that is too long', 'a,b\n1,2\n1,2,3\n', 'line 3 has 3 fields, the header 2'],
  ['a line that is too short', 'a,b\n1,2\n1\n', 'line 3 has 1 fields, the header 2'],
  ['two columns of one name', 'a,a\n1,2\n', 'two columns named "a"'],
  ['decimal commas', 'a;b\n1,5;x\n2,25;y\n', { a: [1.5, 2.25], b: ['x', 'y'] }],
  ['decimal commas in quotes', 'a,b\n"1,5",x\n"-2,25",y\n', { a: [1.5, -2.25], b: ['x', 'y'] }],
  ['decimal commas and points of thousands', 'a;b\n1.234,5;x\n2.000.000;y\n', { a: [1234.5, 2e6], b: ['x', 'y'] }],
  ['three decimals behind a comma, proven', 'a;b\n1,234;x\n0,5;y\n', { a: [1.234, 0.5], b: ['x', 'y'] }],
  ['a zero before the comma proves decimals', 'a;b\n0,234;x\n1,234;y\n', { a: [0.234, 1.234], b: ['x', 'y'] }],
  ['three digits, proven by another column', 'a;b\n1,234;0,5\n2,345;1,5\n', { a: [1.234, 2.345], b: [0.5, 1.5] }],
  [
    'a point and three digits where commas are decimal',
    'a;b\n1.234;0,5\n2.345;1,5\n',
    { a: [1234, 2345], b: [0.5, 1.5] },
  ],
  ['a point and three digits elsewhere', 'a,b\n1.234,x\n2.345,y\n', { a: [1.234, 2.345], b: ['x', 'y'] }],
  ['commas of thousands', 'a;b\n1,234.5;x\n2,000,000;y\n', { a: [1234.5, 2e6], b: ['x', 'y'] }],
  ['commas of thousands, proven by another column', 'a;b\n1,234;0.5\n2,345;1.5\n', { a: [1234, 2345], b: [0.5, 1.5] }],
  ['a comma that may be either', 'a;b\n1,234;x\n2,345;y\n', 'column "a" may hold thousands or decimals ("1,234")'],
  ['said to be decimals', 'a;b\n1,234;x\n2,345;y\n', { a: [1.234, 2.345], b: ['x', 'y'] }, { decimal: ',' }],
  ['said to be thousands', 'a;b\n1,234;x\n2,345;y\n', { a: [1234, 2345], b: ['x', 'y'] }, { decimal: '.' }],
  ['points and commas in one column', 'a;b\n1.5;x\n2,5;y\n', { a: ['1.5', '2,5'], b: ['x', 'y'] }],
  ['spaces of thousands', 'a;b\n1 234,5;x\n12 345;y\n', { a: [1234.5, 12345], b: ['x', 'y'] }],
  ['narrow spaces of thousands', 'a;b\n1\u202f234;x\n12\u00a0345;y\n', { a: [1234, 12345], b: ['x', 'y'] }],
  ['apostrophes of thousands', "a;b\n1'234.5;x\n12’345;y\n", { a: [1234.5, 12345], b: ['x', 'y'] }],
  ['percentages', 'a,b\n12.5%,x\n50 %,y\n', { a: [0.125, 0.5], b: ['x', 'y'] }],
  ['percentages among other numbers', 'a,b\n50%,x\n50,y\n', { a: ['50%', '50'], b: ['x', 'y'] }],
  ['dollars', 'a,b\n"$1,234.50",x\n-$5,y\n', { a: [1234.5, -5], b: ['x', 'y'] }],
  ['euros', 'a;b\n1.234,50 €;x\n5 €;y\n', { a: [1234.5, 5], b: ['x', 'y'] }],
  ['several currencies', 'a,b\n$5,x\n€6,y\n', { a: ['$5', '€6'], b: ['x', 'y'] }],
  ['negative in parentheses', 'a,b\n(5.5),x\n7,y\n', { a: [-5.5, 7], b: ['x', 'y'] }],
  ['a minus of typography', 'a,b\n−5,x\n7,y\n', { a: [-5, 7], b: ['x', 'y'] }],
  ['exponents', 'a,b\n1e3,x\n-2.5E-2,y\n', { a: [1000, -0.025], b: ['x', 'y'] }],
  ['infinities and errors of Excel', 'a,b\n1,x\ninf,y\n#DIV/0!,z\n', { a: [1, null, null], b: ['x', 'y', 'z'] }],
  ['gaps of many spellings', 'a\n1\nNA\n#N/A\nnull\n-\n.\n?\n2\n', { a: [1, null, null, null, null, null, null, 2] }],
  ['a word among fifty numbers', `a\n${'5\n'.repeat(50)}see note\n`, { a: [...Array(50).fill(5), null] }],
  ['words among few numbers', 'a\n1\n2\nmany\n', { a: ['1', '2', 'many'] }],
  ['codes with zeros in front', 'a,b\n01234,x\n56789,y\n', { a: ['01234', '56789'], b: ['x', 'y'] }],
  ['zeros and decimals are numbers', 'a,b\n0,x\n0.5,y\n', { a: [0, 0.5], b: ['x', 'y'] }],
  ['numbers beyond double precision', 'a\n9007199254740993\n5\n', { a: ['9007199254740993', '5'] }],
  ['hexadecimal is text', 'a\n0x10\n0x11\n', { a: ['0x10', '0x11'] }],
  ['true and false', 'a\ntrue\nfalse\n', { a: ['true', 'false'] }],
  ['a column without values', 'a,b\n,x\n,y\n', { a: [null, null], b: ['x', 'y'] }],
  ['dates in ISO 8601', 'd\n2024-02-29\n2024-03-01\n', dates([19782, 2024, 2, 29, 3, 0], [19783, 2024, 3, 1, 4, 0])],
  [
    'dates with times and zones',
    'd\n2024-02-29T12:00:00Z\n2024-02-29 14:00:00+02:00\n',
    dates([19782.5, 2024, 2, 29, 3, 12], [19782.5, 2024, 2, 29, 3, 12]),
  ],
  ['dates with points', 'd\n1.2.2024\n29.02.2024\n', dates([19754, 2024, 2, 1, 3, 0], [19782, 2024, 2, 29, 3, 0])],
  [
    'dates of which one has the day first',
    'd\n1/2/2024\n29/2/2024\n',
    dates([19754, 2024, 2, 1, 3, 0], [19782, 2024, 2, 29, 3, 0]),
  ],
  [
    'dates of which one has the month first',
    'd\n2/1/2024\n2/29/2024\n',
    dates([19754, 2024, 2, 1, 3, 0], [19782, 2024, 2, 29, 3, 0]),
  ],
  ['dates that may be either', 'd\n1/2/2024\n3/4/2024\n', { d: ['1/2/2024', '3/4/2024'] }],
  [
    'dates with names of months, and a gap',
    'd\n5 May 2024\nNA\n"May 6, 2024"\n',
    dates([19848, 2024, 5, 5, 6, 0], null, [19849, 2024, 5, 6, 0, 0]),
  ],
  ['a day that does not exist', 'd\n2024-02-30\n2024-03-01\n', { d: ['2024-02-30', '2024-03-01'] }],
  ['a class called none', 'a,t\n1,none\n2,some\n', { a: [1, 2], t: ['none', 'some'] }, { target: 't' }],
  ['none elsewhere', 'a,t\nnone,x\nsome,y\n', { a: [null, 'some'], t: ['x', 'y'] }, { target: 't' }],
];

test.each(forms.map(([title, ...form]) => ({ title, form })))('$title', ({ form }) => {
  const [text, expected, options] = form;
  if (typeof expected === 'string') expect(() => columnsOf(readCsv(text), options)).toThrow(expected);
  else expect(valuesOf(columnsOf(readCsv(text), options))).toEqual(expected);
});

test('columns of any number of different texts, with gaps', () => {
  const rows = Array.from({ length: 150_000 }, (_, i) =>
    i % 11 === 0 ? ['', '', ''] : [`s${i % 300}`, `t${i % 70_000}`, `a text of many letters ${i}`],
  );
  const { columns } = columnsOf({ columns: ['few', 'more', 'all'], rows });
  for (const [c, { values }] of columns.entries())
    expect(rows.findIndex((row, i) => (row[c] || undefined) !== values[i])).toBe(-1);
});

describe('files', () => {
  const written = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const expected = { name: ['é', 'ß'], x: [1.5, 2] };
  const text = 'name;x\né;1,5\nß;2\n';

  test('text in UTF-8, UTF-16 of both orders and Windows-1252, which is noted', async () => {
    expect(valuesOf(await loadTable(written('a.csv', text)))).toEqual(expected);
    const little = Buffer.from(`\uFEFF${text}`, 'utf16le');
    expect(valuesOf(await loadTable(written('little.csv', little)))).toEqual(expected);
    expect(valuesOf(await loadTable(written('big.csv', Buffer.from(little).swap16())))).toEqual(expected);
    const latin = await loadTable(written('latin.csv', Buffer.from(text, 'latin1')));
    expect(valuesOf(latin)).toEqual(expected);
    expect(latin.notes?.map(({ text: note }) => note).join()).toContain('Windows-1252');
  });

  test('UTF-16 without a byte order mark, and zero bytes that are no text', async () => {
    const little = Buffer.from(text, 'utf16le');
    expect(valuesOf(await loadTable(written('little-bare.csv', little)))).toEqual(expected);
    expect(valuesOf(await loadTable(written('big-bare.csv', Buffer.from(little).swap16())))).toEqual(expected);
    // The first character of this one takes both bytes.
    const cyrillic = Buffer.from('\u0438,x\na,1\n', 'utf16le');
    await expect(loadTable(written('cyrillic.csv', cyrillic))).rejects.toThrow('zero bytes');
    await expect(loadTable(written('zeros.csv', 'a,b\n1,x\0\n'))).rejects.toThrow('holds zero bytes: it is no text');
  });

  test('a delimiter that is given', async () => {
    const path = written('tilde.csv', 'a~b\n1~x\n');
    expect(valuesOf(await loadTable(path, { delimiter: '~' }))).toEqual({ a: [1], b: ['x'] });
    expect(valuesOf(await loadTable(path))).toEqual({ 'a~b': ['1~x'] });
  });

  test('gzip, JSON lines and arrays of JSON', async () => {
    expect(valuesOf(await loadTable(written('a.csv.gz', gzipSync(Buffer.from(text)))))).toEqual(expected);
    const rows = [
      { a: 1, b: 'x', c: '007' },
      { a: null, b: 'y', c: '008', d: true },
    ];
    const table = { a: [1, null], b: ['x', 'y'], c: ['007', '008'], d: [null, 'true'] };
    expect(valuesOf(await loadTable(written('a.json', JSON.stringify(rows))))).toEqual(table);
    const lines = rows.map((row) => JSON.stringify(row)).join('\n');
    expect(valuesOf(await loadTable(written('a.jsonl', lines)))).toEqual(table);
    await expect(loadTable(written('bad.jsonl', '{"a":1}\n{"a":[1]}\n'))).rejects.toThrow('line 2: "a" holds a nested');
    await expect(loadTable(written('cut.jsonl', '{"a":1}\n{"a":\n'))).rejects.toThrow('line 2 is not JSON');
  });

  test('a piece of text may end anywhere', async () => {
    const rows = Array.from({ length: 400_000 }, (_, i) => `${i},"line ${i}\nof, two ""parts""",${i % 7}.5`);
    const { rows: count, columns } = await loadTable(written('long.csv', `i,text,x\n${rows.join('\n')}\n`));
    expect(count).toBe(400_000);
    const [i, words, x] = columns.map(({ values }) => values);
    const wrong = Array.from(rows.keys()).filter(
      (row) => i?.[row] !== row || words?.[row] !== `line ${row}\nof, two "parts"` || x?.[row] !== (row % 7) + 0.5,
    );
    expect(wrong).toEqual([]);
  });

  test('a character at the end of a piece is whole, and a mark of order within a text stays', async () => {
    const words = ['\uFEFF', '€', '😀é'].map((word, i) => `${'x'.repeat(i + 1)}${word.repeat(300_000)}x`);
    const table = await loadTable(written('cut-characters.csv', `a\n${words.join('\n')}\n`));
    expect(valuesOf(table)).toEqual({ a: words });
  });

  test('Excel: numbers, texts, gaps; a damaged file is refused', async () => {
    const cell = (value: string | number) =>
      typeof value === 'number' ? `<c><v>${value}</v></c>` : `<c t="inlineStr"><is><t>${value}</t></is></c>`;
    const sheet = [
      ['a', 'b'],
      [1.5, 'x'],
      [2, '007'],
    ].map(
      (row, r) =>
        `<row r="${r + 1}">${row.map((value, c) => cell(value).replace('<c', `<c r="${'AB'[c]}${r + 1}"`)).join('')}</row>`,
    );
    const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
    const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
    const packages = 'http://schemas.openxmlformats.org/package/2006';
    const files = {
      '[Content_Types].xml': `<Types xmlns="${packages}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`,
      '_rels/.rels': `<Relationships xmlns="${packages}/relationships"><Relationship Id="r1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
      'xl/workbook.xml': `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>`,
      'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${packages}/relationships"><Relationship Id="r1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
      'xl/worksheets/sheet1.xml': `<worksheet xmlns="${main}"><sheetData>${sheet.join('')}</sheetData></worksheet>`,
    };
    const archive = zipSync(Object.fromEntries(Object.entries(files).map(([name, xml]) => [name, Buffer.from(xml)])));
    const path = written('a.xlsx', archive);
    expect(valuesOf(await loadTable(path))).toEqual({ a: [1.5, 2], b: ['x', '007'] });
    await expect(loadTable(path, { sheet: 'Two' })).rejects.toThrow('a.xlsx" cannot be read as an Excel file');
    await expect(loadTable(written('cut.xlsx', archive.slice(0, 300)))).rejects.toThrow('cannot be read as an Excel');
  });

  test('SQLite: the only table, or one that is named; 64-bit integers are exact', async () => {
    const { default: open } = await import('sql.js');
    const { Database } = await open();
    const database = new Database();
    database.run('create table one (id integer, x real, t text)');
    database.run("insert into one values (9007199254740993, 1.5, 'a'), (2, null, 'b')");
    const path = written('a.sqlite', database.export());
    expect(valuesOf(await loadTable(path))).toEqual({ id: ['9007199254740993', '2'], x: [1.5, null], t: ['a', 'b'] });
    database.run('create table two (a)');
    const two = written('two.db', database.export());
    await expect(loadTable(two)).rejects.toThrow('its tables are one, two: name one');
    expect((await loadTable(two, { sheet: 'one' })).rows).toBe(2);
    await expect(loadTable(written('no.db', 'text'))).rejects.toThrow('no.db" cannot be read as an SQLite database');
  });

  test('standard input', () => {
    const script = `const { loadTable } = await import(${JSON.stringify(new URL('../../dist/data/node.js', import.meta.url).href)});
      const { rows, columns } = await loadTable('-'); console.log(rows, columns.map(({ name }) => name).join());`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      input: text,
      encoding: 'utf8',
    });
    expect(out.trim()).toBe('2 name,x');
  });
});
