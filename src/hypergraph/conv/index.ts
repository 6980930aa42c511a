export {
  AllDeepSetsConv,
  type AllDeepSetsOptions,
  type AllSetNorm,
  AllSetTransformerConv,
  type AllSetTransformerOptions,
} from './allset.js';
export { DualConv } from './dual.js';
export { EDHNNConv, type EDHNNOptions } from './edhnn.js';
export { CliqueGATConv, CliqueGCNConv } from './gcn.js';
export { HGNNConv, HGNNPlusConv } from './hgnn.js';
export { HNHNConv, type HNHNOptions } from './hnhn.js';
export { HyperGCNConv, type HyperGCNOptions } from './hypergcn.js';
export { HypergraphConvolution } from './hypergraph-conv.js';
export { type HeadsOptions, type HypergraphConv, LinearConv, propagate } from './propagate.js';
export { UniGATConv, UniGCNConv, UniGCNII, type UniGCNIIOptions, UniGINConv, UniSAGEConv } from './unignn.js';
export { RelationalConv, WeightedGCNConv, weightedOperator } from './weighted-gcn.js';
export { WhatsNetConv, type WhatsNetInput } from './whatsnet.js';
