import { describe, expect, test } from 'vitest';
import {
  DispatchPlan,
  expertContext,
  loadBalanceLoss,
  MixtureOfExperts,
  parameters,
  routerZLoss,
  routeTopK,
  slotCounts,
  withWeights,
} from '../../src/nn/index.js';
import { add, matmul, multiply, Random, reshape, silu, slice, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

/** Every expert on every token, weighted by its gate or 0. */
function denseMixture(model: MixtureOfExperts, x: Tensor, k: number): Tensor {
  const routing = routeTopK(
    matmul(x, model.router.weight, { transposeB: true }),
    k,
    k === 1 ? 'softmax' : 'renormalised',
  );
  const [tokens, features] = x.shape as [number, number];
  const { count, hidden, up, down } = model.experts;
  let y: Tensor | undefined;
  for (let e = 0; e < count; e++) {
    const inner = matmul(x, reshape(slice(up, [e, e + 1]), [2 * hidden, features]), { transposeB: true });
    const active = multiply(silu(slice(inner, null, [0, hidden])), slice(inner, null, [hidden, 2 * hidden]));
    const out = matmul(active, reshape(slice(down, [e, e + 1]), [features, hidden]), { transposeB: true });
    const chosen = tensor(
      Float32Array.from(routing.experts.view<Int32Array>(), (id) => Number(id === e)),
      [tokens, k],
    );
    const part = multiply(out, multiply(routing.gates, chosen).sum(1, { keepAxes: true }));
    y = y ? add(y, part) : part;
  }
  return y as Tensor;
}

describe.each([1, 2, 3])('a mixture of top %i', (k) => {
  const model = new MixtureOfExperts(6, { experts: 5, hidden: 7, k }, new Random(k));
  const x = uniformTensor(8 + k, [11, 6]);

  test('by its dispatch plan equals every expert on every token', () => {
    const context = expertContext();
    expectClose(model.forward(x, context).dataSync(), denseMixture(model, x, k).dataSync());
    expect(context.usage[0]?.rows).toBe(11 * k);
  });

  test('gradients of tokens and weights equal those of the dense form, and differences', () => {
    const names = Object.keys(parameters(model));
    const weights = Object.values(parameters(model));
    const run =
      (fn: (live: MixtureOfExperts, tokens: Tensor) => Tensor) =>
      (tokens: Tensor, ...values: Tensor[]) =>
        withWeights(model, Object.fromEntries(names.map((name, i) => [name, values[i] as Tensor])), (live) =>
          fn(live, tokens),
        );
    checkGradient(
      run((live, tokens) => live.forward(tokens)),
      [x, ...weights],
      { step: 1e-3, tolerance: 2e-2, second: false },
    );
  });
});

test('a plan sorts rows by expert and keeps the order of tokens; capacity drops the last', () => {
  const choices = tensor([2, 0, 1, 2, 0, 3, 2, 1], [4, 2], 'i32');
  const plan = new DispatchPlan(choices, 3);
  expect([...plan.segments.offsets]).toEqual([0, 2, 4, 7]);
  expect([...plan.slots.view<Int32Array>()]).toEqual([1, 4, 2, 7, 0, 3, 6]);
  expect([...plan.tokens.view<Int32Array>()]).toEqual([0, 2, 1, 3, 0, 1, 3]);
  const limited = new DispatchPlan(choices, 3, { capacity: 2 });
  expect([...limited.segments.offsets]).toEqual([0, 2, 4, 6]);
  expect([...limited.dropped]).toEqual([0, 0, 1]);
  expect([...(limited.accepted ?? [])]).toEqual([1, 1, 1, 1, 1, 1, 0, 1]);
  // A capacity per expert, also of an expert that is not dispatched: its slots are counted alone.
  const each = new DispatchPlan(choices, 2, { capacity: [1, 2, 1] });
  expect([...each.segments.offsets]).toEqual([0, 1, 3]);
  expect([...each.dropped]).toEqual([1, 0, 2]);
  expect([...(each.accepted ?? [])]).toEqual([1, 1, 1, 0, 0, 1, 0, 1]);
  expect(new DispatchPlan(choices, 3, { capacity: 3 }).accepted).toBeUndefined();
});

test('losses by their closed forms', () => {
  const even = routeTopK(tensor(new Float32Array(32), [8, 4]), 2);
  // Equal logits choose the first two experts: f = 1, 1, 0, 0 and P = 1/4.
  expect([...slotCounts(even)]).toEqual([8, 8, 0, 0]);
  expect(loadBalanceLoss(even).item()).toBeCloseTo(1, 6);
  expect(loadBalanceLoss(even, [1, 0.5, 1, 1]).item()).toBeCloseTo(0.75, 6);
  expect(routerZLoss(tensor(new Float32Array(8), [2, 4])).item()).toBeCloseTo(Math.log(4) ** 2, 5);
  expect(() => routeTopK(tensor(new Float32Array(8), [2, 4]), 5)).toThrow('cannot choose 5 of 4');
});
