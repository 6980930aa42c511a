// The front of a search as a table, a picture and text.

import * as Plot from '@observablehq/plot';
import { evaluationTable, type GeneSpace, type LogEntry } from '../../../compress/index.js';
import { svgFile } from '../../../data/svg-plot.js';
import { textTable } from '../../result.js';
import type { Candidate } from './flags.js';

/** A front as a table of genes and measurements, the last column 1 for the chosen one. */
export function frontTable(space: GeneSpace, entries: readonly LogEntry[], chosen: number): string {
  const marked = entries.map(({ genome, measured }, i) => ({
    genome,
    measured: { ...measured, chosen: Number(i === chosen) },
  }));
  return evaluationTable(space, marked);
}

/** The two objectives of all measurements, the front among them, and the chosen one, as SVG. */
export function frontPicture(
  all: readonly Candidate[],
  front: readonly Candidate[],
  chosen: Candidate,
  [y = 'accuracy', x]: readonly string[],
): string {
  const points = (own: readonly Candidate[]) =>
    own.map(({ measured }, i) => ({ x: x === undefined ? i : measured[x], y: measured[y] }));
  return svgFile({
    ...{ width: 720, height: 440, marginLeft: 60, grid: true },
    style: { fontSize: '13px', background: 'white' },
    x: { label: x === undefined ? 'evaluation' : `${x}${UNITS[x] ?? ''}`, nice: true },
    y: { label: `${y}${UNITS[y] ?? ''}`, nice: true },
    marks: [
      Plot.dot(points(all), { x: 'x', y: 'y', r: 2, fill: '#b9c4c6' }),
      Plot.line(points(front), { x: 'x', y: 'y', stroke: '#3a7d8c', sort: 'x' }),
      Plot.dot(points(front), { x: 'x', y: 'y', r: 4, fill: '#3a7d8c' }),
      Plot.dot(points([chosen]), { x: 'x', y: 'y', r: 8, stroke: '#c8553d', strokeWidth: 2 }),
    ],
  });
}

/** Units of the metrics of networks of pictures. */
const UNITS: Readonly<Record<string, string>> = {
  latency: ' (ms a pass)',
  accuracy: ' on validation',
  macs: ' an input',
};

/** The front as a table for people, the chosen one marked. */
export function frontText(front: readonly Candidate[], chosen: Candidate): string {
  const names = Object.keys(front[0]?.measured ?? {});
  const rows = front.map((own) => [
    ...names.map((name) => shown(own.measured[name] as number)),
    own === chosen ? '← chosen' : '',
  ]);
  return textTable([...names, ''], rows);
}

const shown = (value: number) =>
  Number.isInteger(value) ? value.toLocaleString('en-US') : Number(value.toPrecision(4)).toString();
