// Classifiers of tasks that arrived one after another, made by `gossamer fit --model hyperinterval`
// and `dp-hypernet`.

import { decodePicture, planesOf } from '../../data/index.js';
import { readBytes } from '../../data/node.js';
import { ContinualClassifier, DependencyHypernet, encodeTable, tensorOf } from '../../hypernet/index.js';
import { scope, type Tensor } from '../../tensor/index.js';
import { type ContinualInputs, pictureRows } from '../fit/continual.js';
import { eachPicture } from '../pictures.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';
import { loadRows } from './rows.js';

export function open(path: string): Predictor {
  const model = ContinualClassifier.load(readBytes(path), path);
  const inputs = model.options.inputs as ContinualInputs | null;
  return {
    tasks: model.tasks.map(({ name }) => name),
    ...(inputs?.kind === 'pictures' && { reads: [] }),
    describe: () => descriptionOf(model, inputs),
    extract: (task) => model.extract(task).save(),
    predict: (paths, options) => {
      if (!inputs) throw new Error(`"${path}" does not say how its rows were made; it answers in code alone`);
      return inputs.kind === 'pictures'
        ? classifyPictures(model, inputs, paths, options)
        : classifyRows(model, inputs, onlyPath(paths), options);
    },
  };
}

function descriptionOf(model: ContinualClassifier, inputs: ContinualInputs | null): string[] {
  const { learner, options, tasks } = model;
  const { rest = 0, training = 0 } = learner?.stored ?? {};
  const grown =
    learner instanceof DependencyHypernet
      ? learner.history.growths.map(({ task, units }) => `${units} units from task ${task + 1} on`)
      : [];
  const about = options.method === 'dp-hypernet' ? ' (regulariser and growth as reconstructed here)' : '';
  return [
    `Learns tasks one after another by ${options.method}${about}`,
    ...(inputs ? [`Reads         ${readsLine(inputs)}`] : []),
    `Scenario      ${options.options.scenario ?? 'task'}`,
    ...tasks.map(({ name, classes }) => `Task          ${name}: ${classes.join(', ')}`),
    `Numbers       ${rest.toLocaleString('en-US')} stored, ${training.toLocaleString('en-US')} more while a task is learned`,
    ...(grown.length > 0 ? [`Grown         ${grown.join(', ')}`] : []),
  ];
}

function readsLine(inputs: ContinualInputs): string {
  if (inputs.kind === 'table')
    return `tables with the columns ${inputs.features.encoders.map(({ name }) => name).join(', ')}; predicts ${inputs.target}`;
  const { channels, height, width, background } = inputs;
  return `pictures, scaled to ${height}×${width}, ${channels === 1 ? 'grey' : 'RGB'}, transparent pixels on ${background}`;
}

const columns = ['task', 'class', 'probability', 'entropy'] as const;
const certifying = ['certified', 'lower', 'upper'] as const;

/**
 * Task, class, probability, entropy and, where the method tells, whether the class is certified and
 * the bounds of its logit.
 */
function answersOf(model: ContinualClassifier, x: Tensor, task: string | undefined): (string | number)[][] {
  return scope(() => {
    const { tasks, classes, probabilities, entropies, certified, bounds } = model.predict(x, task);
    return classes.map((name, row) => [
      tasks[row] ?? '',
      name,
      (probabilities[row] as number).toFixed(4),
      (entropies[row] as number).toFixed(4),
      ...(isCertifying(model)
        ? [
            certified ? (certified[row] ? 'yes' : 'no') : '',
            bounds?.lower[row]?.toFixed(4) ?? '',
            bounds?.upper[row]?.toFixed(4) ?? '',
          ]
        : []),
    ]);
  });
}

const isCertifying = ({ options }: ContinualClassifier) => options.method === 'hyperinterval';

const columnsOf = (model: ContinualClassifier) => [...columns, ...(isCertifying(model) ? certifying : [])];

async function classifyRows(
  model: ContinualClassifier,
  { features }: Extract<ContinualInputs, { kind: 'table' }>,
  path: string,
  { task, table: reading, note }: PredictOptions,
): Promise<Predictions> {
  const table = await loadRows(path, features, { ...(reading && { table: reading }), note });
  const unseen = (column: string) => note(`column "${column}" holds categories that training did not know`);
  const x = tensorOf(encodeTable(features, table, unseen));
  const rows = answersOf(model, x, task).map((own, row) => [row + 1, ...own]);
  return { columns: ['row', ...columnsOf(model)], rows };
}

async function classifyPictures(
  model: ContinualClassifier,
  { channels, height, width, background }: Extract<ContinualInputs, { kind: 'pictures' }>,
  paths: readonly string[],
  { task, maxPixels, note }: PredictOptions,
): Promise<Predictions> {
  const rows: (string | number)[][] = [];
  await eachPicture(paths, note, async (file) => {
    const limit = maxPixels === undefined ? {} : { maxPixels };
    const picture = await decodePicture(readBytes(file), { ...limit, height, width, background });
    const x = pictureRows({ count: 1, channels, height, width, pixels: planesOf(picture, channels) });
    for (const own of answersOf(model, x, task)) rows.push([file, ...own]);
  });
  return { columns: ['picture', ...columnsOf(model)], rows };
}
