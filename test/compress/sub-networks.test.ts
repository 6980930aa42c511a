import { describe, expect, test } from 'vitest';
import {
  type Examples,
  InitialFitness,
  imageExamples,
  informedNodes,
  type KeptNodes,
  NodeSpace,
  removeChannels,
  rowExamples,
  scoreMargin,
  scoresOn,
  searchSetOf,
  searchSubNetwork,
  sparseBaselines,
  trainOnExamples,
} from '../../src/compress/index.js';
import { LeNet, SmallVGG } from '../../src/models/index.js';
import {
  bootstrapInterval,
  bootstrapRows,
  Conv2d,
  gradientsOf,
  heInitialize,
  inference,
  isHeInitializable,
  type Layer,
  Linear,
  MLP,
  parameterCount,
  parameters,
  replaceWeights,
  stateOf,
} from '../../src/nn/index.js';
import { globalAveragePool, maxPool2d, Random, type Tensor, tensor, zeros } from '../../src/tensor/index.js';

const SIDE = 12;

/** Rows of two features about class centres. */
function rows(count: number, random: Random, width = 6, classes = 3): Examples {
  const labels = Int32Array.from({ length: count }, () => random.integer(classes));
  const values = Float32Array.from(
    { length: count * width },
    (_, at) => random.gaussian() + 2 * Number(at % width === labels[Math.floor(at / width)]),
  );
  return rowExamples({ count, width, values }, { labels });
}

/** Pictures of noise with a bright corner by class. */
function pictures(count: number, random: Random): Examples {
  const labels = Int32Array.from({ length: count }, () => random.integer(2));
  const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, (_, at) => {
    const [image, place] = [Math.floor(at / (SIDE * SIDE)), at % (SIDE * SIDE)];
    const bright = labels[image] === 1 ? place < 60 : place > 84;
    return Math.min(255, random.integer(150) + (bright ? 90 : 0));
  });
  const images = { count, channels: 1, height: SIDE, width: SIDE, pixels, labels };
  return imageExamples(images, { mean: [0.4], deviation: [0.3] });
}

/** A small convolutional network with a flat head. */
class SmallConv implements Layer {
  readonly first: Conv2d;
  readonly second: Conv2d;
  readonly head: Linear;
  constructor(random: Random) {
    this.first = new Conv2d(1, 8, 3, random.split(1), { padding: 1 });
    this.second = new Conv2d(8, 6, 3, random.split(2), { padding: 1 });
    this.head = new Linear(6, 2, random.split(3));
  }
  forward(x: Tensor): Tensor {
    const a = maxPool2d(this.first.forward(x).relu(), 2);
    return this.head.forward(globalAveragePool(this.second.forward(a).relu()));
  }
}

const random = new Random(7);
const all = (count: number) => Int32Array.from({ length: count }, (_, i) => i);
const bits = (model: Layer) =>
  Object.fromEntries(Object.entries(stateOf(model)).map(([name, own]) => [name, Array.from(own.view())]));

/** Zeroes what a node writes: its weights' rows and its bias. */
function mask(model: Layer, names: readonly string[], kept: KeptNodes): void {
  const state = stateOf(model);
  names.forEach((name, layer) => {
    const on = new Set(kept[layer]);
    for (const part of ['weight', 'bias']) {
      const own = state[`${name}.${part}`] as Tensor;
      const size = own.size / (own.shape[0] as number);
      const values = own.view();
      for (let node = 0; node < (own.shape[0] as number); node++)
        if (!on.has(node)) values.fill(0, node * size, (node + 1) * size);
    }
  });
}

const parents = {
  MLP: () => ({
    model: new MLP([6, 10, 8, 3], random.split('mlp')),
    examples: rows(40, random.split('rows')),
    names: ['blocks.0.linear', 'blocks.1.linear'],
  }),
  'convolutional network': () => ({
    model: new SmallConv(random.split('conv')),
    examples: pictures(30, random.split('pictures')),
    names: ['first', 'second'],
  }),
};

