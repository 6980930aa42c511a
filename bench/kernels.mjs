// Low-bit and sparse kernels against the best dense product of the same run: all candidates take
// turns, the minimum of each counts, and results are checked before they are timed.
//
//   npm run build && node bench/kernels.mjs [--rounds 40] [--json out.json]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cpu, matmul, Random, scope, setThreads, tensor } from '../dist/index.js';
import { BitMatrix, BlockMatrix, Int8Matrix, PlaneSums } from '../dist/quantized/index.js';
import { ChannelMatrix } from '../dist/sparse/index.js';
import { compile } from '../dist/trace/index.js';
import { values } from './tasks.mjs';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, json: { type: 'string' } },
});
setThreads(1);
const random = new Random(1);
const matrix = (rows, columns, seed) => tensor(values(rows * columns, seed), [rows, columns]);
const records = [];

/** Runs candidates in turns; each repeats until it takes about half a millisecond. */
function race(candidates) {
  const entries = Object.entries(candidates).map(([name, run]) => {
    for (let i = 0; i < 20; i++) scope(() => void run());
    const start = performance.now();
    for (let i = 0; i < 5; i++) scope(() => void run());
    const repeats = Math.max(1, Math.round(2.5 / Math.max(performance.now() - start, 1e-3)));
    return { name, run, repeats, best: Infinity };
  });
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const entry of entries) {
      const start = performance.now();
      for (let i = 0; i < entry.repeats; i++) scope(() => void entry.run());
      entry.best = Math.min(entry.best, (performance.now() - start) / entry.repeats);
    }
  }
  return Object.fromEntries(entries.map(({ name, best }) => [name, best]));
}

function report(task, kernel, ms, denseMs, gop, bar) {
  const record = { task, kernel, node: process.version, ms, rate: gop / ms, ratio: denseMs / ms, bar };
  records.push(record);
  const verdict = bar === undefined ? '' : record.ratio >= bar ? `  ✓ bar ${bar}×` : `  ✗ bar ${bar}×`;
  console.log(
    `${task.padEnd(34)} ${kernel.padEnd(22)} ${ms.toFixed(4).padStart(9)} ms ${(gop / ms).toFixed(1).padStart(7)} Gop/s ${record.ratio.toFixed(2).padStart(7)}×${verdict}`,
  );
}

console.log(
  `node ${process.version}, kernels ${cpu.featureLevel}, one thread; ratios are to the dense f32 product of the same size\n`,
);

// 1. The dense reference.
{
  const [m, k, n] = [240, 256, 240];
  const [a, b] = [matrix(m, k, 1), matrix(k, n, 2)];
  const gop = (2 * m * k * n) / 1e6;
  const { dense } = race({ dense: () => matmul(a, b) });
  report('240×256×240', 'f32', dense, dense, gop);
}

// 2. Sparse weights, channels outermost: w [256, 256] times x [256, pixels].
for (const [rows, columns, pixels] of [
  [256, 256, 800],
  [128, 128, 3136],
  [512, 512, 224],
  [1024, 1024, 64],
]) {
  const x = matrix(columns, pixels, 3).reshape([1, columns, pixels]);
  const dense = matrix(rows, columns, 4);
  const plan = compile((input) => matmul(dense, input.reshape([columns, pixels])), [x]);
  const bars = {
    1: { 80: 2.2, 90: 4.5 },
    2: { 30: 1.1, 50: 1.5, 80: 3.5, 90: 7 },
    4: { 30: 1.1, 50: 1.5, 80: 3.5, 90: 7 },
  };
  for (const zeros of pixels === 800 ? [30, 50, 70, 80, 90, 95] : [80, 90]) {
    const candidates = { dense: () => plan.run(x) };
    for (const height of [1, 2, 4]) {
      const kept = Array.from({ length: (rows / height) * columns }, () => random.float() >= zeros / 100);
      const weights = dense
        .dataSync()
        .map((v, i) => (kept[Math.floor(Math.floor(i / columns) / height) * columns + (i % columns)] ? v : 0));
      const sparse = new ChannelMatrix(tensor(weights, [rows, columns]), height);
      candidates[height] = () => sparse.multiply(x);
    }
    const times = race(candidates);
    for (const height of [1, 2, 4]) {
      const gop = (2 * rows * columns * pixels * (1 - zeros / 100)) / 1e6;
      report(
        `sparse ${rows}×${columns}×${pixels}, ${zeros} % zeros`,
        `${height}×1 blocks`,
        times[height],
        times.dense,
        gop,
        bars[height][zeros],
      );
    }
  }
}

