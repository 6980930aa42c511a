// What a graph holds, in short.

import { columnNamed, textsOrGaps } from './attributed-graph.js';
import { CLASS_COLUMNS } from './column-names.js';
import type { NamedGraph } from './graph-tables.js';
import type { NamedHeteroGraph, NodesOfType } from './named-hetero-graph.js';
import type { WholeGraphs } from './whole-graphs.js';

const count = (value: number) => value.toLocaleString('en');
const short = (value: number) => String(Number(value.toPrecision(3)));

/** Smallest and largest value, with the mean. */
function range(values: ArrayLike<number>): string {
  let [least, most, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > most) most = value;
    sum += value;
  }
  return `${short(least)} … ${short(most)}, mean ${short(sum / values.length)}`;
}

/**
 * Lines on the size of a graph, its degrees and parts, and the classes and features of its nodes.
 */
export function graphProfileLines(named: NamedGraph): string[] {
  const { graph, labels, classNames, featureNames, leftOut, split } = named;
  return [
    `${count(graph.nodeCount)} nodes, ${count(graph.edgeCount)} ${graph.directed ? 'directed' : 'undirected'} edges`,
    `weights     ${graph.weights ? range(graph.weights) : 'none'}`,
    `degrees     ${range(graph.outDegrees)}`,
    `self-loops  ${count(graph.selfLoopCount)}`,
    `isolated    ${count(graph.isolated.length)} nodes`,
    `components  ${count(new Set(graph.components).size)}, the largest of ${count(graph.largestComponent.length)} nodes`,
    classLine(labels, classNames),
    `features    ${featureNames.length === 0 ? 'none' : `${count(featureNames.length)}: ${listed(featureNames)}`}`,
    ...(leftOut.length > 0 ? [`left out    ${listed(leftOut)}, since they hold texts`] : []),
    ...(split
      ? [`split       ${split.train.length} train, ${split.validation.length} validation, ${split.test.length} test`]
      : []),
  ];
}

/** Names that a line shows. */
const LISTED = 8;
const listed = (names: readonly string[]) =>
  `${names.slice(0, LISTED).join(', ')}${names.length > LISTED ? ', …' : ''}`;

function classLine(labels: Int32Array, classNames: readonly string[]): string {
  // Of codes from −1 on.
  const perClass = new Int32Array(classNames.length + 1);
  for (const label of labels) perClass[label + 1] = (perClass[label + 1] as number) + 1;
  const [unknown = 0, ...known] = perClass;
  const named = classNames.map((name, code) => `${name} (${count(known[code] as number)})`);
  const all = [...named, ...(unknown > 0 ? [`unknown (${count(unknown)})`] : [])];
  return `classes     ${classNames.length === 0 ? 'none' : all.join(', ')}`;
}

/** Lines on the types of nodes, their attributes and classes, and on the relations. */
export function heteroProfileLines({ graph, nodes, notes }: NamedHeteroGraph): string[] {
  const degreesOf = (indptr: Int32Array) => indptr.slice(1).map((end, v) => end - (indptr[v] as number));
  const attributesOf = ({ attributes, matrix }: NodesOfType) => [
    ...(matrix ? ['a matrix of features'] : []),
    ...attributes.columns.map(({ name, kind }) => (kind === 'number' ? `${name} (numbers)` : name)),
  ];
  return [
    `${count(graph.nodeCount)} nodes of ${graph.types.length} types, ${count(graph.edgeCount)} edges in ${graph.given.length} relations`,
    ...[...nodes].flatMap(([type, own]) => {
      const known = CLASS_COLUMNS.map((column) => columnNamed(own.attributes, column)).find((column) => column);
      const texts = known ? textsOrGaps(known) : [];
      const names = [...new Set(texts.filter((text) => text !== undefined))].sort();
      const labels = Int32Array.from(texts, (text) => (text === undefined ? -1 : names.indexOf(text)));
      const listing = attributesOf(own);
      return [
        `nodes       ${count(graph.countOf(type))} ${type}: ${listing.length > 0 ? listed(listing) : 'no attributes'}`,
        ...(known && names.length <= LISTED ? [classLine(labels, names)] : []),
      ];
    }),
    ...graph.given.map((own) => {
      const { source, name, target, edgeCount } = own;
      const into = range(degreesOf(own.pattern.indptr));
      const from = own.isSymmetric ? '' : `, ${range(degreesOf(own.reverse.pattern.indptr))} of ${source}`;
      return `relation    ${source} ${name} ${target}: ${count(edgeCount)} edges; ${into} of ${target}${from}`;
    }),
    ...notes.map((text) => `note        ${text}`),
  ];
}

/** Lines on the sizes of graphs, their classes, and the attributes of their nodes and edges. */
export function wholeGraphProfileLines({ graphs, labels, classNames, ...set }: WholeGraphs): string[] {
  const sizes = (segments: typeof graphs.nodes) =>
    Int32Array.from(
      { length: segments.count },
      (_, g) => (segments.offsets[g + 1] as number) - (segments.offsets[g] as number),
    );
  const columns = (own: WholeGraphs['nodeColumns']) =>
    own
      .map(({ name, kind, values }) =>
        kind === 'number' ? `${name} (numbers)` : `${name} (${new Set(values).size} categories)`,
      )
      .join(', ') || 'none';
  return [
    `${count(graphs.count)} graphs, ${count(graphs.nodeCount)} nodes, ${count(graphs.edgeCount)} edges`,
    `nodes       ${range(sizes(graphs.nodes))} of a graph`,
    `edges       ${range(sizes(graphs.edges))} of a graph`,
    classLine(labels, classNames),
    `of nodes    ${columns(set.nodeColumns)}`,
    `of edges    ${columns(set.edgeColumns)}`,
    ...(set.targets.length > 0 ? [`numbers     ${listed(set.targets.map(({ name }) => name))}`] : []),
  ];
}
