// Compiles kernels/ once per feature level and writes each module as base64 into src/engine/generated/, so that Node,
// bundlers and browsers load it alike. Skips the work when neither the sources nor the compiler have changed.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

await writeDispatch();
const hash = await sourceHash();
for (const [level, options] of Object.entries(levels)) {
  const file = join(target, `${level}.ts`);
  const current = await readFile(file, 'utf8').catch(() => '');
  if (current.startsWith(`// ${hash}\n`)) continue;
  const wasm = await compile([...sharedOptions, ...options]);
  await mkdir(target, { recursive: true });
  await writeFile(file, `// ${hash}\nexport default "${Buffer.from(wasm).toString('base64')}";\n`);
  console.log(`kernels: ${level} ${wasm.length} bytes`);
}

/**
 * Writes the file through which a program calls kernels by number, and the same numbers for TypeScript: every exported kernel that takes a range. A kernel's arguments lie in memory, 4 bytes each; its signature says what
 * they are: u an offset, i an integer, f a float.
 */
async function writeDispatch() {
  const index = await readFile(join(root, 'kernels/index.ts'), 'utf8');
  const exported = new Map();
  for (const [, names, file] of index.matchAll(/export \{([^}]*)\} from "\.\/([\w-]+)"/g))
    for (const entry of names.split(',')) {
      const [inner, outer] = entry.trim().split(' as ');
      exported.set(`${file}/${inner}`, outer ?? inner);
    }
  const kinds = { usize: 'u', i32: 'i', f32: 'f' };
  const loads = { u: '<usize>load<u32>', i: 'load<i32>', f: 'load<f32>' };
  const kernels = [];
  for (const name of (await readdir(join(root, 'kernels'))).sort()) {
    const file = name.replace(/\.ts$/, '');
    if (!name.endsWith('.ts') || name === DISPATCH || name === 'program.ts') continue;
    const text = await readFile(join(root, 'kernels', name), 'utf8');
    for (const [, inner, list] of text.matchAll(/export function (\w+)\(([^)]*)\): void/g)) {
      const types = list
        .split(',')
        .flatMap((parameter) => (parameter.includes(':') ? [parameter.split(':')[1].trim()] : []));
      const outer =
        exported.get(`${file}/${inner}`) ?? (index.includes(`export * from "./${file}"`) ? inner : undefined);
      if (!outer || types.slice(-2).join() !== 'i32,i32' || !/begin: i32,\s*end: i32,?\s*$/.test(list)) continue;
      kernels.push({
        file,
        inner,
        outer,
        signature: types
          .slice(0, -2)
          .map((type) => kinds[type])
          .join(''),
      });
    }
  }
  const imports = group(kernels);
  const source = [
    '// Made by scripts/build-kernels.mjs: calls kernels by number.',
    ...[...imports].map(([file, list]) => `import { ${list.map(({ inner }) => inner).join(', ')} } from "./${file}";`),
    'export function callKernel(id: i32, a: usize, begin: i32, end: i32): void {',
    '  switch (id) {',
    ...kernels.map(({ inner, signature }, id) => {
      const args = [...signature].map((kind, at) => `${loads[kind]}(a, ${4 * at}), `).join('');
      return `    case ${id}: ${inner}(${args}begin, end); break;`;
    }),
    '  }',
    '}',
  ].join('\n');
  const table = kernels.map(({ outer, signature }) => `  ['${outer}', '${signature}'],`).join('\n');
  await writeChanged(join(root, 'kernels', DISPATCH), `${source}\n`);
  await mkdir(target, { recursive: true });
  await writeChanged(
    join(target, 'signatures.ts'),
    `/** Kernels that a program can call, in the order of their numbers: name and arguments. */\nexport const signatures: readonly (readonly [name: string, args: string])[] = [\n${table}\n];\n`,
  );
}

function group(kernels) {
  const files = new Map();
  for (const kernel of kernels) files.set(kernel.file, [...(files.get(kernel.file) ?? []), kernel]);
  return files;
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
  return binary;
}
