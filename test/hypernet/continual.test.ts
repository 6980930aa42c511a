import { describe, expect, test } from 'vitest';
import { glyphDigits } from '../../src/data/index.js';
import {
  AccuracyMatrix,
  type ContinualLearner,
  type ContinualTask,
  ElasticWeights,
  fisher,
  HypernetLearner,
  type HypernetLearnerOptions,
  JointLearner,
  NetworkLearner,
  NoPenalty,
  PathIntegrals,
  permutedTasks,
  type Scenario,
  SeparateLearner,
  shareRight,
  splitTasks,
  withValidation,
} from '../../src/hypernet/index.js';
import { crossEntropy, gradientsOf, Linear, minimize, parameters, SGD, stateOf } from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

const digits = (count: number, seed: number) => {
  const { x, labels } = glyphDigits(count, new Random(seed));
  return {
    x: tensor(x, [count, 64]),
    labels,
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
  };
};

const small = { hidden: [32] };
const target = { steps: 60, batch: 32, learningRate: 5e-3, target: small };

async function learned(
  learner: ContinualLearner,
  tasks: readonly ContinualTask[],
  tests: readonly ContinualTask[],
): Promise<AccuracyMatrix> {
  const matrix = new AccuracyMatrix();
  for (const task of tasks) {
    await learner.learn(task);
    const known = tests.slice(0, learner.tasks.length);
    matrix.add(
      known.map(({ x, labels }, at) => {
        const given = learner.scenario === 'task' ? at : undefined;
        return shareRight(learner.predict(x, given), labels, at, learner.scenario);
      }),
    );
  }
  return matrix;
}

const importanceOf = ({ anchors: [only] }: ElasticWeights | PathIntegrals) => only?.importance.weight as Tensor;

const weightsIn = (learner: object) =>
  Object.fromEntries(Object.entries(stateOf(learner)).map(([name, weight]) => [name, weight.view().slice()]));

describe('AccuracyMatrix', () => {
  const matrix = new AccuracyMatrix();
  matrix.add([0.9, 0.2, 0.1]);
  matrix.add([0.7, 0.8, 0.3]);
  matrix.add([0.6, 0.9, 1]);

  test('averages, forgetting and transfer of a hand-made matrix', () => {
    expect(matrix.average).toBeCloseTo((0.6 + 0.9 + 1) / 3, 12);
    expect(matrix.during).toBeCloseTo((0.9 + 0.8 + 1) / 3, 12);
    expect(matrix.forgetting).toBeCloseTo(0.2 / 3, 12);
    expect(matrix.backwardTransfer).toBeCloseTo((0.6 - 0.9 + (0.9 - 0.8)) / 2, 12);
    expect(matrix.forwardTransfer([0.1, 0.1, 0.1])).toBeCloseTo((0.1 + 0.2) / 2, 12);
    expect(matrix.final).toEqual([0.6, 0.9, 1]);
    expect(() => matrix.add([1, 1])).toThrow('2 tasks after 4 were learned');
  });
});

