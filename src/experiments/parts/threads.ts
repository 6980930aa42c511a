// Measurements on one thread.

import { setThreads, threads } from '../../engine/index.js';

/** What `body` gives while kernels use the calling thread alone. */
export function onOneThread<Result>(body: () => Result): Result {
  const before = threads();
  setThreads(1);
  try {
    return body();
  } finally {
    setThreads(before);
  }
}
