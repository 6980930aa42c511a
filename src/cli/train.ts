// `gossamer train`: `gossamer fit` on pictures, with a flag for each hyperparameter.

import { Command, Option } from 'commander';
import { requireWritable, writeFileAtomic } from '../data/node.js';
import { resolveOptions } from '../experiments/parts/options.js';
import { Random } from '../tensor/index.js';
import { imageModelNames, imageModelSettings, unknownImageModel } from '../vision/index.js';
import { number, shareKept } from './arguments.js';
import type { Fitted } from './fit/learner.js';
import { learners } from './fit/learners.js';
import { pictureOptions } from './fit/options.js';
import { settingOptions } from './fit/picture-learners.js';
import { architectureIn, fitPictures } from './fit/pictures.js';
import { readNetwork } from './found.js';
import { writeNote } from './output.js';
import { type ClassifierFlags, withBackgroundOption, withClassifierOptions, withPictureOptions } from './pictures.js';
import { useThreads } from './threads.js';
import { trainResumably } from './training.js';

interface Flags extends ClassifierFlags {
  readonly model?: string;
  readonly out: string;
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: 'adamw' | 'lamb' | 'adadelta' | 'kar2' | 'kar3';
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly augment: boolean;
  readonly mixing: 'none' | 'mixup' | 'cutmix';
  readonly classWeights: 'none' | 'balanced';
  readonly labelSmoothing: number;
  readonly average: number;
  readonly hyperedges?: number;
  readonly heads?: number;
  readonly set: readonly string[];
  readonly init?: string;
  readonly keep?: number;
  readonly teacher?: string;
  readonly threads?: number;
  readonly resume: boolean;
}

const examples = `
Examples
  gossamer train flowers/ --model lsnet-nano --size 32             a folder of pictures a class; a tenth is kept for testing
  gossamer train fashion-mnist --model vanillanet-nano --epochs 10
  gossamer train digits/ --model resnet20 --augment -o digits.safetensors --resume
  gossamer train logos/ --size 48x64 --background black --test-share 0.2   transparent pixels on black; --strict stops at a bad file
  gossamer train flowers/ --model vit-softhgnn --size 32 --hyperedges 16   a vision transformer with soft hyperedges
  gossamer train flowers/ --model phc-resnet20 --size 32 --set n=3   hypercomplex convolutions: a third of the parameters
  gossamer train flowers/ --model vit-nano --size 32 --init ghn.safetensors   from weights that a hypernetwork predicts
  gossamer train flowers/ --model terminator-nano --size 16 --optimizer kar3 --learning-rate 1e-3   slow networks write its kernels
  gossamer train flowers/ --model found.json --keep 0.05           cells that gossamer search found, 5 % of their weights
  gossamer train flowers/ --model small/shape.json --teacher big.safetensors   widths and depths that gossamer search found
  gossamer fit digits/ --model resnet20 --set epochs=20 --set augment=yes  the same by gossamer fit, which --set tells these options
  gossamer train moths/ --size 64 --test held-out/ --class-weights balanced --report moths.html   rare classes count alike
  gossamer train birds/ --from flowers.safetensors --freeze        other classes on the backbone of a trained model
  gossamer info flowers/                                           classes, sizes, formats, and pictures that cannot be used
  gossamer classify model.safetensors photo.jpg more-photos/

A folder holds a folder of pictures for each class, maybe under train/ and test/ (or val/), or the four IDX files of a set like MNIST. Pictures are JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP, whatever their names say; those that cannot be used are named and left out. AdamW with warm-up and a cosine unless told otherwise; the test images are classified after each epoch, for your eyes alone.
With test pictures, a table of confusions is printed where there are mistakes, and --report writes a page with it and the worst mistakes. --from begins with the weights of a model, its image size, channels and normalisation unless told otherwise; with --freeze its head alone is trained.
Ctrl-C keeps the epochs so far in <out>.checkpoint, and --resume goes on from there.

Models
  ${imageModelNames.join(', ')}`;

/** What trains where nothing is said. */
const DEFAULT_MODEL = 'lsnet-nano';

