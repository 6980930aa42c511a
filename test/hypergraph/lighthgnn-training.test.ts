import { describe, expect, test } from 'vitest';
import * as light from '../../src/hypergraph/index.js';
import { inference, MLP, parameters, stateOf, training, withWeights } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Hypergraph } from '../../src/structure/index.js';
import { gatherKnownRows, Random, softmax, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const lists = [
  [0, 1, 2],
  [2, 3],
  [3, 4, 5],
];
const hypergraph = new Hypergraph(6, lists);
const labels = Int32Array.of(0, 1, 2, 0, 1, 2);
const features = uniformTensor(1, [6, 4]);
const train = Int32Array.of(0, 3, 5);
const data: light.Labelled = { features, hypergraph, labels, classes: 3, train, validation: Int32Array.of(1, 2, 4) };
const teacherLogits = uniformTensor(3, [6, 3], -2, 2);
/** A teacher of constant logits: noise changes nothing, so that every hyperedge is reliable. */
const constant: light.Teacher = () => teacherLogits;
/** Means over members as a dense matrix. */
const means = tensor(
  lists.map((members) => Array.from({ length: 6 }, (_, v) => (members.includes(v) ? 1 / members.length : 0))),
);

const newStudent = (random: Random) => new MLP([4, 8, 3], random.split('weights'), { norm: 'batch', dropout: 0 });

interface Terms {
  readonly lambda: number;
  readonly temperature: number;
  readonly divergence: 'kl' | 'released';
  readonly plus: boolean;
}

/** λ·CE + (1 − λ)·(KL + L_hc) with dense matrices; hyperedges of `drawn`. */
function denseLoss(logits: Tensor, { lambda, temperature, divergence, plus }: Terms, drawn = [0, 1, 2]): Tensor {
  const oneHot = tensor(Array.from(train, (v) => [0, 1, 2].map((c) => (labels[v] === c ? 1 : 0))));
  const own = gatherKnownRows(softmax(logits), tensor(train));
  const supervised = own
    .log()
    .multiply(oneHot)
    .sum()
    .multiply(-1 / train.length);
  const apart = (t: Tensor, s: Tensor) => {
    const weights = divergence === 'kl' ? t : t.exp();
    const logarithm = divergence === 'kl' ? t.log() : t;
    return weights
      .multiply(logarithm.subtract(s.log()))
      .sum()
      .multiply(1 / (t.shape[0] as number));
  };
  // The released form takes probabilities for log-probabilities: Σ e^t (t − ln s).
  const vertices = apart(softmax(teacherLogits), softmax(logits));
  const rows = gatherKnownRows(means, tensor(Int32Array.from(drawn)));
  const tempered = (z: Tensor) => rows.matmul(softmax(z.multiply(1 / temperature)));
  const hyperedges = plus && drawn.length > 0 ? apart(tempered(teacherLogits), tempered(logits)) : tensor(0);
  return supervised.multiply(lambda).add(vertices.add(hyperedges).multiply(1 - lambda));
}

describe('one step of distillation', () => {
  const cases: Terms[] = [
    { lambda: 0, temperature: 1, divergence: 'kl', plus: false },
    { lambda: 0, temperature: 1, divergence: 'kl', plus: true },
    { lambda: 0.3, temperature: 2, divergence: 'kl', plus: true },
    { lambda: 0.3, temperature: 2, divergence: 'released', plus: true },
    { lambda: 1, temperature: 1, divergence: 'kl', plus: true },
  ];

  test.each(cases)('has the loss and the gradient of a dense computation: %o', async (terms) => {
    const random = new Random(5);
    const start = newStudent(random);
    const before = stateOf(start);
    const run = (weights: Record<string, Tensor>) =>
      denseLoss(
        withWeights(start, weights, () => start.forward(features, training(new Random(0)))),
        terms,
      );
    const { value, gradient } = valueAndGrad(run)(parameters(start));
    const options = { ...terms, hidden: 8, dropout: 0, epochs: 1, learningRate: 0.01, weightDecay: 0 };
    const { student, training: result } = await light.distill(constant, data, random, options);
    expect(result.history[0]?.loss).toBeCloseTo(value.item(), 5);
    // The first step of Adam is the learning rate times the sign of the gradient.
    const after = stateOf(student);
    for (const [name, own] of Object.entries(gradient)) {
      const [w0, w1, g] = [before[name] as Tensor, after[name] as Tensor, own as Tensor].map((t) => t.dataSync());
      const most = (g as Float32Array).reduce((largest, slope) => Math.max(largest, Math.abs(slope)), 0);
      (g as Float32Array).forEach((slope, i) => {
        if (Math.abs(slope) < 1e-2 * most || most < 1e-4) return;
        const moved = (w1?.[i] as number) - (w0?.[i] as number);
        expect(Math.abs(moved + 0.01 * Math.sign(slope))).toBeLessThan(1e-4);
      });
    }
  });

  test('with λ = 1 is that of the MLP on labels, whatever the teacher', async () => {
    const options = { hidden: 8, epochs: 5 };
    const { student } = await light.distill(constant, data, new Random(5), { ...options, lambda: 1 });
    const { student: plain } = await light.trainMlp(data, new Random(5), options);
    expect(student.head.weight.dataSync()).toEqual(plain.head.weight.dataSync());
  });

  test('of LightHGNN reads no hypergraph, not even an empty one', async () => {
    const distilled = async (own: Hypergraph) => {
      const { student } = await light.distill(constant, { ...data, hypergraph: own }, new Random(5), { epochs: 5 });
      return student.forward(features, inference).dataSync();
    };
    expect(await distilled(new Hypergraph(6, []))).toEqual(await distilled(hypergraph));
  });
});

describe('reliable hyperedges', () => {
  const weights = uniformTensor(7, [4, 3], -6, 6);
  const asked: Float32Array[] = [];
  const teacher: light.Teacher = (x) => {
    asked.push((x as Tensor).dataSync<Float32Array>());
    return (x as Tensor).matmul(weights);
  };

  test('are drawn anew in every step, by the reliability under the noise asked for', async () => {
    const random = new Random(9);
    const still = { hidden: 8, dropout: 0, epochs: 60, learningRate: 1e-9, weightDecay: 0, noise: 0.5 };
    const { training: result } = await light.distill(teacher, data, random, { ...still, plus: true });
    const rho = light.reliability(teacher, features, hypergraph, random.split('noise'), 0.5);
    expect(rho.filter((chance) => chance === 0)).toHaveLength(1);
    // Weights stand still, so that the loss of a step tells which hyperedges were drawn.
    const logits = newStudent(random).forward(features, training(new Random(0)));
    const targets = teacher(features, hypergraph);
    const kl = (t: Tensor, s: Tensor) => t.multiply(t.log().subtract(s.log())).sum(-1).dataSync();
    const vertexTerm = kl(softmax(targets), softmax(logits)).reduce((a, b) => a + b) / 6;
    const own = kl(means.matmul(softmax(targets)), means.matmul(softmax(logits)));
    const subsets = Array.from({ length: 8 }, (_, bits) => [0, 1, 2].filter((e) => bits & (1 << e)));
    const losses = subsets.map((drawn) => {
      return vertexTerm + drawn.reduce((total, e) => total + (own[e] as number), 0) / Math.max(1, drawn.length);
    });
    const drawn = result.history.map(({ loss }) => {
      const nearest = losses.map((expected) => Math.abs(expected - loss));
      const at = nearest.indexOf(Math.min(...nearest));
      expect(nearest[at]).toBeLessThan(1e-4);
      return subsets[at] as number[];
    });
    expect(new Set(drawn.map(String)).size).toBeGreaterThan(1);
    for (const [e, chance] of rho.entries()) {
      const share = drawn.filter((set) => set.includes(e)).length / drawn.length;
      expect(Math.abs(share - chance)).toBeLessThanOrEqual(
        3 * Math.sqrt((chance * (1 - chance)) / drawn.length) + 1e-9,
      );
    }
  });

  test('are found with features times (1 + ε)·α, also sparse ones', async () => {
    asked.length = 0;
    const random = new Random(9);
    await light.distill(teacher, data, random, { plus: true, epochs: 1, noise: 0.5 });
    const epsilon = random.split('noise').normal([6, 4]);
    expectClose(asked.at(-1) ?? [], features.multiply(epsilon.add(1)).multiply(0.5).view(), 1e-6);
    const sparse = SparseMatrix.fromCoordinates(2, 3, [0, 1], [2, 0], [3, 5]);
    const seen: Float32Array[] = [];
    const two = new Hypergraph(2, [[0, 1]]);
    const spy: light.Teacher = (x) => {
      seen.push((x as SparseMatrix).toDense().dataSync<Float32Array>());
      return tensor([
        [0, 1],
        [1, 0],
      ]);
    };
    light.reliability(spy, sparse, two, new Random(4), 2);
    const factors = new Random(4).normal([2]).add(1).multiply(2).view();
    expectClose(seen[1] ?? [], [0, 0, 3 * (factors[0] as number), 5 * (factors[1] as number), 0, 0], 1e-5);
  });

  test('each have the frequency of their reliability, apart from one another', () => {
    const apart = new Hypergraph(6, [
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    const rho = Float32Array.of(0.25, 0.8, 0);
    const constraint = light.highOrderConstraint(teacherLogits, apart, rho);
    const drawn = [0, 1, 2].map((e) => {
      const student = teacherLogits.dataSync<Float32Array>();
      student[6 * e] = (student[6 * e] as number) + 3;
      const logits = tensor(student, [6, 3]);
      // Only hyperedge e disagrees, so the term is positive exactly when e is drawn.
      return Array.from({ length: 400 }, (_, step) => constraint(logits, new Random(step)).item() > 1e-4);
    });
    const share = (of: (step: number) => boolean) =>
      Array.from({ length: 400 }, (_, step) => Number(of(step))).reduce((a, b) => a + b) / 400;
    const near = (found: number, chance: number) =>
      expect(Math.abs(found - chance)).toBeLessThanOrEqual(3 * Math.sqrt((chance * (1 - chance)) / 400));
    drawn.forEach((own, e) => {
      near(
        share((step) => own[step] as boolean),
        rho[e] as number,
      );
    });
    // Independently: the first without the second in 0.25 · 0.2 of the steps.
    near(
      share((step) => Boolean(drawn[0]?.[step] && !drawn[1]?.[step])),
      0.05,
    );
  });
});

test('permuted vertices give permuted answers, of the network and of the student', () => {
  const order = [3, 0, 5, 1, 4, 2];
  const place = order.map((_, v) => order.indexOf(v));
  const permuted = new Hypergraph(
    6,
    lists.map((members) => members.map((v) => place[v] as number)),
  );
  const x = gatherKnownRows(features, tensor(Int32Array.from(order)));
  const network = new light.HypergraphNetwork('hgnn', 4, 8, 3, new Random(1));
  const rows = (y: Tensor) => gatherKnownRows(y, tensor(Int32Array.from(order))).view();
  expectClose(
    network.forward(x, permuted, inference).view(),
    rows(network.forward(features, hypergraph, inference)),
    1e-5,
  );
  const student = newStudent(new Random(1));
  expectClose(student.forward(x, inference).view(), rows(student.forward(features, inference)), 0);
});

test('networks train on the labels of training vertices alone, with dropout', async () => {
  const options = { hidden: 8, dropout: 0, epochs: 1 };
  const { training: result } = await light.trainNetwork(data, new Random(5), options);
  const start = new light.HypergraphNetwork('hgnn', 4, 8, 3, new Random(5).split('weights'), { dropout: 0 });
  const probabilities = softmax(start.forward(features, hypergraph, inference)).view();
  const chance = (v: number) => probabilities[3 * v + (labels[v] as number)] as number;
  const expected = train.reduce((total, v) => total - Math.log(chance(v)), 0) / train.length;
  expect(result.history[0]?.loss).toBeCloseTo(expected, 5);
  const dropping = new light.HypergraphNetwork('hgnn', 4, 8, 3, new Random(5), { dropout: 0.9 });
  const own = (mode: typeof inference) => [...dropping.forward(features, hypergraph, mode).view()];
  expect(own(training(new Random(1)))).not.toEqual(own(inference));
});

test('students keep the first epoch that is best on validation rows alone', async () => {
  const { training: result } = await light.distill(constant, data, new Random(5), { epochs: 30 });
  const metrics = result.history.map(({ metric }) => metric as number);
  expect(result.bestEpoch).toBe(1 + metrics.indexOf(Math.max(...metrics)));
  expect(metrics.every((share) => Number.isInteger(Math.round(3 * share * 1e6) / 1e6))).toBe(true);
});
