import { expect, test } from 'vitest';
import type { Runner } from '../../src/engine/cpu/runner.js';
import { type ArgumentsOf, cpu, type Region } from '../../src/engine/index.js';
import { emptyTensor, ones, type Tensor, zeros } from '../../src/tensor/index.js';

/** Calls that do not compile: `tsc` fails where one of these lines is no error. They are never run. */
export function forgotten(x: Tensor, y: Tensor, run: Runner, region: Region): void {
  // @ts-expect-error a forgotten address
  cpu.run('relu', { x, n: 4 });
  // @ts-expect-error null for an address that may not be left out
  cpu.run('relu', { x, y: null, n: 4 });
  // @ts-expect-error a number in place of an address
  cpu.run('relu', { x, y: 4, n: 4 });
  // @ts-expect-error an address in place of a number
  cpu.run('relu', { x, y, n: region });
  // @ts-expect-error an argument that the kernel does not have
  cpu.run('relu', { x, y, n: 4, scale: 1 });
  // @ts-expect-error a bias that is left out must be null
  cpu.run('matmul', { a: x, b: x, c: y, batch: 1, m: 2, n: 2, k: 2, transposeA: 0, transposeB: 0, activation: 0 });
  // @ts-expect-error a forgotten address between routine and kernel
  run.over('transpose', { x: region, rows: 2, columns: 2 }, 1, 1);
  // @ts-expect-error a number in place of an address between routine and kernel
  run.over('transpose', { x: region, y: 0, rows: 2, columns: 2 }, 1, 1);
  // @ts-expect-error no kernel of this name
  run.over('transposed', { x: region, y: region, rows: 2, columns: 2 }, 1, 1);
}

test('the order of named arguments does not matter, and null leaves out what may be left out', () => {
  const [a, b, c] = [ones([2, 3]), ones([3, 2]), emptyTensor([2, 2], 'f32')];
  const product = { activation: 0, transposeB: 0, transposeA: 0, k: 3, n: 2, m: 2, batch: 1 };
  cpu.run('matmul', { ...product, c, bias: null, b, a });
  expect([...c.view()]).toEqual([3, 3, 3, 3]);
  cpu.run('matmul', { a, b, bias: ones([2]), c, ...product });
  expect([...c.view()]).toEqual([4, 4, 4, 4]);
});

test('tables are named: the windows of a pool, the box of a copy', () => {
  const x = ones([4]).add(1);
  const y = zeros([1, 2]);
  const pool: ArgumentsOf<'maxPool'> = {
    x,
    y,
    positions: null,
    planes: 1,
    height: 1,
    width: 4,
    rows: [[0, 1]],
    columns: [
      [0, 2],
      [2, 4],
    ],
  };
  cpu.run('maxPool', pool);
  expect([...y.view()]).toEqual([2, 2]);
  const one = [1, 1, 1, 1, 1, 1] as const;
  const box = { sizes: [1, 1, 1, 1, 1, 2] as const, sourceStrides: [0, 0, 0, 0, 0, 2] as const, targetStrides: one };
  cpu.run('copyStrided', { x, y, box });
  expect([...y.view()]).toEqual([2, 2]);
});
