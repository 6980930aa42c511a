// Classifiers of pictures, for `gossamer fit` and `gossamer train`.

import { searchSplit, shapeDistillation, teacherOf, trainSparsely } from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { readBytes, requireWritable, writeFileAtomic } from '../../data/node.js';
import {
  balancedWeights,
  type Genotype,
  type ImageTrainingOptions,
  type NetworkShape,
  VisionTransformer,
} from '../../models/index.js';
import { type FitResult, MANY_CONTEXT_WEIGHTS, parameterCount, SoftHGNN } from '../../nn/index.js';
import { type Random, zeros } from '../../tensor/index.js';
import {
  evaluateImages,
  headOf,
  ImageClassifier,
  imageModelNote,
  imageModelSettings,
  requireImageSize,
  transferWeights,
} from '../../vision/index.js';
import { predictInitial } from '../initial-weights.js';
import { type ClassifierFlags, readPictures } from '../pictures.js';
import type { FitRequest, Fitted } from './learner.js';
import type { pictureOptions } from './options.js';
import { accuracyLine, confusionLines, pictureReport } from './picture-report.js';

type Request = Pick<FitRequest<typeof pictureOptions>, 'values' | 'random' | 'hooks' | 'note' | 'init'> & {
  readonly pictures: ClassifierFlags;
  /** Cells that a search found, for `dass`. */
  readonly genotype?: Genotype | undefined;
  /** Widths and depths that a search found. */
  readonly shape?: NetworkShape | undefined;
  /** Share of the weights of each layer that is kept. Default: all of them. */
  readonly keep?: number | undefined;
  /** Model file of a classifier to learn from. Default: labels alone. */
  readonly teacher?: string | undefined;
};

/** Steps below which running statistics and weights have hardly settled. */
const FEW_STEPS = 50;
/** Times that the largest class has the pictures of the smallest, from which a note tells of it. */
const UNBALANCED = 3;

/** Trains a network on labelled pictures; the last weights count, not the best on test images. */
export async function fitPictures(
  architecture: string,
  path: string,
  { values, pictures, random, hooks, note, init, genotype, shape, keep, teacher: teacherPath }: Request,
): Promise<Fitted> {
  const source = sourceOf(pictures, init);
  const teacher = teacherPath === undefined ? undefined : ImageClassifier.load(readBytes(teacherPath), teacherPath);
  if (keep !== undefined && pictures.freeze)
    throw new Error('--keep prunes all layers, --freeze trains one; leave one out');
  if (pictures.size) requireImageSize(architecture, ...pictures.size);
  if (pictures.report !== undefined) requireWritable(pictures.report);
  const all = await readLike(source ?? teacher, path, pictures);
  const data = withoutSearchPictures(architecture, all, keep, note);
  if (pictures.report !== undefined && data.test.count === 0)
    throw new Error('--report tells of test pictures, of which there are none; leave one of both out');
  if (teacher) requireTeacher(teacher, data, teacherPath as string);
  const settings = { ...source?.description.settings, ...settingsOf(architecture, values) };
  const cells = genotype ?? source?.description.genotype;
  const classifier = ImageClassifier.create(
    architecture,
    data,
    random.split('model'),
    settings,
    cells,
    shape ?? source?.description.shape,
  );
  noteNetwork(classifier, data, note);
  if (init !== undefined) {
    const { channels, height, width } = data.train;
    predictInitial(init, classifier.model, [zeros([1, channels, height, width])], note);
  }
  if (source) noteTransfer(classifier, source, pictures, note);
  const { epochs, batch, optimizer, learningRate, weightDecay, mixing, labelSmoothing, average, augment } = values;
  noteFewSteps(data, values, note);
  const isHead = headOf(classifier.description);
  const { stopped } = await trainClassifier(classifier, data, random.split('fit'), keep, {
    ...hooks,
    ...{ epochs, batchSize: batch, optimizer, learningRate, weightDecay, mixing, labelSmoothing },
    ...(average > 0 && { average }),
    ...(augment === 'yes' && {
      augmentation: { crop: Math.max(1, Math.round(data.train.width / 8)), flip: true },
    }),
    ...classWeightsOf(data, values, note),
    ...(source && { continues: true }),
    ...(teacher && { teacher: { ...shapeDistillation, logits: teacherOf(teacher.deployed(), data, batch) } }),
    ...(pictures.freeze && { frozen: (name: string) => !isHead(name) }),
    validate: true,
  });
  const evaluation =
    data.test.count > 0 && stopped !== 'aborted' ? evaluateImages(classifier.model, data.test, data) : undefined;
  const lines = [`${data.name}: ${sizesOf(data)}`];
  if (evaluation && pictures.report !== undefined)
    writeFileAtomic(pictures.report, pictureReport({ architecture, data, evaluation, lines }));
  return {
    file: () => classifier.trainedOn(data, evaluation?.accuracy).save(),
    lines: [...lines, evaluation ? accuracyLine(evaluation) : 'no test images, so no accuracy was measured'],
    details: evaluation ? confusionLines(evaluation, data.classes) : [],
    scores: evaluation
      ? { accuracy: 100 * evaluation.accuracy, balancedAccuracy: 100 * evaluation.balancedAccuracy }
      : {},
    stopped,
  };
}

