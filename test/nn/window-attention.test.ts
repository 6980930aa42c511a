import { describe, expect, test } from 'vitest';
import { fromWindows, PatchMerging, SwinBlock, windowsOf } from '../../src/nn/index.js';
import { Random, scope, type Tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const [SIDE, WINDOW, CHANNELS, HEADS] = [8, 4, 4, 2];

const rowsOf = (x: Tensor): number[][] => {
  const width = x.shape.at(-1) as number;
  const values = [...x.view()];
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
};

/**
 * A block in plain loops: each token attends to those of its window that are near in the picture.
 */
function plain(block: SwinBlock, x: Tensor, shift: number): number[] {
  const linear = ({ weight, bias }: { weight: Tensor; bias: Tensor | undefined }, v: readonly number[]) =>
    rowsOf(weight).map((row, o) => row.reduce((sum, w, i) => sum + w * (v[i] as number), bias?.view()[o] ?? 0));
  const norm = (v: readonly number[]) => {
    const mean = v.reduce((a, b) => a + b) / v.length;
    const variance = v.reduce((sum, value) => sum + (value - mean) ** 2, 0) / v.length;
    return v.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
  };
  const tokens = rowsOf(x);
  const qkv = tokens.map((token) => linear(block.qkv, norm(token)));
  const depth = CHANNELS / HEADS;
  const table = rowsOf(block.relativeBias);
  const place = (at: number) => [Math.floor(at / SIDE), at % SIDE] as const;
  // Where a coordinate lands once the picture is turned by the shift.
  const moved = (v: number) => (v - shift + SIDE) % SIDE;
  const attended = tokens.map((token, i) => {
    const [row, column] = place(i);
    const out = Array.from({ length: CHANNELS }, () => 0);
    for (let head = 0; head < HEADS; head++) {
      const scores: { readonly j: number; readonly score: number }[] = [];
      tokens.forEach((_, j) => {
        const [otherRow, otherColumn] = place(j);
        const same = (a: number, b: number) =>
          Math.floor(moved(a) / WINDOW) === Math.floor(moved(b) / WINDOW) && Math.abs(a - b) < WINDOW;
        if (!same(row, otherRow) || !same(column, otherColumn)) return;
        const dot = Array.from(
          { length: depth },
          (_, d) => (qkv[i]?.[head * depth + d] as number) * (qkv[j]?.[CHANNELS + head * depth + d] as number),
        ).reduce((a, b) => a + b);
        const at = (row - otherRow + WINDOW - 1) * (2 * WINDOW - 1) + column - otherColumn + WINDOW - 1;
        scores.push({ j, score: dot / Math.sqrt(depth) + (table[at]?.[head] as number) });
      });
      const total = scores.reduce((sum, { score }) => sum + Math.exp(score), 0);
      for (const { j, score } of scores)
        for (let d = 0; d < depth; d++)
          out[head * depth + d] =
            (out[head * depth + d] as number) +
            (Math.exp(score) / total) * (qkv[j]?.[2 * CHANNELS + head * depth + d] as number);
    }
    const first = linear(block.proj, out).map((value, c) => value + (token[c] as number));
    const erf = (v: number) => {
      let [term, sum] = [v, v];
      for (let n = 1; n < 60; n++) {
        term *= (-v * v) / n;
        sum += term / (2 * n + 1);
      }
      return (2 / Math.sqrt(Math.PI)) * sum;
    };
    const raised = linear(block.up, norm(first)).map((v) => (v / 2) * (1 + erf(v / Math.SQRT2)));
    return linear(block.down, raised).map((value, c) => value + (first[c] as number));
  });
  return attended.flat();
}

describe('window attention', () => {
  test('windows and their inverse', () => {
    const x = uniformTensor(1, [2, SIDE, SIDE, 3]);
    const windows = windowsOf(x, WINDOW);
    expect(windows.shape).toEqual([8, 16, 3]);
    expectClose(fromWindows(windows, WINDOW, SIDE, SIDE).view(), x.view(), 0);
  });

  test.each([false, true])('a block equals plain loops over tokens; shifted: %s', (shifted) => {
    scope(() => {
      const block = new SwinBlock(CHANNELS, SIDE, new Random(3), { heads: HEADS, window: WINDOW, shifted, ratio: 2 });
      const x = uniformTensor(2, [1, SIDE, SIDE, CHANNELS]);
      expectClose(block.forward(x).view(), plain(block, x, shifted ? WINDOW / 2 : 0), 2e-5);
    });
  });

  test('merging joins the four neighbours of each 2 × 2 square', () => {
    scope(() => {
      const merging = new PatchMerging(2, new Random(1));
      const x = uniformTensor(4, [1, 4, 4, 2]);
      const changed = x.clone();
      // The token at (2, 3) belongs to the square (1, 1).
      changed.view()[(2 * 4 + 3) * 2] = 9;
      const [a, b] = [rowsOf(merging.forward(x)), rowsOf(merging.forward(changed))];
      expect(a.map((row, i) => row.some((value, c) => value !== b[i]?.[c]))).toEqual([false, false, false, true]);
    });
  });

  test('sizes that do not fit are refused', () => {
    expect(() => new SwinBlock(4, 6, new Random(1), { heads: 2, window: 4, shifted: false })).toThrow(
      'windows of 4 a grid of 6',
    );
    expect(() => new PatchMerging(2, new Random(1)).forward(uniformTensor(1, [1, 3, 4, 2]))).toThrow(
      'sides must be even',
    );
  });
});
