import { expect, test } from 'vitest';
import { glyphImages } from '../../src/data/index.js';
import {
  directOperations,
  narrowOptions,
  networkOptions,
  splitImages,
  testAccuracy,
  validationAccuracy,
} from '../../src/experiments/protocols/binary-networks.js';
import { levelStudy } from '../../src/experiments/protocols/binary-tree-studies.js';
import { scoreAt } from '../../src/experiments/protocols/binary-trees.js';
import { classesOn } from '../../src/models/image-training.js';
import { BinaryNet } from '../../src/models/index.js';
import { inference } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';

const all = glyphImages(60, 30, new Random(0));

test('images that choose come after those of the training, and neither are test images', () => {
  const { data, test: last } = splitImages(all, 20);
  expect([data.train.count, data.test.count, last.count]).toEqual([40, 20, 30]);
  expect(Array.from(data.test.labels)).toEqual(Array.from(all.train.labels.slice(40)));
  expect(last).toBe(all.test);
  expect(() => splitImages(all, 59)).toThrow('leave 1 beside 59');
});

test('accuracies are of the images that they name', () => {
  const own = splitImages(all, 20);
  const model = new BinaryNet(new Random(1), networkOptions(own.data, 0.25));
  const { train, test: choosing } = own.data;
  const logits = (x: Parameters<BinaryNet['forward']>[0]) => model.forward(x, inference);
  // Every label of the training is wrong, of the images that choose right, and half of the others.
  const right = (images: typeof train) => classesOn(logits, images, own.data);
  const wrong = right(train).map((label) => (label + 1) % all.classes.length);
  const half = right(own.test).map((label, at) => (at % 2 ? label : (label + 1) % all.classes.length));
  const data = {
    ...own.data,
    train: { ...train, labels: wrong },
    test: { ...choosing, labels: right(choosing) },
  };
  const labelled = { data, test: { ...own.test, labels: half } };
  expect(validationAccuracy(model, labelled)).toBe(100);
  expect(testAccuracy(model, labelled)).toBe(50);
});

test('the narrow network has as many operations in full', () => {
  const { data } = splitImages(all, 20);
  const options = networkOptions(data, 0.5);
  const wide = directOperations(data, options).reduce((a, b) => a + b, 0);
  // 16→32 at 14², 32→32 and 32→64 at 7².
  expect(wide).toBe(9 * (196 * 16 * 32 + 49 * 32 * 32 + 49 * 32 * 64));
  for (const ratio of [2.2, 3.5, 5]) {
    const narrow = narrowOptions(data, 0.5, wide / ratio);
    const operations = directOperations(data, narrow).reduce((a, b) => a + b, 0);
    expect(Math.abs((operations * ratio) / wide - 1)).toBeLessThan(0.05);
    expect(narrow.stem).toBe(16);
  }
});

test('scores between arms are interpolated by R_op, and not beyond them', () => {
  const arms = [
    { scores: { ratio: 4, depth: 10 } },
    { scores: { ratio: 2, depth: 6 } },
    { scores: { ratio: 3, depth: 7 } },
  ];
  expect(scoreAt(arms, 3.5, 'depth')).toBe(8.5);
  expect(scoreAt(arms, 2, 'depth')).toBe(6);
  expect(scoreAt(arms, 4.1, 'depth')).toBe(10);
  expect(scoreAt(arms, 1.95, 'depth')).toBe(6);
  expect(scoreAt(arms, 5, 'depth')).toBeNaN();
});

test('channels of one depth are timed side by side on two threads, or not at all', async () => {
  expect(await levelStudy(1)).toEqual({ studies: [], scores: {} });
});
