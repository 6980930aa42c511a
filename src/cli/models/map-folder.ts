// Maps that predictions draw, a PNG for each picture.

import { mkdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type Picture, writePng } from '../../data/index.js';
import { writeFileAtomic } from '../../data/node.js';

/** A folder of maps; pictures of one name in several folders get numbers. */
export class MapFolder {
  readonly #names = new Set<string>();

  /** @throws Error when the path is a file */
  constructor(readonly path: string) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
      throw new Error(`--maps: "${path}" is a file, not a folder`);
    mkdirSync(path, { recursive: true });
  }

  /** Writes the map of a picture. */
  write(file: string, map: Picture): void {
    const stem = basename(file, extname(file));
    let name = stem;
    for (let copy = 2; this.#names.has(name.toLowerCase()); copy++) name = `${stem}-${copy}`;
    this.#names.add(name.toLowerCase());
    writeFileAtomic(join(this.path, `${name}.png`), writePng(map));
  }
}
