import { describe, expect, test } from 'vitest';
import { frontLead, leadOver, speedAtAccuracy } from '../../src/experiments/protocols/fronts.js';

const baselines = [
  { latency: 4, accuracy: 88 },
  { latency: 1, accuracy: 80 },
  { latency: 2, accuracy: 84 },
];

describe('fronts of latency and accuracy', () => {
  test('the lead is that of the best point at most as slow, without tolerance', () => {
    const points = [
      { latency: 1, accuracy: 81 },
      { latency: 2, accuracy: 82 },
      { latency: 2.001, accuracy: 90 },
    ];
    expect(baselines.map((baseline) => leadOver(baseline, points))).toEqual([2, 1, -2]);
    expect(leadOver({ latency: 0.999, accuracy: 10 }, points)).toBeUndefined();
  });

  test('a baseline faster than all points does not count, and two must', () => {
    const points = [
      { latency: 1.5, accuracy: 85 },
      { latency: 3, accuracy: 87 },
    ];
    expect(frontLead(points, baselines)).toEqual({ counted: 2, least: -1, most: 1 });
    const slow = [{ latency: 3.5, accuracy: 95 }];
    expect(frontLead(slow, baselines)).toEqual({ counted: 1, least: Number.NaN, most: Number.NaN });
  });

  test('latency at an accuracy is interpolated linearly between neighbours', () => {
    expect(speedAtAccuracy({ latency: 1, accuracy: 82 }, baselines)).toBeCloseTo(1.5, 10);
    expect(speedAtAccuracy({ latency: 0.5, accuracy: 87 }, baselines)).toBeCloseTo(7, 10);
    for (const { latency, accuracy } of baselines)
      expect(speedAtAccuracy({ latency: 0.5, accuracy }, baselines)).toBeCloseTo(2 * latency, 10);
  });

  test('above all baselines the most accurate one counts, below all none', () => {
    expect(speedAtAccuracy({ latency: 2, accuracy: 90 }, baselines)).toBe(2);
    expect(speedAtAccuracy({ latency: 0.1, accuracy: 79.9 }, baselines)).toBe(0);
  });

  test('a baseline that is slower and less accurate than another is passed over', () => {
    const slower = [...baselines, { latency: 8, accuracy: 82 }, { latency: 9, accuracy: 88 }];
    for (const accuracy of [81, 83, 86, 88, 91])
      expect(speedAtAccuracy({ latency: 1, accuracy }, slower)).toBe(
        speedAtAccuracy({ latency: 1, accuracy }, baselines),
      );
  });
});
