// Convolution as a matrix product whose right side is gathered on the way: filters [rows, channels·taps] times the input's windows
// [channels·taps, pixels]. A task packs the windows of a block of output pixels into panels of 8 columns that stay in cache, a block of channels at a time, and multiplies them by
// filters packed once; the whole window matrix never exists.
//
// A tap is an offset (dy, dx) into the input and a place in the filter, so one kernel serves the forward pass (offsets k·dilation − padding), and the
// gradient of the input (one call for each of stride² phases of its pixels, where the taps are those that reach the phase).

import { Activation } from "./activation";
import { NR, multiplyPanel, packA } from "./gemm";
import { multiplyAdd, sumLanes } from "./math";
import { ownScratch } from "./thread";
import { Optional } from "./optional";

/** Windows of a block that fit beside a tile's filters in the first-level cache. */
const L1_BYTES: usize = 20 * 1024;

/** Filters that stay in the second-level cache beside a block of windows. */
const FILTER_BYTES: usize = 128 * 1024;

/** Words of the geometry that src/engine/cpu/convolution.ts writes. */
enum Word {
  /** Input channels and filters of one group; groups. */
  Channels, Rows, Groups,
  /** The input's plane. */
  Height, Width,
  /** Output pixels that the call computes, and the input step from one to the next. */
  GridHeight, GridWidth, StepY, StepX,
  /** The output's plane, where the first pixel goes and how far apart pixels lie. */
  OutHeight, OutWidth, OriginY, OriginX, SpreadY, SpreadX,
  /** Strides of a filter element in floats: by group, row, channel. */
  GroupStride, RowStride, ChannelStride,
  /** Rows of a tile, channels of a block, panels of a block, images of a block. */
  TileRows, ChannelBlock, PanelBlock, ImageBlock, Images,
  Activation, Taps,
  /** (dy, dx, place in the filter) of each tap. */
  FirstTap,
}

