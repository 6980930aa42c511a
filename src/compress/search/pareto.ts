// Pareto order of points whose objectives are all minimised: fronts, and how crowded they are.

/** The objectives of a point, all minimised. */
export type ObjectiveValues = ArrayLike<number>;

/** Whether a is no worse than b in every objective, and better in one. */
export function dominates(a: ObjectiveValues, b: ObjectiveValues): boolean {
  let better = false;
  for (let m = 0; m < a.length; m++) {
    const [x, y] = [a[m] as number, b[m] as number];
    if (x > y) return false;
    if (x < y) better = true;
  }
  return better;
}

/** Order by the first objective, then the second, and so on. */
function lexicographic(a: ObjectiveValues, b: ObjectiveValues): number {
  for (let m = 0; m < a.length; m++) {
    const difference = (a[m] as number) - (b[m] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Fronts of non-domination, the best first: indices of the points of each. Points in lexicographic
 * order are put into the first front without a point that dominates them, found by bisection (Zhang
 * et al., "An Efficient Approach to Nondominated Sorting", 2015).
 *
 * @throws RangeError for a value that is not finite
 */
export function nonDominatedSort(points: readonly ObjectiveValues[]): number[][] {
  requireFinite(points);
  const order = Array.from(points.keys()).sort((i, j) => lexicographic(at(points, i), at(points, j)) || i - j);
  const fronts: number[][] = [];
  for (const i of order) {
    let [low, high] = [0, fronts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isDominated(points, i, fronts[middle] as number[])) low = middle + 1;
      else high = middle;
    }
    if (low === fronts.length) fronts.push([]);
    (fronts[low] as number[]).push(i);
  }
  return fronts;
}

/** Whether a point of a front, which lies before it in the order, dominates a point. */
function isDominated(points: readonly ObjectiveValues[], i: number, front: readonly number[]): boolean {
  const point = at(points, i);
  // Of two objectives, the second falls along a front: its last point has the least.
  const first = point.length === 2 ? front.length - 1 : 0;
  for (let place = front.length - 1; place >= first; place--)
    if (dominates(at(points, front[place] as number), point)) return true;
  return false;
}

/** Indices of the points that no other dominates, ascending in the first objective. */
export function paretoFront(points: readonly ObjectiveValues[]): number[] {
  return nonDominatedSort(points)[0] ?? [];
}

/**
 * Crowding distance of each point of a front (Deb et al. 2002): the sum over objectives of the gap
 * between its neighbours, relative to the range of the front. The ends are infinitely far.
 *
 * @param front indices of its points
 */
export function crowdingDistance(points: readonly ObjectiveValues[], front: readonly number[]): Float64Array {
  const distance = new Float64Array(front.length);
  const objectives = front.length > 0 ? at(points, front[0] as number).length : 0;
  for (let m = 0; m < objectives; m++) {
    const value = (place: number) => at(points, front[place] as number)[m] as number;
    const order = Array.from(front.keys()).sort((a, b) => value(a) - value(b) || a - b);
    const [first, last] = [order[0] as number, order[order.length - 1] as number];
    const range = value(last) - value(first);
    distance[first] = distance[last] = Number.POSITIVE_INFINITY;
    for (let i = 1; i < order.length - 1 && range > 0; i++) {
      const [before, own, after] = [order[i - 1] as number, order[i] as number, order[i + 1] as number];
      distance[own] = (distance[own] as number) + (value(after) - value(before)) / range;
    }
  }
  return distance;
}

/** The best points: whole fronts, then the least crowded of the next one. Indices, best first. */
export function bestByCrowding(points: readonly ObjectiveValues[], count: number): number[] {
  const best: number[] = [];
  for (const front of nonDominatedSort(points)) {
    if (best.length >= count) break;
    const distance = crowdingDistance(points, front);
    const order = Array.from(front.keys()).sort(
      (a, b) => descending(distance[a] as number, distance[b] as number) || a - b,
    );
    best.push(...order.slice(0, count - best.length).map((place) => front[place] as number));
  }
  return best;
}

/** Descending order in which two infinities are equal. */
export function descending(a: number, b: number): number {
  return a === b ? 0 : b - a;
}

const at = (points: readonly ObjectiveValues[], i: number) => points[i] as ObjectiveValues;

function requireFinite(points: readonly ObjectiveValues[]): void {
  points.forEach((point, i) => {
    for (let m = 0; m < point.length; m++)
      if (!Number.isFinite(point[m])) throw new RangeError(`Pareto order: objective ${m} of point ${i} is ${point[m]}`);
  });
}
