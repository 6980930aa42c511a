// The illustrative example of the review of hypernetworks: two tasks that contradict each other, a
// plain network for each or for both, and one hypernetwork. Prints parameters and accuracy by
// method, and what a hypernetwork has that plain networks lack.
//
//   npm run build
//   node examples/illustrative.mjs              five seeds
//   node examples/illustrative.mjs --quick      seconds, with too few steps

import { parseArgs } from 'node:util';
import { findSystem, methodTable, runExperiment } from 'gossamer/experiments';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const seeds = values.quick ? [0] : [0, 1, 2, 3, 4];
const system = findSystem('hypernet-review');
const result = await runExperiment(system, {
  data: 'two-tasks',
  seeds,
  set: [],
  smoke: values.quick,
});
const { experiment } = await system.load();
const methods = methodTable(experiment, result.rows);
for (const row of [methods.columns, ...methods.rows]) console.log(row.join(' | '));
for (const { title, columns, rows } of result.studies.slice(0, 1)) {
  console.log(`\n${title}`);
  for (const row of [columns, ...rows]) console.log(row.join(' | '));
}
process.exit(0);
