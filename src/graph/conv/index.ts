export { APPNP, type APPNPOptions, propagatePageRank } from './appnp.js';
export { DAGNN, type DAGNNOptions } from './dagnn.js';
export { DGCN, DGCNConv, type DGCNOptions } from './dgcn.js';
export { DiGCN, DiGCNConv, DiGCNInception, type DiGCNOptions, InceptionBlock } from './digcn.js';
export {
  type DirectedConvOptions,
  type Direction,
  DirGATConv,
  DirGCNConv,
  DirGNN,
  type DirGNNOptions,
  DirSAGEConv,
} from './dir-gnn.js';
export { GAT, GATConv, type GATConvOptions } from './gat.js';
export { GCN, GCNConv, type StackOptions } from './gcn.js';
export { GCNII, type GCNIIOptions, gcniiDecay } from './gcnii.js';
export { GIN, GINConv, type GINOptions } from './gin.js';
export { HGT, HGTConv, type HGTOptions } from './hgt.js';
export { JKNet, type JKNetOptions } from './jknet.js';
export {
  bothParts,
  type ComplexFeatures,
  chebyshevSum,
  complexRelu,
  MagNet,
  MagNetConv,
  MagNetEncoder,
  type MagNetEncoderOptions,
  type MagNetOptions,
  partsSideBySide,
} from './magnet.js';
export { type GraphModule, propagateLinear } from './propagate.js';
export { RGCN, RGCNConv } from './rgcn.js';
export { type Aggregator, GraphSAGE, SAGEConv, type SAGEOptions } from './sage.js';
export { hops, meanOfHops, SGC, type SGCOptions } from './sgc.js';
export { type CreateLayer, type JumpingOptions, JumpingStack, Symmetrised } from './stack.js';
export {
  type HeteroModule,
  type HeteroStackOptions,
  type HeteroTask,
  type TypedFeatures,
  TypedInput,
  type TypedTensors,
  typesNeeded,
} from './typed.js';
