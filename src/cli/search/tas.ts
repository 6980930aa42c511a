// `gossamer search --model tas`: how many channels each layer and how many blocks each stage of a
// trained network keeps within a budget, then that network, taught by the trained one.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import {
  type FoundShape,
  latency,
  latencyTables,
  macTables,
  type Searched,
  type ShapeTransfer,
  searchShape,
  shapeChoicesOf,
  shapeSearchBytes,
  shapeTransfers,
  shortSearch,
  trainShaped,
  uniformShape,
} from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { readBytes, requireWritable, writeFileAtomic } from '../../data/node.js';
import { accuracyOn, type NetworkShape } from '../../models/index.js';
import { inference, parameterCount, parameters, stateOf } from '../../nn/index.js';
import { Random, zeros } from '../../tensor/index.js';
import { cost, exportOnnx, savePlan } from '../../trace/index.js';
import { ImageClassifier } from '../../vision/index.js';
import { number } from '../arguments.js';
import { columns } from '../columns.js';
import { requireTeacher } from '../fit/pictures.js';
import { searchResumably } from '../found.js';
import { writeNote } from '../output.js';
import { readPictures } from '../pictures.js';
import { trainResumably } from '../training.js';
import type { SearchModel, TrainingSearchFlags } from './model.js';
import { type Budget, budgetOption, trainingOptions } from './options.js';

interface Flags extends TrainingSearchFlags {
  readonly teacher?: string;
  readonly budget: readonly Budget[];
  readonly cost: 'macs' | 'latency';
  readonly widthOnly: boolean;
  readonly depthOnly: boolean;
  readonly samples: number;
  readonly transfer: ShapeTransfer;
  readonly uniform: boolean;
}

/** Widths and depths of a trained network. */
export const tasSearch: SearchModel<Flags> = {
  name: 'tas',
  writesFolder: true,
  options: [
    ...trainingOptions,
    budgetOption,
    new Option('--teacher <model>', 'the trained network of gossamer train that is made smaller'),
    new Option('--cost <unit>', 'macs: multiply-adds; latency: milliseconds of its layers, measured here')
      .choices(['macs', 'latency'])
      .default('macs'),
    new Option('--width-only', 'search channels alone').default(false),
    new Option('--depth-only', 'search blocks alone').default(false),
    new Option('--samples <k>', 'widths that a layer tries in a step').argParser(number(1)).default(2),
    new Option('--transfer <how>', 'distil: learn from the teacher; weights: begin with its weights; none')
      .choices([...shapeTransfers])
      .default('distil'),
    new Option('--no-uniform', 'do not train a network of uniform width to compare with'),
  ],
  examples: [
    'gossamer search photos/ --model tas --teacher big.safetensors --budget 0.5 -o small/   half of the multiply-adds',
    'gossamer search photos/ --model tas --teacher big.safetensors --budget 0.4 --cost latency --width-only -o fast/',
    'gossamer train photos/ --model small/shape.json --teacher big.safetensors    that shape again, from new weights',
  ],
  notes:
    'how many channels each layer and how many blocks each stage keeps is learnt by gradients, by a network like the teacher that samples widths and depths at every step: its weights learn from one half of the training pictures, the choices from the other. Then the network that was found is trained from new weights, with the teacher beside the labels. The folder <out> gets shape.json (what was found, for gossamer train --model), model.safetensors, model.plan, model.onnx, and report.json with teacher, result and a network of uniform width of equal cost, trained alike (uniform.safetensors). The test pictures are classified once, at the end. An <out> that ends in .json gets the shape alone.',
  tell: (found: Found & { readonly data: string; readonly teacher: string; readonly unit: Flags['cost'] }, path) => [
    `widths and depths of ${found.architecture} for the teacher ${found.teacher}`,
    describe(found, found.unit),
    `use: gossamer train ${found.data} --model ${path} --teacher ${found.teacher}`,
  ],
  run,
};

/** What a search found, as its file holds it. */
interface Found extends Pick<FoundShape, 'shape' | 'cost' | 'full' | 'settled' | 'epochs'> {
  readonly architecture: string;
  readonly settings: Readonly<Record<string, number>>;
}

