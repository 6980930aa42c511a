// Models of whole graphs as files: weights, and how attributes become features, so that new graphs
// are read as those of training were.

import { type ModelKind, type WholeGraphs, writeModelFile } from '../../data/index.js';
import { stateOf } from '../../nn/index.js';
import type { AttributeEncoding, CellLimits, GraphBatches } from './inputs.js';
import { answersOf, type GraphTask } from './tasks.js';
import { outputsOf, type WholeGraphNetwork } from './training.js';

/** What every file of a model of whole graphs says beside its weights. */
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
  Description extends WholeGraphDescription,
  Network extends WholeGraphNetwork & object,
> {
  constructor(
    /** Name and version of the model file. */
    readonly kind: ModelKind,
    readonly description: Description,
    readonly network: Network,
  ) {}

  /** Graphs as the network reads them. @throws Error for a column that is missing */
  abstract batches(data: WholeGraphs, onUnknown?: AnswerOptions['onUnknown']): GraphBatches;

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

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    return writeModelFile(this.kind, { ...more, ...this.description }, stateOf(this.network));
  }
}
