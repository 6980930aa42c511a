// Plots of a run as SVG: methods compared, accuracy against time, curves of training.

import * as Plot from '@observablehq/plot';
import { svgPlot } from '../../data/svg-plot.js';
import type { Experiment, Metric, StudyPlot } from '../parts/contract.js';
import type { Summary } from '../parts/statistics.js';
import { escapeHtml } from './html.js';
import { type CurvePoint, counted, heading, type RunResult, shownMetrics } from './result.js';

/** A plot as a figure with a caption, drawn without a browser. */
export function plot(title: string, options: Plot.PlotOptions): string {
  const drawn = svgPlot({ ...options, style: { fontSize: '13px', background: 'none' } });
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>${drawn}</figure>`;
}

/** The first metric that a run has scored. */
function mainMetric(experiment: Experiment, { rows }: RunResult): [name: string, metric: Metric] {
  return shownMetrics(experiment, rows)[0] ?? (Object.entries(experiment.metrics)[0] as [string, Metric]);
}

/** The mean of the first metric with its spread, method by method. */
export function comparison(experiment: Experiment, result: RunResult): string {
  const [name, metric] = mainMetric(experiment, result);
  const points = result.rows.map(({ method, metrics }) => ({ method, ...(metrics[name] as Summary) }));
  return plot(`${metric.label}, mean and standard deviation over ${counted(result.seeds.length, 'seed')}`, {
    width: 720,
    marginLeft: 20 + labelWidth(points),
    marginRight: 60,
    x: { label: heading(metric), grid: true, zero: true },
    y: { label: null, domain: points.map(({ method }) => method) },
    marks: [
      Plot.barX(points, { x: 'mean', y: 'method', fill: '#3a7d8c', insetTop: 4, insetBottom: 4 }),
      Plot.ruleY(points, {
        x1: (d) => d.mean - d.sd,
        x2: (d) => d.mean + d.sd,
        y: 'method',
        stroke: '#1d2b30',
        strokeWidth: 2,
      }),
      Plot.text(points, {
        x: (d) => d.mean + d.sd,
        y: 'method',
        text: (d) => d.mean.toFixed(metric.digits ?? 2),
        dx: 8,
        textAnchor: 'start',
      }),
    ],
  });
}

/** The first metric against inference time, for methods that have one. */
export function tradeOff(experiment: Experiment, result: RunResult): string {
  const latency = shownMetrics(experiment, result.rows).find(([own]) => own === 'latency')?.[1];
  if (!latency) return '';
  const [name, metric] = mainMetric(experiment, result);
  const points = result.rows.map(({ method, metrics }) => ({
    method,
    x: metrics.latency?.mean ?? Number.NaN,
    y: metrics[name]?.mean ?? Number.NaN,
  }));
  return plot(`${metric.label} against the time for ${latency.label}`, {
    width: 720,
    height: 360,
    marginRight: 130,
    x: {
      type: 'log',
      label: 'milliseconds (logarithmic)',
      grid: true,
      nice: true,
      tickFormat: (d: number) => String(d),
    },
    y: { label: heading(metric), grid: true, nice: true },
    marks: [
      Plot.dot(points, { x: 'x', y: 'y', r: 6, fill: '#c8553d' }),
      Plot.text(spread(points, rangeOf(points.map(({ y }) => y))), {
        x: 'x',
        y: 'y',
        text: 'method',
        dx: 10,
        textAnchor: 'start',
      }),
    ],
  });
}

/**
 * Mean validation metric by epoch; the loss where nothing is validated. Runs that report their
 * progress alone have neither.
 */
export function trainingCurves(points: readonly CurvePoint[]): string {
  const validated = points.some(({ metric }) => metric !== undefined);
  const name = validated ? 'validation metric' : 'loss';
  const known = points
    .map(({ method, epoch, metric, loss }) => ({ method, epoch, value: validated ? (metric ?? Number.NaN) : loss }))
    .filter(({ value }) => Number.isFinite(value));
  if (known.every(({ value }) => value === 0)) return '';
  return plot(`The ${name} while training, mean over seeds`, {
    width: 720,
    height: 360,
    color: { legend: false, scheme: 'observable10' },
    x: { label: 'epoch', grid: true },
    y: { label: name, grid: true },
    marginRight: 30 + labelWidth(known),
    marks: [
      Plot.lineY(
        known,
        Plot.groupX({ y: 'mean' }, { x: 'epoch', y: 'value', z: 'method', stroke: 'method', strokeWidth: 1.5 }),
      ),
      Plot.text(spread(lastOf(known), rangeOf(known.map(({ value }) => value))), {
        x: 'x',
        y: 'y',
        text: 'method',
        fill: 'method',
        dx: 8,
        textAnchor: 'start',
      }),
    ],
  });
}

/** The picture of a study. */
export function studyPlot({ kind, title, x, y, logarithmic = false, points }: StudyPlot): string {
  if (kind === 'matrix') return matrices(title, { x, y: y ?? '' }, points);
  return kind === 'line' ? lines(title, { x, y: y ?? '', logarithmic }, points) : histogram(title, x, points);
}

/** A matrix for each method, three in a row, with the value of each cell in it. */
function matrices(title: string, { x, y }: { readonly x: string; readonly y: string }, points: StudyPoints): string {
  const methods = [...new Set(points.map(({ method }) => method))];
  const columns = new Set(points.map((point) => point.x)).size;
  const rows = new Set(points.map((point) => point.y)).size;
  const across = Math.min(3, methods.length);
  const side = Math.min(40, 640 / (across * columns));
  const cells = points.map((point) => {
    const at = methods.indexOf(point.method);
    return { ...point, column: at % across, row: Math.floor(at / across) };
  });
  const names = cells.filter((own, i) => cells.findIndex(({ method }) => method === own.method) === i);
  return plot(title, {
    width: 90 + across * (columns * side + 24),
    height: 60 + Math.ceil(methods.length / across) * (rows * side + 34),
    marginTop: 34,
    padding: 0,
    x: { label: x, tickFormat: (d: number) => String(d) },
    y: { label: y, tickFormat: (d: number) => String(d) },
    fx: { axis: null },
    fy: { axis: null, padding: 34 / (rows * side + 34) },
    color: { type: 'linear', scheme: 'YlGnBu' },
    marks: [
      Plot.cell(cells, { x: 'x', y: 'y', fx: 'column', fy: 'row', fill: 'value', inset: 0.5 }),
      Plot.text(cells, {
        ...{ x: 'x', y: 'y', fx: 'column', fy: 'row', fontSize: 10 },
        text: ({ value = Number.NaN }) => value.toFixed(0),
        fill: ({ value = 0 }) => (value > 60 ? 'white' : 'black'),
      }),
      Plot.text(names, { fx: 'column', fy: 'row', text: 'method', frameAnchor: 'top-left', dy: -14 }),
    ],
  });
}

type StudyPoints = StudyPlot['points'];

function lines(
  title: string,
  { x, y, logarithmic }: { readonly x: string; readonly y: string; readonly logarithmic: boolean },
  points: StudyPoints,
): string {
  const last = points.reduce((most, point) => Math.max(most, point.x), Number.NEGATIVE_INFINITY);
  return plot(title, {
    width: 720,
    height: 360,
    marginRight: 30 + labelWidth(points),
    color: { legend: false, scheme: 'observable10' },
    x: { type: logarithmic ? 'log' : 'linear', label: x, grid: true },
    y: { label: y, grid: true, nice: true },
    marks: [
      Plot.lineY(points, { x: 'x', y: 'y', z: 'method', stroke: 'method', strokeWidth: 1.5, marker: 'dot' }),
      Plot.text(
        spread(
          points.filter((point) => point.x === last),
          rangeOf(points.map((point) => point.y)),
        ),
        { x: 'x', y: 'y', text: 'method', fill: 'method', dx: 8, textAnchor: 'start' },
      ),
    ],
  });
}

/** Counts of x in forty bins, a row for each method. */
function histogram(title: string, x: string, points: StudyPoints): string {
  const methods = new Set(points.map(({ method }) => method));
  return plot(title, {
    width: 720,
    height: 60 + 70 * methods.size,
    marginRight: 30 + labelWidth(points),
    color: { legend: false, scheme: 'observable10' },
    x: { label: x, grid: true },
    y: { label: 'count', ticks: 2 },
    fy: { label: null, domain: [...methods] },
    marks: [
      Plot.rectY(points, {
        ...Plot.binX<Plot.RectYOptions>({ y: 'count' }, { x: 'x', fill: 'method', thresholds: 40 }),
        fy: 'method',
      }),
      Plot.ruleY([0]),
    ],
  });
}

/** Width of the longest name in pixels. */
function labelWidth(points: readonly { readonly method: string }[]): number {
  return 7 * points.reduce((longest, { method }) => Math.max(longest, method.length), 10);
}

interface Point {
  readonly method: string;
  readonly epoch: number;
  readonly value: number;
}

/** The mean over seeds of each method's last epoch, where its name is written. */
function lastOf(points: readonly Point[]): Label[] {
  const last = points.reduce((latest, point) => Math.max(latest, point.epoch), 0);
  const methods = [...new Set(points.map(({ method }) => method))];
  return methods.map((method) => {
    const values = points.filter((point) => point.method === method && point.epoch === last).map(({ value }) => value);
    return { method, x: last, y: values.reduce((total, value) => total + value, 0) / Math.max(values.length, 1) };
  });
}

interface Label {
  readonly method: string;
  readonly x: number;
  readonly y: number;
}

/** Moves labels up until none overlaps, given the range of the plot. */
function spread(labels: readonly Label[], range: number): Label[] {
  const gap = range / 18;
  let floor = Number.NEGATIVE_INFINITY;
  return [...labels]
    .sort((a, b) => a.y - b.y)
    .map((label) => {
      const y = Math.max(label.y, floor + gap);
      floor = y;
      return { ...label, y };
    });
}

function rangeOf(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
}
