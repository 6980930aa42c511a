// The readers that are fuzzed. A floor with readers of its own lists them in a file
// `test/<floor>/fuzz-cases.ts`, which exports arrays of cases under any names.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A reader of bytes, and valid files from which damaged ones are made. */
export interface FuzzCase {
  /** The format, as `npm run fuzz NAME` takes it. */
  readonly name: string;
  /** Small valid files, together of every kind that the reader knows. */
  readonly seeds: () => Uint8Array[] | Promise<Uint8Array[]>;
  /** Reads a file and everything in it; throws when it refuses the file. */
  readonly read: (bytes: Uint8Array) => unknown;
}

/** The folder of the tests. */
const root = join(import.meta.dirname, '..');

/** The cases of all floors, by name. */
export async function fuzzCases(): Promise<ReadonlyMap<string, FuzzCase>> {
  const cases = new Map<string, FuzzCase>();
  const lists = readdirSync(root)
    .map((floor) => join(root, floor, 'fuzz-cases.ts'))
    .filter((path) => existsSync(path));
  for (const path of lists) {
    const exported = (await import(path)) as Record<string, unknown>;
    for (const fuzzCase of Object.values(exported).filter(Array.isArray).flat() as FuzzCase[]) {
      if (cases.has(fuzzCase.name)) throw new Error(`two fuzz cases are named "${fuzzCase.name}"`);
      cases.set(fuzzCase.name, fuzzCase);
    }
  }
  return cases;
}
