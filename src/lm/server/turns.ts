// Long work shares the thread with the event loop: it is cut into slices of some milliseconds, and
// one turn of the event loop runs one slice, however many requests have work.

/** Gives the slices of long work their turns, first come, first served. */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves in a turn of the event loop that no other slice has. */
  readonly next = (): Promise<void> =>
    new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(this.#give);
    });

  readonly #give = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#give);
  };
}
