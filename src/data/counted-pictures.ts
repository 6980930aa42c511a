// Pictures of things to count, with the places of the things.

import { readCsv } from './formats/index.js';
import type { ImageDataset } from './images.js';
import { columnFinder } from './node-tables.js';
import type { Background } from './pictures.js';

/** A picture with the places of what is counted in it. */
export interface CountedPicture {
  /** Path within the folder. */
  readonly name: string;
  /** Pixels. */
  readonly height: number;
  /** Pixels. */
  readonly width: number;
  /** Intensities 0…255 [channels, height, width]. */
  readonly planes: Uint8Array;
  /** x and y of each thing in pixels from the left and from the top: [2n]. */
  readonly points: Float32Array;
}

/** Pictures of any sizes with the statistics of their pixels. */
export interface CountedPictures extends Pick<ImageDataset, 'mean' | 'deviation'> {
  /** Name or path. */
  readonly name: string;
  /** 1 for grey, 3 for RGB. */
  readonly channels: 1 | 3;
  /** The pictures. */
  readonly pictures: readonly CountedPicture[];
}

/** How pictures are read, for training and later for counting alike. */
export interface CountedReading {
  /** 1 for grey, 3 for RGB. */
  readonly channels: 1 | 3;
  /** Factor of height and width. */
  readonly scale: number;
  /** What transparent pixels are laid on. */
  readonly background: Background;
}

/** Places of things by the name of the picture, with the line of the first. */
export type Places = ReadonlyMap<
  string,
  { readonly line: number; readonly points: readonly (readonly [number, number])[] }
>;

/**
 * The places of a table with a header `picture,x,y` and a line for each thing; a line with empty x
 * and y says that nothing is to be counted in a picture.
 *
 * @param name what errors call the table
 * @throws Error naming a column that is missing, or the line of a place that is none
 */
export function placesOf(text: string, name: string): Places {
  const table = readCsv(text, name);
  const at = columnFinder(table);
  const [picture, x, y] = (['picture', 'x', 'y'] as const).map((column) => {
    const found = at(column);
    if (found < 0)
      throw new Error(`"${name}" has no column "${column}"; its header is picture,x,y, not ${table.columns.join(',')}`);
    return found;
  }) as [number, number, number];
  const places = new Map<string, { line: number; points: (readonly [number, number])[] }>();
  table.rows.forEach((row, i) => {
    const own = (row[picture] as string).trim();
    if (own === '') throw new Error(`"${name}", line ${i + 2}: no picture is named`);
    const fields = [row[x] as string, row[y] as string].map((field) => field.trim());
    const entry = places.get(own) ?? { line: i + 2, points: [] };
    places.set(own, entry);
    if (fields.every((field) => field === '')) return;
    const place = fields.map((field) => (field === '' ? Number.NaN : Number(field)));
    if (!place.every((value) => Number.isFinite(value) && value >= 0))
      throw new Error(
        `"${name}", line ${i + 2}: x "${fields[0]}" and y "${fields[1]}" are no place in pixels from the upper left corner`,
      );
    entry.points.push(place as unknown as readonly [number, number]);
  });
  return places;
}

/** Mean and deviation of each channel, in units of 255. */
export function pixelStatistics(
  pictures: readonly Pick<CountedPicture, 'height' | 'width' | 'planes'>[],
  channels: number,
): Pick<ImageDataset, 'mean' | 'deviation'> {
  const moments = Array.from({ length: channels }, (_, channel) => {
    let [count, sum, squares] = [0, 0, 0];
    for (const { height, width, planes } of pictures) {
      const plane = height * width;
      for (let i = channel * plane; i < (channel + 1) * plane; i++) {
        const value = (planes[i] as number) / 255;
        sum += value;
        squares += value * value;
      }
      count += plane;
    }
    const mean = sum / count;
    // Constant pictures have deviation 0, which must not be divided by.
    return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean ** 2)) || 1 };
  });
  return { mean: moments.map(({ mean }) => mean), deviation: moments.map(({ deviation }) => deviation) };
}
