import { describe, expect, test } from 'vitest';
import type { RecordedCall } from '../../src/engine/index.js';
import {
  affine,
  argmax,
  argsort,
  concatenate,
  conv2d,
  gatherRows,
  grad,
  maxPool2d,
  pickColumns,
  putAlong,
  resize,
  scatterAddRows,
  slice,
  type Tensor,
  takeAlong,
  takeRows,
  tensor,
} from '../../src/tensor/index.js';
import { compile, loadPlan, savePlan } from '../../src/trace/index.js';
import { decodePlan, encodePlan, type SavedPlan } from '../../src/trace/plan-file/index.js';
import { uniformTensor } from '../oracle.js';

const image = uniformTensor(1, [1, 2, 6, 6]);
const filters = uniformTensor(2, [3, 2, 3, 3]);

function savedPlan(fn: (...inputs: Tensor[]) => unknown, inputs: readonly Tensor[]): SavedPlan {
  const plan = compile(fn, inputs);
  const saved = decodePlan(savePlan(plan));
  plan.dispose();
  return saved;
}

const convolution = () => savedPlan((x) => conv2d(x, filters, undefined, { padding: 1 }), [image]);

/** The plan with other arguments of its first call of a kernel. */
function withArguments(saved: SavedPlan, kernel: string, change: (args: RecordedCall['args']) => object): Uint8Array {
  let done = false;
  const calls = saved.calls.map((call) => {
    if (done || call.kernel !== kernel) return call;
    done = true;
    return { ...call, args: change(call.args) as RecordedCall['args'] };
  });
  expect(done).toBe(true);
  return encodePlan({ ...saved, calls });
}

describe('a plan file cannot make a kernel leave its buffers', () => {
  const sizes = (change: object) => (args: RecordedCall['args']) => ({
    ...args,
    sizes: { ...(args.sizes as object), ...change },
  });
  const region = (name: string, change: object) => (args: RecordedCall['args']) => ({
    ...args,
    [name]: { ...(args[name] as object), ...change },
  });

  test.each<[string, (args: RecordedCall['args']) => object, string]>([
    ['more channels', sizes({ channels: 3 }), 'takes bytes 0 to 432 as x, of a buffer of 288'],
    ['more outputs', sizes({ outHeight: 9 }), 'has 9 outputs for 6 inputs'],
    ['groups that divide nothing', sizes({ groups: 2 }), 'has 2 channels and 3 filters in 2 groups'],
    ['a fractional size', sizes({ strideX: 1.5 }), 'has strideX 1.5'],
    ['a size beyond 32 bits', sizes({ images: 2 ** 40 }), 'has images 1099511627776'],
    ['an offset outside', region('x', { byteOffset: 4 }), 'takes bytes 4 to 292 as x'],
    ['an offset before the buffer', region('y', { byteOffset: -4 }), 'takes bytes -4'],
    ['an offset between elements', region('w', { byteOffset: 2 }), 'takes bytes 2'],
    ['a buffer that is not there', region('y', { buffer: 99 }), 'names buffer 99 of 3'],
    ['an unknown activation', (args) => ({ ...args, activation: 99 }), 'has activation 99, expected 0 to 8'],
    ['an argument too many', (args) => ({ ...args, extra: 1 }), 'has the argument extra, which it does not take'],
    ['an argument too few', ({ y, ...args }) => args, 'lacks y'],
    ['a text for a number', (args) => ({ ...args, activation: 'relu' }), 'has activation that is no number'],
    ['a number for a region', (args) => ({ ...args, x: 4096 }), 'has x that is no region'],
    ['its result in a constant', (args) => ({ ...args, y: args.w }), 'writes to a constant'],
  ])('%s', (_, change, message) => {
    expect(() => loadPlan(withArguments(convolution(), 'convolution', change))).toThrow(message);
  });

  test('kernels that a file must not call', () => {
    const saved = convolution();
    const calls = saved.calls.map((call) => ({ ...call, kernel: 'adam' }));
    expect(() => loadPlan(encodePlan({ ...saved, calls }))).toThrow('"adam" cannot be called from a file');
  });

  test('tables of windows, samples and boxes', () => {
    const pool = savedPlan((x) => maxPool2d(x, 2), [image]);
    const beyond = (args: RecordedCall['args']) => ({ ...args, rows: [[0, 9], ...(args.rows as []).slice(1)] });
    expect(() => loadPlan(withArguments(pool, 'maxPool', beyond))).toThrow('rows with the impossible entry [0,9]');
    const resized = savedPlan((x) => resize(x, [3, 3]), [image]);
    const sample = (args: RecordedCall['args']) => ({
      ...args,
      columns: [[0, -1, 0.5], ...(args.columns as []).slice(1)],
    });
    expect(() => loadPlan(withArguments(resized, 'resize', sample))).toThrow(
      'columns with the impossible entry [0,-1,0.5]',
    );
    const flipped = savedPlan((x) => x.flip(3), [image]);
    const box = (args: RecordedCall['args']) => ({
      ...args,
      box: { ...(args.box as object), sourceStrides: [0, 0, 0, 36, 6, -7] },
    });
    expect(() => loadPlan(withArguments(flipped, 'copyStrided', box))).toThrow('as x, of a buffer of 288');
  });

  test('ports and buffers', () => {
    const saved = convolution();
    const changed = (change: object) => () => loadPlan(encodePlan({ ...saved, ...change }));
    const [input, output] = [saved.inputs[0], saved.outputs[0]];
    expect(changed({ inputs: [{ ...input, shape: [1, 2, 6, 7] }] })).toThrow(
      'input 0 [1, 2, 6, 7] takes bytes 0 to 336',
    );
    expect(changed({ inputs: [{ ...input, dtype: 'f64' }] })).toThrow('input 0 has the type "f64"');
    expect(changed({ outputs: [{ ...output, byteOffset: 2 }] })).toThrow('output 0');
    expect(changed({ outputs: [{ ...output, shape: [-1] }] })).toThrow('output 0 has an impossible shape');
    expect(changed({ inputs: [input, input] })).toThrow('two inputs lie in one buffer');
    const constant = saved.buffers.findIndex(({ contents }) => contents);
    expect(changed({ inputs: [{ ...input, buffer: constant }] })).toThrow('an input lies in a constant');
    const large = saved.buffers.map((buffer) => (buffer.contents ? buffer : { ...buffer, bytes: 2 ** 31 }));
    expect(changed({ buffers: large })).toThrow('has 2147483648 bytes, of which 288 are used');
  });

  test('every byte is under the checksum', () => {
    const file = savePlan(compile((x) => conv2d(x, filters), [image]));
    for (const at of [4, 100, file.length - 30, file.length - 1]) {
      const changed = Uint8Array.from(file);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => loadPlan(changed)).toThrow(/^loadPlan: the file/);
    }
  });
});

