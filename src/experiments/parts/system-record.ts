// What is known of a published system, as data.

import type { Experiment } from './contract.js';

/** Key of a family. */
export type Family = 'hypergraph' | 'graph' | 'embedding' | 'hypernet' | 'vision' | 'compress' | 'lm' | 'recommend';

export interface Paper {
  readonly authors: string;
  readonly title: string;
  readonly venue: string;
  readonly year: number;
  /** Identifier on arXiv, as `2405.14286`. */
  readonly arxiv?: string;
}

/** What an experiment is about, as data: a published system, or a comparison of several. */
export interface ExperimentRecord {
  /**
   * Its name on the command line, and of its files: `src/<family>/<slug>`,
   * `src/experiments/<family>/<slug>.ts`.
   */
  readonly slug: string;
  /** Name as the paper writes it. */
  readonly title: string;
  /** The family that it belongs to. */
  readonly family: Family;
  /** What it does for a user, in one line. */
  readonly about: string;
  /** The publication; none of a comparison. */
  readonly paper?: Paper;
  /**
   * What the abstract claims, in its own words, by a short key that claims of the experiment name;
   * nothing of a comparison.
   */
  readonly abstract: Readonly<Record<string, string>>;
  /** Imports the experiment. */
  readonly load: () => Promise<{ readonly experiment: Experiment }>;
}

/** A published system. */
export interface SystemRecord extends ExperimentRecord {
  /** The publication. */
  readonly paper: Paper;
}

/** `Feng, Luo, Ying, Gao, "LightHGNN: …", ICLR 2024 (arXiv 2402.04296)`. */
export function citation({ authors, title, venue, year, arxiv }: Paper): string {
  return `${authors}, "${title}", ${venue} ${year}${arxiv ? ` (arXiv ${arxiv})` : ''}`;
}
