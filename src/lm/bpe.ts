// Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019): starting from bytes, the most
// frequent pair is merged repeatedly.

/** GPT-2's pre-tokenisation: merges never cross its boundaries. */
const CUT = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/**
 * The 256 bytes as GPT-2 writes them: printable ones as themselves, the others as characters from
 * U+0100 on.
 */
export function byteCharacters(): string[] {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

/** A distinct pre-token with its frequency, as tokens so far. */
interface Piece {
  tokens: number[];
  readonly count: number;
}

/** A pair of token ids packed into one number. */
const keyOf = (left: number, right: number) => left * 2 ** 21 + right;
const pairOf = (key: number): [left: number, right: number] => [Math.floor(key / 2 ** 21), key % 2 ** 21];

/** Counts of pairs and the pieces that hold them, updated incrementally with each merge. */
class PairCounts {
  readonly counts = new Map<number, number>();
  readonly #pieces = new Map<number, Set<Piece>>();

  add(piece: Piece, sign: 1 | -1): void {
    for (let i = 0; i + 1 < piece.tokens.length; i++) {
      const key = keyOf(piece.tokens[i] as number, piece.tokens[i + 1] as number);
      const count = (this.counts.get(key) ?? 0) + sign * piece.count;
      if (count > 0) this.counts.set(key, count);
      else this.counts.delete(key);
      let holders = this.#pieces.get(key);
      if (!holders) {
        holders = new Set();
        this.#pieces.set(key, holders);
      }
      if (sign > 0) holders.add(piece);
    }
  }

  /**
   * The most frequent pair; ties go to the smallest token ids. Undefined when no pair occurs twice.
   */
  best(): number | undefined {
    let [found, most]: [number | undefined, number] = [undefined, 1];
    for (const [key, count] of this.counts)
      if (count > most || (count === most && found !== undefined && key < found)) [found, most] = [key, count];
    return found;
  }

  /** Pieces that hold a pair, or did before other merges. */
  holders(key: number): Iterable<Piece> {
    const all = this.#pieces.get(key) ?? [];
    this.#pieces.delete(key);
    return all;
  }
}

function merged(tokens: readonly number[], [left, right]: readonly [number, number], token: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < tokens.length; i++)
    if (tokens[i] === left && tokens[i + 1] === right) {
      result.push(token);
      i++;
    } else result.push(tokens[i] as number);
  return result;
}

/**
 * Trains a tokenizer on a text: 256 bytes, and merges up to the size `vocabulary` or until no pair
 * occurs twice.
 *
 * @returns the contents of tokenizer.json, for `tokenizerOfJson` and for Hugging Face's libraries
 * @throws RangeError when `vocabulary` is below 256.
 */
export function trainBpe(text: string, vocabulary: number): object {
  if (!(vocabulary >= 256))
    throw new RangeError(`trainBpe: a vocabulary takes at least the 256 bytes, got ${vocabulary}`);
  const frequency = new Map<string, number>();
  for (const [piece] of text.matchAll(CUT)) frequency.set(piece, (frequency.get(piece) ?? 0) + 1);
  const encoder = new TextEncoder();
  const pairs = new PairCounts();
  for (const [piece, count] of frequency) pairs.add({ tokens: Array.from(encoder.encode(piece)), count }, 1);

  const tokens = byteCharacters();
  const merges: [string, string][] = [];
  while (tokens.length < vocabulary) {
    const best = pairs.best();
    if (best === undefined) break;
    const [left, right] = pairOf(best);
    const [first, second] = [tokens[left] as string, tokens[right] as string];
    const token = tokens.push(first + second) - 1;
    merges.push([first, second]);
    for (const piece of pairs.holders(best)) {
      pairs.add(piece, -1);
      piece.tokens = merged(piece.tokens, [left, right], token);
      pairs.add(piece, 1);
    }
  }
  return tokenizerJson(tokens, merges);
}

function tokenizerJson(tokens: readonly string[], merges: readonly [string, string][]): object {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((pair) => pair.join(' ')),
    },
  };
}
