// What a folder of labelled pictures holds, and which of them cannot be used.

import { existsSync, readdirSync } from 'node:fs';
import { type LabelledFile, listPictures, unusableReason } from './class-folders.js';
import { readBytes } from './files.js';
import { isIdxFolder, readImages } from './image-folder.js';
import { filesBelow } from './picture-files.js';
import { decodePicture, isGrey, type PictureHeader, pictureHeader } from './pictures.js';

/** A class in short. */
export interface ClassProfile {
  /** Of the folder. */
  readonly name: string;
  /** Pictures that can be used for training, or for both where no folder is for testing. */
  readonly train: number;
  /** Pictures that can be used, in a folder of test pictures. */
  readonly test: number;
  /** Pictures that cannot be used. */
  readonly unusable: number;
}

/** Labelled pictures in short. Counts by size and format are in falling order. */
export interface PictureProfile {
  /** The classes; none where the pictures lie in no folders of classes. */
  readonly classes: readonly ClassProfile[];
  /** Whether test pictures lie apart. */
  readonly split: boolean;
  /** Pictures that can be used, by `height×width`. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Pictures that can be used, by format. */
  readonly formats: ReadonlyMap<string, number>;
  /** Pictures that can be used. */
  readonly usable: number;
  /** Those of them that have no colours. */
  readonly grey: number;
  /** Those of them that have an alpha channel. */
  readonly transparent: number;
  /** Pictures that cannot be used, with the reason. */
  readonly unusable: readonly (readonly [file: string, reason: string])[];
  /** What is left out, and why the pictures cannot be trained on. */
  readonly notes: readonly string[];
}

