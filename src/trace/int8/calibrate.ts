// Calibration of int8 plans: the ranges that values take on example inputs.

import { type Activation, cpu } from '../../engine/index.js';
import type { ActivationBits } from '../../quantized/index.js';
import { emptyTensor, formatShape, type Op, sameShape, scope, type Tensor } from '../../tensor/index.js';
import { type FusedConvolution, fusedConvolutionOp } from '../fuse.js';
import type { Graph, GraphNode, Value } from '../graph.js';
import { activated } from './tables.js';

/** Lowest and highest element. */
export type Range = readonly [low: number, high: number];

/** Ranges of values, and of what convolutions give before an activation that is no clamp. */
export interface Ranges {
  readonly values: ReadonlyMap<Value, Range>;
  readonly before: ReadonlyMap<Value, Range>;
}

/** Options of int8 plans. */
export interface Int8Options {
  /**
   * Calibration inputs, whose activations set the ranges: some tens of typical examples, each as
   * `compile` takes them.
   */
  readonly calibration: readonly (readonly Tensor[])[];
  /**
   * Share of the calibrated activations that the ranges hold, in percent; half of the rest is
   * clipped at either end. 100, the default, takes the lowest and the highest; 99.99 is common
   * where a few values stand far out.
   */
  readonly percentile?: number;
  /**
   * Bits of activations: 8 (the default) give bit-identical results on every host; 7 are faster
   * with relaxed SIMD.
   */
  readonly bits?: ActivationBits;
}

/** Cells of the histograms that percentiles are read from. */
const CELLS = 2048;

/** The activation, if it is a clamp that int8 convolutions have. */
export function clampOf({ activation }: FusedConvolution): 'none' | 'relu' | 'relu6' | undefined {
  return activation === 'none' || activation === 'relu' || activation === 'relu6' ? activation : undefined;
}

type Seen = (at: 'values' | 'before', value: Value, tensor: Tensor) => void;

/** Runs a graph on inputs, and shows each f32 value. */
function runOn(graph: Graph, inputs: readonly Tensor[], seen: Seen): void {
  scope(() => {
    const tensors = new Map<Value, Tensor>();
    const note = (value: Value, tensor: Tensor) => {
      tensors.set(value, tensor);
      if (tensor.dtype === 'f32') seen('values', value, tensor);
    };
    graph.inputs.forEach((value, i) => {
      const input = inputs[i];
      if (!input || !sameShape(input.shape, value.shape) || input.dtype !== value.dtype)
        throw new Error(
          `int8: calibration input ${i} is ${input}, the plan is for ${value.dtype}${formatShape(value.shape)}`,
        );
      note(value, input);
    });
    for (const node of graph.nodes) {
      const given = node.inputs.map((value) => tensors.get(value) ?? value.tensor);
      const made = computed(withoutCurve(node), given);
      const curve = curveOf(node);
      if (curve) seen('before', node.outputs[0] as Value, made[0] as Tensor);
      const results = curve ? [activated(made[0] as Tensor, curve)] : made;
      node.outputs.forEach((value, i) => {
        note(value, results[i] as Tensor);
      });
    }
  });
}

function computed({ op, outputs, attributes }: GraphNode, given: readonly Tensor[]): readonly Tensor[] {
  const made = op.view?.(given, attributes) ?? outputs.map(({ shape, dtype }) => emptyTensor(shape, dtype));
  op.compute?.(cpu, given, made, attributes);
  return made;
}

/** The activation of a convolution, if it is no clamp. */
function curveOf({ op, attributes }: GraphNode): Activation | undefined {
  if (op !== (fusedConvolutionOp as Op<unknown>)) return undefined;
  const own = attributes as FusedConvolution;
  return clampOf(own) ? undefined : own.activation;
}

/** The node without such an activation. */
function withoutCurve(node: GraphNode): GraphNode {
  if (!curveOf(node)) return node;
  return { ...node, attributes: { ...(node.attributes as FusedConvolution), activation: 'none' } };
}

/**
 * Calibration: runs a graph on inputs and records the range of each value.
 *
 * @throws Error without examples, for examples of other shapes, or a percentile outside (50, 100]
 */
export function rangesOf(
  graph: Graph,
  { calibration, percentile = 100 }: Pick<Int8Options, 'calibration' | 'percentile'>,
): Ranges {
  if (calibration.length === 0) throw new Error('int8: calibration needs at least one example');
  if (!(percentile > 50 && percentile <= 100))
    throw new RangeError(`int8: the percentile must lie above 50 and at most at 100, got ${percentile}`);
  const ranges = { values: new Map<Value, Range>(), before: new Map<Value, Range>() };
  for (const inputs of calibration)
    runOn(graph, inputs, (at, value, tensor) => {
      const [low, high] = ranges[at].get(value) ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      ranges[at].set(value, [Math.min(low, tensor.min().item()), Math.max(high, tensor.max().item())]);
    });
  if (percentile === 100) return ranges;
  const counts = { values: new Map<Value, Float64Array>(), before: new Map<Value, Float64Array>() };
  for (const inputs of calibration)
    runOn(graph, inputs, (at, value, tensor) => {
      const cells = counts[at].get(value) ?? new Float64Array(CELLS);
      counts[at].set(value, cells);
      count(tensor.view<Float32Array>(), ranges[at].get(value) as Range, cells);
    });
  for (const at of ['values', 'before'] as const)
    for (const [value, cells] of counts[at])
      ranges[at].set(value, within(ranges[at].get(value) as Range, cells, (100 - percentile) / 200));
  return ranges;
}

/** Counts values in even cells of their range. */
function count(values: Float32Array, [low, high]: Range, cells: Float64Array): void {
  const factor = high > low ? cells.length / (high - low) : 0;
  for (const value of values) {
    const cell = Math.min(cells.length - 1, Math.floor((value - low) * factor));
    cells[cell] = (cells[cell] as number) + 1;
  }
}

/** The range without the cells of a share of the values at either end. */
function within([low, high]: Range, cells: Float64Array, share: number): Range {
  const most = share * cells.reduce((total, cell) => total + cell, 0);
  const width = (high - low) / cells.length;
  let [first, last] = [0, cells.length - 1];
  for (let left = most; first < last && (cells[first] as number) <= left; first++) left -= cells[first] as number;
  for (let left = most; last > first && (cells[last] as number) <= left; last--) left -= cells[last] as number;
  return [low + first * width, low + (last + 1) * width];
}
