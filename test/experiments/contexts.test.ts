import { describe, expect, test } from 'vitest';
import { glyphImages, type ImageDataset, type LabelledImages } from '../../src/data/index.js';
import { hasImages } from '../../src/data/node.js';
import { threads } from '../../src/engine/index.js';
import { experiment } from '../../src/experiments/hypergraph/softhgnn.js';
import { resolveOptions } from '../../src/experiments/parts/options.js';
import { runCounting } from '../../src/experiments/protocols/canvas-counting.js';
import { neckTitles, runDetection } from '../../src/experiments/protocols/canvas-detection.js';
import { runClassification } from '../../src/experiments/protocols/context-classification.js';
import { speedArms, speedStudy } from '../../src/experiments/protocols/context-speed.js';
import { CANVAS, canvasData, drawCanvases } from '../../src/experiments/protocols/digit-canvases.js';
import { distinctTitles, drawDistinct, runDistinct } from '../../src/experiments/protocols/distinct-count.js';
import {
  contextOf,
  contextSettings,
  contextTitles,
  HGNN,
  NONE,
  SOFT,
} from '../../src/experiments/protocols/token-contexts.js';
import { intersectionOverUnion } from '../../src/models/index.js';
import { inference } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';
import { uniformTensor } from '../oracle.js';
import { context } from './context.js';

const sizes = {
  ...{ heads: 2, nearest: 3 },
  soft: { hyperedges: 4, heads: 4 },
  sparse: { hyperedges: 2, heads: 4, selection: { dynamic: 6, k: 2 } },
};

test('every arm but none is a layer on tokens and on maps', () => {
  for (const title of contextTitles) {
    const make = contextOf(title, sizes);
    expect(make === undefined).toBe(title === NONE);
    if (!make) continue;
    const layer = make(8, new Random(1));
    for (const shape of [
      [2, 9, 8],
      [2, 8, 3, 3],
    ])
      expect(layer.forward(uniformTensor(1, shape), inference).shape).toEqual(shape);
  }
});

test('all arms have three learning rates to choose from, HGNN sizes of hyperedges beside', () => {
  for (const title of contextTitles)
    expect(contextSettings(title, 3).map(({ learningRate }) => learningRate)).toEqual([
      ...[1e-3, 3e-3, 3e-4],
      ...(title === HGNN ? [1e-3, 1e-3] : []),
    ]);
  expect(contextSettings(HGNN, 3).map(({ nearest }) => nearest)).toEqual([8, 8, 8, 4, 16]);
  expect(contextSettings(HGNN, 1)).toHaveLength(1);
});

describe('distinct count', () => {
  const data = drawDistinct(300, 40, new Random(2));

  test('answers are how many prototypes the tokens are near to', () => {
    const { tokens, answers } = data.train;
    let right = 0;
    const frequent: number[] = [];
    answers.forEach((answer, example) => {
      const counts = new Map<number, number>();
      for (let n = 0; n < 64; n++) {
        const distances = Array.from({ length: 12 }, (_, c) => {
          let sum = 0;
          for (let d = 0; d < 16; d++)
            sum += ((tokens[(example * 64 + n) * 16 + d] as number) - (data.prototypes[c * 16 + d] as number)) ** 2;
          return sum;
        });
        const nearest = distances.indexOf(Math.min(...distances));
        counts.set(nearest, (counts.get(nearest) ?? 0) + 1);
      }
      if (counts.size === answer) right += 1;
      if (answer === 8) frequent.push(Math.max(...counts.values()));
    });
    expect(right / answers.length).toBeGreaterThan(0.95);
    expect([Math.min(...answers), Math.max(...answers)]).toEqual([1, 12]);
    // One class is boosted: its share of 64 tokens is well above an eighth.
    expect(frequent.reduce((a, b) => a + b) / frequent.length).toBeGreaterThan(14);
  });

  test('prototypes are those of the seed, and examples differ', () => {
    expect(drawDistinct(5, 5, new Random(2)).prototypes).toEqual(data.prototypes);
    expect(drawDistinct(5, 5, new Random(3)).prototypes).not.toEqual(data.prototypes);
    expect(data.test.tokens.slice(0, 64)).not.toEqual(data.train.tokens.slice(0, 64));
  });

  test('all methods are trained and scored; a term without gradient changes nothing', async () => {
    const { methods } = await runDistinct(data, { epochs: 1, batch: 50, learningRate: 3e-3 }, context(0));
    expect(methods.map(({ method }) => method)).toEqual(distinctTitles);
    const scores = (title: string) => methods.find(({ method }) => method === title)?.scores;
    expect(scores('SeS, balance 3 without gradient')).toMatchObject({
      mae: scores('SeS, balance 0')?.mae,
      entropy: scores('SeS, balance 0')?.entropy,
    });
    expect(scores('SeS, balance 3')?.entropy).not.toBe(scores('SeS, balance 0')?.entropy);
    for (const { scores: own } of methods) expect(own.mae).toBeGreaterThan(0);
  }, 60_000);
});

