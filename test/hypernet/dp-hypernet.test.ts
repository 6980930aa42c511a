import { describe, expect, test } from 'vitest';
import { glyphDigits } from '../../src/data/index.js';
import {
  type ContinualTask,
  DependencyHypernet,
  type DependencyHypernetOptions,
  type Descent,
  Layout,
  permutedTasks,
  RecurrentHypernet,
  shareRight,
  TargetNetwork,
} from '../../src/hypernet/index.js';
import {
  gradientsOf,
  type Linear,
  parameterCount,
  parameterOwners,
  parameters,
  type Weights,
} from '../../src/nn/index.js';
import { Random, square, sum, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkModelGradient, expectClose } from '../oracle.js';

const target = new TargetNetwork([5], 3, new Random(1), { hidden: [4, 4] });
const layout = new Layout(Object.fromEntries(parameterOwners(target).map(({ name, tensor: t }) => [name, t.shape])));
const options = { units: 6, position: 3, chunk: 10 };
const make = (more: object = {}) => new RecurrentHypernet(layout, 4, new Random(2), { ...options, ...more });
const codes = new Random(3).normal([2, 4]);
const flat = (weights: Weights, task = 0) =>
  layout.pack(
    Object.fromEntries(
      Object.entries(weights).map(([name, w]) => [name, w.slice([task, task + 1]).reshape(w.shape.slice(1))]),
    ),
  );

/** Which steps change when the embedding of a step does. */
function dependence(net: RecurrentHypernet): boolean[][] {
  const before = flat(net.generate(codes, [0, 1]));
  const starts = net.sizes.map((_size, s) => net.sizes.slice(0, s).reduce((a, b) => a + b, 0));
  return net.sizes.map((_size, moved) => {
    const kept = net.positions.clone();
    const values = net.positions.view().slice();
    for (let k = 0; k < 3; k++) values[moved * 3 + k] = (values[moved * 3 + k] as number) + 0.3;
    net.positions.assign(values);
    const after = flat(net.generate(codes, [0, 1]));
    net.positions.assign(kept);
    return net.sizes.map((size, s) =>
      before.slice(starts[s], (starts[s] as number) + size).some((v, i) => v !== after[(starts[s] as number) + i]),
    );
  });
}

describe('RecurrentHypernet', () => {
  test('steps lie in the order of the layers, none spans two, and they make up every weight', () => {
    const net = make();
    // Layers of 24, 20 and 15 weights.
    expect(net.sizes).toEqual([10, 10, 4, 10, 10, 10, 5]);
    expect(make({ chunk: 0 }).sizes).toEqual([24, 20, 15]);
    const { out } = net.units[0] as { out: Linear };
    out.weight.assign(out.weight.multiply(0));
    (out.bias as Tensor).assign(Float32Array.from({ length: 10 }, (_, i) => i));
    expect([...flat(net.generate(codes, [0, 1]), 1)]).toEqual(
      net.sizes.flatMap((size) => Array.from({ length: size }, (_, i) => i)),
    );
  });

  test.each(['lstm', 'gru'] as const)('weights depend on the steps before them and on no later one: %s', (cell) => {
    expect(dependence(make({ cell }))).toEqual(
      Array.from({ length: 7 }, (_, moved) => Array.from({ length: 7 }, (_, s) => s >= moved)),
    );
    const layer = [0, 0, 0, 1, 1, 2, 2];
    expect(dependence(make({ cell, cut: true }))).toEqual(
      layer.map((own, moved) => layer.map((other, s) => other === own && s >= moved)),
    );
  });

  test('has 4n(d_e + d_c + n + 2) + m(n + 1) + S·d_c parameters; several tasks are made as one by one', () => {
    const net = make();
    const n = 6;
    expect(parameterCount(net)).toBe(4 * n * (4 + 3 + n + 2) + 10 * (n + 1) + 7 * 3);
    const both = net.generate(codes, [0, 1]);
    for (const task of [0, 1])
      expectClose(flat(net.generate(codes.slice([task, task + 1]), [task])), flat(both, task), 1e-6);
  });

  test('gradients through all steps are those of central differences', () => {
    const net = make({ chunk: 3 });
    expect(net.sizes.length).toBeGreaterThanOrEqual(20);
    const loss = (live: RecurrentHypernet) =>
      Object.values(live.generate(codes, [0, 1]))
        .map((w) => sum(square(w)))
        .reduce((a, b) => a.add(b));
    checkModelGradient(net, loss);
  });

  test('growth: earlier tasks are made as before, whatever becomes of the new units', () => {
    const net = make();
    const before = flat(net.generate(codes, [0, 1]));
    const later = flat(net.generate(codes, [0, 1]), 1);
    net.grow(3, 1, new Random(9));
    expect(flat(net.generate(codes, [0, 1]))).toEqual(before);
    // Nor does the growth itself change what is made for tasks to come.
    expect(flat(net.generate(codes, [0, 1]), 1)).toEqual(later);
    const { gradients } = gradientsOf(net, (live) => {
      const made = live.generate(codes.slice([0, 1]), [0]);
      return Object.values(made)
        .map((w) => sum(square(w)))
        .reduce((a, b) => a.add(b));
    });
    const fresh = Object.keys(parameters(net)).filter((name) => name.startsWith('units.1.'));
    expect(fresh.length).toBe(5);
    for (const name of fresh) expect((gradients[name] as Tensor).view().every((g) => g === 0)).toBe(true);
    for (const name of fresh) (parameters(net)[name] as Tensor).view().fill(0.4);
    const after = net.generate(codes, [0, 1]);
    expect(flat(after, 0)).toEqual(before);
    expect(flat(after, 1)).not.toEqual(flat(net.generate(codes, [0, 0]), 1));
    // New units read old ones: with the state of the old at 0 they make something else.
    expect((net.units[1] as { cell: { inFeatures: number } }).cell.inFeatures).toBe(4 + 3 + 6);
    expect(() => make({ units: 0 })).toThrow('there are 0 units');
  });
});

