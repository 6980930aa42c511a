// Where data sets are stored: the folder in GOSSAMER_DATA, then a per-user cache of downloads.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type DatasetKind, type DatasetRecord, datasetKinds, datasetOf, namesOf } from './catalogue.js';

/**
 * The per-user folder of downloads: `$XDG_CACHE_HOME/gossamer/data`, by default below `~/.cache`.
 */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gossamer', 'data');
}

/**
 * Folders that are searched for data sets: `GOSSAMER_DATA` where it is set, then the per-user
 * cache.
 */
export function dataFolders(): string[] {
  const given = process.env.GOSSAMER_DATA;
  return given ? [given, cacheFolder()] : [cacheFolder()];
}

/** The path of a data file, undefined when none of the folders has it. */
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

/** Whether all files of a known data set lie on this machine; false for an unknown name. */
export function hasDataset(name: string, kind: DatasetKind): boolean {
  return datasetOf(name, kind)?.files.every(({ path }) => findData(path) !== undefined) ?? false;
}

/**
 * Paths of a known data set's files, in the order of the record.
 *
 * @throws Error that says where one was looked for.
 */
export function datasetPaths({ name, files }: DatasetRecord): string[] {
  return files.map(({ path }) => knownArchive(name, path));
}

/** A file by the name of a known data set, or by its path. */
export interface LocatedFile {
  readonly path: string;
  /** undefined for a path. */
  readonly record: DatasetRecord | undefined;
}

/**
 * The file that a name or a path stands for; a known name comes first.
 *
 * @throws Error when it is neither, naming the known data sets of that kind, or when a known set is
 * not on this machine.
 */
export function locateDataset(source: string, kind: DatasetKind): LocatedFile {
  const record = datasetOf(source, kind);
  if (record) return { path: datasetPaths(record)[0] as string, record };
  if (!existsSync(source))
    throw new Error(
      `"${source}" is neither a file nor a known ${datasetKinds[kind].noun} (${namesOf(kind).join(', ')})`,
    );
  return { path: source, record };
}
