// The report on a graph as a page: one self-contained file with plots as SVG.

import { escapeHtml, htmlTable, style as pageStyle } from '../../experiments/runner/html.js';
import { type DirectednessReport, guidancePatterns } from '../../graph/index.js';
import {
  agreementFigure,
  bowTieFigure,
  compatibilityFigure,
  degreeFigure,
  gauge,
  patternFigure,
  smoothingFigure,
  spectrumFigure,
  walkFigure,
} from './figures.js';
import type { LoadedGraph } from './load.js';
import { count, dataLine, patternTitles, percent, short, verdict } from './text.js';

const style = `${pageStyle}
  .verdict { display: flex; gap: 2rem; align-items: center; flex-wrap: wrap; border: 1px solid #ddd6c8; border-radius: .6rem; padding: 1rem 1.4rem; }
  .verdict h2 { margin: 0 0 .4rem; } .verdict ul { margin: 0; padding-left: 1.1rem; } .verdict > div { flex: 1 1 22rem; }
  .side { display: flex; flex-wrap: wrap; gap: 0 2rem; } .side figure { flex: 1 1 24rem; }
  @media (prefers-color-scheme: dark) { .verdict { border-color: #39423f; } svg { color: #e8e6e1; } }
`;

/** The page of a report. */
export function reportPage(data: LoadedGraph, report: DirectednessReport): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(data.name)}: report on a graph</title><style>${style}</style></head>
<body>
<h1>${escapeHtml(data.name)}</h1>
<p class="note">${escapeHtml(dataLine(data))}.</p>
<section class="verdict">${gauge(report)}<div><h2>${escapeHtml(verdict(report))}</h2><ul>${report.advice
    .map((sentence) => `<li>${escapeHtml(sentence)}</li>`)
    .join('')}</ul></div></section>
${guidanceSection(report)}
${homophilySection(report)}
${topologySection(report)}
${spectrumSection(report)}
<h2>Walks</h2>
<p class="note">Walks of at most 6 steps without immediate return: along arcs, against them, or with either at each step.</p>
${walkTable(report)}
${report.homophily ? walkFigure(report) : ''}
${report.smoothing ? `<h2>Depth</h2>\n<p class="note">Smoothing level of the features after each number of propagations over the undirected graph: what is left of what tells nodes apart.</p>${smoothingFigure(report)}` : ''}
</body></html>
`;
}

function guidanceSection(report: DirectednessReport): string {
  const { guidance } = report;
  if (!guidance) return '';
  const rows = guidancePatterns.map((pattern) => {
    const { pairs, agreement, excess, complete } = guidance.patterns[pattern];
    return [
      patternTitles[pattern],
      `${count(pairs)}${complete ? '' : ' (sampled)'}`,
      percent(agreement),
      short(excess),
    ];
  });
  return `<h2>Do directions carry information on the labels?</h2>
<p class="note">Pairs of labelled nodes that are two arcs apart. S is 1 minus the agreement of undirected pairs as a share of the largest agreement of directed ones, both above chance (${percent(guidance.chance)}); from 0.5 on, directions are kept. ${count(guidance.labelled)} labels were read.</p>
${htmlTable({ columns: ['pattern', 'pairs', 'of one class', 'above chance'], rows })}
${agreementFigure(report)}`;
}

function homophilySection(report: DirectednessReport): string {
  const { homophily } = report;
  if (!homophily) return '';
  return `<h2>Homophily</h2>
<p>${percent(homophily.edges)} of arcs stay within a class. Node homophily is ${short(homophily.undirected)} without directions; the best pattern reaches ${short(homophily.effective)}, the <i>effective</i> homophily.</p>
<div class="side">${patternFigure(report)}${compatibilityFigure(report)}</div>`;
}

function topologySection(report: DirectednessReport): string {
  const { topology } = report;
  const rows = [
    ['arcs with an opposite one', percent(topology.reciprocity)],
    ['self-loops', count(topology.selfLoops)],
    ['sources, sinks, isolated', [topology.sources, topology.sinks, topology.isolated].map(count).join(', ')],
    ['connected components', count(topology.components)],
    [
      'strongly connected components',
      `${count(topology.strongComponents)}, the largest of ${count(topology.largestStrongComponent)} nodes`,
    ],
    ['cycles', topology.acyclic ? 'none' : 'yes'],
    ['trophic incoherence (0 layered, 1 not at all)', short(topology.trophicIncoherence)],
    ...(['outDegrees', 'inDegrees'] as const).map((side) => {
      const law = topology[side];
      const tail = law.tail ? `; tail ∝ d^−${law.tail.exponent.toFixed(1)} from ${law.tail.from} on` : '';
      return [
        side === 'outDegrees' ? 'out-degrees' : 'in-degrees',
        `mean ${law.mean.toFixed(1)}, median ${law.median}, most ${count(law.largest)}${tail}`,
      ];
    }),
  ] as [string, string][];
  return `<h2>Topology</h2>
${htmlTable({ columns: ['', ''], rows })}
<div class="side">${bowTieFigure(report)}${degreeFigure(report)}</div>`;
}

function spectrumSection(report: DirectednessReport): string {
  const { spectrum } = report;
  if (!spectrum) return '';
  const rows = spectrum.charges.map(({ q, eigenvalues, explained }) => [
    String(q),
    ...eigenvalues.slice(0, 4).map((value) => value.toFixed(3)),
    percent(explained, 0),
  ]);
  const width = Math.min(4, spectrum.charges[0]?.eigenvalues.length ?? 0);
  const columns = ['q', ...Array.from({ length: width }, (_, i) => `λ${i + 1}`), 'of labels explained'];
  return `<h2>Magnetic Laplacian</h2>
<p class="note">Lowest eigenvalues of the largest component (${count(spectrum.nodes)} nodes) by charge q, and the variance of the labels that the eigenvectors explain. At q = 0 directions are ignored.</p>
${htmlTable({ columns, rows })}
${spectrumFigure(report)}`;
}

function walkTable({ sequence }: DirectednessReport): string {
  const rows = Object.entries(sequence).map(([kind, { meanLength, ended, returned }]) => [
    kind,
    meanLength.toFixed(1),
    percent(ended, 0),
    percent(returned, 0),
  ]);
  return htmlTable({ columns: ['walks', 'steps', 'end early', 'return'], rows });
}
