// U-NSGA-III (Seada & Deb 2016), for three objectives and more: survivors spread over directions
// from the ideal point, and of parents of one direction the better wins.

import { Random } from '../../tensor/index.js';
import { Evolution, type EvolutionOptions, type EvolvableSpace, type Survival } from './evolution.js';
import { nonDominatedSort, type ObjectiveValues } from './pareto.js';

/** Steps of the descent that spreads directions, and their length at the start. */
const [STEPS, RATE] = [600, 0.05];

/**
 * Directions spread over the simplex {w ≥ 0, Σw = 1} by least Riesz energy Σ ‖wᵢ − wⱼ‖^(−m²)
 * (Blank, Deb et al. 2021); its corners are among them.
 *
 * @param count at least one for each objective
 */
export function referenceDirections(objectives: number, count: number, random = new Random(1)): number[][] {
  if (count < objectives)
    throw new RangeError(`reference directions: expected at least ${objectives} for ${objectives} objectives`);
  const corners = Array.from({ length: objectives }, (_, m) =>
    Array.from({ length: objectives }, (_, i) => Number(i === m)),
  );
  const inner = Array.from({ length: count - objectives }, () =>
    toSimplex(Array.from({ length: objectives }, () => -Math.log(1 - random.float()))),
  );
  const points = [...corners, ...inner];
  for (let step = 0; step < STEPS; step++) {
    const rate = RATE * (1 - step / STEPS);
    for (let i = objectives; i < count; i++) points[i] = movedApart(points, i, rate);
  }
  return points;
}

/** A point after a step of given length away from the others, on the simplex. */
function movedApart(points: readonly (readonly number[])[], i: number, rate: number): number[] {
  const own = points[i] as readonly number[];
  const power = own.length ** 2;
  const force = own.map(() => 0);
  // Relative to the nearest, so that no power overflows.
  const gaps = points.map((other) => Math.hypot(...own.map((value, m) => value - (other[m] as number))));
  const least = Math.max(1e-9, Math.min(...gaps.filter((_, j) => j !== i)));
  points.forEach((other, j) => {
    if (j === i) return;
    const gap = Math.max(1e-9, gaps[j] as number);
    const strength = (least / gap) ** (power + 1) / gap;
    own.forEach((value, m) => {
      force[m] = (force[m] as number) + strength * (value - (other[m] as number));
    });
  });
  const mean = force.reduce((sum, value) => sum + value, 0) / force.length;
  const along = force.map((value) => value - mean);
  const length = Math.hypot(...along) || 1;
  return toSimplex(own.map((value, m) => Math.max(0, value + (rate * (along[m] as number)) / length)));
}

function toSimplex(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0) || 1;
  return values.map((value) => value / sum);
}

/** Points moved so that the ideal is 0 and the axes' intercepts are 1. */
function normalized(points: readonly ObjectiveValues[], front: readonly number[]): number[][] {
  const rows = points.map((point) => Array.from(point));
  const objectives = rows[0]?.length ?? 0;
  const ideal = Array.from({ length: objectives }, (_, m) => Math.min(...rows.map((row) => row[m] as number)));
  const moved = rows.map((row) => row.map((value, m) => value - (ideal[m] as number)));
  const first = front.map((i) => moved[i] as number[]);
  const nadir = intercepts(first) ?? ideal.map((_, m) => Math.max(...first.map((row) => row[m] as number)));
  return moved.map((row) => row.map((value, m) => value / Math.max(nadir[m] as number, 1e-12)));
}

/** Intercepts of the plane through the extreme points; none where there is no such plane. */
function intercepts(front: readonly (readonly number[])[]): number[] | undefined {
  const objectives = front[0]?.length ?? 0;
  const extremes = Array.from({ length: objectives }, (_, axis) => {
    const score = (row: readonly number[]) => Math.max(...row.map((value, m) => value * (m === axis ? 1 : 1e6)));
    return front.reduce((best, row) => (score(row) < score(best) ? row : best));
  });
  const plane = solved(extremes);
  const lengths = plane?.map((value) => 1 / value);
  return lengths?.every((value) => Number.isFinite(value) && value > 1e-9) ? lengths : undefined;
}

