// Edge lists as text: one edge a line, two columns of nodes and an optional weight. The text is
// parsed from chunks of bytes, so that files may exceed the longest string.

import { foreignFormat } from './foreign.js';
import { columnFor, columnNames } from './node-columns.js';
import { type NodeNames, namesOf, renumber } from './node-names.js';
import { QUOTE, SPACE, separatorNames, separatorsOf, TAB } from './separators.js';
import { asUtf8, joined } from './unicode.js';
import { Weights, weightOf, wrongWeight } from './weights.js';

/**
 * Edges with nodes renumbered 0 … n − 1 in the order of first appearance, or of their numbers where
 * all are integers below 2³¹.
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
  /** Whether the file says that its edges have a direction; undefined where it does not say. */
  readonly directed?: boolean;
}

const [LINE_FEED, CARRIAGE, HASH, PERCENT, ZERO, NINE] = [10, 13, 35, 37, 48, 57];
/** Largest node number that is kept as a number. */
const LARGEST = 2 ** 31 - 1;
/** A node number; a leading zero is part of a name. */
const NUMBER = /^(0|[1-9]\d*)$/;
/** A name above a column of weights: a word that stands for no number. */
const NAME = /^(?!(nan|na|inf|infinity|null|none)$)\p{L}[\p{L}\d _.-]*$/iu;
/** Edges from which a first line whose two nodes nothing else names may be a header. */
const MANY = 5;
/** Longest line in bytes. */
const LONGEST_LINE = 1 << 20;

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

/** Positions of the columns; −1 for no weight. */
interface Columns {
  readonly source: number;
  readonly target: number;
  readonly weight: number;
}

/**
 * Thrown by the parser at the first node that is not an integer; the text is then parsed again with
 * names.
 */
class NotNumbers extends Error {}

/**
 * Parses an edge list in UTF-8, or UTF-16 with a byte order mark. Columns are separated by tabs,
 * commas, semicolons or spaces; fields may be quoted as in RFC 4180. A header names the columns
 * (`source`, `target`, `weight` and synonyms; a word above the weights will do); without one there
 * are two or three: source, target and an optional weight. Empty lines and lines with # are
 * skipped.
 *
 * @param pieces gives the chunks of the text; called a second time when nodes are names rather than
 * integers
 *
 * @param name of the file, in error messages
 * @throws Error naming the line of a missing target, of another number of columns than the first,
 * of an open quote, or of a weight that is not a positive number; when two separators are possible;
 * when there are no edges, when the first line is a header of unknown names, and naming the format
 * of a file that is no edge list.
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

/**
 * The edges of a table's rows. Columns are found by their names, or are the first two and an
 * optional third where the header names none.
 *
 * @throws Error naming the row (from 1) of a missing node or a wrong weight; when there are no
 * rows, or more than three columns of unknown names.
 */
export function edgesFromRows(header: readonly string[], rows: readonly (readonly string[])[], name: string): EdgeList {
  const columns = columnsOf(header) ?? byPosition(header.length);
  if (!columns) throw new Error(`"${name}" has columns ${header.join(', ')}; ${knownNames()}`);
  if (rows.length === 0) throw new Error(`"${name}" holds no edges`);
  const fail = (row: number, reason: string): never => {
    throw new Error(`"${name}", row ${row + 1}: ${reason}`);
  };
  const ends = [columns.source, columns.target].map((column) =>
    rows.map((fields, row) => fields[column] || fail(row, 'a node has no name')),
  ) as [string[], string[]];
  const weights =
    columns.weight < 0
      ? undefined
      : Float32Array.from(rows, (fields, row) => {
          const text = fields[columns.weight] ?? '';
          return weightOf(text) ?? fail(row, wrongWeight(text));
        });
  if (ends.every((nodes) => nodes.every((node) => NUMBER.test(node) && Number(node) <= LARGEST))) {
    const [sources, targets] = ends.map((nodes) => Int32Array.from(nodes, Number)) as [Int32Array, Int32Array];
    return { sources, targets, weights, names: renumber(sources, targets) };
  }
  const ids = new Map<string, number>();
  const idOf = (node: string) => {
    const id = ids.get(node) ?? ids.size;
    ids.set(node, id);
    return id;
  };
  const sources = new Int32Array(rows.length);
  const targets = new Int32Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    sources[row] = idOf(ends[0][row] as string);
    targets[row] = idOf(ends[1][row] as string);
  }
  return { sources, targets, weights, names: namesOf(ids) };
}

