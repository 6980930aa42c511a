// What networks on whole graphs read: attributes of nodes and edges as features, and the cells of a
// batch.

import {
  type Column,
  type EncodedColumn,
  encodeColumns,
  encodedWidth,
  encodingOf,
  type WholeGraphs,
} from '../../data/index.js';
import { type GraphCollection, memo } from '../../structure/index.js';
import { gatherKnownRows, type Random, type Tensor, tensor } from '../../tensor/index.js';
import { type CellBatch, type CellPolicy, CellSource, type CellTensors, cellTensors } from './cells.js';

/** How attributes become features, as a model keeps it. */
export interface AttributeEncoding {
  /** Of the columns of nodes. */
  readonly nodes: readonly EncodedColumn[];
  /** Of the columns of edges. */
  readonly edges: readonly EncodedColumn[];
}

/** Distinct whole numbers up to which a column is read as categories. */
const MOST_CODES = 16;

/**
 * The encoding of a set of graphs: categories, and columns of few whole numbers, are one-hot; other
 * numbers are standardised.
 *
 * @param train graphs whose attributes give means and deviations. Default: all
 */
export function attributeEncoding(data: WholeGraphs, train?: Int32Array): AttributeEncoding {
  const rows = train && data.graphs.select(train);
  return {
    nodes: encodingOf(data.nodeColumns.map(asCodes), rows?.nodeRows),
    edges: encodingOf(data.edgeColumns.map(asCodes), rows?.edgeRows),
  };
}

function asCodes(column: Column): Column {
  if (column.kind !== 'number') return column;
  const distinct = new Set<number>();
  for (const value of column.values) {
    if (!Number.isInteger(value)) return column;
    distinct.add(value);
    if (distinct.size > MOST_CODES) return column;
  }
  return { name: column.name, kind: 'category', values: Array.from(column.values, String) };
}

/** Numbers of features of nodes and edges; 0 for those without attributes. */
export function attributeSizes({ nodes, edges }: AttributeEncoding): { nodes: number; edges: number } {
  return { nodes: encodedWidth(nodes), edges: encodedWidth(edges) };
}

/** Graphs with features. */
export interface FeaturedGraphs {
  /** The graphs. */
  readonly graphs: GraphCollection;
  /** [n, F]; undefined for nodes without attributes. */
  readonly nodes: Tensor | undefined;
  /** [m, F']; undefined for edges without. */
  readonly edges: Tensor | undefined;
  /** Features of all cells of each graph, graph after graph, row after row; none when left out. */
  readonly pairs?: PairFeatures | undefined;
}

/** Features of pairs of nodes, such as polynomials. */
export interface PairFeatures {
  /** [cells, width], row after row. */
  readonly values: Float32Array;
  /** Features of a cell. */
  readonly width: number;
}

/**
 * The features of a set of graphs.
 *
 * @param onUnknown called for each category that training did not know, which counts as none of the
 * known ones. Default: an error
 * @throws Error for a column that is missing or of another kind
 */
export function encodeAttributes(
  data: WholeGraphs,
  { nodes, edges }: AttributeEncoding,
  onUnknown?: (what: string, value: string) => void,
): FeaturedGraphs {
  const { graphs, name } = data;
  const of = (columns: readonly Column[], encoding: readonly EncodedColumn[], rows: number, what: string) =>
    encoding.length === 0
      ? undefined
      : encodeColumns(
          columns,
          encoding,
          rows,
          `${what} of "${name}"`,
          onUnknown && ((column, value) => onUnknown(`${what}, ${column}`, value)),
        );
  return {
    graphs,
    nodes: of(data.nodeColumns, nodes, graphs.nodeCount, 'nodes'),
    edges: of(data.edgeColumns, edges, graphs.edgeCount, 'edges'),
  };
}

/** A batch of graphs as networks read it, in the current scope. */
export interface GraphBatch {
  /** The cells. */
  readonly cells: CellTensors;
  /** [n, F] of the batch's nodes. */
  readonly nodes: Tensor | undefined;
  /** [m, F'] of the batch's edges. */
  readonly edges: Tensor | undefined;
  /** [cells, width] of the batch's cells, where there are features of pairs. */
  readonly pairs?: Tensor | undefined;
}

/** Batches of graphs with features. */
export class GraphBatches {
  /** Cells by a policy. */
  readonly source: CellSource;

  constructor(
    readonly input: FeaturedGraphs,
    policy: CellPolicy = {},
  ) {
    this.source = new CellSource(input.graphs, policy);
  }

  /** Number of graphs. */
  get count(): number {
    return this.input.graphs.count;
  }

  /** The cells of some graphs; `random` draws roots. */
  select(chosen: ArrayLike<number>, random?: Random): CellBatch {
    return this.source.batch(chosen, random);
  }

  /** Tensors of a batch, in the current scope. */
  tensors(batch: CellBatch): GraphBatch {
    const rowsOf = (x: Tensor | undefined, rows: Int32Array) => x && gatherKnownRows(x, tensor(rows));
    return {
      cells: cellTensors(batch),
      nodes: rowsOf(this.input.nodes, batch.nodeRows),
      edges: rowsOf(this.input.edges, batch.edgeRows),
      pairs: this.input.pairs && this.#pairRows(this.input.pairs, batch),
    };
  }

