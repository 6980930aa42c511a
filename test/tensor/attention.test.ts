import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryUse, setThreads, threads, withOwnPeak } from '../../src/engine/index.js';
import {
  type AttentionOptions,
  attention,
  rotary,
  rotaryTables,
  scope,
  type Tensor,
  tensor,
  valueAndGrad,
} from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

/** The definition in double precision, one query at a time. */
function attendByLoops(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { causal = false, window = 0, mask, scale }: AttentionOptions,
): Float64Array {
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [, keyHeads, keys, valueDepth] = v.shape as [number, number, number, number];
  const factor = scale ?? 1 / Math.sqrt(depth);
  const y = new Float64Array(batch * heads * queries * valueDepth);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < queries; i++) {
        const source = b * keyHeads + Math.floor((h * keyHeads) / heads);
        const row = (b * heads + h) * queries + i;
        const weights = Array.from({ length: keys }, (_, j) => {
          const ahead = j - (i + keys - queries);
          if ((causal && ahead > 0) || (window && Math.abs(ahead) >= window)) return 0;
          let score = 0;
          for (let d = 0; d < depth; d++)
            score += (q.view()[row * depth + d] as number) * (k.view()[(source * keys + j) * depth + d] as number);
          const addend = mask ? (mask.view()[((b * heads + h) * queries + i) * keys + j] as number) : 0;
          return Math.exp(score * factor + addend);
        });
        const total = weights.reduce((a, w) => a + w, 0);
        for (let d = 0; d < valueDepth; d++)
          y[row * valueDepth + d] =
            total === 0
              ? 0
              : weights.reduce((a, w, j) => a + w * (v.view()[(source * keys + j) * valueDepth + d] as number), 0) /
                total;
      }
  return y;
}

const cases = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  keyHeads: fc.integer({ min: 1, max: 2 }),
  share: fc.integer({ min: 1, max: 3 }),
  queries: fc.integer({ min: 1, max: 150 }),
  keys: fc.integer({ min: 1, max: 150 }),
  depth: fc.integer({ min: 1, max: 20 }),
  valueDepth: fc.integer({ min: 1, max: 20 }),
  causal: fc.boolean(),
  window: fc.constantFrom(0, 0, 1, 5, 70),
  masked: fc.boolean(),
});

