import { describe, expect, test } from 'vitest';
import { backboneMethods, backbones, usualNetworks } from '../../src/experiments/protocols/backbone-networks.js';
import { comparisons, findSystem, systems } from '../../src/experiments/systems.js';
import { inference, type Layer, parameterCount, parameters } from '../../src/nn/index.js';
import { averagePool2d, Random, scope, zeros } from '../../src/tensor/index.js';
import { cost } from '../../src/trace/index.js';
import { imageModel, Terminator } from '../../src/vision/index.js';
import { testClaims } from './claim-tests.js';
import type { Case } from './evidence/cases.js';

test('a comparison is found by name, and is no system', () => {
  for (const { slug, paper, abstract, about } of comparisons) {
    expect(findSystem(slug).slug).toBe(slug);
    expect(systems.map((system) => system.slug)).not.toContain(slug);
    expect([paper, abstract]).toEqual([undefined, {}]);
    expect(about).toMatch(/^[^\n]{10,120}[^.]$/);
  }
});

describe('the networks of the comparison', () => {
  const shape = { channels: 1, classes: 10, size: 28 };
  const made = (title: string): Layer => {
    const network = backboneMethods.find((method) => method.title === title)?.network;
    if (network === undefined) throw new Error(title);
    return typeof network === 'string' ? imageModel(network, shape, new Random(0)) : network(shape, new Random(0));
  };
  const countsOf = (model: Layer) => [
    parameterCount(model),
    cost((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])], parameters(model)).multiplyAdds,
  ];

  test.each([
    ['SimpleNet', 87_738, 4_382_816],
    ['PfLayer, max pooling', 32_602, 1_169_408],
    ['PfLayer, hybrid, padded', 44_218, 1_721_600],
    ['ResNet-8, half as wide', 19_074, 2_314_688],
    ['ResNet-8', 75_002, 9_145_216],
    ['ResNet-20, half as wide', 67_906, 7_733_696],
    ['MobileNetV1', 15_402, 485_696],
    ['ViT', 116_842, 6_379_104],
  ] as const)('%s has the counts of the protocol', (title, own, multiplyAdds) => {
    expect(scope(() => countsOf(made(title)))).toEqual([own, multiplyAdds]);
  });

  test('the Terminator answers as one does for the averaged images', () => {
    scope(() => {
      const halved = made('Terminator, at half the size') as Layer & { readonly network: Terminator };
      const x = new Random(1).normal([2, 1, 28, 28]);
      const inner = halved.network;
      expect(inner).toBeInstanceOf(Terminator);
      expect(inner.options.size).toBe(14);
      expect(halved.forward(x, inference).dataSync()).toEqual(inner.forward(averagePool2d(x, 2), inference).dataSync());
    });
  });

  test('titles differ, and every network has as many settings to try', () => {
    const titles = backboneMethods.map(({ title }) => title);
    expect(titles).toEqual([...new Set(titles)]);
    expect(titles.length).toBe(backbones.length + usualNetworks.length);
    for (const { settings } of backboneMethods) expect(settings?.length ?? 6).toBeGreaterThanOrEqual(3);
  });
});

/** Scores where backbones are ahead of usual networks by points, and as fast by a factor. */
const scores = (points: number, time: number) => {
  const own = { accuracy: 82 + points, latency: time, multiplyAdds: 1 };
  const other = { accuracy: 82, latency: 1, multiplyAdds: 16 / time };
  return Object.fromEntries([
    ...backbones.map(({ title }) => [title, own]),
    ...usualNetworks.map(({ title }) => [title, other]),
  ]);
};

const cases: readonly Case[] = ['glyphs', 'fashion-mnist'].map((data) => ({
  data,
  holding: { methods: scores(1, 0.5) },
  failing: { methods: scores(-4, 2) },
}));

for (const record of comparisons) testClaims(record, cases);