describe('canvases of digits', () => {
  const digits = glyphImages(60, 20, new Random(1));
  /** Bright squares in the middle, whose brightness tells the part of the set that they are from. */
  const flat = (count: number, bright: (image: number) => number): LabelledImages => {
    const pixels = new Uint8Array(count * 784);
    for (let image = 0; image < count; image++)
      for (let y = 8; y < 20; y++) pixels.fill(bright(image), image * 784 + y * 28 + 8, image * 784 + y * 28 + 20);
    return { count, channels: 1, height: 28, width: 28, pixels, labels: new Int32Array(count).fill(3) };
  };
  const told: ImageDataset = {
    ...digits,
    train: flat(50, (image) => (image < 45 ? 100 : 160)),
    test: flat(9, () => 220),
  };

  test('hold digits of their own part of the set', () => {
    const counts = { images: 6, validation: 4, tests: 5 };
    const data = canvasData(told, counts, { most: 3, overlapping: true });
    const brightest = (part: 'train' | 'validation' | 'test') =>
      data[part].map(({ planes }) => planes.reduce((a, b) => Math.max(a, b), 0));
    expect([brightest('train'), brightest('validation'), brightest('test')]).toEqual([
      new Array(6).fill(100),
      new Array(4).fill(160),
      new Array(5).fill(220),
    ]);
    expect(data.mean[0]).toBeGreaterThan(0);
  });

  test('have a point and a tight box for each digit, sizes and numbers as said', () => {
    const canvases = drawCanvases(told.train, 60, { most: 5, overlapping: false }, new Random(4));
    expect(Math.max(...canvases.map(({ boxes }) => boxes.length))).toBe(5);
    expect(Math.min(...canvases.map(({ boxes }) => boxes.length))).toBe(1);
    for (const { boxes, points, planes } of canvases) {
      expect(points.length).toBe(2 * boxes.length);
      boxes.forEach((box, i) => {
        expect([points[2 * i], points[2 * i + 1]]).toEqual([(box.left + box.right) / 2, (box.top + box.bottom) / 2]);
        expect(box.label).toBe(3);
        // 12 of 20 pixels are bright, scaled to 8 … 20.
        expect(box.right - box.left).toBeGreaterThanOrEqual(4);
        expect(box.right - box.left).toBeLessThanOrEqual(14);
        for (const other of boxes.slice(0, i)) expect(intersectionOverUnion(box, other)).toBeLessThanOrEqual(0.3);
      });
      const inside = (at: number) =>
        boxes.some(({ left, top, right, bottom }) => {
          const [y, x] = [Math.floor(at / CANVAS), at % CANVAS];
          return x >= left && x < right && y >= top && y < bottom;
        });
      planes.forEach((value, at) => {
        if (value > 64) expect(inside(at)).toBe(true);
      });
    }
  });

  test('a run tunes and scores every arm on them', async () => {
    const data = canvasData(digits, { images: 12, validation: 4, tests: 6 }, { most: 4, overlapping: true });
    const values = { epochs: 1, batch: 6, trials: 3, tuning: 0.5 };
    const { methods, artifacts } = await runCounting(data, values, context(0));
    expect(methods.map(({ method, tuning }) => [method, tuning?.trials])).toEqual(
      contextTitles.map((title) => [title, title === HGNN ? 5 : 3]),
    );
    for (const { scores } of methods) expect((scores.rmse as number) >= (scores.mae as number)).toBe(true);
    const { model, predictions, pictures } = (await artifacts?.()) ?? {};
    expect([model?.length, predictions?.rows.length, pictures?.length]).toEqual([expect.any(Number), 6, 4]);

    const detection = await runDetection(data, values, context(0));
    expect(detection.methods.map(({ method }) => method)).toEqual([...neckTitles]);
    const [soft, plain] = detection.methods.map(({ scores }) => scores);
    expect(soft?.megaflops).not.toBe(plain?.megaflops);
    expect(soft?.megaflops as number).toBeGreaterThan(1);
  }, 120_000);
});

