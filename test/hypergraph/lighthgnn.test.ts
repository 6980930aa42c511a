import { describe, expect, test } from 'vitest';
import { plantedDataset, splitPerClass } from '../../src/data/index.js';
import * as light from '../../src/hypergraph/index.js';
import { accuracy, inference, predictedClasses, rowsOf } from '../../src/nn/index.js';
import { Hypergraph } from '../../src/structure/index.js';
import { Random, scope, softmax, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const h = new Hypergraph(6, [
  [0, 1, 2],
  [2, 3],
  [3, 4, 5],
]);
const probabilities = (logits: Tensor, v: number, c: number) =>
  Array.from(
    softmax(logits)
      .view()
      .subarray(v * c, v * c + c),
  );

test('hyperedge entropy and reliability equal a brute-force loop', () => {
  const weights = uniformTensor(5, [4, 3], -3, 3);
  const teacher: light.Teacher = (features) => (features as Tensor).matmul(weights);
  const x = uniformTensor(1, [6, 4]);
  const entropies = (features: Tensor) =>
    h
      .hyperedges()
      .map(
        (members) =>
          members.reduce(
            (total, v) =>
              total - probabilities(teacher(features, h), v, 3).reduce((sum, p) => sum + p * Math.log(p), 0),
            0,
          ) / members.length,
      );
  expectClose(light.hyperedgeEntropy(teacher(x, h), h).view(), entropies(x), 1e-5);
  const noisy = x.multiply(new Random(2).normal([6, 4], 1, 1));
  const change = entropies(noisy).map((entropy, e) => Math.abs(entropy - (entropies(x)[e] as number)));
  expectClose(
    light.reliability(teacher, x, h, new Random(2)),
    change.map((delta) => 1 - delta / Math.max(...change)),
    1e-4,
  );
  expect([...light.reliability(teacher, x, h, new Random(2), 1)]).toContain(0);
});

test('entropy is 0 for certain predictions, and reliability 1 when noise changes nothing', () => {
  const certain = tensor([[200, 0, -200]]).broadcastTo([6, 3]);
  expectClose(light.hyperedgeEntropy(certain, h).view(), [0, 0, 0], 1e-6);
  expect([...light.reliability(() => zeros([6, 3]), zeros([6, 4]), h, new Random(1))]).toEqual([1, 1, 1]);
});

describe('the high-order constraint', () => {
  const teacherLogits = uniformTensor(3, [6, 3], -2, 2);

  test('equals its definition with every hyperedge drawn, and its gradient finite differences', () => {
    const constraint = light.highOrderConstraint(teacherLogits, h, Float32Array.of(1, 1, 1));
    const student = uniformTensor(4, [6, 3], -2, 2);
    const mean = (logits: Tensor, members: Int32Array) =>
      [0, 1, 2].map(
        (c) => members.reduce((total, v) => total + (probabilities(logits, v, 3)[c] as number), 0) / members.length,
      );
    const expected = h.hyperedges().reduce((total, members) => {
      const s = mean(student, members);
      return total + mean(teacherLogits, members).reduce((sum, t, c) => sum + t * Math.log(t / (s[c] as number)), 0);
    }, 0);
    expect(constraint(student, new Random(1)).item()).toBeCloseTo(expected / 3, 5);
    checkGradient((logits) => constraint(logits, new Random(1)), [student], { second: false });
  });

  test('is 0 when no hyperedge is drawn', () => {
    const constraint = light.highOrderConstraint(teacherLogits, h, new Float32Array(3));
    expect(constraint(uniformTensor(4, [6, 3]), new Random(1)).item()).toBe(0);
  });
});

test('the topology score equals a loop, and is 0 when a hyperedge has collapsed', () => {
  const z = uniformTensor(6, [6, 2]);
  const row = (v: number) => [z.view()[2 * v] as number, z.view()[2 * v + 1] as number] as const;
  const expected = h.hyperedges().map((members) => {
    const centre = [0, 1].map((j) => members.reduce((total, v) => total + (row(v)[j] as number), 0) / members.length);
    return (
      members.reduce(
        (total, v) => total + Math.hypot(row(v)[0] - (centre[0] as number), row(v)[1] - (centre[1] as number)),
        0,
      ) / members.length
    );
  });
  expect(light.topologyScore(z, h)).toBeCloseTo(expected.reduce((a, b) => a + b) / 3, 5);
  expect(light.topologyScore(zeros([6, 2]), h)).toBe(0);
});

test('asking about a few vertices gives the rows of the whole pass', () => {
  for (const kind of ['hgnn', 'hgnnp', 'unigcn', 'gcn'] as const) {
    const network = new light.HypergraphNetwork(kind, 4, 8, 3, new Random(1));
    const x = uniformTensor(1, [6, 4]);
    const whole = network.forward(x, h, inference).view();
    expectClose(
      light.classifyVertices(network, x, h, Int32Array.of(4, 0)).view(),
      [...whole.subarray(12, 15), ...whole.subarray(0, 3)],
      1e-5,
    );
  }
  expect(() =>
    light.classifyVertices(
      new light.HypergraphNetwork('gat', 4, 8, 3, new Random(1)),
      zeros([6, 4]),
      h,
      Int32Array.of(0),
    ),
  ).toThrow('needs the whole hypergraph');
});

test('a vertex in no hyperedge sees itself, or nothing when asked', () => {
  const lonely = new Hypergraph(3, [[0, 1]]);
  const x = uniformTensor(1, [3, 4]);
  const logits = (isolated: 'selfLoop' | 'zero', hypergraph: Hypergraph) =>
    new light.HypergraphNetwork('hgnn', 4, 8, 3, new Random(1), { isolated }).forward(x, hypergraph, inference).view();
  expectClose(logits('selfLoop', lonely), logits('zero', lonely.withSelfLoops()), 0);
  expectClose(logits('zero', lonely).subarray(6), [0, 0, 0], 0);
});

describe('on a small planted hypergraph', async () => {
  const raw = plantedDataset(3, { vertices: 600, hyperedges: 500, classes: 3 });
  const hypergraph = raw.hypergraph.mergeDuplicates().withSelfLoops();
  const random = new Random(0);
  const split = splitPerClass(raw.labels, 3, { train: 20, validation: 40 }, random);
  const data = { features: raw.features as Tensor, hypergraph, labels: raw.labels, classes: 3, ...split };
  const options = { epochs: 150 };
  const { network } = await light.trainNetwork(data, random.split('teacher'), options);
  const teacher: light.Teacher = (features, graph) => network.forward(features, graph, inference);
  const { student } = await light.distill(teacher, data, random.split('student'), { ...options, plus: true });
  const score = (logits: Tensor) => accuracy(predictedClasses(logits), raw.labels, split.test);

  test('the student matches its teacher and beats the MLP', async () => {
    const { student: mlp } = await light.trainMlp(data, random.split('mlp'), options);
    const [ours, taught, alone] = scope(() =>
      [
        student.forward(data.features, inference),
        teacher(data.features, hypergraph),
        mlp.forward(data.features, inference),
      ].map(score),
    ) as [number, number, number];
    expect(ours).toBeGreaterThan(taught - 0.03);
    expect(ours).toBeGreaterThan(alone + 0.05);
  });

  test('the student’s answer for one vertex is that of the whole pass', () => {
    const whole = student.forward(data.features, inference).view();
    const one = student.forward(rowsOf(data.features, Int32Array.of(17)), inference).view();
    expectClose(one, whole.subarray(51, 54), 1e-5);
  });

  test('the same seed gives the same student', async () => {
    const again = await light.distill(teacher, data, random.split('student'), { ...options, plus: true });
    expect(again.student.head.weight.dataSync()).toEqual(student.head.weight.dataSync());
  });

  test('the released code’s loss trains too', async () => {
    const { student: released } = await light.distill(teacher, data, random.split('released'), {
      ...options,
      plus: true,
      divergence: 'released',
      lambda: 0.2,
      temperature: 2,
    });
    expect(score(released.forward(data.features, inference))).toBeGreaterThan(0.8);
  });
});
