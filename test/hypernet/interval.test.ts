import { describe, expect, test } from 'vitest';
import { glyphDigits } from '../../src/data/index.js';
import {
  type ContinualTask,
  certified,
  HyperInterval,
  InterContiNet,
  IntervalHypernet,
  type IntervalWeights,
  intersection,
  intervalWeightsOf,
  propagate,
  shareRight,
  splitTasks,
  TargetBody,
  TargetNetwork,
  withValidation,
  worstCase,
} from '../../src/hypernet/index.js';
import { parameters, type Weights, withWeights } from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

const values = (weights: Weights) => Object.values(weights).map((weight) => weight.view());

/** How far values lie outside their bounds, at most. */
const outside = (inner: ArrayLike<number>, low: ArrayLike<number>, high: ArrayLike<number>) =>
  Array.from(inner).reduce((most, v, i) => Math.max(most, (low[i] as number) - v, v - (high[i] as number)), -1);
const outsideOf = (weight: Tensor, { lower, upper }: IntervalWeights, name: string) =>
  outside(weight.view(), (lower[name] as Tensor).view(), (upper[name] as Tensor).view());

/** Bounds around the parameters of a network. */
function around(network: object, radius: number, seed: number): IntervalWeights {
  const middle = parameters(network);
  const shifted = (sign: number) =>
    Object.fromEntries(
      Object.entries(middle).map(([name, weight], i) => {
        const by = uniform(seed + i, weight.size).map((u) => sign * radius * Math.abs(u));
        return [name, weight.add(tensor(by, weight.shape))];
      }),
    );
  return { lower: shifted(-1), middle, upper: shifted(1) };
}

/** Weights between the bounds, by random shares. */
function within({ lower, upper }: IntervalWeights, random: Random): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(lower).map(([name, low]) => {
      const share = random.uniform(low.shape);
      return [name, low.add((upper[name] as Tensor).subtract(low).multiply(share))];
    }),
  );
}

/** All corners of the bounds. */
function* corners({ lower, upper }: IntervalWeights): Generator<Record<string, Tensor>> {
  const names = Object.keys(lower);
  const total = names.reduce((n, name) => n + (lower[name] as Tensor).size, 0);
  for (let bits = 0; bits < 2 ** total; bits++) {
    let at = 0;
    yield Object.fromEntries(
      names.map((name) => {
        const [low, high] = [(lower[name] as Tensor).view(), (upper[name] as Tensor).view()];
        const chosen = low.map((value, i) => ((bits >> at++) & 1 ? (high[i] as number) : value));
        return [name, tensor(chosen as Float32Array, (lower[name] as Tensor).shape)];
      }),
    );
  }
}

describe('propagate', () => {
  test.each([
    ['vectors', [6], { hidden: [8, 5] }],
    ['pictures', [2, 8, 8], { channels: [3, 4], hidden: [6] }],
  ] as const)(
    'logits lie between the bounds for any weights between theirs: %s, of any sign',
    (_name, shape, options) => {
      const network = new TargetNetwork(shape, 4, new Random(2), options);
      const weights = around(network, 0.2, 5);
      const size = shape.reduce((a, b) => a * b, 1);
      const x = tensor(uniform(9, 5 * size), [5, ...shape]);
      const { lower, middle, upper } = propagate(network, weights, x);
      expectClose(middle.view(), network.forward(x).view(), 1e-5);
      const random = new Random(3);
      let widest = 0;
      for (let draw = 0; draw < 50; draw++) {
        const logits = withWeights(network, within(weights, random), (live) => live.forward(x)).view();
        logits.forEach((value, i) => {
          const [low, high] = [lower.view()[i] as number, upper.view()[i] as number];
          expect(value).toBeGreaterThanOrEqual(low - 1e-5);
          expect(value).toBeLessThanOrEqual(high + 1e-5);
          widest = Math.max(widest, Math.abs(value - (middle.view()[i] as number)) / (high - low));
        });
      }
      expect(widest).toBeGreaterThan(0.02);
    },
  );

  test('bounds are reached: one layer, and one hidden unit, by all corners of the weights', () => {
    for (const hidden of [[], [1]]) {
      const network = new TargetNetwork([2], 2, new Random(4), { hidden });
      const weights = around(network, 0.7, 11);
      const x = tensor([0.4, -0.9], [1, 2]);
      const { lower, upper } = propagate(network, weights, x);
      const reached = [...corners(weights)].map((w) => withWeights(network, w, (live) => live.forward(x)).view());
      for (const c of [0, 1]) {
        expect(lower.view()[c]).toBeCloseTo(Math.min(...reached.map((y) => y[c] as number)), 5);
        expect(upper.view()[c]).toBeCloseTo(Math.max(...reached.map((y) => y[c] as number)), 5);
      }
    }
  });

  test('the worst case takes the lower bound of the true class and the upper ones of the others', () => {
    const bounds = {
      lower: tensor([
        [1, 2, 3],
        [3, 0, 0],
      ]),
      middle: tensor([
        [2, 3, 4],
        [4, 1, 1],
      ]),
      upper: tensor([
        [3, 4, 5],
        [5, 2, 2.5],
      ]),
    };
    expect([...worstCase(bounds, tensor(Int32Array.of(1, 0))).view()]).toEqual([3, 2, 5, 3, 2, 2.5]);
    expect(certified(bounds, Int32Array.of(1, 0))).toEqual([false, true]);
  });
});

