// Claims as data: what is said, by whom, the number that it is measured by and the bound that the number must meet.

import type { Scores, SeedResult } from './scores.js';
import { summarize } from './statistics.js';

/**
 * Who says it. `abstract`: the paper's abstract, with the abstract's bound. `paper`: its body.
 * `ours`: what can be asked at the size of our runs; it never ticks a claim of the abstract.
 */
export type ClaimSource = 'abstract' | 'paper' | 'ours';

export const claimSources: readonly ClaimSource[] = ['abstract', 'paper', 'ours'];

export interface Bound {
  readonly text: string;
  holds(value: number): boolean;
}

export function atLeast(bound: number): Bound {
  return { text: `≥ ${bound}`, holds: (value) => value >= bound };
}

export function atMost(bound: number): Bound {
  return { text: `≤ ${bound}`, holds: (value) => value <= bound };
}

export function above(bound: number): Bound {
  return { text: `> ${bound}`, holds: (value) => value > bound };
}

export function below(bound: number): Bound {
  return { text: `< ${bound}`, holds: (value) => value < bound };
}

interface Measured {
  /** What the value is, with its unit. */
  readonly claim: string;
  readonly bound: Bound;
}

/** A claim of the abstract names its words by their key in the system's record. */
type Sourced =
  | { readonly source: 'abstract'; readonly words: string }
  | { readonly source: Exclude<ClaimSource, 'abstract'> };

/** A claim on one run. */
export type ClaimSpec<Options = unknown> = Measured & Sourced & OnRun<Options>;

interface OnRun<Options> {
  /** Data sets that it is about; all when left out. */
  readonly data?: readonly string[];
  /** Whether options allow it; always when left out. */
  when?(options: Options): boolean;
  value(evidence: Evidence<Options>): number;
}

/** A claim over several runs, such as a mean over data sets: `gossamer reproduce` computes it. */
export type OverallClaim<Options = unknown> = Measured &
  Sourced & { value(runs: readonly Evidence<Options>[]): number };

/** Writers of claims by source; an abstract's words are given by their key in the system's record. */
function writersOf<Value>() {
  return {
    abstract: (words: string, claim: string, bound: Bound, value: Value) => {
      return { source: 'abstract' as const, words, claim, bound, value };
    },
    paper: (claim: string, bound: Bound, value: Value) => ({ source: 'paper' as const, claim, bound, value }),
    ours: (claim: string, bound: Bound, value: Value) => ({ source: 'ours' as const, claim, bound, value }),
  };
}

/** Writers of claims on one run. */
export function claimsOf<Options>() {
  return writersOf<OnRun<Options>['value']>();
}

/** Writers of claims over several runs. */
export function overallClaimsOf<Options>() {
  return writersOf<OverallClaim<Options>['value']>();
}

/** Restricts claims to some data sets, or to options that a condition allows. */
export function where<Options>(
  { data, when }: Pick<OnRun<Options>, 'data' | 'when'>,
  specs: readonly ClaimSpec<Options>[],
): ClaimSpec<Options>[] {
  return specs.map((spec) => ({
    ...spec,
    data: data && spec.data ? data.filter((name) => spec.data?.includes(name)) : (data ?? spec.data),
    when: (options) => (when?.(options) ?? true) && (spec.when?.(options) ?? true),
  }));
}

/** A claim as a run found it. */
export interface Claim {
  readonly claim: string;
  readonly source: ClaimSource;
  /** Key of the abstract's words. */
  readonly words?: string;
  readonly value: number;
  readonly bound: string;
  readonly holds: boolean;
}

/** Thrown by `Evidence` where a run has not measured what a claim is computed on. */
class NotMeasured extends Error {}

/** What claims are computed on: the scores of all seeds and of the studies. */
export class Evidence<Options = unknown> {
  constructor(
    readonly data: string,
    readonly options: Options,
    readonly results: readonly SeedResult[],
    readonly studies: Scores = {},
  ) {}

  /** Names of the methods that were run. */
  get methods(): readonly string[] {
    return this.results[0]?.methods.map(({ method }) => method) ?? [];
  }

