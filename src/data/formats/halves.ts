// 16-bit floats in files, widened to f32.

import { cpu } from '../../engine/index.js';
import { emptyTensor, scope, slice, type Tensor } from '../../tensor/index.js';

/** Values read at a time. */
const CHUNK = 2 ** 21;

/**
 * An f32 tensor from F16 or BF16 values, read in parts.
 *
 * @param read fills its first argument with the bytes that start at an offset
 */
export function widenHalves(
  shape: readonly number[],
  type: 'F16' | 'BF16',
  read: (target: Uint8Array, offset: number) => void,
): Tensor {
  const values = emptyTensor(shape, 'f32');
  const flat = values.reshape([values.size]);
  for (let first = 0; first < values.size; first += CHUNK)
    scope(() => {
      const count = Math.min(CHUNK, values.size - first);
      const source = emptyTensor([2 * count], 'u8');
      read(source.view<Uint8Array>(), 2 * first);
      cpu.run('widenHalves', {
        x: source,
        y: slice(flat, [first, first + count]),
        brain: Number(type === 'BF16'),
        n: count,
      });
    });
  return values;
}
