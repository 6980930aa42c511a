// `gossamer search`: the architecture that suits pictures of one's own, found and trained.

import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { requireWritable, writeFileAtomic } from '../data/node.js';
import { accuracyOn } from '../models/index.js';
import { parameterCount } from '../nn/index.js';
import { Random } from '../tensor/index.js';
import { type FoundOperators, ImageClassifier, searchOperators } from '../vision/index.js';
import { list, number, shareKept } from './arguments.js';
import { foundPathOf, searchResumably } from './found.js';
import { writeNote } from './output.js';
import { type PictureTrainingFlags, readPictures, withBackgroundOption, withPictureOptions } from './pictures.js';
import { type CellFlags, searchCellsOn } from './search-cells.js';
import { useThreads } from './threads.js';
import { trainResumably } from './training.js';

interface Flags extends PictureTrainingFlags, CellFlags {
  readonly model: 'pflayer' | 'dass';
  readonly out: string;
  readonly searchEpochs: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly blocks: 'normal' | 'all';
  readonly threads?: number;
  readonly resume: boolean;
  readonly json: boolean;
}

/** What a search found, as its file holds it: enough to go on from, and to train again. */
interface Found extends Pick<FoundOperators, 'operators' | 'searched' | 'settings'> {
  readonly model: 'pflayer';
  readonly data: string;
  readonly seed: number;
  readonly searchEpochs: number;
  readonly batch: number;
  readonly blocks: Flags['blocks'];
}

/** The network that `pflayer` searches in. */
const NETWORK = 'pf-nano';

const examples = `
Examples
  gossamer search photos/ --model pflayer --size 32 -o found.safetensors    searches, then trains what it found
  gossamer search fashion-mnist --model pflayer --search-epochs 10 --epochs 30 --seed 1
  gossamer search photos/ --model pflayer --size 32 --epochs 0 -o found.json   searches alone
  gossamer search photos/ --model dass --keep 0.05 --size 32 -o found.safetensors   cells that suit 95 % zeros
  gossamer train photos/ --model found.json --keep 0.02                     those cells again, with other weights
  gossamer classify found.safetensors photo.jpg

pflayer: each block of a small network gets a 3×3 convolution, a depthwise one, max or average pooling, or nothing. All are mixed by weights that learn from one half of the training pictures while the network learns from the other; the largest wins. Then the network that was found is trained from new weights on all training pictures. The test pictures are classified once, at the end.
dass: a cell of operations, stacked into a network, is searched while its convolutions keep a share of their weights alone: training of all weights, of scores that choose which are kept, and of those that are, each with steps of the mixture in turns. A network of the cells is then trained, pruned and trained again from new weights; <out> has its zeros, and <out> with the ending .plan runs them on sparse kernels. --search-epochs and --epochs are those of the first and the last of the three phases; the second has half as many.
The search is kept beside the model, in <out> with the ending .json; its last line there trains the same network again by gossamer train (dass: gossamer train --model <that file>).
Ctrl-C keeps the epochs so far in <out>.search.checkpoint or <out>.checkpoint, and --resume goes on from there.`;