// @ts-ignore: decorator
@inline
function word(geometry: usize, index: i32): i32 {
  return load<i32>(geometry + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
function tapWord(geometry: usize, tap: i32, part: i32): i32 {
  return word(geometry, Word.FirstTap + tap * 3 + part);
}

/** Packs filters for `convolve`: tasks count (group, tile of rows). Layout: group, block of channels, tile, (channel, tap), row of the tile. */
export function packFilters(filters: usize, packed: usize, geometry: usize, begin: i32, end: i32): void {
  const channels = word(geometry, Word.Channels);
  const rows = word(geometry, Word.Rows);
  const taps = word(geometry, Word.Taps);
  const tileRows = word(geometry, Word.TileRows);
  const channelBlock = word(geometry, Word.ChannelBlock);
  const rowStride = word(geometry, Word.RowStride);
  const channelStride = word(geometry, Word.ChannelStride);
  const tiles = (rows + tileRows - 1) / tileRows;
  const inOrder = tapsInOrder(geometry, taps) && (taps == 1 || channelStride == taps);
  for (let task = begin; task < end; task++) {
    const group = task / tiles;
    const row = (task % tiles) * tileRows;
    const source = filters + ((<usize>group * word(geometry, Word.GroupStride) + row * rowStride) << 2);
    for (let channel = 0; channel < channels; channel += channelBlock) {
      const depth = min(channelBlock, channels - channel);
      let target = packed + (((<usize>group * channels + channel) * taps * tiles * tileRows + (<usize>row * depth * taps)) << 2);
      const height = min(tileRows, rows - row);
      if (inOrder) {
        packA(source + ((<usize>channel * channelStride) << 2), target, height, depth * taps, rowStride, taps == 1 ? channelStride : 1, tileRows);
        continue;
      }
      for (let c = channel; c < channel + depth; c++) {
        for (let tap = 0; tap < taps; tap++) {
          const from = source + ((<usize>c * channelStride + tapWord(geometry, tap, 2)) << 2);
          for (let r = 0; r < tileRows; r++) store<f32>(target + (<usize>r << 2), load<f32>(from + ((<usize>min(r, height - 1) * rowStride) << 2)));
          target += <usize>tileRows << 2;
        }
      }
    }
  }
}

function tapsInOrder(geometry: usize, taps: i32): bool {
  for (let tap = 0; tap < taps; tap++) if (tapWord(geometry, tap, 2) != tap) return false;
  return true;
}

/**
 * y = activation(convolution + bias + residual) for tasks (image, group, block of panels). `bias` holds one float a filter or is 0; `residual` is 0 or
 * of y's shape; `scratch` holds a block of windows and one tile for each thread, `scratchBytes` each.
 */
export function convolve(
  x: usize, packed: usize, bias: Optional, residual: Optional, y: usize, scratch: usize, scratchBytes: i32, geometry: usize, begin: i32, end: i32,
): void {
  const channels = word(geometry, Word.Channels);
  const rows = word(geometry, Word.Rows);
  const groups = word(geometry, Word.Groups);
  const plane = word(geometry, Word.Height) * word(geometry, Word.Width);
  const gridWidth = word(geometry, Word.GridWidth);
  const outWidth = word(geometry, Word.OutWidth);
  const outPlane = word(geometry, Word.OutHeight) * outWidth;
  const spreadY = word(geometry, Word.SpreadY);
  const spreadX = word(geometry, Word.SpreadX);
  const taps = word(geometry, Word.Taps);
  const tileRows = word(geometry, Word.TileRows);
  const channelBlock = word(geometry, Word.ChannelBlock);
  const panelBlock = word(geometry, Word.PanelBlock);
  const activation = word(geometry, Word.Activation);
  const paddedRows = (rows + tileRows - 1) / tileRows * tileRows;
  const panelsPerRow = (gridWidth + NR - 1) / NR;
  const panels = word(geometry, Word.GridHeight) * panelsPerRow;
  const blocks = (panels + panelBlock - 1) / panelBlock;
  const windows = ownScratch(scratch, scratchBytes);
  for (let task = begin; task < end; task++) {
    const firstPanel = (task % blocks) * panelBlock;
    const lastPanel = min(firstPanel + panelBlock, panels);
    const group = task / blocks % groups;
    const image = task / blocks / groups;
    const source = x + ((<usize>(image * groups + group) * channels * plane) << 2);
    const outputs = (<usize>(image * groups + group) * rows * outPlane) << 2;
    const groupBias = bias != 0 ? bias + (<usize>(group * rows) << 2) : 0;
    for (let channel = 0; channel < channels; channel += channelBlock) {
      const blockChannels = min(channelBlock, channels - channel);
      const depth = blockChannels * taps;
      const input = source + ((<usize>channel * plane) << 2);
      const weights = packed + (((<usize>group * channels + channel) * taps * paddedRows) << 2);
      const first = channel == 0;
      const last = channel + channelBlock >= channels;
      const panelBytes = (<usize>depth * NR) << 2;
      const firstY = firstPanel / panelsPerRow;
      const firstX = (firstPanel % panelsPerRow) * NR;
      let gridY = firstY, gridX = firstX;
      let window = windows;
      for (let panel = firstPanel; panel < lastPanel; panel++, window += panelBytes) {
        packWindows(input, window, geometry, blockChannels, gridY, gridX);
        gridX += NR;
        if (gridX >= gridWidth) { gridX = 0; gridY++; }
      }
      const rowBias = first ? groupBias : 0;
      const corner = outputs + (<usize>(word(geometry, Word.OriginY) * outWidth + word(geometry, Word.OriginX)) << 2);
      // Short panels stay in L1 all together, so that a few rows of output at a time are written along; long ones are taken one by one, with filters that stay in L2 until all panels have met them.
      const rowsAtOnce = panelBytes * <usize>(lastPanel - firstPanel) <= L1_BYTES ? tileRows : max(1, <i32>(FILTER_BYTES / (<usize>(depth * tileRows) << 2))) * tileRows;
      for (let row = 0; row < rows; row += rowsAtOnce) {
        const height = min(rowsAtOnce, rows - row);
        const tile = weights + ((<usize>row * depth) << 2);
        const tileBias = rowBias != 0 ? rowBias + (<usize>row << 2) : 0;
        gridY = firstY;
        gridX = firstX;
        window = windows;
        for (let panel = firstPanel; panel < lastPanel; panel++, window += panelBytes) {
          const columns = min(NR, gridWidth - gridX);
          const place = corner + (<usize>(gridY * spreadY * outWidth + gridX * spreadX + row * outPlane) << 2);
          if (spreadX == 1) {
            const addend = last && residual != 0 ? residual + place : 0;
            multiplyPanel(tile, window, y + place, 0, tileBias, addend, height, depth, tileRows, outPlane, columns, !first, last ? activation : Activation.None);
          } else {
            const dense = windows + scratchBytes - ((<usize>rows * NR) << 2);
            multiplyPanel(tile, window, dense, 0, tileBias, 0, height, depth, tileRows, NR, NR, false, Activation.None);
            spread(dense, y + place, height, outPlane, columns, spreadX, !first);
          }
          gridX += NR;
          if (gridX >= gridWidth) { gridX = 0; gridY++; }
        }
      }
    }
  }
}

/** Writes or adds rows of 8 to pixels `step` apart. */
function spread(dense: usize, target: usize, rows: i32, stride: i32, columns: i32, step: i32, accumulate: bool): void {
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++) {
      const at = target + ((<usize>row * stride + j * step) << 2);
      const value = load<f32>(dense + ((<usize>row * NR + j) << 2));
      store<f32>(at, accumulate ? load<f32>(at) + value : value);
    }
  }
}

