// Starting worker threads, in Node and in browsers alike.

import { nodeModule } from './builtin.js';
import { sharesMemory } from './kernels.js';
import { type WorkerStart, workerMain } from './worker.js';

/** How many threads this host offers: 1 where memory cannot be shared. */
export function availableThreads(): number {
  if (!sharesMemory) return 1;
  return nodeModule('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/**
 * Starts a worker that never keeps the process alive. `onFailure` is called, now or later, when it
 * cannot start: a page's Content-Security-Policy or Node's permissions may forbid workers.
 */
export function startWorker(start: WorkerStart, onFailure: () => void): void {
  try {
    spawn(start, onFailure);
  } catch {
    onFailure();
  }
}

function spawn(start: WorkerStart, onFailure: () => void): void {
  const threads = nodeModule('node:worker_threads');
  if (threads) {
    const code = `(${workerMain})(require('node:worker_threads').workerData)`;
    const worker = new threads.Worker(code, { eval: true, workerData: start, execArgv: [], env: {} });
    worker.on('error', onFailure);
    worker.unref();
  } else {
    const code = `onmessage = ({ data }) => (${workerMain})(data)`;
    const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const worker = new Worker(url);
    worker.onerror = (event) => {
      event.preventDefault();
      onFailure();
    };
    worker.postMessage(start);
  }
}

/** A worker that answers messages. */
export interface Background {
  send(message: unknown): void;
  close(): void;
}

/**
 * Starts a worker that never keeps the process alive. `source` is the text of an expression that
 * gives its handler: (message, answer) => void, where answer(message, transfer) replies.
 */
export function startBackground(source: string, onAnswer: (message: unknown) => void): Background {
  const threads = nodeModule('node:worker_threads');
  if (threads) {
    const code = `const { parentPort } = require('node:worker_threads'); const handle = ${source}; parentPort.on('message', (message) => handle(message, (answer, transfer) => parentPort.postMessage(answer, transfer)))`;
    const worker = new threads.Worker(code, { eval: true, execArgv: [], env: {} });
    // While an answer is awaited the worker holds the process, else it does not.
    let awaited = 0;
    worker.on('message', (message) => {
      if (--awaited <= 0) worker.unref();
      onAnswer(message);
    });
    // After the listener, which would hold the process again.
    worker.unref();
    return {
      send: (message) => {
        if (typeof message === 'object' && message !== null && 'id' in message && awaited++ === 0) worker.ref();
        worker.postMessage(message);
      },
      close: () => void worker.terminate(),
    };
  }
  const code = `const handle = ${source}; onmessage = ({ data }) => handle(data, (answer, transfer) => postMessage(answer, transfer))`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  worker.onmessage = ({ data }) => onAnswer(data);
  return { send: (message) => worker.postMessage(message), close: () => worker.terminate() };
}
