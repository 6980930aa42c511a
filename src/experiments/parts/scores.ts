// Scores of methods.

/** One method on one seed: metric → value. */
export type Scores = Readonly<Record<string, number>>;

export interface MethodScores {
  readonly method: string;
  readonly scores: Scores;
}

/**
 * The scores of one seed. Plain data, so that finished seeds are saved and a run can be resumed.
 */
export interface SeedResult {
  readonly seed: number;
  readonly methods: readonly MethodScores[];
}