export function trainCommand(): Command {
  const { epochs, batch, optimizer, learningRate, weightDecay, mixing, classWeights } = pictureOptions;
  const { labelSmoothing, average, augment } = pictureOptions;
  const command = new Command('train')
    .description('train a classifier on images, as gossamer fit does')
    .argument('<images>', 'folder of images, or mnist, fashion-mnist, cifar10')
    .option(
      '--model <name>',
      `architecture, see below; ${DEFAULT_MODEL}, or that of --from, when left out, or a file of gossamer search --model dass or tas`,
    )
    .option('-o, --out <file>', 'the model', 'model.safetensors')
    .option('--epochs <n>', epochs.about, number(1), epochs.default)
    .option('--batch <n>', batch.about, number(2), batch.default)
    .addOption(
      new Option('--optimizer <name>', optimizer.about).choices([...optimizer.choices]).default(optimizer.default),
    )
    .option('--learning-rate <rate>', learningRate.about, number(0, false), learningRate.default)
    .option('--weight-decay <d>', weightDecay.about, number(0, false), weightDecay.default)
    .option('--augment', augment.about, false)
    .addOption(new Option('--mixing <how>', mixing.about).choices([...mixing.choices]).default(mixing.default))
    .addOption(
      new Option('--class-weights <how>', classWeights.about)
        .choices([...classWeights.choices])
        .default(classWeights.default),
    )
    .option('--label-smoothing <e>', labelSmoothing.about, number(0, false), labelSmoothing.default)
    .option('--average <decay>', average.about, number(0, false), average.default)
    .option('--hyperedges <n>', 'vit-softhgnn: soft hyperedges that every picture uses', number(1))
    .option('--heads <n>', 'vit-softhgnn: heads of the soft hyperedges, a divisor of the width', number(1));
  command.option(
    '--set <name=value>',
    'a hyperparameter of the network, such as n=3 of phc-resnet20 (repeatable)',
    (value: string, all: string[]) => [...all, value],
    [] as string[],
  );
  command.option('--init <file>', 'initial weights by a model of gossamer fit --model logah');
  command.option(
    '--keep <share>',
    'prune every layer to this share of its weights: half as many epochs of scores, then as many again of what is kept',
    shareKept,
  );
  command.option(
    '--teacher <model>',
    'trained classifier of the same classes to learn from too: nine tenths of the loss, at temperature 4',
  );
  return withClassifierOptions(withBackgroundOption(withPictureOptions(command)))
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from <out>.checkpoint', false)
    .addHelpText('after', examples)
    .action(train);
}

async function train(path: string, given: Flags): Promise<void> {
  const named = given.model ?? (given.from === undefined ? DEFAULT_MODEL : architectureIn(given.from));
  const { model, genotype, shape, settings } = readNetwork(named);
  const flags = { ...given, model };
  useThreads(flags.threads);
  requireWritable(flags.out);
  requireModel(flags);
  let fitted: Fitted | undefined;
  const ended = await trainResumably(
    flags,
    async (hooks) => {
      const assignments = [...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ...flags.set];
      const own = resolveOptions(settingOptions(model), { assignments });
      const values = { ...own, ...flags, augment: flags.augment ? 'yes' : 'no' } as const;
      const random = new Random(flags.seed);
      const { init, keep, teacher } = flags;
      fitted = await fitPictures(model, path, {
        ...{ values, pictures: flags, random, hooks, note: writeNote, init, genotype, shape, keep, teacher },
      });
      return fitted;
    },
    () => fitted?.file && writeFileAtomic(flags.out, fitted.file()),
  );
  if (!ended || !fitted) return;
  const { lines, details = [] } = fitted;
  process.stdout.write(`${[`${flags.out}: ${lines.at(-1)}`, ...details].join('\n')}\n`);
}

/** @throws Error for an unknown network, or for a hyperparameter that it lacks */
function requireModel({ model, ...flags }: Flags & { readonly model: string }): void {
  if (!imageModelNames.includes(model)) {
    const other = Object.hasOwn(learners, model) ? learners[model] : undefined;
    if (other) throw new Error(`model "${model}" learns ${other.about}: gossamer fit trains it`);
    throw new Error(unknownImageModel(model));
  }
  const settings = imageModelSettings(model);
  for (const name of ['hyperedges', 'heads'] as const)
    if (flags[name] !== undefined && !Object.hasOwn(settings, name))
      throw new Error(`--${name}: model "${model}" has none; vit-softhgnn has`);
}