describe.each(Object.entries(parents))('sub-networks of a %s', (_, make) => {
  test('compute what the parent with masked nodes does, with the same gradients', () => {
    const { model, examples, names } = make();
    const twin = make().model;
    const nodes = new NodeSpace(model, examples.inputs(all(1)));
    expect(nodes.layers.map(({ name }) => name)).toEqual(names);
    const kept = nodes.space.decode(nodes.sample(new Random(3), { sparsity: 0.5 }));
    mask(twin, names, kept);
    replaceWeights(model, nodes.cut(stateOf(model), kept));
    const x = examples.inputs(all(examples.count));
    const loss = (own: Layer) => examples.loss(own.forward(x, inference), all(examples.count));
    const [ours, masked] = [gradientsOf<Layer>(model, loss), gradientsOf<Layer>(twin, loss)];
    expect(ours.loss.item()).toBeCloseTo(masked.loss.item(), 5);
    const gradient = nodes.cut(masked.gradients, kept);
    for (const [name, own] of Object.entries(ours.gradients)) {
      const expected = (gradient[name] ?? masked.gradients[name]) as Tensor;
      expect(own.shape).toEqual(expected.shape);
      own.view().forEach((value, at) => {
        expect(Math.abs(value - (expected.view()[at] as number))).toBeLessThan(1e-5);
      });
    }
  });

  test("keep the bits of the parent's values, and exactly k nodes a layer", () => {
    const { model, examples, names } = make();
    const nodes = new NodeSpace(model, examples.inputs(all(1)));
    const before = stateOf(model);
    for (const sparsity of [0, 0.3, 0.5, 0.9, 0.97]) {
      const kept = nodes.space.decode(nodes.sample(new Random(5), { sparsity }));
      expect(kept.map(({ length }) => length)).toEqual(
        nodes.layers.map((layer) => Math.max(1, Math.round((1 - sparsity) * layer.nodes))),
      );
      const first = nodes.cut(before, kept)[`${names[0]}.weight`] as Tensor;
      const whole = before[`${names[0]}.weight`] as Tensor;
      const size = whole.size / (whole.shape[0] as number);
      expect(Array.from(first.view())).toEqual(
        Array.from(kept[0] as Int32Array).flatMap((node) =>
          Array.from(whole.view().subarray(node * size, (node + 1) * size)),
        ),
      );
    }
  });

  test('have the same loss by the shared first layer and by a plain pass', () => {
    const { model, examples } = make();
    const nodes = new NodeSpace(model, examples.inputs(all(1)));
    const shared = new InitialFitness(model, nodes, examples, random);
    expect(shared.sharedLayer).toBe(nodes.layers[0]?.name);
    const draws = Array.from({ length: 6 }, (_, at) =>
      nodes.space.decode(nodes.sample(new Random(at), { sparsity: 0.6 })),
    );
    const fast = draws.map((kept) => shared.of(kept));
    shared.release();
    const before = bits(model);
    const plain = new InitialFitness(model, nodes, examples, random, { shareFirst: false });
    expect(plain.sharedLayer).toBeUndefined();
    const slow = draws.map((kept) => plain.of(kept));
    plain.release();
    expect(bits(model)).toEqual(before);
    fast.forEach((loss, at) => {
      expect(Math.abs(loss - (slow[at] as number))).toBeLessThan(1e-5);
    });
    // By hand: the mean loss of the sub-network that is cut out.
    replaceWeights(model, nodes.cut(stateOf(model), draws[0] as KeptNodes));
    const whole = all(examples.count);
    const logits = model.forward(examples.inputs(whole), inference);
    expect(examples.loss(logits, whole).item()).toBeCloseTo(fast[0] as number, 5);
  });
});

