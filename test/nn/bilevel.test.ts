// Mixed operators and the training of their architecture weights in turns with the others.

import { describe, expect, test } from 'vitest';
import {
  Adam,
  AlternatingOptimizer,
  architectureOf,
  architectureStep,
  BatchNorm2d,
  binaryCrossEntropy,
  blockOperator,
  Conv2d,
  fitBilevel,
  gradientsOf,
  inference,
  type Layer,
  MixedOperator,
  type Mode,
  parameters,
  stateOf,
  type TrainingState,
  training,
} from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkModelGradient, expectClose, uniformTensor } from '../oracle.js';

const names = ['convolution', 'depthwise', 'max-pool', 'average-pool', 'none'] as const;

const mixedOf = (channels: number, seed: number) => {
  const random = new Random(seed);
  return new MixedOperator(
    Object.fromEntries(names.map((name) => [name, blockOperator(name, channels, random)])),
    random,
  );
};

describe('a mixed operator', () => {
  const x = uniformTensor(1, [2, 3, 4, 5]);

  test('is the sum of its candidates by the softmax of α', () => {
    const mixed = mixedOf(3, 1);
    mixed.alpha.assign(tensor([0.3, -1, 0.7, 2, 0.1]));
    const total = [0.3, -1, 0.7, 2, 0.1].reduce((sum, value) => sum + Math.exp(value), 0);
    const expected = new Float64Array(x.size);
    [0.3, -1, 0.7, 2, 0.1].forEach((value, at) => {
      const one = mixed.candidates[at]?.reduce<Tensor>((y, layer) => (layer as Layer).forward(y, inference), x);
      one?.dataSync().forEach((own, i) => {
        expected[i] = (expected[i] as number) + (Math.exp(value) / total) * own;
      });
    });
    expectClose(mixed.forward(x, inference).dataSync(), expected, 1e-5);
    expect(mixed.chosen()).toBe('average-pool');
    expect(mixed.chosen(['average-pool'])).toBe('max-pool');
    expect(() => mixed.chosen(names)).toThrow('no candidate is left');
  });

  test('with one share of 1 is that candidate', () => {
    for (const [at, name] of names.entries()) {
      const mixed = mixedOf(3, 1);
      mixed.alpha.assign(tensor(names.map((_, other) => (other === at ? 200 : 0))));
      const single = mixed.candidates[at]?.reduce<Tensor>((y, layer) => (layer as Layer).forward(y, inference), x);
      expect(mixed.forward(x, inference).dataSync()).toEqual(single?.dataSync());
      expect(mixed.chosen()).toBe(name);
    }
  });

  test('∂loss/∂α and those of all weights, by differences', () => {
    const mixed = mixedOf(3, 1);
    mixed.alpha.assign(tensor([0.3, -0.5, 0.7, 0.2, 0.1]));
    checkModelGradient(mixed, (live) => live.forward(x, inference).square().sum(), { step: 3e-3, absolute: 0.02 });
    const { gradients } = gradientsOf(
      mixed,
      (live) => live.forward(x, inference).square().sum(),
      architectureOf(mixed),
    );
    expect(Object.keys(gradients)).toEqual(['alpha']);
  });

  test('α is told from weights, at any depth', () => {
    const model = { a: new Conv2d(1, 3, 1, new Random(1)), inner: [mixedOf(3, 2)] };
    expect(Object.keys(architectureOf(model))).toEqual(['inner.0.alpha']);
    expect(() => new MixedOperator({}, new Random(1))).toThrow('there is no candidate');
  });
});

/** Whether any of the 3×3 pixels around one exceeds 1: max pooling and a threshold tell. */
class Neighbours {
  readonly mixed: MixedOperator;
  readonly head: Conv2d;

  constructor(seed: number) {
    this.mixed = mixedOf(1, seed);
    // A threshold from below, so that no seed begins with its sign turned.
    this.head = new Conv2d(1, 1, 1, new Random(seed));
    this.head.weight.assign(tensor([2], [1, 1, 1, 1]));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.head.forward(this.mixed.forward(x, mode)).reshape([-1, 1]);
  }
}

interface Planted {
  readonly x: Tensor;
  readonly y: Tensor;
}

function planted(random: Random, images: number): Planted {
  const side = 8;
  const x = random.normal([images, 1, side, side], 0, 0.7);
  const values = x.dataSync();
  const labels = Float32Array.from(values, (_, i) => {
    const [image, row, column] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    for (let r = Math.max(0, row - 1); r <= Math.min(side - 1, row + 1); r++)
      for (let c = Math.max(0, column - 1); c <= Math.min(side - 1, column + 1); c++)
        if ((values[image * side ** 2 + r * side + c] as number) > 1) return 1;
    return 0;
  });
  return { x, y: tensor(labels, [values.length, 1]) };
}

const lossOf = (live: Neighbours, { x, y }: Planted, mode: Mode) => binaryCrossEntropy(live.forward(x, mode), y);

