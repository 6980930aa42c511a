import { describe, expect, test } from 'vitest';
import { glyphImages, type ImageDataset, thumbnail } from '../../src/data/index.js';
import { type Layer, stateOf } from '../../src/nn/index.js';
import { Random, scope, tensor } from '../../src/tensor/index.js';
import { evaluateImages, headOf, ImageClassifier, transferWeights } from '../../src/vision/index.js';

const glyphs = glyphImages(40, 20, new Random(1));
const few: ImageDataset = { ...glyphs, classes: ['one', 'two', 'three'] };
const made = (name: string, data: ImageDataset, seed: number) => ImageClassifier.create(name, data, new Random(seed));

describe('the head of a network', () => {
  test.each([
    ['resnet8', ['linear.weight', 'linear.bias']],
    ['mobilenet-v2-nano', ['classifier.1.weight', 'classifier.1.bias']],
    ['vanillanet-nano', null],
    ['lsnet-nano', null],
    ['terminator-nano', null],
    ['phc-resnet8', ['classifier.weight', 'classifier.bias']],
  ] as const)('%s: the layers whose shapes follow the classes', (name, expected) => {
    const { description, model } = made(name, few, 0);
    const isHead = headOf(description);
    const head = Object.keys(stateOf(model)).filter(isHead);
    if (expected) expect(head).toEqual(expected);
    const shapes = (data: ImageDataset) =>
      Object.entries(stateOf(made(name, data, 0).model)).map(([own, { shape }]) => `${own} ${shape}`);
    const differing = shapes(few).filter((line, i) => line !== shapes(glyphs)[i]);
    expect(differing.length).toBeGreaterThan(0);
    for (const line of differing) expect(isHead(line.split(' ')[0] as string)).toBe(true);
    expect(head.length).toBeLessThan(10);
  });
});

describe('weights of a trained classifier', () => {
  test('go to a new one of other classes, but for its head', () => {
    const [source, target] = [made('vanillanet-nano', glyphs, 1), made('vanillanet-nano', few, 2)];
    const before = Object.fromEntries(Object.entries(stateOf(target.model)).map(([k, v]) => [k, v.dataSync()]));
    const { taken, anew } = transferWeights(target, source);
    const isHead = headOf(target.description);
    for (const [name, weight] of Object.entries(stateOf(target.model)))
      expect(weight.dataSync()).toEqual(isHead(name) ? before[name] : stateOf(source.model)[name]?.dataSync());
    expect(anew.length).toBeGreaterThan(0);
    expect(taken + anew.length).toBe(Object.keys(before).length);
  });

  test('go over whole where the classes are the same', () => {
    const [source, target] = [made('resnet8', glyphs, 1), made('resnet8', glyphs, 2)];
    expect(transferWeights(target, source).anew).toEqual([]);
    for (const [name, weight] of Object.entries(stateOf(target.model)))
      expect(weight.dataSync()).toEqual(stateOf(source.model)[name]?.dataSync());
  });

  test('of another network, other settings, channels or sizes are refused', () => {
    const source = made('vit-nano', glyphs, 1);
    const { train } = few;
    const colour = { ...few, mean: [0, 0, 0], deviation: [1, 1, 1], train: { ...train, channels: 3 } };
    expect(() => transferWeights(made('resnet8', few, 1), source)).toThrow(
      'architecture vit-nano, the new one resnet8',
    );
    expect(() => transferWeights(made('vit-nano', colour, 1), source)).toThrow('channels 1, the new one 3');
    const smaller = { ...few, train: { ...train, height: 16, width: 16 } };
    expect(() => transferWeights(made('vit-nano', smaller, 1), source)).toThrow('it was made for 28×28');
    const plain = ImageClassifier.create('phc-resnet8', few, new Random(1), { n: 1 });
    expect(() => transferWeights(plain, made('phc-resnet8', few, 1))).toThrow('the trained network has settings []');
  });
});

describe('an evaluation', () => {
  /** Answers class 1 for images whose first pixel is set, else class 0, by logits of a size. */
  const network: Layer = {
    forward: (x) =>
      scope(() => {
        const values = x.dataSync();
        const size = x.size / (x.shape[0] as number);
        const rows = Array.from({ length: x.shape[0] as number }, (_, i) => {
          const value = values[i * size] as number;
          return value > 0.5 ? [0, value * 10, 0] : [value * 10, 0, 0];
        });
        return tensor(rows);
      }),
  };
  const pixels = Uint8Array.of(255, 0, 255, 128, 51, 255, 204, 255);
  const images = { count: 4, channels: 1, height: 1, width: 2, pixels, labels: Int32Array.of(1, 0, 2, 0) };
  const data = { mean: [0], deviation: [1], classes: ['a', 'b', 'c'] };

  test('counts confusions, and lists mistakes by their probability', () => {
    // First pixels 1, 1, 0.2, 0.8: answers b, b, a, b.
    const found = evaluateImages(network, images, data);
    expect(found.accuracy).toBe(0.25);
    expect(found.balancedAccuracy).toBeCloseTo((0 + 1 + 0) / 3, 12);
    expect([...found.confusion]).toEqual([0, 2, 0, 0, 1, 0, 1, 0, 0]);
    expect(found.mistakes.map(({ image, label, predicted }) => [image, label, predicted])).toEqual([
      [1, 0, 1],
      [3, 0, 1],
      [2, 2, 0],
    ]);
    const odds = Math.exp(10);
    expect(found.mistakes[0]?.probability).toBeCloseTo(odds / (odds + 2), 5);
    expect(() => evaluateImages(network, { ...images, count: 0 }, data)).toThrow('there are no images');
  });

  test('thumbnails average blocks of pixels, grey as RGB', () => {
    const grey = { ...images, count: 1, height: 2, width: 4, pixels: Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70) };
    expect(thumbnail(grey, 0, 2)).toEqual({ height: 1, width: 2, pixels: Uint8Array.of(25, 25, 25, 45, 45, 45) });
    const colour = { ...grey, count: 2, channels: 3, height: 1, width: 1, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    expect(thumbnail(colour, 1)).toEqual({ height: 1, width: 1, pixels: Uint8Array.of(4, 5, 6) });
  });
});
