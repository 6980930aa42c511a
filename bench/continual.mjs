// The weights of several tasks in one pass against one task at a time, with the gradient of what
// holds them: what a step of a continual learner spends on earlier tasks.
//
//   npm run build && node bench/continual.mjs [threads]

import {
  chunks,
  Hypernet,
  IntervalHypernet,
  Layout,
  mlpTrunk,
  RecurrentHypernet,
  TargetNetwork,
  VectorCondition,
} from '../dist/hypernet/index.js';
import { concatenate, Random, scope, setThreads } from '../dist/index.js';
import { gradientsOf } from '../dist/nn/index.js';

setThreads(Number(process.argv[2] ?? 1));
const random = new Random(1);
const target = new TargetNetwork([196], 10, random, { hidden: [64, 64] });
const radius = random.uniform([1, 16], 0, 0.01);
const times = (one, count) => (count === 1 ? one : concatenate(Array.from({ length: count }, () => one)));
const makers = {
  'HNET, 24-24': make(new Hypernet(target, new VectorCondition(16), random, { trunk: mlpTrunk([24, 24]) })),
  'HNET, chunks of 600': make(
    new Hypernet(target, new VectorCondition(16), random, { trunk: mlpTrunk([48, 24]), generator: chunks(600, 8) }),
  ),
  'recurrent, steps of 600': {
    model: new RecurrentHypernet(Layout.of(target), 16, random, { units: 24, chunk: 600 }),
    made: (live, codes) => live.generate(codes, new Array(codes.shape[0]).fill(0)),
  },
  'intervals, 24-24': {
    model: new IntervalHypernet(target, 16, random, { hidden: [24, 24] }),
    made(live, codes) {
      const { lower, middle, upper } = live.generate(codes, times(radius, codes.shape[0]));
      return [lower, middle, upper].flatMap(Object.values);
    },
  },
};

function make(model) {
  return { model, made: (live, codes) => live.generate(codes) };
}

const size = (weights) =>
  Object.values(weights)
    .map((weight) => weight.square().sum())
    .reduce((a, b) => a.add(b));

for (const [name, { model, made }] of Object.entries(makers))
  for (const tasks of [4, 16]) {
    const codes = random.normal([tasks, 16]);
    const rows = Array.from({ length: tasks }, (_, t) => codes.slice([t, t + 1]));
    const runs = {
      together: () => gradientsOf(model, (live) => size(made(live, codes))),
      apart: () => gradientsOf(model, (live) => rows.map((code) => size(made(live, code))).reduce((a, b) => a.add(b))),
    };
    const best = { together: Number.POSITIVE_INFINITY, apart: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 12; i++)
      for (const [way, run] of Object.entries(runs)) {
        const started = performance.now();
        scope(run);
        if (i > 1) best[way] = Math.min(best[way], performance.now() - started);
      }
    console.log(
      `${name}, ${tasks} tasks: ${best.together.toFixed(1)} ms in one pass, ${best.apart.toFixed(1)} ms one at a time: ${(best.apart / best.together).toFixed(1)} times as long`,
    );
  }
process.exit(0);
