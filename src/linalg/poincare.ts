// The Poincaré ball in double precision, on single points: what reports compute, and what the
// operations on tensors in `gossamer/nn` are compared with.
//
// D_c^d = {x : √c‖x‖ < 1} has the constant curvature −c. Ungar, "A Gyrovector Space Approach to
// Hyperbolic Geometry", 2009; Ganea, Bécigneul, Hofmann, "Hyperbolic Neural Networks", NeurIPS
// 2018.

/** A point or a tangent vector. */
type Vector = ArrayLike<number>;

const dot = (x: Vector, y: Vector) => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number);
  return sum;
};
const norm = (x: Vector) => Math.sqrt(dot(x, x));
const times = (factor: number, x: Vector) => Float64Array.from(x, (value) => factor * value);

/** @throws RangeError unless the curvature's magnitude is positive */
export function requireCurvature(what: string, c: number): void {
  if (!(c > 0 && Number.isFinite(c))) throw new RangeError(`${what}: the curvature −c needs c > 0, got ${c}`);
}

/** The ball of curvature −c in double precision; every method takes and gives plain vectors. */
export class PoincareBall64 {
  /** √c. */
  readonly #root: number;

  /** @throws RangeError unless c is positive */
  constructor(readonly c = 1) {
    requireCurvature('PoincareBall64', c);
    this.#root = Math.sqrt(c);
  }

  /** exp₀(u) = tanh(√c‖u‖)·u/(√c‖u‖), and 0 of 0. */
  exp(u: Vector): Float64Array {
    const length = this.#root * norm(u);
    return times(length === 0 ? 1 : Math.tanh(length) / length, u);
  }

  /** log₀(x) = artanh(√c‖x‖)·x/(√c‖x‖), and 0 of 0. */
  log(x: Vector): Float64Array {
    const length = this.#root * norm(x);
    return times(length === 0 ? 1 : Math.atanh(length) / length, x);
  }

  /** x ⊕ y = [(1 + 2c⟨x,y⟩ + c‖y‖²)x + (1 − c‖x‖²)y] / [1 + 2c⟨x,y⟩ + c²‖x‖²‖y‖²]. */
  add(x: Vector, y: Vector): Float64Array {
    const { c } = this;
    const [xx, xy, yy] = [dot(x, x), dot(x, y), dot(y, y)];
    const denominator = 1 + 2 * c * xy + c * c * xx * yy;
    const [left, right] = [(1 + 2 * c * xy + c * yy) / denominator, (1 - c * xx) / denominator];
    return Float64Array.from(x, (value, i) => left * value + right * (y[i] as number));
  }

  /** d(x, y) = (1/√c)·arcosh(1 + 2c‖x − y‖² / ((1 − c‖x‖²)(1 − c‖y‖²))). */
  distance(x: Vector, y: Vector): number {
    const { c } = this;
    const difference = Float64Array.from(x, (value, i) => value - (y[i] as number));
    const z = (c * dot(difference, difference)) / ((1 - c * dot(x, x)) * (1 - c * dot(y, y)));
    return (2 / this.#root) * Math.asinh(Math.sqrt(z));
  }

  /** Rad(x) = d(x, 0) = (2/√c)·artanh(√c‖x‖). */
  radius(x: Vector): number {
    return (2 / this.#root) * Math.atanh(this.#root * norm(x));
  }

  /** λ_x = 2/(1 − c‖x‖²). */
  conformal(x: Vector): number {
    return 2 / (1 - this.c * dot(x, x));
  }

  /** s ⊗ x = exp₀(s·log₀(x)). */
  scale(s: number, x: Vector): Float64Array {
    return this.exp(times(s, this.log(x)));
  }

  /**
   * M ⊗ x = (1/√c)·tanh((‖Mx‖/‖x‖)·artanh(√c‖x‖))·Mx/‖Mx‖, and 0 where Mx = 0.
   *
   * @param rows M, row after row
   */
  matrix(rows: readonly Vector[], x: Vector): Float64Array {
    const image = Float64Array.from(rows, (row) => dot(row, x));
    const [before, after] = [norm(x), norm(image)];
    if (after === 0) return image;
    const length = Math.tanh((after / before) * Math.atanh(this.#root * before));
    return times(length / (this.#root * after), image);
  }

  /**
   * The gyromidpoint ½ ⊗ (Σ a λ x / Σ a(λ − 1)) of points with weights a (Ungar 2010).
   *
   * @throws RangeError without a point of positive weight
   */
  midpoint(points: readonly Vector[], weights: Vector = points.map(() => 1)): Float64Array {
    const sum = new Float64Array(points[0]?.length ?? 0);
    let total = 0;
    points.forEach((x, at) => {
      const [weight, lambda] = [weights[at] as number, this.conformal(x)];
      total += weight * (lambda - 1);
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + weight * lambda * (x[i] as number);
    });
    if (!(total > 0)) throw new RangeError('midpoint: there is no point of positive weight');
    return this.scale(0.5, times(1 / total, sum));
  }

  /**
   * The point of the hyperboloid ⟨X, X⟩ = −1/c with X₀ first:
   * (1 + c‖x‖², 2√c·x) / (√c(1 − c‖x‖²)).
   */
  toLorentz(x: Vector): Float64Array {
    const squared = this.c * dot(x, x);
    const scale = 1 / (this.#root * (1 - squared));
    return Float64Array.from([scale * (1 + squared), ...times(2 * this.#root * scale, x)]);
  }

  /** The point of the ball of a point of the hyperboloid. */
  fromLorentz(point: Vector): Float64Array {
    const [time = 0, ...space] = Array.from(point);
    return times(1 / (1 + this.#root * time), space);
  }

  /** (1/√c)·arcosh(−c⟨X, Y⟩) with ⟨X, Y⟩ = −X₀Y₀ + Σ XᵢYᵢ. */
  lorentzDistance(x: Vector, y: Vector): number {
    const product = (x[0] as number) * (y[0] as number) * 2 - dot(x, y);
    return Math.acosh(Math.max(1, this.c * product)) / this.#root;
  }
}
