// The methods for tables with their usual settings on the folds of some tables; table-methods.py adds
// those of scikit-learn on the same folds and compares.
//
//   npm run build
//   node bench/table-methods.mjs scores.json --target target table.csv …   [--methods forest,boosting] [--folds 4] [--only 1]
//   python3 bench/table-methods.py scores.json
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
  },
});
const [out, ...paths] = positionals;
const folds = Number(values.folds);
setThreads(Number(values.threads));

/** HyperTab as `gossamer fit` has it. */
const options = {
  hypertab: { viewsPerStep: 5, unit: 'column', epochs: 30, subsample: 0.5, learningRate: 1e-3 },
};

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
  const scores = {};
  for (const method of values.methods.split(',')) {
    scores[method] = [];
    for (const [fold, test] of parts.entries()) {
      const held = new Set(test);
      const seen = Int32Array.from({ length: whole.rows }, (_, row) => row).filter((row) => !held.has(row));
      const started = performance.now();
      const model = await TableModel.train(method, rowsOf(data, seen), '', new Random(fold), {
        balance: false,
        options,
      });
      const seconds = (performance.now() - started) / 1000;
      const tested = rowsOf(data, test);
      const score = isNumber ? valueScores(model, tested).r2 : testScores(model, tested).accuracy;
      scores[method].push({ score, seconds });
      console.log(`${basename(path)} ${method} ${fold}: ${score.toFixed(4)}, ${seconds.toFixed(2)} s`);
    }
  }
  results.push({
    ...{ path: resolve(path), target: values.target, ignored, kind: isNumber ? 'number' : 'class' },
    ...{ folds: parts.map((part) => [...part]), scores },
  });
  writeFileSync(out, JSON.stringify(results));
}
process.exit(0);

function rowsOf({ table, ...rest }, rows) {
  const own = { table: tableRows(table, rows) };
  if ('values' in rest) return { ...own, values: Float64Array.from(rows, (row) => rest.values[row]) };
  return { ...own, ...rest, labels: rows.map((row) => rest.labels[row]) };
}