describe('the search of sub-networks', () => {
  const data = rows(120, new Random(1));
  const parent = () => new MLP([6, 10, 8, 3], new Random(2));

  test('finds the best of all 20 sub-networks of 3 of 6 nodes', async () => {
    const network = () => new MLP([6, 6, 3], new Random(4));
    const model = network();
    const nodes = new NodeSpace(model, data.inputs(all(1)));
    const judge = new InitialFitness(model, nodes, searchSetOf(data, new Random(9), 80), new Random(9));
    const every = [...nodes.space.all()].filter((genome) => genome.reduce((a, b) => a + b, 0) === 3);
    expect(every).toHaveLength(20);
    const least = Math.min(...every.map((genome) => judge.of(nodes.space.decode(genome))));
    judge.release();
    const found = await searchSubNetwork(model, data, new Random(9), {
      ...{ sparsity: 0.5, candidates: 300, searchSet: 80 },
    });
    expect(found.best.fitness).toBe(least);
    expect(new Set(found.trials.map(({ genome }) => genome.join())).size).toBe(20);
    // The model is the best candidate, with the values of its parent.
    const whole = network();
    replaceWeights(whole, found.nodes.cut(stateOf(whole), found.kept));
    expect(bits(model)).toEqual(bits(whole));
  });

  test('of one candidate is the random arm, bit for bit; more change neither it nor the search set', async () => {
    const [one, many] = [parent(), parent()];
    const single = await searchSubNetwork(one, data, new Random(5), { sparsity: 0.6, candidates: 1 });
    const search = await searchSubNetwork(many, data, new Random(5), { sparsity: 0.6, candidates: 12 });
    expect(search.trials[0]?.genome).toEqual(single.best.genome);
    const hundred = await searchSubNetwork(parent(), data, new Random(5), { sparsity: 0.6, candidates: 30 });
    expect(hundred.trials.slice(0, 12)).toEqual(search.trials);
    expect(hundred.best.fitness).toBeLessThanOrEqual(search.best.fitness);
  });

  test('returns the parent where no node is off', async () => {
    const model = parent();
    const before = bits(model);
    const found = await searchSubNetwork(model, data, new Random(5), { sparsity: 0, candidates: 3 });
    expect(bits(model)).toEqual(before);
    expect(found.weightSparsity).toBe(0);
  });

  test('can judge by accuracy, or by the loss after some steps, and spread nodes over layers', async () => {
    const model = parent();
    const nodes = new NodeSpace(model, data.inputs(all(1)));
    const kept = nodes.space.decode(nodes.sample(new Random(1), { sparsity: 0.5 }));
    const by = (options: ConstructorParameters<typeof InitialFitness>[4]) => {
      const judge = new InitialFitness(model, nodes, data, new Random(0), options);
      const value = judge.of(kept);
      expect(judge.of(kept)).toBe(value);
      judge.release();
      return value;
    };
    const cut = parent();
    replaceWeights(cut, nodes.cut(stateOf(cut), kept));
    const scores = scoresOn(cut, data);
    expect(by({ fitness: 'accuracy' })).toBeCloseTo(-scores.reduce((a, b) => a + b, 0) / data.count, 6);
    const steps = (count: number) => by({ fitness: 'steps', steps: count, learningRate: 1e-2 });
    expect(steps(0)).toBeCloseTo(by({}), 5);
    expect(steps(30)).toBeLessThan(steps(10));
    expect(steps(10)).toBeLessThan(by({}));

    const widths = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const drawn = nodes.space.decode(nodes.sample(new Random(seed), { sparsity: 0.5, widths: 'composed' }));
      const own = drawn.map(({ length }) => length);
      expect((own[0] as number) + (own[1] as number)).toBe(9);
      widths.add(own.join());
    }
    expect(widths.size).toBeGreaterThan(5);
  });

  test('scales the inputs of layers by √(h/k) where that is asked for', () => {
    const model = parent();
    const nodes = new NodeSpace(model, data.inputs(all(1)));
    const kept = nodes.space.decode(nodes.sample(new Random(1), { sparsity: 0.5 }));
    const [plain, scaled] = [nodes.cut(stateOf(model), kept), nodes.cut(stateOf(model), kept, { rescale: true })];
    const ratio = (name: string) => (scaled[name]?.view()[0] as number) / (plain[name]?.view()[0] as number);
    expect(ratio('blocks.0.linear.weight')).toBe(1);
    expect(ratio('blocks.1.linear.weight')).toBeCloseTo(Math.sqrt(10 / 5), 5);
    expect(ratio('head.weight')).toBeCloseTo(Math.sqrt(8 / 4), 5);
    expect(ratio('blocks.1.linear.bias')).toBe(1);
  });

  test('works through batch norms, flat layers and poolings of networks for pictures', async () => {
    const images = pictures(24, new Random(3));
    for (const model of [
      new LeNet(new Random(1), { size: SIDE, classes: 2 }),
      new SmallVGG(11, new Random(1), { channels: 1, classes: 2, width: 0.1 }),
    ] as Layer[]) {
      const before = parameterCount(model);
      const found = await searchSubNetwork(model, images, new Random(1), { sparsity: 0.5, candidates: 4 });
      expect(found.trials.every(({ fitness }) => Number.isFinite(fitness))).toBe(true);
      expect(parameterCount(model)).toBeLessThan(0.5 * before);
      // A rest of one picture has no statistics of its own.
      await trainOnExamples(model, images, new Random(2), { epochs: 1, batchSize: 23 });
      expect(scoresOn(model, images)).toHaveLength(24);
    }
  });

  test('refuses what cannot be', async () => {
    const search = (model: Layer, sparsity: number, examples = data) =>
      searchSubNetwork(model, examples, new Random(0), { sparsity, candidates: 2 });
    await expect(search(parent(), 1)).rejects.toThrow('must be in [0, 1), got 1');
    await expect(search(new MLP([6, 3], new Random(0)), 0.5)).rejects.toThrow('no hidden nodes');
    const broken = { ...data, loss: () => tensor([Number.NaN]) };
    const model = parent();
    const before = bits(model);
    await expect(search(model, 0.5, broken)).rejects.toThrow('none of 2 sub-networks has a loss');
    expect(bits(model)).toEqual(before);
  });
});

