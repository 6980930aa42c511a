// A progress line of a training loop on the terminal.

import type { EpochReport } from './fit.js';

/** Output stream of the progress line, such as `process.stderr`. */
export interface ProgressStream {
  /** Whether the stream is a terminal, where a line can be redrawn. */
  readonly isTTY?: boolean;
  /** Writes text, terminal control codes included. */
  write(text: string): unknown;
}

const WIDTH = 30;

/**
 * An `onEpoch` callback for `fit` that redraws one line: bar, loss, metric, remaining time. On a
 * stream that is not a terminal it writes a line per tenth of the run.
 *
 * @example await fit({ …, onEpoch: progressLine(process.stderr) })
 */
export function progressLine(stream: ProgressStream): (report: EpochReport) => void {
  const started = performance.now();
  let tenth = 0;
  return ({ epoch, epochs, loss, metric }) => {
    const filled = Math.round((WIDTH * epoch) / epochs);
    const left = (((performance.now() - started) / 1000) * (epochs - epoch)) / epoch;
    const numbers = `epoch ${epoch}/${epochs}  loss ${loss.toPrecision(4)}${metric === undefined ? '' : `  metric ${metric.toPrecision(4)}`}`;
    if (stream.isTTY) {
      const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
      stream.write(`\r\x1b[2K${bar} ${numbers}  ${left.toFixed(0)} s left${epoch === epochs ? '\n' : ''}`);
    } else if (Math.floor((10 * epoch) / epochs) > tenth) {
      tenth = Math.floor((10 * epoch) / epochs);
      stream.write(`${numbers}\n`);
    }
  };
}
