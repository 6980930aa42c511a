// The corpus of awkward files: forms of everyday files, each with the reading that is expected or the
// error that refuses it. docs/files.md counts them by kind; here the cases are counted as the test
// runner collects them.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** A line of the index: a kind, its number of forms, and files of tests, maybe with a suite. */
interface Kind {
  readonly kind: string;
  readonly count: number;
  readonly sources: readonly { readonly file: string; readonly suite: string | undefined }[];
}

/** The index in docs/files.md. */
function indexed(): Kind[] {
  const text = readFileSync(join(root, 'docs/files.md'), 'utf8').split('\n## Awkward files\n')[1] ?? '';
  const rows = text.split('\n## ')[0]?.matchAll(/^\| ([^|]+) \| (\d+) \| ([^|]+) \|$/gm) ?? [];
  return Array.from(rows, ([, kind = '', count, tests = '']) => ({
    kind,
    count: Number(count),
    sources: Array.from(tests.matchAll(/`([^`]+\.test\.ts)`(?: \(“([^”]+)”\))?/g), ([, file = '', suite]) => ({
      file: `test/data/${file}`,
      suite,
    })),
  }));
}

/** Full names of the tests of some files, by file, as the runner collects them. */
function collected(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const list = join(mkdtempSync(join(tmpdir(), 'gossamer-corpus-')), 'tests.json');
  const args = ['node_modules/vitest/vitest.mjs', 'list', `--json=${list}`, ...files];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`no tests were collected: ${stderr}`);
  const found = JSON.parse(readFileSync(list, 'utf8')) as { readonly name: string; readonly file: string }[];
  const byFile = new Map<string, string[]>(files.map((file) => [file, []]));
  for (const { name, file } of found) byFile.get(relative(root, file))?.push(name);
  return byFile;
}

/** Titles of the tests of a file that are one case each, and no form of a list. */
function plainTitles(file: string): ReadonlySet<string> {
  const source = readFileSync(join(root, file), 'utf8');
  return new Set(Array.from(source.matchAll(/^\s*test\((['"`])(.*?)\1,/gm), ([, , title = '']) => title));
}

test('docs/files.md counts the forms of the corpus', () => {
  const kinds = indexed();
  const files = [...new Set(kinds.flatMap(({ sources }) => sources.map(({ file }) => file)))];
  expect(files.length).toBeGreaterThan(5);
  const names = collected(files);
  const formsOf = ({ file, suite }: Kind['sources'][number]) => {
    const plain = plainTitles(file);
    return (names.get(file) ?? []).filter(
      (name) =>
        (suite === undefined || name.startsWith(`${suite} > `)) && !plain.has(name.split(' > ').at(-1) as string),
    ).length;
  };
  const counted = kinds.map(({ kind, sources }) => [kind, sources.reduce((sum, source) => sum + formsOf(source), 0)]);
  expect(counted).toEqual(kinds.map(({ kind, count }) => [kind, count]));
  const all = kinds.reduce((sum, { count }) => sum + count, 0);
  expect(all).toBeGreaterThanOrEqual(80);
  expect(readFileSync(join(root, 'docs/files.md'), 'utf8')).toContain(`${all} forms`);
}, 120_000);
