// Indexed reads and the additions that are their gradients. Scatters give every output row to one thread, which walks all
// indices in order: no atomics, and the same sum order for any thread count.

/** y[i, :] = x[indices[i], :] for rows [begin, end) of y, d 32-bit elements a row. */
export function gatherRows(x: usize, indices: usize, y: usize, d: i32, begin: i32, end: i32): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const source = <usize>load<i32>(indices + (<usize>i << 2));
    if (d == 1) store<i32>(y + (<usize>i << 2), load<i32>(x + (source << 2)));
    else memory.copy(y + i * bytes, x + source * bytes, bytes);
  }
}

/** y[r, :] = Σ over i with indices[i] = r of x[i, :], for rows [begin, end) of y; `count` indices. */
export function scatterAddRows(x: usize, indices: usize, y: usize, count: i32, d: i32, begin: i32, end: i32): void {
  const bytes = <usize>d << 2;
  memory.fill(y + begin * bytes, 0, (end - begin) * bytes);
  for (let i = 0; i < count; i++) {
    const row = load<i32>(indices + (<usize>i << 2));
    if (row < begin || row >= end) continue;
    let source = x + i * bytes;
    let target = y + row * bytes;
    const stop = target + bytes;
    for (; target + 16 <= stop; target += 16, source += 16) v128.store(target, f32x4.add(v128.load(target), v128.load(source)));
    for (; target < stop; target += 4, source += 4) store<f32>(target, load<f32>(target) + load<f32>(source));
  }
}

/** y[s, c] = x[positions[s, c], c], or 0 where the position is −1; tasks count s. */
export function takeRows(x: usize, positions: usize, y: usize, d: i32, begin: i32, end: i32): void {
  for (let i = begin * d; i < end * d; i++) {
    const row = load<i32>(positions + (<usize>i << 2));
    store<f32>(y + (<usize>i << 2), row < 0 ? 0 : load<f32>(x + ((<usize>row * d + i % d) << 2)));
  }
}

/** y[r, c] = Σ over s with positions[s, c] = r of x[s, c], for rows [begin, end) of y; `count` rows of x. */
export function putRows(x: usize, positions: usize, y: usize, count: i32, d: i32, begin: i32, end: i32): void {
  memory.fill(y + ((<usize>begin * d) << 2), 0, (<usize>(end - begin) * d) << 2);
  const size = count * d;
  for (let i = 0; i < size; i++) {
    const row = load<i32>(positions + (<usize>i << 2));
    if (row < begin || row >= end) continue;
    const target = y + ((<usize>row * d + i % d) << 2);
    store<f32>(target, load<f32>(target) + load<f32>(x + (<usize>i << 2)));
  }
}
