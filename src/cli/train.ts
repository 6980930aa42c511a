// `gossamer train`

import { Command, Option } from 'commander';
import { readImages, requireWritable, writeFileAtomic } from '../data/node.js';
import { accuracyOn } from '../models/index.js';
import { parameterCount } from '../nn/index.js';
import { Random } from '../tensor/index.js';
import { ImageClassifier, imageModelNames } from '../vision/index.js';
import { number } from './arguments.js';
import { Bar } from './bar.js';
import { useThreads } from './threads.js';
import { trainResumably } from './training.js';

interface Flags {
  readonly model: string;
  readonly out: string;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly augment?: boolean;
  readonly mixing: 'none' | 'mixup' | 'cutmix';
  readonly labelSmoothing: number;
  readonly average?: number;
  readonly size?: number;
  readonly channels?: string;
  readonly testShare: number;
  readonly seed: number;
  readonly threads?: number;
  readonly resume: boolean;
}

const examples = `
Examples
  gossamer train flowers/ --model lsnet-nano --size 32             a folder of pictures a class; a tenth is kept for testing
  gossamer train fashion-mnist --model vanillanet-nano --epochs 10
  gossamer train digits/ --model resnet20 --augment -o digits.safetensors --resume
  gossamer classify model.safetensors photo.jpg more-photos/

A folder holds a folder of pictures for each class, maybe under train/ and test/ (or val/), or the four IDX files of a set like MNIST. AdamW with warm-up and a cosine; the test images are classified after each epoch, for your eyes alone.
Ctrl-C keeps the epochs so far in <out>.checkpoint, and --resume goes on from there.

Models
  ${imageModelNames.join(', ')}`;

export function trainCommand(): Command {
  return new Command('train')
    .description('train a classifier on images')
    .argument('<images>', 'folder of images, or mnist, fashion-mnist, cifar10')
    .option('--model <name>', 'architecture, see below', 'lsnet-nano')
    .option('-o, --out <file>', 'the model', 'model.safetensors')
    .option('--epochs <n>', 'epochs', number(1), 10)
    .option('--batch <n>', 'images a step', number(1), 64)
    .option('--learning-rate <rate>', 'learning rate', number(0, false), 3e-3)
    .option('--weight-decay <d>', 'decay of weights', number(0, false), 0.02)
    .option('--augment', 'shift and mirror training images')
    .addOption(
      new Option('--mixing <how>', 'blend pairs of images').choices(['none', 'mixup', 'cutmix']).default('none'),
    )
    .option('--label-smoothing <e>', 'share of a label that is spread over all classes', number(0, false), 0)
    .option('--average <decay>', 'average the weights of all steps, such as 0.999', number(0, false))
    .option('--size <pixels>', 'height and width to scale pictures to', number(1))
    .addOption(new Option('--channels <n>', '1 makes pictures grey, 3 coloured').choices(['1', '3']))
    .option('--test-share <share>', 'share of a folder kept for testing', number(0, false), 0.1)
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from <out>.checkpoint', false)
    .addHelpText('after', examples)
    .action(train);
}

async function train(path: string, flags: Flags): Promise<void> {
  useThreads(flags.threads);
  requireWritable(flags.out);
  if (!imageModelNames.includes(flags.model))
    throw new Error(`model "${flags.model}" is not known; there are ${imageModelNames.join(', ')}`);
  const bar = new Bar('reading', 'pictures');
  const data = await readImages(path, {
    ...(flags.size !== undefined && { size: flags.size }),
    ...(flags.channels !== undefined && { channels: Number(flags.channels) as 1 | 3 }),
    testShare: flags.testShare,
    seed: flags.seed,
    onProgress: (done, total) => bar.update(done / total, done),
    onDownload: (url) => process.stderr.write(`fetching ${url}\n`),
  }).finally(() => bar.close());
  const random = new Random(flags.seed);
  const classifier = ImageClassifier.create(flags.model, data, random.split('model'));
  const { count, channels, height, width } = data.train;
  process.stderr.write(
    `${flags.model}, ${parameterCount(classifier.model).toLocaleString('en-US')} parameters; ${count} training and ${data.test.count} test images of ${channels}×${height}×${width}, ${data.classes.length} classes\n`,
  );
  const ended = await trainResumably(
    flags,
    (hooks) =>
      classifier.train(data, random.split('fit'), {
        ...hooks,
        epochs: flags.epochs,
        batchSize: flags.batch,
        learningRate: flags.learningRate,
        weightDecay: flags.weightDecay,
        mixing: flags.mixing,
        labelSmoothing: flags.labelSmoothing,
        ...(flags.average !== undefined && { average: flags.average }),
        ...(flags.augment && { augmentation: { crop: Math.max(1, Math.round(width / 8)), flip: true } }),
        validate: true,
      }),
    () => writeFileAtomic(flags.out, classifier.save()),
  );
  if (!ended) return;
  const accuracy = (100 * accuracyOn(classifier.model, data.test, data)).toFixed(2);
  process.stdout.write(`${flags.out}: test accuracy ${accuracy} %\n`);
}
