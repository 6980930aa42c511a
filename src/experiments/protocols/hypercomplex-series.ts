// Activities from the histograms of three axes of acceleration (WISDM), people apart.

import { loadLabelledTable } from '../../data/node.js';
import {
  AdamW,
  consecutive,
  crossEntropy,
  disposeWeights,
  fit,
  inference,
  macroF1,
  parameterCount,
  predictedClasses,
  stateOf,
} from '../../nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { PHSeriesNet, type PHSeriesOptions } from '../../vision/index.js';
import type { RunContext, SeedOutcome } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { tuned } from '../parts/tuning.js';
import { ph, QUATERNION, REAL } from './hypercomplex-arms.js';

const AXES = ['X', 'Y', 'Z'] as const;
const BINS = 10;

/** Rows of some people: [count, axes, bins], standardised. */
export interface SeriesPart {
  readonly count: number;
  readonly values: Float32Array;
  readonly labels: Int32Array;
}

/** Parts with the names of the classes. */
export interface SeriesParts {
  readonly classes: readonly string[];
  readonly train: SeriesPart;
  readonly validation: SeriesPart;
  readonly test: SeriesPart;
}

/**
 * The table, its people drawn once: five validate, five test, the others train. Missing values are
 * the median of the training rows, by whose mean and deviation each bin is standardised.
 */
export async function loadSeries(): Promise<SeriesParts> {
  const { table, labels, classes } = await loadLabelledTable('wisdm');
  const column = (name: string): ArrayLike<number | string | undefined> => {
    const found = table.columns.find((own) => own.name === name);
    if (!found) throw new Error(`wisdm has no column "${name}"`);
    return found.values;
  };
  const people = Array.from(column('user'), String);
  const names = [...new Set(people)].sort();
  const order = Array.from(new Random(0).split('people').permutation(names.length), (at) => names[at] as string);
  const partOf = new Map(order.map((name, at) => [name, at < 5 ? 'validation' : at < 10 ? 'test' : 'train']));
  const rowsOf = (part: string) => people.flatMap((name, row) => (partOf.get(name) === part ? [row] : []));
  const training = rowsOf('train');
  const bins = AXES.flatMap((axis) =>
    Array.from({ length: BINS }, (_, bin) => {
      const values = Array.from(column(`${axis}${bin}`), (value) => Number(value ?? Number.NaN));
      const known = training.map((row) => values[row] as number).filter((value) => !Number.isNaN(value));
      const sorted = [...known].sort((a, b) => a - b);
      const median = sorted[sorted.length >> 1] ?? 0;
      const filled = values.map((value) => (Number.isNaN(value) ? median : value));
      const own = training.map((row) => filled[row] as number);
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length) || 1;
      return filled.map((value) => (value - mean) / deviation);
    }),
  );
  const part = (name: string): SeriesPart => {
    const rows = rowsOf(name);
    return {
      count: rows.length,
      values: Float32Array.from(rows.flatMap((row) => bins.map((bin) => bin[row] as number))),
      labels: Int32Array.from(rows, (row) => labels[row] as number),
    };
  };
  return { classes, train: part('train'), validation: part('validation'), test: part('test') };
}

/** The networks, in order. */
export const seriesArms: Readonly<Record<string, Pick<PHSeriesOptions, 'n' | 'algebra'>>> = {
  [REAL]: { n: 1 },
  [QUATERNION]: { n: 4, algebra: 'preset' },
  [ph(3)]: { n: 3 },
};

/** Learning rates, the usual one first. */
const rates = [3e-3, 1e-3, 1e-2].map((learningRate) => ({ learningRate }));

function inputsOf({ values }: SeriesPart, rows: Int32Array): Tensor {
  const size = AXES.length * BINS;
  const own = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    own.set(values.subarray(row * size, (row + 1) * size), i * size);
  });
  return tensor(own, [rows.length, AXES.length, BINS]);
}

/** Macro-F1 in %. */
function scoreOf(model: PHSeriesNet, part: SeriesPart, classes: number): number {
  const all = Int32Array.from({ length: part.count }, (_, i) => i);
  const predicted = scope(() => predictedClasses(model.forward(inputsOf(part, all), inference)));
  return 100 * macroF1(predicted, part.labels, classes);
}

/** Trains and scores all networks of one seed. */
export async function seriesSeed(
  { classes, train, validation, test }: SeriesParts,
  { epochs, batch, trials }: { readonly epochs: number; readonly batch: number; readonly trials: number },
  context: RunContext,
): Promise<SeedOutcome> {
  const methods = Object.entries(seriesArms).map(([title, domain]) =>
    tuned<(typeof rates)[number], PHSeriesNet>({
      title,
      settings: rates.slice(0, trials),
      once: train,
      train: async (setting, { random, hooks }) => {
        const options = { axes: AXES.length, classes: classes.length, widths: [24, 48], ...domain };
        const model = new PHSeriesNet(options, random.split('model'));
        await fit<PHSeriesNet, Int32Array>({
          ...{ model, epochs, random: random.split('fit') },
          optimizer: new AdamW({ ...setting, weightDecay: 0 }),
          batches: (order) => consecutive(order.permutation(train.count), batch),
          loss: (live, rows, mode) =>
            crossEntropy(
              live.forward(inputsOf(train, rows), mode),
              tensor(rows.map((row) => train.labels[row] as number)),
            ),
          ...hooks,
        });
        hooks.signal?.throwIfAborted();
        return model;
      },
      validation: (model) => scoreOf(model, validation, classes.length),
      discard: (model) => disposeWeights(stateOf(model)),
    }),
  );
  const { methods: scored } = await runMethods(methods, context, {
    score: (model) => ({
      score: scoreOf(model, test, classes.length),
      validation: scoreOf(model, validation, classes.length),
      parameters: parameterCount(model),
    }),
  });
  return { methods: scored };
}
