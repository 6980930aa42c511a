// One training on the command line: its checkpoint beside the model, --resume, and Ctrl-C.

import { existsSync, rmSync } from 'node:fs';
import { fileCheckpoint, interruptSignal } from '../data/node.js';
import { type FitResult, progressLine, type TrainingHooks } from '../nn/index.js';

/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;

export interface TrainingRun {
  /** The model's file; the state of the training is kept in `<out>.checkpoint`. */
  readonly out: string;
  /** Whether the training continues from the checkpoint. */
  readonly resume: boolean;
}

/**
 * Trains, writes the model by `save`, then removes the checkpoint. After Ctrl-C the checkpoint
 * stays, the exit code is 130, and standard error shows how to resume.
 *
 * @returns whether the training finished; false after Ctrl-C
 * @throws Error when there is no checkpoint to continue from, before anything is trained
 */
export async function trainResumably(
  { out, resume }: TrainingRun,
  train: (hooks: Required<TrainingHooks>) => Promise<Pick<FitResult, 'stopped'>>,
  save: () => void,
): Promise<boolean> {
  const path = requireCheckpoint({ out, resume });
  const store = fileCheckpoint(path);
  const { signal, release } = interruptSignal();
  try {
    const { stopped } = await train({
      signal,
      checkpoint: resume ? store : { load: () => undefined, save: (state) => store.save(state) },
      onEpoch: progressLine(process.stderr),
    });
    if (stopped === 'aborted') {
      process.stderr.write('\nstopped; the same command with --resume goes on\n');
      process.exitCode = INTERRUPTED;
      return false;
    }
  } finally {
    release();
  }
  save();
  rmSync(path, { force: true });
  return true;
}

/** Path of the checkpoint. @throws Error when resuming without a checkpoint */
function requireCheckpoint({ out, resume }: TrainingRun): string {
  const path = `${out}.checkpoint`;
  if (resume && !existsSync(path)) throw new Error(`there is no "${path}" to go on from`);
  return path;
}