describe('baselines of sparse networks', () => {
  const train = rows(200, new Random(1));
  const held = rows(150, new Random(2));

  test('are trained beside another method, from the same parent, and leave the model as it was', async () => {
    const model = new MLP([6, 24, 24, 3], new Random(3));
    const before = bits(model);
    const options = {
      ...{ sparsity: 0.75, candidates: 20, repeats: 2, epochs: 8, batchSize: 20, learningRate: 1e-2 },
      random: new Random(4),
      methods: {
        magnitude: (own: Layer) => void removeChannels(own, zeros([1, 6]), { ratio: 0.75, roundTo: 1 }),
        zeros: (own: Layer) => {
          for (const weight of Object.values(stateOf(own))) weight.view().fill(0);
        },
      },
    };
    const { arms, margins } = await sparseBaselines(model, { train, test: held }, options);
    expect(bits(model)).toEqual(before);
    expect(arms.map(({ name }) => name)).toEqual(['magnitude', 'zeros', 'random', 'random-search', 'fresh']);
    const of = (name: string) => arms.find((arm) => arm.name === name);
    for (const name of ['magnitude', 'random', 'random-search', 'fresh']) {
      expect(of(name)?.score).toBeGreaterThan(0.5);
      expect(of(name)?.parameters).toBe(6 * 6 + 6 + 6 * 6 + 6 + 6 * 3 + 3);
    }
    const margin = (name: string, over: string) =>
      margins.find((own) => own.name === name && own.over === over) as (typeof margins)[number];
    const worse = margin('zeros', 'random');
    expect(worse.high).toBeLessThan(0);
    const search = margin('random-search', 'random');
    expect(search.low).toBeLessThanOrEqual(search.mean);
    expect(search.mean).toBeLessThanOrEqual(search.high);
    expect(search.mean).toBeCloseTo((of('random-search')?.score as number) - (of('random')?.score as number), 9);
    expect(margins).toHaveLength(7);
    // The random arm does not depend on how many candidates another arm has.
    const fewer = await sparseBaselines(model, { train, test: held }, { ...options, methods: {}, candidates: 2 });
    expect(fewer.arms[0]?.scores).toEqual(of('random')?.scores);
  });

  test('begin the fresh arm with values of its own', async () => {
    const model = new MLP([6, 24, 24, 3], new Random(3));
    const options = { sparsity: 0.5, repeats: 1, epochs: 0, candidates: 1, random: new Random(4) };
    const { arms } = await sparseBaselines(model, { train, test: held }, options);
    const of = (name: string) => arms.find((arm) => arm.name === name)?.scores;
    expect(of('random-search')).toEqual(of('random'));
    expect(of('fresh')).not.toEqual(of('random'));
  });

  test('give margins over repeats and examples', () => {
    const right = (share: number, at: number) =>
      Float64Array.from({ length: 400 }, (_, i) => Number((i * 7 + at) % 100 < 100 * share));
    const [good, poor] = [[right(0.9, 0)], [right(0.6, 1), right(0.6, 2)]];
    const { mean, low, high } = scoreMargin(good, poor);
    expect(mean).toBeCloseTo(0.3, 6);
    expect(low).toBeGreaterThan(0.2);
    expect(high).toBeLessThan(0.4);
  });
});

