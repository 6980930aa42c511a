// Whole networks at the size that they are made for, one image, one thread: our plan of the merged
// network beside ONNX Runtime (its WebAssembly build and the native one) on the file that we export.
// Runs take turns, medians count; geometric means over all networks stand below.
//
//   node bench/backbones.mjs                         all
//   node bench/backbones.mjs lsnet-t resnet50        some of them
//   node bench/backbones.mjs --rounds 20             runs of each
//   node bench/backbones.mjs emov2-1m --operators    where the time of our plan goes, by operator

import { memoryUse, Random, scope, setThreads } from '../dist/index.js';
import { followsSteps, inference, parameters } from '../dist/nn/index.js';
import { compile, cost, exportOnnx } from '../dist/trace/index.js';
import { deployedForm, imageModel, imageModelNames, usualShape } from '../dist/vision/index.js';
import { columns, mediansInTurns, rivals } from './in-turns.mjs';
import { operatorTimes } from './operator-times.mjs';

const usual = [
  'simplenet-in1.5m-m2',
  'simplenet-in5m-m2',
  'vanillanet-5',
  'vanillanet-6',
  'lsnet-t',
  'lsnet-s',
  'emov2-1m',
  'emov2-2m',
  'emov2-5m',
  'phc-resnet18',
  'terminator-nano',
  'mobilenet-v2',
  'resnet18',
  'resnet50',
  'resnet50-max',
  'efficientnet-b0',
  'deit-tiny',
];

const words = process.argv.slice(2);
const rounds = words.includes('--rounds') ? Number(words[words.indexOf('--rounds') + 1]) : 15;
const named = words.filter((word) => imageModelNames.includes(word));
const names = named.length > 0 ? named : usual.filter((name) => imageModelNames.includes(name));
setThreads(1);

const rows = [];
const ratios = { 'ort-web': [], 'ort-native': [] };
for (const name of names) {
  const { channels, classes, size } = usualShape(name);
  const x = new Random(3).normal([1, channels, size, size]);
  const made = imageModel(name, { channels, classes, size }, new Random(1));
  if (followsSteps(made)) made.followStep(1, 1);
  const model = deployedForm(made);
  const forward = (input) => model.forward(input, inference);
  const plan = compile(forward, [x]);
  if (words.includes('--operators')) {
    console.log(`${name}, ${plan.stepCount} kernel calls\n${operatorTimes(forward, x)}\n`);
    continue;
  }
  const bodies = [['ours', () => scope(() => plan.run(x))]];
  const failed = [];
  try {
    bodies.push(...(await rivals(exportOnnx(forward, [x]), x)));
  } catch (error) {
    failed.push(error.message.split('\n')[0]);
  }
  const times = await mediansInTurns(bodies, rounds);
  const { multiplyAdds } = cost(forward, [x], parameters(model));
  for (const kind of Object.keys(ratios)) if (times[kind]) ratios[kind].push(times[kind] / times.ours);
  const show = (kind) => times[kind]?.toFixed(times[kind] < 10 ? 2 : 1) ?? '–';
  const ratio = (kind) => (times[kind] ? `${(times[kind] / times.ours).toFixed(2)}×` : '–');
  rows.push([
    name,
    `${channels}×${size}²`,
    (multiplyAdds / 1e6).toFixed(0),
    ...['ours', 'ort-web', 'ort-native'].map(show),
    ((2 * multiplyAdds) / times.ours / 1e6).toFixed(1),
    ...['ort-web', 'ort-native'].map(ratio),
  ]);
  for (const reason of failed) console.error(`${name}: not exported: ${reason}`);
  plan.dispose();
}

const geometric = (values) =>
  values.length > 0
    ? `${Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length).toFixed(2)}×`
    : '–';
if (rows.length > 0)
  console.log(
    `Milliseconds of one image, Node ${process.versions.node}, one thread, medians of ${rounds} runs in turns\n${columns(
      [
        [
          'network',
          'image',
          'MMACs',
          'ours',
          'ort-web',
          'ort-native',
          'GFLOP/s',
          'ort-web over ours',
          'native over ours',
        ],
        ...rows,
        ['geometric mean', '', '', '', '', '', '', geometric(ratios['ort-web']), geometric(ratios['ort-native'])],
      ],
    )}\nmost memory of tensors ${(memoryUse().peakBytes / 2 ** 20).toFixed(0)} MiB`,
  );
process.exit(0);
