// Binary layers computed along spanning trees, in full, and by the popcount kernel of packed rows:
// all take turns, and the least time of each counts. Trees are planted with an R_op near 3.6;
// windows of packed rows lie ready.
//
//   npm run build && node bench/binary-trees.mjs [--rounds 40] [--json out.json]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { filtersOf, orderTimes, spanningTree, treeMeasures } from '../dist/compress/index.js';
import { cpu, Random, setThreads } from '../dist/index.js';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, json: { type: 'string' } },
});
const random = new Random(1);
/** Share of the weights in which a channel differs from its parent. */
const SHARE = 0.27;

function planted(channels, length) {
  const values = Float32Array.from({ length: channels * length }, () => (random.float() < 0.5 ? -1 : 1));
  for (let channel = 1; channel < channels; channel++) {
    const parent = Math.floor(random.float() * channel);
    values.copyWithin(channel * length, parent * length, (parent + 1) * length);
    for (const place of random.permutation(length).subarray(0, Math.round(SHARE * length)))
      values[channel * length + place] *= -1;
  }
  return { values, channels, length };
}

const records = [];
console.log(`node ${process.version}, kernels ${cpu.featureLevel}, one thread\n`);
console.log(
  'N×C×k×k           pixels  R_op    tree ms  direct ms    rows ms  direct/tree  over R_op  rows/tree  Gop/s',
);
for (const [filters, channels, kernel, side, images] of [
  [64, 32, 3, 32, 4],
  [64, 32, 3, 14, 1],
  [64, 64, 3, 32, 4],
  [128, 64, 3, 32, 4],
  [128, 128, 3, 32, 4],
  [256, 256, 3, 32, 1],
  [512, 512, 1, 32, 1],
  [128, 64, 3, 7, 32],
]) {
  setThreads(1);
  const rows = planted(filters, channels * kernel ** 2);
  const tree = spanningTree(rows);
  const { ratio } = treeMeasures(rows, tree);
  const weight = filtersOf({ shape: [filters, channels, kernel, kernel], values: rows.values });
  const orders = { direct: { codes: new Int32Array(filters).fill(-1) }, tree: { codes: tree.codes } };
  const times = await orderTimes(weight, orders, { side, images, repeats: Number(flags.rounds) });
  const pixels = side ** 2 * images;
  const faster = times.direct / times.tree;
  const rate = (2 * filters * rows.length * pixels) / times.direct / 1e6;
  records.push({
    filters,
    channels,
    kernel,
    pixels,
    ratio,
    ...times,
    faster,
    share: faster / ratio,
    node: process.version,
  });
  const cells = [times.tree, times.direct, times.rows].map((time) => time.toFixed(3).padStart(10));
  console.log(
    `${[filters, channels, kernel, kernel].join('×').padEnd(16)} ${String(pixels).padStart(7)} ${ratio.toFixed(2).padStart(5)} ${cells.join(' ')} ${faster.toFixed(2).padStart(12)} ${(faster / ratio).toFixed(2).padStart(10)} ${(times.rows / times.tree).toFixed(2).padStart(10)} ${rate.toFixed(0).padStart(6)}`,
  );
  weight.dispose();
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(records, null, 2)}\n`);
