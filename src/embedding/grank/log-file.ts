// The click log of a device as a file that is only appended to, one JSON value a line: a header,
// then entries as they came, and counts in place of old entries of others once it is compacted. A
// line that a crash has torn is cut off at the next start.

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../data/node.js';
import { ClickLog } from './click-log.js';
import { type CompactionOptions, compactedPieces, compaction, takeKept } from './log-lines.js';
import type { SignedEntry } from './signed-entries.js';

const HEADER = { format: 'gossamer click log', version: 1 };

/** A click log and its file. */
export class ClickLogFile {
  readonly #path: string;
  #file: number;

  private constructor(
    path: string,
    file: number,
    /** What the file holds. */
    readonly log: ClickLog,
    /** Bytes of a torn last line that were cut off. */
    readonly torn: number,
  ) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens a log, or begins one.
   *
   * @param self the device's own name: its entries are never compacted
   * @throws Error naming the file, and the line that cannot be read
   */
  static open(path: string, self: string, options: CompactionOptions = {}): ClickLogFile {
    const { compactAt, keep } = { ...compaction, ...options };
    mkdirSync(dirname(path), { recursive: true });
    const isNew = !existsSync(path);
    if (isNew) writeFileAtomic(path, `${JSON.stringify(HEADER)}\n`);
    const bytes = readFileSync(path);
    const whole = bytes.lastIndexOf(0x0a) + 1;
    const log = logOf(bytes.subarray(0, whole).toString('utf8').split('\n').slice(0, -1), path);
    const file = openSync(path, 'a+', 0o600);
    ftruncateSync(file, whole);
    const opened = new ClickLogFile(path, file, log, bytes.length - whole);
    if (log.entries.length > compactAt) opened.compact(self, keep);
    return opened;
  }

  /** Adds entries, which are on the disk when it returns. */
  append(entries: readonly SignedEntry[]): void {
    if (entries.length === 0) return;
    writeSync(this.#file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    fdatasyncSync(this.#file);
  }

  /** Replaces all but the last entries of each other author by counts, in the log and its file. */
  compact(self: string, keep: number): void {
    const lines = [HEADER, ...compactedPieces(this.log, self, keep)];
    writeFileAtomic(this.#path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    closeSync(this.#file);
    this.#file = openSync(this.#path, 'a', 0o600);
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file);
  }
}

function logOf(lines: readonly string[], path: string): ClickLog {
  const log = new ClickLog();
  for (const [at, line] of lines.entries()) {
    try {
      const value: unknown = JSON.parse(line);
      if (at === 0) requireHeader(value);
      else takeKept(log, value);
    } catch (error) {
      throw new Error(`"${path}", line ${at + 1}: ${(error as Error).message}; restore the file, or move it away`);
    }
  }
  if (lines.length === 0) throw new Error(`"${path}" is no click log: it has no header`);
  return log;
}

function requireHeader(value: unknown): void {
  const { format, version } = (value ?? {}) as Partial<typeof HEADER>;
  if (format !== HEADER.format) throw new Error('not a click log of gossamer peer');
  if (version !== HEADER.version)
    throw new Error(`a click log of version ${version}; this program reads version ${HEADER.version}`);
}