describe('streams', () => {
  const data = { x: tensor(uniform(1, 12), [4, 3]), labels: Int32Array.of(0, 3, 2, 1), classes: ['a', 'b', 'c', 'd'] };

  test('split: classes two by two', () => {
    const [first, second] = splitTasks(data, 'class') as [ContinualTask, ContinualTask];
    expect([first.classes, [...first.labels]]).toEqual([
      ['a', 'b'],
      [0, 1],
    ]);
    expect([second.classes, [...second.labels]]).toEqual([
      ['c', 'd'],
      [1, 0],
    ]);
    const values = data.x.view();
    expect([...first.x.view()]).toEqual([...values.slice(0, 3), ...values.slice(9, 12)]);
    expect(splitTasks(data, 'domain').map(({ classes }) => classes)).toEqual([
      ['0', '1'],
      ['0', '1'],
    ]);
    expect(() => splitTasks(data, 'task', 3)).toThrow('4 classes do not divide into groups of 3');
    expect(() => splitTasks({ ...data, labels: Int32Array.of(0, 1, 0, 1) }, 'task')).toThrow('there is no row of c, d');
  });

  test('permuted: one order for all rows of a task, the first task as it is', () => {
    const wide = {
      ...data,
      x: tensor(
        Float32Array.from({ length: 40 }, (_, i) => i),
        [4, 10],
      ),
    };
    const tasks = permutedTasks(wide, 3, 'domain', new Random(2));
    expect([...(tasks[0] as ContinualTask).x.view()]).toEqual([...wide.x.view()]);
    const permuted = (tasks[1] as ContinualTask).x.view();
    const order = [...permuted.slice(0, 10)];
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    expect([...order].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (let row = 0; row < 4; row++)
      expect([...permuted.slice(row * 10, row * 10 + 10)]).toEqual(order.map((v) => v + 10 * row));
    expect(permutedTasks(wide, 3, 'domain', new Random(2))[2]?.x.view()).toEqual(tasks[2]?.x.view());
    expect(permutedTasks(wide, 2, 'class', new Random(2))[1]?.classes).toEqual(['1:a', '1:b', '1:c', '1:d']);
  });

  test('validation rows are the last ones', () => {
    const [task] = splitTasks(data, 'task') as [ContinualTask];
    const { x, validation } = withValidation(task, 0.5);
    expect([x.shape, validation?.x.shape, [...(validation?.labels ?? [])]]).toEqual([[1, 3], [1, 3], [1]]);
    expect(() => withValidation(task, 0)).toThrow('0 of the 2 rows of "a+b" is no split');
  });
});

describe('penalties', () => {
  const rows = 10;
  const layer = new Linear(3, 4, new Random(5));
  const x = tensor(uniform(7, rows * 3), [rows, 3]);
  const labels = Int32Array.from({ length: rows }, (_, i) => i % 4);
  const rowLoss = (live: Linear, row: number) =>
    crossEntropy(live.forward(x.slice([row, row + 1])), tensor(labels.slice(row, row + 1)));

  test('the Fisher information is the mean of squared gradients of single rows', () => {
    const made = fisher(layer, rowLoss, rows);
    const [w, b, values] = [layer.weight.view(), layer.bias?.view() as Float32Array, x.view()];
    const weight = new Float64Array(12);
    const bias = new Float64Array(4);
    for (let i = 0; i < rows; i++) {
      const logits = [0, 1, 2, 3].map(
        (c) =>
          (b[c] as number) +
          [0, 1, 2].reduce((s, k) => s + (w[c * 3 + k] as number) * (values[i * 3 + k] as number), 0),
      );
      const total = logits.reduce((s, v) => s + Math.exp(v), 0);
      for (let c = 0; c < 4; c++) {
        const error = Math.exp(logits[c] as number) / total - Number(labels[i] === c);
        bias[c] = (bias[c] as number) + error ** 2 / rows;
        for (let k = 0; k < 3; k++)
          weight[c * 3 + k] = (weight[c * 3 + k] as number) + (error * (values[i * 3 + k] as number)) ** 2 / rows;
      }
    }
    expectClose((made.weight as Tensor).view(), Float32Array.from(weight), 1e-5);
    expectClose((made.bias as Tensor).view(), Float32Array.from(bias), 1e-5);
  });

  test('EWC: half the strength times the importance of each squared change, task by task', () => {
    const penalty = new ElasticWeights({ strength: 6 });
    const own = new Linear(3, 4, new Random(6));
    penalty.consolidate(own, rowLoss, rows);
    const first = fisher(own, rowLoss, rows);
    const at0 = own.weight.view().slice();
    own.weight.assign(own.weight.add(0.5));
    penalty.consolidate(own, rowLoss, rows);
    const second = fisher(own, rowLoss, rows);
    own.weight.assign(own.weight.add(0.25));
    const [f1, f2] = [first.weight as Tensor, second.weight as Tensor].map((f) => f.view()) as [
      Float32Array,
      Float32Array,
    ];
    const expected = [...at0.keys()].reduce(
      (s, i) => s + 3 * ((f1[i] as number) * 0.75 ** 2 + (f2[i] as number) * 0.25 ** 2),
      0,
    );
    expect(penalty.at(parameters(own))?.item()).toBeCloseTo(expected, 4);
    const online = new ElasticWeights({ strength: 6, online: true, decay: 0.5 });
    online.consolidate(layer, rowLoss, rows);
    online.consolidate(layer, rowLoss, rows);
    expect(online.anchors.length).toBe(1);
    expectClose(
      importanceOf(online).view(),
      (fisher(layer, rowLoss, rows).weight as Tensor).view().map((v) => 1.5 * v),
      1e-6,
    );
  });

  test('SI: the paths of all weights add up to the fall of the loss, without what the penalty pulls', async () => {
    const own = new Linear(3, 4, new Random(8));
    const loss = (live: Linear) => crossEntropy(live.forward(x), tensor(labels));
    const penalty = new PathIntegrals({ strength: 0.5, damping: 1e-3 });
    const run = async () => {
      const optimizer = penalty.watch(new SGD({ learningRate: 0.01 }), parameters(own));
      const before = loss(own).item();
      const start = own.weight.view().slice();
      await minimize(
        own,
        (live) => {
          const held = penalty.at(parameters(live));
          return held ? loss(live).add(held) : loss(live);
        },
        { steps: 200, random: new Random(1), optimizer },
      );
      return { fall: before - loss(own).item(), start };
    };
    const sum = () => Object.values(penalty.path).reduce((s, path) => s + path.view().reduce((a, b) => a + b, 0), 0);
    const { fall, start } = await run();
    expect(Math.abs(sum() / fall - 1)).toBeLessThan(0.05);
    const path = (penalty.path.weight as Tensor).view().slice();
    const end = own.weight.view().slice();
    penalty.consolidate(own);
    const omega = path.map((p, i) => Math.max(0, p / (((end[i] as number) - (start[i] as number)) ** 2 + 1e-3)));
    expectClose(importanceOf(penalty).view(), omega, 1e-4);
    // The second time the penalty is not 0; the path is that of the task's loss alone.
    own.weight.assign(own.weight.add(0.3));
    const again = await run();
    expect(Math.abs(sum() / again.fall - 1)).toBeLessThan(0.05);
    penalty.consolidate(own);
    expect(penalty.anchors.length).toBe(1);
    expect(importanceOf(penalty).view()[0]).toBeGreaterThanOrEqual(omega[0] as number);
  });
});

describe('learners', () => {
  const [train, held] = [digits(800, 1), digits(300, 2)];
  const stream = (scenario: Scenario, count = 3): [ContinualTask[], ContinualTask[]] => [
    permutedTasks(train, count, scenario, new Random(4)),
    permutedTasks(held, count, scenario, new Random(4)),
  ];

  test('with strength 0 the penalised learners are fine-tuning, bit for bit', async () => {
    const [tasks] = stream('domain', 2);
    const plain = new NetworkLearner(new NoPenalty(), new Random(3), { ...target, scenario: 'domain' });
    for (const task of tasks) await plain.learn(task);
    for (const penalty of [new ElasticWeights({ strength: 0, samples: 5 }), new PathIntegrals({ strength: 0 })]) {
      const own = new NetworkLearner(penalty, new Random(3), { ...target, scenario: 'domain' });
      for (const task of tasks) await own.learn(task);
      expect(weightsIn(own.network as object)).toEqual(weightsIn(plain.network as object));
    }
  });

  test('one output layer forgets; penalties, hypernetworks and joint training forget less', async () => {
    const [tasks, tests] = stream('domain');
    const options = { ...target, scenario: 'domain' as const };
    const plain = await learned(new NetworkLearner(new NoPenalty(), new Random(3), options), tasks, tests);
    const ewc = await learned(
      new NetworkLearner(new ElasticWeights({ strength: 300 }), new Random(3), options),
      tasks,
      tests,
    );
    const si = await learned(
      new NetworkLearner(new PathIntegrals({ strength: 1 }), new Random(3), options),
      tasks,
      tests,
    );
    const joint = await learned(new JointLearner(new Random(3), options), tasks, tests);
    expect(plain.forgetting).toBeGreaterThan(0.15);
    expect(ewc.forgetting).toBeLessThan(0.7 * plain.forgetting);
    expect(si.forgetting).toBeLessThan(0.7 * plain.forgetting);
    expect(joint.average).toBeGreaterThan(plain.average + 0.1);
  });

  test('a hypernetwork holds what it made for earlier tasks', async () => {
    const [tasks, tests] = stream('task');
    const make = (strength: number, chunk = 0) =>
      new HypernetLearner(new Random(3), {
        ...target,
        steps: 120,
        learningRate: 2e-3,
        strength,
        chunk,
        trunk: [32],
        embedding: 8,
      });
    const learner = make(0.1);
    await learner.learn(tasks[0] as ContinualTask);
    const [embedding] = learner.model?.embeddings ?? [];
    const before = embedding?.view().slice();
    const held = await learned(make(0.1), tasks, tests);
    const loose = await learned(make(0), tasks, tests);
    const chunked = await learned(make(0.1, 500), tasks, tests);
    expect(held.forgetting).toBeLessThan(0.05);
    expect(loose.forgetting).toBeGreaterThan(held.forgetting + 0.1);
    expect(chunked.forgetting).toBeLessThan(0.1);
    await learner.learn(tasks[1] as ContinualTask);
    expect(learner.model?.embeddings[0]?.view()).toEqual(before);
    expect(learner.stored).toEqual({
      rest: (learner.model?.hypernet.size as number) + 16,
      training: learner.model?.hypernet.layout.size,
    });
  });

  test('look-ahead: earlier tasks are held where the step of the loss alone would lead', async () => {
    const [tasks] = stream('task', 2);
    const after = async (options: HypernetLearnerOptions) => {
      const learner = new HypernetLearner(new Random(3), { ...target, trunk: [8], embedding: 4, ...options });
      await learner.learn(tasks[0] as ContinualTask);
      const made = Object.values(learner.weightsOf(0));
      const before = weightsIn(learner.model as object);
      await learner.learn(tasks[1] as ContinualTask);
      return { learner, made, before, after: weightsIn(learner.model as object) };
    };
    // One step: Φ + ΔΦ, where nothing is held.
    const free = await after({ steps: 1, strength: 0 });
    const { gradients } = gradientsOf(
      free.learner.model as NonNullable<HypernetLearner['model']>,
      ({ hypernet, embeddings }) =>
        Object.values(hypernet.generate(embeddings[0] as Tensor))
          .map((w, i) =>
            w
              .subtract((free.made[i] as Tensor).reshape(w.shape))
              .square()
              .sum(),
          )
          .reduce((a, b) => a.add(b)),
    );
    // So strong a regulariser decides the step, whose size of Adam's first is the learning rate.
    const held = await after({ steps: 1, strength: 1e8, lookAhead: true });
    let [counted, agreeing] = [0, 0];
    for (const [name, gradient] of Object.entries(gradients)) {
      if (!name.startsWith('hypernet')) continue;
      for (const [i, slope] of gradient.view().entries()) {
        if (Math.abs(slope) < 1e-4) continue;
        const step = (held.after[name]?.[i] as number) - (held.before[name]?.[i] as number);
        counted += 1;
        agreeing += Number(Math.sign(step) === -Math.sign(slope) && Math.abs(Math.abs(step) / 5e-3 - 1) < 0.01);
      }
    }
    expect(counted).toBeGreaterThan(1000);
    expect(agreeing).toBe(counted);
    // At Φ itself the regulariser is least, and its gradient 0.
    expect((await after({ steps: 1, strength: 1e8 })).after).toEqual(free.after);
  });

  test('without the task the surest network answers; classes side by side know their task', async () => {
    const [tasks, tests] = [splitTasks(train, 'class'), splitTasks(held, 'class')].map((all) => all.slice(0, 2)) as [
      ContinualTask[],
      ContinualTask[],
    ];
    const options = { ...target, scenario: 'class' as const };
    for (const learner of [
      new SeparateLearner(new Random(3), options),
      new HypernetLearner(new Random(3), { ...options, steps: 120, trunk: [32], embedding: 8, strength: 0.1 }),
      new JointLearner(new Random(3), options),
    ]) {
      const { average } = await learned(learner, tasks, tests);
      expect(average).toBeGreaterThan(0.6);
      const given = learner.predict((tests[0] as ContinualTask).x, '0+1');
      expect(new Set(given.tasks)).toEqual(new Set([0]));
      expect(shareRight(given, (tests[0] as ContinualTask).labels, 0, 'class')).toBeGreaterThan(0.9);
      expect(() => learner.predict((tests[0] as ContinualTask).x, 'x')).toThrow(
        'there is no task "x"; learned: 0+1, 2+3',
      );
    }
  });

  test('tasks that cannot follow are refused, and the others stay', async () => {
    const [task] = splitTasks(train, 'class') as [ContinualTask];
    const learner = new NetworkLearner(new NoPenalty(), new Random(3), { ...target, steps: 1, scenario: 'class' });
    expect(() => learner.predict(task.x)).toThrow('no task was learned');
    await learner.learn(task);
    const refused: [Partial<ContinualTask>, string][] = [
      [{}, 'task "0+1" was learned before'],
      [{ name: 'b', labels: new Int32Array(0) }, 'has no examples'],
      [{ name: 'b' }, 'has a class of "0+1": 0, 1'],
      [{ name: 'b', classes: ['x', 'x'] }, 'names a class twice'],
      [{ name: 'b', classes: ['x'] }, 'label 1 is none of its 1 classes'],
      [{ name: 'b', classes: ['x', 'y'], x: task.x.slice(null, [0, 3]) }, 'has rows of [3], those before it of [64]'],
    ];
    for (const [change, message] of refused)
      await expect(learner.learn({ ...task, ...change })).rejects.toThrow(message);
    const shared = new HypernetLearner(new Random(3), { ...target, steps: 1, scenario: 'domain' });
    await shared.learn(task);
    await expect(shared.learn({ ...task, name: 'b', classes: ['0', '1', '2'] })).rejects.toThrow(
      'tasks that share their outputs have as many',
    );
    expect(learner.tasks.length).toBe(1);
    const own = new NetworkLearner(new NoPenalty(), new Random(3), { ...target, steps: 1 });
    await own.learn(task);
    expect(() => own.predict(task.x)).toThrow('say which task the rows belong to');
    expect(() => new NetworkLearner(new NoPenalty(), new Random(3), { steps: 0 })).toThrow(
      'steps 0 is no positive whole number',
    );
  });
});
