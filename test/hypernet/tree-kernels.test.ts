import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cpu, setThreads, threads } from '../../src/engine/index.js';
import * as h from '../../src/hypernet/index.js';
import { NodeHistograms } from '../../src/hypernet/tabular/histograms.js';
import { logisticLoss, softmaxLoss } from '../../src/hypernet/tabular/losses.js';
import { NodeRows } from '../../src/hypernet/tabular/node-rows.js';
import { newton } from '../../src/hypernet/tabular/objectives.js';
import { Random, scope, tensor } from '../../src/tensor/index.js';

const before = threads();
beforeEach(() => setThreads(2));
afterEach(() => setThreads(before));

/** Thresholds of a column by sorting and counting. */
function edgesOf(own: Float32Array): Float32Array {
  const sorted = own.slice().sort();
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  if (distinct.length <= 256) return distinct.slice(0, -1).map((value, i) => (value + (distinct[i + 1] as number)) / 2);
  const quantiles = Float32Array.from(
    { length: 255 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / 256)] as number,
  );
  return quantiles.filter((value, i) => i === 0 || value !== quantiles[i - 1]);
}

function expectBinned(x: h.Rows) {
  const { codes, edges } = h.binRows(x);
  const all = codes.view<Uint8Array>();
  for (let c = 0; c < x.width; c++) {
    const own = Float32Array.from({ length: x.count }, (_, row) => x.values[row * x.width + c] as number);
    expect(edges[c]).toEqual(edgesOf(own));
    const wanted = own.map((value) => (edges[c] as Float32Array).filter((cut) => cut < value).length);
    expect(Array.from(all.subarray(c * x.count, (c + 1) * x.count))).toEqual(Array.from(wanted));
  }
}

describe('quantised columns', () => {
  test('thresholds lie halfway between distinct values, and codes count those below', () => {
    const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ noNaN: true, noDefaultInfinity: true }));
    const columns = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(
        columns.chain(([count, width]) =>
          fc.record({
            count: fc.constant(count),
            width: fc.constant(width),
            values: fc
              .array(value, { minLength: count * width, maxLength: count * width })
              .map((all) => Float32Array.from(all, (one) => one + 0)),
          }),
        ),
        expectBinned,
      ),
      { numRuns: 60 },
    );
  });

  test('255, 256, 257 and many distinct values', () => {
    for (const distinct of [255, 256, 257, 5000]) {
      const random = new Random(distinct);
      const count = 3 * distinct;
      const ladder = random.normal([distinct]).view();
      const values = Float32Array.from({ length: 2 * count }, (_, at) =>
        at % 2 === 0 ? (ladder[(at >> 1) % distinct] as number) : Math.min(0, random.gaussian()),
      );
      expectBinned({ count, width: 2, values });
    }
  });

  test('one row, equal values, no columns', () => {
    expectBinned({ count: 1, width: 2, values: Float32Array.of(3, -1) });
    expectBinned({ count: 5, width: 1, values: new Float32Array(5).fill(2) });
    expect(h.binRows({ count: 4, width: 0, values: new Float32Array() }).edges).toEqual([]);
  });
});