/** The windows of 8 pixels from (gridY, gridX) on: for each channel and tap 8 floats, zeros outside the input. */
function packWindows(input: usize, target: usize, geometry: usize, channels: i32, gridY: i32, gridX: i32): void {
  const height = word(geometry, Word.Height);
  const width = word(geometry, Word.Width);
  const taps = word(geometry, Word.Taps);
  const step = word(geometry, Word.StepX);
  const plane = <usize>(height * width) << 2;
  const top = gridY * word(geometry, Word.StepY);
  const left = gridX * step;
  const stride = <usize>taps * (NR << 2);
  const zero = f32x4.splat(0);
  for (let tap = 0; tap < taps; tap++, target += NR << 2) {
    const y = top + tapWord(geometry, tap, 0);
    const x = left + tapWord(geometry, tap, 1);
    let from = input + (<isize>(y * width + x) << 2);
    let to = target;
    const span = (NR - 1) * step;
    if (y < 0 || y >= height || x + span < 0 || x >= width) {
      for (let c = 0; c < channels; c++, to += stride) {
        v128.store(to, zero);
        v128.store(to, zero, 16);
      }
    } else if (step == 1 && x >= 0 && x + span < width) {
      for (let c = 0; c < channels; c++, to += stride, from += plane) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
      }
    } else if (step <= 2) {
      const low = columnsInside(x, step, width);
      const high = columnsInside(x + 4 * step, step, width);
      for (let c = 0; c < channels; c++, to += stride, from += plane) {
        v128.store(to, v128.and(low, loadStep(from, step)));
        v128.store(to, v128.and(high, loadStep(from + 16 * step, step)), 16);
      }
    } else {
      for (let c = 0; c < channels; c++, to += stride, from += plane) {
        for (let j = 0; j < NR; j++) {
          const column = x + j * step;
          store<f32>(to + (<usize>j << 2), column >= 0 && column < width ? load<f32>(from + ((<usize>j * step) << 2)) : 0);
        }
      }
    }
  }
}

/** Four floats, adjacent or every second one. May read past the row, whose lanes the caller masks. */
// @ts-ignore: decorator
@inline
function loadStep(from: usize, step: i32): v128 {
  return step == 1 ? v128.load(from) : v128.shuffle<f32>(v128.load(from), v128.load(from, 16), 0, 2, 4, 6);
}

/** Which of the columns x, x + step, … (4) lie in [0, width): all bits set or none. */
// @ts-ignore: decorator
@inline
function columnsInside(x: i32, step: i32, width: i32): v128 {
  const columns = i32x4.add(i32x4.splat(x), i32x4.mul(i32x4.splat(step), i32x4(0, 1, 2, 3)));
  return v128.and(i32x4.ge_s(columns, i32x4.splat(0)), i32x4.lt_s(columns, i32x4.splat(width)));
}

/**
 * Gradient of the filters: Σ over images and pixels of gradient[row, pixel]·window[(channel, tap), pixel]. Tasks count (group, block of channels). Windows of one block of
 * channels and a few images lie in `scratch` as rows along the pixels, so both sides of each product are contiguous.
 */
