// Ranks of values, and Spearman's correlation.

/** Spearman's correlation of two lists: Pearson's of their ranks; NaN where one is constant. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [midRanks(a), midRanks(b)];
  const middle = (x.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [(x[i] as number) - middle, (y[i] as number) - middle];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

/**
 * Ranks from 1, the smallest value first; values within `tie` of the least of a group share the
 * mean of their places.
 */
export function midRanks(values: ArrayLike<number>, tie = 0): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i).sort(
    (i, j) => (values[i] as number) - (values[j] as number),
  );
  const ranks = new Float64Array(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    const least = values[order[from] as number] as number;
    while (to < order.length && !((values[order[to] as number] as number) - least > tie)) to++;
    for (let place = from; place < to; place++) ranks[order[place] as number] = (from + 1 + to) / 2;
  }
  return ranks;
}
