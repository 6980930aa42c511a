// Operations on features of cells h [cells, d], by kernels that read cells where they lie: sums
// over neighbours along either index, rows added by number, sums by node.

import { rowBlock } from '../../engine/index.js';
import { Segments, segmentSum } from '../../sparse/index.js';
import {
  add,
  apply,
  applyAll,
  emptyTensor,
  gatherKnownRows,
  multiply,
  type Op,
  onlyGradient,
  privately,
  productGradients,
  relu,
  reshape,
  sum,
  type Tensor,
  tensor,
  throughReference,
  zeros,
} from '../../tensor/index.js';
import { type CellTensors, cellNumber, segmentOfEach } from './cells.js';

/** Which index neighbours replace: `second` stays inside a subgraph, `first` goes across them. */
export type Along = 'first' | 'second';

interface Neighbourhood {
  readonly cells: CellTensors;
  readonly along: Along;
}

/** Arguments that the kernels of neighbourhoods share. */
function indexed({ cells, along }: Neighbourhood) {
  const { first, second, starts, table, indptr, indices, edgeOf } = cells;
  return {
    ...{ first, second, starts, table: table ?? null, indptr, indices, edgeOf },
    axis: along === 'second' ? 1 : 0,
    cells: cells.count,
    degree: indices.size / Math.max(1, cells.batch.graphs.nodeCount),
  };
}

/** Inputs h, scale [1], and maybe edges [m, d]. */
const neighbourSumOp: Op<Neighbourhood> = {
  name: 'cellNeighbourSum',
  multiplyAdds: 0,
  infer: ([h]) => [{ shape: (h as Tensor).shape, dtype: 'f32' }],
  compute: (device, [h, scale, edges], [y], attributes) =>
    device.run('cellNeighbours', {
      ...indexed(attributes),
      h: h as Tensor,
      scale: scale as Tensor,
      edges: edges ?? null,
      y: y as Tensor,
      d: (h as Tensor).shape[1] as number,
    }),
  vjp: (backward) => {
    const [h, scale, edges] = backward.inputs as [Tensor, Tensor, Tensor | undefined];
    const { attributes, needed } = backward;
    const g = onlyGradient(backward);
    return [
      needed[0] ? apply(neighbourGradientOp, edges ? [g, h, scale, edges] : [g, h, scale], attributes) : undefined,
      needed[1] ? dot(g, h) : undefined,
      edges && needed[2] ? apply(edgeGradientOp, [g, h, edges], attributes) : undefined,
    ];
  },
};

/** (g, h, scale, edges) → gradient of h. */
const neighbourGradientOp: Op<Neighbourhood> = {
  name: 'cellNeighbourSumGradient',
  multiplyAdds: 0,
  infer: ([, h]) => [{ shape: (h as Tensor).shape, dtype: 'f32' }],
  compute: (device, [g, h, scale, edges], [dh], attributes) =>
    device.run('cellNeighboursGradient', {
      ...indexed(attributes),
      g: g as Tensor,
      h: h as Tensor,
      scale: scale as Tensor,
      edges: edges ?? null,
      dh: dh as Tensor,
      d: (h as Tensor).shape[1] as number,
    }),
  vjp: throughReference(([g, h, scale, edges], attributes) => {
    const { sources, segments, edgeRows } = messages(attributes);
    const at = (x: Tensor, rows: Int32Array) => gatherKnownRows(x, tensor(rows));
    const targets = segmentOfEach(segments);
    // A message is linear in its gradient where it is positive.
    const before = edges ? add(at(h as Tensor, sources), at(edges, edgeRows)) : at(h as Tensor, sources);
    const flowing = multiply(at(g as Tensor, targets), before.greater(0));
    return [add(multiply(g as Tensor, scale as Tensor), scattered(flowing, sources, (h as Tensor).shape[0] as number))];
  }),
};

/** (g, h, edges) → gradient of the edges. */
const edgeGradientOp: Op<Neighbourhood> = {
  name: 'cellEdgeGradient',
  multiplyAdds: 0,
  infer: ([, , edges]) => [{ shape: (edges as Tensor).shape, dtype: 'f32' }],
  compute(device, [g, h, edges], [de], { cells, along }) {
    const { starts, table, sources, targets, edgeGraphs, rowOffsets, nodeOffsets, batch } = cells;
    const others = along === 'second' ? batch.rows : batch.graphs.nodes;
    const offsets = along === 'second' ? rowOffsets : nodeOffsets;
    device.run('cellEdgeGradient', {
      ...{ starts, table: table ?? null, sources, targets, groups: edgeGraphs, offsets },
      g: g as Tensor,
      h: h as Tensor,
      edges: edges as Tensor,
      de: de as Tensor,
      axis: along === 'second' ? 1 : 0,
      d: (h as Tensor).shape[1] as number,
      count: sources.size,
      length: others.size / Math.max(1, others.count),
    });
  },
  vjp: throughReference(([g, h, edges], attributes) => {
    const { sources, segments, edgeRows } = messages(attributes);
    const at = (x: Tensor, rows: Int32Array) => gatherKnownRows(x, tensor(rows));
    const before = add(at(h as Tensor, sources), at(edges as Tensor, edgeRows));
    const flowing = multiply(at(g as Tensor, segmentOfEach(segments)), before.greater(0));
    return [scattered(flowing, edgeRows, (edges as Tensor).shape[0] as number)];
  }),
};

