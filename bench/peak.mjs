// The arithmetic limit of this machine's WebAssembly: multiply-adds on twelve independent
// accumulators, with no loads at all. What a matrix product can come close to.
//
//   node bench/peak.mjs

import asc from 'assemblyscript/asc';

const accumulators = Array.from({ length: 12 }, (_, i) => `c${i}`);
const source = (relaxed) => `
export function run(n: i32, x: f32, y: f32): f32 {
  const a = f32x4.splat(x);
  const b = f32x4.splat(y);
  ${accumulators.map((c, i) => `let ${c} = f32x4.splat(${i});`).join('\n  ')}
  for (let i = 0; i < n; i++) {
    ${accumulators.map((c) => `${c} = ${relaxed ? `f32x4.relaxed_madd(a, ${c}, b)` : `f32x4.add(f32x4.mul(a, ${c}), b)`};`).join('\n    ')}
  }
  return f32x4.extract_lane(${accumulators.reduce((sum, c) => `f32x4.add(${sum}, ${c})`)}, 0);
}`;

async function compile(relaxed) {
  let binary;
  const options = ['-O3', '--runtime', 'stub', '--enable', 'simd', ...(relaxed ? ['--enable', 'relaxed-simd'] : [])];
  const { error, stderr } = await asc.main(['peak.ts', '--outFile', 'peak.wasm', ...options], {
    readFile: (name) => (name === 'peak.ts' ? source(relaxed) : null),
    writeFile: (_name, contents) => {
      binary = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(stderr.toString());
  return binary;
}

for (const relaxed of [false, true]) {
  const binary = await compile(relaxed);
  const label = relaxed ? 'fused multiply-add' : 'multiply, then add';
  if (!WebAssembly.validate(binary)) {
    console.log(`${label}: not on node ${process.version}`);
    continue;
  }
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports;
  const turns = 2_000_000;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 30; round++) {
    const start = performance.now();
    run(turns, 1.0000001, 1e-9);
    best = Math.min(best, performance.now() - start);
  }
  const gflops = (turns * accumulators.length * 4 * 2) / best / 1e6;
  console.log(`${label}: ${gflops.toFixed(1)} GFLOP/s a thread (node ${process.version})`);
}
