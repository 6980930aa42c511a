import { describe, expect, test } from 'vitest';
import {
  compress,
  learningNames,
  parseRecipe,
  type SparseLayer,
  type SparseNetwork,
  scoreMask,
  searchBytes,
  searchCells,
  searchSparsely,
  sparsePlan,
  toSparse,
  trainSparsely,
  unrolledGradient,
  unrolledStep,
} from '../../src/compress/index.js';
import { glyphImages, type ImageDataset, imageTensor, type LabelledImages } from '../../src/data/index.js';
import { memoryUse, withOwnPeak } from '../../src/engine/index.js';
import {
  accuracyOn,
  cellOperations,
  genotypeNetwork,
  LeNet,
  MobileNetV2,
  mixedNetwork,
  requireGenotype,
} from '../../src/models/index.js';
import {
  Adam,
  AlternatingOptimizer,
  architectureOf,
  BatchNorm2d,
  Conv2d,
  crossEntropy,
  gradientsOf,
  inference,
  type Layer,
  Linear,
  MixedOperator,
  type Mode,
  parameter,
  parameters,
  runSequence,
  SGD,
  stateOf,
  type TrainingState,
  training,
  type Weights,
} from '../../src/nn/index.js';
import {
  add,
  globalAveragePool,
  grad,
  matmul,
  multiply,
  Random,
  relu,
  scope,
  softmax,
  square,
  subtract,
  sum,
  type Tensor,
  tanh,
  tensor,
} from '../../src/tensor/index.js';
import { VanillaNet, vanillaNets } from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const copy = (weights: Weights) =>
  Object.fromEntries(Object.entries(weights).map(([name, value]) => [name, value.dataSync<Float32Array>()]));
const changed = (before: Record<string, Float32Array>, after: Record<string, Float32Array>) =>
  Object.keys(before).filter((name) => before[name]?.join() !== after[name]?.join());
const count = (values: ArrayLike<number>) => Array.from(values).filter((value) => value !== 0).length;

describe('masks by scores', () => {
  test('keep n − ⌊(1 − k)·n⌋ weights for every n, one at least, and among ties too', () => {
    for (const [percent, keep] of [
      [100, 1],
      [50, 0.5],
      [10, 0.1],
      [5, 0.05],
      [1, 0.01],
    ] as const)
      for (let n = 1; n <= 2000; n++) {
        // In whole numbers, which rounding does not touch.
        const expected = n - Math.floor(((100 - percent) * n) / 100);
        const scores = tensor(Float32Array.from({ length: n }, (_, at) => Math.sin(at * 7)));
        const kept = count(scoreMask(scores, keep));
        scores.dispose();
        if (kept !== expected || kept < 1) expect([n, keep, kept]).toEqual([n, keep, expected]);
      }
    for (const n of [1, 7, 100]) {
      const ties = tensor(new Float32Array(n).fill(-0.5));
      expect(count(scoreMask(ties, 0.05))).toBe(Math.ceil(n / 20));
      expect(scoreMask(ties, 0.05)).toEqual(scoreMask(ties, 0.05));
    }
    expect(count(scoreMask(tensor([1, 2, 3]), 1e-12))).toBe(1);
  });

  test('by magnitude: a large negative score keeps its weight', () => {
    expect([...scoreMask(tensor([0.1, -3, 2, -0.2]), 0.5)]).toEqual([0, 1, 1, 0]);
  });

  test.each([0, -0.1, 1.01, Number.NaN])('a share of %s is refused', (keep) => {
    expect(() => scoreMask(tensor([1]), keep)).toThrow('must be in (0, 1]');
    const recipe = { steps: [{ do: 'learn-masks', keep }] };
    expect(() => parseRecipe(JSON.parse(JSON.stringify(recipe)))).toThrow('"keep" must be a share in (0, 1]');
  });
});

/** Convolution, norm, linear layer with a bias. */
class Small implements Layer {
  readonly conv: Conv2d | SparseLayer;
  readonly norm = new BatchNorm2d(4);
  readonly fc: Linear | SparseLayer;

