// What models of whole graphs have in common: how they read graphs, and their answers.

import type { WholeGraphs } from '../../data/index.js';
import type { CellPolicy } from './cells.js';
import { type AttributeEncoding, type CellLimits, encodeAttributes, GraphBatches } from './inputs.js';
import { answersOf, type GraphTask } from './tasks.js';
import { outputsOf, type WholeGraphNetwork } from './training.js';

/** What the file of every such model says. */
export interface WholeGraphDescription {
  /** How attributes become features. */
  readonly encoding: AttributeEncoding;
  /** What is predicted. */
  readonly task: GraphTask;
}

/** Answers of a model, and how it reads graphs. */
export interface AnswerOptions extends CellLimits {
  /**
   * Called for each category that training did not know, which counts as none of the known ones.
   */
  readonly onUnknown?: (what: string, value: string) => void;
}

/** Predicts classes or numbers of graphs. */
export abstract class WholeGraphModel<
  Description extends WholeGraphDescription = WholeGraphDescription,
  Network extends WholeGraphNetwork & object = WholeGraphNetwork & object,
> {
  constructor(
    readonly description: Description,
    readonly network: Network,
  ) {}

  /** The cells that the network reads. */
  protected abstract get cells(): CellPolicy;

  /** Graphs as the network reads them. @throws Error for a column that is missing */
  batches(data: WholeGraphs, onUnknown?: AnswerOptions['onUnknown']): GraphBatches {
    return new GraphBatches(encodeAttributes(data, this.description.encoding, onUnknown), this.cells);
  }

  /**
   * Probabilities of classes, or numbers: [graphs, width], row after row.
   *
   * @throws Error for a column that is missing; RangeError for a graph that is too large
   */
  predict(data: WholeGraphs, { onUnknown, ...limits }: AnswerOptions = {}): Float32Array {
    const all = Int32Array.from({ length: data.graphs.count }, (_, g) => g);
    return this.answers(this.batches(data, onUnknown), all, limits);
  }

  /** `predict` for graphs of given numbers. */
  answers(batches: GraphBatches, chosen: Int32Array, limits: CellLimits = {}): Float32Array {
    return answersOf(outputsOf(this.network, batches, chosen, limits), this.description.task);
  }

  /** The model as a file. @param more kept in its description, such as what it was trained on */
  abstract save(more?: Readonly<Record<string, unknown>>): Uint8Array;
}
