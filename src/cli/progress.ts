// Live progress on the terminal: one bar over all epochs of all trainings. Silent when the output
// is not a terminal.

import { SingleBar } from 'cli-progress';
import type { RunEvents } from '../experiments/index.js';

type Events = Required<RunEvents>;

export class ProgressView implements RunEvents {
  readonly #bar: SingleBar;
  readonly #terminal = process.stderr.isTTY === true;
  #methods = 1;
  #total = 1;
  /** Names of the metrics; of a finished seed the first that its task has is shown. */
  #metrics: readonly string[] = [];
  #seeds = 0;
  #method = '';
  /** Methods of the current seed that have begun. */
  #started = 0;

  constructor(readonly seeds: number) {
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: '{bar} {percentage}%  seed {seed}  {method}  {epoch}  {loss}  {eta_formatted} left',
      barsize: 20,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      etaBuffer: 200,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
    });
  }

  downloading: Events['downloading'] = (name) => {
    process.stderr.write(`fetching ${name} from its publisher\n`);
  };

  started: Events['started'] = ({ description, methods, metrics }) => {
    [this.#methods, this.#metrics] = [methods.length, metrics];
    this.#total = this.seeds * this.#methods;
    process.stderr.write(`${description}\n`);
    if (this.#terminal) this.#bar.start(this.#total, 0, { seed: '', method: '', epoch: '', loss: '' });
  };

  epoch: Events['epoch'] = (seed, method, { epoch, epochs, loss }) => {
    this.#advance(seed, method, epoch / epochs, { epoch: `${epoch}/${epochs}`, loss: `loss ${loss.toFixed(4)}` });
  };

  progress: Events['progress'] = (seed, method, share) => {
    this.#advance(seed, method, share, { epoch: `${Math.round(100 * share)} %`, loss: '' });
  };

  /** Moves the bar to a share of the current method. */
  #advance(seed: number, method: string, share: number, shown: { epoch: string; loss: string }): void {
    if (method !== this.#method) {
      this.#method = method;
      this.#started += 1;
    }
    const done = this.#seeds * this.#methods + Math.max(0, this.#started - 1) + share;
    if (this.#terminal) this.#bar.update(Math.min(done, this.#total), { seed, method, ...shown });
  }

  seedDone: Events['seedDone'] = ({ seed, methods }) => {
    this.#seeds += 1;
    this.#started = 0;
    this.#method = '';
    const metric = this.#metrics.find((name) => methods.some(({ scores }) => scores[name] !== undefined)) ?? '';
    if (!this.#terminal)
      process.stderr.write(
        `seed ${seed} done: ${methods.map(({ method, scores }) => `${method} ${scores[metric]?.toFixed(1) ?? '–'}`).join(', ')}\n`,
      );
  };

  studying: Events['studying'] = () => {
    if (this.#terminal) this.#bar.update(this.#total, { method: 'studies', epoch: '', loss: '' });
  };

  close(): void {
    if (this.#terminal) this.#bar.stop();
  }
}
