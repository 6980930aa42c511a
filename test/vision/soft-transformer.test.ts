import { describe, expect, test } from 'vitest';
import { firstImages, glyphImages, type ImageDataset, imageTensor } from '../../src/data/index.js';
import { accuracyOn, trainOnImages, VisionTransformer } from '../../src/models/index.js';
import {
  inference,
  type Layer,
  lossWithTerms,
  predictedClasses,
  SoftHGNN,
  stateOf,
  training,
} from '../../src/nn/index.js';
import { concatenate, Random, slice, type Tensor, zeros } from '../../src/tensor/index.js';
import { ImageClassifier, ImagePredictor, imageModel, imageModelSettings } from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const tiny = { imageSize: 16, patchSize: 4, channels: 1, classes: 3, features: 16, depth: 1, heads: 2 };
const images = uniformTensor(1, [2, 1, 16, 16]);
const soft = (features: number, random: Random) =>
  new SoftHGNN(features, random, { hyperedges: 4, heads: 4, dropout: 0 });

describe('a context after the last block of a vision transformer', () => {
  test('leaves the backbone of a seed as it is', () => {
    const [plain, with_] = [
      new VisionTransformer(new Random(5), tiny),
      new VisionTransformer(new Random(5), { ...tiny, context: soft }),
    ];
    for (const [name, weight] of Object.entries(stateOf(plain)))
      expect([...weight.dataSync()]).toEqual([...(stateOf(with_)[name] as Tensor).dataSync()]);
    expect(Object.keys(stateOf(with_)).some((name) => name.startsWith('context.prototypes'))).toBe(true);
  });

  test('sees all tokens, the class token among them, before the norm', () => {
    const seen: Tensor[] = [];
    const twice: Layer = {
      forward: (x) => {
        seen.push(x);
        return x.multiply(2);
      },
    };
    const model = new VisionTransformer(new Random(5), { ...tiny, context: () => twice });
    const plain = new VisionTransformer(new Random(5), tiny);
    expect(model.forward(images, inference).shape).toEqual([2, 3]);
    expect(seen.map(({ shape }) => shape)).toEqual([[2, 17, 16]]);
    // The norm undoes a factor.
    expectClose(model.tokens(images).view(), plain.tokens(images).view(), 1e-3);
  });

  test('gives the mode on, so that dropout and load balance are at work', () => {
    const model = new VisionTransformer(new Random(5), {
      ...tiny,
      context: (features, random) =>
        new SoftHGNN(features, random, { hyperedges: 2, heads: 4, selection: { dynamic: 6, k: 2, balance: 5 } }),
    });
    const terms: Tensor[] = [];
    model.forward(images, { ...training(new Random(1)), addLoss: (term) => terms.push(term) });
    expect(terms).toHaveLength(1);
    const loss = lossWithTerms(training(new Random(1)), (mode) => model.forward(images, mode).sum());
    const own = model.forward(images, training(new Random(1))).sum();
    expect(loss.item()).toBeCloseTo(own.item() + (terms[0] as Tensor).item(), 4);
    expect([...model.forward(images, training(new Random(1))).view()]).not.toEqual([
      ...model.forward(images, inference).view(),
    ]);
  });

  test('tells who takes part, patch by patch', () => {
    for (const pooling of ['class', 'mean'] as const) {
      const model = new VisionTransformer(new Random(5), { ...tiny, pooling, context: soft });
      const { weights, hyperedges } = model.participation(images);
      expect([weights.shape, hyperedges.shape]).toEqual([
        [2, 4, 4, 4],
        [2, 4],
      ]);
      // Without the class token's share the patches of a hyperedge sum to less than 1.
      const sums = weights.sum([2, 3]).view();
      for (const sum of sums) expect(sum).toBeLessThan(pooling === 'class' ? 1 : 1 + 1e-5);
      if (pooling === 'mean') expectClose(sums, new Float32Array(8).fill(1), 1e-5);
    }
    expect(() => new VisionTransformer(new Random(5), tiny).participation(images)).toThrow('no soft hyperedges');
  });
});