/** The pictures without those that a search inside of an elastic network will measure on. */
function withoutSearchPictures(
  architecture: string,
  data: ImageDataset,
  keep: number | undefined,
  note: (text: string) => void,
): ImageDataset {
  if (architecture !== 'elastic-cnn') return data;
  if (keep !== undefined) throw new Error('--keep: an elastic network is searched, not pruned; leave it out');
  const { train, validation } = searchSplit(data.train);
  note(`${validation.count} pictures are left out, for gossamer search --model hw-nas to measure on`);
  return { ...data, train };
}

/**
 * Trains all weights, or prunes them to a share: half as many epochs of scores, then as many again.
 */
function trainClassifier(
  classifier: ImageClassifier,
  data: ImageDataset,
  random: Random,
  keep: number | undefined,
  options: ImageTrainingOptions & { readonly epochs: number; readonly learningRate: number },
): Promise<Pick<FitResult, 'stopped'>> {
  if (keep === undefined) return classifier.train(data, random, options);
  const { epochs, learningRate, ...others } = options;
  return trainSparsely(classifier.model, data, random, {
    ...{ ...others, keep },
    epochs: { pretrain: epochs, prune: Math.ceil(epochs / 2), finetune: epochs },
    learningRates: { pretrain: learningRate, finetune: learningRate },
  });
}

/**
 * @param role what the classifier is here
 * @throws Error unless a classifier knows the same classes, of pictures of the same size
 */
export function requireTeacher(
  { description }: ImageClassifier,
  { train, classes }: ImageDataset,
  path: string,
  role = 'the teacher',
): void {
  const { channels, height, width } = description;
  if (train.channels !== channels || train.height !== height || train.width !== width)
    throw new Error(
      `${role} "${path}" reads ${channels}×${height}×${width}, the pictures are ${train.channels}×${train.height}×${train.width}; give it the same --size and --channels`,
    );
  if (classes.join('\n') !== description.classes.join('\n'))
    throw new Error(
      `${role} "${path}" knows the classes ${description.classes.join(', ')}, the pictures have ${classes.join(', ')}`,
    );
}

/** Name of the network in a model file, for trainings that begin with it. */
export function architectureIn(path: string): string {
  return ImageClassifier.load(readBytes(path), path).description.architecture;
}

/** The classifier that training begins with. @throws Error for options that do not go together */
function sourceOf({ from, freeze }: ClassifierFlags, init: string | undefined): ImageClassifier | undefined {
  if (from === undefined && freeze) throw new Error('--freeze needs --from, the model whose weights stay as they are');
  if (from !== undefined && init !== undefined) throw new Error('--from and --init both give weights; leave one out');
  return from === undefined ? undefined : ImageClassifier.load(readBytes(from), from);
}

