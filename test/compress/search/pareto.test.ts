import { expect, test } from 'vitest';
import {
  bestByCrowding,
  crowdingDistance,
  dominates,
  hypervolume,
  nonDominatedSort,
  paretoFront,
} from '../../../src/compress/index.js';
import { Random } from '../../../src/tensor/index.js';

/** A value that is there. */
const known = <Value>(value: Value | undefined): Value => value as Value;

const randomPoints = (count: number, objectives: number, random: Random, levels = 12) =>
  Array.from({ length: count }, () => Array.from({ length: objectives }, () => random.integer(levels)));

/** Fronts by their definition: peel off what no other left dominates. */
function frontsByDefinition(points: readonly number[][]): number[][] {
  const left = new Set(points.keys());
  const fronts: number[][] = [];
  while (left.size > 0) {
    const front = [...left].filter((i) => ![...left].some((j) => dominates(known(points[j]), known(points[i]))));
    for (const i of front) left.delete(i);
    fronts.push(front);
  }
  return fronts;
}

test('fronts are those of the definition, with ties and with two to four objectives', () => {
  const random = new Random(1);
  for (const objectives of [1, 2, 3, 4])
    for (let trial = 0; trial < 8; trial++) {
      const points = randomPoints(40, objectives, random);
      const found = nonDominatedSort(points).map((front) => [...front].sort((a, b) => a - b));
      expect(found).toEqual(frontsByDefinition(points));
      expect([...paretoFront(points)].sort((a, b) => a - b)).toEqual(found[0]);
    }
});

test('domination asks for no worse and once better', () => {
  expect(dominates([1, 2], [1, 3])).toBe(true);
  expect(dominates([1, 2], [1, 2])).toBe(false);
  expect(dominates([1, 4], [2, 3])).toBe(false);
});

test('values that are not finite have no order', () => {
  expect(() => nonDominatedSort([[1, Number.NaN]])).toThrow('objective 1 of point 0 is NaN');
});

test('crowding is the gap between neighbours by hand, infinite at the ends', () => {
  const points = [
    [0, 10],
    [1, 6],
    [4, 2],
    [10, 0],
  ];
  const distance = crowdingDistance(points, [0, 1, 2, 3]);
  expect(distance[0]).toBe(Number.POSITIVE_INFINITY);
  expect(distance[3]).toBe(Number.POSITIVE_INFINITY);
  expect(distance[1]).toBeCloseTo(4 / 10 + 8 / 10);
  expect(distance[2]).toBeCloseTo(9 / 10 + 6 / 10);
});

test('the best are whole fronts, then the least crowded', () => {
  const points = [
    [0, 10],
    [1, 6],
    [4, 2],
    [10, 0],
    [11, 11],
  ];
  expect(bestByCrowding(points, 3)).toEqual([0, 3, 2]);
  expect(bestByCrowding(points, 5)[4]).toBe(4);
});

test('the hypervolume of three points by hand', () => {
  const points = [
    [1, 3],
    [2, 2],
    [3, 1],
  ];
  expect(hypervolume(points, [4, 4])).toBe(6);
  expect(hypervolume([...points, [2, 3], [5, 0], [0, 5]], [4, 4])).toBe(6);
  expect(hypervolume([[2]], [5])).toBe(3);
  expect(hypervolume([], [4, 4])).toBe(0);
  expect(() => hypervolume([[1]], [1, 2])).toThrow('1 objectives');
});

test('the hypervolume of three objectives is the share of random points below the front', () => {
  const random = new Random(2);
  const points = Array.from({ length: 12 }, () => [random.float(), random.float(), random.float()]);
  const draws = 200_000;
  let inside = 0;
  for (let i = 0; i < draws; i++) {
    const [x, y, z] = [random.float(), random.float(), random.float()];
    if (points.some((own) => known(own[0]) <= x && known(own[1]) <= y && known(own[2]) <= z)) inside += 1;
  }
  expect(hypervolume(points, [1, 1, 1])).toBeCloseTo(inside / draws, 2);
  const flat = points.map(([x, y]) => [known(x), known(y), 0]);
  expect(hypervolume(flat, [1, 1, 2])).toBeCloseTo(
    2 *
      hypervolume(
        points.map(([x, y]) => [known(x), known(y)]),
        [1, 1],
      ),
  );
});
