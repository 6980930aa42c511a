// Feed-forward blocks of which tokens use some: y = Σ over used blocks i of
// Aᵢ·W_down,ᵢ·SiLU(W_up,ᵢ·x), for one token or for a chunk whose tokens use a union of blocks. Only
// the weights of those blocks are read.
//
// `used` lists the blocks, `count` of them. Between the two products the hidden units of the j-th
// block lie together, [count, n, width]. Floats: W_up and W_down lie as [E·width, d], W_down
// transposed, so that a block is one run of memory. Quantised: W_up in panels of its rows, W_down
// in panels of [E·d, width].

import { Activation, activate } from "./activation";
import { addScaled, blockBytes, blockDots, headBytes, INT4, INT8, isWide, rowsTimesPanel, rowTimesPanel, storeRow } from "./blocks";
import { multiplyAdd, sumLanes } from "./math";
import { dot } from "./sparse";
import { ownTile } from "./thread";

/** Rows of W_up of a task. */
const FOUR = 4;
/** Columns of W_down of a task. */
const STRIP = 64;
/** Rows of a panel. */
const ROWS = 8;

// @ts-ignore: decorator
@inline
function gateOf(gates: usize, token: i32, experts: i32, block: i32): f32 {
  return load<f32>(gates + ((<usize>token * experts + block) << 2));
}

/** SiLU of hidden units times the gate of their block. */
// @ts-ignore: decorator
@inline
function gated(x: v128, gate: f32): v128 {
  return f32x4.mul(activate(Activation.Silu, x), f32x4.splat(gate));
}

/**
 * h[j, t, r] = SiLU(W_up[i·width + r]·x[t])·A[t, i] with i the j-th used block: x [n, d], gates A
 * [n, experts]. Tasks count groups of four rows of the used blocks.
 */
export function blocksUp(
  x: usize, w: usize, gates: usize, used: usize, h: usize, n: i32, d: i32, width: i32, experts: i32, begin: i32, end: i32,
): void {
  const groups = (width + FOUR - 1) / FOUR;
  const row = <usize>d << 2;
  for (let task = begin; task < end; task++) {
    const j = task / groups;
    const first = (task % groups) * FOUR;
    const block = load<i32>(used + (<usize>j << 2));
    const source = w + <usize>(block * width + first) * row;
    const rows = min(FOUR, width - first);
    for (let t = 0; t < n; t++) {
      const target = h + ((<usize>(j * n + t) * width + first) << 2);
      const gate = gateOf(gates, t, experts, block);
      if (gate == 0) {
        memory.fill(target, 0, <usize>rows << 2);
        continue;
      }
      const own = x + <usize>t * row;
      if (rows == FOUR) {
        const next = t + 1 < n ? gateOf(gates, t + 1, experts, block) : 0;
        if (next != 0) {
          const other = target + (<usize>width << 2);
          twoTimesFour(own, source, d, target, other);
          v128.store(target, gated(v128.load(target), gate));
          v128.store(other, gated(v128.load(other), next));
          t += 1;
        } else v128.store(target, gated(oneTimesFour(own, source, d), gate));
      } else
        for (let r = 0; r < rows; r++)
          store<f32>(target + (<usize>r << 2), f32x4.extract_lane(gated(f32x4.splat(dot(own, source + <usize>r * row, d)), gate), 0));
    }
  }
}

// @ts-ignore: decorator
@inline
function lanes(a: v128, b: v128, c: v128, d: v128): v128 {
  let y = f32x4.splat(sumLanes(a));
  y = f32x4.replace_lane(y, 1, sumLanes(b));
  y = f32x4.replace_lane(y, 2, sumLanes(c));
  return f32x4.replace_lane(y, 3, sumLanes(d));
}

/** Products of the last d mod 4 columns. */
// @ts-ignore: decorator
@inline
function withRest(y: v128, x: usize, w: usize, d: i32): v128 {
  const row = <usize>d << 2;
  for (let i = d & ~3; i < d; i++) {
    const at = <usize>i << 2;
    const value = load<f32>(x + at);
    y = f32x4.replace_lane(y, 0, f32x4.extract_lane(y, 0) + value * load<f32>(w + at));
    y = f32x4.replace_lane(y, 1, f32x4.extract_lane(y, 1) + value * load<f32>(w + at + row));
    y = f32x4.replace_lane(y, 2, f32x4.extract_lane(y, 2) + value * load<f32>(w + at + 2 * row));
    y = f32x4.replace_lane(y, 3, f32x4.extract_lane(y, 3) + value * load<f32>(w + at + 3 * row));
  }
  return y;
}

