// Binary convolutions on planes of bits: a plane holds one input channel for 128 pixels a vector,
// bit 1 for −1. An output channel is computed from another one by the planes whose weights differ.

import { addPlanes, valuesOf } from "./binary";
import { ownScratch } from "./thread";

/** y ← low for x < 0, high otherwise. */
export function signs(x: usize, y: usize, low: f32, high: f32, begin: i32, end: i32): void {
  const lows = f32x4.splat(low), highs = f32x4.splat(high), zero = f32x4.splat(0);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    v128.store(y + at, v128.bitselect(lows, highs, f32x4.lt(v128.load(x + at), zero)));
  }
  for (; i < end; i++) store<f32>(y + (<usize>i << 2), load<f32>(x + (<usize>i << 2)) < 0 ? low : high);
}

/** y ← g where |x| ≤ 1, 0 elsewhere. */
export function signsGradient(g: usize, x: usize, y: usize, begin: i32, end: i32): void {
  const one = f32x4.splat(1);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    v128.store(y + at, v128.and(v128.load(g + at), f32x4.le(f32x4.abs(v128.load(x + at)), one)));
  }
  for (; i < end; i++) {
    const at = <usize>i << 2;
    store<f32>(y + at, Mathf.abs(load<f32>(x + at)) <= 1 ? load<f32>(g + at) : 0);
  }
}

/**
 * Signs of maps x[images, channels, height, width] as planes [channels, phases², guard + vectors +
 * guard vectors], which hold ones. Phase (py, px) has pixel (phases·i + py, phases·j + px) of an
 * image in cell (image·rows + i)·pitch + j. Tasks count planes.
 */
