// Limits of concurrent completions and of the queue.

import { RequestError } from '../../distributed/http/errors.js';

/** A semaphore of `parallel` slots with a queue of at most `queue` waiters. */
export class Slots {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    readonly parallel: number,
    readonly queue: number,
  ) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Runs `work` once a slot is free.
   *
   * @throws RequestError 503 when the queue is full or the server shuts down; AbortError when the
   * client disconnects while queued.
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.parallel) await this.#turn(signal);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The slot passes to the next waiter, or becomes free.
      const start = this.#waiting.shift();
      if (start) start();
      else this.#running -= 1;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.queue)
      throw new RequestError(
        503,
        `the server is busy: ${this.#running} answers are being made and ${this.#waiting.length} wait`,
        null,
        'overloaded',
      );
    return new Promise((resolve, reject) => {
      const leave = () => {
        const at = this.#waiting.indexOf(start);
        if (at >= 0) this.#waiting.splice(at, 1);
        const { reason } = signal;
        reject(reason instanceof RequestError ? reason : new DOMException('the client left', 'AbortError'));
      };
      const start = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(start);
    });
  }
}
