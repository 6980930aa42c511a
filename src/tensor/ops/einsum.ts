// Einstein summation: permutations around one matrix product for each pair of operands.

import { requireTensor, type Tensor } from '../tensor.js';
import { permute, reshape } from './layout.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';

interface Labelled {
  readonly labels: readonly string[];
  readonly tensor: Tensor;
}

function fail(equation: string, reason: string): never {
  throw new Error(`einsum "${equation}": ${reason}`);
}

/**
 * Einstein summation by index letters, as in NumPy: `'bij,bjk->bik'`. Letters that the result lacks
 * are summed over. Operands, of any number, are contracted from the left; a letter may occur once
 * in each.
 *
 * @throws Error naming the equation when it does not fit the operands.
 * @example einsum('bhid,bhjd->bhij', q, k)
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->');
  if (left === undefined || right === undefined || more.length > 0) return fail(equation, 'expected inputs->output');
  const inputs = left.split(',').map((labels) => [...labels]);
  if (inputs.length !== operands.length) fail(equation, `names ${inputs.length} operands, got ${operands.length}`);
  const sizes = new Map<string, number>();
  const terms = inputs.map((labels, i): Labelled => {
    const tensor = operands[i] as Tensor;
    requireTensor('einsum', tensor);
    if (labels.length !== tensor.rank || new Set(labels).size !== labels.length)
      fail(equation, `"${labels.join('')}" does not name the axes of ${tensor}`);
    labels.forEach((label, axis) => {
      const known = sizes.get(label) ?? (tensor.shape[axis] as number);
      if (known !== tensor.shape[axis]) fail(equation, `index ${label} has sizes ${known} and ${tensor.shape[axis]}`);
      sizes.set(label, known);
    });
    return { labels, tensor };
  });
  const output = [...right];
  for (const label of output) if (!sizes.has(label)) fail(equation, `the result's index ${label} is in no operand`);
  const joined = terms.reduce((a, b, i) =>
    contract(a, b, new Set([...output, ...terms.slice(i + 1).flatMap((term) => term.labels)]), sizes),
  );
  const { labels, tensor } = summedTo(joined, new Set(output));
  return permute(
    tensor,
    output.map((label) => labels.indexOf(label)),
  );
}

/** Sums over the indices that are not needed. */
function summedTo({ labels, tensor }: Labelled, needed: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (needed.has(label) ? [] : [axis]));
  return axes.length
    ? { labels: labels.filter((label) => needed.has(label)), tensor: sum(tensor, axes) }
    : { labels, tensor };
}

function contract(a: Labelled, b: Labelled, needed: ReadonlySet<string>, sizes: ReadonlyMap<string, number>): Labelled {
  const left = summedTo(a, new Set([...needed, ...b.labels]));
  const right = summedTo(b, new Set([...needed, ...a.labels]));
  const shared = left.labels.filter((label) => right.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const inner = shared.filter((label) => !needed.has(label));
  const rows = left.labels.filter((label) => !shared.includes(label));
  const columns = right.labels.filter((label) => !shared.includes(label));
  const size = (labels: readonly string[]) =>
    labels.reduce((product, label) => product * (sizes.get(label) as number), 1);
  const arranged = ({ labels, tensor }: Labelled, order: readonly string[], shape: readonly number[]) =>
    reshape(
      permute(
        tensor,
        order.map((label) => labels.indexOf(label)),
      ),
      shape,
    );
  const product = matmul(
    arranged(left, [...batch, ...rows, ...inner], [size(batch), size(rows), size(inner)]),
    arranged(right, [...batch, ...inner, ...columns], [size(batch), size(inner), size(columns)]),
  );
  const labels = [...batch, ...rows, ...columns];
  return {
    labels,
    tensor: reshape(
      product,
      labels.map((label) => sizes.get(label) as number),
    ),
  };
}
