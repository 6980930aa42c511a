// Streams of tasks for continual learning: digits drawn here, and known sets of images.

import { firstImages, glyphDigits, type LabelledImages } from '../../data/index.js';
import { fetchImages, loadImages } from '../../data/node.js';
import {
  type ClassifiedRows,
  type ContinualTask,
  permutedTasks,
  type Scenario,
  splitTasks,
  withValidation,
} from '../../hypernet/index.js';
import { averagePool2d, concatenate, gatherKnownRows, Random, scope, tensor } from '../../tensor/index.js';
import { choice, count, type OptionValues } from '../parts/options.js';

/** The embedded set, digits of 8 × 8 pixels, and known ones. */
export const continualSets: readonly string[] = ['glyphs', 'mnist', 'fashion-mnist', 'cifar10'];

/** Options of all experiments on streams of tasks. */
export const streamOptions = {
  stream: choice(['permuted', 'split'], 'permuted: pixels in another order each task; split: classes two by two'),
  scenario: choice(
    ['domain', 'task', 'class'],
    'what is known at test: task (CL1), nothing and outputs shared (CL2), nothing and classes of each task (CL3)',
  ),
  tasks: count(5, 'tasks of a permuted stream; a split one has half as many as classes', { smoke: 3, minimum: 2 }),
  rows: count(2000, 'training images of a task; the last tenth validates', { smoke: 100, minimum: 20 }),
  tests: count(2000, 'test images, the first ones', { smoke: 100, minimum: 20 }),
  pool: count(2, 'side of the squares of pixels that are averaged'),
};

/** Values of the options of a stream. */
export type StreamValues = OptionValues<typeof streamOptions>;

/** Images to make streams of, values in [0, 1]. */
export interface StreamData {
  /** Name of the set. */
  readonly name: string;
  /** Images to train on. */
  readonly train: ClassifiedRows;
  /** Images to test on. */
  readonly test: ClassifiedRows;
}

/** A stream: its tasks, and test images of each. */
export interface TaskStream {
  /** Training images of each task, with those that validate apart. */
  readonly train: readonly ContinualTask[];
  /** Test images of each task. */
  readonly test: readonly ContinualTask[];
}

/** @throws Error for an unknown set, or one that cannot be had */
export async function loadStreamData(
  source: string,
  { tests, pool, rows }: StreamValues,
  onDownload?: (name: string) => void,
): Promise<StreamData> {
  if (source === 'glyphs') {
    const random = new Random(0).split('glyphs');
    return { name: source, train: drawn(5 * rows, random.split('train')), test: drawn(tests, random.split('test')) };
  }
  if (!continualSets.includes(source))
    throw new Error(`images "${source}" are not known; there are ${continualSets.join(', ')}`);
  await fetchImages(source, onDownload);
  const { classes, train, test } = loadImages(source);
  return {
    name: source,
    train: pooled(firstImages(train, Math.max(10_000, 5 * rows)), classes, pool),
    test: pooled(firstImages(test, tests), classes, pool),
  };
}

function drawn(number: number, random: Random): ClassifiedRows {
  const { x, labels } = glyphDigits(number, random);
  return { x: tensor(x, [number, 1, 8, 8]), labels, classes: Array.from('0123456789') };
}

/** Images that are pooled at once. */
const PIECE = 1000;

/** Averages over squares of pixels, 255 as 1. */
function pooled(images: LabelledImages, classes: readonly string[], side: number): ClassifiedRows {
  const { channels, height, width, pixels } = images;
  const size = channels * height * width;
  const pieces = Array.from({ length: Math.ceil(images.count / PIECE) }, (_, piece) => {
    const own = Float32Array.from(pixels.subarray(piece * PIECE * size, (piece + 1) * PIECE * size), (v) => v / 255);
    return scope(() => averagePool2d(tensor(own, [own.length / size, channels, height, width]), side));
  });
  return { x: concatenate(pieces), labels: Int32Array.from(images.labels), classes };
}

/** One line on the images. */
export function describeStream({ name, train, test }: StreamData): string {
  const [, ...shape] = train.x.shape;
  return `${name}: ${train.labels.length} training and ${test.labels.length} test images of ${shape.join('×')}`;
}

/** The stream of a seed: which images, in which orders. Test images are the same for all. */
export function streamOf({ train, test }: StreamData, values: StreamValues, random: Random): TaskStream {
  const { stream, scenario, tasks, rows } = values;
  const groups = stream === 'split' ? Math.floor(train.classes.length / 2) : 1;
  const some = random
    .split('rows')
    .permutation(train.labels.length)
    .slice(0, rows * groups);
  const chosen = {
    ...train,
    x: gatherKnownRows(train.x, tensor(some)),
    labels: some.map((row) => train.labels[row] as number),
  };
  const cut = (data: ClassifiedRows, own: Scenario) =>
    stream === 'split' ? splitTasks(data, own) : permutedTasks(data, tasks, own, random.split('orders'));
  return { train: cut(chosen, scenario).map((task) => withValidation(task)), test: cut(test, scenario) };
}