describe('IntervalHypernet', () => {
  const network = new TargetNetwork([4], 3, new Random(1), { hidden: [5] });
  const hypernet = new IntervalHypernet(network, 6, new Random(7), { hidden: [16, 16] });
  const centre = new Random(8).normal([2, 6]);
  const radius = new Random(9).uniform([2, 6], 0, 0.3);

  test('what it makes of a point of the box lies within its bounds', () => {
    const made = hypernet.generate(centre, radius);
    const random = new Random(5);
    for (let draw = 0; draw < 200; draw++) {
      const point = centre.add(radius.multiply(random.uniform([2, 6], -1, 1)));
      const single = hypernet.weights(point);
      for (const [name, weight] of Object.entries(single)) expect(outsideOf(weight, made, name)).toBeLessThan(1e-4);
    }
  });

  test('without hidden layers the bounds are reached in corners of the box', () => {
    const flat = new IntervalHypernet(network, 6, new Random(7), { hidden: [] });
    const made = intervalWeightsOf(flat.generate(centre, radius), 0);
    const [c, r] = [centre.view(), radius.view()];
    const points = Float32Array.from({ length: 64 * 6 }, (_, i) => {
      const [corner, k] = [Math.floor(i / 6), i % 6];
      return (c[k] as number) + ((corner >> k) & 1 ? 1 : -1) * (r[k] as number);
    });
    const all = flat.weights(tensor(points, [64, 6]));
    for (const [name, low] of Object.entries(made.lower)) {
      const reached = (all[name] as Tensor).view();
      const size = low.size;
      const column = (i: number) => Array.from({ length: 64 }, (_, corner) => reached[corner * size + i] as number);
      const high = (made.upper[name] as Tensor).view();
      expectClose(
        low.view(),
        Float32Array.from({ length: size }, (_, i) => Math.min(...column(i))),
        1e-4,
      );
      expectClose(
        high,
        Float32Array.from({ length: size }, (_, i) => Math.max(...column(i))),
        1e-4,
      );
    }
  });

  test('a point has no width, and is what the network makes of it; a smaller box lies within', () => {
    const point = hypernet.generate(centre, radius.multiply(0));
    for (const side of [point.lower, point.upper, hypernet.weights(centre)])
      values(side).forEach((v, i) => {
        expectClose(v, values(point.middle)[i] as Float32Array, 1e-5);
      });
    const [wide, narrow] = [hypernet.generate(centre, radius), hypernet.generate(centre, radius.multiply(0.5))];
    const contains = (outer: IntervalWeights, inner: IntervalWeights) =>
      Object.keys(outer.lower).every((name) =>
        [inner.lower, inner.upper].every((side) => outsideOf(side[name] as Tensor, outer, name) < 1e-5),
      );
    expect(contains(wide, narrow)).toBe(true);
    expect(contains(narrow, wide)).toBe(false);
    const centred = new IntervalHypernet(network, 6, new Random(7), { centred: true });
    expectClose((centred.out.bias as Tensor).view(), centred.layout.pack(parameters(network)), 1e-7);
  });
});

describe('intersection', () => {
  test('largest lower to smallest upper end; midway and counted where there is none', () => {
    const box = (centre: number[], radius: number[]) => ({
      centre: Float64Array.from(centre),
      radius: Float64Array.from(radius),
    });
    const { centre, radius, empty } = intersection([box([0, 0], [2, 1]), box([1, 5], [2, 1])]);
    expect([[...centre], [...radius], empty]).toEqual([[0.5, 2.5], [1.5, 0], 1]);
    expect(() => intersection([])).toThrow('there are no boxes');
  });
});