export function signPlanes(
  x: usize, bits: usize, images: i32, channels: i32, height: i32, width: i32, phases: i32, rows: i32, pitch: i32, vectors: i32, guard: i32, begin: i32, end: i32,
): void {
  for (let plane = begin; plane < end; plane++) {
    const channel = plane / (phases * phases);
    const phase = plane % (phases * phases);
    const py = phase / phases, px = phase % phases;
    const target = bits + ((<usize>plane * (vectors + 2 * guard) + guard) << 4);
    for (let image = 0; image < images; image++) {
      const source = x + ((<usize>(image * channels + channel) * height * width) << 2);
      for (let i = 0, row = py; row < height; i++, row += phases) {
        let cell = (image * rows + i) * pitch;
        for (let column = px; column < width; column += phases, cell++) {
          if (load<f32>(source + (<usize>(row * width + column) << 2)) < 0) continue;
          const byte = target + <usize>(cell >> 3);
          store<u8>(byte, load<u8>(byte) & ~(<u8>1 << <u8>(cell & 7)));
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function floorDivide(a: i32, b: i32): i32 {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/**
 * The taps of a vector of output pixels, task = (output phase, vector): plane (c·kernel +
 * dy)·kernel + dx, then all of them complemented, then a plane of zeros. Shifts of less than 128
 * bits around a vector lie in the guard.
 */
function fillTile(
  bits: usize, tile: usize, channels: i32, kernel: i32, stride: i32, phases: i32, pitch: i32, vectors: i32, guard: i32, task: i32,
): void {
  const out = phases / stride;
  const vector = task % vectors;
  const py = task / vectors / out, px = task / vectors % out;
  const before = (kernel - 1) >> 1;
  const taps = channels * kernel * kernel;
  const plane = <usize>(vectors + 2 * guard) << 4;
  for (let dy = 0; dy < kernel; dy++) {
    const a = stride * py + dy - before;
    const down = floorDivide(a, phases);
    for (let dx = 0; dx < kernel; dx++) {
      const b = stride * px + dx - before;
      const right = floorDivide(b, phases);
      const phase = (a - down * phases) * phases + b - right * phases;
      const shift = down * pitch + right;
      const rest = shift & 7;
      let source = bits + <usize>phase * plane + (<usize>(guard + vector) << 4) + (shift >> 3);
      let target = tile + (<usize>(dy * kernel + dx) << 4);
      for (let c = 0; c < channels; c++) {
        let value = v128.load(source);
        if (rest) value = v128.or(i64x2.shr_u(value, rest), i64x2.shl(v128.load(source, 8), 64 - rest));
        v128.store(target, value);
        v128.store(target + (<usize>taps << 4), v128.not(value));
        source += plane * <usize>(phases * phases);
        target += <usize>(kernel * kernel) << 4;
      }
    }
  }
  v128.store(tile + (<usize>taps << 5), i32x4.splat(0));
}

/**
 * The counts m of differing bits of one channel, L − 2·m its output, in slices up to a constant: a
 * root counts all of its planes from 0. A child goes on from its parent (2·position, and 1 for its
 * complement), of which each differing weight moves it by 2·plane − 1: all slices but the lowest
 * count the planes of the differences.
 */
function sumChannel(
  tile: usize, states: usize, indptr: usize, offsets: usize, parents: usize, slices: i32, position: i32,
): usize {
  const bytes = <usize>slices << 4;
  const state = states + <usize>position * bytes;
  const parent = load<i32>(parents + (<usize>position << 2));
  const first = load<i32>(indptr + (<usize>position << 2)), last = load<i32>(indptr + (<usize>position << 2), 4);
  if (parent < 0) {
    for (let at: usize = 0; at < bytes; at += 16) v128.store(state + at, i32x4.splat(0));
    addPlanes(state, state, slices - 4, tile, offsets, first, last);
    return state;
  }
  const source = states + <usize>(parent >> 1) * bytes;
  if (parent & 1) {
    for (let at: usize = 0; at < bytes; at += 16) v128.store(state + at, v128.not(v128.load(source + at)));
    addPlanes(state + 16, state + 16, slices - 5, tile, offsets, first, last);
  } else {
    v128.store(state, v128.load(source));
    addPlanes(source + 16, state + 16, slices - 5, tile, offsets, first, last);
  }
  return state;
}

/**
 * Writes a channel. With `sums`, L − 2·((count + limit) mod 2^slices) as f32; else a plane of its
 * signs: −1 where count + limit is not negative in two's complement, the other way round for a
 * limit below 0, and where the mask has ones.
 */
// @ts-ignore: decorator
@inline
function writeChannel(state: usize, limit: i32, mask: usize, y: usize, slices: i32, taps: i32, sums: i32): void {
  if (sums) {
    const modulus = i32x4.splat((1 << slices) - 1);
    for (let j = 0; j < 32; j++) {
      const count = v128.and(i32x4.add(valuesOf(state, slices, j), i32x4.splat(limit)), modulus);
      const value = f32x4.convert_i32x4_s(i32x4.sub(i32x4.splat(taps), i32x4.shl(count, 1)));
      const at = y + (<usize>j << 2);
      v128.store_lane<f32>(at, value, 0);
      v128.store_lane<f32>(at, value, 1, 128);
      v128.store_lane<f32>(at, value, 2, 256);
      v128.store_lane<f32>(at, value, 3, 384);
    }
    return;
  }
  let carry = i32x4.splat(0);
  const top = slices - 1;
  for (let slice = 0; slice < top; slice++) {
    const bits = v128.load(state + (<usize>slice << 4));
    // The majority of both bits and the carry, without a branch that would be mispredicted.
    const added = i32x4.splat(-((limit >> slice) & 1));
    carry = v128.bitselect(carry, bits, v128.xor(bits, added));
  }
  // The sign of the sum, complemented, which the direction of the comparison turns back.
  const turned = ((limit >> top) & 1 ? 0 : -1) ^ (limit < 0 ? -1 : 0);
  const sign = v128.xor(v128.xor(v128.load(state + (<usize>top << 4)), carry), i32x4.splat(turned));
  v128.store(y, v128.or(sign, v128.load(mask)));
}

// @ts-ignore: decorator
@inline
function placeOf(y: usize, channel: i32, task: i32, vectors: i32, guard: i32, outPhases: i32, sums: i32): usize {
  const phase = task / vectors, vector = task % vectors;
  const plane = <usize>(channel * outPhases + phase);
  return sums ? y + (plane * vectors + vector << 9) : y + (plane * (vectors + 2 * guard) + guard + vector << 4);
}

/**
 * All channels of a binary convolution, one vector of output pixels after the other: positions
 * follow the tree, and `targets` says which channel each is. Planes [targets, phases of the output,
 * guard + vectors + guard vectors] or, with `sums`, f32 [targets, phases of the output,
 * 128·vectors]. Tasks count (output phase, vector); `scratch` holds a tile and the slices of all
 * channels for each thread.
 */
export function planeTree(
  bits: usize, indptr: usize, offsets: usize, parents: usize, targets: usize, limits: usize, mask: usize, y: usize, channels: i32, filters: i32, kernel: i32, stride: i32, phases: i32, pitch: i32, vectors: i32, guard: i32, slices: i32, sums: i32, scratch: usize, begin: i32, end: i32,
): void {
  const taps = channels * kernel * kernel;
  const tileBytes = (2 * taps + 1) << 4;
  const tile = ownScratch(scratch, tileBytes + ((filters * slices) << 4));
  const states = tile + <usize>tileBytes;
  const outPhases = (phases / stride) * (phases / stride);
  for (let task = begin; task < end; task++) {
    fillTile(bits, tile, channels, kernel, stride, phases, pitch, vectors, guard, task);
    for (let position = 0; position < filters; position++) {
      const state = sumChannel(tile, states, indptr, offsets, parents, slices, position);
      const target = placeOf(y, load<i32>(targets + (<usize>position << 2)), task, vectors, guard, outPhases, sums);
      writeChannel(state, load<i32>(limits + (<usize>position << 2)), mask + (<usize>task << 4), target, slices, taps, sums);
    }
  }
}

/**
 * The tiles of all vectors of output pixels, [tasks, 2·taps + 1] vectors. Tasks as of `planeTree`.
 */
export function planeTiles(
  bits: usize, tiles: usize, channels: i32, kernel: i32, stride: i32, phases: i32, pitch: i32, vectors: i32, guard: i32, begin: i32, end: i32,
): void {
  const bytes = <usize>(2 * channels * kernel * kernel + 1) << 4;
  for (let task = begin; task < end; task++)
    fillTile(bits, tiles + <usize>task * bytes, channels, kernel, stride, phases, pitch, vectors, guard, task);
}

/**
 * The channels at positions [first, first + count) of the tree, whose parents are done: those of
 * one depth depend on each other in nothing. `states` [tasks, filters, slices] vectors. Tasks count
 * (output phase, vector, channel).
 */
export function planeLevel(
  tiles: usize, states: usize, indptr: usize, offsets: usize, parents: usize, targets: usize, limits: usize, mask: usize, y: usize, taps: i32, filters: i32, outPhases: i32, vectors: i32, guard: i32, slices: i32, sums: i32, first: i32, count: i32, begin: i32, end: i32,
): void {
  for (let step = begin; step < end; step++) {
    const task = step / count;
    const position = first + step % count;
    const tile = tiles + ((<usize>task * (2 * taps + 1)) << 4);
    const own = states + ((<usize>task * filters * slices) << 4);
    const state = sumChannel(tile, own, indptr, offsets, parents, slices, position);
    const target = placeOf(y, load<i32>(targets + (<usize>position << 2)), task, vectors, guard, outPhases, sums);
    writeChannel(state, load<i32>(limits + (<usize>position << 2)), mask + (<usize>task << 4), target, slices, taps, sums);
  }
}
