// Which copy of the library this is. Two copies in one process (npm installs them where versions
// differ) have memory of their own, and a region of one means nothing to the other.

/** A loaded copy of the library. */
export interface Library {
  /** Version of the package. */
  readonly version: string;
  /** Address of the module that was loaded. */
  readonly address: string;
}

/** This copy. */
export const library: Library = { version: '0.1.0', address: import.meta.url };

/** The copy that made an object with a buffer, such as a tensor; undefined for anything else. */
export function libraryOf(value: unknown): Library | undefined {
  return (value as { buffer?: { library?: Library } } | null | undefined)?.buffer?.library;
}

/** @throws Error naming both copies for a tensor of another one. */
export function refuseForeign(operation: string, value: unknown): void {
  const other = libraryOf(value);
  if (other && other !== library) throw foreignError(operation, other);
}

function describe({ version, address }: Library): string {
  return `version ${version} at ${address}`;
}

/** The error for memory of another copy. */
export function foreignError(operation: string, other: Library | undefined): Error {
  return new Error(
    `${operation}: a tensor of another copy of Gossamer, ${other ? describe(other) : 'whose version is unknown'}; ` +
      `this copy is ${describe(library)}. Each has memory of its own: install one copy ` +
      '(`npm ls gossamer` lists them, `npm dedupe` merges them)',
  );
}
