// The methods for tables with their usual settings on the folds of some tables; table-methods.py adds
// those of scikit-learn on the same folds and compares.
//
//   npm run build
//   node bench/table-methods.mjs scores.json --target target table.csv …   [--methods forest,boosting] [--folds 4] [--only 1]
//   python3 bench/table-methods.py scores.json
//
// With --tune 8 every method chooses among as many settings, the usual one first, by the score on a
// quarter of the training rows; scikit-learn's methods choose among the same settings on the same rows. HyperTab then
// takes at most 5000 steps.
//
// A target of numbers with fractions or more than 20 values is predicted as a number. Scores are the
// accuracy or R² of the rows held out; no rows of small classes are repeated. --only takes some folds.

import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { splitTarget, tableRows, valuedTable } from '../dist/data/index.js';
import { loadTable } from '../dist/data/node.js';
import { TableModel, tableMethods, testScores, valueScores } from '../dist/hypernet/index.js';
import { Random, setThreads } from '../dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    target: { type: 'string', default: 'target' },
    ignore: { type: 'string', default: '' },
    methods: { type: 'string', default: Object.keys(tableMethods).join() },
    folds: { type: 'string', default: '4' },
    only: { type: 'string' },
    threads: { type: 'string', default: '2' },
    tune: { type: 'string', default: '1' },
  },
});
const [out, ...paths] = positionals;
const folds = Number(values.folds);
setThreads(Number(values.threads));

const networks = {
  learningRate: [1e-3, 3e-4, 3e-3, 1e-2],
  epochs: [200, 50, 100],
  hidden: [64, 32, 128],
  layers: [1, 2],
  weightDecay: [1e-4, 1e-2, 1e-6],
};
/** What each method may choose from, the usual value first; HyperTab's is that of `gossamer fit`. */
const grids = {
  hypertab: {
    ...{ viewsPerStep: [5], unit: ['column'], ...(values.tune !== '1' && { maxSteps: [5000] }) },
    epochs: [30, 10, 100],
    subsample: [0.5, 0.2, 0.35, 0.75, 0.9],
    learningRate: [1e-3, 3e-4, 3e-3],
    hidden: [10, 5, 20, 50],
    views: [50, 30, 100],
  },
  forest: { trees: [100, 300], columnShare: [0, 0.3, 0.5, 0.8], depth: [64, 4, 8], leastLeaf: [1, 2, 4] },
  boosting: { rounds: [100, 50, 200], learningRate: [0.3, 0.03, 0.1], depth: [6, 2, 3, 4], lambda: [1, 0.1, 10] },
  mlp: networks,
  dropout: { ...networks, inputDropout: [0.1, 0.2, 0.3, 0.5] },
  logistic: { c: [1, 0.001, 0.01, 0.03, 0.1, 0.3, 3, 10, 30, 100, 1000] },
};
const settings = Object.fromEntries(
  values.methods.split(',').map((method) => [method, settingsOf(method, Number(values.tune))]),
);

const results = [];
for (const path of paths) {
  const whole = await loadTable(path, { target: values.target });
  const ignored = values.ignore.split(',');
  const kept = { ...whole, columns: whole.columns.filter(({ name }) => !ignored.includes(name)) };
  const target = whole.columns.find(({ name }) => name === values.target);
  const isNumber =
    target.kind === 'number' && !(target.values.every(Number.isInteger) && new Set(target.values).size <= 20);
  const data = isNumber ? valuedTable(kept, values.target) : splitTarget(kept, values.target);
  const order = new Random(0).split('folds').permutation(whole.rows);
  const parts = Array.from({ length: Number(values.only ?? folds) }, (_, fold) =>
    order.filter((_, at) => at % folds === fold).sort(),
  );
  const inner = parts.map((test, fold) => {
    const seen = without(
      Int32Array.from({ length: whole.rows }, (_, row) => row),
      test,
    );
    return new Random(fold)
      .split('inner')
      .sample(seen.length, Math.floor(seen.length / 4))
      .map((at) => seen[at])
      .sort();
  });
  const scoreOf = async (method, setting, rows, test, fold) => {
    const started = performance.now();
    const options = { [method]: setting };
    const model = await TableModel.train(method, rowsOf(data, rows), '', new Random(fold), { balance: false, options });
    const seconds = (performance.now() - started) / 1000;
    const tested = rowsOf(data, test);
    return { score: isNumber ? valueScores(model, tested).r2 : testScores(model, tested).accuracy, seconds };
  };
  const scores = {};
  for (const method of values.methods.split(',')) {
    scores[method] = [];
    for (const [fold, test] of parts.entries()) {
      const seen = without(
        Int32Array.from({ length: whole.rows }, (_, row) => row),
        test,
      );
      let [setting] = settings[method];
      if (settings[method].length > 1) {
        const trials = [];
        const rest = without(seen, inner[fold]);
        for (const own of settings[method]) trials.push((await scoreOf(method, own, rest, inner[fold], fold)).score);
        setting = settings[method][trials.indexOf(Math.max(...trials))];
      }
      const { score, seconds } = await scoreOf(method, setting, seen, test, fold);
      scores[method].push({ score, seconds });
      console.log(`${basename(path)} ${method} ${fold}: ${score.toFixed(4)}, ${seconds.toFixed(2)} s`);
    }
  }
  results.push({
    ...{ path: resolve(path), target: values.target, ignored, kind: isNumber ? 'number' : 'class' },
    ...{ folds: parts.map((part) => [...part]), inner: inner.map((part) => [...part]), settings, scores },
  });
  writeFileSync(out, JSON.stringify(results));
}
process.exit(0);

/** So many settings of a method: the usual one, then others drawn from its grid. */
function settingsOf(method, trials) {
  const random = new Random(0).split(method);
  const grid = Object.entries(grids[method]);
  const draw = (pick) => {
    const { columnShare, ...rest } = Object.fromEntries(grid.map(([name, all]) => [name, all[pick(all.length)]]));
    return columnShare ? { ...rest, columnShare } : rest;
  };
  return Array.from({ length: trials }, (_, trial) => draw((count) => (trial === 0 ? 0 : random.integer(count))));
}

function without(rows, left) {
  const out = new Set(left);
  return rows.filter((row) => !out.has(row));
}

function rowsOf({ table, ...rest }, rows) {
  const own = { table: tableRows(table, rows) };
  if ('values' in rest) return { ...own, values: Float64Array.from(rows, (row) => rest.values[row]) };
  return { ...own, ...rest, labels: rows.map((row) => rest.labels[row]) };
}
