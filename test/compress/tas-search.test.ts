import { describe, expect, test } from 'vitest';
import {
  compress,
  costOfShape,
  macTables,
  narrowest,
  parseRecipe,
  searchShape,
  shapeChoicesOf,
  shapeSearchBytes,
  shortSearch,
  TransformableNetwork,
  trainShaped,
} from '../../src/compress/index.js';
import { glyphImages, type ImageDataset, type LabelledImages } from '../../src/data/index.js';
import { memoryUse, withOwnPeak } from '../../src/engine/index.js';
import { applyShape, type NetworkShape, SmallResNet, SmallVGG } from '../../src/models/index.js';
import {
  BatchNorm2d,
  Conv2d,
  distillation,
  gradientsOf,
  inference,
  type Layer,
  Linear,
  type Mode,
  parameters,
  placesOf,
  stateOf,
  type TrainingState,
  training,
} from '../../src/nn/index.js';
import {
  globalAveragePool,
  grad,
  pad,
  Random,
  relu,
  scope,
  sigmoid,
  slice,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '../../src/tensor/index.js';
import { cost } from '../../src/trace/index.js';
import { ImageClassifier } from '../../src/vision/index.js';
import { expectClose } from '../oracle.js';

const image = zeros([1, 3, 16, 16]);
const resnet = () => new SmallResNet(14, new Random(0), { widths: [8, 10, 12], classes: 4 });
const small = () => new SmallResNet(14, new Random(0), { widths: [4, 6, 8], channels: 1, classes: 10 });
/** Glyphs of 14×14 pixels. */
const glyphs = ((data: ImageDataset): ImageDataset => {
  const half = (own: LabelledImages): LabelledImages => ({
    ...{ ...own, height: 14, width: 14 },
    pixels: Uint8Array.from({ length: own.count * 196 }, (_, at) => {
      const [image, row, column] = [Math.floor(at / 196), Math.floor((at % 196) / 14), at % 14];
      return own.pixels[784 * image + 56 * row + 2 * column] as number;
    }),
  });
  return { ...data, train: half(data.train), test: half(data.test) };
})(glyphImages(52, 26, new Random(0)));
const one = zeros([1, 1, 14, 14]);
const values = (x: Tensor) => Array.from(x.dataSync<Float32Array>());

/** Gives norms statistics and scales of their own, so that none stands for another. */
function disturb(model: object, random: Random): void {
  for (const { name, layer } of placesOf(model, (own): own is BatchNorm2d => own instanceof BatchNorm2d)) {
    const own = random.split(name);
    scope(() => {
      layer.weight.assign(own.uniform(layer.weight.shape, 0.5, 1.5));
      layer.bias.assign(own.normal(layer.bias.shape));
      layer.runningMean.assign(own.normal(layer.bias.shape));
      layer.runningVariance.assign(own.uniform(layer.bias.shape, 0.5, 2));
    });
  }
}

/**
 * The plain network of a shape with the weights of a searched one: norms are those of its widths,
 * and where a block makes more channels than it reads, its input is added to the first of them.
 */
function plainOf(network: TransformableNetwork, shape: NetworkShape): Layer {
  const searched = stateOf(network.network);
  const model = resnet();
  applyShape(model, shape, image, new Random(0), { weights: 'kept' });
  const choices = network.space.groups;
  for (const [name, weight] of Object.entries(stateOf(model))) {
    const layer = name.slice(0, name.lastIndexOf('.'));
    const field = name.slice(layer.length + 1);
    const path = layer.replace(/^(layer\d)\.(\d)\./, (whole, stage, block) =>
      searched[`${stage}.0.blocks.0.conv1.weight`] ? `${stage}.0.blocks.${block}.` : whole,
    );
    const group = choices.find(({ slices }) => slices[0]?.some((own) => own.weight === name && own.axis === 0));
    const at = group?.candidates.indexOf(weight.shape[0] as number);
    const source =
      searched[`${path}.norms.${at}.${field}`] ?? searched[`${path}.${field}`] ?? searched[`${path}.layer.${field}`];
    if (source)
      scope(() => weight.assign(slice(source, ...weight.shape.map((length) => [0, length] as [number, number]))));
  }
  for (const stage of [model.layer1, model.layer2, model.layer3])
    for (const block of stage) {
      const own = block as unknown as { downsample: unknown; conv1: Conv2d; conv2: Conv2d };
      if (!Array.isArray(own.downsample) || own.conv1.inChannels >= own.conv2.outChannels) continue;
      if (own.conv1.options.stride === 2) continue;
      const missing = own.conv2.outChannels - own.conv1.inChannels;
      own.downsample = [
        {
          forward: (x: Tensor) =>
            pad(x, [
              [0, 0],
              [0, missing],
              [0, 0],
              [0, 0],
            ]),
        },
      ];
    }
  return model;
}

describe('the searched network at one-hot logits is the plain one', () => {
  const shape: NetworkShape = {
    widths: {
      ...{ conv1: 4, 'layer1.0.conv1': 3, 'layer1.0.conv2': 6, 'layer1.1.conv1': 8, 'layer1.1.conv2': 7 },
      ...{ 'layer2.0.conv1': 5, 'layer2.0.conv2': 6, 'layer2.1.conv1': 3, 'layer2.1.conv2': 5 },
      ...{ 'layer3.0.conv1': 12, 'layer3.0.conv2': 3, 'layer3.1.conv1': 7, 'layer3.1.conv2': 10 },
    },
    depths: { layer1: 2, layer2: 1, layer3: 2 },
  };

  function searched(random: Random): TransformableNetwork {
    const network = new TransformableNetwork(resnet(), image, random, { samples: 1 });
    disturb(network, random);
    const set = (rows: Readonly<Record<string, Tensor>>, name: string, candidates: readonly number[], own: number) =>
      rows[name]?.assign(Float32Array.from(candidates, (candidate) => (candidate === own ? 50 : 0)));
    for (const { name, candidates } of network.space.groups)
      set(network.alpha, name, candidates, shape.widths[name] as number);
    for (const { name, candidates } of network.space.stages)
      set(network.beta, name, candidates, shape.depths[name] as number);
    return network;
  }

  test.each(['inference', 'training'])('in %s', (kind) => {
    const network = searched(new Random(1));
    network.temperature = 0.1;
    expect(network.shape()).toEqual(shape);
    const plain = plainOf(network, shape);
    const x = new Random(2).normal([3, 3, 16, 16]);
    const mode: Mode = kind === 'training' ? training(new Random(3)) : inference;
    const [found, expected] = [values(network.forward(x, mode)), values(plain.forward(x, mode))];
    expected.forEach((own, at) => {
      expect(found[at]).toBeCloseTo(own, 3);
    });
  });
});

test('a released network is as it was made, and its weights are those that the search trained', () => {
  const model = resnet();
  const names = Object.keys(stateOf(resnet()));
  const network = new TransformableNetwork(model, image, new Random(1));
  expect(Object.keys(network.architecture())).toHaveLength(13 + 3);
  network.release();
  const shortcuts = Object.keys(stateOf(model)).filter((name) => !names.includes(name));
  expect(shortcuts).toEqual(['layer2.0.downsample.1.weight', 'layer3.0.downsample.1.weight']);
});

/** A network whose convolution learns widths, and which tells of its passes. */
class Probe implements Layer {
  readonly conv: Conv2d;
  readonly norm: BatchNorm2d;
  readonly linear: Linear;

  constructor(
    classes: number,
    readonly note: (x: Tensor, mode: Mode) => void = () => undefined,
    readonly activation = relu,
  ) {
    const random = new Random(0);
    this.conv = new Conv2d(1, 10, 3, random, { padding: 1, bias: false });
    this.norm = new BatchNorm2d(10);
    this.linear = new Linear(10, classes, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    this.note(x, mode);
    return this.linear.forward(globalAveragePool(this.activation(this.norm.forward(this.conv.forward(x), mode))));
  }
}

/** Images of one class, on which no cross-entropy pulls. */
const onlyClass: ImageDataset = {
  ...glyphs,
  classes: ['a'],
  train: { ...glyphs.train, labels: new Int32Array(glyphs.train.count) },
};

describe('the search', () => {
  const once = { epochs: 1, batchSize: 26, learningRate: 0.01, architectureRate: 0.01 };

  test('takes another sample and another batch for weights and for widths', async () => {
    const draws: number[] = [];
    const sums: number[] = [];
    const model = new Probe(10, (x, mode) => {
      if (!mode.training || !mode.random) return;
      draws.push(mode.random.split('probe').float());
      sums.push(sum(x).item());
    });
    await searchShape(model, glyphs, new Random(1), { ...once, epochs: 3, batchSize: 13, budget: 0.5 });
    expect(draws).toHaveLength(2 * 3 * 2);
    expect(new Set(draws).size).toBe(draws.length);
    expect(new Set(sums).size).toBe(sums.length);
  });

  test('without a class to tell apart the expected cost falls above the budget, at every step', async () => {
    const { epochs, shape } = await searchShape(new Probe(1), onlyClass, new Random(1), {
      ...{ ...once, epochs: 25, budget: 0.31, architectureRate: 0.02 },
    });
    const above = epochs.filter(({ cost: own }) => own > 0.31);
    expect(above.length).toBeGreaterThan(5);
    above.slice(1).forEach(({ expected }, at) => {
      expect(expected).toBeLessThan(above[at]?.expected as number);
    });
    expect(shape.widths.conv).toBe(3);
  });

  test('and rises where the shape costs less than the budget and its tolerance', async () => {
    const { epochs, shape } = await searchShape(new Probe(1), onlyClass, new Random(1), {
      ...{ ...once, epochs: 30, budget: 1, architectureRate: 0.01 },
    });
    const below = epochs.filter(({ cost: own }) => own < 0.95);
    expect(below.length).toBeGreaterThan(3);
    below.slice(1).forEach(({ expected }, at) => {
      expect(expected).toBeGreaterThan(below[at]?.expected as number);
    });
    expect(shape.widths.conv).toBe(10);
  });

  test('ends within the budget and its tolerance, with lower entropies, for what it builds', async () => {
    const wide = () => new SmallResNet(14, new Random(0), { widths: [8, 12, 16], channels: 1, classes: 10 });
    const model = wide();
    const full = cost((x) => model.forward(x, inference), [one], parameters(model)).multiplyAdds;
    for (const budget of [0.3, 0.5, 0.7]) {
      const found = await searchShape(wide(), glyphs, new Random(2), {
        ...once,
        epochs: 6,
        budget,
        architectureRate: 0.05,
      });
      expect(found.full).toBe(full);
      expect(found.cost / full).toBeLessThanOrEqual(budget);
      expect(found.cost / full).toBeGreaterThanOrEqual(budget - 0.05);
      const built = wide();
      applyShape(built, found.shape, one, new Random(0));
      expect(cost((x) => built.forward(x, inference), [one], parameters(built)).multiplyAdds).toBe(found.cost);
      expect(found.epochs.at(-1)?.widthEntropy).toBeLessThan(1);
      expect(found.epochs).toHaveLength(6);
    }
  });

  test.each(['width', 'depth'] as const)('of %s alone leaves the other whole', async (search) => {
    const model = small();
    const space = shapeChoicesOf(small(), one, new Random(0));
    const { shape } = await searchShape(model, glyphs, new Random(1), { ...once, budget: 0.8, search, samples: 99 });
    const whole = (rows: Readonly<Record<string, number>>, all: readonly (readonly [string, number])[]) =>
      all.every(([name, count]) => rows[name] === count);
    const widths = space.groups.map(({ name, channels }) => [name, channels] as const);
    const depths = space.stages.map(({ name, blocks }) => [name, blocks] as const);
    expect(whole(shape.widths, widths)).toBe(search === 'depth');
    expect(whole(shape.depths, depths)).toBe(search === 'width');
  });

  test('goes on from a checkpoint to the same shape and log', async () => {
    const options = { ...once, epochs: 3, budget: 0.5 };
    const whole = await searchShape(small(), glyphs, new Random(4), options);
    let stored: TrainingState | undefined;
    const abort = new AbortController();
    const copy = (state: TrainingState): TrainingState => ({
      ...state,
      weights: Object.fromEntries(
        Object.entries(state.weights).map(([name, own]) => [name, tensor(own.dataSync<Float32Array>(), own.shape)]),
      ),
      optimizer: {
        ...state.optimizer,
        tensors: Object.fromEntries(
          Object.entries(state.optimizer.tensors).map(([name, own]) => [
            name,
            tensor(own.dataSync<Float32Array>(), own.shape),
          ]),
        ),
      },
    });
    const checkpoint = { load: () => stored, save: (state: TrainingState) => void (stored = copy(state)) };
    const stopped = await searchShape(small(), glyphs, new Random(4), {
      ...{ ...options, checkpoint, signal: abort.signal },
      onEpoch: ({ epoch }) => epoch === 2 && abort.abort(),
    });
    expect(stopped.stopped).toBe('aborted');
    const resumed = await searchShape(small(), glyphs, new Random(4), { ...options, checkpoint });
    expect(resumed.shape).toEqual(whole.shape);
    expect(resumed.epochs).toEqual(whole.epochs);
  });

  test('refuses budgets that nothing meets, and networks without choices, by the names of layers', async () => {
    const search = (model: Layer, options: Partial<Parameters<typeof searchShape>[3]>, data = glyphs) =>
      searchShape(model, data, new Random(0), { ...once, budget: 0.5, ...options });
    await expect(search(small(), { budget: 0.01 })).rejects.toThrow(
      /no sub-network meets a budget of 0.01: the smallest costs 0\.\d+/,
    );
    await expect(search(small(), { budget: 1.5 })).rejects.toThrow(/in \(0, 1\], got 1.5/);
    await expect(search(small(), { samples: 0 })).rejects.toThrow(/whole number of at least 1/);
    await expect(search(new Probe(10), { search: 'depth' })).rejects.toThrow(/no stage of blocks/);
    const linear = new Linear(196, 10, new Random(0));
    const flat: Layer & { readonly head: Linear } = {
      head: linear,
      forward: (x) => linear.forward(x.reshape([-1, 196])),
    };
    await expect(search(flat, {})).rejects.toThrow(/the channels of head cannot change \(an output\)/);
    await expect(search(new Probe(10, undefined, sigmoid), {})).rejects.toThrow(
      /the channels that "linear" reads cannot change/,
    );
  });
});

describe('knowledge for the found shape', () => {
  const shape: NetworkShape = { widths: { conv1: 3, 'layer1.0.conv1': 2 }, depths: { layer2: 1 } };

  test('of weights: the first channels and blocks of the teacher', async () => {
    const [teacher, model] = [small(), small()];
    await trainShaped(model, shape, teacher, glyphs, new Random(0), { transfer: 'weights', epochs: 0 });
    const own = stateOf(model);
    expect(own['layer1.0.conv1.weight']?.shape).toEqual([2, 3, 3, 3]);
    expect(own['layer2.1.conv1.weight']).toBeUndefined();
    expect(values(own['layer1.0.conv1.weight'] as Tensor)).toEqual(
      values(slice(stateOf(teacher)['layer1.0.conv1.weight'] as Tensor, [0, 2], [0, 3])),
    );
  });

  test('none and of distillation: new weights of the deviation that fewer channels have', async () => {
    const [teacher, model] = [small(), small()];
    await trainShaped(model, shape, teacher, glyphs, new Random(0), { transfer: 'none', epochs: 0 });
    const [own, before] = [model, teacher].map((each) =>
      values(slice(stateOf(each)['layer1.0.conv1.weight'] as Tensor, [0, 2], [0, 3])),
    );
    own?.forEach((value, at) => {
      expect(value).toBeCloseTo(Math.SQRT2 * (before?.[at] as number), 5);
    });
  });

  test('of distillation follows the teacher, not labels', async () => {
    const teacher = small();
    await trainShaped(teacher, { widths: {}, depths: {} }, small(), glyphs, new Random(0), {
      transfer: 'none',
      epochs: 0,
    });
    // A teacher that is sure of one class for all images.
    const head = teacher.linear.bias as Tensor;
    head.assign(Float32Array.from({ length: 10 }, (_, at) => (at === 7 ? 40 : 0)));
    const answers = async (transfer: 'distil' | 'none') => {
      const model = small();
      await trainShaped(model, shape, teacher, glyphs, new Random(1), {
        transfer,
        epochs: 12,
        batchSize: 26,
        learningRate: 1e-2,
      });
      const logits = values(model.forward(one, inference));
      return logits.indexOf(Math.max(...logits));
    };
    expect(await answers('distil')).toBe(7);
  });

  test('the soft loss at a high temperature pulls by the centred difference of logits', () => {
    const teacher = tensor([[1, -2, 4, 0]]);
    const student = tensor([[0.5, 1, -1, 2]]);
    const found = values(
      grad((own: Tensor) => distillation(own, teacher, tensor(Int32Array.of(1)), { weight: 1, temperature: 1000 }))(
        student,
      ),
    );
    const difference = values(student).map((own, at) => own - (values(teacher)[at] as number));
    const mean = difference.reduce((a, b) => a + b, 0) / 4;
    found.forEach((own, at) => {
      expect(own).toBeCloseTo(((difference[at] as number) - mean) / 4, 2);
    });
  });
});

describe('shapes', () => {
  test('a model file keeps its shape, and is as small as it', () => {
    const data = { ...glyphs };
    const full = ImageClassifier.create('resnet20', data, new Random(0));
    const space = shapeChoicesOf(full.model, one, new Random(0));
    const shape = narrowest(space);
    const made = ImageClassifier.create('resnet20', data, new Random(0), {}, undefined, shape);
    const bytes = made.save();
    expect(bytes.length).toBeLessThan(full.save().length / 5);
    const read = ImageClassifier.load(bytes);
    const x = new Random(1).normal([2, 1, 14, 14]);
    expect(values(read.model.forward(x, inference))).toEqual(values(made.model.forward(x, inference)));
    expect(costOfShape(space, macTables(space), shape)).toBe(
      cost((own) => read.model.forward(own, inference), [one], parameters(read.model)).multiplyAdds,
    );
  });

  test('of other networks, or out of range, are refused by name', () => {
    const apply = (shape: NetworkShape) => () => applyShape(small(), shape, one, new Random(0));
    expect(apply({ widths: { conv9: 3 }, depths: {} })).toThrow(
      /no layer "conv9" to choose; it has conv1, layer1.0.conv1/,
    );
    expect(apply({ widths: {}, depths: { layer9: 1 } })).toThrow(/no stage "layer9"/);
    expect(apply({ widths: { conv1: 5 }, depths: {} })).toThrow(/"conv1" has 1 to 4, got 5/);
    expect(apply({ widths: { linear: 3 }, depths: {} })).toThrow(/the channels of "linear" cannot change: an output/);
  });

  test('a recipe searches a trained network and trains what it found', async () => {
    const model = new SmallVGG(11, new Random(0), { channels: 1, classes: 10, width: 0.08 });
    const recipe = parseRecipe({ steps: [{ do: 'tas', budget: 0.5, searchEpochs: 1, epochs: 1, search: 'width' }] });
    const { report } = await compress(model, glyphs, recipe, { random: new Random(0) });
    expect(report.after.multiplyAdds).toBeLessThanOrEqual(0.5 * report.before.multiplyAdds);
    expect(report.after.bytes).toBeLessThan(report.before.bytes);
    expect(Object.keys(report.shape?.widths ?? {})).toHaveLength(8);
    expect(report.done[0]).toMatch(/searched widths and depths for 1 epochs: [34]\d\.\d % of the multiply-adds/);
    const twice = { steps: [recipe.steps[0], { do: 'replace-spatial', with: 'max' }] } as typeof recipe;
    await expect(compress(model, glyphs, twice, { random: new Random(0) })).rejects.toThrow(
      /replace-spatial cannot follow tas/,
    );
    expect(() => parseRecipe({ steps: [{ do: 'tas', budget: 0, epochs: 1 }] })).toThrow(
      /"budget" must be a share in \(0, 1\]/,
    );
  });
});

test('a recipe goes on from the weights that the search trained, those of the first channels', async () => {
  const data = { ...glyphs, train: { ...glyphs.train, count: 8 } };
  const step = { do: 'tas', budget: 0.5, searchEpochs: 1, epochs: 1, search: 'width' } as const;
  // So little training that weights stay.
  const training = { batchSize: 8, learningRate: 1e-12 };
  const [model, searched] = [small(), small()];
  await compress(model, data, { steps: [step], training }, { random: new Random(3) });
  const own = { ...shortSearch, budget: 0.5, search: 'width', batchSize: 8, epochs: 1 } as const;
  await searchShape(searched, data, new Random(3).split('shape 0'), own);
  const [kept, all] = [stateOf(model), stateOf(searched)];
  const kernels = Object.entries(kept).filter(([name, { rank }]) => rank === 4 && all[name]);
  expect(kernels.some(([name, { size }]) => size < (all[name]?.size as number))).toBe(true);
  for (const [name, { shape }] of kernels) {
    const first = slice(all[name] as Tensor, [0, shape[0] as number], [0, shape[1] as number]);
    expectClose(values(kept[name] as Tensor), values(first), 1e-6);
  }
});

test('memory of a search is about what a step takes, and grows with what it is made of', async () => {
  const data = { ...glyphs, train: { ...glyphs.train, count: 16 } };
  for (const samples of [1, 2]) {
    const model = small();
    const before = memoryUse().bytes;
    const search = { ...shortSearch, budget: 0.9, costWeight: 0, samples, batchSize: 8, epochs: 1 };
    const { peakBytes } = await withOwnPeak(() => searchShape(model, data, new Random(1), search));
    const ratio = (peakBytes - before) / shapeSearchBytes(model, one, { samples, batchSize: 8 });
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.7);
  }
  const bytes = (own: object) => shapeSearchBytes(small(), one, { batchSize: 32, ...own });
  expect(bytes({ batchSize: 64 })).toBe(2 * bytes({}));
  expect(bytes({ samples: 4 })).toBeGreaterThan(1.5 * bytes({}));
});

test('gradients of the mixture reach the logits of widths and depths', () => {
  const network = new TransformableNetwork(small(), one, new Random(1));
  const { gradients } = gradientsOf(network, (live) =>
    sum(live.forward(new Random(2).normal([2, 1, 14, 14]), training(new Random(3)))),
  );
  for (const name of Object.keys(network.architecture()))
    expect(values(gradients[name] as Tensor).some((own) => own !== 0)).toBe(true);
});