/** Options of `profilePictures`. */
export interface PictureProfileOptions {
  /** Most pixels that a picture may have. Default: 2²⁶. */
  readonly maxPixels?: number;
  /** Called after some pictures. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Pictures that are decoded at a time. */
const AT_ONCE = 8;
/** Pixels of pictures that are decoded as they are; larger ones are scaled, to save memory. */
const WHOLE = 2 ** 18;
const SCALED = { height: 256, width: 256 };

/**
 * Opens every picture of a folder, as training would: those that are damaged, cut short, empty, too
 * large or of another format cannot be used.
 *
 * @throws Error when the folder holds no pictures
 */
export async function profilePictures(path: string, options: PictureProfileOptions = {}): Promise<PictureProfile> {
  if (isIdxFolder(readdirSync(path))) return profileOfArrays(path);
  const { classes, train, test, notes } = listed(path);
  const files = [...train, ...(test ?? [])];
  if (files.length === 0) throw new Error(`folder "${path}" holds no pictures`);
  const opened: Opened[] = [];
  for (let from = 0; from < files.length; from += AT_ONCE) {
    const some = files.slice(from, from + AT_ONCE);
    opened.push(...(await Promise.all(some.map((picture) => openPicture(picture, options)))));
    options.onProgress?.(opened.length, files.length);
  }
  const usable = opened.flatMap(({ header }) => header ?? []);
  const count = (label: number, part: readonly Opened[], fits: boolean) =>
    part.filter((own) => own.label === label && (own.header !== undefined) === fits).length;
  const parts = [opened.slice(0, train.length), opened.slice(train.length)] as const;
  return {
    classes: classes.map((name, label) => ({
      name,
      train: count(label, parts[0], true),
      test: count(label, parts[1], true),
      unusable: count(label, opened, false),
    })),
    split: test !== undefined,
    sizes: counted(usable.map(({ height, width }) => `${height}×${width}`)),
    formats: counted(usable.map(({ format }) => format)),
    usable: usable.length,
    grey: opened.filter(({ grey }) => grey).length,
    transparent: usable.filter(({ transparent }) => transparent).length,
    unusable: opened.flatMap(({ file, reason }) => (reason === undefined ? [] : [[file, reason] as const])),
    notes,
  };
}

interface Listed {
  readonly classes: readonly string[];
  readonly train: readonly LabelledFile[];
  readonly test?: readonly LabelledFile[];
  readonly notes: readonly string[];
}

/** The pictures by class, or all of a folder that cannot be trained on, with the reason. */
function listed(path: string): Listed {
  const notes: string[] = [];
  try {
    return { ...listPictures(path, (text) => notes.push(text)), notes };
  } catch (error) {
    const train = filesBelow(path).pictures.map((file) => ({ file, label: -1 }));
    return { classes: [], train, notes: [`no classes: ${(error as Error).message}`] };
  }
}

interface Opened extends LabelledFile {
  readonly header?: PictureHeader;
  readonly grey: boolean;
  readonly reason?: string;
}

async function openPicture(picture: LabelledFile, { maxPixels }: PictureProfileOptions): Promise<Opened> {
  const limit = maxPixels === undefined ? {} : { maxPixels };
  try {
    const bytes = readBytes(picture.file);
    // An empty file has no header to read, and its own message.
    const header = bytes.length === 0 ? undefined : await pictureHeader(bytes, limit);
    const large = header !== undefined && header.height * header.width > WHOLE;
    const decoded = await decodePicture(bytes, { ...limit, ...(large && SCALED) });
    return { ...picture, ...(header && { header }), grey: isGrey(decoded) };
  } catch (error) {
    const reason = unusableReason(error as Error, picture.file);
    if (/needs the package sharp/.test(reason)) throw error;
    return { ...picture, grey: false, reason };
  }
}

/** How often each text stands there, the most frequent first. */
function counted(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

/** Grey images in arrays, as MNIST has them. */
async function profileOfArrays(path: string): Promise<PictureProfile> {
  const { classes, train, test } = await readImages(path);
  const of = (labels: Int32Array, label: number) => labels.reduce((sum, own) => sum + Number(own === label), 0);
  const usable = train.count + test.count;
  return {
    classes: classes.map((name, label) => ({
      ...{ name, train: of(train.labels, label), test: of(test.labels, label), unusable: 0 },
    })),
    split: true,
    sizes: new Map([[`${train.height}×${train.width}`, usable]]),
    formats: new Map([['idx', usable]]),
    ...{ usable, grey: usable, transparent: 0, unusable: [], notes: [] },
  };
}

/** Sizes and formats that a line lists. */
const LISTED = 6;
const number = (value: number) => value.toLocaleString('en-US');

/** A profile as lines of text. */
export function pictureProfileLines(profile: PictureProfile): string[] {
  const { classes, split, sizes, formats, usable, grey, transparent, unusable, notes } = profile;
  const colours =
    grey === usable ? 'all grey' : grey === 0 ? 'all coloured' : `${number(grey)} grey, which become RGB beside others`;
  const all = usable + unusable.length;
  return [
    `${number(all)} pictures, ${classes.length} classes; ${all === usable ? 'all' : number(usable)} can be used`,
    ...classes.map((own, i) => `${i === 0 ? 'classes' : ''}`.padEnd(12) + classLine(own, split)),
    `sizes       ${mostFrequent(sizes)}${sizes.size > 1 ? ' (height×width); fit needs --size' : ''}`,
    `formats     ${mostFrequent(formats)}`,
    `colours     ${colours}`,
    ...(transparent > 0 ? [`transparent ${number(transparent)} have an alpha channel (--background)`] : []),
    ...(unusable.length > 0
      ? [`unusable    ${number(unusable.length)}, which fit leaves out (--strict stops there)`]
      : []),
    ...unusable.map(([file, reason]) => `  ${file}: ${reason}`),
    ...notes.map((text) => `note        ${text}`),
  ];
}

function classLine({ name, train, test, unusable }: ClassProfile, split: boolean): string {
  const parts = split ? `${number(train)} to train, ${number(test)} to test` : number(train);
  return `${name}: ${parts}${unusable > 0 ? `, and ${number(unusable)} unusable` : ''}`;
}

function mostFrequent(counts: ReadonlyMap<string, number>): string {
  const all = [...counts].map(([text, count]) => `${text} (${number(count)})`);
  const more = all.length > LISTED ? ` and ${all.length - LISTED} others` : '';
  return all.length === 0 ? 'none' : `${all.slice(0, LISTED).join(', ')}${more}`;
}

/** Whether a folder has pictures at any depth, or holds images as MNIST does. */
export function isPictureFolder(path: string): boolean {
  return existsSync(path) && (isIdxFolder(readdirSync(path)) || filesBelow(path).pictures.length > 0);
}
