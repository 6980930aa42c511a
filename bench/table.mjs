// Turns benchmark records into the Markdown table of docs/performance.md.
//
//   node bench/table.mjs node20.json node26.json scipy.json
//   node bench/table.mjs --compact node20.json …      one row a task, minima in milliseconds

import { readFileSync } from 'node:fs';

const compact = process.argv.includes('--compact');
const files = process.argv.slice(2).filter((argument) => argument !== '--compact');
const records = files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')));
const rate = ({ gflops, gbytes }) => (gflops ? `${gflops.toFixed(1)} GFLOP/s` : `${gbytes.toFixed(1)} GB/s`);
const runtime = ({ node, detail }) => (node ? `Node ${node.slice(1).split('.')[0]}` : detail);

if (compact) {
  printCompact();
  process.exit(0);
}

console.log('| task | engine | runtime | threads | minimum | median | rate | against the best rival |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const task of new Set(records.map((record) => record.task))) {
  for (const record of records.filter((candidate) => candidate.task === task)) {
    const rivals = records.filter(
      (other) => other.task === task && other.engine !== 'gossamer' && (!other.node || other.node === record.node),
    );
    const best = rivals.sort((a, b) => a.minimumMs - b.minimumMs)[0];
    const ratio =
      record.engine === 'gossamer' && best
        ? `**${(best.minimumMs / record.minimumMs).toFixed(2)}×** ${best.engine}`
        : '';
    const { minimumMs, medianMs, threads, engine } = record;
    console.log(
      `| ${task} | ${engine} | ${runtime(record)} | ${threads} | ${minimumMs.toFixed(3)} ms | ${medianMs.toFixed(3)} ms | ${rate(record)} | ${ratio} |`,
    );
  }
}

function printCompact() {
  const column = (record) =>
    `${record.engine}, ${runtime(record)}, ${record.engine === 'gossamer' ? record.threads : (/\d(?= thr)/.exec(record.detail)?.[0] ?? record.threads)} thr.`;
  const columns = [...new Set(records.map(column))].sort();
  console.log(`| task | ${columns.join(' | ')} |`);
  console.log(`| --- |${' --- |'.repeat(columns.length)}`);
  for (const task of new Set(records.map((record) => record.task))) {
    const cells = columns.map((name) => {
      const times = records
        .filter((record) => record.task === task && column(record) === name)
        .map(({ minimumMs }) => minimumMs);
      return times.length ? Math.min(...times).toFixed(2) : '–';
    });
    console.log(`| ${task} | ${cells.join(' | ')} |`);
  }
}
