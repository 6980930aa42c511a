import { describe, expect, test } from 'vitest';
import { glyphDigits } from '../../src/data/index.js';
import {
  type ContinualTask,
  certified,
  HyperInterval,
  InterContiNet,
  intersection,
  propagate,
  shareRight,
  splitTasks,
  TargetBody,
  TargetNetwork,
  withValidation,
} from '../../src/hypernet/index.js';
import { parameters, stateOf } from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';
import { outsideOf, values } from './interval-bounds.js';

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

  test.each([
    ['nested', 'domain', true, 12],
    ['by task', 'task', true, 4],
    ['divided once', 'task', false, 2],
  ] as const)(
    'the loss has β times the mean change of earlier tasks, by a loop: %s',
    async (_n, scenario, dividedTwice, divisor) => {
      const run = async (strength: number, steps: number) => {
        const learner = new HyperInterval(new Random(3), {
          ...{ ...options, scenario, dividedTwice, strength, steps: 1, epsilon: 5 },
        });
        const tasks = splitTasks(train, scenario);
        for (const task of tasks.slice(0, 2)) await learner.learn(task);
        // Features that are not 0 where ε is, so that one step moves bounds apart.
        for (const [name, weight] of Object.entries(stateOf(learner)))
          if (/trunk.*bias/.test(name)) weight.view().fill(0.3);
        const made = () =>
          [0, 1].flatMap((at) => {
            const { lower, middle, upper } = learner.weightsOf(at);
            return (scenario === 'domain' ? [lower, middle, upper] : [middle]).flatMap((side) =>
              values(side).map((v) => v.slice()),
            );
          });
        const before = made();
        Object.assign(learner, { steps });
        const losses: number[] = [];
        await learner.learn(tasks[2] as ContinualTask, { onEpoch: ({ loss }) => losses.push(loss) });
        const change = made().reduce(
          (total, weight, i) =>
            total + weight.reduce((t, w, k) => t + (w - ((before[i] as Float32Array)[k] as number)) ** 2, 0),
          0,
        );
        return { losses, change };
      };
      // The first step, at what was recorded, does not depend on β; the second sees what it changed.
      const [{ change }, weak, strong] = [await run(1, 1), await run(1, 2), await run(3, 2)];
      expect(strong.losses[0]).toBe(weak.losses[0]);
      const gained = (strong.losses[1] as number) - (weak.losses[1] as number);
      expect(gained / ((2 * change) / divisor)).toBeCloseTo(1, 2);
    },
  );

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
    // c = ε/(2d)·cos e, which the widths of the intersection alone do not tell.
    for (const [at, { centre }] of boxes.entries())
      expectClose(
        Float32Array.from(centre),
        (stateOf(learner)[`model.embeddings.${at}`] as Tensor).view().map((e) => (width / 2) * Math.cos(e)),
        1e-6,
      );
    let [sure, right] = [0, 0];
    for (const from of ['box', 'point'] as const) {
      const universal = learner.universal(from);
      const { hypernet } = learner.model as NonNullable<HyperInterval['model']>;
      const vector = (field: Float64Array) => tensor(Float32Array.from(field), [1, d]);
      const expected =
        from === 'box'
          ? hypernet.generate(vector(meeting.centre), vector(meeting.radius)).middle
          : hypernet.weights(vector(meeting.centre));
      for (const [name, weight] of Object.entries(universal))
        expectClose(weight.view(), (expected[name] as Tensor).view(), 1e-6);
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

  test('a training begins with points and the loss of the middle; boxes and the worst case come in its first half', async () => {
    const losses = async (epsilon: number, kappa: number, steps: number) => {
      const learner = new HyperInterval(new Random(3), { ...options, scenario: 'task', steps, epsilon, kappa });
      const seen: number[] = [];
      const [task] = splitTasks(train, 'task') as [ContinualTask];
      await learner.learn(task, { onEpoch: ({ loss }) => seen.push(loss) });
      return seen;
    };
    const [first] = await losses(0.5, 1, 1);
    expect(await losses(50, 1, 1)).toEqual([first]);
    expect(await losses(50, 0, 1)).toEqual([first]);
    // The worst case of wide boxes is a thousand times the loss of the middle: it has its whole weight
    // 1 − κ from the second half on, and 1 in 20,000 a step before.
    const [two, three] = [await losses(50, 0, 2), await losses(50, 0, 3)];
    const worst = two[1] as number;
    expect(worst).toBeGreaterThan(1000 * (first as number));
    expect(three[1]).toBeLessThan(0.01 * worst);
    expect(three[2]).toBeGreaterThan(0.5 * worst);
    const mean = (all: readonly number[]) => all.reduce((sum, loss) => sum + loss, 0) / all.length;
    expect(mean(await losses(50, 0.5, 60))).toBeGreaterThan(2 * mean(await losses(0.5, 0.5, 60)));
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
