// The studies of layers without parameters, on a few images.

import { describe, expect, test } from 'vitest';
import { glyphImages } from '../../src/data/index.js';
import { shrunkImages } from '../../src/experiments/protocols/images.js';
import { layerScore, layerStudy } from '../../src/experiments/protocols/pf-layers.js';
import { attentionBytes, COUNTS, countStudy, paddedImages } from '../../src/experiments/protocols/pf-networks.js';
import { SEARCH, searchStudy } from '../../src/experiments/protocols/pf-search.js';
import { networkStudy, resNetScore } from '../../src/experiments/protocols/pf-speed.js';
import { Random } from '../../src/tensor/index.js';
import { imageModel, searchSpace } from '../../src/vision/index.js';
import { context } from './context.js';

describe('studies of layers without parameters', () => {
  const data = glyphImages(40, 20, new Random(0));
  const small = { ...data, train: shrunkImages(data.train, 2), test: shrunkImages(data.test, 2) };

  test('a cell of the study of layers has every operation, alike but for it', async () => {
    const options = { layerImages: 30, layerEpochs: 1, batch: 15 };
    const cells = [{ kind: 'inverted', width: 1, expansion: 3 }] as const;
    const { studies, scores } = await layerStudy(small, options, context(1), cells);
    const rows = studies[0]?.rows as (string | number)[][];
    expect(rows.map(([kind, operator]) => [kind, operator])).toEqual(searchSpace.map((name) => ['inverted', name]));
    const parameters = Object.fromEntries(rows.map(([, operator, , count]) => [operator, count as number]));
    // Hidden channels 48, 48 and 72: 9 weights and 2 of the norm for each of a depthwise convolution.
    expect((parameters.depthwise as number) - (parameters['max-pool'] as number)).toBe(11 * (48 + 48 + 72));
    expect(parameters['max-pool']).toBe(parameters.none);
    for (const what of ['accuracy', 'ms'] as const)
      expect(scores[layerScore(what, 'inverted', 'max-pool')]).toBeGreaterThanOrEqual(0);
    expect((await layerStudy(small, { ...options, layerImages: 0 }, context(1))).studies).toEqual([]);
  });

  test('the study of searches trains what it found beside random and pure networks', async () => {
    const options = { searchImages: 30, searchEpochs: 1, searches: 1, draws: 1, epochs: 1, batch: 15 };
    const { studies, scores } = await searchStudy(small, options, context(1));
    const rows = studies[0]?.rows as string[][];
    expect(rows.map(([title]) => title)).toEqual(['found, seed 0', 'random, draw 0', 'convolution', 'max-pool']);
    for (const row of rows) expect([row[3], row[5]]).toEqual(['max-pool', 'max-pool']);
    expect(rows[2]?.slice(1, 7)).toEqual([
      'convolution',
      'convolution',
      'max-pool',
      'convolution',
      'max-pool',
      'convolution',
    ]);
    const chosen = [1, 2, 4, 6].map((column) => rows[0]?.[column] as string);
    const free = chosen.filter((name) => ['max-pool', 'average-pool', 'none'].includes(name));
    expect(scores[SEARCH.share]).toBe(free.length / 4);
    expect(scores[SEARCH.found]).toBeCloseTo(Number(rows[0]?.[7]), 1);
  });

  test('ResNet-50 with each operation is counted and timed', async () => {
    const { scores } = await networkStudy([1], 64, 1 / 8);
    const of = (arm: 'convolution' | 'depthwise' | 'max' | 'hybrid') =>
      scores[resNetScore(arm, 'multiplyAdds')] as number;
    expect(of('convolution')).toBeGreaterThan(of('hybrid'));
    expect(of('hybrid')).toBeGreaterThan(of('max'));
    expect(of('depthwise')).toBeGreaterThan(of('max'));
    for (const what of ['plan', 'step'] as const) expect(scores[resNetScore('max', what)]).toBeGreaterThan(0);
  });

  test('nano counts, maps of attention, and zeros around images', () => {
    expect(countStudy().scores).toEqual({
      [COUNTS.parameters]: 32_602 / 57_018,
      [COUNTS.products]: 1_169_408 / 1_915_904,
    });
    const sides = { height: 32, width: 32 };
    const network = (name: string) => imageModel(name, { channels: 1, classes: 2, size: 32 }, new Random(0));
    // Two of four blocks attend with three heads, over 64 tokens.
    expect(attentionBytes(network('vit-nano-max'), sides)).toBe(4 * 2 * 3 * 64 ** 2);
    expect(attentionBytes(network('vit-nano'), sides)).toBe(4 * 4 * 3 * 64 ** 2);
    expect(attentionBytes(network('pf-nano'), sides)).toBe(0);
    const padded = paddedImages(data.test, 32);
    expect([padded.height, padded.width]).toEqual([32, 32]);
    const inner = Array.from({ length: 28 }, (_, row) =>
      Array.from(padded.pixels.subarray((row + 2) * 32 + 2, (row + 2) * 32 + 30)),
    );
    expect(inner.flat()).toEqual(Array.from(data.test.pixels.subarray(0, 784)));
    const sum = (values: Uint8Array) => values.reduce((total, value) => total + value, 0);
    expect(sum(padded.pixels)).toBe(sum(data.test.pixels));
    expect(paddedImages(padded, 32)).toBe(padded);
  });
});
