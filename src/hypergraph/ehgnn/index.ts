// EHGNN (Jo, Baek, Lee, Kim, Kang, Hwang, "Edge Representation Learning with Hypergraphs", NeurIPS
// 2021): edges of graphs get messages of their own.
//
// The dual hypergraph transformation (`dualHypergraph` of gossamer/structure) turns edges into
// vertices and nodes into hyperedges, so that convolutions on vertices give representations of
// edges (`DualConv`). Edges are then pooled in two ways:
//
//   HyperCluster  A = softmax over K seeds of QKᵀ/√d, O = Q + A·V: K rows for a graph, and back by
//                 Aᵀ·O; the types of edges are told again from them (`EdgeClusterAutoencoder`)
//   HyperDrop     s = tanh(dualconv(E)); each graph keeps its ⌈ρ·m⌉ edges of highest s, all nodes,
//                 and GCN layers weight the edges left by clamp(s, 0, 1) (`GraphClassifier`)

export {
  type Classified,
  GraphClassifier,
  type GraphClassifierOptions,
  type GraphPooling,
  graphPoolings,
} from './classifier.js';
export { DeepNodeNetwork, type DeepNodeOptions } from './deep-nodes.js';
export { encodedSizes, encodeGraphs, type GraphEncoding, graphEncoding } from './features.js';
export {
  type AdversarialOptions,
  atomPairs,
  type DenseMolecules,
  EdgeCritic,
  type MoleculeCritic,
  MoleculeGenerator,
  type MoleculeSizes,
  NodeCritic,
  trainAdversarially,
} from './generation.js';
export { endpointFeatures, type GraphInput, type TypedGraphs } from './inputs.js';
export {
  type GraphAnswer,
  HYPERCLUSTER_MODEL,
  HYPERDROP_MODEL,
  type HyperClusterDescription,
  HyperClusterModel,
  type HyperDropDescription,
  HyperDropModel,
  typesOfEdges,
} from './model.js';
export {
  type AutoencoderOptions,
  type EdgeAutoencoder,
  EdgeClusterAutoencoder,
  NodeClusterAutoencoder,
  reconstructionLoss,
} from './reconstruction.js';
export {
  classifyGraphs,
  type GraphSplit,
  type GraphTask,
  type GraphTrainingOptions,
  reconstructTypes,
  selectInput,
  selectTyped,
  trainAutoencoder,
  trainClassifier,
  trainOnGraphs,
} from './training.js';
