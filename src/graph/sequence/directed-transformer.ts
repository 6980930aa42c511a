// Directed transformer: a node as a token, direction in its position and in attention (a design of
// our own after TMDG, "Transformers Meet Directed Graphs", Geisler et al., ICML 2023).
//
//   token_v = W·x_v + MLP(p_v)
//   p_v = magnetic eigenvectors at v, and where walks of 1 … 4 steps land, both ways
//   logits of head h from u to v: q_u·k_v/√d + b_h(u → v | v → u | both | neither)

import {
  Dropout,
  dropFeatures,
  type Features,
  joinHeads,
  LayerNorm,
  Linear,
  MLP,
  type Mode,
  parameter,
  splitHeads,
} from '../../nn/index.js';
import {
  type Graph,
  landingProbabilities,
  magneticCoordinates,
  memo,
  reversed,
  unionWithReverse,
} from '../../structure/index.js';
import {
  add,
  attention,
  expandAxis,
  keep,
  matmul,
  type Random,
  reshape,
  slice,
  squeeze,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { GraphModule } from '../conv/index.js';

/** Layout of a directed transformer. */
export interface DirectedTransformerOptions {
  /** Width of a token. Default: 64. */
  readonly hidden?: number;
  /** Layers of attention. Default: 2. */
  readonly layers?: number;
  /** Attention heads, which divide the width. Default: 4. */
  readonly heads?: number;
  /** Dropout probability of features and of each block's output. Default: 0.5. */
  readonly dropout?: number;
  /** Magnetic eigenvectors of a position. Default: 8. */
  readonly eigenvectors?: number;
  /** q of the magnetic Laplacian. Default: 0.25. */
  readonly q?: number;
  /** Largest number of nodes: attention takes n² numbers a head. Default: 4000. */
  readonly limit?: number;
}

/** Steps of walks in a position. */
const LANDINGS = 4;
/** Arc u → v alone, v → u alone, both; a bias common to all pairs would cancel in the softmax. */
const RELATIONS = 3;

/** p of each node [n, 2·eigenvectors + 8]. */
function positionsOf(graph: Graph, q: number, eigenvectors: number): Tensor {
  return memo(graph, `positions ${q} ${eigenvectors}`, () => {
    const n = graph.nodeCount;
    const spectral = magneticCoordinates(graph, q, eigenvectors);
    const landings = [graph, reversed(graph)].flatMap((own) => landingProbabilities(own, LANDINGS));
    const width = 2 * eigenvectors + landings.length;
    const rows = new Float32Array(n * width);
    for (let v = 0; v < n; v++) {
      rows.set(spectral.subarray(v * 2 * eigenvectors, (v + 1) * 2 * eigenvectors), v * width);
      landings.forEach((own, i) => {
        rows[v * width + 2 * eigenvectors + i] = Math.log1p(own[v] as number);
      });
    }
    return keep(tensor(rows, [n, width]));
  });
}

/** 1 where a pair of nodes has a relation, else 0: [RELATIONS, n²]. */
function relationsOf(graph: Graph): Tensor {
  return memo(graph, 'relations of pairs', () => {
    const n = graph.nodeCount;
    const values = new Float32Array(RELATIONS * n * n);
    const { pattern, forward, backward } = unionWithReverse(graph);
    for (let u = 0; u < n; u++)
      for (let e = pattern.indptr[u] as number; e < (pattern.indptr[u + 1] as number); e++) {
        const relation = (forward[e] as number) < 0 ? 1 : (backward[e] as number) < 0 ? 0 : 2;
        values[relation * n * n + u * n + (pattern.indices[e] as number)] = 1;
      }
    return keep(tensor(values, [RELATIONS, n * n]));
  });
}

/** Pre-norm attention and a perceptron, each added to what it reads. */
class Block {
  readonly first: LayerNorm;
  readonly qkv: Linear;
  readonly proj: Linear;
  /** b_h of each relation [heads, RELATIONS]. */
  relations: Tensor;
  readonly second: LayerNorm;
  readonly mlp: MLP;

  constructor(
    readonly hidden: number,
    readonly heads: number,
    random: Random,
  ) {
    this.first = new LayerNorm(hidden);
    this.qkv = new Linear(hidden, 3 * hidden, random.split('qkv'));
    this.proj = new Linear(hidden, hidden, random.split('proj'));
    this.relations = parameter(random.split('relations').normal([heads, RELATIONS]));
    this.second = new LayerNorm(hidden);
    this.mlp = new MLP([hidden, 2 * hidden, hidden], random.split('mlp'));
  }

  /** h [n, hidden], pairs [RELATIONS, n²] → [n, hidden]. */
  forward(h: Tensor, pairs: Tensor, drop: (x: Tensor) => Tensor, mode: Mode): Tensor {
    const n = h.shape[0] as number;
    const projected = expandAxis(this.qkv.forward(this.first.forward(h)), 0);
    const part = (i: number) =>
      splitHeads(slice(projected, null, null, [i * this.hidden, (i + 1) * this.hidden]), this.heads);
    const mask = reshape(matmul(this.relations, pairs), [1, this.heads, n, n]);
    const attended = squeeze(joinHeads(attention(part(0), part(1), part(2), { mask })), 0);
    const mixed = add(h, drop(this.proj.forward(attended)));
    return add(mixed, drop(this.mlp.forward(this.second.forward(mixed), mode)));
  }
}

/**
 * Attention between all pairs of nodes.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @throws RangeError unless the heads divide the width; for a graph of more nodes than `limit`
 */
export class DirectedTransformer implements GraphModule {
  /** W of the features. */
  readonly input: Linear;
  /** MLP of positions. */
  readonly position: MLP;
  /** Blocks of attention. */
  readonly blocks: readonly Block[];
  /** Norm before the classifier. */
  readonly norm: LayerNorm;
  /** Classifier. */
  readonly head: Linear;
  readonly #eigenvectors: number;
  readonly #q: number;
  readonly #limit: number;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    {
      hidden = 64,
      layers = 2,
      heads = 4,
      dropout = 0.5,
      eigenvectors = 8,
      q = 0.25,
      limit = 4000,
    }: DirectedTransformerOptions = {},
  ) {
    if (hidden % heads !== 0)
      throw new RangeError(`DirectedTransformer: a width of ${hidden} does not divide among ${heads} heads`);
    this.input = new Linear(inFeatures, hidden, random.split('input'));
    this.position = new MLP([2 * eigenvectors + 2 * LANDINGS, hidden, hidden], random.split('position'));
    this.blocks = Array.from({ length: layers }, (_, l) => new Block(hidden, heads, random.split(l)));
    this.norm = new LayerNorm(hidden);
    this.head = new Linear(hidden, outFeatures, random.split('head'));
    this.#eigenvectors = eigenvectors;
    this.#q = q;
    this.#limit = limit;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    if (graph.nodeCount > this.#limit)
      throw new RangeError(
        `DirectedTransformer: ${graph.nodeCount} nodes attend to each other in ${graph.nodeCount}² numbers a head, ` +
          `the limit is ${this.#limit}; directed walks and LightDiC take larger graphs`,
      );
    const drop = (own: Tensor) => this.#dropout.forward(own, mode);
    const positions = this.position.forward(positionsOf(graph, this.#q, this.#eigenvectors), mode);
    const tokens = add(this.input.forward(dropFeatures(x, this.#dropout.p, mode)), positions);
    const pairs = relationsOf(graph);
    const h = this.blocks.reduce((own, block) => block.forward(own, pairs, drop, mode), tokens);
    return this.head.forward(drop(this.norm.forward(h)));
  }
}
