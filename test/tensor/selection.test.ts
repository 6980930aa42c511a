import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  argsort,
  cosineSimilarities,
  cumulativeSum,
  einsum,
  fft,
  fft2,
  inverseFft,
  inverseFft2,
  linearScan,
  normalizeRows,
  oneHot,
  pairwiseDistances,
  putAlong,
  selectiveScan,
  sort,
  squaredDistances,
  type Tensor,
  takeAlong,
  tensor,
  topK,
  unique,
  valueAndGrad,
} from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';

const floats = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 1, 1, -1, Infinity, -Infinity));

describe('order', () => {
  test('argsort is a stable sort, in both directions, NaN last when ascending', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(floats, { minLength: 7, maxLength: 7 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (rows, descending) => {
          const order = argsort(tensor(rows.flat(), [rows.length, 7]), -1, descending).view<Int32Array>();
          rows.forEach((row, r) => {
            const f32 = row.map(Math.fround);
            // −0 sorts before 0, as their bits do.
            const rank = (v: number) => (Object.is(v, -0) ? -1e-60 : v);
            const expected = f32
              .map((_, i) => i)
              .sort((a, b) => {
                const [p, q] = [rank(f32[a] as number), rank(f32[b] as number)];
                return p === q ? a - b : (p < q ? -1 : 1) * (descending ? -1 : 1);
              });
            expect([...order.subarray(r * 7, r * 7 + 7)]).toEqual(expected);
          });
        },
      ),
    );
    expect([...argsort(tensor([2, Number.NaN, 1])).view<Int32Array>()]).toEqual([2, 0, 1]);
    expect([...argsort(tensor([5, -3, 5, 0], [4], 'i32'), 0, true).view<Int32Array>()]).toEqual([0, 2, 3, 1]);
  });

  test('long rows, on every axis', () => {
    const x = uniformTensor(1, [3, 5000]);
    const [values] = sort(x);
    for (let r = 0; r < 3; r++)
      expect([...values.view().subarray(r * 5000, (r + 1) * 5000)]).toEqual(
        [...x.view().subarray(r * 5000, (r + 1) * 5000)].sort((a, b) => a - b),
      );
    const [columns] = sort(uniformTensor(2, [4, 3]), 0, true);
    for (let i = 3; i < 12; i++)
      expect(columns.view()[i] as number).toBeLessThanOrEqual(columns.view()[i - 3] as number);
  });

  test('top-k equals the head of the sort; of equals the first', () => {
    for (const [n, k] of [
      [10, 3],
      [300, 1],
      [300, 200],
      [5, 5],
    ] as const) {
      const x = tensor(
        uniform(n, 4 * n).map((v) => Math.round(v * 20)),
        [4, n],
      );
      for (const largest of [true, false]) {
        const [values, positions] = topK(x, k, { largest });
        const order = argsort(x, -1, largest).view<Int32Array>();
        for (let r = 0; r < 4; r++) {
          const head = [...order.subarray(r * n, r * n + k)];
          expect([...positions.view<Int32Array>().subarray(r * k, (r + 1) * k)]).toEqual(head);
          expect([...values.view().subarray(r * k, (r + 1) * k)]).toEqual(head.map((i) => x.view()[r * n + i]));
        }
      }
    }
    expect(topK(uniformTensor(1, [2, 6, 3]), 2, { axis: 1 })[0].shape).toEqual([2, 2, 3]);
    expect(() => topK(uniformTensor(1, [3]), 4)).toThrow('cannot take 4 of 3');
  });

  test('unique: values, inverse, counts', () => {
    const { values, inverse, counts } = unique(tensor([3, 1, 3, 2, 1, 3]));
    expect([...values.view()]).toEqual([1, 2, 3]);
    expect([...inverse.view<Int32Array>()]).toEqual([2, 0, 2, 1, 0, 2]);
    expect([...counts.view<Int32Array>()]).toEqual([2, 1, 3]);
  });

  test('gradients go to what was chosen', () => {
    const x = tensor([0.3, -1, 2, 0.7, 1.5, -0.2], [2, 3]);
    checkGradient((v) => topK(v, 2)[0].square(), [x], { tolerance: 2e-2 });
    checkGradient((v) => sort(v, 0)[0].square(), [x], { tolerance: 2e-2 });
    const positions = tensor([2, 2, 0, 1], [2, 2], 'i32');
    checkGradient((v) => takeAlong(v, positions), [x]);
    checkGradient((v) => putAlong(v, positions, 3), [uniformTensor(1, [2, 2])]);
  });
});

