// HyPINO by size: numbers, the time of an answer, of ten rounds of refinement and of a training
// step on one problem, and the most memory of the process so far.
//
//   npm run build && node bench/equations.mjs [threads] [nano|published]

import { benchmark, HyPINO, presets, sizeOfModel, solveByNetwork, trainHyPINO } from '../dist/hypernet/index.js';
import { Random, setThreads } from '../dist/index.js';

setThreads(Number(process.argv[2] ?? 1));

/** Seconds on the clock and of the processors. */
async function timed(work) {
  const [started, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return `${((performance.now() - started) / 1000).toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of processors)`;
}

const peak = () => `${Math.round(process.resourceUsage().maxRSS / 1024)} MB`;

for (const size of process.argv[3] ? [process.argv[3]] : Object.keys(presets)) {
  let model;
  const made = await timed(() => {
    model = new HyPINO(presets[size], new Random(1));
  });
  const target = Object.values(model.target.shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  console.log(
    `${size}: ${sizeOfModel(model)} numbers, makes ${target}, grids of ${model.grid}; made in ${made}, ${peak()}`,
  );
  const problem = benchmark('poisson_L');
  solveByNetwork(model, problem, { rounds: 0 });
  console.log(`  an answer: ${await timed(() => solveByNetwork(model, problem, { rounds: 0 }))}, ${peak()}`);
  console.log(`  ten rounds: ${await timed(() => solveByNetwork(model, problem, { rounds: 10, step: 1 }))}, ${peak()}`);
  const batch = { problems: 1, interior: 256, boundary: 256 };
  const train = (steps) =>
    trainHyPINO(model, new Random(2), { steps, family: 'published', supervision: 'supervised', batch });
  const [one, two] = [await timed(() => train(1)), await timed(() => train(3))];
  console.log(`  training: one step and its summary ${one}, three ${two}, ${peak()}`);
}
process.exit(0);
