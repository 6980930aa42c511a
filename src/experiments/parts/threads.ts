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

/** What `body` gives in the end, while kernels use the calling thread alone until then. */
export async function awaitOnOneThread<Result>(body: () => Promise<Result>): Promise<Result> {
  const before = threads();
  setThreads(1);
  try {
    return await body();
  } finally {
    setThreads(before);
  }
}
