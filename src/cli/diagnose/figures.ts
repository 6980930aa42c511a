// Plots of the report on a graph, as SVG.

import * as Plot from '@observablehq/plot';
import { escapeHtml } from '../../experiments/runner/html.js';
import { plot } from '../../experiments/runner/plots.js';
import { type DirectednessReport, guidancePatterns, walkKinds } from '../../graph/index.js';
import { type BowTiePart, bowTieParts } from '../../structure/index.js';
import { MOST_CLASSES, patternTitles } from './text.js';

const teal = '#3a7d8c';
const rust = '#c8553d';
const sand = '#c9a227';

/** S on a half circle from undirected (0) to directed (1), with the threshold. */
export function gauge({ guidance }: DirectednessReport): string {
  const score = guidance?.score ?? Number.NaN;
  const at = (share: number, radius: number) => {
    const angle = Math.PI * (1 - share);
    return `${(110 + radius * Math.cos(angle)).toFixed(1)} ${(110 - radius * Math.sin(angle)).toFixed(1)}`;
  };
  const arc = (from: number, to: number, colour: string) =>
    `<path d="M ${at(from, 90)} A 90 90 0 0 1 ${at(to, 90)}" fill="none" stroke="${colour}" stroke-width="16"/>`;
  const known = !Number.isNaN(score);
  const needle = known
    ? `<path d="M ${at(score, 66)} L ${at(score, 104)}" stroke="currentColor" stroke-width="4" stroke-linecap="round"/>`
    : '';
  return `<svg viewBox="0 0 220 132" width="220" role="img" aria-label="S ${known ? score.toFixed(2) : 'undecided'}">
${arc(0, 0.5, '#b9c4c6')}${arc(0.5, 1, teal)}${needle}
<text x="110" y="104" text-anchor="middle" font-size="34" font-weight="600" fill="currentColor">${known ? score.toFixed(2) : '?'}</text>
<text x="20" y="128" font-size="12" text-anchor="middle" fill="currentColor">undirected</text><text x="200" y="128" font-size="12" text-anchor="middle" fill="currentColor">directed</text>
</svg>`;
}

/** Agreement of pairs two arcs apart, against chance. */
export function agreementFigure({ guidance }: DirectednessReport): string {
  if (!guidance) return '';
  const points = guidancePatterns.map((pattern) => ({
    pattern: patternTitles[pattern],
    share: 100 * guidance.patterns[pattern].agreement,
    kind: pattern === 'A_uA_u' ? 'undirected' : 'directed',
  }));
  return plot('Pairs of one class, %; the line is chance', {
    width: 720,
    height: 200,
    marginLeft: 190,
    x: { label: '%', grid: true, domain: [0, 100] },
    y: { label: null, domain: points.map(({ pattern }) => pattern) },
    color: { domain: ['directed', 'undirected'], range: [teal, rust], legend: false },
    marks: [
      Plot.barX(points, { x: 'share', y: 'pattern', fill: 'kind', insetTop: 4, insetBottom: 4 }),
      Plot.ruleX([100 * guidance.chance], { stroke: 'currentColor', strokeDasharray: '4 3' }),
    ],
  });
}

/** Node homophily by pattern. */
export function patternFigure({ homophily }: DirectednessReport): string {
  if (!homophily) return '';
  const points = [
    ...Object.entries(homophily.patterns).map(([pattern, value]) => ({ pattern, value, kind: 'directed' })),
    { pattern: 'undirected', value: homophily.undirected, kind: 'undirected' },
  ].filter(({ value }) => !Number.isNaN(value));
  return plot('Node homophily by pattern', {
    width: 420,
    height: 280,
    marginLeft: 80,
    x: { label: 'share of the class', domain: [0, 1], grid: true },
    y: { label: null, domain: points.map(({ pattern }) => pattern) },
    color: { domain: ['directed', 'undirected'], range: [teal, rust], legend: false },
    marks: [Plot.barX(points, { x: 'value', y: 'pattern', fill: 'kind', insetTop: 3, insetBottom: 3 })],
  });
}

