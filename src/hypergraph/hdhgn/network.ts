// HDHGN (Yang, Jin, Dou, "Heterogeneous Directed Hypergraph Neural Network over abstract syntax
// tree (AST) for Code Classification", SEKE 2023): a program is the hypergraph of its syntax tree,
// with kinds of vertices, types of hyperedges and directions from a node to its children. Layers of
// attention go from vertices to hyperedges and back; see `HDHGNLayer`.

import { type Mode, parameter } from '../../nn/index.js';
import type { Random, Tensor } from '../../tensor/index.js';
import type { ProgramBatch } from './batch.js';
import {
  AttentionReadOut,
  ProgramHead,
  type ProgramNetwork,
  type ProgramSizes,
  type ProgramWidths,
  ValueEmbedding,
} from './classifier.js';
import { HDHGNLayer } from './layer.js';

/** Layout of HDHGN; the paper's widths are in `presets`. */
export interface HDHGNOptions extends Partial<ProgramWidths> {
  /** Layers, each with weights of its own. Default: 2. */
  readonly layers?: number;
  /** Whether heads and tails have weights of their own. Default: true. */
  readonly directed?: boolean;
}

/** The network. */
export class HDHGN implements ProgramNetwork {
  /** Embeddings of the vertices' values. */
  readonly embedding: ValueEmbedding;
  /** z: embeddings of the hyperedge types [types, d]. */
  types: Tensor;
  /** The layers, in order. */
  readonly layers: readonly HDHGNLayer[];
  /** Attention over the vertices of a program. */
  readonly readOut: AttentionReadOut;
  /** The classifier. */
  readonly head: ProgramHead;
  /** The layout, defaults filled in. */
  readonly options: Required<HDHGNOptions>;

  /** @throws Error when the width does not divide into the heads */
  constructor(sizes: ProgramSizes, random: Random, options: HDHGNOptions = {}) {
    const settings = { ...presets.small, directed: true, ...options };
    this.embedding = new ValueEmbedding(sizes.values, settings.width, random.split('values'));
    this.types = parameter(random.split('types').normal([sizes.types, settings.width]));
    this.layers = Array.from(
      { length: settings.layers },
      (_, layer) => new HDHGNLayer(settings, settings.directed, random.split(`layer ${layer}`)),
    );
    this.readOut = new AttentionReadOut(settings, random.split('read-out'));
    this.head = new ProgramHead(settings, sizes.classes, random.split('head'));
    this.options = settings;
  }

  /** Vertices after the last layer: [N, d]. */
  vertices(batch: ProgramBatch): Tensor {
    const values = { table: this.embedding.table(), rowOf: batch.values };
    const [first, ...others] = this.layers;
    if (!first) return this.embedding.forward(batch);
    return others.reduce((x, layer) => layer.forward(x, batch, this.types), first.forward(values, batch, this.types));
  }

  forward(batch: ProgramBatch, mode: Mode): Tensor {
    return this.head.forward(this.readOut.forward(this.vertices(batch), batch.vertices), mode);
  }
}

/** Layouts: of a device, and of the paper (learning rate 5e-5, batches of 32, 50 epochs). */
export const presets = {
  small: { width: 32, heads: 4, hidden: 128, dropout: 0.2, layers: 2 },
  paper: { width: 128, heads: 8, hidden: 1024, dropout: 0.2, layers: 4 },
} as const;
