// Colours of refinement tests: 64-bit hashes in two lanes of 32 bits, numbered anew in each round
// by one table for all graphs, so that equal numbers mean equal hashes wherever they stand.

/** Hashes of units, two lanes each. */
export interface Hashes {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** Room for the hashes of some units. */
export function emptyHashes(count: number): Hashes {
  return { low: new Uint32Array(count), high: new Uint32Array(count) };
}

/** Bijective mixing of 32 bits, in which every bit depends on every other (MurmurHash3). */
function mix(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The hash of a sequence of numbers; order counts. */
export class SequenceHash {
  low = 0;
  high = 0;

  /** Starts again with one number. */
  start(first: number): this {
    this.low = 0x243f6a88;
    this.high = 0x85a308d3;
    return this.add(first);
  }

  /** Takes in the next number. */
  add(word: number): this {
    this.low = mix(Math.imul(this.low ^ word, 0x9e3779b1) + this.high);
    this.high = mix(Math.imul(this.high ^ word, 0x85ebca77) + ((this.low << 15) | (this.low >>> 17)));
    return this;
  }

  /** Stores the hash at a place. */
  store({ low, high }: Hashes, at: number): void {
    low[at] = this.low;
    high[at] = this.high;
  }
}

/** Random-looking lanes of each colour, whose sums are the hashes of multisets. */
export function elementHashes(count: number): Hashes {
  const hashes = emptyHashes(count);
  for (let colour = 0; colour < count; colour++) {
    hashes.low[colour] = mix(Math.imul(colour + 1, 0x9e3779b1));
    hashes.high[colour] = mix(Math.imul(colour + 1, 0x7feb352d) ^ 0x2545f491);
  }
  return hashes;
}

/** The sum of the hashes of a multiset's elements, lane by lane. */
export class MultisetHash {
  low = 0;
  high = 0;

  /** Starts again with nothing. */
  clear(): this {
    this.low = 0;
    this.high = 0;
    return this;
  }

  /** Takes in a colour, of which `elements` has the lanes. */
  add({ low, high }: Hashes, colour: number): void {
    this.low = (this.low + (low[colour] as number)) | 0;
    this.high = (this.high + (high[colour] as number)) | 0;
  }

  /** Takes in an ordered pair of colours. */
  addPair({ low, high }: Hashes, first: number, second: number): void {
    this.low = (this.low + mix((low[first] as number) + Math.imul(high[second] as number, 0x9e3779b1))) | 0;
    this.high = (this.high + mix((high[first] as number) + Math.imul(low[second] as number, 0x85ebca77))) | 0;
  }
}

/** Numbers colours from 0 on in the order in which their hashes come: an open-addressed table. */
export class ColourTable {
  #low = new Uint32Array(1024);
  #high = new Uint32Array(1024);
  #numbers = new Int32Array(1024).fill(-1);
  /** Colours so far. */
  count = 0;

  /** The number of a hash. */
  numberOf(low: number, high: number): number {
    const mask = this.#numbers.length - 1;
    let at = (low ^ Math.imul(high, 0x9e3779b1)) & mask;
    for (;;) {
      const number = this.#numbers[at] as number;
      if (number < 0) break;
      if (this.#low[at] === low >>> 0 && this.#high[at] === high >>> 0) return number;
      at = (at + 1) & mask;
    }
    this.#low[at] = low;
    this.#high[at] = high;
    this.#numbers[at] = this.count;
    this.count += 1;
    if (2 * this.count > mask) this.#grow();
    return this.count - 1;
  }

  #grow(): void {
    const [low, high, numbers] = [this.#low, this.#high, this.#numbers];
    const size = 2 * numbers.length;
    this.#low = new Uint32Array(size);
    this.#high = new Uint32Array(size);
    this.#numbers = new Int32Array(size).fill(-1);
    const mask = size - 1;
    numbers.forEach((number, from) => {
      if (number < 0) return;
      let at = ((low[from] as number) ^ Math.imul(high[from] as number, 0x9e3779b1)) & mask;
      while ((this.#numbers[at] as number) >= 0) at = (at + 1) & mask;
      this.#low[at] = low[from] as number;
      this.#high[at] = high[from] as number;
      this.#numbers[at] = number;
    });
  }
}

/** Numbered colours of units. */
export interface Colours {
  /** Colour of each unit, from 0. */
  readonly of: Int32Array;
  /** Number of colours. */
  readonly count: number;
}

/** Numbers the hashes of units. */
export function numberColours({ low, high }: Hashes): Colours {
  const table = new ColourTable();
  const of = new Int32Array(low.length);
  for (let i = 0; i < of.length; i++) of[i] = table.numberOf(low[i] as number, high[i] as number);
  return { of, count: table.count };
}

/** One round: the hash of each unit from the colours before; its own colour must count. */
export type Round = (colours: Colours, next: Hashes) => void;

/** Repeats a round until the number of colours, of all units together, stops growing. */
export function refine(initial: Hashes, round: Round): Colours & { readonly rounds: number } {
  let colours = numberColours(initial);
  const next = emptyHashes(initial.low.length);
  for (let rounds = 0; ; rounds++) {
    round(colours, next);
    const finer = numberColours(next);
    if (finer.count === colours.count) return { ...colours, rounds };
    colours = finer;
  }
}
