// What is decoded from which node: the parameters of a graph, their shapes, and which of them
// repeat a smaller part.

import type { Shape } from '../../tensor/index.js';
import type { WeightDecoder } from './decoder.js';
import type { ArchitectureGraph } from './graph.js';
import { isNorm } from './primitives.js';
import { isPositionShape, type Shape4d, shape4d } from './sizes.js';

/** How numbers become a parameter. */
export type TargetKind = 'weight' | 'embedding' | 'gain' | 'bias';

/** A node whose parameters are predicted. */
export interface Target {
  /** Number of the node in its graph. */
  readonly node: number;
  /** Name of the parameter. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
  /** Of a norm, the bias that goes with the gain. */
  readonly pairedBias?: string;
  /** How it is scaled. */
  readonly kind: TargetKind;
  /** Whether it belongs to the last layer. */
  readonly classifier: boolean;
}

/** The predicted parameters of a graph, in order of their nodes. */
export function targetsOf({ nodes }: ArchitectureGraph): Target[] {
  const count = nodes.length;
  return nodes.flatMap(({ primitive, parameter, pairedBias, shape }, node): Target[] => {
    if (parameter === undefined || shape === undefined) return [];
    const isVector = shape.length === 1;
    const vectorKind = isNorm(primitive) ? 'gain' : 'bias';
    const kind = isVector ? vectorKind : primitive === 'pos_enc' ? 'embedding' : 'weight';
    // The last two nodes are the weight and the bias of the last layer, or its weight is the last.
    const classifier = node >= count - (isVector ? 1 : 2) && (primitive === 'conv' || primitive === 'bias');
    return [{ node, name: parameter, shape, kind, classifier, ...(pairedBias !== undefined && { pairedBias }) }];
  });
}

/** Whether a target is a gain or a bias. */
export function isVectorTarget({ kind }: Target): boolean {
  return kind === 'gain' || kind === 'bias';
}

/** Shape that a decoder gives for a weight, before it is repeated. */
export function decodedOf(decoder: WeightDecoder, shape: Shape): Shape4d {
  return decoder.decodedShape(shape4d(shape));
}

/** Whether a parameter repeats a smaller part of itself. */
export function isTiled(decoder: WeightDecoder, target: Target): boolean {
  const { shape } = target;
  if (isVectorTarget(target)) return decoder.decodedLength(shape[0] as number) < (shape[0] as number);
  const whole = shape4d(shape);
  if (decodedOf(decoder, shape).some((size, axis) => size < (whole[axis] as number))) return true;
  const squares = whole[2] * whole[3];
  return isPositionShape(shape) && (shape[1] as number) > squares + 1;
}
