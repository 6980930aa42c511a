// Problem files: JSON with formulas, or with arrays in files beside it.

import { dirname, resolve } from 'node:path';
import { readCsv, readNpy } from '../data/index.js';
import { readBytes, readJson, readUnpackedText } from '../data/node.js';
import { type GridValues, type ProblemDescription, problemOf, type StatedProblem } from '../hypernet/index.js';

/**
 * Loads a problem. Wherever a formula may stand, {"file": "f.npy"} or {"file": "f.csv"} names an
 * array over the box, its first row at the largest y; paths are relative to the problem's file.
 *
 * @throws Error naming the file and the field that is missing or not understood
 */
export function loadProblem(path: string): StatedProblem {
  const description = readJson(path);
  try {
    return problemOf(withArrays(description, dirname(resolve(path))) as ProblemDescription);
  } catch (error) {
    throw new Error(`file "${path}": ${(error as Error).message}`, { cause: error });
  }
}

/** The same value with arrays in place of the files that it names. */
function withArrays(value: unknown, folder: string): unknown {
  if (Array.isArray(value)) return value.map((part) => withArrays(part, folder));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[key, file] = []] = entries;
  if (entries.length === 1 && key === 'file' && typeof file === 'string') return arrayIn(resolve(folder, file));
  return Object.fromEntries(entries.map(([name, part]) => [name, withArrays(part, folder)]));
}

function arrayIn(path: string): GridValues {
  if (path.endsWith('.npy')) {
    const { shape, values } = readNpy(readBytes(path), path);
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows === undefined || columns === undefined)
      throw new Error(`"${path}" holds an array of ${shape.length} axes, expected rows and columns`);
    const numbers = Array.from(values, Number);
    return { grid: Array.from({ length: rows }, (_, i) => numbers.slice(i * columns, (i + 1) * columns)) };
  }
  if (!path.endsWith('.csv')) throw new Error(`"${path}": arrays are read from .npy or .csv`);
  // Without a header: its first line is a row like the others.
  const { columns, rows } = readCsv(readUnpackedText(path), path);
  return { grid: [columns, ...rows].map((row) => row.map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell)))) };
}

/** Points of a table with columns x and y. @throws Error naming the column or line that is off */
export function loadPoints(path: string): Float64Array {
  const { columns, rows } = readCsv(readUnpackedText(path), path);
  const [x, y] = ['x', 'y'].map((name) => columns.indexOf(name)) as [number, number];
  if (x < 0 || y < 0) throw new Error(`file "${path}": expected columns x and y, got ${columns.join(', ')}`);
  return Float64Array.from(
    rows.flatMap((row, i) =>
      [x, y].map((at) => {
        const value = Number(row[at]);
        if ((row[at] ?? '').trim() === '' || !Number.isFinite(value))
          throw new Error(`file "${path}": line ${i + 2} has "${row[at]}" where a number is expected`);
        return value;
      }),
    ),
  );
}

/**
 * Points of a rectangle on [−1, 1]², and back.
 *
 * @throws Error naming the first point that lies outside
 */
export function toSquare({ x: [x0, x1], y: [y0, y1] }: StatedProblem['box'], points: Float64Array): Float32Array {
  return Float32Array.from(points, (value, i) => {
    const [low, high] = i % 2 === 0 ? [x0, x1] : [y0, y1];
    const moved = (2 * (value - low)) / (high - low) - 1;
    if (Math.abs(moved) > 1 + 1e-6)
      throw new Error(
        `point ${Math.floor(i / 2) + 1} has ${i % 2 === 0 ? 'x' : 'y'} = ${value}, outside of [${low}, ${high}]`,
      );
    return moved;
  });
}

/**
 * Coordinates of the nodes of a grid over a rectangle: columns from the left, rows from the top.
 */
export function nodesOf({ x: [x0, x1], y: [y0, y1] }: StatedProblem['box'], n: number) {
  const along = (from: number, to: number) =>
    Float64Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1));
  return { x: along(x0, x1), y: along(y1, y0) };
}