const rows = (count: number, seed: number) => {
  const { x, labels } = glyphDigits(count, new Random(seed));
  return { x: tensor(x, [count, 64]), labels, classes: Array.from({ length: 10 }, (_, digit) => String(digit)) };
};
const [train, held] = [rows(800, 1), rows(300, 2)];

describe('HyperInterval', () => {
  const options = { target: { hidden: [24] }, steps: 150, batch: 32, hidden: [24], embedding: 8, learningRate: 3e-3 };

  async function learned(learner: HyperInterval, count: number) {
    const kind = learner.scenario;
    const [tasks, tests] = [splitTasks(train, kind), splitTasks(held, kind)] as [ContinualTask[], ContinualTask[]];
    for (const task of tasks.slice(0, count)) await learner.learn(task);
    return tests.slice(0, count).map((own, at) => ({ ...own, at }));
  }

  test('nested: boxes meet, one network answers for all tasks, and certified rows stay right under it', async () => {
    const epsilon = 2;
    const learner = new HyperInterval(new Random(3), { ...options, scenario: 'domain', epsilon, strength: 0.01 });
    const tests = await learned(learner, 3);
    const boxes = learner.boxes;
    const meeting = intersection(boxes);
    const [d, width] = [8, epsilon / 8];
    for (let k = 0; k < d; k++) {
      const centres = boxes.map(({ centre }) => centre[k] as number);
      const expected = 2 * width - (Math.max(...centres) - Math.min(...centres));
      expect(2 * (meeting.radius[k] as number)).toBeCloseTo(expected, 5);
      expect(expected).toBeGreaterThanOrEqual(width - 1e-6);
    }
    expect(meeting.empty).toBe(0);
    let [sure, right] = [0, 0];
    for (const from of ['box', 'point'] as const) {
      const universal = learner.universal(from);
      const alone = new TargetNetwork([64], 2, new Random(0), options.target);
      for (const [name, weight] of Object.entries(parameters(alone))) weight.assign(universal[name] as Tensor);
      for (const { x, labels, at } of tests) {
        const bounds = learner.weightsOf(at);
        for (const [name, weight] of Object.entries(universal))
          expect(outsideOf(weight, bounds, name)).toBeLessThan(1e-5);
        const predicted = learner.predict(x);
        const logits = alone.forward(x).view();
        if (from === 'box')
          expect([...predicted.labels]).toEqual(
            Array.from(labels, (_, i) => Number((logits[2 * i + 1] as number) > (logits[2 * i] as number))),
          );
        learner.certified({ x, labels }, at).forEach((yes, i) => {
          sure += Number(yes);
          right += Number(yes && Number((logits[2 * i + 1] as number) > (logits[2 * i] as number)) === labels[i]);
        });
      }
    }
    expect(sure).toBeGreaterThan(100);
    expect(right).toBe(sure);
    const mean = tests.reduce(
      (s, { x, labels, at }) => s + shareRight(learner.predict(x), labels, at, 'domain') / 3,
      0,
    );
    expect(mean).toBeGreaterThan(0.7);
  });

  test('boxes of learned tasks stay as they are, radii add up to ε, the regulariser keeps their weights', async () => {
    const made = async (strength: number) => {
      const learner = new HyperInterval(new Random(3), { ...options, strength, epsilon: 0.3 });
      const [tasks] = [splitTasks(train, 'task')];
      await learner.learn(tasks[0] as ContinualTask);
      const before = learner.boxes[0];
      const weights = values(learner.weightsOf(0).middle).map((v) => v.slice());
      await learner.learn(tasks[1] as ContinualTask);
      expect(learner.boxes[0]).toEqual(before);
      expect(learner.boxes.map(({ radius }) => radius.reduce((a, b) => a + b, 0))).toEqual([
        expect.closeTo(0.3, 5),
        expect.closeTo(0.3, 5),
      ]);
      const after = values(learner.weightsOf(0).middle);
      return weights.reduce(
        (s, v, i) => s + v.reduce((t, w, k) => t + (w - ((after[i] as Float32Array)[k] as number)) ** 2, 0),
        0,
      );
    };
    const [held0, loose] = [await made(1), await made(0)];
    expect(held0).toBeLessThan(0.2 * loose);
  });

  test('the worst case is trained: more rows are certified than without it', async () => {
    const certifiedShare = async (kappa: number) => {
      const learner = new HyperInterval(new Random(3), { ...options, epsilon: 0.5, kappa });
      const [own] = await learned(learner, 1);
      const flags = learner.certified(own as ContinualTask, 0);
      return flags.filter(Boolean).length / flags.length;
    };
    const [worst, plain] = [await certifiedShare(0.5), await certifiedShare(1)];
    expect(worst).toBeGreaterThan(plain + 0.2);
  });

  test('validation rows choose the state at full ε; classes by entropy; wrong options are refused', async () => {
    const learner = new HyperInterval(new Random(3), { ...options, scenario: 'class', epsilon: 1, strength: 0.1 });
    const tasks = splitTasks(train, 'class')
      .slice(0, 2)
      .map((task) => withValidation(task, 0.1));
    for (const task of tasks) await learner.learn(task);
    const tests = splitTasks(held, 'class').slice(0, 2);
    const shares = tests.map(({ x, labels }, at) => shareRight(learner.predict(x), labels, at, 'class'));
    expect(Math.min(...shares)).toBeGreaterThan(0.3);
    // Each task's own network is the state of least validation loss, not that of the first epoch.
    for (const [at, { x, labels }] of tests.entries())
      expect(shareRight(learner.predict(x, at), labels, at, 'class')).toBeGreaterThan(0.9);
    const nested = new HyperInterval(new Random(3), {
      ...options,
      scenario: 'class',
      nested: true,
      classes: 4,
      epsilon: 0.02,
    });
    for (const task of tasks) await nested.learn(task);
    for (const [at, { x, labels }] of tests.entries())
      expect(shareRight(nested.predict(x, at), labels, at, 'class')).toBeGreaterThan([0.5, 0.9][at] as number);
    const answered = nested.predict((tests[0] as ContinualTask).x);
    expect([...answered.tasks, ...answered.labels].every((each) => each === 0 || each === 1)).toBe(true);
    expect(learner.stored.rest).toBeGreaterThan(0);
    expect(() => new HyperInterval(new Random(1), { epsilon: -1 })).toThrow('ε must be at least 0, got -1');
    expect(() => new HyperInterval(new Random(1), { kappa: 2 })).toThrow('κ must be between 0 and 1');
    await expect(
      learner.learn({ ...(tasks[0] as ContinualTask), name: 'c', classes: ['x', 'y', 'z'] }),
    ).rejects.toThrow('there are 3 classes, the networks have 2 outputs');
  });
});