/** Reads pictures as a classifier that training begins with does, where flags say nothing else. */
export async function readLike(
  source: ImageClassifier | undefined,
  path: string,
  pictures: ClassifierFlags,
): Promise<ImageDataset> {
  if (!source) return readPictures(path, pictures, { background: pictures.background });
  const { channels, height, width, mean, deviation, background = 'white' } = source.description;
  const like = { size: [height, width], channels: channels === 1 ? '1' : '3', ...pictures } as const;
  const data = await readPictures(path, like, { background: pictures.background ?? background });
  // Its weights expect what they saw in their own training.
  return data.train.channels === channels ? { ...data, mean, deviation } : data;
}

/** Takes weights over, and tells how many. @throws Error naming what does not fit */
function noteTransfer(
  classifier: ImageClassifier,
  source: ImageClassifier,
  { from, freeze }: ClassifierFlags,
  note: (text: string) => void,
): void {
  const { taken, anew } = transferWeights(classifier, source);
  const head = anew.length > 0 ? `the head (${anew.length}) begins anew` : 'the classes are the same, so the head, too';
  note(`${taken} weights of "${from}"; ${head}${freeze ? '; the head alone is trained' : ''}`);
}

function noteNetwork(classifier: ImageClassifier, data: ImageDataset, note: (text: string) => void): void {
  const { model, description } = classifier;
  const { architecture } = description;
  const ofSize = imageModelNote(architecture, data.train.height, data.train.width);
  if (ofSize !== undefined) note(ofSize);
  if (model instanceof VisionTransformer) noteContext(model.context, note);
  note(`${architecture}, ${parameterCount(model).toLocaleString('en-US')} parameters; ${sizesOf(data)}`);
}

function noteFewSteps({ train }: ImageDataset, { epochs, batch }: Request['values'], note: (text: string) => void) {
  const steps = epochs * Math.ceil(train.count / batch);
  if (steps < FEW_STEPS)
    note(
      `${steps} steps are few for ${epochs} epochs of ${train.count} pictures: smaller batches, such as 8, or more epochs may learn more`,
    );
}

/** Weights of the classes where they are asked for; a note where they may help. */
function classWeightsOf(
  { train, classes }: ImageDataset,
  { classWeights }: Request['values'],
  note: (text: string) => void,
): { readonly classWeights?: Float64Array } {
  if (classWeights === 'balanced') return { classWeights: balancedWeights(train.labels, classes.length) };
  const counts = classes.map((_, label) => train.labels.reduce((sum, own) => sum + Number(own === label), 0));
  const [least, most] = [counts.indexOf(Math.min(...counts)), counts.indexOf(Math.max(...counts))];
  if ((counts[most] as number) >= UNBALANCED * (counts[least] as number))
    note(
      `classes differ in size: ${counts[least]} pictures of ${classes[least]}, ${counts[most]} of ${classes[most]}; class weights would let them count alike (train --class-weights balanced, fit --set classWeights=balanced)`,
    );
  return {};
}

/** Hyperparameters of the network among values; 0 leaves one to the network. */
function settingsOf(architecture: string, values: object): Record<string, number> {
  const own = values as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(imageModelSettings(architecture)).flatMap((name) => {
      const value = own[name];
      return typeof value === 'number' && value > 0 ? [[name, value]] : [];
    }),
  );
}

/** Notes that many weights of a network are those that make its hyperedges. */
export function noteContext(layer: unknown, note: (text: string) => void): void {
  if (layer instanceof SoftHGNN && layer.contextWeights > MANY_CONTEXT_WEIGHTS)
    note(
      `${layer.contextWeights.toLocaleString('en-US')} weights make ${layer.hyperedges} hyperedges follow the picture; fewer hyperedges need fewer`,
    );
}

function sizesOf({ train, test, classes }: ImageDataset): string {
  const { count, channels, height, width } = train;
  return `${count} training and ${test.count} test images of ${channels}×${height}×${width}, ${classes.length} classes`;
}