describe('rows of nodes', () => {
  const count = 60_000;
  const draws = new Random(5);
  const x: h.Rows = { count, width: 3, values: Float32Array.from({ length: 3 * count }, () => draws.integer(40)) };
  const rows = Int32Array.from({ length: 50_000 }, () => draws.integer(count));

  test('a split keeps the order on both sides, in nodes of one chunk and of several', () => {
    const binned = h.binRows(x);
    for (const [from, to] of [
      [0, 50_000],
      [100, 16_484],
      [7, 16_392],
      [40_000, 40_003],
      [12, 12],
    ] as const)
      scope(() => {
        const own = new NodeRows(rows, binned);
        const codes = binned.codes.view<Uint8Array>();
        const isLeft = (row: number) => (codes[2 * count + row] as number) <= 11;
        const whole = Array.from(rows.subarray(from, to));
        const left = own.split(from, to, 2, 11);
        expect(left).toBe(whole.filter(isLeft).length);
        expect(own.of(from, to)).toEqual(
          Int32Array.from([...whole.filter(isLeft), ...whole.filter((row) => !isLeft(row))]),
        );
        expect(own.of(0, from)).toEqual(rows.subarray(0, from));
        expect(own.of(to, rows.length)).toEqual(rows.subarray(to));
      });
  });

  test('a histogram adds the pairs of each bin in the order of the rows', () => {
    const binned = h.binRows(x);
    const random = new Random(9);
    const gradients = Float64Array.from({ length: count }, () => random.gaussian());
    const hessians = Float64Array.from({ length: count }, () => random.float());
    const objective = newton(gradients, hessians, { lambda: 1, learningRate: 1, leastHessian: 1 });
    const codes = binned.codes.view<Uint8Array>();
    for (const workers of [1, 2, 3])
      scope(() => {
        setThreads(workers);
        const columns = [2, 0];
        const histograms = new NodeHistograms(binned, objective, columns);
        const [from, to] = [3, 49_990];
        const { sums } = histograms.of(tensor(rows), from, to);
        let start = 0;
        for (const column of columns) {
          const bins = (binned.edges[column]?.length ?? 0) + 1;
          const wanted = new Float64Array(2 * bins);
          for (const row of rows.subarray(from, to)) {
            const at = 2 * (codes[column * count + row] as number);
            wanted[at] = (wanted[at] as number) + (gradients[row] as number);
            wanted[at + 1] = (wanted[at + 1] as number) + (hessians[row] as number);
          }
          expect(Float64Array.from(sums.subarray(start, start + 2 * bins))).toEqual(wanted);
          start += 2 * bins;
        }
        expect(sums.length).toBe(start);
      });
  });

  test('boosting does not depend on the number of threads', async () => {
    const labels = Int32Array.from({ length: count }, (_, row) =>
      Number((x.values[3 * row] as number) * (x.values[3 * row + 1] as number) > 300),
    );
    const grown: (readonly h.Tree[])[] = [];
    for (const workers of [1, 2, 3]) {
      setThreads(workers);
      const boosting = new h.GradientBoosting({ rounds: 3 });
      await boosting.fit(x, labels, 2, new Random(1));
      grown.push(boosting.trees);
    }
    expect(grown[1]).toEqual(grown[0]);
    expect(grown[2]).toEqual(grown[0]);
    expect(grown[0]?.[0]?.features.length).toBeGreaterThan(20);
  });
});

describe('boosting', () => {
  test('rows reach in training the outputs that the trees give them afterwards', async () => {
    const random = new Random(2);
    const [count, width] = [3000, 4];
    const x: h.Rows = { count, width, values: Float32Array.from({ length: count * width }, () => random.gaussian()) };
    const labels = Int32Array.from(
      { length: count },
      (_, row) => Math.abs(Math.round(x.values[row * width] as number)) % 3,
    );
    // The third round sees what the first two made of each row: shares of all but one row take another path.
    const all = new h.GradientBoosting({ rounds: 3, depth: 4 });
    await all.fit(x, labels, 3, new Random(0));
    const part = new h.GradientBoosting({ rounds: 3, depth: 4, rowShare: 1 - 1e-9 });
    await part.fit(x, labels, 3, new Random(0));
    expect(all.trees).toEqual(part.trees);
  });

  test('the loss of two mirrored outputs is the softmax loss', () => {
    const random = new Random(3);
    const labels = Int32Array.from({ length: 200 }, () => random.integer(2));
    const reached = new Float64Array(400);
    for (let row = 0; row < 200; row++) {
      reached[2 * row] = row === 0 ? 0 : 20 * random.gaussian();
      reached[2 * row + 1] = -(reached[2 * row] as number);
    }
    const results = [logisticLoss(labels), softmaxLoss(labels, 2)].map((loss) => {
      const [gradients, hessians] = [new Float64Array(200), new Float64Array(200)];
      loss.at(reached);
      loss.derivatives(0, gradients, hessians);
      return { gradients, hessians };
    });
    expect(results[0]).toEqual(results[1]);
  });

  test('no memory is kept by trainings', async () => {
    const x: h.Rows = { count: 2000, width: 5, values: new Float32Array(10_000).map((_, i) => Math.sin(i * i)) };
    const labels = Int32Array.from({ length: 2000 }, (_, i) => Number((x.values[5 * i] as number) > 0));
    const train = async () => new h.GradientBoosting({ rounds: 2 }).fit(x, labels, 2, new Random(0));
    await train();
    const { bytes } = cpu.memoryUse;
    for (let i = 0; i < 5; i++) await train();
    expect(cpu.memoryUse.bytes).toBe(bytes);
  });
});
