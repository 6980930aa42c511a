// PPGN in double precision, by plain loops: whether random weights tell graphs apart, which
// rounding in single precision would hide or feign.

import { stateOf } from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';
import { evaluatePattern } from './contract.js';
import { adjacencyInput } from './counts.js';
import { PPGN, type PPGNOptions } from './network.js';
import type { Pattern } from './pattern.js';

/** A network's weights in double precision. */
export class DoublePPGN {
  readonly #state: Readonly<Record<string, Float64Array>>;
  readonly #depth: number;
  readonly #isPlain: boolean;

  constructor(network: PPGN, { variant = '++' }: PPGNOptions = {}) {
    this.#state = Object.fromEntries(
      Object.entries(stateOf(network)).map(([name, x]) => [name, Float64Array.from(x.view())]),
    );
    this.#depth = network.blocks.length;
    this.#isPlain = variant === 'plain';
  }

  /**
   * The outputs for one graph.
   *
   * @param channels of all cells [n², c], row after row
   * @param scaled whether products are divided by n, so that deep networks stay in range
   */
  forward(channels: Float64Array, n: number, scaled = true): Float64Array {
    let t = channels;
    for (let block = 0; block < this.#depth; block++) t = this.#block(`blocks.${block}`, t, n, scaled);
    const width = t.length / (n * n);
    const pooled = new Float64Array(2 * width);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let c = 0; c < width; c++) {
          const at = i === j ? c : width + c;
          const share = i === j ? n : n * (n - 1);
          pooled[at] = (pooled[at] as number) + (t[(i * n + j) * width + c] as number) / share;
        }
    const hidden = this.#linear('head.0', pooled, 1).map((value) => Math.max(0, value));
    return this.#linear('head.1', hidden, 1);
  }

  #linear(name: string, x: Float64Array, rows: number): Float64Array {
    const weight = this.#state[`${name}.weight`] as Float64Array;
    const bias = this.#state[`${name}.bias`] as Float64Array;
    const [inner, outer] = [x.length / rows, bias.length];
    const y = new Float64Array(rows * outer);
    for (let r = 0; r < rows; r++)
      for (let o = 0; o < outer; o++) {
        let sum = bias[o] as number;
        for (let k = 0; k < inner; k++) sum += (x[r * inner + k] as number) * (weight[o * inner + k] as number);
        y[r * outer + o] = sum;
      }
    return y;
  }

  #block(name: string, given: Float64Array, n: number, scaled: boolean): Float64Array {
    const cells = n * n;
    const width = given.length / cells;
    const t = this.#isPlain
      ? given
      : sideBySide(
          given,
          width,
          Float64Array.from({ length: cells }, (_, at) => Number(Math.floor(at / n) === at % n)),
          1,
        );
    const own = t.length / cells;
    const turned = new Float64Array(t.length);
    for (let at = 0; at < cells; at++) {
      const from = (at % n) * n + Math.floor(at / n);
      for (let c = 0; c < own; c++) turned[at * own + c] = t[from * own + c] as number;
    }
    const mlp = (which: string, x: Float64Array) => {
      const first = this.#linear(`${name}.${which}.first`, x, cells).map((value) => Math.max(0, value));
      return this.#linear(`${name}.${which}.second`, first, cells).map((value) => Math.max(0, value));
    };
    const left = mlp('left', this.#isPlain ? t : sideBySide(t, own, turned, own));
    const right = mlp('right', t);
    const h = left.length / cells;
    const product = new Float64Array(cells * h);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let k = 0; k < n; k++)
          for (let c = 0; c < h; c++) {
            const at = (i * n + j) * h + c;
            const term = (left[(i * n + k) * h + c] as number) * (right[(k * n + j) * h + c] as number);
            product[at] = (product[at] as number) + (scaled ? term / n : term);
          }
    return this.#linear(`${name}.skip`, sideBySide(t, own, product, h), cells);
  }
}

