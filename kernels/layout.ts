// Data movement: 2-D transpose and strided copies (permute, slice, pad, concatenate, flip and
// broadcast are all one strided copy of 32-bit elements).

import { transpose4 } from "./gemm";

/**
 * Transposes matrices of a batch, x[·, rows, columns] → y[·, columns, rows]; tasks count (matrix,
 * strip of 16 rows).
 */
export function transpose(x: usize, y: usize, rows: i32, columns: i32, begin: i32, end: i32): void {
  const strips = (rows + 15) / 16;
  const sourceStride = <usize>columns << 2;
  const targetStride = <usize>rows << 2;
  for (let task = begin; task < end; task++) {
    const base = (<usize>(task / strips) * rows * columns) << 2;
    const first = (task % strips) * 16;
    const last = min(first + 16, rows);
    for (let column = 0; column < columns; column += 4) {
      const width = min(4, columns - column);
      let row = first;
      if (width == 4) {
        for (; row + 4 <= last; row += 4) {
          transpose4(
            x + base + row * sourceStride + (<usize>column << 2), y + base + column * targetStride + (<usize>row << 2),
            sourceStride, targetStride,
          );
        }
      }
      for (; row < last; row++) {
        for (let j = column; j < column + width; j++) {
          store<i32>(y + base + j * targetStride + (<usize>row << 2), load<i32>(x + base + row * sourceStride + (<usize>j << 2)));
        }
      }
    }
  }
}

/**
 * y[target strides · i] = x[source strides · i] for every index i of a box of 6 sizes (leading ones
 * padded with 1), in 32-bit elements. `box` points to 18 i32: sizes, source strides, target
 * strides. Tasks [begin, end) count rows: all axes but the last.
 */
export function copyStrided(x: usize, y: usize, box: usize, begin: i32, end: i32): void {
  const size = load<i32>(box + 20);
  const sourceStep = load<i32>(box + 44);
  const targetStep = load<i32>(box + 68);
  for (let row = begin; row < end; row++) {
    let rest = row;
    let source = 0;
    let target = 0;
    for (let axis = 4; axis >= 0; axis--) {
      const at = box + (<usize>axis << 2);
      const length = load<i32>(at);
      const i = rest % length;
      rest /= length;
      source += i * load<i32>(at, 24);
      target += i * load<i32>(at, 48);
    }
    let from = x + (<isize>source << 2);
    let to = y + (<isize>target << 2);
    if (sourceStep == 1 && targetStep == 1) {
      memory.copy(to, from, <usize>size << 2);
    } else {
      for (let i = 0; i < size; i++) {
        store<i32>(to, load<i32>(from));
        from += <isize>sourceStep << 2;
        to += <isize>targetStep << 2;
      }
    }
  }
}
