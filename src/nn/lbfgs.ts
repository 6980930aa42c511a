// L-BFGS (Liu & Nocedal 1989): quasi-Newton minimisation of a smooth function of many variables
// from its gradients, in double precision.

/** Options of L-BFGS. */
export interface LBFGSOptions {
  /** Number of curvature pairs kept. Default: 10. */
  readonly memory?: number;
  /** Most iterations. Default: 200. */
  readonly iterations?: number;
  /** Converged when max|∇f| is at most this. Default: 1e-5. */
  readonly tolerance?: number;
}

/** Outcome of a minimisation. */
export interface LBFGSResult {
  /** The minimiser found. */
  readonly x: Float64Array;
  /** f(x). */
  readonly value: number;
  /** Iterations used. */
  readonly iterations: number;
  /**
   * Whether the gradient reached the tolerance; false after the last iteration or a failed line
   * search.
   */
  readonly converged: boolean;
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] as number) * (b[i] as number);
  return total;
}

function addScaled(target: Float64Array, scale: number, other: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + scale * (other[i] as number);
}

/**
 * Minimises f from `start`; `evaluate` returns f(x) and ∇f(x). Backtracking line search by the
 * Armijo condition; curvature pairs with sᵀy ≤ 1e-12·yᵀy are skipped.
 */
export function lbfgs(
  evaluate: (x: Float64Array) => { value: number; gradient: Float64Array },
  start: Float64Array,
  { memory = 10, iterations = 200, tolerance = 1e-5 }: LBFGSOptions = {},
): LBFGSResult {
  let x: Float64Array = Float64Array.from(start);
  let { value, gradient } = evaluate(x);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    if (gradient.reduce((largest, g) => Math.max(largest, Math.abs(g)), 0) <= tolerance)
      return { x, value, iterations: iteration, converged: true };
    const direction = descent(gradient, pairs);
    const slope = dot(direction, gradient);
    let step = pairs.length > 0 ? 1 : Math.min(1, 1 / Math.sqrt(dot(gradient, gradient)));
    let next: { x: Float64Array; value: number; gradient: Float64Array } | undefined;
    for (let tries = 0; tries < 40 && !next; tries++, step /= 2) {
      const trial = Float64Array.from(x);
      addScaled(trial, step, direction);
      const reached = evaluate(trial);
      if (reached.value <= value + 1e-4 * step * slope) next = { x: trial, ...reached };
    }
    if (!next) return { x, value, iterations: iteration, converged: false };
    const s = Float64Array.from(next.x, (v, i) => v - (x[i] as number));
    const y = Float64Array.from(next.gradient, (v, i) => v - (gradient[i] as number));
    const curvature = dot(s, y);
    if (curvature > 1e-12 * dot(y, y)) pairs.push({ s, y, rho: 1 / curvature });
    if (pairs.length > memory) pairs.shift();
    ({ x, value, gradient } = next);
  }
  return { x, value, iterations, converged: false };
}

/** Search direction −H·g, with H the inverse Hessian's approximation by the two-loop recursion. */
function descent(
  gradient: Float64Array,
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
): Float64Array {
  const q = Float64Array.from(gradient);
  const alphas = [...pairs].reverse().map(({ s, y, rho }) => {
    const alpha = rho * dot(s, q);
    addScaled(q, -alpha, y);
    return alpha;
  });
  const last = pairs.at(-1);
  const scale = last ? dot(last.s, last.y) / dot(last.y, last.y) : 1;
  for (let i = 0; i < q.length; i++) q[i] = (q[i] as number) * scale;
  pairs.forEach(({ s, y, rho }, i) => {
    addScaled(q, (alphas[pairs.length - 1 - i] as number) - rho * dot(y, q), s);
  });
  return q.map((value) => -value);
}
