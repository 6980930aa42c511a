import { describe, expect, test } from 'vitest';
import { type FuzzCase, fuzzCases } from '../fuzz/cases.js';
import { outcomeAt, outcomeOf } from '../fuzz/check.js';

/** Damaged files of each format; `npm run fuzz` reads 100,000 and watches time and memory. */
const FILES = 300;

describe('damaged files are refused or read, in time, and computing is right afterwards', async () => {
  test.each([...(await fuzzCases())])('%s', async (_, fuzzCase) => {
    const seeds = await fuzzCase.seeds();
    for (const seed of seeds) expect(await outcomeOf(fuzzCase, seed)).toBe('read');
    const count = { refused: 0, read: 0 };
    for (let index = 0; index < FILES; index++) {
      const start = performance.now();
      count[await outcomeAt(fuzzCase, seeds, index)] += 1;
      expect(performance.now() - start).toBeLessThan(5000);
    }
    expect(count.refused).toBeGreaterThan(0);
  });

  test('a reader that fails as code does, or leaves memory wrong, is found', async () => {
    const careless: FuzzCase = {
      name: 'careless',
      seeds: () => [],
      read: () => (undefined as unknown as Uint8Array).length,
    };
    await expect(outcomeOf(careless, new Uint8Array(0))).rejects.toThrow('fails as code does');
  });
});