describe('classification', () => {
  test('arms start alike, are chosen on the last tenth of training, and are paired with none', async () => {
    const loaded = glyphImages(60, 40, new Random(2));
    const wrong = { ...loaded, test: { ...loaded.test, labels: loaded.test.labels.map((label) => (label + 1) % 10) } };
    const values = { epochs: 1, batch: 18, trials: 2, tuning: 0.5 };
    const [first, second] = [
      await runClassification(loaded, values, context(1)),
      await runClassification(wrong, values, context(1)),
    ];
    expect(first.methods.map(({ method }) => method)).toEqual([...contextTitles]);
    // Test labels choose nothing.
    expect(first.methods.map(({ tuning }) => tuning)).toEqual(second.methods.map(({ tuning }) => tuning));
    expect(first.methods.some(({ scores }, i) => scores.accuracy !== second.methods[i]?.scores.accuracy)).toBe(true);
    const accuracy = (title: string) => first.methods.find(({ method }) => method === title)?.scores.accuracy as number;
    for (const { method, scores } of first.methods) expect(scores.gain).toBe(accuracy(method) - accuracy(NONE));
    const soft = first.methods.find(({ method }) => method === SOFT)?.scores;
    for (const name of ['latency', 'batched', 'memory', 'batchMemory'])
      expect(soft?.[name] as number).toBeGreaterThan(0);
  }, 180_000);
});

describe('the sets of pictures', () => {
  const needs = { cifar10: 'cifar10', 'digit-counts': 'mnist', 'digit-boxes': 'mnist' } as const;

  for (const [data, set] of Object.entries(needs))
    test.skipIf(!hasImages(set))(
      `${data}: every method is trained on it and scored`,
      async () => {
        const preset = experiment.presets?.[data] ?? {};
        const values = resolveOptions(experiment.options, { preset, smoke: true, assignments: ['images=60'] });
        const loaded = await experiment.load(data, values);
        expect(experiment.describe(loaded)).toMatch(/\d+ (training images|canvases)/);
        const { methods } = await experiment.runSeed(loaded, values, context(0));
        expect(methods.map(({ method }) => method)).toEqual(experiment.methods(values));
        const [metric] = ['accuracy', 'mae', 'ap50'].filter((name) => methods[0]?.scores[name] !== undefined);
        for (const { scores } of methods) expect(Number.isFinite(scores[metric as string])).toBe(true);
        const wrong: typeof values = { ...values, ...({ task: 'distinct' } as object) };
        await expect(experiment.load(data, wrong)).rejects.toThrow(`data set "${data}" is for the task`);
      },
      120_000,
    );
});

test('speed is measured of all arms on one thread, and threads are given back', async () => {
  const before = threads();
  const { studies, scores } = await speedStudy(64, context(0));
  expect(threads()).toBe(before);
  expect(studies[0]?.rows.map(([title]) => title)).toEqual(Object.values(speedArms));
  expect(studies[0]?.rows.every((row) => row.length === studies[0]?.columns.length)).toBe(true);
  for (const value of Object.values(scores)) expect(Number.isFinite(value)).toBe(true);
});
