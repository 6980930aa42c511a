import { describe, expect, test } from 'vitest';
import { randomWindows } from '../../src/data/index.js';
import { svd } from '../../src/linalg/index.js';
import {
  alignment,
  compactState,
  compressExperts,
  decoderConfig,
  decoderOf,
  decoderStatistics,
  decompose,
  decomposeExperts,
  type ExpertShape,
  footprint,
  groupCounts,
  groupExperts,
  keptShare,
  LanguageModel,
  mergedExperts,
  mergeExperts,
  namedWeights,
  permute,
  pruningThreshold,
  RowPruned,
  rankOfShare,
  recover,
  rowSimilarity,
  stableRank,
  switchParameters,
  trainLanguageModel,
  unmerged,
  windowTask,
} from '../../src/lm/index.js';
import {
  ExpertBank,
  klDivergence,
  LowRankBank,
  MergedMixture,
  MixtureOfExperts,
  parameters,
  regrouped,
  routeTopK,
  SGD,
  stateOf,
} from '../../src/nn/index.js';
import { grad, matmul, Random, reshape, slice, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const text = Int32Array.from({ length: 3000 }, (_, i) => (i * i + (i >> 3)) % 11);
const tiny = (activation: 'swiglu' | 'relu2' = 'swiglu', k = 2) =>
  decoderConfig({
    ...{ vocabulary: 11, features: 16, layers: 2, heads: 2, hidden: 12, context: 64, activation },
    experts: { count: 5, k, normalised: k > 1 },
  });

describe.each(['swiglu', 'relu2'] as const)('alignment of experts with %s', (activation) => {
  const shape: ExpertShape = { count: 2, features: 6, hidden: 7, gated: activation === 'swiglu' };
  const bank = new ExpertBank(2, 6, 7, new Random(1), { activation });
  const x = uniformTensor(3, [9, 6]);
  /** Output of one expert of some weights. */
  const outputs = (weights: { up: Float32Array; down: Float32Array }, expert: number) => {
    const one = new ExpertBank(1, 6, 7, new Random(0), { activation });
    one.up.assign(tensor(half(weights.up, expert), one.up.shape));
    one.down.assign(tensor(half(weights.down, expert), one.down.shape));
    return one.forward(x, { segments: planOf(9) }).dataSync();
  };
  const half = (values: Float32Array, part: number) =>
    values.slice((part * values.length) / 2, ((part + 1) * values.length) / 2);
  const planOf = (rows: number) => {
    const mixture = new MixtureOfExperts(6, { experts: 1, k: 1, hidden: 7 }, new Random(0));
    return mixture.dispatch(mixture.route(uniformTensor(1, [rows, 6]))).segments;
  };
  const copy = () => ({
    up: bank.up.dataSync().slice() as Float32Array,
    down: bank.down.dataSync().slice() as Float32Array,
  });

  test('permuted hidden units compute the same', () => {
    const weights = copy();
    permute(weights, shape, 1, new Random(2).permutation(7));
    expect(half(weights.up, 1)).not.toEqual(half(copy().up, 1));
    expectClose(outputs(weights, 1), outputs(copy(), 1), 1e-6);
  });

  test('down projections count where up projections do not tell units apart', () => {
    const weights = copy();
    weights.up.fill(0.1);
    weights.down.set(half(weights.down, 0), weights.down.length / 2);
    const order = new Random(6).permutation(7);
    permute(weights, shape, 1, order);
    expect([...alignment(weights, shape, 0, 1)].map((from) => order[from])).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('a permuted copy of the reference is recovered, with noise, and merging gives the reference', () => {
    const weights = copy();
    const noise = new Random(9).normal([weights.up.length / 2], 0, 0.003).dataSync();
    weights.up.set(
      half(weights.up, 0).map((value, i) => value + (noise[i] as number)),
      weights.up.length / 2,
    );
    weights.down.set(half(weights.down, 0), weights.down.length / 2);
    const order = new Random(4).permutation(7);
    permute(weights, shape, 1, order);
    const back = alignment(weights, shape, 0, 1);
    expect([...back].map((from) => order[from])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    permute(weights, shape, 1, back);
    const merged = mergedExperts(weights, { groups: [0, 0], dominant: [0] }, [0.7, 0.3]);
    expectClose(merged.down, half(copy().down, 0), 1e-6);
    expectClose(merged.up, half(copy().up, 0), 0.01);
  });
});

test('statistics are shares of the slots and cosines of the logits', () => {
  const config = tiny();
  const model = decoderOf(config, new Random(1));
  const random = new Random(2);
  const [first, second] = decoderStatistics(model, text, random, { windows: 4, length: 8 });
  // The same by hand, from the logits of the first layer.
  const { inputs } = randomWindows(text, 4, 8, random.split(0));
  const seen: { logits: Tensor; experts: Tensor }[] = [];
  model.forward(inputs, {
    losses: [],
    usage: { push: ({ routing }: { routing: (typeof seen)[number] }) => seen.push(routing) } as never,
  });
  const { logits, experts } = seen[0] as (typeof seen)[number];
  const values = logits.dataSync();
  const column = (e: number) => Array.from({ length: 32 }, (_, t) => values[t * 5 + e] as number);
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  for (let i = 0; i < 5; i++)
    for (let j = 0; j < 5; j++) {
      const [a, b] = [column(i), column(j)];
      const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
      expect(first?.similarity[i * 5 + j]).toBeCloseTo((cosine + 1) / 2, 4);
    }
  const slots = [...experts.view<Int32Array>()];
  expect([...(first?.usage ?? [])]).toEqual([0, 1, 2, 3, 4].map((e) => slots.filter((slot) => slot === e).length / 64));
  expect(second?.usage.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  expect([...rowSimilarity(tensor([1, 0, 0, 2, -3, 0], [3, 2]))]).toEqual([1, 0.5, 0, 0.5, 1, 0.5, 0, 0.5, 1]);
});

test('a calibration text shorter than the number of experts, or a dense model, is refused', () => {
  const model = decoderOf(tiny(), new Random(1));
  expect(() => decoderStatistics(model, text, new Random(0), { windows: 1, length: 4 })).toThrow(
    '4 tokens of calibration for 5 experts',
  );
  const dense = decoderOf(
    decoderConfig({ vocabulary: 11, features: 16, layers: 1, heads: 2, context: 64 }),
    new Random(1),
  );
  expect(() => decoderStatistics(dense, text, new Random(0), { windows: 1, length: 8 })).toThrow(
    'no mixtures of experts',
  );
});

describe('groups', () => {
  const usage = [
    [0.5, 0.3, 0.1, 0.1],
    [0.4, 0.3, 0.2, 0.1],
  ];

  test('are as many as usages above the threshold over all layers, or m in each', () => {
    // Raised: 1 0.3 0.1 0.1 and 1 0.3 0.2 0.1; place 4 of 1 1 0.3 0.3 0.2 0.1 … is 0.2.
    expect(groupCounts(usage, 2)).toEqual([2, 2]);
    // Place 2 is 0.3, so that only the raised are above.
    expect(groupCounts(usage, 1)).toEqual([1, 1]);
    // Place 6 is 0.1.
    expect(groupCounts(usage, 3)).toEqual([2, 3]);
    expect(groupCounts(usage, 3, { uniform: true })).toEqual([3, 3]);
    // The most used expert of the even layer counts as 1, so that 0.4 is at place 2 and not 0.25.
    expect(groupCounts([[0.6, 0.4, 0, 0], new Array(4).fill(0.25)], 1)).toEqual([1, 1]);
    // The second layer stays whole: total = 2 + 4.
    expect(groupCounts(usage, 2, { layers: [0] })).toEqual([2, 4]);
    for (const m of [0, 4, 1.5]) expect(() => groupCounts(usage, m)).toThrow('a layer has 4, so that 1 to 3');
    expect(() => groupCounts(usage, 2, { layers: [2] })).toThrow('layer 2 of 2 expert layers');
  });

  test('form around the most used experts, by similarity, in descending usage', () => {
    const similarity = Float64Array.from([
      ...[1, 0.2, 0.9, 0.1],
      ...[0.2, 1, 0.8, 0.7],
      ...[0.9, 0.8, 1, 0.5],
      ...[0.1, 0.7, 0.5, 1],
    ]);
    const layer = { usage: Float64Array.from([0.1, 0.5, 0.1, 0.3]), similarity };
    expect(groupExperts(layer, 2)).toEqual({ groups: [0, 0, 0, 1], dominant: [1, 3] });
    // A full group closes: expert 0 takes the last place beside 1, expert 2 goes to 3.
    expect(groupExperts(layer, 2, { capacity: 2 })).toEqual({ groups: [0, 0, 1, 1], dominant: [1, 3] });
    expect(() => groupExperts(layer, 2, { capacity: 1 })).toThrow('2 groups of at most 1 experts cannot take 4');
  });
});

test('three experts merge by hand; where none was used, to their mean', () => {
  const up = Float32Array.from([1, 2, 10, 20, 100, 200]);
  const experts = { up, down: up };
  const merged = mergedExperts(experts, { groups: [0, 0, 0], dominant: [0] }, [0.6, 0.3, 0.1]);
  expectClose(merged.up, [13.6, 27.2], 1e-6);
  const two = mergedExperts(experts, { groups: [0, 1, 0], dominant: [0, 1] }, [0.6, 0.3, 0.1]);
  expectClose(two.down, [(0.6 + 10) / 0.7, (1.2 + 20) / 0.7, 10, 20], 1e-6);
  const unused = mergedExperts(experts, { groups: [0, 0, 0], dominant: [0] }, [0, 0, 0]);
  expectClose(unused.up, [37, 74], 1e-6);
});

describe('a merged mixture', () => {
  const random = new Random(7);
  const x = uniformTensor(5, [13, 6]);
  const groups = [1, 0, 1, -1, 0];
  const mixture = (k: number) => {
    const bank = new ExpertBank(2, 6, 4, random.split('bank'));
    return new MergedMixture(6, bank, { groups, k }, random.split('router'));
  };

  test.each([1, 2, 4])('of top %i leads router outputs to the expert of their group, once a token', (k) => {
    const model = mixture(k);
    const logits = matmul(x, model.router.weight, { transposeB: true }).dataSync();
    const y = model.forward(x).dataSync();
    for (let t = 0; t < 13; t++) {
      const own = [...logits.slice(t * 5, t * 5 + 5)].map((value, e) => (groups[e] === -1 ? -Infinity : value));
      const best = [0, 1, 2, 3, 4].sort((a, b) => (own[b] as number) - (own[a] as number)).slice(0, k);
      const total = own.reduce((sum, value) => sum + Math.exp(value), 0);
      const chosen = best.reduce((sum, e) => sum + Math.exp(own[e] as number), 0);
      const expected = new Float64Array(6);
      for (const e of best) {
        const gate = Math.exp(own[e] as number) / (k === 1 ? total : chosen);
        const out = single(model.experts, groups[e] as number, slice(x, [t, t + 1]));
        out.forEach((value, i) => {
          expected[i] = (expected[i] as number) + gate * value;
        });
      }
      expectClose(y.slice(t * 6, t * 6 + 6), expected, 1e-5);
    }
    const plan = model.dispatch(model.merge(model.route(x)));
    expect(plan.size).toBeLessThanOrEqual(13 * Math.min(k, 2));
  });

  test('gives a shared expert the sum of the gradients of its members', () => {
    const [shared, apart] = [mixture(2), new MixtureOfExperts(6, { experts: 5, k: 2, hidden: 4 }, random)];
    apart.router.weight.assign(shared.router.weight);
    // Without a pruned output both compute the same.
    const all = new MergedMixture(6, shared.experts, { groups: [1, 0, 1, 0, 0], k: 2 }, random);
    all.router.weight.assign(apart.router.weight);
    for (const [name, weights] of [
      ['up', shared.experts.up],
      ['down', shared.experts.down],
    ] as const) {
      const size = weights.size / 2;
      const own = weights.dataSync();
      const copies = [1, 0, 1, 0, 0].flatMap((group) => [...own.slice(group * size, (group + 1) * size)]);
      apart.experts[name].assign(tensor(Float32Array.from(copies), apart.experts[name].shape));
    }
    const gradientOf = (model: { forward(x: Tensor): Tensor; experts: ExpertBank }) =>
      grad((up: Tensor) => {
        const kept = model.experts.up;
        model.experts.up = up;
        const loss = model.forward(x).square().sum();
        model.experts.up = kept;
        return loss;
      })(model.experts.up).dataSync();
    const [sum, parts] = [gradientOf(all), gradientOf(apart)];
    const size = sum.length / 2;
    const expected = new Float64Array(sum.length);
    [1, 0, 1, 0, 0].forEach((group, e) => {
      for (let i = 0; i < size; i++)
        expected[group * size + i] = (expected[group * size + i] as number) + (parts[e * size + i] as number);
    });
    expectClose(sum, expected, 1e-4);
  });

  test('refuses banks and numbers of outputs that do not fit; its router is no parameter', () => {
    const bank = new ExpertBank(3, 6, 4, random);
    expect(() => new MergedMixture(6, bank, { groups }, random)).toThrow('3 experts for 2 groups');
    expect(() => mixture(5)).toThrow('cannot choose 5 of the 4 outputs that are left');
    expect(Object.keys(parameters(mixture(2)))).toEqual(['experts.up', 'experts.down']);
    expect(Object.keys(stateOf(mixture(2)))).toContain('router.weight');
  });

  test('keeps gates that share a group in one slot', () => {
    const logits = tensor([3, 2, 1, 0], [1, 4]);
    const routing = routeTopK(logits, 3);
    const merged = regrouped(routing, [0, 1, 0, 1]);
    const [a, b, c] = routing.gates.dataSync();
    expect([...merged.experts.view<Int32Array>()]).toEqual([0, 1, 2]);
    expectClose(merged.gates.dataSync(), [(a as number) + (c as number), b as number, 0], 1e-6);
  });

  function single(bank: ExpertBank, expert: number, row: Tensor): number[] {
    const part = (w: Tensor) => reshape(slice(w, [expert, expert + 1]), w.shape.slice(1));
    const [gate, up] = [slice(part(bank.up), [0, 4]), slice(part(bank.up), [4, 8])];
    const g = matmul(row, gate, { transposeB: true });
    const inner = g.divide(g.negate().exp().add(1)).multiply(matmul(row, up, { transposeB: true }));
    return [...matmul(inner, part(bank.down), { transposeB: true }).dataSync()];
  }
});

describe('low rank and rows', () => {
  const random = new Random(11);

  test('the residual of L·R is what the left-out singular values hold, and L·R + S is W', () => {
    const w = uniformTensor(3, [9, 7]);
    const { left, right, sparse } = decompose(w, 3, random);
    expect([left.shape, right.shape]).toEqual([
      [9, 3],
      [3, 7],
    ]);
    expectClose(matmul(left, right).add(sparse).dataSync(), w.dataSync(), 1e-6);
    const tail = svd(w).s.dataSync().slice(3);
    expect(sparse.square().sum().item()).toBeCloseTo(
      tail.reduce((sum, s) => sum + s * s, 0),
      5,
    );
    // Both factors share the singular values.
    expect(left.square().sum().item()).toBeCloseTo(right.square().sum().item(), 5);
    expect(rankOfShare(0.5, 9, 7)).toBe(2);
    expect(stableRank(tensor([3, 0, 0, 4], [2, 2]), random)).toBeCloseTo(25 / 16, 6);
  });

  test.each(['swiglu', 'relu2'] as const)('a decomposed decoder with %s computes the same', (activation) => {
    const config = tiny(activation);
    const model = decoderOf(config, new Random(1));
    const whole = unmerged(model, config, random);
    const low = decomposeExperts(whole.model, whole.config, 3, random);
    const tokens = tensor(text.slice(0, 20), [2, 10]);
    expectClose(low.model.forward(tokens).dataSync(), model.forward(tokens).dataSync(), 1e-4);
    expect(() => decomposeExperts(whole.model, whole.config, 13, random)).toThrow('must be from 1 to 12, got 13');
    expect(() => decomposeExperts(model, config, 3, random)).toThrow('merge the experts first');
  });

  test('gradients of a low-rank bank equal differences', () => {
    const bank = new LowRankBank(2, 4, 5, { rank: 2 });
    const names = Object.keys(parameters(bank)) as (keyof LowRankBank)[];
    const values = names.map((name, i) => uniformTensor(20 + i, (bank[name] as Tensor).shape));
    const mixture = new MixtureOfExperts(4, { experts: 2, k: 1, hidden: 5 }, random);
    const x = uniformTensor(4, [6, 4]);
    const { segments } = mixture.dispatch(mixture.route(x));
    checkGradient(
      (...live: Tensor[]) => {
        names.forEach((name, i) => {
          (bank as unknown as Record<string, Tensor>)[name] = live[i] as Tensor;
        });
        return bank.forward(x, { segments });
      },
      values,
      { step: 1e-3, tolerance: 2e-2, second: false },
    );
  });

  test('the kept share falls by a cube between warm-up and the last steps', () => {
    const schedule = { steps: 100, rows: 0.1, warm: 10 };
    expect([0, 9, 10].map((step) => keptShare(step, schedule))).toEqual([1, 1, 1]);
    expect(keptShare(35, schedule)).toBeCloseTo(0.1 + 0.9 / 8, 12);
    expect([60, 99, 150].map((step) => keptShare(step, schedule))).toEqual([0.1, 0.1, 0.1]);
    expect(() => keptShare(0, { steps: 49, warm: 10 })).toThrow('49 steps are fewer than five times the 10');
  });

  test('the threshold is over the entries of all layers', () => {
    // Entries: 1 1 (score 1), 2 2 2 2 (score 2), 3 3 (score 3).
    const rows = [
      { score: 2, entries: 4 },
      { score: 1, entries: 2 },
      { score: 3, entries: 2 },
    ];
    expect([1, 0.9, 0.75, 0.6, 0.25, 0.2, 0].map((kept) => pruningThreshold(rows, kept))).toEqual([
      ...[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, 2, 2, 2, 3],
    ]);
  });

  test('rows of the least |s·∂L/∂s| become 0 after a step, over both layers', () => {
    const parameters = {
      'a.upSparse': tensor([1, 1, 4, 4], [1, 2, 2]),
      'b.upSparse': tensor([2, 2, 3, 3], [1, 2, 2]),
      other: tensor([1, 1]),
    };
    const ones = (t: Tensor) => t.multiply(0).add(1);
    const gradients = Object.fromEntries(Object.entries(parameters).map(([name, t]) => [name, ones(t)]));
    const optimizer = new RowPruned(new SGD({ learningRate: 1e-6 }), { steps: 5, rows: 0.3, warm: 1 });
    optimizer.update(parameters, gradients);
    expect(parameters['a.upSparse'].dataSync().filter((value) => value === 0)).toHaveLength(0);
    optimizer.update(parameters, gradients);
    // The fifth of 8 entries, 5.6 of which may go, has score 3: rows of scores 1 and 2 are below.
    expectClose(parameters['a.upSparse'].dataSync(), [0, 0, 4, 4], 1e-4);
    expectClose(parameters['b.upSparse'].dataSync(), [0, 0, 3, 3], 1e-4);
    expectClose(parameters.other.dataSync(), [1, 1], 1e-4);
    // 0.15·(1 + 0.85) of the importance after two steps; it is in the state and comes back.
    const { tensors } = optimizer.state();
    expectClose(tensors['importance.b.upSparse']?.dataSync() ?? [], [0.555, 0.555, 0.8325, 0.8325], 1e-4);
    const again = new RowPruned(new SGD({ learningRate: 1e-6 }), { steps: 5, rows: 0.3, warm: 1 });
    again.restore(optimizer.state());
    expect(again.state().step).toBe(2);
    expectClose(again.state().tensors['importance.b.upSparse']?.dataSync() ?? [], [0.555, 0.555, 0.8325, 0.8325]);
  });
});

test('large entries go where the loss does not depend on them', () => {
  const values = { 'a.upSparse': tensor([1, 1, 5, 5], [1, 2, 2]) };
  const optimizer = new RowPruned(new SGD({ learningRate: 1e-6 }), { steps: 5, rows: 0.2, warm: 1 });
  for (let step = 0; step < 2; step++) optimizer.update(values, { 'a.upSparse': tensor([3, 3, 0.1, 0.1], [1, 2, 2]) });
  expectClose(values['a.upSparse'].dataSync(), [1, 1, 0, 0], 1e-4);
});

describe('recovery', () => {
  test('distils KL(teacher ‖ student) at τ beside the task’s own loss', () => {
    const [t, s] = [
      [2, 0, -1],
      [0, 1, 0],
    ];
    const soft = (row: number[]) => {
      const e = row.map((value) => Math.exp(value / 2));
      const total = e.reduce((a, b) => a + b);
      return e.map((value) => value / total);
    };
    const [p, q] = [soft(t as number[]), soft(s as number[])];
    const forwards = p.reduce((sum, pi, i) => sum + pi * Math.log(pi / (q[i] as number)), 0);
    const backwards = q.reduce((sum, qi, i) => sum + qi * Math.log(qi / (p[i] as number)), 0);
    expect(Math.abs(forwards - backwards)).toBeGreaterThan(0.01);
    const student = tensor(s as number[], [1, 3]);
    expect(klDivergence(student, tensor(t as number[], [1, 3]), 2).item()).toBeCloseTo(forwards, 6);
    const gradient = grad((logits: Tensor) => klDivergence(logits, tensor(t as number[], [1, 3]), 2))(student);
    expectClose(
      gradient.dataSync(),
      q.map((qi, i) => (qi - (p[i] as number)) / 2),
      1e-6,
    );
  });

  /** A student of one matrix beside its teacher, on two examples. */
  const matrixTask = {
    batch: () => 0,
    logits: (model: { w: Tensor }) => model.w,
    labels: () => tensor([0, 1], [2], 'i32'),
  };
  const student = () => {
    const random = new Random(1);
    const module = { w: random.normal([2, 3]) };
    module.w.role = 'parameter';
    return module;
  };
  const teacher = { w: tensor([0, 0, 4, 4, 0, 0], [2, 3]) };

  test('has the loss λ_task·CE + λ_kd·KL(teacher ‖ student)', async () => {
    const model = student();
    const soft = (row: readonly number[], t: number) => {
      const total = row.reduce((sum, value) => sum + Math.exp(value / t), 0);
      return row.map((value) => Math.exp(value / t) / total);
    };
    const rows = (w: Tensor) => [w.dataSync().slice(0, 3), w.dataSync().slice(3, 6)].map((row) => [...row]);
    const [own, other] = [rows(model.w), rows(teacher.w)];
    const mean = (of: (row: number[], at: number) => number) =>
      (of(own[0] as number[], 0) + of(own[1] as number[], 1)) / 2;
    const task = mean((row, at) => -Math.log(soft(row, 1)[at] as number));
    const kl = mean((row, at) => {
      const [s, t] = [soft(row, 3), soft(other[at] as number[], 3)];
      return t.reduce((sum, p, i) => sum + p * Math.log(p / (s[i] as number)), 0);
    });
    const { history } = await recover(model, teacher, matrixTask, new Random(0), {
      ...{ steps: 1, taskWeight: 0.7, distillWeight: 0.4, temperature: 3 },
    });
    expect(history[0]?.loss).toBeCloseTo(0.7 * task + 0.4 * kl, 5);
  });

  test('without the task’s loss the student comes to the teacher, without the teacher to the labels', async () => {
    const options = { steps: 300, learningRate: 0.1 };
    const taught = student();
    await recover(taught, teacher, matrixTask, new Random(0), { ...options, taskWeight: 0 });
    const arg = ({ w }: { w: Tensor }) =>
      [0, 3].map((from) => {
        const row = [...w.dataSync().slice(from, from + 3)];
        return row.indexOf(Math.max(...row));
      });
    expect(arg(taught)).toEqual([2, 0]);
    const own = student();
    await recover(own, teacher, matrixTask, new Random(0), { ...options, distillWeight: 0 });
    expect(arg(own)).toEqual([0, 1]);
  });

  test('leaves the router as it was, and with `trains` all but what it names', async () => {
    const config = tiny();
    const model = decoderOf(config, new Random(1));
    const statistics = decoderStatistics(model, text, new Random(2), { windows: 8, length: 16 });
    const { model: merged } = mergeExperts(model, config, statistics, new Random(3), { experts: 2 });
    const before = Object.fromEntries(Object.entries(stateOf(merged)).map(([name, w]) => [name, [...w.dataSync()]]));
    const task = windowTask(text, { batch: 2, length: 16 });
    const trains = (name: string) => name.includes('experts.down');
    await recover(merged, model, task, new Random(4), { steps: 3, trains });
    for (const [name, w] of Object.entries(stateOf(merged)))
      if (trains(name)) expect([...w.dataSync()]).not.toEqual(before[name]);
      else expect([...w.dataSync()]).toEqual(before[name]);
    await recover(merged, model, task, new Random(4), { steps: 3 });
    const router = 'model.layers.0.mlp.router.weight';
    expect([...(stateOf(merged)[router] as Tensor).dataSync()]).toEqual(before[router]);
    expect([...(stateOf(merged)['model.norm.weight'] as Tensor).dataSync()]).not.toEqual(before['model.norm.weight']);
  });
});

describe('merging a decoder', () => {
  const config = tiny();
  const model = decoderOf(config, new Random(1));
  const statistics = decoderStatistics(model, text, new Random(2), { windows: 16, length: 16 });
  const tokens = tensor(text.slice(40, 60), [2, 10]);

  test('of identical experts changes nothing', () => {
    const copies = decoderOf(config, new Random(1));
    for (const [name, w] of Object.entries(stateOf(copies)))
      if (name.includes('.experts.')) {
        const size = w.size / 5;
        const first = w.dataSync().slice(0, size);
        w.assign(
          tensor(
            Float32Array.from({ length: w.size }, (_, i) => first[i % size] as number),
            w.shape,
          ),
        );
      }
    const own = decoderStatistics(copies, text, new Random(2), { windows: 16, length: 16 });
    const merged = mergeExperts(copies, config, own, new Random(3), { experts: 2 });
    expectClose(merged.model.forward(tokens).dataSync(), copies.forward(tokens).dataSync(), 1e-4);
  });

  test('leaves the original alone, and keeps every other weight', () => {
    const before = model.forward(tokens).dataSync().slice();
    const merged = mergeExperts(model, config, statistics, new Random(3), { experts: 2, uniform: true });
    expect(model.forward(tokens).dataSync()).toEqual(before);
    expect(merged.config.experts?.groups?.map((groups) => new Set(groups).size)).toEqual([2, 2]);
    for (const [name, w] of Object.entries(stateOf(merged.model)))
      if (!name.includes('.experts.')) expect(w.dataSync()).toEqual(stateOf(model)[name]?.dataSync());
  });

  test('by keeping dominant experts: their weights, and tokens to the best that is left', () => {
    const options = { experts: 2, uniform: true } as const;
    const dropped = mergeExperts(model, config, statistics, new Random(3), { ...options, members: 'drop' });
    const replaced = mergeExperts(model, config, statistics, new Random(3), { ...options, members: 'replace' });
    const { dominant = [], groups = [] } = dropped.groupings[0] ?? {};
    expect(dropped.config.experts?.groups?.[0]).toEqual(groups.map((g, e) => (dominant[g] === e ? g : -1)));
    expect(replaced.config.experts?.groups?.[0]).toEqual(groups);
    const name = 'model.layers.0.mlp.experts.down';
    const size = 12 * 16;
    const old = stateOf(model)[name]?.dataSync() ?? [];
    for (const { model: left } of [dropped, replaced])
      dominant.forEach((e, g) => {
        expect(
          stateOf(left)
            [name]?.dataSync()
            .slice(g * size, (g + 1) * size),
        ).toEqual(old.slice(e * size, (e + 1) * size));
      });
  });

  test('refuses what has nothing to merge', () => {
    const dense = decoderConfig({ vocabulary: 11, features: 16, layers: 1, heads: 2, context: 64 });
    const merge = (of: typeof config, m = 2) =>
      mergeExperts(decoderOf(of, new Random(1)), of, statistics, new Random(3), { experts: m });
    expect(() => merge(dense)).toThrow('its layers are dense');
    expect(() => merge(config, 5)).toThrow('1 to 4 are possible');
    const merged = merge(config);
    expect(() => mergeExperts(merged.model, merged.config, statistics, new Random(3), { experts: 1 })).toThrow(
      'merged already',
    );
  });
});

test.each(['swiglu', 'relu2'] as const)(
  'a compressed decoder with %s runs in the runtime from its compact form',
  async (activation) => {
    const config = tiny(activation);
    const model = decoderOf(config, new Random(1));
    await trainLanguageModel(model, { train: text }, new Random(5), { steps: 20, batch: 4, length: 16 });
    const small = await compressExperts(model, config, text, new Random(6), {
      ...{ experts: 2, rank: 3, rows: 0.3, windows: 16, length: 16, batch: 4 },
      recovery: { steps: 12 },
    });
    const compact = compactState(small.model);
    const rows = Object.entries(compact).filter(([name]) => name.endsWith('Rows'));
    expect(rows.length).toBeGreaterThan(0);
    const runtime = new LanguageModel(small.config, namedWeights(compact));
    const ids = text.slice(100, 120);
    const logits = runtime.forward(Array.from(ids), runtime.cache()).dataSync();
    const expected = small.model.forward(tensor(ids, [1, 20])).dataSync();
    expectClose(logits.slice(-11), expected.slice(-11), 1e-4);
    const kept = rows.reduce((sum, [, { size }]) => sum + size, 0);
    const all = Object.entries(stateOf(small.model))
      .filter(([name]) => name.endsWith('Sparse'))
      .reduce((sum, [, { shape }]) => sum + (shape[0] as number) * (shape[1] as number), 0);
    expect(kept / all).toBeGreaterThan(0.2);
    expect(kept / all).toBeLessThan(0.4);
  },
);

test('the counter gives the parameters of switch-base-32: 1978, 733 and 381 million', () => {
  const shape = { vocabulary: 32128, features: 768, hidden: 3072, layers: 12, experts: 32 };
  const [full, merged, small] = [
    switchParameters(shape),
    switchParameters(shape, { merged: 11, experts: 8 }),
    switchParameters(shape, { merged: 11, experts: 8, lowRank: { rank: 32, rows: 0.1 } }),
  ];
  expect([full, merged, small].map((count) => Math.round((count as number) / 1e6))).toEqual([1978, 733, 381]);
  expect(1 - (small as number) / (full as number)).toBeCloseTo(0.8076, 4);
});

test('a footprint counts what is stored and what a token multiplies', () => {
  const config = tiny('relu2', 1);
  const model = decoderOf(config, new Random(1));
  const { parameters: stored, multiplyAdds } = footprint(stateOf(model), config, 32);
  expect(stored).toMatchObject({ embeddings: 176, attention: 2 * 4 * 256, routers: 160, experts: 2 * 5 * 384 });
  expect(stored.total).toBe(Object.values(stateOf(model)).reduce((sum, { size }) => sum + size, 0));
  expect(multiplyAdds).toMatchObject({
    experts: 2 * 384,
    attention: 2 * 4 * 256 + 2 * 16 * 32,
    embeddings: 176,
    norms: 0,
  });
});
