// `gossamer search --model hw-nas`: the networks inside an elastic one that trade accuracy best for
// latency on this machine, or for counts.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import {
  imageEvaluation,
  SubNetworkEvaluator,
  searchSplit,
  subNetworkMetrics,
  tactics,
} from '../../../compress/index.js';
import { firstImages, type ImageDataset, type LabelledImages } from '../../../data/index.js';
import { readBytes, requireWritable, sha256, writeFileAtomic } from '../../../data/node.js';
import { type Elastic, isElastic, parameterCount } from '../../../nn/index.js';
import { Random } from '../../../tensor/index.js';
import { ImageClassifier } from '../../../vision/index.js';
import { list, number } from '../../arguments.js';
import { writeNote } from '../../output.js';
import { readPictures } from '../../pictures.js';
import { trainResumably } from '../../training.js';
import type { SearchModel } from '../model.js';
import { budgetOption } from '../options.js';
import { searchByCommand } from './command.js';
import type { HwNasFlags } from './flags.js';
import { writeImageFront } from './front.js';
import { loggedSearch, requireFreshFolder } from './run.js';

/** Steps in which an elastic network is trained here, some minutes. */
const STEPS = 600;
/** Least and most epochs of that, unless they are given. */
const [LEAST_EPOCHS, MOST_EPOCHS] = [3, 40];
/** Pictures from which a step has 32 of them, and not 8. */
const MANY = 500;

/** Networks that trade accuracy for latency. */
export const hwNasSearch: SearchModel<HwNasFlags> = {
  name: 'hw-nas',
  writesFolder: true,
  options: [
    new Option('--objectives <names>', `what is traded: ${subNetworkMetrics.join(', ')}, or what --evaluate prints`)
      .argParser(list)
      .default(['accuracy', 'latency'], 'accuracy,latency'),
    new Option(
      '--supernet <file>',
      'elastic network of gossamer train --model elastic-cnn; trained here when left out',
    ),
    new Option(
      '--supernet-epochs <n>',
      `epochs of the elastic network where none is given; about ${STEPS} steps when left out`,
    ).argParser(number(1)),
    new Option('--evaluations <n>', 'networks that are measured').argParser(number(2)).default(250),
    new Option('--population <n>', 'networks of a loop or a generation').argParser(number(2)).default(25),
    new Option('--tactic <name>', 'in which order networks are measured')
      .choices(Object.keys(tactics))
      .default('concurrent'),
    new Option('--pass <n>', 'pictures of a pass whose latency is measured').argParser(number(1)).default(1),
    budgetOption,
    new Option('--bits <list>', 'search the precision of networks too, among 7, 8 and 32 bits').argParser(list),
    new Option('--warm <front.csv>', 'begin with the networks of this table, such as the front for another machine'),
    new Option(
      '--evaluate <command>',
      'search any super-network: <data> is then a JSON file of genes, and the command prints what a network measures',
    ),
  ],
  examples: [
    'gossamer search photos/ --model hw-nas -o front/                          networks that trade accuracy for latency here',
    'gossamer search photos/ --model hw-nas --budget latency=0.5 --threads 2 -o front/   the most accurate one within 0.5 ms',
    'gossamer search genes.json --model hw-nas --evaluate "node measure.js" --objectives accuracy,energy -o front/',
  ],
  notes:
    'an elastic network holds thousands of smaller ones: fewer channels, blocks, smaller kernels. Some are measured on pictures that training left out; predictors learn from all measurements which ones to measure next. The folder <out> gets log.csv (every measurement), front.csv and front.svg (those that no other beats), and the chosen one as model.plan, model.safetensors and model.onnx: within --budget the most accurate, without one the fastest that loses at most a point. Test pictures are classified once, for the front. With --evaluate the command gets {"gene": [values]} as its last argument and prints {"accuracy": …}; genes.json holds {"gene": {"count": 3, "values": [1, 2]}}.',
  run,
};

async function run(path: string, flags: HwNasFlags): Promise<void> {
  requireFreshFolder(flags);
  if (flags.evaluate !== undefined) return searchByCommand(path, flags, flags.evaluate);
  requireObjectives(flags);
  const folder = flags.out;
  const found = await superNetwork(path, flags);
  if (!found) return;
  const { classifier, network, data, validation, digest } = found;
  const { threads = 1, pass, bits, objectives } = flags;
  const metrics = subNetworkMetrics.filter((name) => objectives.includes(name) || name !== 'latency');
  const evaluator = new SubNetworkEvaluator(network, imageEvaluation(data, validation), {
    ...{ threads, batch: pass, metrics },
    ...(bits && { bits: bits.map(Number) }),
  });
  requireReachable(evaluator, flags);
  const about = { supernet: digest, data: path, threads, pass, validation: validation.count };
  const result = await loggedSearch(flags, evaluator.genes, (own) => evaluator.evaluate(own), about);
  if (!result) return;
  writeImageFront(folder, { classifier, evaluator, data, result, flags });
}

/** @throws Error naming the objectives that there are */
function requireObjectives({ objectives, budget: budgets }: HwNasFlags): void {
  const known: readonly string[] = subNetworkMetrics;
  const share = budgets.find(({ name }) => name === '');
  if (share) throw new Error(`--budget ${share.most}: name the objective that it is for, as latency=${share.most}`);
  const unknown = [...objectives, ...budgets.map(({ name }) => name)].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`objective "${unknown}" does not exist; there are ${known.join(', ')}, or those of --evaluate`);
  const other = budgets.find(({ name }) => name === 'accuracy' || !objectives.includes(name));
  if (other) throw new Error(`--budget ${other.name}: a budget is for an objective that is to be small`);
}

