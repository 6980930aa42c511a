// The values of vertices and the types of hyperedges as numbers, from training files alone.

import { AST, type SyntaxHypergraph } from '../ast/index.js';

/** What stands for values that training did not see often enough. */
export const UNKNOWN = '<unk>';

/** Occurrences from which on a value has a number of its own. */
const LEAST_COUNT = 2;

/** Options of `ProgramVocabulary.from`. */
export interface VocabularyOptions {
  /** Whether `ast` and `ident` vertices have vocabularies of their own. Default: true. */
  readonly nodeKinds?: boolean;
  /** Whether hyperedge types are told apart. Default: true. */
  readonly edgeTypes?: boolean;
}

/** The lists of a vocabulary, for a file. */
export interface VocabularyState {
  /** Values by number, a list for each kind of vertices or one for both; first `<unk>`. */
  readonly values: readonly (readonly string[])[];
  /** Hyperedge types by number; first `<unk>`. */
  readonly types: readonly string[];
}

/**
 * Values that occur at least twice, by falling frequency and then by first appearance, after
 * `<unk>`.
 */
export class ProgramVocabulary {
  readonly #values: readonly ReadonlyMap<string, number>[];
  readonly #types: ReadonlyMap<string, number>;
  readonly #starts: readonly number[];

  constructor(readonly state: VocabularyState) {
    const numbers = (list: readonly string[]) => new Map(list.map((value, number) => [value, number]));
    this.#values = state.values.map(numbers);
    this.#types = numbers(state.types);
    let start = 0;
    this.#starts = state.values.map((list) => {
      start += list.length;
      return start - list.length;
    });
  }

  /** The vocabulary of training files. */
  static from(
    programs: Iterable<SyntaxHypergraph>,
    { nodeKinds = true, edgeTypes = true }: VocabularyOptions = {},
  ): ProgramVocabulary {
    const kinds = Array.from({ length: nodeKinds ? 2 : 1 }, () => new Map<string, number>());
    const types = new Map<string, number>();
    for (const program of programs) {
      program.values.forEach((value, v) => {
        count(kinds[nodeKinds ? (program.kinds[v] as number) : 0] as Map<string, number>, value);
      });
      if (edgeTypes) for (const type of program.types) count(types, type);
    }
    return new ProgramVocabulary({ values: kinds.map(frequent), types: frequent(types) });
  }

  /** Sizes of the vocabularies of values. */
  get valueCounts(): readonly number[] {
    return this.state.values.map((list) => list.length);
  }

  /** Number of hyperedge types. */
  get typeCount(): number {
    return this.state.types.length;
  }

  /** Number of each vertex's value, those of the second kind after those of the first [N]. */
  encode({ values, kinds }: SyntaxHypergraph): Int32Array {
    return Int32Array.from(values, (value, v) => {
      const kind = this.#values.length > 1 ? (kinds[v] as number) : 0;
      return (this.#starts[kind] as number) + (this.#values[kind]?.get(value) ?? 0);
    });
  }

  /** Number of a hyperedge type. */
  typeOf = (type: string): number => this.#types.get(type) ?? 0;

  /** Node types of a program that the vocabulary lacks. */
  unknownTypes({ values, kinds }: SyntaxHypergraph): string[] {
    const known = this.#values[0];
    return [...new Set(values.filter((value, v) => kinds[v] === AST && !known?.has(value)))];
  }
}

function count(counts: Map<string, number>, value: string): void {
  counts.set(value, (counts.get(value) ?? 0) + 1);
}

function frequent(counts: ReadonlyMap<string, number>): string[] {
  const kept = [...counts].filter(([, times]) => times >= LEAST_COUNT);
  // The sort is stable: equals stay in the order of their first appearance.
  return [UNKNOWN, ...kept.sort(([, a], [, b]) => b - a).map(([value]) => value)];
}
