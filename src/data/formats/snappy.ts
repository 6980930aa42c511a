// Snappy's block format: a length, then literals and copies of what came out before.

/**
 * Decompresses a block of a known size.
 *
 * @throws Error when the block is damaged or of another size.
 */
export function unsnappy(input: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let [at, end] = [0, 0];
  const byte = () => {
    const value = input[at++];
    if (value === undefined) throw new Error('has a page that is cut short');
    return value;
  };
  const little = (bytes: number) => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += byte() * 256 ** i;
    return value;
  };
  while (byte() > 127); // The length, which the page's header gives too.
  while (at < input.length) {
    const tag = byte();
    const kind = tag & 3;
    const high = tag >> 2;
    // Literals of 61 lengths, longer ones with the length in the next 1 to 4 bytes.
    const length = kind === 0 ? 1 + (high < 60 ? high : little(high - 59)) : kind === 1 ? 4 + (high & 7) : 1 + high;
    if (end + length > size) throw new Error('has a page that holds more than it declares');
    if (kind === 0) {
      if (at + length > input.length) throw new Error('has a page that is cut short');
      output.set(input.subarray(at, at + length), end);
      at += length;
    } else {
      const back = kind === 1 ? (tag >> 5) * 256 + byte() : little(kind === 2 ? 2 : 4);
      if (back === 0 || back > end) throw new Error('has a page that copies from before its beginning');
      // A copy may overlap what it writes.
      for (let i = 0; i < length; i++) output[end + i] = output[end + i - back] as number;
    }
    end += length;
  }
  if (end !== size) throw new Error('has a page that holds less than it declares');
  return output;
}
