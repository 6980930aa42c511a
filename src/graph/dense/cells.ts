// Cells (u, v) of many small graphs: node v in the subgraph whose root is u. They are one list, the
// cells of a graph after those of another and row after row, so that nothing is padded and no mask
// is needed; policies leave cells out.

import { Segments } from '../../sparse/index.js';
import { type GraphCollection, hopDistances, UNREACHABLE } from '../../structure/index.js';
import { Random, type Tensor, tensor } from '../../tensor/index.js';

/** Which subgraphs there are, and what is known of their roots. */
export interface CellPolicy {
  /**
   * `marking`: every node is the root of the whole graph and marked by the distances to it;
   * `deletion`: every node is the root of the graph without it; `plain`: one unmarked copy of the
   * graph, as for ordinary message passing. Default: `marking`.
   */
  readonly policy?: 'marking' | 'deletion' | 'plain';
  /** Subgraphs hold nodes within so many hops of their root. Default: all. */
  readonly hops?: number | undefined;
  /** Roots of a graph, drawn at random where it has more nodes. Default: all. */
  readonly roots?: number | undefined;
  /** Largest distance D that is told apart; farther nodes count as D. Default: 5. */
  readonly cap?: number;
}

/** Cells of a batch of graphs. */
export interface CellBatch {
  /** The graphs. */
  readonly graphs: GraphCollection;
  /** Number of each graph in the collection that the batch is of. */
  readonly chosen: ArrayLike<number>;
  /** Row of each node in the collection. */
  readonly nodeRows: Int32Array;
  /** Row of each edge there. */
  readonly edgeRows: Int32Array;
  /** Rows (subgraphs) of each graph. */
  readonly rows: Segments;
  /** Cells of each row. */
  readonly cells: Segments;
  /** Row of each cell. */
  readonly first: Int32Array;
  /** Node of each cell. */
  readonly second: Int32Array;
  /** Distance of each cell's node from its root, at most the cap. */
  readonly distances: Int32Array;
  /** The place of cell (row, node) is starts[row] + node. */
  readonly starts: Int32Array;
  /** The cell at each place, −1 for none; undefined where places are cells. */
  readonly table: Int32Array | undefined;
}

/** Graphs of a batch without their cells. */
type Selected = Pick<CellBatch, 'graphs' | 'chosen' | 'nodeRows' | 'edgeRows'>;

/** The cells of a collection of graphs, batch by batch. Distances are computed once. */
export class CellSource {
  /** Policy, with its defaults. */
  readonly policy: 'marking' | 'deletion' | 'plain';
  /** Radius of the subgraphs; undefined for whole ones. */
  readonly hops: number | undefined;
  /** Roots drawn of a graph; undefined for all. */
  readonly roots: number | undefined;
  /** Largest distance that is told apart. */
  readonly cap: number;
  /** Distances of all pairs of each graph; undefined for `plain`. */
  readonly #distances: readonly Uint8Array[] | undefined;

  /** @throws RangeError for a cap, radius or number of roots that is not a whole number above 0 */
  constructor(
    readonly graphs: GraphCollection,
    { policy = 'marking', hops, roots, cap = 5 }: CellPolicy = {},
  ) {
    for (const [name, value] of Object.entries({ hops, roots, cap }))
      if (value !== undefined && !(Number.isInteger(value) && value >= 1))
        throw new RangeError(`CellSource: ${name} must be a whole number of at least 1, got ${value}`);
    if (cap >= UNREACHABLE) throw new RangeError(`CellSource: the cap must be below ${UNREACHABLE}, got ${cap}`);
    this.hops = hops;
    this.roots = roots;
    this.policy = policy;
    this.cap = cap;
    if (policy !== 'plain')
      this.#distances = Array.from({ length: graphs.count }, (_, g) => hopDistances(graphs.graph(g)));
  }

  /** Most cells of a graph. */
  cellsOf(g: number): number {
    const n = (this.graphs.nodes.offsets[g + 1] as number) - (this.graphs.nodes.offsets[g] as number);
    return this.policy === 'plain' ? n : Math.min(n, this.roots ?? n) * n;
  }

  /**
   * The cells of some graphs, in the order given.
   *
   * @param random draws roots; without it they are the same each time
   */
  batch(chosen: ArrayLike<number>, random?: Random): CellBatch {
    const { graphs, nodeRows, edgeRows } = this.graphs.select(chosen);
    const common = { graphs, chosen, nodeRows, edgeRows };
    return this.policy === 'plain' ? plainBatch(common) : this.#pairs(common, random ?? new Random(0));
  }

