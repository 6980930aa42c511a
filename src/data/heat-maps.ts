// Maps of numbers as pictures: by themselves, or laid over the picture that they are about.

import type { Picture } from './pictures.js';

/** Colours of viridis (van der Walt and Smith 2015) at 0, ¼, ½, ¾ and 1. */
const viridis = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
] as const;

/** A map of numbers: [rows, columns], row-major, none below 0. */
export interface NumberMap {
  /** Height. */
  readonly rows: number;
  /** Width. */
  readonly columns: number;
  /** The numbers. */
  readonly values: ArrayLike<number>;
}

/** RGB of a number from 0 to 1. */
export function heatColour(value: number): readonly [red: number, green: number, blue: number] {
  const at = Math.min(1, Math.max(0, value)) * (viridis.length - 1);
  const low = Math.min(viridis.length - 2, Math.floor(at));
  const [from, to] = [viridis[low], viridis[low + 1]] as [readonly number[], readonly number[]];
  const mixed = from.map((colour, i) => Math.round(colour + (at - low) * ((to[i] as number) - colour)));
  return mixed as unknown as [number, number, number];
}

const largest = ({ values }: NumberMap) => Array.from(values).reduce((a, b) => Math.max(a, b), 0) || 1;

/** What a map shows at each pixel of a size, relative to its largest number. */
function relativeAt(map: NumberMap, height: number, width: number): (y: number, x: number) => number {
  const most = largest(map);
  return (y, x) => {
    const [row, column] = [Math.floor((y * map.rows) / height), Math.floor((x * map.columns) / width)];
    return (map.values[row * map.columns + column] as number) / most;
  };
}

/**
 * A map as a picture of at least `side` pixels a side, each number a square; the largest is yellow.
 */
export function heatMap(map: NumberMap, side = 96): Picture {
  const scale = Math.max(1, Math.ceil(side / Math.max(map.rows, map.columns)));
  const [height, width] = [scale * map.rows, scale * map.columns];
  const at = relativeAt(map, height, width);
  return drawn(height, width, (y, x) => heatColour(at(y, x)));
}

/** The picture in grey under the colours of a map, the stronger the larger the number. */
export function heatOverlay(picture: Picture, map: NumberMap): Picture {
  const { height, width, pixels } = picture;
  const at = relativeAt(map, height, width);
  return drawn(height, width, (y, x) => {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3);
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    const value = at(y, x);
    const share = 0.75 * Math.sqrt(value);
    return heatColour(value).map((colour) => Math.round(share * colour + (1 - share) * grey));
  });
}

/** Pictures side by side on white, `columns` in a row, with a gap of pixels between them. */
export function pictureGrid(pictures: readonly Picture[], columns: number, gap = 4): Picture {
  const [cellHeight, cellWidth] = [
    Math.max(...pictures.map(({ height }) => height)),
    Math.max(...pictures.map(({ width }) => width)),
  ];
  const rows = Math.ceil(pictures.length / columns);
  const used = Math.min(columns, pictures.length);
  const [height, width] = [rows * (cellHeight + gap) - gap, used * (cellWidth + gap) - gap];
  const pixels = new Uint8Array(3 * height * width).fill(255);
  pictures.forEach((picture, i) => {
    const [top, left] = [Math.floor(i / columns) * (cellHeight + gap), (i % columns) * (cellWidth + gap)];
    for (let y = 0; y < picture.height; y++)
      pixels.set(
        picture.pixels.subarray(3 * y * picture.width, 3 * (y + 1) * picture.width),
        3 * ((top + y) * width + left),
      );
  });
  return { height, width, pixels };
}

function drawn(height: number, width: number, colourAt: (y: number, x: number) => readonly number[]): Picture {
  const pixels = new Uint8Array(3 * height * width);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set(colourAt(y, x), 3 * (y * width + x));
  return { height, width, pixels };
}