test('He initialisation has variance 2 / fan-in, no biases, and refuses what it does not know', () => {
  const model = new MLP([50, 400, 4], new Random(1), { norm: 'batch' });
  stateOf(model)['blocks.0.norm.runningMean']?.view().fill(3);
  heInitialize(model, new Random(2));
  const weight = stateOf(model)['blocks.0.linear.weight']?.view() as Float32Array;
  const variance = weight.reduce((sum, value) => sum + value * value, 0) / weight.length;
  expect(variance).toBeGreaterThan(0.037);
  expect(variance).toBeLessThan(0.043);
  expect(
    stateOf(model)
      ['blocks.0.linear.bias']?.view()
      .every((value) => value === 0),
  ).toBe(true);
  expect(
    stateOf(model)
      ['blocks.0.norm.weight']?.view()
      .every((value) => value === 1),
  ).toBe(true);
  expect(
    stateOf(model)
      ['blocks.0.norm.runningMean']?.view()
      .every((value) => value === 0),
  ).toBe(true);
  class Odd {
    readonly gate = new Linear(2, 2, new Random(0)).weight;
  }
  expect(() => heInitialize(new Odd(), new Random(0))).toThrow('"gate" belongs to Odd');
  expect([model, new Odd()].map(isHeInitializable)).toEqual([true, false]);
});

test('informed nodes are those whose weights matter, by |Σ w·∂L/∂w| of the trained network', () => {
  const model = new MLP([4, 3, 2], new Random(1));
  const nodes = new NodeSpace(model, zeros([1, 4]));
  const weights = stateOf(model);
  const gradients = Object.fromEntries(Object.entries(weights).map(([name, own]) => [name, zeros(own.shape)]));
  // Node 2: two products that cancel in part; node 0: a large one on its way out; node 1: none.
  (gradients['blocks.0.linear.weight'] as Tensor).view().set([3, -1], 8);
  (weights['blocks.0.linear.weight'] as Tensor).view().set([1, 1], 8);
  (gradients['head.weight'] as Tensor).view()[0] = -5;
  (weights['head.weight'] as Tensor).view()[0] = 1;
  expect(informedNodes(nodes, weights, gradients, 0.34)).toEqual([Int32Array.of(0, 2)]);
  expect(informedNodes(nodes, weights, gradients, 0.67)).toEqual([Int32Array.of(0)]);
});

test('the size of a sub-network is that of the network that is cut out, and its sparsity is found again', () => {
  const model = new SmallConv(new Random(1));
  const own = parameters(model);
  const nodes = new NodeSpace(model, zeros([1, 1, SIDE, SIDE]));
  const kept = nodes.space.decode(nodes.sample(new Random(2), { sparsity: 0.5 }));
  const size = nodes.sizeOf(own, kept);
  expect(nodes.widths(nodes.sparsityOf(own, size))).toEqual([4, 3]);
  replaceWeights(model, nodes.cut(stateOf(model), kept));
  expect(parameterCount(model)).toBe(size);
});

describe('bootstrap intervals', () => {
  test('are those of the normal distribution where there are many values', () => {
    const own = new Random(5);
    const values = Float64Array.from({ length: 400 }, () => 3 + 2 * own.gaussian());
    const { mean, low, high } = bootstrapInterval(values, new Random(6));
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(high - low).toBeCloseTo((2 * 1.96 * deviation) / 20, 1);
    expect((high + low) / 2).toBeCloseTo(mean, 1);
  });

  test('are exact for values whose draws can be listed', () => {
    // Means of two draws of {0, 1}: 0, ½, ½, 1; both ends of 60 % lie between.
    expect(bootstrapInterval([0, 1], new Random(1), { level: 0.4 })).toEqual({ mean: 0.5, low: 0.5, high: 0.5 });
    expect(bootstrapInterval([0, 1], new Random(1))).toEqual({ mean: 0.5, low: 0, high: 1 });
    expect(bootstrapInterval([7], new Random(1))).toEqual({ mean: 7, low: 7, high: 7 });
  });

  test('are wider where the rows differ', () => {
    const row = (value: number) => Float64Array.from({ length: 100 }, (_, at) => value + (at % 2));
    const width = (rows: Float64Array[]) => {
      const { low, high } = bootstrapRows(rows, new Random(2));
      return high - low;
    };
    expect(width([row(0), row(4)])).toBeGreaterThan(3);
    expect(width([row(2), row(2)])).toBeLessThan(0.3);
    expect(() => bootstrapRows([], new Random(0))).toThrow('no values');
    expect(() => bootstrapRows([row(0), new Float64Array(3)], new Random(0))).toThrow('equal length');
    expect(() => bootstrapInterval([1, 2], new Random(0), { level: 1 })).toThrow('in (0, 1), got 1');
  });
});
