// Latency of a network on this machine, through its compiled plan.

import { median, setThreads, threads } from '../../engine/index.js';
import { inference, type Layer } from '../../nn/index.js';
import type { Tensor } from '../../tensor/index.js';
import { type CompileOptions, compile, type Plan } from '../../trace/index.js';

/** What a latency is measured for. */
export interface HardwareSetting {
  /** Threads, the calling one among them. Default: 1. */
  readonly threads?: number;
  /** Inputs of a pass. Default: 1. */
  readonly batch?: number;
}

/** Options of `planLatency`. */
export interface LatencyOptions {
  /** Timed passes at most. Default: max(25·batch, 500)/batch, as DyNAS-T. */
  readonly steps?: number;
  /** Seconds after which no further pass is timed, beside the first five. Default: 0.2. */
  readonly seconds?: number;
}

/** Passes that are timed however long they take. */
const LEAST = 5;

/** Runs with a number of threads, then sets it back. */
export function withThreads<Result>(count: number, body: () => Result): Result {
  const before = threads();
  setThreads(count);
  try {
    return body();
  } finally {
    setThreads(before);
  }
}

/**
 * Milliseconds of a pass of a plan that has its inputs: after warm-up of a fifth as many passes,
 * the median of the passes but the slowest tenth.
 */
export function planLatency(plan: Plan, batch: number, { steps, seconds = 0.2 }: LatencyOptions = {}): number {
  const most = steps ?? Math.ceil(Math.max(25 * batch, 500) / batch);
  timesOf(plan, Math.ceil(most / 5), seconds / 5);
  const times = timesOf(plan, most, seconds).sort((a, b) => a - b);
  return median(times.slice(0, Math.max(1, Math.floor(0.9 * times.length))));
}

/** Milliseconds of each pass. */
function timesOf(plan: Plan, steps: number, seconds: number): number[] {
  const times: number[] = [];
  const began = performance.now();
  while (times.length < steps && (times.length < LEAST || performance.now() - began < 1000 * seconds)) {
    const start = performance.now();
    plan.execute();
    times.push(performance.now() - start);
  }
  return times;
}

/**
 * Milliseconds of a pass of a network, compiled for the number of threads.
 *
 * @param example inputs of one pass: [batch, …]
 */
export function networkLatency(
  model: Layer,
  example: Tensor,
  { threads: count = 1 }: HardwareSetting = {},
  { plan: options, ...timing }: LatencyOptions & { readonly plan?: CompileOptions } = {},
): number {
  return withThreads(count, () => {
    const plan = compile((x) => model.forward(x, inference), [example], options);
    try {
      plan.feed([example]);
      return planLatency(plan, example.shape[0] as number, timing);
    } finally {
      plan.dispose();
    }
  });
}