/** Rows of a and b next to each other. */
function sideBySide(a: Float64Array, widthA: number, b: Float64Array, widthB: number): Float64Array {
  const rows = a.length / widthA;
  const joined = new Float64Array(rows * (widthA + widthB));
  for (let r = 0; r < rows; r++) {
    joined.set(a.subarray(r * widthA, (r + 1) * widthA), r * (widthA + widthB));
    joined.set(b.subarray(r * widthB, (r + 1) * widthB), r * (widthA + widthB) + widthA);
  }
  return joined;
}

/** What random weights tell apart. */
export interface Distinction {
  /** Pairs of graphs whose outputs differ by more than 10⁻⁹ of their length. */
  readonly told: number;
  /** All pairs. */
  readonly pairs: number;
  /** Largest relative distance of a graph from itself with its nodes in another order. */
  readonly control: number;
}

/**
 * How many pairs of graphs a network with random weights tells apart, in double precision, whose
 * input is the adjacency and the values of patterns divided by their largest over all graphs.
 *
 * @param relabellings random orders of each graph's nodes that must give the same output
 */
export function toldApart(
  graphs: readonly Graph[],
  patterns: readonly Pattern[],
  random: Random,
  { relabellings = 20, ...options }: PPGNOptions & { readonly relabellings?: number } = {},
): Distinction {
  const sizes = { nodes: 0, edges: 0, pairs: patterns.length, outputs: 8 };
  const network = new DoublePPGN(new PPGN(sizes, random.split('weights'), options), options);
  const inputs = graphs.map((graph) => channelsOf(graph, patterns));
  const width = patterns.length + 1;
  const largest = new Float64Array(width);
  for (const input of inputs)
    input.forEach((value, at) => {
      largest[at % width] = Math.max(largest[at % width] as number, Math.abs(value));
    });
  const scaled = (input: Float64Array) => input.map((value, at) => value / (largest[at % width] || 1));
  const outputs = graphs.map((graph, g) => network.forward(scaled(inputs[g] as Float64Array), graph.nodeCount));
  let [told, pairs, control] = [0, 0, 0];
  graphs.forEach((graph, g) => {
    for (let other = 0; other < g; other++) {
      pairs += 1;
      if (relativeDistance(outputs[g] as Float64Array, outputs[other] as Float64Array) > 1e-9) told += 1;
    }
    for (let copy = 0; copy < relabellings; copy++) {
      const order = random.split(g).split(copy).permutation(graph.nodeCount);
      const moved = relabelled(scaled(inputs[g] as Float64Array), order, width);
      control = Math.max(
        control,
        relativeDistance(network.forward(moved, graph.nodeCount), outputs[g] as Float64Array),
      );
    }
  });
  return { told, pairs, control };
}

function relativeDistance(a: Float64Array, b: Float64Array): number {
  const length = (x: Float64Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  return length(a.map((value, i) => value - (b[i] as number))) / Math.max(length(a), length(b));
}

/** The adjacency and the values of patterns for each cell: [n², 1 + patterns]. */
function channelsOf(graph: Graph, patterns: readonly Pattern[]): Float64Array {
  const n = graph.nodeCount;
  const width = patterns.length + 1;
  const channels = new Float64Array(n * n * width);
  const adjacency = adjacencyInput(graph);
  for (let e = 0; e < adjacency.rows.length; e++)
    channels[((adjacency.rows[e] as number) * n + (adjacency.columns[e] as number)) * width] = 1;
  patterns.forEach((pattern, p) => {
    const { rank, positions, values } = evaluatePattern(pattern, [adjacency]);
    positions.forEach((position, i) => {
      const put = (cell: number) => {
        channels[cell * width + p + 1] = values[i] as number;
      };
      if (rank === 0) for (let cell = 0; cell < n * n; cell++) put(cell);
      else put(rank === 1 ? position * (n + 1) : position);
    });
  });
  return channels;
}

function relabelled(channels: Float64Array, order: ArrayLike<number>, width: number): Float64Array {
  const n = order.length;
  const moved = new Float64Array(channels.length);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let c = 0; c < width; c++)
        moved[(i * n + j) * width + c] = channels[
          ((order[i] as number) * n + (order[j] as number)) * width + c
        ] as number;
  return moved;
}
