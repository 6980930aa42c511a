// Hosts on which workers cannot start: kernels run on the calling thread, and the count says so.

import { EventEmitter } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.resetModules();
});

const original = process.getBuiltinModule;

/** Lets Node's modules be as they are, but for workers. */
function withWorkers(threads: object | undefined): void {
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) =>
    name === 'node:worker_threads' ? threads : original(name)) as typeof original);
}

class Refused {
  constructor() {
    throw new Error('access to this API has been restricted');
  }
}

class FailingLater extends EventEmitter {
  constructor() {
    super();
    setImmediate(() => this.emit('error', new Error('cannot start')));
  }
  unref(): void {}
}

class BlockedInPage {
  onerror: ((event: { preventDefault(): void }) => void) | undefined;
  constructor() {
    setImmediate(() => this.onerror?.({ preventDefault() {} }));
  }
  postMessage(): void {}
}

let started = 0;
class OnlyTheFirst extends EventEmitter {
  constructor() {
    super();
    if (started++ > 0) throw new Error('no more threads');
  }
  unref(): void {}
}

const hosts: readonly [name: string, threads: object | undefined, page: unknown, left: number][] = [
  ['Node, where workers throw', { Worker: Refused }, undefined, 1],
  ['Node, where workers end with an error', { Worker: FailingLater }, undefined, 1],
  ['Node, where one worker starts', { Worker: OnlyTheFirst }, undefined, 2],
  ['a page whose policy throws', undefined, Refused, 1],
  ['a page whose policy reports an error', undefined, BlockedInPage, 1],
];

test.each(hosts)('%s: results are right and threads() counts what there is', async (_, threads, page, left) => {
  vi.resetModules();
  withWorkers(threads);
  if (page) vi.stubGlobal('Worker', page);
  const engine = await import('../../src/engine/index.js');
  const { Random } = await import('../../src/tensor/index.js');
  const [a, b] = [new Random(1).normal([300, 400]), new Random(2).normal([400, 200])];
  engine.setThreads(1);
  const alone = a.matmul(b).dataSync();
  engine.setThreads(4);
  expect(a.matmul(b).dataSync()).toEqual(alone);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(engine.threads()).toBe(left);
  expect(a.matmul(b).dataSync()).toEqual(alone);
});
