// What benches of whole models share: the ONNX runtimes as rivals, runs in turns, tables.

import { createRequire } from 'node:module';

/** A model's file on one image in each ONNX runtime that is installed, one thread: [name, run]. */
export async function rivals(file, x) {
  const feeds = (ort, session) => ({ [session.inputNames[0]]: new ort.Tensor('float32', x.dataSync(), [...x.shape]) });
  const found = [];
  for (const [name, load, options] of [
    ['ort-web', webRuntime, { executionProviders: ['wasm'] }],
    ['ort-native', nativeRuntime, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 }],
  ]) {
    const ort = await load();
    if (!ort) continue;
    const session = await ort.InferenceSession.create(file, options);
    found.push([name, () => session.run(feeds(ort, session))]);
  }
  return found;
}

async function webRuntime() {
  const ort = await import('onnxruntime-web/wasm').catch(() => undefined);
  if (!ort) return undefined;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return ort;
}

async function nativeRuntime() {
  try {
    return createRequire(import.meta.url)('onnxruntime-node');
  } catch {
    return undefined;
  }
}

/** Milliseconds of the fastest run of each body, all of them in turns, as noise only adds time. */
export async function fastest(bodies, rounds) {
  const best = Object.fromEntries(bodies.map(([name]) => [name, Number.POSITIVE_INFINITY]));
  for (let round = 0; round < rounds; round++)
    for (const [name, body] of bodies) {
      const start = performance.now();
      await body();
      best[name] = Math.min(best[name], performance.now() - start);
    }
  return best;
}

/** Milliseconds of the median run of each body, all of them in turns, after one that does not count. */
export async function mediansInTurns(bodies, rounds) {
  const times = Object.fromEntries(bodies.map(([name]) => [name, []]));
  for (let round = -1; round < rounds; round++)
    for (const [name, body] of bodies) {
      const start = performance.now();
      await body();
      if (round >= 0) times[name].push(performance.now() - start);
    }
  const middle = (own) => {
    const sorted = own.sort((a, b) => a - b);
    const half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  };
  return Object.fromEntries(Object.entries(times).map(([name, own]) => [name, middle(own)]));
}

/** Cells in columns, the first on the left. */
export function columns(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) => line.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '))
    .join('\n');
}
