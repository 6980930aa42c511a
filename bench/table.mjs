// Turns benchmark records into the Markdown table of docs/performance.md.
//
//   node bench/table.mjs node20.json node26.json scipy.json

import { readFileSync } from 'node:fs';

const records = process.argv.slice(2).flatMap((file) => JSON.parse(readFileSync(file, 'utf8')));
const rate = ({ gflops, gbytes }) => (gflops ? `${gflops.toFixed(1)} GFLOP/s` : `${gbytes.toFixed(1)} GB/s`);
const runtime = ({ node, detail }) => (node ? `Node ${node.slice(1).split('.')[0]}` : detail);

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
