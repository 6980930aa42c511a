// Distances between the channels of a binary layer.

/** The channels of a layer: signs [channels, length], where negative values stand for −1. */
export interface SignRows {
  /** Values of which the signs count, row after row. */
  readonly values: ArrayLike<number>;
  /** N: rows. */
  readonly channels: number;
  /** L: weights of a row. */
  readonly length: number;
}

/** Ones of a word of 32 bits. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Rows of signs as words of bits, 1 for −1. */
function packed({ values, channels, length }: SignRows): { readonly words: Int32Array; readonly width: number } {
  const width = Math.ceil(length / 32);
  const words = new Int32Array(channels * width);
  for (let row = 0; row < channels; row++)
    for (let at = 0; at < length; at++)
      if ((values[row * length + at] as number) < 0) {
        const word = row * width + (at >> 5);
        words[word] = (words[word] as number) | (1 << (at & 31));
      }
  return { words, width };
}

/** d(i, j) = #{q: b_i[q] ≠ b_j[q]} of all pairs of channels, [channels, channels]. */
export function signDistances(rows: SignRows): Int32Array {
  const { words, width } = packed(rows);
  const { channels } = rows;
  const distances = new Int32Array(channels * channels);
  for (let i = 0; i < channels; i++)
    for (let j = 0; j < i; j++) {
      let different = 0;
      for (let at = 0; at < width; at++)
        different += ones((words[i * width + at] as number) ^ (words[j * width + at] as number));
      distances[i * channels + j] = different;
      distances[j * channels + i] = different;
    }
  return distances;
}

/** The sign that most channels have at each place, 1 where as many have either: [length]. */
export function majoritySigns({ values, channels, length }: SignRows): Float32Array {
  return Float32Array.from({ length }, (_, at) => {
    let negative = 0;
    for (let row = 0; row < channels; row++) if ((values[row * length + at] as number) < 0) negative += 1;
    return 2 * negative > channels ? -1 : 1;
  });
}
