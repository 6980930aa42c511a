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
const levels = { simd: [], relaxed: ['--enable', 'relaxed-simd'] };

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

async function sourceHash() {
  const digest = createHash('sha256')
    .update(asc.version)
    .update(await readFile(fileURLToPath(import.meta.url)));
  for (const name of (await readdir(join(root, 'kernels'))).sort()) {
    if (name.endsWith('.ts')) digest.update(name).update(await readFile(join(root, 'kernels', name)));
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