/** Four rows of weights times one token. */
function oneTimesFour(x: usize, w: usize, d: i32): v128 {
  const row = <usize>d << 2;
  const w1 = w + row, w2 = w1 + row, w3 = w2 + row;
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  const whole = <usize>(d & ~3) << 2;
  let at: usize = 0;
  for (; at + 32 <= whole; at += 32) {
    const p = v128.load(x + at), q = v128.load(x + at, 16);
    a0 = multiplyAdd(p, v128.load(w + at), a0);
    b0 = multiplyAdd(q, v128.load(w + at, 16), b0);
    a1 = multiplyAdd(p, v128.load(w1 + at), a1);
    b1 = multiplyAdd(q, v128.load(w1 + at, 16), b1);
    a2 = multiplyAdd(p, v128.load(w2 + at), a2);
    b2 = multiplyAdd(q, v128.load(w2 + at, 16), b2);
    a3 = multiplyAdd(p, v128.load(w3 + at), a3);
    b3 = multiplyAdd(q, v128.load(w3 + at, 16), b3);
  }
  if (at < whole) {
    const p = v128.load(x + at);
    a0 = multiplyAdd(p, v128.load(w + at), a0);
    a1 = multiplyAdd(p, v128.load(w1 + at), a1);
    a2 = multiplyAdd(p, v128.load(w2 + at), a2);
    a3 = multiplyAdd(p, v128.load(w3 + at), a3);
  }
  return withRest(lanes(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3)), x, w, d);
}

/** Four rows of weights times two tokens that follow each other. */
function twoTimesFour(x: usize, w: usize, d: i32, first: usize, second: usize): void {
  const row = <usize>d << 2;
  const w1 = w + row, w2 = w1 + row, w3 = w2 + row, x1 = x + row;
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  const whole = <usize>(d & ~3) << 2;
  for (let at: usize = 0; at < whole; at += 16) {
    const p = v128.load(x + at), q = v128.load(x1 + at);
    let own = v128.load(w + at);
    a0 = multiplyAdd(p, own, a0);
    b0 = multiplyAdd(q, own, b0);
    own = v128.load(w1 + at);
    a1 = multiplyAdd(p, own, a1);
    b1 = multiplyAdd(q, own, b1);
    own = v128.load(w2 + at);
    a2 = multiplyAdd(p, own, a2);
    b2 = multiplyAdd(q, own, b2);
    own = v128.load(w3 + at);
    a3 = multiplyAdd(p, own, a3);
    b3 = multiplyAdd(q, own, b3);
  }
  v128.store(first, withRest(lanes(a0, a1, a2, a3), x, w, d));
  v128.store(second, withRest(lanes(b0, b1, b2, b3), x1, w, d));
}

/**
 * y[t] = Σ over used blocks and their hidden units r of h[j, t, r]·W_down[i·width + r], W_down
 * transposed: y [n, d]. Tasks count strips of 64 columns.
 */
export function blocksDown(
  h: usize, w: usize, used: usize, y: usize, n: i32, d: i32, width: i32, count: i32, begin: i32, end: i32,
): void {
  const row = <usize>d << 2;
  for (let strip = begin; strip < end; strip++) {
    const column = strip * STRIP;
    const columns = min(STRIP, d - column);
    const target = y + (<usize>column << 2);
    for (let t = 0; t < n; t++) memory.fill(target + <usize>t * row, 0, <usize>columns << 2);
    for (let j = 0; j < count; j++) {
      const block = load<i32>(used + (<usize>j << 2));
      let source = w + <usize>(block * width) * row + (<usize>column << 2);
      for (let r = 0; r < width; r += FOUR, source += FOUR * row) {
        const rows = min(FOUR, width - r);
        for (let t = 0; t < n; t++) {
          const own = h + ((<usize>(j * n + t) * width + r) << 2);
          if (rows == FOUR) {
            if (v128.any_true(v128.load(own))) addFour(own, source, row, target + <usize>t * row, columns);
          } else
            for (let i = 0; i < rows; i++) addOne(load<f32>(own + (<usize>i << 2)), source + <usize>i * row, target + <usize>t * row, columns);
        }
      }
    }
  }
}

