// Second derivatives of fused operations: their definition in smaller operations is differentiated
// instead.

import type { Op } from './apply.js';
import { grad } from './autograd.js';
import { add, multiply } from './ops/binary.js';
import { reshape } from './ops/layout.js';
import { sum } from './ops/reduce.js';
import type { Tensor } from './tensor.js';

/**
 * A `vjp` that differentiates `reference`, which must compute the same outputs from the same
 * inputs. For operations that are gradients themselves, where speed matters less.
 */
export function throughReference<A>(
  reference: (inputs: readonly Tensor[], attributes: A) => readonly Tensor[],
): NonNullable<Op<A>['vjp']> {
  return ({ inputs, gradients, attributes, needed }) => {
    // Views, so that two uses of one input are distinct.
    const watched = inputs.flatMap((input, index) => (needed[index] ? [reshape(input, input.shape)] : []));
    const found = grad((values: readonly Tensor[]) => {
      let next = 0;
      const all = inputs.map((input, index) => (needed[index] ? (values[next++] as Tensor) : input));
      return reference(all, attributes)
        .flatMap((output, index) => (gradients[index] ? [sum(multiply(output, gradients[index] as Tensor))] : []))
        .reduce(add);
    })(watched);
    let next = 0;
    return inputs.map((_, index) => (needed[index] ? found[next++] : undefined));
  };
}
