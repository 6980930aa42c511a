// Backbones at 224², one image, one thread: our plan of the merged network beside ONNX Runtime on
// the file that we export; and the aggregation kernels of LSNet alone.
//
//   node bench/vision.mjs             all
//   node bench/vision.mjs kernels     the aggregation kernels and the share of LS convolutions alone

import {
  add,
  aggregate,
  concatenate,
  conv2d,
  multiply,
  pad,
  Random,
  reshape,
  scope,
  setThreads,
  slice,
  valueAndGrad,
} from '../dist/index.js';
import { inference, parameters } from '../dist/nn/index.js';
import { compile, cost, exportOnnx } from '../dist/trace/index.js';
import { deployedForm, imageModel, LSNet, lsNets } from '../dist/vision/index.js';
import { columns, fastest, rivals } from './in-turns.mjs';

setThreads(1);
const x = new Random(3).normal([1, 3, 224, 224]);
const names = [
  'lsnet-t',
  'lsnet-s',
  'lsnet-b',
  'vanillanet-5',
  'vanillanet-6',
  'mobilenet-v2',
  'resnet18',
  'efficientnet-b0',
  'deit-tiny',
];
const rows = [];
for (const name of process.argv.includes('kernels') ? [] : names) {
  const made = imageModel(name, { channels: 3, classes: 1000, size: 224 }, new Random(1));
  if (made.slope) made.lambda = 1;
  const model = deployedForm(made);
  const forward = (input) => model.forward(input, inference);
  const plan = compile(forward, [x]);
  const best = await fastest(
    [['ours', () => scope(() => plan.run(x))], ...(await rivals(exportOnnx(forward, [x]), x))],
    12,
  );
  const { multiplyAdds } = cost(forward, [x], parameters(model));
  const of = (kind) => best[kind] ?? Number.NaN;
  rows.push([
    name,
    (multiplyAdds / 1e6).toFixed(0),
    ...['ours', 'ort-web', 'ort-native'].map((kind) => of(kind).toFixed(1)),
    ((2 * multiplyAdds) / of('ours') / 1e6).toFixed(1),
    `${(of('ort-web') / of('ours')).toFixed(2)}×`,
    `${(of('ort-native') / of('ours')).toFixed(2)}×`,
  ]);
  plan.dispose();
}
if (rows.length > 0)
  console.log(
    `Milliseconds, Node ${process.versions.node}, one thread, fastest of 12 runs in turns\n${columns([
      ['network', 'MMACs', 'ours', 'ort-web', 'ort-native', 'GFLOP/s', 'than ort-web', 'than native'],
      ...rows,
    ])}\n`,
  );

const kernels = [];
for (const [channels, side] of [
  [64, 28],
  [128, 14],
  [256, 7],
]) {
  const image = new Random(4).normal([8, channels, side, side]);
  const filters = new Random(5).normal([8, channels / 8, 9, side, side]);
  const fixed = new Random(6).normal([channels, 1, 3, 3]);
  const plan = compile(unfolded, [image, filters]);
  const step = valueAndGrad(([a, b]) => aggregate(a, b).sum());
  const best = await fastest(
    [
      ['forward', () => scope(() => aggregate(image, filters))],
      ['unfolded', () => scope(() => unfolded(image, filters))],
      ['planned', () => scope(() => plan.run(image, filters))],
      ['fixed', () => scope(() => conv2d(image, fixed, undefined, { padding: 1, groups: channels }))],
      ['all', () => scope(() => step([image, filters]))],
    ],
    100,
  );
  const flop = 2 * 9 * image.size;
  // Each filter value, input and output crosses memory once.
  const bytes = 4 * (2 * image.size + filters.size);
  kernels.push([
    `8 × ${channels} × ${side}²`,
    (flop / best.forward / 1e6).toFixed(1),
    (bytes / best.forward / 1e6).toFixed(1),
    ((3 * flop) / best.all / 1e6).toFixed(1),
    `${(Math.min(best.unfolded, best.planned) / best.forward).toFixed(1)}×`,
    `${(best.forward / best.fixed).toFixed(2)}×`,
  ]);
}
console.log(
  columns([
    [
      'aggregation',
      'forward, GFLOP/s',
      'GB/s',
      'with both gradients, GFLOP/s',
      'than unfold + multiply',
      'time over depthwise 3×3',
    ],
    ...kernels,
  ]),
);

/** The same sum by nine shifted copies of the image, each times its filters, repeated over channels. */
function unfolded(image, filters) {
  const [n, , height, width] = image.shape;
  const padded = pad(image, [
    [0, 0],
    [0, 0],
    [1, 1],
    [1, 1],
  ]);
  const products = Array.from({ length: 9 }, (_, tap) => {
    const [u, v] = [Math.floor(tap / 3), tap % 3];
    const shifted = slice(padded, null, null, [u, u + height], [v, v + width]);
    const own = reshape(slice(filters, null, null, [tap, tap + 1]), [n, -1, height, width]);
    return multiply(shifted, concatenate(new Array(8).fill(own), 1));
  });
  return products.reduce((total, product) => add(total, product));
}

// Share of LS convolutions in the time of a network: that of the same network with static mixers.
for (const [name, size, channels] of [
  ['lsnet-t', 224, 3],
  ['lsnet-nano', 28, 1],
]) {
  const input = new Random(3).normal([1, channels, size, size]);
  const attentionSize = name === 'lsnet-t' ? 4 : 2;
  const make = (mixer) => {
    const options = { ...lsNets[name], channels, classes: 1000, attentionSize, ...(mixer && { mixer }) };
    return deployedForm(new LSNet(options, new Random(1)));
  };
  const arms = Object.entries({ ls: make(), fixed: make({ kernel: 3 }) }).map(([arm, model]) => {
    const plan = compile((y) => model.forward(y, inference), [input]);
    return [arm, () => scope(() => plan.run(input))];
  });
  const best = await fastest(arms, 30);
  const share = (100 * (1 - best.fixed / best.ls)).toFixed(0);
  console.log(
    `${name}: ${best.ls.toFixed(2)} ms, ${best.fixed.toFixed(2)} ms with depthwise 3×3 mixers: ${share} % less`,
  );
}
process.exit(0);
