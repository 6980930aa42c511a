// The task with marks, against a direct reading of its description.

import { expect, test } from 'vitest';
import { WindowAttention } from '../../src/experiments/protocols/mixers.js';
import {
  errorScores,
  MIXED_CHANNELS,
  Mover,
  movedContent,
  movedContentScore,
  movedContentStudy,
} from '../../src/experiments/protocols/moved-content.js';
import { inference, type Layer } from '../../src/nn/index.js';
import { Random, tensor, zeros } from '../../src/tensor/index.js';
import { uniformTensor } from '../oracle.js';

const SIZE = 14;
const directions = [
  [-1, -1],
  [-1, 0],
  [-1, 1],
  [0, -1],
  [0, 1],
  [1, -1],
  [1, 0],
  [1, 1],
] as const;

test('each pixel that a mark within three pixels owns shows the content one pixel away, as the mark says', () => {
  const { x, y, known } = movedContent(new Random(3), 4);
  const at = (values: ArrayLike<number>, channels: number, image: number, k: number, i: number, j: number) =>
    i < 0 || j < 0 || i >= SIZE || j >= SIZE ? 0 : (values[((image * channels + k) * SIZE + i) * SIZE + j] as number);
  const [xs, ys, ks] = [x.dataSync(), y.dataSync(), known.dataSync()];
  let owned = 0;
  for (let image = 0; image < 4; image++)
    for (let i = 0; i < SIZE; i++)
      for (let j = 0; j < SIZE; j++) {
        const marks = [];
        for (let a = i - 3; a <= i + 3; a++)
          for (let b = j - 3; b <= j + 3; b++)
            for (let d = 0; d < 8; d++) if (at(xs, 16, image, 8 + d, a, b) === 4) marks.push(d);
        expect(marks.length).toBeLessThanOrEqual(1);
        expect(at(ks, 8, image, 5, i, j)).toBe(marks.length);
        if (marks.length === 0) continue;
        owned += 1;
        const [down, right] = directions[marks[0] as number] as readonly [number, number];
        for (const k of [0, 7]) expect(at(ys, 8, image, k, i, j)).toBe(at(xs, 16, image, k, i + down, j + right));
      }
  expect(owned).toBeGreaterThan(4 * 100);
});

/** Passes its input on, without parameters. */
const identity: Layer = { forward: (x) => x };

test('the error is the mean over owned pixels of untrained content, and unknown pixels cost nothing', async () => {
  const score = await movedContentScore(identity, 50, new Random(1));
  // Content of variance 1, of which a pointwise network knows nothing; the share of owned pixels is below 1.
  expect(score.parameters).toBe(16 * 32 + 32 + 32 * 8 + 8);
  const { known } = movedContent(new Random(1), 64);
  const share = known.dataSync().reduce((sum, own) => sum + own, 0) / known.size;
  expect(score.error).toBeGreaterThan(0.85 * share);
  expect(score.error).toBeLessThan(1.15 * share);
});

test('what is said of pixels without a mark costs nothing', () => {
  const mover = new Mover(identity, new Random(1));
  mover.last.weight.assign(zeros(mover.last.weight.shape));
  mover.last.bias?.assign(new Float32Array(8).fill(3));
  const examples = movedContent(new Random(2), 4);
  const [ys, ks] = [examples.y.dataSync(), examples.known.dataSync()];
  const squares = ys.reduce((sum, y, i) => sum + ((3 - y) * (ks[i] as number)) ** 2, 0);
  expect(mover.error(examples, inference).item()).toBeCloseTo(squares / ys.length, 3);
});

test('every seed is trained; the largest and the least error are scores', async () => {
  const shares: number[] = [];
  const study = await movedContentStudy(
    { identity: () => identity },
    { steps: 50, seeds: 2 },
    { seed: 3, signal: undefined, progress: (_, share) => shares.push(share) },
  );
  const [most, least] = errorScores('identity');
  expect(study.scores[most] as number).toBeGreaterThan(study.scores[least] as number);
  expect(shares).toEqual([0.5, 1]);
  expect(study.studies[0]?.rows[0]?.[2]).toMatch(/^0\.\d{3}, 0\.\d{3}$/);
});

test('window attention mixes pixels of one window alone', () => {
  const layer = new WindowAttention(MIXED_CHANNELS, new Random(1));
  const x = uniformTensor(2, [1, MIXED_CHANNELS, SIZE, SIZE]);
  const changed = x.dataSync<Float32Array>();
  changed[3 * SIZE + 9] = 5; // channel 0, row 3, column 9: the upper right window
  const before = layer.forward(x).dataSync();
  const moved = layer.forward(tensor(changed, x.shape)).dataSync();
  const differs = (row: number, column: number) =>
    Array.from({ length: MIXED_CHANNELS }, (_, k) => (k * SIZE + row) * SIZE + column).some(
      (at) => Math.abs((moved[at] as number) - (before[at] as number)) > 1e-6,
    );
  expect([differs(0, 7), differs(6, 13), differs(0, 0), differs(7, 9), differs(13, 13), differs(3, 6)]).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
