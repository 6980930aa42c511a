// Checkpoints of distributed walks: a folder with one file per rank for the last round that all
// ranks saved.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../data/node.js';
import type { WalkState, WalkStore } from '../embedding/index.js';

/** @param identity what the walks depend on; a folder of other walks is an error. */
export function fileWalkStore(folder: string, rank: number, identity: string): WalkStore {
  const latest = join(folder, 'latest.json');
  const file = (round: number) => join(folder, `round-${round}-rank-${rank}.bin`);
  const committed = (): number | undefined => {
    if (!existsSync(latest)) return undefined;
    const { round, identity: of } = JSON.parse(readFileSync(latest, 'utf8')) as { round: number; identity: string };
    if (of !== identity)
      throw new Error(`folder "${folder}" holds a checkpoint of other walks (${of}); choose another`);
    return round;
  };
  let before = committed();
  let newest: number | undefined;
  return {
    save({ round, walkers, stops, used }: WalkState) {
      const parts = [Int32Array.of(round, walkers.length, stops.length, used.length), walkers, stops, used];
      writeFileAtomic(
        file(round),
        Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))),
      );
      // The round before last can be removed: every rank has saved a later one.
      if (newest !== undefined && before !== undefined && before !== newest) rmSync(file(before), { force: true });
      before = newest ?? before;
      newest = round;
    },
    commit: (round) => writeFileAtomic(latest, JSON.stringify({ round, identity })),
    load() {
      const round = committed();
      if (round === undefined) return undefined;
      const bytes = readFileSync(file(round));
      const words = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      const [saved = 0, walkers = 0, stops = 0, used = 0] = words;
      let at = 4;
      const take = (length: number) => words.slice(at, (at += length));
      return { round: saved, walkers: take(walkers), stops: take(stops), used: take(used) };
    },
  };
}