describe('InterContiNet', () => {
  const options = { target: { hidden: [24] }, steps: 150, batch: 32, learningRate: 1, scale: 1, scaleRate: 30 };

  test.each(['task', 'domain', 'class'] as const)(
    'intervals only contract, and what they hold is not forgotten: %s',
    async (scenario) => {
      const learner = new InterContiNet(new Random(3), { ...options, scenario, radius: 0.1 });
      const [tasks, tests] = [splitTasks(train, scenario), splitTasks(held, scenario)];
      await learner.learn(tasks[0] as ContinualTask);
      const before = learner.bounds;
      const { x, labels } = tests[0] as ContinualTask;
      const first = learner.predict(x, 0);
      expect(shareRight(first, labels, 0, scenario)).toBeGreaterThan(0.85);
      await learner.learn(tasks[1] as ContinualTask);
      for (const name of Object.keys(before.lower)) {
        const now = learner.bounds;
        for (const side of [now.lower, now.upper])
          expect(outsideOf(side[name] as Tensor, before, name)).toBeLessThan(1e-5);
      }
      if (scenario === 'class') {
        const { tasks: found } = learner.predict(x);
        expect(found.every((task) => task === 0 || task === 1)).toBe(true);
        return;
      }
      // Rows that are right for any weights of the intervals stay right for those of the second task.
      const network = { body: new TargetBody([64], new Random(0), options.target) };
      const sure = certified(propagate(network, before, x, 'heads.0'), labels);
      const after = learner.predict(x, 0);
      expect(sure.filter(Boolean).length).toBeGreaterThan(10);
      expect(sure.every((yes, i) => !yes || after.labels[i] === labels[i])).toBe(true);
      const second = tests[1] as ContinualTask;
      if (scenario === 'task')
        expect(shareRight(learner.predict(second.x, 1), second.labels, 1, scenario)).toBeGreaterThan(0.6);
    },
  );

  test('refuses a radius of 0, and asks for the task where each has its outputs', async () => {
    expect(() => new InterContiNet(new Random(1), { radius: 0 })).toThrow('the radius must be positive, got 0');
    const learner = new InterContiNet(new Random(3), { ...options, steps: 3 });
    await learner.learn(splitTasks(train, 'task')[0] as ContinualTask);
    expect(() => learner.predict(train.x)).toThrow('say which task the rows belong to');
    expect(learner.stored.rest).toBe(2 * (64 * 24 + 24 + 24 * 2 + 2));
  });
});
