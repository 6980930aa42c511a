import { expect, test } from 'vitest';
import { architecture } from '../../src/experiments/protocols/architecture.js';
import { loadImageSet } from '../../src/experiments/protocols/images.js';
import { denseScores, meanIoU, pasted } from '../../src/experiments/protocols/pasted-images.js';
import { SmallResNet, VisionTransformer } from '../../src/models/index.js';
import { inference, parameterCount } from '../../src/nn/index.js';
import { Random, resize, zeros } from '../../src/tensor/index.js';
import { imageModel, type MapBackbone, PyramidHead, Segmenter, VanillaNet } from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';
import { context } from './context.js';

test('pasted images: inked pixels are of the class of the image that lies on top, the others background', () => {
  // Three images of 2×2 in one colour each; every pixel but the last has ink.
  const pixels = Uint8Array.from([100, 100, 100, 10, 150, 150, 150, 10, 200, 200, 200, 10]);
  const images = { count: 3, channels: 1, height: 2, width: 2, pixels, labels: Int32Array.of(0, 1, 2) };
  const { images: canvases, pixelLabels } = pasted(images, 50, 3, new Random(1));
  expect([canvases.height, canvases.width]).toEqual([4, 4]);
  const colours = [0, 100, 150, 200];
  const labelOf = (value: number) => (value === 0 ? 3 : colours.indexOf(value) - 1);
  expect(Array.from(pixelLabels)).toEqual(Array.from(canvases.pixels, labelOf));
  const inked = Array.from({ length: 50 }, (_, at) =>
    pixelLabels.subarray(16 * at, 16 * at + 16).filter((own) => own < 3),
  );
  expect(Math.max(...inked.map(({ length }) => length))).toBe(9);
  expect(Math.min(...inked.map(({ length }) => length))).toBeGreaterThanOrEqual(3);
  expect(Array.from(pasted(images, 50, 3, new Random(2)).pixelLabels)).not.toEqual(Array.from(pixelLabels));
});

test('mean IoU, by hand; a class that neither occurs nor is predicted is left out', () => {
  expect(meanIoU([0, 0, 1, 1], [0, 1, 1, 1], 4)).toBeCloseTo((1 / 2 + 2 / 3) / 2, 12);
  expect(meanIoU([2, 2], [0, 2], 3)).toBeCloseTo(1 / 4, 12);
});

test('a pyramid adds coarser maps from the top down', () => {
  const head = new PyramidHead([3, 5], 4, new Random(1), { width: 2 });
  const maps = [uniformTensor(1, [1, 3, 4, 4]), uniformTensor(2, [1, 5, 2, 2])] as const;
  const [fine, coarse] = maps.map((map, i) => head.lateral[i]?.forward(map, inference));
  const sum = fine?.add(resize(coarse as never, [4, 4]));
  const expected = resize(head.classify.forward(head.smooth.forward(sum as never, inference).relu()), [8, 8]);
  expectClose(head.forward(maps, [8, 8], inference).dataSync(), expected.dataSync());
});

test('every backbone segments, and its merged form alike', () => {
  const shape = { channels: 1, classes: 3, size: 56 };
  const small = { ...shape, imageSize: 56, patchSize: 4, features: 30, depth: 1, pooling: 'mean' } as const;
  const backbones: MapBackbone[] = [
    imageModel('lsnet-nano', shape, new Random(1)) as never,
    imageModel('mobilenet-v2-nano', shape, new Random(1)) as never,
    new SmallResNet(8, new Random(1), { ...shape, widths: [8, 16, 32] }),
    new VisionTransformer(new Random(1), small),
    new VisionTransformer(new Random(1), { ...small, pooling: 'class' }),
  ];
  const x = uniformTensor(1, [1, 1, 56, 56]);
  const sides = backbones.map((backbone) => backbone.maps(x, inference).map(({ shape: map }) => map[2]));
  expect(sides).toEqual([[28, 14, 7, 4], [28, 14, 7], [56, 28, 14], [14], [14]]);
  for (const backbone of backbones) {
    const model = Segmenter.on(backbone, 4, shape, new Random(2));
    const logits = model.forward(x, inference);
    expect(logits.shape).toEqual([1, 4, 56, 56]);
    expectClose(model.merged().forward(x, inference).dataSync(), logits.dataSync(), 1e-4);
  }
});

test('dense prediction is scored and timed for each backbone; training raises the IoU', async () => {
  const data = await loadImageSet('glyphs', { images: 200, tests: 100 });
  const backbone = (shape: { channels: number; classes: number }, random: Random) =>
    new SmallResNet(8, random, { ...shape, widths: [8, 8, 8] });
  const at = async (canvases: number, epochs: number, on = data) => {
    const options = { canvases, epochs, trials: 1, tuning: 0.5 };
    return (await denseScores([{ title: 'ResNet', backbone }], on, options, context(1)))[0]?.scores ?? {};
  };
  const [few, more] = [await at(6, 1), await at(60, 4)];
  expect(more.iou as number).toBeGreaterThan((few.iou as number) + 2);
  expect(more.denseLatency).toBeGreaterThan(0);
  // Scored on the test images: wrong labels there lower the score, and change nothing else.
  const labels = data.test.labels.map((label) => (label + 1) % data.classes.length);
  const wrong = await at(60, 4, { ...data, test: { ...data.test, labels } });
  expect(wrong.iou as number).toBeLessThan(more.iou as number);
}, 300_000);

test('a vision transformer without class token has the published number of parameters', () => {
  const make = (pooling: 'class' | 'mean') =>
    new VisionTransformer(new Random(1), {
      ...{ imageSize: 28, patchSize: 4, channels: 1, classes: 10, features: 48, depth: 4, heads: 3, pooling },
    });
  expect(parameterCount(make('mean'))).toBe(116_842);
  expect(parameterCount(make('class'))).toBe(116_842 + 2 * 48);
  const model = make('mean');
  const x = uniformTensor(1, [2, 1, 28, 28]);
  expectClose(model.head.forward(model.tokens(x).mean(1)).dataSync(), model.forward(x, inference).dataSync());
});

test('joins, attentions and layers are counted on the traced graph', () => {
  const x = zeros([1, 1, 28, 28]);
  const shape = { channels: 1, classes: 10, size: 28 };
  const merged = new VanillaNet({ dims: [8, 16, 16], strides: [2, 1], ...shape, form: 'merged' }, new Random(1));
  expect(architecture(merged, x)).toEqual({ joins: 0, attentions: 0, depth: 4 });
  const deep = new VanillaNet({ dims: [8, 16, 16], strides: [2, 1], ...shape }, new Random(1));
  expect(architecture(deep, x)).toMatchObject({ joins: 0, depth: 8 });
  expect(architecture(new SmallResNet(8, new Random(1), shape), x)).toEqual({ joins: 3, attentions: 0, depth: 8 });
  const vit = architecture(imageModel('vit-nano', shape, new Random(1)), x);
  expect(vit.attentions).toBe(4);
  expect(vit.joins).toBeGreaterThanOrEqual(8);
  expect(vit.depth).toBe(1 + 4 * 4 + 1);
});
