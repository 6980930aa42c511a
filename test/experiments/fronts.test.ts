import { describe, expect, test } from 'vitest';
import { bestGain, speedAtAccuracy, worstDeficit } from '../../src/experiments/protocols/fronts.js';

const baselines = [
  { latency: 4, accuracy: 88 },
  { latency: 1, accuracy: 80 },
  { latency: 2, accuracy: 84 },
];

describe('fronts of latency and accuracy', () => {
  test('the worst deficit is to a baseline that is no slower, within 2 %', () => {
    expect(worstDeficit([{ latency: 2, accuracy: 83 }], baselines)).toBe(1);
    expect(worstDeficit([{ latency: 1.97, accuracy: 83 }], baselines)).toBe(1);
    expect(worstDeficit([{ latency: 1.9, accuracy: 83 }], baselines)).toBe(-3);
    expect(worstDeficit([{ latency: 0.5, accuracy: 70 }], baselines)).toBe(-100);
  });

  test('the best gain is over a baseline that is no faster', () => {
    const points = [
      { latency: 3, accuracy: 87 },
      { latency: 1.5, accuracy: 86 },
    ];
    expect(bestGain(points, baselines)).toBe(2);
    expect(bestGain([{ latency: 5, accuracy: 99 }], baselines)).toBe(-100);
  });

  test('latency at an accuracy is interpolated by its logarithm', () => {
    expect(speedAtAccuracy({ latency: 1, accuracy: 82 }, baselines)).toBeCloseTo(Math.SQRT2, 10);
    expect(speedAtAccuracy({ latency: 1, accuracy: 84 }, baselines)).toBeCloseTo(2, 10);
  });

  test('above all baselines the slowest counts, below all none', () => {
    expect(speedAtAccuracy({ latency: 2, accuracy: 90 }, baselines)).toBe(2);
    expect(speedAtAccuracy({ latency: 2, accuracy: 79 }, baselines)).toBe(0);
  });
});
