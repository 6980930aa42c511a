// Methods on a long table of numbers: seconds by the clock and of the processor, and the accuracy on
// every fifth row, which is held out; table-size.py does the same with scikit-learn's.
//
//   npm run build
//   node bench/tables.mjs write table.csv 500000 numbers
//   node bench/table-size.mjs table.csv && python3 bench/table-size.py table.csv
//   node bench/table-size.mjs table.csv boosting     one method alone

import { splitTarget, tableRows } from '../dist/data/index.js';
import { loadTable } from '../dist/data/node.js';
import { TableModel, testScores } from '../dist/hypernet/index.js';
import { Random, setThreads } from '../dist/index.js';

const [path, only] = process.argv.slice(2);
const whole = await loadTable(path, { target: 'class' });
const data = splitTarget({ ...whole, columns: whole.columns.filter(({ name }) => name !== 'value') }, 'class');
const part = (isIn) => {
  const rows = Int32Array.from({ length: whole.rows }, (_, row) => row).filter(isIn);
  return { table: tableRows(data.table, rows), labels: rows.map((row) => data.labels[row]), classes: data.classes };
};
const [seen, held] = [part((row) => row % 5 !== 0), part((row) => row % 5 === 0)];
for (const [method, threads, options] of [
  ['boosting', 2, {}],
  ['boosting', 1, {}],
  ['forest', 2, { trees: 10 }],
  ['logistic', 2, {}],
  // As gossamer fit has it on long tables: an epoch of 12,500 steps.
  ['mlp', 2, { maxSteps: 20_000 }],
].filter(([method]) => only === undefined || method === only)) {
  setThreads(threads);
  const [before, started] = [process.cpuUsage(), performance.now()];
  const model = await TableModel.train(method, seen, '', new Random(0), {
    balance: false,
    options: { [method]: options },
  });
  const clock = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const { accuracy } = testScores(model, held);
  console.log(
    `${method}, ${threads} threads: ${clock.toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of the processor, ${accuracy.toFixed(4)}`,
  );
}
process.exit(0);
