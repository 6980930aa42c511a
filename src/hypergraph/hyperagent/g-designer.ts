// G-Designer (Zhang et al., ICML 2025), the ancestor that HyperAgent generalises, as a baseline: a
// GCN over a fixed role graph scores ordered pairs, and links are drawn one after the other.
//
//   z = MLP(log softmax(GCN(ReLU(GCN([role ‖ query])))))
//   ϖ = Z·Zᵀ, shifted and scaled to [−1, 1] for each query;  P(i → j) = σ(ϖ_ij)
//
// A link that would close a cycle is not drawn. Links are drawn anew in use. In the released code
// the MLP is left out of the optimiser; here it is trained. (yanweiyue/GDesigner)

import { inference, MLP } from '../../nn/index.js';
import { disjointHypergraphs, Hypergraph } from '../../structure/index.js';
import {
  add,
  divide,
  gatherKnownRows,
  keep,
  logSoftmax,
  matmul,
  max,
  min,
  multiply,
  type Random,
  reshape,
  scope,
  subtract,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { type Topology, topologyOfLinks } from '../agents/topology.js';
import { CliqueGCNConv } from '../conv/index.js';
import type { Sketch, SketchModel } from './training.js';

/** Layout of a `GDesignerNetwork`. */
export interface GDesignerOptions {
  /** Width of the hidden layers. Default: 16. */
  readonly hidden?: number;
}

/** Scores ordered pairs of agents. */
export class GDesignerNetwork {
  /** The two layers of the GCN. */
  readonly convolutions: readonly [CliqueGCNConv, CliqueGCNConv];
  /** The MLP of z. */
  readonly head: MLP;

  /** @param dimension D of the vectors of roles and queries */
  constructor(
    readonly dimension: number,
    random: Random,
    { hidden = 16 }: GDesignerOptions = {},
  ) {
    this.convolutions = [
      new CliqueGCNConv(2 * dimension, hidden, random.split('first')),
      new CliqueGCNConv(hidden, dimension, random.split('second')),
    ];
    this.head = new MLP([dimension, hidden, hidden], random.split('head'));
  }

  /** [role ‖ query] of each agent [B·N, 2D] → ϖ [B, N, N]. */
  forward(x: Tensor, graph: Hypergraph, queries: number): Tensor {
    const [first, second] = this.convolutions;
    const hidden = first.forward(x, graph).relu();
    const z = this.head.forward(logSoftmax(second.forward(hidden, graph)), inference);
    const vectors = reshape(z, [queries, (x.shape[0] as number) / queries, -1]);
    const gram = matmul(vectors, vectors, { transposeB: true });
    const [low, high] = [min(gram, [1, 2], { keepAxes: true }), max(gram, [1, 2], { keepAxes: true })];
    return subtract(multiply(divide(subtract(gram, low), add(subtract(high, low), 1e-9)), 2), 1);
  }
}

/** What a `GDesigner` reads. */
export interface GDesignerInputs {
  /** Vectors of the roles [N, D]. */
  readonly roles: Tensor;
  /** Vectors of the queries [Q, D]. */
  readonly queries: Tensor;
  /** Edges of the role graph. */
  readonly roleGraph: readonly (readonly number[])[];
}

/** Draws acyclic communication graphs for queries. */
export class GDesigner implements SketchModel {
  readonly choices: number;
  /** Number of agents. */
  readonly agents: number;
  readonly #inputs: GDesignerInputs;
  readonly #links: readonly (readonly [from: number, to: number])[];
  readonly #structures = new Map<number, { readonly graph: Hypergraph; readonly rows: Tensor }>();

  constructor(
    readonly network: GDesignerNetwork,
    inputs: GDesignerInputs,
  ) {
    const agents = inputs.roles.shape[0] as number;
    this.agents = agents;
    this.#inputs = inputs;
    this.#links = Array.from({ length: agents }, (_, from) =>
      Array.from({ length: agents }, (_, to) => [from, to] as const).filter(([, to]) => to !== from),
    ).flat();
    this.choices = this.#links.length;
  }

  score(queries: ArrayLike<number>): { readonly logits: Tensor } {
    const { graph, rows } = this.#structure(queries.length);
    const all = reshape(this.network.forward(this.#features(queries), graph, queries.length), [-1, 1]);
    return { logits: reshape(gatherKnownRows(all, rows), [queries.length, this.choices]) };
  }

  draw(logits: Float32Array, uniform: Float32Array): Sketch {
    const { agents } = this;
    const [chosen, open] = [new Uint8Array(this.choices), new Uint8Array(this.choices)];
    // reaches[v, w] = 1: messages of v come to w; each agent's own come to itself.
    const reaches = Uint8Array.from({ length: agents * agents }, (_, at) => Number(at % (agents + 1) === 0));
    this.#links.forEach(([from, to], at) => {
      if (reaches[to * agents + from] === 1) return;
      open[at] = 1;
      if ((uniform[at] as number) >= 1 / (1 + Math.exp(-(logits[at] as number)))) return;
      chosen[at] = 1;
      for (let v = 0; v < agents; v++) {
        if (reaches[v * agents + from] !== 1) continue;
        for (let w = 0; w < agents; w++) if (reaches[to * agents + w] === 1) reaches[v * agents + w] = 1;
      }
    });
    return { chosen, open, topology: this.topologyOf(chosen) };
  }

  topologyOf(chosen: Uint8Array): Topology {
    return topologyOfLinks(
      this.agents,
      this.#links.filter((_, at) => chosen[at] === 1),
    );
  }

  /** A topology for each query, drawn. */
  drawTopologies(random: Random): readonly Topology[] {
    const queries = Array.from({ length: this.#inputs.queries.shape[0] as number }, (_, at) => at);
    const L = this.choices;
    const [logits, uniform] = scope(() => [
      this.score(queries).logits.dataSync<Float32Array>().slice(),
      random.uniform([queries.length, L]).dataSync<Float32Array>().slice(),
    ]) as [Float32Array, Float32Array];
    return queries.map((at) => this.draw(logits.subarray(at * L), uniform.subarray(at * L)).topology);
  }

  /** [role ‖ query] of each agent: [B·N, 2D]. */
  #features(queries: ArrayLike<number>): Tensor {
    const [roles, all] = [this.#inputs.roles.view(), this.#inputs.queries.view()];
    const width = this.#inputs.roles.shape[1] as number;
    const values = new Float32Array(queries.length * this.agents * 2 * width);
    for (let at = 0; at < queries.length * this.agents; at++) {
      const [agent, query] = [at % this.agents, queries[Math.floor(at / this.agents)] as number];
      values.set(roles.subarray(agent * width, (agent + 1) * width), 2 * at * width);
      values.set(all.subarray(query * width, (query + 1) * width), (2 * at + 1) * width);
    }
    return tensor(values, [queries.length * this.agents, 2 * width]);
  }

  #structure(queries: number) {
    const known = this.#structures.get(queries);
    if (known) return known;
    const one = new Hypergraph(this.agents, this.#inputs.roleGraph);
    const graph = disjointHypergraphs(Array.from({ length: queries }, () => one)).hypergraph;
    const rows = Int32Array.from({ length: queries * this.choices }, (_, at) => {
      const [from, to] = this.#links[at % this.choices] as readonly [number, number];
      return (Math.floor(at / this.choices) * this.agents + from) * this.agents + to;
    });
    const made = { graph, rows: keep(tensor(rows)) };
    this.#structures.set(queries, made);
    return made;
  }
}
