// What learning task after task is judged by.

/**
 * Accuracies a(t, j) on task j after learning task t, from 0 (Lopez-Paz & Ranzato, "Gradient
 * Episodic Memory", NeurIPS 2017).
 */
export class AccuracyMatrix {
  readonly #rows: number[][] = [];

  /** Adds a(t, 0…): accuracies on the tasks after the next one was learned. */
  add(accuracies: readonly number[]): void {
    if (accuracies.length <= this.#rows.length)
      throw new RangeError(`AccuracyMatrix: ${accuracies.length} tasks after ${this.#rows.length + 1} were learned`);
    this.#rows.push([...accuracies]);
  }

  /** a(t, j), row by row. */
  get rows(): readonly (readonly number[])[] {
    return this.#rows;
  }

  /** Accuracies on the tasks learned so far, after the last of them. */
  get final(): readonly number[] {
    return (this.#rows.at(-1) ?? []).slice(0, this.#rows.length);
  }

  /** Mean of the final accuracies: (1/T) Σ_j a(T, j). */
  get average(): number {
    return mean(this.final);
  }

  /** Mean accuracy on each task just after it was learned: (1/T) Σ_j a(j, j). */
  get during(): number {
    return mean(this.#rows.map((row, task) => row[task] as number));
  }

  /** What was lost since: during − average; negative where later tasks helped. */
  get forgetting(): number {
    return this.during - this.average;
  }

  /** Mean of a(T, j) − a(j, j) over all tasks but the last; 0 after one. */
  get backwardTransfer(): number {
    const final = this.final;
    const earlier = this.#rows.slice(0, -1);
    return earlier.length === 0 ? 0 : mean(earlier.map((row, task) => (final[task] as number) - (row[task] as number)));
  }

  /**
   * Mean of a(j − 1, j) − b(j) over all tasks but the first, with the accuracy b(j) of an untrained
   * model; NaN where rows have no tasks to come.
   */
  forwardTransfer(untrained: readonly number[]): number {
    const ahead = this.#rows.slice(0, -1).map((row, t) => (row[t + 1] ?? Number.NaN) - (untrained[t + 1] as number));
    return mean(ahead);
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
