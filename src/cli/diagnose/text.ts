// The report on a graph as lines of text.

import { type DirectednessReport, guidancePatterns, type WalkView, walkKinds } from '../../graph/index.js';
import { bowTieParts } from '../../structure/index.js';
import { textTable } from '../result.js';
import type { LoadedGraph } from './load.js';

export const count = (value: number) => value.toLocaleString('en');
export const percent = (share: number, digits = 1) =>
  Number.isNaN(share) ? '–' : `${(100 * share).toFixed(digits)} %`;
export const short = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(2));

/** Names of the patterns of S for people. */
export const patternTitles: Readonly<Record<(typeof guidancePatterns)[number], string>> = {
  AA: 'AA    two arcs in a row',
  AAᵀ: 'AAᵀ   a target in common',
  AᵀA: 'AᵀA   a source in common',
  A_uA_u: 'undirected, two edges',
};

/** One line on the data. */
export function dataLine({ name, graph, target, labelled, classNames }: LoadedGraph): string {
  const labels =
    target === undefined
      ? 'no labels'
      : `${count(labelled.read)} nodes with one of ${classNames?.length} classes ("${target}")` +
        (labelled.hidden > 0 ? `, ${count(labelled.hidden)} test labels not read` : '');
  return `${name}: ${count(graph.nodeCount)} nodes, ${count(graph.successors.nnz)} arcs; ${labels}`;
}

/** The verdict on directions in a few words. */
export function verdict({ guidance }: DirectednessReport): string {
  if (!guidance) return 'S is not known without labels';
  if (guidance.advice === 'undecided') return 'S is undecided: too few pairs of labelled nodes';
  const { score, advice } = guidance;
  return `S = ${score.toFixed(2)} (${score >= 0.5 ? '≥' : '<'} 0.5): ${advice === 'directed' ? 'keep' : 'drop'} the directions`;
}

/** The whole report. */
export function reportText(data: LoadedGraph, report: DirectednessReport): string[] {
  return [
    dataLine(data),
    '',
    verdict(report),
    ...report.advice.map((sentence) => `  • ${sentence}`),
    ...guidanceLines(report),
    ...homophilyLines(report),
    ...topologyLines(report),
    ...spectrumLines(report),
    ...walkLines(report),
    ...smoothingLines(report),
  ];
}

function guidanceLines({ guidance }: DirectednessReport): string[] {
  if (!guidance) return [];
  const rows = guidancePatterns.map((pattern) => {
    const { pairs, agreement, excess, complete } = guidance.patterns[pattern];
    return [
      patternTitles[pattern],
      `${count(pairs)}${complete ? '' : ' (sampled)'}`,
      percent(agreement),
      short(excess),
    ];
  });
  return [
    '',
    `Pairs of labelled nodes two arcs apart (one class by chance ${percent(guidance.chance)})`,
    textTable(['pattern', 'pairs', 'of one class', 'above chance'], rows),
  ];
}

function homophilyLines({ homophily }: DirectednessReport): string[] {
  if (!homophily) return [];
  const { patterns, effective, edges, undirected, compatibility, classNames } = homophily;
  const rows = Object.entries(patterns).map(([pattern, value]) => [pattern, short(value)]);
  const shown = classNames.slice(0, MOST_CLASSES);
  return [
    '',
    `Homophily: ${percent(edges)} of arcs stay within a class; of nodes ${short(undirected)} undirected, effective ${short(effective)}`,
    textTable(['pattern', 'node homophily'], rows),
    '',
    `Arcs from class (row) to class${shown.length < classNames.length ? `, the first ${shown.length} of ${classNames.length}` : ''}`,
    textTable(
      ['', ...shown],
      shown.map((name, a) => [name, ...shown.map((_, b) => percent(compatibility[a]?.[b] ?? Number.NaN, 0))]),
    ),
  ];
}

/** Classes of a table at most. */
export const MOST_CLASSES = 12;

function topologyLines({ topology }: DirectednessReport): string[] {
  const { bowTie, outDegrees, inDegrees } = topology;
  const degrees = (law: typeof outDegrees) =>
    `mean ${law.mean.toFixed(1)}, median ${law.median}, most ${count(law.largest)}; a tenth of the nodes has ${percent(law.topShare, 0)}` +
    (law.tail ? `; tail ∝ d^−${law.tail.exponent.toFixed(1)} from ${law.tail.from} on` : '');
  const parts = bowTieParts.map((part) => `${part} ${percent(bowTie[part] / topology.nodes, 0)}`);
  return [
    '',
    'Topology',
    `  reciprocity   ${percent(topology.reciprocity)} of arcs have an opposite one; ${count(topology.selfLoops)} self-loops`,
    `  out-degrees   ${degrees(outDegrees)}`,
    `  in-degrees    ${degrees(inDegrees)}`,
    `  ends          ${count(topology.sources)} sources, ${count(topology.sinks)} sinks, ${count(topology.isolated)} isolated nodes`,
    `  components    ${count(topology.components)} connected, ${count(topology.strongComponents)} strongly connected, the largest of ${count(topology.largestStrongComponent)} nodes${topology.acyclic ? '; no cycles' : ''}`,
    `  bow-tie       ${parts.join(', ')}`,
    `  trophic       incoherence ${short(topology.trophicIncoherence)} (0 layered, 1 not at all)`,
  ];
}

function spectrumLines({ spectrum }: DirectednessReport): string[] {
  if (!spectrum) return [];
  const rows = spectrum.charges.map(({ q, eigenvalues, explained }) => [
    `q = ${q}`,
    ...eigenvalues.slice(0, 4).map((value) => value.toFixed(3)),
    percent(explained, 0),
  ]);
  const width = Math.min(4, spectrum.charges[0]?.eigenvalues.length ?? 0);
  return [
    '',
    `Magnetic Laplacian of the largest component (${count(spectrum.nodes)} nodes): lowest eigenvalues, and labels explained`,
    textTable(['', ...Array.from({ length: width }, (_, i) => `λ${i + 1}`), 'of labels'], rows),
  ];
}

function walkLines({ sequence }: DirectednessReport): string[] {
  const steps = sequence.forward.agreement.length;
  const row = (kind: string, { meanLength, ended, returned, agreement }: WalkView) => [
    kind,
    meanLength.toFixed(1),
    percent(ended, 0),
    percent(returned, 0),
    ...agreement.map((share) => percent(share, 0)),
  ];
  const columns = ['walks', 'steps', 'end early', 'return', ...Array.from({ length: steps }, (_, t) => `t = ${t + 1}`)];
  return [
    '',
    'Walks of at most 6 steps; share that reaches the class of the start after t steps',
    textTable(
      columns,
      walkKinds.map((kind) => row(kind, sequence[kind])),
    ),
  ];
}

function smoothingLines({ smoothing }: DirectednessReport): string[] {
  if (!smoothing) return [];
  const levels = smoothing.map((level, k) => `${k}: ${level.toFixed(2)}`);
  return ['', `Left of the features after k undirected propagations: ${levels.join('  ')}`];
}