describe('vit-softhgnn', () => {
  const data: ImageDataset = glyphImages(300, 60, new Random(3));

  test('has hyperedges and heads by size, or as they are set, and keeps them in its file', () => {
    const context = (name: string, settings = {}, size = 28) => {
      const model = imageModel(name, { channels: 1, classes: 2, size, settings }, new Random(1));
      return (model as VisionTransformer).context as SoftHGNN;
    };
    expect(context('vit-softhgnn').hyperedges).toBe(8);
    expect(context('vit-softhgnn', {}, 64).hyperedges).toBe(16);
    expect(context('vit-softhgnn', { hyperedges: 5 }).hyperedges).toBe(5);
    const sparse = context('vit-softhgnn-ses', { dynamic: 10, k: 4 });
    expect([sparse.fixed, sparse.hyperedges, sparse.selection?.k]).toEqual([16, 26, 4]);
    expect(() => context('vit-softhgnn', { heads: 7 })).toThrow('48 features do not divide among 7 heads');
    expect(() => context('vit-softhgnn', { k: 4 })).toThrow('has no setting "k"; it has hyperedges, heads');
    expect(() => context('vit-nano', { heads: 4 })).toThrow('model "vit-nano" has no setting "heads"; it has none');
    expect(Object.keys(imageModelSettings('vit-softhgnn-ses'))).toEqual(['hyperedges', 'heads', 'dynamic', 'k']);

    const made = ImageClassifier.create('vit-softhgnn-ses', data, new Random(1), { hyperedges: 3, dynamic: 9, k: 2 });
    const read = ImageClassifier.load(made.save());
    expect(read.description.settings).toEqual({ hyperedges: 3, dynamic: 9, k: 2 });
    const x = imageTensor(data.test, [0, 1, 2], data);
    const logits = made.model.forward(x, inference).view();
    expect([...read.model.forward(x, inference).view()]).toEqual([...logits]);
    // A predictor compiles it for one picture, and picks other hyperedges for other pictures.
    const predictor = ImagePredictor.load(made.save());
    for (const i of [0, 1, 2]) {
      const [own] = predictor.plan.run(imageTensor(data.test, [i], data));
      expectClose((own as Tensor).view(), slice(made.model.forward(x, inference), [i, i + 1]).view(), 1e-4);
    }
  });

  test.each(['vit-softhgnn', 'vit-softhgnn-ses'])(
    '%s learns',
    async (name) => {
      const classifier = ImageClassifier.create(name, data, new Random(1));
      const before = accuracyOn(classifier.model, data.test, data);
      await classifier.train(data, new Random(2), { epochs: 4, batchSize: 25, learningRate: 3e-3 });
      expect(accuracyOn(classifier.model, data.test, data)).toBeGreaterThan(before + 0.15);
    },
    60_000,
  );
});

describe('the epoch that is kept', () => {
  const data = glyphImages(120, 60, new Random(3));
  const make = () => new VisionTransformer(new Random(5), { ...tiny, imageSize: 28, classes: 10 });

  test('is the best on the images that choose it, also if others follow', async () => {
    const held = firstImages(data.test, 40);
    const training = { epochs: 5, batchSize: 20, learningRate: 4e-3 };
    // What the second epoch says is taken for the truth, so that it is the best.
    const seen: Int32Array[] = [];
    const first = make();
    await trainOnImages(first, data, new Random(2), {
      ...training,
      onEpoch: () =>
        seen.push(
          predictedClasses(
            first.forward(
              imageTensor(
                held,
                held.labels.map((_, i) => i),
                data,
              ),
              inference,
            ),
          ),
        ),
    });
    const chooseBy = { ...held, labels: seen[1] as Int32Array };
    expect(seen[4]).not.toEqual(seen[1]);

    const model = make();
    const accuracies: number[] = [];
    const result = await trainOnImages(model, data, new Random(2), {
      ...{ ...training, chooseBy },
      onEpoch: ({ metric }) => accuracies.push(metric as number),
    });
    expect(accuracies[1]).toBe(1);
    expect(accuracies[4]).toBeLessThan(1);
    expect(result.bestMetric).toBe(1);
    expect(accuracyOn(model, chooseBy, data)).toBe(1);
  });

  test('is none for an average of weights', async () => {
    const options = { epochs: 1, average: 0.9, chooseBy: data.test };
    await expect(trainOnImages(make(), data, new Random(2), options)).rejects.toThrow('has no best epoch');
  });
});

test('images of a batch do not see each other', () => {
  const model = new VisionTransformer(new Random(5), { ...tiny, context: soft });
  const together = model.forward(concatenate([images, zeros([1, 1, 16, 16])], 0), inference);
  expectClose(slice(together, [0, 2]).view(), model.forward(images, inference).view(), 1e-5);
});