  constructor(seed: number) {
    const random = new Random(seed);
    this.conv = new Conv2d(2, 4, 3, random, { padding: 1, groups: 2 });
    this.fc = new Linear(4, 3, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.fc.forward(globalAveragePool(tanh(this.norm.forward(this.conv.forward(x), mode))));
  }
}

describe('sparse layers', () => {
  const x = uniformTensor(1, [3, 2, 5, 5]);
  const target = uniformTensor(2, [3, 3]);
  const loss = (live: Layer) => sum(square(subtract(live.forward(x, inference), target)));
  const small = (keep: number, learning: 'weights' | 'scores') => {
    const model = new Small(3);
    const sparse = toSparse(model, new Random(4));
    sparse.set(keep, learning);
    return { model, sparse };
  };
  const layersOf = ({ layers }: SparseNetwork) => Object.entries(layers);

  test('a weight has the gradient of a difference under its mask, 0 outside it', () => {
    const { model, sparse } = small(0.3, 'weights');
    const { gradients } = gradientsOf(model, loss);
    for (const [name, layer] of layersOf(sparse)) {
      const mask = scoreMask(layer.scores, 0.3);
      const own = gradients[`${name}.layer.weight`]?.view() as Float32Array;
      const weight = layer.layer.weight.view<Float32Array>();
      for (let at = 0; at < weight.length; at++) {
        const value = weight[at] as number;
        const at_ = (moved: number) => {
          weight[at] = moved;
          return loss(model).item();
        };
        const difference = (at_(value + 1e-2) - at_(value - 1e-2)) / 2e-2;
        weight[at] = value;
        expect(Math.abs((own[at] as number) - difference), `${name} ${at}`).toBeLessThan(
          1e-3 + 0.01 * Math.abs(difference),
        );
        if (mask[at] === 0) expect(Math.abs(own[at] as number)).toBe(0);
      }
      expect(gradients[`${name}.scores`]?.view().every((value) => value === 0)).toBe(true);
    }
  });

  test('a score has the gradient sign(s)·w·∂L/∂(w ⊙ m), kept or not; weights and biases none', () => {
    const { model, sparse } = small(0.3, 'scores');
    const { gradients } = gradientsOf(model, loss);
    for (const [name, layer] of layersOf(sparse)) {
      // The gradient of the plain network whose weights are w ⊙ m.
      const mask = scoreMask(layer.scores, 0.3);
      const twin = new Small(3);
      const plain = twin as unknown as Record<string, Conv2d | Linear>;
      for (const [other, own] of layersOf(sparse)) {
        const masked = own.layer.weight
          .dataSync<Float32Array>()
          .map((value, at) => value * (scoreMask(own.scores, 0.3)[at] as number));
        plain[other]?.weight.assign(tensor(masked, own.layer.weight.shape));
      }
      const dense = gradientsOf(twin as Layer, loss).gradients[`${name}.weight`]?.view() as Float32Array;
      const scores = layer.scores.view<Float32Array>();
      const weight = layer.layer.weight.view<Float32Array>();
      const expected = dense.map((g, at) => Math.sign(scores[at] as number) * (weight[at] as number) * g);
      expectClose(gradients[`${name}.scores`]?.view() as Float32Array, expected, 1e-5);
      expect(count(expected)).toBeGreaterThan(count(mask));
      expect(scores.some((value) => value < 0)).toBe(true);
      expect(gradients[`${name}.layer.weight`]?.view().every((value) => value === 0)).toBe(true);
    }
  });

  test('k = 1 computes what the plain layers do, bit for bit', () => {
    const plain = new Small(3).forward(x, inference).dataSync();
    expect(small(1, 'weights').model.forward(x, inference).dataSync()).toEqual(plain);
  });

  test('scores by magnitude are √(6/fan-in)·w/max|w|, and keep the largest weights', () => {
    const { sparse } = small(0.25, 'weights');
    sparse.scoreByMagnitude();
    for (const [name, { layer, scores }] of layersOf(sparse)) {
      const weight = [...layer.weight.view<Float32Array>()];
      const largest = Math.max(...weight.map(Math.abs));
      const fanIn = name === 'conv' ? 9 : 4;
      expectClose(
        scores.view(),
        weight.map((value) => (Math.sqrt(6 / fanIn) * value) / largest),
      );
      const mask = scoreMask(scores, 0.25);
      const kept = weight.filter((_, at) => mask[at] === 1).map(Math.abs);
      const pruned = weight.filter((_, at) => mask[at] === 0).map(Math.abs);
      expect(Math.min(...kept)).toBeGreaterThan(Math.max(...pruned));
    }
  });

  test('what is baked computes what the masked network does, in a plan of sparse kernels too', () => {
    const random = new Random(1);
    const model = new MobileNetV2(random, { classes: 3, channels: 2, width: 0.25 });
    const input = uniformTensor(5, [2, 2, 32, 32]);
    const sparse = toSparse(model, random);
    sparse.scoreByMagnitude();
    sparse.set(0.05, 'weights');
    const masked = model.forward(input, inference).dataSync<Float32Array>();
    const names = Object.keys(sparse.layers);
    const masks = sparse.bake();
    expect(Object.keys(masks)).toEqual(names.map((name) => `${name}.weight`));
    expect(Object.keys(parameters(model))).toContain(`${names[0]}.weight`);
    for (const [name, mask] of Object.entries(masks)) {
      const weight = parameters(model)[name] as Tensor;
      expect(count(weight.view())).toBe(weight.size - Math.floor(0.95 * weight.size + 1e-9));
      expect(count(mask.view())).toBe(count(weight.view()));
    }
    expectClose(model.forward(input, inference).view(), masked);
    const { plan, layers } = sparsePlan(model, input);
    expectClose((plan.run(input)[0] as Tensor).view(), masked, 1e-4);
    expect(layers.some(({ zeros }) => zeros > 0.9)).toBe(true);
  });

  test('what learns: scores or the others, norms with both, α with neither', () => {
    const model = { ...new Small(1), mixed: new MixedOperator({ none: [] }, new Random(1)) };
    toSparse(model, new Random(1));
    expect([...learningNames(model, 'scores')].sort()).toEqual([
      'conv.scores',
      'fc.scores',
      'norm.bias',
      'norm.weight',
    ]);
    expect([...learningNames(model, 'weights')].sort()).toEqual([
      ...['conv.layer.bias', 'conv.layer.weight', 'fc.layer.bias', 'fc.layer.weight', 'norm.bias', 'norm.weight'],
    ]);
    expect(() => toSparse({ norm: new BatchNorm2d(2) }, new Random(1))).toThrow('no convolution or linear layer');
  });
});

/** Two classes: stripes across or down. */
function stripes(side: number, train: number, test: number, seed = 1): ImageDataset {
  const random = new Random(seed);
  const make = (images: number): LabelledImages => ({
    ...{ count: images, channels: 1, height: side, width: side },
    labels: Int32Array.from({ length: images }, (_, at) => at % 2),
    pixels: Uint8Array.from({ length: images * side ** 2 }, (_, at) => {
      const [image, row, column] = [Math.floor(at / side ** 2), Math.floor(at / side) % side, at % side];
      const place = image % 2 === 0 ? row : column;
      return Math.min(255, Math.max(0, (place % 2 === 0 ? 170 : 90) + 30 * random.gaussian()));
    }),
  });
  return {
    name: 'stripes',
    classes: ['across', 'down'],
    train: make(train),
    test: make(test),
    mean: [0.5],
    deviation: [0.3],
  };
}

const cell = requireGenotype({
  normal: [
    ['sep_conv_3x3', 0],
    ['skip_connect', 1],
  ],
  reduce: [
    ['sep_conv_3x3', 1],
    ['max_pool_3x3', 0],
  ],
});
const network = (seed: number) => genotypeNetwork(cell, { width: 4, cells: 3, classes: 2 }, new Random(seed));

describe('training in three phases', () => {
  test('phases keep the bits of what does not learn, weight decay or not', async () => {
    const model = network(1);
    const data = stripes(8, 32, 8);
    const seen: Record<string, Float32Array>[] = [];
    const options = { keep: 0.2, batchSize: 16, epochs: { pretrain: 1, prune: 2, finetune: 2 }, weightDecay: 0.5 };
    await trainSparsely(model, data, new Random(1), {
      ...options,
      onEpoch: () => void seen.push(copy(parameters(model))),
    });
    const [dense, ...later] = seen as [Record<string, Float32Array>, ...Record<string, Float32Array>[]];
    const steps = later.map((after, at) => changed(seen[at] as typeof dense, after));
    const isScore = (name: string) => name.endsWith('.scores');
    const isNorm = (name: string) => /norm|\.[13]\.(weight|bias)$|stem\.1/.test(name) && !name.includes('layer');
    // The first epoch of scores begins with scores of the magnitudes.
    for (const names of steps.slice(0, 2)) {
      expect(names.filter((name) => !isScore(name) && name.includes('.layer.'))).toEqual([]);
      expect(names.some(isScore)).toBe(true);
      expect(names.some(isNorm)).toBe(true);
    }
    for (const names of steps.slice(2)) {
      expect(names.filter(isScore)).toEqual([]);
      expect(names.some((name) => name.includes('.layer.weight'))).toBe(true);
    }
  });

  test('learns, with the share of weights that was asked for', async () => {
    const data = stripes(8, 192, 64);
    const model = network(2);
    const { stopped, history, masks } = await trainSparsely(model, data, new Random(2), {
      ...{ keep: 0.2, batchSize: 16, epochs: { pretrain: 3, prune: 2, finetune: 3 } },
      learningRates: { pretrain: 1e-2, prune: 1e-2, finetune: 1e-2 },
    });
    expect(stopped).toBe('completed');
    expect(history.map(({ epoch, epochs }) => `${epoch}/${epochs}`)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((at) => `${at}/8`),
    );
    expect(accuracyOn(model, data.test, data)).toBeGreaterThan(0.9);
    for (const name of Object.keys(masks)) {
      const weight = parameters(model)[name] as Tensor;
      expect(count(weight.view()), name).toBeLessThanOrEqual(weight.size - Math.floor(0.8 * weight.size + 1e-9));
    }
    expect(Object.keys(masks)).toContain('stem.0.weight');
    expect(Object.keys(masks)).toContain('classifier.weight');
  });

  test('resumes in any phase to the same bits', async () => {
    const data = stripes(8, 32, 8);
    const options = { keep: 0.2, batchSize: 16, epochs: { pretrain: 1, prune: 2, finetune: 1 } };
    const whole = network(3);
    await trainSparsely(whole, data, new Random(3), options);
    for (const stopAfter of [1, 2, 3]) {
      let stored: TrainingState | undefined;
      const controller = new AbortController();
      const interrupted = network(3);
      const { stopped } = await trainSparsely(interrupted, data, new Random(3), {
        ...options,
        signal: controller.signal,
        checkpoint: { load: () => undefined, save: (state) => void (stored = frozen(state)) },
        onEpoch: ({ epoch }) => epoch === stopAfter && controller.abort(),
      });
      expect(stopped).toBe('aborted');
      expect(Object.keys(parameters(interrupted))).toEqual(Object.keys(parameters(whole)));
      const rest = network(9);
      await trainSparsely(rest, data, new Random(3), {
        ...options,
        checkpoint: { load: () => stored, save: () => undefined },
      });
      expect(changed(copy(stateOf(whole)), copy(stateOf(rest))), `after epoch ${stopAfter}`).toEqual([]);
    }
  });

  test('as a step of a recipe: a trained network keeps 10 % of every layer', async () => {
    const data = glyphImages(120, 40, new Random(1));
    const model = new LeNet(new Random(1), { channels: 1, classes: data.classes.length });
    const recipe = {
      training: { batchSize: 40 },
      steps: [{ do: 'learn-masks', keep: 0.1, pruneEpochs: 1, epochs: 1 }],
    } as const;
    const { report } = await compress(model, data, parseRecipe(recipe), { random: new Random(1) });
    expect(report.done[0]).toMatch(/kept 10\.0 % of the weights of 5 layers/);
    const sizes = Object.entries(parameters(model)).filter(([name]) => name.endsWith('weight'));
    for (const [name, weight] of sizes)
      expect(count(weight.view()), name).toBeLessThanOrEqual(weight.size - Math.floor(0.9 * weight.size + 1e-9));
  });

  test('without epochs of scores the largest weights of each layer are kept', async () => {
    const model = network(4);
    const before = copy(parameters(model));
    const epochs = { pretrain: 0, prune: 0, finetune: 0 };
    const { masks } = await trainSparsely(model, stripes(8, 8, 4), new Random(1), { keep: 0.3, epochs });
    for (const [name, mask] of Object.entries(masks)) {
      const values = before[name] as Float32Array;
      const sorted = [...values].map(Math.abs).sort((a, b) => b - a);
      const least = sorted[count(mask.view()) - 1] as number;
      expect([...(parameters(model)[name] as Tensor).view()], name).toEqual(
        [...values].map((value) => value * Number(Math.abs(value) >= least)),
      );
    }
  });

  test('what cannot be pruned so is refused', async () => {
    const data = stripes(8, 8, 4);
    await expect(trainSparsely(network(1), data, new Random(1), { keep: 0 })).rejects.toThrow('in (0, 1]');
    await expect(trainSparsely(network(1), data, new Random(1), { keep: 0.1, average: 0.9 })).rejects.toThrow(
      'averaged',
    );
    const changing = new VanillaNet({ ...vanillaNets['vanillanet-nano'], channels: 1, classes: 2 }, new Random(1));
    await expect(trainSparsely(changing, data, new Random(1), { keep: 0.1 })).rejects.toThrow(
      'changes along its training',
    );
  });
});

/** A state with copies of its tensors. */
function frozen(state: TrainingState): TrainingState {
  const copied = (weights: Weights) =>
    Object.fromEntries(Object.entries(weights).map(([name, value]) => [name, tensor(value.dataSync(), value.shape)]));
  return {
    ...state,
    weights: copied(state.weights),
    optimizer: { ...state.optimizer, tensors: copied(state.optimizer.tensors) },
  };
}

describe('the second-order step of α', () => {
  /** w and α of any size; α is that of a mixed operator. */
  class Pair {
    w: Tensor;
    readonly mixed = new MixedOperator({ a: [], b: [] }, new Random(1));

    constructor(w: readonly number[], alpha: readonly number[]) {
      this.w = parameter(tensor(w));
      this.mixed.alpha.dispose();
      this.mixed.alpha = parameter(tensor(alpha));
    }
  }

  test('by hand: L_val = (w − α)², L_train = (w − 2α)²', () => {
    // w′ = w − η·2(w − 2α); dL_val/dα = 2(w′ − α)·(4η − 1).
    const [w, alpha, rate] = [0.7, 0.3, 0.1];
    const ahead = w - rate * 2 * (w - 2 * alpha);
    const model = new Pair([w], [alpha]);
    const { gradients, loss } = unrolledGradient(model, {
      validationLoss: (live) => sum(square(subtract(live.w, live.mixed.alpha))),
      trainingLoss: (live) => sum(square(subtract(live.w, multiply(live.mixed.alpha, 2)))),
      ...{ learningRate: rate, weightDecay: 0 },
    });
    expect(loss).toBeCloseTo((ahead - alpha) ** 2, 5);
    expect(gradients['mixed.alpha']?.item()).toBeCloseTo(2 * (ahead - alpha) * (4 * rate - 1), 3);
  });

  test('the product with the Hessian is that of two backward passes', () => {
    const random = new Random(2);
    const [w, alpha] = [random.normal([20]), random.normal([4])].map((value) => [...value.view()]) as [
      number[],
      number[],
    ];
    const [a, b] = [uniformTensor(3, [4, 20]), uniformTensor(4, [20, 4])];
    const mix = (x: Tensor, y: Tensor, m: Tensor) =>
      matmul(m, y.reshape([-1, 1]))
        .reshape([-1])
        .add(x);
    const trainingLoss = ({ w: x, mixed }: Pair) => sum(square(tanh(mix(x, softmax(mixed.alpha), b))));
    const validationLoss = ({ w: x, mixed }: Pair) => sum(square(tanh(mix(mixed.alpha, x, a))));
    const [rate, decay] = [0.25, 0.01];
    const model = new Pair(w, alpha);
    const { gradients } = unrolledGradient(model, {
      validationLoss,
      trainingLoss,
      learningRate: rate,
      weightDecay: decay,
    });
    const exact = grad((given: Tensor) => {
      const at = (x: Tensor) => ({ w: x, mixed: { alpha: given } }) as Pair;
      const slope = grad((x: Tensor) => trainingLoss(at(x)))(model.w);
      return validationLoss(at(subtract(model.w, multiply(add(slope, multiply(model.w, decay)), rate))));
    })(model.mixed.alpha);
    expectClose(gradients['mixed.alpha']?.view() as Float32Array, exact.view(), 1e-2);
    const first = grad((given: Tensor) => validationLoss({ w: model.w, mixed: { alpha: given } } as Pair))(
      model.mixed.alpha,
    );
    const distance = [...first.view()].map((value, at) => Math.abs(value - (exact.view()[at] as number)));
    expect(Math.max(...distance)).toBeGreaterThan(0.05);
  });

  test('moves α alone', () => {
    const model = new Pair([1, 2], [0.1, 0.2]);
    const optimizer = new AlternatingOptimizer(['mixed.alpha'], new SGD(), new Adam());
    const before = copy(parameters(model));
    const loss = (live: Pair) => sum(square(multiply(live.w, live.mixed.alpha)));
    expect(
      unrolledStep(model, optimizer, { validationLoss: loss, trainingLoss: loss, learningRate: 0.1 }),
    ).toBeGreaterThan(0);
    expect(changed(before, copy(parameters(model)))).toEqual(['mixed.alpha']);
    expect(Object.keys(architectureOf(model))).toEqual(['mixed.alpha']);
  });
});

const space = {
  nodes: 1,
  width: 2,
  cells: 3,
  operations: ['none', 'skip_connect', 'avg_pool_3x3', 'sep_conv_3x3'],
} as const;

describe('the search', () => {
  const data = stripes(8, 16, 8);
  const options = {
    ...space,
    keep: 0.3,
    batchSize: 4,
    epochs: { pretrain: 1, prune: 1, finetune: 1 },
    architectureRate: 0.02,
  };

  test('finds a genotype of the space, the same for the same seed, without test images', async () => {
    const forbidden = Object.defineProperty({ ...data }, 'test', {
      get: () => {
        throw new Error('test images were read');
      },
    });
    const found = await searchCells(forbidden, new Random(1), options);
    expect(found.stopped).toBe('completed');
    expect(requireGenotype(found.genotype)).toEqual(found.genotype);
    expect(found.genotype.normal).toHaveLength(2);
    expect(found.history).toHaveLength(3);
    for (const shares of [...found.shares.normal, ...found.shares.reduce]) {
      expect(Object.keys(shares)).toEqual([...space.operations]);
      expect(Object.values(shares).reduce((total, value) => total + value, 0)).toBeCloseTo(1, 5);
      expect(Math.max(...Object.values(shares))).toBeGreaterThan(0.2502);
    }
    expect((await searchCells(data, new Random(1), options)).shares).toEqual(found.shares);
    expect((await searchCells(data, new Random(1), { ...options, order: 'second' })).shares).not.toEqual(found.shares);
  });

  test('resumes in the phase of scores to the same α', async () => {
    const whole = await searchCells(data, new Random(2), options);
    let stored: TrainingState | undefined;
    const controller = new AbortController();
    const half = await searchCells(data, new Random(2), {
      ...options,
      signal: controller.signal,
      checkpoint: { load: () => undefined, save: (state) => void (stored = frozen(state)) },
      onEpoch: ({ epoch }) => epoch === 2 && controller.abort(),
    });
    expect(half.stopped).toBe('aborted');
    const checkpoint = { load: () => stored, save: () => undefined };
    expect((await searchCells(data, new Random(2), { ...options, checkpoint })).shares).toEqual(whole.shares);
  });

  test('α stays in the phase of scores where that is asked for, weights stay in it anyway', async () => {
    const model = new OneEdge(1);
    const seen: Record<string, Float32Array>[] = [];
    await searchSparsely(model, data, new Random(1), {
      ...{ ...options, weightDecay: 0.5, searchWhilePruning: false, epochs: { pretrain: 1, prune: 1, finetune: 1 } },
      onEpoch: () => void seen.push(copy(parameters(model))),
    });
    const [first, second, third] = seen as [
      Record<string, Float32Array>,
      Record<string, Float32Array>,
      Record<string, Float32Array>,
    ];
    const [pruned, tuned] = [changed(first, second), changed(second, third)];
    expect(pruned.filter((name) => name.includes('.layer.') || name.includes('alpha'))).toEqual([]);
    expect(pruned).toContain('fc.scores');
    expect(tuned).toContain('mixed.alpha');
    expect(tuned.filter((name) => name.endsWith('.scores'))).toEqual([]);
  });

  test('every pass of a phase, those of α among them, has the share of that phase', async () => {
    const model = new OneEdge(1);
    const seen: number[] = [];
    (model as { probe?: () => void }).probe = () =>
      void seen.push(count((model.fc as unknown as SparseLayer).masked().view()));
    await searchSparsely(model, data, new Random(1), { ...options, keep: 0.25 });
    const [dense, kept] = [16, 4];
    const passes = (times: number, value: number) => Array.from({ length: times }, () => value);
    expect(seen).toEqual([...passes(4, dense), ...passes(8, kept)]);
  });

  test('too few images, or a share outside (0, 1], are refused', async () => {
    await expect(searchCells(stripes(8, 3, 2), new Random(1), options)).rejects.toThrow('at least 4 training images');
    await expect(searchCells(data, new Random(1), { ...options, keep: 1.5 })).rejects.toThrow('must be in (0, 1]');
  });

  test('memory is about what a step takes, and grows with what it is made of', async () => {
    const pictures = { height: 16, width: 16 };
    for (const [nodes, width] of [
      [2, 4],
      [3, 8],
    ] as const) {
      const small = { nodes, width, cells: 3, batchSize: 4, operations: cellOperations };
      const { network: mixed } = mixedNetwork(small, { ...small, classes: 2 }, new Random(1));
      const [x, labels] = [uniformTensor(1, [4, 1, 16, 16]), tensor(Int32Array.of(0, 1, 0, 1))];
      const lossOf = (live: Layer) => crossEntropy(live.forward(x, training(new Random(1))), labels);
      const before = memoryUse().bytes;
      const { peakBytes } = await withOwnPeak(() => scope(() => void gradientsOf(mixed as Layer, lossOf)));
      const ratio = (peakBytes - before) / searchBytes(pictures, small);
      expect(ratio).toBeGreaterThan(0.6);
      expect(ratio).toBeLessThan(1.7);
    }
    expect(searchBytes(pictures, { batchSize: 64 })).toBe(2 * searchBytes(pictures));
    expect(searchBytes(pictures, { width: 8 })).toBe(searchBytes(pictures) / 2);
  });
});

/** One mixed edge over pictures: a separable convolution sees patterns, a skip only brightness. */
class OneEdge implements Layer {
  readonly mixed: MixedOperator;
  readonly fc: Linear;

