// Whole sparse networks at 224², one image, one thread: dense and sparse plans beside the dense
// model in ONNX Runtime (its WebAssembly build, and native code for scale), in turns.
//
//   node bench/sparse-networks.mjs [--layers] [--zeros 0.9]
//
// Pointwise weights are random, a share of them zero: all of MobileNetV1's (in 4×1 blocks in the
// last layers) and all of MobileNetV2's (in 2×1 blocks from inverted residual 11 on), as in "Fast
// Sparse ConvNets".

import { parseArgs } from 'node:util';
import { Random, scope, setThreads } from '../dist/index.js';
import { EfficientNet, MobileNetV1, MobileNetV2 } from '../dist/models/index.js';
import { inference, parameters, stateOf, training } from '../dist/nn/index.js';
import { compile, exportOnnx } from '../dist/trace/index.js';
import { imageModel } from '../dist/vision/index.js';
import { columns, fastest, rivals } from './in-turns.mjs';

const { values: flags } = parseArgs({
  options: { layers: { type: 'boolean' }, zeros: { type: 'string', default: '0.9' } },
});
setThreads(1);
const share = Number(flags.zeros);
const x = new Random(3).normal([1, 3, 224, 224]);

/** Zeroes a share of a pointwise weight, whole blocks of rows at a time. */
function prune(weight, height, random) {
  const [rows, columns] = weight.shape;
  const kept = Uint8Array.from({ length: Math.ceil(rows / height) * columns }, () => Number(random.float() >= share));
  weight.assign(
    weight.dataSync().map((value, i) => value * kept[Math.floor(i / columns / height) * columns + (i % columns)]),
  );
}

function pruned(model, heightOf) {
  const random = new Random(5);
  for (const [name, weight] of Object.entries(parameters(model)))
    if (weight.rank === 4 && weight.shape[2] === 1 && weight.shape[1] > 1 && !/fc[12]/.test(name))
      prune(weight, heightOf(name), random);
  return settled(model);
}

/** Lets batch norm see some inputs, so that values neither vanish nor grow from layer to layer. */
function settled(model) {
  const random = new Random(7);
  for (let step = 0; step < 30; step++)
    scope(() => model.forward(random.split(step).normal([4, 3, 64, 64]), training(random)));
  return model;
}

const block = (name) => Number(name.split('.')[1]);
const networks = [
  ['MobileNetV1', () => new MobileNetV1(new Random(1)), (name) => (block(name) >= 13 ? 4 : 1)],
  ['MobileNetV2', () => new MobileNetV2(new Random(1)), (name) => (block(name) >= 11 ? 2 : 1)],
  ['MobileNetV2, in 4×1 blocks', () => new MobileNetV2(new Random(1)), () => 4],
  [
    'MobileNetV2, cache-aware',
    () => imageModel('mobilenet-v2-cache-aware', { channels: 3, classes: 1000, size: 224 }, new Random(1)),
    (name) => (block(name) >= 11 ? 2 : 1),
  ],
  ['EfficientNet-B0', () => new EfficientNet('b0', new Random(1)), () => 1],
];

const rows = [];
for (const [name, make, heightOf] of networks) {
  const dense = settled(make());
  const sparse = pruned(make(), heightOf);
  const forward = (model) => (input) => model.forward(input, inference);
  const choices = [];
  const plans = {
    dense: compile(forward(dense), [x]),
    sparse: compile(forward(sparse), [x], {
      weights: stateOf(sparse),
      sparse: { choose: 'measured', onChoice: (choice) => choices.push(choice) },
    }),
  };
  const bytes = compile(forward(dense), [x], { int8: { calibration: [[x]], bits: 7 } });
  const best = await fastest(
    [
      ...Object.entries({ ...plans, bytes }).map(([kind, plan]) => [kind, () => scope(() => plan.run(x))]),
      ...(await rivals(exportOnnx(forward(dense), [x]), x)),
    ],
    30,
  );
  const expected = sparse.forward(x, inference).dataSync();
  const largest = Math.max(...expected.map(Math.abs));
  const error =
    Math.max(
      ...plans.sparse
        .run(x)[0]
        .dataSync()
        .map((value, i) => Math.abs(value - expected[i])),
    ) / largest;
  rows.push([
    name,
    ...['dense', 'bytes', 'sparse', 'ort-web', 'ort-native'].map((kind) => best[kind]?.toFixed(2) ?? '–'),
    `${(best.dense / best.sparse).toFixed(2)}×`,
    `${((best['ort-web'] ?? Number.NaN) / best.sparse).toFixed(2)}×`,
    `${((best['ort-native'] ?? Number.NaN) / best.sparse).toFixed(2)}×`,
    error.toExponential(0),
  ]);
  if (flags.layers)
    console.log(
      `\n${name}\n${columns([
        ['layer', 'weight', 'zeros', 'kernel', 'dense (ms)', 'sparse (ms)', 'why'],
        ...choices.map(({ layer, shape, zeros: z, kernel, blockHeight, milliseconds, reason }) => [
          layer,
          shape.join('×'),
          z.toFixed(2),
          blockHeight ? `${kernel} ${blockHeight}×1` : kernel,
          milliseconds?.dense.toFixed(3) ?? '',
          milliseconds?.sparse.toFixed(3) ?? '',
          reason,
        ]),
      ])}`,
    );
}
console.log(
  `\nMilliseconds, ${(100 * share).toFixed(0)} % of the pointwise weights zero; Node ${process.versions.node}, one thread, fastest of 30 runs in turns\n${columns(
    [
      [
        'network',
        'dense plan',
        'on bytes',
        'sparse plan',
        'ort-web, dense',
        'ort-native, dense',
        'faster than dense',
        'than ort-web',
        'than native',
        'relative error',
      ],
      ...rows,
    ],
  )}`,
);
process.exit(0);
