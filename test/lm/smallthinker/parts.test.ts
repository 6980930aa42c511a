import { describe, expect, test } from 'vitest';
import {
  averageWeights,
  cacheBytesOf,
  decoderConfig,
  decoderOf,
  LanguageModel,
  namedWeights,
  SparseHead,
  smallThinker4B,
  smallThinker21B,
  smallThinkerParameters,
  trainHeadPredictor,
  trainLanguageModel,
} from '../../../src/lm/index.js';
import { requireConfig } from '../../../src/lm/runtime/config.js';
import { expertContext, groupedBalanceLoss, type Routing, routeTopK, stateOf } from '../../../src/nn/index.js';
import { RowMatrix } from '../../../src/quantized/index.js';
import { Random, scope, type Tensor, tensor } from '../../../src/tensor/index.js';
import { expectClose } from '../../oracle.js';

describe('the releases', () => {
  test('have the parameters that the report gives', () => {
    const billions = (value: number) => value / 1e9;
    for (const config of [smallThinker4B, smallThinker21B]) requireConfig(config);
    expect(billions(smallThinkerParameters(smallThinker21B).total)).toBeCloseTo(21.51, 2);
    expect(billions(smallThinkerParameters(smallThinker4B).total)).toBeCloseTo(4.27, 2);
    expect(billions(smallThinkerParameters(smallThinker4B, { tied: true }).total)).toBeCloseTo(4.035, 3);
    expect(billions(smallThinkerParameters(smallThinker21B).active)).toBeCloseTo(3.33, 2);
    expect(billions(smallThinkerParameters(smallThinker4B).active)).toBeCloseTo(0.86, 2);
  });

  test('21B: windows save 56 % of the keys and values at 16,384 tokens, and none below 4,096', () => {
    const full = { ...smallThinker21B, window: 0 };
    expect(cacheBytesOf(full, 16_384, 'f16') / 2 ** 30).toBeCloseTo(1.625, 3);
    expect(cacheBytesOf(smallThinker21B, 16_384, 'f16') / 2 ** 30).toBeCloseTo(0.711, 3);
    expect(cacheBytesOf(smallThinker21B, 4096, 'f16')).toBe(cacheBytesOf(full, 4096, 'f16'));
  });
});

describe('routing', () => {
  const logits = tensor([2, 0, -1, 1, -3, 0.5, 0.25, -2], [2, 4]);

  test('gates by softmax and by sigmoid of the chosen logits', () => {
    const softmax = routeTopK(logits, 2, 'renormalised').gates.dataSync();
    const [a, b] = [Math.exp(2), Math.exp(1)];
    expectClose(softmax.subarray(0, 2), [a / (a + b), b / (a + b)], 1e-6);
    const own = routeTopK(logits, 2, 'sigmoid');
    const s = (x: number) => 1 / (1 + Math.exp(-x));
    expectClose(
      own.gates.dataSync(),
      [s(2) / (s(2) + s(1)), s(1) / (s(2) + s(1)), s(0.5) / (s(0.5) + s(0.25)), s(0.25) / (s(0.5) + s(0.25))],
      1e-6,
    );
    expect([...own.experts.dataSync()]).toEqual([0, 3, 1, 2]);
  });

  test('two micro-batches of opposite use: a balance loss of 2 each, of 1 as a group', () => {
    // Of two experts one is used by the first two tokens, the other by the last two, with certainty.
    const routing: Routing = {
      ...{ k: 1, experts: tensor(Int32Array.of(0, 0, 1, 1), [4, 1]), gates: tensor([1, 1, 1, 1], [4, 1]) },
      ...{ probabilities: tensor([1, 0, 1, 0, 0, 1, 0, 1], [4, 2]), logits: tensor([0, 0, 0, 0, 0, 0, 0, 0], [4, 2]) },
    };
    expect(groupedBalanceLoss(routing, 2).item()).toBeCloseTo(2, 6);
    expect(groupedBalanceLoss(routing).item()).toBeCloseTo(1, 6);
    expect(groupedBalanceLoss(routing, 4).item()).toBeCloseTo(2, 6);
    expect(() => groupedBalanceLoss(routing, 3)).toThrow('4 tokens do not divide into 3 groups');
  });

  test('a decoder balances over the groups that training asks for', () => {
    const config = decoderConfig({
      ...{ vocabulary: 12, features: 16, layers: 1, heads: 2, hidden: 8, context: 64, activation: 'reglu' },
      experts: { count: 4, k: 1, normalised: true, early: true },
    });
    const model = decoderOf(config, new Random(3));
    const passOf = (ids: readonly number[], rows: number, balanceGroups?: number) => {
      const context = expertContext({ balanceGroups });
      model.forward(tensor(Int32Array.from(ids), [rows, ids.length / rows]), context);
      return { loss: (context.losses[0] as Tensor).item(), expert: context.usage[0]?.counts.findIndex((n) => n > 0) };
    };
    const alone = (id: number) => passOf([id, id, id, id], 1);
    // Another token whose expert is another.
    const other = Array.from({ length: 12 }, (_, id) => id).find(
      (id) => alone(id).expert !== alone(1).expert,
    ) as number;
    const lossOf = (groups: number) => passOf([1, 1, 1, 1, other, other, other, other], 2, groups).loss;
    expect(lossOf(2)).toBeCloseTo((alone(1).loss + alone(other).loss) / 2, 5);
    expect(lossOf(1)).not.toBeCloseTo(lossOf(2), 3);
  });

  test('early routers need the input of their layer, and go with plain experts', () => {
    const config = decoderConfig({ vocabulary: 12, features: 16, layers: 1, heads: 2, context: 64 });
    const merged = { count: 2, k: 1, normalised: true, early: true, groups: [[0, 0]] };
    expect(() => decoderOf({ ...config, experts: merged }, new Random(0))).toThrow('go with plain experts');
  });
});

