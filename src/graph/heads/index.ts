// Heads on networks of nodes: pairs of nodes, whole graphs, numbers of nodes.

export { ArcClassifier, type ArcEnds, type ArcHeadOptions, arcAccuracy, trainArcs } from './arcs.js';
export {
  batchOf,
  type GraphTrainingOptions,
  type LabelledGraphs,
  meanMaxReadout,
  type ReadoutBatch,
  trainGraphClassifier,
  WholeGraphClassifier,
  wholeGraphAccuracy,
  wholeGraphLogits,
} from './graphs.js';
export { nodeValues, scaleOf, trainNodeValues, type ValuedGraph, type ValueScale } from './values.js';