/** Arcs from class to class. */
export function compatibilityFigure({ homophily }: DirectednessReport): string {
  if (!homophily) return '';
  const names = homophily.classNames.slice(0, MOST_CLASSES);
  const cells = names.flatMap((from, a) =>
    names.map((to, b) => ({ from, to, share: homophily.compatibility[a]?.[b] ?? 0 })),
  );
  const label = 12 + 7 * Math.max(...names.map((name) => name.length));
  return plot('Arcs from class (row) to class (column), % of a row', {
    width: Math.min(560, 80 + label + 48 * names.length),
    height: 70 + 34 * names.length,
    marginLeft: label,
    marginTop: 34,
    x: { label: null, domain: names, axis: 'top' },
    y: { label: null, domain: names },
    color: { scheme: 'blues', domain: [0, 1] },
    marks: [
      Plot.cell(cells, { x: 'to', y: 'from', fill: 'share', inset: 1 }),
      Plot.text(cells, {
        x: 'to',
        y: 'from',
        text: (d) => (100 * d.share).toFixed(0),
        fill: (d) => (d.share > 0.55 ? 'white' : '#1d2b30'),
      }),
    ],
  });
}

/** The bow-tie as areas: in, core and out, with what hangs on them below. */
export function bowTieFigure({ topology }: DirectednessReport): string {
  const { bowTie, nodes } = topology;
  const share = (part: BowTiePart) => bowTie[part] / nodes;
  const size = (part: BowTiePart) => 16 + 64 * Math.sqrt(share(part));
  const text = (x: number, y: number, part: BowTiePart) =>
    `<text x="${x}" y="${y}" text-anchor="middle" font-size="13" fill="currentColor">${part} ${(100 * share(part)).toFixed(0)} %</text>`;
  const wing = (side: -1 | 1, part: BowTiePart, colour: string) => {
    const [inner, outer, half] = [210 + side * size('core'), 210 + side * 170, size(part)];
    return `<path d="M ${inner} 110 L ${outer} ${110 - half} L ${outer} ${110 + half} Z" fill="${colour}" fill-opacity=".8"/>`;
  };
  const others = (['tube', 'tendril', 'disconnected'] as const).map(
    (part, i) =>
      `<rect x="${50 + 130 * i}" y="222" width="12" height="12" fill="${['#8a9a5b', '#b07aa1', '#9aa5a8'][i]}"/><text x="${68 + 130 * i}" y="233" font-size="13" fill="currentColor">${part} ${(100 * share(part)).toFixed(0)} %</text>`,
  );
  const described = bowTieParts.map((part) => `${part} ${(100 * share(part)).toFixed(0)} %`).join(', ');
  return `<figure><figcaption>Bow-tie around the largest strongly connected component</figcaption><svg viewBox="0 0 420 240" width="420" role="img" aria-label="${escapeHtml(described)}">
${wing(-1, 'in', teal)}${wing(1, 'out', sand)}<circle cx="210" cy="110" r="${size('core').toFixed(1)}" fill="${rust}" fill-opacity=".85"/>
${text(70, 20, 'in')}${text(210, 20, 'core')}${text(350, 20, 'out')}
${others.join('')}</svg></figure>`;
}