  #pairs(common: Selected, random: Random): CellBatch {
    const { offsets, size, count } = common.graphs.nodes;
    const { hops, roots, policy, cap } = this;
    const whole = hops === undefined && roots === undefined && policy === 'marking';
    const starts = new Int32Array(size);
    let places = 0;
    for (let g = 0; g < count; g++) {
      const [start, end] = [offsets[g] as number, offsets[g + 1] as number];
      for (let u = start; u < end; u++, places += end - start) starts[u] = places - start;
    }
    const [first, second, distances] = [new Int32Array(places), new Int32Array(places), new Int32Array(places)];
    const table = whole ? undefined : new Int32Array(places).fill(-1);
    const sizes = new Int32Array(size);
    let cell = 0;
    for (let g = 0; g < count; g++) {
      const [start, end] = [offsets[g] as number, offsets[g + 1] as number];
      const n = end - start;
      const own = (this.#distances as readonly Uint8Array[])[common.chosen[g] as number] as Uint8Array;
      const isRoot = roots !== undefined && roots < n ? rootMask(n, roots, random.split(g)) : undefined;
      for (let u = 0; u < n; u++) {
        if (isRoot && !isRoot[u]) continue;
        const before = cell;
        for (let v = 0; v < n; v++) {
          const distance = own[u * n + v] as number;
          if ((policy === 'deletion' && u === v) || (hops !== undefined && distance > hops)) continue;
          first[cell] = start + u;
          second[cell] = start + v;
          distances[cell] = policy === 'deletion' ? 0 : Math.min(distance, cap);
          if (table) table[(starts[start + u] as number) + start + v] = cell;
          cell += 1;
        }
        sizes[start + u] = cell - before;
      }
    }
    return {
      ...common,
      rows: common.graphs.nodes,
      cells: Segments.fromSizes(sizes),
      first: first.subarray(0, cell),
      second: second.subarray(0, cell),
      distances: distances.subarray(0, cell),
      starts,
      table,
    };
  }
}

function rootMask(n: number, roots: number, random: Random): Uint8Array {
  const mask = new Uint8Array(n);
  for (const root of random.sample(n, roots)) mask[root] = 1;
  return mask;
}

/** One row a graph, whose cells are its nodes. */
function plainBatch(common: Selected): CellBatch {
  const { nodes } = common.graphs;
  return {
    ...common,
    rows: Segments.fromSizes(new Int32Array(nodes.count).fill(1)),
    cells: nodes,
    first: segmentOfEach(nodes),
    second: Int32Array.from({ length: nodes.size }, (_, node) => node),
    distances: new Int32Array(nodes.size),
    starts: new Int32Array(nodes.count),
    table: undefined,
  };
}

/** The number of cell (row, node); −1 where there is none. */
export function cellNumber({ starts, table }: CellBatch, row: number, node: number): number {
  const place = (starts[row] as number) + node;
  return table ? (table[place] as number) : place;
}

/** The segment of each row. */
export function segmentOfEach({ offsets, count, size }: Segments): Int32Array {
  const ids = new Int32Array(size);
  for (let s = 0; s < count; s++) ids.fill(s, offsets[s], offsets[s + 1]);
  return ids;
}

/** The tensors that operations on cells read, made in the current scope. */
export interface CellTensors {
  /** The cells. */
  readonly batch: CellBatch;
  /** Number of cells. */
  readonly count: number;
  /** Row of each cell [cells]. */
  readonly first: Tensor;
  /** Node of each cell [cells]. */
  readonly second: Tensor;
  /** The place of cell (row, node) is starts[row] + node. */
  readonly starts: Tensor;
  /** The cell at each place, −1 for none; undefined where places are cells. */
  readonly table: Tensor | undefined;
  /** Where the neighbours of each node start. */
  readonly indptr: Tensor;
  /** The neighbours of all nodes. */
  readonly indices: Tensor;
  /** The edge to each neighbour. */
  readonly edgeOf: Tensor;
  /** One end of each edge [m]. */
  readonly sources: Tensor;
  /** The other end of each edge [m]. */
  readonly targets: Tensor;
  /** Graph of each edge. */
  readonly edgeGraphs: Tensor;
  /** Where the rows of each graph start. */
  readonly rowOffsets: Tensor;
  /** Where the nodes of each graph start. */
  readonly nodeOffsets: Tensor;
}

/** Copies what operations read to the memory of tensors. */
export function cellTensors(batch: CellBatch): CellTensors {
  const { graphs, first, second, starts, table } = batch;
  const { indptr, indices, edgeOf } = graphs.neighbours;
  return {
    batch,
    count: first.length,
    first: tensor(first),
    second: tensor(second),
    starts: tensor(starts),
    table: table && tensor(table),
    indptr: tensor(indptr),
    indices: tensor(indices),
    edgeOf: tensor(edgeOf),
    sources: tensor(graphs.sources),
    targets: tensor(graphs.targets),
    edgeGraphs: tensor(segmentOfEach(graphs.edges)),
    rowOffsets: tensor(batch.rows.offsets),
    nodeOffsets: tensor(graphs.nodes.offsets),
  };
}
