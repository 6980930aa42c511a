import { describe, expect, test } from 'vitest';
import {
  augment,
  DataLoader,
  firstImages,
  imageBatches,
  imageTensor,
  type LabelledImages,
  readIdx,
  selectedImages,
  writeIdx,
} from '../../src/data/index.js';
import { hasImages, loadImages } from '../../src/data/node.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const images: LabelledImages = {
  count: 10,
  channels: 2,
  height: 4,
  width: 3,
  pixels: Uint8Array.from({ length: 240 }, (_, i) => i),
  labels: Int32Array.from({ length: 10 }, (_, i) => i % 3),
};
const statistics = { mean: [0.5, 0.25], deviation: [0.2, 0.1] };

describe('augmentation', () => {
  const bytes = { ...images, ...statistics };
  test('without options it only normalises', () => {
    const y = imageTensor(images, [3], statistics);
    expectClose(
      y.view(),
      Array.from({ length: 24 }, (_, i) => ((72 + i) / 255 - (i < 12 ? 0.5 : 0.25)) / (i < 12 ? 0.2 : 0.1)),
      1e-5,
    );
  });
  test('an image depends on key and number alone, not on its batch', () => {
    const options = { crop: 1, flip: true, erase: 0.5, jitter: 0.3 };
    const both = augment(bytes, Int32Array.from([7, 2]), options, 5);
    expect(both.subarray(24)).toEqual(augment(bytes, Int32Array.from([2]), options, 5));
    expect(both).not.toEqual(augment(bytes, Int32Array.from([7, 2]), options, 6));
  });
  test('flips mirror about half of the images', () => {
    const plain = augment(bytes, Int32Array.from([0]), {}, 0);
    const flipped = Array.from({ length: 200 }, (_, key) => augment(bytes, Int32Array.from([0]), { flip: true }, key));
    const mirrored = flipped.filter((y) => y[0] === plain[2]);
    expect(flipped.every((y) => y[0] === plain[0] || y[0] === plain[2])).toBe(true);
    expect(Math.abs(mirrored.length - 100)).toBeLessThan(40);
  });
});

describe('the loader', () => {
  const batches = async (worker: boolean) => {
    const loader = new DataLoader(images, statistics, { batchSize: 4, augmentation: { crop: 1, flip: true }, worker });
    const seen: { values: Float32Array; labels: Int32Array }[] = [];
    for await (const { images: x, labels } of loader.epoch(new Random(2)))
      seen.push({ values: x.dataSync(), labels: labels.dataSync<Int32Array>() });
    loader.close();
    return seen;
  };
  test.each([
    [9, [4, 5]],
    [10, [4, 4, 2]],
    [5, [5]],
    [4, [4]],
    [1, [1]],
  ])('of %i images and batches of 4 makes %j: a rest of one joins the batch before', async (count, sizes) => {
    const some = firstImages(images, count);
    const loader = new DataLoader(some, statistics, { batchSize: 4, worker: false });
    const labels: number[][] = [];
    for await (const batch of loader.epoch(new Random(2))) labels.push([...batch.labels.dataSync<Int32Array>()]);
    expect(labels.map(({ length }) => length)).toEqual(sizes);
    expect(loader.length).toBe(sizes.length);
    expect(labels.flat().sort()).toEqual([...some.labels].sort());
    const shuffled = Array.from(imageBatches(some, statistics, 4, new Random(2)), ({ labels }) => labels.size);
    expect(shuffled).toEqual(sizes);
    // Without shuffling, as for evaluation, batches keep their size.
    expect(Array.from(imageBatches(some, statistics, 4), (batch) => batch.labels.size)).toEqual(
      Array.from({ length: Math.ceil(count / 4) }, (_, i) => Math.min(4, count - 4 * i)),
    );
  });
  test('batches of one stay so, and dropLast drops a rest of one', async () => {
    const sizes = async (count: number, options: { batchSize: number; dropLast?: boolean }) => {
      const loader = new DataLoader(firstImages(images, count), statistics, { ...options, worker: false });
      const found: number[] = [];
      for await (const { labels } of loader.epoch(new Random(2))) found.push(labels.size);
      return found;
    };
    expect(await sizes(3, { batchSize: 1 })).toEqual([1, 1, 1]);
    expect(await sizes(9, { batchSize: 4, dropLast: true })).toEqual([4, 4]);
  });
  test('gives every image once, the same with and without a worker', async () => {
    const [here, there] = [await batches(false), await batches(true)];
    expect(there).toEqual(here);
    expect(here.map(({ labels }) => labels.length)).toEqual([4, 4, 2]);
    expect(here.flatMap(({ labels }) => [...labels]).sort()).toEqual([...images.labels].sort());
  });
});

describe('IDX', () => {
  test('what is written is read', () => {
    const file = writeIdx({ shape: [2, 3], values: Uint8Array.from([1, 2, 3, 4, 5, 6]) });
    expect(readIdx(file)).toEqual({ shape: [2, 3], values: Uint8Array.from([1, 2, 3, 4, 5, 6]) });
  });
  test('errors say what is wrong', () => {
    const file = writeIdx({ shape: [2, 3], values: Uint8Array.from([1, 2, 3, 4, 5, 6]) });
    expect(() => readIdx(file.subarray(0, 15), 'x')).toThrow('"x" declares 2×3 values (6 bytes) but holds 3');
    expect(() => readIdx(Uint8Array.from([1, 2, 3, 4]))).toThrow('is not an IDX file');
    expect(() => readIdx(Uint8Array.from([0x1f, 0x8b, 3]))).toThrow('gzip');
  });
});

test.skipIf(!hasImages('fashion-mnist'))('Fashion-MNIST is whole [needs fashion-mnist]', () => {
  const { train, test: held } = loadImages('fashion-mnist');
  expect([train.count, held.count, train.height, train.width]).toEqual([60000, 10000, 28, 28]);
  expect([...train.labels.subarray(0, 10)]).toEqual([9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
  expect(train.pixels.reduce((a, b) => a + b, 0) / train.pixels.length).toBeCloseTo(72.9404, 3);
  expect(held.pixels.reduce((a, b) => a + b, 0) / held.pixels.length).toBeCloseTo(73.1466, 3);
});

test.skipIf(!hasImages('cifar10'))('CIFAR-10 has colour [needs cifar10]', () => {
  const { train, mean } = loadImages('cifar10');
  expect([train.count, train.channels]).toEqual([10000, 3]);
  for (const channel of [0, 1, 2]) {
    let total = 0;
    for (let i = 0; i < 10000; i++)
      for (let p = 0; p < 1024; p += 8) total += train.pixels[(i * 3 + channel) * 1024 + p] as number;
    expect(total / 1280000 / 255).toBeCloseTo(mean[channel] as number, 2);
  }
});

test('selected images keep their labels, pixels and the names of their own files', () => {
  const images = {
    ...{ count: 3, channels: 1, height: 1, width: 2, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    ...{ labels: Int32Array.of(0, 1, 2), files: ['a.png', 'b.png', 'c.png'] },
  };
  const { count, pixels, labels, files } = selectedImages(images, Int32Array.of(2, 0));
  expect([count, [...pixels], [...labels], files]).toEqual([2, [5, 6, 1, 2], [2, 0], ['c.png', 'a.png']]);
});
