// HGNN (Feng, You, Zhang, Ji, Gao, "Hypergraph Neural Networks", AAAI 2019) and its spatial
// successor HGNN⁺ (Gao et al., TPAMI 2022).

import { type Hypergraph, meanPropagation, symmetricPropagation } from '../../structure/index.js';
import { LinearConv } from './propagate.js';

/** X' = D_v^{-1/2} H W D_e^{-1} Hᵀ D_v^{-1/2} (XΘ + b). */
export class HGNNConv extends LinearConv {
  operators(hypergraph: Hypergraph) {
    const { toHyperedges, toVertices } = symmetricPropagation(hypergraph);
    return [toHyperedges, toVertices];
  }
}

/**
 * X' = D_v^{-1} H W D_e^{-1} Hᵀ (XΘ + b): the mean over members, then the weighted mean over
 * hyperedges.
 */
export class HGNNPlusConv extends LinearConv {
  operators(hypergraph: Hypergraph) {
    const { toHyperedges, toVertices } = meanPropagation(hypergraph);
    return [toHyperedges, toVertices];
  }
}
