// Live progress on the terminal: one bar over all epochs of all trainings. Silent when the output is not a terminal.

import { SingleBar } from 'cli-progress';
import type { Experiment, RunEvents } from '../experiments/index.js';

type Events = Required<RunEvents>;

export class ProgressView implements RunEvents {
  readonly #bar: SingleBar;
  readonly #terminal = process.stderr.isTTY === true;
  readonly #total: number;
  #seeds = 0;
  #method = '';
  #methods = 0;

  constructor(
    readonly experiment: Experiment,
    readonly seeds: number,
  ) {
    this.#total = seeds * experiment.methods.length;
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: '{bar} {percentage}%  seed {seed}  {method}  {epoch}  loss {loss}  {eta_formatted} left',
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

  started: Events['started'] = (description) => {
    process.stderr.write(`${description}\n`);
    if (this.#terminal) this.#bar.start(this.#total, 0, { seed: '', method: '', epoch: '', loss: '' });
  };

  epoch: Events['epoch'] = (seed, method, { epoch, epochs, loss }) => {
    if (method !== this.#method) {
      this.#method = method;
      this.#methods += 1;
    }
    const done = this.#seeds * this.experiment.methods.length + Math.max(0, this.#methods - 1) + epoch / epochs;
    if (this.#terminal)
      this.#bar.update(Math.min(done, this.#total), {
        seed,
        method,
        epoch: `${epoch}/${epochs}`,
        loss: loss.toFixed(4),
        left: '',
      });
  };

  seedDone: Events['seedDone'] = ({ seed, methods }) => {
    this.#seeds += 1;
    this.#methods = 0;
    this.#method = '';
    const first = Object.keys(this.experiment.metrics)[0] as string;
    if (!this.#terminal)
      process.stderr.write(
        `seed ${seed} done: ${methods.map(({ method, scores }) => `${method} ${scores[first]?.toFixed(1) ?? '–'}`).join(', ')}\n`,
      );
  };

  studying: Events['studying'] = () => {
    if (this.#terminal) this.#bar.update(this.#total, { method: 'measuring speed', epoch: '', loss: '' });
  };

  close(): void {
    if (this.#terminal) this.#bar.stop();
  }
}
