// Times Gossamer beside its rivals: every task, all engines taking turns in one run, so that a busy
// moment of the machine hits all of them alike.
//
//   npm run bench -- [--only gemm,mlp] [--engines gossamer,jax] [--threads 1,2] [--rounds 20]
//   [--json out.json]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { tasks } from './tasks.mjs';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    engines: { type: 'string', default: 'gossamer,tfjs,jax,ort-web,ort-native' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '30' },
    json: { type: 'string' },
  },
});
const groups = flags.only?.split(',');
const chosen = tasks.filter(({ group }) => !groups || groups.includes(group));
if (chosen.length === 0)
  throw new Error(`--only ${flags.only}: known are ${[...new Set(tasks.map((task) => task.group))].join(', ')}`);
const threadCounts = flags.threads.split(',').map(Number);

/**
 * One entry an engine and thread count; rivals that use one thread whatever is asked appear once.
 */
const contenders = [];
for (const file of flags.engines.split(',')) {
  const module = await import(`./engines/${file}.mjs`);
  for (const threads of module.multithreaded ? threadCounts : [1]) contenders.push({ ...module, threads });
}

const records = [];
for (const task of chosen) {
  const runners = [];
  for (const contender of contenders) {
    await contender.setUp(contender.threads);
    // A rival that lacks an operation says so when it first runs.
    const run = await attempt(contender, task);
    if (run) runners.push({ contender, run, times: [] });
  }
  await takeTurns(runners, Number(flags.rounds));
  for (const { contender, times } of runners) records.push(record(task, contender, times));
  print(
    task,
    records.filter(({ task: name }) => name === task.name),
  );
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(records, null, 2)}\n`);
process.exit(0);

async function attempt(contender, task) {
  try {
    const run = await task.setUp(contender.engine);
    await run?.();
    return run;
  } catch (error) {
    console.error(`${contender.name} cannot do "${task.name}": ${String(error.message).split('\n')[0].slice(0, 100)}`);
    return undefined;
  }
}

async function takeTurns(runners, rounds) {
  for (let round = -3; round < rounds; round++) {
    for (const { contender, run, times } of runners) {
      await contender.setUp(contender.threads);
      // An untimed call first: it wakes sleeping threads and brings data back into the cache that
      // the others took.
      await run();
      const start = performance.now();
      await run();
      if (round >= 0) times.push(performance.now() - start);
    }
  }
}

function record(task, contender, times) {
  const sorted = [...times].sort((a, b) => a - b);
  const minimum = sorted[0];
  return {
    task: task.name,
    engine: contender.name,
    detail: contender.detail(),
    threads: contender.threads,
    node: process.version,
    minimumMs: minimum,
    medianMs: sorted[sorted.length >> 1],
    ...(task.gflop && { gflops: (task.gflop / minimum) * 1000 }),
    ...(task.gbyte && { gbytes: (task.gbyte / minimum) * 1000 }),
  };
}

function print(task, rows) {
  console.log(`\n${task.name}  (node ${process.version})`);
  const best = rows.filter(({ engine }) => engine !== 'gossamer').sort((a, b) => a.minimumMs - b.minimumMs)[0];
  for (const { engine, detail, threads, minimumMs, medianMs, gflops, gbytes } of rows) {
    const rate = gflops ? `${gflops.toFixed(1)} GFLOP/s` : `${gbytes.toFixed(1)} GB/s`;
    const ratio = engine === 'gossamer' && best ? `  ${(best.minimumMs / minimumMs).toFixed(2)}× ${best.engine}` : '';
    console.log(
      `  ${engine.padEnd(9)} ${detail.padEnd(18)} ${threads} thread${threads > 1 ? 's' : ' '}  min ${minimumMs.toFixed(3).padStart(8)} ms  median ${medianMs.toFixed(3).padStart(8)} ms  ${rate.padStart(14)}${ratio}`,
    );
  }
}