  constructor(seed: number, channels = 8) {
    const random = new Random(seed);
    const lift = new Conv2d(1, channels, 1, random);
    const conv = [
      new Conv2d(channels, channels, 3, random, { padding: 1, groups: channels, bias: false }),
      new Conv2d(channels, channels, 1, random, { bias: false }),
      new BatchNorm2d(channels),
      { forward: (x: Tensor) => relu(x) },
    ];
    this.lift = lift;
    this.mixed = new MixedOperator({ conv, skip: [] }, random);
    this.fc = new Linear(channels, 2, random);
  }

  readonly lift: Conv2d;
  probe?: () => void;

  forward(x: Tensor, mode: Mode): Tensor {
    this.probe?.();
    return this.fc.forward(globalAveragePool(runSequence([this.mixed], this.lift.forward(x), mode)));
  }
}

test('with k = 1 and no scores the search is DARTS, written out on plain layers', async () => {
  const data = stripes(6, 24, 4);
  const random = new Random(5);
  const settings = { keep: 1, batchSize: 6, architectureRate: 0.05, weightDecay: 0.01 };
  const model = new OneEdge(7);
  await searchSparsely(model, data, random, {
    ...settings,
    epochs: { pretrain: 2, prune: 0, finetune: 0 },
    learningRates: { pretrain: 0.1 },
  });
  const found = model.mixed.alpha.dataSync<Float32Array>();
  const alone = dartsByHand(new OneEdge(7), data, random, { ...settings, epochs: 2, rate: 0.1 });
  expectClose(found, alone, 1e-5);
  expect(Math.abs((found[0] as number) - (found[1] as number))).toBeGreaterThan(0.01);
});

/** First-order DARTS: Adam for α in doubles, SGD with a cosine and clipped gradients for w. */
function dartsByHand(
  model: OneEdge,
  { train, mean, deviation }: ImageDataset,
  random: Random,
  {
    batchSize,
    architectureRate,
    weightDecay,
    epochs,
    rate,
  }: Record<'batchSize' | 'architectureRate' | 'weightDecay' | 'epochs' | 'rate', number>,
): Float64Array {
  const order = random.split('halves').permutation(train.count);
  const half = train.count >> 1;
  const lossAt = (indices: number[]) => (live: Layer) => {
    const x = imageTensor(train, indices, { mean, deviation });
    const probabilities = softmax(live.forward(x, training(new Random(0))));
    const hot = tensor(
      indices.flatMap((at) => [0, 1].map((c) => Number(c === train.labels[at]))),
      [indices.length, 2],
    );
    return multiply(sum(multiply(probabilities.log(), hot)), -1 / indices.length);
  };
  const alpha = Float64Array.from(model.mixed.alpha.view<Float32Array>());
  const [m, v] = [new Float64Array(2), new Float64Array(2)];
  let step = 0;
  const steps = epochs * Math.ceil(half / batchSize);
  const stream = random.split('pretrain');
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const shuffle = stream.split('order').split(epoch);
    const draws = shuffle.split('architecture');
    const permuted = shuffle.permutation(half);
    for (let at = 0; at < half; at += batchSize, step++) {
      const drawn = Array.from({ length: batchSize }, () => order[half + draws.integer(train.count - half)] as number);
      const g = gradientsOf(model, lossAt(drawn), architectureOf(model)).gradients[
        'mixed.alpha'
      ]?.view() as Float32Array;
      for (let i = 0; i < 2; i++) {
        const own = (g[i] as number) + 1e-3 * (alpha[i] as number);
        m[i] = 0.5 * (m[i] as number) + 0.5 * own;
        v[i] = 0.999 * (v[i] as number) + 0.001 * own ** 2;
        const [a, b] = [(m[i] as number) / (1 - 0.5 ** (step + 1)), (v[i] as number) / (1 - 0.999 ** (step + 1))];
        alpha[i] = (alpha[i] as number) - (architectureRate * a) / (Math.sqrt(b) + 1e-8);
      }
      model.mixed.alpha.assign(tensor([...alpha]));
      const batch = Array.from(permuted.subarray(at, at + batchSize), (index) => order[index] as number);
      const all = gradientsOf(model, lossAt(batch)).gradients;
      const own = Object.entries(all).filter(([name]) => name !== 'mixed.alpha');
      const norm = Math.sqrt(own.reduce((total, [, value]) => total + value.view().reduce((s, x) => s + x * x, 0), 0));
      const now = 1e-3 + ((rate - 1e-3) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
      for (const [name, value] of own) {
        const weight = parameters(model)[name] as Tensor;
        const clipped = multiply(value, Math.min(1, 5 / norm));
        weight.assign(subtract(weight, multiply(add(clipped, multiply(weight, weightDecay)), now)));
      }
    }
  }
  return alpha;
}
