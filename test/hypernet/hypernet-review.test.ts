import { describe, expect, test, vi } from 'vitest';
import { buildDesign, inputsOf } from '../../src/experiments/protocols/designs.js';
import { anchorAt, consolidation } from '../../src/experiments/protocols/hypernet-guide/consolidation.js';
import { continual } from '../../src/experiments/protocols/hypernet-guide/continual.js';
import { guideStudy } from '../../src/experiments/protocols/hypernet-guide/index.js';
import { negatives } from '../../src/experiments/protocols/hypernet-guide/negatives.js';
import { pruning } from '../../src/experiments/protocols/hypernet-guide/pruning.js';
import { type GuideRun, tested, waveTask } from '../../src/experiments/protocols/hypernet-guide/row.js';
import { summarizeRow } from '../../src/experiments/protocols/hypernet-guide/summary.js';
import { transfer } from '../../src/experiments/protocols/hypernet-guide/transfer.js';
import { NoiseNetwork, trainNoisySine } from '../../src/experiments/protocols/noisy-sine.js';
import { drawTasks, splitTasks, taskMethod, taskScores } from '../../src/experiments/protocols/tasks.js';
import * as h from '../../src/hypernet/index.js';
import { Adam, inference, MLP, minimize, parameters, stateOf } from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const random = () => new Random(5);
const forward = (live: MLP, x: Tensor) => live.forward(x, inference);
describe('initial variances of output rows', () => {
  // in 40 → 120 → 20, h = 50; the first layer widens, so that its bias has a fan-out variance.
  const H = 50;
  const target = new MLP([40, 120, 20], random());
  const varianceOf = (init: h.HypernetInit, name: string, own: MLP | { weight: Tensor } = target) => {
    const options = { init, trunk: h.mlpTrunk([H]) };
    const hypernet = new h.Hypernet(own, new h.VectorCondition(4), random(), options);
    const entry = hypernet.layout.entries.find((candidate) => candidate.name === name) as h.LayoutEntry;
    const rows = stateOf(hypernet)['generator.out.weight'] as Tensor;
    const values = rows.slice([entry.offset, entry.offset + entry.size]).view();
    return values.reduce((sum, value) => sum + value * value, 0) / values.length;
  };
  const expected: Readonly<Record<string, Partial<Record<h.HypernetInit, number>>>> = {
    'blocks.0.linear.weight': {
      'hyperfan-in': 2 / (2 * 40 * H),
      'hyperfan-out': 2 / (120 * H),
      hyperfan: (2 / (2 * 40 * H) + 2 / (120 * H)) / 2,
    },
    'blocks.0.linear.bias': {
      'hyperfan-in': 2 / (2 * H),
      'hyperfan-out': (2 * (1 - 40 / 120)) / H,
      hyperfan: (2 / (2 * H) + (2 * (1 - 40 / 120)) / H) / 2,
    },
    'head.weight': { 'hyperfan-in': 2 / (2 * 120 * H), 'hyperfan-out': 2 / (20 * H) },
    // The last layer narrows: 1 − 120/20 < 0.
    'head.bias': { 'hyperfan-in': 2 / (2 * H), 'hyperfan-out': 0 },
  };

  test('are those of Chang et al., by fan-in, by fan-out and the mean of both', () => {
    for (const [name, byInit] of Object.entries(expected))
      for (const [init, variance] of Object.entries(byInit)) {
        const found = varianceOf(init as h.HypernetInit, name);
        if (variance === 0) expect(found).toBe(0);
        else expect([name, init, Math.abs(found / variance - 1) < 0.15]).toEqual([name, init, true]);
      }
  });

  test('by fan-in, a layer without a generated bias has twice the variance', () => {
    const linear = { weight: parameters(new MLP([40, 20], random()))['head.weight'] as Tensor };
    expect(Math.abs(varianceOf('hyperfan-in', 'weight', linear) / (2 / (40 * H)) - 1)).toBeLessThan(0.15);
  });
});