test('cumulative sums, both ways and on any axis', () => {
  const x = uniformTensor(1, [2, 4, 3]);
  const y = cumulativeSum(x, 1).view();
  const z = cumulativeSum(x, 1, true).view();
  for (let b = 0; b < 2; b++)
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < 4; i++) {
        const at = (j: number) => x.view()[(b * 4 + j) * 3 + c] as number;
        const total = (from: number, to: number) =>
          Array.from({ length: to - from }, (_, j) => at(from + j)).reduce((p, q) => p + q, 0);
        expectClose(
          [y[(b * 4 + i) * 3 + c] as number, z[(b * 4 + i) * 3 + c] as number],
          [total(0, i + 1), total(i, 4)],
        );
      }
  checkGradient((v) => cumulativeSum(v, 1).square(), [x], { tolerance: 3e-2 });
});

test('one-hot rows', () => {
  expect([...oneHot(tensor([2, 0], [2], 'i32'), 3).view()]).toEqual([0, 0, 1, 1, 0, 0]);
  expect(() => oneHot(tensor([3], [1], 'i32'), 3)).toThrow('index 3');
});

describe('scans', () => {
  test('linear scan equals the recurrence', () => {
    for (const features of [1, 4, 7]) {
      const [a, b] = [uniformTensor(1, [2, 9, features]), uniformTensor(2, [2, 9, features])];
      const initial = uniformTensor(3, [2, features]);
      const h = linearScan(a, b, initial).view();
      for (let n = 0; n < 2; n++)
        for (let f = 0; f < features; f++) {
          let state = initial.view()[n * features + f] as number;
          for (let t = 0; t < 9; t++) {
            const at = (n * 9 + t) * features + f;
            state = (a.view()[at] as number) * state + (b.view()[at] as number);
            expectClose([h[at] as number], [state]);
          }
        }
    }
    checkGradient(
      (a, b, s) => linearScan(a, b, s),
      [uniformTensor(1, [1, 4, 2]), uniformTensor(2, [1, 4, 2]), uniformTensor(3, [1, 2])],
      { tolerance: 2e-2 },
    );
  });

  const inputs = (time: number) => ({
    x: uniformTensor(1, [2, time, 3]),
    delta: uniformTensor(2, [2, time, 3], 0.01, 0.3),
    a: uniformTensor(3, [3, 4], -2, -0.1),
    b: uniformTensor(4, [2, time, 4]),
    c: uniformTensor(5, [2, time, 4]),
    d: uniformTensor(6, [3]),
  });

  test('selective scan equals the recurrence; chunked equals sequential, gradients too', () => {
    const given = inputs(21);
    const v = (name: keyof typeof given) => given[name].view();
    const expected: number[] = [];
    for (let n = 0; n < 2; n++) {
      const h = new Float64Array(12);
      for (let t = 0; t < 21; t++)
        for (let ch = 0; ch < 3; ch++) {
          const [x, delta] = [v('x')[(n * 21 + t) * 3 + ch] as number, v('delta')[(n * 21 + t) * 3 + ch] as number];
          let y = (v('d')[ch] as number) * x;
          for (let s = 0; s < 4; s++) {
            const place = ch * 4 + s;
            h[place] =
              Math.exp(delta * (v('a')[place] as number)) * (h[place] as number) +
              delta * x * (v('b')[(n * 21 + t) * 4 + s] as number);
            y += (h[place] as number) * (v('c')[(n * 21 + t) * 4 + s] as number);
          }
          expected.push(y);
        }
    }
    const gradientOf = (chunk?: number) =>
      valueAndGrad((tree: typeof given) =>
        selectiveScan(tree, chunk ? { chunk } : {})
          .square()
          .sum(),
      )(given).gradient;
    const whole = gradientOf();
    expectClose(selectiveScan(given).view(), expected);
    for (const chunk of [1, 8, 21, 64]) {
      expectClose(selectiveScan(given, { chunk }).view(), expected);
      const parts = gradientOf(chunk);
      for (const name of Object.keys(given) as (keyof typeof given)[])
        expectClose(parts[name].view(), whole[name].view(), 1e-5);
    }
  });
});

