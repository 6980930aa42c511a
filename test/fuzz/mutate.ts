// Damaged files: a few edits of valid ones, determined by a number.

import { Random } from '../../src/tensor/index.js';

/** Values of a byte, and of four, that sizes and lengths do not expect. */
const extremes = [0, 1, 127, 128, 255];
const wideExtremes = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 24, 65535];

/** The file number `index` that is made of some valid ones. */
export function mutated(seeds: readonly Uint8Array[], name: string, index: number): Uint8Array {
  const random = new Random(7).split(`${name} ${index}`);
  const pick = <T>(list: readonly T[]) => list[random.integer(list.length)] as T;
  // Not `slice`, which in Node's buffers shares memory.
  let bytes = Uint8Array.from(pick(seeds));
  for (let edits = 1 + random.integer(4); edits > 0 && bytes.length > 0; edits--) {
    // Most damage goes to headers, at the beginning or at the end.
    const near = Math.min(bytes.length, 200);
    const place = random.float();
    const at =
      place < 0.5
        ? random.integer(near)
        : place < 0.7
          ? bytes.length - 1 - random.integer(near)
          : random.integer(bytes.length);
    bytes = edited(bytes, at, random, pick);
  }
  return bytes;
}

function edited(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  random: Random,
  pick: <T>(list: readonly T[]) => T,
): Uint8Array<ArrayBuffer> {
  const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  switch (random.integer(8)) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
      return bytes;
    case 1:
      bytes[at] = pick(extremes);
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(8)));
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 8)), bytes.subarray(at));
    case 5: {
      const from = random.integer(bytes.length);
      return joined(bytes.subarray(0, at), bytes.subarray(from, from + random.integer(64)), bytes.subarray(at));
    }
    case 6: {
      if (at + 4 > bytes.length) return bytes;
      new DataView(bytes.buffer).setUint32(at, pick(wideExtremes), random.float() < 0.7);
      return bytes;
    }
    default:
      for (let j = at; j < Math.min(bytes.length, at + 8); j++) bytes[j] = random.integer(256);
      return bytes;
  }
}