describe('generated weights, by hand', () => {
  const target = () => new MLP([3, 4, 2], random());
  const codes = uniformTensor(1, [2, 3]);
  /** ReLU(W·token + b) of a trunk of one layer. */
  const features = (hypernet: object, token: readonly number[]) => {
    const state = stateOf(hypernet);
    const [weight, bias] = ['trunk.layers.0.weight', 'trunk.layers.0.bias'].map((name) => state[name] as Tensor);
    return tensor([[...token]])
      .matmul((weight as Tensor).transpose())
      .add(bias as Tensor)
      .relu();
  };
  const flat = (weights: Readonly<Record<string, Tensor>>, network: number) =>
    Object.values(weights).flatMap((weight) => Array.from(weight.slice([network, network + 1]).view()));

  test('chunk k is made from the condition and the k-th embedding, the surplus cut off', () => {
    const options = { generator: h.chunks(7, 2), trunk: h.mlpTrunk([5]) };
    const hypernet = new h.Hypernet(target(), new h.VectorCondition(3), random(), options);
    const state = stateOf(hypernet);
    const embeddings = state['generator.embedding.weight'] as Tensor;
    const size = hypernet.layout.size;
    expect(embeddings.shape).toEqual([Math.ceil(size / 7), 2]);
    const made = hypernet.generate(codes);
    for (const b of [0, 1]) {
      const code = Array.from(codes.slice([b, b + 1]).view());
      const expected = Array.from({ length: embeddings.shape[0] as number }, (_, k) => {
        const own = features(hypernet, [...code, ...embeddings.slice([k, k + 1]).view()]);
        const out = own.matmul((state['generator.out.weight'] as Tensor).transpose());
        return Array.from(out.add(state['generator.out.bias'] as Tensor).view());
      }).flat();
      expectClose(Float32Array.from(flat(made, b)), expected.slice(0, size), 1e-5);
    }
  });

  test('each head makes its own tensor', () => {
    const hypernet = new h.Hypernet(target(), new h.VectorCondition(3), random(), { generator: h.heads('tensor') });
    const names = Object.keys(parameters(target()));
    names.forEach((_, i) => {
      const [weight, bias] = ['weight', 'bias'].map((field) => stateOf(hypernet)[`generator.heads.${i}.${field}`]);
      weight?.assign(new Float32Array(weight.size));
      bias?.assign(new Float32Array(bias.size).fill(i + 1));
    });
    Object.entries(hypernet.generate(codes)).forEach(([name, weight], i) => {
      expect(name).toBe(names[i]);
      expect(new Set(weight.view())).toEqual(new Set([i + 1]));
    });
  });

  test('every strategy makes other weights for another condition', () => {
    for (const generator of [h.once(), h.heads(2), h.components('layer'), h.chunks(5), h.described(5)]) {
      const hypernet = new h.Hypernet(target(), new h.TaskCondition(3, 4, random()), random(), { generator });
      const made = hypernet.generate([0, 2]);
      for (const weight of Object.values(made))
        expect(
          weight
            .slice([0, 1])
            .view()
            .some((value, i) => value !== weight.slice([1, 2]).view()[i]),
        ).toBe(true);
    }
  });

  test('chunks of no size are refused', () => {
    expect(() => h.described(0)).toThrow('positive integer');
  });
});

describe('designs', () => {
  const design = {
    condition: 'noise',
    generation: 'chunks',
    inputs: 'dynamic',
    weights: 'dynamic',
    trunk: 'mlp',
  } as const;
  const x = uniformTensor(1, [16, 2]);
  const valuesOf = (input: unknown) => (Array.isArray(input) ? input : Array.from((input as Tensor).view()));

  test('static inputs are the same at every step, dynamic ones are not', () => {
    for (const condition of ['task', 'data', 'noise'] as const)
      for (const inputs of ['static', 'dynamic'] as const) {
        const draw = inputsOf({ ...design, condition, inputs }, x, random());
        const drawn = [1, 2, 3].map((seed) => JSON.stringify(valuesOf(draw(new Random(seed)))));
        expect(new Set(drawn).size).toBe(inputs === 'static' ? 1 : 3);
      }
  });

  test('one that is built makes weights as named, and learns', async () => {
    const context = { seed: 0, signal: undefined };
    const { isAsNamed, left } = await buildDesign(design, 30, context);
    expect(isAsNamed).toBe(true);
    expect(left).toBeLessThan(0.8);
    const untrained = await buildDesign(design, 0, context);
    expect(untrained.left).toBe(1);
  });
});

