// ED-HNN (Wang, Yang, Liu, Wang, Li, "Equivariant Hypergraph Diffusion Neural Operators", ICLR
// 2023).

import { inference, MLP, type Mode } from '../../nn/index.js';
import { segmentSum, spmm } from '../../sparse/index.js';
import { type Hypergraph, memo, sumPropagation } from '../../structure/index.js';
import { concatenate, gatherKnownRows, keep, type Random, type Tensor, tensor } from '../../tensor/index.js';

/**
 * m_e = Σ_{u∈e} φ(x_u); x'_v = ψ([x_v, Σ_{e∋v} ρ(x_v, m_e), x⁰_v, d_v]): the message of a hyperedge
 * depends on the vertex that receives it.
 */
export class EDHNNConv {
  /** φ. */
  readonly phi: MLP;
  /** ρ. */
  readonly rho: MLP;
  /** ψ. */
  readonly psi: MLP;

  constructor(features: number, random: Random) {
    this.phi = new MLP([features, features, features], random);
    this.rho = new MLP([2 * features, features, features], random);
    this.psi = new MLP([3 * features + 1, features, features], random);
  }

  /**
   * x [N, features] → [N, features].
   *
   * @param initial x⁰ [N, features], the input of the network. Default: x
   */
  forward(x: Tensor, hypergraph: Hypergraph, initial: Tensor = x, mode: Mode = inference): Tensor {
    const { incidence } = hypergraph;
    const hyperedges = spmm(sumPropagation(hypergraph).toHyperedges, this.phi.forward(x, mode)); // (M, d)
    const receivers = gatherKnownRows(x, incidence.segments.ids); // (nnz, d)
    const senders = gatherKnownRows(hyperedges, incidence.indexTensor);
    const messages = this.rho.forward(concatenate([receivers, senders], 1), mode);
    return this.psi.forward(
      concatenate([x, segmentSum(messages, incidence.segments), initial, degreeColumn(hypergraph)], 1),
      mode,
    );
  }
}

/** Vertex degrees as a column [N, 1]. */
function degreeColumn(hypergraph: Hypergraph): Tensor {
  return memo(hypergraph, 'degreeColumn', () => keep(tensor(hypergraph.vertexDegrees, [hypergraph.vertexCount, 1])));
}
