// A folder of pictures of things to count, and a table of the places of the things.

import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { unusableReason } from './class-folders.js';
import {
  type CountedPicture,
  type CountedPictures,
  type CountedReading,
  type Places,
  pixelStatistics,
  placesOf,
} from './counted-pictures.js';
import { readBytes, readUnpackedText } from './files.js';
import { tableIn } from './graph-folder.js';
import { filesBelow } from './picture-files.js';
import { decodePicture, type Picture, type PictureOptions, planesOf } from './pictures.js';

/** Options of `readCountedPictures`. */
export interface CountedPicturesOptions extends CountedReading {
  /** Most pixels of a picture. Default: 2²⁶. */
  readonly maxPixels?: number | undefined;
  /** Called with what is left out. */
  readonly onNote?: (text: string) => void;
  /** Called after each picture. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Decodes a picture for counting, at its own size times the scale.
 *
 * @throws Error as `decodePicture`
 */
export async function decodeCounted(
  file: string,
  { scale, background }: CountedReading,
  limit: Pick<PictureOptions, 'maxPixels'> = {},
): Promise<{ readonly picture: Picture; readonly original: readonly [height: number, width: number] }> {
  const bytes = readBytes(file);
  const whole = await decodePicture(bytes, { ...limit, background });
  const original = [whole.height, whole.width] as const;
  if (scale === 1) return { picture: whole, original };
  const [height, width] = original.map((side) => Math.max(1, Math.round(scale * side))) as [number, number];
  return { picture: await decodePicture(bytes, { ...limit, height, width, background }), original };
}

/**
 * Reads a folder of pictures with a table `points.csv` (or .tsv, .txt) of the places of what is to
 * be counted: `picture,x,y`, the picture by its path within the folder. Pictures that the table
 * does not name are left out and noted.
 *
 * @throws Error for a folder without the table, a picture that is missing or cannot be read, or
 * naming the line of a place outside its picture
 */
export async function readCountedPictures(folder: string, options: CountedPicturesOptions): Promise<CountedPictures> {
  const table = tableIn(folder, 'points');
  if (!table) throw new Error(`folder "${folder}" holds no points.csv with the columns picture, x and y`);
  const places = placesOf(readUnpackedText(table), table);
  if (places.size === 0) throw new Error(`"${table}" has a header and no places`);
  const { channels, scale, maxPixels, onNote, onProgress } = options;
  const limit = maxPixels === undefined ? {} : { maxPixels };
  noteUnnamed(folder, places, onNote);
  const pictures: CountedPicture[] = [];
  for (const [name, { line, points }] of places) {
    const file = join(folder, name);
    if (!existsSync(file)) throw new Error(`"${table}", line ${line}: there is no picture "${file}"`);
    const { picture, original } = await decodeCounted(file, options, limit).catch((error: Error) => {
      throw new Error(`picture "${file}" cannot be read: ${unusableReason(error, file)}`);
    });
    const [height, width] = original;
    const outside = points.find(([x, y]) => x >= width + 1 || y >= height + 1);
    if (outside)
      throw new Error(
        `"${table}": x ${outside[0]} and y ${outside[1]} lie outside of "${name}", which is ${width} pixels wide and ${height} high`,
      );
    const placed = Float32Array.from(points.flatMap(([x, y]) => [x * scale, y * scale]));
    pictures.push({
      name,
      height: picture.height,
      width: picture.width,
      planes: planesOf(picture, channels),
      points: placed,
    });
    onProgress?.(pictures.length, places.size);
  }
  return { name: folder, channels, pictures, ...pixelStatistics(pictures, channels) };
}

/** Notes the pictures of a folder that a table of places does not name. */
function noteUnnamed(folder: string, places: Places, onNote: CountedPicturesOptions['onNote']): void {
  const named = new Set([...places.keys()].map((name) => join(folder, name)));
  const unnamed = filesBelow(folder)
    .pictures.filter((file) => !named.has(file))
    .map((file) => relative(folder, file));
  if (unnamed.length > 0)
    onNote?.(
      `points name no places in ${unnamed.slice(0, 3).join(', ')}${unnamed.length > 3 ? `, and ${unnamed.length - 3} more` : ''}: left out; a line with empty x and y says that there is nothing to count`,
    );
}
