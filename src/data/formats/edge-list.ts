// Edge lists as text: one edge a line, two columns of nodes and an optional weight. The text is
// parsed from chunks of bytes, so that files may exceed the longest string.

/**
 * Edges with nodes renumbered 0 … n − 1 in the order of first appearance, or of their numbers where
 * all are integers.
 */
export interface EdgeList {
  /** Source of each edge. */
  readonly sources: Int32Array;
  /** Target of each edge. */
  readonly targets: Int32Array;
  /** Weight of each edge; undefined for an unweighted list. */
  readonly weights: Float32Array | undefined;
  /** The name of each node. */
  readonly names: NodeNames;
}

/** The names of the nodes 0 … count − 1. */
export interface NodeNames {
  /** Number of nodes. */
  readonly count: number;
  /** The name of a node. */
  of(node: number): string;
  /** The node of a name, undefined for an unknown one. */
  find(name: string): number | undefined;
}

const [TAB, LINE_FEED, CARRIAGE, SPACE, QUOTE, HASH, COMMA, SEMICOLON, ZERO, NINE] = [
  9, 10, 13, 32, 34, 35, 44, 59, 48, 57,
];
const SOURCE = ['source', 'src', 'from', 'u', 'start'];
const TARGET = ['target', 'dst', 'destination', 'to', 'v', 'end'];
const WEIGHT = ['weight', 'w', 'value'];
/** Largest node number that is kept as a number. */
const LARGEST = 2 ** 31 - 1;

/** A typed array that doubles its capacity as it grows. */
class Growing<T extends Int32Array | Float32Array> {
  length = 0;
  #values: T;

  constructor(values: T) {
    this.#values = values;
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new (this.#values.constructor as new (length: number) => T)(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  finish(): T {
    return this.#values.subarray(0, this.length) as T;
  }
}

/**
 * Thrown by the parser at the first node that is not an integer; the text is then parsed again with
 * names.
 */
class NotNumbers extends Error {}

/**
 * Parses an edge list. Columns are separated by tabs, commas, semicolons or spaces. A header names
 * them (`source`, `target`, `weight` and synonyms); without one they are source, target and an
 * optional weight. Empty lines and lines that begin with # are skipped.
 *
 * @param pieces gives the chunks of the text; called a second time when nodes are names rather than
 * integers
 *
 * @param name of the file, in error messages
 * @throws Error naming the line of a missing target, or of a weight that is not a positive number,
 * and when there are no edges.
 */
export async function readEdgeList(
  pieces: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name = 'edges',
): Promise<EdgeList> {
  try {
    return await new Reader(name, false).read(pieces());
  } catch (error) {
    if (!(error instanceof NotNumbers)) throw error;
    return new Reader(name, true).read(pieces());
  }
}

class Reader {
  readonly #sources = new Growing(new Int32Array(1024));
  readonly #targets = new Growing(new Int32Array(1024));
  readonly #weights = new Growing(new Float32Array(1024));
  readonly #ids = new Map<string, number>();
  readonly #decoder = new TextDecoder();
  #line = 0;
  #columns: { source: number; target: number; weight: number } | undefined;
  #separator = 0;

  constructor(
    readonly name: string,
    readonly named: boolean,
  ) {}

