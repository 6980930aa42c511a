// Where commands write what they computed: a file, or standard output; and what they note.

import { writeFileAtomic } from '../data/node.js';

/** Writes text to a file, or to standard output when there is none. */
export function writeOutput(pieces: Iterable<string>, out: string | undefined): void {
  if (out !== undefined) writeFileAtomic(out, pieces);
  else for (const piece of pieces) process.stdout.write(piece);
}

/** Writes a note to standard error. */
export function writeNote(text: string): void {
  process.stderr.write(`note: ${text}\n`);
}
