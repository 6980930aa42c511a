// Gated hops: z_v = Σ_k g_k·(ÂᵏX)_v with a learned scalar for each hop. So few parameters keep
// directions of the texts that training graphs do not have.

import { buffer, type Mode, parameter } from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import { add, gatherKnownRows, keep, multiply, slice, type Tensor, tensor } from '../../tensor/index.js';
import { walkHops } from '../hops.js';

/** A graph whose texts are encoded, prepared for an encoder. */
export interface PreparedGraph {
  /** The graph. */
  readonly graph: Graph;
  /** X: vectors of the nodes' texts [n, d]. */
  readonly texts: Tensor;
  /** ÂᵏX for k = 0 … K, each [n, d]; none where the encoder reads subgraphs. */
  readonly hops: readonly Tensor[];
}

/** An encoder of nodes in their graph. */
export interface GraphTextEncoder {
  /** What `forward` needs of a graph beside its texts. */
  prepare(graph: Graph, texts: Tensor): PreparedGraph;
  /** z of some nodes [rows, d]. */
  forward(prepared: PreparedGraph, rows: Int32Array, mode: Mode): Tensor;
}

/** Options of `HopGates`. */
export interface HopGateOptions {
  /** K. Default: 2. */
  readonly hops?: number;
  /** Whether the gates are learnt; else all hops count alike. Default: true. */
  readonly learned?: boolean;
}

/** z_v = Σ_{k ≤ K} g_k·(ÂᵏX)_v, g = 1 at first; a node without edges has multiples of its text. */
export class HopGates implements GraphTextEncoder {
  /** g [1, K + 1]. */
  readonly gates: Tensor;
  readonly #hops: number;

  /** @throws RangeError unless the number of hops is a non-negative integer */
  constructor({ hops = 2, learned = true }: HopGateOptions = {}) {
    if (!(Number.isInteger(hops) && hops >= 0)) throw new RangeError(`HopGates: ${hops} hops`);
    this.#hops = hops;
    const ones = tensor(new Float32Array(hops + 1).fill(1), [1, hops + 1]);
    this.gates = learned ? parameter(ones) : buffer(ones);
  }

  prepare(graph: Graph, texts: Tensor): PreparedGraph {
    const [n, d] = texts.shape as [number, number];
    const hops = Array.from({ length: this.#hops + 1 }, () => new Float32Array(n * d));
    walkHops(texts, graph, this.#hops, {}, () => ({ k, from, width, values }) => {
      const own = hops[k] as Float32Array;
      for (let v = 0; v < n; v++) own.set(values.subarray(v * width, (v + 1) * width), v * d + from);
    });
    return { graph, texts, hops: hops.map((values) => keep(tensor(values, [n, d]))) };
  }

  forward({ hops }: PreparedGraph, rows: Int32Array): Tensor {
    const picked = tensor(rows);
    return hops
      .map((hop, k) => multiply(gatherKnownRows(hop, picked), slice(this.gates, null, [k, k + 1])))
      .reduce((sum, hop) => add(sum, hop));
  }
}