describe('the sparse head', () => {
  const [rows, columns, rank] = [50, 16, 4];
  const random = new Random(5);
  const head = RowMatrix.from(random.normal([rows, columns]), 'F32');
  const h = random.normal([1, columns]);
  const dense = head.multiply(h).dataSync();
  /** Scores of rank 4 from W₁ and W₂. */
  const [down, up] = [random.normal([rank, columns]), random.normal([rows, rank])];
  const predictor = tensor(Float32Array.of(...down.view(), ...up.view()));
  const scores = Array.from({ length: rows }, (_, row) => {
    let score = 0;
    for (let p = 0; p < rank; p++)
      for (let c = 0; c < columns; c++)
        score +=
          (up.view()[row * rank + p] as number) * (down.view()[p * columns + c] as number) * (h.view()[c] as number);
    return score;
  });

  test('rows with a score above 0 have exact logits, the others none', () => {
    const sparse = new SparseHead(() => head, { rows, columns }, predictor, { least: 3 });
    const logits = sparse.multiply(h).dataSync();
    const positive = scores.filter((score) => score > 0).length;
    expect(positive).toBeGreaterThan(3);
    logits.forEach((logit, row) => {
      expect(logit).toBe((scores[row] as number) > 0 ? dense[row] : Number.NEGATIVE_INFINITY);
    });
    expect(sparse.share).toBeCloseTo(positive / rows, 6);
    const zero = new SparseHead(() => head, { rows, columns }, predictor, { least: 3, skippedLogit: 0 });
    expect(Math.min(...zero.multiply(h).dataSync().map(Math.abs))).toBe(0);
  });

  test('the largest scores are computed where few are above 0', () => {
    const none = tensor(Float32Array.of(...down.view(), ...up.view().map((v) => v * 1e-9)));
    const sparse = new SparseHead(() => head, { rows, columns }, none, { least: 45 });
    const logits = sparse.multiply(h).dataSync();
    const order = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
    const computed = Array.from(logits.keys()).filter((row) => logits[row] !== Number.NEGATIVE_INFINITY);
    expect(computed).toEqual(order.slice(0, 45).sort((a, b) => a - b));
    expect(() => new SparseHead(() => head, { rows, columns }, tensor([1, 2, 3]))).toThrow(
      'has 3 numbers, no multiple',
    );
  });

  test('a trained predictor finds the largest logits in a part of the rows', async () => {
    const config = decoderConfig({
      ...{ vocabulary: 80, features: 32, layers: 1, heads: 2, hidden: 32, context: 400 },
    });
    const tokens = Int32Array.from({ length: 3000 }, (_, i) => (i * 7 + ((i * i) >> 5)) % 80);
    const model = decoderOf(config, random.split('model'));
    await trainLanguageModel(model, { train: tokens }, random.split('fit'), { steps: 60, batch: 8, length: 32 });
    const trained = await trainHeadPredictor(
      model,
      { tokens, random },
      { rank: 16, steps: 150, batch: 4, length: 32, share: 0.05 },
    );
    expect(trained.size).toBe(16 * (32 + 80));
    const source = namedWeights({ ...stateOf(model), 'lm_head_profiler.weight': trained });
    const [own, whole] = [
      new LanguageModel(config, source, { sparseHead: { least: 4 } }),
      new LanguageModel(config, source),
    ];
    const caches = [own.cache(), whole.cache()] as const;
    let kept = 0;
    for (const token of tokens.subarray(2000, 2200))
      scope(() => {
        const [a, b] = [own.forward([token], caches[0]), whole.forward([token], caches[1])];
        kept += Number(a.argmax(1).item() === b.argmax(1).item());
      });
    expect(kept).toBeGreaterThanOrEqual(190);
    expect(own.headShare).toBeLessThan(0.6);
    expect(() => new LanguageModel(config, namedWeights(stateOf(model)), { sparseHead: {} })).toThrow('no predictor');
  });
});

test('averages of checkpoints', () => {
  const [a, b] = [
    { w: tensor([1, 2]), v: tensor([4]) },
    { w: tensor([3, 6]), v: tensor([0]) },
  ];
  const averaged = averageWeights([a, b], [1, 3]);
  expect([...(averaged.w as Tensor).dataSync()]).toEqual([2.5, 5]);
  expect([...(averaged.v as Tensor).dataSync()]).toEqual([1]);
  expect([...(averageWeights([a, b]).w as Tensor).dataSync()]).toEqual([2, 4]);
  expect(() => averageWeights([a, { w: tensor([1]), v: tensor([1]) }])).toThrow('checkpoint 1 has other weights');
  expect(() => averageWeights([a, b], [0, 0])).toThrow('none below 0, not all 0');
  expect(() => averageWeights([])).toThrow('no checkpoint');
});
