// The HTML report: one self-contained file with tables and plots as SVG, which opens without a network.

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { writeFileAtomic } from '../data/node.js';
import type { Experiment, Metric } from './contract.js';
import type { CurvePoint, RunResult } from './run.js';
import type { Summary } from './statistics.js';

/** `70.2 ± 0.5`, without the spread for a single seed or an exact count. */
export function formatSummary({ mean, sd }: Summary, { digits = 2 }: Metric): string {
  if (Number.isNaN(mean)) return '–';
  const show = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return sd === 0 ? show(mean) : `${show(mean)} ± ${show(sd)}`;
}

/** The metrics that some method has. */
export function shownMetrics(experiment: Experiment, { rows }: RunResult): [name: string, metric: Metric][] {
  return Object.entries(experiment.metrics).filter(([name]) =>
    rows.some(({ metrics }) => !Number.isNaN(metrics[name]?.mean ?? Number.NaN)),
  );
}

function escape(text: string | number): string {
  return String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = (tag: string, values: readonly (string | number)[]) =>
    values.map((value) => `<${tag}>${escape(value)}</${tag}>`).join('');
  return `<div class="wide"><table><thead><tr>${cells('th', columns)}</tr></thead><tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table></div>`;
}

function plot(title: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({
    ...options,
    document: document as unknown as Document,
    style: { fontSize: '13px', background: 'none' },
  });
  return `<figure><figcaption>${escape(title)}</figcaption>${(drawn as unknown as { outerHTML: string }).outerHTML}</figure>`;
}

/** The mean of the first metric with its spread, method by method. */
function comparison(experiment: Experiment, result: RunResult): string {
  const [name, metric] = Object.entries(experiment.metrics)[0] as [string, Metric];
  const points = result.rows.map(({ method, metrics }) => ({ method, ...(metrics[name] as Summary) }));
  return plot(`${metric.label}, mean and standard deviation over ${result.seeds.length} seeds`, {
    width: 720,
    marginLeft: 20 + labelWidth(points),
    marginRight: 60,
    x: { label: `${metric.label} (${metric.unit ?? ''})`, grid: true, zero: true },
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
function tradeOff(experiment: Experiment, result: RunResult): string {
  const { latency } = experiment.metrics;
  if (!latency) return '';
  const [name, metric] = Object.entries(experiment.metrics)[0] as [string, Metric];
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
    y: { label: `${metric.label} (${metric.unit ?? ''})`, grid: true, nice: true },
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

/** Mean validation metric by epoch; the loss where nothing is validated. Runs that report their progress alone have neither. */
function curves(points: readonly CurvePoint[]): string {
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

/** Pixels that the longest name takes. */
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

/** Moves labels up so far that none lies on the one below it, given the range that the plot shows. */
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

const style = `
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2b30; background: #fdfcf9; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
  table { border-collapse: collapse; } th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #ddd6c8; white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; } th { font-weight: 600; white-space: normal; vertical-align: bottom; }
  .wide { overflow-x: auto; } figure { margin: 1.5rem 0; overflow-x: auto; } figcaption { font-weight: 600; margin-bottom: .4rem; }
  .holds { color: #2b7a4b; } .fails { color: #b3402a; } .note { color: #5a676b; } pre { white-space: pre-wrap; }
  @media (prefers-color-scheme: dark) { body { color: #e8e6e1; background: #14191b; } th, td { border-color: #39423f; } .note { color: #9aa5a8; } .holds { color: #6fc493; } .fails { color: #ef8f79; } }
`;

/** Writes the report of a run. */
export function writeReport(experiment: Experiment, result: RunResult, path: string): void {
  const metrics = shownMetrics(experiment, result);
  const heading = metrics.map(([, { label, unit }]) => (unit ? `${label} (${unit})` : label));
  const rows = result.rows.map(({ method, metrics: values }) => [
    method,
    ...metrics.map(([name, metric]) => formatSummary(values[name] as Summary, metric)),
  ]);
  const claims = result.claims
    .map(
      ({ claim, value, bound, holds }) =>
        `<li class="${holds ? 'holds' : 'fails'}">${holds ? '✓' : '✗'} ${escape(claim)}: <b>${escape(value.toPrecision(4))}</b> (bound ${escape(bound)})</li>`,
    )
    .join('');
  const studies = result.studies
    .map(
      (study) =>
        `<h2>${escape(study.title)}</h2>${table(study.columns, study.rows)}<p class="note">${escape(study.note)}</p>`,
    )
    .join('');
  const settings = Object.entries(result.options)
    .map(([name, value]) => `${name}=${value}`)
    .join('  ');
  writeFileAtomic(
    path,
    `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(experiment.title)}</title><style>${style}</style></head>
<body>
<h1>${escape(experiment.title)}</h1>
<p class="note">${escape(experiment.paper)}</p>
<p>${escape(result.description)}. Seeds ${result.seeds.join(', ')}; ${result.threads} threads; ${result.seconds.toFixed(0)} s.</p>
${table(['method', ...heading], rows)}
${result.notes.map((note) => `<p class="note">${escape(note)}</p>`).join('')}
${comparison(experiment, result)}
${tradeOff(experiment, result)}
<h2>Claims</h2>
<p>${escape(experiment.abstract)}</p>
<ul style="list-style:none;padding:0">${claims}</ul>
${studies}
${curves(result.curves)}
<h2>Settings</h2><pre class="note">${escape(settings)}</pre>
</body></html>
`,
  );
}
