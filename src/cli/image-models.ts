// `gossamer models`: the table of the image networks. (`models.ts` is the table of model files.)

import { Command, Option } from 'commander';
import { medianSeconds } from '../engine/index.js';
import { disposeWeights, followsSteps, inference, stateOf } from '../nn/index.js';
import { Random, type Tensor } from '../tensor/index.js';
import { compile } from '../trace/index.js';
import {
  deployedForm,
  type ImageModelCost,
  type ImageShape,
  imageModel,
  imageModelCost,
  imageModelNames,
  type PublishedFigures,
  publishedFigures,
  requireImageSize,
  unknownImageModel,
  usualShape,
} from '../vision/index.js';
import { number } from './arguments.js';
import { Bar, compact } from './bar.js';
import { writeNote } from './output.js';
import { sizeOption } from './pictures.js';
import { textTable } from './result.js';
import { useThreads } from './threads.js';

interface Flags {
  readonly filter?: string;
  readonly size?: readonly [height: number, width: number];
  readonly classes?: number;
  readonly channels?: '1' | '3';
  readonly time: boolean;
  readonly threads: number;
  readonly json: boolean;
}

const examples = `
Examples
  gossamer models                                   all networks: parameters, multiply-adds, bytes, published accuracy
  gossamer models lsnet-t emov2-1m mobilenet-v2     some of them
  gossamer models --filter nano                     those whose names have "nano" in them
  gossamer models --filter nano --size 64 --channels 3 --classes 5   as they would be for pictures of your own
  gossamer models --filter simplenet --time         and how long an image takes here, on one thread
  gossamer models --time --threads 2 --json

Counts are those of the form that runs: branches and norms merged, where a network does that (--json has both forms). Multiply-adds are of one image: convolutions, matrix products and attention. MiB are float32 weights. Accuracies are what the authors publish, for the size and classes of the table; --time compiles each network with random weights and tells the median of its runs.`;

/** What the table shows of a network. */
interface Row {
  readonly name: string;
  readonly shape: ImageShape;
  readonly cost: ImageModelCost;
  readonly published: PublishedFigures;
  readonly milliseconds?: number;
}

export function imageModelsCommand(): Command {
  return new Command('models')
    .description('the table of image networks: parameters, multiply-adds, bytes, accuracy, and with --time latency')
    .argument('[names...]', 'networks; all when left out')
    .option('--filter <text>', 'networks with this in their names')
    .addOption(sizeOption('side of the images, or height x width as 48x32; of each network the usual one'))
    .option('--classes <n>', 'number of classes; of each network the usual one', number(1))
    .addOption(
      new Option('--channels <n>', '1 for grey images, 3 for coloured ones; of each network the usual ones').choices([
        '1',
        '3',
      ]),
    )
    .option('--time', 'measure one image through the compiled plan, on this machine', false)
    .option('--threads <n>', 'threads of --time', number(1), 1)
    .option('--json', 'print the rows as JSON', false)
    .addHelpText('after', examples)
    .action(models);
}

function models(names: readonly string[], flags: Flags): void {
  const chosen = chosenNames(names, flags.filter);
  const unfit: string[] = [];
  const rows = chosen.flatMap((name) => rowOf(name, flags, unfit));
  if (unfit.length > 0)
    writeNote(`left out, as the size does not fit:\n${unfit.map((line) => `  ${line}`).join('\n')}`);
  if (rows.length === 0) throw new Error('no network takes images of this size');
  const timed = flags.time ? withTimes(rows, flags.threads) : rows;
  process.stdout.write(`${flags.json ? JSON.stringify(timed.map(jsonRow)) : tableOf(timed)}\n`);
}

/** @throws Error for an unknown name, or when the filter fits none */
function chosenNames(names: readonly string[], filter: string | undefined): readonly string[] {
  for (const name of names) if (!imageModelNames.includes(name)) throw new Error(unknownImageModel(name));
  const own = names.length > 0 ? names : imageModelNames;
  const fitting = filter === undefined ? own : own.filter((name) => name.includes(filter.toLowerCase()));
  if (fitting.length === 0) throw new Error(`no network has "${filter}" in its name; gossamer models lists all`);
  return fitting;
}

/** The row of a network; none, with the reason, where it does not take images of the size. */
function rowOf(name: string, { size, classes, channels }: Flags, unfit: string[]): Row[] {
  const usual = usualShape(name);
  const shape = {
    ...usual,
    ...(size && { size: size[0], imageWidth: size[1] }),
    ...(classes !== undefined && { classes }),
    ...(channels !== undefined && { channels: Number(channels) }),
  };
  try {
    requireImageSize(name, shape.size, shape.imageWidth ?? shape.size);
  } catch (error) {
    unfit.push((error as Error).message);
    return [];
  }
  return [{ name, shape, cost: imageModelCost(name, shape), published: publishedFigures[name] ?? {} }];
}

/** Least time that a network is measured for, and least number of its runs. */
const [LEAST_SECONDS, LEAST_RUNS] = [0.3, 5];

/** The rows with the median time of an image through the plan of each network. */
function withTimes(rows: readonly Row[], threads: number): readonly Row[] {
  useThreads(threads);
  const bar = new Bar('timing', 'networks');
  const timed: Row[] = [];
  for (const row of rows) {
    timed.push({ ...row, milliseconds: latencyOf(row) });
    bar.update(timed.length / rows.length, timed.length);
  }
  bar.close();
  return timed;
}

/** Milliseconds of one image, after a run to warm up: the median. */
function latencyOf({ name, shape }: Row): number {
  const { channels, size, imageWidth = size } = shape;
  const random = new Random(0);
  const made = imageModel(name, shape, random.split('model'));
  if (followsSteps(made)) made.followStep(1, 1);
  const model = deployedForm(made);
  const image = random.split('image').normal([1, channels, size, imageWidth]);
  const plan = compile((x: Tensor) => model.forward(x, inference), [image]);
  for (const own of new Set([made, model])) disposeWeights(stateOf(own));
  plan.feed([image]);
  const seconds = medianSeconds(() => plan.execute(), LEAST_RUNS, 1, LEAST_SECONDS);
  plan.dispose();
  image.dispose();
  return 1000 * seconds;
}

const MIB = 2 ** 20;

function tableOf(rows: readonly Row[]): string {
  const isTimed = rows.some(({ milliseconds }) => milliseconds !== undefined);
  const columns = ['network', 'image', 'classes', 'parameters', 'multiply-adds', 'MiB', 'top-1 (%)', 'on'];
  const cells = rows.map(({ name, shape, cost, published, milliseconds }) => {
    const { channels, size, imageWidth = size, classes } = shape;
    const { parameters, multiplyAdds } = cost.deployed;
    return [
      ...[name, `${channels}×${size}×${imageWidth}`, classes, compact(parameters), compact(multiplyAdds)],
      ...[(cost.bytes / MIB).toFixed(1), published.accuracy?.toFixed(2) ?? '–', published.data ?? ''],
      ...(milliseconds === undefined ? [] : [milliseconds.toFixed(milliseconds < 10 ? 3 : 1)]),
    ];
  });
  return textTable([...columns, ...(isTimed ? ['ms an image'] : [])], cells);
}

function jsonRow({ name, shape, cost, published, milliseconds }: Row) {
  return { name, ...shape, ...cost, published, ...(milliseconds !== undefined && { milliseconds }) };
}
