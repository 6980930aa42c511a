// Starting worker threads, in Node and in browsers alike.

import { sharesMemory } from './kernels.js';
import { type WorkerStart, workerMain } from './worker.js';

interface NodeModules {
  'node:worker_threads': typeof import('node:worker_threads');
  'node:os': typeof import('node:os');
}

function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as NodeModules[Name] | undefined;
}

/** How many threads this host offers: 1 where memory cannot be shared. */
export function availableThreads(): number {
  if (!sharesMemory) return 1;
  return nodeModule('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Starts a worker that never keeps the process alive. */
export function startWorker(start: WorkerStart): void {
  const threads = nodeModule('node:worker_threads');
  if (threads) {
    const code = `(${workerMain})(require('node:worker_threads').workerData)`;
    new threads.Worker(code, { eval: true, workerData: start, execArgv: [], env: {} }).unref();
  } else {
    const code = `onmessage = ({ data }) => (${workerMain})(data)`;
    const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    new Worker(url).postMessage(start);
  }
}
