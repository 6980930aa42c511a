import { describe, expect, test } from 'vitest';
import { glyphImages } from '../../src/data/index.js';
import { itemCanvases } from '../../src/experiments/protocols/item-canvases.js';
import { detectionScores } from '../../src/experiments/protocols/item-detection.js';
import {
  type ClassBox,
  cocoPrecision,
  intersectionOverUnion,
  type ScoredBox,
  suppressed,
} from '../../src/models/index.js';
import { inference } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import {
  AtStrides,
  anchorsOf,
  boxLoss,
  decodeBox,
  detectBoxes,
  EMOv2,
  type EMOv2Options,
  encodeBox,
  focalSum,
  imageModel,
  type MapBackbone,
  matchAnchors,
  RetinaNet,
  retinaLoss,
  retinaTargets,
  trainRetinaNet,
} from '../../src/vision/index.js';
import { context } from '../experiments/context.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';

const square = (left: number, top: number, side: number) => ({ left, top, right: left + side, bottom: top + side });

describe('anchors', () => {
  test('lie in the middle of their cells, by stride, row, column and side', () => {
    const anchors = anchorsOf([56, 56], [4, 8], [16, 22, 28]);
    expect(anchors).toHaveLength(3 * (14 * 14 + 7 * 7));
    expect(anchors[0]).toEqual(square(2 - 8, 2 - 8, 16));
    expect(anchors[1 * 14 * 3 + 2 * 3 + 1]).toEqual(square(10 - 11, 6 - 11, 22));
    expect(anchors[3 * 196 + 2]).toEqual(square(4 - 14, 4 - 14, 28));
    expect(anchorsOf([9, 5], [4], [2])).toHaveLength(3 * 2);
  });

  test('have the box that they overlap by half, none below 0.4, and each box has its best anchor', () => {
    const anchors = [square(0, 0, 10), square(3, 0, 10), square(4, 0, 10), square(5, 0, 10), square(40, 40, 10)];
    const box = (left: number, side: number) => ({ ...square(left, 0, side), label: 0 });
    // Overlaps with the first box: 1, 7/13 = 0.54, 6/14 = 0.43, 5/15 = 0.33, 0.
    expect(Array.from(matchAnchors(anchors, [box(0, 10)]))).toEqual([0, 0, -2, -1, -1]);
    // A small box that no anchor overlaps by 0.4 still has the one that overlaps it most.
    const small = { ...square(42, 42, 2), label: 1 };
    expect(Array.from(matchAnchors(anchors, [box(0, 10), small]))).toEqual([0, 0, -2, -1, 1]);
    expect(Array.from(matchAnchors(anchors, []))).toEqual([-1, -1, -1, -1, -1]);
  });

  test('are moved to boxes and back', () => {
    const [anchor, box] = [square(10, 20, 16), { left: 12, top: 15, right: 32, bottom: 27 }];
    const moves = encodeBox(anchor, box);
    expectClose(moves, [(22 - 18) / 16, (21 - 28) / 16, Math.log(20 / 16), Math.log(12 / 16)], 1e-12);
    const back = decodeBox(anchor, moves);
    expectClose([back.left, back.top, back.right, back.bottom], [12, 15, 32, 27], 1e-12);
    expect(decodeBox(anchor, [0, 0, 50, 0]).right).toBeCloseTo(18 + (16 * 1000) / 16 / 2, 9);
  });
});

