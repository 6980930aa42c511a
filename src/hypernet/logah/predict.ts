// Weights for a module of one's own: what is predicted, and what stays as it was.

import { parameters, type Weights } from '../../nn/index.js';
import { type Shape, sizeOf, type Tensor, tensor } from '../../tensor/index.js';
import type { ArchitectureGraph, UnpredictedParameter } from './graph.js';
import type { LoGAH } from './hypernet.js';
import { type PredictedTensor, predictedTensors } from './stream.js';
import { isTiled, targetsOf } from './targets.js';
import { type ArchitectureOptions, architectureGraph, type TraceableModule } from './trace-graph.js';

/** What a hypernetwork predicts of a network, and what it does not. */
export interface PredictionReport {
  /** Number of predicted parameters (tensors). */
  readonly tensors: number;
  /** Numbers in them. */
  readonly predicted: number;
  /** Numbers of all parameters. */
  readonly total: number;
  /** Parameters that keep their values, with the reason. */
  readonly unpredicted: readonly UnpredictedParameter[];
  /** Predicted parameters that repeat a smaller part: they are wider than the decoder. */
  readonly tiled: readonly { readonly name: string; readonly shape: Shape }[];
}

/** Predicted weights and what is to know about them. */
export interface PredictedWeights {
  /** Weights by name; parameters in `report.unpredicted` are not among them. */
  readonly weights: Record<string, Tensor>;
  /** What was predicted, and what was not. */
  readonly report: PredictionReport;
}

/** What would be predicted for a graph, without predicting it. */
export function predictionReport(ghn: LoGAH, graph: ArchitectureGraph): PredictionReport {
  const targets = targetsOf(graph);
  const own = targets.flatMap((target) => {
    const { name, shape, pairedBias } = target;
    const tiled = isTiled(ghn.decoder, target);
    return [name, ...(pairedBias === undefined ? [] : [pairedBias])].map((each) => ({ name: each, shape, tiled }));
  });
  const count = (all: readonly { readonly shape: Shape }[]) => all.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const predicted = count(own);
  return {
    tensors: own.length,
    predicted,
    total: predicted + count(graph.unpredicted),
    unpredicted: graph.unpredicted,
    tiled: own.filter(({ tiled }) => tiled).map(({ name, shape }) => ({ name, shape })),
  };
}

/**
 * Predicts the weights of a module from its architecture: it is traced on example inputs, its
 * present values are not read.
 *
 * @example
 * const { weights, report } = predictWeights(ghn, model, [zeros([1, 3, 32, 32])]);
 * assignWeights(model, weights);
 * @param inputs example arguments of `forward`, without the mode
 * @throws Error for an operation that is not known, naming it and how to register it, and for a
 * recurrent network
 */
export function predictWeights(
  ghn: LoGAH,
  module: TraceableModule,
  inputs: readonly Tensor[],
  options: ArchitectureOptions = {},
): PredictedWeights {
  const graph = architectureGraph(module, inputs, options);
  const tensors = predictedTensors(ghn, ghn.encode(graph));
  const weights = Object.fromEntries(Array.from(tensors, (one) => [one.name, collected(one)]));
  return { weights, report: predictionReport(ghn, graph) };
}

/** All parts of a predicted tensor. */
function collected({ shape, values }: PredictedTensor): Tensor {
  const all = new Float32Array(sizeOf(shape));
  let at = 0;
  for (const part of values()) {
    all.set(part, at);
    at += part.length;
  }
  return tensor(all, shape);
}

/**
 * Writes weights into the parameters of a module that have their names; the others keep theirs.
 *
 * @throws Error for a name that the module lacks, or another shape
 */
export function assignWeights(module: object, weights: Weights): void {
  const own = parameters(module);
  for (const [name, weight] of Object.entries(weights)) {
    const target = own[name];
    if (!target) throw new Error(`assignWeights: the module has no parameter "${name}"`);
    if (target.shape.join() !== weight.shape.join())
      throw new Error(`assignWeights: "${name}" is ${target}, the weight ${weight}`);
    target.assign(weight);
  }
}

/**
 * Lines for people: the share that was predicted, what stays random, what is repeated.
 *
 * @param most lines about single parameters
 */
export function reportLines({ tensors, predicted, total, unpredicted, tiled }: PredictionReport, most = 10): string[] {
  const format = (count: number) => count.toLocaleString('en-US');
  const share = ((100 * predicted) / total).toFixed(predicted === total ? 0 : 2);
  const listed = <One>(all: readonly One[], line: (one: One) => string) => [
    ...all.slice(0, most).map((one) => `  ${line(one)}`),
    ...(all.length > most ? [`  … and ${all.length - most} more`] : []),
  ];
  const shown = (name: string, shape: Shape) => `${name} [${shape.join(', ')}]`;
  return [
    `${format(predicted)} of ${format(total)} weights predicted (${share} %), ${tensors} tensors`,
    ...(unpredicted.length > 0
      ? [
          `not predicted, so left as they were: ${unpredicted.length} tensors`,
          ...listed(unpredicted, ({ name, shape, reason }) => `${shown(name, shape)}: ${reason}`),
        ]
      : []),
    ...(tiled.length > 0
      ? [
          `wider than the hypernetwork decodes, so repeated: ${tiled.length} tensors`,
          ...listed(tiled, ({ name, shape }) => shown(name, shape)),
        ]
      : []),
  ];
}
