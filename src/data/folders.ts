// Where data sets lie: the folder in GOSSAMER_DATA, else a per-user cache that is filled from the publisher's address.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The per-user folder that downloads are kept in. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gossamer', 'data');
}

/** Folders that are searched for data sets: `GOSSAMER_DATA` where it is set, then the per-user cache. */
export function dataFolders(): string[] {
  const given = process.env.GOSSAMER_DATA;
  return given ? [given, cacheFolder()] : [cacheFolder()];
}

/** Where a data file lies, undefined when it is in none of the folders. */
export function findData(file: string): string | undefined {
  return dataFolders()
    .map((folder) => join(folder, file))
    .find(existsSync);
}

/** The path of a known data set's file. @throws Error that says where it was looked for. */
export function knownArchive(name: string, file: string): string {
  const path = findData(file);
  if (path) return path;
  const looked = dataFolders().map((folder) => `"${join(folder, file)}"`);
  throw new Error(
    `data set "${name}" is not on this machine: looked for ${looked.join(' and ')}; set GOSSAMER_DATA to the folder that holds ${file}`,
  );
}
