// Tables of any length: a file of numbers, categories and gaps is written, then read; or fitted.
//
//   npm run build
//   node bench/tables.mjs write table.csv 10000000         20 columns, the last two `class` and `value`
//   node bench/tables.mjs write table.csv 500000 numbers   20 decimals, `class` and `value`
//   node bench/tables.mjs read table.csv                   seconds and peak memory of reading
//   node bench/tables.mjs info table.csv                   the same with the profile of `gossamer info`
//
// Columns 0 to 11 are decimals, 12 to 14 integers, 15 to 17 categories; one of their fields in fifty is
// empty.

import { closeSync, openSync, writeSync } from 'node:fs';
import { profileLines } from '../dist/data/index.js';
import { loadTable } from '../dist/data/node.js';
import { Random } from '../dist/index.js';

const [task, path, size, form] = process.argv.slice(2);
if (task === 'write') write(path, Number(size), form === 'numbers');
else await read(path);

function write(file, rows, numbers) {
  const random = new Random(1);
  const out = openSync(file, 'w');
  const names = Array.from({ length: numbers ? 20 : 18 }, (_, i) => `x${i}`);
  const sizes = [4, 30, 200];
  const effects = sizes.map((categories) => random.normal([categories]).dataSync().slice());
  writeSync(out, `${names.join(',')},class,value\n`);
  const batch = 10_000;
  for (let from = 0; from < rows; from += batch) {
    const count = Math.min(batch, rows - from);
    const draws = random.normal([count, 21]).dataSync();
    const lines = [];
    for (let row = 0; row < count; row++) {
      const x = draws.subarray(row * 21, (row + 1) * 21);
      const integers = [3, 10, 1000].map((scale, i) => Math.round(scale * x[12 + i]));
      const categories = sizes.map((categories) => Math.floor(random.float() ** 2 * categories));
      const score = x[0] - 0.5 * x[1] + x[2] * x[3] + Math.sin(2 * x[4]) + (numbers ? 0 : effects[1][categories[1]]);
      const value = score + 0.3 * x[20] + integers[1] / 20;
      const decimals = Array.from(x.subarray(0, numbers ? 20 : 12), (field) => field.toFixed(5));
      const others = [...integers, ...categories.map((category, i) => `${'abc'[i]}${category}`)];
      const fields = numbers ? decimals : [...decimals, ...others].map((field) => (random.float() < 0.02 ? '' : field));
      lines.push([...fields, value > 0 ? 'yes' : 'no', value.toFixed(4)].join(','));
    }
    writeSync(out, `${lines.join('\n')}\n`);
  }
  closeSync(out);
}

async function read(file) {
  const started = performance.now();
  const table = await loadTable(file);
  const seconds = (performance.now() - started) / 1000;
  if (task === 'info') console.log(profileLines(table).join('\n'));
  const all = (performance.now() - started) / 1000;
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${table.rows} rows × ${table.columns.length} columns: read in ${seconds.toFixed(1)} s, with the profile ${all.toFixed(1)} s; peak memory ${peak.toFixed(0)} MiB`,
  );
}
