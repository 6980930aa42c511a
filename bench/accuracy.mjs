// Largest errors of elementwise functions and reductions against double precision, over the whole
// range of f32. docs/numerics.md quotes its tables.
//
//   npm run build && node bench/accuracy.mjs [--stride 1021] [--markdown]
//
// It runs once for each feature level that this runtime has: on Node 22 and later SIMD and relaxed
// SIMD, on Node 20 SIMD alone.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { columns } from './in-turns.mjs';

const { values: flags } = parseArgs({
  options: {
    stride: { type: 'string', default: '1021' },
    markdown: { type: 'boolean', default: false },
    level: { type: 'string' },
  },
});

function print(results, head, key) {
  const rows = results[0][key].map((first, i) => [
    ...first.slice(0, 2),
    ...results.flatMap((result) => result[key][i].slice(2)),
  ]);
  if (flags.markdown) for (const row of [head, head.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
  else console.log(columns([head, ...rows]));
  console.log();
}

async function measure() {
  const g = await import('../dist/index.js');
  const sparse = await import('../dist/sparse/index.js');
  g.setThreads(1);
  return { functions: elementwise(g), reductions: reductions(g, sparse) };
}

/** Error function and its complement in double precision. */
function erf(x) {
  if (Math.abs(x) > 2.5) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let term = x;
  let total = x;
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

function erfc(x) {
  if (x < 2.5) return 1 - erf(x);
  let fraction = 0;
  for (let k = 80; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** [name, operation, reference, low, high]: the whole range where no bounds are given. */
function functionsOf(g) {
  return [
    ['sqrt', g.sqrt, Math.sqrt, 0],
    ['rsqrt', g.rsqrt, (x) => 1 / Math.sqrt(x), 0],
    ['reciprocal', g.reciprocal, (x) => 1 / x],
    ['x / 3', (x) => g.divide(x, 3), (x) => x / 3],
    ['exp', g.exp, Math.exp],
    ['log', g.log, Math.log, 0],
    ['sin', g.sin, Math.sin],
    ['cos', g.cos, Math.cos],
    ['tanh', g.tanh, Math.tanh],
    ['sigmoid', g.sigmoid, sigmoid, -87],
    ['sigmoid', g.sigmoid, sigmoid, -Infinity, -87],
    ['softplus', g.softplus, softplus, -87],
    ['softplus', g.softplus, softplus, -Infinity, -87],
    ['silu', g.silu, (x) => x * sigmoid(x), -87],
    ['silu', g.silu, (x) => x * sigmoid(x), -Infinity, -87],
    ['elu', g.elu, (x) => (x > 0 ? x : Math.expm1(x))],
    ['erf', g.erf, erf],
    ['gelu', g.gelu, (x) => (x / 2) * (x < 0 ? erfc(-x * Math.SQRT1_2) : 1 + erf(x * Math.SQRT1_2)), -1],
    ['gelu', g.gelu, (x) => (x / 2) * erfc(-x * Math.SQRT1_2), -Infinity, -1],
    ['x^3', (x) => g.power(x, 3), (x) => x ** 3],
    ['x^−2.5', (x) => g.power(x, -2.5), (x) => x ** -2.5, 0],
    ['1.7^x', (x) => g.power(1.7, x), (x) => Math.fround(1.7) ** x],
  ];
}

const floats = new Float32Array(1 << 16);
const patterns = new Uint32Array(floats.buffer);

/** Batches of floats, every `stride`th bit pattern. */
function* batches(stride) {
  let count = 0;
  for (let bits = 0; bits < 2 ** 32; bits += stride) {
    patterns[count++] = bits;
    if (count === floats.length) {
      yield floats;
      count = 0;
    }
  }
  yield floats.subarray(0, count);
}

/** Distance between floats around a value, the smallest normal one's at least. */
function ulp(value) {
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -126) - 23);
}

const LARGEST = 3.4028234663852886e38;

function elementwise(g) {
  const list = functionsOf(g).map(([name, run, reference, low = -Infinity, high = Infinity]) => ({
    name,
    run,
    reference,
    low,
    high,
    worst: 0,
    at: 0,
    absolute: 0,
  }));
  for (const batch of batches(Number(flags.stride)))
    g.scope(() => {
      const x = g.tensor(batch);
      for (const entry of list) {
        const y = entry.run(x).view();
        for (let i = 0; i < batch.length; i++) compare(entry, batch[i], y[i]);
      }
    });
  const show = (value) => (value === -Infinity ? '−∞' : value === Infinity ? '∞' : `${value}`.replace('-', '−'));
  return list.map(({ name, low, high, worst, at, absolute }) => [
    name,
    `${show(low)} … ${show(high)}`,
    worst > 1e6 ? '> 10⁶' : worst.toFixed(2),
    at.toPrecision(4),
    absolute.toExponential(1),
  ]);
}

/** Notes the error of one result; absolute errors count where the result is below 1. */
function compare(entry, x, y) {
  if (!(x > entry.low && x < entry.high) || !Number.isFinite(x)) return;
  const expected = entry.reference(x);
  if (Number.isNaN(expected) && Number.isNaN(y)) return;
  if (Math.abs(expected) > LARGEST && y === Math.sign(expected) * Infinity) return;
  const error = Math.abs(y - expected);
  const units = error === 0 ? 0 : error / ulp(expected);
  if (!(units <= entry.worst)) [entry.worst, entry.at] = [units, x];
  if (Math.abs(expected) < 1) entry.absolute = Math.max(entry.absolute, error);
}

/** Errors of sums in units of ε = 2⁻²⁴ times the sum of magnitudes. */
function reductions(g, { SparseMatrix, spmm, Segments, segmentSum }) {
  const random = new g.Random(7);
  const values = (count, low, high) => Float32Array.from({ length: count }, () => low + (high - low) * random.float());
  const rows = [];
  const report = (name, size, got, terms) => {
    let [exact, magnitude] = [0, 0];
    for (const term of terms) {
      exact += term;
      magnitude += Math.abs(term);
    }
    rows.push([name, size, (Math.abs(got - exact) / magnitude / 2 ** -24).toFixed(2)]);
  };
  for (const n of [1e3, 1e6, 2e7])
    for (const [kind, low] of [
      ['positive', 0],
      ['signed', -1],
    ])
      g.scope(() => {
        const x = values(n, low, 1);
        const size = `${n.toExponential(0).replace('e+', '·10^')}, ${kind}`;
        const flat = g.tensor(x);
        const row = flat.reshape([1, n]);
        report('sum', size, g.sum(flat).item(), x);
        report('sum over rows', size, g.sum(flat.reshape([n, 1]).broadcastTo([n, 2]), 0).view()[1], x);
        report('[1, k]·[k, 1]', size, g.matmul(row, g.ones([n, 1])).item(), x);
        report('[1, k]·[k, 3]', size, g.matmul(row, g.ones([n, 3])).view()[2], x);
        if (n < 2e7) report('[8, k]·[k, 8]', size, g.matmul(row.broadcastTo([8, n]), g.ones([n, 8])).view()[63], x);
        report('segment sum', size, segmentSum(flat, Segments.fromSizes([n])).item(), x);
        const sparse = SparseMatrix.fromDense(g.tensor(x.subarray(0, 1e6), [1, Math.min(n, 1e6)]));
        if (n <= 1e6) report('sparse row · dense', size, spmm(sparse, g.ones([n, 1])).item(), x);
      });
  return rows;
}

if (flags.level) {
  console.log(JSON.stringify(await measure()));
  process.exit(0);
}
const results = ['simd', 'relaxed'].flatMap((level) => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), '--stride', flags.stride, '--level', level],
    { encoding: 'utf8', env: { ...process.env, GOSSAMER_KERNELS: level }, maxBuffer: 2 ** 26 },
  );
  if (status === 0) return [{ level, ...JSON.parse(stdout) }];
  if (!/no relaxed SIMD/.test(stderr)) throw new Error(stderr);
  console.log(`no kernels of the level ${level} on node ${process.version}`);
  return [];
});
console.log(`node ${process.version}, every ${flags.stride}th float\n`);
print(
  results,
  ['function', 'range', ...results.flatMap(({ level }) => [`ulp, ${level}`, 'at', `absolute, ${level}`])],
  'functions',
);
print(results, ['reduction', 'size', ...results.map(({ level }) => `error / ε·Σ|terms|, ${level}`)], 'reductions');
