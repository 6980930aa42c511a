// Byte-pair encoding of a word: the adjacent pair with the lowest rank is merged, again and again
// (Sennrich et al. 2016).

/** Rank of a merge, the lowest first; undefined when two pieces do not merge. */
export type Rank = (left: string, right: string) => number | undefined;

/** A possible merge of the piece at `at` with the next, while both have these lengths. */
interface Candidate {
  readonly rank: number;
  readonly at: number;
  readonly left: number;
  readonly right: number;
}

const isBefore = (a: Candidate, b: Candidate) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at);

/** A binary heap. */
class Queue {
  readonly #heap: Candidate[] = [];

  push(candidate: Candidate): void {
    let at = this.#heap.push(candidate) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(candidate, this.#heap[parent] as Candidate)) break;
      this.#heap[at] = this.#heap[parent] as Candidate;
      at = parent;
    }
    this.#heap[at] = candidate;
  }

  pop(): Candidate | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Candidate)) child += 1;
      if (!isBefore(heap[child] as Candidate, last)) break;
      heap[at] = heap[child] as Candidate;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** The pieces of a word after all merges, starting from its characters. O(n log n). */
export function mergedPieces(word: string, rank: Rank): string[] {
  const pieces = Array.from(word);
  const next = Int32Array.from(pieces, (_, i) => i + 1);
  const previous = Int32Array.from(pieces, (_, i) => i - 1);
  const queue = new Queue();
  const consider = (at: number) => {
    const [left, right] = [pieces[at], pieces[next[at] as number]];
    if (left === undefined || right === undefined) return;
    const found = rank(left, right);
    if (found !== undefined) queue.push({ rank: found, at, left: left.length, right: right.length });
  };
  for (let at = 0; at + 1 < pieces.length; at++) consider(at);
  for (let best = queue.pop(); best; best = queue.pop()) {
    const { at } = best;
    const after = next[at] as number;
    const [left, right] = [pieces[at] as string, pieces[after]];
    // Merged pieces are left empty.
    if (left.length !== best.left || right?.length !== best.right) continue;
    pieces[at] = left + right;
    pieces[after] = '';
    next[at] = next[after] as number;
    if ((next[at] as number) < pieces.length) previous[next[at] as number] = at;
    consider(at);
    if ((previous[at] as number) >= 0) consider(previous[at] as number);
  }
  return pieces.filter((piece) => piece !== '');
}

/** Options of `wordEncoder`. */
export interface WordEncoderOptions {
  /** Ids of the tokens that words may become: neither control tokens nor bytes. */
  readonly ids: ReadonlyMap<string, number>;
  readonly rank: Rank;
  /** Whether words that are tokens are not merged. */
  readonly ignoreMerges?: boolean;
  /** Ids of the 256 bytes, for pieces that are no tokens. Default: none. */
  readonly bytes?: readonly number[] | undefined;
  /** Id of pieces that are no tokens; they are left out where there is none. */
  readonly unknown?: number | undefined;
  /** Whether unknown pieces in a row are one token. */
  readonly fuseUnknown?: boolean;
}

/** Words whose tokens are remembered. */
const REMEMBERED = 10_000;

/** Encodes words, the results of pre-tokenisation. */
export function wordEncoder(options: WordEncoderOptions): (word: string) => readonly number[] {
  const { ids, rank, ignoreMerges = false, bytes, unknown, fuseUnknown = false } = options;
  const encoder = new TextEncoder();
  const known = new Map<string, readonly number[]>();
  const encode = (word: string): number[] => {
    const whole = ignoreMerges ? ids.get(word) : undefined;
    if (whole !== undefined) return [whole];
    const tokens: number[] = [];
    let wasUnknown = false;
    for (const piece of mergedPieces(word, rank)) {
      const id = ids.get(piece);
      const isUnknown = id === undefined && !bytes;
      if (id !== undefined) tokens.push(id);
      else if (bytes) for (const byte of encoder.encode(piece)) tokens.push(bytes[byte] as number);
      else if (unknown !== undefined && !(fuseUnknown && wasUnknown)) tokens.push(unknown);
      wasUnknown = isUnknown;
    }
    return tokens;
  };
  return (word) => {
    const remembered = known.get(word);
    if (remembered) return remembered;
    const tokens = encode(word);
    if (word.length < 256) {
      if (known.size >= REMEMBERED) known.clear();
      known.set(word, tokens);
    }
    return tokens;
  };
}