export function filterGradient(
  x: usize, gradient: usize, result: usize, scratch: usize, scratchBytes: i32, geometry: usize, begin: i32, end: i32,
): void {
  const channels = word(geometry, Word.Channels);
  const rows = word(geometry, Word.Rows);
  const groups = word(geometry, Word.Groups);
  const plane = word(geometry, Word.Height) * word(geometry, Word.Width);
  const pixels = word(geometry, Word.GridHeight) * word(geometry, Word.GridWidth);
  const taps = word(geometry, Word.Taps);
  const channelBlock = word(geometry, Word.ChannelBlock);
  const imageBlock = word(geometry, Word.ImageBlock);
  const images = word(geometry, Word.Images);
  // A pointwise convolution's windows are its input as it lies.
  const direct = taps == 1 && pixels == plane && tapWord(geometry, 0, 0) == 0 && tapWord(geometry, 0, 1) == 0;
  const pitch = direct ? pixels : windowPitch(pixels);
  const blocks = (channels + channelBlock - 1) / channelBlock;
  const laid = ownScratch(scratch, scratchBytes);
  for (let task = begin; task < end; task++) {
    const channel = (task % blocks) * channelBlock;
    const group = task / blocks;
    const depth = min(channelBlock, channels - channel);
    const products = depth * taps;
    const target = result + ((<usize>(group * rows) * channels * taps + channel * taps) << 2);
    for (let image = 0; image < images; image += imageBlock) {
      const count = min(imageBlock, images - image);
      const source = x + ((<usize>((image * groups + group) * channels + channel) * plane) << 2);
      const sourceStride = (<usize>(groups * channels) * plane) << 2;
      if (!direct) for (let i = 0; i < count; i++) layWindows(source + i * sourceStride, laid + ((<usize>i * products * pitch) << 2), geometry, depth, pitch, pixels);
      const windows = direct ? source : laid;
      const windowStride = direct ? sourceStride : (<usize>products * pitch) << 2;
      const from = gradient + ((<usize>((image * groups + group) * rows) * pixels) << 2);
      const imageStride = (<usize>(groups * rows) * pixels) << 2;
      for (let row = 0; row < rows; row += 4) {
        for (let product = 0; product < products; product += 2) {
          windowDots(
            from + ((<usize>row * pixels) << 2), windows + ((<usize>product * pitch) << 2), target + ((<usize>row * channels * taps + product) << 2),
            min(4, rows - row), min(2, products - product), pixels, pitch, count, imageStride, windowStride, channels * taps, image > 0,
          );
        }
      }
    }
  }
}

/** Floats from one row of windows to the next: room for a vector that sticks out. */
// @ts-ignore: decorator
@inline
function windowPitch(pixels: i32): i32 {
  return (pixels + 7) & ~3;
}

/** Rows (channel, tap) of windows along the pixels of one image, zeros outside the input and after the last pixel. */
function layWindows(source: usize, target: usize, geometry: usize, channels: i32, pitch: i32, pixels: i32): void {
  const height = word(geometry, Word.Height);
  const width = word(geometry, Word.Width);
  const gridHeight = word(geometry, Word.GridHeight);
  const gridWidth = word(geometry, Word.GridWidth);
  const taps = word(geometry, Word.Taps);
  const stepY = word(geometry, Word.StepY);
  const step = word(geometry, Word.StepX);
  const zero = f32x4.splat(0);
  for (let c = 0; c < channels; c++, source += <usize>(height * width) << 2) {
    for (let tap = 0; tap < taps; tap++, target += <usize>pitch << 2) {
      const x = tapWord(geometry, tap, 1);
      // Pixels from i on whose four columns all lie inside.
      const inside = (width - 1 - x) / step - 3;
      let to = target;
      for (let j = 0; j < gridHeight; j++, to += <usize>gridWidth << 2) {
        const y = j * stepY + tapWord(geometry, tap, 0);
        let i = 0;
        if (y < 0 || y >= height) {
          for (; i < gridWidth; i += 4) v128.store(to + (<usize>i << 2), zero);
          continue;
        }
        const from = source + (<isize>(y * width + x) << 2);
        if (step > 2) {
          for (; i < gridWidth; i++) {
            const column = x + i * step;
            store<f32>(to + (<usize>i << 2), column >= 0 && column < width ? load<f32>(from + ((<usize>i * step) << 2)) : 0);
          }
          continue;
        }
        for (; i < gridWidth && x + i * step < 0; i += 4) storeMasked(from, to, i, x, step, width);
        if (step == 1) for (; i < gridWidth && i <= inside; i += 4) v128.store(to + (<usize>i << 2), v128.load(from + (<usize>i << 2)));
        else for (; i < gridWidth && i <= inside; i += 4) v128.store(to + (<usize>i << 2), loadStep(from + (<usize>i << 3), 2));
        for (; i < gridWidth; i += 4) storeMasked(from, to, i, x, step, width);
      }
      v128.store(target + (<usize>pixels << 2), zero);
    }
  }
}