  async read(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<EdgeList> {
    let rest = new Uint8Array(0);
    for await (const piece of pieces) {
      const bytes = rest.length > 0 ? join(rest, piece) : piece;
      rest = this.#lines(bytes);
    }
    if (rest.length > 0) this.#readLine(rest, 0, rest.length);
    if (this.#sources.length === 0) throw new Error(`"${this.name}" holds no edges`);
    const weighted = this.#columns !== undefined && this.#columns.weight >= 0;
    const [sources, targets] = [this.#sources.finish(), this.#targets.finish()];
    const names = this.named ? namesOf([...this.#ids.keys()], this.#ids) : renumber(sources, targets);
    return { sources, targets, weights: weighted ? this.#weights.finish() : undefined, names };
  }

  /** Reads whole lines; gives back what follows the last of them. */
  #lines(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      this.#readLine(bytes, start, end);
      start = end + 1;
    }
    return bytes.slice(start);
  }

  #fail(reason: string): never {
    throw new Error(`"${this.name}", line ${this.#line}: ${reason}`);
  }

  #readLine(bytes: Uint8Array, start: number, stop: number): void {
    this.#line += 1;
    let end = stop;
    while (end > start && (bytes[end - 1] === CARRIAGE || bytes[end - 1] === SPACE)) end -= 1;
    if (end === start || bytes[start] === HASH) return;
    if (!this.#columns) {
      this.#separator = separatorOf(bytes, start, end);
      const fields = this.#fields(bytes, start, end);
      const header = headerOf(fields);
      this.#columns = header ?? { source: 0, target: 1, weight: fields.length > 2 ? 2 : -1 };
      if (header) return;
    }
    const { source, target, weight } = this.#columns;
    let [at, column, found] = [start, 0, 0];
    while (at <= end) {
      let next = at;
      while (next < end && !this.#separates(bytes[next] as number)) next += 1;
      if (column === source) {
        this.#sources.push(this.#node(bytes, at, next));
        found += 1;
      } else if (column === target) {
        this.#targets.push(this.#node(bytes, at, next));
        found += 1;
      } else if (column === weight) {
        const text = this.#decoder.decode(bytes.subarray(at, next)).trim();
        const value = Number(text);
        if (text === '' || !(value > 0 && value < Number.POSITIVE_INFINITY))
          this.#fail(`the weight is "${text}"; weights must be positive and finite`);
        this.#weights.push(value);
        found += 1;
      }
      at = next + 1;
      // Runs of spaces count as one.
      if (this.#separator === SPACE) while (at < end && this.#separates(bytes[at] as number)) at += 1;
      column += 1;
    }
    if (found < (weight >= 0 ? 3 : 2))
      this.#fail(
        `expected ${weight >= 0 ? 'source, target and weight' : 'source and target'}, found ${column} column${column === 1 ? '' : 's'}`,
      );
  }

  #separates(byte: number): boolean {
    return byte === this.#separator || (this.#separator === SPACE && byte === TAB);
  }

  #fields(bytes: Uint8Array, start: number, end: number): string[] {
    const text = this.#decoder.decode(bytes.subarray(start, end));
    return text
      .split(this.#separator === SPACE ? /[ \t]+/ : String.fromCharCode(this.#separator))
      .map((field) => field.trim().replace(/^"|"$/g, ''));
  }

  #node(bytes: Uint8Array, from: number, to: number): number {
    let [start, end] = [from, to];
    while (start < end && (bytes[start] === SPACE || bytes[start] === QUOTE)) start += 1;
    while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === QUOTE)) end -= 1;
    if (start === end) this.#fail('a node has no name');
    if (this.named) {
      const text = this.#decoder.decode(bytes.subarray(start, end));
      const id = this.#ids.get(text) ?? this.#ids.size;
      this.#ids.set(text, id);
      return id;
    }
    let value = 0;
    // A leading zero is part of a name.
    if (bytes[start] === ZERO && end - start > 1) throw new NotNumbers();
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte < ZERO || byte > NINE) throw new NotNumbers();
      value = 10 * value + byte - ZERO;
    }
    if (value > LARGEST) throw new NotNumbers();
    return value;
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const result = new Uint8Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}

function separatorOf(bytes: Uint8Array, start: number, end: number): number {
  const line = bytes.subarray(start, end);
  return [TAB, COMMA, SEMICOLON].find((byte) => line.includes(byte)) ?? SPACE;
}

function headerOf(fields: readonly string[]): { source: number; target: number; weight: number } | undefined {
  const find = (known: readonly string[]) => fields.findIndex((field) => known.includes(field.toLowerCase()));
  const [source, target] = [find(SOURCE), find(TARGET)];
  return source >= 0 && target >= 0 ? { source, target, weight: find(WEIGHT) } : undefined;
}

function namesOf(names: readonly string[], ids: ReadonlyMap<string, number>): NodeNames {
  return { count: names.length, of: (node) => names[node] as string, find: (name) => ids.get(name) };
}

/** Numbers the nodes 0 … n − 1 by rank, in place. */
function renumber(sources: Int32Array, targets: Int32Array): NodeNames {
  let largest = 0;
  for (const ends of [sources, targets])
    for (let i = 0; i < ends.length; i++) largest = Math.max(largest, ends[i] as number);
  const dense = largest < 8 * sources.length + 1024;
  const numbers = dense ? presentNumbers(sources, targets, largest) : distinctSorted(sources, targets);
  const rankOf = dense ? denseRanks(numbers, largest) : (value: number) => bisect(numbers, value);
  for (const ends of [sources, targets]) for (let i = 0; i < ends.length; i++) ends[i] = rankOf(ends[i] as number);
  return {
    count: numbers.length,
    of: (node) => String(numbers[node]),
    find: (name) => {
      const at = /^\d+$/.test(name) ? bisect(numbers, Number(name)) : -1;
      return numbers[at] === Number(name) ? at : undefined;
    },
  };
}

function presentNumbers(sources: Int32Array, targets: Int32Array, largest: number): Int32Array {
  const seen = new Uint8Array(largest + 1);
  for (const ends of [sources, targets]) for (let i = 0; i < ends.length; i++) seen[ends[i] as number] = 1;
  let count = 0;
  for (let value = 0; value <= largest; value++) count += seen[value] as number;
  const numbers = new Int32Array(count);
  for (let value = 0, at = 0; value <= largest; value++) if (seen[value]) numbers[at++] = value;
  return numbers;
}

function denseRanks(numbers: Int32Array, largest: number): (value: number) => number {
  const ranks = new Int32Array(largest + 1);
  for (let rank = 0; rank < numbers.length; rank++) ranks[numbers[rank] as number] = rank;
  return (value) => ranks[value] as number;
}

function distinctSorted(sources: Int32Array, targets: Int32Array): Int32Array {
  const all = new Int32Array(sources.length + targets.length);
  all.set(sources);
  all.set(targets, sources.length);
  all.sort();
  let count = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) all[count++] = all[i] as number;
  return all.slice(0, count);
}

function bisect(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
