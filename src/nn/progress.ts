// A line of progress on the terminal for a training loop.

import type { EpochReport } from './fit.js';

/** What the line is written to, such as `process.stderr`. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const WIDTH = 30;

/**
 * An `onEpoch` for `fit` that redraws one line: a bar, the loss, the metric, the time left. On a stream that is no terminal it writes a line each tenth of the way.
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
