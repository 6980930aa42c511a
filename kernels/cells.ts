// Features of the cells (u, v) of many small graphs, h[cells, d]: sums over neighbours along either
// index, and products of the matrices h[·, ·, c] of each graph, channel by channel. The cells of a
// graph follow those of another, row after row; `starts[u] + v` is the place of cell (u, v), nodes
// and rows being numbered over all graphs. Where cells are left out, `table` holds the number of
// the cell at each place, −1 for none.

import { storeSome } from "./lanes";
import { multiplyAdd } from "./math";
import { Optional } from "./optional";

// @ts-ignore: decorator
@inline
function intAt(base: usize, i: i32): i32 {
  return load<i32>(base + (<usize>i << 2));
}

/** The number of the cell at a place. */
// @ts-ignore: decorator
@inline
function cellAt(table: Optional, place: i32): i32 {
  return table == 0 ? place : intAt(table, place);
}

/** The place of the cell that neighbour w of one index of (u, v) leads to. */
// @ts-ignore: decorator
@inline
function placeOf(starts: usize, axis: i32, u: i32, v: i32, w: i32): i32 {
  return axis == 1 ? intAt(starts, u) + w : intAt(starts, w) + v;
}

// @ts-ignore: decorator
@inline
function relu(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0));
}

/**
 * y(u, v) = scale·h(u, v) + Σ over w of ReLU(h(source) + edges[edge]): with `axis` 1 the source is
 * (u, w) for the neighbours w of v, with `axis` 0 it is (w, v) for those of u. Neighbours and the
 * numbers of their edges are compressed rows; without `edges` the message is ReLU(h). Tasks count
 * cells.
 */
export function cellNeighbours(
  h: usize, edges: Optional, scale: usize, y: usize, first: usize, second: usize, starts: usize, table: Optional, indptr: usize, indices: usize,
  edgeOf: Optional, axis: i32, d: i32, begin: i32, end: i32,
): void {
  const stride = <usize>d << 2;
  const factor = v128.load32_splat(scale);
  for (let cell = begin; cell < end; cell++) {
    const u = intAt(first, cell), v = intAt(second, cell);
    const anchor = axis == 1 ? v : u;
    const from = intAt(indptr, anchor), to = intAt(indptr, anchor + 1);
    const own = h + <usize>cell * stride, target = y + <usize>cell * stride;
    let at: usize = 0;
    for (; at + 64 <= stride; at += 64) {
      let y0 = f32x4.mul(v128.load(own + at), factor), y1 = f32x4.mul(v128.load(own + at, 16), factor);
      let y2 = f32x4.mul(v128.load(own + at, 32), factor), y3 = f32x4.mul(v128.load(own + at, 48), factor);
      for (let p = from; p < to; p++) {
        const other = cellAt(table, placeOf(starts, axis, u, v, intAt(indices, p)));
        if (other < 0) continue;
        const source = h + <usize>other * stride + at;
        if (edges == 0) {
          y0 = f32x4.add(y0, relu(v128.load(source)));
          y1 = f32x4.add(y1, relu(v128.load(source, 16)));
          y2 = f32x4.add(y2, relu(v128.load(source, 32)));
          y3 = f32x4.add(y3, relu(v128.load(source, 48)));
        } else {
          const e = edges + <usize>intAt(edgeOf, p) * stride + at;
          y0 = f32x4.add(y0, relu(f32x4.add(v128.load(source), v128.load(e))));
          y1 = f32x4.add(y1, relu(f32x4.add(v128.load(source, 16), v128.load(e, 16))));
          y2 = f32x4.add(y2, relu(f32x4.add(v128.load(source, 32), v128.load(e, 32))));
          y3 = f32x4.add(y3, relu(f32x4.add(v128.load(source, 48), v128.load(e, 48))));
        }
      }
      v128.store(target + at, y0);
      v128.store(target + at, y1, 16);
      v128.store(target + at, y2, 32);
      v128.store(target + at, y3, 48);
    }
    for (; at < stride; at += 4) {
      let sum: f32 = load<f32>(own + at) * load<f32>(scale);
      for (let p = from; p < to; p++) {
        const other = cellAt(table, placeOf(starts, axis, u, v, intAt(indices, p)));
        if (other < 0) continue;
        const message = load<f32>(h + <usize>other * stride + at) + (edges == 0 ? 0 : load<f32>(edges + <usize>intAt(edgeOf, p) * stride + at));
        sum += message > 0 ? message : 0;
      }
      store<f32>(target + at, sum);
    }
  }
}

/**
 * The gradient of `cellNeighbours` to h: dh = scale·g + Σ over the same neighbours of g(source)
 * where h + edges[edge] > 0. Edges go both ways, so that what reads a cell is what it reads.
 */
