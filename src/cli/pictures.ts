// What commands that read folders of pictures have in common.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Background, ImageDataset } from '../data/index.js';
import { filesBelow, isFolder, readImages, unusableReason } from '../data/node.js';
import { number } from './arguments.js';
import { Bar } from './bar.js';
import { writeNote } from './output.js';

/** Flags of reading labelled pictures. */
export interface PictureFlags {
  readonly size?: readonly [height: number, width: number];
  readonly channels?: '1' | '3';
  readonly testShare: number;
  readonly test?: string;
  readonly strict: boolean;
  readonly maxPixels?: number;
  readonly seed: number;
}

/** Flags of reading pictures, and what transparent ones are laid on. */
export interface PictureTrainingFlags extends PictureFlags {
  readonly background?: Background;
}

/** Flags of reading pictures, and what else training on their classes takes. */
export interface ClassifierFlags extends PictureTrainingFlags {
  /** Model file whose weights training begins with. */
  readonly from?: string;
  /** Whether these weights stay as they are, but for the head. */
  readonly freeze?: boolean;
  /** Page with confusions and the worst mistakes. */
  readonly report?: string;
}

/** Flags that training on classes of pictures alone takes. */
export const classifierOnly = ['from', 'freeze', 'report'] as const satisfies readonly (keyof ClassifierFlags)[];

/** Flags that pictures alone take. */
export const pictureOnly = [
  'size',
  'channels',
  'testShare',
  'test',
  'strict',
  'maxPixels',
  'background',
] as const satisfies readonly (keyof PictureTrainingFlags)[];

/** Most files that a note names. */
const NAMED = 5;

/** A side of a square, or height×width. */
function size(text: string): readonly [number, number] {
  const [, height, width = height] = /^(\d{1,5})(?:[x×](\d{1,5}))?$/.exec(text) ?? [];
  if (!(Number(height) > 0 && Number(width) > 0))
    throw new InvalidArgumentError('expected a number of pixels, or height and width as 48x32.');
  return [Number(height), Number(width)];
}

/** The option of a size of pictures. */
export function sizeOption(about: string): Option {
  return new Option('--size <pixels>', about).argParser(size);
}

/** A share in [0, 1). */
function share(text: string): number {
  const value = number(0, false)(text);
  if (value >= 1) throw new InvalidArgumentError('expected a share of at least 0 and below 1.');
  return value;
}

/** The limit of a picture's size, for commands that read them. */
export function maxPixelsOption(of = ''): Option {
  return new Option(
    '--max-pixels <n>',
    `${of}most pixels of a picture; larger ones cannot be used (default: 67108864, which take 192 MiB)`,
  ).argParser(number(1));
}

/**
 * Adds the options of reading labelled pictures.
 *
 * @param of what descriptions begin with, in commands that read other data too
 */
export function withPictureOptions(
  command: Command,
  { sizeWhenLeftOut = '', of = '' }: { readonly sizeWhenLeftOut?: string; readonly of?: string } = {},
): Command {
  return command
    .addOption(sizeOption(`${of}side to scale pictures to, or height x width as 48x32${sizeWhenLeftOut}`))
    .addOption(new Option('--channels <n>', `${of}1 makes pictures grey, 3 coloured`).choices(['1', '3']))
    .option('--test-share <share>', `${of}share of a folder kept for testing, of each class; 0 keeps none`, share, 0.1)
    .option('--test <folder>', `${of}folder of test pictures, a folder for each class, in place of a share`)
    .option('--strict', `${of}stop at the first picture that cannot be used, rather than leave it out`, false)
    .addOption(maxPixelsOption(of));
}

/** Adds what transparent pictures are laid on, for commands that train. */
export function withBackgroundOption(command: Command, of = ''): Command {
  return command.addOption(
    new Option(
      '--background <colour>',
      `${of}what transparent pixels are laid on, here and by predict; white when left out`,
    ).choices(['white', 'black']),
  );
}

/** Adds what training on classes of pictures takes beside how they are read. */
export function withClassifierOptions(command: Command, of = ''): Command {
  return command
    .option('--from <model>', `${of}begin with the weights of this model; where the classes are others, its head anew`)
    .option('--freeze', `${of}with --from: train the head alone`, false)
    .option('--report <page>', `${of}write a page with confusions and the worst mistakes on test pictures`);
}

/** The reason why a picture cannot be used, with the flag that allows larger ones. */
export function withFlag(reason: string): string {
  return reason.replaceAll('; maxPixels allows more', '; --max-pixels allows more');
}

/**
 * Reads labelled pictures with a bar and notes; those that cannot be used are left out and named,
 * unless `strict`.
 */
export async function readPictures(
  path: string,
  { size: wanted, channels, testShare, test, strict, maxPixels, seed }: PictureFlags,
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
      ...(test !== undefined && { test }),
      ...(maxPixels !== undefined && { maxPixels }),
      ...(!strict && { onUnusable: (file, reason) => unusable.push([file, withFlag(reason)]) }),
      ...{ testShare, seed },
      onNote: (text) => notes.push(text),
      onProgress: (done, total) => bar.update(done / total, done),
      onDownload: (url) => process.stderr.write(`fetching ${url}\n`),
    });
  } catch (error) {
    throw new Error(withFlag((error as Error).message), { cause: error });
  } finally {
    bar.close();
    for (const text of notes) writeNote(text);
    if (unusable.length > 0) writeNote(unusableNote(unusable));
  }
}

/**
 * Uses each picture of some paths, those below folders among them. One that cannot be used is noted
 * and left out, with exit code 2.
 *
 * @throws Error when there are none
 */
export async function eachPicture(
  paths: readonly string[],
  note: (text: string) => void,
  use: (file: string) => Promise<void>,
): Promise<void> {
  const files = paths.flatMap((path) => (isFolder(path) ? filesBelow(path).pictures : [path]));
  if (files.length === 0) throw new Error(`${paths.join(', ')}: no pictures there`);
  for (const file of files)
    await use(file).catch((error: Error) => {
      note(`"${file}" is left out: ${withFlag(unusableReason(error, file))}`);
      process.exitCode = 2;
    });
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