// @ts-ignore: decorator
@inline
function storeMasked(from: usize, to: usize, i: i32, x: i32, step: i32, width: i32): void {
  v128.store(to + (<usize>i << 2), v128.and(loadStep(from + ((<usize>i * step) << 2), step), columnsInside(x + i * step, step, width)));
}

/** result[4 rows, 2 products] (+)= Σ over images and pixels of gradient·window. */
function windowDots(
  gradient: usize, windows: usize, result: usize, rows: i32, products: i32, pixels: i32, pitch: i32, images: i32,
  gradientStride: usize, windowStride: usize, stride: i32, accumulate: bool,
): void {
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  // Rows that do not exist repeat the last.
  const row1 = <usize>(min(1, rows - 1) * pixels) << 2;
  const row2 = <usize>(min(2, rows - 1) * pixels) << 2;
  const row3 = <usize>(min(3, rows - 1) * pixels) << 2;
  const next = <usize>(min(1, products - 1) * pitch) << 2;
  const whole = pixels & ~3;
  const tail = columnsInside(whole, 1, pixels);
  for (let image = 0; image < images; image++) {
    let g = gradient + image * gradientStride;
    let w = windows + image * windowStride;
    const stop = g + (<usize>whole << 2);
    while (g < stop) {
      const w0 = v128.load(w);
      const w1 = v128.load(w + next);
      const g0 = v128.load(g);
      s00 = multiplyAdd(g0, w0, s00);
      s01 = multiplyAdd(g0, w1, s01);
      const g1 = v128.load(g + row1);
      s10 = multiplyAdd(g1, w0, s10);
      s11 = multiplyAdd(g1, w1, s11);
      const g2 = v128.load(g + row2);
      s20 = multiplyAdd(g2, w0, s20);
      s21 = multiplyAdd(g2, w1, s21);
      const g3 = v128.load(g + row3);
      s30 = multiplyAdd(g3, w0, s30);
      s31 = multiplyAdd(g3, w1, s31);
      g += 16;
      w += 16;
    }
    if (whole < pixels) {
      const w0 = v128.and(tail, v128.load(w));
      const w1 = v128.and(tail, v128.load(w + next));
      const g0 = v128.and(tail, v128.load(g));
      const g1 = v128.and(tail, v128.load(g + row1));
      const g2 = v128.and(tail, v128.load(g + row2));
      const g3 = v128.and(tail, v128.load(g + row3));
      s00 = multiplyAdd(g0, w0, s00);
      s01 = multiplyAdd(g0, w1, s01);
      s10 = multiplyAdd(g1, w0, s10);
      s11 = multiplyAdd(g1, w1, s11);
      s20 = multiplyAdd(g2, w0, s20);
      s21 = multiplyAdd(g2, w1, s21);
      s30 = multiplyAdd(g3, w0, s30);
      s31 = multiplyAdd(g3, w1, s31);
    }
  }
  storePair(result, s00, s01, products, accumulate);
  const row = <usize>stride << 2;
  if (rows > 1) storePair(result + row, s10, s11, products, accumulate);
  if (rows > 2) storePair(result + 2 * row, s20, s21, products, accumulate);
  if (rows > 3) storePair(result + 3 * row, s30, s31, products, accumulate);
}

function storePair(result: usize, s0: v128, s1: v128, products: i32, accumulate: bool): void {
  store<f32>(result, (accumulate ? load<f32>(result) : 0) + sumLanes(s0));
  if (products > 1) store<f32>(result, (accumulate ? load<f32>(result, 4) : 0) + sumLanes(s1), 4);
}