  /** A metric of a method, seed by seed. */
  scores(method: string, metric: string): readonly number[] {
    return this.results.map(({ methods }) => {
      const score = methods.find((candidate) => candidate.method === method)?.scores[metric];
      if (score === undefined) throw new NotMeasured(`${metric} of ${method}`);
      return score;
    });
  }

  /** The mean of a metric over the seeds. */
  mean(method: string, metric: string): number {
    return summarize(this.scores(method, metric)).mean;
  }

  /** Mean of `method` less mean of `other`. */
  gain(method: string, other: string, metric: string): number {
    return this.mean(method, metric) - this.mean(other, metric);
  }

  /** Mean of `method` over mean of `other`. */
  ratio(method: string, other: string, metric: string): number {
    return this.mean(method, metric) / this.mean(other, metric);
  }

  /** The least gain of a seed: of `method` over `other`. */
  leastGain(method: string, other: string, metric: string): number {
    return this.least((score) => score(method, metric) - score(other, metric));
  }

  /** The smallest, over the seeds, of what is computed from the scores of one. */
  least(of: (score: (method: string, metric: string) => number) => number): number {
    return Math.min(...this.#bySeed(of));
  }

  /** The largest, over the seeds, of what is computed from the scores of one. */
  most(of: (score: (method: string, metric: string) => number) => number): number {
    return Math.max(...this.#bySeed(of));
  }

  /** A number that a study measured. */
  study(name: string): number {
    const value = this.studies[name];
    if (value === undefined) throw new NotMeasured(`the study of ${name}`);
    return value;
  }

  #bySeed(of: (score: (method: string, metric: string) => number) => number): number[] {
    if (this.results.length === 0) throw new NotMeasured('a seed');
    return this.results.map((_, at) => of((method, metric) => this.scores(method, metric)[at] as number));
  }
}

/** Whether a claim is about a run on this data with these options. */
export function isAbout<Options>(
  { data: sets, when }: ClaimSpec<Options>,
  { data, options }: Pick<Evidence<Options>, 'data' | 'options'>,
): boolean {
  return (sets?.includes(data) ?? true) && (when?.(options) ?? true);
}

/** The claims that the evidence allows to compute: one whose method, metric or study was not measured is left out. */
export function evaluateClaims<Options>(
  specs: readonly ClaimSpec<Options>[],
  evidence: Evidence<Options>,
): readonly Claim[] {
  return specs.flatMap((spec) => {
    return isAbout(spec, evidence) ? evaluated(spec, () => spec.value(evidence)) : [];
  });
}

/** The claims over several runs that they allow to compute. */
export function evaluateOverall<Options>(
  specs: readonly OverallClaim<Options>[],
  runs: readonly Evidence<Options>[],
): readonly Claim[] {
  return specs.flatMap((spec) => evaluated(spec, () => spec.value(runs)));
}

function evaluated(spec: Measured & Sourced, measure: () => number): Claim[] {
  try {
    const value = measure();
    const { claim, source, bound } = spec;
    const words = spec.source === 'abstract' ? { words: spec.words } : {};
    return [{ claim, source, ...words, value, bound: bound.text, holds: bound.holds(value) }];
  } catch (error) {
    if (error instanceof NotMeasured) return [];
    throw error;
  }
}

/** The mean of what is computed on each of some runs. @throws NotMeasured when there is none, so that the claim is left out. */
export function meanOver<Options>(runs: readonly Evidence<Options>[], of: (run: Evidence<Options>) => number): number {
  if (runs.length === 0) throw new NotMeasured('a run');
  return runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
}

/** How many claims of an abstract are shown: measured at least once, and held each time. */
export function abstractShare(words: readonly string[], claims: readonly Claim[]) {
  const of = (key: string) => claims.filter((claim) => claim.words === key);
  const measured = words.filter((key) => of(key).length > 0);
  const shown = measured.filter((key) => of(key).every(({ holds }) => holds));
  return { shown: shown.length, measured: measured.length, all: words.length };
}

/** `2 of 3 claims of the abstract shown, 1 not measured`. */
export function shareSentence(words: readonly string[], claims: readonly Claim[]): string {
  const { shown, measured, all } = abstractShare(words, claims);
  const missing = all - measured;
  return `${shown} of ${all} claims of the abstract shown${missing > 0 ? `, ${missing} not measured` : ''}`;
}