/** Factor that the smallest network may exceed a budget of latency by, which is noisy. */
const TOLERANCE = 1.5;

/** @throws Error for a budget that not even the smallest network meets */
function requireReachable(evaluator: SubNetworkEvaluator, { budget: budgets, bits = [] }: HwNasFlags): void {
  if (budgets.length === 0) return;
  const configuration = Object.fromEntries(
    Object.entries(evaluator.genes).map(([name, { count, values }]) => [
      name,
      Array.from({ length: count }, () => values[0] as number),
    ]),
  );
  const least = evaluator.evaluate(configuration);
  for (const { name, most } of budgets) {
    const own = least[name] as number;
    if (own > most * (name === 'latency' ? TOLERANCE : 1))
      throw new Error(
        `no sub-network meets --budget ${name}=${most}: the smallest one${bits.length > 0 ? ` of ${configuration.bits?.[0]} bits` : ''} needs ${shown(own)}; a larger budget, smaller pictures (--size) or an elastic network with fewer channels (gossamer train --model elastic-cnn --set base=8) may do`,
      );
  }
}

const shown = (value: number) => Number(value.toPrecision(3)).toString();

interface SuperNetwork {
  readonly classifier: ImageClassifier;
  readonly network: Elastic;
  /** The pictures, those for training without those for the search. */
  readonly data: ImageDataset;
  readonly validation: LabelledImages;
  readonly digest: string;
}

/** Most pictures that measure the accuracy of a network. */
const MOST_VALIDATION = 2000;
/** Validation pictures below which a note tells that accuracy is rough. */
const FEW = 100;

/** The elastic network of a file, or one that is trained now; none after Ctrl-C. */
async function superNetwork(path: string, flags: HwNasFlags): Promise<SuperNetwork | undefined> {
  const ownPath = join(flags.out, 'super.safetensors');
  const source = flags.supernet ?? (flags.resume && existsSync(ownPath) ? ownPath : undefined);
  const loaded = source === undefined ? undefined : loadElastic(source);
  const like = loaded?.classifier.description;
  const data = await readPictures(
    path,
    like ? { size: [like.height, like.width], channels: like.channels === 1 ? '1' : '3', ...flags } : flags,
    { background: flags.background ?? like?.background, silent: flags.json },
  );
  if (loaded && like) {
    requireFitting(loaded.classifier, data, source as string);
    const own = splitOf({ ...data, mean: like.mean, deviation: like.deviation });
    return { ...loaded, ...own };
  }
  const own = splitOf(data);
  const random = new Random(flags.seed);
  const classifier = ImageClassifier.create('elastic-cnn', data, random.split('model'));
  const { model } = classifier;
  writeNote(
    `elastic-cnn, ${parameterCount(model).toLocaleString('en-US')} parameters, is trained on ${own.data.train.count} pictures`,
  );
  requireWritable(ownPath);
  const ended = await trainResumably(
    { out: ownPath, resume: flags.resume && existsSync(`${ownPath}.checkpoint`) },
    (hooks) =>
      classifier.train(own.data, random.split('fit'), { ...scheduleFor(own.data.train.count, flags), ...hooks }),
    () => writeFileAtomic(ownPath, classifier.trainedOn(own.data).save()),
  );
  return ended ? { ...loadElastic(ownPath), ...own } : undefined;
}

/** Epochs and batches of the training of an elastic network on so many pictures. */
function scheduleFor(count: number, { supernetEpochs }: HwNasFlags) {
  const batchSize = count < MANY ? 8 : 32;
  const usual = Math.round(STEPS / Math.ceil(count / batchSize));
  return { batchSize, epochs: supernetEpochs ?? Math.min(MOST_EPOCHS, Math.max(LEAST_EPOCHS, usual)) };
}

/** @throws Error for a network without sub-networks */
function loadElastic(path: string): Pick<SuperNetwork, 'classifier' | 'network' | 'digest'> {
  const bytes = readBytes(path);
  const classifier = ImageClassifier.load(bytes, path);
  const { model, description } = classifier;
  if (!isElastic(model))
    throw new Error(
      `"${path}" is a ${description.architecture}, whose channels and depth cannot change; gossamer train --model elastic-cnn makes an elastic network`,
    );
  return { classifier, network: model, digest: sha256(bytes).slice(0, 16) };
}

/** @throws Error where classes or the number of pictures differ from those of the training */
function requireFitting({ description }: ImageClassifier, data: ImageDataset, path: string): void {
  if (data.classes.join() !== description.classes.join())
    throw new Error(
      `"${path}" knows the classes ${description.classes.join(', ')}, the pictures have ${data.classes.join(', ')}`,
    );
  const { trained } = description;
  if (trained && trained.testImages !== data.test.count)
    writeNote(
      `"${path}" was trained beside ${trained.testImages} test pictures, here are ${data.test.count}: with another --test-share or --seed than then, it knows some of them`,
    );
}

/** @throws Error where no picture is left for the search */
function splitOf(data: ImageDataset): Pick<SuperNetwork, 'data' | 'validation'> {
  const { train, validation } = searchSplit(data.train);
  if (validation.count < 1) throw new Error(`${data.train.count} pictures are too few for a search: none is left out`);
  if (validation.count < FEW)
    writeNote(`${validation.count} pictures measure the accuracy of networks, so that it is rough`);
  return { data: { ...data, train }, validation: firstImages(validation, MOST_VALIDATION) };
}
