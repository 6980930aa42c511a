// Files that share a worker share its heap: what a file leaves to the collector goes before the
// next one starts. Collecting takes a quarter of a second, so that only heaps that fill are.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll } from 'vitest';
import { memoryUse } from '../src/engine/index.js';

const FILLED = 2 ** 30;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

afterAll(async () => {
  if (memoryUse().bytes < FILLED) return;
  collect();
  // Finalisers run in turns of their own.
  await new Promise((resolve) => setTimeout(resolve, 20));
});
