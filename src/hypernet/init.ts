// First weights of the layers that make weights: what a target needs is not what a layer usually starts from.

import { fans, parameter } from '../nn/index.js';
import { ones, type Random, type Tensor, tensor, zeros } from '../tensor/index.js';
import type { OutputLayer } from './generator.js';
import type { Layout, LayoutEntry } from './layout.js';
import { gainOf } from './trunk.js';

/**
 * - `hyperfan-in`, `hyperfan-out`, `hyperfan`: generated weights have the variance that keeps that of activations, of gradients, or the mean of both (Chang, Flokas, Lipson, "Principled Weight Initialization for
 *   Hypernetworks", ICLR 2020), for conditions of variance 1.
 * - `bias`: output weights 0, output biases a usual start of the target (Beck et al., "Hypernetworks in Meta-Reinforcement Learning", CoRL 2022): all conditions begin alike.
 * - `fan-out`: each tensor's rows from N(0, 2/numel) (MIP).
 * - `torch`: layers as they start, off by large factors.
 */
export type HypernetInit = 'hyperfan-in' | 'hyperfan-out' | 'hyperfan' | 'bias' | 'fan-out' | 'torch';

/** c_relu: the loss of variance at a rectifier. */
const RELU = 2;

/** Gains of norms, vectors by the name of weights, are about 1. */
export function isGain({ name, shape }: Pick<LayoutEntry, 'name' | 'shape'>): boolean {
  return shape.length === 1 && /(^|\.)weight$/.test(name);
}

/** Var of an output row for features of second moment 1, h of them. */
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

/** A bias has the fans of its layer's weight. */
function fansOf(entry: LayoutEntry, { entries }: Layout): { fanIn: number; fanOut: number } {
  if (entry.shape.length > 1) return fans(entry.shape);
  const weight = entries.find(({ name }) => name === entry.name.replace(/bias$/, 'weight'));
  return weight && weight !== entry ? fans(weight.shape) : { fanIn: 1, fanOut: 1 };
}

/** Sets the output layers of a generator. Rows that several weights share get the mean of their variances. @param values a start of the target, for `bias` */
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
      const mean = (of: (entry: LayoutEntry) => number) =>
        entries.reduce((sum, entry) => sum + (entry.size / total) * of(entry), 0);
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

/** θ⁰: weights N(0, gain²/fan-in), gains 1, everything else 0. */
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
