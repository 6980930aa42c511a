// One training on the command line: its checkpoint beside the model, --resume, and Ctrl-C.

import { existsSync, rmSync } from 'node:fs';
import { checkpointAsked, fileCheckpoint, interruptSignal } from '../data/node.js';
import { ChatError } from '../hypergraph/index.js';
import { type FitResult, progressLine, type TrainingHooks, type TrainingState } from '../nn/index.js';

/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;

export interface TrainingRun {
  /** The model's file; the state of the training is kept in `<out>.checkpoint`. */
  readonly out: string;
  /** Whether the training continues from the checkpoint. */
  readonly resume: boolean;
  /** What is to be done, kept in the checkpoint: other options do not go on from it. */
  readonly asked?: object;
}

/**
 * Checks that a run goes on as it began.
 *
 * @param what was done before, to begin the message with
 * @param before its options; none are checked where they are not known
 * @throws Error naming the first option that is another now
 */
export function requireSame(what: string, before: object | undefined, asked: object): void {
  if (!before) return;
  const earlier = before as Readonly<Record<string, unknown>>;
  const other = Object.entries(asked).find(([name, own]) => JSON.stringify(earlier[name]) !== JSON.stringify(own));
  if (!other) return;
  const [name, own] = other;
  const shown = (value: unknown) =>
    name === 'pictures' && Array.isArray(value) ? value.join('×') : (JSON.stringify(value) ?? 'none');
  throw new Error(
    `${what} another ${name === 'pictures' ? 'size of pictures' : name} (${shown(earlier[name])}, now ${shown(own)}); give that again, or leave --resume out`,
  );
}

/**
 * Trains, writes the model by `write`, then removes the checkpoint. After Ctrl-C the checkpoint
 * stays, the exit code is 130, and standard error shows how to resume.
 *
 * @returns whether the training finished; false after Ctrl-C
 * @throws Error when there is no checkpoint to continue from, before anything is trained, or it is
 *   of another model or of other options; when models behind HTTP no longer answer, with what goes
 *   on from there
 */
export async function trainResumably(
  { out, resume, asked }: TrainingRun,
  train: (hooks: Required<TrainingHooks>) => Promise<Pick<FitResult, 'stopped'>>,
  write: () => void,
): Promise<boolean> {
  const path = requireCheckpoint({ out, resume });
  if (resume && asked) requireSame(`"${path}" is of`, checkpointAsked(path), asked);
  const store = fileCheckpoint(path, asked);
  const { signal, release } = interruptSignal();
  let isKept = resume;
  const save = (state: TrainingState) => {
    store.save(state);
    isKept = true;
  };
  try {
    const { stopped } = await train({
      signal,
      checkpoint: { load: () => (resume ? store.load() : undefined), save },
      onEpoch: progressLine(process.stderr),
    });
    if (stopped === 'aborted') {
      process.stderr.write('\nstopped; the same command with --resume goes on\n');
      process.exitCode = INTERRUPTED;
      return false;
    }
  } catch (error) {
    throw explained(error as Error, path, { isKept, resume });
  } finally {
    release();
  }
  write();
  rmSync(path, { force: true });
  return true;
}

/** An error, with what can be done about it where a checkpoint matters. */
function explained(
  error: Error,
  path: string,
  { isKept, resume }: { readonly isKept: boolean; readonly resume: boolean },
): Error {
  if (isKept && error instanceof ChatError)
    return new Error(`${error.message}; "${path}" keeps what was learnt before, and --resume goes on from it`, {
      cause: error,
    });
  if (resume && error.message.startsWith('loadState:'))
    return new Error(
      `"${path}" is of another model, or of other options or data; give those again, or leave --resume out (${error.message})`,
      { cause: error },
    );
  return error;
}

/** Path of the checkpoint. @throws Error when resuming without a checkpoint */
function requireCheckpoint({ out, resume }: TrainingRun): string {
  const path = `${out}.checkpoint`;
  if (resume && !existsSync(path)) throw new Error(`there is no "${path}" to go on from`);
  return path;
}
