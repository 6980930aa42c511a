// Studies of HyperTab: parameters and views, over-fitting with one view and with many, the same
// ensemble without a hypernetwork, and regression.

import type { Column, LabelledTable, ValuedTable } from '../../data/index.js';
import type { NamedTable } from '../../data/node.js';
import {
  classesOf,
  encodeTable,
  fitFeatures,
  HyperTab,
  type HyperTabOptions,
  hyperTabDefaults,
  innerFolds,
  oversample,
  Perceptron,
  type Rows,
  rowsOf,
  softmaxRows,
  type TableMethod,
  TableModel,
  tableMethods,
  takeRows,
  valueScores,
  withoutRows,
} from '../../hypernet/index.js';
import { balancedAccuracy } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';

/** What the hypernetwork costs: its parameters do not depend on the views, pairs to train on do. */
export function parameterStudy(): StudyResults {
  const rows = 100;
  const counts = [10, 50, 250].map((views) => {
    const model = new HyperTab({ ...hyperTabDefaults, views });
    model.prepare(60, 2, new Random(0));
    const { masks, hypernet } = model;
    const distinct = new Set(masks.map((mask) => mask.join()));
    return {
      views,
      trained: hypernet.size,
      generated: hypernet.layout.size * masks.length,
      pairs: distinct.size * rows,
    };
  });
  const [fewest, most] = [counts[0]?.pairs as number, counts.at(-1)?.pairs as number];
  return studyOf(
    {
      title: 'Parameters on a table of 100 rows, 60 columns and two classes',
      note: 'Trained are those of the hypernetwork; the networks of all views follow from them. A pair is a row in a view.',
      columns: ['views', 'trained', 'generated', 'pairs to train on'],
      rows: counts.map(({ views, ...numbers }) => [
        views,
        ...Object.values(numbers).map((value) => value.toLocaleString('en')),
      ]),
    },
    { counts: new Set(counts.map(({ trained }) => trained)).size, pairs: most / fewest },
  );
}

/** Encoded training and test rows; a quarter of each class is held out. */
function heldOut(data: LabelledTable, random: Random) {
  const [test] = innerFolds(data, 4, random.split('folds')) as [Int32Array];
  const [seen, held] = [withoutRows(data, test), rowsOf(data, test)];
  const features = fitFeatures(seen.table);
  const rows = oversample(seen.labels, data.classes.length, (n) => random.integer(n));
  const labels = rows.map((row) => seen.labels[row] as number);
  return {
    train: { x: takeRows(encodeTable(features, seen.table), rows), labels },
    test: { x: encodeTable(features, held.table), labels: held.labels },
  };
}

/** Logits, averaged over networks that are trained one by one on the views of a model. */
async function independentNetworks(
  masks: readonly Int32Array[],
  x: Rows,
  labels: Int32Array,
  classes: number,
  random: Random,
): Promise<(rows: Rows) => Float64Array> {
  const restricted = (rows: Rows, mask: Int32Array): Rows => ({
    count: rows.count,
    width: mask.length,
    values: Float32Array.from(
      { length: rows.count * mask.length },
      (_, at) => rows.values[Math.floor(at / mask.length) * rows.width + (mask[at % mask.length] as number)] as number,
    ),
  });
  const networks: Perceptron[] = [];
  for (const [view, mask] of masks.entries()) {
    const network = new Perceptron({ hidden: 10, layers: 2, epochs: 100, learningRate: 3e-3, batchSize: 128 });
    await network.fit(restricted(x, mask), labels, classes, random.split(view));
    networks.push(network);
  }
  return (rows) => {
    const logits = new Float64Array(rows.count * classes);
    for (const [view, network] of networks.entries())
      network.values(restricted(rows, masks[view] as Int32Array)).forEach((value, at) => {
        logits[at] = (logits[at] as number) + value / networks.length;
      });
    return logits;
  };
}

/**
 * Training and test accuracy of one view and of many, with as many optimiser steps, and of the same
 * views with networks of their own.
 */
