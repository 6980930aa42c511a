// `gossamer search --model dass`: cells whose operations are sparse while they are compared, then
// a network of them that is trained, pruned and trained again.

import { existsSync } from 'node:fs';
import { Option } from 'commander';
import { type FoundCells, searchBytes, searchCells, sparsePlan, trainSparsely } from '../../compress/index.js';
import { imageTensor } from '../../data/index.js';
import { requireWritable, writeFileAtomic } from '../../data/node.js';
import { accuracyOn, type CellOperation, cellOperations, requireGenotype, skipShare } from '../../models/index.js';
import { parameterCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { savePlan } from '../../trace/index.js';
import { ImageClassifier } from '../../vision/index.js';
import { list, number, shareKept } from '../arguments.js';
import { foundPathOf, searchResumably } from '../found.js';
import { writeNote } from '../output.js';
import { readPictures } from '../pictures.js';
import { trainResumably } from '../training.js';
import type { SearchModel, TrainingSearchFlags } from './model.js';
import { trainingOptions } from './options.js';

interface Flags extends TrainingSearchFlags {
  readonly keep: number;
  readonly width: number;
  readonly cells: number;
  readonly nodes: number;
  readonly operations?: readonly string[];
  readonly order: 'first' | 'second';
}

/** Cells of sparse operations. */
export const dassSearch: SearchModel<Flags> = {
  name: 'dass',
  options: [
    ...trainingOptions,
    new Option('--keep <share>', 'share of the weights of every layer that is kept; 1 prunes none')
      .argParser(shareKept)
      .default(0.05),
    new Option('--width <n>', 'channels of the nodes of the first cells').argParser(number(2)).default(16),
    new Option('--cells <n>', 'cells of the network').argParser(number(3)).default(8),
    new Option('--nodes <n>', 'nodes of a cell').argParser(number(1)).default(4),
    new Option('--operations <names>', 'operations that edges choose from; all when left out').argParser(list),
    new Option('--order <which>', 'second follows the weights after a step, at four times the cost')
      .choices(['first', 'second'])
      .default('first'),
  ],
  examples: [
    'gossamer search photos/ --model dass --keep 0.05 --size 32 -o found.safetensors   cells that suit 95 % zeros',
    'gossamer train photos/ --model found.json --keep 0.02                     those cells again, with other weights',
  ],
  notes:
    'a cell of operations, stacked into a network, is searched while its convolutions keep a share of their weights alone: training of all weights, of scores that choose which are kept, and of those that are, each with steps of the mixture in turns. A network of the cells is then trained, pruned and trained again from new weights; <out> has its zeros, and <out> with the ending .plan runs them on sparse kernels. --search-epochs and --epochs are those of the first and the last of the three phases; the second has half as many. The search is kept beside the model, in <out> with the ending .json, which gossamer train --model <that file> trains again.',
  tell: (found: Pick<FoundCells, 'genotype'> & { readonly data: string; readonly keep: number }, path) => [
    describe(found),
    `use: gossamer train ${found.data} --model ${path} --keep ${found.keep}`,
  ],
  run,
};

/** Memory from which a search is announced, in bytes. */
const MUCH = 2 ** 30;

/** Rates of a search of tens of epochs, where the published ones are for hundreds. */
const RATES = { learningRates: { pretrain: 0.1, prune: 0.1, finetune: 0.1 }, architectureRate: 3e-3 };

/** Epochs of the three phases: as many of weights twice, half of them of scores. */
const phasesOf = (epochs: number) => ({ pretrain: epochs, prune: Math.ceil(epochs / 2), finetune: epochs });

/** Searches cells on pictures, then trains their network from new weights. */
async function run(path: string, flags: Flags): Promise<void> {
  const operations = operationsOf(flags.operations);
  const { searchEpochs, batch, keep, seed, width, cells, nodes, order, epochs, learningRate } = flags;
  const isAlone = flags.out.endsWith('.json') || epochs === 0;
  const foundPath = isAlone ? flags.out : foundPathOf(flags.out);
  const planPath = `${flags.out.replace(/\.[^./]*$/, '')}.plan`;
  if (!isAlone && planPath === flags.out)
    throw new Error(`-o: "${flags.out}" is the plan beside the model; name the model, such as found.safetensors`);
  requireWritable(foundPath);
  const data = await readPictures(path, flags, { background: flags.background, silent: flags.json });
  const random = new Random(seed);
  const settings = { width, cells };
  const space = { ...settings, nodes, operations, batchSize: batch };
  const need = searchBytes(data.train, space);
  if (need > MUCH)
    writeNote(
      `the search needs about ${(need / 2 ** 30).toFixed(1)} GiB; a smaller --width, --cells, --batch or --size needs less`,
    );
  const asked = {
    model: 'dass',
    data: path,
    pictures: [data.train.channels, data.train.height, data.train.width],
    ...{ seed, keep, searchEpochs, batch, nodes, operations, order, settings },
  };
  const found = await searchResumably(flags, foundPath, asked, async (hooks) => {
    const { genotype, shares, stopped } = await searchCells(data, random.split('search'), {
      ...{ ...space, ...RATES, keep, order, ...hooks },
      epochs: phasesOf(searchEpochs),
    });
    return { found: { genotype, shares }, stopped };
  });
  if (!found) return;
  requireGenotype(found.genotype, foundPath);
  if (!flags.json) process.stdout.write(`${describe(found)}\n`);
  if (isAlone) {
    process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : `${foundPath}: what was found\n`);
    return;
  }
  const classifier = ImageClassifier.create('dass', data, random.split('model'), settings, found.genotype);
  const size = parameterCount(classifier.model).toLocaleString('en-US');
  writeNote(`${size} parameters, ${Number((100 * keep).toPrecision(3))} % of weights kept, one a layer at least`);
  let accuracy: number | undefined;
  const ended = await trainResumably(
    { out: flags.out, resume: flags.resume && existsSync(`${flags.out}.checkpoint`) },
    (hooks) =>
      trainSparsely(classifier.model, data, random.split('fit'), {
        ...{ ...hooks, keep, batchSize: batch, epochs: phasesOf(epochs) },
        learningRates: { pretrain: learningRate, finetune: learningRate },
      }),
    () => {
      accuracy = data.test.count > 0 ? accuracyOn(classifier.model, data.test, data) : undefined;
      const trained = classifier.trainedOn(data, accuracy);
      writeFileAtomic(flags.out, trained.save());
      const { plan } = sparsePlan(trained.deployed(), imageTensor(data.train, [0], data));
      writeFileAtomic(planPath, savePlan(plan, trained.metadata()));
    },
  );
  if (!ended) return;
  const result = accuracy === undefined ? 'no test images' : `test accuracy ${(100 * accuracy).toFixed(2)} %`;
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...found, accuracy, out: flags.out, plan: planPath })}\n`
      : `${flags.out}, ${planPath}: ${result}\n`,
  );
}

/** @throws Error naming the operations there are */
function operationsOf(names: readonly string[] = cellOperations): readonly CellOperation[] {
  const unknown = names.find((name) => !(cellOperations as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--operations: "${unknown}" is none of ${cellOperations.join(', ')}`);
  return names as readonly CellOperation[];
}

/** The cells node by node, and a word where the search collapsed. */
function describe({ genotype }: Pick<FoundCells, 'genotype'>): string {
  const lines = (['normal', 'reduce'] as const).map((type) => {
    const edges = genotype[type].map(([operation, input], at) => `${(at >> 1) + 2}: ${operation} of ${input}`);
    return `${type}: ${edges.join(', ')}`;
  });
  const skips = skipShare(genotype);
  if (skips > 0.5)
    lines.push(
      `${Math.round(100 * skips)} % of the edges are skip connections: fewer --search-epochs may find better ones`,
    );
  return lines.join('\n');
}
