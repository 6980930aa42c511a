// What commands that read folders of pictures have in common.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Background, ImageDataset } from '../data/index.js';
import { readImages } from '../data/node.js';
import { number } from './arguments.js';
import { Bar } from './bar.js';
import { writeNote } from './output.js';

/** Flags of reading labelled pictures. */
export interface PictureFlags {
  readonly size?: readonly [height: number, width: number];
  readonly channels?: '1' | '3';
  readonly testShare: number;
  readonly strict: boolean;
  readonly seed: number;
}

/** Most files that a note names. */
const NAMED = 5;

/** A side of a square, or height×width. */
function size(text: string): readonly [number, number] {
  const [, height, width = height] = /^(\d{1,5})(?:[x×](\d{1,5}))?$/.exec(text) ?? [];
  if (!(Number(height) > 0 && Number(width) > 0))
    throw new InvalidArgumentError('expected a number of pixels, or height and width as 48x32.');
  return [Number(height), Number(width)];
}

/** A share in [0, 1). */
function share(text: string): number {
  const value = number(0, false)(text);
  if (value >= 1) throw new InvalidArgumentError('expected a share of at least 0 and below 1.');
  return value;
}

/** Adds the options of reading labelled pictures. */
export function withPictureOptions(command: Command, sizeWhenLeftOut = ''): Command {
  return command
    .option('--size <pixels>', `side to scale pictures to, or height x width as 48x32${sizeWhenLeftOut}`, size)
    .addOption(new Option('--channels <n>', '1 makes pictures grey, 3 coloured').choices(['1', '3']))
    .option('--test-share <share>', 'share of a folder kept for testing, of each class; 0 keeps none', share, 0.1)
    .option('--strict', 'stop at the first picture that cannot be used, rather than leave it out', false);
}

/**
 * Reads labelled pictures with a bar and notes; those that cannot be used are left out and named,
 * unless `strict`.
 */
export async function readPictures(
  path: string,
  { size: wanted, channels, testShare, strict, seed }: PictureFlags,
  { background, silent = false }: { readonly background?: Background; readonly silent?: boolean } = {},
): Promise<ImageDataset> {
  const bar = new Bar('reading', 'pictures', silent);
  const unusable: [file: string, reason: string][] = [];
  const notes: string[] = [];
  try {
    return await readImages(path, {
      ...(wanted && { size: wanted }),
      ...(channels && { channels: Number(channels) as 1 | 3 }),
      ...(background && { background }),
      ...(!strict && { onUnusable: (file, reason) => unusable.push([file, reason]) }),
      ...{ testShare, seed },
      onNote: (text) => notes.push(text),
      onProgress: (done, total) => bar.update(done / total, done),
      onDownload: (url) => process.stderr.write(`fetching ${url}\n`),
    });
  } finally {
    bar.close();
    for (const text of notes) writeNote(text);
    if (unusable.length > 0) writeNote(unusableNote(unusable));
  }
}

/** The first few pictures that are left out, and the number of all. */
function unusableNote(unusable: readonly (readonly [file: string, reason: string])[]): string {
  const count = `${unusable.length} ${unusable.length === 1 ? 'picture' : 'pictures'}`;
  const more = unusable.length > NAMED ? [`  and ${unusable.length - NAMED} more`] : [];
  return [
    `${count} left out, as unusable (--strict stops at the first):`,
    ...unusable.slice(0, NAMED).map(([file, reason]) => `  ${file}: ${reason}`),
    ...more,
  ].join('\n');
}
