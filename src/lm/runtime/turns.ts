// Work that lets other work have its turn.

/** Work pauses when it has run for so long. */
const STEP_MILLISECONDS = 10;

/** Runs steps to their end, with `turn` awaited whenever 10 ms have passed. */
export async function inTurns<T>(steps: Generator<undefined, T>, turn: () => Promise<void>): Promise<T> {
  for (let since = performance.now(); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - since < STEP_MILLISECONDS) continue;
    await turn();
    since = performance.now();
  }
}
