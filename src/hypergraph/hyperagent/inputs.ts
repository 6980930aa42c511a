// What the policy reads: a vertex for each agent and one for the task, with the text of each as a
// vector, on a fixed hypergraph.

import { disjointHypergraphs, Hypergraph } from '../../structure/index.js';
import { keep, type Tensor, tensor } from '../../tensor/index.js';
import { pairsOf, topologyOf } from '../agents/topology.js';

/** Rows of the vertices that each pair of a batch of queries is decided from: i32 [B·P]. */
export interface PairRows {
  /** The agent of the lower number. */
  readonly first: Tensor;
  /** The agent of the higher number. */
  readonly second: Tensor;
  /** The task. */
  readonly task: Tensor;
}

/** A batch of queries to one team. */
export interface QueryBatch {
  /** Vectors of the agents, then of the queries: [N + B, D]. */
  readonly features: Tensor;
  /** Their rows for agents and task of the first query, then of the second, …: i32 [B·(N + 1)]. */
  readonly vertices: Tensor;
  /** The input hypergraph of each query, as one. */
  readonly hypergraph: Hypergraph;
  /** Pairs of each query in the order of `pairsOf`. */
  readonly rows: PairRows;
  /** B. */
  readonly queries: number;
  /** P = N·(N − 1)/2. */
  readonly pairs: number;
}

/**
 * The input hypergraph of N agents and the task, which is vertex N: the anchor groups, all vertices
 * as one hyperedge, and each vertex alone, which keeps it apart from the others under smoothing.
 */
export function inputHypergraph(agents: number, anchors: readonly (readonly number[])[]): Hypergraph {
  const all = Array.from({ length: agents + 1 }, (_, v) => v);
  return new Hypergraph(agents + 1, [...topologyOf(agents, anchors).groups, all, ...all.map((v) => [v])]);
}

/** The fixed side of the policy's input: a team's texts as vectors, and its anchors. */
export class TeamInputs {
  /** N. */
  readonly agents: number;
  /** Agents and task of one query; see `inputHypergraph`. */
  readonly hypergraph: Hypergraph;
  readonly #structures = new Map<number, Omit<QueryBatch, 'features'>>();

  /**
   * @param features of each agent [N, D]
   * @param anchors groups that talk unless learnt otherwise
   */
  constructor(
    readonly features: Tensor,
    readonly anchors: readonly (readonly number[])[],
  ) {
    this.agents = features.shape[0] as number;
    this.hypergraph = inputHypergraph(this.agents, anchors);
  }

  /**
   * A batch of queries.
   *
   * @param queries vectors of queries [Q, D]
   * @param rows which of them
   */
  batch(queries: Tensor, rows: ArrayLike<number>): QueryBatch {
    const [width, team, all] = [queries.shape[1] as number, this.features.view(), queries.view()];
    if (width !== this.features.shape[1])
      throw new Error(`TeamInputs: agents have ${this.features.shape[1]} features, queries ${width}`);
    const features = new Float32Array(team.length + rows.length * width);
    features.set(team);
    Array.from(rows).forEach((row, at) => {
      features.set(all.subarray(row * width, (row + 1) * width), team.length + at * width);
    });
    return { ...this.#structure(rows.length), features: tensor(features, [features.length / width, width]) };
  }

  #structure(queries: number): Omit<QueryBatch, 'features'> {
    const known = this.#structures.get(queries);
    if (known) return known;
    const { hypergraph } = disjointHypergraphs(Array.from({ length: queries }, () => this.hypergraph));
    const pairs = pairsOf(this.agents);
    const rows = (vertex: (pair: readonly [number, number]) => number) =>
      keep(
        tensor(
          Int32Array.from({ length: queries * pairs.length }, (_, at) => {
            const query = Math.floor(at / pairs.length);
            return query * (this.agents + 1) + vertex(pairs[at % pairs.length] as [number, number]);
          }),
        ),
      );
    const vertices = Int32Array.from({ length: queries * (this.agents + 1) }, (_, at) => {
      const v = at % (this.agents + 1);
      return v < this.agents ? v : this.agents + Math.floor(at / (this.agents + 1));
    });
    const made = {
      hypergraph,
      vertices: keep(tensor(vertices)),
      rows: { first: rows(([i]) => i), second: rows(([, j]) => j), task: rows(() => this.agents) },
      queries,
      pairs: pairs.length,
    };
    this.#structures.set(queries, made);
    return made;
  }
}
