// What HyperTab's usual setting loses on the wide tables: one thing is changed at a time.
//
//   npm run build
//   GOSSAMER_DATA=… node bench/hypertab-study.mjs [--tables sonar,ionosphere] [--folds 4] [--only 2] [--variants usual,epochs]
//
// Scores are the balanced accuracy and accuracy of rows held out, beside a forest and an MLP with
// their usual settings; no rows are repeated.

import { parseArgs } from 'node:util';
import { stratifiedFolds, tableGroups } from '../dist/data/index.js';
import { loadTables } from '../dist/data/node.js';
import {
  classesOf,
  encodeTable,
  innerFolds,
  rowsOf,
  TableModel,
  testScores,
  withoutRows,
} from '../dist/hypernet/index.js';
import { Random, setThreads } from '../dist/index.js';
import { balancedAccuracy } from '../dist/nn/index.js';

const { values } = parseArgs({
  options: {
    tables: { type: 'string', default: tableGroups.wide.join() },
    folds: { type: 'string', default: '4' },
    only: { type: 'string' },
    variants: { type: 'string' },
    threads: { type: 'string', default: '1' },
  },
});
const folds = Number(values.folds);
setThreads(Number(values.threads));

/** HyperTab as `gossamer fit` had it before this study; it has "80 epochs and 20 views and width 50" now. */
const usual = { viewsPerStep: 5, unit: 'column', epochs: 30, subsample: 0.5, learningRate: 1e-3 };
const changed = (options) => ({ hypertab: { ...usual, ...options } });
/** The options of a method, or what else is changed. */
const variants = {
  forest: { method: 'forest' },
  mlp: { method: 'mlp' },
  usual: { options: changed({}) },
  'probabilities averaged': { options: changed({}), predict: meanProbabilities },
  'quantiles in place of standard scores': { options: changed({}), prepare: toQuantiles },
  'learning rate 3e-3': { options: changed({ learningRate: 3e-3 }) },
  'learning rate 1e-2': { options: changed({ learningRate: 1e-2 }) },
  '100 epochs': { options: changed({ epochs: 100 }) },
  'width 50': { options: changed({ hidden: 50 }) },
  '20 views': { options: changed({ views: 20 }) },
  '150 views': { options: changed({ views: 150 }) },
  'views of 20 %': { options: changed({ subsample: 0.2 }) },
  'views of 80 %': { options: changed({ subsample: 0.8 }) },
  'one view a step': { options: changed({ viewsPerStep: 1 }) },
  '10 or 30 or 100 epochs by an inner quarter': { choose: [10, 30, 100].map((epochs) => changed({ epochs })) },
  '100 epochs and 20 views': { options: changed({ epochs: 100, views: 20 }) },
  '300 epochs and 20 views': { options: changed({ epochs: 300, views: 20 }) },
  '100 epochs and width 50': { options: changed({ epochs: 100, hidden: 50 }) },
  '100 epochs and 20 views and width 50': { options: changed({ epochs: 100, views: 20, hidden: 50 }) },
  '80 epochs and 20 views and width 50': { options: changed({ epochs: 80, views: 20, hidden: 50 }) },
  'learning rate 3e-3 and width 50': { options: changed({ learningRate: 3e-3, hidden: 50 }) },
};
const asked = values.variants?.split(',') ?? Object.keys(variants);

const results = {};
for (const table of values.tables.split(',')) {
  const [{ labelled }] = await loadTables(table);
  const random = new Random(0).split(table);
  const parts = stratifiedFolds(labelled.labels, labelled.classes, folds, random.split('folds'));
  for (const name of asked) {
    const scores = [];
    for (const [fold, test] of parts.slice(0, Number(values.only ?? folds)).entries())
      scores.push(
        await scoreOf(variants[name], withoutRows(labelled, test), rowsOf(labelled, test), random.split(fold)),
      );
    const mean = (key) => scores.reduce((sum, score) => sum + score[key], 0) / scores.length;
    results[name] ??= [];
    results[name].push({ balanced: mean('balanced'), accuracy: mean('accuracy'), seconds: mean('seconds') });
    const own = results[name].at(-1);
    console.log(`${table} | ${name} | ${(100 * own.balanced).toFixed(1)} | ${own.seconds.toFixed(2)} s`);
  }
}
console.log(`\n| variant | balanced accuracy (%) | less the usual setting | seconds |\n| --- | --- | --- | --- |`);
for (const [name, own] of Object.entries(results)) {
  const mean = (all, key) => all.reduce((sum, score) => sum + score[key], 0) / all.length;
  const balanced = 100 * mean(own, 'balanced');
  const gain = results.usual ? (balanced - 100 * mean(results.usual, 'balanced')).toFixed(1) : '';
  console.log(`| ${name} | ${balanced.toFixed(1)} | ${gain} | ${mean(own, 'seconds').toFixed(2)} |`);
}
process.exit(0);

async function scoreOf({ method = 'hypertab', options, choose, prepare, predict }, training, test, random) {
  const [seen, held] = prepare ? prepare(training, test) : [training, test];
  const started = performance.now();
  const chosen = choose ? await best(choose, seen, random) : options;
  const model = await TableModel.train(method, seen, '', random.split('fit'), { balance: false, options: chosen });
  const seconds = (performance.now() - started) / 1000;
  return { ...(predict ? predict(model, held) : testScores(model, held)), seconds };
}

async function best(choices, training, random) {
  const [held] = innerFolds(training, 4, random.split('inner'));
  const scores = [];
  for (const options of choices) {
    const own = random.split('trial');
    const model = await TableModel.train('hypertab', withoutRows(training, held), '', own, { balance: false, options });
    scores.push(testScores(model, rowsOf(training, held)).balanced);
  }
  return choices[scores.indexOf(Math.max(...scores))];
}

/** Scores by the mean of the views' probabilities in place of their logits. */
function meanProbabilities({ learner, features, classes }, { table, labels }) {
  const x = encodeTable(features, table);
  const total = new Float64Array(x.count * classes.length);
  learner.masks.forEach((_, view) => {
    const logits = learner.decisionFunction(x, Int32Array.of(view));
    for (let at = 0; at < logits.length; at += classes.length) {
      const own = logits.subarray(at, at + classes.length);
      const most = Math.max(...own);
      const sum = own.reduce((all, value) => all + Math.exp(value - most), 0);
      own.forEach((value, c) => {
        total[at + c] += Math.exp(value - most) / sum;
      });
    }
  });
  const predicted = classesOf(total, classes.length);
  const accuracy = predicted.filter((label, row) => label === labels[row]).length / labels.length;
  return { balanced: balancedAccuracy(predicted, labels, classes.length), accuracy };
}

/** Numbers by their quantile among the training rows, in (−√3, √3) so that the variance is 1. */
function toQuantiles(training, test) {
  const sorted = training.table.columns.map((column) =>
    column.kind === 'number'
      ? Float64Array.from(column.values)
          .filter((value) => !Number.isNaN(value))
          .sort()
      : undefined,
  );
  const change = (data) => ({
    ...data,
    table: {
      ...data.table,
      columns: data.table.columns.map((column, at) => {
        const own = sorted[at];
        if (!own?.length) return column;
        const quantile = (value) => {
          const below = own.filter((other) => other < value).length;
          const equal = own.filter((other) => other === value).length;
          return Math.sqrt(3) * ((2 * (below + equal / 2)) / own.length - 1);
        };
        return {
          ...column,
          values: Float64Array.from(column.values, (value) => (Number.isNaN(value) ? value : quantile(value))),
        };
      }),
    },
  });
  return [change(training), change(test)];
}