describe('einsum', () => {
  test('equals loops over all indices', () => {
    const sizes: Record<string, number> = { b: 2, i: 3, j: 4, k: 5, h: 2 };
    for (const equation of [
      'ij,jk->ik',
      'bij,bjk->bik',
      'bhij,bhkj->bhik',
      'ij,ij->i',
      'ij->ji',
      'ij->',
      'i,j->ij',
      'bi,bj,bk->ijk',
      'ijk,kj->i',
      'ij,k->ik',
    ]) {
      const [left, right] = equation.split('->') as [string, string];
      const terms = left.split(',');
      const operands = terms.map((term, n) =>
        uniformTensor(
          n + 1,
          [...term].map((l) => sizes[l] as number),
        ),
      );
      const labels = [...new Set([...left.replaceAll(',', '')])];
      const expected = new Float64Array([...right].reduce((p, l) => p * (sizes[l] as number), 1));
      const at = (term: string, index: Record<string, number>) =>
        [...term].reduce((p, l) => p * (sizes[l] as number) + (index[l] as number), 0);
      const visit = (depth: number, index: Record<string, number>): void => {
        if (depth === labels.length) {
          const product = terms.reduce((p, term, n) => p * (operands[n]?.view()[at(term, index)] as number), 1);
          expected[at(right, index)] = (expected[at(right, index)] as number) + product;
          return;
        }
        const label = labels[depth] as string;
        for (let i = 0; i < (sizes[label] as number); i++) visit(depth + 1, { ...index, [label]: i });
      };
      visit(0, {});
      expectClose(einsum(equation, ...operands).view(), expected);
    }
  });
  test('gradients and errors', () => {
    checkGradient((a, b) => einsum('bij,bjk->bik', a, b), [uniformTensor(1, [2, 2, 3]), uniformTensor(2, [2, 3, 2])]);
    expect(() => einsum('ij,jk->ik', uniformTensor(1, [2, 3]), uniformTensor(1, [4, 2]))).toThrow(
      'index j has sizes 3 and 4',
    );
    expect(() => einsum('ii->i', uniformTensor(1, [2, 2]))).toThrow('does not name the axes');
  });
});

