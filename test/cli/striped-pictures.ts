// Pictures that a small network tells apart within seconds, for tests of the command line.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { readCsv } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import type { commandInFolder } from './command.js';

/** The classes of `writeStripes`. */
export const stripeClasses = ['across', 'down'] as const;

/** What is drawn. */
interface Stripes {
  /** Pixels of a side. */
  readonly size: number;
  /** Pictures of each class. Default: 20. */
  readonly count?: number;
  /** Pixels of a stripe. Default: 1. */
  readonly width?: number;
  readonly random?: Random;
}

/** Stripes across or down, in noise: some of each in stripes/, one of each in new/. */
export async function writeStripes(
  folder: string,
  { size, count = 20, width = 1, random = new Random(1) }: Stripes,
): Promise<void> {
  const write = (file: string, kind: (typeof stripeClasses)[number]) =>
    sharp(
      Uint8Array.from({ length: size * size }, (_, at) => {
        const place = kind === 'down' ? at % size : Math.floor(at / size);
        const level = Math.floor(place / width) % 2 === 0 ? 200 : 50;
        return Math.max(0, Math.min(255, level + 20 * random.gaussian()));
      }),
      { raw: { width: size, height: size, channels: 1 } },
    )
      .png()
      .toFile(join(folder, file));
  for (const kind of stripeClasses) mkdirSync(join(folder, 'stripes', kind), { recursive: true });
  mkdirSync(join(folder, 'new'));
  for (let i = 0; i < count; i++) for (const kind of stripeClasses) await write(`stripes/${kind}/${i}.png`, kind);
  for (const kind of stripeClasses) await write(`new/${kind}.png`, kind);
}

/** The pictures of new/ with the classes that a model gives them. */
export function classifiedStripes(gossamer: ReturnType<typeof commandInFolder>['gossamer'], model: string) {
  return readCsv(gossamer('classify', model, 'new').stdout).rows.map(([picture, , label]) => [picture, label]);
}

/** What `classifiedStripes` gives where all are right. */
export const rightStripes = stripeClasses.map((kind) => [`new/${kind}.png`, kind]);
