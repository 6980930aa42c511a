// What networks of this family are trained on.

import type { Features, LabelledRows } from '../nn/index.js';
import type { Graph } from '../structure/index.js';

/** A graph with node features and labels, class −1 where unknown. */
export interface LabelledGraph extends LabelledRows {
  /** The graph, of n nodes. */
  readonly graph: Graph;
  /** Node features [n, d], dense or sparse. */
  readonly features: Features;
  /** Number of classes. */
  readonly classes: number;
}
