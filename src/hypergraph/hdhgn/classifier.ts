// What all networks of programs share: embedded values, layers on the vertices, a read-out of each
// program, and a classifier. A network differs from another in its layers.

import { BatchNorm, Dropout, inference, Linear, type Mode, parameter, xavierUniform } from '../../nn/index.js';
import { type Segments, segmentMax, segmentSoftmax, segmentSum } from '../../sparse/index.js';
import {
  concatenate,
  elu,
  gatherKnownRows,
  multiply,
  type Random,
  reshape,
  sum,
  type Tensor,
} from '../../tensor/index.js';
import type { ProgramBatch } from './batch.js';

/** What a network is made for. */
export interface ProgramSizes {
  /** Sizes of the vocabularies of values, one a kind of vertices or one for all. */
  readonly values: readonly number[];
  /** Number of hyperedge types. */
  readonly types: number;
  /** Number of classes. */
  readonly classes: number;
}

/** A layer on the vertices of a batch: x [N, d] → [N, d]. */
export interface ProgramLayer {
  /** Vertices after the layer. */
  forward(x: Tensor, batch: ProgramBatch, mode: Mode): Tensor;
}

/** A summary of each program: x [N, d] → [programs, d]. */
export interface ReadOut {
  /** A row for each program. */
  forward(x: Tensor, programs: Segments): Tensor;
}

/** A network that classifies programs. */
export interface ProgramNetwork {
  /** Logits [programs, classes]. */
  forward(batch: ProgramBatch, mode: Mode): Tensor;
}

/** Widths shared by all networks. */
export interface ProgramWidths {
  /** Width d of vertices and hyperedges. */
  readonly width: number;
  /** Attention heads, which divide d. */
  readonly heads: number;
  /** Width of the classifier's hidden layer. */
  readonly hidden: number;
  /** Dropout probability in the classifier. */
  readonly dropout: number;
}

/**
 * Embeddings of the values: a table for each kind of vertices, then a linear layer of that kind. As
 * both are linear, the layer is applied to the table, whose rows are then gathered.
 */
export class ValueEmbedding {
  /** [values, d] of each kind. */
  readonly tables: Tensor[];
  /** Of each kind. */
  readonly projections: readonly Linear[];

  constructor(counts: readonly number[], width: number, random: Random) {
    this.tables = counts.map((count, kind) => parameter(random.split(`table ${kind}`).normal([count, width])));
    this.projections = counts.map((_, kind) => new Linear(width, width, random.split(`projection ${kind}`)));
  }

  /** Embeddings of all values [values, d]. */
  table(): Tensor {
    const rows = this.tables.map((table, kind) => (this.projections[kind] as Linear).forward(table));
    return rows.length === 1 ? (rows[0] as Tensor) : concatenate(rows, 0);
  }

  /** Embeddings of the vertices [N, d]. */
  forward({ values }: ProgramBatch): Tensor {
    return gatherKnownRows(this.table(), values);
  }
}

/** Attention of a learned query: per head softmax over a program's vertices of ⟨a, x⟩, Σ α·x. */
export class AttentionReadOut implements ReadOut {
  /** a [heads, d / heads]. */
  query: Tensor;

  constructor({ width, heads }: Pick<ProgramWidths, 'width' | 'heads'>, random: Random) {
    // The release draws a tensor [1, heads, d / heads]: the bound is √(6 / (d + d / heads)).
    this.query = parameter(reshape(xavierUniform(random, [1, heads, width / heads]), [heads, -1]));
  }

  /** Attention of each vertex within its program, by head: [N, heads]. */
  attention(x: Tensor, programs: Segments): Tensor {
    return segmentSoftmax(sum(multiply(this.#byHead(x), this.query), -1), programs);
  }

  forward(x: Tensor, programs: Segments): Tensor {
    const alpha = reshape(this.attention(x, programs), [programs.size, -1, 1]);
    return reshape(segmentSum(multiply(this.#byHead(x), alpha), programs), [programs.count, -1]);
  }

  #byHead(x: Tensor): Tensor {
    return reshape(x, [x.shape[0] as number, ...this.query.shape]); // (N, heads, d / heads)
  }
}

/** The maximum of each channel over a program's vertices. */
export class MaxReadOut implements ReadOut {
  forward(x: Tensor, programs: Segments): Tensor {
    return segmentMax(x, programs);
  }
}

/** Linear → BatchNorm → ELU → Dropout → Linear. */
export class ProgramHead {
  /** The hidden layer. */
  readonly first: Linear;
  /** Normalisation of the hidden layer. */
  readonly norm: BatchNorm;
  /** Dropout before the last layer. */
  readonly drop: Dropout;
  /** The layer to the logits. */
  readonly last: Linear;

  constructor({ width, hidden, dropout }: ProgramWidths, classes: number, random: Random) {
    this.first = new Linear(width, hidden, random.split('first'));
    this.norm = new BatchNorm(hidden);
    this.drop = new Dropout(dropout);
    this.last = new Linear(hidden, classes, random.split('last'));
  }

  /** x [programs, d] → [programs, classes]; a batch of one program takes running statistics. */
  forward(x: Tensor, mode: Mode): Tensor {
    const statistics = x.shape[0] === 1 ? inference : mode;
    return this.last.forward(this.drop.forward(elu(this.norm.forward(this.first.forward(x), statistics)), mode));
  }
}

/** Embedding, layers, read-out and classifier. */
export class ProgramClassifier<Layer extends ProgramLayer = ProgramLayer, Read extends ReadOut = ReadOut>
  implements ProgramNetwork
{
  constructor(
    readonly embedding: ValueEmbedding,
    readonly layers: readonly Layer[],
    readonly readOut: Read,
    readonly head: { forward(x: Tensor, mode: Mode): Tensor },
  ) {}

  /** Vertices after the last layer: [N, d]. */
  vertices(batch: ProgramBatch, mode: Mode): Tensor {
    return this.layers.reduce((x, layer) => layer.forward(x, batch, mode), this.embedding.forward(batch));
  }

  forward(batch: ProgramBatch, mode: Mode): Tensor {
    return this.head.forward(this.readOut.forward(this.vertices(batch, mode), batch.vertices), mode);
  }
}
