import { describe, expect, test } from 'vitest';
import {
  boxAveragePrecision,
  type ClassBox,
  intersectionOverUnion,
  meanBoxPrecision,
  type ScoredBox,
  suppressed,
} from '../../src/models/index.js';

const box = (left: number, top: number, size: number, label = 0): ClassBox => ({
  ...{ left, top, right: left + size, bottom: top + size, label },
});
const found = (own: ClassBox, score: number): ScoredBox => ({ ...own, score });

test('overlap is the area of the intersection over that of the union', () => {
  expect(intersectionOverUnion(box(0, 0, 2), box(1, 0, 2))).toBeCloseTo(2 / 6);
  expect(intersectionOverUnion(box(0, 0, 2), box(0, 0, 2))).toBe(1);
  expect(intersectionOverUnion(box(0, 0, 2), box(2, 2, 2))).toBe(0);
  expect(intersectionOverUnion(box(0, 0, 0), box(0, 0, 0))).toBe(0);
});

test('suppression keeps the best of overlapping boxes of a class', () => {
  const [best, close, apart, other] = [
    found(box(0, 0, 10), 0.9),
    found(box(1, 0, 10), 0.8),
    found(box(8, 0, 10), 0.7),
    found(box(0, 0, 10, 1), 0.95),
  ];
  expect(suppressed([close, apart, best, other])).toEqual([other, best, apart]);
  expect(suppressed([close, best], 0.9)).toEqual([best, close]);
});

describe('average precision', () => {
  const truth = [
    [box(0, 0, 10), box(20, 0, 10)],
    [box(0, 0, 10), box(50, 50, 5, 1)],
  ];

  test('is the area under the largest precision at each recall or beyond', () => {
    const boxes = [
      [found(box(0, 0, 10), 0.9), found(box(60, 60, 10), 0.8), found(box(20, 1, 10), 0.6)],
      [found(box(0, 0, 10), 0.5)],
    ];
    // Right, wrong, right, right of 3: precisions 1, ½, ⅔, ¾ at recalls ⅓, ⅓, ⅔, 1.
    expect(boxAveragePrecision(boxes, truth, 0)).toBeCloseTo((1 + 0.75 + 0.75) / 3, 10);
    expect(boxAveragePrecision([[], []], truth, 0)).toBe(0);
    expect(boxAveragePrecision(boxes, truth, 2)).toBeUndefined();
    expect(meanBoxPrecision(boxes, truth, 3)).toBeCloseTo((2.5 / 3 + 0) / 2, 10);
  });

  test('a true box is found once, in its own picture, at an overlap of at least the bound', () => {
    const twice = [[found(box(0, 0, 10), 0.9), found(box(0, 0, 10), 0.8)], []];
    expect(boxAveragePrecision(twice, truth, 0)).toBeCloseTo(1 / 3, 10);
    const elsewhere = [[], [found(box(20, 0, 10), 0.9)]];
    expect(boxAveragePrecision(elsewhere, truth, 0)).toBe(0);
    const half = [[found({ ...box(0, 0, 10), right: 5 }, 0.9)], []];
    expect(boxAveragePrecision(half, truth, 0)).toBeCloseTo(1 / 3, 10);
    expect(boxAveragePrecision(half, truth, 0, 0.51)).toBe(0);
  });
});
