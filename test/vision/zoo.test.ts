import { describe, expect, test } from 'vitest';
import { inference, parameterCount, stateOf, training } from '../../src/nn/index.js';
import { Random, scope, zeros } from '../../src/tensor/index.js';
import { imageModel, imageModelNames, requireImageSize } from '../../src/vision/index.js';

const sides = [16, 24, 32, 33, 64, 100, 224] as const;
const shapes = [...sides.map((side) => [side, side] as const), [32, 48] as const, [100, 64] as const];

/** Why a network does not take images of a size, in its own words; undefined where it does. */
function refusal(name: string, height: number, width: number): string | undefined {
  try {
    requireImageSize(name, height, width);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('every network takes images of a size or names those that it takes', () => {
  test.each(imageModelNames)(
    '%s',
    (name) => {
      const width = /lenet|terminator/.test(name) ? 1 : 1 / 32;
      const shape = { channels: 3, classes: 4, width };
      for (const [size, imageWidth] of shapes) {
        const wrong = refusal(name, size, imageWidth);
        const make = () => imageModel(name, { ...shape, size, imageWidth }, new Random(1));
        if (wrong !== undefined) {
          expect(wrong).toMatch(
            / takes images that are (at least \d+ pixels a side(, which are multiples of 4)?|square, .+); these are \d+×\d+$/,
          );
          expect(make).toThrow(wrong);
          continue;
        }
        // All maps of these have the size of the image: a pass at 64² takes seconds.
        if (/^terminator$|^simplenet-(5m|in.+-m0)$/.test(name) && size > 33) continue;
        scope(() => {
          const images = zeros([2, 3, size, imageWidth]);
          const model = make();
          expect(model.forward(images, inference).shape).toEqual([2, 4]);
          for (const weight of Object.values(stateOf(model))) weight.dispose();
        });
      }
    },
    60_000,
  );

  test('what is refused is what cannot be', () => {
    const refused = imageModelNames.flatMap((name) =>
      shapes.filter(([height, width]) => refusal(name, height, width)).map((shape) => `${name} ${shape.join('×')}`),
    );
    const transformers = ['deit-tiny', 'deit-small', 'vit-ti-max', 'vit-s-max', 'vit-b-max'].flatMap((name) =>
      ['24×24', '33×33', '100×100', '32×48', '100×64'].map((shape) => `${name} ${shape}`),
    );
    const vanillas = imageModelNames
      .filter((name) => /^vanillanet-\d+(-1.5x)?$/.test(name))
      .flatMap((name) => [`${name} 16×16`, `${name} 24×24`, `${name} 33×33`])
      .concat('vanillanet-nano 33×33');
    const nanos = ['vit-nano', 'vit-nano-max', 'vit-softhgnn', 'vit-softhgnn-ses'].flatMap((name) =>
      ['33×33', '32×48', '100×64'].map((shape) => `${name} ${shape}`),
    );
    const pits = ['ti', 's', 'b'].flatMap((size) => [`pit-${size}-max 32×48`, `pit-${size}-max 100×64`]);
    const squares = [...nanos, ...pits, 'lsnet-nano 32×48', 'lsnet-nano 100×64'];
    const terminators = ['terminator', 'terminator-nano'].flatMap((name) =>
      ['100×100', '224×224', '32×48', '100×64'].map((shape) => `${name} ${shape}`),
    );
    const lsnets = ['t', 's', 'b'].map((size) => `lsnet-${size} 100×64`);
    const simple = imageModelNames
      .filter((name) => /^simplenet-in.*-m[1-4]$/.test(name))
      .flatMap((name) => [`${name} 16×16`, `${name} 24×24`]);
    const emos = imageModelNames
      .filter((name) => /^emo(v2)?-\d/.test(name))
      .flatMap((name) => [`${name} 16×16`, `${name} 24×24`]);
    expect(refused.sort()).toEqual(
      [...transformers, ...vanillas, ...squares, ...terminators, ...lsnets, ...simple, ...emos].sort(),
    );
  });

  test('in training too, at the smallest size', () => {
    for (const name of [
      'lenet',
      'resnet8',
      'resnet18',
      'mobilenet-v2',
      'efficientnet-b0',
      'vanillanet-nano',
      'lsnet-nano',
      'emov2-nano',
    ])
      scope(() => {
        const width = name === 'lenet' ? 1 : 1 / 32;
        const model = imageModel(name, { channels: 1, classes: 3, size: 16, width }, new Random(1));
        expect(model.forward(zeros([2, 1, 16, 16]), training(new Random(2))).shape).toEqual([2, 3]);
      });
  });

  test('a multiplier widens every network but LeNet, which says so', () => {
    const shape = { channels: 1, classes: 2, size: 32 };
    const count = (name: string, width: number) => parameterCount(imageModel(name, { ...shape, width }, new Random(1)));
    expect(() => count('lenet', 0.5)).toThrow('lenet has no width multiplier, got 0.5');
    for (const name of ['resnet8', 'vit-nano', 'vanillanet-nano', 'lsnet-nano', 'mobilenet-v1-nano', 'emov2-nano'])
      expect(count(name, 2)).toBeGreaterThan(2 * count(name, 1));
  });
});

test('VanillaNet refuses sides beyond its last whole patch, and sees the last pixel of those that it takes', () => {
  const least = 'takes images that are at least 8 pixels a side, which are multiples of 4; these are';
  for (const [height, width] of [
    [30, 32],
    [32, 33],
  ] as const)
    expect(refusal('vanillanet-nano', height, width)).toContain(`${least} ${height}×${width}`);
  expect(refusal('vanillanet-nano', 4, 4)).toContain(`${least} 4×4`);
  expect(refusal('vanillanet-13-1.5x-ada', 30, 33)).toBeUndefined();
  scope(() => {
    const model = imageModel('vanillanet-nano', { channels: 1, classes: 3, size: 12 }, new Random(1));
    const image = new Random(2).normal([1, 1, 12, 12]);
    const logits = [...model.forward(image, inference).dataSync()];
    image.view()[143] = 9;
    expect([...model.forward(image, inference).dataSync()]).not.toEqual(logits);
  });
});
