// Initialisation of the output layers of a hypernetwork, so that the generated weights have the
// variance that the target needs.

import { fans, parameter } from '../nn/index.js';
import { ones, type Random, type Tensor, tensor, zeros } from '../tensor/index.js';
import type { OutputLayer } from './generator.js';
import type { Layout, LayoutEntry } from './layout.js';
import { gainOf } from './trunk.js';

/**
 * Initialisation of the output layers.
 *
 * - `hyperfan-in`, `hyperfan-out`, `hyperfan`: generated weights have the variance that preserves
 * that of activations, that of gradients, or the mean of both, for conditions of variance 1 (Chang,
 * Flokas, Lipson, "Principled Weight Initialization for Hypernetworks", ICLR 2020).
 * - `bias`: output weights 0, output biases the usual initial weights of the target, so that all
 * conditions start from the same network (Beck et al., "Hypernetworks in Meta-Reinforcement
 * Learning", CoRL 2022).
 * - `fan-out`: rows of each tensor from N(0, 2/numel) (MIP).
 * - `torch`: the default of `Linear`, whose generated weights are wrong by large factors.
 */
export type HypernetInit = 'hyperfan-in' | 'hyperfan-out' | 'hyperfan' | 'bias' | 'fan-out' | 'torch';

/** c_relu: compensates for the variance lost at a ReLU. */
const RELU = 2;

/**
 * Whether an entry is the gain of a norm (a vector named `weight`), which is generated around 1.
 */
export function isGain({ name, shape }: Pick<LayoutEntry, 'name' | 'shape'>): boolean {
  return shape.length === 1 && /(^|\.)weight$/.test(name);
}

/** Variance of the weights of an output row, for h features of second moment 1. */
function varianceOf(entry: LayoutEntry, layout: Layout, h: number, init: HypernetInit): number {
  const { fanIn, fanOut } = fansOf(entry, layout);
  if (isGain(entry)) return 0;
  if (init === 'fan-out') return gainOf('leakyRelu') ** 2 / entry.size;
  const vector = entry.shape.length < 2;
  const hasBias = layout.entries.some(
    ({ name }) => name === entry.name.replace(/weight$/, 'bias') && name !== entry.name,
  );
  const fanInVariance = vector ? RELU / (2 * h) : RELU / ((hasBias ? 2 : 1) * fanIn * h);
  const fanOutVariance = vector ? Math.max(0, (RELU * (1 - fanIn / fanOut)) / h) : RELU / (fanOut * h);
  if (init === 'hyperfan-in') return fanInVariance;
  return init === 'hyperfan-out' ? fanOutVariance : (fanInVariance + fanOutVariance) / 2;
}

/** Fans of a weight; a bias has those of its layer's weight. */
function fansOf(entry: LayoutEntry, { entries }: Layout): { fanIn: number; fanOut: number } {
  if (entry.shape.length > 1) return fans(entry.shape);
  const weight = entries.find(({ name }) => name === entry.name.replace(/bias$/, 'weight'));
  return weight && weight !== entry ? fans(weight.shape) : { fanIn: 1, fanOut: 1 };
}

/**
 * Initialises the output layers of a generator. Rows shared by several weights get the mean of
 * their variances, weighted by size.
 *
 * @param values initial weights of the target, for `bias`
 */
export function initializeOutputs(
  outputs: readonly OutputLayer[],
  layout: Layout,
  values: Readonly<Record<string, Tensor>>,
  init: HypernetInit,
  random: Random,
): void {
  if (init === 'torch') return;
  outputs.forEach(({ layer, blocks }, i) => {
    const h = layer.inFeatures;
    const weight = new Float32Array(layer.weight.size);
    const bias = new Float32Array(layer.outFeatures);
    const draws = random.split(i).normal(layer.weight.shape).view();
    for (const { from, to, entries } of blocks) {
      const total = entries.reduce((sum, { size }) => sum + size, 0);
      const mean = (value: (entry: LayoutEntry) => number) =>
        entries.reduce((sum, entry) => sum + (entry.size / total) * value(entry), 0);
      const deviation = init === 'bias' ? 0 : Math.sqrt(mean((entry) => varianceOf(entry, layout, h, init)));
      for (let at = from * h; at < to * h; at++) weight[at] = deviation * (draws[at] as number);
      const [only] = entries;
      if (init === 'bias' && only && entries.length === 1 && to - from === only.size)
        bias.set((values[only.name] as Tensor).view(), from);
      else
        bias.fill(
          mean((entry) => Number(isGain(entry))),
          from,
          to,
        );
    }
    layer.weight = parameter(tensor(weight, layer.weight.shape));
    layer.bias = parameter(tensor(bias));
  });
}

/** θ⁰: weights from N(0, gain²/fan-in), gains of norms 1, everything else 0. */
export function freshBase({ entries }: Layout, random: Random): Record<string, Tensor> {
  return Object.fromEntries(
    entries.map((entry) => {
      const matrix = entry.shape.length > 1 && /(^|\.)weight$/.test(entry.name);
      const deviation = gainOf('leakyRelu') / Math.sqrt(fans(entry.shape).fanIn);
      const value = matrix
        ? random.split(entry.name).normal(entry.shape, 0, deviation)
        : isGain(entry)
          ? ones(entry.shape)
          : zeros(entry.shape);
      return [entry.name, parameter(value)];
    }),
  );
}
