// Triples (head, relation, tail) of a knowledge graph in text files.

import { readUnpackedText } from './files.js';
import { readLines } from './formats/csv.js';

/** Triples of a file, by number, with the names that the numbers stand for. */
export interface NamedTriples {
  /** Entity numbers. */
  readonly heads: Int32Array;
  /** Relation numbers, as many. */
  readonly relations: Int32Array;
  /** Entity numbers, as many. */
  readonly tails: Int32Array;
  /** Names of the entities. */
  readonly entityNames: readonly string[];
  /** Names of the relations. */
  readonly relationNames: readonly string[];
}

/** Names of the columns in a header, in any of the usual terms. */
const HEADERS: readonly (readonly string[])[] = [
  ['head', 'subject', 'source'],
  ['relation', 'predicate'],
  ['tail', 'object', 'target'],
];

/**
 * Reads a triple a line: head, relation and tail, separated by tabs, commas, semicolons or spaces
 * (also gzipped). A first line that names the columns gives their order.
 *
 * @param known names that training had: others are an error. Default: names are numbered as they
 * come
 * @throws Error naming the line that has another number of fields, an empty one or an unknown name
 */
export function loadTriples(path: string, known?: Pick<NamedTriples, 'entityNames' | 'relationNames'>): NamedTriples {
  const lines = readLines(readUnpackedText(path), path);
  const order = headerOf(lines[0] ?? []);
  const first = order ? 1 : 0;
  const [head, relation, tail] = order ?? [0, 1, 2];
  const numbering = (names: readonly string[] | undefined, what: string) => {
    const numbers = new Map(names?.map((name, i) => [name, i]));
    return {
      numbers,
      of(name: string | undefined, line: number): number {
        if (name === undefined || name === '') throw new Error(`"${path}", line ${line}: the ${what} is empty`);
        const number = numbers.get(name);
        if (number !== undefined) return number;
        if (names) throw new Error(`"${path}", line ${line}: training had no ${what} "${name}"`);
        numbers.set(name, numbers.size);
        return numbers.size - 1;
      },
    };
  };
  const entities = numbering(known?.entityNames, 'entity');
  const kinds = numbering(known?.relationNames, 'relation');
  const count = lines.length - first;
  if (count < 1) throw new Error(`"${path}" holds no triples`);
  const [heads, relations, tails] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  for (let i = 0; i < count; i++) {
    const fields = lines[first + i] as string[];
    const line = first + i + 1;
    if (fields.length !== 3)
      throw new Error(`"${path}", line ${line}: expected head, relation and tail, found ${fields.length} fields`);
    heads[i] = entities.of(fields[head], line);
    relations[i] = kinds.of(fields[relation], line);
    tails[i] = entities.of(fields[tail], line);
  }
  return {
    heads,
    relations,
    tails,
    entityNames: [...entities.numbers.keys()],
    relationNames: [...kinds.numbers.keys()],
  };
}

/** Columns of head, relation and tail by a header; undefined when the line is no header. */
function headerOf(fields: readonly string[]): [number, number, number] | undefined {
  const places = HEADERS.map((names) => fields.findIndex((field) => names.includes(field.trim().toLowerCase())));
  return places.every((place) => place >= 0) ? (places as [number, number, number]) : undefined;
}