/** y += Σ of four rows of weights times four hidden units. */
function addFour(h: usize, w: usize, row: usize, y: usize, columns: i32): void {
  const h0 = v128.load32_splat(h), h1 = v128.load32_splat(h, 4), h2 = v128.load32_splat(h, 8), h3 = v128.load32_splat(h, 12);
  const w1 = w + row, w2 = w1 + row, w3 = w2 + row;
  const whole = <usize>(columns & ~3) << 2;
  let at: usize = 0;
  for (; at + 32 <= whole; at += 32) {
    let p = multiplyAdd(h0, v128.load(w + at), v128.load(y + at));
    let q = multiplyAdd(h0, v128.load(w + at, 16), v128.load(y + at, 16));
    p = multiplyAdd(h1, v128.load(w1 + at), p);
    q = multiplyAdd(h1, v128.load(w1 + at, 16), q);
    p = multiplyAdd(h2, v128.load(w2 + at), p);
    q = multiplyAdd(h2, v128.load(w2 + at, 16), q);
    v128.store(y + at, multiplyAdd(h3, v128.load(w3 + at), p));
    v128.store(y + at, multiplyAdd(h3, v128.load(w3 + at, 16), q), 16);
  }
  if (at < whole) {
    let p = multiplyAdd(h0, v128.load(w + at), v128.load(y + at));
    p = multiplyAdd(h1, v128.load(w1 + at), p);
    p = multiplyAdd(h2, v128.load(w2 + at), p);
    v128.store(y + at, multiplyAdd(h3, v128.load(w3 + at), p));
  }
  for (let i = columns & ~3; i < columns; i++) {
    const c = <usize>i << 2;
    const sum = load<f32>(h) * load<f32>(w + c) + load<f32>(h, 4) * load<f32>(w1 + c) + load<f32>(h, 8) * load<f32>(w2 + c) + load<f32>(h, 12) * load<f32>(w3 + c);
    store<f32>(y + c, load<f32>(y + c) + sum);
  }
}

function addOne(h: f32, w: usize, y: usize, columns: i32): void {
  for (let i = 0; i < columns; i++) {
    const c = <usize>i << 2;
    store<f32>(y + c, load<f32>(y + c) + h * load<f32>(w + c));
  }
}

/**
 * `blocksUp` with quantised weights, for rows of x as `quantizeBlocks` writes them: `blocks` of 32
 * columns a row. Tasks count panels of the used blocks; the width is a multiple of 8.
 */
// @ts-ignore: decorator
@inline
function up(
  kind: i32, a: usize, scales: usize, sums: usize, w: usize, gates: usize, used: usize, h: usize, n: i32, blocks: i32, width: i32, experts: i32,
  begin: i32, end: i32,
): void {
  const panels = width / ROWS;
  const row = <usize>blocks * (isWide(kind) ? 64 : 32);
  for (let task = begin; task < end; task++) {
    const j = task / panels;
    const part = task % panels;
    const block = load<i32>(used + (<usize>j << 2));
    const own = w + <usize>(block * panels + part) * blocks * blockBytes(kind);
    for (let t = 0; t < n; ) {
      const many = t + 4 <= n && n > 2;
      const tokens = many ? 4 : 1;
      const target = h + ((<usize>(j * n + t) * width + part * ROWS) << 2);
      let isUsed = false;
      for (let i = 0; i < tokens; i++) isUsed = isUsed || gateOf(gates, t + i, experts, block) != 0;
      const from = a + <usize>t * row, scale = scales + ((<usize>t * blocks) << 2), sum = sums + ((<usize>t * blocks) << 3);
      if (isUsed && many) rowsTimesPanel(kind, from, scale, sum, own, blocks, target, width, ROWS);
      else if (isUsed) rowTimesPanel(kind, from, scale, sum, own, blocks, target, ROWS);
      for (let i = 0; i < tokens; i++) {
        const at = target + ((<usize>i * width) << 2);
        const gate = gateOf(gates, t + i, experts, block);
        if (gate == 0) memory.fill(at, 0, ROWS << 2);
        else {
          v128.store(at, gated(v128.load(at), gate));
          v128.store(at, gated(v128.load(at, 16), gate), 16);
        }
      }
      t += tokens;
    }
  }
}

