// Quantisation-aware training: weights and activations are rounded in the forward pass, gradients
// pass through the rounding (straight-through estimator; Jacob et al. 2018).

import {
  add,
  clip,
  divide,
  floor,
  maximum,
  multiply,
  reshape,
  stopGradient,
  straightThrough,
  subtract,
  Tensor,
  zeros,
} from '../tensor/index.js';
import { Conv2d } from './convolution.js';
import type { Layer } from './layer.js';
import { Linear } from './linear.js';
import { buffer } from './module.js';

/** Rounds to the nearest integer, halves up. */
function round(x: Tensor): Tensor {
  return floor(add(x, 0.5));
}

/**
 * Symmetric fake quantisation per output channel: s = max|w| / (2^{bits−1} − 1),
 * ŵ = s·round(w / s). The gradient is that of the identity.
 *
 * @param weight [out, …]
 * @param bits bit width. Default: 8.
 */
export function fakeQuantizeWeight(weight: Tensor, bits = 8): Tensor {
  const rows = weight.shape[0] as number;
  const flat = reshape(stopGradient(weight), [rows, -1]);
  const scale = maximum(multiply(flat.abs().max(1, { keepAxes: true }), 1 / (2 ** (bits - 1) - 1)), 1e-12);
  const rounded = reshape(multiply(round(divide(flat, scale)), scale), weight.shape);
  return straightThrough(rounded, weight);
}

/**
 * Affine fake quantisation over [low, high], extended to contain 0: s = (high − low) /
 * (2^bits − 1), zero point z = round(−low / s), x̂ =
 * s·(clamp(round(x / s) + z, 0, 2^bits − 1) − z). The gradient is 1 inside the range and 0 outside.
 *
 * @param bits bit width. Default: 8.
 */
export function fakeQuantizeActivation(x: Tensor, [low, high]: readonly [number, number], bits = 8): Tensor {
  const [bottom, top] = [Math.min(0, low), Math.max(0, high)];
  const scale = (top - bottom) / (2 ** bits - 1);
  if (scale === 0) return x;
  const zeroPoint = Math.round(-bottom / scale);
  const [lowest, highest] = [-zeroPoint * scale, (2 ** bits - 1 - zeroPoint) * scale];
  const clipped = clip(x, lowest, highest);
  const constant = stopGradient(clipped);
  const rounded = multiply(subtract(round(add(multiply(constant, 1 / scale), zeroPoint)), zeroPoint), scale);
  return straightThrough(rounded, clipped);
}

/** Bit widths of quantisation-aware training. */
export interface FakeQuantizeOptions {
  /** Bits of weights. Default: 8. */
  readonly weightBits?: number;
  /** Bits of layer inputs. Default: 8. */
  readonly activationBits?: number;
}

/** Settings shared by the layers of one model. */
interface Shared extends Required<FakeQuantizeOptions> {
  /** Whether forward passes, in training and inference, still extend the input ranges. */
  observing: boolean;
}

/** A convolution or linear layer with fake-quantised input and weight. */
export class FakeQuantized implements Layer {
  /** Lowest and highest input observed so far [2]. */
  readonly range: Tensor = buffer(zeros([2]));

  constructor(
    readonly layer: Conv2d | Linear,
    readonly shared: Shared,
  ) {}

  forward(x: Tensor): Tensor {
    const { layer, shared } = this;
    if (shared.observing) this.#observe(x);
    const [low = 0, high = 0] = this.range.view();
    const input = fakeQuantizeActivation(x, [low, high], shared.activationBits);
    const { weight } = layer;
    layer.weight = fakeQuantizeWeight(weight, shared.weightBits);
    try {
      return layer.forward(input);
    } finally {
      layer.weight = weight;
    }
  }

  #observe(x: Tensor): void {
    const range = this.range.view();
    range[0] = Math.min(range[0] as number, x.min().item());
    range[1] = Math.max(range[1] as number, x.max().item());
  }
}

/** A model in quantisation-aware training. */
export interface QuantizationAware {
  /** Stops observing input ranges: for the last epochs, and before evaluation. */
  freeze(): void;
  /** Puts the original layers back into the model. */
  restore(): void;
}

/**
 * Replaces every convolution and linear layer of a model by a `FakeQuantized` one, in place.
 * Rounding per output channel commutes with batch-norm folding, so normalisation layers stay.
 *
 * @throws Error when the model has no convolution or linear layer.
 * @example const aware = quantizationAware(model); await fit({ model, … }); aware.restore();
 */
export function quantizationAware(
  model: object,
  { weightBits = 8, activationBits = 8 }: FakeQuantizeOptions = {},
): QuantizationAware {
  const shared: Shared = { weightBits, activationBits, observing: true };
  const undo: (() => void)[] = [];
  const seen = new Set<object>();
  const visit = (owner: Record<string, unknown>) => {
    if (seen.has(owner)) return;
    seen.add(owner);
    for (const [key, value] of Object.entries(owner)) {
      if (value instanceof Conv2d || value instanceof Linear) {
        owner[key] = new FakeQuantized(value, shared);
        undo.push(() => {
          owner[key] = value;
        });
      } else if (
        typeof value === 'object' &&
        value !== null &&
        !ArrayBuffer.isView(value) &&
        !(value instanceof Tensor)
      ) {
        visit(value as Record<string, unknown>);
      }
    }
  };
  visit(model as Record<string, unknown>);
  if (undo.length === 0) throw new Error('quantizationAware: the model has no convolution or linear layer');
  return {
    freeze: () => {
      shared.observing = false;
    },
    restore: () => {
      for (const restoreLayer of undo) restoreLayer();
    },
  };
}