/** Share of nodes with at least so many arcs. */
export function degreeFigure({ topology }: DirectednessReport): string {
  const points = (['outDegrees', 'inDegrees'] as const).flatMap((side) =>
    topology[side].distribution.map((point) => ({ ...point, side: side === 'outDegrees' ? 'out' : 'in' })),
  );
  if (points.length === 0) return '';
  const last = ['out', 'in'].flatMap((side) => points.filter((point) => point.side === side).slice(0, 1));
  return plot('Nodes with at least d arcs', {
    width: 420,
    height: 280,
    marginRight: 40,
    x: { type: 'log', label: 'd (logarithmic)', grid: true, tickFormat: (d: number) => String(d) },
    y: { type: 'log', label: 'share of nodes (logarithmic)', grid: true },
    color: { domain: ['out', 'in'], range: [teal, rust], legend: false },
    marks: [
      Plot.lineY(points, { x: 'degree', y: 'share', z: 'side', stroke: 'side', strokeWidth: 2 }),
      Plot.dot(points, { x: 'degree', y: 'share', fill: 'side', r: 2 }),
      Plot.text(last, { x: 'degree', y: 'share', text: 'side', fill: 'side', dx: -12, fontWeight: 600 }),
    ],
  });
}

/** Low eigenvalues and labels explained, by q. */
export function spectrumFigure({ spectrum }: DirectednessReport): string {
  if (!spectrum) return '';
  const values = spectrum.charges.flatMap(({ q, eigenvalues }) =>
    eigenvalues.map((value, i) => ({ q, value, i: `λ${i + 1}` })),
  );
  const explained = spectrum.charges
    .filter((charge) => !Number.isNaN(charge.explained))
    .map(({ q, explained: share }) => ({ q, share: 100 * share }));
  const lines = plot('Lowest eigenvalues by q', {
    width: 420,
    height: 260,
    x: { label: 'q', grid: true },
    y: { label: 'λ', grid: true, zero: true },
    marks: [Plot.lineY(values, { x: 'q', y: 'value', z: 'i', stroke: teal, strokeOpacity: 0.8, marker: 'dot' })],
  });
  if (explained.length === 0) return lines;
  const bars = plot('Variance of labels explained by the eigenvectors, %', {
    width: 420,
    height: 260,
    x: { label: 'q', type: 'band' },
    y: { label: '%', grid: true, domain: [0, 100] },
    marks: [Plot.barY(explained, { x: 'q', y: (d) => Math.max(0, d.share), fill: rust, insetLeft: 3, insetRight: 3 })],
  });
  return `<div class="side">${lines}${bars}</div>`;
}

/** Share of walks in the class of their start, by step. */
export function walkFigure({ sequence, guidance }: DirectednessReport): string {
  const points = walkKinds.flatMap((kind) =>
    sequence[kind].agreement.map((share, t) => ({ kind, step: t + 1, share: 100 * share })),
  );
  const known = points.filter(({ share }) => !Number.isNaN(share));
  if (known.length === 0) return '';
  const last = walkKinds.flatMap((kind) => known.filter((point) => point.kind === kind).slice(-1));
  return plot('Steps that reach the class of the start, %; the line is chance', {
    width: 720,
    height: 280,
    marginRight: 90,
    x: { label: 'step', grid: true, ticks: 6 },
    y: { label: '%', grid: true, domain: [0, 100] },
    color: { domain: [...walkKinds], range: [teal, sand, rust], legend: false },
    marks: [
      Plot.ruleY(guidance ? [100 * guidance.chance] : [], { stroke: 'currentColor', strokeDasharray: '4 3' }),
      Plot.lineY(known, { x: 'step', y: 'share', z: 'kind', stroke: 'kind', strokeWidth: 2, marker: 'dot' }),
      Plot.text(last, { x: 'step', y: 'share', text: 'kind', fill: 'kind', dx: 8, textAnchor: 'start' }),
    ],
  });
}

/** Smoothing level by propagations. */
export function smoothingFigure({ smoothing = [] }: DirectednessReport): string {
  const points = smoothing.map((level, k) => ({ k, level }));
  return plot('Smoothing level after k propagations', {
    width: 720,
    height: 240,
    x: { label: 'k', grid: true },
    y: { label: 'level', grid: true, zero: true },
    marks: [Plot.lineY(points, { x: 'k', y: 'level', stroke: teal, strokeWidth: 2, marker: 'dot' })],
  });
}