describe('noise as the condition', () => {
  test('is fresh at every step and in the test: no draw is seen twice', async () => {
    const drawn: number[][] = [];
    const sample = h.NoiseCondition.prototype.sample;
    const spy = vi.spyOn(h.NoiseCondition.prototype, 'sample').mockImplementation(function (
      this: h.NoiseCondition,
      count,
      own,
    ) {
      const noise = sample.call(this, count, own);
      const values = noise.dataSync();
      for (let i = 0; i < count; i++) drawn.push(Array.from(values.subarray(i * this.size, (i + 1) * this.size)));
      return noise;
    });
    await trainNoisySine(3, new Random(1));
    spy.mockRestore();
    // The mixture of the two test sets is the same hundred networks.
    const keys = drawn.map((values) => values.join());
    expect(drawn.length).toBe(3 * 16 + 100 + 2 * 100);
    expect(new Set(keys).size).toBe(3 * 16 + 100 + 100);
  });

  test('the loss is that of the mixture of networks', () => {
    const model = new NoiseNetwork(new Random(2));
    const [x, y] = [uniformTensor(1, [4, 1]), uniformTensor(2, [4, 1])];
    for (const weight of Object.values(parameters(model)))
      weight.assign(weight.dataSync().map((value) => value + 0.004));
    const outputs = model.forward(x, 3, new Random(3)).view();
    const density = (draw: number, row: number) => {
      const [mean, logVariance] = outputs.subarray(2 * (4 * draw + row)) as unknown as [number, number];
      const variance = Math.exp(logVariance);
      const distance = (y.view()[row] as number) - mean;
      return Math.exp(-(distance ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
    };
    const rows = [0, 1, 2, 3].map((row) => -Math.log((density(0, row) + density(1, row) + density(2, row)) / 3));
    const expected = rows.reduce((sum, value) => sum + value, 0) / 4;
    expect(model.loss({ x, y }, 3, new Random(3)).item()).toBeCloseTo(expected, 4);
  });

  test('networks disagree outside the data and agree inside', async () => {
    const { ratio, inside, epistemic, outside } = await trainNoisySine(250, new Random(0));
    expect(ratio).toBeGreaterThan(2);
    expect(inside).toBeGreaterThan(0.005);
    expect(epistemic[0]).toBeGreaterThan(2 * (epistemic[5] as number));
    // Several plain networks disagree outside too.
    expect(outside.ensemble).toBeLessThan(0.9 * outside.plain);
  });
});

describe('several tasks by one hypernetwork', () => {
  const rules = { left: (a: number) => a < 0, right: (a: number) => a > 0 };
  const data = drawTasks(rules, 60, new Random(1));
  const tasks = splitTasks(data, new Random(2));
  const description = {
    features: tasks.features,
    classes: data.classes,
    taskNames: data.taskNames,
    target: 'target',
    options: { hidden: [8], trunk: [16] },
  };
  const trained = async () => {
    const network = new h.TaskNetwork(2, 2, 1, new Random(3), description.options);
    const parts = tasks.tasks.map(({ train }) => train);
    await minimize(
      network,
      (live) => parts.map(({ x, labels }, t) => h.classLoss(live.forward(x, t), labels)).reduce((a, b) => a.add(b)),
      { steps: 150, random: new Random(4), optimizer: new Adam({ learningRate: 1e-2 }) },
    );
    return new h.TaskModel(network, description);
  };
  const accuracyOf = (model: h.TaskModel, task: string, isPositive: (a: number) => boolean, table = data.table) => {
    const probabilities = model.predictProba(table, new Array<string>(table.rows).fill(task));
    const values = table.columns[0]?.values as Float64Array;
    return values.filter((a, i) => (probabilities[2 * i + 1] as number) > 0.5 === isPositive(a)).length / table.rows;
  };

  test('parts of a task do not overlap, and features know the training rows alone', () => {
    const { train, validation, test: tests } = tasks.tasks[0] as (typeof tasks.tasks)[number];
    const rows = [train, validation, tests].flatMap((part) => Array.from(part.rows));
    expect([train, validation, tests].map((part) => part.labels.length)).toEqual([24, 6, 30]);
    expect(new Set(rows).size).toBe(60);
    const own = tasks.tasks.flatMap((task) => Array.from(task.train.rows));
    const values = own.map((row) => data.table.columns[0]?.values[row] as number);
    const encoder = tasks.features.encoders[0] as { readonly kind: 'number'; readonly mean: number };
    expect(encoder.mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 10);
    tests.rows.forEach((row, i) => {
      expect(tests.labels[i]).toBe(data.labels[row]);
    });
  });

  test('contradict one another and are learnt; the saved model answers alike', async () => {
    const model = await trained();
    expect(accuracyOf(model, 'left', rules.left)).toBeGreaterThan(0.9);
    expect(accuracyOf(model, 'right', rules.right)).toBeGreaterThan(0.9);
    const names = Array.from(data.tasks, (t) => data.taskNames[t] as string);
    const loaded = h.TaskModel.load(model.save());
    expect(loaded.predictProba(data.table, names)).toEqual(model.predictProba(data.table, names));
  });

  test('a new task is learnt by its embedding, the others stay as they are', async () => {
    const model = await trained();
    const before = model.predictProba(data.table, new Array<string>(data.table.rows).fill('left'));
    const rows = Int32Array.from({ length: 20 }, (_, i) => i);
    const values = data.table.columns[0]?.values as Float64Array;
    const few = { rows: 20, columns: data.table.columns.map((own) => ({ ...own, values: own.values.slice(0, 20) })) };
    const labelsOf = (rule: (a: number) => boolean) => rows.map((row) => Number(rule(values[row] as number)));
    // From the same first embedding.
    await model.learn('new', few as typeof data.table, labelsOf(rules.right), new Random(6), { steps: 200 });
    await model.learn('newer', few as typeof data.table, labelsOf(rules.left), new Random(6), { steps: 200 });
    expect(accuracyOf(model, 'new', rules.right)).toBeGreaterThan(0.85);
    expect(accuracyOf(model, 'newer', rules.left)).toBeGreaterThan(0.85);
    expect(model.predictProba(data.table, new Array<string>(data.table.rows).fill('left'))).toEqual(before);
    expect(() => model.predictProba(few as typeof data.table, new Array<string>(20).fill('other'))).toThrow(
      'knows the tasks left, right, new, newer, not "other"',
    );
    await expect(model.learn('left', data.table, data.labels, new Random(0))).rejects.toThrow('knows the task "left"');
  });

  test('more than two classes have a logit each', () => {
    const logits = uniformTensor(1, [3, 4]);
    const labels = Int32Array.of(0, 3, 1);
    const probabilities = h.classProbabilities(logits).view();
    const expected = labels.reduce((sum, label, i) => sum - Math.log(probabilities[4 * i + label] as number) / 3, 0);
    expect(h.classLoss(logits, labels).item()).toBeCloseTo(expected, 5);
    const one = uniformTensor(2, [3, 1]);
    const two = h.classProbabilities(one).view();
    const binary = [1, 0, 1].reduce((sum, label, i) => sum - Math.log(two[2 * i + label] as number) / 3, 0);
    expect(h.classLoss(one, Int32Array.of(1, 0, 1)).item()).toBeCloseTo(binary, 5);
  });

  test('a table needs a task in every row', () => {
    const { table } = data;
    expect(() => h.taskTable(table, 'x1')).toThrow('no column of tasks "task"; the table has x1, x2');
    const columns = [...table.columns, { name: 'task', kind: 'category' as const, values: ['a', undefined, 'b'] }];
    expect(() => h.taskTable({ rows: 3, columns }, 'x1')).toThrow('the task is missing in row 2');
  });

  test('the learning rate is chosen by validation rows, never by test rows', async () => {
    const run = (own: typeof tasks) => {
      const chosen: unknown[] = [];
      const method = taskMethod<MLP>(
        'one',
        own,
        (draws) => {
          const model = new MLP([2, 4, 1], draws);
          return { model, size: 17, logits: forward };
        },
        { steps: 5, trials: 3, random: new Random(0) },
      );
      const given = { title: 'one', seed: 0, random: new Random(7), hooks: {}, progress: () => {} };
      return Promise.resolve(method.train({ ...given, chose: (tuning) => chosen.push(tuning.setting) })).then(
        (model) => ({ chosen, scores: taskScores(model, own) }),
      );
    };
    const flipped = {
      ...tasks,
      tasks: tasks.tasks.map((task) => ({
        ...task,
        test: { ...task.test, labels: task.test.labels.map((y) => 1 - y) },
      })),
    };
    const [usual, other] = [await run(tasks), await run(flipped)];
    expect(other.chosen).toEqual(usual.chosen);
    expect((other.scores.accuracy as number) + (usual.scores.accuracy as number)).toBeCloseTo(100, 6);
  });
});

describe('rows of the guide', () => {
  test('a wave at an angle is the wave turned', () => {
    const { x, y } = waveTask(0, 200, new Random(1));
    const values = x.view();
    y.view().forEach((label, i) => {
      const [a, b] = [values[2 * i] as number, values[2 * i + 1] as number];
      expect(label).toBe(Number(b > Math.sin(2 * a)));
    });
    const turned = waveTask(Math.PI, 200, new Random(1)).y.view();
    const expected = Float32Array.from({ length: 200 }, (_, i) =>
      Number(-(values[2 * i + 1] as number) > Math.sin(-2 * (values[2 * i] as number))),
    );
    expect(turned).toEqual(expected);
  });

  test('run on seeds from 1000 up, and give the gain with its standard error', async () => {
    const drawn: number[] = [];
    const row = {
      ...{ problem: 'any', design: '', plain: '', measure: '', better: 'smaller' as const },
      run: async ({ random }: GuideRun) => {
        drawn.push(random.float());
        return { hypernet: drawn.length, plain: 3 };
      },
    };
    const context = { seed: 2, signal: undefined, progress: () => undefined };
    const { scores } = await guideStudy({ title: '', rows: [row], steps: 1, seeds: 3 }, context);
    expect(drawn).toEqual([1002, 1003, 1004].map((seed) => new Random(seed).split('any').float()));
    // Gains of 2, 1 and 0.
    expect(scores).toEqual({
      ...{ 'any, hypernetwork': 2, 'any, plain': 3, 'any, gain': 1 },
      'any, error': expect.closeTo(1 / Math.sqrt(3), 12),
    });
    expect(summarizeRow({ better: 'larger' }, [{ hypernet: 1, plain: 3 }])).toMatchObject({
      gain: -2,
      error: Number.NaN,
    });
  });

  test('choose a setting by validation alone', async () => {
    const scores = [
      { validation: 1, test: 9 },
      { validation: 3, test: 2 },
      { validation: 3, test: 8 },
    ];
    expect(await tested(scores, async (own) => own)).toBe(2);
  });

  test('weights are held by the Fisher information of the labels that a network draws', () => {
    const network = new MLP([2, 3, 1], new Random(1));
    const { x } = waveTask(0, 2000, new Random(2));
    const anchor = anchorAt(network, x, new Random(3));
    // ∂loss/∂bias of the head = p − y, whose square has the mean p(1 − p).
    const probabilities = network.forward(x, inference).sigmoid().dataSync();
    const expected = probabilities.reduce((sum, p) => sum + (p * (1 - p)) / 2000, 0);
    expect(anchor.fisher['head.bias']?.[0]).toBeCloseTo(expected, 2);
    expect(consolidation(network, [anchor]).item()).toBe(0);
    const bias = parameters(network)['head.bias'] as Tensor;
    bias.assign(bias.dataSync().map((value) => value + 2));
    const moved = 4 * (anchor.fisher['head.bias']?.[0] as number);
    expect(consolidation(network, [anchor, anchor]).item()).toBeCloseTo(moved, 5);
  });

  const run = (steps: number) => ({ steps, random: new Random(0), signal: undefined });

  test('earlier tasks are kept by either penalty', async () => {
    const { hypernet, plain } = await continual.run(run(200));
    expect(hypernet).toBeGreaterThan(88);
    expect(plain).toBeGreaterThan(80);
  });

  test('a quarter of the units is enough after training with masks', async () => {
    const { hypernet, plain } = await pruning.run(run(200));
    expect(Math.min(hypernet, plain)).toBeGreaterThan(80);
  });

  test('generated filters tell digits and their negatives, as filters of the network do', async () => {
    const { hypernet, plain } = await negatives.run(run(100));
    expect(Math.min(hypernet, plain)).toBeGreaterThan(95);
  });

  test('a new task needs its embedding alone', async () => {
    const { hypernet, plain } = await transfer.run({ steps: 150, random: new Random(1), signal: undefined });
    expect(hypernet).toBeGreaterThan(85);
    expect(plain).toBeGreaterThan(70);
  });
});

test('a recurrent cell scales the rows of both matrices by the state of the smaller one', () => {
  const cell = new h.HyperRNN(2, 3, random(), { smallHidden: 4 });
  for (const weight of Object.values(parameters(cell))) weight.assign(weight.dataSync().map((value) => value + 0.1));
  const [x, hidden, small] = [uniformTensor(1, [1, 2]), uniformTensor(2, [1, 3]), uniformTensor(3, [1, 4])];
  const next = cell.cell(x, { hidden, small });
  const code = cell.small.cell(tensor([[...hidden.view(), ...x.view()]]), small);
  const rows = [cell.hiddenScale, cell.inputScale, cell.shift].map((layer) => layer.forward(code).view());
  const [own, input] = [cell.fromHidden.forward(hidden).view(), cell.fromInput.forward(x).view()];
  const sums = [0, 1, 2].map((i) => {
    const [d, e, b] = rows.map((values) => values[i] as number) as [number, number, number];
    return d * (own[i] as number) + e * (input[i] as number) + b;
  });
  expectClose(
    next.hidden.view(),
    cell.norm
      .forward(tensor([sums]))
      .tanh()
      .view(),
    1e-5,
  );
  const sequence = cell.forward(
    tensor([
      [
        [1, 2],
        [3, 4],
      ],
    ]),
  );
  const second = cell.cell(tensor([[3, 4]]), cell.cell(tensor([[1, 2]]), cell.start(1)));
  expectClose(sequence.outputs.slice(null, [1, 2]).view(), second.hidden.view(), 1e-6);
  expect(sequence.outputs.shape).toEqual([1, 2, 3]);
});