export function cellNeighboursGradient(
  g: usize, h: usize, edges: Optional, scale: usize, dh: usize, first: usize, second: usize, starts: usize, table: Optional, indptr: usize,
  indices: usize, edgeOf: Optional, axis: i32, d: i32, begin: i32, end: i32,
): void {
  const stride = <usize>d << 2;
  const factor = v128.load32_splat(scale);
  const zero = f32x4.splat(0);
  for (let cell = begin; cell < end; cell++) {
    const u = intAt(first, cell), v = intAt(second, cell);
    const anchor = axis == 1 ? v : u;
    const from = intAt(indptr, anchor), to = intAt(indptr, anchor + 1);
    const offset = <usize>cell * stride;
    let at: usize = 0;
    for (; at + 32 <= stride; at += 32) {
      const h0 = v128.load(h + offset + at), h1 = v128.load(h + offset + at, 16);
      let s0 = zero, s1 = zero;
      for (let p = from; p < to; p++) {
        const other = cellAt(table, placeOf(starts, axis, u, v, intAt(indices, p)));
        if (other < 0) continue;
        const source = g + <usize>other * stride + at;
        if (edges == 0) {
          s0 = f32x4.add(s0, v128.load(source));
          s1 = f32x4.add(s1, v128.load(source, 16));
        } else {
          const e = edges + <usize>intAt(edgeOf, p) * stride + at;
          s0 = f32x4.add(s0, v128.and(v128.load(source), f32x4.gt(f32x4.add(h0, v128.load(e)), zero)));
          s1 = f32x4.add(s1, v128.and(v128.load(source, 16), f32x4.gt(f32x4.add(h1, v128.load(e, 16)), zero)));
        }
      }
      if (edges == 0) {
        s0 = v128.and(s0, f32x4.gt(h0, zero));
        s1 = v128.and(s1, f32x4.gt(h1, zero));
      }
      v128.store(dh + offset + at, multiplyAdd(v128.load(g + offset + at), factor, s0));
      v128.store(dh + offset + at, multiplyAdd(v128.load(g + offset + at, 16), factor, s1), 16);
    }
    for (; at < stride; at += 4) {
      const value = load<f32>(h + offset + at);
      let sum: f32 = load<f32>(g + offset + at) * load<f32>(scale);
      for (let p = from; p < to; p++) {
        const other = cellAt(table, placeOf(starts, axis, u, v, intAt(indices, p)));
        if (other < 0) continue;
        if (value + (edges == 0 ? 0 : load<f32>(edges + <usize>intAt(edgeOf, p) * stride + at)) > 0) sum += load<f32>(g + <usize>other * stride + at);
      }
      store<f32>(dh + offset + at, sum);
    }
  }
}

/**
 * The gradient of `cellNeighbours` to the edges: for edge e of a and b, with x the other index,
 * Σ over x of g(x, a) where h(x, b) + edges[e] > 0, and of g(x, b) where h(x, a) + edges[e] > 0;
 * with `axis` 0 the cells are (a, x) and (b, x). `groups[e]` is the graph of an edge, and x runs
 * from offsets[graph] to offsets[graph + 1]. Tasks count edges.
 */
export function cellEdgeGradient(
  g: usize, h: usize, edges: usize, de: usize, sources: usize, targets: usize, groups: usize, offsets: usize, starts: usize, table: Optional,
  axis: i32, d: i32, begin: i32, end: i32,
): void {
  const stride = <usize>d << 2;
  const zero = f32x4.splat(0);
  for (let edge = begin; edge < end; edge++) {
    const a = intAt(sources, edge), b = intAt(targets, edge);
    const graph = intAt(groups, edge);
    const from = intAt(offsets, graph), to = intAt(offsets, graph + 1);
    const own = edges + <usize>edge * stride, target = de + <usize>edge * stride;
    memory.fill(target, 0, stride);
    for (let x = from; x < to; x++) {
      const atA = cellAt(table, axis == 1 ? intAt(starts, x) + a : intAt(starts, a) + x);
      const atB = cellAt(table, axis == 1 ? intAt(starts, x) + b : intAt(starts, b) + x);
      if (atA < 0 || atB < 0) continue;
      const offsetA = <usize>atA * stride, offsetB = <usize>atB * stride;
      let at: usize = 0;
      for (; at + 16 <= stride; at += 16) {
        const e = v128.load(own + at);
        const toA = v128.and(v128.load(g + offsetA + at), f32x4.gt(f32x4.add(v128.load(h + offsetB + at), e), zero));
        const toB = v128.and(v128.load(g + offsetB + at), f32x4.gt(f32x4.add(v128.load(h + offsetA + at), e), zero));
        v128.store(target + at, f32x4.add(v128.load(target + at), f32x4.add(toA, toB)));
      }
      for (; at < stride; at += 4) {
        const e = load<f32>(own + at);
        let sum: f32 = 0;
        if (load<f32>(h + offsetB + at) + e > 0) sum += load<f32>(g + offsetA + at);
        if (load<f32>(h + offsetA + at) + e > 0) sum += load<f32>(g + offsetB + at);
        store<f32>(target + at, load<f32>(target + at) + sum);
      }
    }
  }
}