// 3. Eight bits.
for (const [m, k, n] of [
  [240, 256, 240],
  [256, 1024, 256],
  [1, 4096, 4096],
]) {
  const [x, w] = [matrix(m, k, 5), matrix(n, k, 6)];
  const int8 = new Int8Matrix(w);
  const dense = compile((input) => matmul(input, w, { transposeB: true }), [x]);
  const times = race({
    dense: () => dense.run(x),
    exact: () => int8.multiply(x),
    seven: () => int8.multiply(x, { bits: 7 }),
  });
  const gop = (2 * m * k * n) / 1e6;
  const relaxed = cpu.featureLevel === 'relaxed';
  report(
    `int8 ${m}×${k}×${n}`,
    '8 bits, exact',
    times.exact,
    times.dense,
    gop,
    m === 1 ? 2.5 : relaxed ? undefined : 1.25,
  );
  report(
    `int8 ${m}×${k}×${n}`,
    '7-bit activations',
    times.seven,
    times.dense,
    gop,
    m === 1 ? 2.5 : relaxed ? 1.5 : undefined,
  );
}

// 4. Blocks of 32.
for (const m of [1, 64]) {
  const [k, n] = [4096, 4096];
  const [x, w] = [matrix(m, k, 7), matrix(n, k, 8)];
  const dense = compile((input) => matmul(input, w, { transposeB: true }), [x]);
  const blocks = { Q8_0: BlockMatrix.quantize(w, 'Q8_0'), Q4_0: BlockMatrix.quantize(w, 'Q4_0') };
  const times = race({
    dense: () => dense.run(x),
    Q8_0: () => blocks.Q8_0.multiply(x),
    Q4_0: () => blocks.Q4_0.multiply(x),
  });
  for (const format of ['Q8_0', 'Q4_0'])
    report(`${m}×${k}×${n}`, format, times[format], times.dense, (2 * m * k * n) / 1e6, m === 1 ? 2.5 : undefined);
}

// 5. One bit.
for (const k of [128, 512, 2048]) {
  const [m, n] = [256, 256];
  const [a, b] = [matrix(m, k, 9), matrix(n, k, 10)];
  const dense = compile((input) => matmul(input, b, { transposeB: true }), [a]);
  const bits = [BitMatrix.fromSigns(a).keep(), BitMatrix.fromSigns(b).keep()];
  const times = race({ dense: () => dense.run(a), bits: () => bits[0].multiplyTransposed(bits[1]) });
  report(
    `bits ${m}×${k}×${n}`,
    'XNOR and count',
    times.bits,
    times.dense,
    (2 * m * k * n) / 1e6,
    k >= 512 ? 5 : undefined,
  );
}
{
  const [planes, pixels, filters] = [1152, 1024, 128];
  const image = matrix(planes, pixels, 11);
  const weights = matrix(filters, planes, 12);
  const sums = new PlaneSums(
    Array.from({ length: filters }, (_, f) =>
      Array.from({ length: planes }, (_, plane) => ({ plane, negative: weights.view()[f * planes + plane] < 0 })),
    ),
  );
  const bits = BitMatrix.fromSigns(image).keep();
  const dense = compile((input) => matmul(weights, input), [image]);
  const times = race({ dense: () => dense.run(image), planes: () => sums.sum(bits) });
  report(
    `planes ${filters}×${planes}×${pixels}`,
    'carry-save sums',
    times.planes,
    times.dense,
    (2 * filters * planes * pixels) / 1e6,
    5,
  );
}

if (flags.json) writeFileSync(flags.json, `${JSON.stringify(records, null, 2)}\n`);
process.exit(0);
