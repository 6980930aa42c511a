// The graph that a model of nodes is asked about.

import { type AttributedGraph, noteText } from '../../data/index.js';
import { loadAttributedGraph } from '../../data/node.js';
import { inputNames, isTextInput, type NodeInputs } from '../../graph/index.js';
import type { PredictOptions } from './predictor.js';

/** What a model says of the graphs that it reads. */
interface ReadsGraph {
  readonly inputs: NodeInputs;
  readonly directed: boolean;
  /** The attribute of classes. */
  readonly target?: string;
}

/**
 * Loads a graph as it was read for training, and notes what is odd about the attributes that the
 * model reads.
 */
export async function loadAsTrained(
  path: string,
  { inputs, ...kind }: ReadsGraph,
  { table, note }: PredictOptions,
): Promise<AttributedGraph> {
  const categorical = (column: string) => isTextInput(inputs, column);
  const data = await loadAttributedGraph(path, { ...table, ...kind, categorical });
  for (const own of data.attributes.notes ?? []) if (inputNames(inputs).includes(own.column)) note(noteText(own));
  return data;
}
