export { APPNP, type APPNPOptions, propagatePageRank } from './appnp.js';
export { DAGNN, type DAGNNOptions } from './dagnn.js';
export { GAT, GATConv, type GATConvOptions } from './gat.js';
export { GCN, GCNConv, type StackOptions } from './gcn.js';
export { GCNII, type GCNIIOptions, gcniiDecay } from './gcnii.js';
export { GIN, GINConv, type GINOptions } from './gin.js';
export { HGT, HGTConv, type HGTOptions } from './hgt.js';
export { JKNet, type JKNetOptions } from './jknet.js';
export { type GraphModule, propagateLinear } from './propagate.js';
export { RGCN, RGCNConv } from './rgcn.js';
export { type Aggregator, GraphSAGE, SAGEConv, type SAGEOptions } from './sage.js';
export { hops, meanOfHops, SGC, type SGCOptions } from './sgc.js';
export {
  type HeteroModule,
  type HeteroStackOptions,
  type HeteroTask,
  type TypedFeatures,
  TypedInput,
  type TypedTensors,
  typesNeeded,
} from './typed.js';
