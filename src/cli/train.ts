// `gossamer train`

import { Command, Option } from 'commander';
import type { Background } from '../data/index.js';
import { requireWritable, writeFileAtomic } from '../data/node.js';
import { accuracyOn } from '../models/index.js';
import { parameterCount } from '../nn/index.js';
import { Random } from '../tensor/index.js';
import { ImageClassifier, imageModelNames, requireImageSize } from '../vision/index.js';
import { number } from './arguments.js';
import { type PictureFlags, readPictures, withPictureOptions } from './pictures.js';
import { useThreads } from './threads.js';
import { trainResumably } from './training.js';

interface Flags extends PictureFlags {
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
  readonly background: Background;
  readonly threads?: number;
  readonly resume: boolean;
}

const examples = `
Examples
  gossamer train flowers/ --model lsnet-nano --size 32             a folder of pictures a class; a tenth is kept for testing
  gossamer train fashion-mnist --model vanillanet-nano --epochs 10
  gossamer train digits/ --model resnet20 --augment -o digits.safetensors --resume
  gossamer train logos/ --size 48x64 --background black --test-share 0.2   transparent pixels on black; --strict stops at a bad file
  gossamer classify model.safetensors photo.jpg more-photos/

A folder holds a folder of pictures for each class, maybe under train/ and test/ (or val/), or the four IDX files of a set like MNIST. Pictures are JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP, whatever their names say; those that cannot be used are named and left out. AdamW with warm-up and a cosine; the test images are classified after each epoch, for your eyes alone.
Ctrl-C keeps the epochs so far in <out>.checkpoint, and --resume goes on from there.

Models
  ${imageModelNames.join(', ')}`;

export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a classifier on images')
    .argument('<images>', 'folder of images, or mnist, fashion-mnist, cifar10')
    .option('--model <name>', 'architecture, see below', 'lsnet-nano')
    .option('-o, --out <file>', 'the model', 'model.safetensors')
    .option('--epochs <n>', 'epochs', number(1), 10)
    .option('--batch <n>', 'images a step; a last one alone joins the step before', number(2), 64)
    .option('--learning-rate <rate>', 'learning rate', number(0, false), 3e-3)
    .option('--weight-decay <d>', 'decay of weights', number(0, false), 0.02)
    .option('--augment', 'shift and mirror training images')
    .addOption(
      new Option('--mixing <how>', 'blend pairs of images').choices(['none', 'mixup', 'cutmix']).default('none'),
    )
    .option('--label-smoothing <e>', 'share of a label that is spread over all classes', number(0, false), 0)
    .option('--average <decay>', 'average the weights of all steps, such as 0.999', number(0, false));
  return withPictureOptions(command)
    .addOption(
      new Option('--background <colour>', 'what transparent pixels are laid on, here and by predict')
        .choices(['white', 'black'])
        .default('white'),
    )
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
  if (flags.size) requireImageSize(flags.model, ...flags.size);
  const data = await readPictures(path, flags, { background: flags.background });
  const random = new Random(flags.seed);
  const classifier = ImageClassifier.create(flags.model, data, random.split('model'));
  const { count, channels, height, width } = data.train;
  process.stderr.write(
    `${flags.model}, ${parameterCount(classifier.model).toLocaleString('en-US')} parameters; ${count} training and ${data.test.count} test images of ${channels}×${height}×${width}, ${data.classes.length} classes\n`,
  );
  let accuracy: number | undefined;
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
    () => {
      accuracy = data.test.count > 0 ? accuracyOn(classifier.model, data.test, data) : undefined;
      writeFileAtomic(flags.out, classifier.trainedOn(data, accuracy).save());
    },
  );
  if (!ended) return;
  process.stdout.write(
    `${flags.out}: ${accuracy === undefined ? 'no test images, so no accuracy was measured' : `test accuracy ${(100 * accuracy).toFixed(2)} %`}\n`,
  );
}
