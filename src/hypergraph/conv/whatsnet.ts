// WHATsNet (Choe, Kim, Yoo, Shin, "Classification of Edge-dependent Labels of Nodes in
// Hypergraphs", KDD 2023): within attention makes the message of a vertex depend on the hyperedge
// that receives it, by ranks of the vertex among the members.
//
//   x_e ← W·Drop(MAB(x_e, Z)), Z = ISAB(ISAB(x_v + W_pe·p)) on the members v of e
//   x_v ← W'·Drop(MAB(x_v, Z')), Z' = ISAB(ISAB(x_e + W'_pe·p)) on the hyperedges e of v

import { Dropout, Linear, type Mode, parameters, withWeights } from '../../nn/index.js';
import type { Grouping, IncidenceList } from '../../structure/index.js';
import { add, checkpoint, gatherKnownRows, type Random, type Tensor } from '../../tensor/index.js';
import { AttentionBlock, bySetsInParts, InducedAttentionBlock } from '../sets/index.js';

/** Members at a time; the intermediates of more are not kept. */
const ROWS_AT_ONCE = 32_768;

/** Layout of one direction of WHATsNet. */
interface WithinOptions {
  readonly positions: number;
  readonly heads: number;
  readonly points: number;
  readonly dropout: number;
}

/** A whole layout. */
interface WithinLayout extends WithinOptions {
  readonly features: number;
}

/** One direction: sets read the features of their elements. */
class WithinAttention {
  readonly blocks: readonly InducedAttentionBlock[];
  readonly position: Linear | undefined;
  readonly pool: AttentionBlock;
  readonly output: Linear;
  readonly #dropout: Dropout;

  constructor({ features, positions, heads, points, dropout }: WithinLayout, random: Random) {
    this.blocks = [1, 2].map((i) => new InducedAttentionBlock(features, random.split(`block ${i}`), { points, heads }));
    if (positions > 0) this.position = new Linear(positions, features, random.split('position'), { bias: false });
    this.pool = new AttentionBlock(features, random.split('pool'), { heads });
    this.output = new Linear(features, features, random.split('output'));
    this.#dropout = new Dropout(dropout);
  }

  /**
   * @param queries features of the sets [sets, d]
   * @param elements features of the elements, and the element of each incidence
   * @returns [sets, d]
   */
  forward(
    queries: Tensor,
    elements: { readonly features: Tensor; readonly ids: Tensor },
    sets: Grouping,
    positions: Tensor | undefined,
    mode: Mode,
  ): Tensor {
    const count = elements.ids.shape[0] as number;
    if (count <= ROWS_AT_ONCE)
      return this.#finish(this.#pooled(queries, elements.features, elements.ids, sets, positions), mode);
    let begin = 0;
    const inParts = bySetsInParts(sets, ROWS_AT_ONCE, 'sets', (part, rows) => {
      const own = queries.slice([begin, begin + part.count]);
      begin += part.count;
      const ids = gatherKnownRows(elements.ids, rows);
      const codes = positions && gatherKnownRows(positions, rows);
      return mode.training
        ? this.#recomputed(own, elements.features, ids, part, codes)
        : this.#pooled(own, elements.features, ids, part, codes);
    });
    return this.#finish(inParts, mode);
  }

  #pooled(queries: Tensor, features: Tensor, ids: Tensor, sets: Grouping, positions: Tensor | undefined): Tensor {
    const read = gatherKnownRows(features, ids);
    const coded = this.position && positions ? add(read, this.position.forward(positions)) : read;
    const within = this.blocks.reduce((x, block) => block.forward(x, sets), coded);
    return this.pool.forward(queries, within, sets.pattern);
  }

  /** `#pooled` for training, whose intermediates are computed again in the backward pass. */
  #recomputed(queries: Tensor, features: Tensor, ids: Tensor, sets: Grouping, positions: Tensor | undefined): Tensor {
    const { blocks, pool, position } = this;
    const module = { blocks, pool, ...(position && { position }) };
    const names = Object.keys(parameters(module));
    return checkpoint(
      (own, read, ...weights) =>
        withWeights(module, Object.fromEntries(names.map((name, at) => [name, weights[at] as Tensor])), () =>
          this.#pooled(own, read, ids, sets, positions),
        ),
      ...[queries, features, ...Object.values(parameters(module))],
    );
  }

  #finish(pooled: Tensor, mode: Mode): Tensor {
    return this.output.forward(this.#dropout.forward(pooled, mode));
  }
}

/** What a layer of WHATsNet reads and makes. */
export interface WhatsNetInput {
  /** x_v [N, d]. */
  readonly vertices: Tensor;
  /** x_e [M, d]. */
  readonly hyperedges: Tensor;
}

/** One layer of WHATsNet: hyperedges read their members, then vertices read their hyperedges. */
export class WhatsNetConv {
  /** Hyperedges read vertices. */
  readonly toHyperedges: WithinAttention;
  /** Vertices read hyperedges. */
  readonly toVertices: WithinAttention;

  /**
   * @param options width of the positional encoding (default 0: not used), attention heads (default
   * 4), inducing points (default 4) and dropout probability (default 0.7)
   * @throws Error when the features do not divide into the heads
   */
  constructor(features: number, random: Random, options: Partial<WithinOptions> = {}) {
    const settings = { features, positions: 0, heads: 4, points: 4, dropout: 0.7, ...options };
    this.toHyperedges = new WithinAttention(settings, random.split('hyperedges'));
    this.toVertices = new WithinAttention(settings, random.split('vertices'));
  }

  /**
   * x_v [N, d] and x_e [M, d] → those of the next layer, of the same shapes.
   *
   * @param positions positional encoding of each incidence, [nnz, positions]
   */
  forward(
    { vertices, hyperedges }: WhatsNetInput,
    { byHyperedge, byVertex }: IncidenceList,
    positions: Tensor | undefined,
    mode: Mode,
  ): WhatsNetInput {
    const members = { features: vertices, ids: byVertex.ids };
    const edges = this.toHyperedges.forward(hyperedges, members, byHyperedge, positions, mode);
    const around = { features: edges, ids: byHyperedge.ids };
    return { hyperedges: edges, vertices: this.toVertices.forward(vertices, around, byVertex, positions, mode) };
  }
}
