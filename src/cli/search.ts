// `gossamer search`: the architecture that suits pictures of one's own, found and trained.

import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { readJson, requireWritable, writeFileAtomic } from '../data/node.js';
import { accuracyOn } from '../models/index.js';
import { parameterCount } from '../nn/index.js';
import { Random } from '../tensor/index.js';
import { type FoundOperators, ImageClassifier, searchOperators } from '../vision/index.js';
import { number } from './arguments.js';
import { writeNote } from './output.js';
import { type PictureTrainingFlags, readPictures, withBackgroundOption, withPictureOptions } from './pictures.js';
import { useThreads } from './threads.js';
import { trainResumably } from './training.js';

interface Flags extends PictureTrainingFlags {
  readonly model: 'pflayer';
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
  gossamer classify found.safetensors photo.jpg

pflayer: each block of a small network gets a 3×3 convolution, a depthwise one, max or average pooling, or nothing. All are mixed by weights that learn from one half of the training pictures while the network learns from the other; the largest wins. Then the network that was found is trained from new weights on all training pictures. The test pictures are classified once, at the end.
The search is kept beside the model, in <out> with the ending .json; its last line there trains the same network again by gossamer train.
Ctrl-C keeps the epochs so far in <out>.search.checkpoint or <out>.checkpoint, and --resume goes on from there.`;

export function searchCommand(): Command {
  const command = new Command('search')
    .description('search the architecture that suits your pictures, and train it')
    .argument('<images>', 'folder of images, or mnist, fashion-mnist, cifar10')
    .addOption(
      new Option('--model <name>', 'what is searched: the spatial operators of a small network')
        .choices(['pflayer'])
        .default('pflayer'),
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
      new Option('--blocks <which>', 'normal: those that keep the size of the map; all: those that halve it too')
        .choices(['normal', 'all'])
        .default('normal'),
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
  const data = await readPictures(path, flags, { background: flags.background, silent: flags.json });
  const random = new Random(flags.seed);
  const { searchEpochs, batch, blocks, seed } = flags;
  const isAlone = flags.out.endsWith('.json') || flags.epochs === 0;
  const foundPath = isAlone ? flags.out : `${flags.out.replace(/\.[^./]*$/, '')}.json`;
  if (foundPath !== flags.out) requireWritable(foundPath);
  const asked = { model: 'pflayer', data: path, seed, searchEpochs, batch, blocks } as const;
  const found = await search(flags, foundPath, asked, (hooks) =>
    searchOperators(data, random.split('search'), { epochs: searchEpochs, batchSize: batch, blocks, ...hooks }),
  );
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

/**
 * Searches, or takes what an earlier run found: with --resume, where the search had ended.
 *
 * @returns undefined after Ctrl-C
 * @throws Error for a resumed search of other options
 */
async function search(
  { out: model, resume }: Flags,
  path: string,
  asked: Omit<Found, 'operators' | 'searched' | 'settings'>,
  find: (hooks: Parameters<Parameters<typeof trainResumably>[1]>[0]) => Promise<FoundOperators>,
): Promise<Found | undefined> {
  const out = `${model}.search`;
  if (resume && existsSync(path) && !existsSync(`${out}.checkpoint`)) {
    const earlier = readJson(path) as Found;
    const other = Object.entries(asked).find(
      ([name, value]) => (earlier as unknown as Record<string, unknown>)[name] !== value,
    );
    if (other) throw new Error(`"${path}" was found with another ${other[0]}; give that again, or leave --resume out`);
    return earlier;
  }
  let found: Found | undefined;
  const ended = await trainResumably(
    { out, resume },
    async (hooks) => {
      const { operators, searched, settings, stopped } = await find(hooks);
      found = { ...asked, operators, searched, settings };
      return { stopped };
    },
    () => writeFileAtomic(path, `${JSON.stringify(found, null, 2)}\n`),
  );
  return ended ? found : undefined;
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
