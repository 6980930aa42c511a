// Fits whose state is a list of results in place of the weights of a network: what they keep in a
// checkpoint, and the line that says how far they are.

import { createHash } from 'node:crypto';
import type { CheckpointStore } from '../../nn/index.js';
import { type Tensor, tensor } from '../../tensor/index.js';

/** What is kept between two runs of one fit. */
export interface PartialResults {
  /** Results that are numbers, in order. */
  readonly values: readonly number[];
  /** Results that are arrays, by name. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** Keeps the results of one fit, and of no other. */
export class PartialStore {
  readonly #identity: Int32Array;

  /**
   * @param checkpoint where the state of a training goes
   * @param identity all that the results depend on: arrays, texts and options
   */
  constructor(
    readonly checkpoint: CheckpointStore,
    ...identity: readonly unknown[]
  ) {
    const hash = createHash('sha256');
    for (const part of identity)
      hash.update(
        ArrayBuffer.isView(part)
          ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength).slice()
          : JSON.stringify(part),
      );
    this.#identity = new Int32Array(new Uint8Array(hash.digest()).buffer);
  }

  save({ values, tensors }: PartialResults): void {
    this.checkpoint.save({
      epoch: values.length,
      step: 0,
      weights: { ...tensors, identity: tensor(this.#identity) },
      optimizer: { step: 0, tensors: {} },
      best: undefined,
      history: values.map((metric, i) => ({ epoch: i + 1, epochs: values.length, loss: 0, metric, seconds: 0 })),
    });
  }

  /** @throws Error for the results of other data or options */
  load(): PartialResults | undefined {
    const state = this.checkpoint.load();
    if (!state) return undefined;
    const { identity, ...tensors } = state.weights;
    const found = identity?.dataSync<Int32Array>();
    if (!found || found.length !== this.#identity.length || found.some((word, i) => word !== this.#identity[i]))
      throw new Error('the checkpoint is of other data or options; leave --resume out to start again');
    return { values: state.history.map(({ metric }) => metric as number), tensors };
  }
}

/** Redraws one line on a terminal, and writes one for each tenth elsewhere. */
export function partLine(what: string, stream: NodeJS.WriteStream = process.stderr) {
  let tenth = 0;
  return (done: number, all: number): void => {
    const text = `${what} ${done.toLocaleString('en-US')}/${all.toLocaleString('en-US')}`;
    if (stream.isTTY) stream.write(`\r\x1b[2K${text}${done === all ? '\n' : ''}`);
    else if (Math.floor((10 * done) / all) > tenth) {
      tenth = Math.floor((10 * done) / all);
      stream.write(`${text}\n`);
    }
  };
}