/** The learner with its regulariser in the open. */
class Open extends DependencyHypernet {
  moved(made: Weights, recorded: Weights, tasks: readonly number[]): number {
    return this.regularizer(made, recorded, tasks).item();
  }
  /** Weights of the tasks now, and the outputs of the units where those are held. */
  made(tasks: readonly number[]): Weights {
    return this.madeFor(this.model as never, tasks);
  }
  /** The regulariser of the first task, of a hypernetwork. */
  change(hypernet: RecurrentHypernet, recorded: Weights): Tensor {
    return this.regularizer(this.madeFor({ ...this.model, hypernet } as never, [0]), recorded, [0]);
  }
  /** What each descent was held to, of the first task. */
  readonly held: Float32Array[][] = [];
  protected override descend(descent: Descent): Promise<number[]> {
    this.held.push(Object.values(descent.recorded).map((weight) => weight.slice([0, 1]).view().slice()));
    return super.descend(descent);
  }
}

describe('DependencyHypernet', () => {
  const rows = (count: number, seed: number) => {
    const { x, labels } = glyphDigits(count, new Random(seed));
    return { x: tensor(x, [count, 64]), labels, classes: Array.from({ length: 10 }, (_, digit) => String(digit)) };
  };
  const [train, held] = [rows(600, 1), rows(300, 2)];
  const [tasks, tests] = [train, held].map((data) => permutedTasks(data, 3, 'task', new Random(4))) as [
    ContinualTask[],
    ContinualTask[],
  ];
  const learner = (more: DependencyHypernetOptions = {}) =>
    new Open(new Random(3), {
      ...{ target: { hidden: [16] }, steps: 60, batch: 32, learningRate: 5e-3 },
      ...{ units: 16, chunk: 200, embedding: 8, strength: 0.1, samples: 20 },
      ...more,
    });
  const scores = (own: DependencyHypernet) =>
    tests.slice(0, own.tasks.length).map(({ x, labels }, at) => shareRight(own.predict(x, at), labels, at, 'task'));

  test('holds earlier tasks, which it forgets without the regulariser', async () => {
    const [held0, loose] = [learner({ steps: 120 }), learner({ steps: 120, strength: 0 })];
    for (const task of tasks.slice(0, 2)) {
      await held0.learn(task);
      await loose.learn(task);
    }
    expect(scores(held0)[0]).toBeGreaterThan((scores(loose)[0] as number) + 0.1);
  });

  test('weighs squared changes by importances of mean 1; the embedding of a learned task stays', async () => {
    for (const importance of ['full', 'step'] as const) {
      const own = learner({ importance, steps: 20 });
      await own.learn(tasks[0] as ContinualTask);
      const [found] = own.importances as [Tensor];
      const { sizes, layout: all } = (own.model as { hypernet: RecurrentHypernet }).hypernet;
      const each =
        importance === 'full' ? [...found.view()] : sizes.flatMap((size, s) => new Array(size).fill(found.view()[s]));
      expect(each.length).toBe(all.size);
      expect(each.reduce((a, b) => a + b, 0) / each.length).toBeCloseTo(1, 4);
      expect(Math.min(...each)).toBeGreaterThanOrEqual(0.5 - 1e-6);
      expect(Math.max(...each)).toBeGreaterThan(1.05);
      const embedding = own.model?.embeddings[0]?.view().slice();
      const recorded = own.made([0]);
      await own.learn(tasks[1] as ContinualTask);
      expect(own.model?.embeddings[0]?.view()).toEqual(embedding);
      const made = own.made([0]);
      let [expected, offset] = [0, 0];
      for (const { name, size } of all.entries) {
        const [a, b] = [(made[name] as Tensor).view(), (recorded[name] as Tensor).view()];
        for (let i = 0; i < size; i++) expected += each[offset + i] * ((a[i] as number) - (b[i] as number)) ** 2;
        offset += size;
      }
      expect(expected).toBeGreaterThan(0);
      expect(own.moved(made, recorded, [0]) / expected).toBeCloseTo(1, 4);
      expect(own.stored.rest).toBe(parameterCount(own.model?.hypernet as object) + 2 * 8 + 2 * found.size);
    }
  });

  test('coupled steps: outputs of the units are held, too, at λ_h', async () => {
    const [own, loose] = [learner({ importance: 'none', coupling: 0.5, steps: 20 }), learner({ importance: 'none' })];
    await own.learn(tasks[0] as ContinualTask);
    const recorded = own.made([0]);
    await own.learn(tasks[1] as ContinualTask);
    const made = own.made([0]);
    let expected = 0;
    for (const [name, before] of Object.entries(recorded)) {
      const [a, b] = [(made[name] as Tensor).view(), before.view()];
      for (let i = 0; i < before.size; i++)
        expected += (name.startsWith('states') ? 0.5 : 1) * ((a[i] as number) - (b[i] as number)) ** 2;
    }
    expect(recorded['states 0']?.shape).toEqual([1, own.model?.hypernet.sizes.length, 16]);
    expect(own.moved(made, recorded, [0]) / expected).toBeCloseTo(1, 4);
    await loose.learn(tasks[0] as ContinualTask);
    expect(Object.keys(loose.made([0])).some((name) => name.startsWith('states'))).toBe(false);
    expect(() => learner({ coupling: -1 })).toThrow('the coupling must be at least 0, got -1');
  });

  test.each(['full', 'step'] as const)(
    'the gradient of the regulariser is that of central differences: %s',
    async (importance) => {
      const own = learner({ importance, coupling: 0.5, steps: 5, units: 5, chunk: 80, target: { hidden: [6] } });
      await own.learn(tasks[0] as ContinualTask);
      const recorded = own.made([0]);
      await own.learn(tasks[1] as ContinualTask);
      checkModelGradient(own.model?.hypernet as RecurrentHypernet, (live) => own.change(live, recorded), {
        step: 3e-3,
        absolute: 2e-3,
      });
    },
  );

  test('a trial before growth is held to what was made before it', async () => {
    const own = learner({ steps: 12, growAbove: 1e-3, importance: 'none' });
    await own.learn(tasks[0] as ContinualTask);
    const before = Object.values(own.made([0])).map((weight) => weight.view().slice());
    await own.learn(tasks[1] as ContinualTask);
    expect(own.model?.hypernet.since).toEqual([1]);
    expect(own.held).toEqual([[], before, before]);
  });

  test('the loss has β times the mean weighted change of earlier tasks, by a loop', async () => {
    const run = async (strength: number, steps: number) => {
      const own = learner({ strength, steps: 1 });
      for (const task of tasks.slice(0, 2)) await own.learn(task);
      const before = own.made([0, 1]);
      Object.assign(own, { steps });
      const losses: number[] = [];
      await own.learn(tasks[2] as ContinualTask, { onEpoch: ({ loss }) => losses.push(loss) });
      return { losses, change: own.moved(own.made([0, 1]), before, [0, 1]) };
    };
    // The first step, at what was recorded, does not depend on β; the second sees what it changed.
    const [{ change }, weak, strong] = [await run(1, 1), await run(1, 2), await run(3, 2)];
    expect(strong.losses[0]).toBe(weak.losses[0]);
    expect(((strong.losses[1] as number) - (weak.losses[1] as number)) / change).toBeCloseTo(1, 2);
  });

  test('importances are mean squared gradients of single rows by the generated weights', async () => {
    const own = learner({ steps: 5, floor: 0, samples: 600, target: { hidden: [] } });
    const few = { ...(tasks[0] as ContinualTask), x: train.x.slice([0, 10]), labels: train.labels.slice(0, 10) };
    await own.learn(few);
    const made = own.weightsOf(0);
    const [w, b, x] = [made['head.weight'], made['head.bias'], few.x].map((t) =>
      (t as Tensor).view(),
    ) as Float32Array[];
    const squares = new Float64Array(650);
    for (let i = 0; i < 10; i++) {
      const logits = Array.from({ length: 10 }, (_, c) =>
        Array.from({ length: 64 }, (_, k) => k).reduce(
          (s, k) => s + (w?.[c * 64 + k] as number) * (x?.[i * 64 + k] as number),
          b?.[c] as number,
        ),
      );
      const total = logits.reduce((s, v) => s + Math.exp(v), 0);
      for (let c = 0; c < 10; c++) {
        const error = Math.exp(logits[c] as number) / total - Number(few.labels[i] === c);
        squares[640 + c] = (squares[640 + c] as number) + error ** 2;
        for (let k = 0; k < 64; k++)
          squares[c * 64 + k] = (squares[c * 64 + k] as number) + (error * (x?.[i * 64 + k] as number)) ** 2;
      }
    }
    const average = squares.reduce((a, v) => a + v, 0) / 650;
    expectClose(
      (own.importances[0] as Tensor).view(),
      Float32Array.from(squares, (v) => v / average),
      1e-3,
    );
  });

  test('grows every so many tasks, or where the loss stays high; frozen tasks stay to the bit', async () => {
    const own = learner({ steps: 20, growEvery: 1, growths: 1, freezeOld: true, importance: 'none' });
    await own.learn(tasks[0] as ContinualTask);
    const before = Object.values(own.weightsOf(0)).map((weight) => weight.view().slice());
    await own.learn(tasks[1] as ContinualTask);
    expect(own.model?.hypernet.since).toEqual([1]);
    expect(Object.values(own.weightsOf(0)).map((weight) => weight.view())).toEqual(before);
    await own.learn(tasks[2] as ContinualTask);
    expect(own.model?.hypernet.since).toEqual([1]);
    for (const [growAbove, grown] of [
      [0.01, 1],
      [1e6, 0],
    ] as const) {
      const each = learner({ steps: 12, growAbove, importance: 'none' });
      for (const task of tasks.slice(0, 2)) await each.learn(task);
      expect(each.model?.hypernet.since.length).toBe(grown);
    }
    expect(() => learner().grow()).toThrow('nothing to grow before the first task');
    const busy = learner({ steps: 4 });
    const learning = busy.learn(tasks[0] as ContinualTask);
    expect(() => busy.grow()).toThrow('a task is being learned; grow before or after it');
    await learning;
    busy.grow();
    expect(busy.model?.hypernet.since).toEqual([1]);
    expect(() => learner({ floor: 2 })).toThrow('the floor 2 is no share');
  });

  test('is held to a few earlier tasks where asked; the surest network answers without the task', async () => {
    const own = learner({ steps: 20, remembered: 1 });
    for (const task of tasks) await own.learn(task);
    const { tasks: found } = own.predict((tests[2] as ContinualTask).x);
    expect(found.every((task) => task >= 0 && task < 3)).toBe(true);
    expect(new Set(found).size).toBeGreaterThan(1);
  });
});
