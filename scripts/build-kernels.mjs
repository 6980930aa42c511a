// Compiles kernels/ once per feature level and writes each module, deflated, as base64 into
// src/engine/generated/, so that Node, bundlers and browsers load it alike. Skips the work when
// neither the sources nor the compiler have changed. From the kernels' signatures it writes what
// calls them by name and by number: src/engine/generated/arguments.ts for TypeScript and
// kernels/dispatch.ts for programs.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import asc from 'assemblyscript/asc';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'src/engine/generated');
const sharedOptions = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--use',
  'abort=',
  '--disableWarning',
  '201',
  '--importMemory',
  '--sharedMemory',
  '--initialMemory',
  '16',
  '--maximumMemory',
  '65536',
  '--enable',
  'simd',
  '--enable',
  'threads',
  '--enable',
  'bulk-memory',
];
const DISPATCH = 'dispatch.ts';
const levels = { simd: [], relaxed: ['--enable', 'relaxed-simd'] };

/**
 * What a parameter's type means: its letter in a signature, how a program loads it, and what
 * TypeScript gives.
 */
const kinds = {
  usize: { letter: 'u', load: '<usize>load<u32>', type: 'Region' },
  Optional: { letter: 'u', load: '<usize>load<u32>', type: 'Region | null' },
  i32: { letter: 'i', load: 'load<i32>', type: 'number' },
  f32: { letter: 'f', load: 'load<f32>', type: 'number' },
};

const kernels = await readKernels();
await mkdir(target, { recursive: true });
await writeChanged(join(root, 'kernels', DISPATCH), dispatchSource(kernels));
await writeChanged(join(target, 'arguments.ts'), argumentsSource(kernels));
const hash = await sourceHash();
for (const [level, options] of Object.entries(levels)) {
  const file = join(target, `${level}.ts`);
  const current = await readFile(file, 'utf8').catch(() => '');
  if (current.startsWith(`// ${hash}\n`)) continue;
  const wasm = await compile([...sharedOptions, ...options]);
  await writeFile(file, `// ${hash}\nexport default "${deflateSync(wasm, { level: 9 }).toString('base64')}";\n`);
  console.log(`kernels: ${level} ${wasm.length} bytes`);
}

/**
 * Every exported kernel that takes a range, in the order of its number: the file, its names in the
 * file and outside, and its parameters without the range.
 */
async function readKernels() {
  const outerNames = await exportedNames();
  const found = [];
  for (const name of (await readdir(join(root, 'kernels'))).sort()) {
    const file = name.replace(/\.ts$/, '');
    if (!name.endsWith('.ts') || name === DISPATCH || name === 'program.ts') continue;
    const text = await readFile(join(root, 'kernels', name), 'utf8');
    for (const [, inner, list] of text.matchAll(/export function (\w+)\(([^)]*)\): void/g)) {
      const outer = outerNames(file, inner);
      if (!outer || !/begin: i32,\s*end: i32,?\s*$/.test(list)) continue;
      const parameters = [...list.matchAll(/(\w+): (\w+)/g)].map(([, parameter, type]) => {
        const kind = kinds[type];
        if (!kind) throw new Error(`kernels/${name}: ${inner} takes ${parameter}: ${type}, which no caller can give`);
        return { name: parameter, ...kind };
      });
      found.push({ file, inner, outer, parameters: parameters.slice(0, -2) });
    }
  }
  return found;
}

/**
 * The name under which kernels/index.ts exports a function of a file; undefined for one that it
 * keeps.
 */
async function exportedNames() {
  const index = await readFile(join(root, 'kernels/index.ts'), 'utf8');
  const exported = new Map();
  for (const [, names, file] of index.matchAll(/export \{([^}]*)\} from "\.\/([\w-]+)"/g))
    for (const entry of names.split(',')) {
      const [inner, outer] = entry.trim().split(' as ');
      exported.set(`${file}/${inner}`, outer ?? inner);
    }
  const whole = new Set([...index.matchAll(/export \* from "\.\/([\w-]+)"/g)].map(([, file]) => file));
  return (file, inner) => exported.get(`${file}/${inner}`) ?? (whole.has(file) ? inner : undefined);
}

/**
 * The file through which a program calls kernels by number. A kernel's arguments lie in memory, 4
 * bytes each.
 */
