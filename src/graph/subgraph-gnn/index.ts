// Subgraph networks (Zhang, Feng, Du, He, Wang, "A Complete Expressiveness Hierarchy for Subgraph
// GNNs via Subgraph Weisfeiler-Lehman Tests", ICML 2023): one feature for each pair of a root u and
// a node v, and one layer whose list of aggregations makes it any class of the hierarchy.
//
//   h⁰(u, v)  = X(x_v) + D(distance of u and v)
//   h'(u, v)  = ReLU(BN(Σ over aggregations a of MLP_a((1 + ε_a)·h(u, v) + m_a(u, v))))
//   uL        m(u, v) = Σ over neighbours w of v of ReLU(h(u, w) + B(e(v, w))): inside a subgraph
//   vL        m(u, v) = Σ over neighbours w of u of ReLU(h(w, v) + B(e(u, w))): across subgraphs
//   vv        m(u, v) = h(v, v)
//
// GNN-SSWL is {uL, vL}, as strong as any subgraph network can be; GNN-SSWL⁺, {uL, vL, vv}, trains
// better. The tests that bound what networks tell apart are in ../expressivity.

export { CellMLP, SubgraphLayer } from './layer.js';
export { SUBGRAPH_MODEL, type SubgraphDescription, SubgraphModel } from './model.js';
export { type GraphSizes, SubgraphNetwork, type SubgraphNetworkOptions, schemeOf } from './network.js';
export { requireScheme, type Scheme, type SchemeName, schemeNames, schemes, testOfScheme } from './schemes.js';
