// The report on a directed graph: its three views, what directions say of the labels, and advice.

import { type Features, featureCount } from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import { smoothness } from '../smoothing.js';
import { type Guidance, type GuidanceOptions, guidance } from './guidance.js';
import { compatibilityMatrix, type EffectiveHomophily, edgeHomophily, effectiveHomophily } from './homophily.js';
import { type SequenceView, sequenceView } from './sequence.js';
import { type SpectralView, spectralView } from './spectral.js';
import { type TopologicalView, topologicalView } from './topology.js';

/** What is known of a graph. */
export interface DiagnosedGraph {
  /** The graph, with directions where it has them. */
  readonly graph: Graph;
  /** Class of each node, −1 where unknown or where it must not be read, as of test nodes. */
  readonly labels?: Int32Array;
  /** Names of the classes. */
  readonly classNames?: readonly string[];
  /** Features of the nodes, for how fast they are smoothed. */
  readonly features?: Features;
}

/** Homophily of a graph with labels. */
export interface HomophilyView extends EffectiveHomophily {
  /** Share of arcs within a class. */
  readonly edges: number;
  /** Weighted node homophily by the underlying undirected graph. */
  readonly undirected: number;
  /** Class by class, row-normalised [classes, classes]. */
  readonly compatibility: readonly (readonly number[])[];
  /** Names of the classes, in the order of rows and columns. */
  readonly classNames: readonly string[];
}

/** The report on a graph. */
export interface DirectednessReport {
  /** What arcs look like, whatever the labels. */
  readonly topology: TopologicalView;
  /** Without labels undefined. */
  readonly homophily: HomophilyView | undefined;
  /** Without labels undefined. */
  readonly guidance: Guidance | undefined;
  /** Undefined where the graph is too large, or undirected. */
  readonly spectrum: SpectralView | undefined;
  /** Where walks lead. */
  readonly sequence: SequenceView;
  /**
   * Smoothing level of the features after 0, 1, … propagations of the undirected graph: what is
   * left of them; undefined without features or where they are too many.
   */
  readonly smoothing: readonly number[] | undefined;
  /** What follows, in sentences, the most important first. */
  readonly advice: readonly string[];
}

/** Options of `directednessReport`. */
export type ReportOptions = GuidanceOptions;

/**
 * Diagnoses a graph. S and homophily read the labels that are given and no others.
 *
 * @param options limits of the work on pairs of nodes
 */
export function directednessReport(data: DiagnosedGraph, options: ReportOptions = {}): DirectednessReport {
  const { graph, labels } = data;
  const topology = topologicalView(graph);
  const scored = labels && guidance(graph, labels, options);
  const report = {
    topology,
    homophily: homophilyOf(data, options),
    guidance: scored,
    spectrum: spectralView(graph, labels),
    sequence: sequenceView(graph, labels),
    smoothing: smoothingOf(data),
  };
  return { ...report, advice: adviceOn(graph, report) };
}

function homophilyOf({ graph, labels, classNames }: DiagnosedGraph, options: ReportOptions): HomophilyView | undefined {
  if (!labels) return undefined;
  const classes = classNames?.length ?? labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const matrix = compatibilityMatrix(graph, labels, classes);
  return {
    ...effectiveHomophily(graph, labels, options),
    edges: edgeHomophily(graph, labels),
    undirected: effectiveHomophily(graph.undirected(), labels, options).patterns.A,
    compatibility: Array.from({ length: classes }, (_, a) =>
      Array.from(matrix.subarray(a * classes, (a + 1) * classes)),
    ),
    classNames: classNames ?? Array.from({ length: classes }, (_, c) => String(c)),
  };
}

/** Propagations whose smoothing is told, and values that are propagated for it at most. */
const [STEPS, VALUES] = [10, 5e7];

function smoothingOf({ graph, features }: DiagnosedGraph): readonly number[] | undefined {
  if (!features || graph.nodeCount * featureCount(features) > VALUES) return undefined;
  return smoothness(features, graph.undirected(), STEPS).graph;
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

function adviceOn(graph: Graph, report: Omit<DirectednessReport, 'advice'>): string[] {
  const { topology, guidance: scored, homophily, sequence, spectrum } = report;
  if (!graph.directed || topology.reciprocity === 1)
    return ['Every arc goes both ways: the graph is undirected, and so are the networks for it (gcn, dgmlp, sage).'];
  const advice: string[] = [];
  if (!scored) advice.push('There are no labels, so whether directions carry information on them is not known.');
  else if (scored.advice === 'undecided')
    advice.push(
      'Too few pairs of labelled nodes are two arcs apart to tell whether directions matter: take the undirected graph ' +
        '(gcn, dgmlp), or label more nodes.',
    );
  else if (scored.advice === 'directed')
    advice.push(
      `Keep the directions (S = ${scored.score.toFixed(2)} ≥ 0.5): two arcs in a row tell more of the class when their ` +
        'directions are known. Try dir-gcn and dir-sage with α chosen on validation nodes, magnet, and adpa; on large ' +
        'graphs light-dic.',
    );
  else
    advice.push(
      `Drop the directions (S = ${scored.score.toFixed(2)} < 0.5): two arcs in a row tell as much of the class without ` +
        'them. Undirected networks (gcn, dgmlp) are expected within a few points, with fewer weights to learn.',
    );
  if (homophily && homophily.effective - homophily.undirected > 0.1) {
    const [best] = Object.entries(homophily.patterns).sort(([, a], [, b]) => b - a) as [[string, number]];
    advice.push(
      `The pattern ${best[0]} joins a class best (homophily ${homophily.effective.toFixed(2)}, undirected ` +
        `${homophily.undirected.toFixed(2)}): networks that read it apart have more to learn from.`,
    );
  }
  if (topology.acyclic)
    advice.push(
      'There are no cycles: topological ranks and trophic levels are features, and readouts may follow them.',
    );
  else if (topology.trophicIncoherence < 0.3)
    advice.push(
      `The graph is nearly layered (trophic incoherence ${topology.trophicIncoherence.toFixed(2)}): levels are features.`,
    );
  if (sequence.forward.ended > 0.5)
    advice.push(
      `${percent(sequence.forward.ended)} of walks along arcs end early: networks that read one direction alone see ` +
        'little of the graph; mix both (α = 0.5) or let walks turn.',
    );
  const { smoothing } = report;
  const half = smoothing?.findIndex((level, k) => k > 0 && level < (smoothing[1] as number) / 2) ?? -1;
  if (half > 0)
    advice.push(
      `After ${half} propagations less than half is left of what one leaves of the features: deeper networks should ` +
        'weight their hops (dgmlp), or join their layers.',
    );
  const [first, last] = [spectrum?.charges[0], spectrum?.charges.reduce((a, b) => (b.explained > a.explained ? b : a))];
  if (first && last && last.explained - first.explained > 0.05)
    advice.push(
      `Magnetic eigenvectors at q = ${last.q} explain ${percent(last.explained)} of the labels, without directions ` +
        `${percent(Math.max(0, first.explained))}: start magnet at this q.`,
    );
  return advice;
}
