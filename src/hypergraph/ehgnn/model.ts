// EHGNN as a file: weights, and how attributes become features, so that new graphs are read as
// those of training were.

import { type ModelKind, readModelFile, type WholeGraphs, writeModelFile } from '../../data/index.js';
import { inference, loadState, stateOf } from '../../nn/index.js';
import { Random, scope, softmax } from '../../tensor/index.js';
import { GraphClassifier, type GraphClassifierOptions } from './classifier.js';
import { encodedSizes, encodeGraphs, type GraphEncoding } from './features.js';
import type { TypedGraphs } from './inputs.js';
import { type AutoencoderOptions, EdgeClusterAutoencoder } from './reconstruction.js';
import { partsOf, selectInput, selectTyped } from './training.js';

/** Name and version of the model file of a classifier of graphs. */
export const HYPERDROP_MODEL: ModelKind = {
  system: 'hyperdrop',
  version: '1',
  madeBy: 'gossamer fit --model hyperdrop',
};

/** Name and version of the model file of graph vectors. */
export const HYPERCLUSTER_MODEL: ModelKind = {
  system: 'hypercluster',
  version: '1',
  madeBy: 'gossamer fit --model hypercluster',
};

/** What the file of a classifier says beside its weights. */
export interface HyperDropDescription {
  /** How attributes become features. */
  readonly encoding: GraphEncoding;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Layout of the network. */
  readonly options: GraphClassifierOptions;
}

/** The answer for graphs. */
export interface GraphAnswer {
  /** Probability of each class [graphs, classes], row after row. */
  readonly probabilities: Float32Array;
  /** Score of each edge at the first drop [m]. */
  readonly scores: Float32Array;
  /** Whether each edge is still there after the last drop [m]. */
  readonly kept: Uint8Array;
}

/** Classifies graphs, and says which edges it kept. */
export class HyperDropModel {
  constructor(
    readonly description: HyperDropDescription,
    readonly network: GraphClassifier,
  ) {}

  /**
   * Classes, and the edges that decided. @throws Error for attributes that training did not know
   */
  predict(data: WholeGraphs): GraphAnswer {
    const input = encodeGraphs(data, this.description.encoding);
    const all = Int32Array.from({ length: data.graphs.count }, (_, g) => g);
    const classes = this.description.classes.length;
    const probabilities = new Float32Array(data.graphs.count * classes);
    const scores = new Float32Array(data.graphs.edgeCount);
    const kept = new Uint8Array(data.graphs.edgeCount).fill(1);
    for (const part of partsOf(all))
      scope(() => {
        const { logits, drops } = this.network.classify(selectInput(input, part), inference);
        probabilities.set(softmax(logits).view(), (part[0] as number) * classes);
        const first = data.graphs.edges.offsets[part[0] as number] as number;
        const last = drops.at(-1);
        if (!last) return;
        scores.set(drops[0]?.scores.view() ?? [], first);
        kept.fill(0, first, first + (drops[0]?.scores.size ?? 0));
        const rows = drops.reduce<Int32Array | undefined>(
          (before, { rows: own }) => (before ? own.map((row) => before[row] as number) : own),
          undefined,
        );
        for (const row of rows ?? []) kept[first + row] = 1;
      });
    return { probabilities, scores, kept };
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    return writeModelFile(HYPERDROP_MODEL, { ...more, ...this.description }, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): HyperDropModel {
    const { description, tensors } = readModelFile<HyperDropDescription>(HYPERDROP_MODEL, bytes, name);
    const { encoding, classes, options } = description;
    const sizes = { ...encodedSizes(encoding), classes: classes.length };
    const network = new GraphClassifier(sizes, new Random(0), options);
    loadState(network, tensors);
    return new HyperDropModel(description, network);
  }
}

/** What the file of graph vectors says beside its weights. */
export interface HyperClusterDescription {
  /** The column of edges whose categories are clustered. */
  readonly column: string;
  /** Its categories. */
  readonly types: readonly string[];
  /** Clusters K of a graph. */
  readonly clusters: number;
  /** Layout of the network. */
  readonly options: AutoencoderOptions;
}

/**
 * The types of edges in a column of categories.
 *
 * @throws Error when there is no such column, or for a category that `types` does not hold
 */
export function typesOfEdges(data: WholeGraphs, column: string, types: readonly string[]): TypedGraphs {
  const found = data.edgeColumns.find(({ name }) => name === column);
  const { graphs, name } = data;
  if (graphs.edgeCount === 0) return { graphs, types: new Int32Array(0) };
  if (!found)
    throw new Error(
      `edges of "${name}" have no column "${column}"; there are ${data.edgeColumns.map((own) => own.name).join(', ') || 'none'}`,
    );
  const codes = new Map(types.map((type, code) => [type, code]));
  return {
    graphs,
    types: Int32Array.from(found.values as ArrayLike<unknown>, (value, e) => {
      const code = codes.get(String(value));
      if (code === undefined)
        throw new Error(
          `edges of "${name}": column "${column}" holds "${value}" in row ${e + 1}, which training did not know (it knew ${types.join(', ')})`,
        );
      return code;
    }),
  };
}

/** Gives graphs vectors from the types of their edges. */
export class HyperClusterModel {
  constructor(
    readonly description: HyperClusterDescription,
    readonly network: EdgeClusterAutoencoder,
  ) {}

  /** Dimension of the vectors, K·hidden. */
  get dimension(): number {
    const { seeds } = this.network.pool.pool;
    return seeds.size;
  }

  /**
   * A vector of each graph, its K pooled rows one after another: [graphs, K·hidden], row after row.
   *
   * @throws Error for a type of edge that training did not know
   */
  embed(data: WholeGraphs): Float32Array {
    const { column, types } = this.description;
    const typed = typesOfEdges(data, column, types);
    const vectors = new Float32Array(data.graphs.count * this.dimension);
    const all = Int32Array.from({ length: data.graphs.count }, (_, g) => g);
    for (const part of partsOf(all))
      scope(() => {
        const { pooled } = this.network.encode(selectTyped(typed, part));
        vectors.set(pooled.view(), (part[0] as number) * this.dimension);
      });
    return vectors;
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    return writeModelFile(HYPERCLUSTER_MODEL, { ...more, ...this.description }, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): HyperClusterModel {
    const { description, tensors } = readModelFile<HyperClusterDescription>(HYPERCLUSTER_MODEL, bytes, name);
    const { types, clusters, options } = description;
    const network = new EdgeClusterAutoencoder(types.length, clusters, new Random(0), options);
    loadState(network, tensors);
    return new HyperClusterModel(description, network);
  }
}
