// Two builds of Gossamer against each other, taking turns in one process on one thread: the ratio of
// their fastest runs. Use it before and after a change of the kernels.
//
//   node bench/compare.mjs OLD_DIST NEW_DIST [--rounds 40] [--only softmax]

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { columns } from './in-turns.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '40' }, only: { type: 'string' } },
});
if (positionals.length !== 2) throw new Error('compare: give the dist folders of two builds, the old one first');
const load = async (folder, part = '') => import(pathToFileURL(resolve(folder, part, 'index.js')).href);
const builds = await Promise.all(
  positionals.map(async (folder) => ({
    g: await load(folder),
    nn: await load(folder, 'nn'),
    sparse: await load(folder, 'sparse'),
  })),
);
for (const { g } of builds) g.setThreads(1);

/** Each task makes its inputs once and gives the call to time. */
const tasks = {
  'gemm 256³': ({ g }) => product(g, [256, 256], [256, 256]),
  'gemm 512³': ({ g }) => product(g, [512, 512], [512, 512]),
  'product [1, 4096]·[4096, 4096]': ({ g }) => product(g, [1, 4096], [4096, 4096]),
  'product [4, 512]·[512, 512]': ({ g }) => product(g, [4, 512], [512, 512]),
  'product [4, 512]·[512, 10]': ({ g }) => product(g, [4, 512], [512, 10]),
  'product [1, 1024]·[1024, 1024]ᵀ': ({ g }) => product(g, [1, 1024], [1024, 1024], { transposeB: true }),
  'x + y, 64Ki': ({ g }) => over(g, [65536], (x) => g.add(x, x)),
  'x / 3, 64Ki': ({ g }) => over(g, [65536], (x) => g.divide(x, 3)),
  'x / 4, 64Ki': ({ g }) => over(g, [65536], (x) => g.divide(x, 4)),
  'x / y, 64Ki': ({ g }) => over(g, [65536], (x) => g.divide(x, x)),
  'exp, 64Ki': ({ g }) => over(g, [65536], g.exp),
  'log, 64Ki': ({ g }) => over(g, [65536], g.log),
  'sin, 64Ki': ({ g }) => over(g, [65536], g.sin),
  'tanh, 64Ki': ({ g }) => over(g, [65536], g.tanh),
  'softplus, 64Ki': ({ g }) => over(g, [65536], g.softplus),
  'elu, 64Ki': ({ g }) => over(g, [65536], g.elu),
  'gelu, 64Ki': ({ g }) => over(g, [65536], g.gelu),
  'power, 64Ki': ({ g }) => over(g, [65536], (x) => g.power(g.abs(x), 1.7)),
  'sum, 64Ki': ({ g }) => over(g, [65536], (x) => g.sum(x)),
  'sum over rows [256, 256]': ({ g }) => over(g, [256, 256], (x) => g.sum(x, 0)),
  'sum, 4Mi': ({ g }) => over(g, [4194304], (x) => g.sum(x)),
  'softmax [1024, 10]': ({ g }) => over(g, [1024, 10], (x) => g.softmax(x)),
  'softmax [256, 256]': ({ g }) => over(g, [256, 256], (x) => g.softmax(x)),
  'logSoftmax [1024, 10]': ({ g }) => over(g, [1024, 10], (x) => g.logSoftmax(x)),
  'logSoftmax [256, 256]': ({ g }) => over(g, [256, 256], (x) => g.logSoftmax(x)),
  'layer norm [256, 256]': ({ g }) => over(g, [256, 256], (x, w) => g.layerNorm(x, w, w)),
  'RMS norm [1024, 64]': ({ g }) => over(g, [1024, 64], (x, w) => g.rmsNorm(x, w)),
  'layer norm [1024, 64]': ({ g }) => over(g, [1024, 64], (x, w) => g.layerNorm(x, w, w)),
  'batch norm [16, 32, 16, 16]': ({ g }) => {
    const x = random(g, [16, 32, 16, 16], 1);
    const w = random(g, [32], 2);
    return () => g.batchNorm(x, w, w);
  },
  'batch norm step [128, 256]': ({ g, nn }) => {
    const x = random(g, [128, 256], 1);
    const layer = new nn.BatchNorm1d(256);
    const step = g.grad((v) => g.sum(g.square(layer.forward(v, { training: true }))));
    return () => step(x);
  },
  'squared distances [256, 64]': ({ g }) => over(g, [256, 64], (x) => g.squaredDistances(x, x)),
  'adam step, 64Ki': ({ g, nn }) => {
    const w = g.keep(random(g, [65536], 1));
    const gradient = g.keep(random(g, [65536], 2));
    const adam = new nn.Adam();
    return () => adam.update({ w }, { w: gradient });
  },
  'spmm 4096², 16 a row, 64 features': ({ g, sparse }) => {
    const n = 4096;
    const source = new g.Random(5);
    const columnOf = Int32Array.from({ length: 16 * n }, () => source.integer(n));
    const rowOf = columnOf.map((_, i) => i >> 4);
    const matrix = sparse.SparseMatrix.fromCoordinates(n, n, rowOf, columnOf);
    const x = random(g, [n, 64], 3);
    return () => sparse.spmm(matrix, x);
  },
};

function random(g, shape, seed) {
  const source = new g.Random(seed);
  return g.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 4 * source.float() - 2),
    shape,
  );
}

function product(g, a, b, options) {
  const [x, y] = [random(g, a, 1), random(g, b, 2)];
  return () => g.matmul(x, y, options);
}

function over(g, shape, run) {
  const [x, w] = [random(g, shape, 1), random(g, shape.slice(-1), 2)];
  return () => run(x, w);
}

/** Fastest milliseconds of a call of each build, in turns. */
function race(task) {
  const entries = builds.map((build) => {
    const call = task(build);
    const run = () => build.g.scope(() => void call());
    for (let i = 0; i < 20; i++) run();
    const start = performance.now();
    for (let i = 0; i < 5; i++) run();
    return { run, repeats: Math.max(1, Math.round(5 / Math.max(performance.now() - start, 1e-3))), best: Infinity };
  });
  for (let round = 0; round < Number(flags.rounds); round++)
    for (const entry of entries) {
      const start = performance.now();
      for (let i = 0; i < entry.repeats; i++) entry.run();
      entry.best = Math.min(entry.best, (performance.now() - start) / entry.repeats);
    }
  return entries.map(({ best }) => best);
}

const lines = [['task', 'old ms', 'new ms', 'old / new']];
for (const [name, task] of Object.entries(tasks)) {
  if (flags.only && !name.includes(flags.only)) continue;
  const [old, current] = race(task);
  lines.push([name, old.toFixed(4), current.toFixed(4), (old / current).toFixed(2)]);
}
console.log(
  `node ${process.version}, kernels ${builds[1].g.cpu.featureLevel}, one thread; above 1 the new build is faster`,
);
console.log(columns(lines));
process.exit(0);
