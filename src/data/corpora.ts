// Texts: known ones, and files.

import { existsSync } from 'node:fs';
import { gunzipSync } from 'fflate';
import { readBytes } from './files.js';
import { findData, knownArchive } from './folders.js';

const files: Readonly<Record<string, string>> = {
  tinyshakespeare: 'text/tinyshakespeare.txt.gz',
  republic: 'text/republic.txt.gz',
};

/** Names that `loadText` knows. */
export const textNames: readonly string[] = Object.keys(files);

/** Whether a known text lies on this machine. */
export function hasText(name: string): boolean {
  const file = files[name];
  return file !== undefined && findData(file) !== undefined;
}

/** A known text, or a file (also .gz). @throws Error when it is neither, or no UTF-8. */
export function loadText(source: string): string {
  const known = files[source];
  if (!known && !existsSync(source))
    throw new Error(`"${source}" is neither a file nor a known text (${textNames.join(', ')})`);
  const path = known ? knownArchive(source, known) : source;
  const bytes = readBytes(path);
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    throw new Error(`file "${path}" is no UTF-8 text`);
  }
}
