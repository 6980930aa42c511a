// Runs a whole program of kernel calls without leaving WebAssembly. All threads walk the same list
// of steps; whoever is free takes the next chunk of a step, and a step begins when every chunk of
// the one before is done. A thread that comes late finds the finished steps taken and runs through
// them.

import { callKernel } from "./dispatch";

/** Words of a step: kernel, arguments, size, chunk, next place to take, places done. */
const STEP_BYTES: usize = 24;

/** Makes steps [begin, end) ready to run. */
export function resetProgram(steps: usize, begin: i32, end: i32): void {
  for (let step = begin; step < end; step++) {
    const entry = steps + <usize>step * STEP_BYTES;
    store<i64>(entry + 16, 0);
  }
}

/** Takes part in a program of `count` steps. The range only says that this thread takes part. */
export function runProgram(steps: usize, count: i32, begin: i32, end: i32): void {
  for (let step = 0; step < count; step++) {
    const entry = steps + <usize>step * STEP_BYTES;
    const size = load<i32>(entry, 8);
    const chunk = load<i32>(entry, 12);
    while (atomic.load<i32>(entry, 16) < size) {
      const from = atomic.add<i32>(entry, chunk, 16);
      if (from >= size) break;
      const to = min(from + chunk, size);
      callKernel(load<i32>(entry), <usize>load<u32>(entry, 4), from, to);
      atomic.add<i32>(entry, to - from, 20);
    }
    while (atomic.load<i32>(entry, 20) < size) continue;
  }
}
