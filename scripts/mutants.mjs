// Mutation tests: changes to the code that the named tests must notice. See CONTRIBUTING.md.
//
// npm run mutants [<system or family>…] -- [--fast] [--list] [--name <words>] [--jobs <n>] [--tested]
//
// test/mutants/<family>.json is a list of { system, name, file, text, replacement, tests, fast? }:
// `text` stands exactly once in `file`; with `replacement` in its place at least one of the test
// files `tests` must fail. `fast` marks those that CI runs; `--name` takes those whose name or file
// holds the words. The changes are made in copies of the working tree, one for each of the jobs,
// which work side by side. First the named tests must pass there unchanged, but for `--tested`,
// which says that they just did. Prints each mutant as killed or survived and exits with 1 if one
// survived or could not be applied.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
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
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lists = join(root, 'test/mutants');

/** Every mutant of the lists, with its family. */
export function mutants() {
  return readdirSync(lists)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .flatMap((file) =>
      JSON.parse(readFileSync(join(lists, file), 'utf8')).map((mutant) => ({ family: file.slice(0, -5), ...mutant })),
    );
}

/** `source` with the mutant's replacement in it. @throws where the text does not stand once. */
export function mutated({ name, file, text, replacement }, source) {
  const parts = source.split(text);
  if (parts.length !== 2)
    throw new Error(`mutant "${name}": ${file} holds its text ${parts.length - 1} times; it must stand there once`);
  if (text === replacement) throw new Error(`mutant "${name}" changes nothing`);
  return parts.join(replacement);
}

/** A copy of the working tree, ignored files aside, that can run tests. */
function copyOfTree() {
  const copy = mkdtempSync(join(tmpdir(), 'gossamer-mutants-'));
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  for (const file of new Set(stdout.split('\0').filter((name) => name && existsSync(join(root, name))))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  cpSync(join(root, 'src/engine/generated'), join(copy, 'src/engine/generated'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Runs test files in the copy; `collected` is false where a file could not even be loaded. */
async function runTests(copy, tests) {
  const report = join(copy, 'mutant-report.json');
  rmSync(report, { force: true });
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...tests, '--bail=1', '--reporter=json', `--outputFile=${report}`],
    { cwd: copy, timeout: 600_000, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  const failures =
    results?.testResults.flatMap((file) => file.assertionResults.filter((t) => t.status === 'failed')) ?? [];
  const broken = results?.testResults.find((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return {
    passed: status === 0 && results.numPassedTests > 0,
    failure: failures[0]?.fullName,
    broken:
      broken?.message ?? (results ? undefined : stderr.trim().split('\n').at(-1) || 'the tests ended without a report'),
  };
}

/** Makes the kernels of the copy anew. @returns what went wrong, if anything did */
function buildKernels(copy) {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build-kernels.mjs'], {
    cwd: copy,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `the kernels do not compile: ${stderr.trim().split('\n')[0]}`;
}

/** Applies one mutant in the copy and runs its tests. */
async function judge(copy, mutant) {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, 'utf8');
  const kernel = mutant.file.startsWith('kernels/');
  try {
    writeFileSync(path, mutated(mutant, source));
    const unbuilt = kernel ? buildKernels(copy) : undefined;
    return unbuilt ? { broken: unbuilt } : await runTests(copy, mutant.tests);
  } finally {
    writeFileSync(path, source);
    if (kernel) buildKernels(copy);
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      fast: { type: 'boolean' },
      list: { type: 'boolean' },
      name: { type: 'string', default: '' },
      jobs: { type: 'string', default: '1' },
      tested: { type: 'boolean' },
    },
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs: expected a number from 1, got "${values.jobs}"`);
  const all = mutants();
  for (const name of positionals)
    if (!all.some(({ system, family }) => [system, family].includes(name)))
      throw new Error(
        `no mutant of "${name}"; there are some of ${[...new Set(all.map(({ system }) => system))].join(', ')}`,
      );
  const chosen = all.filter(
    ({ system, family, fast, name, file }) =>
      (positionals.length === 0 || positionals.includes(system) || positionals.includes(family)) &&
      (!values.fast || fast) &&
      `${name} ${file}`.includes(values.name),
  );
  if (chosen.length === 0) throw new Error(`no mutant of these has "${values.name}" in its name or file`);
  if (values.list) return chosen.forEach(({ system, name, file }) => void console.log(`${system}: ${name} (${file})`));
  const copies = Array.from({ length: Math.min(jobs, chosen.length) }, copyOfTree);
  try {
    if (!values.tested) await mustPass(copies[0], [...new Set(chosen.flatMap((mutant) => mutant.tests))]);
    const waiting = chosen.values();
    let killed = 0;
    await Promise.all(
      copies.map(async (copy) => {
        for (const mutant of waiting) {
          const { failure, broken } = await judge(copy, mutant);
          const verdict = broken ? `not applicable: ${broken}` : failure ? `killed by "${failure}"` : 'SURVIVED';
          console.log(`${mutant.system}: ${mutant.name}: ${verdict}`);
          if (failure && !broken) killed++;
        }
      }),
    );
    console.log(`${killed} of ${chosen.length} mutants killed`);
    if (killed < chosen.length) process.exitCode = 1;
  } finally {
    for (const copy of copies) rmSync(copy, { recursive: true, force: true });
  }
}

/** @throws where a test fails without a mutant. */
async function mustPass(copy, tests) {
  const { passed, failure, broken } = await runTests(copy, tests);
  if (!passed) throw new Error(`the unchanged code fails these tests: ${failure ?? broken ?? tests.join(', ')}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await main();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
