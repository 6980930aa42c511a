// Forward 2-jets: the value of a function of (x, y) with its first and its unmixed second
// derivatives, carried through the layers of a network. They are built from operations, so that
// reverse mode gives the gradients of residuals of differential equations without nested passes.

import { add, matmul, multiply, square, subtract, type Tensor, tanh } from '../tensor/index.js';

/**
 * v alone, or v, v_x, v_y, or v, v_x, v_y, v_xx, v_yy: tensors of one shape, in this order.
 */
export type Jet = readonly Tensor[];

/** Highest derivative of a jet. */
export type JetOrder = 0 | 1 | 2;

/** Number of tensors in a jet: 1, 3 or 5. */
export function jetLength(order: JetOrder): 1 | 3 | 5 {
  return (1 + 2 * order) as 1 | 3 | 5;
}

function requireJets(operation: string, ...jets: readonly Jet[]): void {
  const lengths = jets.map(({ length }) => length);
  if (![1, 3, 5].includes(lengths[0] as number) || lengths.some((length) => length !== lengths[0]))
    throw new Error(
      `${operation}: a jet has 1, 3 or 5 tensors, and all jets equally many; got ${lengths.join(' and ')}`,
    );
}

/**
 * v·W + b, of which derivatives take W alone.
 *
 * **Shapes**: v […, n, in], W […, in, out], b […, 1, out] → […, n, out]; leading axes broadcast.
 */
export function jetLinear(jet: Jet, weight: Tensor, bias?: Tensor): Jet {
  requireJets('jetLinear', jet);
  return jet.map((part, i) => (i === 0 && bias ? add(matmul(part, weight), bias) : matmul(part, weight)));
}

/** tanh v: y' = (1 − y²)·v′, y″ = (1 − y²)·v″ − 2y(1 − y²)·v′², with y = tanh v. */
export function jetTanh(jet: Jet): Jet {
  requireJets('jetTanh', jet);
  const [v, vx, vy, vxx, vyy] = jet as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const y = tanh(v);
  if (jet.length === 1) return [y];
  const slope = subtract(1, square(y));
  const first = [multiply(slope, vx), multiply(slope, vy)];
  if (jet.length === 3) return [y, ...first];
  const bend = multiply(multiply(y, slope), -2);
  const second = (along: Tensor, twice: Tensor) => add(multiply(slope, twice), multiply(bend, square(along)));
  return [y, ...first, second(vx, vxx), second(vy, vyy)];
}

/** a·b, elementwise: (ab)′ = a′b + ab′, (ab)″ = a″b + 2a′b′ + ab″. */
export function jetMultiply(a: Jet, b: Jet): Jet {
  requireJets('jetMultiply', a, b);
  const at = (jet: Jet, i: number) => jet[i] as Tensor;
  const once = (i: number) => add(multiply(at(a, i), at(b, 0)), multiply(at(a, 0), at(b, i)));
  const twice = (i: number) => add(once(i), multiply(multiply(at(a, i - 2), at(b, i - 2)), 2));
  const parts = [() => multiply(at(a, 0), at(b, 0)), () => once(1), () => once(2), () => twice(3), () => twice(4)];
  return parts.slice(0, a.length).map((part) => part());
}

/** a + b. */
export function jetAdd(a: Jet, b: Jet): Jet {
  requireJets('jetAdd', a, b);
  return a.map((part, i) => add(part, b[i] as Tensor));
}

/** a − b. */
export function jetSubtract(a: Jet, b: Jet): Jet {
  requireJets('jetSubtract', a, b);
  return a.map((part, i) => subtract(part, b[i] as Tensor));
}
