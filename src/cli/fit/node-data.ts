// What the trainings on nodes of a person's own graph share: the data, what networks read of them,
// and the options of a network.

import { type AttributedGraph, noteText } from '../../data/index.js';
import { loadAttributedGraph } from '../../data/node.js';
import type { OptionTable, OptionValues } from '../../experiments/parts/options.js';
import {
  featuresOf,
  fitInputs,
  type NetworkLayout,
  type NetworkName,
  type NodeInputs,
  type NodeNetwork,
  nodeNetworks,
} from '../../graph/index.js';
import type { Features } from '../../nn/index.js';
import { tableOptionsOf } from '../tables.js';
import type { FitRequest } from './learner.js';

/** Options of networks and of training as numbers. */
export const numberOf = (values: OptionValues<OptionTable>, key: string) => values[key] as number;
const layoutKeys = [
  'steps',
  'depth',
  'hidden',
  'heads',
  'dropout',
  'alpha',
  'temperature',
  'q',
  'order',
  'walks',
  'length',
  'jump',
  'normalizeRows',
  'learnAlpha',
] as const satisfies readonly (keyof NetworkLayout)[];
const trainingKeys = ['epochs', 'patience', 'learningRate', 'weightDecay'] as const;

function given<Key extends string>(values: OptionValues<OptionTable>, keys: readonly Key[]) {
  return Object.fromEntries(keys.filter((key) => values[key] !== undefined).map((key) => [key, values[key]]));
}

/** The options of training among those of a request. */
export function trainingOf(values: OptionValues<OptionTable>): Partial<Record<(typeof trainingKeys)[number], number>> {
  return given(values, trainingKeys) as Partial<Record<(typeof trainingKeys)[number], number>>;
}

/** The layout of a network. */
export function layoutIn(values: OptionValues<OptionTable>): NetworkLayout {
  return given(values, layoutKeys) as NetworkLayout;
}

/** The layout of a network, with the number of nodes where it is to know them by their place. */
export function layoutOf(name: NetworkName, values: OptionValues<OptionTable>, nodes: number): NetworkLayout {
  const layout = layoutIn(values);
  return isPlaced(name, values) ? { ...layout, nodes } : layout;
}

/** Whether the model knows the nodes by their place. */
export function isPlaced(name: NetworkName, values: OptionValues<OptionTable>): boolean {
  const { placed = false }: NodeNetwork = nodeNetworks[name];
  return placed && String(values.adjacency) === 'yes';
}

/** Whether edges have a direction: as a person says, or as is usual for the network. */
export function isDirected(name: NetworkName, asked: boolean | undefined): boolean {
  const { directed = false }: NodeNetwork = nodeNetworks[name];
  return asked ?? directed;
}

/** Loads the graph of a request. */
export async function loadNodes(
  path: string,
  { target, reading }: FitRequest<OptionTable>,
  directed: boolean,
): Promise<AttributedGraph> {
  return loadAttributedGraph(path, { ...tableOptionsOf(reading), directed, target });
}

/** Features of the nodes, and how they are made. */
export interface PreparedInputs {
  readonly inputs: NodeInputs;
  readonly features: Features;
}

/** Makes the features, and notes what a person should know of them. @param without no inputs */
export function prepareInputs(
  name: NetworkName,
  data: AttributedGraph,
  without: readonly string[],
  note: (text: string) => void,
): PreparedInputs {
  const { inputs, leftOut } = fitInputs(data, without);
  for (const own of data.attributes.notes ?? []) if (!without.includes(own.column)) note(noteText(own));
  for (const [column, reason] of leftOut) note(`column "${column}" is left out: ${reason}`);
  if (inputs.kind === 'structure') note('the nodes have no features; they are made from the edges');
  if (data.graph.weights && !nodeNetworks[name].reads.weights) note(`${name} does not read the weights of edges`);
  return { inputs, features: featuresOf(inputs, data) };
}