describe('Fourier transform', () => {
  const naive = (re: ArrayLike<number>, im: ArrayLike<number>) => {
    const n = re.length;
    const out = { re: new Float64Array(n), im: new Float64Array(n) };
    for (let k = 0; k < n; k++)
      for (let j = 0; j < n; j++) {
        const angle = (-2 * Math.PI * j * k) / n;
        out.re[k] = (out.re[k] as number) + (re[j] as number) * Math.cos(angle) - (im[j] as number) * Math.sin(angle);
        out.im[k] = (out.im[k] as number) + (re[j] as number) * Math.sin(angle) + (im[j] as number) * Math.cos(angle);
      }
    return out;
  };
  test('equals its definition at any length, and is undone by its inverse', () => {
    for (const n of [1, 2, 3, 8, 12, 17, 64, 100]) {
      const x = { re: uniformTensor(1, [n]), im: uniformTensor(2, [n]) };
      const y = fft(x);
      const expected = naive(x.re.view(), x.im.view());
      expectClose(y.re.view(), expected.re, 2e-5);
      expectClose(y.im.view(), expected.im, 2e-5);
      expectClose(inverseFft(y).re.view(), x.re.view(), 1e-5);
    }
  });
  test('two axes: rows, then columns', () => {
    const x = { re: uniformTensor(1, [3, 4, 6]), im: uniformTensor(2, [3, 4, 6]) };
    expectClose(inverseFft2(fft2(x)).im.view(), x.im.view(), 1e-5);
    const total = x.re
      .view()
      .subarray(0, 24)
      .reduce((a, b) => a + b, 0);
    expectClose([fft2(x).re.view()[0] as number], [total], 1e-5);
  });
  test('gradients', () => {
    checkGradient((re, im) => fft({ re, im }).re.square(), [uniformTensor(1, [2, 4]), uniformTensor(2, [2, 4])], {
      tolerance: 5e-2,
    });
    checkGradient((re, im) => inverseFft({ re, im }).im, [uniformTensor(1, [3]), uniformTensor(2, [3])]);
  });
});

test('distances equal their definitions', () => {
  const [x, y] = [uniformTensor(1, [4, 6]), uniformTensor(2, [3, 6])];
  const pairs = (fn: (p: number[], q: number[]) => number) =>
    [0, 1, 2, 3].flatMap((i) =>
      [0, 1, 2].map((j) => fn([...x.view().subarray(i * 6, i * 6 + 6)], [...y.view().subarray(j * 6, j * 6 + 6)])),
    );
  const square = (p: number[], q: number[]) => p.reduce((s, v, i) => s + (v - (q[i] as number)) ** 2, 0);
  const dot = (p: number[], q: number[]) => p.reduce((s, v, i) => s + v * (q[i] as number), 0);
  expectClose(squaredDistances(x, y).view(), pairs(square));
  expectClose(
    pairwiseDistances(x, y).view(),
    pairs((p, q) => Math.sqrt(square(p, q))),
  );
  expectClose(
    cosineSimilarities(x, y).view(),
    pairs((p, q) => dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q))),
  );
  checkGradient((a: Tensor, b: Tensor) => pairwiseDistances(a, b), [x, y], { tolerance: 2e-2 });
});

test('distances of near rows far from the origin keep their digits', () => {
  const origin = uniform(1, 12, -1000, 1000);
  const rows = [0, 1, 2, 3, 4].map((i) => origin.map((v, j) => v + (i * (j % 3)) / 64));
  const spread = uniform(2, 12, -5000, 5000);
  const [x, y] = [tensor(rows.map((row) => [...row])), tensor([...rows.map((row) => [...row]), [...spread]])];
  const expected = rows.flatMap((p) =>
    [...rows, spread].map((q) => p.reduce((s, v, i) => s + (v - (q[i] as number)) ** 2, 0)),
  );
  const got = squaredDistances(x, y).view();
  expected.forEach((value, i) => {
    expect(Math.abs((got[i] as number) - value)).toBeLessThanOrEqual(2e-6 * value);
  });
  expectClose(pairwiseDistances(x, y).view(), expected.map(Math.sqrt), 2e-6);
});

test('the distance of equal rows is 0 with gradient 0', () => {
  const x = tensor([[3, 4]]);
  const { value, gradient } = valueAndGrad((v: Tensor) => pairwiseDistances(v, x).sum())(x);
  expect(value.item()).toBe(0);
  expect([...gradient.view()]).toEqual([0, 0]);
});

test('short rows are normalised too, rows of zeros stay', () => {
  expectClose(
    normalizeRows(
      tensor([
        [3e-9, 4e-9],
        [0, 0],
        [3e9, 4e9],
      ]),
    ).view(),
    [0.6, 0.8, 0, 0, 0.6, 0.8],
    1e-6,
  );
});
