// Claims as data: a statement, its source, the measured number and the bound that it must meet.

import type { Scores, SeedResult } from './scores.js';
import { summarize } from './statistics.js';

/**
 * Source of a claim. `abstract`: the paper's abstract, with the abstract's bound. `paper`: its
 * body. `ours`: what the size of our runs can show; it never counts as a claim of the abstract.
 */
export type ClaimSource = 'abstract' | 'paper' | 'ours';

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
  /** Description of the value, with its unit. */
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
  /** Data sets that the claim applies to. Default: all. */
  readonly data?: readonly string[];
  /** Whether the claim applies under these options. Default: always. */
  when?(options: Options): boolean;
  value(evidence: Evidence<Options>): number;
}

/** A claim over several runs, such as a mean over data sets, computed by `gossamer reproduce`. */
export type OverallClaim<Options = unknown> = Measured &
  Sourced & { value(runs: readonly Evidence<Options>[]): number };

/**
 * Builders of claims by source; the abstract's words are given by their key in the system's record.
 */
function buildersOf<Value>() {
  return {
    abstract: (words: string, claim: string, bound: Bound, value: Value) => {
      return { source: 'abstract' as const, words, claim, bound, value };
    },
    paper: (claim: string, bound: Bound, value: Value) => ({ source: 'paper' as const, claim, bound, value }),
    ours: (claim: string, bound: Bound, value: Value) => ({ source: 'ours' as const, claim, bound, value }),
  };
}

/** Builders of claims on one run. */
export function claimsOf<Options>() {
  return buildersOf<OnRun<Options>['value']>();
}

/** Builders of claims over several runs. */
export function overallClaimsOf<Options>() {
  return buildersOf<OverallClaim<Options>['value']>();
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

/** A claim with its measured value. */
export interface Claim {
  /** What is claimed, in a sentence. */
  readonly claim: string;
  /** Who claims it. */
  readonly source: ClaimSource;
  /** Key of the abstract's words. */
  readonly words?: string;
  /** The number that was measured. */
  readonly value: number;
  /** The bound with its relation, such as `≥ 2`. */
  readonly bound: string;
  /** Whether the value meets the bound. */
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

  /** The mean of a metric over the seeds; NaN where one of them diverged. */
  mean(method: string, metric: string): number {
    const scores = this.scores(method, metric);
    return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  }

  /** Mean of `method` − mean of `other`. */
  gain(method: string, other: string, metric: string): number {
    return this.mean(method, metric) - this.mean(other, metric);
  }

  /**
   * `gain` less two standard errors of the difference, pooled from the deviations of both over the
   * seeds; of one seed, which has none, the gain.
   */
  clearGain(method: string, other: string, metric: string): number {
    const deviations = [method, other].map((title) => summarize(this.scores(title, metric)).sd);
    return this.gain(method, other, metric) - (2 * Math.hypot(...deviations)) / Math.sqrt(this.results.length);
  }

  /** Mean of `method` / mean of `other`. */
  ratio(method: string, other: string, metric: string): number {
    return this.mean(method, metric) / this.mean(other, metric);
  }

  /** The smallest gain of `method` over `other` among the seeds. */
  leastGain(method: string, other: string, metric: string): number {
    return this.least((score) => score(method, metric) - score(other, metric));
  }

  /** The minimum over the seeds of a value computed from the scores of one seed. */
  least(value: (score: (method: string, metric: string) => number) => number): number {
    return Math.min(...this.#bySeed(value));
  }

  /** The maximum over the seeds of a value computed from the scores of one seed. */
  most(value: (score: (method: string, metric: string) => number) => number): number {
    return Math.max(...this.#bySeed(value));
  }

  /** A number that a study measured. */
  study(name: string): number {
    const value = this.studies[name];
    if (value === undefined) throw new NotMeasured(`the study of ${name}`);
    return value;
  }

  #bySeed(value: (score: (method: string, metric: string) => number) => number): number[] {
    if (this.results.length === 0) throw new NotMeasured('a seed');
    return this.results.map((_, at) => value((method, metric) => this.scores(method, metric)[at] as number));
  }
}

/** Whether a claim applies to a run on this data set with these options. */
export function isAbout<Options>(
  { data: sets, when }: ClaimSpec<Options>,
  { data, options }: Pick<Evidence<Options>, 'data' | 'options'>,
): boolean {
  return (sets?.includes(data) ?? true) && (when?.(options) ?? true);
}

/**
 * Evaluates claims on the evidence; those whose method, metric or study was not measured are left
 * out.
 */
export function evaluateClaims<Options>(
  specs: readonly ClaimSpec<Options>[],
  evidence: Evidence<Options>,
): readonly Claim[] {
  return specs.flatMap((spec) => {
    return isAbout(spec, evidence) ? evaluated(spec, () => spec.value(evidence)) : [];
  });
}

/** Evaluates claims over several runs; those that were not measured are left out. */
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

/**
 * The mean over runs of a value computed on each.
 *
 * @throws NotMeasured when there are no runs, so that the claim is left out.
 */
export function meanOver<Options>(
  runs: readonly Evidence<Options>[],
  value: (run: Evidence<Options>) => number,
): number {
  if (runs.length === 0) throw new NotMeasured('a run');
  return runs.reduce((sum, run) => sum + value(run), 0) / runs.length;
}

/**
 * Claims of an abstract by its keys: all, those measured at all, those measured in part, those
 * shown.
 */
export interface AbstractShare {
  /** Keys of which every claim was measured, and held each time. */
  readonly shown: number;
  /** Keys of which some claims were measured and others not. */
  readonly partly: number;
  readonly measured: number;
  readonly all: number;
}

/**
 * How many claims of an abstract are shown.
 *
 * @param words keys of the abstract's words
 * @param specs the claims that an experiment can measure
 * @param claims what was measured, of one run or several
 */
export function abstractShare(
  words: readonly string[],
  specs: readonly (Measured & Sourced)[],
  claims: readonly Claim[],
): AbstractShare {
  const claimsAbout = (key: string) => claims.filter((claim) => claim.words === key);
  const isWhole = (key: string) =>
    specs
      .filter((spec) => spec.source === 'abstract' && spec.words === key)
      .every(({ claim, bound }) =>
        claimsAbout(key).some((found) => found.claim === claim && found.bound === bound.text),
      );
  const measured = words.filter((key) => claimsAbout(key).length > 0);
  const whole = measured.filter(isWhole);
  const shown = whole.filter((key) => claimsAbout(key).every(({ holds }) => holds));
  return {
    shown: shown.length,
    partly: measured.length - whole.length,
    measured: measured.length,
    all: words.length,
  };
}

/** `2 of 4 claims of the abstract shown, 1 measured in part, 1 not measured`. */
export function shareSentence(...share: Parameters<typeof abstractShare>): string {
  const { shown, partly, measured, all } = abstractShare(...share);
  return [
    `${shown} of ${all} claims of the abstract shown`,
    ...(partly > 0 ? [`${partly} measured in part`] : []),
    ...(all > measured ? [`${all - measured} not measured`] : []),
  ].join(', ');
}
