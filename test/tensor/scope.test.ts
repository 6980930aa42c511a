import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { memoryUse } from '../../src/engine/index.js';
import { keep, ones, scope, type Tensor, tensor } from '../../src/tensor/index.js';

/** A task that holds a scope while it waits, and uses what it made before and after. */
async function task(value: number, ...waits: readonly number[]): Promise<Tensor> {
  using held = scope();
  let x = tensor([value]);
  for (const wait of waits) {
    await sleep(wait);
    x = x.add(1);
  }
  const inner = scope(() => x.multiply(2));
  expect(inner.item()).toBe(2 * (value + waits.length));
  return held.keep(x);
}

describe('scopes that asynchronous tasks hold', () => {
  test('tasks that overlap in any order neither free nor own each other’s tensors', async () => {
    const before = memoryUse().buffers;
    const results = await Promise.all([task(10, 1, 30), task(20, 15, 1, 1), task(30, 5), task(40)]);
    expect(results.map((x) => x.item())).toEqual([12, 23, 31, 40]);
    expect(memoryUse().buffers).toBe(before + 4);
    for (const x of results) x.dispose();
    expect(memoryUse().buffers).toBe(before);
  });

  test('a tensor made after a task has ended belongs to no scope', async () => {
    await task(1, 1);
    const x = ones([2]);
    await task(2, 1);
    expect(x.frame).toBeUndefined();
    expect(x.disposed).toBe(false);
  });

  test('a scope within a scope, both over an await', async () => {
    using outer = scope();
    const x = ones([2]);
    await sleep(1);
    const y = await (async () => {
      using inner = scope();
      const made = x.add(1);
      await sleep(1);
      return inner.keep(made.add(1));
    })();
    const z = y.add(x);
    expect(z.frame).toBeDefined();
    outer.end();
    expect(z.disposed).toBe(true);
    expect([...y.view()]).toEqual([3, 3]);
  });

  test('scope(body) within one passes its result to it', async () => {
    const made: Tensor[] = [];
    {
      using _ = scope();
      await sleep(1);
      made.push(scope(() => ones([2]).add(1)));
      expect(made[0]?.disposed).toBe(false);
    }
    expect(made[0]?.disposed).toBe(true);
  });
});

describe('scopes that end out of order', () => {
  test('held: the outer one ends with an error, and leaves nothing behind', () => {
    const before = memoryUse().buffers;
    const outer = scope();
    const first = ones([3]);
    const inner = scope();
    const second = ones([3]);
    expect(() => outer.end()).toThrow('scope: an inner scope is still open; end scopes in reverse order');
    expect([first.disposed, second.disposed]).toEqual([true, false]);
    inner.end();
    expect(second.disposed).toBe(true);
    outer.end();
    expect(ones([1]).frame).toBeUndefined();
    expect(memoryUse().buffers).toBeLessThanOrEqual(before + 1);
  });

  test('a scope left open by a function body ends with the body', () => {
    const made: Tensor[] = [];
    const body = () => {
      scope();
      made.push(ones([3]));
    };
    expect(() => scope(body)).toThrow('scope: an inner scope is still open');
    expect(made[0]?.disposed).toBe(true);
    expect(ones([1]).frame).toBeUndefined();
  });

  test('an error of the body is not hidden by that', () => {
    expect(() =>
      scope(() => {
        scope();
        throw new Error('of the body');
      }),
    ).toThrow('of the body');
    expect(ones([1]).frame).toBeUndefined();
  });
});

test('without AsyncLocalStorage one task at a time, and an error that says why', async () => {
  vi.resetModules();
  const original = process.getBuiltinModule;
  process.getBuiltinModule = ((name: string) => (name === 'node:async_hooks' ? undefined : original(name))) as never;
  try {
    const other = await import('../../src/tensor/index.js');
    const alone = async (wait: number) => {
      using held = other.scope();
      const x = other.ones([2]);
      await sleep(wait);
      return held.keep(x.add(1)).dataSync()[0];
    };
    expect(await alone(1)).toBe(2);
    expect(await alone(1)).toBe(2);
    const both = await Promise.allSettled([alone(1), alone(20)]);
    expect(both.map((result) => result.status)).toContain('rejected');
    expect(String((both[0] as PromiseRejectedResult).reason)).toContain('this runtime has no AsyncLocalStorage');
    expect(other.ones([1]).frame).toBeUndefined();
    expect(await alone(1)).toBe(2);
  } finally {
    process.getBuiltinModule = original;
    vi.resetModules();
  }
});

test('a view keeps a tensor outside scopes from being collected', () => {
  const x = ones([2]);
  const view = x.view();
  const [owner] = Object.getOwnPropertySymbols(view);
  expect((view as unknown as Record<symbol, unknown>)[owner as symbol]).toBe(x);
  expect(Object.keys(view)).toEqual(['0', '1']);
  expect(keep(x)).toBe(x);
});

test('so does one that was given out in a scope that the tensor left', () => {
  const x = scope(() => {
    const made = ones([2]);
    made.view();
    return made;
  });
  expect(Object.getOwnPropertySymbols(x.view())).toHaveLength(1);
  expect(x.view()).toBe(x.view());
});