async function run(path: string, flags: Flags): Promise<void> {
  const { teacher: teacherPath, seed, batch, samples, searchEpochs, cost: unit } = flags;
  const budget = budgetOf(flags);
  const search = searchedOf(flags);
  if (teacherPath === undefined)
    throw new Error('--model tas makes a trained network smaller: give it with --teacher, a model of gossamer train');
  const isAlone = flags.out.endsWith('.json');
  const folder = flags.out.replace(/\.safetensors$/, '');
  const foundPath = isAlone ? flags.out : join(folder, 'shape.json');
  for (const file of isAlone ? [foundPath] : files.map((name) => join(folder, name))) requireWritable(file);
  const teacher = teacherIn(teacherPath);
  const data = await readLike(teacher, path, flags);
  requireTeacher(teacher, data, teacherPath);
  const random = new Random(seed);
  const { architecture, settings = {} } = teacher.description;
  const asked = {
    ...{ model: 'tas', architecture, settings, data: path, teacher: teacherPath },
    pictures: [data.train.channels, data.train.height, data.train.width],
    ...{ seed, budget, unit, search, samples, searchEpochs, batch },
  };
  const found = (await searchResumably(
    { out: foundPath.replace(/\.json$/, ''), resume: flags.resume },
    foundPath,
    asked,
    async (hooks) => {
      const { model } = teacher.anew(random.split('search model'));
      noteMemory(shapeSearchBytes(model, exampleOf(teacher), { samples, batchSize: batch }));
      const result = await searchShape(model, data, random.split('search'), {
        ...{ ...shortSearch, ...hooks, budget, cost: unit, search, samples, epochs: searchEpochs, batchSize: batch },
      });
      noteFixed(result);
      const { shape, cost: own, full, settled, epochs, stopped } = result;
      return { found: { shape, cost: own, full, settled, epochs }, stopped };
    },
  )) as Found | undefined;
  if (!found) return;
  if (!flags.json) process.stdout.write(`${describe(found, unit)}\n`);
  if (isAlone || flags.epochs === 0) {
    process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : `${foundPath}: what was found\n`);
    return;
  }
  const trained = await train('model', found.shape, teacher, data, flags, folder);
  if (!trained) return;
  writeResult(trained, folder);
  const uniform = flags.uniform
    ? await train('uniform', uniformOf(teacher, found, unit), teacher, data, flags, folder)
    : undefined;
  if (flags.uniform && !uniform) return;
  const rows = {
    teacher: measured(teacher, data),
    found: measured(trained, data),
    ...(uniform && { uniform: measured(uniform, data) }),
  };
  writeFileAtomic(join(folder, 'report.json'), `${JSON.stringify({ ...found, ...rows }, null, 2)}\n`);
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ shape: found.shape, ...rows, out: folder })}\n`
      : `${table(rows)}\n\n${folder}/: ${files.join(', ')}\n`,
  );
}

/** What the folder gets. */
const files = ['shape.json', 'model.safetensors', 'model.plan', 'model.onnx', 'report.json'] as const;

/** @throws Error for a budget of an objective, or several */
function budgetOf({ budget: [first, ...others] }: Flags): number {
  if (!first) return 0.5;
  if (first.name !== '' || others.length > 0 || first.most > 1)
    throw new Error('--budget of --model tas is one share of the cost of the teacher, in (0, 1], such as 0.5');
  return first.most;
}

function searchedOf({ widthOnly, depthOnly }: Flags): Searched {
  if (widthOnly && depthOnly) throw new Error('--width-only and --depth-only leave nothing to search; leave one out');
  if (widthOnly) return 'width';
  return depthOnly ? 'depth' : 'both';
}

/** @throws Error for a network whose widths are not those of its architecture any more */
function teacherIn(path: string): ImageClassifier {
  const teacher = ImageClassifier.load(readBytes(path), path);
  const { shape } = teacher.description;
  const full = stateOf(teacher.anew(new Random(0)).model);
  const other = Object.entries(stateOf(teacher.model)).find(
    ([name, weight]) => weight.shape.join() !== full[name]?.shape.join(),
  );
  if (shape || other)
    throw new Error(
      `the teacher "${path}" has been made smaller already${other ? `: ${other[0]} is [${other[1].shape.join(', ')}]` : ''}; give the network before that`,
    );
  return teacher;
}

/** Reads pictures as the teacher does. */
async function readLike({ description }: ImageClassifier, path: string, flags: Flags): Promise<ImageDataset> {
  const { channels, height, width, mean, deviation, background: own = 'white' } = description;
  const like = { size: [height, width], channels: channels === 1 ? '1' : '3', ...flags } as const;
  const data = await readPictures(path, like, { background: flags.background ?? own, silent: flags.json });
  return { ...data, mean, deviation };
}

/** Memory from which a search is announced, in bytes. */
const MUCH = 2 ** 30;

function noteMemory(need: number): void {
  if (need > MUCH)
    writeNote(
      `the search needs about ${(need / 2 ** 30).toFixed(1)} GiB; a smaller --batch, --samples or --size of the teacher needs less`,
    );
}

function noteFixed({ fixed }: FoundShape): void {
  // A classifier's outputs are its classes.
  const others = [...fixed].filter(([, reason]) => reason !== 'an output');
  if (others.length === 0) return;
  const [[name, reason]] = others as [[string, string]];
  writeNote(
    `the channels of ${others.length} ${others.length === 1 ? 'layer' : 'layers'} cannot change, such as ${name} (${reason})`,
  );
}

/** A network of uniform width and full depth that costs what the found one does. */
function uniformOf(teacher: ImageClassifier, { cost: own }: Found, unit: Flags['cost']): NetworkShape {
  const { model } = teacher.anew(new Random(0));
  const space = shapeChoicesOf(model, exampleOf(teacher), new Random(0));
  return uniformShape(space, unit === 'macs' ? macTables(space) : latencyTables(space), own);
}

const exampleOf = ({ description: { channels, height, width } }: ImageClassifier) =>
  zeros([1, channels, height, width]);

/**
 * Trains a network of a shape, or reads it where an earlier run has.
 *
 * @returns undefined after Ctrl-C
 */
async function train(
  name: 'model' | 'uniform',
  shape: NetworkShape,
  teacher: ImageClassifier,
  data: ImageDataset,
  { resume, seed, epochs, batch, learningRate, transfer, json }: Flags,
  folder: string,
): Promise<ImageClassifier | undefined> {
  const out = join(folder, `${name}.safetensors`);
  if (resume && existsSync(out) && !existsSync(`${out}.checkpoint`)) {
    const earlier = ImageClassifier.load(readBytes(out), out);
    if (JSON.stringify(earlier.description.shape) === JSON.stringify(shape)) return earlier;
  }
  const random = new Random(seed).split(name);
  const plain = teacher.anew(random.split('model'));
  const made = plain.withShape(shape);
  if (!json) process.stderr.write(`${name === 'model' ? 'what was found' : 'uniform width'}\n`);
  let trained: ImageClassifier | undefined;
  await trainResumably(
    { out, resume: resume && existsSync(`${out}.checkpoint`) },
    (hooks) =>
      trainShaped(made.model, shape, teacher.model, data, random, {
        ...{ ...hooks, transfer, epochs, batchSize: batch, learningRate },
      }),
    () => {
      const accuracy = data.test.count > 0 ? accuracyOn(made.model, data.test, data) : undefined;
      trained = made.trainedOn(data, accuracy);
      writeFileAtomic(out, trained.save());
    },
  );
  return trained;
}

function writeResult(trained: ImageClassifier, folder: string): void {
  const model = trained.deployed();
  const onnx = exportOnnx((x) => model.forward(x, inference), [exampleOf(trained)]);
  writeFileAtomic(join(folder, 'model.onnx'), onnx);
  writeFileAtomic(join(folder, 'model.plan'), savePlan(trained.plan(), trained.metadata()));
}

/** What a network costs and how well it does. */
interface Measured {
  readonly accuracy: number | undefined;
  readonly multiplyAdds: number;
  readonly parameters: number;
  readonly milliseconds: number;
  readonly bytes: number;
}

function measured(classifier: ImageClassifier, data: ImageDataset): Measured {
  const model = classifier.deployed();
  const example = exampleOf(classifier);
  const plan = classifier.plan();
  const { multiplyAdds } = cost((x) => model.forward(x, inference), [example], parameters(model));
  const own = {
    accuracy: data.test.count > 0 ? accuracyOn(model, data.test, data) : undefined,
    ...{ multiplyAdds, parameters: parameterCount(model), milliseconds: latency(plan, example) },
    bytes: savePlan(plan).length,
  };
  plan.dispose();
  return own;
}

/** Widths in the order of the layers, and depths. */
function describe({ shape: { widths, depths }, cost: own, full, settled }: Found, unit: Flags['cost']): string {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const lines = [`channels: ${list(widths)}`, ...(Object.keys(depths).length > 0 ? [`blocks: ${list(depths)}`] : [])];
  const amount = unit === 'macs' ? 'multiply-adds' : 'milliseconds of its layers';
  lines.push(`${((100 * own) / full).toFixed(1)} % of the ${amount} of the teacher`);
  if (settled > 0)
    lines.push(`the last ${settled} steps followed the budget alone: more --search-epochs may find better`);
  return lines.join('\n');
}

function table(rows: Readonly<Record<string, Measured>>): string {
  const whole = (value: number) => value.toLocaleString('en-US');
  return columns([
    ['', 'test accuracy (%)', 'multiply-adds', 'parameters', 'one image (ms)', 'plan (KiB)'],
    ...Object.entries(rows).map(([name, { accuracy, multiplyAdds, parameters: count, milliseconds, bytes }]) => [
      ...[name, accuracy === undefined ? '–' : (100 * accuracy).toFixed(2), whole(multiplyAdds), whole(count)],
      ...[milliseconds.toFixed(3), (bytes / 1024).toFixed(0)],
    ]),
  ]);
}