function scattered(x: Tensor, rows: Int32Array, count: number): Tensor {
  return x.scatterAddRows(tensor(rows), count);
}

/** Every message by itself: the cell that it leaves, its edge, and messages of each cell. */
function messages({ cells, along }: Neighbourhood) {
  const { batch, count } = cells;
  const { indptr, indices, edgeOf } = batch.graphs.neighbours;
  const [sources, edgeRows]: [number[], number[]] = [[], []];
  const sizes = new Int32Array(count);
  for (let cell = 0; cell < count; cell++) {
    const [u, v] = [batch.first[cell] as number, batch.second[cell] as number];
    const anchor = along === 'second' ? v : u;
    for (let p = indptr[anchor] as number; p < (indptr[anchor + 1] as number); p++) {
      const w = indices[p] as number;
      const source = along === 'second' ? cellNumber(batch, u, w) : cellNumber(batch, w, v);
      if (source < 0) continue;
      sources.push(source);
      edgeRows.push(edgeOf[p] as number);
      sizes[cell] = (sizes[cell] as number) + 1;
    }
  }
  return {
    sources: Int32Array.from(sources),
    edgeRows: Int32Array.from(edgeRows),
    segments: Segments.fromSizes(sizes),
  };
}

/**
 * y(u, v) = scale·h(u, v) + Σ over neighbours w of v of ReLU(h(u, w) + e(v, w)), along the second
 * index; along the first, over neighbours w of u of ReLU(h(w, v) + e(u, w)). Cells that the policy
 * left out count nothing.
 *
 * @param h [cells, d]
 * @param scale [1]
 * @param edges e [m, d], one row for each edge of the batch; 0 when left out
 * @returns [cells, d]
 */
export function neighbourSum(h: Tensor, scale: Tensor, cells: CellTensors, along: Along, edges?: Tensor): Tensor {
  return apply(neighbourSumOp, edges ? [h, scale, edges] : [h, scale], { cells, along });
}

/** `neighbourSum` in small operations, message by message: its definition. */
export function neighbourSumReference(
  h: Tensor,
  scale: Tensor,
  cells: CellTensors,
  along: Along,
  edges?: Tensor,
): Tensor {
  const { sources, segments, edgeRows } = messages({ cells, along });
  const at = (x: Tensor, rows: Int32Array) => gatherKnownRows(x, tensor(rows));
  const sent = relu(edges ? add(at(h, sources), at(edges, edgeRows)) : at(h, sources));
  return add(multiply(h, scale), segmentSum(sent, segments));
}

/** Inputs h, scale [1], x. */
const plusRowsOp: Op<{ readonly indices: Tensor }> = {
  name: 'scaledPlusRows',
  multiplyAdds: 0,
  infer: ([h]) => [{ shape: (h as Tensor).shape, dtype: 'f32' }],
  compute(device, [h, scale, x], [y], { indices }) {
    const [rows, d] = (h as Tensor).shape as [number, number];
    device.run('scaledPlusRows', {
      h: h as Tensor,
      scale: scale as Tensor,
      x: x as Tensor,
      indices,
      y: y as Tensor,
      rows,
      d,
    });
  },
  vjp: (backward) => {
    const [h, scale, x] = backward.inputs as [Tensor, Tensor, Tensor];
    const g = onlyGradient(backward);
    const { indices } = backward.attributes;
    return [
      backward.needed[0] ? multiply(g, scale) : undefined,
      backward.needed[1] ? dot(g, h) : undefined,
      backward.needed[2] ? apply(addRowsOp, [g], { indices, rows: x.shape[0] as number }) : undefined,
    ];
  },
};

/** y[r] = Σ of the rows of x whose index is r; those of −1 are left out. */
const addRowsOp: Op<{ readonly indices: Tensor; readonly rows: number }> = {
  name: 'addRows',
  multiplyAdds: 0,
  infer: ([x], { rows }) => [{ shape: [rows, (x as Tensor).shape[1] as number], dtype: 'f32' }],
  compute(device, [x], [y], { indices, rows }) {
    const [count, d] = (x as Tensor).shape as [number, number];
    device.run('scatterAddRows', { x: x as Tensor, indices, y: y as Tensor, count, rows, d });
  },
  vjp: (backward) => {
    const x = backward.inputs[0] as Tensor;
    return [plusRows(x, zeros([1]), onlyGradient(backward), backward.attributes.indices)];
  },
};

