// Texts: known ones, and files.

import { namesOf } from './catalogue.js';
import { readUnpackedText } from './files.js';
import { hasDataset, locateDataset } from './folders.js';

/** Names that `loadText` knows. */
export const textNames: readonly string[] = namesOf('text');

/** Whether a known text lies on this machine. */
export function hasText(name: string): boolean {
  return hasDataset(name, 'text');
}

/** A known text, or a UTF-8 file (also .gz). @throws Error when it is neither, or not UTF-8. */
export function loadText(source: string): string {
  return readUnpackedText(locateDataset(source, 'text').path);
}