/** x with rows·x = 1, by elimination with pivots; none for a singular matrix. */
function solved(rows: readonly (readonly number[])[]): number[] | undefined {
  const n = rows.length;
  const a = rows.map((row) => [...row, 1]);
  for (let column = 0; column < n; column++) {
    const pivot = a.slice(column).reduce((best, row) => {
      return Math.abs(row[column] as number) > Math.abs(best[column] as number) ? row : best;
    }, a[column] as number[]);
    if (Math.abs(pivot[column] as number) < 1e-12) return undefined;
    const place = a.indexOf(pivot);
    [a[column], a[place]] = [pivot, a[column] as number[]];
    for (let i = 0; i < n; i++) {
      if (i === column) continue;
      const row = a[i] as number[];
      const factor = (row[column] as number) / (pivot[column] as number);
      for (let k = column; k <= n; k++) row[k] = (row[k] as number) - factor * (pivot[k] as number);
    }
  }
  return a.map((row, i) => (row[n] as number) / (row[i] as number));
}

/** The nearest direction of a point, and how far it lies from that. */
function nicheOf(point: readonly number[], directions: readonly (readonly number[])[]) {
  let [niche, distance] = [0, Number.POSITIVE_INFINITY];
  directions.forEach((direction, d) => {
    const square = direction.reduce((sum, w) => sum + w * w, 0);
    const along = direction.reduce((sum, w, m) => sum + w * (point[m] as number), 0) / square;
    const own = Math.hypot(...point.map((value, m) => value - along * (direction[m] as number)));
    if (own < distance) [niche, distance] = [d, own];
  });
  return { niche, distance };
}

/** Whole fronts survive; the rest comes from the front after them, least crowded niches first. */
export function survivalByDirections(directions: readonly (readonly number[])[]): Survival {
  return (points, count, random) => {
    const fronts = nonDominatedSort(points);
    const places = normalized(points, fronts[0] ?? []).map((point) => nicheOf(point, directions));
    const rank = new Int32Array(points.length);
    const chosen: number[] = [];
    let last: readonly number[] = [];
    fronts.forEach((front, r) => {
      for (const i of front) rank[i] = r;
      if (last.length > 0 || chosen.length >= count) return;
      if (chosen.length + front.length <= count) chosen.push(...front);
      else last = front;
    });
    chosen.push(...spread(chosen, last, places, { directions: directions.length, count, random }));
    return {
      chosen,
      compare: (a, b) => {
        const [i, j] = [chosen[a] as number, chosen[b] as number];
        const [x, y] = [places[i], places[j]] as [(typeof places)[number], (typeof places)[number]];
        return x.niche === y.niche ? (rank[i] as number) - (rank[j] as number) || x.distance - y.distance : 0;
      },
    };
  };
}

/** Members of a front for the niches with the fewest survivors, one at a time. */
function spread(
  chosen: readonly number[],
  front: readonly number[],
  places: readonly { readonly niche: number; readonly distance: number }[],
  { directions, count, random }: { readonly directions: number; readonly count: number; readonly random: Random },
): number[] {
  const crowd = new Int32Array(directions);
  const nicheAt = (i: number) => places[i] as (typeof places)[number];
  for (const i of chosen) crowd[nicheAt(i).niche] = (crowd[nicheAt(i).niche] as number) + 1;
  const left = new Set(front);
  const taken: number[] = [];
  while (chosen.length + taken.length < count && left.size > 0) {
    const open = [...new Set([...left].map((i) => nicheAt(i).niche))];
    const least = Math.min(...open.map((niche) => crowd[niche] as number));
    const niches = open.filter((niche) => crowd[niche] === least);
    const niche = niches[random.integer(niches.length)] as number;
    const members = [...left].filter((i) => nicheAt(i).niche === niche);
    const next =
      least === 0
        ? members.reduce((best, i) => (nicheAt(i).distance < nicheAt(best).distance ? i : best))
        : (members[random.integer(members.length)] as number);
    left.delete(next);
    taken.push(next);
    crowd[niche] = (crowd[niche] as number) + 1;
  }
  return taken;
}

/** Options of `unsga3`. */
export interface Unsga3Options extends EvolutionOptions {
  /** Number of directions. Default: 20. */
  readonly directions?: number;
}

/** U-NSGA-III on integer genomes: crossover of every pair, η = 30, 20 directions. */
export function unsga3(
  space: EvolvableSpace,
  objectives: number,
  random: Random,
  { directions = 20, ...options }: Unsga3Options = {},
): Evolution {
  const survival = survivalByDirections(referenceDirections(objectives, directions));
  return new Evolution(space, survival, random, {
    ...options,
    crossover: { mating: 1, eta: 30, ...options.crossover },
  });
}
