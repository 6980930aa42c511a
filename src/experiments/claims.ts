// Claims from scores.

import type { Claim, SeedResult } from './contract.js';
import { summarize } from './statistics.js';

/** The mean of a metric over seeds; NaN when a method has none. */
export function meanScore(results: readonly SeedResult[], method: string, metric: string): number {
  return summarize(results.map((seed) => seed.methods.find((m) => m.method === method)?.scores[metric] ?? Number.NaN))
    .mean;
}

export function atLeast(claim: string, value: number, bound: number): Claim {
  return { claim, value, bound: `≥ ${bound}`, holds: value >= bound };
}

export function atMost(claim: string, value: number, bound: number): Claim {
  return { claim, value, bound: `≤ ${bound}`, holds: value <= bound };
}
