import { describe, expect, test } from 'vitest';
import { ChangingPattern, sddmm, spmm } from '../../src/sparse/index.js';
import { keep, Random, tensor } from '../../src/tensor/index.js';

/** Value v at place p as a dense list. */
function dense(size: number, places: ArrayLike<number>, values: ArrayLike<number>): number[] {
  const all = Array<number>(size).fill(0);
  for (let at = 0; at < places.length; at++) all[places[at] as number] = values[at] as number;
  return all;
}

describe('a pattern whose places change', () => {
  test('moves values with their places, and new ones are 0, whatever goes and comes', () => {
    const random = new Random(3);
    const [rows, columns] = [7, 5];
    let places = random.sample(rows * columns, 12).sort();
    const pattern = new ChangingPattern(rows, columns, places);
    let companions = [keep(random.uniform([12])), keep(random.uniform([12]))];
    for (let round = 0; round < 40; round++) {
      const before = companions.map((own) => dense(rows * columns, places, own.view()));
      const removed = Uint8Array.from(places, () => random.integer(2));
      const kept = new Set(places.filter((_, e) => !removed[e]));
      const free = Array.from({ length: rows * columns }, (_, place) => place).filter((place) => !kept.has(place));
      const count = round % 3 === 0 ? random.integer(8) : removed.reduce((a, b) => a + b, 0);
      const grown = Int32Array.from(random.sample(free.length, count), (at) => free[at] as number).sort();
      const after = pattern.exchange(removed, grown, companions);
      places = Int32Array.from([...kept, ...grown]).sort();
      expect([...pattern.places()]).toEqual([...places]);
      if (after.length > 0 && places.length === removed.length) expect(after).toEqual(companions);
      companions = after;
      companions.forEach((own, at) => {
        const expected = (before[at] as number[]).map((value, place) => (kept.has(place) ? value : 0));
        expect(dense(rows * columns, places, own.view())).toEqual(expected);
      });
    }
  });

  test('is read by products, also transposed, after a change', () => {
    const pattern = new ChangingPattern(2, 3, Int32Array.of(0, 4));
    const values = keep(tensor([2, 3]));
    const x = tensor([1, 10, 100], [3, 1]);
    expect([...spmm({ pattern, values }, x).view()]).toEqual([2, 30]);
    const { pattern: before } = pattern.transposed();
    const [after] = pattern.exchange(Uint8Array.of(1, 0), Int32Array.of(2), [values]);
    expect([...spmm({ pattern, values: after as typeof values }, x).view()]).toEqual([0, 30]);
    after?.view().set([5, 3]);
    expect([...spmm({ pattern, values: after as typeof values }, x).view()]).toEqual([500, 30]);
    const { pattern: transposed, permutation } = pattern.transposed();
    expect(transposed).not.toBe(before);
    expect([...permutation.view()].map((e) => after?.view()[e])).toEqual([3, 5]);
    expect([...sddmm(pattern, tensor([1, 2], [2, 1]), x).view()]).toEqual([100, 20]);
    expect([...transposed.transposed().permutation.view()]).toEqual([1, 0]);
  });

  test('counts its bytes, and those of its transpose once there is one', () => {
    const pattern = new ChangingPattern(2, 3, Int32Array.of(0, 4));
    expect(pattern.bytes).toBe(4 * (3 + 2));
    pattern.transposed();
    expect(pattern.bytes).toBe(4 * (3 + 2) + 4 * (4 + 4));
  });

  test('refuses places that are outside, out of order, or taken', () => {
    expect(() => new ChangingPattern(2, 2, Int32Array.of(4))).toThrow('place 4 at 0 is outside');
    expect(() => new ChangingPattern(2, 2, Int32Array.of(1, 1))).toThrow('not above the one before');
    const pattern = new ChangingPattern(2, 2, Int32Array.of(1, 2));
    expect(() => pattern.exchange(Uint8Array.of(1, 0), Int32Array.of(2), [])).toThrow(
      'row 1 already has an element in column 0',
    );
  });
});