describe('attention', () => {
  test('equals its definition', () => {
    fc.assert(
      fc.property(cases, ({ batch, keyHeads, share, queries, keys, depth, valueDepth, causal, window, masked }) => {
        scope(() => {
          const heads = keyHeads * share;
          const q = uniformTensor(1, [batch, heads, queries, depth], -3, 3);
          const k = uniformTensor(2, [batch, keyHeads, keys, depth], -3, 3);
          const v = uniformTensor(3, [batch, keyHeads, keys, valueDepth]);
          const hidden = uniformTensor(4, [batch, heads, queries, keys])
            .dataSync()
            .map((value) => (value > 0.5 ? -Infinity : value));
          const options = { causal, window, ...(masked && { mask: tensor(hidden, [batch, heads, queries, keys]) }) };
          expectClose(attention(q, k, v, options).view(), attendByLoops(q, k, v, options), 1e-5);
        });
      }),
      { numRuns: 60 },
    );
  });

  test('a mask broadcasts over batch and heads', () => {
    const [q, k, v] = [1, 2, 3].map((seed) => uniformTensor(seed, [2, 3, 5, 4])) as [Tensor, Tensor, Tensor];
    const mask = uniformTensor(4, [5, 5]);
    const whole = mask.broadcastTo([2, 3, 5, 5]);
    expectClose(attention(q, k, v, { mask }).view(), attendByLoops(q, k, v, { mask: whole }));
    const byBatch = uniformTensor(5, [2, 1, 1, 5]);
    expectClose(
      attention(q, k, v, { mask: byBatch }).view(),
      attendByLoops(q, k, v, { mask: byBatch.broadcastTo([2, 3, 5, 5]) }),
    );
  });

  test('gradients, of a mask too, and twice', () => {
    const q = uniformTensor(1, [1, 2, 3, 2]);
    const [k, v] = [2, 3].map((seed) => uniformTensor(seed, [1, 1, 4, 2])) as [Tensor, Tensor];
    checkGradient((a, b, c) => attention(a, b, c, { causal: true }), [q, k, v], { tolerance: 2e-2 });
    checkGradient((a, b, c) => attention(a, b, c, { window: 2 }), [q, k, v], { tolerance: 2e-2 });
    checkGradient((a, b, c, m) => attention(a, b, c, { mask: m }), [q, k, v, uniformTensor(4, [3, 4])], {
      tolerance: 2e-2,
    });
  });

  test('gradients across blocks equal those of the definition', () => {
    const [q, k, v] = [1, 2, 3].map((seed) => uniformTensor(seed, [1, 4, 150, 9], -2, 2)) as [Tensor, Tensor, Tensor];
    const [k2, v2] = [4, 5].map((seed) => uniformTensor(seed, [1, 2, 150, 9], -2, 2)) as [Tensor, Tensor];
    const g = uniformTensor(6, [1, 4, 150, 9]);
    for (const options of [{ causal: true }, { causal: true, window: 40 }, {}]) {
      const blockwise = valueAndGrad((t: Tensor[]) =>
        attention(t[0] as Tensor, t[1] as Tensor, t[2] as Tensor, options)
          .multiply(g)
          .sum(),
      );
      // A mask with a gradient takes the road over all scores.
      const mask = tensor(new Float32Array(150 * 150), [150, 150]);
      const whole = valueAndGrad((t: Tensor[]) =>
        attention(t[0] as Tensor, t[1] as Tensor, t[2] as Tensor, { ...options, mask: t[3] as Tensor })
          .multiply(g)
          .sum(),
      );
      for (const [a, b] of [
        [k, v],
        [k2, v2],
      ] as const) {
        const fast = blockwise([q, a, b]).gradient;
        const slow = whole([q, a, b, mask]).gradient;
        for (let i = 0; i < 3; i++) expectClose(fast[i]?.view() as Float32Array, slow[i]?.view() as Float32Array, 2e-5);
      }
    }
  });

  test('16,384 tokens train in memory linear in the length', async () => {
    const inputs = [1, 2, 3].map((seed) => uniformTensor(seed, [1, 1, 16384, 16]));
    const before = memoryUse().bytes;
    const { peakBytes } = await withOwnPeak(() =>
      scope(() => {
        const { gradient } = valueAndGrad((t: Tensor[]) =>
          attention(t[0] as Tensor, t[1] as Tensor, t[2] as Tensor, { causal: true, window: 256 })
            .square()
            .sum(),
        )(inputs);
        expect(gradient.every((t) => t.view().every(Number.isFinite))).toBe(true);
      }),
    );
    // All scores would take a gibibyte.
    expect(peakBytes - before).toBeLessThan(64 * 2 ** 20);
    for (const one of inputs) one.dispose();
  });

  test('the same bits on any number of threads', () => {
    const before = threads();
    const results = [1, 2].map((count) => {
      setThreads(count);
      const [q, k, v] = [1, 2, 3].map((seed) => uniformTensor(seed, [2, 4, 200, 32])) as [Tensor, Tensor, Tensor];
      const { value, gradient } = valueAndGrad((t: Tensor[]) =>
        attention(t[0] as Tensor, t[1] as Tensor, t[2] as Tensor)
          .square()
          .sum(),
      )([q, k, v]);
      return [value, ...gradient].map((t) => t.dataSync());
    });
    setThreads(before);
    expect(results[1]).toEqual(results[0]);
  });

  test('a NaN in the input is not lost', () => {
    const q = tensor([Number.NaN, 1, 1, 1], [1, 1, 2, 2]);
    const [k, v] = [2, 3].map((seed) => uniformTensor(seed, [1, 1, 3, 2])) as [Tensor, Tensor];
    expect([...attention(q, k, v).view()].map(Number.isNaN)).toEqual([true, true, false, false]);
  });

  test('errors', () => {
    const q = uniformTensor(1, [1, 3, 4, 8]);
    expect(() => attention(q, uniformTensor(1, [1, 2, 4, 8]), uniformTensor(1, [1, 2, 4, 8]))).toThrow(
      'q, k and v do not fit',
    );
    expect(() => attention(q, q, q, { mask: uniformTensor(1, [2, 1, 4, 4]) })).toThrow('does not broadcast');
  });
});

describe('rotary embedding', () => {
  test('scores depend on the distance of the positions only', () => {
    for (const interleaved of [false, true]) {
      const [a, b] = [uniformTensor(1, [1, 8]), uniformTensor(2, [1, 8])];
      const score = (m: number, n: number) => {
        const turned = (x: Tensor, start: number) => rotary(x, rotaryTables(1, 6, { start }), interleaved);
        return turned(a, m).multiply(turned(b, n)).sum().item();
      };
      expectClose([score(5, 2), score(105, 102)], [score(3, 0), score(3, 0)], 1e-5);
    }
  });

  test('turns pairs by position·base^(−2i/dims)', () => {
    const x = tensor([1, 2, 3, 4, 5], [1, 5]);
    const tables = rotaryTables(1, 4, { start: 3 });
    const turn = (a: number, b: number, angle: number) =>
      [a * Math.cos(angle) - b * Math.sin(angle), a * Math.sin(angle) + b * Math.cos(angle)] as const;
    const [p, q] = [turn(1, 3, 3), turn(2, 4, 0.03)];
    expectClose(rotary(x, tables).view(), [p[0], q[0], p[1], q[1], 5]);
    expectClose(rotary(x, tables, true).view(), [...turn(1, 2, 3), ...turn(3, 4, 0.03), 5]);
  });

  test('gradients', () => {
    const tables = rotaryTables(3, 4);
    checkGradient((x) => rotary(x, tables).square(), [uniformTensor(1, [2, 3, 5])], { tolerance: 2e-2 });
    checkGradient((x) => rotary(x, tables, true), [uniformTensor(1, [2, 3, 4])]);
  });
});
