// Small-kernel aggregation: a 3×3 filter of its own at every pixel, shared by channels c ≡ ci (mod
// the number of filter channels):
//   y[c, h, w] = Σ_uv f[c mod filters, 3u + v, h, w]·x[c, h + u − 1, w + v − 1].
// Tasks count (image, filter channel): the nine filter values of four pixels stay in registers
// while all channels that share them pass. A task's channels lie in zero-padded planes.

import { multiplyAdd } from "./math";
import { ownScratch } from "./thread";

/** Bytes of a padded plane of (height + 2) × (width + 2). */
// @ts-ignore: decorator
@inline
function paddedBytes(height: i32, width: i32): usize {
  return <usize>((height + 2) * (width + 2)) << 2;
}

/** Copies planes `stride` bytes apart into padded ones. */
function padPlanes(from: usize, to: usize, planes: i32, stride: usize, height: i32, width: i32): void {
  memory.fill(to, 0, <usize>planes * paddedBytes(height, width));
  const row = <usize>width << 2;
  for (let plane = 0; plane < planes; plane++, from += stride) {
    let target = to + <usize>plane * paddedBytes(height, width) + row + 12;
    for (let y = 0, source = from; y < height; y++, source += row, target += row + 8) memory.copy(target, source, row);
  }
}

/**
 * The first pixel of the next four: past the last whole four, the row's last four, some of them
 * again.
 */
// @ts-ignore: decorator
@inline
function stepAt(w: i32, width: i32): i32 {
  return min(w, width - 4);
}

export function aggregate(x: usize, filters: usize, y: usize, scratch: usize, scratchBytes: i32, channels: i32, sharing: i32, height: i32, width: i32, begin: i32, end: i32): void {
  const padded = ownScratch(scratch, scratchBytes);
  const members = channels / sharing;
  const plane = <usize>(height * width) << 2;
  const pitch = <usize>(width + 2) << 2;
  for (let task = begin; task < end; task++) {
    const first = <usize>(task / sharing * channels + task % sharing) * plane;
    padPlanes(x + first, padded, members, <usize>sharing * plane, height, width);
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w += 4) {
        const column = width < 4 ? w : stepAt(w, width);
        let f = filters + <usize>task * 9 * plane + (<usize>(h * width + column) << 2);
        let at = padded + <usize>h * pitch + (<usize>column << 2);
        let to = y + first + (<usize>(h * width + column) << 2);
        if (width < 4) {
          for (let i = 0; i < width; i++, f += 4, at += 4, to += 4) aggregatePixel(f, at, to, members, plane, pitch, <usize>sharing * plane, paddedBytes(height, width));
          continue;
        }
        const f0 = v128.load(f), f1 = v128.load(f + plane), f2 = v128.load(f + 2 * plane);
        const f3 = v128.load(f + 3 * plane), f4 = v128.load(f + 4 * plane), f5 = v128.load(f + 5 * plane);
        const f6 = v128.load(f + 6 * plane), f7 = v128.load(f + 7 * plane), f8 = v128.load(f + 8 * plane);
        for (let member = 0; member < members; member++, at += paddedBytes(height, width), to += <usize>sharing * plane) {
          let sum = f32x4.mul(f0, v128.load(at));
          sum = multiplyAdd(f1, v128.load(at, 4), sum);
          sum = multiplyAdd(f2, v128.load(at, 8), sum);
          const below = at + pitch;
          sum = multiplyAdd(f3, v128.load(below), sum);
          sum = multiplyAdd(f4, v128.load(below, 4), sum);
          sum = multiplyAdd(f5, v128.load(below, 8), sum);
          const last = below + pitch;
          sum = multiplyAdd(f6, v128.load(last), sum);
          sum = multiplyAdd(f7, v128.load(last, 4), sum);
          sum = multiplyAdd(f8, v128.load(last, 8), sum);
          v128.store(to, sum);
        }
      }
    }
  }
}

function aggregatePixel(f: usize, at: usize, to: usize, members: i32, plane: usize, pitch: usize, stride: usize, padded: usize): void {
  for (let member = 0; member < members; member++, at += padded, to += stride) {
    let sum: f32 = 0;
    for (let tap = 0; tap < 9; tap++) sum += load<f32>(f + <usize>tap * plane) * load<f32>(at + <usize>(tap / 3) * pitch + (<usize>(tap % 3) << 2));
    store<f32>(to, sum);
  }
}

/**
 * dx of dy: pixel (h, w) takes from each neighbour that read it, by that neighbour's filter: dx[h,
 * w] = Σ_uv f[3u + v, h − u + 1, w − v + 1]·dy[h − u + 1, w − v + 1]. The nine planes of filters
 * lie padded behind those of dy.
 */
