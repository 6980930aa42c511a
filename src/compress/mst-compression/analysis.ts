// What spanning trees would save in a binary network as it is, layer by layer.

import { binaryLayers, inference, type Layer, parameters } from '../../nn/index.js';
import type { Tensor } from '../../tensor/index.js';
import { cost } from '../../trace/index.js';
import {
  channelStar,
  majorityRatio,
  nearestChain,
  type SignRows,
  spanningTree,
  spanningTreeFrom,
  type TreeMeasures,
  treeMeasures,
} from '../binary/index.js';
import { matches } from '../layers.js';
import { type OrderOptions, requireChannels } from './order.js';
import { filtersOf, type LayerTimes, type LayerTimesOptions, layerTimes } from './times.js';

/** Weights of a layer: their shape, and their values row after row. */
export interface LayerWeights {
  /** [N, C, k, k] or [N, L]. */
  readonly shape: readonly number[];
  /** Values of which the signs count. */
  readonly values: ArrayLike<number>;
}

/** Weights of layers by name. */
export type NamedWeights = Readonly<Record<string, LayerWeights>>;

/** What trees and other orders save in a layer. */
export interface LayerAnalysis extends TreeMeasures {
  /** Name of the layer. */
  readonly layer: string;
  /** N. */
  readonly channels: number;
  /** L. */
  readonly length: number;
  /** Depth of the chosen tree. */
  readonly depth: number;
  /** Depth of the tree from channel 0. */
  readonly firstDepth: number;
  /** R_op of the nearest-neighbour chain, the best of all first channels. */
  readonly chain: number;
  /** R_op of the star around the best channel. */
  readonly star: number;
  /** R_op of the star around the majority of the signs. */
  readonly majority: number;
  /** Times on this machine, where they were asked for. */
  readonly times?: LayerTimes;
}

/** Options of `analyseBinary`. */
export interface AnalysisOptions extends OrderOptions {
  /** How layers are timed; left out, they are not. */
  readonly times?: LayerTimesOptions;
  /** Called before each layer. */
  readonly onLayer?: (layer: string, done: number) => void;
}

/**
 * Operations, bits and depth of each layer along a minimum spanning tree, and beside it of the
 * nearest-neighbour chain and of stars.
 *
 * @param weights [N, C, k, k] or [N, L] by name; their signs count
 * @throws Error for a layer of one channel, or a weight that is no number
 */
export async function analyseBinary(
  weights: NamedWeights,
  { depth = 'auto', signs = false, times, onLayer }: AnalysisOptions = {},
): Promise<LayerAnalysis[]> {
  const all = Object.entries(weights).map(([layer, weight]) => ({
    layer,
    rows: requireRows(layer, weight),
    filters: filtersOf(weight),
  }));
  const results: LayerAnalysis[] = [];
  for (const { layer, rows: own, filters } of all) {
    const { channels, length } = own;
    onLayer?.(layer, results.length);
    const tree = spanningTree(own, { signs, ...(depth !== 'auto' && { depth }) });
    results.push({
      ...{ layer, channels, length, depth: tree.depth, firstDepth: spanningTreeFrom(own, 0).depth },
      ...treeMeasures(own, tree),
      chain: treeMeasures(own, nearestChain(own)).ratio,
      star: treeMeasures(own, channelStar(own)).ratio,
      majority: majorityRatio(own),
      ...(times && { times: await layerTimes(filters, tree.codes, times) }),
    });
    filters.dispose();
  }
  return results;
}

/** @throws Error for a layer of one channel, or a weight that is no number */
function requireRows(layer: string, { shape, values }: LayerWeights): SignRows {
  const [channels = 0] = shape;
  requireChannels('analyseBinary', layer, channels);
  for (let at = 0; at < values.length; at++)
    if (Number.isNaN(values[at])) throw new Error(`analyseBinary: layer ${layer} holds NaN at position ${at}`);
  return { values, channels, length: values.length / channels };
}

/** Weights of a file whose layers are binary, and how they were told from others. */
export interface FoundLayers {
  /** The weights, by the name of their layer. */
  readonly weights: NamedWeights;
  /** How they were found, in words. */
  readonly rule: string;
}

/**
 * The binary layers among the tensors of any network. Those named; else those whose channels hold
 * one magnitude each, as ±1 or ±α; else, since real weights stand behind the signs in training, all
 * weights of two or four axes but the first and the last.
 *
 * @param names names or patterns with `*`
 * @throws Error where there are none, listing the weights, or where NaN hides which they are
 */
export function binaryWeightsIn(tensors: NamedWeights, names?: readonly string[]): FoundLayers {
  const all = Object.entries(tensors).filter(([, { shape }]) => shape.length === 2 || shape.length === 4);
  const found = (chosen: typeof all, rule: string): FoundLayers => ({
    weights: Object.fromEntries(chosen.map(([name, weight]) => [name.replace(/\.weight$/, ''), weight])),
    rule,
  });
  const listed = all.map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', ') || 'none';
  if (names) {
    const chosen = all.filter(([name]) => names.some((pattern) => matches(name, pattern)));
    if (chosen.length === 0)
      throw new Error(`no layer fits ${names.join(', ')}; weights of two or four axes: ${listed}`);
    return found(chosen, 'named');
  }
  for (const [name, { values }] of all)
    if (Array.from(values).some(Number.isNaN))
      throw new Error(`${name} holds NaN, which is no sign; name the layers that are binary, if it is none of them`);
  const stored = all.filter(([, weight]) => hasOneMagnitude(weight));
  if (stored.length > 0) return found(stored, 'weights of one magnitude a channel');
  const inner = all.slice(1, -1);
  if (inner.length === 0)
    throw new Error(
      `no binary layers: of weights of two or four axes the first and the last stay real; there are ${listed}`,
    );
  return found(inner, 'signs of real weights, all but the first and the last layer');
}

/** Whether the values of each channel are ±α. */
function hasOneMagnitude({ shape: [channels = 0], values }: LayerWeights): boolean {
  const length = values.length / channels;
  for (let at = 0; at < values.length; at++) {
    const first = Math.abs(values[at - (at % length)] as number);
    if (first === 0 || Math.abs(values[at] as number) !== first) return false;
  }
  return true;
}

/** Operations of one image, real multiply-adds counted as one each. */
export interface NetworkOperations {
  /** Of the binary layers, in full. */
  readonly binary: number;
  /** Of the binary layers, along their trees. */
  readonly tree: number;
  /** Real multiply-adds of all other layers. */
  readonly real: number;
}

/**
 * Operations of a whole network, from those of its layers.
 *
 * @param example an input of one image
 */
export function networkOperations(
  model: Layer,
  example: Tensor,
  layers: readonly (TreeMeasures & { readonly layer: string })[],
): NetworkOperations {
  const { nodes, multiplyAdds } = cost((x) => model.forward(x, inference), [example], parameters(model));
  const names = new Set(Object.keys(binaryLayers(model)));
  const own = nodes.filter(({ name }) => names.has(name));
  const binary = own.reduce((sum, node) => sum + node.multiplyAdds, 0);
  const tree = own.reduce((sum, node) => {
    const ratio = layers.find(({ layer }) => layer === node.name)?.ratio ?? 1;
    return sum + node.multiplyAdds / ratio;
  }, 0);
  return { binary, tree, real: multiplyAdds - binary };
}

/** Binary layers alone, and the whole network: how many times fewer operations. */
export function operationRatios({ binary, tree, real }: NetworkOperations): { layers: number; network: number } {
  return { layers: binary / tree, network: (binary + real) / (tree + real) };
}