export async function viewStudy(
  { name, labelled }: NamedTable,
  { views = 100, epochs = 30, viewsPerStep = 5, ...options }: HyperTabOptions,
  seeds: number,
  { seed, signal }: RunContext,
): Promise<StudyResults> {
  const classes = labelled.classes.length;
  const steps = Math.ceil(views / viewsPerStep);
  const arms = ['one view', `${views} views`, `${views} networks of their own`] as const;
  const results: Record<string, { train: number[]; test: number[] }> = {};
  for (let s = seed; s < seed + seeds; s++) {
    const random = new Random(s).split('views');
    const { train, test } = heldOut(labelled, random);
    const score = (arm: string, logits: (x: Rows) => Float64Array) => {
      const own = (results[arm] ??= { train: [], test: [] });
      for (const [part, { x, labels }] of Object.entries({ train, test })) {
        const predicted = classesOf(softmaxRows(logits(x), classes), classes);
        own[part as 'train' | 'test'].push(100 * balancedAccuracy(predicted, labels, classes));
      }
    };
    const one = new HyperTab({ ...options, views: 1, epochs: epochs * steps });
    await one.fit(train.x, train.labels, classes, random.split('one'), { signal });
    score(arms[0], (x) => one.decisionFunction(x));
    const many = new HyperTab({ ...options, views, epochs, viewsPerStep });
    await many.fit(train.x, train.labels, classes, random.split('many'), { signal });
    score(arms[1], (x) => many.decisionFunction(x));
    score(arms[2], await independentNetworks(many.masks, train.x, train.labels, classes, random.split('own')));
  }
  const mean = (arm: string, part: 'train' | 'test') => summarize(results[arm]?.[part] ?? []).mean;
  const gap = (arm: string) => mean(arm, 'train') - mean(arm, 'test');
  return studyOf(
    {
      title: `Over-fitting on ${name}`,
      note:
        `Balanced accuracy (%), mean of ${seeds} splits with a quarter of the rows held out. One view is trained for as many ` +
        'steps as many. Networks of their own have the same views and no hypernetwork: 100 epochs each, learning rate 3e-3.',
      columns: ['ensemble', 'training rows', 'test rows', 'gap'],
      rows: arms.map((arm) => [arm, ...[mean(arm, 'train'), mean(arm, 'test'), gap(arm)].map((v) => v.toFixed(1))]),
    },
    {
      gapOne: gap(arms[0]),
      gapMany: gap(arms[1]),
      ownNetworks: mean(arms[2], 'test'),
      hypernet: mean(arms[1], 'test'),
    },
  );
}

/** Numeric targets on columns from U(0, 1), with noise of a tenth of their deviation. */
const targets: Readonly<Record<string, { width: number; of(x: readonly number[]): number }>> = {
  'Friedman 1': {
    width: 10,
    of: ([a = 0, b = 0, c = 0, d = 0, e = 0]) => 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e,
  },
  'Friedman 2': {
    width: 4,
    of: ([a = 0, b = 0, c = 0, d = 0]) =>
      Math.hypot(100 * a, 40 * Math.PI * (1 + 13 * b) * c - 1 / (40 * Math.PI * (1 + 13 * b) * (1 + 10 * d))),
  },
  'Friedman 3': {
    width: 4,
    of: ([a = 0, b = 0, c = 0, d = 0]) =>
      Math.atan((40 * Math.PI * (1 + 13 * b) * c - 1 / (40 * Math.PI * (1 + 13 * b) * (1 + 10 * d))) / (100 * a + 1)),
  },
  'linear, 40 columns': { width: 40, of: (x) => x.slice(0, 10).reduce((sum, v, i) => sum + v * (i % 2 ? -1 : 1), 0) },
  'one column of 50': { width: 50, of: ([a = 0]) => Math.sin(4 * a) },
};

/** Rows of a generated target; the noise is left out where `deviation` is 0. */
function generated(name: string, rows: number, random: Random, noise: number): ValuedTable {
  const { width, of } = targets[name] as (typeof targets)[string];
  const x = Array.from({ length: rows }, () => Array.from({ length: width }, () => random.float()));
  const exact = x.map(of);
  const { sd } = summarize(exact);
  const columns = Array.from(
    { length: width },
    (_, c): Column => ({ name: `x${c}`, kind: 'number', values: Float64Array.from(x, (row) => row[c] as number) }),
  );
  return { table: { rows, columns }, values: Float64Array.from(exact, (y) => y + noise * sd * random.gaussian()) };
}

/** Error of HyperTab, forest, boosting and ridge regression on five generated numeric targets. */
export async function regressionStudy(options: HyperTabOptions, { seed, signal }: RunContext): Promise<StudyResults> {
  const methods: readonly TableMethod[] = ['hypertab', 'forest', 'boosting', 'logistic'];
  const rows: string[][] = [];
  for (const name of Object.keys(targets)) {
    const random = new Random(seed).split('regression').split(name);
    const [seen, held] = [generated(name, 200, random, 0.1), generated(name, 500, random, 0)];
    const cells: string[] = [];
    for (const method of methods) {
      const own = { options: { hypertab: options }, signal };
      const model = await TableModel.train(method, seen, name, random.split(method), own);
      const { rmse, r2 } = valueScores(model, held);
      cells.push(`${rmse.toPrecision(3)} (${r2.toFixed(2)})`);
    }
    rows.push([name, ...cells]);
  }
  return studyOf({
    title: 'Numeric targets: root mean squared error (R²)',
    note: 'Generated targets, 200 rows to train on and 500 without noise to test on; methods at their usual settings.',
    columns: ['target', ...methods.map((m) => (m === 'logistic' ? 'ridge regression' : tableMethods[m].title))],
    rows,
  });
}