/** y[c, :] = scale·h[c, :] + x[indices[c], :], nothing for an index of −1. Tasks count rows c. */
export function scaledPlusRows(h: usize, scale: usize, x: usize, indices: usize, y: usize, d: i32, begin: i32, end: i32): void {
  const stride = <usize>d << 2;
  const factor = v128.load32_splat(scale);
  for (let row = begin; row < end; row++) {
    const index = intAt(indices, row);
    const own = h + <usize>row * stride, target = y + <usize>row * stride;
    const other = x + <usize>max(index, 0) * stride;
    let at: usize = 0;
    if (index < 0) {
      for (; at + 16 <= stride; at += 16) v128.store(target + at, f32x4.mul(v128.load(own + at), factor));
      for (; at < stride; at += 4) store<f32>(target + at, load<f32>(own + at) * load<f32>(scale));
      continue;
    }
    for (; at + 16 <= stride; at += 16) v128.store(target + at, multiplyAdd(v128.load(own + at), factor, v128.load(other + at)));
    for (; at < stride; at += 4) store<f32>(target + at, load<f32>(own + at) * load<f32>(scale) + load<f32>(other + at));
  }
}

/** The last graph whose first tile is at or before a task. */
function graphOfTile(tiles: usize, graphs: i32, task: i32): i32 {
  let low = 0, high = graphs - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (intAt(tiles, middle) <= task) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * y(i, j) = Σ over k of op(A)(i, k)·op(B)(k, j) for each channel and graph, where op transposes if
 * asked. `cells[g]` is the first cell of graph g, `sizes[g]` its nodes n, `tiles[g]` the number of
 * blocks of four rows before it. Tasks count blocks of four rows. A tile of 4×2 cells and 4
 * channels stays in registers.
 */
export function cellProduct(
  a: usize, b: usize, y: usize, cells: usize, sizes: usize, tiles: usize, graphs: i32, d: i32, transposeA: i32, transposeB: i32, begin: i32, end: i32,
): void {
  const channel = <usize>d << 2;
  for (let task = begin; task < end; task++) {
    const graph = graphOfTile(tiles, graphs, task);
    const n = intAt(sizes, graph);
    const i = (task - intAt(tiles, graph)) * 4;
    const rows = min(4, n - i);
    const offset = <usize>intAt(cells, graph) * channel;
    const line = <usize>n * channel;
    const rowA = transposeA ? channel : line, stepA = transposeA ? line : channel;
    const stepB = transposeB ? channel : line, columnB = transposeB ? line : channel;
    const a0 = a + offset + <usize>i * rowA;
    const a1 = a0 + (rows > 1 ? rowA : 0), a2 = a0 + (rows > 2 ? 2 * rowA : 0), a3 = a0 + (rows > 3 ? 3 * rowA : 0);
    for (let j = 0; j < n; j += 2) {
      const pair = j + 1 < n;
      const b0 = b + offset + <usize>j * columnB;
      const b1 = pair ? b0 + columnB : b0;
      const target = y + offset + <usize>i * line + <usize>j * channel;
      for (let at: usize = 0; at < channel; at += 16) {
        let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
        let placeA = at, placeB = at;
        for (let k = 0; k < n; k++) {
          const left = v128.load(b0 + placeB), right = v128.load(b1 + placeB);
          const x0 = v128.load(a0 + placeA);
          c00 = multiplyAdd(x0, left, c00);
          c01 = multiplyAdd(x0, right, c01);
          const x1 = v128.load(a1 + placeA);
          c10 = multiplyAdd(x1, left, c10);
          c11 = multiplyAdd(x1, right, c11);
          const x2 = v128.load(a2 + placeA);
          c20 = multiplyAdd(x2, left, c20);
          c21 = multiplyAdd(x2, right, c21);
          const x3 = v128.load(a3 + placeA);
          c30 = multiplyAdd(x3, left, c30);
          c31 = multiplyAdd(x3, right, c31);
          placeA += stepA;
          placeB += stepB;
        }
        const width = <i32>((channel - at) >> 2);
        storeSome(target + at, c00, width);
        if (pair) storeSome(target + channel + at, c01, width);
        if (rows > 1) storeSome(target + line + at, c10, width);
        if (rows > 1 && pair) storeSome(target + line + channel + at, c11, width);
        if (rows > 2) storeSome(target + 2 * line + at, c20, width);
        if (rows > 2 && pair) storeSome(target + 2 * line + channel + at, c21, width);
        if (rows > 3) storeSome(target + 3 * line + at, c30, width);
        if (rows > 3 && pair) storeSome(target + 3 * line + channel + at, c31, width);
      }
    }
  }
}
