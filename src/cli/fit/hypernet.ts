// Graph hypernetworks for a person's own pictures or text: they predict initial weights of networks
// that will be trained there.

import { type ImageDataset, type LabelledImages, selectedImages, splitTokens } from '../../data/index.js';
import { imageSetNames, isFolder, loadText } from '../../data/node.js';
import {
  type Architecture,
  type FamilyMember,
  familyMembers,
  grid,
  HypernetModel,
  type HypernetTask,
  LoGAH,
  type LoGAHOptions,
  meanUntrained,
  pictureTask,
  scoreOnImages,
  scoreOnText,
  textTask,
  trainHypernet,
} from '../../hypernet/index.js';
import { tokenizerOf, vocabularyOf } from '../../lm/index.js';
import { parameterCount } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { readPictures } from '../pictures.js';
import type { FitRequest, Fitted } from './learner.js';
import type { logahOptions } from './options.js';

type Request = FitRequest<typeof logahOptions>;

/** A family's task with how its networks are scored. */
interface FamilyTask {
  readonly base: Architecture;
  readonly task: HypernetTask;
  /** Loss on validation data, which chooses the epoch. */
  validation(ghn: LoGAH, members: readonly FamilyMember[]): number;
  /** Scores of untrained networks on test data. */
  scores(ghn: LoGAH, members: readonly FamilyMember[]): Record<string, number>;
  readonly about: string;
}

/** Trains on a folder of pictures, a known set of them, or a text. */
export async function fitHypernet(path: string, request: Request): Promise<Fitted> {
  const { values, random, hooks, note } = request;
  const layers = numbersOf('layers', values.layers);
  const widths = numbersOf('widths', values.widths);
  const isPictures = isFolder(path) || imageSetNames.includes(path);
  const own = isPictures ? await pictureFamily(path, request) : textFamily(path, request);
  const { base, task } = own;
  const options = optionsOf(values, base);
  const ghn = new LoGAH(random.split('hypernet'), options);
  const members = familyMembers(ghn, grid(base, layers, widths), random.split('family'));
  note(
    `${members.length} networks of the family ${base.family}, ${parameterCount(ghn).toLocaleString('en-US')} parameters of the hypernetwork`,
  );
  const { steps, metaBatch, learningRate } = values;
  const { stopped } = await trainHypernet(ghn, random.split('fit'), {
    ...{ members, steps, metaBatch, learningRate, ...task },
    validate: (live) => own.validation(live, members),
    ...hooks,
  });
  const scores = stopped === 'aborted' ? {} : own.scores(ghn, members);
  const model = new HypernetModel(ghn, { options, base, layers, widths, data: path, steps, scores });
  const shown = Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  return {
    file: () => model.save(),
    lines: [
      own.about,
      `${members.length} networks with predicted weights, untrained, on test data: ${shown.join(', ')}`,
    ],
    scores,
    stopped,
  };
}

/** @throws Error naming an option that is no list of whole numbers */
function numbersOf(name: string, text: string): number[] {
  const numbers = text.split(',').map((part) => Number(part.trim()));
  if (numbers.every((value) => Number.isInteger(value) && value >= 1)) return numbers;
  throw new Error(`--set ${name}=${text}: expected whole numbers with commas between them, as 1,2,3`);
}

function optionsOf(values: Request['values'], base: Architecture): LoGAHOptions {
  const { features, rank, encoderLayers: layers, encoderHeads: heads, maxWidth, range } = values;
  const classes = 'classes' in base ? base.classes : 10;
  const isText = base.family === 'gpt2' || base.family === 'decoder';
  return {
    ...{ classes, features, rank, layers, heads, maxWidth },
    ...(isText && { scaling: 'deviation' as const, range, vocabularies: [base.vocabulary ?? 50257] }),
  };
}

async function pictureFamily(path: string, { values, pictures, random }: Request): Promise<FamilyTask> {
  if (!pictures) throw new Error('logah: how pictures are read was not said');
  const { family, heads, patch } = values;
  if (family !== 'auto' && family !== 'vit' && family !== 'mlp')
    throw new Error(`--set family=${family}: pictures are for vit or mlp; "${path}" holds pictures`);
  const data = await readPictures(path, pictures, { background: pictures.background });
  const { channels, height, width } = data.train;
  const flat = family === 'mlp';
  if (!flat && height !== width)
    throw new Error(`logah: vision transformers take squares, got ${height}×${width}; --size makes them so`);
  if (!flat && height % patch !== 0)
    throw new Error(
      `logah: pictures of ${height} pixels do not divide into patches of ${patch}; --size or --set patch=…`,
    );
  const { train, validation } = validationOf(data, values.validation, random.split('validation'));
  const classes = data.classes.length;
  const base: Architecture = flat
    ? { family: 'mlp', inFeatures: channels * height * width, classes, features: 1, layers: 1 }
    : { family: 'vit', imageSize: height, patchSize: patch, channels, classes, features: heads, layers: 1, heads };
  const score = (images: LabelledImages, ghn: LoGAH, members: readonly FamilyMember[], what: 'loss' | 'accuracy') =>
    meanUntrained(ghn, members, (live) => scoreOnImages(live, images, data, flat)[what]);
  return {
    base,
    task: pictureTask(train, data, { flat, batch: values.batch }),
    validation: (ghn, members) => score(validation, ghn, members, 'loss'),
    scores: (ghn, members): Record<string, number> =>
      data.test.count === 0 ? {} : { accuracy: 100 * score(data.test, ghn, members, 'accuracy') },
    about: `${data.name}: ${train.count} pictures to train, ${validation.count} to choose the epoch, ${data.test.count} to test; ${classes} classes`,
  };
}

/** A share of the training pictures, drawn at random, chooses the epoch. */
function validationOf({ train }: ImageDataset, share: number, random: Random) {
  const held = Math.max(1, Math.round(share * train.count));
  if (held >= train.count) throw new Error(`logah: ${train.count} pictures are too few to keep any for validation`);
  const order = random.permutation(train.count);
  return {
    train: selectedImages(train, order.subarray(held)),
    validation: selectedImages(train, order.subarray(0, held)),
  };
}

function textFamily(path: string, { values }: Request): FamilyTask {
  const { family, heads, length, batch, tokens: size } = values;
  if (family === 'vit' || family === 'mlp')
    throw new Error(`--set family=${family} is for pictures; "${path}" is read as a text, for decoder or gpt2`);
  const text = loadText(path);
  const tokenizer = tokenizerOf(vocabularyOf(text, size === 0 ? undefined : size));
  const { train: known, validation: test } = splitTokens(Int32Array.from(tokenizer.encode(text)));
  const { train, validation } = splitTokens(known, 1 / 9);
  if (validation.length <= length)
    throw new Error(`"${path}" has ${text.length} characters, too few for windows of ${length}`);
  const shared = { vocabulary: tokenizer.size, features: heads, layers: 1, heads };
  const base: Architecture =
    family === 'gpt2' ? { family, ...shared, context: length, tied: true } : { family: 'decoder', ...shared };
  const score = (part: Int32Array, ghn: LoGAH, members: readonly FamilyMember[]) =>
    meanUntrained(ghn, members, (live) => scoreOnText(live, part, length));
  return {
    base,
    task: textTask(train, { batch, length }),
    validation: (ghn, members) => score(validation, ghn, members),
    scores: (ghn, members) => ({ loss: score(test, ghn, members), 'loss of equal odds': Math.log(tokenizer.size) }),
    about: `${path}: ${train.length} tokens to train, ${validation.length} to choose the epoch, ${test.length} to test; ${tokenizer.size} different`,
  };
}
