// HyperDrop (Jo et al., NeurIPS 2021): edges are scored by message passing among them, and those of
// low score are dropped. Nodes stay.

import type { GraphCollection } from '../../structure/index.js';
import { clip, gatherKnownRows, type Random, reshape, type Tensor, tanh, tensor } from '../../tensor/index.js';
import { DualConv } from '../conv/dual.js';
import { requireRatio, topShare } from './selection.js';

/** What is left of the edges of graphs. */
export interface DroppedEdges {
  /** All nodes, and the edges that are left. */
  readonly graphs: GraphCollection;
  /** Row of each edge left among those before. */
  readonly rows: Int32Array;
  /** Features of the edges left. */
  readonly edges: Tensor;
  /** Weight clamp(s, 0, 1) of each edge left [m'], through which the scores have a gradient. */
  readonly weights: Tensor;
  /** Score s of each edge before [m]. */
  readonly scores: Tensor;
}

/** Keeps the ⌈ρ·m⌉ edges of highest score of each graph. */
export class HyperDrop {
  /**
   * Convolution to the score before tanh. Its bias starts at 0.5, so that few weights start at 0.
   */
  readonly score: DualConv;

  /**
   * @param ratio share ρ of the edges of each graph that are kept
   * @throws RangeError unless 0 < ρ ≤ 1
   */
  constructor(
    features: number,
    readonly ratio: number,
    random: Random,
  ) {
    requireRatio('HyperDrop', ratio);
    this.score = new DualConv(features, 1, random, { bias: 0.5 });
  }

  /** s = tanh(dualconv(E)) [m] of edge features [m, d]. */
  scores(edges: Tensor, graphs: GraphCollection): Tensor {
    return tanh(reshape(this.score.forward(edges, graphs), [graphs.edgeCount]));
  }

  /** Edge features [m, d] of graphs → the edges that are left. */
  forward(edges: Tensor, graphs: GraphCollection): DroppedEdges {
    const scores = this.scores(edges, graphs);
    const rows = topShare(scores.dataSync(), graphs.edges, this.ratio);
    const index = tensor(rows);
    return {
      graphs: graphs.keepEdges(rows),
      rows,
      edges: gatherKnownRows(edges, index),
      weights: clip(gatherKnownRows(scores, index), 0, 1),
      scores,
    };
  }
}
