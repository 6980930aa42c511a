// The discrete Fourier transform of real and imaginary parts.

import { applyAll, type Op, requireDType } from '../apply.js';
import { tensor, zeros } from '../create.js';
import { formatShape, type Shape, sameShape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, multiply, subtract } from './binary.js';
import { pad, reshape, slice, transpose } from './layout.js';

/** Real and imaginary parts of complex numbers, of one shape. */
export interface Complex {
  /** Real part. */
  readonly re: Tensor;
  /** Imaginary part. */
  readonly im: Tensor;
}

/** Roots of unity e^(sign·2πij/n), real and imaginary parts interleaved, for j < n/2. */
function rootsOfUnity(n: number, sign: 1 | -1): Tensor {
  const values = Float32Array.from({ length: n }, (_, i) => {
    const angle = (2 * Math.PI * (i >> 1)) / n;
    return i % 2 === 0 ? Math.cos(angle) : sign * Math.sin(angle);
  });
  return tensor(values);
}

/** Transform of rows whose length is a power of two, without scaling: Σ x[k]·e^(sign·2πijk/n). */
const fourierOp: Op<{ sign: 1 | -1 }> = {
  name: 'fourier',
  // n·log₂(n)/2 complex products a row, four real ones each.
  multiplyAdds: ([re]) => 2 * sizeOf(re as Shape) * Math.log2(re?.at(-1) as number),
  infer: ([re]) => [0, 1].map(() => ({ shape: (re as Tensor).shape, dtype: 'f32' })),
  compute(device, [re, im], [outRe, outIm], { sign }) {
    const n = (re as Tensor).shape.at(-1) as number;
    const table = rootsOfUnity(n, sign);
    const rows = (re as Tensor).size / n;
    device.run('fourier', {
      re: re as Tensor,
      im: im as Tensor,
      outRe: outRe as Tensor,
      outIm: outIm as Tensor,
      twiddles: table,
      rows,
      n,
    });
    table.dispose();
  },
  vjp: ({ inputs, gradients, attributes }) => {
    const [re] = inputs as [Tensor];
    const given = gradients.map((gradient) => gradient ?? zeros(re.shape));
    // The adjoint of the transform is the transform with the opposite sign.
    return applyAll(fourierOp, given, { sign: attributes.sign === 1 ? -1 : 1 });
  },
};

function transformRows({ re, im }: Complex, sign: 1 | -1): Complex {
  const n = re.shape.at(-1) as number;
  if (Number.isInteger(Math.log2(n))) {
    const [outRe, outIm] = applyAll(fourierOp, [re, im], { sign }) as [Tensor, Tensor];
    return { re: outRe, im: outIm };
  }
  return bluestein({ re, im }, n, sign);
}

function complexMultiply(x: Complex, y: Complex): Complex {
  return {
    re: subtract(multiply(x.re, y.re), multiply(x.im, y.im)),
    im: add(multiply(x.re, y.im), multiply(x.im, y.re)),
  };
}

/**
 * Any length (Bluestein 1970): with jk = (j² + k² − (j − k)²)/2 the transform is a convolution,
 * computed by transforms of a power of two.
 */
function bluestein(x: Complex, n: number, sign: 1 | -1): Complex {
  const length = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const chirp = (conjugate: 1 | -1, size: number, at: (j: number) => number): Complex => {
    // j² mod 2n, so that the angle stays exact.
    const angle = (j: number) => (Math.PI * ((j * j) % (2 * n))) / n;
    const values = (fn: (angle: number) => number) =>
      tensor(Float32Array.from({ length: size }, (_, i) => (at(i) < 0 ? 0 : fn(angle(at(i))))));
    return { re: values(Math.cos), im: values((a) => conjugate * sign * Math.sin(a)) };
  };
  const modulation = chirp(1, n, (j) => j);
  const kernel = chirp(-1, length, (j) => (j < n ? j : length - j < n ? length - j : -1));
  const widths = x.re.shape.map((_, axis) => [0, axis === x.re.rank - 1 ? length - n : 0] as const);
  const modulated = complexMultiply(x, modulation);
  const spectrum = transformRows({ re: pad(modulated.re, widths), im: pad(modulated.im, widths) }, -1);
  const convolved = transformRows(complexMultiply(spectrum, transformRows(kernel, -1)), 1);
  const cut = (t: Tensor) => multiply(slice(t, ...t.shape.slice(1).map(() => null), [0, n]), 1 / length);
  return complexMultiply({ re: lastCut(convolved.re, n, cut), im: lastCut(convolved.im, n, cut) }, modulation);
}

/** A slice of the last axis; a tensor of rank 1 has no leading ones. */
function lastCut(t: Tensor, n: number, cut: (t: Tensor) => Tensor): Tensor {
  return t.rank === 1 ? reshape(cut(reshape(t, [1, -1])), [n]) : cut(t);
}

function requireParts(operation: string, { re, im }: Complex, rank: number): void {
  requireDType(operation, 'f32', re, im);
  if (re.shape.slice(-rank).includes(0)) throw new Error(`${operation}: nothing to transform in ${re}`);
  if (re.rank < rank || !sameShape(re.shape, im.shape))
    throw new Error(
      `${operation}: expected parts of one shape and at least ${rank} axes, got ${formatShape(re.shape)} and ${formatShape(im.shape)}`,
    );
}

function complexOf(operation: string, x: Tensor | Complex): Complex {
  if (typeof x === 'object' && 're' in x) return x;
  requireDType(operation, 'f32', x);
  return { re: x, im: zeros(x.shape) };
}

/** X[k] = Σ x[j]·e^(−2πijk/n) along the last axis, of any length. */
export function fft(x: Tensor | Complex): Complex {
  const parts = complexOf('fft', x);
  requireParts('fft', parts, 1);
  return transformRows(parts, -1);
}

/** The inverse of `fft`: x[j] = 1/n·Σ X[k]·e^(2πijk/n). */
export function inverseFft(x: Complex): Complex {
  requireParts('inverseFft', x, 1);
  const { re, im } = transformRows(x, 1);
  const scale = 1 / (re.shape.at(-1) as number);
  return { re: multiply(re, scale), im: multiply(im, scale) };
}

function overLastTwo(x: Complex, rows: (x: Complex) => Complex): Complex {
  const swapped = ({ re, im }: Complex) => ({ re: transpose(re), im: transpose(im) });
  return swapped(rows(swapped(rows(x))));
}

/** The transform over the last two axes. */
export function fft2(x: Tensor | Complex): Complex {
  const parts = complexOf('fft2', x);
  requireParts('fft2', parts, 2);
  return overLastTwo(parts, (rows) => fft(rows));
}

/** The inverse of `fft2`. */
export function inverseFft2(x: Complex): Complex {
  requireParts('inverseFft2', x, 2);
  return overLastTwo(x, inverseFft);
}
