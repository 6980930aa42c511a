import type { Scores } from '../../../src/experiments/parts/contract.js';
import type { Case } from './cases.js';

/**
 * Dense networks of 1, 2 and 4 ms with 80, 82 and 84 %. Groups lose `lost` points at 30 %, and so much
 * again at 50 and at 70 %; every other way to prune is `apart` points behind the one before it.
 */
const groups = (lost: number, apart: number, time: number): Record<string, Scores> => {
  const methods: Record<string, Scores> = {};
  [0.5, 0.75, 1].forEach((width, i) => {
    const [accuracy, latency] = [80 + 2 * i, 2 ** i];
    methods[`dense, width ${width}`] = { accuracy, latency };
    [30, 50, 70].forEach((share, at) => {
      const own = accuracy - lost * (at + 1);
      methods[`groups, rearranged, ${share} %, width ${width}`] = {
        ...{ accuracy: own, cut: own, latency: latency * time ** (at + 1) },
      };
      if (width < 1) return;
      methods[`single weights, ${share} %, width 1`] = { accuracy: own + apart, cut: own };
      methods[`groups, ${share} %, width 1`] = { accuracy: own - apart, cut: own - apart };
      methods[`random groups, ${share} %, width 1`] = { accuracy: own - 2 * apart, cut: own - 2 * apart };
      methods[`filters removed, ${share} %, width 1`] = { accuracy: own - 3 * apart, cut: own };
    });
  });
  return {
    ...methods,
    'depthwise taps, 50 %, width 1': { accuracy: 84 - 5 * lost },
    'ResNet-8, dense': { accuracy: 80 },
    'ResNet-8, kernels in groups, 50 %': { accuracy: 80 - 5 * lost },
  };
};

const groupSpeeds = (factor: number) => ({
  'block4 0.3': 1.1 * factor,
  'block4 0.5': 1.5 * factor,
  'single 0.3 best': 0.99 / factor ** 2,
  'network 0.3': 1.27 * factor,
  engine: 1.29 * factor,
  single: 1.01 * factor,
});

export const sparsebytenn: readonly Case[] = [
  {
    data: 'glyphs',
    holding: { methods: groups(0.2, 0.5, 0.75), studies: groupSpeeds(1) },
    failing: { methods: groups(0.3, -0.5, 1.1), studies: groupSpeeds(0.8) },
  },
];
