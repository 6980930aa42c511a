// Scores of methods.

/** One method on one seed: metric → value. */
export type Scores = Readonly<Record<string, number>>;

/** Hyperparameters by name. */
export type Setting = Readonly<Record<string, number | string | boolean>>;

/** What a method's hyperparameters were chosen from, and what was chosen. */
export interface Tuning {
  /** Settings that were tried. */
  readonly trials: number;
  readonly setting: Setting;
}

export interface MethodScores {
  readonly method: string;
  readonly scores: Scores;
  /** Of a method that is tuned on validation data. */
  readonly tuning?: Tuning;
}

/**
 * The scores of one seed. Plain data, so that finished seeds are saved and a run can be resumed.
 */
export interface SeedResult {
  readonly seed: number;
  readonly methods: readonly MethodScores[];
  /** What it took, also where a later run takes it up; undefined of older runs. */
  readonly seconds?: number;
}