function dispatchSource(kernels) {
  const files = grouped(kernels, ({ file }) => file);
  return `${[
    '// Made by scripts/build-kernels.mjs: calls kernels by number.',
    ...[...files].map(([file, list]) => `import { ${list.map(({ inner }) => inner).join(', ')} } from "./${file}";`),
    'export function callKernel(id: i32, a: usize, begin: i32, end: i32): void {',
    '  switch (id) {',
    ...kernels.map(({ inner, parameters }, id) => {
      const args = parameters.map(({ load }, at) => `${load}(a, ${4 * at}), `).join('');
      return `    case ${id}: ${inner}(${args}begin, end); break;`;
    }),
    '  }',
    '}',
  ].join('\n')}\n`;
}

/**
 * The types of the kernels' arguments, the functions that put named arguments into a kernel's order
 * (one for all kernels whose parameters are alike), and the signatures.
 */
function argumentsSource(kernels) {
  const groups = grouped(kernels, ({ parameters }) => JSON.stringify(parameters));
  const packerNames = new Map(
    [...groups.values()].flatMap((alike) => alike.map(({ outer }) => [outer, alike[0].outer])),
  );
  return `${[
    '// Made by scripts/build-kernels.mjs from the signatures in kernels/.',
    '',
    "import type { Region } from '../region.js';",
    '',
    '/** Arguments of each kernel by name, without the range of its loop. */',
    'export interface KernelArguments {',
    ...kernels.map(({ outer, parameters }) => {
      const fields = parameters.map(({ name, type }) => `    readonly ${name}: ${type};`);
      return [`  readonly ${outer}: {`, ...fields, '  };'].join('\n');
    }),
    '}',
    '',
    '/** Where a region lies; 0 for null. */',
    'export type AddressOf = (region: Region | null) => number;',
    '',
    ...[...groups.values()].map(([first]) => packerSource(first)),
    '',
    '/** Puts the named arguments of a kernel into the order of its parameters. */',
    'export const packers: {',
    '  readonly [Name in keyof KernelArguments]: (args: KernelArguments[Name], at: AddressOf) => number[];',
    '} = {',
    ...kernels.map(({ outer }) => `  ${outer}: ${packerName(packerNames.get(outer))},`),
    '};',
    '',
    '/** Kernels in the order of their numbers in a program, with a letter an argument: u address, i integer, f float. */',
    'export const signatures: readonly (readonly [name: keyof KernelArguments, kinds: string])[] = [',
    ...kernels.map(({ outer, parameters }) => `  ['${outer}', '${parameters.map(({ letter }) => letter).join('')}'],`),
    '];',
  ].join('\n')}\n`;
}

function packerName(kernel) {
  return `pack${kernel[0].toUpperCase()}${kernel.slice(1)}`;
}

function packerSource({ outer, parameters }) {
  const values = parameters.map(({ name, letter }) => (letter === 'u' ? `at(args.${name})` : `args.${name}`));
  return `const ${packerName(outer)} = (args: KernelArguments['${outer}'], at: AddressOf): number[] => [${values.join(', ')}];`;
}

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

async function writeChanged(path, text) {
  if ((await readFile(path, 'utf8').catch(() => '')) !== text) await writeFile(path, text);
}

async function sourceHash() {
  const digest = createHash('sha256')
    .update(asc.version)
    .update(await readFile(fileURLToPath(import.meta.url)));
  for (const name of (await readdir(join(root, 'kernels'))).sort()) {
    if (name.endsWith('.ts') && name !== DISPATCH)
      digest.update(name).update(await readFile(join(root, 'kernels', name)));
  }
  return digest.digest('hex');
}

async function compile(options) {
  let binary;
  const { error, stderr } = await asc.main(['kernels/index.ts', '--outFile', 'kernels.wasm', ...options], {
    readFile: (name, base) => readFile(join(base === '.' ? root : base, name), 'utf8').catch(() => null),
    listFiles: () => [],
    writeFile: (_name, contents) => {
      binary = contents;
    },
  });
  if (error || !binary) throw new Error(`kernels failed to compile\n${stderr.toString()}`);
  requireNoData(binary);
  return binary;
}

/**
 * Every thread that starts would write a data section over the shared memory in use, where the
 * control block of the pool lies. @throws Error when there is one; `Math.log` and its like bring it
 */
function requireNoData(binary) {
  const DATA = 11;
  for (let at = 8; at < binary.length; ) {
    const section = binary[at++];
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      size += (binary[at] & 127) * 2 ** shift;
      more = binary[at++] > 127;
    }
    if (section === DATA) throw new Error('kernels: a data section; use vector functions of kernels/math.ts, not Math');
    at += size;
  }
}