/** A panel of W_down times one token's hidden units: that of used blocks, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function panelOfOne(
  kind: i32, a: usize, scales: usize, sums: usize, w: usize, used: usize, stride: usize, blocks: i32, count: i32, y: usize,
): void {
  const size: usize = isWide(kind) ? 64 : 32;
  let t0 = f32x4.splat(0), t1 = t0;
  for (let j = 0; j < count; j++) {
    let own = w + <usize>load<i32>(used + (<usize>j << 2)) * stride;
    for (let block = 0; block < blocks; block++) {
      const q = own + headBytes(kind);
      const scale = load<f32>(scales);
      const sum = load<i32>(sums) + load<i32>(sums, 4);
      t0 = addScaled(kind, blockDots(kind, q, a), own, scale, sum, t0);
      t1 = addScaled(kind, blockDots(kind, q + 16, a), own + 16, scale, sum, t1);
      own += blockBytes(kind);
      a += size;
      scales += 4;
      sums += 8;
    }
  }
  storeRow(t0, t1, y, ROWS);
}

/**
 * `blocksDown` with quantised weights, for the rows of h as `quantizeBlocks` writes them: `blocks`
 * of 32 hidden units a row. Tasks count panels of d.
 */
// @ts-ignore: decorator
@inline
function down(
  kind: i32, a: usize, scales: usize, sums: usize, w: usize, used: usize, y: usize, n: i32, d: i32, blocks: i32, count: i32, begin: i32, end: i32,
): void {
  const panels = d / ROWS;
  const row = <usize>blocks * (isWide(kind) ? 64 : 32);
  const sumTile = ownTile() + 256;
  for (let panel = begin; panel < end; panel++) {
    const target = y + (<usize>panel << 5);
    if (n == 1) {
      const bytes = <usize>blocks * blockBytes(kind);
      panelOfOne(kind, a, scales, sums, w + <usize>panel * bytes, used, <usize>panels * bytes, blocks, count, target);
      continue;
    }
    for (let t = 0; t < n; t++) memory.fill(target + ((<usize>t * d) << 2), 0, ROWS << 2);
    for (let j = 0; j < count; j++) {
      const block = load<i32>(used + (<usize>j << 2));
      const own = w + <usize>(block * panels + panel) * blocks * blockBytes(kind);
      for (let t = 0; t < n; ) {
        const at = <usize>(j * n + t);
        const from = a + at * row, scale = scales + ((at * blocks) << 2), sum = sums + ((at * blocks) << 3);
        const tokens = t + 4 <= n ? 4 : 1;
        if (tokens == 4) rowsTimesPanel(kind, from, scale, sum, own, blocks, sumTile, ROWS, ROWS);
        else rowTimesPanel(kind, from, scale, sum, own, blocks, sumTile, ROWS);
        for (let i = 0; i < tokens; i++) {
          const to = target + ((<usize>(t + i) * d) << 2);
          const add = sumTile + (<usize>i << 5);
          v128.store(to, f32x4.add(v128.load(to), v128.load(add)));
          v128.store(to, f32x4.add(v128.load(to, 16), v128.load(add, 16)), 16);
        }
        t += tokens;
      }
    }
  }
}

export function blocksUpInt8(
  a: usize, scales: usize, sums: usize, w: usize, gates: usize, used: usize, h: usize, n: i32, blocks: i32, width: i32, experts: i32, begin: i32, end: i32,
): void {
  up(INT8, a, scales, sums, w, gates, used, h, n, blocks, width, experts, begin, end);
}

export function blocksUpInt4(
  a: usize, scales: usize, sums: usize, w: usize, gates: usize, used: usize, h: usize, n: i32, blocks: i32, width: i32, experts: i32, begin: i32, end: i32,
): void {
  up(INT4, a, scales, sums, w, gates, used, h, n, blocks, width, experts, begin, end);
}

export function blocksDownInt8(
  a: usize, scales: usize, sums: usize, w: usize, used: usize, y: usize, n: i32, d: i32, blocks: i32, count: i32, begin: i32, end: i32,
): void {
  down(INT8, a, scales, sums, w, used, y, n, d, blocks, count, begin, end);
}

export function blocksDownInt4(
  a: usize, scales: usize, sums: usize, w: usize, used: usize, y: usize, n: i32, d: i32, blocks: i32, count: i32, begin: i32, end: i32,
): void {
  down(INT4, a, scales, sums, w, used, y, n, d, blocks, count, begin, end);
}