export function aggregateInputGradient(g: usize, filters: usize, x: usize, scratch: usize, scratchBytes: i32, channels: i32, sharing: i32, height: i32, width: i32, begin: i32, end: i32): void {
  const padded = ownScratch(scratch, scratchBytes);
  const members = channels / sharing;
  const plane = <usize>(height * width) << 2;
  const pitch = <usize>(width + 2) << 2;
  const bytes = paddedBytes(height, width);
  const paddedFilters = padded + <usize>members * bytes;
  for (let task = begin; task < end; task++) {
    const first = <usize>(task / sharing * channels + task % sharing) * plane;
    padPlanes(g + first, padded, members, <usize>sharing * plane, height, width);
    padPlanes(filters + <usize>task * 9 * plane, paddedFilters, 9, plane, height, width);
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w += 4) {
        const column = width < 4 ? w : stepAt(w, width);
        const corner = <usize>h * pitch + (<usize>column << 2);
        let f = paddedFilters + corner;
        let at = padded + corner;
        let to = x + first + (<usize>(h * width + column) << 2);
        if (width < 4) {
          for (let i = 0; i < width; i++, f += 4, at += 4, to += 4) gatherPixel(f, at, to, members, bytes, pitch, <usize>sharing * plane);
          continue;
        }
        // Tap (u, v) meets the neighbour (2 − u, 2 − v) of the padded plane.
        const f0 = v128.load(f + 2 * pitch, 8), f1 = v128.load(f + bytes + 2 * pitch, 4), f2 = v128.load(f + 2 * bytes + 2 * pitch);
        const f3 = v128.load(f + 3 * bytes + pitch, 8), f4 = v128.load(f + 4 * bytes + pitch, 4), f5 = v128.load(f + 5 * bytes + pitch);
        const f6 = v128.load(f + 6 * bytes, 8), f7 = v128.load(f + 7 * bytes, 4), f8 = v128.load(f + 8 * bytes);
        for (let member = 0; member < members; member++, at += bytes, to += <usize>sharing * plane) {
          let sum = f32x4.mul(f8, v128.load(at));
          sum = multiplyAdd(f7, v128.load(at, 4), sum);
          sum = multiplyAdd(f6, v128.load(at, 8), sum);
          const below = at + pitch;
          sum = multiplyAdd(f5, v128.load(below), sum);
          sum = multiplyAdd(f4, v128.load(below, 4), sum);
          sum = multiplyAdd(f3, v128.load(below, 8), sum);
          const last = below + pitch;
          sum = multiplyAdd(f2, v128.load(last), sum);
          sum = multiplyAdd(f1, v128.load(last, 4), sum);
          sum = multiplyAdd(f0, v128.load(last, 8), sum);
          v128.store(to, sum);
        }
      }
    }
  }
}

function gatherPixel(f: usize, at: usize, to: usize, members: i32, padded: usize, pitch: usize, stride: usize): void {
  for (let member = 0; member < members; member++, at += padded, to += stride) {
    let sum: f32 = 0;
    for (let tap = 0; tap < 9; tap++) {
      const place = <usize>(2 - tap / 3) * pitch + (<usize>(2 - tap % 3) << 2);
      sum += load<f32>(f + <usize>tap * padded + place) * load<f32>(at + place);
    }
    store<f32>(to, sum);
  }
}

/** df of dy: sums over the channels that share a filter. */
export function aggregateFilterGradient(x: usize, g: usize, filters: usize, scratch: usize, scratchBytes: i32, channels: i32, sharing: i32, height: i32, width: i32, begin: i32, end: i32): void {
  const padded = ownScratch(scratch, scratchBytes);
  const members = channels / sharing;
  const plane = <usize>(height * width) << 2;
  const pitch = <usize>(width + 2) << 2;
  for (let task = begin; task < end; task++) {
    const first = <usize>(task / sharing * channels + task % sharing) * plane;
    padPlanes(x + first, padded, members, <usize>sharing * plane, height, width);
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w += 4) {
        const column = width < 4 ? w : stepAt(w, width);
        let f = filters + <usize>task * 9 * plane + (<usize>(h * width + column) << 2);
        let at = padded + <usize>h * pitch + (<usize>column << 2);
        let from = g + first + (<usize>(h * width + column) << 2);
        if (width < 4) {
          for (let i = 0; i < width; i++, f += 4, at += 4, from += 4) correlatePixel(f, at, from, members, plane, pitch, <usize>sharing * plane, paddedBytes(height, width));
          continue;
        }
        let f0 = f32x4.splat(0), f1 = f0, f2 = f0, f3 = f0, f4 = f0, f5 = f0, f6 = f0, f7 = f0, f8 = f0;
        for (let member = 0; member < members; member++, at += paddedBytes(height, width), from += <usize>sharing * plane) {
          const value = v128.load(from);
          f0 = multiplyAdd(value, v128.load(at), f0);
          f1 = multiplyAdd(value, v128.load(at, 4), f1);
          f2 = multiplyAdd(value, v128.load(at, 8), f2);
          const below = at + pitch;
          f3 = multiplyAdd(value, v128.load(below), f3);
          f4 = multiplyAdd(value, v128.load(below, 4), f4);
          f5 = multiplyAdd(value, v128.load(below, 8), f5);
          const last = below + pitch;
          f6 = multiplyAdd(value, v128.load(last), f6);
          f7 = multiplyAdd(value, v128.load(last, 4), f7);
          f8 = multiplyAdd(value, v128.load(last, 8), f8);
        }
        v128.store(f, f0);
        v128.store(f + plane, f1);
        v128.store(f + 2 * plane, f2);
        v128.store(f + 3 * plane, f3);
        v128.store(f + 4 * plane, f4);
        v128.store(f + 5 * plane, f5);
        v128.store(f + 6 * plane, f6);
        v128.store(f + 7 * plane, f7);
        v128.store(f + 8 * plane, f8);
      }
    }
  }
}

function correlatePixel(f: usize, at: usize, from: usize, members: i32, plane: usize, pitch: usize, stride: usize, padded: usize): void {
  for (let tap = 0; tap < 9; tap++) {
    let sum: f32 = 0;
    for (let member = 0; member < members; member++)
      sum += load<f32>(from + <usize>member * stride) * load<f32>(at + <usize>member * padded + <usize>(tap / 3) * pitch + (<usize>(tap % 3) << 2));
    store<f32>(f + <usize>tap * plane, sum);
  }
}
