// Manufactured solutions (Oberkampf, Blottner, "Issues in Computational Fluid Dynamics Code
// Verification and Validation", AIAA Journal 1998; Bischof et al. 2025): a random function u, in
// closed form with its derivatives, of which the source is f = L[u].
//
// Each step takes a function ψ and adds d·ψ(ax + by + c) + e to u, multiplies u with it, or
// composes u ← d·ψ(u) + e.

import type { Random } from '../../tensor/index.js';
import type { Coefficients } from './problem.js';

/** ψ with ψ′ and ψ″. */
type Curve = (z: number) => readonly [value: number, slope: number, bend: number];

/** The functions that solutions are built from. */
export const curves = {
  identity: (z) => [z, 1, 0],
  sin: (z) => [Math.sin(z), Math.cos(z), -Math.sin(z)],
  cos: (z) => [Math.cos(z), -Math.sin(z), -Math.cos(z)],
  tanh: (z) => {
    const y = Math.tanh(z);
    return [y, 1 - y * y, -2 * y * (1 - y * y)];
  },
  sigmoid: (z) => {
    const y = 1 / (1 + Math.exp(-z));
    return [y, y * (1 - y), y * (1 - y) * (1 - 2 * y)];
  },
  bell: (z) => {
    const y = 1 / (1 + z * z);
    return [y, -2 * z * y * y, (6 * z * z - 2) * y ** 3];
  },
} as const satisfies Record<string, Curve>;

/** A function of `curves`. */
export type CurveName = keyof typeof curves;

/** One step of a manufactured solution. */
export interface ManufacturedStep {
  /** What becomes of u. */
  readonly rule: 'add' | 'multiply' | 'compose';
  /** ψ. */
  readonly curve: CurveName;
  /** a, b, c: the argument ax + by + c; a composition has none. */
  readonly inner: readonly [a: number, b: number, c: number];
  /** d and e: d·ψ + e. */
  readonly outer: readonly [d: number, e: number];
}

/** u, u_x, u_y, u_xx, u_yy at a point. */
export type PointJet = readonly [u: number, ux: number, uy: number, uxx: number, uyy: number];

/** Derivatives of u at a point by the chain rule; the first step starts from u = 0. */
export function manufacturedAt(steps: readonly ManufacturedStep[], x: number, y: number): PointJet {
  let u = 0;
  let ux = 0;
  let uy = 0;
  let uxx = 0;
  let uyy = 0;
  // Without destructuring, which takes most of the time here.
  for (const step of steps) {
    const a = step.inner[0];
    const b = step.inner[1];
    const d = step.outer[0];
    const isComposed = step.rule === 'compose';
    const jet = curves[step.curve](isComposed ? u : a * x + b * y + step.inner[2]);
    const g = d * jet[0] + step.outer[1];
    const slope = d * jet[1];
    const bend = d * jet[2];
    if (isComposed) {
      uxx = slope * uxx + bend * ux * ux;
      uyy = slope * uyy + bend * uy * uy;
      ux *= slope;
      uy *= slope;
      u = g;
    } else if (step.rule === 'add') {
      uxx += bend * a * a;
      uyy += bend * b * b;
      ux += slope * a;
      uy += slope * b;
      u += g;
    } else {
      uxx = uxx * g + 2 * ux * slope * a + u * bend * a * a;
      uyy = uyy * g + 2 * uy * slope * b + u * bend * b * b;
      ux = ux * g + u * slope * a;
      uy = uy * g + u * slope * b;
      u *= g;
    }
  }
  return [u, ux, uy, uxx, uyy];
}

/** L[u] of derivatives at a point. */
export function applyOperator(operator: Coefficients, jet: PointJet): number {
  let sum = 0;
  for (let i = 0; i < operator.length; i++) sum += (operator[i] as number) * (jet[i] as number);
  return sum;
}

/** Ranges that steps are drawn from. */
export interface ManufacturedRanges {
  /** Fewest and most steps. */
  readonly steps: readonly [least: number, most: number];
  /** Largest |a| and |b|. */
  readonly frequency: number;
  /** Share of a and b that are 0. */
  readonly flat: number;
  /** Largest |c|. */
  readonly phase: number;
  /** Largest |d|. */
  readonly amplitude: number;
  /** Largest |e|. */
  readonly offset: number;
  /** Rules of all steps but the first, which adds. */
  readonly rules: readonly ManufacturedStep['rule'][];
  /** Functions ψ. */
  readonly curves: readonly CurveName[];
}

/** The steps of a random solution; the last has d = 1 and e = 0. */
export function drawSteps(ranges: ManufacturedRanges, random: Random): readonly ManufacturedStep[] {
  const [least, most] = ranges.steps;
  const count = least + random.integer(most - least + 1);
  const within = (limit: number) => limit * (2 * random.float() - 1);
  const rate = () => (random.float() < ranges.flat ? 0 : within(ranges.frequency));
  const oneOf = <T>(list: readonly T[]) => list[random.integer(list.length)] as T;
  return Array.from({ length: count }, (_, i) => ({
    // Of nothing there is only a sum.
    rule: i === 0 ? 'add' : oneOf(ranges.rules),
    curve: oneOf(ranges.curves),
    inner: [rate(), rate(), within(ranges.phase)],
    outer: i === count - 1 ? [1, 0] : [within(ranges.amplitude), within(ranges.offset)],
  }));
}