  /** Features of the cells of a batch, all of each graph. */
  #pairRows({ values, width }: PairFeatures, { chosen, first }: CellBatch): Tensor {
    const own = new Float32Array(first.length * width);
    const starts = this.#pairStarts();
    let at = 0;
    for (let i = 0; i < chosen.length; i++) {
      const g = chosen[i] as number;
      own.set(values.subarray((starts[g] as number) * width, (starts[g + 1] as number) * width), at);
      at += ((starts[g + 1] as number) - (starts[g] as number)) * width;
    }
    if (at !== own.length) throw new Error('GraphBatches: features of pairs need all cells of each graph');
    return tensor(own, [first.length, width]);
  }

  /** First cell of each graph. */
  #pairStarts(): Float64Array {
    const { graphs } = this.input;
    return memo(graphs, 'pairStarts', () => {
      const sizes = graphSizes(graphs);
      const starts = new Float64Array(sizes.length + 1);
      sizes.forEach((n, g) => {
        starts[g + 1] = (starts[g] as number) + n * n;
      });
      return starts;
    });
  }
}

/** Limits of memory for features of cells. */
export interface CellLimits {
  /** Bytes that the features of a batch may take. Default: 1 GiB. */
  readonly budget?: number | undefined;
  /** Whether graphs of more than 500 nodes are taken. Default: false. */
  readonly force?: boolean | undefined;
  /** Whether a refusal advises to draw fewer roots, which not all networks can. Default: true. */
  readonly roots?: boolean | undefined;
}

/** Nodes of a graph that are taken unless forced. */
export const MOST_NODES = 500;

/** Default budget in bytes. */
export const CELL_BUDGET = 2 ** 30;

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`;

/**
 * Refuses graphs whose features of cells are too large.
 *
 * @param bytesPerCell that a step takes
 * @throws RangeError naming the graph, its size, what it would take, and what to do
 */
export function requireCells(
  source: CellSource,
  bytesPerCell: number,
  { budget = CELL_BUDGET, force = false, roots = true }: CellLimits,
  nameOf: (g: number) => string = String,
): void {
  const { offsets, count } = source.graphs.nodes;
  for (let g = 0; g < count; g++) {
    const n = (offsets[g + 1] as number) - (offsets[g] as number);
    const cells = source.cellsOf(g);
    const bytes = cells * bytesPerCell;
    const size = `graph "${nameOf(g)}" has ${n} nodes, whose ${cells.toLocaleString('en')} cells take about ${mebibytes(bytes)}`;
    if (n > MOST_NODES && cells > n && !force)
      throw new RangeError(
        `${size}; graphs of more than ${MOST_NODES} nodes are refused unless forced (force=yes)${roots ? ', or fewer roots are drawn (roots=10)' : ''}`,
      );
    if (bytes > budget)
      throw new RangeError(
        `${size}, above the budget of ${mebibytes(budget)}; raise it (memory=${Math.ceil(bytes / 2 ** 20)})${roots ? ', draw fewer roots,' : ''} or make the network narrower`,
      );
  }
}

/** Cuts graphs into consecutive parts whose cells fit a budget, of at least two rows each. */
export function partsWithin(
  source: CellSource,
  chosen: Int32Array,
  bytesPerCell: number,
  budget: number,
): Int32Array[] {
  const parts: Int32Array[] = [];
  let [from, bytes] = [0, 0];
  const cut = (at: number) => {
    if (at > from) parts.push(chosen.subarray(from, at));
    from = at;
    bytes = 0;
  };
  chosen.forEach((g, at) => {
    const own = source.cellsOf(g) * bytesPerCell;
    if (bytes + own > budget) cut(at);
    bytes += own;
  });
  cut(chosen.length);
  return joinSingles(parts, source);
}

/**
 * Joins a part of one row, whose variance no batch norm can take, with the part before, or the
 * first with the second.
 */
function joinSingles(parts: readonly Int32Array[], source: CellSource): Int32Array[] {
  const joined: Int32Array[] = [];
  let pending: Int32Array | undefined;
  for (const part of parts) {
    const own: Int32Array = pending ? Int32Array.from([...pending, ...part]) : part;
    pending = undefined;
    const isSingle = own.length === 1 && (source.policy === 'plain' || source.cellsOf(own[0] as number) < 2);
    const last = joined.at(-1);
    if (!isSingle) joined.push(own);
    else if (last) joined[joined.length - 1] = Int32Array.from([...last, ...own]);
    else pending = own;
  }
  if (pending) joined.push(pending);
  return joined;
}

/** Nodes of each graph, as sizes. */
export function graphSizes({ nodes }: GraphCollection): Int32Array {
  return Int32Array.from(
    { length: nodes.count },
    (_, g) => (nodes.offsets[g + 1] as number) - (nodes.offsets[g] as number),
  );
}

/** 1 / number of members of each group, 0 for none: [count, 1]. */
export function inverseCounts(groups: ArrayLike<number>, count: number): Tensor {
  const sizes = new Float32Array(count);
  for (let i = 0; i < groups.length; i++) sizes[groups[i] as number] = (sizes[groups[i] as number] as number) + 1;
  return tensor(
    sizes.map((size) => (size === 0 ? 0 : 1 / size)),
    [count, 1],
  );
}
