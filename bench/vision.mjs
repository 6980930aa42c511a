// Backbones at 224², one image, one thread: our plan of the merged network beside ONNX Runtime on
// the file that we export; and the aggregation kernels of LSNet alone.
//
//   node bench/vision.mjs

import { aggregate, Random, scope, setThreads, valueAndGrad } from '../dist/index.js';
import { inference, parameters } from '../dist/nn/index.js';
import { compile, cost, exportOnnx } from '../dist/trace/index.js';
import { deployedForm, imageModel } from '../dist/vision/index.js';
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
for (const name of names) {
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
  const step = valueAndGrad(([a, b]) => aggregate(a, b).sum());
  const best = await fastest(
    [
      ['forward', () => scope(() => aggregate(image, filters))],
      ['all', () => scope(() => step([image, filters]))],
    ],
    200,
  );
  const flop = 2 * 9 * image.size;
  // Each filter value, input and output crosses memory once.
  const bytes = 4 * (2 * image.size + filters.size);
  kernels.push([
    `8 × ${channels} × ${side}²`,
    (flop / best.forward / 1e6).toFixed(1),
    (bytes / best.forward / 1e6).toFixed(1),
    ((3 * flop) / best.all / 1e6).toFixed(1),
  ]);
}
console.log(columns([['aggregation', 'forward, GFLOP/s', 'GB/s', 'with both gradients, GFLOP/s'], ...kernels]));
process.exit(0);
