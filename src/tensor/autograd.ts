// Reverse-mode differentiation: a tape records the operations that lead from watched tensors to a
// result, then walks back over them. Gradients are computed by operations like any other, so an
// outer tape can record them: derivatives of any order.

import { refuseForeign } from '../engine/index.js';
import { apply, isObserved, type Observer, type Op, observe, unobserved } from './apply.js';
import { ones } from './create.js';
import { add, multiply } from './ops/binary.js';
import { reshape, zerosLike } from './ops/layout.js';
import { sum } from './ops/reduce.js';
import { scope, whileRecording } from './scope.js';
import { formatShape, sameShape } from './shape.js';
import { Tensor } from './tensor.js';
import { leaves, mapTree } from './tree.js';

interface Entry {
  readonly op: Op<never>;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: unknown;
}

class Tape implements Observer {
  readonly #tracked: Set<Tensor>;
  readonly #entries: Entry[] = [];

  constructor(watched: readonly Tensor[]) {
    this.#tracked = new Set(watched);
  }

  record(op: Op<never>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: unknown): void {
    if (!op.vjp || !inputs.some((input) => this.#tracked.has(input))) return;
    this.#entries.push({ op, inputs, outputs, attributes });
    for (const output of outputs) if (output.dtype === 'f32') this.#tracked.add(output);
  }

  /** Gradients of Σ ⟨seed, result⟩ for each watched tensor that the results depend on. */
  backward(seeds: ReadonlyMap<Tensor, Tensor>): Map<Tensor, Tensor> {
    const gradients = new Map(seeds);
    for (const { op, inputs, outputs, attributes } of this.#entries.reverse()) {
      const flowing = outputs.map((output) => gradients.get(output));
      if (flowing.every((gradient) => gradient === undefined)) continue;
      for (const output of outputs) gradients.delete(output);
      const needed = inputs.map((input) => this.#tracked.has(input));
      const given = op.vjp?.({ inputs, outputs, attributes: attributes as never, gradients: flowing, needed }) ?? [];
      inputs.forEach((input, index) => {
        const gradient = given[index];
        if (!gradient || !needed[index]) return;
        const sofar = gradients.get(input);
        gradients.set(input, sofar ? add(sofar, gradient) : gradient);
      });
    }
    return gradients;
  }
}

function tensorLeaves(operation: string, tree: unknown): Tensor[] {
  return leaves(tree).map((leaf) => {
    refuseForeign(operation, leaf);
    if (!(leaf instanceof Tensor)) throw new Error(`${operation}: expected a tree of tensors, found ${String(leaf)}`);
    if (leaf.dtype !== 'f32') throw new Error(`${operation}: only f32 tensors have gradients, found ${leaf}`);
    return leaf;
  });
}

/** Runs `body` in a scope, unless an outer tape still needs what it makes. */
function scoped<T>(body: () => T): T {
  return isObserved() ? body() : scope(body);
}

/** Gradients of seeded results with respect to `inputs`, zero where nothing flows. */
function pullBack(tape: Tape, seeds: ReadonlyMap<Tensor, Tensor>, inputs: unknown): unknown {
  const gradients = tape.backward(seeds);
  return mapTree(inputs, (leaf) => gradients.get(leaf as Tensor) ?? zerosLike(leaf as Tensor));
}

/** What `valueAndGrad` gives. */
export interface ValueAndGrad<Inputs, Extra> {
  /** The scalar that the function returned. */
  readonly value: Tensor;
  /** Its gradient: the same tree as the first argument. */
  readonly gradient: Inputs;
  /** The second element that the function returned, if it did. */
  readonly extra: Extra;
}

/**
 * The value and gradient of a scalar function of a tree of tensors.
 *
 * @param fn returns a scalar tensor, or `[scalar, extra]` with a tree to pass out.
 * @returns a function of the same arguments; the gradient is with respect to the first.
 * @example const { value, gradient } = valueAndGrad((w: Tensor) => sum(square(w)))(tensor([1, 2]));
 * @throws Error when the function does not return a scalar.
 */
export function valueAndGrad<Inputs, Rest extends unknown[]>(
  fn: (inputs: Inputs, ...rest: Rest) => Tensor,
): (inputs: Inputs, ...rest: Rest) => ValueAndGrad<Inputs, undefined>;
export function valueAndGrad<Inputs, Rest extends unknown[], Extra>(
  fn: (inputs: Inputs, ...rest: Rest) => readonly [Tensor, Extra],
): (inputs: Inputs, ...rest: Rest) => ValueAndGrad<Inputs, Extra>;
export function valueAndGrad<Inputs, Rest extends unknown[], Extra>(
  fn: (inputs: Inputs, ...rest: Rest) => Tensor | readonly [Tensor, Extra],
) {
  return (inputs: Inputs, ...rest: Rest): ValueAndGrad<Inputs, Extra | undefined> =>
    scoped(() => {
      const tape = new Tape(tensorLeaves('valueAndGrad', inputs));
      const result = whileRecording(() => observe(tape, () => fn(inputs, ...rest)));
      const [value, extra] = result instanceof Tensor ? [result, undefined] : result;
      if (!(value instanceof Tensor) || value.size !== 1) {
        throw new Error(
          `valueAndGrad: the function must return a scalar, got ${value instanceof Tensor ? `shape ${formatShape(value.shape)}` : String(value)}`,
        );
      }
      const gradient = pullBack(tape, new Map([[value, ones(value.shape)]]), inputs) as Inputs;
      return { value, gradient, extra };
    });
}

/** The gradient of a scalar function with respect to its first argument, a tree of tensors. */
export function grad<Inputs, Rest extends unknown[]>(
  fn: (inputs: Inputs, ...rest: Rest) => Tensor,
): (inputs: Inputs, ...rest: Rest) => Inputs {
  const both = valueAndGrad(fn);
  return (inputs, ...rest) => scoped(() => both(inputs, ...rest).gradient);
}

/**
 * Vector-Jacobian product: the output of `fn` at `inputs`, and vᵀ·∂fn/∂inputs.
 *
 * @param cotangent a tensor of the output's shape.
 */
export function vjp<Inputs>(
  fn: (inputs: Inputs) => Tensor,
  inputs: Inputs,
  cotangent: Tensor,
): { output: Tensor; gradient: Inputs } {
  return scoped(() => {
    const tape = new Tape(tensorLeaves('vjp', inputs));
    const output = whileRecording(() => observe(tape, () => fn(inputs)));
    if (!sameShape(output.shape, cotangent.shape)) {
      throw new Error(
        `vjp: the cotangent has shape ${formatShape(cotangent.shape)}, the output ${formatShape(output.shape)}`,
      );
    }
    return { output, gradient: pullBack(tape, new Map([[output, cotangent]]), inputs) as Inputs };
  });
}

/**
 * Jacobian-vector product ∂fn/∂inputs·v: the derivative of `fn` at `inputs` in the direction
 * `tangent` (a tree like `inputs`). Two reverse passes: u ↦ uᵀJ is linear in u, and its transpose
 * applied to v is Jv.
 */
export function jvp<Inputs>(
  fn: (inputs: Inputs) => Tensor,
  inputs: Inputs,
  tangent: Inputs,
): { output: Tensor; tangent: Tensor } {
  return scoped(() => {
    const output = fn(inputs);
    const directions = tensorLeaves('jvp', tangent);
    const shapes = (tensors: readonly Tensor[]) => tensors.map(({ shape }) => formatShape(shape)).join(', ');
    const points = tensorLeaves('jvp', inputs);
    if (shapes(points) !== shapes(directions))
      throw new Error(`jvp: the tangent has shapes ${shapes(directions)}, the inputs ${shapes(points)}`);
    const product = (u: Tensor) =>
      tensorLeaves('jvp', vjp(fn, inputs, u).gradient)
        .map((gradient, index) => sum(multiply(gradient, directions[index] as Tensor)))
        .reduce(add);
    return { output, tangent: grad(product)(ones(output.shape)) };
  });
}

/**
 * Gradient checkpointing: runs fn(...inputs) without keeping its intermediates; the backward pass
 * recomputes them, trading time for memory. Gradients flow to `inputs` alone, so pass every weight
 * that fn uses.
 *
 * @see Chen, Xu, Zhang, Guestrin: Training Deep Nets with Sublinear Memory Cost, 2016
 */
export function checkpoint(fn: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor {
  const op: Op = {
    name: 'checkpoint',
    multiplyAdds: 'uncounted',
    infer: () => [],
    view: (values) => [unobserved(() => scope(() => fn(...values)))],
    vjp: ({ inputs: values, gradients }) => {
      // Views, so that two uses of one input are distinct.
      const watched = values.map((value) => reshape(value, value.shape));
      return vjp((tree: Tensor[]) => fn(...tree), watched, gradients[0] as Tensor).gradient;
    },
  };
  return apply(op, inputs);
}
