// Linear recurrences over time, and the selective scan of state-space models.

import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { checkpoint } from '../autograd.js';
import { zeros } from '../create.js';
import { formatShape, sameShape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, multiply } from './binary.js';
import { concatenate } from './joining.js';
import { broadcastTo, pad, reshape, slice } from './layout.js';
import { sum } from './reduce.js';
import { exp } from './unary.js';

const linearScanOp: Op<{ reverse: boolean }> = {
  name: 'linearScan',
  multiplyAdds: (_, output) => sizeOf(output),
  infer: ([a, b]) => {
    requireDType('linearScan', 'f32', a as Tensor, b as Tensor);
    return [{ shape: (b as Tensor).shape, dtype: 'f32' }];
  },
  compute(device, [a, b], [h], { reverse }) {
    const [outer, n, inner] = (b as Tensor).shape as [number, number, number];
    device.run('linearScan', {
      a: a as Tensor,
      b: b as Tensor,
      h: h as Tensor,
      outer,
      n,
      inner,
      reverse: Number(reverse),
    });
  },
  vjp: (backward) => {
    // With G[t] = g[t] + a[t + 1]·G[t + 1]: the gradient of b is G, that of a[t] is G[t]·h[t − 1].
    const [a] = backward.inputs as [Tensor];
    const [h] = backward.outputs as [Tensor];
    const { reverse } = backward.attributes;
    const flow = apply(linearScanOp, [shifted(a, reverse ? 1 : -1), onlyGradient(backward)], { reverse: !reverse });
    return [backward.needed[0] ? multiply(flow, shifted(h, reverse ? -1 : 1)) : undefined, flow];
  },
};

/** x shifted by one step along the middle axis, later (1) or earlier (−1), filled with zeros. */
function shifted(x: Tensor, by: 1 | -1): Tensor {
  const n = x.shape[1] as number;
  const widths = (before: number, after: number) =>
    [
      [0, 0],
      [before, after],
      [0, 0],
    ] as const;
  return by === 1 ? pad(slice(x, null, [0, n - 1]), widths(1, 0)) : pad(slice(x, null, [1, n]), widths(0, 1));
}

/**
 * A linear recurrence along time: h[t] = a[t]·h[t − 1] + b[t], elementwise, with h[−1] = `initial`
 * or 0.
 *
 * @param a [batch, time, features]
 * @param b [batch, time, features]
 * @param initial [batch, features]
 * @returns h [batch, time, features]
 */
export function linearScan(a: Tensor, b: Tensor, initial?: Tensor): Tensor {
  requireDType('linearScan', 'f32', a, b, ...(initial ? [initial] : []));
  if (a.rank !== 3 || !sameShape(a.shape, b.shape))
    throw new Error(
      `linearScan: expected a and b [batch, time, features], got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  if (!initial) return apply(linearScanOp, [a, b], { reverse: false });
  const [batch, n, features] = b.shape as [number, number, number];
  const first = add(slice(b, null, [0, 1]), multiply(slice(a, null, [0, 1]), reshape(initial, [batch, 1, features])));
  return apply(linearScanOp, [a, n === 1 ? first : concatenate([first, slice(b, null, [1, n])], 1)], {
    reverse: false,
  });
}

/** Inputs of `selectiveScan`. */
export interface SelectiveScanInputs {
  /** Input [batch, time, channels]. */
  readonly x: Tensor;
  /** Step sizes, positive [batch, time, channels]. */
  readonly delta: Tensor;
  /** State decay, negative [channels, states]. */
  readonly a: Tensor;
  /** Input projection [batch, time, states]. */
  readonly b: Tensor;
  /** Output projection [batch, time, states]. */
  readonly c: Tensor;
  /** Direct path [channels]. */
  readonly d?: Tensor;
}

/**
 * The selective scan of state-space models, with a state of channels × states:
 *
 * h[t] = exp(Δ[t]·A) ⊙ h[t − 1] + Δ[t]·x[t]·B[t], y[t] = h[t]·C[t] + D·x[t].
 *
 * Without `chunk` the states of all times are kept for the gradient. With it, time is divided into
 * chunks of so many steps, whose states the backward pass recomputes, so that memory is that of one
 * chunk; the result is the same.
 *
 * @see Gu, Dao: Mamba: Linear-Time Sequence Modeling with Selective State Spaces, 2023
 * @returns y [batch, time, channels]
 */
export function selectiveScan(inputs: SelectiveScanInputs, { chunk }: { chunk?: number } = {}): Tensor {
  const { x, delta, a, b, c, d } = inputs;
  requireDType('selectiveScan', 'f32', x, delta, a, b, c, ...(d ? [d] : []));
  const [batch, time, channels] = x.shape as [number, number, number];
  const states = a.shape[1] as number;
  const fits =
    x.rank === 3 &&
    a.rank === 2 &&
    (d === undefined || sameShape(d.shape, [channels])) &&
    sameShape(x.shape, delta.shape) &&
    a.shape[0] === channels &&
    sameShape(b.shape, [batch, time, states]) &&
    sameShape(c.shape, b.shape);
  if (!fits)
    throw new Error(
      `selectiveScan: shapes do not fit: x ${formatShape(x.shape)}, Δ ${formatShape(delta.shape)}, A ${formatShape(a.shape)}, B ${formatShape(b.shape)}, C ${formatShape(c.shape)}`,
    );
  if (chunk !== undefined && !(Number.isInteger(chunk) && chunk > 0))
    throw new RangeError(`selectiveScan: the chunk must be a positive integer, got ${chunk}`);
  const length = chunk ?? time;
  let state = zeros([batch, channels * states]);
  const parts: Tensor[] = [];
  for (let start = 0; start < time; start += length) {
    const range = [start, Math.min(start + length, time)] as const;
    const cut = (t: Tensor) => (length >= time ? t : slice(t, null, range));
    const inputsOfChunk = [cut(x), cut(delta), a, cut(b), cut(c), state];
    // One tensor carries the chunk's outputs and its last state, since a checkpoint gives one.
    const joined =
      chunk === undefined
        ? scanChunk(...(inputsOfChunk as ChunkInputs))
        : checkpoint((...values) => scanChunk(...(values as ChunkInputs)), ...inputsOfChunk);
    const steps = range[1] - range[0];
    parts.push(reshape(slice(joined, null, [0, steps * channels]), [batch, steps, channels]));
    state = slice(joined, null, [steps * channels, steps * channels + channels * states]);
  }
  const y = concatenate(parts, 1);
  return d ? add(y, multiply(x, d)) : y;
}

type ChunkInputs = [x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor];

/** [batch, steps·channels + channels·states]: the outputs of a chunk, then its last state. */
function scanChunk(...[x, delta, a, b, c, state]: ChunkInputs): Tensor {
  const [batch, steps, channels] = x.shape as [number, number, number];
  const states = a.shape[1] as number;
  const perChannel = (t: Tensor) => reshape(t, [batch, steps, channels, 1]);
  const perState = (t: Tensor) => reshape(t, [batch, steps, 1, states]);
  const decay = exp(multiply(broadcastTo(perChannel(delta), [batch, steps, channels, states]), a));
  const input = multiply(perChannel(multiply(delta, x)), perState(b));
  const flat = (t: Tensor) => reshape(t, [batch, steps, channels * states]);
  const h = linearScan(flat(decay), flat(input), state);
  const y = sum(multiply(reshape(h, [batch, steps, channels, states]), perState(c)), -1);
  return concatenate(
    [reshape(y, [batch, steps * channels]), reshape(slice(h, null, [steps - 1, steps]), [batch, channels * states])],
    1,
  );
}