describe('losses', () => {
  test('focal loss, by its formula; ignored rows count nothing', () => {
    const logits = uniform(1, 12, -3, 3);
    const targets = Float32Array.from([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const counted = [1, 1, 0, 1];
    let expected = 0;
    logits.forEach((x, i) => {
      const p = 1 / (1 + Math.exp(-x));
      const own = targets[i] === 1 ? -0.25 * (1 - p) ** 2 * Math.log(p) : -0.75 * p ** 2 * Math.log(1 - p);
      expected += own * (counted[Math.floor(i / 3)] as number);
    });
    const loss = focalSum(tensor(logits, [4, 3]), tensor(targets, [4, 3]), tensor(counted, [4, 1]));
    expectClose([loss.item()], [expected], 1e-5);
    // Far out it stays finite, and its gradient is right.
    const far = focalSum(tensor([60, -60], [1, 2]), tensor([0, 1], [1, 2]), tensor([1], [1, 1]));
    expectClose([far.item()], [0.75 * 60 + 0.25 * 60], 1e-4);
    checkGradient((x) => focalSum(x, tensor(targets, [4, 3]), tensor(counted, [4, 1])), [tensor(logits, [4, 3])], {
      second: false,
    });
  });

  test('boxes: squares below 0.11, absolutes beyond, summed', () => {
    const said = tensor([0.05, 0, 1, 0], [1, 4]);
    const wanted = tensor([0, 0, 0, -0.2], [1, 4]);
    const expected = (0.5 * 0.05 ** 2) / 0.11 + (1 - 0.055) + (0.2 - 0.055);
    expectClose([boxLoss(said, wanted).item()], [expected], 1e-5);
  });

  test('both are divided by the number of anchors with a box; boxes of the others do not count', () => {
    const anchors = [square(0, 0, 10), square(20, 20, 10)];
    const targets = retinaTargets(anchors, [[{ ...square(1, 0, 10), label: 1 }], []], 2);
    expect(Array.from(targets.classes.dataSync())).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
    expect(Array.from(targets.rows.dataSync())).toEqual([0]);
    // An anchor between the two overlaps counts nowhere, in its own image alone.
    const between = retinaTargets([square(0, 0, 10), square(4, 0, 10)], [[{ ...square(0, 0, 10), label: 0 }], []], 2);
    expect(Array.from(between.counted.dataSync())).toEqual([1, 0, 1, 1]);
    const said = uniformTensor(1, [2, 2, 6]);
    const values = said.dataSync();
    const changed = Float32Array.from(values, (value, i) => (Math.floor(i / 6) > 0 && i % 6 > 1 ? value + 1 : value));
    expect(retinaLoss(tensor(changed, [2, 2, 6]), targets).item()).toBeCloseTo(retinaLoss(said, targets).item(), 5);
    const logits = tensor(
      [0, 1, 2, 3].flatMap((row) => Array.from(values.subarray(6 * row, 6 * row + 2))),
      [4, 2],
    );
    const boxes = tensor(values.slice(2, 6), [1, 4]);
    const sum = focalSum(logits, targets.classes, targets.counted).item() + boxLoss(boxes, targets.boxes).item();
    expect(retinaLoss(said, targets).item()).toBeCloseTo(sum, 5);
  });
});

/** Ten found boxes of two classes in two pictures, some of them repeats, and the true ones. */
const found: ScoredBox[][] = [
  [
    { ...square(0, 0, 20), label: 0, score: 0.9 },
    { ...square(2, 0, 20), label: 0, score: 0.8 },
    { ...square(30, 30, 15), label: 1, score: 0.7 },
    { ...square(28, 30, 15), label: 0, score: 0.65 },
    { ...square(1, 1, 20), label: 1, score: 0.6 },
  ],
  [
    { ...square(10, 10, 20), label: 0, score: 0.85 },
    { ...square(14, 10, 20), label: 0, score: 0.5 },
    { ...square(40, 5, 12), label: 1, score: 0.95 },
    { ...square(41, 6, 12), label: 1, score: 0.4 },
    { ...square(0, 40, 10), label: 1, score: 0.3 },
  ],
];
const truth: ClassBox[][] = [
  [
    { ...square(1, 0, 20), label: 0 },
    { ...square(29, 31, 16), label: 1 },
  ],
  [
    { ...square(12, 11, 18), label: 0 },
    { ...square(42, 5, 12), label: 1 },
    { ...square(20, 40, 10), label: 1 },
  ],
];

/** COCO's mAP from its definition: at each recall the best precision of any cut of the ranking. */
function bruteForce(boxes: readonly ScoredBox[][]): number {
  const averages: number[] = [];
  for (const label of [0, 1])
    for (let step = 0; step < 10; step++) {
      const least = (50 + 5 * step) / 100;
      const total = truth.flat().filter((box) => box.label === label).length;
      const ranking = boxes
        .flatMap((own, picture) => own.map((box) => ({ ...box, picture })))
        .filter((box) => box.label === label)
        .sort((a, b) => b.score - a.score);
      const used = new Set<ClassBox>();
      const hits = ranking.map((box) => {
        let best: ClassBox | undefined;
        for (const other of truth[box.picture] as ClassBox[]) {
          if (other.label !== label || used.has(other) || intersectionOverUnion(box, other) < least) continue;
          if (!best || intersectionOverUnion(box, other) > intersectionOverUnion(box, best)) best = other;
        }
        if (best) used.add(best);
        return best !== undefined;
      });
      let sum = 0;
      for (let recall = 0; recall <= 100; recall++) {
        let most = 0;
        for (let cut = 1; cut <= hits.length; cut++) {
          const right = hits.slice(0, cut).filter(Boolean).length;
          if (100 * right >= recall * total) most = Math.max(most, right / cut);
        }
        sum += most;
      }
      averages.push(sum / 101);
    }
  return averages.reduce((a, b) => a + b, 0) / averages.length;
}

describe('mean average precision', () => {
  test('equals its definition on ten boxes, before and after repeats are suppressed', () => {
    expect(cocoPrecision(found, truth, 2)).toBeCloseTo(bruteForce(found), 12);
    const kept = found.map((boxes) => suppressed(boxes, 0.5));
    // A box goes if a kept one of its class with a higher score overlaps it by more than half.
    expect(kept.map((boxes) => boxes.map(({ score }) => score))).toEqual([
      [0.9, 0.7, 0.65, 0.6],
      [0.95, 0.85, 0.3],
    ]);
    expect(cocoPrecision(kept, truth, 2)).toBeCloseTo(bruteForce(kept), 12);
    expect(cocoPrecision(kept, truth, 2)).toBeGreaterThan(0.1);
  });

  test('by hand: all found, none, and half of them', () => {
    const right = truth.map((boxes) => boxes.map((box, at) => ({ ...box, score: 0.9 - at / 10 })));
    expect(cocoPrecision(right, truth, 2)).toBeCloseTo(1, 12);
    expect(cocoPrecision([[], []], truth, 2)).toBe(0);
    // One of two boxes: recalls 0 to 0.5 are reached, 51 of 101.
    const two = [
      [
        { ...square(0, 0, 9), label: 0 },
        { ...square(20, 0, 9), label: 0 },
      ],
    ];
    expect(cocoPrecision([[{ ...square(0, 0, 9), label: 0, score: 1 }]], two, 1)).toBeCloseTo(51 / 101, 12);
    // A class without true boxes is left out; a second box of the same thing is a mistake.
    const twice = [[0, 1].map((at) => ({ ...square(0, 0, 9), label: 0, score: 1 - at / 10 }))];
    expect(cocoPrecision(twice, [[{ ...square(0, 0, 9), label: 0 }]], 3)).toBeCloseTo(1, 12);
  });
});

const tiny: EMOv2Options = {
  ...{ dims: [8, 8, 16], depths: [1, 2, 2], expansions: [2, 2, 2], headChannels: [8, 8, 8], layerScale: 0 },
  ...{ attention: [[], [], ['remote', 'close']], stem: 1, strides: [2, 2, 2], window: 4, channels: 1, classes: 2 },
};
const shape = { channels: 1, size: 32 };

test('RetinaNet reads maps at its strides, joined, and answers for each anchor in order', () => {
  const backbone = imageModel('emov2-nano', { channels: 1, classes: 2, size: 56 }, new Random(1)) as EMOv2;
  const x = uniformTensor(1, [2, 1, 56, 56]);
  const maps = new AtStrides(backbone, [4, 8]).maps(x, inference);
  expect(maps.map(({ shape: own }) => own)).toEqual([
    [2, 24 + 32, 14, 14],
    [2, 48, 7, 7],
  ]);
  expect(() => new AtStrides(backbone, [16]).maps(x, inference)).toThrow('no map at stride 16');
  const options = { classes: 3, strides: [4, 8], sides: [16, 22, 28] };
  const model = new RetinaNet(backbone, { channels: 1, size: 56 }, options, new Random(2));
  const y = model.forward(x, inference);
  expect(y.shape).toEqual([2, 735, 3 + 4]);
  expectClose(model.merged().forward(x, inference).dataSync(), y.dataSync(), 1e-4);
  // A class has probability 0.01 before training.
  const names = y.dataSync().filter((_, i) => i % 7 < 3);
  expect(1 / (1 + Math.exp(-names.reduce((a, b) => a + b, 0) / names.length))).toBeLessThan(0.03);
  // What the class tower says at map 1, row 2, column 5, anchor 1, class 2.
  const [, coarse] = [0, 1];
  expect(coarse).toBe(1);
  const place = 3 * 196 + (2 * 7 + 5) * 3 + 1;
  const bias = model.classTower.last.bias as NonNullable<typeof model.classTower.last.bias>;
  const moved = bias.dataSync();
  moved[1 * 3 + 2] = (moved[1 * 3 + 2] as number) + 1;
  bias.assign(moved);
  const after = model.forward(x, inference).dataSync();
  expect((after[place * 7 + 2] as number) - (y.dataSync()[place * 7 + 2] as number)).toBeCloseTo(1, 4);
  expect(after[place * 7 + 1]).toBeCloseTo(y.dataSync()[place * 7 + 1] as number, 5);
});

test('training finds squares and tells them apart', async () => {
  const random = new Random(1);
  const count = 48;
  const pixels = new Uint8Array(count * 1024);
  const boxes = Array.from({ length: count }, (_, image): ClassBox[] => {
    const [left, top, label] = [random.integer(18), random.integer(18), random.integer(2)];
    for (let r = 0; r < 14; r++)
      for (let c = 0; c < 14; c++) pixels[image * 1024 + (top + r) * 32 + left + c] = label ? 250 : 110;
    return [{ ...square(left, top, 14), label }];
  });
  const images = { count, channels: 1, height: 32, width: 32, pixels, labels: new Int32Array(count) };
  const data = { images, boxes, mean: [0.1], deviation: [0.25] };
  const options = { classes: 2, strides: [4, 8], sides: [14], width: 16 };
  const model = new RetinaNet(new EMOv2(tiny, new Random(1)), shape, options, new Random(2));
  const score = () => cocoPrecision(detectBoxes(model, data), boxes, 2);
  const before = score();
  const { history } = await trainRetinaNet(model, data, new Random(3), {
    epochs: 16,
    batchSize: 8,
    learningRate: 6e-3,
  });
  expect(history.at(-1)?.loss).toBeLessThan(0.4 * (history[0]?.loss as number));
  expect(before).toBeLessThan(0.05);
  expect(score()).toBeGreaterThan(0.3);
}, 120_000);

describe('canvases with items', () => {
  const items = glyphImages(60, 20, new Random(1));

  test('hold two to four boxes that hardly overlap, faint noise, and the class of each pixel', () => {
    const classes = items.classes.length;
    const { images, boxes, pixelLabels } = itemCanvases(items.train, 30, classes, new Random(2));
    expect([images.height, images.width]).toEqual([56, 56]);
    for (const [canvas, own] of boxes.entries()) {
      expect(own.length).toBeGreaterThanOrEqual(1);
      expect(own.length).toBeLessThanOrEqual(4);
      own.forEach((box, i) => {
        expect(box.right - box.left).toBeGreaterThanOrEqual(16);
        expect(box.right - box.left).toBeLessThanOrEqual(28);
        for (const other of own.slice(i + 1)) expect(intersectionOverUnion(box, other)).toBeLessThan(0.2);
      });
      for (let at = 0; at < 56 * 56; at++) {
        const [row, column, label] = [Math.floor(at / 56), at % 56, pixelLabels[canvas * 3136 + at] as number];
        const within = own.filter(
          (box) => row >= box.top && row < box.bottom && column >= box.left && column < box.right,
        );
        if (label < classes) expect(within.map((box) => box.label)).toContain(label);
        if (within.length === 0) expect(images.pixels[canvas * 3136 + at]).toBeLessThanOrEqual(25);
      }
    }
    expect(new Set(boxes.map((own) => own.length)).size).toBeGreaterThan(1);
    expect(pixelLabels.filter((label) => label < classes).length).toBeGreaterThan(500);
    const rgb = { ...items.train, channels: 3 };
    expect(() => itemCanvases(rgb, 1, classes, new Random(2))).toThrow('images must be grey, got 3 channels');
  });

  test('detection is scored for each backbone, beside fresh weights', async () => {
    const backbone = (_: unknown, random: Random): MapBackbone => new EMOv2(tiny, random);
    const settings = [{ learningRate: 3e-3, weightDecay: 0.02 }];
    const values = { canvases: 6, epochs: 1, trials: 1, tuning: 0.5 };
    const [scored] = await detectionScores([{ title: 'Tiny', backbone }], settings, items, values, context(1));
    expect(scored?.method).toBe('Tiny');
    expect(scored?.scores.precision).toBeGreaterThanOrEqual(0);
    expect(scored?.scores.untrained).toBeLessThan(1);
  }, 60_000);
});
