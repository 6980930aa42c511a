// What the studies of directed graphs share: networks on the underlying undirected graph, and how
// scores of some seeds are told.

import {
  type GCNConv,
  type GraphModule,
  type JumpingOptions,
  JumpingStack,
  type SAGEConv,
  Symmetrised,
} from '../../graph/index.js';
import type { Random } from '../../tensor/index.js';
import { summarize } from '../parts/statistics.js';

/** Makes a network. */
export type Create = (inFeatures: number, outFeatures: number, random: Random) => GraphModule;

/** A stack of convolutions that ignores directions. */
export function symmetrised(Layer: typeof GCNConv | typeof SAGEConv, options: JumpingOptions): Create {
  return (i, o, random) =>
    new Symmetrised(new JumpingStack(i, o, (a, b, own) => new Layer(a, b, own), random, options));
}

/** Mean ± deviation. */
export function spread(values: readonly number[]): string {
  const { mean, sd } = summarize(values);
  return `${mean.toFixed(1)} ± ${sd.toFixed(1)}`;
}