class Reader {
  readonly #sources = new Growing(new Int32Array(1024));
  readonly #targets = new Growing(new Int32Array(1024));
  readonly #weights = new Growing(new Float32Array(1024));
  readonly #weightTexts = new Weights();
  readonly #ids = new Map<string, number>();
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #line = 0;
  #columns: Columns | undefined;
  /** Columns of the first line, which all others must have. */
  #width = 0;
  #separator = 0;
  /** The first line's fields where it may be a header of unknown names. */
  #doubtful: { readonly line: number; readonly fields: readonly string[] } | undefined;
  /** Nodes after the first line that are no numbers, by end. */
  readonly #texts = { source: 0, target: 0 };
  /** The field that `#scan` found last: its content, and whether it holds doubled quotes. */
  #from = 0;
  #to = 0;
  #doubled = false;

  constructor(
    readonly name: string,
    readonly named: boolean,
  ) {}

  async read(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<EdgeList> {
    let rest = new Uint8Array(0);
    for await (const piece of asUtf8(pieces, this.name)) {
      rest = this.#lines(rest.length > 0 ? joined(rest, piece) : piece);
      if (rest.length > LONGEST_LINE) {
        this.#line += 1;
        this.#fail(`is longer than ${LONGEST_LINE} bytes; expected one edge a line`);
      }
    }
    if (rest.length > 0) this.#readLine(rest, 0, rest.length);
    this.#requireNoHeader();
    if (this.#sources.length === 0) throw new Error(`"${this.name}" holds no edges`);
    if (this.#weightTexts.doubt) throw new Error(`"${this.name}": ${this.#weightTexts.doubt}`);
    const weighted = this.#columns !== undefined && this.#columns.weight >= 0;
    const [sources, targets] = [this.#sources.finish(), this.#targets.finish()];
    const names = this.named ? namesOf(this.#ids) : renumber(sources, targets);
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
    if (this.#line === 1) this.#requireText(bytes.subarray(start, start + 4096));
    let first = start;
    while (first < end && bytes[first] === SPACE) first += 1;
    if (end === first || bytes[first] === HASH || bytes[first] === PERCENT) return;
    if (!this.#columns && this.#begin(bytes, first, end)) return;
    this.#readEdge(bytes, first, end);
  }

  /** @throws Error naming the format of a file that is no delimited text. */
  #requireText(start: Uint8Array): void {
    const format = foreignFormat(start, this.name);
    if (format)
      throw new Error(
        `"${this.name}" is ${format}, not an edge list; convert it to lines of source, target and maybe weight`,
      );
  }

  /** Finds separator and columns from the first line. @returns whether it is a header */
  #begin(bytes: Uint8Array, start: number, end: number): boolean {
    const separators = separatorsOf(bytes.subarray(start, end));
    const fieldsBy = (separator: number) => {
      this.#separator = separator;
      return this.#fields(bytes, start, end);
    };
    const known = separators.find((separator) => columnsOf(fieldsBy(separator)));
    if (known === undefined && separators.length > 1)
      this.#fail(
        `${separatorNames(separators)} may separate its columns; write decimals with a point, quote fields that hold a separator`,
      );
    const fields = fieldsBy(known ?? (separators[0] as number));
    const header = columnsOf(fields);
    this.#width = fields.length;
    this.#columns =
      header ??
      byPosition(fields.length) ??
      this.#fail(`has ${fields.length} columns without known names; ${knownNames()}`);
    if (header) return true;
    if (fields.length < 2 || fields.slice(0, 2).some((field) => NUMBER.test(field))) return false;
    if (NAME.test(fields[2] ?? '')) return true;
    this.#doubtful = { line: this.#line, fields };
    // Where all that follows is numbers, the line is a header of unknown names; see the end.
    return !this.named;
  }

  #readEdge(bytes: Uint8Array, start: number, end: number): void {
    const { source, target, weight } = this.#columns as Columns;
    let [at, column] = [start, 0];
    while (at <= end) {
      const next = this.#scan(bytes, at, end);
      if (column === source) this.#sources.push(this.#node(bytes, 'source'));
      else if (column === target) this.#targets.push(this.#node(bytes, 'target'));
      else if (column === weight) {
        const text = this.#text(bytes);
        this.#weights.push(this.#weightTexts.read(text) ?? this.#fail(wrongWeight(text)));
      }
      at = next + 1;
      // Runs of spaces count as one.
      if (this.#separator === SPACE) while (at < end && this.#separates(bytes[at] as number)) at += 1;
      column += 1;
    }
    if (column <= Math.max(source, target, weight))
      this.#fail(
        `expected ${weight >= 0 ? 'source, target and weight' : 'source and target'}, found ${column} column${column === 1 ? '' : 's'}`,
      );
    if (column !== this.#width)
      this.#fail(
        `found ${column} columns, the first line has ${this.#width}; adjacency lists and METIS graphs are not read`,
      );
  }

  #separates(byte: number): boolean {
    return byte === this.#separator || (this.#separator === SPACE && byte === TAB);
  }

  /** Finds the content of the field that begins at `start`. @returns where its separator is */
  #scan(bytes: Uint8Array, start: number, end: number): number {
    let from = start;
    if (this.#separator !== SPACE) while (from < end && bytes[from] === SPACE) from += 1;
    if (from < end && bytes[from] === QUOTE) return this.#scanQuoted(bytes, from + 1, end);
    let next = start;
    while (next < end && !this.#separates(bytes[next] as number)) next += 1;
    let to = next;
    while (to > from && bytes[to - 1] === SPACE) to -= 1;
    this.#from = Math.min(from, to);
    this.#to = to;
    this.#doubled = false;
    return next;
  }

  #scanQuoted(bytes: Uint8Array, from: number, end: number): number {
    let [to, doubled] = [from, false];
    for (; to < end; to++) {
      if (bytes[to] !== QUOTE) continue;
      if (to + 1 === end || bytes[to + 1] !== QUOTE) break;
      doubled = true;
      to += 1;
    }
    if (to >= end) this.#fail('a quote is not closed; names that hold line breaks are not supported');
    let next = to + 1;
    while (next < end && bytes[next] === SPACE && this.#separator !== SPACE) next += 1;
    if (next < end && !this.#separates(bytes[next] as number))
      this.#fail('text follows a closing quote; a quote within a quoted field is written twice');
    [this.#from, this.#to, this.#doubled] = [from, to, doubled];
    return next;
  }

  /** The text of the field that `#scan` found. */
  #text(bytes: Uint8Array): string {
    let text: string;
    try {
      text = this.#decoder.decode(bytes.subarray(this.#from, this.#to));
    } catch {
      return this.#fail('is not UTF-8 text; save the file as UTF-8');
    }
    return this.#doubled ? text.replaceAll('""', '"') : text;
  }

  #fields(bytes: Uint8Array, start: number, end: number): string[] {
    const fields: string[] = [];
    for (let at = start; at <= end; ) {
      at = this.#scan(bytes, at, end) + 1;
      fields.push(this.#text(bytes));
      if (this.#separator === SPACE) while (at < end && this.#separates(bytes[at] as number)) at += 1;
    }
    return fields;
  }

  #node(bytes: Uint8Array, which: 'source' | 'target'): number {
    const [start, end] = [this.#from, this.#to];
    if (start === end) this.#fail('a node has no name');
    if (this.named) {
      const text = this.#text(bytes);
      if (this.#doubtful && this.#doubtful.line !== this.#line && !NUMBER.test(text)) this.#texts[which] += 1;
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

  /**
   * @throws Error where the first line holds two texts above a column of numbers, or that name no
   * other node of many edges; `NotNumbers` where it is all there is.
   */
  #requireNoHeader(): void {
    if (!this.#doubtful) return;
    const edges = this.#sources.length;
    if (!this.named && edges === 0) throw new NotNumbers();
    // One number below a text may be chance, two columns or two lines of them are not.
    const { source, target } = this.#texts;
    const isHeader =
      !this.named || (edges > 1 && source + target === 0) || (edges > 2 && (source === 0 || target === 0));
    if (!isHeader && !(edges >= MANY && this.#isAlone())) return;
    this.#line = this.#doubtful.line;
    const named = `"${this.#doubtful.fields.join(', ')}"`;
    const hint = `${knownNames()}, or put the edge on another line`;
    if (!isHeader) this.#fail(`${named} may be a header, since no other edge has these nodes; ${hint}`);
    this.#fail(`${named} above numbers is a header without known names; ${knownNames()}`);
  }

  /** Whether the two nodes of the first edge have no other edge. */
  #isAlone(): boolean {
    const ends = [this.#sources.finish(), this.#targets.finish()];
    const [first, second] = ends.map(([node]) => node);
    return ends.every((nodes) => nodes.subarray(1).every((node) => node !== first && node !== second));
  }
}

function knownNames(): string {
  const { source, target, weight } = columnNames;
  return `name the columns source, target and weight (also ${[...source.slice(1), ...target.slice(1), ...weight.slice(1)].join(', ')})`;
}

function columnsOf(header: readonly string[]): Columns | undefined {
  const [source, target] = [columnFor('source', header), columnFor('target', header)];
  return source >= 0 && target >= 0 ? { source, target, weight: columnFor('weight', header) } : undefined;
}

/** Columns without names: source, target and an optional weight. */
function byPosition(count: number): Columns | undefined {
  return count > 3 ? undefined : { source: 0, target: 1, weight: count === 3 ? 2 : -1 };
}
