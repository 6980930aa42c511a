// The pictures of a folder: told by content and by name, without what systems and programs leave
// there.

import { closeSync, type Dirent, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isPicture, pictureFormat, SIGNATURE_BYTES } from './pictures.js';

/** The files below a folder. */
export interface FolderFiles {
  /** Files that are pictures by content or name, folder by folder in the order of names. */
  readonly pictures: readonly string[];
  /** The other files, without hidden ones. */
  readonly others: readonly string[];
}

/** A folder in a folder. */
export interface Subfolder {
  /** In composed Unicode (NFC), so that archives of macOS give the same name as others. */
  readonly name: string;
  /** With the name as stored. */
  readonly path: string;
}

/** Names, in lower case, that operating systems and network drives leave beside files. */
const litter = new Set(['thumbs.db', 'ehthumbs.db', 'desktop.ini', '__macosx', '@eadir', '$recycle.bin']);

function isHidden(name: string): boolean {
  return name.startsWith('.') || litter.has(name.toLowerCase());
}

/** What a folder holds, links followed, in the order of names. */
function entriesOf(folder: string): { readonly name: string; readonly path: string; readonly isFolder: boolean }[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !isHidden(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => ({
      name: entry.name,
      path: join(folder, entry.name),
      isFolder: isFolderEntry(entry, join(folder, entry.name)),
    }));
}

function isFolderEntry(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The folders in a folder, hidden ones left out. */
export function subfoldersOf(folder: string): Subfolder[] {
  return entriesOf(folder)
    .filter(({ isFolder }) => isFolder)
    .map(({ name, path }) => ({ name: name.normalize('NFC'), path }));
}

/**
 * The files of a folder and of all folders in it, those last.
 *
 * @param deep whether folders are entered
 */
export function filesBelow(folder: string, deep = true): FolderFiles {
  const [pictures, others, entered]: [string[], string[], Set<string>] = [[], [], new Set()];
  const walk = (path: string) => {
    const real = realpathSync(path);
    // Links can lead back to a folder that is being read.
    if (entered.has(real)) return;
    entered.add(real);
    const entries = entriesOf(path);
    for (const { path: file, isFolder } of entries)
      if (!isFolder) (isPicture(file) || hasPictureContent(file) ? pictures : others).push(file);
    if (deep) for (const { path: inner, isFolder } of entries) if (isFolder) walk(inner);
  };
  walk(folder);
  return { pictures, others };
}

/** Whether the first bytes of a file are a picture's; false for what cannot be opened. */
function hasPictureContent(path: string): boolean {
  let file: number | undefined;
  try {
    if (!statSync(path).isFile()) return false;
    file = openSync(path, 'r');
    const head = new Uint8Array(SIGNATURE_BYTES);
    return pictureFormat(head.subarray(0, readSync(file, head, 0, SIGNATURE_BYTES, 0))) !== undefined;
  } catch {
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
