// Trains a standard network on images and prints its accuracy.
//
//   npm run build
//   node examples/train-images.mjs                                   LeNet-5 on MNIST, 3 epochs
//   node examples/train-images.mjs --model resnet20 --data fashion-mnist
//   node examples/train-images.mjs --model resnet20 --data cifar10 --epochs 10 --augment
//
// Ctrl-C stops after the current step; the same command goes on from there with --resume.

import { parseArgs } from 'node:util';
import { Random, scope, setThreads, threads } from 'gossamer';
import { DataLoader, imageBatches, imageTensor } from 'gossamer/data';
import { fetchImages, fileCheckpoint, imageSetNames, interruptSignal, loadImages, saveModel } from 'gossamer/data/node';
import { LeNet, SmallResNet } from 'gossamer/models';
import {
  AdamW,
  accuracy,
  cosine,
  crossEntropy,
  fit,
  inference,
  parameterCount,
  predictedClasses,
  SGD,
  warmUp,
} from 'gossamer/nn';
import { compile } from 'gossamer/trace';

const { values: flags } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: 'lenet' },
    epochs: { type: 'string', default: '3' },
    batch: { type: 'string', default: '64' },
    augment: { type: 'boolean', default: false },
    threads: { type: 'string' },
    seed: { type: 'string', default: '1' },
    resume: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const depth = /^resnet(\d+)$/.exec(flags.model)?.[1];
if (flags.help || (flags.model !== 'lenet' && !depth)) {
  console.log(`usage: node examples/train-images.mjs [--model lenet|resnet20|resnet56] [--data ${imageSetNames.join('|')}]
       [--epochs 3] [--batch 64] [--augment] [--threads n] [--seed 1] [--resume]`);
  process.exit(flags.help ? 0 : 2);
}
if (flags.threads) setThreads(Number(flags.threads));
const name = flags.data ?? (depth ? 'fashion-mnist' : 'mnist');
await fetchImages(name, (url) => console.error(`fetching ${url}`));
const data = loadImages(name);
const random = new Random(Number(flags.seed));
const model = depth
  ? new SmallResNet(Number(depth), random.split('model'), { channels: data.train.channels })
  : new LeNet(random.split('model'), { channels: data.train.channels });
const batchSize = Number(flags.batch);
const epochs = Number(flags.epochs);
const steps = Math.ceil(data.train.count / batchSize) * epochs;
const loader = new DataLoader(data.train, data, {
  batchSize,
  augmentation: flags.augment ? { crop: Math.round(data.train.width / 8), flip: name !== 'mnist' } : {},
});
const store = fileCheckpoint(`runs/${flags.model}-${name}.safetensors`);
console.log(
  `${flags.model} (${parameterCount(model).toLocaleString('en-US')} parameters) on ${name}, ${threads()} threads`,
);

const result = await fit({
  model,
  epochs,
  random: random.split('fit'),
  optimizer: depth
    ? new SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 })
    : new AdamW({ learningRate: 3e-3, weightDecay: 0.01 }),
  schedule: warmUp(Math.round(0.05 * steps), cosine(Math.round(0.95 * steps))),
  batches: (order) => loader.epoch(order),
  loss: (live, { images, labels }, mode) => crossEntropy(live.forward(images, mode), labels),
  validate: (trained) => {
    const predicted = [];
    for (const { images } of imageBatches(data.test, data, 500))
      scope(() => predicted.push(...predictedClasses(trained.forward(images, inference))));
    return accuracy(predicted, data.test.labels);
  },
  restoreBest: false,
  checkpoint: flags.resume ? store : { load: () => undefined, save: (state) => store.save(state) },
  signal: interruptSignal().signal,
  onEpoch: ({ epoch, loss, metric, seconds }) =>
    console.log(
      `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  test accuracy ${(100 * metric).toFixed(2)} %  ${seconds.toFixed(1)} s`,
    ),
});
loader.close();
if (result.stopped === 'aborted') console.log('stopped; go on with --resume');
else {
  saveModel(model, `runs/${flags.model}-${name}-model.safetensors`);
  console.log('\nas static plans, batches of 100 test images:');
  const calibration = [0, 1, 2, 3, 4].map((batch) => [
    imageTensor(
      data.train,
      Array.from({ length: 100 }, (_, i) => 100 * batch + i),
      data,
    ),
  ]);
  for (const [title, options] of [
    ['32-bit floats', {}],
    ['8-bit weights and activations', { int8: { calibration } }],
    ['8-bit weights, 7-bit activations', { int8: { calibration, bits: 7 } }],
  ])
    console.log(`  ${title.padEnd(34)}${planReport(calibration[0], options)}`);
}
process.exit(0);

/** Accuracy, time and size of the trained model as a plan. */
function planReport(example, options) {
  const plan = compile((images) => model.forward(images, inference), example, options);
  const predicted = [];
  let fastest = Number.POSITIVE_INFINITY;
  for (const { images } of imageBatches(data.test, data, 100))
    scope(() => {
      const start = performance.now();
      const [logits] = plan.run(images);
      fastest = Math.min(fastest, performance.now() - start);
      predicted.push(...predictedClasses(logits));
    });
  const percent = (100 * accuracy(predicted, data.test.labels)).toFixed(2);
  const size = `${(plan.constantBytes / 1024).toFixed(0)} KiB of weights`;
  plan.dispose();
  return `test accuracy ${percent} %  ${(10 * fastest).toFixed(0)} µs an image  ${size}`;
}
