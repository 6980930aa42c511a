export interface Mutant {
  /** Folder of the system below `src/`. */
  readonly family: string;
  readonly system: string;
  /** What the change breaks. */
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in `file`. */
  readonly text: string;
  readonly replacement: string;
  /** Test files of which at least one must fail. */
  readonly tests: readonly string[];
  /** Whether CI runs it. */
  readonly fast?: boolean;
}

export function mutants(): Mutant[];
export function mutated(mutant: Mutant, source: string): string;