/**
 * y[c] = scale·h[c] + x[indices[c]], without the second term for an index of −1.
 *
 * @param h [n, d]
 * @param scale [1]
 * @param x [m, d]
 * @param indices i32 [n], known to be in range
 */
export function plusRows(h: Tensor, scale: Tensor, x: Tensor, indices: Tensor): Tensor {
  return apply(plusRowsOp, [h, scale, x], { indices });
}

/** Sums of the rows of x [n, d] by an index i32 [n], known to be in range or −1: [rows, d]. */
export function sumByIndex(x: Tensor, indices: Tensor, rows: number): Tensor {
  return apply(addRowsOp, [x], { indices, rows });
}

/** Σ of the elementwise product of two [n, d], as [1]. */
const dotOp: Op = {
  name: 'dot',
  multiplyAdds: ([a]) => (a as readonly number[]).reduce((product, length) => product * length, 1),
  infer: () => [{ shape: [1], dtype: 'f32' }],
  compute(device, [a, b], [y]) {
    const [rows, d] = (a as Tensor).shape as [number, number];
    privately(() => {
      const block = rowBlock(d);
      const blocks = Math.ceil(rows / block);
      const sums = emptyTensor([blocks, 3, d], 'f32', device);
      device.run('rowProducts', { g: a as Tensor, x: b as Tensor, y: null, mean: zeros([d]), sums, rows, d, block });
      const total = reshape(sum(sums, [0, 2]).slice([1, 2]), [1]);
      device.run('affine', { x: total, y: y as Tensor, scale: 1, shift: 0, n: 1 });
    });
  },
  vjp: (backward) => {
    const [a, b] = backward.inputs as [Tensor, Tensor];
    const g = onlyGradient(backward);
    return [multiply(b, g), multiply(a, g)];
  },
};

function dot(a: Tensor, b: Tensor): Tensor {
  return apply(dotOp, [a, b]);
}

interface ProductAttributes {
  readonly cells: CellTensors;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Rows of a block of the product kernel. */
const PRODUCT_ROWS = 4;

const productOp: Op<ProductAttributes> = {
  name: 'cellProduct',
  multiplyAdds: ([a], _, { cells }) => {
    const { nodes } = cells.batch.graphs;
    let products = 0;
    for (let g = 0; g < nodes.count; g++)
      products += ((nodes.offsets[g + 1] as number) - (nodes.offsets[g] as number)) ** 3;
    return products * ((a as readonly number[])[1] as number);
  },
  infer: ([a]) => [{ shape: (a as Tensor).shape, dtype: 'f32' }],
  compute(device, [a, b], [y], { cells, transposeA, transposeB }) {
    const { nodes } = cells.batch.graphs;
    const sizes = Int32Array.from(
      { length: nodes.count },
      (_, g) => (nodes.offsets[g + 1] as number) - (nodes.offsets[g] as number),
    );
    const before = (own: (n: number) => number) => Segments.fromSizes(sizes.map(own)).offsets;
    const tiles = before((n) => Math.ceil(n / PRODUCT_ROWS));
    privately(() =>
      device.run('cellProduct', {
        a: a as Tensor,
        b: b as Tensor,
        y: y as Tensor,
        cells: tensor(before((n) => n * n)),
        sizes: tensor(sizes),
        tiles: tensor(tiles),
        graphs: nodes.count,
        d: (a as Tensor).shape[1] as number,
        transposeA: Number(transposeA),
        transposeB: Number(transposeB),
        blocks: tiles[nodes.count] as number,
        size: nodes.size / Math.max(1, nodes.count),
      }),
    );
  },
  vjp: (backward) =>
    productGradients(backward, (x, y, transposes) =>
      apply(productOp, [x, y], { cells: backward.attributes.cells, ...transposes }),
    ),
};

/**
 * Matrix products of each graph's n × n features, channel by channel:
 * y(i, j) = Σ over k of op(a)(i, k)·op(b)(k, j).
 *
 * @param a, b [cells, d], all cells of each graph
 * @returns [cells, d]
 * @throws Error where a policy left cells out
 */
export function cellProduct(
  a: Tensor,
  b: Tensor,
  cells: CellTensors,
  { transposeA = false, transposeB = false }: Partial<ProductAttributes> = {},
): Tensor {
  if (
    cells.table ||
    cells.batch.rows.count !== cells.batch.graphs.count ||
    cells.batch.rows.size !== cells.batch.graphs.nodeCount
  )
    throw new Error('cellProduct: every graph needs all its cells; a policy left some out');
  return applyAll(productOp, [a, b], { cells, transposeA, transposeB })[0] as Tensor;
}
