// Files of random weights with the sizes of known models, in the per-user cache.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, writeFileAtomic } from '../data/node.js';
import { type ModelShape, modelShapes, randomGguf, randomGgufBytes } from './random-gguf.js';

/**
 * The path of a shape's file, which is written when it is not there.
 *
 * @param onBytes called with the bytes written and all, from the start on
 */
export function shapeFile(name: ModelShape, onBytes?: (done: number, all: number, path: string) => void): string {
  const path = join(cacheFolder(), 'shapes', `${name}.gguf`);
  if (existsSync(path)) return path;
  const all = randomGgufBytes(modelShapes[name]);
  const counted = function* () {
    let done = 0;
    onBytes?.(0, all, path);
    for (const part of randomGguf(modelShapes[name])) {
      yield part;
      done = Math.min(all, done + part.length);
      onBytes?.(done, all, path);
    }
  };
  writeFileAtomic(path, counted());
  return path;
}
