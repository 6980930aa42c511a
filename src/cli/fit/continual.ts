// Tasks one after another: each is learnt without the rows of those before.

import {
  type ColumnTable,
  fitFeatures,
  type LabelledImages,
  splitTarget,
  type TableFeatures,
  tableRows,
} from '../../data/index.js';
import { filesBelow, loadTable, readBytes, subfoldersOf } from '../../data/node.js';
import type { OptionValues } from '../../experiments/parts/options.js';
import {
  ContinualClassifier,
  type ContinualMethodName,
  type ContinualMethodOptions,
  type ContinualTask,
  encodeTable,
  HyperInterval,
  splitTaskColumn,
  type TaskRows,
  tensorOf,
} from '../../hypernet/index.js';
import { gatherKnownRows, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { readPictures } from '../pictures.js';
import { tableOptionsOf } from '../tables.js';
import type { dependencyOptions, hyperIntervalOptions } from './continual-options.js';
import { kindOf } from './kinds.js';
import type { FitRequest, Fitted } from './learner.js';

type HyperIntervalValues = OptionValues<typeof hyperIntervalOptions>;
type DependencyValues = OptionValues<typeof dependencyOptions>;
type Request = FitRequest<typeof hyperIntervalOptions> | FitRequest<typeof dependencyOptions>;

/** How examples become rows; kept in the model file. */
export type ContinualInputs =
  | { readonly kind: 'table'; readonly features: TableFeatures; readonly target: string }
  | {
      readonly kind: 'pictures';
      readonly channels: number;
      readonly height: number;
      readonly width: number;
      readonly background: 'white' | 'black';
    };

/** A task with rows that test it; none where no share was kept. */
interface OwnTask extends ContinualTask {
  readonly test?: TaskRows;
}

/** Trains HyperInterval; see `fitTasks`. */
export function fitHyperInterval(path: string, request: FitRequest<typeof hyperIntervalOptions>): Promise<Fitted> {
  const { epsilon, kappa, width, scenario } = request.values satisfies HyperIntervalValues;
  return fitTasks('hyperinterval', path, request, {
    ...{ epsilon, kappa, hidden: [width, width], nested: scenario === 'domain' },
  });
}

/** Trains the recurrent hypernetwork; see `fitTasks`. */
export function fitDependencyHypernet(path: string, request: FitRequest<typeof dependencyOptions>): Promise<Fitted> {
  const { units, chunk, importance, coupling, growEvery } = request.values satisfies DependencyValues;
  return fitTasks('dp-hypernet', path, request, { units, chunk, importance, coupling, growEvery });
}

/**
 * Learns the tasks of a folder or a table, after those of the model that goes on. Tasks that it
 * knows are left out; after Ctrl-C those that were learnt are kept.
 *
 * @throws Error for a task without examples, or one that cannot follow those before
 */
async function fitTasks(
  method: ContinualMethodName,
  path: string,
  request: Request,
  own: ContinualMethodOptions,
): Promise<Fitted> {
  const { continued, values, note, hooks, seed } = request;
  const before = continued === undefined ? undefined : ContinualClassifier.load(readBytes(continued), continued);
  if (before && before.options.method !== method)
    throw new Error(`--continue: "${continued}" is a model of ${before.options.method}, not of ${method}`);
  const { tasks, inputs } = await readTasks(path, request, before?.options.inputs as ContinualInputs | undefined);
  const model = before ?? new ContinualClassifier({ method, seed, options: { ...optionsOf(values), ...own }, inputs });
  const lines: string[] = [];
  const scores: Record<string, number> = {};
  const learnt: OwnTask[] = [];
  const matrix: string[] = [];
  const fresh = tasks.filter(({ name }) => !model.tasks.some((known) => known.name === name));
  if (fresh[0]) note(sizeLine(model, fresh[0]));
  for (const task of tasks) {
    if (model.tasks.some(({ name }) => name === task.name)) {
      note(`task "${task.name}" is known and left out`);
      continue;
    }
    try {
      await model.learn(task, {
        signal: hooks.signal,
        onEpoch: timed(hooks.onEpoch, fresh.length - learnt.length, note),
      });
    } catch (error) {
      if (!hooks.signal.aborted || lines.length === 0) throw error;
      note(`stopped; ${lines.length} of ${tasks.length} tasks were learnt, --continue learns the others`);
      break;
    }
    learnt.push(task);
    const shares = learnt.map((own) => own.test && accuracyOn(model, own.test, own));
    const share = shares.at(-1);
    lines.push(taskLine(task, share));
    matrix.push(`after ${task.name}: ${shares.map((each) => each?.toFixed(1) ?? '–').join(', ')}`);
    if (share !== undefined) scores[task.name] = share;
  }
  if (lines.length === 0) throw new Error(`"${path}" holds no task that the model does not know`);
  return {
    file: () => model.save(),
    lines: [
      `${path}: ${model.tasks.length} tasks known`,
      ...lines,
      ...(learnt.length > 1 ? [`accuracy (%) of ${learnt.map(({ name }) => name).join(', ')}:`, ...matrix] : []),
      ...learnt.flatMap((task) => boundLine(model, task)),
    ],
    scores,
    stopped: 'completed',
  };
}

/** What learning takes, before it starts. */
function sizeLine(model: ContinualClassifier, task: ContinualTask): string {
  const { weights, numbers, bytes } = model.sizeFor(task);
  const [all, made] = [numbers, weights].map((n) => n.toLocaleString('en-US'));
  return `networks of ${made} weights, made from ${all} numbers: ${(bytes / 1e6).toFixed(1)} MB while they are trained`;
}

/** Seconds from which on it is said how long the training takes. */
const LONG = 60;

/** Reports of a task, after the first of which it is said how long all tasks take, where long. */
function timed(
  onEpoch: FitRequest['hooks']['onEpoch'],
  tasks: number,
  note: (text: string) => void,
): FitRequest['hooks']['onEpoch'] {
  return (report) => {
    const { epoch, epochs, seconds } = report;
    const expected = seconds * epochs * tasks;
    if (epoch === 1 && expected > LONG)
      note(`about ${Math.ceil(expected / 60)} minutes for ${tasks} ${tasks === 1 ? 'task' : 'tasks'}`);
    return onEpoch(report);
  };
}

/** How many rows are certified, and how wide the bounds of the weights are; of HyperInterval. */
function boundLine({ learner }: ContinualClassifier, { name, test }: OwnTask): string[] {
  if (!(learner instanceof HyperInterval)) return [];
  return scope(() => {
    const { lower, upper } = learner.weightsOf(name);
    const widths = Object.entries(lower).flatMap(([key, low]) => [...(upper[key] as Tensor).subtract(low).view()]);
    const width = widths.reduce((a, b) => a + b, 0) / widths.length;
    const sure = test && learner.certified(test, name).filter(Boolean).length / test.labels.length;
    const share = sure === undefined ? '' : `${(100 * sure).toFixed(1)} % certified, `;
    return [`${name}: ${share}bounds of its weights ${width.toPrecision(2)} apart on average`];
  });
}

function optionsOf(values: HyperIntervalValues | DependencyValues): ContinualMethodOptions {
  const { steps, batch, learningRate, hidden, channels, strength, embedding, classes, scenario } = values;
  const widths = channels === '' ? [] : channels.split(',').map(Number);
  if (widths.some((width) => !(Number.isInteger(width) && width > 0)))
    throw new Error(`option channels: expected whole numbers such as 16,32, got "${channels}"`);
  return {
    ...{ steps, batch, learningRate, strength, embedding, scenario },
    target: widths.length > 0 ? { channels: widths } : { hidden: [hidden, hidden] },
    ...(classes > 0 && { classes }),
  };
}

const taskLine = ({ name, classes, labels }: OwnTask, share: number | undefined) =>
  `${name}: ${labels.length} examples of ${classes.join(', ')}${share === undefined ? '' : `; accuracy on those kept apart ${share.toFixed(1)} %`}`;

function accuracyOn(model: ContinualClassifier, { x, labels }: TaskRows, { name, classes }: OwnTask) {
  const found = model.predict(x, name).classes;
  return (100 * found.filter((own, i) => own === classes[labels[i] as number]).length) / labels.length;
}

function readTasks(path: string, request: Request, known: ContinualInputs | undefined) {
  const pictures = kindOf(path) === 'pictures';
  if (known && (known.kind === 'pictures') !== pictures)
    throw new Error(
      `"${path}" holds ${pictures ? 'pictures' : 'a table'}, the model reads ${known.kind === 'pictures' ? 'pictures' : 'tables'}`,
    );
  return pictures
    ? pictureTasks(path, request, known?.kind === 'pictures' ? known : undefined)
    : tableTasks(path, request, known?.kind === 'table' ? known : undefined);
}

/** A folder for each task, or the folder of one task, with a folder for each class. */
async function pictureTasks(
  path: string,
  { pictures, note }: Request,
  known: Extract<ContinualInputs, { kind: 'pictures' }> | undefined,
): Promise<{ tasks: OwnTask[]; inputs: ContinualInputs }> {
  if (!pictures) throw new Error(`"${path}": how pictures are read was not said`);
  const folders = subfoldersOf(path);
  const several = folders.some((folder) => subfoldersOf(folder.path).length > 0);
  const own = several ? folders : [{ name: nameOf(path), path }];
  const empty = own.find((folder) => filesBelow(folder.path).pictures.length === 0);
  if (empty) throw new Error(`task "${empty.name}" has no examples: there is no picture below "${empty.path}"`);
  let inputs = known;
  const tasks: OwnTask[] = [];
  for (const folder of own) {
    const flags = inputs
      ? { ...pictures, size: [inputs.height, inputs.width] as const, channels: String(inputs.channels) as '1' | '3' }
      : pictures;
    const background = inputs?.background ?? pictures.background ?? 'white';
    const { classes, train, test } = await readPictures(folder.path, flags, { background });
    const { channels, height, width } = train;
    inputs ??= { kind: 'pictures', channels, height, width, background };
    tasks.push({
      ...{ name: folder.name, classes, x: pictureRows(train), labels: train.labels },
      ...(test.count > 0 && { test: { x: pictureRows(test), labels: test.labels } }),
    });
  }
  if (!inputs) throw new Error(`"${path}" holds no task`);
  if (!known && inputs.height * inputs.width > LARGE)
    note(
      `pictures of ${inputs.height}×${inputs.width} make large networks, whose every weight is made; --size 16 makes small ones`,
    );
  return { tasks, inputs };
}

/** Pixels above which a smaller size is advised. */
const LARGE = 32 * 32;

/** Pictures as rows [n, channels, height, width], 255 as 1. */
export function pictureRows({ count, channels, height, width, pixels }: Omit<LabelledImages, 'labels'>): Tensor {
  return tensor(
    Float32Array.from(pixels, (value) => value / 255),
    [count, channels, height, width],
  );
}

/** Name of a path without folders and ending. */
const nameOf = (path: string) =>
  (
    path
      .replace(/[\\/]+$/, '')
      .split(/[\\/]/)
      .at(-1) ?? path
  ).replace(/(\.\w+)+$/, '');

async function tableTasks(
  path: string,
  { values, target, reading, note, random }: Request,
  known: Extract<ContinualInputs, { kind: 'table' }> | undefined,
): Promise<{ tasks: OwnTask[]; inputs: ContinualInputs }> {
  const wanted = target ?? known?.target;
  if (wanted === undefined) throw new Error('--target names the column of the table to predict');
  const whole = await loadTable(path, { ...tableOptionsOf(reading), target: wanted });
  const isSplit = whole.columns.some(({ name }) => name === values.tasks);
  if (!isSplit && values.tasks !== 'task')
    throw new Error(
      `option tasks: "${path}" has no column "${values.tasks}"; it has ${whole.columns.map(({ name }) => name).join(', ')}`,
    );
  const { rest, names } = isSplit
    ? splitTaskColumn(whole, values.tasks)
    : { rest: whole, names: new Array<string>(whole.rows).fill(nameOf(path)) };
  const parts = [...new Set(names)].map((name) => {
    const rows = Int32Array.from(names.keys()).filter((row) => names[row] === name);
    return { name, ...labelledPart(tableRows(rest, rows), wanted, name) };
  });
  const [first] = parts;
  if (!first) throw new Error(`"${path}" holds no task: it has no rows`);
  const features = known?.features ?? fitFeatures(first.table);
  const unseen = (column: string) => note(`column "${column}" holds categories that the first task did not have`);
  const tasks = parts.map(({ name, table, classes, labels }) => {
    const x = tensorOf(encodeTable(features, table, unseen));
    return { name, classes, ...split({ x, labels }, values.testRows, random.split(name)) };
  });
  return { tasks, inputs: { kind: 'table', features, target: wanted } };
}

/** @throws Error naming the task whose classes are missing */
function labelledPart(table: ColumnTable, target: string, name: string) {
  try {
    return splitTarget(table, target);
  } catch (error) {
    throw new Error(`task "${name}": ${(error as Error).message}`, { cause: error });
  }
}

/** Rows to learn, and others that test. */
function split({ x, labels }: TaskRows, share: number, random: Random): TaskRows & { readonly test?: TaskRows } {
  const held = Math.round(share * labels.length);
  if (held === 0) return { x, labels };
  const order = random.permutation(labels.length);
  const part = (rows: Int32Array) => ({
    x: gatherKnownRows(x, tensor(rows)),
    labels: rows.map((row) => labels[row] as number),
  });
  return { ...part(order.subarray(held)), test: part(order.subarray(0, held)) };
}
