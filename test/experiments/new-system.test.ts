// The skeleton that scripts/new-system.mjs makes, and the small system of docs/new-system/ that
// grew from one: both are put into a copy of the repository, compiled, linted, tested and run.

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';
import { insertRecord, newSystem, settingsOf } from '../../scripts/new-system.mjs';
import { runExperiment } from '../../src/experiments/runner/run.js';
import type { SystemRecord } from '../../src/experiments/systems.js';

const root = join(import.meta.dirname, '../..');
const SYSTEMS = 'src/experiments/systems.ts';
const RECORDS = 'src/experiments/records/graph.ts';
const documented = 'docs/new-system';
const documentedFiles = ['src/graph/s2gc.ts', 'src/experiments/graph/s2gc.ts', 'test/graph/s2gc.test.ts'];

/** Links every entry of a folder of the repository but some, which are the copy's own. */
function linkFolder(copy: string, folder: string, own: readonly string[]): void {
  mkdirSync(join(copy, folder), { recursive: true });
  for (const entry of readdirSync(join(root, folder)).filter((name) => !own.includes(name)))
    symlinkSync(join(root, folder, entry), join(copy, folder, entry));
}

/** A folder that reads as the repository and in which files of the family `graph` can be added. */
function copyOfRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), 'gossamer-new-system-'));
  for (const entry of ['node_modules', 'package.json', 'biome.json', 'tsconfig.json'])
    symlinkSync(join(root, entry), join(copy, entry));
  linkFolder(copy, 'src', ['graph', 'experiments']);
  linkFolder(copy, 'src/graph', []);
  linkFolder(copy, 'src/experiments', ['graph', 'records', 'systems.ts']);
  linkFolder(copy, 'src/experiments/records', ['graph.ts']);
  linkFolder(copy, 'src/experiments/graph', []);
  linkFolder(copy, 'test', ['graph']);
  linkFolder(copy, 'test/graph', []);
  for (const path of [SYSTEMS, RECORDS]) copyFileSync(join(root, path), join(copy, path));
  return copy;
}

/** Puts the documented system where its files belong. */
function addDocumented(copy: string): void {
  for (const path of documentedFiles) copyFileSync(join(root, documented, path), join(copy, path));
  const text = readFileSync(join(root, documented, 'src/experiments/records/s2gc.ts'), 'utf8');
  const record = /export const record: SystemRecord = (\{.*\});/s.exec(text)?.[1] ?? '';
  const records = readFileSync(join(copy, RECORDS), 'utf8');
  writeFileSync(join(copy, RECORDS), insertRecord(records, record.replaceAll('\n', '\n  ')));
}

const copy = copyOfRepository();
afterAll(() => rmSync(copy, { recursive: true }));
const made = newSystem(settingsOf('skeleton', { family: 'graph', title: "The skeleton's title" }), copy);
addDocumented(copy);
const { systems }: { systems: readonly SystemRecord[] } = await import(join(copy, SYSTEMS));
const added = [...made, ...documentedFiles];

test('a skeleton is four files, its record the last of its family', () => {
  expect(made).toEqual([
    'src/graph/skeleton.ts',
    'src/experiments/graph/skeleton.ts',
    'test/graph/skeleton.test.ts',
    RECORDS,
  ]);
  const graph = systems.filter(({ family }) => family === 'graph').map(({ slug }) => slug);
  expect(graph.slice(-2)).toEqual(['skeleton', 's2gc']);
  const order = systems.map(({ family }) => family);
  expect(order.filter((family, i) => family !== order[i - 1])).toEqual([...new Set(order)]);
});

test('skeleton and documented system compile under the options of the repository', () => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: added }, ts.sys, copy);
  const program = ts.createProgram(
    added.map((path) => join(copy, path)),
    options,
  );
  const diagnostics = added.flatMap((path) => {
    const source = program.getSourceFile(join(copy, path));
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  const host = {
    getCanonicalFileName: (name: string) => name,
    getCurrentDirectory: () => copy,
    getNewLine: () => '\n',
  };
  expect(ts.formatDiagnostics(diagnostics, host)).toBe('');
}, 120_000);

test('skeleton and documented system pass the linter as they are', () => {
  const { status, stdout, stderr } = spawnSync('node_modules/.bin/biome', ['check', '--error-on-warnings', ...added], {
    cwd: copy,
    encoding: 'utf8',
  });
  expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
});

describe.each(['skeleton', 's2gc'])('%s', (slug) => {
  test('its smoke run computes its claims', async () => {
    const record = systems.find((candidate) => candidate.slug === slug) as SystemRecord;
    const { experiment } = await record.load();
    const [data = ''] = experiment.datasets;
    const titles: string[] = [];
    const started = ({ methods }: { readonly methods: readonly string[] }) => titles.push(...methods);
    const result = await runExperiment(record, { data, seeds: [0], set: [], smoke: true }, { started });
    expect(result.rows.map(({ method }) => method)).toEqual(titles);
    expect(result.claims.map(({ source }) => source)).toContain('abstract');
    expect(result.claims.every(({ value }) => Number.isFinite(value))).toBe(true);
  }, 60_000);
});

// Registers the tests of both systems here.
for (const path of added.filter((file) => file.endsWith('.test.ts'))) await import(join(copy, path));

test('what cannot be made is refused before anything is written', () => {
  const make = (slug: string, given: Record<string, string>) => () => newSystem(settingsOf(slug, given), copy);
  expect(make('My System', { family: 'graph' })).toThrow('lower-case words joined by hyphens');
  expect(make('another', { family: 'trees' })).toThrow('--family: expected one of hypergraph, graph');
  expect(make('another', {})).toThrow('--family: expected one of');
  expect(make('skeleton', { family: 'graph' })).toThrow('there is a system "skeleton" already');
  expect(make('label-propagation', { family: 'graph' })).toThrow(
    'there is a file already: src/graph/label-propagation.ts',
  );
  expect(make('another', { family: 'graph', year: 'last' })).toThrow('--year: expected a year, got "last"');
  expect(make('another', { family: 'graph', class: 'my class' })).toThrow('--class: expected a name such as Another');
});

test('each document of the new system lies where its file would', () => {
  const folder = join(root, documented);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(files.sort()).toEqual([...documentedFiles, 'src/experiments/records/s2gc.ts'].sort());
  expect(files.map((file) => dirname(file)).every((path) => readdirSync(join(root, path)).length > 0)).toBe(true);
});
