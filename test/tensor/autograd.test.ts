import { describe, expect, test } from 'vitest';
import { memoryUse } from '../../src/engine/index.js';
import * as ops from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const cube = (x: ops.Tensor) => x.multiply(x).multiply(x).sum();

describe('valueAndGrad', () => {
  test('works over trees and passes extras out', () => {
    const step = ops.valueAndGrad((w: { a: ops.Tensor; list: [ops.Tensor] }) => {
      const y = w.a.multiply(w.list[0]);
      return [y.sum(), { y }] as const;
    });
    const { value, gradient, extra } = step({ a: ops.tensor([1, 2]), list: [ops.tensor([3, 4])] });
    expect(value.item()).toBe(11);
    expect([...gradient.a.view()]).toEqual([3, 4]);
    expect([...gradient.list[0].view()]).toEqual([1, 2]);
    expect([...extra.y.view()]).toEqual([3, 8]);
  });

  test('inputs that do not matter get zeros', () => {
    expect([
      ...(ops
        .grad((w: ops.Tensor[]) => (w[0] as ops.Tensor).sum())([ops.tensor([1]), ops.tensor([5, 6])])[1]
        ?.view() ?? []),
    ]).toEqual([0, 0]);
  });

  test('derivatives of any order', () => {
    const x = ops.tensor([2]);
    const first = ops.grad(cube);
    const second = ops.grad((v: ops.Tensor) => first(v).sum());
    const third = ops.grad((v: ops.Tensor) => second(v).sum());
    expect([first(x).item(), second(x).item(), third(x).item()]).toEqual([12, 12, 6]);
  });

  test('refuses what is not a scalar', () => {
    expect(() => ops.grad((x: ops.Tensor) => x)(ops.zeros([2]))).toThrow(
      'valueAndGrad: the function must return a scalar, got shape [2]',
    );
    expect(() => ops.grad((x: ops.Tensor) => x.cast('f32').sum())(ops.zeros([2], 'i32'))).toThrow(
      'only f32 tensors have gradients',
    );
  });

  test('leaves nothing behind when the function throws', () => {
    const before = memoryUse().buffers;
    const failing = ops.grad((x: ops.Tensor) => {
      x.add(1);
      throw new Error('inside');
    });
    const x = ops.tensor([1]);
    expect(() => failing(x)).toThrow('inside');
    x.dispose();
    expect(memoryUse().buffers).toBe(before);
    expect(
      ops
        .grad(cube)(ops.tensor([1]))
        .item(),
    ).toBe(3);
  });
});

test('jvp and vjp agree: u·(Jv) = (uᵀJ)·v', () => {
  const fn = (x: ops.Tensor) =>
    x
      .reshape([2, 3])
      .tanh()
      .matmul(uniformTensor(9, [3, 2]));
  const x = uniformTensor(1, [6]);
  const v = uniformTensor(2, [6]);
  const u = uniformTensor(3, [2, 2]);
  const forward = ops.jvp(fn, x, v).tangent.multiply(u).sum().item();
  const backward = ops.vjp(fn, x, u).gradient.multiply(v).sum().item();
  expect(forward).toBeCloseTo(backward, 5);
});

test('stopGradient, straightThrough and checkpoint', () => {
  const x = ops.tensor([0.3, -0.6]);
  expect([
    ...ops
      .grad((v: ops.Tensor) => v.multiply(ops.stopGradient(v)).sum())(x)
      .view(),
  ]).toEqual([...x.view()]);
  const { value, gradient } = ops.valueAndGrad((v: ops.Tensor) => ops.straightThrough(v.sign(), v.multiply(3)).sum())(
    x,
  );
  expect(value.item()).toBe(0);
  expect([...gradient.view()]).toEqual([3, 3]);
  const deep = (v: ops.Tensor, w: ops.Tensor) => v.multiply(w).tanh().exp();
  checkGradient((v, w) => ops.checkpoint(deep, v, w), [x, ops.tensor([1.5, 0.5])]);
  expectClose(ops.checkpoint(deep, x, x).view(), deep(x, x).view(), 0);
});

describe('scope', () => {
  test('frees what it made but for what it returns', () => {
    const before = memoryUse().buffers;
    const kept = ops.scope(() => {
      ops.zeros([10]).add(1).multiply(2);
      return { y: ops.ones([3]) };
    });
    expect(memoryUse().buffers).toBe(before + 1);
    expect([...kept.y.view()]).toEqual([1, 1, 1]);
    kept.y.dispose();
    expect(memoryUse().buffers).toBe(before);
  });

  test('works with using, and lets out what it is told to keep', () => {
    const before = memoryUse().buffers;
    let kept: ops.Tensor;
    {
      using open = ops.scope();
      ops.zeros([10]).add(1);
      kept = open.keep(ops.ones([2]));
    }
    expect(memoryUse().buffers).toBe(before + 1);
    expect(kept.sum().item()).toBe(2);
    kept.dispose();
  });

  test('using a freed tensor says what to do', () => {
    let leaked = ops.zeros([2]);
    ops.scope(() => {
      leaked = ops.zeros([2]).add(1);
    });
    expect(() => leaked.add(1)).toThrow('was disposed: return it from its scope() or keep() it');
  });

  test('inside a gradient, inner scopes keep what the way back needs', () => {
    expect(
      ops
        .grad((v: ops.Tensor) => ops.scope(() => v.exp().square().sum()))(ops.tensor([0]))
        .item(),
    ).toBeCloseTo(2, 6);
  });

  test('asynchronous bodies are refused', () => {
    expect(() => ops.scope(async () => 1)).toThrow('must not be asynchronous');
  });
});
