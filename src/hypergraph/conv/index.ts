export {
  AllDeepSetsConv,
  type AllDeepSetsOptions,
  type AllSetNorm,
  AllSetTransformerConv,
  type AllSetTransformerOptions,
} from './allset.js';
export { EDHNNConv, type EDHNNOptions } from './edhnn.js';
export { CliqueGATConv, CliqueGCNConv } from './gcn.js';
export { HGNNConv, HGNNPlusConv } from './hgnn.js';
export { HNHNConv, type HNHNOptions } from './hnhn.js';
export { HyperGCNConv, type HyperGCNOptions } from './hypergcn.js';
export { HypergraphConvolution } from './hypergraph-conv.js';
export { type HeadsOptions, type HypergraphConv, LinearConv, propagate } from './propagate.js';
export { UniGATConv, UniGCNConv, UniGCNII, type UniGCNIIOptions, UniGINConv, UniSAGEConv } from './unignn.js';
export { WhatsNetConv, type WhatsNetInput } from './whatsnet.js';
