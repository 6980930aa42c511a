// ED-HNN (Wang, Yang, Liu, Wang, Li, "Equivariant Hypergraph Diffusion Neural Operators", ICLR
// 2023).

import { inference, MLP, type Mode } from '../../nn/index.js';
import { segmentMean, segmentSum, spmm } from '../../sparse/index.js';
import { type Hypergraph, memo, sumPropagation } from '../../structure/index.js';
import { concatenate, gatherKnownRows, keep, multiply, type Random, type Tensor, tensor } from '../../tensor/index.js';

/** Layout of `EDHNNConv`. */
export interface EDHNNOptions {
  /**
   * Σ_{e∋v} ρ as in the paper, or the mean over e, which does not grow with the degree.
   * Default: 'sum'.
   */
  readonly aggregate?: 'sum' | 'mean';
  /** Form in which ψ reads d_v: the degree or log(1 + d_v). Default: 'linear'. */
  readonly degree?: 'linear' | 'log';
}

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
  readonly #options: Required<EDHNNOptions>;

  constructor(features: number, random: Random, { aggregate = 'sum', degree = 'linear' }: EDHNNOptions = {}) {
    this.#options = { aggregate, degree };
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
    const received = this.#receive(messages, hypergraph);
    return this.psi.forward(
      concatenate([x, received, initial, degreeColumn(hypergraph, this.#options.degree)], 1),
      mode,
    );
  }

  #receive(messages: Tensor, hypergraph: Hypergraph): Tensor {
    const { segments } = hypergraph.incidence;
    if (this.#options.aggregate === 'mean') return segmentMean(messages, segments);
    const sums = segmentSum(messages, segments);
    const scale = hypergraph.sampleScale;
    return scale ? multiply(sums, tensor(scale, [scale.length, 1])) : sums;
  }
}

/** Vertex degrees, or log(1 + d), as a column [N, 1]. */
function degreeColumn(hypergraph: Hypergraph, form: 'linear' | 'log'): Tensor {
  return memo(hypergraph, `degreeColumn ${form}`, () => {
    const { vertexDegrees } = hypergraph;
    const column = form === 'log' ? vertexDegrees.map(Math.log1p) : vertexDegrees;
    return keep(tensor(column, [hypergraph.vertexCount, 1]));
  });
}