export function searchCommand(): Command {
  const command = new Command('search')
    .description('search the architecture that suits your pictures, and train it')
    .argument('<images>', 'folder of images, or mnist, fashion-mnist, cifar10')
    .addOption(
      new Option('--model <name>', 'what is searched, see below').choices(['pflayer', 'dass']).default('pflayer'),
    )
    .addOption(new Option('--space <name>', 'the same as --model').choices(['pflayer']).hideHelp())
    .option(
      '-o, --out <file>',
      'the model; a file that ends in .json holds the architecture alone',
      'found.safetensors',
    )
    .option('--search-epochs <n>', 'epochs of the search', number(1), 10)
    .option('--epochs <n>', 'epochs of the training of what was found; 0 trains nothing', number(0), 30)
    .option('--batch <n>', 'pictures per step', number(2), 32)
    .option('--learning-rate <rate>', 'peak learning rate of the training', number(0, false), 3e-3)
    .addOption(
      new Option(
        '--blocks <which>',
        'pflayer: normal: those that keep the size of the map; all: those that halve it too',
      )
        .choices(['normal', 'all'])
        .default('normal'),
    )
    .option('--keep <share>', 'dass: share of the weights of every layer that is kept; 1 prunes none', shareKept, 0.05)
    .option('--width <n>', 'dass: channels of the nodes of the first cells', number(2), 16)
    .option('--cells <n>', 'dass: cells of the network', number(3), 8)
    .option('--nodes <n>', 'dass: nodes of a cell', number(1), 4)
    .option('--operations <names>', 'dass: operations that edges choose from; all when left out', list)
    .addOption(
      new Option('--order <which>', 'dass: second follows the weights after a step, at four times the cost')
        .choices(['first', 'second'])
        .default('first'),
    );
  return withBackgroundOption(withPictureOptions(command))
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from where Ctrl-C stopped', false)
    .option('--json', 'print what was found as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(path: string, flags: Flags): Promise<void> {
  useThreads(flags.threads);
  requireWritable(flags.out);
  if (flags.model === 'dass') return searchCellsOn(path, flags);
  const data = await readPictures(path, flags, { background: flags.background, silent: flags.json });
  const random = new Random(flags.seed);
  const { searchEpochs, batch, blocks, seed } = flags;
  const isAlone = flags.out.endsWith('.json') || flags.epochs === 0;
  const foundPath = isAlone ? flags.out : foundPathOf(flags.out);
  if (foundPath !== flags.out) requireWritable(foundPath);
  const asked = { model: 'pflayer', data: path, seed, searchEpochs, batch, blocks } as const;
  const found: Found | undefined = await searchResumably(flags, foundPath, asked, async (hooks) => {
    const { operators, searched, settings, stopped } = await searchOperators(data, random.split('search'), {
      ...{ epochs: searchEpochs, batchSize: batch, blocks, ...hooks },
    });
    return { found: { operators, searched, settings }, stopped };
  });
  if (!found) return;
  if (!flags.json) process.stdout.write(`${describe(found)}\n${trainLine(path, found)}\n`);
  if (isAlone) {
    process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : `${foundPath}: what was found\n`);
    return;
  }
  const classifier = ImageClassifier.create(NETWORK, data, random.split('model'), found.settings);
  writeNote(`${NETWORK}, ${parameterCount(classifier.model).toLocaleString('en-US')} parameters`);
  let accuracy: number | undefined;
  const ended = await trainResumably(
    { out: flags.out, resume: flags.resume && existsSync(`${flags.out}.checkpoint`) },
    (hooks) =>
      classifier.train(data, random.split('fit'), {
        ...hooks,
        ...{ epochs: flags.epochs, batchSize: batch, learningRate: flags.learningRate },
      }),
    () => {
      accuracy = data.test.count > 0 ? accuracyOn(classifier.model, data.test, data) : undefined;
      writeFileAtomic(flags.out, classifier.trainedOn(data, accuracy).save());
    },
  );
  if (!ended) return;
  const result = accuracy === undefined ? 'no test images' : `test accuracy ${(100 * accuracy).toFixed(2)} %`;
  process.stdout.write(
    flags.json ? `${JSON.stringify({ ...found, accuracy, out: flags.out })}\n` : `${flags.out}: ${result}\n`,
  );
}

/** A line for each searched block: its operator, and the shares of all. */
function describe({ searched }: Found): string {
  return searched
    .map(({ block, operator, shares }) => {
      const all = Object.entries(shares).map(([name, share]) => `${name} ${share.toFixed(3)}`);
      return `block ${block + 1}: ${operator} (${all.join(', ')})`;
    })
    .join('\n');
}

/** The command that trains the found network again. */
function trainLine(path: string, { settings }: Found): string {
  const sets = Object.entries(settings).map(([name, value]) => `--set ${name}=${value}`);
  return `gossamer train ${path} --model ${NETWORK} ${sets.join(' ')}`;
}