describe('indices in a plan', () => {
  const table = uniformTensor(3, [4, 2]);
  const indices = (...values: number[]) => tensor(Int32Array.from(values), [values.length]);

  test('that are inputs are checked before each run, compiled or loaded', () => {
    const compiled = compile((i) => gatherRows(table, i), [indices(0, 1, 2)]);
    for (const plan of [compiled, loadPlan(savePlan(compiled))]) {
      expect(plan.run(indices(3, 0, 3))[0]?.dataSync()).toEqual(gatherRows(table, indices(3, 0, 3)).dataSync());
      expect(() => plan.run(indices(0, 4, 0))).toThrow('input 0 holds the index 4 at position 1, outside 0…3');
      expect(() => plan.run(indices(0, 0, -1))).toThrow('the index -1 at position 2');
    }
  });

  test('that are constants are checked when it is loaded', () => {
    const saved = savedPlan((x) => gatherRows(x, indices(0, 3)), [table]);
    const buffers = saved.buffers.map((buffer) =>
      buffer.contents ? { ...buffer, contents: new Uint8Array(Int32Array.of(0, 4).buffer) } : buffer,
    );
    expect(() => loadPlan(encodePlan({ ...saved, buffers }))).toThrow('has the index 4 of 4 in indices');
  });

  test('that are computed must be positions among few enough', () => {
    const fn = (x: Tensor) => gatherRows(table, argmax(x, 1));
    const x = uniformTensor(4, [3, 4]);
    expect(
      loadPlan(savePlan(compile(fn, [x])))
        .run(x)[0]
        ?.dataSync(),
    ).toEqual(fn(x).dataSync());
    const narrower = (args: RecordedCall['args']) => ({ ...args, rows: 3 });
    const saved = savedPlan(fn, [x]);
    expect(() => loadPlan(withArguments(saved, 'gatherRows', narrower))).toThrow(
      'computed indices that may lie outside of 3',
    );
  });

  test('that a file computes, and only seem to be positions or inputs', () => {
    const x = uniformTensor(4, [3, 4]);
    const saved = savedPlan((y, i) => [gatherRows(table, argmax(y, 1)), i], [x, indices(0, 1)]);
    const found = saved.calls.find(({ kernel }) => kernel === 'argmax')?.args as { y: { buffer: number } };
    const input = saved.inputs[1] as { buffer: number };
    // Three positions lie in a buffer, of which four are followed.
    const longer = saved.buffers.map((one, i) => (i === found.y.buffer ? { ...one, bytes: 16 } : one));
    const followed = saved.calls.map(({ kernel, args }) => ({
      kernel,
      args: { ...args, ...(args.indices && { count: 4 }) },
    }));
    expect(() => loadPlan(encodePlan({ ...saved, buffers: longer, calls: followed }))).toThrow('computed indices');
    // Indices that are checked before a run, and overwritten in it.
    const cast = {
      kernel: 'toInt',
      args: { x: saved.inputs[0] as never, y: { buffer: input.buffer, byteOffset: 0 }, n: 2 },
    };
    expect(() => loadPlan(encodePlan({ ...saved, calls: [cast, ...saved.calls] }))).toThrow('writes to an input as y');
  });

  test.each<[string, (x: Tensor, i: Tensor) => Tensor]>([
    ['cast', (x, i) => gatherRows(x, i.cast('f32').cast('i32'))],
    ['moved by a sum', (x, i) => gatherRows(x, i.add(1).subtract(1))],
    ['joined', (x, i) => gatherRows(x, concatenate([i, i]))],
    ['positions among more', (x) => gatherRows(x, argmax(concatenate([x.abs(), x]), 0))],
    ['of columns', (x, i) => takeRows(x, i.add(0).reshape([2, 1]).broadcastTo([2, 2]))],
    ['of rows that are added', (x, i) => scatterAddRows(x, i.add(0), 2)],
    ['of elements', (x, i) => takeAlong(x, i.add(0).reshape([2, 1]))],
    ['of elements that are added', (x, i) => putAlong(x, i.add(0).reshape([2, 1]).broadcastTo([2, 2]), 2)],
  ])('that are computed and may lie outside are refused: %s', (_, fn) => {
    const examples = [uniformTensor(1, [2, 2]), indices(0, 1)];
    expect(() => compile(fn, examples)).toThrow('follows computed indices that may lie outside');
  });

  test.each<[string, (x: Tensor, i: Tensor) => Tensor]>([
    ['limited', (x, i) => gatherRows(x, i.add(1).maximum(0).minimum(3))],
    ['joined positions', (x) => gatherRows(x, concatenate([argmax(x, 0), argmax(x.negate(), 0)]))],
    ['positions and a sum', (x) => gatherRows(x, argmax(x, 1).add(2))],
    ['the largest, sorted', (x) => takeAlong(x, slice(argsort(x, 1), null, [0, 1]))],
    ['padded', (x) => gatherRows(x, argmax(x, 0).pad([[1, 1]], 3))],
    ['the gradient of a pool', (x) => grad((y: Tensor) => maxPool2d(y, 2).sum())(x.reshape([1, 1, 4, 2]))],
  ])('that are computed and lie inside are followed: %s', (_, fn) => {
    const [x, i] = [uniformTensor(1, [4, 2]), indices(0, 1)];
    const plan = compile(fn, [x, i]);
    for (const given of [indices(2, 1), indices(-40, 70)]) {
      const other = uniformTensor(2, [4, 2]);
      expect(plan.run(other, given)[0]?.dataSync()).toEqual(fn(other, given).dataSync());
    }
  });

  test('address the rows of a part, not of what lies behind it', () => {
    const plan = compile((i) => gatherRows(slice(table, [0, 2]), i), [indices(0)]);
    for (const one of [plan, loadPlan(savePlan(plan))])
      expect(() => one.run(indices(2))).toThrow('input 0 holds the index 2 at position 0, outside 0…1');
  });

  test('of rows that are added and of elements are checked as in the operations', () => {
    const added = compile((x, i) => scatterAddRows(x, i, 3), [uniformTensor(1, [2, 2]), indices(0, 1)]);
    for (const plan of [added, loadPlan(savePlan(added))])
      expect(() => plan.run(uniformTensor(1, [2, 2]), indices(0, 3))).toThrow('the index 3 at position 1, outside 0…2');
    const taken = compile((x, i) => takeAlong(x, i.reshape([2, 1])), [uniformTensor(1, [2, 2]), indices(0, 1)]);
    expect(() => taken.run(uniformTensor(1, [2, 2]), indices(0, -1))).toThrow('the index -1 at position 1');
    const put = compile((x, i) => putAlong(x, i.reshape([2, 1]), 2), [uniformTensor(1, [2, 1]), indices(0, 1)]);
    expect(() => put.run(uniformTensor(1, [2, 1]), indices(0, 2 ** 20))).toThrow('outside 0…1');
    const picked = compile((x, i) => pickColumns(x, i), [uniformTensor(1, [2, 2]), indices(0, 1)]);
    const x = uniformTensor(1, [2, 2]);
    expect(picked.run(x, indices(1, 0))[0]?.dataSync()).toEqual(pickColumns(x, indices(1, 0)).dataSync());
  });
});

test('numbers without a form in JSON are kept', () => {
  const x = tensor([1, -2]);
  for (const shift of [Number.POSITIVE_INFINITY, Number.NaN, -0]) {
    const plan = compile((y) => affine(y, -0, shift), [x]);
    expect(loadPlan(savePlan(plan)).run(x)[0]?.dataSync()).toEqual(plan.run(x)[0]?.dataSync());
  }
});
