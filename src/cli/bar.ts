// A progress bar with rate and time left on standard error; silent when that is no terminal.

import { SingleBar } from 'cli-progress';
import { interruptSignal } from '../data/node.js';

export class Bar {
  readonly #bar: SingleBar | undefined;
  readonly #started = performance.now();

  /** @param what is being done, as the line begins */
  constructor(
    what: string,
    readonly unit: string,
    silent = false,
  ) {
    if (silent || process.stderr.isTTY !== true) return;
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: `${what}  {bar} {percentage}%  {rate}  {eta_formatted} left`,
      barsize: 24,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
    });
    this.#bar.start(1000, 0, { rate: '' });
  }

  /** @param done share of the work; `count` units so far */
  update(done: number, count: number): void {
    const rate = count / Math.max(1e-3, (performance.now() - this.#started) / 1000);
    this.#bar?.update(Math.round(1000 * Math.min(1, done)), { rate: `${compact(rate)} ${this.unit}/s` });
  }

  close(): void {
    this.#bar?.stop();
  }
}

/**
 * Does some work with a bar, with a signal that Ctrl-C aborts; both are given back when it ends.
 *
 * @param bar arguments of `Bar`
 */
export async function withBar<Result>(
  bar: ConstructorParameters<typeof Bar>,
  work: (bar: Bar, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { signal, release } = interruptSignal();
  const shown = new Bar(...bar);
  try {
    return await work(shown, signal);
  } finally {
    shown.close();
    release();
  }
}

/** 12_345_678 → 12.3M. */
export function compact(value: number): string {
  return Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}
