// The product chain N_k = P·N_{k−1} of FastRP, by blocks of columns and shared by ranks.

import { type Communicator, shareOf } from '../distributed/index.js';
import { cpu, regionAt } from '../engine/index.js';
import { type SparseMatrix, sparseProjection } from '../sparse/index.js';
import { type Graph, powers } from '../structure/index.js';
import { emptyTensor, type Random, type Tensor, tensor } from '../tensor/index.js';

/** Columns of a block, so few that a block of the node matrix stays in cache. */
export const BLOCK = 32;

/** N_k in blocks of columns [n, 32], one block after another. */
export class Chain {
  blocks: Tensor;
  #spare: Tensor;
  #order = 0;
  #projection: SparseMatrix;
  readonly #graph: Graph;
  readonly #scale: Tensor;
  readonly #communicator: Communicator;

  constructor(
    graph: Graph,
    projection: SparseMatrix,
    columnScale: Float32Array,
    matrix: 'transition' | 'adjacency',
    communicator: Communicator,
  ) {
    const { rows, columns } = projection;
    this.#graph = graph;
    this.#communicator = communicator;
    this.#scale = tensor(matrix === 'adjacency' ? new Float32Array(rows).fill(1) : powers(graph.outDegrees, -1));
    this.#projection = projection.scale(tensor(columnScale));
    this.blocks = emptyTensor([rows * columns], 'f32');
    this.#spare = emptyTensor([rows * columns], 'f32');
    this.#start = projection;
  }

  readonly #start: SparseMatrix;
  #dense: Tensor | undefined;

  /** Projects features into the last columns of L·R: R ← [R_structure | F·R_features]. */
  addFeatures(features: Tensor, ratio: number, random: Random): void {
    const { rows, columns } = this.#projection;
    if (features.rank !== 2 || features.shape[0] !== rows)
      throw new Error(`fastRP: expected features of ${rows} nodes, got ${features}`);
    const width = Math.round(ratio * columns);
    const mapped = features.matmul(
      sparseProjection(features.shape[1] as number, width, random, { sparsity: 1 }).toDense(),
    );
    const dense = this.#projection.toDense();
    const [to, from] = [dense.view(), mapped.view()];
    for (let v = 0; v < rows; v++) to.set(from.subarray(v * width, (v + 1) * width), v * columns + columns - width);
    this.#dense = dense;
  }

  /** R, in blocks. */
  start(): Tensor {
    return intoBlocks(this.#dense ?? this.#start.toDense());
  }

  /** N_{k+1} from N_k, block by block; this rank computes its share of the rows of each block. */
  step(): void {
    const { rows, columns } = this.#projection;
    const { successors, adjacency } = this.#graph;
    const [begin, end] = shareOf(rows, this.#communicator);
    const shared = {
      indptr: regionAt(successors.segments.offsetTensor, 4 * begin),
      indices: successors.indexTensor,
      values: adjacency.values ?? null,
      scale: regionAt(this.#scale, 4 * begin),
      rows: end - begin,
    };
    const first = this.#order++ === 0;
    const dense = first && this.#dense ? intoBlocks(this.#dense) : this.blocks;
    for (let column = 0; column < columns; column += BLOCK) {
      const width = Math.min(BLOCK, columns - column);
      const y = regionAt(this.#spare, 4 * (rows * column + begin * width));
      if (first && !this.#dense) {
        const { starts, entries, values } = columnsOf(this.#projection, column, width);
        cpu.run('spmmSparse', { ...shared, starts, columns: entries, entries: values, y, d: width });
      } else {
        cpu.run('spmmScaled', { ...shared, x: regionAt(dense, 4 * rows * column), y, d: width });
      }
      this.#gather(rows * column, width, begin, end);
    }
    [this.blocks, this.#spare] = [this.#spare, this.blocks];
  }

  /** Gathers the rows of a block from every rank. */
  #gather(offset: number, width: number, begin: number, end: number): void {
    if (this.#communicator.size === 1) return;
    const values = this.#spare.view();
    let at = offset;
    for (const part of this.#communicator.allGather(values.slice(offset + begin * width, offset + end * width))) {
      values.set(part, at);
      at += part.length;
    }
  }
}

/** Columns [first, first + width) of a sparse matrix, renumbered from 0. */
export function columnsOf({ rows, pattern, values }: SparseMatrix, first: number, width: number) {
  const stored = (values as Tensor).view();
  const starts = new Int32Array(rows + 1);
  const entries = new Int32Array(pattern.nnz);
  const kept = new Float32Array(pattern.nnz);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let e = pattern.indptr[row] as number; e < (pattern.indptr[row + 1] as number); e++) {
      const column = (pattern.indices[e] as number) - first;
      if (column < 0 || column >= width) continue;
      entries[at] = column;
      kept[at++] = stored[e] as number;
    }
    starts[row + 1] = at;
  }
  return {
    starts: tensor(starts),
    entries: tensor(entries.subarray(0, Math.max(1, at))),
    values: tensor(kept.subarray(0, Math.max(1, at))),
  };
}

/** A matrix [n, d] rearranged into blocks of columns. */
function intoBlocks(x: Tensor): Tensor {
  const [n, d] = x.shape as [number, number];
  const from = x.view();
  const result = emptyTensor([n * d], 'f32');
  const to = result.view();
  for (let column = 0; column < d; column += BLOCK) {
    const width = Math.min(BLOCK, d - column);
    for (let v = 0; v < n; v++) to.set(from.subarray(v * d + column, v * d + column + width), n * column + v * width);
  }
  return result;
}
