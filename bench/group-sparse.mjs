// Kernels of weights with few zeros, on the pointwise layers of MobileNetV1 at 224² and one thread:
// groups of 2, 4 and 8 output channels and single weights against the fastest dense kernel, all in
// turns, the fastest run of each; then the k×k, depthwise and linear kernels.
//
//   node bench/group-sparse.mjs [--rounds 15]

import { parseArgs } from 'node:util';
import { magnitudeMask } from '../dist/compress/index.js';
import { conv2d, linear, matmul, multiply, Random, setThreads, tensor } from '../dist/index.js';
import { calibrateKernels, compile } from '../dist/trace/index.js';
import { columns, fastest } from './in-turns.mjs';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
setThreads(1);
const random = new Random(11);
const shares = [0.3, 0.5];

function fed(fn, x, sparse = false) {
  const plan = compile(fn, [x], { sparse });
  plan.feed([x]);
  return () => plan.execute();
}

const masked = (weight, share, pattern) =>
  multiply(weight, tensor(magnitudeMask(weight, share, pattern), weight.shape));

const kernels = [
  ['single, 16×1', 'unstructured', {}],
  ['single, 32×1', 'unstructured', { tile: 32 }],
  ['groups of 2', 'block2', {}],
  ['groups of 4', 'block4', {}],
  ['groups of 8', 'block8', {}],
];
const shapes = [
  [112, 32, 64],
  [56, 128, 128],
  [28, 256, 256],
  [14, 512, 512],
  [7, 1024, 1024],
];
const rows = kernels.map(([name]) => [name]);
for (const [side, inputs, outputs] of shapes) {
  const weight = random.normal([outputs, inputs, 1, 1]);
  const x = random.normal([1, inputs, side, side]);
  const arms = [
    ['convolution', fed((input) => conv2d(input, weight), x)],
    ['product', fed((input) => matmul(weight.reshape([outputs, inputs]), input), x.reshape([inputs, side * side]))],
    ...kernels.flatMap(([name, pattern, options]) =>
      shares.map((share) => {
        const pruned = masked(weight, share, pattern);
        return [
          `${name} ${share}`,
          fed((input) => conv2d(input, pruned), x, { choose: 'rule', threshold: 0, ...options }),
        ];
      }),
    ),
  ];
  const best = await fastest(arms, Number(flags.rounds));
  const dense = Math.min(best.convolution, best.product);
  for (const row of rows) row.push(...shares.map((share) => (dense / best[`${row[0]} ${share}`]).toFixed(2)));
}
const heads = shapes.flatMap(([side, inputs, outputs]) =>
  shares.map((share) => `${side}², ${inputs}→${outputs}, ${100 * share} %`),
);
console.log(
  `Times faster than the fastest dense kernel; Node ${process.versions.node}, one thread\n${columns([['kernel', ...heads], ...rows])}`,
);

const others = [
  ['3×3, 28², 64→64', (w) => (x) => conv2d(x, w, undefined, { padding: 1 }), [64, 64, 3, 3], [1, 64, 28, 28]],
  ['3×3, 14², 256→256', (w) => (x) => conv2d(x, w, undefined, { padding: 1 }), [256, 256, 3, 3], [1, 256, 14, 14]],
  [
    'depthwise 3×3, 56², 128',
    (w) => (x) => conv2d(x, w, undefined, { padding: 1, groups: 128 }),
    [128, 1, 3, 3],
    [1, 128, 56, 56],
  ],
  [
    'depthwise 5×5, 28², 256',
    (w) => (x) => conv2d(x, w, undefined, { padding: 2, groups: 256 }),
    [256, 1, 5, 5],
    [1, 256, 28, 28],
  ],
  ['linear, 1024→1000', (w) => (x) => linear(x, w), [1000, 1024], [1, 1024]],
];
const always = { dense: () => 2, sparse: () => 1 };
const table = [];
for (const [name, layer, shape, input] of others) {
  const weight = random.normal(shape);
  const x = random.normal(input);
  const arms = shares.flatMap((share) => {
    const pruned = masked(weight, share, 'block4');
    return [[`sparse ${share}`, fed(layer(pruned), x, { choose: 'model', costs: always })]];
  });
  const best = await fastest([['dense', fed(layer(weight), x)], ...arms], Number(flags.rounds));
  table.push([
    name,
    best.dense.toFixed(3),
    ...shares.map((share) => (best.dense / best[`sparse ${share}`]).toFixed(2)),
  ]);
}
console.log(
  `\nGroups of 4, times faster than the dense kernel\n${columns([['layer', 'dense (ms)', '30 %', '50 %'], ...table])}`,
);

const start = performance.now();
calibrateKernels();
console.log(`\nThe cost model is fitted in ${((performance.now() - start) / 1000).toFixed(1)} s`);
process.exit(0);
