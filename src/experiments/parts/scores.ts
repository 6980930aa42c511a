// What methods score.

/** One method on one seed: metric → value. */
export type Scores = Readonly<Record<string, number>>;

export interface MethodScores {
  readonly method: string;
  readonly scores: Scores;
}

/** What one seed gives. Plain data, so that a finished seed can be kept and a run resumed. */
export interface SeedResult {
  readonly seed: number;
  readonly methods: readonly MethodScores[];
}