const optimizerOf = (model: Neighbours) =>
  new AlternatingOptimizer(
    Object.keys(architectureOf(model)),
    new Adam({ learningRate: 0.1 }),
    new Adam({ learningRate: 0.05, beta1: 0.5, weightDecay: 1e-3 }),
  );

/** A search on the planted task. */
const search = (model: Neighbours, seed: number, hooks: object = {}, epochs = 4) => {
  const random = new Random(seed);
  const draw = (label: string) => Array.from({ length: 10 }, (_, at) => planted(random.split(label).split(at), 8));
  const [own, others] = [draw('own'), draw('other')];
  return fitBilevel<Neighbours, Planted>({
    ...{ model, epochs, random: random.split('fit'), optimizer: optimizerOf(model), loss: lossOf },
    batches: () => own,
    architectureBatches: () => others,
    ...hooks,
  });
};

describe('training in turns', () => {
  const copy = (model: object) =>
    Object.fromEntries(Object.entries(parameters(model)).map(([name, value]) => [name, value.dataSync()]));
  const changed = (before: ReturnType<typeof copy>, after: ReturnType<typeof copy>) =>
    Object.keys(before).filter((name) => before[name]?.join() !== after[name]?.join());

  test('a step of α leaves the weights bit for bit, a step of the weights α', () => {
    const model = new Neighbours(1);
    const optimizer = optimizerOf(model);
    const batch = planted(new Random(1), 4);
    const start = copy(model);
    architectureStep(model, (live, mode) => lossOf(live, batch, mode), optimizer, training(new Random(1)));
    const between = copy(model);
    expect(changed(start, between)).toEqual(['mixed.alpha']);
    const { gradients } = gradientsOf(model, (live) => lossOf(live, batch, training(new Random(1))));
    optimizer.update(parameters(model), gradients);
    const after = copy(model);
    expect(changed(between, after)).toEqual(Object.keys(start).filter((name) => name !== 'mixed.alpha'));
    // Given the gradients of all, a step of α takes its own alone.
    optimizer.updateArchitecture(parameters(model), gradients);
    expect(changed(after, copy(model))).toEqual(['mixed.alpha']);
  });

  test('α learns from its own half: what the other half says does not move it', async () => {
    const random = new Random(3);
    const own = [planted(random, 4)];
    const others = [planted(random, 4)];
    const alphaAfter = async (weightBatches: Planted[], architectureBatches: Planted[]) => {
      const model = new Neighbours(1);
      await fitBilevel<Neighbours, Planted>({
        ...{ model, epochs: 1, random: new Random(1), optimizer: optimizerOf(model), loss: lossOf },
        batches: () => weightBatches,
        architectureBatches: () => architectureBatches,
      });
      return architectureOf(model)['mixed.alpha']?.dataSync();
    };
    const first = await alphaAfter(own, others);
    expect(await alphaAfter([planted(new Random(9), 4)], others)).toEqual(first);
    expect(await alphaAfter(own, [planted(new Random(9), 4)])).not.toEqual(first);
  });

  test('the planted task: max pooling first in at least four of five seeds', async () => {
    const chosen: string[] = [];
    for (let seed = 1; seed <= 5; seed++) {
      const model = new Neighbours(seed);
      await search(model, seed, {}, 8);
      chosen.push(model.mixed.chosen());
    }
    expect(chosen.filter((name) => name === 'max-pool').length, chosen.join()).toBeGreaterThanOrEqual(4);
  });

  test('resumes from a checkpoint to the same bits', async () => {
    let stored: TrainingState | undefined;
    const save = (state: TrainingState) => {
      const copied = (weights: TrainingState['weights']) =>
        Object.fromEntries(
          Object.entries(weights).map(([name, value]) => [name, tensor(value.dataSync(), value.shape)]),
        );
      stored = {
        ...state,
        weights: copied(state.weights),
        optimizer: { step: state.optimizer.step, tensors: copied(state.optimizer.tensors) },
      };
    };
    const whole = new Neighbours(2);
    await search(whole, 2, {}, 3);
    const half = new Neighbours(2);
    await search(half, 2, { checkpoint: { load: () => undefined, save } }, 2);
    const rest = new Neighbours(7);
    await search(rest, 2, { checkpoint: { load: () => stored, save: () => undefined } }, 3);
    for (const [name, value] of Object.entries(stateOf(whole)))
      expect(stateOf(rest)[name]?.dataSync(), name).toEqual(value.dataSync());
  });

  test('a model without mixed operators, or an empty half, is refused', async () => {
    const model = { head: new BatchNorm2d(2) };
    const options = { model, epochs: 1, random: new Random(1), loss: () => tensor([1]) };
    expect(() => fitBilevel({ ...options, batches: () => [0], architectureBatches: () => [0] })).toThrow(
      'no MixedOperator',
    );
    const mixed = new Neighbours(1);
    await expect(
      fitBilevel<Neighbours, Planted>({
        ...{ model: mixed, epochs: 1, random: new Random(1), loss: lossOf },
        batches: () => [planted(new Random(1), 2)],
        architectureBatches: () => [],
      }),
    ).rejects.toThrow('has no batch');
  });
});
