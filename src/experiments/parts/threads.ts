// Measurements on a given number of threads.

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

/** What an asynchronous `body` gives while kernels use so many threads at most. */
export async function withThreads<Result>(count: number, body: () => Promise<Result>): Promise<Result> {
  const before = threads();
  setThreads(count);
  try {
    return await body();
  } finally {
    setThreads(before);
  }
}

/** What `body` gives in the end, while kernels use the calling thread alone until then. */
export function awaitOnOneThread<Result>(body: () => Promise<Result>): Promise<Result> {
  return withThreads(1, body);
}
