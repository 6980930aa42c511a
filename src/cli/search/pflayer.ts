// `gossamer search --model pflayer`: a spatial operator for each block of a small network.

import { existsSync } from 'node:fs';
import { Option } from 'commander';
import { requireWritable, writeFileAtomic } from '../../data/node.js';
import { accuracyOn } from '../../models/index.js';
import { parameterCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { type FoundOperators, ImageClassifier, searchOperators } from '../../vision/index.js';
import { foundPathOf, searchResumably } from '../found.js';
import { writeNote } from '../output.js';
import { readPictures } from '../pictures.js';
import { trainResumably } from '../training.js';
import type { SearchModel, TrainingSearchFlags } from './model.js';
import { trainingOptions } from './options.js';

interface Flags extends TrainingSearchFlags {
  readonly blocks: 'normal' | 'all';
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

/** Spatial operators without parameters, or with. */
export const pflayerSearch: SearchModel<Flags> = {
  name: 'pflayer',
  options: [
    ...trainingOptions,
    new Option('--blocks <which>', 'normal: those that keep the size of the map; all: those that halve it too')
      .choices(['normal', 'all'])
      .default('normal'),
  ],
  examples: [
    'gossamer search photos/ --model pflayer --size 32 -o found.safetensors    searches, then trains what it found',
    'gossamer search fashion-mnist --model pflayer --search-epochs 10 --epochs 30 --seed 1',
    'gossamer search photos/ --model pflayer --size 32 --epochs 0 -o found.json   searches alone',
  ],
  notes:
    'each block of a small network gets a 3×3 convolution, a depthwise one, max or average pooling, or nothing. All are mixed by weights that learn from one half of the training pictures while the network learns from the other; the largest wins. Then the network that was found is trained from new weights on all training pictures. The test pictures are classified once, at the end. The search is kept beside the model, in <out> with the ending .json; its last line there trains the same network again by gossamer train.',
  tell: (found: Found) => [describe(found), `use: ${trainLine(found.data, found)}`],
  run,
};

async function run(path: string, flags: Flags): Promise<void> {
  const data = await readPictures(path, flags, { background: flags.background, silent: flags.json });
  const random = new Random(flags.seed);
  const { searchEpochs, batch, blocks, seed } = flags;
  const isAlone = flags.out.endsWith('.json') || flags.epochs === 0;
  const foundPath = isAlone ? flags.out : foundPathOf(flags.out);
  if (foundPath !== flags.out) requireWritable(foundPath);
  const pictures = [data.train.channels, data.train.height, data.train.width];
  const asked = { model: 'pflayer', data: path, pictures, seed, searchEpochs, batch, blocks } as const;
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
