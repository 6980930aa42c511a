// What a graph holds, in short.

import type { NamedGraph } from './graph-tables.js';

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
  // Of codes from −1 on.
  const perClass = new Int32Array(classNames.length + 1);
  for (const label of labels) perClass[label + 1] = (perClass[label + 1] as number) + 1;
  const [unknown = 0, ...known] = perClass;
  return [
    `${count(graph.nodeCount)} nodes, ${count(graph.edgeCount)} ${graph.directed ? 'directed' : 'undirected'} edges`,
    `weights     ${graph.weights ? range(graph.weights) : 'none'}`,
    `degrees     ${range(graph.outDegrees)}`,
    `self-loops  ${count(graph.selfLoopCount)}`,
    `isolated    ${count(graph.isolated.length)} nodes`,
    `components  ${count(new Set(graph.components).size)}, the largest of ${count(graph.largestComponent.length)} nodes`,
    `classes     ${classNames.length === 0 ? 'none' : [...classNames.map((name, code) => `${name} (${count(known[code] as number)})`), ...(unknown > 0 ? [`unknown (${count(unknown)})`] : [])].join(', ')}`,
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
