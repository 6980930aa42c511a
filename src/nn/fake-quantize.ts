// Training for few bits: weights and activations are rounded on the way forward, gradients pass as if they were not (straight-through; Jacob et al. 2018).

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

/** Rounds to nearest, halves upwards. */
function round(x: Tensor): Tensor {
  return floor(add(x, 0.5));
}

/**
 * Symmetric for each output channel: s = max|w| / (2^{bits−1} − 1), ŵ = s·round(w / s). The gradient is 1.
 *
 * @param weight [out, …]
 */
export function fakeQuantizeWeight(weight: Tensor, bits = 8): Tensor {
  const rows = weight.shape[0] as number;
  const flat = reshape(stopGradient(weight), [rows, -1]);
  const scale = maximum(multiply(flat.abs().max(1, { keepAxes: true }), 1 / (2 ** (bits - 1) - 1)), 1e-12);
  const rounded = reshape(multiply(round(divide(flat, scale)), scale), weight.shape);
  return straightThrough(rounded, weight);
}

/** Affine over a range that holds 0: s = (high − low) / (2^bits − 1), x̂ = s·(clamp(round(x / s) + z) − z). The gradient is 1 inside the range and 0 outside. */
export function fakeQuantizeActivation(x: Tensor, [low, high]: readonly [number, number], bits = 8): Tensor {
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const scale = (to - from) / (2 ** bits - 1);
  if (scale === 0) return x;
  const shift = Math.round(-from / scale);
  const [least, most] = [-shift * scale, (2 ** bits - 1 - shift) * scale];
  const clipped = clip(x, least, most);
  const inner = stopGradient(clipped);
  const rounded = multiply(subtract(round(add(multiply(inner, 1 / scale), shift)), shift), scale);
  return straightThrough(rounded, clipped);
}

export interface FakeQuantizeOptions {
  readonly weightBits?: number;
  readonly activationBits?: number;
}

/** What all layers of one model share. */
interface Shared extends Required<FakeQuantizeOptions> {
  /** Whether ranges still follow what comes in, in any pass. */
  observing: boolean;
}

/** A layer whose input and weights are rounded. */
export class FakeQuantized implements Layer {
  /** Lowest and highest input so far. */
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

/** A model in training for few bits. */
export interface QuantizationAware {
  /** Keeps the ranges as they are from now on: for the last epochs, and before any test. */
  freeze(): void;
  /** Puts the plain layers back. */
  restore(): void;
}

/**
 * Puts a `FakeQuantized` around every convolution and linear layer of a model, in place. Rounding by output channel commutes with folding batch norm, so the norms stay.
 *
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
      for (const body of undo) body();
    },
  };
}
